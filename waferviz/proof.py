"""Proof of movement: every pair of blocks that belongs together meets exactly once, on the right core."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from waferviz import engine
from waferviz.checks import as_program
from waferviz.families import aligned_ring
from waferviz.names import EMPTY, MISMATCH, Sum, Sums, Tile, placed, start
from waferviz.program import Array, Move, Program, Step


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What the names of the tiles say about a program.

    Attributes
    ----------
    ok : bool
        Every pair met exactly once where it belongs, and no tile was lost or doubled.
    method : "counted", "ring" or "fingerprint"
        Each block of each core counted; block names compared on every core at every multiplying step and
        exactly-once from the ring being a single cycle; or sums of random 64-bit keys (wrong once in 2^63).
    detail : str
        One sentence.
    step : int, optional
        First step (from 1) at which something is wrong.
    core : (int, int), optional
        Where, as (y, x).
    """

    ok: bool
    method: str
    detail: str
    step: int | None = None
    core: tuple[int, int] | None = None

    def __bool__(self) -> bool:
        return self.ok


def prove(program: Program) -> Proof:
    """Run a program on names and check what meets where; programs on vectors on whose share is where."""
    as_program(program, "prove")
    if program.kind == "cache":
        from waferviz.tokens import prove_tokens

        return prove_tokens(program)
    if program.on_vectors:
        from waferviz.shares import prove_shares

        return prove_shares(program)
    sums = Sums.of(program)
    if sums.keys is not None:
        ring = aligned_ring(program)
        if ring is not None:
            return _ring_proof(program, *ring)
    return _run_proof(program, sums)


def _ring_proof(program: Program, state: engine.State, before: int, order: Array) -> Proof:
    """Names compared on every core at every multiplying step, in ring coordinates, where a shift is a slice."""
    side = len(order)
    a = np.concatenate([state["A"].column[order][:, order]] * 2, axis=1)
    b = np.concatenate([state["B"].row[order][:, order]] * 2, axis=0)
    for done in range(side):
        if not np.array_equal(a[:, done : done + side], b[done : done + side]):
            y, x = np.argwhere(a[:, done : done + side] != b[done : done + side])[0]
            return _failure(
                "ring", before + done + 1, order[y], order[x], "multiplies blocks that do not belong together"
            )
    return Proof(
        ok=True,
        method="ring",
        detail=_success(
            program, "names compared on every core at every multiplying step; the ring is one cycle"
        ),
    )


def _run_proof(program: Program, sums: Sums) -> Proof:
    method = "counted" if sums.keys is None else "fingerprint"
    state, reuse = start(program), _only_reduced(program)
    for number, (step, repeat) in enumerate(program, 1):
        after = engine.advance(step, state, program.shape, repeat, reuse=reuse)
        found = _wrong_sum(program, sums, step, after) or _lost(program, step, number, state, after)
        if found:
            return _failure(method, number, *found)
        state = after
    ends = state[program.result]
    if not isinstance(ends, tuple):
        return _final(_one_place(program, 0), sums, ends, method)
    finals = [_final(_one_place(program, place), sums, end, method) for place, end in enumerate(ends)]
    return next((final for final in finals if not final), finals[0])


def _one_place(program: Program, place: int) -> Program:
    """The program as if its result had one place only."""
    return replace(program, outcome=placed(program.outcome, place)) if program.outcome else program


def _only_reduced(program: Program) -> frozenset[str]:
    """Buffers that reductions alone write and nobody reads; their names may be overwritten."""
    free = {name for name, buffer in program.buffers.items() if buffer.places == 1} - set(program.operands)
    for step in (step for part in program.repeats for step in part.steps):
        free -= {move.read for move in step.moves} | {m.write for m in step.moves if m.target is None}
        free -= {*step.work.reads, step.work.write} if step.work else set()
    return frozenset(free)


def _wrong_sum(program: Program, sums: Sums, step: Step, state: engine.State) -> tuple[int, int, str] | None:
    """Core whose sum the step has made wrong, and how."""
    written = {move.write for move in step.moves} | ({step.work.write} if step.work else set())
    for total in (state[name] for name in written if isinstance(state[name], Sum)):
        if wrong := _first(total.wrong, program):
            mismatch = np.broadcast_to(total.wrong, program.shape)[wrong] & MISMATCH
            return (
                *wrong,
                "multiplies blocks that do not belong together"
                if mismatch
                else "does not add what it has multiplied",
            )
        if sums.keys is None and (twice := _first((total.content > 1).any(axis=-1), program)):
            return *twice, "adds a product that it has added before"
    return None


