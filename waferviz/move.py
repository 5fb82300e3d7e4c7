"""Moves: one transfer of every core at once, as one index array.

Index arrays have dims (repeat, y, x), each of size 1 where nothing depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Axis = Literal["x", "y", "xy"]
Array = NDArray[Any]


def at_repeat(place: Array | int | None, repeat: int) -> Any:
    """Place of a buffer in one repeat, or places of shape (y | 1, x | 1); 0 when there is only one."""
    if place is None:
        return 0
    places = np.atleast_1d(place)
    found = places[min(repeat, len(places) - 1)]
    return int(found) if np.ndim(found) == 0 else found


@dataclass(frozen=True, kw_only=True, eq=False)
class Move:
    """One transfer of every core at once: where each core receives from, or where it sends to.

    Attributes
    ----------
    read, write : str
        Buffer a tile leaves, buffer it arrives in.
    axis : "x", "y" or "xy"
        Direction of travel; with "xy" the index counts cores row by row and routes go along x, then y.
    source : array, optional
        Index of the core each core receives from, -1 for none: shape (cores along axis,), (y, x) or (repeat, y, x).
    target : array, optional
        Index of the core each core sends to, -1 for none; needs `combine`.
    combine : "add" or "max", optional
        How tiles that arrive at one core are united with each other and with what is there.
    only : array of bool, optional
        Lines (rows for axis "x", columns for "y") that move: shape (lines,) or (repeat, lines).
    relay : bool
        Cores on the way take in and resend every word, instead of routers passing it through.
    tree : bool
        `target` is the parent of each core in a tree: what arrives at a core that sends is added to its own tile
        and sent on, word by word, within the step; only roots (-1) keep it.  See `waferviz.trees`.
    take, slot : int or array of shape (repeat,) or (repeat, y, x), optional
        Place of the read buffer that is sent (on the core that sends), place of the write buffer that is filled (on
        the core that receives).
    """

    read: str
    write: str
    axis: Axis
    source: Array | None = None
    target: Array | None = None
    combine: Literal["add", "max"] | None = None
    only: Array | None = None
    relay: bool = False
    tree: bool = False
    take: Array | int | None = None
    slot: Array | int | None = None

    def __post_init__(self) -> None:
        if self.axis not in ("x", "y", "xy"):
            raise ValueError(
                f"move of {self.read} to {self.write}: axis={self.axis!r}; choose 'x' (along rows), 'y' (along columns) or 'xy'"
            )
        if (self.source is None) == (self.target is None):
            raise ValueError(f"move of {self.read} to {self.write}: give either source or target")
        if self.target is not None and self.combine is None:
            raise ValueError(
                f"move of {self.read} to {self.write}: several cores may send to one; give combine='add' or 'max'"
            )
        if self.combine is not None and self.combine not in ("add", "max"):
            raise ValueError(
                f"move of {self.read} to {self.write}: combine={self.combine!r}; choose 'add' or 'max'"
            )
        if self.tree and (self.target is None or self.relay):
            raise ValueError(
                f"move of {self.read} to {self.write}: a tree needs its parents as target, and no relay"
            )

    @cached_property
    def index(self) -> Array:
        """The index array with dims (repeat, y, x), sizes 1 where nothing depends on the dim."""
        index = np.asarray(self.source if self.target is None else self.target)
        if index.ndim == 1:
            return index[None, :, None] if self.axis == "y" else index[None, None, :]
        return index if index.ndim == 3 else index[None]

    @cached_property
    def lines(self) -> Array:
        """Which lines move, dims (repeat, line), sizes 1 where nothing depends on the dim."""
        if self.only is None:
            return np.ones((1, 1), dtype=bool)
        return np.atleast_2d(np.asarray(self.only, dtype=bool))

    def at(self, repeat: int) -> Array:
        """Index of shape (y | 1, x | 1) in one repeat, -1 where a line does not move."""
        index = self.index[min(repeat, len(self.index) - 1)]
        if self.only is None:
            return index
        lines = self.lines[min(repeat, len(self.lines) - 1)]
        return np.where(lines[:, None] if self.axis == "x" else lines, index, -1)

    @property
    def repeats(self) -> int:
        """Repeats after which the move starts over; 1 when every repeat is alike."""
        places = [len(np.atleast_1d(place)) for place in (self.take, self.slot) if place is not None]
        return max(len(self.index), len(self.lines), *places, 1)
