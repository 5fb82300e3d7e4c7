"""The timeline: what the page is sent, and what a reader sees, switches and plays in a real browser."""

import base64
import re
import zlib

import numpy as np
import pytest
import xarray as xr
from watched import Watched

import waferviz as wv
from waferviz.views.clocked import Clocked
from waferviz.views.timeline import LINES, Timeline, packed


def barrier(name="Cannon", steps=6, work=4, way=16):
    """A hand-made run: every step waits for its transfer."""
    start = np.arange(steps) * way
    bars = {
        "work_start": start, "work_end": start + work, "move_start": start, "move_end": start + way,
        "start": start, "end": start + way,
    }  # fmt: skip
    return xr.Dataset(
        {key: ("step", value) for key, value in bars.items()} | {"critical": ("step", ["way"] * steps)},
        coords={"step": np.arange(1, steps + 1), "label": ("step", ["multiply and shift"] * steps)},
        attrs={
            "program": name, "schedule": "barrier", "machine": "teaching", "mesh": "3 x 5",
            "cycles": steps * way, "compute_share": work / way,
        },
    )  # fmt: skip


def dataflow(name="Cannon", steps=6, work=4, way=16):
    """A hand-made run: core x of a row starts each step x cycles later than core 0."""
    run = barrier(name, steps, work, way // 2)
    ready = np.arange(steps)[:, None, None] * (way // 2) + np.arange(5) + np.zeros((1, 3, 1), int)
    times = {"ready": (("step", "y", "x"), ready), "done": (("step", "y", "x"), ready + work)}
    return run.assign(times).assign_attrs(schedule="dataflow")


def test_a_run_is_packed_with_the_times_of_its_cores():
    run = dataflow()
    found = packed(run)
    assert found["end"] == run.end.values.tolist()
    assert found["share"] == run.attrs["compute_share"]
    data = np.frombuffer(zlib.decompress(base64.b64decode(found["cores"]["data"])), "<i4")
    times = data.reshape(2, 3, 6, 5)
    assert found["cores"]["rows"] == [0, 1, 2]
    assert np.array_equal(times[0], run.ready.transpose("y", "step", "x"))
    assert np.array_equal(times[1], run.done.transpose("y", "step", "x"))


def test_large_meshes_send_the_times_of_some_rows_the_first_and_the_last_among_them():
    times = (("step", "y", "x"), np.zeros((6, 40, 5), int))
    found = packed(barrier().assign(ready=times, done=times))
    assert len(found["cores"]["rows"]) == LINES
    assert (found["cores"]["rows"][0], found["cores"]["rows"][-1]) == (0, 39)


def test_a_program_without_steps_has_no_bars():
    found = packed(wv.timeline(wv.ALLREDUCE["ring"](1), wv.Machine.preset()))
    assert (found["cycles"], found["bars"]["left"], found["path"]["x"]) == (0, [], [])


def test_what_is_no_timeline_is_refused():
    with pytest.raises(ValueError, match="0 Datasets: give 1 to 8"):
        Timeline([])
    with pytest.raises(ValueError, match="Dataset 0 lacks critical"):
        Timeline([barrier().drop_vars("critical")])
    with pytest.raises(ValueError, match="5 programs: a timeline shows up to 4"):
        Timeline([barrier(name) for name in "ABCDE"])


def test_a_timeline_says_what_it_shows():
    assert repr(Timeline([barrier()])) == "Timeline(Where do the cycles go? Cannon on 3 x 5 cores, teaching)"


@pytest.fixture
def lanes(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    runs = [barrier(), dataflow(), barrier("MeshGEMM", way=8), dataflow("MeshGEMM")]
    seen.page.goto(Timeline(runs).handout(tmp_path / "timeline.html").as_uri())
    seen.page.get_by_role("button", name="play", exact=True).wait_for()
    yield seen
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


@pytest.mark.browser
def test_the_switch_lays_the_same_bars_anew(lanes):
    page = lanes.page
    assert "of 96" in page.locator(".wv-place").inner_text()
    assert lanes.changes(lambda: page.get_by_label("schedule: data flow").check())
    assert "of 48" in page.locator(".wv-place").inner_text()
    assert lanes.changes(lambda: page.get_by_label("same scale for both schedules").uncheck())
    assert lanes.changes(lambda: page.get_by_label("schedule: barrier").check())


@pytest.mark.browser
def test_the_playhead_plays_steps_and_says_where_it_is(lanes):
    page = lanes.page
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    said = page.locator(".wv-said").inner_text()
    assert (
        "Cannon, cycle 32: step 3 of 6, multiply and shift; the critical path runs through the way of the tiles."
        in said
    )
    assert lanes.changes(lambda: page.keyboard.press(" "))
    page.keyboard.press("End")
    assert "Cannon is done after 96 cycles" in page.locator(".wv-said").inner_text()


@pytest.mark.browser
def test_data_flow_counts_the_cores_that_wait(lanes):
    page = lanes.page
    page.get_by_label("schedule: data flow").check()
    page.get_by_label("cycle", exact=True).fill("5")
    page.get_by_label("cycle", exact=True).dispatch_event("change")
    assert "2 of 5 cores of row 0 wait" in page.locator(".wv-said").inner_text()
    page.get_by_label("row of cores in the space-time diagram").fill("2")
    assert page.get_by_text("y = 2", exact=True).is_visible()


@pytest.mark.browser
def test_a_pixel_of_the_diagram_is_the_mean_of_what_it_covers(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    steps, work, way = 1000, 4, 16
    seen.page.goto(
        Timeline([barrier(steps=steps, work=work, way=way)]).handout(tmp_path / "fine.html").as_uri()
    )
    seen.page.get_by_role("button", name="play", exact=True).wait_for()
    seen.page.wait_for_timeout(300)
    red = np.array(
        seen.page.evaluate("""() => {
      const sources = [...Bokeh.documents[0]._all_models.values()].filter(m => m.type === 'ColumnDataSource' && m.data.image)
      return [...sources[0].data.image[0]].map(word => word & 255)
    }""")
    )
    share = work / way
    expected = share * (0x31 + 0x5B) / 2 + (1 - share) * (0xD5 + 0xEE) / 2
    assert len(red) < steps * 5
    assert red.mean() == pytest.approx(expected, abs=1)
    assert np.ptp(red) < 60
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


@pytest.mark.browser
def test_the_table_says_what_the_cycles_are_made_of(lanes):
    table = lanes.page.get_by_role("table", name="cycles and what they are made of").inner_text()
    assert re.search(r"Cannon\s+96 cycles, 25 % compute; 96 for the way of the tiles\s+48 cycles", table)


@pytest.mark.browser
def test_every_control_has_a_name_of_its_own(lanes):
    controls = lanes.page.locator(".wv-stage button, .wv-stage input, .wv-stage select")
    names = [control.get_attribute("aria-label") for control in controls.all()]
    assert all(names)
    assert len(set(names)) == len(names) >= 9


def test_show_finds_the_picture_of_a_dataset():
    assert isinstance(wv.show(barrier(), dataflow()), Timeline)
    with pytest.raises(ValueError, match="show\\(\\) got Dataset"):
        wv.show(xr.Dataset())
    with pytest.raises(ValueError, match="one kind at a time"):
        wv.show(barrier(), xr.Dataset())
    machine = wv.Machine.preset()
    with pytest.raises(ValueError, match=r"show\(\) got check and timeline; .*, one kind at a time"):
        wv.show(wv.check(wv.GEMM["cannon"](4), machine), barrier())
    with pytest.raises(ValueError, match="got nothing"):
        wv.show()


@pytest.fixture(scope="module")
def traces():
    a, b = wv.sample("integers", 8, 1), wv.sample("integers", 8, 2)
    return [wv.multiply(a, b, algorithm=name, mesh=4, schedule="dataflow") for name in ("cannon", "meshgemm")]


def test_maps_and_timelines_end_at_one_time(traces):
    view = wv.race(*traces, timeline=True)
    assert [run.attrs["cycles"] for run in view.timelines] == [int(trace.cycle[-1]) for trace in view.traces]
    assert {run.attrs["schedule"] for run in view.timelines} == {"dataflow"}


def test_timelines_of_something_else_are_refused(traces):
    machine = wv.Machine.preset()
    other = wv.timeline(wv.GEMM["summa"](4), machine)
    with pytest.raises(
        ValueError, match="trace is of Cannon, 6 steps, data flow; its timeline of SUMMA, 8 steps, barrier"
    ):
        Clocked(traces[:1], [other])
    with pytest.raises(ValueError, match="1 timelines for 2 traces: give one for each"):
        Clocked(traces, [other])
    with pytest.raises(ValueError, match="needs the program behind the trace"):
        wv.play(traces[0].copy().drop_encoding(), timeline=True)


@pytest.mark.browser
def test_maps_and_bars_share_one_playhead(traces, chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    page = seen.page
    page.goto(wv.race(*traces, timeline=True).handout(tmp_path / "clocked.html").as_uri())
    page.get_by_role("button", name="play", exact=True).wait_for()
    place = "() => [...Bokeh.documents[0]._all_models.values()].filter(m => m.type === 'Span').map(m => m.location)"
    assert page.evaluate(place) == [0, 0]
    page.get_by_label("position in the run").fill("40")
    assert page.evaluate(place) == [40, 40]
    page.get_by_label("clock", exact=True).select_option("steps")
    page.locator(".wv-stage").focus()
    page.keyboard.press("End")
    assert sorted(page.evaluate(place)) == sorted(int(trace.cycle[-1]) for trace in traces)
    page.keyboard.press("Home")
    assert page.evaluate(place) == [0, 0]
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])
