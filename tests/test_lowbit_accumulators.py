"""Running sums of kernels and published speeds: numbers and pictures."""

import numpy as np
import pytest
from watched import Watched

import waferviz
from waferviz.lowbit import kernels, running_sums
from waferviz.views.headroom import Headroom
from waferviz.views.kernels import Kernels

I2_S, TL1, TL2, TMAC = running_sums().kernel.values


def test_the_worst_cases_are_the_published_ones():
    worst = running_sums().sel(input="worst case").true.max("added")
    assert float(worst.sel(kernel=I2_S)) == 65024
    assert float(worst.sel(kernel=TMAC)) == 16 * 127 == 2032
    whole = running_sums().sel(input="worst case")
    for kernel in (TL1, TL2):
        right = (whole.true == whole.held).sel(kernel=kernel)
        assert right.sel(added=slice(0, 257)).all()
        assert not right.sel(added=270)


def test_sums_are_those_of_the_numbers():
    rng = np.random.default_rng(1)
    a, w = rng.integers(-127, 128, 60), rng.integers(-1, 2, 60)
    found = running_sums(a, w)
    last = found.true.sel(input="yours", added=60)
    assert last.sel(kernel=TL1) == last.sel(kernel=TL2) == a @ w
    assert last.sel(kernel=I2_S) == a @ (w + 1)
    assert (found.held == found.true.astype(np.int16)).all()
    signs = np.where(w > 0, 1, -1)
    step = np.abs(a).reshape(-1, 4).sum(axis=1).max() / 127
    assert float(last.sel(kernel=TMAC)) * step == pytest.approx(a @ signs, abs=15 * step / 2)


def test_numbers_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="a goes up to 300"):
        running_sums([300, 1], [1, 1])
    with pytest.raises(ValueError, match=r"w\[0, 0\] is 2"):
        running_sums([1, 1], [2, 1])


def test_speeds_and_what_they_read():
    found = kernels()
    assert found.speed.sel(kernel="I2_S", size="7B", cpu="Intel i7-13700H") == 20.62
    assert np.isnan(found.speed.sel(kernel="Float16", size="100B")).all()
    large = found.traffic.sel(size="100B", kernel=["I2_S", "TL2_0"])
    for cpu, low, high in (("Intel i7-13700H", 35, 41.5), ("Apple M2 Ultra", 140, 163)):
        assert ((large.sel(cpu=cpu) >= low) & (large.sel(cpu=cpu) <= high)).all()


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
def test_the_lane_wraps_before_ones_eyes(opened):
    view = waferviz.show(running_sums())
    assert isinstance(view, Headroom)
    page = opened(view)
    said = page.locator(".wv-said")
    assert "After 130 weights the lane wraps around: the true sum is 33,020" in said.inner_text()
    page.get_by_label("numbers: random").check()
    assert "Up to here the lane is right" in said.inner_text()
    page.get_by_label("kernel: TL1").check()
    assert "258 weights in a row are safe" in said.inner_text()
    page.get_by_role("button", name="to start").click()
    assert page.locator(".wv-place").inner_text() == "0 of 384 weights"


@pytest.mark.browser
def test_kernels_are_ranked_for_a_computer_and_a_model(opened):
    view = waferviz.show(kernels())
    assert isinstance(view, Kernels)
    page = opened(view)
    said = page.locator(".wv-said")
    assert said.inner_text().startswith("TL2_0 writes 20.7 tokens per second")
    page.get_by_label("model: 100B").check()
    assert said.inner_text().startswith("TL2_0 writes 1.69 tokens")
    page.get_by_label("computer: Apple M2 Ultra").check()
    assert said.inner_text().startswith("TL2_0 writes 7.45 tokens")
    page.get_by_label("show: GB of weights read per second").check()
    assert "GB per second here" in said.inner_text()
