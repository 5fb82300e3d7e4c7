"""Names of tiles: the same programs, run on which block is where instead of on numbers.

A tile of an operand is named by its block row and block column; a product of two tiles by the block of the
result it belongs to and the set of contraction blocks summed into it.  `a @ b`, `a + b` and `a.mT` of names
mean what they mean for numbers, so one function of a program's work serves both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from waferviz.program import Array, Operand, Program

EMPTY = -1
MIXED = -2
MISMATCH, NO_SUM = 1, 2
EXACT_CORES = 128 * 128


@dataclass(frozen=True, eq=False)
class Tile:
    """Names of one tile per core: block row and block column, each broadcastable to (y, x), EMPTY for none."""

    row: Array
    column: Array
    sums: Sums

    @property
    def mT(self) -> Tile:
        """The transposed tile."""
        return replace(self, row=self.column, column=self.row)

    def __matmul__(self, other: Tile) -> Sum:
        met = (self.column == other.row) & (self.column >= 0) & (self.row >= 0) & (other.column >= 0)
        held = (self.row != EMPTY) & (self.column != EMPTY) & (other.row != EMPTY) & (other.column != EMPTY)
        block = self.column if _all(met) else np.where(met, self.column, np.where(held, MIXED, EMPTY))
        return self.sums.one(self.row, other.column, block)

    def tables(self) -> Tile:
        """Tables of the tile, named as the tile they are made from."""
        return self

    def looked_up(self, tables: Tile, _bits: int) -> Sum:
        """The product, by lookups in the tables of the other tile."""
        return self @ tables

    def __add__(self, other: Tile) -> Tile:
        return replace(self, row=_mixed(self.row, other.row), column=_mixed(self.column, other.column))

    __sub__ = larger = __add__

    def each(self, change: Callable[..., Array], *others: Tile) -> Tile:
        """Names with every array changed alike."""
        return replace(
            self,
            row=change(self.row, *(other.row for other in others)),
            column=change(self.column, *(other.column for other in others)),
        )


@dataclass(frozen=True, eq=False)
class Sum:
    """Names of one sum of products per core.

    Attributes
    ----------
    row, column : array
        Block of the result, EMPTY before the first product, MIXED when products of several blocks were added.
    number : array
        Products in the sum.
    content : array
        Which contraction blocks: a count per block (last dim) or a fingerprint, see `Sums`.
    wrong : array
        Bits: MISMATCH when tiles that do not belong together were multiplied, NO_SUM when a product was taken
        away, scaled or compared.
    """

    row: Array
    column: Array
    number: Array
    content: Array
    wrong: Array

    def __add__(self, other: Sum) -> Sum:
        return Sum(
            row=_same(self.row, other.row),
            column=_same(self.column, other.column),
            number=self.number + other.number,
            content=self.content + other.content,
            wrong=self.wrong | other.wrong,
        )

    def spoiled(self) -> Sum:
        """The same products, no longer in a sum."""
        return replace(self, wrong=np.where(self.number > 0, self.wrong | NO_SUM, self.wrong))

    def __sub__(self, other: Sum) -> Sum:
        return self + other.spoiled()

    def __neg__(self) -> Sum:
        return self.spoiled()

    def __mul__(self, _factor: Any) -> Sum:
        return self.spoiled()

    __rmul__ = __truediv__ = __mul__

    def larger(self, other: Sum) -> Sum:
        """The larger of two sums: a sum of products only where one of them is empty."""
        return self.spoiled() + other.spoiled()

    def total(self, along: int, shape: tuple[int, int]) -> Sum:
        """Sum of the sums along one dim of the mesh, kept with size 1; what is alike along it is counted once."""

        def common(block: Array) -> Array:
            known = block.max(axis=along, keepdims=True)
            same = ((block == known) | (block == EMPTY)).all(axis=along, keepdims=True)
            return np.where(same, known, MIXED)

        def added(part: Array) -> Array:
            times = part.dtype.type(shape[along] if part.shape[along] == 1 else 1)
            return part.sum(axis=along, keepdims=True, dtype=part.dtype) * times

        return Sum(
            row=common(self.row),
            column=common(self.column),
            number=added(self.number),
            content=added(self.content),
            wrong=np.bitwise_or.reduce(self.wrong, axis=along, keepdims=True),
        )

    def each(self, change: Callable[..., Array], *others: Sum) -> Sum:
        """Names with every array changed alike."""
        fields = ("row", "column", "number", "content", "wrong")
        return Sum(
            **{name: change(getattr(self, name), *(getattr(o, name) for o in others)) for name in fields}
        )


@dataclass(frozen=True, eq=False)
class Sums:
    """How the contraction blocks in a sum are kept: one count each (exact) or a 64-bit sum of random numbers.

    Attributes
    ----------
    blocks : int
        Contraction blocks of the product.
    keys : array or None
        One random number per block for fingerprints; None counts every block.
    """

    blocks: int
    keys: Array | None

    @classmethod
    def of(cls, program: Program) -> Sums:
        """Exact up to 128 x 128 cores, fingerprints above."""
        blocks = program.blocks["k"]
        exact = program.shape[0] * program.shape[1] <= EXACT_CORES and blocks <= 512
        keys = np.random.default_rng(11).integers(1, 2**63, blocks, dtype=np.uint64)
        return cls(blocks, None if exact else keys)

    def none(self) -> Sum:
        """An empty sum on every core."""
        zero = np.zeros((1, 1), np.int16)
        content = (
            np.zeros((1, 1, self.blocks), np.uint8) if self.keys is None else np.zeros((1, 1), np.uint64)
        )
        return Sum(zero + EMPTY, zero + EMPTY, zero, content, np.zeros((1, 1), np.uint8))

    def one(self, row: Array, column: Array, block: Array) -> Sum:
        """Sums of one product each; `block` is EMPTY without product and MIXED for a wrong one."""
        if self.keys is None:
            content = (block[..., None] == np.arange(self.blocks)).astype(np.uint8)
        else:
            content = np.where(block >= 0, self.keys[block], 0) if block.min() < 0 else self.keys[block]
        present = block != EMPTY
        wrong = np.where(block == MIXED, np.uint8(MISMATCH), np.uint8(0))
        if _all(present):
            wrong = wrong if wrong.any() else np.zeros((1, 1), np.uint8)
            return Sum(row, column, np.ones((1, 1), np.int16), content, wrong)
        row, column = (np.where(present, part, EMPTY) for part in (row, column))
        return Sum(row, column, present.astype(np.int16), content, wrong)

    def full(self, total: Sum) -> Array:
        """Cores whose sum holds every contraction block exactly once, broadcastable to (y, x)."""
        once = (
            (total.content == 1).all(axis=-1)
            if self.keys is None
            else total.content == self.keys.sum(dtype=np.uint64)
        )
        return once & (total.number == self.blocks) & (total.wrong == 0)


def named(operand: Operand, sums: Sums) -> Tile:
    """Names of the blocks of an operand where the program puts them."""
    row, column = (np.atleast_2d(np.asarray(part, np.int16)) for part in (operand.row, operand.column))
    return Tile(row, column, sums)


def placed(operand: Operand, place: int) -> Operand:
    """Which block is in one place of each core."""
    row, column = (part[place] if np.ndim(part) == 3 else part for part in (operand.row, operand.column))
    return Operand(row, column, operand.blocks)


def start(program: Program) -> dict[str, Any]:
    """Names in every buffer before the first step."""
    sums = Sums.of(program)
    nothing = Tile(np.full((1, 1), EMPTY, np.int16), np.full((1, 1), EMPTY, np.int16), sums)
    state: dict[str, Any] = {}
    for name, buffer in program.buffers.items():
        summed = buffer.dims == ("m", "n")
        empty = sums.none() if summed else nothing
        if name not in program.operands:
            state[name] = empty if buffer.places == 1 else (empty,) * buffer.places
            continue
        each = [named(placed(program.operands[name], place), sums) for place in range(buffer.places)]
        state[name] = each[0] if buffer.places == 1 else tuple(each)
    return state


def _same(a: Array, b: Array) -> Array:
    """Block index of a sum of two sums: theirs when they agree or one is empty, MIXED otherwise."""
    if a is b or (a.shape == b.shape and a.size < 4096 and np.array_equal(a, b)):
        return a
    if a.size == 1 and a.flat[0] == EMPTY:
        return b
    if b.size == 1 and b.flat[0] == EMPTY:
        return a
    return np.where(b == EMPTY, a, np.where((a == EMPTY) | (a == b), b, MIXED))


def _mixed(a: Array, b: Array) -> Array:
    """Block index of a sum of two operand tiles: no block's, unless one is empty."""
    return np.where(a == EMPTY, b, np.where(b == EMPTY, a, MIXED))


def _all(condition: Array) -> bool:
    return bool(condition.all())
