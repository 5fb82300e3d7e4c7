"""The pictures in a real browser: an offline file, a served app, and JupyterLab."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from watched import Watched

import waferviz as wv
from waferviz.published import folder

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def race_file(tmp_path_factory):
    a, b = wv.sample("integers", 32, 1), wv.sample("integers", 32, 2)
    traces = [wv.multiply(a, b, algorithm=name, mesh=16) for name in ("summa", "cannon", "meshgemm")]
    return wv.race(*traces).handout(tmp_path_factory.mktemp("race") / "race.html")


@pytest.fixture
def race_page(chromium, race_file):
    seen = Watched(chromium, offline=True)
    seen.page.goto(race_file.as_uri())
    seen.page.get_by_role("button", name="play", exact=True).wait_for()
    yield seen
    seen.context.close()
    assert seen.wrong == []
    assert seen.left == []


def test_the_offline_file_plays_to_the_end_and_says_who_won(race_page):
    page = race_page.page
    assert race_page.changes(lambda: page.get_by_role("button", name="play", exact=True).click())
    page.get_by_role("button", name="to end", exact=True).click()
    assert page.get_by_text(re.compile("MeshGEMM wins with 328 cycles")).is_visible()
    assert page.get_by_text("equal to NumPy, bit for bit").count() == 3


def test_the_offline_file_steps_by_keyboard_and_scrubs(race_page):
    page = race_page.page
    page.locator(".wv-stage").focus()
    assert race_page.changes(lambda: page.keyboard.press("ArrowRight"))
    page.keyboard.press("End")
    assert "cycle 1,360 of 1,360" in page.locator(".wv-place").inner_text()
    page.keyboard.press("Home")
    assert "cycle 0 of" in page.locator(".wv-place").inner_text()
    assert race_page.changes(lambda: page.get_by_label("position in the run").fill("300"))
    assert "cycle 300 of" in page.locator(".wv-place").inner_text()


def test_every_control_has_a_name(race_page):
    controls = race_page.page.locator(".wv-stage button, .wv-stage input, .wv-stage select")
    names = [controls.nth(at).get_attribute("aria-label") for at in range(controls.count())]
    assert len(names) >= 11
    assert all(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("layer", ["links", "progress", "received", "bytes", "values", "difference"])
def test_every_layer_shows_something_else(race_page, layer):
    page = race_page.page
    page.get_by_label("position in the run").fill("120")
    assert race_page.changes(lambda: page.get_by_label("show", exact=True).select_option(layer))


def test_the_inspector_names_the_core_and_what_it_holds(race_page):
    page = race_page.page
    page.get_by_role("button", name="to end", exact=True).click()
    page.mouse.move(150, 150)
    page.wait_for_timeout(300)
    said = page.locator(".wv-inspector").inner_text()
    assert re.search(r"SUMMA, core \(\d+,\d+\); holds A block", said)


def test_the_clock_can_count_steps(race_page):
    page = race_page.page
    page.get_by_label("clock", exact=True).select_option("steps")
    page.locator(".wv-stage").focus()
    page.keyboard.press("End")
    assert "step 32 of 32" in page.locator(".wv-place").inner_text()


def test_the_address_says_what_the_reader_looks_at_and_leads_back(race_page, race_file):
    page = race_page.page
    page.get_by_label("show", exact=True).select_option("links")
    page.get_by_label("clock", exact=True).select_option("steps")
    page.locator(".wv-stage").focus()
    page.keyboard.press("]")
    page.keyboard.press("ArrowRight")
    state = "show=links&clock=steps&time=1&speed=fast"
    assert page.url == f"{race_file.as_uri()}#{state}"
    assert page.get_by_label(re.compile("this view as text")).input_value() == state
    page.goto(f"{race_file.as_uri()}#{state.replace('time=1', 'time=7')}")
    page.get_by_text("step 7 of 32", exact=True).wait_for()
    assert page.get_by_label("show", exact=True).input_value() == "links"
    assert page.get_by_label("speed", exact=True).input_value() == "fast"
    page.reload()
    page.get_by_text("step 7 of 32", exact=True).wait_for()


def test_a_race_of_64_x_64_cores_is_a_small_file(tmp_path):
    trace = wv.run(wv.GEMM["meshgemm"](64), matrices=(256, 256, 256))
    assert wv.play(trace).handout(tmp_path / "one.html").stat().st_size <= 2.0e6


def test_ring_arcs_grow_with_the_number_of_cores(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    seen.page.goto(wv.arcs().handout(tmp_path / "arcs.html").as_uri())
    slider = seen.page.get_by_label("number of cores")
    slider.wait_for()
    assert seen.changes(lambda: slider.fill("40"))
    assert "longest way is 39 hops" in seen.page.locator(".wv-stage").inner_text()
    assert (seen.wrong, seen.left) == ([], [])
    seen.context.close()


SIZES = """() => {
  const found = []
  const walk = node => {
    for (const one of node.querySelectorAll('*')) {
      const box = one.getBoundingClientRect()
      const told = ['INPUT', 'SELECT', 'BUTTON', 'LABEL'].includes(one.tagName)
      if (told && box.right < 270 && box.width > 0) found.push(parseFloat(getComputedStyle(one).fontSize))
      if (one.shadowRoot) walk(one.shadowRoot)
    }
  }
  walk(document)
  return found
}"""


def test_the_served_app_races_and_survives_a_wrong_mesh(chromium, served, tmp_path):
    address = served(["panel", "serve", str(folder("lab") / "gemm.py"), "--port", "{port}"], "/gemm")
    seen = Watched(chromium)
    page = seen.page
    page.goto(f"{address}/gemm")
    page.get_by_role("button", name="play", exact=True).wait_for()
    assert seen.changes(lambda: page.get_by_role("button", name="play", exact=True).click())
    page.get_by_role("textbox", name="Mesh").fill("5x7")
    page.get_by_role("textbox", name="Mesh").press("Enter")
    page.get_by_role("button", name="Run").click()
    page.get_by_text(re.compile("mesh=5 x 7 cuts M=32 into 35 blocks")).wait_for()
    assert page.get_by_role("button", name="to end", exact=True).is_visible()
    np.save(tmp_path / "mine.npy", np.eye(32))
    page.locator("input[type=file]").first.set_input_files(tmp_path / "mine.npy")
    page.wait_for_url(re.compile(r"a=file%3A\+mine\.npy"))
    assert page.get_by_label("A", exact=True).input_value() == "file: mine.npy"
    sizes = page.evaluate(SIZES)
    assert len(sizes) > 10
    assert min(sizes) >= 16
    assert (seen.wrong, seen.left) == ([], [])
    seen.context.close()


def test_jupyterlab_runs_the_first_notebook_and_plays(chromium, served, tmp_path):
    books = tmp_path / "notebooks"
    shutil.copytree(folder("notebooks"), books)
    address = served(
        [
            "jupyterlab", str(books), "--no-browser", "--allow-root", "--ServerApp.port={port}", "--IdentityProvider.token=",
            f"--LabApp.workspaces_dir={tmp_path / 'workspaces'}", "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ],
        "/api",
    )  # fmt: skip
    for _tab in ("first", "second, on the kernel of the first"):
        seen = Watched(chromium, size=(1600, 1000))
        page = seen.page
        page.goto(f"{address}/lab/tree/00-start-here.ipynb?reset")
        page.locator(".jp-Notebook").wait_for(timeout=120_000)
        page.wait_for_timeout(3000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        play = page.get_by_role("button", name="play", exact=True).first
        play.wait_for(timeout=240_000)
        play.scroll_into_view_if_needed()
        assert seen.changes(play.click, wait=8000)
        assert (seen.wrong, seen.left) == ([], [])
        seen.context.close()


def test_handouts_refuse_a_path_that_is_no_page(tmp_path):
    trace = wv.run(wv.GEMM["meshgemm"](2))
    with pytest.raises(ValueError, match=r"\.html"):
        wv.handout(trace, tmp_path / "race.gif")
    with pytest.raises(ValueError, match="no folder"):
        wv.handout(trace, Path(tmp_path / "nowhere" / "race.html"))
