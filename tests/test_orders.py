"""Ring orders against their definition, the paper's table, and the alignment table."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from waferviz.algorithms.rings import skew
from waferviz.orders import checked, interleaved, natural, positions, ring_of, source

DATA = Path(__file__).parents[1] / "data"


def table(name):
    with (DATA / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def numbers(text):
    return [int(part) for part in text.split()]


sides = st.integers(1, 200)


@given(sides)
def test_no_edge_of_the_interleaved_ring_is_longer_than_two_hops(n):
    order = interleaved(n)
    way = np.abs(np.roll(order, -1) - order)
    assert sorted(order) == list(range(n))
    assert order[0] == 0
    assert way.max() <= 2
    assert way.sum() == 2 * (n - 1)


@given(sides)
def test_the_natural_ring_closes_over_the_whole_line(n):
    way = np.abs(np.roll(natural(n), -1) - natural(n))
    assert way.max() == n - 1
    assert way.sum() == 2 * (n - 1)


@given(sides.flatmap(lambda n: st.permutations(range(n))), st.integers(-9, 9))
def test_source_and_positions_undo_the_order(order, by):
    order = np.array(order)
    n = len(order)
    assert np.array_equal(order[positions(order)], np.arange(n))
    for core in range(min(n, 20)):
        at = list(order).index(core)
        assert source(order, by)[core] == order[(at + by) % n]
    again = ring_of(source(order))
    assert np.array_equal(again, np.roll(order, -positions(order)[0]))
    assert checked(order, n) is not None


@pytest.mark.parametrize("row", table("waferllm_oracle_interleave"), ids=lambda row: f"N={row['N']}")
def test_interleave_is_the_papers(row):
    n = int(row["N"])
    shift = source(interleaved(n))
    assert list(shift) == numbers(row["recv_index"])
    assert list(np.argsort(shift)) == numbers(row["send_index"])
    assert np.abs(shift - np.arange(n)).max() == int(row["max_hops_per_shift"])
    assert np.abs(shift - np.arange(n)).sum() == int(row["sum_hops_per_shift"])


@pytest.mark.parametrize(
    "row", table("waferllm_oracle_alignment"), ids=lambda row: f"N={row['N']}-{row['row_py']}"
)
def test_alignment_is_the_released_codes(row):
    n, y = int(row["N"]), int(row["row_py"])
    order = interleaved(n)
    assert list(skew(order)[y]) == numbers(row["k_block_held_after_alignment_for_px_0_to_N-1"])
    position = positions(order)
    assert list(order[(position[y] + np.arange(n)) % n]) == numbers(row["gemmT_reduce_root_per_step"])


@pytest.mark.parametrize("broken", [[0, 0, 2], [0, 1], [1, 2, 3]])
def test_an_order_that_misses_a_core_is_refused(broken):
    with pytest.raises(ValueError, match="does not visit each of the 3 cores once"):
        checked(np.array(broken), 3)


@pytest.mark.parametrize("index", [[0, 1], [1, 0, 2], [-1, 0], []])
def test_what_is_not_one_cycle_has_no_ring(index):
    assert ring_of(np.array(index, dtype=int)) is None
