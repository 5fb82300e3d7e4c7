"""Trees of cores that add up: who sends to whom, in which order children are added, how far the leaves are.

A tree is an array of parents: entry c is the core that c sends to, -1 for cores that do not send.  Children of
one core are added nearest first, of two equally near ones the one further along the line first.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from waferviz.program import Array, Move


@dataclass(frozen=True, eq=False)
class Order:
    """The additions of a tree as rounds in which no core adds twice.

    Attributes
    ----------
    nodes : array
        Cores that send or receive.
    roots : array
        Places in `nodes` of those that do not send.
    rounds : tuple of (array, array)
        Places in `nodes` of children whose sums are complete, and of their parents.
    alike : bool
        Cores are counted along the line and every line does the same; otherwise they are counted row by row.
    """

    nodes: Array
    roots: Array
    rounds: tuple[tuple[Array, Array], ...]
    alike: bool

    def at(self, places: Array, axis: str, columns: int) -> tuple[Array | slice, ...]:
        """Index of nodes in arrays of dims (y, x, ...)."""
        cores = self.nodes[places]
        if not self.alike:
            return cores // columns, cores % columns
        return (slice(None), cores) if axis == "x" else (cores,)


@lru_cache(maxsize=512)
def order(move: Move, repeat: int, shape: tuple[int, int]) -> Order:
    """Order of additions of a move along a tree in one repeat."""
    index = move.at(repeat)
    along = {"x": 1, "y": 0}.get(move.axis, -1)
    alike = along >= 0 and index.shape[1 - along] == 1
    parent = index.ravel() if alike else _flat(move, index, shape)
    parent = np.where(parent == np.arange(len(parent)), -1, parent)
    sends = parent >= 0
    nodes = np.flatnonzero(sends | (np.bincount(parent[sends], minlength=len(parent)) > 0))
    place = np.zeros(len(parent), int)
    place[nodes] = np.arange(len(nodes))
    up = np.where(parent[nodes] >= 0, place[parent[nodes]], -1)
    columns = 1 if alike else shape[1]
    near = abs(nodes // columns - parent[nodes] // columns) + abs(nodes % columns - parent[nodes] % columns)
    return Order(nodes, np.flatnonzero(up < 0), _rounds(up, near), alike)


def reach(parent: Array, far: Array | int = 1) -> tuple[Array, Array]:
    """Hops and edges from every core to its root; `far` counts the hops to the parent.

    Parameters
    ----------
    parent : array
        Dims (..., core), -1 for cores that do not send.
    far : array
        Hops to the parent, broadcastable to `parent`.

    Raises
    ------
    ValueError
        When cores send round in a circle.
    """
    up = np.where(parent == np.arange(parent.shape[-1]), -1, parent)
    edges = (up >= 0).astype(np.int64)
    hops = edges * far
    for _ in range(int(parent.shape[-1]).bit_length() + 1):
        on = up >= 0
        if not on.any():
            return hops, edges
        to = np.maximum(up, 0)
        hops, edges = (part + np.where(on, np.take_along_axis(part, to, -1), 0) for part in (hops, edges))
        up = np.where(on, np.take_along_axis(up, to, -1), -1)
    core = int(np.argwhere(up >= 0)[0][-1])
    raise ValueError(
        f"parents form a circle: core {core} sends, over others, to itself; let one core be the root, -1"
    )


def _flat(move: Move, index: Array, shape: tuple[int, int]) -> Array:
    """Parents counted row by row."""
    whole = np.broadcast_to(index, shape)
    y, x = np.ogrid[: shape[0], : shape[1]]
    to = {"x": y * shape[1] + whole, "y": whole * shape[1] + x, "xy": whole}[move.axis]
    return np.where(whole >= 0, to, -1).ravel()


def _rounds(up: Array, near: Array) -> tuple[tuple[Array, Array], ...]:
    """Children and parents of each round: a child goes when its sum is complete and its nearer siblings have gone."""
    depth = reach(up)[1]
    turn = np.zeros(len(up), int)
    ready = np.zeros(len(up), int)
    by_depth = np.argsort(depth, kind="stable")
    level = np.searchsorted(depth[by_depth], np.arange(1, int(depth.max(initial=0)) + 2))
    for low, high in zip(level[-2::-1], level[:0:-1], strict=True):
        here = by_depth[low:high]
        here = here[np.lexsort((-here, near[here], up[here]))]
        first = np.r_[True, up[here][1:] != up[here][:-1]]
        rank = np.arange(len(here)) - np.maximum.accumulate(np.where(first, np.arange(len(here)), 0))
        family = np.cumsum(first) * (len(up) + 1) * 2
        turn[here] = np.maximum.accumulate(ready[here] - rank + family) - family + rank
        np.maximum.at(ready, up[here], turn[here] + 1)
    sends = np.flatnonzero(up >= 0)
    sends = sends[np.argsort(turn[sends], kind="stable")]
    ends = np.searchsorted(turn[sends], np.arange(int(turn[sends].max(initial=-1)) + 2))
    return tuple((sends[lo:hi], up[sends[lo:hi]]) for lo, hi in pairwise(ends) if hi > lo)
