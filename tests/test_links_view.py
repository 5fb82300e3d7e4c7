"""Links under load: what the page is sent, and frames, links and who is behind them in a real browser."""

import numpy as np
import pytest
import xarray as xr
from watched import Watched

import waferviz as wv
from waferviz.views.links import Links, packed


@pytest.fixture(scope="module")
def run():
    """Hand-made: three cores of a 2 x 4 mesh send four words each to core (0,3); the last link is full."""
    rows, columns, ends = 2, 4, [6, 12]
    x, y = np.arange(columns), np.arange(rows)[:, None]
    there = np.stack(np.broadcast_arrays(x < columns - 1, (x > 0), y < rows - 1, y > 0)) & np.ones(
        (4, rows, columns), bool
    )
    words, waiting = np.zeros((2, 4, rows, columns), int), np.zeros((2, 4, rows, columns), int)
    words[:, 0, 0, :3] = [[2, 4, 6], [2, 4, 6]]
    waiting[0, 0, 0, 2] = 5
    links = ("window", "direction", "y", "x")
    return xr.Dataset(
        {
            "words": (links, words), "waiting": (links, waiting), "link": (links[1:], there),
            "use": (links, 100 * words / 6), "demand": (links, 100 * (words + waiting) / 6),
        },
        coords={
            "window": ends, "direction": ["east", "west", "south", "north"],
            "source": ("delivery", [0, 1, 2]), "target": ("delivery", [3, 3, 3]),
        },
        attrs={"cycles": 12},
    )  # fmt: skip


def test_every_link_that_exists_is_sent_once(run):
    found = packed(run)
    assert len(found["links"]) == int(run.link.sum()) == 2 * (2 * 3) + 2 * 4
    place = found["links"].index(["east", 0, 2])
    assert [frame[place] for frame in found["waiting"]] == [5, 0]
    assert found["demand"][0][place] == round(1100 / 6, 1)
    assert found["pairs"] == [[0, 1, 2], [3, 3, 3]]


def test_more_links_than_the_eye_takes_in_are_refused(run):
    wide = run.isel(x=np.zeros(2000, int))
    with pytest.raises(ValueError, match=r"the picture takes 3,000.*run\.isel"):
        Links([wide])
    with pytest.raises(ValueError, match="lacks waiting"):
        Links([run.drop_vars("waiting")])


@pytest.fixture
def mesh(run, chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    seen.page.goto(wv.show(run).handout(tmp_path / "links.html").as_uri())
    seen.page.get_by_label("busiest links").wait_for()
    yield seen
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


@pytest.mark.browser
def test_frames_are_stepped_and_told(mesh):
    page = mesh.page
    said = "Cycles 0 to 6: 12 words cross links, 5 wait; busiest link east of core (0,2): demand 183 %, use 100 %; 1 link"
    assert said in page.locator(".wv-said").inner_text()
    assert mesh.changes(lambda: page.keyboard.press("ArrowRight"))
    assert "Cycles 6 to 12: 12 words cross links, 0 wait" in page.locator(".wv-said").inner_text()


@pytest.mark.browser
def test_a_link_says_who_is_behind_it(mesh):
    page = mesh.page
    assert mesh.changes(lambda: page.get_by_label("busiest links").select_option(index=2))
    told = page.locator(".wv-inspector").inner_text()
    assert "Link east of core (0,1): 4 words crossed, 0 wait" in told
    assert "Behind it: 2 deliveries, (0,0) to (0,3), (0,1) to (0,3)." in told
