"""Sums of looked-up entries: for every output and token, one entry of each group's table, added up."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from waferviz.lowbit.bitplanes import joined, spread
from waferviz.program import Array

CODE_BITS = 8
WIDTHS = (np.int16, np.int32, np.int64)


def add_up(entries: Array, index: Array, planes: int = 1, group: int = 4) -> Array:
    """Sum over groups of the entries at `index`, times 2^i over the planes: (outputs, tokens).

    Integers are added in 16 bits for as many lookups as provably fit, then in 32 or 64: no accumulator can wrap.

    Parameters
    ----------
    entries : (groups, entries, tokens)
        Whole tables.
    index : (groups, outputs)
        Table index, or with several planes the packed codes of a group (see `bitplanes.joined`).
    planes, group : int
        Planes packed in an index; weights of a group.
    """
    groups, _, tokens = entries.shape
    narrow, wide, run = widths(entries, groups, planes)
    held = entries.astype(narrow, copy=False)
    total = np.zeros((index.shape[1], tokens), wide)
    part, found = (np.empty(total.shape, narrow) for _ in range(2))
    for start in range(0, groups, run):
        part[...] = 0
        for at in range(start, min(start + run, groups)):
            np.take(weighed(held[at], planes, group), index[at], axis=0, out=found, mode="clip")
            part += found
        total += part
    return total


def weighed(entries: Array, planes: int, group: int) -> Array:
    """One group's lookups of all planes, done once per packed code instead of once per output: (codes, tokens).

    A group of `group` weights has only 2^(planes * group) values; when outputs are more, most of them share one.
    """
    if planes == 1:
        return entries
    first, *rest = _spread(planes, group)
    sums = np.take(entries, first, axis=0)
    for plane, index in enumerate(rest, start=1):
        sums += np.take(entries * entries.dtype.type(2**plane), index, axis=0)
    return sums


def widths(entries: Array, groups: int, planes: int) -> tuple[Any, Any, int]:
    """Type of an entry, type of the total, and how many entries may be added in the first before the second."""
    if entries.dtype.kind == "f":
        return np.float64, np.float64, groups
    most = max(1, largest(entries) * (2**planes - 1))
    narrow = narrowest(most)
    return narrow, narrowest(most * groups), min(groups, int(np.iinfo(narrow).max) // most)


def narrowest(most: int) -> Any:
    """The narrowest of int16, int32 and int64 that holds -most to most."""
    return next((width for width in WIDTHS if most <= np.iinfo(width).max), np.int64)


def largest(array: Array) -> int:
    """Largest magnitude, as a Python integer."""
    return max(int(array.max()), -int(array.min()))


def bunches(bits: int, group: int, outputs: int) -> list[tuple[int, int]]:
    """Planes that are looked up together, as (first plane, planes): as many as a byte indexes and outputs repay."""
    together = max(1, min(bits, CODE_BITS // group))
    while together > 1 and 2 * 2 ** (together * group) > outputs:
        together -= 1
    return [(first, min(together, bits - first)) for first in range(0, bits, together)]


def addressed(q: Array, first: int, planes: int, group: int) -> Array:
    """Index of every group and output for some planes, ready to gather with: (groups, outputs)."""
    return np.ascontiguousarray(joined(q, first, planes, group).T)


@cache
def _spread(planes: int, group: int) -> Array:
    return spread(planes, group)
