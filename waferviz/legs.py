"""One direction of travel of a move: where flows start, how far they reach, and what cores take in and hand over.

Arrays have dims (repeat, line, flow) and (repeat, line, core), as in `waferviz.flows`.
"""

from __future__ import annotations

import numpy as np

from waferviz.program import Array
from waferviz.stretches import counted, signed

Legs = tuple[Array, Array, Array, Array, Array]


def broadcasts(source: Array, length: int, *, wrap: bool) -> Legs:
    """Broadcasts of one source to its whole line; dims (repeat, line, 1)."""
    if wrap:
        ahead, behind = np.full(source.shape, length // 2), np.full(source.shape, (length - 1) // 2)
    else:
        ahead, behind = length - 1 - source, source
    here = source >= 0
    ahead, behind = np.where(here, ahead, 0), np.where(here, behind, 0)
    moved = (ahead + behind > 0).astype(int)
    return source, ahead, behind, moved, moved


def chains(root: Array, cores: Array, length: int) -> Legs:
    """Relayed reductions; every distinct root of a line gathers from the senders that name it."""
    none = np.zeros((1, 1, 1), int)
    if root.shape[2] == 1:
        ahead, behind = (np.where(root >= 0, way, 0) for way in (length - 1 - root, root))
        return root, ahead, behind, none, none
    way = cores - root
    sent = root >= 0
    ahead = np.zeros((*root.shape[:2], length), int)
    behind = np.zeros_like(ahead)
    at = (*np.ogrid[: root.shape[0], : root.shape[1], :1][:2], np.where(sent, root, 0))
    np.maximum.at(ahead, at, np.where(sent, np.maximum(way, 0), 0))
    np.maximum.at(behind, at, np.where(sent, np.maximum(-way, 0), 0))
    return np.broadcast_to(np.arange(length), ahead.shape), ahead, behind, none, none


def spans(index: Array, cores: Array, length: int, *, wrap: bool, multicast: bool) -> Legs:
    """Point-to-point transfers and partial multicasts, one flow per logical source core."""
    repeats, lines, number = np.broadcast_shapes(index.shape, (1, 1, len(cores)))
    whole = np.broadcast_to(index, (repeats, lines, number))
    here = np.arange(number)
    source, end = (whole, here) if multicast else (np.broadcast_to(here, whole.shape), whole)
    moved = whole >= 0
    way = np.where(moved, signed(cores[end] - cores[source], length, wrap=wrap), 0)
    ahead = np.zeros((repeats, lines, number), int)
    behind = np.zeros_like(ahead)
    at = (*np.ogrid[:repeats, :lines, :1][:2], np.where(moved, source, 0))
    np.maximum.at(ahead, at, np.maximum(way, 0))
    np.maximum.at(behind, at, np.maximum(-way, 0))
    ends = np.broadcast_to(cores[end], whole.shape)
    first = _first_of_pairs(source, ends) if multicast and len(cores) != length else True
    taken = counted((way != 0) & first, ends, length)
    origin = np.broadcast_to(cores, ahead.shape)
    return origin, ahead, behind, taken, counted(ahead + behind > 0, origin, length)


def _first_of_pairs(source: Array, end: Array) -> Array:
    """True where a pair of source and end comes first on its line: a stream is taken in once by a core."""
    same = (source[..., None] == source[..., None, :]) & (end[..., None] == end[..., None, :])
    return same.argmax(axis=-1) == np.arange(same.shape[-1])