def _lost(
    program: Program, step: Step, number: int, before: engine.State, after: engine.State
) -> tuple[int, int, str] | None:
    """Core where a move within an operand's own buffer has lost or doubled a tile, and which."""
    for name in {m.write for m in step.moves if m.read == m.write and not _permutes(m)} & set(
        program.operands
    ):
        old, new = (_blocks(program, state[name], name) for state in (before, after))
        if old is None or new is None:
            continue
        size = int(np.prod(program.operands[name].blocks))
        more = np.bincount(new[new >= 0], minlength=size) - np.bincount(old[old >= 0], minlength=size)
        if more.any():
            gone = divmod(int(more.argmin()), program.operands[name].blocks[1])
            doubled = new == more.argmax() if more.max() > 0 else (new < 0) & (old >= 0)
            core = _culprit(program, number, after, np.argwhere(doubled))
            return *core, f"loses block {gone} of {name}: two tiles share a place or one was overwritten"
    return None


def _permutes(move: Move) -> bool:
    """True when every line that moves only changes the order of its tiles."""
    index = move.index
    alike = move.axis != "xy" and len(index) == 1 and index.size == max(index.shape) and move.target is None
    return alike and move.combine is None and np.array_equal(np.sort(index.ravel()), np.arange(index.size))


def _blocks(program: Program, tile: Any, name: str) -> Array | None:
    """Number of the block that each core holds, negative for none."""
    if not isinstance(tile, Tile):
        return None
    number = tile.row.astype(int) * program.operands[name].blocks[1] + tile.column
    return np.broadcast_to(np.where((tile.row >= 0) & (tile.column >= 0), number, EMPTY), program.shape)


def _culprit(program: Program, number: int, state: engine.State, holders: Array) -> tuple[int, int]:
    """Of the cores that hold a doubled tile, the first that then multiplies what does not belong together."""
    cores = [(int(y), int(x)) for y, x in holders] or [(0, 0)]
    for step, repeat in islice(program, number, None):
        state = engine.advance(step, state, program.shape, repeat)
        total = state[step.work.write] if step.work else None
        if isinstance(total, Sum) and total.wrong.any():
            wrong = np.broadcast_to(total.wrong, program.shape)
            return next((core for core in cores if wrong[core]), cores[0])
    return cores[0]


def _final(program: Program, sums: Sums, total: Sum, method: str) -> Proof:
    y, x = np.ogrid[: program.shape[0], : program.shape[1]]
    row, column = (program.outcome.row, program.outcome.column) if program.outcome else (y, x)
    full = np.broadcast_to(sums.full(total), program.shape)
    wrong = ~full | (total.row != row) | (total.column != column)
    if not wrong.any():
        how = "each counted" if method == "counted" else "by fingerprint"
        return Proof(ok=True, method=method, detail=_success(program, how))
    if astray := _astray(program, wrong):
        return _failure(method, *astray)
    core = _first(wrong, program) or (0, 0)
    if full[core]:
        return _failure(method, len(program), *core, "ends with a block of C that belongs elsewhere")
    has = np.broadcast_to(total.number, program.shape)[core]
    content = np.broadcast_to(total.content, (*program.shape, *total.content.shape[2:]))[core]
    lacks = f", block {int(content.argmin())} is missing" if sums.keys is None and content.min() == 0 else ""
    return _failure(method, len(program), *core, f"ends with {has} of {sums.blocks} products{lacks}")


def _astray(program: Program, wrong: Array) -> tuple[int, int, int, str] | None:
    """Step and core at which one of the wrong sums first lost products or came to the wrong place.

    Found by a second run; nothing is said of programs that move their sums about on purpose.
    """
    steps = [step for part in program.repeats for step in part.steps]
    if any(move.read == program.result for step in steps for move in step.moves):
        return None
    state = start(program)
    y, x = np.ogrid[: program.shape[0], : program.shape[1]]
    for number, (step, repeat) in enumerate(program, 1):
        after = engine.advance(step, state, program.shape, repeat)
        old, new = state[program.result], after[program.result]
        other = new.content != old.content
        swapped = (new.number == old.number) & (other.any(axis=-1) if other.ndim > 2 else other)
        if lost := _first(wrong & ((new.number < old.number) | swapped), program):
            return number, *lost, "throws away products that it had summed"
        if away := _first(wrong & (new.number > 0) & ((new.row != y) | (new.column != x)), program):
            return number, *away, "sums a block of C that belongs elsewhere"
        state = after
    return None


def _first(where: Array, program: Program) -> tuple[int, int] | None:
    if not where.any():
        return None
    y, x = np.argwhere(np.broadcast_to(where, program.shape))[0]
    return int(y), int(x)


def _failure(method: str, step: int, y: int, x: int, what: str) -> Proof:
    return Proof(
        ok=False,
        method=method,
        detail=f"step {step}: core ({y},{x}) {what}",
        step=step,
        core=(int(y), int(x)),
    )


def _success(program: Program, how: str) -> str:
    (rows, columns), (high, wide) = program.shape, program.place.shape
    where = f"on each of {rows} x {columns} cores"
    if (rows, columns) != (high, wide):
        where = f"for each of {rows} x {columns} blocks of C on {high} x {wide} cores"
    return f"all {program.blocks['k']} pairs of blocks met exactly once {where} ({how})"
