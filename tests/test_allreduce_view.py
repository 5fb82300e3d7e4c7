"""The picture of sums on a line and on a mesh: one clock, every action counted, the tree over the cores."""

import base64
import json
import zlib

import numpy as np
import pytest
from watched import Watched

from waferviz import ALLREDUCE, Machine, show, tree, waves
from waferviz.views.allreduce import Waves, packed

WSE = Machine.preset("wse2")


def made(name, cores=8, words=4, **options):
    return waves(ALLREDUCE[name](cores, **options), WSE, matrices=(words,))


def test_a_run_is_packed_whole():
    wave = made("ktree")
    found = packed(wave)
    table = np.frombuffer(zlib.decompress(base64.b64decode(found["actions"])), "<i4").reshape(-1, 5)
    assert np.array_equal(table[:, 2], wave.begin.values)
    assert (found["hops"], found["relays"], found["depth"]) == (12, 3, 4)
    assert found["values"][-1] == [36.0] * 8
    json.dumps(found)


def test_what_is_no_wave_is_refused():
    with pytest.raises(ValueError, match="0 Datasets: give 1 to 4"):
        Waves([])
    with pytest.raises(ValueError, match="lacks kind"):
        Waves([made("chain").drop_vars("kind")])
    assert "4 words on each of 8 cores, wse2" in repr(show(made("chain")))


def opened(chromium, tmp_path, *runs):
    seen = Watched(chromium, offline=True)
    seen.page.goto(show(*runs).handout(tmp_path / "waves.html").as_uri())
    seen.page.get_by_role("button", name="play", exact=True).wait_for()
    return seen


@pytest.fixture
def race(chromium, tmp_path):
    seen = opened(chromium, tmp_path, made("pipeline"), made("ring"), made("ktree", sizes=(4, 2)))
    yield seen
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


def to(page, cycle):
    slider = page.get_by_label("cycle", exact=True)
    slider.fill(str(cycle))
    slider.dispatch_event("change")
    return page.locator(".wv-said").inner_text()


@pytest.mark.browser
def test_the_race_counts_who_does_what(race):
    said = to(race.page, 0)
    assert "pipeline, step 1 of 2 (sum): 1 sends, 7 wait." in said
    assert "2-tree 4 x 2, step 1 of 3 (sum, phase 1 of 2): 4 send, 4 wait." in said
    for cycle in (7, 20, 30):
        wave = made("pipeline")
        doing = (wave.begin <= cycle) & (wave.end > cycle)
        busy = len(set(wave.core.values[doing.values].tolist()))
        assert f"{8 - busy} wait" in to(race.page, cycle).split("ring")[0]


@pytest.mark.browser
def test_the_race_plays_and_ends_with_the_sum(race):
    page = race.page
    page.locator(".wv-stage").last.focus()
    assert race.changes(lambda: page.keyboard.press(" "))
    page.keyboard.press("End")
    said = page.locator(".wv-said").inner_text()
    for name in ("pipeline", "ring", "ktree"):
        assert f"is done after {int(made(name).attrs['cycles'])} cycles, every core holds 36." in said
    table = page.get_by_role("table", name="cycles, hops and relays").inner_text()
    assert "14 hops" in table
    assert "12 hops" in table


@pytest.mark.browser
def test_a_core_is_followed_by_a_click(race):
    to(race.page, 30)
    box = race.page.locator("canvas").first.bounding_box()
    race.page.mouse.click(box["x"] + 70, box["y"] + 93)
    told = race.page.locator(".wv-inspector").inner_text()
    assert told.startswith("pipeline, core 0: waits; holds the sum of 1 of 8 vectors, first entry 1.")
    assert "sends for 4" in told


@pytest.mark.browser
def test_a_tree_of_ones_own_and_a_mesh(chromium, tmp_path):
    for run in (waves(tree([1, -1, 1, 2]), WSE, matrices=(2,)), made("snake", (3, 4))):
        seen = opened(chromium, tmp_path, run)
        assert seen.changes(lambda page=seen.page: to(page, 9))
        seen.context.close()
        assert (seen.wrong, seen.left) == ([], [])
