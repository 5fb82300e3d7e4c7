"""Ours against theirs: what the page is sent, and sources and reasons in a real browser."""

import os

import numpy as np
import pytest
import xarray as xr

from waferviz.show import show
from waferviz.views.validation import Validation, _lists, _sources

BROWSER = os.environ.get("WAFERVIZ_BROWSER", "")


@pytest.fixture(scope="module")
def data():
    theirs, ours = np.array([10.0, 200.0, 0.5, 3000.0]), np.array([10.0, 230.0, 0.5, 1000.0])
    text = {
        "name": ["a", "b", "c", "d"], "units": ["cycles", "cycles", "1", "cycles"], "source": ["book", "book", "paper", "paper"],
        "comparison": ["first", "first", "second", "third"], "note": ["", "", "", "tiny tiles"],
    }  # fmt: skip
    error = ours / theirs - 1
    numbers = {
        "theirs": theirs,
        "ours": ours,
        "error": error,
        "within": abs(error) < 0.1,
        "exact": error == 0,
    }
    return xr.Dataset({key: ("figure", np.asarray(each)) for key, each in (numbers | text).items()})


def test_the_farthest_off_come_first(data):
    lists = _lists(data)
    assert [each["title"] for each in lists] == ["third", "first", "second"]
    assert lists[0]["note"] == "tiny tiles"
    assert [row[0] for row in lists[1]["rows"]] == ["b", "a"]


def test_every_source_has_a_mark_and_a_hue_of_its_own(data):
    sources = _sources(data)
    assert [each["figures"] for each in sources] == [2, 2]
    assert len({(each["mark"], each["hue"]) for each in sources}) == 2


def test_show_knows_the_picture(data):
    view = show(data)
    assert isinstance(view, Validation)
    assert "Ours against theirs" in repr(view)
    with pytest.raises(ValueError, match="lacks ours"):
        Validation([data.drop_vars("ours")])


@pytest.mark.browser
def test_sources_hide_and_reasons_show(data, tmp_path):
    if not BROWSER:
        pytest.skip("NO BROWSER: name one in WAFERVIZ_BROWSER")
    from playwright.sync_api import sync_playwright

    file = Validation([data]).handout(tmp_path / "page.html")
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        page = playwright.chromium.launch(executable_path=BROWSER, args=flags).new_page()
        broken = []
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(file.as_uri())
        page.get_by_text("4 figures: 2 exact, 2 within 10%, 2 farther off.").wait_for()
        assert page.get_by_text("tiny tiles").is_visible()
        page.get_by_label("farthest off in").select_option(label="first")
        assert page.get_by_role("cell", name="+15 %").is_visible()
        page.get_by_label("book (2 figures)").uncheck()
        visible = "() => Bokeh.documents[0].all_models.size && [...Bokeh.documents[0].all_models].filter(m => m.type === 'GlyphRenderer' && !m.visible).length"
        assert page.evaluate(visible) == 2
        assert not broken
