"""Proof of movement: every pair of blocks that belongs together meets exactly once, on the right core."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from waferviz import engine
from waferviz.names import EMPTY, Sum, Sums, Tile, start
from waferviz.panels import aligned_ring
from waferviz.program import Array, Program


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
    """Run a program on names and check what meets where."""
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
    state = start(program)
    for number, (step, repeat) in enumerate(program, 1):
        after = engine.advance(step, state, program.shape, repeat)
        for work in [step.work] if step.work else []:
            name = work.write
            new, old = after[name], state[name]
            if isinstance(new, Sum) and (
                wrong := _first(new.wrong & ~(old.wrong if name in work.reads else False), program)
            ):
                return _failure(method, number, *wrong, "multiplies blocks that do not belong together")
            if sums.keys is None and (twice := _first((new.content > 1).any(axis=-1), program)):
                return _failure(method, number, *twice, "adds a product that it has added before")
        if found := _lost(program, step.moves, after):
            return _failure(method, number, *found)
        state = after
    return _final(program, sums, state[program.result], method)


def _lost(program: Program, moves: Any, state: engine.State) -> tuple[int, int, str] | None:
    """Core and block row, column of an operand that is gone after moves within its own buffer."""
    for name in {move.write for move in moves if move.read == move.write and move.write in program.operands}:
        tile = state[name]
        if not isinstance(tile, Tile):
            continue
        rows, columns = program.operands[name].blocks
        flat = np.broadcast_to(tile.row.astype(int) * columns + tile.column, program.shape)
        number = np.bincount(flat[flat >= 0], minlength=rows * columns)
        if number.max() > 1 or number.min() < 1:
            twice = int(number.argmax()) if number.max() > 1 else EMPTY
            at = np.argwhere(flat == twice)[-1] if twice >= 0 else (0, 0)
            gone = divmod(int(number.argmin()), columns)
            return (
                int(at[0]),
                int(at[1]),
                f"loses block {gone} of {name}: two tiles share a place or one was overwritten",
            )
    return None


def _final(program: Program, sums: Sums, total: Sum, method: str) -> Proof:
    y, x = np.ogrid[: program.shape[0], : program.shape[1]]
    full = np.broadcast_to(sums.full(total), program.shape)
    if missing := _first(~full, program):
        has = np.broadcast_to(total.number, program.shape)[missing]
        lacks = ""
        if sums.keys is None:
            content = np.broadcast_to(total.content, (*program.shape, sums.blocks))[missing]
            lacks = f", block {int(content.argmin())} is missing" if content.min() == 0 else ""
        return _failure(method, len(program), *missing, f"ends with {has} of {sums.blocks} products{lacks}")
    if wrong := _first((total.row != y) | (total.column != x), program):
        return _failure(method, len(program), *wrong, "ends with a block of C that belongs elsewhere")
    return Proof(
        ok=True,
        method=method,
        detail=_success(program, "each counted" if method == "counted" else "by fingerprint"),
    )


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
    rows, columns = program.shape
    return f"all {program.blocks['k']} pairs of blocks met exactly once on each of {rows} x {columns} cores ({how})"
