"""Any state of a run on demand: kept states, closed forms of repeated shifts, and steps in between."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from waferviz import engine
from waferviz.names import Sum, Tile
from waferviz.orders import ring_of
from waferviz.program import Array, Move, Program, Repeat, Step, at_repeat

KEPT_BYTES = 64 * 2**20


class History:
    """States of `program` from `start`, the nearest kept ones as stepping stones.

    Parameters
    ----------
    budget : int
        Bytes of kept states; the oldest asked-for ones go first, the start always stays.
    """

    def __init__(self, program: Program, start: engine.State, budget: int = KEPT_BYTES) -> None:
        self.program, self.budget = program, budget
        self.schedule: list[tuple[Step, int]] = list(program)
        self._kept: dict[int, engine.State] = {0: start}
        self._bytes = 0
        self._every = 1
        first = program.repeats[0] if program.repeats else Repeat((), 0)
        bare = not any(step.work for step, _ in self.schedule) and len(first.steps) == 1
        self._first = first.times if bare and leap(first, start, program.shape, 0, 1) is not None else 0

    def state(self, step: int) -> engine.State:
        """State after `step` steps."""
        near = max(kept for kept in self._kept if kept <= step)
        if near < step <= self._first:
            near = 0  # the closed form from the start is quicker than one more step on tiles already skewed
        state = self._kept[near]
        while near < step:
            leap = self._leap(state, near, step)
            if leap:
                state, near = leap
            else:
                work, repeat = self.schedule[near]
                state, near = engine.advance(work, state, self.program.shape, repeat), near + 1
            self._keep(near, state)
        return state

    def _keep(self, step: int, state: engine.State) -> None:
        if step % self._every:
            return
        before = self._kept[max(kept for kept in self._kept if kept <= step)]
        self._bytes += sum(_bytes(value) for name, value in state.items() if value is not before.get(name))
        self._kept[step] = state
        if self._bytes > self.budget and len(self._kept) > 2:
            self._every *= 2
            kept = {k: v for k, v in self._kept.items() if k % self._every == 0}
            self._bytes = self._bytes * len(kept) // len(self._kept)
            self._kept = kept

    def _leap(self, state: engine.State, here: int, goal: int) -> tuple[engine.State, int] | None:
        """State after whole repeats of shifts and broadcasts, by closed form; names only."""
        first = 0
        for part in self.program.repeats:
            length = len(part.steps)
            end = first + part.times * length
            if first <= here < end:
                done, within = divmod(here - first, length)
                times = (min(goal, end) - first) // length - done if part.times > 1 else 0
                if (
                    within
                    or times < 2
                    or not all(isinstance(tile, Tile | Sum | tuple) for tile in state.values())
                ):
                    return None
                after = leap(part, state, self.program.shape, done, times)
                return None if after is None else (after, here + times * length)
            first = end
        return None


def operands_only(program: Program) -> Program:
    """The program without its work and without moves of what work has made: names of operands alone."""
    made = {step.work.write for part in program.repeats for step in part.steps if step.work}
    body = tuple(
        Repeat(
            tuple(Step(s.label, tuple(m for m in s.moves if m.read not in made)) for s in part.steps),
            part.times,
        )
        for part in program.repeats
    )
    return replace(program, body=body)


def leap(
    part: Repeat, state: engine.State, shape: tuple[int, int], done: int, times: int
) -> engine.State | None:
    """Names after `times` more repeats of a part of which `done` are over, or None where no closed form is known.

    Known are: tiles that go round a ring by the same shift each time (rows may stop early), tiles received
    everywhere from a buffer that does not change, and sums of products; of the latter only the number of
    products is kept right, on the assumption that every repeat multiplies what its first one does.
    """
    moves = [move for step in part.steps for move in step.moves]
    works = [step.work for step in part.steps if step.work]
    written = {move.write for move in moves} | {work.write for work in works}
    after = dict(state)
    for name in written:
        into = [move for move in moves if move.write == name]
        summed = [work for work in works if work.write == name]
        if summed and (into or name not in summed[0].reads or isinstance(state[name], tuple)):
            return None
        if not summed:
            tile = _shifted(into, state[name], done, times) or _received(
                into, state, shape, written, done, times
            )
            if tile is None:
                return None
            after[name] = tile
    one = state
    for step in part.steps if works else ():
        one = engine.advance(step, one, shape, done)
    for work in works:
        grown = one[work.write].number - state[work.write].number
        after[work.write] = Sum(
            **{**vars(one[work.write]), "number": state[work.write].number + times * grown}
        )
    return after


def _shifted(moves: list[Move], tile: Any, done: int, times: int) -> Tile | None:
    """A tile that every line passes on along a ring, as often as its line moves."""
    axis = moves[0].axis
    along = 1 if axis == "x" else 0
    plain = all(
        m.read == m.write and m.axis == axis and axis != "xy" and m.target is None and m.take is None
        and m.slot is None and m.combine is None and m.index.size == max(m.index.shape) and len(m.index) == 1
        for m in moves
    )  # fmt: skip
    if not plain or not isinstance(tile, Tile):
        return None
    cores = moves[0].index.size
    number = max(move.lines.shape[1] for move in moves)
    at = np.tile(np.arange(cores), (number, 1))
    turned = np.zeros(number, bool)
    for move in moves:
        order = ring_of(move.index.ravel())
        if order is None:
            return None
        position = np.argsort(order)
        lines = (
            move.lines
            if len(move.lines) > 1
            else np.broadcast_to(move.lines, (done + times, move.lines.shape[1]))
        )
        turns = np.broadcast_to(lines[done : done + times].sum(axis=0) % cores, (number,))
        moving = turns > 0
        if np.any(moving & turned):
            return None
        turned |= moving
        at[moving] = np.concatenate([order, order])[position + turns[moving, None]]
    index = at if along == 1 else at.T
    shape = (len(index), cores) if along == 1 else (cores, index.shape[1])
    move = Move(read="", write="", axis=axis, source=index)
    full = (
        max(shape[0], tile.row.shape[0], tile.column.shape[0]),
        max(shape[1], tile.row.shape[1], tile.column.shape[1]),
    )
    return engine.arrive(move, tile, tile, full)


def _received(
    moves: list[Move], state: engine.State, shape: tuple[int, int], written: set[str], done: int, times: int
) -> Any:
    """A buffer filled everywhere from one that does not change in the repeat."""
    if (
        len(moves) != 1
        or moves[0].read in written
        or moves[0].target is not None
        or moves[0].combine is not None
        or np.asarray(moves[0].slot).ndim == 3
    ):
        return None
    move = moves[0]
    if move.index.min() < 0 or not move.lines.all():
        return None
    value = state[move.write]
    last = range(done, done + times) if isinstance(value, tuple) else [done + times - 1]
    places = list(value) if isinstance(value, tuple) else [value]
    for repeat in last:
        place = at_repeat(move.slot, repeat)
        tile = engine.held(state[move.read], move.take, repeat)
        places[place] = engine.arrive(move, tile, places[place], shape, repeat)
    return tuple(places) if isinstance(value, tuple) else places[0]


def _bytes(value: Any) -> int:
    if isinstance(value, tuple):
        return sum(_bytes(part) for part in value)
    arrays: list[Array] = (
        [value]
        if isinstance(value, np.ndarray)
        else [v for v in vars(value).values() if isinstance(v, np.ndarray)]
    )
    return sum(array.nbytes for array in arrays)
