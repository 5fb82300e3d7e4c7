"""Sweeps: what the page is sent, and sliders that move map, curves and bars in a real browser."""

import numpy as np
import pytest
import xarray as xr
from watched import Watched

import waferviz as wv
from waferviz.views.sweeps import Sweep, packed, spread

ALGORITHMS = ["Cannon", "MeshGEMM", "SUMMA"]
MESH = [4, 8, 16]
MATRIX = [64, 256]


def grid(values, dim):
    return xr.DataArray(np.asarray(values), dims=dim, coords={dim: values})


@pytest.fixture(scope="module")
def sweep():
    """Hand-made prices: Cannon waits N - 1 hops under a barrier and 2 with data flow; SUMMA never fits."""
    cores, size = grid(MESH, "mesh"), grid(MATRIX, "matrix")
    hops = xr.DataArray(
        [[cores.values - 1, np.full(3, 2)], [np.full(3, 2)] * 2, [7 * (cores.values - 1)] * 2],
        dims=("algorithm", "schedule", "mesh"),
        coords={"algorithm": ALGORITHMS, "schedule": ["barrier", "dataflow"], "mesh": MESH},
    )
    tile = size // cores
    work, words, way = xr.broadcast(cores * tile**3, cores * tile**2, cores * (hops + 5))
    cycles = np.maximum(work, words + way)
    parts = {"work": work, "words": words, "way": way}
    fits = xr.DataArray([True, True, False], dims="algorithm", coords={"algorithm": ALGORITHMS})
    formula = ("algorithm", ["N max(w, m + N - 1 + 5)", "N max(w, m + 2 + 5)", "N max(w, m + 7 N)"])
    found = xr.Dataset(
        {"cycles": cycles, **parts, "microseconds": cycles / 1000, "fits": fits, "relayed": ~fits}
    )
    return found.expand_dims(machine=["teaching"]).assign_coords(formula=formula)


def test_the_page_is_sent_flat_lists_in_one_order(sweep):
    found = packed(spread(sweep))
    shape = [len(found[dim]) for dim in ("algorithm", "mesh", "matrix", "machine", "schedule")]
    assert shape == [3, 3, 2, 1, 2]
    cycles = np.reshape(found["cycles"], shape)
    point = {"algorithm": "Cannon", "mesh": 16, "matrix": 64, "machine": "teaching"}
    assert cycles[0, 2, 0, 0].tolist() == [
        float(sweep.cycles.sel(point | {"schedule": s})) for s in ("barrier", "dataflow")
    ]
    assert np.reshape(found["parts"]["way"], shape)[0, 2, 0, 0].tolist() == [16 * 20, 16 * 7]
    assert found["formula"][1] == sweep.formula.values.tolist()


def test_dims_that_were_chosen_away_come_back_as_dims_of_one(sweep):
    one = spread(sweep.sel(machine="teaching", schedule="dataflow"))
    assert dict(one.cycles.sizes) == {"algorithm": 3, "mesh": 3, "matrix": 2, "machine": 1, "schedule": 1}
    assert one.schedule.values.tolist() == ["dataflow"]


def test_a_sweep_too_large_for_a_page_says_what_to_show(sweep):
    many = sweep.isel(mesh=np.zeros(3000, int), matrix=np.zeros(30, int))
    with pytest.raises(ValueError, match=r"540,000 design points.*isel\(machine=\[0\]\)"):
        Sweep([many])
    with pytest.raises(ValueError, match="lacks fits"):
        Sweep([sweep.drop_vars("fits")])


@pytest.fixture
def picture(sweep, chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    seen.page.goto(wv.show(sweep).handout(tmp_path / "sweep.html").as_uri())
    seen.page.get_by_label("mesh", exact=True).wait_for()
    yield seen
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


def said(picture):
    return picture.page.locator(".wv-said").inner_text()


@pytest.mark.browser
def test_sliders_move_the_map_the_curves_and_the_bars(picture):
    page = picture.page
    assert picture.changes(lambda: page.get_by_label("mesh", exact=True).fill("2"))
    assert picture.changes(lambda: page.get_by_label("matrix", exact=True).fill("0"))
    assert said(picture) == (
        "64 entries a side on 16 cores a side, teaching, barrier: Cannon and MeshGEMM tie within 0.5 % with 1,024 cycles, "
        "1.02 µs; does not fit: SUMMA; relayed core by core: SUMMA."
    )


@pytest.mark.browser
def test_what_does_not_fit_can_be_let_in(picture):
    page = picture.page
    page.get_by_label("matrix", exact=True).fill("0")
    assert "SUMMA" in said(picture).split("does not fit: ")[1]
    page.get_by_label("mesh", exact=True).fill("2")
    page.get_by_label("only what fits can win").uncheck()
    assert "SUMMA 1.97 times as long" in said(picture)


@pytest.mark.browser
def test_the_schedule_and_the_direction_of_the_curves_can_be_switched(picture):
    page = picture.page
    assert picture.changes(lambda: page.get_by_label("curves along: matrix").check())
    page.get_by_label("schedule: data flow").check()
    assert ", data flow:" in said(picture)
    assert page.get_by_text("N max(w, m + 2 + 5)").is_visible()


@pytest.mark.browser
def test_a_cell_of_the_map_can_be_clicked(picture):
    before = said(picture)
    picture.page.mouse.click(110, 250)
    picture.page.wait_for_timeout(400)
    assert said(picture) != before
    assert "on 4 cores a side" in said(picture)


@pytest.mark.browser
def test_pictures_have_names_for_screen_readers(picture):
    names = [one.get_attribute("aria-label") for one in picture.page.get_by_role("img").all()]
    assert [name.startswith("picture: ") for name in names] == [True] * 3
    assert any("cycles, matrix 256" in name for name in names)
