"""Memory of a core: what a program sets aside, and what is in use as its buffers fill."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.program import Array, Program, at_repeat
from waferviz.state import Sizes


def size(amount: float) -> str:
    """Bytes in words: to three digits, in B below 1 KiB and else in KiB, MiB or GiB.

    Examples
    --------
    >>> size(100), size(2000), size(48 * 1024), size(1.25 * 2**20)
    ('100 B', '1.95 KiB', '48 KiB', '1.25 MiB')
    """
    unit = "B"
    for larger in ("KiB", "MiB", "GiB"):
        if amount >= 1024:
            amount, unit = amount / 1024, larger
    return f"{amount:,.0f} {unit}" if amount >= 1000 else f"{amount:.3g} {unit}"


def set_aside(program: Program, sizes: Sizes) -> int:
    """Bytes per logical core, double buffers and receive tiles included."""
    return sum(buffer.tiles * sizes.kept(buffer) for buffer in program.buffers.values())


def held(program: Program, sizes: Sizes) -> Array:
    """Bytes in use per logical core after each step, shape (steps + 1,): places of a buffer count once they are filled."""
    tile = {name: sizes.kept(buffer) for name, buffer in program.buffers.items()}
    seen = {(name, place) for name in program.buffers for place in _filled(program, name)}
    used = sum(b.tiles * tile[name] for name, b in program.buffers.items() if b.places == 1 or b.stream)
    used += sum(tile[name] for name, _ in seen)
    after = [used]
    for step, repeat in program:
        slots = [(move.write, move.slot) for move in step.moves]
        slots += [(step.work.write, step.work.slot)] if step.work else []
        for name, slot in slots:
            places = [] if slot is None else np.unique(at_repeat(slot, repeat)).tolist()
            new = {(name, place) for place in places} - seen
            seen |= new
            used += len(new) * tile[name]
        after.append(used)
    return np.array(after)


def _filled(program: Program, name: str) -> list[int]:
    """Places of a buffer that hold a tile before the first step on some core; none for buffers of one place."""
    buffer = program.buffers[name]
    if name not in program.operands or buffer.places == 1 or buffer.stream:
        return []
    row, column = (np.asarray(part) for part in (program.operands[name].row, program.operands[name].column))
    there = np.broadcast_to(
        (row >= 0) & (column >= 0), (buffer.places, *np.broadcast_shapes(row.shape, column.shape)[-2:])
    )
    return np.flatnonzero(there.any(axis=(1, 2))).tolist()


def largest(program: Program, limit: float, dtype: Any = np.float32) -> int:
    """Side of the largest square matrices, or length of the longest vectors, within `limit` bytes per core; 0 for none.

    Examples
    --------
    >>> from waferviz import GEMM
    >>> largest(GEMM["meshgemm"](8), 48 * 1024)
    392
    """
    dims = 1 if program.on_vectors else 3
    physical = program.place.shape[0] * program.place.shape[1]
    folds = program.shape[0] * program.shape[1] // physical

    def fits(side: int) -> bool:
        return set_aside(program, Sizes.of(program, (side,) * dims, dtype)) * folds <= limit

    low = max(program.blocks.values()) if dims == 3 else 1
    if not fits(low):
        return 0
    high = 2 * low
    while fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
