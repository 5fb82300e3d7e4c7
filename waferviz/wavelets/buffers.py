"""Finite buffers: one per link and colour, and what happens when they fill each other up."""

from __future__ import annotations

import numpy as np

from waferviz.program import Array
from waferviz.wavelets.paths import TAKEN, Lanes, Segments
from waferviz.wavelets.traffic import NONE, Traffic
from waferviz.wavelets.turns import NEVER


class DeadlockError(RuntimeError):
    """Words that wait for each other's buffers; `links` names the links they wait for, in a circle."""

    def __init__(self, message: str, links: list[str]) -> None:
        super().__init__(message)
        self.links = links


class Buffers:
    """Words that crossed a link and have not left its router, for every link and colour.

    A buffer holds what is on the wire before it and `queue` words more.
    """

    def __init__(self, traffic: Traffic, lanes: Lanes, segments: Segments, delay: Array, queue: int) -> None:
        self.segments, self.queue = segments, queue
        self.cores, self.columns = traffic.shape[0] * traffic.shape[1], traffic.shape[1]
        kind, parent = segments.kind, segments.parent
        self.behind = np.flatnonzero(parent != NONE)
        colour = traffic.colour[lanes.first[segments.lane]]
        key = segments.link * (int(colour.max(initial=0)) + 1) + colour
        _, self.buffer = np.unique(key, return_inverse=True)
        self.buffer = np.where(kind == TAKEN, NONE, self.buffer)
        self.space = queue + delay[kind]

    def room(self, crossed: Array) -> Array:
        """Segments behind which a word more has room."""
        left = np.full(len(crossed), NEVER)
        np.minimum.at(left, self.segments.parent[self.behind], crossed[self.behind])
        held = np.where(self.buffer >= 0, crossed - np.minimum(left, crossed), 0)
        some = self.buffer >= 0
        total = np.bincount(self.buffer[some], held[some])
        return np.where(some, total[self.buffer] < self.space, True).astype(np.int32)

    def deadlock(self, at_hand: Array, now: int) -> DeadlockError:
        """The circle of full buffers that words wait for."""
        waits: dict[int, int] = {}
        stuck = np.flatnonzero((at_hand > 0) & (self.segments.parent != NONE))
        for segment in stuck:
            waits.setdefault(
                int(self.segments.link[self.segments.parent[segment]]), int(self.segments.link[segment])
            )
        seen: list[int] = []
        for start in waits:
            link, seen = start, []
            while link in waits and link not in seen:
                seen.append(link)
                link = waits[link]
            if link in seen:
                break
        circle = [self._name(each) for each in (seen[seen.index(link) :] if link in seen else seen)]
        return DeadlockError(
            f"deadlock at cycle {now}: the buffers of {len(circle)} links wait for each other, {' -> '.join(circle)}; "
            f"give the messages different colours, more than queue={self.queue} words of buffer, or other routes",
            circle,
        )

    def _name(self, link: int) -> str:
        kind, core = divmod(link, self.cores)
        what = ("east", "west", "south", "north", "into the router", "out of the router")[min(kind, 5)]
        return f"({core // self.columns},{core % self.columns}) {what}"
