"""Stretches of cores on lines: which way is shorter, how many cover a core, and the largest value on each."""

from __future__ import annotations

import numpy as np

from waferviz.program import Array


def signed(way: Array, length: int, *, wrap: bool) -> Array:
    """Hops from source to destination, negative backwards; the shorter way round on a torus."""
    return (way + (length - 1) // 2) % length - (length - 1) // 2 if wrap else way


def covered(first: Array, number: Array, length: int) -> Array:
    """How many stretches [first, first + number) cover each position, folded at `length`: (line, flow) -> (line, position)."""
    lines, width = first.shape[0], 3 * length + 2
    start = np.arange(lines)[:, None] * width + first + length
    some = number > 0
    opened = np.bincount(start[some], minlength=lines * width)
    closed = np.bincount((start + number)[some], minlength=lines * width)
    cover = (opened - closed).reshape(lines, width).cumsum(axis=1)[:, : 3 * length]
    return cover.reshape(lines, 3, length).sum(axis=1)


def counted(what: Array, at: Array, length: int) -> Array:
    """How often each position is named: (repeat, line, flow) -> (repeat, line, position)."""
    out = np.zeros((*what.shape[:2], length), np.int64)
    np.add.at(out, (*np.ogrid[: what.shape[0], : what.shape[1], :1][:2], at), what)
    return out


def busiest(planes: Array, line: Array, start: Array, way: Array) -> Array:
    """Words on the busiest link of ways along lines; planes have dims (forward and backward, line, core)."""
    forward, backward = (np.tile(plane, 2) for plane in planes)
    length = planes.shape[2]
    ahead = most(forward, line, start, np.maximum(way, 1))
    behind = most(backward, line, (start + way + 1) % length, np.maximum(-way, 1))
    return np.where(way > 0, ahead, np.where(way < 0, behind, 0))


def most(values: Array, line: Array, first: Array, number: Array) -> Array:
    """Largest of values[line, first : first + number] for many stretches at once, from tables of powers of two."""
    table = [values]
    while 2 ** len(table) <= number.max(initial=1):
        half = 2 ** (len(table) - 1)
        last = table[-1]
        table.append(np.concatenate([np.maximum(last[:, :-half], last[:, half:]), last[:, -half:]], axis=1))
    power = np.log2(number).astype(int)
    whole = np.stack(table)
    return np.maximum(whole[power, line, first], whole[power, line, first + number - 2**power])
