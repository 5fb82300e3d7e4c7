"""The fast tier: every partial sum of a GEMM program by few large matrix products, equal to the interpreter.

Two families are recognised from a program's own index arrays.  *Rings* (compute-shift): keep row panel q of A
and column panel p of B with the contraction first, turned by their own ring position and stored twice; then
the operands of every core, for any step and number of steps, are one strided view and nothing is copied.
*Broadcasts*: all cores multiply the same block at once, so a step is one product of a column and a row panel.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from waferviz.families import aligned_ring, broadcast_blocks
from waferviz.program import Array, Program
from waferviz.state import Sizes, padded

STEPS = 16
BLOCK_BYTES = 420_000
PAD = 1  # tiles between panels: power-of-two distances would all fall into one set of the cache


class Panels(ABC):
    """Partial sums C(done) after `done` products on every core, dims (block row, block column, m, n)."""

    def __init__(self, sizes: Sizes, side: int, dtype: np.dtype[Any]) -> None:
        self.sizes, self.side, self.dtype = sizes, side, dtype

    @abstractmethod
    def advance(self, total: Array, done: int, number: int) -> None:
        """Add the next `number` products to `total`, which holds the first `done`; in the panels' own layout."""

    @abstractmethod
    def window(self, done: int, rows: Array, columns: Array) -> Array:
        """Sums of the first `done` products on some cores, from nothing: shape (rows, columns, m, n)."""

    @abstractmethod
    def natural(self, total: Array, rows: Array, columns: Array) -> Array:
        """Cores (rows, columns) of `total` in the layout of the mesh."""

    @abstractmethod
    def empty(self) -> Array:
        """A total of zeros, in the panels' own layout."""

    def run(self, total: Array | None = None, steps: int = STEPS) -> Array:
        """All products summed, `steps` at a call; `total` is overwritten when given."""
        total = self.empty() if total is None else total
        total[...] = 0
        for done in range(0, self.side, steps):
            self.advance(total, done, min(steps, self.side - done))
        return total


