"""Lookup and packing microscope: what they are made of, and what a reader sees and can do in a real browser."""

import runpy
import warnings

import numpy as np
import panel as pn
import pytest
from watched import Watched

import waferviz
from waferviz.lowbit import (
    FORMATS,
    Parts,
    anatomy,
    areas,
    errors,
    fewer_bits,
    kernels,
    lookups,
    lut_matmul,
    precompute,
    running_sums,
    sentence,
    specimen,
    terms,
    tiles,
    tmac,
    unit_area,
)
from waferviz.published import folder
from waferviz.views import builders, fewer, lookup, packing, rounding, silicon
from waferviz.views.style import LEGIBLE

A = np.array([[1, 2, 3, 4, -2, 5, 0, 3]])
Q = np.random.default_rng(3).integers(0, 4, (20, 8))
Q[0, :4] = 3, 0, 2, 1


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("group", [1, 3, 4])
@pytest.mark.parametrize("table", ["exact", "int8"])
def test_lookups_end_in_the_product(bits, group, table):
    rng = np.random.default_rng(bits)
    a, q = rng.integers(-9, 10, (3, 13)), rng.integers(0, 2**bits, (5, 13))
    found = lookups(a, q, bits=bits, zero=1, scale=0.5, group=group, table=table, token=2)
    expected = lut_matmul(a, q, bits=bits, zero=1, scale=0.5, group=group, table=table)[2]
    np.testing.assert_allclose(found.result, expected, rtol=1e-12)
    assert found.sizes["cycle"] == bits * -(-13 // group)
    added = (found.value * found.weight.values[found.plane_of.values][:, None]).cumsum("cycle")
    np.testing.assert_array_equal(found.total, added)
    np.testing.assert_array_equal(found.total.isel(cycle=slice(1, 3)), found.total[1:3])


def test_lookups_are_computed_when_asked_for():
    found = lookups(np.ones((1, 4096), int), np.zeros((256, 4096), int), bits=8, zero=0)
    assert not found.total._in_memory
    assert found.total.isel(cycle=3, output=5).item() == -4 * (1 + 2 + 4 + 8)
    with pytest.raises(ValueError, match="token=1: there are 1"):
        lookups(A, Q, bits=2, zero=2, token=1)


def test_a_cycle_is_told():
    found = lookups(A, Q, bits=2, zero=2)
    assert sentence(found, 0).startswith("Plane 0 of group 0: the bits 1 0 0 1 of output 0 are index 9; its mirror, entry 6")  # fmt: skip
    assert sentence(found, 1).endswith("times 2 makes -4; the sum is -4.")


def test_a_lookup_is_packed_for_the_page():
    shown = lookup.packed(lookups(A, Q, bits=2, zero=2))
    assert (shown["cycles"], shown["dotted"], len(shown["result"])) == (4, 20, 8)
    assert shown["tables"][0] == [-10, -8, -6, -4, -4, -2, 0, 2, -2, 0, 2, 4, 4, 6, 8, 10]
    assert shown["index"][0][0] == 9
    long = lookup.packed(lookups(np.ones((1, 400)), np.zeros((2, 400), int), bits=3, zero=2))
    assert (long["cycles"], long["all"], len(long["tables"])) == (63, 300, 21)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="group=5: tables of up to 16"):
        lookup.Lookup([lookups(A, Q, bits=2, zero=2, group=5)])
    with pytest.raises(ValueError, match="lacks activation"):
        lookup.Lookup([specimen(np.ones((1, 128), int))])
    with pytest.raises(ValueError, match="512 weights: up to 256"):
        packing.Packing([specimen(np.ones((4, 128), int))])
    with pytest.raises(ValueError, match="format 'i3': choose one of i2_s"):
        specimen(np.ones((1, 128), int), "i3")


def test_show_finds_both():
    assert isinstance(waferviz.show(lookups(A, Q, bits=2, zero=2)), lookup.Lookup)
    assert isinstance(waferviz.show(specimen(np.ones((1, 128), int))), packing.Packing)


