"""The shelves of a cache: books where the rule puts them, one token followed, the row that is full named."""

import base64
import zlib

import numpy as np
import pytest
from watched import Watched

from waferviz import show
from waferviz.cache import fill
from waferviz.views.cache import Shelves, packed


def test_a_fill_is_packed_as_the_rows_where_tokens_land():
    whole = fill("shift", 4, 30, prompt=6, capacity=8)
    found = packed(whole)
    landed = np.frombuffer(zlib.decompress(base64.b64decode(found["landed"])), "<i4")
    counts = np.array(found["start"]) + (landed[:, None] == np.arange(4)).cumsum(axis=0)
    assert np.array_equal(counts, whole.held.values[1:])
    assert (found["full"], found["last"], found["books"]) == (0, 26, True)


def test_what_is_no_fill_is_refused():
    with pytest.raises(ValueError, match="0 Datasets: give 1 to 3"):
        Shelves([])
    with pytest.raises(ValueError, match="lacks links"):
        Shelves([fill("shift", 4, 3).drop_vars("links")])
    assert "shift on 4 rows of cores, after a prompt of 6 tokens" in repr(show(fill("shift", 4, 3, prompt=6)))


@pytest.fixture
def shelves(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    fills = [fill(rule, 5, 60, capacity=8) for rule in ("concat", "shift")]
    seen.page.goto(show(*fills).handout(tmp_path / "shelves.html").as_uri())
    seen.page.get_by_role("button", name="play", exact=True).wait_for()
    yield seen
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


def to(page, tokens):
    slider = page.get_by_label("tokens inserted", exact=True)
    slider.fill(str(tokens))
    slider.dispatch_event("change")
    return page.locator(".wv-said").inner_text()


@pytest.mark.browser
def test_the_full_row_is_named_while_the_others_are_empty(shelves):
    said = to(shelves.page, 20)
    assert "concat: full after 8 tokens; row 4 has no room for another." in said
    assert "shift, token 19 arrives: no row hands one up; the fullest row holds 4." in said
    assert shelves.page.get_by_text("concat: 8 of 40 places used, 20 %, and yet it is full").is_visible()
    assert "shift: full after 40 tokens; row 0 has no room for another." in to(shelves.page, 40)


@pytest.mark.browser
def test_tokens_into_empty_rows_go_one_after_the_other(shelves):
    assert "4 rows hand a token up, in 5 steps one after the other, because rows were empty" in to(
        shelves.page, 1
    )


@pytest.mark.browser
def test_books_move_when_it_plays(shelves):
    page = shelves.page
    page.locator(".wv-stage").last.focus()
    assert shelves.changes(lambda: page.keyboard.press(" "))
    page.keyboard.press(" ")
    page.keyboard.press("End")
    assert "full after 40 tokens" in page.locator(".wv-said").inner_text()


@pytest.mark.browser
def test_one_token_is_followed(shelves):
    page = shelves.page
    to(page, 13)
    right = max((one.bounding_box() for one in page.locator(".bk-Canvas").all()), key=lambda box: box["x"])
    page.mouse.click(right["x"] + 152, right["y"] + 110)
    told = page.locator(".wv-inspector").inner_text()
    assert told == "shift, token 7 arrived at row 4, has moved up 2 rows and is on row 2 since token 11; it moves on when token 16 arrives."  # fmt: skip
    to(page, 16)
    assert "is on row 2" in page.locator(".wv-inspector").inner_text()
    to(page, 17)
    assert "has moved up 3 rows and is on row 1 since token 16" in page.locator(".wv-inspector").inner_text()


@pytest.mark.browser
def test_large_caches_are_bars(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    seen.page.goto(show(fill("shift", 60, 3000, capacity=40)).handout(tmp_path / "bars.html").as_uri())
    seen.page.get_by_role("button", name="play", exact=True).wait_for()
    assert seen.changes(lambda: to(seen.page, 2400))
    assert "full after 2,400 tokens" in seen.page.locator(".wv-said").inner_text()
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])
