"""The lazy Dataset: any slice equals the whole, and nothing is computed before it is asked for."""

import numpy as np
import pytest

from waferviz import runs
from waferviz.algorithms import GEMM
from waferviz.api import multiply
from waferviz.lazy import lazy
from waferviz.trace import product, run


@pytest.fixture(params=("values", "interpreter"))
def trace(request):
    a, b = np.random.default_rng(0).integers(-9, 9, (2, 14, 14))
    return multiply(a, b, mesh=5, tier=request.param)


def test_any_slice_is_a_slice_of_the_whole(trace):
    for name in ("C", "A", "B", "a_row", "a_block", "b_block", "met", "filled"):
        whole = trace[name].values
        assert np.array_equal(trace[name][2:6:3].values, whole[2:6:3])
        assert np.array_equal(trace[name][-1, 1:3, ::-2].values, whole[-1, 1:3, ::-2])
        assert np.array_equal(trace[name][:, 2, 3].values, whole[:, 2, 3])
        assert np.array_equal(trace[name].isel(x=[3, 0], step=[4, 1]).values, whole[[4, 1]][:, :, [3, 0]])
    assert np.array_equal(trace.C[3, 1, 2, 0, 1].values, trace.C.values[3, 1, 2, 0, 1])
    assert trace.C[0:0].shape[0] == 0
    assert np.array_equal(trace.traffic[3, 1, 2:].values, trace.traffic.values[3, 1, 2:])


def test_product_reports_progress_and_can_be_cancelled(trace):
    seen = []
    assert np.array_equal(product(trace, lambda done, of: seen.append((done, of))), product(trace))
    assert seen[-1][0] == seen[-1][1]
    assert seen == sorted(seen)

    def cancel(done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        product(trace, cancel)


def test_nothing_is_computed_by_showing_it(monkeypatch):
    def never(*_):
        raise AssertionError("computed")

    for kind in (runs.Strided, runs.Moved):
        monkeypatch.setattr(kind, "window", never)
    monkeypatch.setattr(runs.Movement, "tile", never)
    a = np.eye(6, dtype=int)
    for tier in ("values", "interpreter"):
        trace = multiply(a, a, mesh=3, tier=tier)
        assert "C" in repr(trace)
        assert trace._repr_html_()
        with pytest.raises(AssertionError, match="computed"):
            trace.C.isel(step=0).load()


def test_a_request_over_budget_is_refused_before_memory_is_taken():
    def never(_):
        raise AssertionError("computed")

    big = lazy(("step", "y", "x"), (10**4, 10**3, 10**3), np.int64, never)
    with pytest.raises(MemoryError, match="slice it first"):
        _ = big.values


def test_names_need_no_operands():
    trace = run(GEMM["meshgemm"](4))
    assert trace.attrs["tier"] == "names"
    with pytest.raises(ValueError, match="no numbers"):
        product(trace)


def test_the_clock_is_the_audits():
    trace = run(GEMM["summa"](4))
    assert np.array_equal(trace.cycle.values[0:1], [0])
    assert (np.diff(trace.cycle) > 0).all()
    assert trace.label.values[0] == "start"


def test_the_prices_match_the_program():
    trace = run(GEMM["allgather"](4))
    assert (np.diff(trace.memory[:, 0, 0]) >= 0).all()
    assert int(trace.memory[-1, 0, 0]) == trace.attrs["bytes_needed"]
    assert trace.filled[-1].values.tolist() == [[4] * 4] * 4
