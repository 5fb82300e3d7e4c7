"""Rooflines: roofs and marks by hand, and the picture in a real browser."""

import math

import numpy as np
import pytest
from watched import Watched

import waferviz as wv
from waferviz.facts import reference
from waferviz.views.roofline import Roofline, packed

SIDE, SIZE = 16, 64


@pytest.fixture(scope="module")
def machine():
    return wv.Machine.preset("wse2", shape=(SIDE, SIDE))


@pytest.fixture(scope="module")
def roofs(machine):
    programs = [wv.GEMM[name](SIDE) for name in ("summa", "cannon", "meshgemm")]
    return wv.roofline(*programs, machine=machine, matrices=(SIZE, SIZE, SIZE))


def test_a_mark_is_work_over_time_and_over_bytes(roofs, machine):
    bill = wv.audit(wv.GEMM["cannon"](SIDE), machine, matrices=(SIZE, SIZE, SIZE))
    seconds = int(bill.cycles.sum()) / (machine.clock * 1e9)
    cannon = roofs.sel(mark="Cannon")
    assert math.isclose(float(cannon.rate), 2 * SIZE**3 / seconds)
    tile = 4 * (SIZE // SIDE) ** 2
    assert math.isclose(float(cannon.intensity), 2 * (SIZE // SIDE) ** 3 / (4 * tile))


def test_roofs_are_the_numbers_of_the_machine(roofs, machine):
    cycles = machine.clock * 1e9 * SIDE * SIDE
    assert np.allclose(roofs.height.sel(roof="compute roof"), 2 * machine.macs * cycles)
    memory = roofs.height.sel(roof="memory roof")
    assert np.allclose(memory / memory["at"], machine.memory_bandwidth * cycles)


def test_the_distance_roof_is_the_way_of_every_step(roofs, machine):
    bill = wv.audit(wv.GEMM["meshgemm"](SIDE), machine, matrices=(SIZE, SIZE, SIZE))
    way = (bill.hops * machine.hop + 2 * machine.ramp + 1).where(bill.hops > 0, 0).sum()
    roof = roofs.height.sel(roof="distance roof, MeshGEMM")
    here = np.interp(float(roofs.intensity.sel(mark="MeshGEMM")), roofs["at"], roof)
    assert math.isclose(here, 2 * SIZE**3 / float(way) * machine.clock * 1e9, rel_tol=0.02)
    grown = roof.values[-1] / roof.values[-2]
    assert math.isclose(grown, float((roofs["at"][-1] / roofs["at"][-2]) ** 3))


@pytest.mark.parametrize("name", ["summa", "cannon", "meshgemm", "allgather"])
@pytest.mark.parametrize("size", [16, 48, 160])
def test_nothing_is_faster_than_its_roofs(machine, name, size):
    found = wv.roofline(wv.GEMM[name](SIDE), machine=machine, matrices=(size, size, size))
    assert 0 < float(found.share[0]) <= 1


def test_the_words_roof_is_the_busiest_link_or_ramp(machine):
    found = wv.roofline(wv.GEMM["meshgemm"](SIDE), machine=machine, matrices=(SIZE, SIZE, SIZE))
    bill = wv.audit(wv.GEMM["meshgemm"](SIDE), machine, matrices=(SIZE, SIZE, SIZE))
    cycles = int(np.maximum(bill.link_words, bill.ramp_words).sum())
    roof = found.height.sel(roof="words roof")
    rate = 2 * SIZE**3 / cycles * machine.clock * 1e9
    assert np.allclose(roof / roof["at"], rate / float(found.intensity[0]))


def test_small_tiles_are_bound_by_distance_and_large_ones_by_compute(machine):
    bound = [
        str(
            wv.roofline(wv.GEMM["cannon"](SIDE), machine=machine, matrices=(size, size, size)).bound.values[0]
        )
        for size in (16, 480)
    ]
    assert bound == ["distance", "compute"]


def test_half_precision_uses_its_own_peaks(machine):
    half = wv.roofline(wv.GEMM["cannon"](SIDE), machine=machine, matrices=(64, 64, 64), dtype=np.float16)
    peak = half.height.sel(roof="compute roof").values[0]
    assert math.isclose(peak, 2 * machine.macs_fp16 * machine.clock * 1e9 * SIDE * SIDE)
    assert math.isclose(half.height.sel(roof="A100").values.max(), reference("a100").peak_fp16 * 1e12)


def test_what_has_no_common_roof_is_refused(machine):
    with pytest.raises(
        ValueError, match="Cannon on 16 cores, Cannon on 64 cores; give programs on meshes of one size"
    ):
        wv.roofline(wv.GEMM["cannon"](4), wv.GEMM["cannon"](8), machine=machine)
    with pytest.raises(ValueError, match="which multiplies nothing"):
        wv.roofline(wv.ALLREDUCE["ring"](4), machine=machine)
    with pytest.raises(ValueError, match="got no program"):
        wv.roofline(machine=machine)
    with pytest.raises(ValueError, match="memory_bandwidth of dojo_d1 is not published"):
        wv.roofline(wv.GEMM["cannon"](4), machine=wv.Machine.preset("dojo_d1", hop=1, ramp=2))
    with pytest.raises(ValueError, match="2 Datasets: give 1 to 1"):
        Roofline([None, None])


def test_the_page_is_sent_every_mark(roofs):
    found = packed(roofs)
    assert [mark["name"] for mark in found] == ["SUMMA", "Cannon", "MeshGEMM"]
    assert found[1]["rate"] == float(roofs.rate.values[1]) / 1e12


@pytest.mark.browser
def test_programs_are_pointed_out_and_told(roofs, chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    page = seen.page
    page.goto(wv.show(roofs).handout(tmp_path / "roofline.html").as_uri())
    page.get_by_role("button", name="point out SUMMA").wait_for()
    assert seen.changes(lambda: page.get_by_role("button", name="point out Cannon").click())
    said = page.locator(".wv-said").inner_text()
    assert said.startswith("Cannon does ")
    assert "of its lowest roof, which is the compute roof, 0.563 TFLOP/s" in said
    assert page.get_by_role("table", name="programs and their lowest roof").is_visible()
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])
