"""The budget card: what it is made of, and what a reader sees and can do in a real browser."""

import base64
import re
import zlib

import numpy as np
import pytest
import xarray as xr
from watched import Watched

from waferviz.views.budget import Budget, deflated, packed


def verdict(name="Cannon", memory=52531, side=6):
    """A hand-made verdict: memory breaks at core (0, 3) in step 2 when it is over 48 KiB."""
    broken = memory > 49152
    ok = np.array([True, True, not broken, True])
    held = np.full((side, side), memory - 5000)
    held[0, 3] = memory
    text = np.array(["36 of 256 cores", "longest way 5 hops", f"{memory:,} of 49,152 B", "6 of 12 routes"])
    return xr.Dataset(
        {
            "used": ("letter", [36.0, 5.0, float(memory), 6.0]),
            "limit": ("letter", [256.0, np.inf, 49152.0, 12.0]),
            "ok": ("letter", ok),
            "step": ("letter", np.where(ok, -1, 2)),
            "y": ("letter", np.where(ok, -1, 0)),
            "x": ("letter", np.where(ok, -1, 3)),
            "fix": ("letter", np.where(ok, "", "smaller tiles would fit")),
            "sentence": ("letter", text),
            "chip": ("side", [16, 16]),
            "memory": (("core_y", "core_x"), held),
            "routes": (("core_y", "core_x"), np.full((side, side), 6)),
        },
        coords={
            "letter": list("PLMR"),
            "what": ("letter", ["cores", "longest way", "bytes per core", "routes per core"]),
            "unit": ("letter", ["cores", "hops", "B", "routes"]),
        },
        attrs={"program": name, "machine": "teaching", "mesh": f"{side} x {side}", "what_if": 0},
    )  # fmt: skip


def test_a_verdict_is_packed_letter_by_letter():
    found = packed(verdict())
    by = {letter["letter"]: letter for letter in found["letters"]}
    assert list(by) == list("PLMR")
    assert by["L"]["limit"] is None
    assert (by["M"]["ok"], by["M"]["core"], by["M"]["step"]) == (False, (0, 3), 2)
    assert by["P"]["core"] is None
    assert set(found["maps"]) == {"M", "R"}


def test_maps_come_back_as_they_were():
    held = verdict().memory.values
    found = deflated(held)
    back = np.frombuffer(zlib.decompress(base64.b64decode(found["data"])), "<i4")
    assert np.array_equal(back.reshape(found["rows"], found["columns"]), held)
    assert found["most"] == 52531


def test_what_is_no_verdict_is_refused():
    with pytest.raises(ValueError, match="0 Datasets: give 1 to 4, each from waferviz"):
        Budget([])
    with pytest.raises(ValueError, match="Dataset 0 lacks limit"):
        Budget([verdict().drop_vars("limit")])
    with pytest.raises(ValueError, match="Dataset 1 is ndarray"):
        Budget([verdict(), np.eye(2)])


@pytest.fixture
def card(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    checks = [verdict(), verdict("MeshGEMM", memory=9000)]
    seen.page.goto(Budget(checks).handout(tmp_path / "budget.html").as_uri())
    seen.page.locator(".wv-card").wait_for()
    yield seen
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


@pytest.mark.browser
def test_the_card_opens_at_what_breaks_and_says_where_and_what_would_help(card):
    said = card.page.locator(".wv-said").inner_text()
    assert "52,531 of 49,152 B" in said
    assert "smaller tiles would fit" in said
    assert "Hatched: 1 core of 36 over the limit; the square is where it breaks first" in said
    assert card.page.get_by_text("✗ breaks at core (0,3), step 2").is_visible()
    size = card.page.evaluate("""() => [...Bokeh.documents[0]._all_models.values()]
      .filter(m => m.type === 'ColumnDataSource' && m.data.size && m.data.size.length).map(m => m.data.size[0])""")
    assert size[0] >= 14
    assert card.page.get_by_text("✗ breaks M").is_visible()
    assert card.page.get_by_text("✓ fits").count() == 1


@pytest.mark.browser
def test_every_letter_shows_its_own_map_by_pointer_and_by_keyboard(card):
    page = card.page
    assert card.changes(lambda: page.get_by_role("button", name=re.compile("R of Cannon")).click())
    assert "No core of the map is over the limit" in page.locator(".wv-said").inner_text()
    assert card.changes(lambda: page.keyboard.press("ArrowUp"))
    page.keyboard.press("ArrowRight")
    assert (
        page.locator('.wv-cell[aria-pressed="true"]').get_attribute("aria-label").startswith("M of MeshGEMM")
    )
    page.get_by_role("button", name=re.compile("P of Cannon")).click()
    assert "The line is the chip, 16 x 16 cores" in page.locator(".wv-said").inner_text()


@pytest.mark.browser
def test_cells_have_names_that_tell_the_verdict(card):
    names = [cell.get_attribute("aria-label") for cell in card.page.locator(".wv-cell").all()]
    assert "M of Cannon: 51.3 of 48 KiB, ✗ breaks at core (0,3), step 2" in names
    assert len(set(names)) == 8


def test_what_check_returns_has_all_its_maps():
    import waferviz as wv

    machine = wv.Machine.preset("teaching", bytes_per_core=100)
    found = packed(wv.check(wv.GEMM["cannon"](4), machine, matrices=(16, 16, 16)))
    assert set(found["maps"]) == {"L", "M", "R"}
    assert found["chip"] == [16, 16]
    assert found["maps"]["L"]["most"] == 3
    assert isinstance(wv.show(wv.check(wv.GEMM["cannon"](4), machine)), Budget)


@pytest.mark.browser
def test_a_core_under_the_pointer_says_its_number(card):
    card.page.get_by_role("button", name=re.compile("M of Cannon")).click()
    box = card.page.evaluate("""() => {
      const figure = [...Bokeh.documents[0]._all_models.values()].find(m => m.type === 'Figure' && m.title.text.startsWith('M'))
      const seen = Bokeh.index.find_one(figure)
      const area = seen.canvas_view.el.getBoundingClientRect()
      return [area.x + seen.frame.x_scale.compute(3.5), area.y + seen.frame.y_scale.compute(0.5)]
    }""")
    card.page.mouse.move(*box)
    card.page.get_by_text("Core (0,3): 51.3 of 48 KiB.").wait_for()
