"""The family of a program, read off its index arrays: compute-shift along a ring, or broadcast and multiply."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz import engine
from waferviz.history import History, operands_only
from waferviz.names import start
from waferviz.orders import ring_of
from waferviz.program import Array, Program, Repeat, multiply


def multiplying(program: Program) -> list[int]:
    """Numbers of the steps (from 1) that add products to the result."""
    return [
        number
        for number, (step, _) in enumerate(program, 1)
        if step.work and step.work.write == program.result
    ]


def ring_loop(program: Program) -> tuple[Repeat, int, Array] | None:
    """The compute-shift loop of a program: its repeat, the steps before it and its ring order, or None."""
    before = 0
    for part in program.repeats:
        if len(part.steps) == 1 and part.steps[0].work and len(part.steps[0].moves) == 2:
            order = _order(part)
            if order is not None and part.times == len(order) == len(multiplying(program)):
                return part, before, order
        before += part.times * len(part.steps)
    return None


def _order(part: Repeat) -> Array | None:
    step = part.steps[0]
    across, down = sorted(step.moves, key=lambda move: move.axis)
    work = step.work
    plain = (
        work is not None
        and (across.axis, down.axis) == ("x", "y")
        and work.reads[:2] == (across.read, down.read)
    )
    for move in (across, down):
        plain = (
            plain
            and move.read == move.write
            and move.only is None
            and move.target is None
            and not move.combine
        )
        plain = plain and move.index.size == max(move.index.shape) and len(move.index) == 1
    if not plain or not np.array_equal(across.index.ravel(), down.index.ravel()):
        return None
    return ring_of(across.index.ravel())


def aligned_ring(program: Program) -> tuple[dict[str, Any], int, Array] | None:
    """Names at the start of a compute-shift loop, the steps before it and its ring order; None when not aligned.

    Aligned means that core (y, x) starts with the contraction block order[position(y) + position(x)] of both
    operands; the ring then brings the same next block to both in every step.
    """
    loop = ring_loop(program)
    if loop is None or not _multiplies(program):
        return None
    part, before, order = loop
    state = History(operands_only(program), start(program)).state(before)
    position = np.argsort(order)
    skew = order[(position[:, None] + position) % len(order)]
    across, down = sorted(part.steps[0].moves, key=lambda move: move.axis)
    a, b = state[across.read], state[down.read]
    y, x = np.ogrid[: len(order), : len(order)]
    right = (
        np.array_equal(a.column, skew)
        and np.array_equal(b.row, skew)
        and np.all(a.row == y)
        and np.all(b.column == x)
    )
    return ({"A": a, "B": b}, before, order) if right else None


def broadcast_blocks(program: Program) -> Array | None:
    """Contraction block that all cores multiply in each multiplying step, None when they differ."""
    if not _multiplies(program):
        return None
    history = History(operands_only(program), start(program))
    blocks = []
    y, x = np.ogrid[: program.shape[0], : program.shape[1]]
    schedule = list(program)
    for number in multiplying(program):
        step, repeat = schedule[number - 1]
        work = step.work or multiply("A", "B", program.result)
        state = history.state(number - 1)
        a, b = (engine.held(state[name], work.take.get(name), repeat) for name in work.reads[:2])
        if a.column.size > 1 or b.row.size > 1 or a.column.flat[0] != b.row.flat[0] or a.column.flat[0] < 0:
            return None
        if not (np.all(a.row == y) and np.all(b.column == x)):
            return None
        blocks.append(int(a.column.flat[0]))
    return np.array(blocks) if sorted(blocks) == list(range(program.blocks["k"])) else None


def _multiplies(program: Program) -> bool:
    """True when the result is written by plain multiply-adds alone."""
    works = [step.work for part in program.repeats for step in part.steps if step.work]
    moves = [move for part in program.repeats for step in part.steps for move in step.moves]
    return (
        bool(works)
        and all(work.plain and work.write == program.result for work in works)
        and not any(move.write == program.result for move in moves)
    )
