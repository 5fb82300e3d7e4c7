"""Dead cores and yield curves: what is drawn, and what a reader sees and can do in a real browser."""

import base64
import re
import zlib

import numpy as np
import pytest
from watched import Watched

import waferviz as wv
from waferviz.published import folder
from waferviz.show import show
from waferviz.views.wafer import Defects, packed
from waferviz.views.yields import Yields
from waferviz.wafer import latency, price, remap, ring_hops, scenes, wafer_yield, yields

MACHINE = wv.Machine.preset("wse2", shape=(8, 8))


@pytest.fixture(scope="module")
def found():
    return scenes(wv.GEMM["meshgemm"](8), MACHINE, wafers=3, matrices=(16, 16, 16))


def test_scenes_are_remapped_and_priced(found):
    program, seen = wv.GEMM["meshgemm"](8), set()
    for clusters in found.clusters.values:
        for mean in (0, 3, 12):
            one = found.sel(clusters=clusters, mean=mean).isel(wafer=1)
            for spares in found.spares.values:
                here = remap(one.dead.values[:, : 8 + spares], int(spares))
                scene = one.sel(spares=spares)
                np.testing.assert_array_equal(scene.column, here.column)
                assert bool(scene.works) == here.works
                seen.add(here.works)
                expected = [0, 0]
                if here.works:
                    expected = price(program, here, MACHINE, matrices=(16, 16, 16)).cycles.sum("step").values
                np.testing.assert_array_equal(scene.cycles, expected)
    assert seen == {True, False}
    assert (found.sel(mean=0).cycles == found.attrs["plain_cycles"]).all()
    assert (found.dead.astype(int).diff("mean") >= 0).all()
    assert all(variable.attrs["units"] for variable in found.data_vars.values())


def test_chances_are_those_of_the_law(found):
    fail = np.array(found["mean"].values) / (8 * 11)
    for spares in found.spares.values:
        for clusters, alpha in (("at random", None), ("by wafer", 2)):
            law = wafer_yield(8, 8, spares, fail, alpha=alpha)
            np.testing.assert_allclose(found.chance.sel(clusters=clusters, spares=spares), law, atol=1e-12)
    patches = found.chance.sel(clusters="in patches")
    assert (patches.sel(mean=0) == 1).all()
    assert (patches.diff("spares") >= 0).all()


def test_scenes_are_packed_as_they_are(found):
    sent = packed(found)
    dead = np.frombuffer(zlib.decompress(base64.b64decode(sent["dead"])), np.uint8)
    np.testing.assert_array_equal(dead.reshape(found.dead.shape), found.dead)
    columns = np.frombuffer(zlib.decompress(base64.b64decode(sent["columns"])), np.int8)
    np.testing.assert_array_equal(columns.reshape(found.column.shape), found.column)
    assert len(sent["dead"]) + len(sent["columns"]) < 40_000


def test_curves_are_those_of_the_laws():
    curves = yields()
    at = float(curves.density.sel(density=0.1, method="nearest"))
    assert at == pytest.approx(0.1)
    np.testing.assert_allclose(
        curves.wafer.sel(density=at, clusters="at random").values,
        [4.24e-17, 0.4027, 0.98506, 0.99981, 0.999998],
        rtol=1e-3,
    )
    assert list(curves.law.values) == ["Poisson", "Murphy", "Seeds", "negative binomial", "Bose-Einstein"]


def test_show_finds_both_pictures(found):
    assert isinstance(show(found), Defects)
    assert isinstance(show(yields()), Yields)


def test_what_makes_no_sense(found):
    with pytest.raises(ValueError, match="lacks ring"):
        Defects([found.drop_vars("ring")])
    with pytest.raises(ValueError, match=r"2 Datasets: give 1 to 1, each from waferviz.wafer.yields"):
        Yields([yields(), yields()])
    with pytest.raises(ValueError, match="at most 40 x 40 cores"):
        scenes(wv.GEMM["cannon"](41), MACHINE)
    with pytest.raises(ValueError, match=r"spares=\(\)"):
        scenes(wv.GEMM["cannon"](4), MACHINE, spares=())


@pytest.mark.parametrize("wrap", [False, True])
def test_latency_is_the_way_times_the_hop(wrap):
    machine = wv.Machine.preset("wse3", shape=(5, 8), wrap=wrap)
    found = latency(machine, (1, 6), words=3)
    for (y, x), hops in np.ndenumerate(found.hops.values):
        down, across = abs(y - 1), abs(x - 6)
        assert hops == (min(down, 5 - down) + min(across, 8 - across) if wrap else down + across)
        assert int(found["cycles"][y, x]) == (3 + 2 * hops + 5 if hops else 0)
        assert int(found.relayed[y, x]) == (3 + 7 * hops if hops else 0)
    with pytest.raises(ValueError, match=r"core=\(5, 0\): give .*; wse3 has rows 0 to 4"):
        latency(machine, (5, 0))


@pytest.fixture
def wafer(chromium, tmp_path, found):
    seen = Watched(chromium, offline=True)
    seen.page.goto(Defects([found]).handout(tmp_path / "defects.html").as_uri())
    seen.page.get_by_label("another wafer").wait_for()
    seen.page.wait_for_timeout(300)
    yield seen
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


def said(seen):
    return seen.page.locator(".wv-said").inner_text()


