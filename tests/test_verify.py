"""The product against NumPy: what is wrong is found, what is not finite is said."""

import numpy as np
import pytest
import xarray as xr

from waferviz.algorithms import GEMM
from waferviz.api import multiply
from waferviz.trace import product, run
from waferviz.verify import verify


@pytest.mark.parametrize("name", list(GEMM))
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("tier", ["values", "interpreter"])
def test_entries_that_are_not_finite_stay_so(name, bad, tier):
    a, b = np.random.default_rng(0).random((2, 8, 8))
    a[3, 5] = bad
    verdict = verify(multiply(a, b, algorithm=name, mesh=4, tier=tier))
    assert verdict, str(verdict)
    assert "8 entries are NaN, infinite" in verdict.product


@pytest.mark.parametrize("tier", ["values", "interpreter"])
def test_a_wrong_entry_is_found(tier):
    a = np.arange(64).reshape(8, 8)
    trace = multiply(a, a, mesh=4, tier=tier)
    whole = trace.C.values.copy()
    whole[5:, 2, 1, 0, 1] += 1
    verdict = verify(trace.assign(C=(trace.C.dims, whole)))
    assert not verdict
    assert (verdict.step, verdict.core) == (5, (2, 1))
    assert "C[4,3] first" in verdict.product or "1 of 64" in verdict.product


def test_a_small_error_in_reals_is_found():
    a, b = np.random.default_rng(0).random((2, 8, 8))
    trace = multiply(a, b, mesh=4)
    whole = trace.C.values.copy()
    whole[-1, 0, 3, 1, 1] *= 1 + 1e-12
    verdict = verify(trace.assign(C=(trace.C.dims, whole)))
    assert not verdict
    assert verdict.core == (0, 3)


def test_names_alone_are_checked_for_movement():
    verdict = verify(run(GEMM["meshgemm"](5)))
    assert verdict
    assert "no numbers" in verdict.product
    assert "met exactly once" in verdict.movement


@pytest.mark.parametrize("name", list(GEMM))
def test_a_trace_without_its_program_is_checked_for_its_product(name):
    a = np.arange(42).reshape(6, 7)
    b = np.arange(35).reshape(7, 5)
    trace = multiply(a, b.T if name == "meshgemm_t" else b, algorithm=name, mesh=3).load()
    bare = xr.Dataset(trace.variables, attrs=trace.attrs)
    assert np.array_equal(product(bare), a @ b)
    if name != "meshgemm_t":
        assert verify(bare), str(verify(bare))
        assert "without its program" in verify(bare).movement
