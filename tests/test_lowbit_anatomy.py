"""The parts of a low-bit model add up to the whole, in bytes and joules; it and the lookup unit are shown."""

import numpy as np
import pytest
from watched import Watched

import waferviz
from waferviz.lowbit import Model, anatomy, model_bytes, model_energy, precompute, tiles
from waferviz.views.anatomy import Anatomy
from waferviz.views.builders import Builders
from waferviz.views.unit import Unit


@pytest.mark.parametrize("name", ["BitNet b1.58 2B4T", "b1.58 3B", "b1.58 700M"])
@pytest.mark.parametrize("tokens", [1, 512, 4096])
def test_parts_add_up(name, tokens):
    found, model = anatomy(name), Model.named(name)
    whole = model_bytes(model).bytes
    assert float(found.fixed[found.low_bit].sum()) == float(whole.sel(part="linear layers"))
    embedding = found.fixed.sel(part=["token embedding", "output head"]).sum()
    assert float(embedding) == float(whole.sel(part="embedding and head"))
    energy = model_energy(model, tokens=tokens).energy.sum("op")
    ours = found.linear * tokens + found.quadratic * tokens**2
    assert float(ours[found.low_bit].sum()) == pytest.approx(float(energy.sel(part="linear")))
    assert float(ours[~found.low_bit].sum()) == pytest.approx(float(energy.sel(part="attention")))


def test_wide_weights_are_eight_times_as_many_bytes():
    found = anatomy()
    low = found.isel(part=found.low_bit.values)
    np.testing.assert_array_equal(low.bits_wide, 8 * low.fixed)
    high = found.isel(part=~found.low_bit.values)
    np.testing.assert_array_equal(high.bits_wide, high.fixed)


@pytest.mark.browser
def test_the_parts_answer_the_slider(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    view = waferviz.show(anatomy())
    assert isinstance(view, Anatomy)
    seen.page.goto(view.handout(tmp_path / "view.html").as_uri())
    said = seen.page.locator(".wv-said")
    said.wait_for()
    assert said.inner_text().startswith(
        "With 512 tokens the ternary layers (◆) take 43 % of the memory and 27 %"
    )
    seen.page.get_by_label("tokens").focus()
    seen.page.keyboard.press("Home")
    assert "With 32 tokens" in said.inner_text()
    assert seen.page.get_by_role("table", name="parts of the model").get_by_role("row").count() == 15
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


@pytest.mark.browser
def test_a_shape_is_drawn_and_ranked(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    view = waferviz.show(tiles())
    assert isinstance(view, Unit)
    seen.page.goto(view.handout(tmp_path / "view.html").as_uri())
    said = seen.page.locator(".wv-said")
    said.wait_for()
    assert said.inner_text().startswith(
        "M2 N64 K4: 512 one-bit lanes; tables of 128 bits, each entry goes to 64 multiplexers of 8"
    )
    assert "96 bits enter" in said.inner_text()
    assert "512 weight bits takes 2 cycles" in said.inner_text()
    assert seen.page.get_by_text("128 multiplexers, 64 to a table").is_visible()
    assert seen.changes(
        lambda: seen.page.get_by_label("shape, tokens M by outputs N by activations K").select_option(
            label="M4 N32 K4"
        )
    )
    assert "tables of 256 bits" in said.inner_text()
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


@pytest.mark.browser
def test_builders_count_up(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    view = waferviz.show(precompute(4096, 12288, 12288))
    assert isinstance(view, Builders)
    seen.page.goto(view.handout(tmp_path / "view.html").as_uri())
    said = seen.page.locator(".wv-said")
    said.wait_for()
    assert said.inner_text().startswith("A builder beside every array makes each table 3,072 times: 350 %")
    assert seen.page.get_by_text("403 MB through memory", exact=True).is_visible()
    seen.page.get_by_role("button", name="to end").click()
    assert seen.page.get_by_text("per array: 3,072 of 3,072 arrays").is_visible()
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])