@pytest.mark.browser
def test_the_first_picture_says_what_is_dead_and_what_it_costs(wafer, found):
    wafer.page.get_by_label("spare columns: 3").check()
    one = found.sel(clusters="at random", mean=4, spares=3).isel(wafer=0)
    dead = one.dead.values
    assert bool(one.works)
    hidden, physical = one.cycles.values
    row = int(np.flatnonzero(dead[:, :8].any(axis=1))[0])
    hop = int(ring_hops(remap(dead, 3))[row])
    for words in (
        f"{int(dead.sum())} of 88 cores are dead", "Every row works", f"{hidden} cycles on wse2", f"{physical} when each physical hop",
        f"Row {row}: ", f"longest hop is {hop} instead of 2",
    ):  # fmt: skip
        assert words in said(wafer), words


@pytest.mark.browser
def test_spares_wafers_and_rows_change_the_picture(wafer, found):
    page = wafer.page
    assert wafer.changes(lambda: page.get_by_label("spare columns: 0").check())
    rows = found.dead.sel(clusters="at random", mean=4).isel(wafer=0).values[:, :8].any(axis=1)
    assert re.search(rf"{rows.sum()} rows? fails?", said(wafer))
    assert wafer.changes(lambda: page.get_by_label("another wafer").click())
    assert said(wafer).startswith("Wafer 2:")
    assert wafer.changes(lambda: page.get_by_label("defects fall: in patches").check())
    assert wafer.changes(lambda: page.get_by_label("row shown as a ring").fill("6"))
    page.get_by_label("spare columns: 3").check()
    assert "Row 6: " in said(wafer)


@pytest.mark.browser
def test_more_and_more_cores_die_as_it_plays(wafer):
    page = wafer.page
    page.get_by_label("to start").click()
    assert "0 of 80 cores are dead" in said(wafer)
    assert "0 % more" in said(wafer)
    assert wafer.changes(lambda: page.keyboard.press("ArrowRight"))
    assert "1 dead core a wafer, mean" in page.locator(".wv-place").inner_text()
    assert wafer.changes(lambda: page.get_by_label("play", exact=True).click())
    page.get_by_label("pause").click()
    page.keyboard.press("End")
    assert "20 dead cores a wafer, mean" in page.locator(".wv-place").inner_text()
    assert not said(wafer).startswith("Wafer 1: 0 of")


@pytest.mark.browser
def test_a_click_on_a_row_shows_it_as_a_ring(wafer):
    box = wafer.page.locator(".bk-Figure").first.bounding_box()
    before = said(wafer)
    wafer.page.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.75 * box["height"])
    wafer.page.wait_for_timeout(300)
    row = wafer.page.get_by_label("row shown as a ring").input_value()
    assert int(row) >= 5
    assert f"Row {row}: " in said(wafer) != before


@pytest.mark.browser
def test_curves_are_read_off_at_a_density(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    page = seen.page
    page.goto(Yields([yields()]).handout(tmp_path / "yields.html").as_uri())
    page.get_by_label("density of defects").wait_for()
    assert "At 0.1 defects per cm²" in said(seen)
    assert "0.403 (1 spare), 0.985 (2 spares)" in said(seen)
    assert seen.changes(lambda: page.get_by_label("defects fall: by wafer").check())
    assert "0.504 (1 spare), 0.963 (2 spares)" in said(seen)
    assert seen.changes(lambda: page.get_by_label("density of defects").fill("100"))
    assert "At 1 defects per cm²" in said(seen)
    assert (seen.wrong, seen.left) == ([], [])
    seen.context.close()


@pytest.mark.browser
def test_the_sender_of_a_latency_map_moves(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    page = seen.page
    view = show(latency(wv.Machine.preset("wse2"), (0, 0)))
    page.goto(view.handout(tmp_path / "latency.html").as_uri())
    page.get_by_label("sender").wait_for()
    assert "the farthest core is 1,742 hops away: 1 word takes 1,748 cycles" in said(seen)
    assert seen.changes(lambda: page.keyboard.press("ArrowDown"))
    page.keyboard.press("ArrowUp")
    page.mouse.move(300, 200)
    page.get_by_text(re.compile(r"Core \(\d+, \d+\): [\d,]+ hops away, [\d,]+ cycles, [\d,.]+ ns")).wait_for()
    assert seen.changes(lambda: page.get_by_label("on the way: cores").check())
    assert f"takes {1 + 6 * 1742:,} cycles" in said(seen)
    page.get_by_label("sender").focus()
    assert seen.changes(lambda: page.keyboard.press("ArrowDown"))
    assert "From core (38, 0) the farthest core is 1,704 hops away" in said(seen)
    box = page.locator(".bk-Figure").first.bounding_box()
    assert seen.changes(lambda: page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    assert (seen.wrong, seen.left) == ([], [])
    seen.context.close()


@pytest.mark.browser
def test_the_app_draws_the_wafers_of_another_algorithm(chromium, served):
    address = served(["panel", "serve", str(folder("lab") / "defects.py"), "--port", "{port}"], "/defects")
    seen = Watched(chromium, size=(1280, 1400))
    seen.page.goto(f"{address}/defects")
    seen.page.get_by_text("MeshGEMM takes").wait_for()
    seen.page.get_by_label("algorithm").select_option("cannon")
    seen.page.get_by_text("Cannon takes").wait_for()
    assert seen.page.get_by_label("density of defects").is_visible()
    assert (seen.wrong, seen.left) == ([], [])
    seen.context.close()
