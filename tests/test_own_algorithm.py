"""An algorithm of one's own gets trace, audit and proof without touching the package."""

import numpy as np
import pytest

from waferviz import (
    GEMM,
    Buffer,
    Move,
    Operand,
    Program,
    Repeat,
    Step,
    audit,
    multiply,
    product,
    prove,
    verify,
)
from waferviz.algorithms.rings import compute_shift
from waferviz.program import multiply as multiply_add


def evens_first(mesh):
    """Out over the even cores, home over the odd ones."""
    order = [*range(0, mesh, 2), *reversed(range(1, mesh, 2))]
    return compute_shift("evens first", mesh, np.array(order))


def two_pass(mesh):
    """Row by row all of A to everyone, by hand."""
    y, x = np.arange(mesh)[:, None], np.arange(mesh)
    each = np.arange(mesh)[:, None, None]
    spread = (
        Move(read="A", write="a", axis="x", source=each),
        Move(read="B", write="b", axis="y", source=each),
    )
    steps = (Step("spread", spread), Step("multiply", work=multiply_add("a", "b", "C")))
    return Program(
        name="by hand", shape=(mesh, mesh), body=(Repeat(steps, mesh),),
        buffers={"A": Buffer(("m", "k")), "B": Buffer(("k", "n")), "a": Buffer(("m", "k")), "b": Buffer(("k", "n")), "C": Buffer(("m", "n"))},
        operands={name: Operand(y, x, (mesh, mesh)) for name in "AB"},
    )  # fmt: skip


@pytest.mark.parametrize("build", [evens_first, two_pass])
@pytest.mark.parametrize("mesh", [2, 3, 5, 6])
def test_trace_audit_and_proof(build, mesh):
    a, b = np.random.default_rng(0).integers(-9, 9, (2, 13, 13))
    trace = multiply(a, b, algorithm=build, mesh=mesh)
    assert np.array_equal(product(trace), a @ b)
    assert verify(trace)
    assert prove(build(mesh))
    assert trace.attrs["tier"] == "values"
    assert f"def {build.__name__}" in trace.attrs["code"]
    assert int(audit(build(mesh)).hops.max()) <= max(2, mesh - 1)


def test_it_can_join_the_registry():
    GEMM(evens_first)
    try:
        assert "evens_first" in GEMM
        assert (
            multiply(np.eye(4), np.eye(4), algorithm="evens_first", mesh=4).attrs["program"] == "evens first"
        )
    finally:
        del GEMM._builders["evens_first"]
