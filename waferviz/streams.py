"""Streams: what a step brings into each core, seen from the core that takes it in.

A `Line` is one tile per core, from a core of the same row or column: most moves are one or two of these, and cost
a slice.  `Pairs` are tiles between any two cores: moves in two dimensions, folded meshes, direct reductions.
Positions and hops are physical.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from waferviz.flows import Flows, flows_of
from waferviz.program import Array, Move, Placement
from waferviz.stretches import covered, signed
from waferviz.trees import reach


@dataclass(frozen=True, kw_only=True, eq=False)
class Line:
    """One tile per core, along a row or column.

    Attributes
    ----------
    axis : "x" or "y"
        Direction of travel.
    way : array of int
        Hops from where it comes from, negative backward, 0 for no tile: shape (y | 1, x | 1).
    tiles : array of int
        Tiles that enter: several where lines are folded onto one, 0 on lines that do not move; broadcastable to (y, x).
    given : array of int
        Tiles that each core hands to its router, broadcastable to (y, x).
    relay : bool
        Cores on the way take in and resend.
    """

    axis: str
    way: Array
    tiles: Array
    given: Array
    relay: bool

    @cached_property
    def source(self) -> Array:
        """Position along the axis that the tile comes from, shape of `way`."""
        along = 1 if self.axis == "x" else 0
        here = np.arange(self.way.shape[along]).reshape((1, -1) if along else (-1, 1))
        return (here - self.way) % self.way.shape[along]

    def sender(self, core: tuple[int, int], hops: int) -> tuple[int, int]:
        """Core that a tile has left `hops` before it enters `core`."""
        y, x = core
        way = self.way[y % self.way.shape[0], x % self.way.shape[1]]
        gone = hops if way > 0 else -hops
        if self.axis == "x":
            return y, int((x - gone) % self.way.shape[1])
        return int((y - gone) % self.way.shape[0]), x

    @cached_property
    def taken(self) -> Array:
        """Tiles that enter each core, broadcastable to (y, x)."""
        return np.where(self.way != 0, self.tiles, 0)

    @property
    def hops(self) -> Array:
        """Hops of the tile that enters each core, broadcastable to (y, x)."""
        return np.where(self.taken > 0, np.abs(self.way), 0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairs:
    """Tiles between any two cores.

    Attributes
    ----------
    source, target : array of int
        Flat positions of sender and receiver, shape (tiles,).
    across, down : array of int
        Hops along x, then along y, shape (tiles,).
    given : array of int
        Tiles that each core hands to its router, shape (y, x); a multicast is one.
    relay : bool
        Cores on the way take in and resend.
    depth : array of int
        Edges from the sender to its root in a tree, whose cores pass sums on within the step; 0 for other moves.
    shape : (int, int)
        Physical cores.
    """

    source: Array
    target: Array
    across: Array
    down: Array
    given: Array
    relay: bool
    depth: Array
    shape: tuple[int, int]

    @property
    def taken(self) -> Array:
        """Tiles that enter each core, shape (y, x)."""
        return np.bincount(self.target, minlength=self.given.size).reshape(self.shape)

    @property
    def hops(self) -> Array:
        """Hops of the longest way into each core, shape (y, x)."""
        out = np.zeros(self.shape[0] * self.shape[1], np.int64)
        np.maximum.at(out, self.target, abs(self.across) + abs(self.down))
        return out.reshape(self.shape)


Stream = Line | Pairs


def streams(
    move: Move, repeat: int, shape: tuple[int, int], place: Placement, *, wrap: bool, relayed: bool
) -> list[Stream]:
    """Streams of a move in one repeat; `relayed` broadcasts find no routes and go core by core."""
    if move.axis == "xy":
        return [_pairs(move, repeat, shape, place, wrap=wrap, relay=move.relay)]
    along = 1 if move.axis == "x" else 0
    if move.target is not None and move.relay:
        return list(_chains(flows_of(move, shape, place, wrap=wrap)[0], repeat))
    index = move.index[min(repeat, len(move.index) - 1)]
    broadcast = move.target is None and index.shape[along] == 1
    relay = move.relay or (relayed and broadcast)
    alike = index.shape[1 - along] == 1 and (shape[1 - along] == place.shape[1 - along] or move.only is None)
    whole = shape == place.shape or (alike and (broadcast or shape[along] == place.shape[along]))
    if move.target is None and whole:
        return [_line(move, index, repeat, place, wrap=wrap, relay=relay)]
    return [_pairs(move, repeat, shape, place, wrap=wrap, relay=relay)]


def _line(move: Move, index: Array, repeat: int, place: Placement, *, wrap: bool, relay: bool) -> Line:
    """Tiles taken from elsewhere on the line; lines that do not move take none."""
    along = 1 if move.axis == "x" else 0
    cores, lines = (place.x, place.y) if along else (place.y, place.x)
    length, across = place.shape[along], place.shape[1 - along]
    here, source = np.arange(length).reshape((1, -1) if along else (-1, 1)), cores[index]
    way = np.where(index >= 0, signed(here - source, length, wrap=wrap), 0)
    tiles = np.ones(1, np.int64) if len(lines) == across else np.bincount(lines, minlength=across)
    if move.only is not None:
        tiles = tiles * move.lines[min(repeat, len(move.lines) - 1)]
    tiles = tiles.reshape((-1, 1) if along else (1, -1))
    given = np.zeros(way.shape, np.int64)
    y, x = np.nonzero(way)
    sender = np.broadcast_to(source, way.shape)[y, x]
    given[(y, sender) if along else (sender, x)] = 1
    if relay:
        way = np.where(tiles > 0, way, 0)
    return Line(axis=move.axis, way=way, tiles=tiles, given=given * tiles, relay=relay)


def _chains(flow: Flows, repeat: int) -> Iterator[Line]:
    """Both halves of relayed reductions: every core on the way takes in what comes from the far end."""
    origin, ahead, behind = (
        part[min(repeat, len(part) - 1)] for part in (flow.origin, flow.ahead, flow.behind)
    )
    active = flow.active[min(repeat, len(flow.active) - 1)][:, None]
    for far_end, way in ((ahead, -1), (behind, 1)):
        number = np.broadcast_to(np.where(active, far_end, 0), (len(flow.line), origin.shape[1]))
        start = np.where(number > 0, origin, 0)
        far = np.tile(np.arange(flow.length), (flow.lines, 1))
        unite = np.maximum if way < 0 else np.minimum
        moved = np.nonzero(number)
        unite.at(far, (flow.line[moved[0]], start[moved]), (start - way * number)[moved])
        far = unite.accumulate(far[:, ::-way], axis=1)[:, ::-way]
        tiles, given = np.zeros((2, flow.lines, flow.length), np.int64)
        for count, out in ((tiles, 0), (given, 1)):
            np.add.at(
                count,
                flow.line,
                covered(start + out if way < 0 else start - number + 1 - out, number, flow.length),
            )
        each = [np.arange(flow.length) - far, tiles, given]
        hops, taken, handed = each if flow.axis == "x" else [part.T for part in each]
        yield Line(axis=flow.axis, way=hops, tiles=taken, given=handed, relay=True)


def _pairs(
    move: Move, repeat: int, shape: tuple[int, int], place: Placement, *, wrap: bool, relay: bool
) -> Pairs:
    """Every tile of a move that leaves its core, alone."""
    index = np.broadcast_to(move.at(repeat), shape)
    y, x = np.nonzero(index >= 0)
    named = index[y, x]
    if move.axis == "xy":
        other = (named // shape[1], named % shape[1])
    else:
        other = (y, named) if move.axis == "x" else (named, x)
    rows, columns = place.shape
    here, there = (place.y[v] * columns + place.x[u] for v, u in ((y, x), other))
    target, source = (here, there) if move.target is None else (there, here)
    moved = target != source
    if move.target is None and move.axis != "xy":
        stream = (other[0] * shape[1] + other[1]) * rows * columns + target
        moved[np.setdiff1d(np.arange(len(moved)), np.unique(stream, return_index=True)[1])] = False
    sender = (other[0] * shape[1] + other[1])[moved] if move.target is None else (y * shape[1] + x)[moved]
    sender = np.unique(sender) if move.target is None and move.axis != "xy" else sender
    given = np.bincount(
        place.y[sender // shape[1]] * columns + place.x[sender % shape[1]], minlength=rows * columns
    )
    source, target = source[moved], target[moved]
    depth = (
        _depth(y * shape[1] + x, other[0] * shape[1] + other[1], shape)
        if move.tree
        else np.zeros_like(moved, int)
    )
    return Pairs(
        source=source,
        target=target,
        across=signed(target % columns - source % columns, columns, wrap=wrap),
        down=signed(target // columns - source // columns, rows, wrap=wrap),
        given=given.reshape(rows, columns),
        relay=relay,
        depth=depth[moved],
        shape=place.shape,
    )


def _depth(child: Array, parent: Array, shape: tuple[int, int]) -> Array:
    """Edges from each child to the root of its tree, flat positions of logical cores."""
    up = np.full(shape[0] * shape[1], -1)
    up[child] = parent
    return reach(up)[1][child]
