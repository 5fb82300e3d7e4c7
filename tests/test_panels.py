"""The fast tier on programs that are not quite the built-in ones, and index arrays as slices."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import waferviz as wv
from waferviz.algorithms.summa import from_column, from_row
from waferviz.panels import BroadcastPanels, panels, runs
from waferviz.program import Repeat, Step, multiply
from waferviz.state import Sizes


def summa_in_order(order):
    """SUMMA that broadcasts the blocks in an order of its own."""
    plain = wv.GEMM["summa"](len(order))
    root = np.array(order)
    moves = (from_column("A", "A_in", root), from_row("B", "B_in", root))
    steps = (Step("broadcast", moves), Step("multiply", work=multiply("A_in", "B_in", "C")))
    return replace(plain, body=(Repeat(steps, len(order)),))


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 3, 0, 1, 4], [1, 4, 2, 3, 0]])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_broadcasts_in_any_order_sum_the_same_in_any_chunks(order, number):
    program = summa_in_order(order)
    a, b = np.random.default_rng(3).integers(-9, 10, (2, 10, 10)).astype(np.float32)
    fast = panels(program, a, b, Sizes.of(program, (10, 10, 10)), np.dtype(np.float32))
    assert isinstance(fast, BroadcastPanels)
    slow = wv.run(program, {"A": a, "B": b}, tier="interpreter")
    total, cores = fast.empty(), np.arange(5)
    for done in range(0, 5, number):
        fast.advance(total, done, min(number, 5 - done))
        end = min(5, done + number)
        assert np.array_equal(fast.natural(total, cores, cores), slow.C.isel(step=2 * end).values)
        assert np.array_equal(fast.window(end, cores, cores), slow.C.isel(step=2 * end).values)


@given(st.lists(st.integers(0, 40), max_size=30))
def test_runs_cover_an_index_array_once_and_in_place(index):
    whole = np.arange(50)
    out = np.full(len(index), -1)
    for source, at in runs(np.array(index, int)):
        assert np.all(out[at] == -1)
        out[at] = whole[source]
    assert out.tolist() == index


stretches = st.builds(
    lambda first, step, number: [first + step * at for at in range(number)],
    st.integers(12, 20), st.sampled_from((1, -1, 2, -2, 3)), st.integers(1, 7),
)  # fmt: skip


@given(st.lists(stretches, max_size=5))
def test_runs_down_to_the_first_place_and_by_twos_are_kept(parts):
    index = [at - min(map(min, parts)) for part in parts for at in part]
    test_runs_cover_an_index_array_once_and_in_place.hypothesis.inner_test(index)


@pytest.mark.parametrize("name", ["summa", "allgather", "cannon", "meshgemm"])
@pytest.mark.parametrize("block", [1, 700, 10**6])
def test_a_run_in_chunks_that_do_not_divide_the_side_is_exact(name, block, monkeypatch):
    monkeypatch.setattr("waferviz.panels.BLOCK_BYTES", block)
    program, (a, b) = (
        wv.GEMM[name](20),
        np.random.default_rng(5).integers(-9, 10, (2, 40, 40)).astype(np.float32),
    )
    fast = panels(program, a, b, Sizes.of(program, (40, 40, 40)), np.dtype(np.float32))
    cores = np.arange(20)
    tiles = fast.natural(fast.run(), cores, cores)
    assert np.array_equal(tiles.swapaxes(1, 2).reshape(40, 40), a @ b)


def test_interleaved_positions_are_few_slices():
    position = np.argsort(wv.GEMM["meshgemm"](64).body[-1].steps[0].moves[0].index.ravel())
    assert len(runs(position)) <= 8


def test_as_many_routes_as_needed_are_enough():
    program = wv.GEMM["summa"](4)
    needed = int(wv.audit(program).routes.max())
    enough = wv.audit(program, wv.Machine.preset("teaching", routes=needed))
    short = wv.audit(program, wv.Machine.preset("teaching", routes=needed - 1))
    assert int(enough.stages.max()) == 0
    assert int(short.stages.max()) == 3


def test_one_core_takes_nothing_in():
    priced = wv.audit(wv.GEMM["summa"](1), wv.Machine.preset("teaching"))
    assert int(priced.ramp_words.max()) == 0
    assert int(priced.hops.max()) == 0
