"""GEMV by table lookup: the moves of any GEMV, but cores look up sums of activations instead of multiplying.

A table holds the signed sums of four activations, half of them stored; all cores that share a block of the vector
need the same tables.  Source: LUT Tensor Core, ISCA 2025, section 3; T-MAC, EuroSys 2025, section 3.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from waferviz.algorithms import GEMV, Shape, sides
from waferviz.algorithms.reductions import spread
from waferviz.lowbit.bitplanes import indices, remap
from waferviz.lowbit.operands import whole
from waferviz.lowbit.tables import half_table
from waferviz.program import Array, Buffer, Program, Repeat, Step, Work
from waferviz.state import ENTRIES, GROUP, largest

TABLES = ("rebuilt", "multicast")
LIMIT = 2**63 - 1


def lookup_gemv(
    mesh: Shape, *, algorithm: str = "meshgemv", axis: str = "y", bits: int = 2, tables: str = "rebuilt"
) -> Program:
    """C = A B for weights A of few bits: every core looks its products up, then partial results are summed as ever.

    Parameters
    ----------
    mesh : int or (int, int)
        Side, or rows and columns.
    algorithm : str
        A name in `GEMV`, whose moves these are.
    axis : "y" or "x"
        Axis of the sum; cores across it share a block of the vector.
    bits : int
        Of a weight, 1 to 8: whole numbers -2^(bits-1) .. 2^(bits-1) - 1.  Ternary weights are 2-bit ones.
    tables : "rebuilt" or "multicast"
        Every core builds its tables, or the middle core of each line across the axis builds and multicasts them.

    Raises
    ------
    ValueError
        For other bits, axes and ways to get tables; while running, for weights out of range.
    """
    whole(bits, "bits", 1, 8)
    if tables not in TABLES:
        raise ValueError(f"tables={tables!r}: choose one of {', '.join(map(repr, TABLES))}")
    multiplied = GEMV[algorithm](mesh, axis=axis)
    a = multiplied.buffers["A"]
    return replace(
        multiplied,
        name=f"{multiplied.name}, tables {tables}",
        paper=f"{multiplied.paper}; lookups: LUT Tensor Core, ISCA 2025, section 3",
        body=(*_tables(mesh, axis, tables), *(_looking_up(part, bits) for part in multiplied.body)),
        buffers={**multiplied.buffers, "A": replace(a, bits=bits), "T": Buffer(("t", "n"))},
    )


def _tables(mesh: Shape, axis: str, tables: str) -> tuple[Step, ...]:
    """The steps after which every core has its tables."""
    build = Work(reads=("B",), write="T", function=tables_of)
    if tables == "rebuilt":
        return (Step("build tables", work=build),)
    across = "x" if axis == "y" else "y"
    cores = sides(mesh)[1 if across == "x" else 0]
    chosen = np.arange(cores) == cores // 2
    only = chosen[None, :] if across == "x" else chosen[:, None]
    return (
        Step("build tables once", work=replace(build, only=only)),
        spread(cores // 2, "T", across, "multicast tables"),
    )


def _looking_up(part: Step | Repeat, bits: int) -> Step | Repeat:
    """The part with lookups in place of multiply-adds."""
    if isinstance(part, Repeat):
        return replace(part, steps=tuple(_step(step, bits) for step in part.steps))
    return _step(part, bits)


def _step(step: Step, bits: int) -> Step:
    if step.work is None:
        return step
    a, _, c = step.work.reads
    work = replace(step.work, reads=(a, "T", c), function=partial(look_up, bits=bits))
    return replace(step, label="look up", work=work)


def tables_of(b: Any) -> Any:
    """Halved tables of every four activations: tiles (y, x, k, n) to (y, x, t, n), names to names, shapes to shapes."""
    if not isinstance(b, np.ndarray):
        return b.tables()
    y, x, k, n = b.shape
    half = half_table(b.swapaxes(2, 3).reshape(-1, k), GROUP)
    return half.reshape(-1, y, x, n).transpose(1, 2, 0, 3).astype(b.dtype)


def look_up(a: Any, tables: Any, c: Any, *, bits: int) -> Any:
    """C + A B, where B is known by its tables alone."""
    if not isinstance(a, np.ndarray):
        return c + a.looked_up(tables, bits)
    y, x, _, n = tables.shape
    half = tables.reshape(y, x, -1, ENTRIES, n)
    sign, address = remap(_indices(a, bits), GROUP)
    if tables.dtype.kind == "i" and largest(tables) * half.shape[2] * 2**bits > LIMIT:
        raise ValueError(
            f"activations with sums of four up to {largest(tables)} leave int64; scale them down"
        )
    twice: Any = half[:, :, :, 0].sum(axis=2)[:, :, None]
    for plane in range(bits):
        entry = np.take_along_axis(half, address[plane][..., None], axis=3)
        found = np.where(sign[plane][..., None] == 1, -entry, entry).sum(axis=2)
        twice = twice + found * 2**plane
    return c + (twice // 2 if tables.dtype.kind == "i" else twice / 2).astype(c.dtype)


def _indices(a: Array, bits: int) -> Array:
    """Table index of every weight group: (plane, y, x, groups, m)."""
    low = -(2 ** (bits - 1))
    wrong = (a < low) | (a > -low - 1) | (a != np.rint(a))
    if wrong.any():
        raise ValueError(
            f"A holds {a[wrong][0]}; lookups of {bits} bits take whole weights {low} .. {-low - 1}, others need more bits"
        )
    y, x, m, k = a.shape
    index = indices((a - low).astype(np.int64).reshape(-1, k), bits, GROUP)
    return index.astype(np.int64).reshape(bits, y, x, m, -1).swapaxes(3, 4)