class RingPanels(Panels):
    """Panels of a compute-shift program; totals have dims (ring position of y, ring position of x, m, n)."""

    def __init__(self, a: Array, b: Array, order: Array, sizes: Sizes, dtype: np.dtype[Any]) -> None:
        side = len(order)
        super().__init__(sizes, side, dtype)
        m, k, n = sizes.m, sizes.k, sizes.n
        self.order, self.position = order, np.argsort(order)
        turn = order[(np.arange(side)[:, None] + np.arange(side)) % side]
        here = order[:, None]
        self.a = np.empty((side, 2 * side + PAD, k, m), dtype)[:, : 2 * side]
        self.b = np.empty((side, 2 * side + PAD, k, n), dtype)[:, : 2 * side]
        a_cut = padded(a, side * m, side * k, dtype).reshape(side, m, side, k).transpose(0, 2, 3, 1)
        b_cut = padded(b, side * k, side * n, dtype).reshape(side, k, side, n).transpose(2, 0, 1, 3)
        for panel, cut in ((self.a, a_cut), (self.b, b_cut)):
            for first in range(0, side, max(1, side // 8)):
                rows = slice(first, first + max(1, side // 8))
                panel[rows, :side] = cut[here[rows], turn[rows]]
            panel[:, side:] = panel[:, :side]

    def operands(self, done: int, number: int) -> tuple[Array, Array]:
        """What every core multiplies in the next `number` steps: views (y, x, number k, m) and (y, x, number k, n)."""
        side, length = self.side, number * self.sizes.k
        a, b = self.a[:, done:], self.b[:, done:]
        row, tile, _, item = a.strides
        a_view = as_strided(
            a, (side, side, length, self.sizes.m), (row, tile, a.strides[2], item), writeable=False
        )
        column, tile, _, item = b.strides
        b_view = as_strided(
            b, (side, side, length, self.sizes.n), (tile, column, b.strides[2], item), writeable=False
        )
        return a_view, b_view

    def advance(self, total: Array, done: int, number: int) -> None:
        """See Panels."""
        a, b = self.operands(done, number)
        edge = max(1, math.isqrt(BLOCK_BYTES // total[0, 0].nbytes))
        product = np.empty((edge, edge, *total.shape[2:]), self.dtype)
        for first in range(0, self.side, edge):
            for left in range(0, self.side, edge):
                block = slice(first, first + edge), slice(left, left + edge)
                kept = total[block]
                out = product[: kept.shape[0], : kept.shape[1]]
                np.matmul(a[block].mT, b[block], out=out)
                kept += out

    def window(self, done: int, rows: Array, columns: Array) -> Array:
        """See Panels."""
        out = np.zeros((len(rows), len(columns), self.sizes.m, self.sizes.n), self.dtype)
        if done:
            a, b = self.operands(0, done)
            for y_in, y_out in runs(self.position[rows]):
                for x_in, x_out in runs(self.position[columns]):
                    out[y_out, x_out] = a[y_in, x_in].mT @ b[y_in, x_in]
        return out

    def natural(self, total: Array, rows: Array, columns: Array) -> Array:
        """See Panels."""
        return total[self.position[rows][:, None], self.position[columns]]

    def empty(self) -> Array:
        """See Panels."""
        return np.zeros((self.side, self.side, self.sizes.m, self.sizes.n), self.dtype)


class BroadcastPanels(Panels):
    """Panels of a broadcast-multiply program; totals have dims (block row, m, block column, n)."""

    def __init__(
        self, a: Array, b: Array, blocks: Array, sizes: Sizes, side: int, dtype: np.dtype[Any]
    ) -> None:
        super().__init__(sizes, side, dtype)
        self.a = padded(a, side * sizes.m, side * sizes.k, dtype)
        self.b = padded(b, side * sizes.k, side * sizes.n, dtype)
        self.blocks = blocks

    def advance(self, total: Array, done: int, number: int) -> None:
        """See Panels."""
        flat = total.reshape(self.side * self.sizes.m, self.side * self.sizes.n)
        rows = max(self.sizes.m, number * BLOCK_BYTES // max(1, flat[0].nbytes))
        product = np.empty_like(flat[:rows])
        for first in range(0, len(flat), rows):
            block = slice(first, first + rows)
            out = product[: len(flat[block])]
            for k in self._spans(done, number):
                np.matmul(self.a[block, k], self.b[k], out=out)
                flat[block] += out

    def window(self, done: int, rows: Array, columns: Array) -> Array:
        """See Panels."""
        m, n = self.sizes.m, self.sizes.n
        a = self.a.reshape(self.side, m, -1)[rows].reshape(len(rows) * m, -1)
        b = self.b.reshape(len(self.b), self.side, n)[:, columns].reshape(len(self.b), -1)
        out = np.zeros((len(rows) * m, len(columns) * n), self.dtype)
        for k in self._spans(0, done):
            out += a[:, k] @ b[k]
        return out.reshape(len(rows), m, len(columns), n).swapaxes(1, 2)

    def natural(self, total: Array, rows: Array, columns: Array) -> Array:
        """See Panels."""
        return total.swapaxes(1, 2)[rows[:, None], columns]

    def empty(self) -> Array:
        """See Panels."""
        return np.zeros((self.side, self.sizes.m, self.side, self.sizes.n), self.dtype)

    def _spans(self, done: int, number: int) -> list[slice]:
        k = self.sizes.k
        return [
            slice(int(self.blocks[done + at.start]) * k, (int(self.blocks[done + at.stop - 1]) + 1) * k)
            for _, at in runs(self.blocks[done : done + number], steps=(1,))
        ]


def runs(index: Array, steps: tuple[int, ...] = (1, -1, 2, -2)) -> list[tuple[slice, slice]]:
    """An index array as few slices: pairs (slice of what is indexed, slice of the result)."""
    index = np.asarray(index)
    found: list[tuple[slice, slice]] = []
    evens_odds = (
        [slice(0, None, 2), slice(1, None, 2)]
        if -1 in steps and _breaks(index) > _breaks(index[::2]) + _breaks(index[1::2]) + 1
        else [slice(None)]
    )
    for part in evens_odds:
        some, stride = index[part], part.step or 1
        begin = 0
        while begin < len(some):
            end = begin + 1
            step = int(some[end] - some[begin]) if end < len(some) else 1
            if step in steps:
                while end < len(some) and some[end] - some[end - 1] == step:
                    end += 1
            else:
                step = 1
            last = int(some[end - 1]) + (1 if step > 0 else -1)
            source = slice(int(some[begin]), last if last >= 0 else None, step)
            offset = (part.start or 0) + begin * stride
            found.append((source, slice(offset, offset + (end - begin - 1) * stride + 1, stride)))
            begin = end
    return found


def _breaks(index: Array) -> int:
    return int(np.count_nonzero(np.diff(np.diff(index))))


def panels(program: Program, a: Array, b: Array, sizes: Sizes, dtype: np.dtype[Any]) -> Panels | None:
    """Panels for a program of a known family, None for any other."""
    if program.transposed or program.shape[0] != program.shape[1]:
        return None
    ring = aligned_ring(program)
    if ring is not None:
        return RingPanels(a, b, ring[2], sizes, dtype)
    blocks = broadcast_blocks(program)
    return None if blocks is None else BroadcastPanels(a, b, blocks, sizes, program.shape[0], dtype)
