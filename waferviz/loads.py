"""Loads of one step: the longest way, the busiest link and the busiest core of its flows, repeat by repeat."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from waferviz.flows import Flows
from waferviz.program import Array


def loads(found: list[tuple[Flows, int]], times: int) -> dict[str, Array]:
    """Longest way and busiest link and core of one step in each repeat; flows come with the words of one tile."""
    along = {axis: [(flow, words) for flow, words in found if flow.axis == axis] for axis in "xy"}
    zero, moves = np.zeros(times, np.int64), by_move([flow for flow, _ in found])
    once = {axis: [(flow, 1) for flow, _ in pairs] for axis, pairs in along.items()}
    return {
        "hops": np.max([zero, *(longest(legs, times) for legs in moves)], axis=0),
        "stages": np.max([zero, *(_stages(legs, times) for legs in moves)], axis=0),
        "link_flows": np.max([peaks(pairs, times, "links") for pairs in once.values()], axis=0),
        "link_words": np.max([peaks(pairs, times, "links") for pairs in along.values()], axis=0),
        "ramp_words": np.max([_ramp_words(along, times, way) for way in ("received", "sent")], axis=0),
    }


def _ramp_words(along: dict[str, list[tuple[Flows, int]]], times: int, way: str) -> Array:
    """Words into or out of the busiest core in each repeat; where moves along x and y both leave out lines, at most so many."""
    both = along["x"] + along["y"]
    if all(flow.origin.shape[1] == 1 for flow, _ in both) or not (along["x"] and along["y"]):
        return np.sum([peaks(pairs, times, way) for pairs in along.values()], axis=0)
    period = min(times, max(flow.repeats for flow, _ in both))
    one = [
        np.add(*(_handled(along[axis], repeat, way).swapaxes(0, int(axis == "y")) for axis in "xy")).max()
        for repeat in range(period)
    ]
    return np.resize(np.array(one, np.int64), times)


def _handled(pairs: list[tuple[Flows, int]], repeat: int, way: str) -> Array:
    """Words taken in or handed over by each core in the flows of one axis, dims (line | 1, core | 1)."""
    return np.asarray(sum(getattr(flow, way)(repeat) * words for flow, words in pairs))


def by_move(found: list[Flows]) -> list[list[Flows]]:
    """Flow sets of one step, those of one move together."""
    moves = {id(flow.move): [other for other in found if other.move is flow.move] for flow in found}
    return list(moves.values())


def longest(legs: list[Flows], times: int) -> Array:
    """Longest way of a tile in each repeat, both legs of a move in two dimensions added, shape (times,)."""
    if legs[0].move.axis != "xy" or legs[0].climbs:
        return np.max([flow.hops(times) for flow in legs], axis=0)
    way = np.sum([(flow.ahead + flow.behind).sum(axis=1) for flow in legs], axis=0)
    return np.broadcast_to(way.max(axis=1), (times,))


def _stages(legs: list[Flows], times: int) -> Array:
    """Most cores that take in and send on along one way in each repeat, shape (times,)."""
    return longest(legs, times) if legs[0].relay else legs[0].stages(times)


def is_multicast(flow: Flows) -> bool:
    """True when flows reach several cores: more cores take in than flows start."""
    return (
        not flow.inward
        and flow.move.target is None
        and flow.move.index.shape[2 if flow.axis == "x" else 1] == 1
        and flow.length > 1
    )


def peaks(pairs: list[tuple[Flows, int]], times: int, what: str) -> Array:
    """Largest weighted sum over links (or cores) of one axis in each repeat, shape (times,)."""
    sets = [flow for flow, _ in pairs]
    if not sets:
        return np.zeros(times, np.int64)
    alike = all(len(f.origin) == 1 and f.origin.shape[1] == 1 and len(f.line) == f.lines for f in sets)
    if alike and len(sets) <= 8:
        return _pattern_peaks(pairs, times, what)
    if len(sets) == 1 and sets[0].origin.shape[2] == 1 and len(sets[0].line) == sets[0].lines:
        flow, weight = pairs[0]
        both = what == "received" and flow.inward
        most = (np.add if both else np.logical_or)(flow.ahead > 0, (flow.behind > 0).astype(int)).max(axis=2)
        return np.broadcast_to(np.where(flow.active, most, 0).max(axis=1) * weight, (times,))
    period = max(flow.repeats for flow in sets)
    one = [sum(getattr(f, what)(repeat) * w for f, w in pairs).max() for repeat in range(min(period, times))]
    return np.resize(np.array(one, np.int64), times)


def _pattern_peaks(pairs: list[tuple[Flows, int]], times: int, what: str) -> Array:
    """Peaks when every line does the same or nothing: one profile per set of moves that are on together."""
    whole = [
        f.links(0) if what == "links" else getattr(f, what)(0)[None]
        for f in (_always(flow) for flow, _ in pairs)
    ]
    profile = [each[:, 0] * w for each, (_, w) in zip(whole, pairs, strict=True)]
    pattern = sum(np.left_shift(f.active.astype(int), bit) for bit, (f, _) in enumerate(pairs))
    table = np.zeros(1 << len(pairs), np.int64)
    for number in np.flatnonzero(np.bincount(np.ravel(pattern))):
        on = [each for bit, each in enumerate(profile) if number >> bit & 1]
        table[number] = sum(on).max() if on else 0  # type: ignore[union-attr]
    return np.broadcast_to(table[pattern].max(axis=1), (times,))


def _always(flow: Flows) -> Flows:
    return replace(flow, active=np.ones((1, 1), bool))


def until(flow: Flows, repeats: int | None) -> Flows | None:
    """The flows of the first repeats, None when there are none; of all repeats when `repeats` is None."""
    if repeats is None or repeats == 0:
        return flow if repeats is None else None
    parts = ("origin", "ahead", "behind", "taken", "given", "active")
    return replace(flow, **{part: getattr(flow, part)[:repeats] for part in parts})
