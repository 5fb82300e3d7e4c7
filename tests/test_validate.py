"""The validation page: written by the code, complete, and honest about what is off."""

from pathlib import Path

import numpy as np
import pytest

from waferviz import validate as made
from waferviz.published import rows
from waferviz.validate import page, statements, validate, write
from waferviz.validation import Figure, comparison, comparisons

ROOT = Path(made.__file__).parent.parent


@pytest.fixture(scope="module")
def data():
    return validate()


def part(data, title):
    return data.isel(figure=data.comparison.values == title)


def test_the_page_in_the_checkout_is_the_one_the_code_writes(data):
    assert (ROOT / "VALIDATION.md").read_text(encoding="utf-8") == page(data), (
        "run python -m waferviz.validate"
    )


def test_what_is_exact_is_equal_to_the_cycle(data):
    for each in comparisons():
        if each.tolerance == 0:
            assert part(data, each.title).exact.all(), each.title


def test_figures_that_are_off_say_why(data):
    off = data.isel(figure=~data.within.values)
    assert off.sizes["figure"]
    assert all(len(note) > 30 for note in off.note.values)
    assert np.isfinite(data.error).all()


def test_errors_of_the_published_trees(data):
    trees = part(data, "Closed forms of trees against simulation")
    for name, mean, most in (("tree", 0.0702, 0.2582), ("two phase", 0.0441, 0.1822)):
        off = abs(trees.error.values[[each.startswith(name) for each in trees.name.values]])
        assert off.mean() <= mean
        assert off.max() <= most


def test_the_shifts_of_a_third_partys_runs_within_a_tenth(data):
    moved = part(data, "MeshGEMM on WSE-3, shifts alone")
    assert moved.sizes["figure"] == 48
    assert moved.within.all()
    others = [each.title for each in comparisons() if "WSE-3" in each.title]
    assert sum(part(data, title).sizes["figure"] for title in others) == len(
        rows("waferllm_sim_wse3_thirdparty")
    )


def test_energies_to_two_decimals(data):
    found = part(data, "Energy of GPUs over energy of the wafer")
    decode = np.array([not name.startswith("GEMV") for name in found.name.values])
    assert decode.sum() == 10
    assert found.exact.values[decode].all()
    np.testing.assert_allclose(found.ours, found.theirs, atol=0.011)


def test_the_laws_of_steady_traffic(data):
    bound = part(data, "Load at which queues run away")
    assert (bound.ours >= 0.98 * bound.theirs).all()


def test_statements_hold_where_the_page_says_so():
    found = {
        (text, schedule): bool(holds)
        for text, schedule, holds in zip(
            *(statements()[key].values for key in ("text", "schedule", "holds")), strict=True
        )
    }
    shares = "720 x 720 cores, {}: compute is more than 70 % of MeshGEMM, less than 50 % of the others"
    assert found[shares.format("4K"), "barrier"]
    assert found[shares.format("8K"), "barrier"]
    assert not any(found[shares.format(size), "dataflow"] for size in ("2K", "4K", "8K"))
    slower = "2K: {} is slower on 720 x 720 cores than on 360 x 360"
    assert found[slower.format("SUMMA"), "barrier"]
    assert found[slower.format("Cannon"), "barrier"]
    assert not found[slower.format("Cannon"), "dataflow"]
    fewer = "8K: the communication of {} takes fewer cycles on 720 x 720 cores than on 360 x 360"
    assert found[fewer.format("MeshGEMM"), "barrier"]
    assert found[fewer.format("Cannon"), "dataflow"]


def test_statements_that_fail_say_why():
    data = statements()
    failing = ~data.holds.values
    assert failing.any()
    assert all(data.note.values[failing])


def test_the_page_can_be_written_elsewhere(tmp_path, data, monkeypatch):
    monkeypatch.setattr(made, "validate", lambda: data)
    file = write(tmp_path / "page.md")
    assert file.read_text(encoding="utf-8").startswith("# Ours against theirs")


def test_a_comparison_of_ones_own_joins_the_page(monkeypatch):
    monkeypatch.setattr("waferviz.validation._COMPARISONS", [])
    monkeypatch.setattr("waferviz.validation._load", lambda: None)

    @comparison("Mine", kind="published", source="a book", note="rounded", tolerance=0.01)
    def mine():
        yield Figure("two", 2.0, 2.01)
        yield Figure("nothing", 0.0, 0.0)

    data = validate()
    assert data.name.values.tolist() == ["two", "nothing"]
    np.testing.assert_allclose(data.error, [0.005, 0])
    assert "## Mine" in page(data)
    assert "| two | 2 | 2.01 | +0.5 % | cycles |" in page(data)
