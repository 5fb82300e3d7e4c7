"""The interpreter: the specification of what a program means.

A state maps each buffer to its tiles, an array with dims (y, x, ...) in which y or x has size 1 when all cores
along it hold the same; a buffer with several places maps to a tuple of such arrays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from waferviz.program import Array, Move, Program, Step, Work, at_repeat
from waferviz.trees import order

State = dict[str, Any]


def advance(
    step: Step, old: State, shape: tuple[int, int], repeat: int = 0, *, reuse: frozenset[str] = frozenset()
) -> State:
    """State after `step`; `old` is left as it was, but for buffers to `reuse`, which a reduction may overwrite."""
    new = dict(old)
    if step.work:
        made = _limited(step.work, apply(step.work, old, repeat), old, repeat)
        new[step.work.write] = put(new[step.work.write], step.work.slot, repeat, made)
    for move in step.moves:
        tile = held(old[move.read], move.take, repeat)
        into = held(new[move.write], move.slot, repeat)
        came = arrive(move, tile, into, shape, repeat, reuse=move.write in reuse)
        new[move.write] = put(new[move.write], move.slot, repeat, came)
    return new


def apply(work: Work, state: State, repeat: int = 0) -> Any:
    """Result of the work on all cores."""
    return work.function(*(held(state[name], work.take.get(name), repeat) for name in work.reads))


def _limited(work: Work, made: Any, state: State, repeat: int) -> Any:
    """What the work has made, and on cores that do not work what was there."""
    if work.only is None:
        return made
    there = held(state[work.write], work.slot, repeat)
    return _each(made, lambda new, old: _kept(np.where(work.only, 0, -1), old, new), there)


def arrive(
    move: Move, tile: Any, into: Any, shape: tuple[int, int], repeat: int = 0, *, reuse: bool = False
) -> Any:
    """What buffer `into` holds once `tile` has moved: numbers, or names of tiles."""
    if move.tree:
        return _climbed(move, tile, into, shape, repeat)
    index = move.at(repeat)
    if move.target is not None:
        return _reduced(move, tile, _whole(into, shape, reuse=reuse), index, shape)
    came = _each(tile, lambda value: _gather(value, index, move.axis, shape))
    came = _united(move, into, came) if move.combine else came
    return came if index.min() >= 0 else _each(came, lambda new, kept: _kept(index, kept, new), into)


def held(value: Any, place: Array | int | None, repeat: int) -> Any:
    """The tiles in one place of a buffer, or on every core in a place of its own."""
    if not isinstance(value, tuple):
        return value
    here = at_repeat(place, repeat)
    if np.ndim(here) == 0:
        return value[here]
    tile = value[int(here.flat[0])]
    for number in np.unique(here):
        tile = _each(
            tile,
            lambda old, new, number=number: _kept(np.where(here == number, 0, -1), old, new),
            value[number],
        )
    return tile


def put(value: Any, place: Array | int | None, repeat: int, tile: Any) -> Any:
    """The buffer with the tiles in one place exchanged, or on every core in a place of its own."""
    if not isinstance(value, tuple):
        return tile
    here = at_repeat(place, repeat)
    if np.ndim(here) == 0:
        return (*value[:here], tile, *value[here + 1 :])
    changed = list(value)
    for number in np.unique(here):
        changed[number] = _each(
            tile,
            lambda new, old, number=number: _kept(np.where(here == number, 0, -1), old, new),
            value[number],
        )
    return tuple(changed)


def states(program: Program, state: State) -> Iterator[State]:
    """State before the first step and after each step."""
    yield state
    for step, repeat in program:
        state = advance(step, state, program.shape, repeat)
        yield state


def _kept(index: Array, kept: Array, came: Array) -> Array:
    """What came, and on cores without a source what was there."""
    return np.where((index < 0).reshape(index.shape + (1,) * (came.ndim - 2)), kept, came)


def _gather(value: Array, index: Array, axis: str, shape: tuple[int, int]) -> Array:
    if axis == "xy":
        whole = np.broadcast_to(value, shape + value.shape[2:])
        return whole.reshape(-1, *value.shape[2:])[np.broadcast_to(index, shape)]
    along = 1 if axis == "x" else 0
    if value.shape[along] == 1:
        return value
    if index.shape[1 - along] == 1:
        return np.take(value, index.ravel(), axis=along, mode="wrap")
    if value.shape[1 - along] == 1:
        return np.take(value.reshape(-1, *value.shape[2:]), index, axis=0, mode="wrap")
    y, x = np.ogrid[: shape[0], : shape[1]]
    whole = np.broadcast_to(value, shape + value.shape[2:])
    return whole[y, index] if axis == "x" else whole[index, x]


def _whole(value: Any, shape: tuple[int, int], *, reuse: bool) -> Any:
    """Tiles of all cores, free to be written to: the same arrays when they may be reused, else a copy."""
    return _each(
        value,
        lambda old: (
            old if reuse and old.shape[:2] == shape else np.array(np.broadcast_to(old, shape + old.shape[2:]))
        ),
    )


def _reduced(move: Move, value: Any, total: Any, index: Array, shape: tuple[int, int]) -> Any:
    """Tiles united at their targets with what is there, in the order of the cores; writes into `total`."""
    along = {"x": 1, "y": 0}.get(move.axis, -1)
    if along >= 0 and index.shape[along] == 1 and index.min() >= 0:
        at = list(np.ogrid[: shape[0], : shape[1]])
        at[along] = index
        at[1 - along] = at[1 - along].reshape(index.shape) if index.size > 1 else at[1 - along]
        return _added(move, total, tuple(at), _folded(move, value, along, shape))
    sends = np.broadcast_to(index, shape)
    y, x = np.nonzero(sends >= 0)
    to_y, to_x = _target(move.axis, y, x, sends, shape)
    order = np.argsort(to_y * shape[1] + to_x, kind="stable")
    flat = (to_y * shape[1] + to_x)[order]
    rank = np.arange(len(flat)) - np.searchsorted(flat, flat)
    for turn in range(int(rank.max(initial=-1)) + 1):
        now = order[rank == turn]
        sent = _each(value, lambda old, now=now: np.broadcast_to(old, shape + old.shape[2:])[y[now], x[now]])
        total = _added(move, total, (to_y[now], to_x[now]), sent)
    return total


def _climbed(move: Move, tile: Any, into: Any, shape: tuple[int, int], repeat: int) -> Any:
    """What was there, and on the roots of the tree the sum of everything below them, children added in order."""
    tree = order(move, repeat, shape)
    node, root = (tree.at(places, move.axis, shape[1]) for places in (np.arange(len(tree.nodes)), tree.roots))
    total = _each(_spread(tile, shape), lambda old: old[node])
    lead = (slice(None),) if tree.alike and move.axis == "x" else ()
    out = _whole(into, shape, reuse=False)
    total = _each(total, lambda old, new: _placed(old, (*lead, tree.roots), new[root]), out)
    for children, parents in tree.rounds:
        sent = _each(total, lambda old, children=children: old[(*lead, children)])
        total = _added(move, total, (*lead, parents), sent)
    return _each(out, lambda old, new: _placed(old, root, new[(*lead, tree.roots)]), total)


def _spread(value: Any, shape: tuple[int, int]) -> Any:
    """Tiles of all cores, not to be written to."""
    return _each(value, lambda old: np.broadcast_to(old, shape + old.shape[2:]))


def _folded(move: Move, value: Any, along: int, shape: tuple[int, int]) -> Any:
    """All tiles of a line united, shape (y, 1, ...) or (1, x, ...)."""
    if isinstance(value, np.ndarray):
        whole = np.broadcast_to(value, shape + value.shape[2:])
        if move.combine == "max":
            return whole.max(axis=along, keepdims=True)
        return whole.sum(axis=along, keepdims=True, dtype=value.dtype)
    return value.total(along, shape)


def _added(move: Move, total: Any, at: tuple[Any, ...], sent: Any) -> Any:
    """`total` with `sent` united at the cores `at`; writes into `total`."""
    both = _united(move, _each(total, lambda old: old[at]), sent)
    return _each(total, lambda old, new: _placed(old, at, new), both)


def _united(move: Move, here: Any, sent: Any) -> Any:
    """Sum of two tiles, or the larger entries of both."""
    if move.combine == "add":
        return here + sent
    return np.maximum(here, sent) if isinstance(here, np.ndarray) else here.larger(sent)


def _target(axis: str, y: Array, x: Array, sends: Array, shape: tuple[int, int]) -> tuple[Array, Array]:
    to = sends[y, x]
    if axis == "xy":
        return to // shape[1], to % shape[1]
    return (y, to) if axis == "x" else (to, x)


def _placed(value: Array, at: tuple[Any, ...], new: Array) -> Array:
    value[at] = new
    return value


def _each(value: Any, change: Any, *others: Any) -> Any:
    """A change of an array, or of every array of names."""
    return change(value, *others) if isinstance(value, np.ndarray) else value.each(change, *others)
