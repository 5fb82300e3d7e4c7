"""Numbers grouped by other numbers, as flat arrays."""

from __future__ import annotations

import numpy as np

from waferviz.program import Array

Groups = tuple[Array, Array]


def by(pairs: Array, number: int) -> Groups:
    """Second entries grouped by the first: start of each group, and the entries."""
    order = np.argsort(pairs[:, 0], kind="stable")
    size = np.bincount(pairs[:, 0], minlength=number)
    return np.concatenate([[0], np.cumsum(size)]), pairs[order, 1]


def of(groups: Groups, which: Array) -> Array:
    """Entries of all groups in `which`."""
    start, entries = groups
    length = start[which + 1] - start[which]
    offset = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    return entries[np.repeat(start[which], length) + offset]
