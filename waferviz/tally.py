"""What a core computes in a step, counted by running its work on shapes instead of tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from waferviz.machine import Machine
from waferviz.program import Work


def macs_of(machine: Machine, dtype: Any) -> float:
    """Multiply-adds per core and cycle: those for fp16 on floats of two bytes, those for fp32 on everything else."""
    half = np.dtype(dtype).kind == "f" and np.dtype(dtype).itemsize == 2
    return machine.macs_fp16 if half else machine.macs


@dataclass
class Tally:
    """Multiply-adds and additions of one core, counted by running its work on shapes."""

    macs: int = 0
    adds: int = 0

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
