"""What a core computes in a step, counted by running its work on shapes instead of tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from waferviz.machine import Machine
from waferviz.program import Work
from waferviz.state import ENTRIES, GROUP


def macs_of(machine: Machine, dtype: Any) -> float:
    """Multiply-adds per core and cycle: those for fp16 on floats of two bytes, those for fp32 on everything else."""
    half = np.dtype(dtype).kind == "f" and np.dtype(dtype).itemsize == 2
    return machine.macs_fp16 if half else machine.macs


@dataclass
class Tally:
    """Operations of one core, counted by running its work on shapes.

    Attributes
    ----------
    macs, adds : int
        Multiply-adds; additions besides them, those that build tables included.
    lookups, tables : int
        Entries read from tables, each with the addition that takes it in; tables built.
    """

    macs: int = 0
    adds: int = 0
    lookups: int = 0
    tables: int = 0

    @property
    def operations(self) -> int:
        """What a core does one after the other: a lookup counts as one, as a multiply-add does."""
        return self.macs + self.adds + self.lookups

    @classmethod
    def of(cls, work: Work, shapes: dict[str, tuple[int, ...]]) -> Tally:
        """Counts of the work on tiles of the given shapes."""
        tally = cls()
        work.function(*(_Shape(shapes[name], tally) for name in work.reads))
        return tally


class _Shape:
    """A tile that only counts; the sum of a product with another tile is the multiply-add's own addition."""

    def __init__(self, shape: tuple[int, ...], tally: Tally, product: bool = False) -> None:
        self.shape, self.tally, self.product = shape, tally, product

    @property
    def mT(self) -> _Shape:
        return _Shape(self.shape[::-1], self.tally, self.product)

    def __matmul__(self, other: _Shape) -> _Shape:
        self.tally.macs += self.shape[0] * self.shape[1] * other.shape[1]
        return _Shape((self.shape[0], other.shape[1]), self.tally, product=True)

    def tables(self) -> _Shape:
        groups, columns = -(-self.shape[0] // GROUP), self.shape[1]
        self.tally.tables += groups * columns
        self.tally.adds += groups * columns * (2**GROUP - 2)
        return _Shape((groups * ENTRIES, columns), self.tally)

    def looked_up(self, tables: _Shape, bits: int) -> _Shape:
        rows, groups, columns = self.shape[0], tables.shape[0] // ENTRIES, tables.shape[1]
        self.tally.lookups += bits * groups * rows * columns
        self.tally.adds += (groups + rows) * columns
        return _Shape((rows, columns), self.tally, product=True)

    def __add__(self, other: _Shape) -> _Shape:
        if not (self.product or other.product):
            self.tally.adds += int(np.prod(self.shape))
        return _Shape(self.shape, self.tally)

    __sub__ = __add__

    def __mul__(self, _factor: float) -> _Shape:
        self.tally.adds += int(np.prod(self.shape))
        return _Shape(self.shape, self.tally)

    __rmul__ = __truediv__ = __mul__

    def __neg__(self) -> _Shape:
        return self * -1
