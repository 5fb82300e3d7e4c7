"""Fast aggregation: a tree of rounding averages in place of a sum, as T-MAC does it on 8-bit entries.

Source: T-MAC, EuroSys 2025, section 3.4 and its released code.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.program import Array

DEEPEST = 16


def rounded_average(first: Any, second: Any) -> Any:
    """(first + second + 1) / 2, rounded down: what the averaging instruction of a CPU gives.

    Examples
    --------
    >>> rounded_average(1, 2)
    2
    """
    return first + second + 1 >> 1


def tree(entries: Any) -> Array:
    """Rounding average of a power of two of entries along the first axis, times their number.

    Examples
    --------
    >>> int(tree([1, 2, 3, 4]))
    12
    """
    level = np.asarray(entries)
    number = len(level)
    if number & number - 1 or number == 0:
        raise ValueError(f"a tree of averages needs 1, 2, 4, 8, ... entries, not {number}")
    while len(level) > 1:
        level = rounded_average(level[0::2], level[1::2])
    return level[0] * number


def excess(number: int) -> float:
    """How much `tree` of that many entries exceeds their sum on average: n log2(n) / 4; at most twice that."""
    return number * np.log2(number) / 4


def branches(lookups: int) -> int:
    """Entries of one tree: the largest power of two, at most 16, that divides the lookups of a table scale."""
    return min(DEEPEST, lookups & -lookups)


def average_up(entries: Array, index: Array, *, corrected: bool) -> Array:
    """Approximate sum over groups of the entries at `index`, tree by tree: (outputs, tokens) float64.

    Parameters
    ----------
    entries : (groups, entries, tokens) int8
        Whole tables.
    index : (groups, outputs)
        Table index.
    corrected : bool
        Subtract the average excess of each tree.
    """
    number = branches(len(entries))
    total = np.zeros((index.shape[1], entries.shape[2]))
    for start in range(0, len(entries), number):
        found = [entries[at].astype(np.int32)[index[at]] for at in range(start, start + number)]
        total += tree(found) - (excess(number) if corrected else 0)
    return total
