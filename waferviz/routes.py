"""Routes: the distinct flows through each router.  Flows with the same ends share one."""

from __future__ import annotations

import numpy as np

from waferviz.flows import Flows, covered
from waferviz.program import Array


def routes(found: list[Flows], lines: int, length: int) -> Array:
    """Distinct flows through each router of one axis, ends included, dims (line | 1, core)."""
    out = np.zeros((1, length), np.int32)
    alike = [
        flow for flow in found if len(flow.line) == flow.lines and (flow.origin.shape[1] == 1 or flow.relay)
    ]
    groups = _grouped(alike, lines)
    if groups:
        every = np.unique(np.concatenate([ends for ends, _ in groups]), axis=0)
        has = np.stack([np.isin(_packed(every), _packed(ends)) for ends, _ in groups])
        where = np.stack([mask for _, mask in groups])
        for pattern in np.unique(has, axis=1).T:
            chosen = every[(has == pattern[:, None]).all(axis=0)]
            on = where[pattern].any(axis=0)
            out = out + (_through(chosen, length) if on.all() else on[:, None] * _through(chosen, length))
    for flow in found:
        if not any(flow is other for other in alike):
            out = out + _by_line(flow, length)
    return out


def _grouped(found: list[Flows], lines: int) -> list[tuple[Array, Array]]:
    """Ends of flows and the lines they run on, one entry for moves with the same ends."""
    groups: list[tuple[Array, Array]] = []
    for flow in found:
        ends, mask = _ends(flow), np.broadcast_to(flow.active.any(axis=0), (lines,))
        same = [number for number, (known, _) in enumerate(groups) if np.array_equal(known, ends)]
        if same:
            groups[same[0]] = (ends, groups[same[0]][1] | mask)
        else:
            groups.append((ends, mask))
    return groups


def _ends(flow: Flows) -> Array:
    """Distinct (origin, ahead, behind) of flows that go anywhere; relayed ones are single hops."""
    if not flow.relay:
        three = np.stack(np.broadcast_arrays(flow.origin, flow.ahead, flow.behind), axis=-1)
        return np.unique(three[three[..., 1:].any(axis=-1)], axis=0).reshape(-1, 3)
    ahead_of, ahead = _distinct(flow.origin, flow.ahead, flow.length)
    behind_of, behind = _distinct(flow.origin, flow.behind, flow.length)
    links = (
        flow.coverage(ahead_of, ahead, 0 * ahead)[:, 0] + flow.coverage(behind_of, 0 * behind, behind)[:, 0]
    )
    forward, backward = (np.flatnonzero(each) for each in links)
    none, one = np.zeros_like, np.ones_like
    east = np.stack([forward, one(forward), none(forward)], axis=1)
    west = np.stack([backward, none(backward), one(backward)], axis=1)
    return np.concatenate([east, west])


def _distinct(origin: Array, reach: Array, length: int) -> tuple[Array, Array]:
    """Distinct pairs of origin and reach, each of shape (1, pairs)."""
    found = np.flatnonzero(np.bincount((origin * (length + 1) + reach)[reach > 0]))[None]
    return found // (length + 1), found % (length + 1)


def _packed(ends: Array) -> Array:
    return (ends[:, 0] << 40) + (ends[:, 1] << 20) + ends[:, 2]


def _through(ends: Array, length: int) -> Array:
    origin, ahead, behind = ends.T.astype(np.int64)
    return covered((origin - behind)[None], (ahead + behind + 1)[None], length)[0].astype(np.int32)


def _by_line(flow: Flows, length: int) -> Array:
    """Routes where lines differ or share a physical line; flows of one line are told apart by their ends."""
    full = (max(len(flow.origin), len(flow.active)), len(flow.line), flow.origin.shape[2])
    parts = [
        np.broadcast_to(part, full) for part in (flow.line[:, None], flow.origin, flow.ahead, flow.behind)
    ]
    moving = np.broadcast_to(flow.active[..., None], full) & (parts[2] + parts[3] > 0)
    four = np.unique(np.stack([part[moving] for part in parts], axis=1), axis=0)
    line, origin, ahead, behind = four.T
    cover = np.zeros((flow.lines, 3 * length + 2), np.int64)
    np.add.at(cover, (line, origin - behind + length), 1)
    np.subtract.at(cover, (line, origin + ahead + 1 + length), 1)
    return cover.cumsum(axis=1)[:, : 3 * length].reshape(flow.lines, 3, length).sum(axis=1)
