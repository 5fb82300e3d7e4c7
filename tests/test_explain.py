"""Answers about one program: they add up, the largest matrices fit and no larger ones, doubling is what it says."""

import numpy as np
import pytest

from waferviz.algorithms import ALLREDUCE, GEMM
from waferviz.audit import audit
from waferviz.explain import explain
from waferviz.machine import Machine
from waferviz.memory import largest

WAFER = Machine.preset("wse2")


@pytest.mark.parametrize("schedule", ["barrier", "dataflow"])
@pytest.mark.parametrize("name", list(GEMM))
def test_parts_add_up_and_doubling_is_pricing_again(name, schedule):
    program, rule = GEMM[name](6), {"matrices": (30,) * 3, "schedule": schedule}
    said = explain(program, WAFER, **rule)
    bill = audit(program, WAFER, **rule)
    assert int(said.cycles) == int(bill.cycles.sum()) == said.made_of.sum()
    assert float(said.microseconds) == pytest.approx(int(said.cycles) / 1100)
    assert float(said.share_of_peak) == pytest.approx(30**3 / (36 * int(said.cycles)))
    for number in ("link_words", "macs", "routes", "relay"):
        other = WAFER.edit(**{number: 2 * getattr(WAFER, number)})
        assert float(said.doubled.sel(number=number)) == int(
            audit(program, other, **rule).cycles.sum()
        ) / int(said.cycles)
    assert float(said.doubled.sel(number="hop")) == int(
        audit(program, WAFER.edit(hop=2), **rule).cycles.sum()
    ) / int(said.cycles)
    assert said.attrs["most_sensitive"] in said.attrs["sentence"]


@pytest.mark.parametrize("name", list(GEMM))
@pytest.mark.parametrize("mesh", [3, 8, (2, 4)], ids=str)
@pytest.mark.parametrize("dtype", [np.float16, np.int8, np.float64])
def test_the_largest_matrices_fit_and_no_larger_ones(name, mesh, dtype):
    program, limit = GEMM[name](mesh), 5000
    side = largest(program, limit, dtype)
    held = [int(audit(program, matrices=(n,) * 3, dtype=dtype).memory.max()) for n in (side, side + 1)]
    assert held[0] <= limit < held[1]


def test_nothing_fits_into_nothing():
    assert largest(GEMM["summa"](4), 10) == 0
    said = explain(GEMM["summa"](4), WAFER.edit(bytes_per_core=10))
    assert "no matrices fit" in said.attrs["sentence"]


def test_vectors_have_a_length():
    program = ALLREDUCE["ring"](8)
    side = largest(program, 1000)
    assert (
        int(audit(program, matrices=(side,)).memory.max())
        <= 1000
        < int(audit(program, matrices=(side + 1,)).memory.max())
    )
    said = explain(program, WAFER, matrices=(64,))
    assert np.isnan(said.share_of_peak)
    assert "vectors of up to" in said.attrs["sentence"]


def test_what_a_program_waits_for_is_what_it_is_sensitive_to():
    """A long way makes hops matter, large tiles the multiply-adds; broadcasts without routes pay relays."""
    assert explain(GEMM["cannon"](64, align=""), WAFER, matrices=(128,) * 3).attrs["most_sensitive"] == "hop"
    assert explain(GEMM["meshgemm"](16), WAFER, matrices=(256,) * 3).attrs["most_sensitive"] == "macs"
    assert explain(GEMM["summa"](32), WAFER, matrices=(64,) * 3).attrs["most_sensitive"] == "relay"
