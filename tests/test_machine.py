"""Machines: every number has a source, doubts are shown, numbers nobody has published are asked for by name."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import waferviz as wv
from waferviz import GEMM, audit
from waferviz.facts import Unpublished, facts, reference
from waferviz.machine import QUANTITIES, Machine

MACHINES = tuple(dict.fromkeys(fact.machine for fact in facts("machines")))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("wse2", {"hop": 1, "ramp": 2, "relay": 6, "routes": 24, "clock": 1.1, "dsd_start": 0, "shape": (994, 750)}),
        ("wse3", {"hop": 2, "ramp": 2, "relay": 7, "dsd_start": 16, "turn": 20, "cores": 900_000}),
        ("dojo_d1", {"cores": 354, "shape": (20, 18), "clock": 2, "routes": np.inf, "wrap": False}),
        ("dojo_tile", {"cores": 25 * 354, "shape": (100, 90), "power": 15_000}),
        ("wormhole", {"cores": 72, "wrap": True, "hop": 9, "bytes_per_core": 1464 * 1024}),
        ("blackhole", {"cores": 140, "wrap": True, "clock": 1.35, "link_words": 16}),
    ],
)  # fmt: skip
def test_presets(name, expected):
    machine = Machine.preset(name)
    assert {key: getattr(machine, key) for key in expected} == expected
    assert not machine.is_what_if
    assert machine.chip == machine.shape


def test_every_fact_has_unit_and_source():
    table = [*facts("machines"), *facts("references")]
    assert len(table) > 100
    assert all(fact.units and fact.source and fact.machine for fact in table)
    in_use = [(fact.machine, fact.quantity) for fact in table if not fact.variant]
    assert len(in_use) == len(set(in_use))
    for name in MACHINES:
        assert {fact.quantity for fact in table if fact.machine == name} >= {*QUANTITIES, "rows", "columns"}


def test_published_totals_follow_from_the_numbers_of_a_core():
    wse2 = Machine.preset("wse2")
    per_second = wse2.cores * wse2.clock * 1e9
    assert wse2.memory_bandwidth * per_second == pytest.approx(22.4e15, rel=0.01)
    assert 2 * wse2.macs_fp16 * per_second == pytest.approx(7.48e15, rel=0.001)
    assert wse2.cores * wse2.bytes_per_core == pytest.approx(40e9, rel=0.05)
    d1 = Machine.preset("dojo_d1")
    assert 2 * d1.macs_fp16 * d1.cores * d1.clock * 1e9 == pytest.approx(362e12, rel=0.01)
    tile = Machine.preset("dojo_tile")
    assert tile.cores * tile.bytes_per_core == pytest.approx(11e9, rel=0.06)
    wormhole = Machine.preset("wormhole")
    assert wormhole.cores * wormhole.bytes_per_core == pytest.approx(108e6, rel=0.03)
    wse3 = Machine.preset("wse3")
    assert wse3.cores * 8 * 32 * wse3.clock * 1e9 == pytest.approx(214e15, rel=0.001)


def test_doubts_show_both_numbers():
    doubts = {(doubt.quantity, doubt.value) for doubt in Machine.preset("wse2").doubts()}
    assert {("clock", 0.85), ("routes", 32), ("routes", 21), ("power", 23_000), ("ramp", 7)} <= doubts
    bandwidth = [doubt for doubt in Machine.preset("wse2").doubts() if doubt.quantity == "memory_bandwidth"]
    assert [round(doubt.value * 850_000 * 1.1e9 / 1e15) for doubt in bandwidth] == [20, 22]
    assert "0.85 GHz" in str(Machine.preset("wse2").doubts()[0])
    assert any(doubt.unpublished and doubt.quantity == "hop" for doubt in Machine.preset("dojo_d1").doubts())


def test_sources_nobody_has_opened_are_doubts():
    for name in MACHINES:
        machine = Machine.preset(name)
        unread = [
            fact for fact in facts("machines") if fact.machine == name and fact.source.startswith("vendor")
        ]
        assert all(fact.unopened for fact in unread)
        assert set(unread) <= set(machine.doubts())
    assert "not opened" in str(
        next(doubt for doubt in Machine.preset("wormhole").doubts() if doubt.quantity == "power")
    )
    assert all(fact.unopened for fact in facts("references"))
    assert not any(doubt.unopened for doubt in Machine.preset("teaching").doubts())


@given(hop=st.integers(1, 50), ramp=st.integers(0, 50))
def test_relay_follows_hop_and_ramp(hop, ramp):
    assert Machine.preset("wse2", hop=hop, ramp=ramp).relay == hop + 2 * ramp + 1
    assert Machine.preset("wse2", hop=hop, ramp=ramp, relay=5).relay == 5


def test_an_unpublished_number_is_shown_and_asked_for():
    d1 = Machine.preset("dojo_d1")
    assert f"{d1.hop} {d1.relay}" == "not published not published"
    for use in (
        lambda: 2 * d1.ramp + 1, lambda: np.arange(3) * d1.hop, lambda: np.maximum(1, d1.hop), lambda: float(d1.hop),
        lambda: np.asarray(d1.hop), lambda: d1.hop < 3, lambda: audit(GEMM["cannon"](4), d1), lambda: max(1, d1.hop),
    ):  # fmt: skip
        with pytest.raises(
            ValueError, match=r"of dojo_d1 is not published and this needs it; set it: machine.edit"
        ):
            use()
    assert isinstance(d1.edit(hop=1).relay, Unpublished)
    whole = d1.edit(hop=1, ramp=2)
    assert whole.relay == 6
    assert int(audit(GEMM["cannon"](4), whole).cycles.sum()) > 0
    assert replace(d1, name="mine").hop.machine == "mine"


def test_a_chip_without_route_limit_never_falls_back_to_relays():
    bill = audit(GEMM["summa"](8), Machine.preset("wormhole"))
    assert int(bill.stages.max()) == 0


@pytest.mark.parametrize(
    ("shape", "what_if"), [((720, 720), False), ((750, 994), False), ((994, 751), True), ((1000, 1), True)]
)
def test_meshes_larger_than_the_chip_are_marked(shape, what_if):
    assert Machine.preset("wse2", shape=shape).is_what_if is what_if
    assert replace(Machine.preset("wse2"), shape=shape).is_what_if is what_if


@pytest.mark.parametrize("name", MACHINES)
def test_saved_machines_come_back(name, tmp_path):
    machine = Machine.preset(name)
    assert Machine.load(machine.save(tmp_path / "mine.csv")) == machine
    changed = machine.edit(name="mine", hop=3, ramp=1, shape=(2000, 5), wrap=True)
    assert Machine.load(changed.save(tmp_path / "mine.csv"), "mine") == changed
    text = machine.edit(hop=3).save(tmp_path / "mine.csv").read_text()
    assert f"{name},hop,,3,cycles,chosen by the user,in data/machines.csv" in text


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ({"hop": -1}, "hop=-1; give a finite number, more than zero"),
        ({"hop": 0}, "hop=0"),
        ({"ramp": -0.5}, "ramp=-0.5; give a finite number, zero or more"),
        ({"clock": np.inf}, "clock=inf"),
        ({"macs": np.nan}, "macs=nan"),
        ({"routes": -np.inf}, "routes=-inf"),
        ({"power": "15 kW"}, "power='15 kW'"),
        ({"shape": (4,)}, r"shape=\(4,\); give \(rows, columns\)"),
        ({"shape": (4, 0)}, "shape="),
        ({"shape": 4}, "shape=4"),
        ({"shape": (4, 2.5)}, "shape="),
        ({"hops": 1}, "a machine has no 'hops'; it has name"),
    ],
)
def test_numbers_that_make_no_sense(numbers, reason):
    with pytest.raises(ValueError, match=reason):
        Machine.preset("wse2", **numbers)


def test_files_that_make_no_sense(tmp_path):
    file = Machine.preset("wse2").save(tmp_path / "mine.csv")
    lines = file.read_text().splitlines()
    for broken, reason in (
        ([line for line in lines if ",hop," not in line], "wse2 has no row for hop"),
        ([*lines, "wse2,speed,,1,1,me,"], "has a row for 'speed'"),
        ([*lines, "other,hop,,1,1,me,"], "has 2 machines; name one of wse2, other"),
        ([lines[0].replace("units", "unit"), *lines[1:]], "no column 'units'"),
        ([*lines[:3], "wse2,clock,,fast,GHz,me,"], "line 4: value 'fast' is no number"),
    ):
        file.write_text("\n".join(broken))
        with pytest.raises(ValueError, match=reason):
            Machine.load(file)
    with pytest.raises(FileNotFoundError):
        Machine.load(tmp_path / "nowhere.csv")


def test_references_are_no_machines():
    assert reference("a100").peak_fp16 == 312
    assert reference("h100").power == 700
    with pytest.raises(ValueError, match=r"no mesh of cores.*reference\('h100'\)"):
        Machine.preset("h100")
    with pytest.raises(ValueError, match="known are a100, h100"):
        reference("tpu")


@pytest.mark.parametrize(
    "ask",
    [
        lambda m: wv.audit(wv.GEMM["cannon"](4), m).cycles,
        lambda m: wv.timeline(wv.GEMM["cannon"](4), m).end,
        lambda m: wv.check(wv.GEMM["cannon"](4), m).used,
        lambda m: wv.explain(wv.GEMM["cannon"](4), m).cycles,
        lambda m: wv.sweep(mesh=4, matrix=8, machine=m).cycles,
        lambda m: wv.wafer.latency(m).cycles,
        lambda m: wv.energy.energy(wv.audit(wv.GEMM["cannon"](4), m), m).energy,
    ],
    ids=["audit", "timeline", "check", "explain", "sweep", "latency", "energy"],
)
def test_a_machine_goes_by_its_name_everywhere(ask):
    assert ask("teaching").identical(ask(Machine.preset("teaching")))
    with pytest.raises((KeyError, ValueError), match="teaching"):
        ask("teeching")
