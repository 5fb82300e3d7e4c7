"""When the tiles of a step enter the cores under data flow, by how they travel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from waferviz.program import Array
from waferviz.streams import Line, Pairs
from waferviz.stretches import most


class Tile(NamedTuple):
    """One tile on its way into one core: who sent it and when, and its cycles as in Routed."""

    source: tuple[int, int]
    begun: float
    way: float
    words: float
    tail: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Routed:
    """A tile per core through routers.

    Attributes
    ----------
    stream : Line
        Where the tiles come from.
    way : array
        Cycles from the sender's first word to the cycle that stores it, minus infinity where nothing comes.
    words : array
        Cycles in which the tile enters, 0 where nothing comes.
    tail : array
        Cycles between first and last word as they leave: all that the sender hands over, or the busiest link.
    """

    stream: Line
    way: Array
    words: Array
    tail: Array

    def heads(self, ready: Array) -> tuple[Array, Array, Array]:
        """First word, words and tail of what enters each core when cores begin at `ready`."""
        source, along = self.stream.source, 1 if self.stream.axis == "x" else 0
        if source.shape[1 - along] == 1:
            begun = np.take(ready, source.ravel(), axis=along)
        else:
            begun = np.take_along_axis(ready, source, axis=along)
        return begun + self.way, self.words, self.tail

    def into(self, core: tuple[int, int], ready: Array) -> list[Tile]:
        """The tile that enters one core, where one does."""
        if not pick(self.words, core):
            return []
        there = self.stream.sender(core, abs(int(pick(self.stream.way, core))))
        return [
            Tile(there, ready[there], pick(self.way, core), pick(self.words, core), pick(self.tail, core))
        ]


@dataclass(frozen=True, kw_only=True, eq=False)
class Relayed:
    """A tile per core that cores on the way take in and resend; they too must have begun the step."""

    stream: Line
    relay: float
    words: Array
    tail: Array

    def heads(self, ready: Array) -> tuple[Array, Array, Array]:
        """See Routed."""
        out = np.full(ready.shape, -np.inf)
        along = self.stream.axis == "x"
        begun, out_along = (ready, out) if along else (ready.T, out.T)
        for way, stretch in self._stretches:
            moved, first, number, gate = stretch
            slope = way * self.relay * np.arange(begun.shape[1])
            if gate is not None:
                latest = np.maximum.accumulate((begun - slope + gate)[:, ::way], axis=1)[:, ::way]
                came = latest[:, :-1] + slope[1:] if way > 0 else latest[:, 1:] + slope[:-1]
                part = slice(1, None) if way > 0 else slice(None, -1)
                np.copyto(out_along[:, part], came, where=moved[:, part])
                continue
            twice = np.tile(begun, 2) - way * self.relay * np.arange(2 * begun.shape[1])
            here = first + number if way > 0 else first - 1
            came = most(twice, np.arange(len(begun))[:, None], first, number) + way * self.relay * here
            np.copyto(out_along, came, where=moved)
        return out, self.words, self.tail

    def into(self, core: tuple[int, int], ready: Array) -> list[Tile]:
        """The tile that enters one core, as sent by the core on its way that it waits for."""
        hops = abs(int(pick(self.stream.way, core)))
        before = [(self.stream.sender(core, gone), gone * self.relay) for gone in range(1, hops + 1)]
        if not before:
            return []
        there, way = max(before, key=lambda one: ready[one[0]] + one[1])
        return [Tile(there, ready[there], way, pick(self.words, core), pick(self.tail, core))]

    @cached_property
    def _stretches(self) -> list[tuple[int, tuple[Array, Array, Array, Array | None]]]:
        """For each direction in use: who takes in, the stretch of cores before them, and a gate where lines have one source."""
        along = self.stream.axis == "x"
        way, source = (each if along else each.T for each in (self.stream.way, self.stream.source))
        length = way.shape[1]
        here, found = np.arange(length), []
        for sign in (1, -1):
            moved = sign * way > 0
            if moved.any():
                number = np.where(moved, abs(way), 1)
                first = source if sign > 0 else (here + 1) % length
                far = np.where(moved, source, -1).max(axis=1, keepdims=True)
                single = ((source == far) | ~moved).all() and (sign * (here - source) == abs(way))[
                    moved
                ].all()
                gate = np.where((sign * (here - far) >= 0) & (far >= 0), 0, -np.inf) if single else None
                found.append((sign, (moved, np.where(moved, first, 0), number, gate)))
        return found


@dataclass(frozen=True, kw_only=True, eq=False)
class Bundled:
    """Tiles between any two cores, several of which may enter one core, first come first served."""

    stream: Pairs
    way: Array
    words: float
    tail: Array

    def heads(self, ready: Array) -> tuple[Array, Array, Array]:
        """See Routed; what enters one core counts as one tile that ends when the last of them does."""
        target, cores = self.stream.target, ready.size
        first = ready.ravel()[self.stream.source] + self.way
        order = np.lexsort((first, target))
        sorted_to = target[order]
        behind = np.searchsorted(sorted_to, sorted_to, side="right") - np.arange(len(order))
        ended, left = np.full((2, cores), -np.inf)
        np.maximum.at(ended, sorted_to, first[order] + behind * self.words)
        np.maximum.at(left, target, first + self.tail)
        enter = np.bincount(target, minlength=cores) * self.words
        head = ended - enter
        tail = np.where(enter > 0, left, 0) - np.where(enter > 0, head, 0)
        head, enter, tail = (each.reshape(ready.shape) for each in (head, enter, tail))
        return head, enter, tail

    def into(self, core: tuple[int, int], ready: Array) -> list[Tile]:
        """The tiles that enter one core."""
        here = np.flatnonzero(self.stream.target == core[0] * self.stream.shape[1] + core[1])
        sent = [divmod(int(self.stream.source[tile]), self.stream.shape[1]) for tile in here]
        return [
            Tile(there, ready[there], self.way[tile], self.words, self.tail[tile])
            for there, tile in zip(sent, here, strict=True)
        ]


@dataclass(frozen=True, kw_only=True, eq=False)
class Climbing:
    """Sums on their way up trees, word by word: a core passes a word on once it has come from all its children."""

    stream: Pairs
    way: Array
    words: Array
    edges: Array

    def heads(self, ready: Array) -> tuple[Array, Array, Array]:
        """See Routed; the words of all children enter side by side."""
        left = ready.ravel().copy()
        head = np.full(ready.size, -np.inf)
        for level in self._levels:
            source, target = self.stream.source[level], self.stream.target[level]
            np.maximum.at(head, target, left[source] + self.way[level])
            np.maximum.at(left, target, head[target])
        return head.reshape(ready.shape), self.words, self.tail

    @cached_property
    def tail(self) -> Array:
        """Cycles between first and last word of each core's sum: the slowest core or link below it sets the pace."""
        pace = self.words.flatten()
        for level in self._levels:
            source, target = self.stream.source[level], self.stream.target[level]
            np.maximum.at(pace, target, np.maximum(pace[source], self.edges[level]))
        return pace.reshape(self.words.shape)

    @cached_property
    def _levels(self) -> list[Array]:
        """Edges by the distance of their sender from its root, farthest first."""
        depth = self.stream.depth
        return [np.flatnonzero(depth == number) for number in range(int(depth.max(initial=0)), 0, -1)]

    def into(self, core: tuple[int, int], ready: Array) -> list[Tile]:
        """The leaf or inner core that the sum in one core waits for."""
        columns = self.stream.shape[1]
        ways = np.full(self.stream.given.size, -np.inf)
        ways[core[0] * columns + core[1]] = 0
        for level in reversed(self._levels):
            ways[self.stream.source[level]] = ways[self.stream.target[level]] + self.way[level]
        ways[core[0] * columns + core[1]] = -np.inf
        farthest = int(np.argmax(ready.ravel() + ways))
        if ways[farthest] < 0:
            return []
        there = divmod(farthest, columns)
        return [Tile(there, ready[there], ways[farthest], pick(self.words, core), pick(self.tail, core))]


Entry = Routed | Relayed | Bundled | Climbing


def last_word(tile: Tile, others: list[Tile]) -> float:
    """Cycle at which a tile's last word, and those of the tiles that begin to enter after it, have entered."""
    head = tile.begun + tile.way
    behind = sum(other.words for other in others if other.begun + other.way >= head)
    return head + max(tile.tail, behind)


def pick(values: Array, core: tuple[int, int]) -> float:
    """Value at one core of an array broadcastable to (y, x)."""
    return values[core[0] % values.shape[0], core[1] % values.shape[1]]
