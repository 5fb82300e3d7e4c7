"""The transfers behind a move: sources, how far they reach, and the links they load.

A flow is a tree along one line: outward from a source to its destinations (a multicast is one flow), or, for
reductions relayed core by core, inward to a root.  Arrays have dims (repeat, line, flow), sizes 1 where nothing
depends on the dim; positions and reaches count physical cores and hops along the move's axis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from waferviz.legs import broadcasts, chains, spans
from waferviz.program import Array, Move, Placement, Program
from waferviz.stretches import counted, covered, signed
from waferviz.trees import reach

DIRECTIONS = ("east", "west", "south", "north")


@dataclass(frozen=True, kw_only=True, eq=False)
class Flows:
    """Flows of one move along one axis.

    Attributes
    ----------
    axis : "x" or "y"
        Forward is east for x and south for y.
    origin : array
        Core a flow starts from; root of an inward flow.
    ahead, behind : array
        Hops reached forward and backward of the origin; 0 and 0 for a tile that stays.
    taken, given : array
        Tiles that end and that start at each core, dims (repeat, line, core); with core of size 1 the most.
    active : array of bool
        Lines that move, dims (repeat, line).
    inward : bool
        Tiles run towards the origin and are united at every core on the way.
    relay : bool
        Cores on the way take in and resend.
    length : int
        Physical cores of a line.
    line : array
        Physical line of each logical line.
    lines : int
        Physical lines.
    climbs : (array, array), optional
        For a tree, longest way from a leaf to its root in hops, and in edges, each of shape (repeat,).
    """

    move: Move
    axis: str
    origin: Array
    ahead: Array
    behind: Array
    taken: Array
    given: Array
    active: Array
    inward: bool
    relay: bool
    length: int
    line: Array
    lines: int
    climbs: tuple[Array, Array] | None = None

    @cached_property
    def repeats(self) -> int:
        """Repeats after which the flows start over."""
        return max(len(self.origin), len(self.active))

    def hops(self, times: int) -> Array:
        """Longest way in each repeat, shape (times,)."""
        if self.climbs:
            return np.broadcast_to(self.climbs[0], (times,))
        far = np.maximum(self.ahead, self.behind).max(axis=2)
        return np.broadcast_to(np.where(self.active, far, 0).max(axis=1), (times,))

    def stages(self, times: int) -> Array:
        """Most cores that take in and send on along one way in each repeat, shape (times,)."""
        if self.climbs:
            return np.broadcast_to(self.climbs[1], (times,))
        return self.hops(times) if self.relay else np.zeros(times, np.int64)

    def links(self, repeat: int) -> Array:
        """Flows per directed link leaving each core: dims (forward and backward, physical line | 1, core)."""
        at = min(repeat, len(self.origin) - 1)
        each = self.coverage(self.origin[at], self.ahead[at], self.behind[at])
        return self.by_line(each, self.active[min(repeat, len(self.active) - 1)])

    def coverage(self, origin: Array, ahead: Array, behind: Array) -> Array:
        """Flows per directed link of each logical line, dims (direction, line | 1, core)."""
        first = (origin, origin - behind + 1) if not self.inward else (origin - behind, origin + 1)
        long = (ahead, behind) if not self.inward else (behind, ahead)
        return np.stack([covered(lo, n, self.length) for lo, n in zip(first, long, strict=True)])

    def total(self, times: int) -> Array:
        """Flows over each directed link summed over all repeats, dims (forward and backward, physical line | 1, core)."""
        always = np.ones(1, bool)
        if len(self.origin) == 1:
            on = self.active.sum(axis=0) * (times if len(self.active) == 1 else 1)
            each = self.coverage(self.origin[0], self.ahead[0], self.behind[0])
            return self.by_line(each * on[:, None], always)
        if len(self.active) == 1 and self.active.all():
            fold = [
                np.moveaxis(part, 0, 1).reshape(part.shape[1], -1)
                for part in np.broadcast_arrays(self.origin, self.ahead, self.behind)
            ]
            return self.by_line(self.coverage(*fold), always)
        return np.asarray(sum(self.links(repeat) for repeat in range(times)))

    def received(self, repeat: int) -> Array:
        """Tiles taken in by each core, those it only relays included: dims (physical line | 1, core | 1)."""
        if self.relay:
            forward, backward = self.links(repeat)
            return np.roll(forward, 1, axis=-1) + np.roll(backward, -1, axis=-1)
        return self._summed(self.taken, repeat)

    def sent(self, repeat: int) -> Array:
        """Tiles handed over by each core, those it only passes on left out: dims (physical line | 1, core | 1)."""
        if self.inward:
            forward, backward = self.links(repeat)
            return forward + backward
        return self._summed(self.given, repeat)

    def _summed(self, tiles: Array, repeat: int) -> Array:
        each = tiles[min(repeat, len(tiles) - 1)]
        return self.by_line(each[None], self.active[min(repeat, len(self.active) - 1)])[0]

    def by_line(self, each: Array, active: Array) -> Array:
        """Sum over the logical lines of every physical one; dims (..., line | 1, core)."""
        if len(self.line) == self.lines:
            return each if active.all() else each * active[:, None]
        whole = np.zeros((len(each), self.lines, each.shape[2]), np.int64)
        moving = np.broadcast_to(active, (len(self.line),))
        spread = np.broadcast_to(each, (len(each), len(self.line), each.shape[2]))
        np.add.at(whole.swapaxes(0, 1), self.line[moving], spread[:, moving].swapaxes(0, 1))
        return whole


def flows(
    program: Program, placement: Placement | None = None, *, wrap: bool = False
) -> list[list[list[Flows]]]:
    """Transfers of every step of every repeat of a program: [repeat][step][flow set].

    Parameters
    ----------
    placement : Placement, optional
        Logical to physical cores; the program's own when left out.
    wrap : bool
        Links from the last core of a line to its first exist (a torus) and are used when shorter.
    """
    place = placement or program.place
    return [
        [
            [flow for move in step.moves for flow in flows_of(move, program.shape, place, wrap=wrap)]
            for step in part.steps
        ]
        for part in program.repeats
    ]


def flows_of(
    move: Move, shape: tuple[int, int], place: Placement, *, wrap: bool = False
) -> tuple[Flows, ...]:
    """Flows of one move: one set for axis x or y, two (first along x, then along y) for axis xy."""
    if move.tree:
        plain = flows_of(replace(move, tree=False), shape, place, wrap=wrap)
        return tuple(replace(flow, move=move, climbs=_climbs(move, plain, shape)) for flow in plain)
    if move.axis == "xy":
        return _two_legs(move, shape, place, wrap=wrap)
    axis = 2 if move.axis == "x" else 1
    index = move.index if axis == 2 else move.index.swapaxes(1, 2)
    cores, across = (place.x, place.y) if axis == 2 else (place.y, place.x)
    length, lines = place.shape[::-1] if axis == 2 else place.shape
    there = np.where(index >= 0, cores[index], -1)
    if move.target is not None and move.relay:
        legs = chains(there, cores, length)
    elif index.shape[2] == 1 and move.target is None:
        legs = broadcasts(there, length, wrap=wrap)
    else:
        legs = spans(index, cores, length, wrap=wrap, multicast=move.target is None)
    return (
        Flows(
            move=move, axis=move.axis, origin=legs[0], ahead=legs[1], behind=legs[2], taken=legs[3], given=legs[4], active=move.lines,
            inward=move.target is not None and move.relay, relay=move.relay, length=length, line=across, lines=lines,
        ),
    )  # fmt: skip


def _climbs(move: Move, edges: tuple[Flows, ...], shape: tuple[int, int]) -> tuple[Array, Array]:
    """Longest way from a leaf to its root in each repeat: hops, and cores that take in."""
    masked = np.stack([move.at(repeat) for repeat in range(max(len(move.index), len(move.lines)))])
    if move.axis == "xy":
        parent = np.broadcast_to(masked, (len(masked), *shape)).reshape(len(masked), 1, -1)
        far = sum((flow.ahead + flow.behind).sum(axis=1, keepdims=True) for flow in edges)
    else:
        parent = masked if move.axis == "x" else masked.swapaxes(1, 2)
        far = edges[0].ahead + edges[0].behind
    hops, stages = reach(parent, far)
    return hops.max(axis=(1, 2)), stages.max(axis=(1, 2))


def _two_legs(move: Move, shape: tuple[int, int], place: Placement, *, wrap: bool) -> tuple[Flows, ...]:
    """Flows of a move in two dimensions: every tile alone, along x in its row, then along y in its column."""
    masked = np.where(move.lines[:, None, :], move.index, -1)
    index = np.broadcast_to(masked, (len(masked), *shape)).reshape(len(masked), -1)
    here = np.broadcast_to(np.arange(shape[0] * shape[1]), index.shape)
    source, end = (index, here) if move.target is None else (here, index)
    moved = (index >= 0) & (index != here)
    from_y, from_x, to_y, to_x = (
        cores[
            np.where(moved, core, 0) // shape[1] if cores is place.y else np.where(moved, core, 0) % shape[1]
        ]
        for core in (source, end)
        for cores in (place.y, place.x)
    )
    moved &= (from_y != to_y) | (from_x != to_x)
    rows, columns = place.shape
    legs = []
    for axis, line, start, stop, length, lines in (
        ("x", from_y, from_x, to_x, columns, rows),
        ("y", to_x, from_y, to_y, rows, columns),
    ):
        way = np.where(moved, signed(stop - start, length, wrap=wrap), 0)
        own = np.arange(lines)[None, :, None] == line[:, None, :]
        ends = [
            counted(
                own & moved[:, None, :] & (axis == leg), np.broadcast_to(at[:, None, :], own.shape), length
            )
            for leg, at in (("y", stop), ("x", start))
        ]
        legs.append(
            Flows(
                move=move, axis=axis, origin=np.broadcast_to(start[:, None, :], own.shape),
                ahead=np.where(own, np.maximum(way, 0)[:, None, :], 0), behind=np.where(own, np.maximum(-way, 0)[:, None, :], 0),
                taken=ends[0], given=ends[1], active=np.ones((1, 1), bool), inward=False, relay=move.relay, length=length, line=np.arange(lines), lines=lines,
            )
        )  # fmt: skip
    return tuple(legs)
