"""Programs: simultaneous moves and work on a mesh of cores, as plain data.

Index arrays have dims (repeat, y, x), each of size 1 where nothing depends on it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from waferviz.move import Array, Axis, Move, at_repeat

Kind = Literal["gemm", "gemv", "allreduce", "reduce_scatter", "allgather", "cache"]

__all__ = [
    "Array", "Axis", "Buffer", "Kind", "Move", "Operand", "Placement", "Program", "Repeat", "Step", "Work", "at_repeat",
    "code_of", "multiply",
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class Work:
    """What the cores compute in a step.

    The same function runs on numbers (tiles of dims (y, x, ...)), on names (which block is where) and on
    shapes (how many multiply-adds), so write it with `@`, `+` and `.mT` alone.

    Attributes
    ----------
    reads : tuple of str
        Buffers handed to `function`, in order.
    write : str
        Buffer that holds the result.
    function : callable
        Tiles to tile.
    take : dict
        Place of a buffer with several places that is read: int or array of shape (repeat,).
    slot : int or array of shape (repeat,), optional
        Place of the written buffer that is filled.
    only : array of bool, optional
        Cores that work, shape (y | 1, x | 1); the others keep what they have.
    """

    reads: tuple[str, ...]
    write: str
    function: Callable[..., Any]
    take: dict[str, Array | int] = field(default_factory=dict)
    slot: Array | int | None = None
    only: Array | None = None

    @property
    def plain(self) -> bool:
        """True for the multiply-add of `multiply`, which the fast tier knows."""
        return self.function is _multiply_add


def _multiply_add(a: Any, b: Any, c: Any) -> Any:
    return c + a @ b


def multiply(
    a: str, b: str, c: str, take: dict[str, Array | int] | None = None, slot: Array | int | None = None
) -> Work:
    """Work `c = c + a @ b` on every core."""
    return Work(reads=(a, b, c), write=c, function=_multiply_add, take=take or {}, slot=slot)


@dataclass(frozen=True, eq=False)
class Step:
    """Moves and work that happen at the same time; both read the state before the step."""

    label: str
    moves: tuple[Move, ...] = ()
    work: Work | None = None


@dataclass(frozen=True, eq=False)
class Repeat:
    """Steps done `times` times over."""

    steps: tuple[Step, ...]
    times: int


@dataclass(frozen=True, eq=False)
class Buffer:
    """Memory that every core sets aside for one tile, or for `places` tiles.

    Attributes
    ----------
    dims : tuple of str
        Tile dims: two of "m", "k" and "n", or "n" alone for vectors; "t" in place of "k" for tables of k numbers.
    places : int
        Tiles held side by side.
    double : bool
        A second copy takes in the next tile while this one is used; needed where a move (that does not combine) brings
        a tile into a buffer of one place that the same step multiplies or sends.
    stream : bool
        The tiles come one after the other from the computation before; only one is held at a time.
    bits : int, optional
        Bits of an entry that is packed in memory; the size of its type when left out.
    """

    dims: tuple[str, ...]
    places: int = 1
    double: bool = False
    stream: bool = False
    bits: int | None = None

    @property
    def tiles(self) -> int:
        """Tiles of memory per core."""
        return 1 if self.stream else self.places * (2 if self.double else 1)


@dataclass(frozen=True, eq=False)
class Operand:
    """Which block of a matrix each core holds: block row and block column, broadcastable to (y, x).

    `blocks` counts the block rows and block columns of the whole matrix.  For a buffer with several places
    `row` or `column` has dims (place, y, x).
    """

    row: Array
    column: Array
    blocks: tuple[int, int]


@dataclass(frozen=True, kw_only=True, eq=False)
class Placement:
    """Physical row of each logical row, physical column of each logical column.

    Attributes
    ----------
    shape : (int, int)
        Physical cores, as (rows, columns).
    y, x : array
        Shapes (logical rows,) and (logical columns,).
    """

    shape: tuple[int, int]
    y: Array
    x: Array

    @classmethod
    def identity(cls, shape: tuple[int, int]) -> Placement:
        """Every core where it says it is."""
        return cls(shape=shape, y=np.arange(shape[0]), x=np.arange(shape[1]))

    @classmethod
    def folded(cls, logical: tuple[int, int], shape: tuple[int, int]) -> Placement:
        """Neighbouring logical cores on one physical core, evenly; logical sides are multiples of physical ones."""
        y, x = (np.arange(big) // (big // small) for big, small in zip(logical, shape, strict=True))
        return cls(shape=shape, y=y, x=x)

    @property
    def is_identity(self) -> bool:
        """True when no core holds more than its own tiles."""
        return all(
            np.array_equal(line, np.arange(n)) for line, n in zip((self.y, self.x), self.shape, strict=True)
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """A distributed algorithm on a mesh: what is held where, and what happens step by step.

    Attributes
    ----------
    name : str
        Name shown to people.
    shape : (int, int)
        Logical cores, as (rows, columns).
    body : tuple of Step or Repeat
        The steps, repeats kept as repeats.
    buffers : dict of str to Buffer
        Memory of every core.
    operands : dict of str to Operand
        Buffers filled before the first step, from which block.
    result : str
        Buffer that holds the result at the end.
    kind : str
        What the program computes: "gemm", "gemv", or on vectors "allreduce", "reduce_scatter", "allgather", "cache".
    outcome : Operand, optional
        Which block of the result each core holds at the end; block (y, x) when left out.
    paper : str
        Where the algorithm is published.
    transposed : bool
        The second operand of shape (N, K) is used as its transpose.
    placement : Placement, optional
        Logical to physical cores; identity when left out.
    """

    name: str
    shape: tuple[int, int]
    body: tuple[Step | Repeat, ...]
    buffers: dict[str, Buffer]
    operands: dict[str, Operand]
    result: str = "C"
    paper: str = ""
    transposed: bool = False
    placement: Placement | None = None
    kind: Kind = "gemm"
    outcome: Operand | None = None

    def __post_init__(self) -> None:
        from waferviz.checks import check
        from waferviz.layout import check_layout

        check_layout(self)
        for repeat in self.repeats:
            for step in repeat.steps:
                check(self, step, repeat.times)

    @property
    def repeats(self) -> tuple[Repeat, ...]:
        """The body with single steps as repeats of one."""
        return tuple(part if isinstance(part, Repeat) else Repeat((part,), 1) for part in self.body)

    def __len__(self) -> int:
        return sum(part.times * len(part.steps) for part in self.repeats)

    def __iter__(self) -> Iterator[tuple[Step, int]]:
        """Every step in order, with the number of its repeat."""
        for part in self.repeats:
            for repeat in range(part.times):
                for step in part.steps:
                    yield step, repeat

    @property
    def place(self) -> Placement:
        """The placement, identity when none is given."""
        return self.placement or Placement.identity(self.shape)

    @property
    def replicated(self) -> str:
        """Axis along which all cores end with the same block of the product, "" for none."""
        if self.kind != "gemv":
            return ""
        moves = (move for part in self.repeats for step in part.steps for move in step.moves)
        return next((move.axis for move in moves if move.write == self.result), "")

    @property
    def on_vectors(self) -> bool:
        """True for programs on one vector per core, False for products."""
        return self.kind not in ("gemm", "gemv")

    @property
    def blocks(self) -> dict[str, int]:
        """Number of blocks along m, k and n; for programs on vectors of their chunks along n."""
        if self.on_vectors:
            return {"n": 1 if self.kind == "cache" else self.buffers[self.result].places}
        a, b = self.operands["A"], self.operands["B"]
        return {"m": a.blocks[0], "k": a.blocks[1], "n": b.blocks[0 if self.transposed else 1]}


def code_of(function: Callable[..., object]) -> str:
    """Source text of a function, or "" where there is none to be had."""
    try:
        return inspect.getsource(inspect.unwrap(function))
    except (OSError, TypeError):
        return ""
