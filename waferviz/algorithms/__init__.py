"""Algorithms by kind: each file adds its builders to a registry, name -> builder(mesh side or (rows, columns))."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from numbers import Integral
from pkgutil import iter_modules
from typing import Any

import numpy as np

from waferviz.program import Operand, Placement, Program

Builder = Callable[..., Program]
Shape = int | tuple[int, int]


class Registry(Mapping[str, Builder]):
    """Builders of one kind by name, read from the files of this folder on first use; decorate a function to add it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._builders: dict[str, Builder] = {}
        self._read = False

    def __call__(self, builder: Builder) -> Builder:
        """Add `builder` under its own name."""
        self._builders[builder.__name__] = builder
        return builder

    def __getitem__(self, name: str) -> Builder:
        self._load()
        if name not in self._builders:
            near = difflib.get_close_matches(str(name), self._builders, 1, 0.3)
            hint = f"; nearest is {near[0]!r}" if near else ""
            raise KeyError(f"no {self.kind} algorithm {name!r}{hint}; known are {', '.join(self._builders)}")
        return self._builders[name]

    def __iter__(self) -> Iterator[str]:
        self._load()
        return iter(self._builders)

    def __len__(self) -> int:
        self._load()
        return len(self._builders)

    def __repr__(self) -> str:
        return f"<{self.kind} algorithms: {', '.join(self)}>"

    def _load(self) -> None:
        if not self._read:
            self._read = True
            for file in iter_modules(__path__):
                import_module(f"{__name__}.{file.name}")


GEMM, GEMV = Registry("GEMM"), Registry("GEMV")
ALLREDUCE, CACHE = Registry("allreduce"), Registry("cache")
gemm, gemv, allreduce, cache = GEMM, GEMV, ALLREDUCE, CACHE


def sides(mesh: Shape) -> tuple[int, int]:
    """Rows and columns of a mesh given as one side or as a pair; ValueError when one is not a positive integer."""
    pair: tuple[Any, ...] = tuple(mesh) if isinstance(mesh, tuple | list) else (mesh, mesh)
    if len(pair) != 2 or not all(map(_is_side, pair)):
        raise ValueError(f"mesh={mesh!r}: give a positive side or (rows, columns), for example 8 or (4, 6)")
    return int(pair[0]), int(pair[1])


def _is_side(number: Any) -> bool:
    return not isinstance(number, bool) and isinstance(number, Integral) and int(number) > 0


def natural_layout(mesh: Shape) -> tuple[int, Placement | None, dict[str, Operand]]:
    """Logical side, placement, and operands A and B with block (y, x) on logical core (y, x).

    The side is the least common multiple of rows and columns; unequal ones are folded onto the mesh
    (WaferLLM, OSDI 2025, section 5.3).
    """
    shape = sides(mesh)
    side = math.lcm(*shape)
    y, x = np.arange(side)[:, None], np.arange(side)[None, :]
    placement = None if shape == (side, side) else Placement.folded((side, side), shape)
    return side, placement, {name: Operand(y, x, (side, side)) for name in "AB"}
