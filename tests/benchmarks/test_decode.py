"""The decode lines of the speed table, ours and the reference in one run on one BLAS thread."""

import numpy as np
import pytest
from ratios import compare

from waferviz import Machine, cost, engine, waves
from waferviz.algorithms import ALLREDUCE, GEMV
from waferviz.cache import insert
from waferviz.state import Sizes, start


@pytest.mark.parametrize("axis", ["x", "y"])
def test_every_state_of_a_gemv(benchmark, axis):
    """256 x 256 cores, A 4096 x 4096 in float32, 16 words a core: one state per step of the program."""
    rng = np.random.default_rng(0)
    a, x = rng.random((4096, 4096), np.float32), rng.random((4096, 1), np.float32)
    program = GEMV["meshgemv"](256, axis=axis)
    begin = start(program, a, x, Sizes.of(program, (4096, 4096, 1), np.float32))
    out = np.empty_like(x)
    compare(
        benchmark,
        lambda: [state["C"] for state in engine.states(program, begin)],
        lambda: np.matmul(a, x, out=out),
        20,
    )


def test_shifting_ten_thousand_tokens(benchmark):
    """All counts of 1000 rows after each of 10,000 insertions, by the rule, against one product of 2048 x 2048."""
    a, b = np.random.default_rng(0).random((2, 2048, 2048), np.float32)
    out = np.empty_like(a)
    compare(benchmark, lambda: insert("shift", 1000, 10_000), lambda: np.matmul(a, b, out=out), 1)


@pytest.mark.parametrize("cores", range(4, 65))
def test_the_full_grid_of_ktree_programs(cores):
    """Every divisor of N in 4..64: the program's own waves take the cycles of the closed form."""
    for group in (d for d in range(1, cores + 1) if cores % d == 0):
        program = ALLREDUCE["ktree"](cores, sizes=(cores // group, group))
        for words in (1, 2, 3, 8, 11, 64):
            found = waves(program, Machine.preset("wse2"), matrices=(words,)).attrs["cycles"]
            assert found == cost.ktree(words, (cores // group, group))
