"""The interpreter against a loop over messages: what a step leaves on every core, and what it leaves alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moves import messages, moves

from waferviz import engine
from waferviz.program import Move, Step, Work


def one_by_one(move, tile, into, shape, repeat):
    """What the buffer holds after every message has arrived, one after another."""
    tile, new = (np.array(np.broadcast_to(value, shape + value.shape[2:])) for value in (tile, into))
    old = new.copy()
    for start, stop in messages(shape, move, repeat):
        if move.combine is None:
            new[stop] = tile[start]
        elif move.target is None:
            new[stop] = (
                old[stop] + tile[start] if move.combine == "add" else np.maximum(old[stop], tile[start])
            )
        else:
            new[stop] = (
                new[stop] + tile[start] if move.combine == "add" else np.maximum(new[stop], tile[start])
            )
    return new


@st.composite
def steps(draw):
    rows, columns, times = draw(st.integers(1, 5)), draw(st.integers(1, 5)), draw(st.integers(1, 3))
    move = draw(moves(rows, columns, times, "R"))
    if move.target is None and draw(st.booleans()):
        combine = draw(st.sampled_from(("add", "max")))
        move = Move(read="A", write="R", axis=move.axis, source=move.source, only=move.only, combine=combine)
    return (rows, columns), move, draw(st.integers(0, times - 1)), draw(st.booleans()), draw(st.booleans())


@settings(max_examples=400)
@given(steps(), st.integers(0, 2**31))
def test_a_move_is_all_its_messages(step, seed):
    shape, move, repeat, same_rows, same_columns = step
    random = np.random.default_rng(seed)
    held = (1 if same_rows else shape[0], 1 if same_columns else shape[1])
    tile, into = random.integers(-99, 99, (*held, 2, 3)), random.integers(-99, 99, (*shape, 2, 3))
    old = {"A": tile, "R": into}
    kept = {name: value.copy() for name, value in old.items()}
    new = engine.advance(Step("move", (move,)), old, shape, repeat)
    expected = one_by_one(move, tile, into, shape, repeat)
    assert np.array_equal(np.broadcast_to(new["R"], expected.shape), expected)
    assert all(np.array_equal(old[name], kept[name]) for name in old)


@pytest.mark.parametrize("combine", ["add", "max"])
@pytest.mark.parametrize("reuse", [frozenset(), frozenset("R")])
def test_a_reduction_keeps_the_order_of_the_cores_in_floating_point(combine, reuse):
    random = np.random.default_rng(3)
    tile, into = (random.standard_normal((4, 5, 2, 2)).astype(np.float32) for _ in range(2))
    move = Move(read="A", write="R", axis="x", target=np.array([2, 2, -1, 0, 2]), combine=combine)
    expected = one_by_one(move, tile, into, (4, 5), 0)
    new = engine.advance(Step("sum", (move,)), {"A": tile, "R": into}, (4, 5), reuse=reuse)
    assert np.array_equal(new["R"], expected)


def test_places_of_a_buffer_are_read_and_filled_one_by_one():
    places = tuple(np.full((2, 2, 1, 1), place) for place in range(3))
    move = Move(
        read="A", write="B", axis="x", source=np.array([1, 0]), take=np.array([2, 1]), slot=np.array([0, 1])
    )
    step = Step("move", (move,), Work(reads=("A",), write="C", function=lambda a: a + 1, take={"A": 1}))
    old = {
        "A": places,
        "B": tuple(np.zeros((2, 2, 1, 1), int) for _ in range(2)),
        "C": np.zeros((2, 2, 1, 1), int),
    }
    for repeat, place in enumerate((2, 1)):
        new = engine.advance(step, old, (2, 2), repeat)
        assert new["B"][repeat].ravel().tolist() == [place] * 4
        assert new["B"][1 - repeat].ravel().tolist() == [0] * 4
        assert new["C"].ravel().tolist() == [2] * 4
