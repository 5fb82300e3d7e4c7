"""Routes: the distinct flows through each router.  Flows with the same ends share one."""

from __future__ import annotations

import numpy as np

from waferviz.flows import Flows
from waferviz.program import Array
from waferviz.stretches import covered


def routes(found: list[Flows], lines: int, length: int) -> Array:
    """Distinct flows through each router of one axis, ends included, dims (line | 1, core)."""
    links = {id(flow): _links(flow) for flow in found if flow.relay}
    if not all(_alike(flow, links.get(id(flow))) for flow in found):
        return _by_line(found, links, lines, length)
    out = np.zeros((1, length), np.int32)
    groups = _grouped(found, links, lines)
    if groups:
        every = np.unique(np.concatenate([ends for ends, _ in groups]), axis=0)
        has = np.stack([np.isin(_packed(every), _packed(ends)) for ends, _ in groups])
        where = np.stack([mask for _, mask in groups])
        for pattern in np.unique(has, axis=1).T:
            chosen = every[(has == pattern[:, None]).all(axis=0)]
            on = where[pattern].any(axis=0)
            out = out + (_through(chosen, length) if on.all() else on[:, None] * _through(chosen, length))
    return out


def _links(flow: Flows) -> Array:
    """Links that a relayed flow ever uses, dims (direction, physical line | 1, core); each is a route of its own."""
    if not (flow.inward and flow.origin.shape[2] == 1 and len(flow.line) == flow.lines):
        return flow.total(flow.repeats) > 0
    behind, ahead = (
        np.where(flow.active[..., None], way, 0).max(axis=0) for way in (flow.behind, flow.ahead)
    )
    core = np.arange(flow.length)
    return np.stack([core < behind, core >= flow.length - ahead])


def _alike(flow: Flows, links: Array | None) -> bool:
    """True when every line that moves has the same flows."""
    if links is not None:
        return bool((links == links[:, :1]).all())
    one = len(flow.origin) == 1 or len(flow.active) == 1
    return one and len(flow.line) == flow.lines and flow.origin.shape[1] == 1


def _grouped(found: list[Flows], links: dict[int, Array], lines: int) -> list[tuple[Array, Array]]:
    """Ends of flows and the lines they run on, one entry for moves with the same ends."""
    groups: list[tuple[Array, Array]] = []
    for flow in found:
        if flow.relay:
            ends, mask = _single_hops(links[id(flow)][:, :1])[:, 1:], np.ones(lines, bool)
        else:
            ends, mask = _ends(flow), np.broadcast_to(flow.active.any(axis=0), (lines,))
        same = [number for number, (known, _) in enumerate(groups) if np.array_equal(known, ends)]
        if same:
            groups[same[0]] = (ends, groups[same[0]][1] | mask)
        else:
            groups.append((ends, mask))
    return groups


def _ends(flow: Flows) -> Array:
    """Distinct (origin, ahead, behind) of flows that go anywhere."""
    three = np.stack(np.broadcast_arrays(flow.origin, flow.ahead, flow.behind), axis=-1)
    return np.unique(three[three[..., 1:].any(axis=-1)], axis=0).reshape(-1, 3)


def _single_hops(links: Array) -> Array:
    """Links as flows of one hop: rows (line, origin, ahead, behind)."""
    way, line, core = np.nonzero(links)
    return np.stack([line, core, way == 0, way == 1], axis=1).astype(np.int64)


def _packed(ends: Array) -> Array:
    return (ends[:, 0] << 40) + (ends[:, 1] << 20) + ends[:, 2]


def _through(ends: Array, length: int) -> Array:
    origin, ahead, behind = ends.T.astype(np.int64)
    return covered((origin - behind)[None], (ahead + behind + 1)[None], length)[0].astype(np.int32)


def _by_line(found: list[Flows], links: dict[int, Array], lines: int, length: int) -> Array:
    """Routes where lines differ or share a physical line; flows of one line are told apart by their ends."""
    ends = [
        _single_hops(np.broadcast_to(links[id(flow)], (2, lines, length))) if flow.relay else _line_ends(flow)
        for flow in found
    ]
    line, origin, ahead, behind = np.unique(np.concatenate(ends), axis=0).T
    cover = np.zeros((lines, 3 * length + 2), np.int64)
    np.add.at(cover, (line, origin - behind + length), 1)
    np.subtract.at(cover, (line, origin + ahead + 1 + length), 1)
    return cover.cumsum(axis=1)[:, : 3 * length].reshape(lines, 3, length).sum(axis=1)


def _line_ends(flow: Flows) -> Array:
    """Distinct (line, origin, ahead, behind) of flows that go anywhere."""
    full = (max(len(flow.origin), len(flow.active)), len(flow.line), flow.origin.shape[2])
    parts = [
        np.broadcast_to(part, full) for part in (flow.line[:, None], flow.origin, flow.ahead, flow.behind)
    ]
    moving = np.broadcast_to(flow.active[..., None], full) & (parts[2] + parts[3] > 0)
    return np.unique(np.stack([part[moving] for part in parts], axis=1), axis=0)