def test_a_specimen_knows_what_other_layouts_read():
    w = np.random.default_rng(0).integers(-1, 2, (4, 128))
    found = specimen(w, "i2_s", scale=0.5)
    titles = [FORMATS[name].title for name in ("i2_s_neon", "i2_s_rows", "w2a8")]
    assert [title for title in titles if title in found.other.values] == titles
    neon = found["read"].sel(other=FORMATS["i2_s_neon"].title)
    assert sorted(neon.values.ravel()) == sorted(w.ravel())
    assert (neon != w).any()
    refused = found.sel(other=FORMATS["w2a8"].title)
    assert "does not use" in str(refused.reads.values)
    shown = packing.packed(specimen(w[:1], "i2_s"))
    owners = [owner for field in shown["fields"] for owner in field[4]]
    assert sorted(owners) == list(range(128))


@pytest.mark.parametrize("name", ["lookup", "packing"])
def test_labs_run(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = runpy.run_path(str(folder("lab") / f"{name}.py"))
    assert found["shown"]
    controls = [value for value in found.values() if isinstance(value, pn.widgets.Widget)]
    assert controls
    assert all(LEGIBLE in control.stylesheets for control in controls)


def error_lab():
    rng = np.random.default_rng(0)
    return errors(
        rng.normal(size=(8, 128)) * np.exp(rng.normal(size=128)),
        rng.integers(0, 16, (32, 128)),
        bits=4,
        zero=8,
    )


def test_errors_are_counted_whole_and_within_their_bounds():
    found = error_lab()
    assert (found.errors.sum("bin") == 8 * 32).all()
    assert (found.largest <= found.bound * (1 + 1e-9)).all()
    exact = found.sel(aggregate="exact")
    assert (np.diff(exact.nmse) > 0).all()
    assert found.share.values.tolist() == [4, 32, 64, 128]
    coarse = found.sel(share=128)
    assert float(coarse["mean"].sel(aggregate="fast")) > 20 * abs(
        float(coarse["mean"].sel(aggregate="fast-corrected"))
    )
    assert isinstance(waferviz.show(found), rounding.Rounding)


@pytest.mark.parametrize("cells", [{}, {"mux": 3.0}, {"flop": 9.0, "xor": 0.5}])
def test_terms_add_up_to_the_areas(cells):
    found = terms()
    sizes = np.array(
        [1.0, *({**dict(zip(found.cell.values, found.nominal.values, strict=True)), **cells}).values()]
    )
    np.testing.assert_allclose(found.design_terms.values @ sizes, areas(Parts.of(**cells)).area)
    group = np.arange(1, 9)
    whole = unit_area("symmetric lookup", group=group, shared=64, parts=Parts.of("int8", **cells)) / group
    np.testing.assert_allclose(found.group_terms.sel(act="int8").values @ sizes, whole)
    assert isinstance(waferviz.show(found), silicon.Silicon)


@pytest.fixture
def opened(chromium, tmp_path):
    seen = Watched(chromium, offline=True)

    def show(view):
        seen.page.goto(view.handout(tmp_path / "view.html").as_uri())
        seen.page.locator(".wv-said").wait_for()
        return seen.page

    yield show
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


@pytest.mark.browser
def test_the_lookup_plays_and_tells(opened):
    page = opened(lookup.Lookup([lookups(A, Q, bits=2, zero=2)]))
    said = page.locator(".wv-said")
    assert "bits 1 0 0 1 of output 0 are index 9; entry 9 is 0" in said.inner_text()
    page.get_by_role("button", name="step forward").click()
    assert "index 5; entry 5 is −2; times 2 is −4; the sum becomes −4" in said.inner_text()
    page.get_by_label("table: 8 entries and a sign").check()
    page.get_by_role("button", name="to start").click()
    assert "the top bit is 1: entry 6" in said.inner_text()
    assert page.get_by_text("the mirror is not stored").is_visible()
    page.get_by_label("plane weights: ½, 1, 2, … (T-MAC)").check()
    page.get_by_role("button", name="to end").click()
    product = (A @ (Q - 2).T)[0, 0]
    assert f"= {product}".replace("-", "−") in said.inner_text()
    assert "minus the sum of the activations" in said.inner_text()
    assert page.get_by_role("table", name="operations so far").get_by_text("80", exact=True).count() == 2
    page.get_by_label("follow").select_option("3")
    assert f"= {(A @ (Q - 2).T)[0, 3]}".replace("-", "−") in said.inner_text()


@pytest.mark.browser
def test_what_was_read_stands_in_its_column_at_both_ends(opened):
    page = opened(lookup.Lookup([lookups(A, Q, bits=2, zero=2)]))
    svg, place = page.locator("svg[role=img]"), page.get_by_role("slider", name="cycle")
    first = lookups(A, Q, bits=2, zero=2).isel(cycle=0, output=slice(0, 8)).value.values
    assert _columns(svg) == [(int(one), int(one)) for one in first]
    assert place.get_attribute("aria-valuetext") == "cycle 1 of 4"
    page.get_by_role("button", name="to end").click()
    last = lookups(A, Q, bits=2, zero=2).isel(cycle=-1, output=slice(0, 8)).value.values
    assert _columns(svg) == [(int(one), 2 * int(one)) for one in last]
    assert [f"a{4 + at} = {value}".replace("-", "−") for at, value in enumerate(A[0, 4:])] == [
        text for text in svg.locator("text").all_text_contents() if text.startswith("a") and "=" in text
    ]
    assert place.get_attribute("aria-valuetext") == "all 4 cycles"


def _columns(svg):
    """Numbers that stand in the columns of entries and of weighed entries, output by output."""
    at = {
        x: [text.replace("−", "-") for text in svg.locator(f'g > text[x="{x}"][text-anchor="middle"]').all_text_contents()]
        for x in (765, 849)
    }  # fmt: skip
    return [(int(entry), int(weighed)) for entry, weighed in zip(*at.values(), strict=True)]


VIEWS = {
    "lookups": lambda: lookups(A, Q, bits=2, zero=2),
    "i2_s": lambda: specimen(np.ones((1, 128), int)),
    "tmac": lambda: specimen(np.zeros((16, 8), int), tmac(2, tile=32, kfactor=2)),
    "tl2": lambda: specimen(np.ones((1, 96), int), "tl2"),
    "errors": error_lab,
    "running": running_sums,
    "kernels": kernels,
    "terms": terms,
    "fewer": fewer_bits,
    "anatomy": anatomy,
    "precompute": lambda: precompute(4096, 12288, 12288),
    "tiles": tiles,
}


@pytest.mark.browser
@pytest.mark.parametrize("name", VIEWS)
def test_title_controls_and_words_stand_on_the_first_screen(opened, name):
    page = opened(waferviz.show(VIEWS[name]()))
    page.set_viewport_size({"width": 1280, "height": 720})
    title = page.locator("h2").first.bounding_box()
    assert title["y"] < page.locator(".bk-Figure").first.bounding_box()["y"]
    needed = page.locator(".wv-said, .wv-stage input, .wv-stage button, .wv-stage select").all()
    assert max(one.bounding_box()["y"] + one.bounding_box()["height"] for one in needed) <= 720
    for slider in page.get_by_role("slider").all():
        assert not slider.get_attribute("aria-valuetext").isdigit()
        assert slider.get_attribute("aria-valuetext")


def test_large_counts_are_told_in_words():
    assert [builders._large(number) for number in (14, 541e9, 176.2e6, 2e12)] == ["14", "541 billion", "176 million", "2 trillion"]  # fmt: skip
    assert [builders._three(number) for number in (350.0, 0.11393, 12345)] == ["350", "0.114", "12,300"]


@pytest.mark.browser
def test_the_lookup_moves_by_itself_and_by_keys(opened):
    page = opened(lookup.Lookup([lookups(np.ones((1, 128)), np.ones((3, 128), int), bits=2, zero=2)]))
    place, picture = page.locator(".wv-place"), page.locator("svg[role=img]")
    before = picture.inner_html()
    page.get_by_role("button", name="play").click()
    moved = [page.wait_for_timeout(200) or picture.inner_html() for _ in range(5)]
    assert len({before, *moved}) > 2
    page.get_by_role("button", name="pause").click()
    still = picture.inner_html()
    page.wait_for_timeout(200)
    assert picture.inner_html() == still
    page.locator(".wv-stage").first.focus()
    page.keyboard.press("End")
    assert place.inner_text() == "all 64 cycles"
    page.keyboard.press("Home")
    assert place.inner_text() == "cycle 1 of 64"


@pytest.mark.browser
@pytest.mark.parametrize("view", ["lookup", "packing"])
def test_a_frame_older_than_the_press_of_play_is_the_start(opened, view):
    """The clock of a frame may lag behind the one that the press of play was told by."""
    show = {
        "lookup": lambda: lookup.Lookup([lookups(A, Q, bits=2, zero=2)]),
        "packing": lambda: packing.Packing([specimen(np.ones((1, 128), int))]),
    }[view]
    page = opened(show())
    page.evaluate(
        "() => { const now = performance.now; performance.now = () => now.call(performance) + 300 }"
    )
    page.get_by_role("button", name="play").click()
    page.wait_for_timeout(200)
    assert page.get_by_role("button", name="pause").is_visible()


@pytest.mark.browser
def test_a_weight_is_followed_to_its_bits_and_back(opened):
    w = np.zeros((1, 128), int)
    w[0, [0, 32, 96]] = 1, -1, 1
    page = opened(packing.Packing([specimen(w, "i2_s")]))
    said = page.locator(".wv-said")
    assert (
        said.inner_text()
        == "Weight 0 of output 0 is 1: code 2 in bits 7 to 6 of byte 0 (lane 0 of register 0)."
    )
    assert page.get_by_text("0x86").is_visible()
    page.locator("svg rect").nth(32).click()
    assert "Weight 32 of output 0 is −1: code 0 in bits 5 to 4 of byte 0" in said.inner_text()
    page.get_by_label("decode as").select_option(label="I2_S (NEON): the other layout")
    assert "weights are wrong" in said.inner_text()
    page.get_by_role("button", name="step forward").click()
    assert "Weight 33" in said.inner_text()


@pytest.mark.browser
def test_planes_have_several_places(opened):
    q = np.random.default_rng(0).integers(0, 4, (16, 8))
    page = opened(packing.Packing([specimen(q, tmac(2, tile=32, kfactor=2))]))
    assert page.locator(".wv-said").inner_text().count("plane nibble") == 2
    page = opened(packing.Packing([specimen(np.ones((1, 96), int), "tl2")]))
    assert "sign 0 in bit 0 of byte 16" in page.locator(".wv-said").inner_text()


@pytest.mark.browser
def test_the_error_lab_answers_the_slider(opened):
    page = opened(rounding.Rounding([error_lab()]))
    said = page.locator(".wv-said")
    first = said.inner_text()
    assert first.startswith("One scale for 4 activations, add exactly")
    page.get_by_label("activations that share a table scale").focus()
    page.keyboard.press("End")
    assert said.inner_text().startswith("One scale for all 128 activations, add exactly")
    page.get_by_label("entries: average in trees").check()
    assert "average in trees" in said.inner_text()


@pytest.mark.browser
def test_cells_move_the_crossovers(opened):
    page = opened(silicon.Silicon([terms()]))
    said = page.locator(".wv-said")
    assert said.inner_text().startswith(
        "With these cells 5 of 7 published numbers come out. The density of 18.16"
    )
    assert page.get_by_text("✗ not reproduced").count() == 2
    page.get_by_label("multiplexer of one bit, µm²").fill("4.5")
    assert page.get_by_role("row", name="symmetric lookup").get_by_text("up to 5 bits").is_visible()
    assert said.inner_text().startswith("With these cells")
    assert page.get_by_text("✗ not reproduced").count() > 2


@pytest.mark.browser
def test_curves_are_told_in_words(opened):
    view = waferviz.show(fewer_bits())
    assert isinstance(view, fewer.FewerBits)
    said = opened(view).locator(".wv-said").inner_text()
    assert "+0.54 at 700M, +0.04 at 1.3B, -0.13 at 3B" in said
    assert "decoding takes 26% of the time, prefill 103%" in said
