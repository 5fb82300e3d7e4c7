"""The best reduction tree of the published model, found by a dynamic program."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from waferviz.cost.checks import cores_of, machine_of, words_of
from waferviz.program import Array

LARGEST = 512


def autogen(words: Any, n: int, *, hop: Any = 1, ramp: Any = 2) -> tuple[float, Array]:
    """Cycles and parents of the auto-generated reduction tree of one row.

    The tree in which every subtree is a stretch of the row, its root first, that minimises
    `words E / (n - 1) + (n - 1) hop + depth c`; E counts the hops of one word of every core.  Cycles are those of
    the published model for that tree, `max(words C, words E / (n - 1) + (n - 1) hop) + depth c`, C the most
    children of a core: an estimate, for which the wavelet simulator needs up to 7 % more, and for single words up
    to 25 % less.

    Returns
    -------
    cycles : float
    parent : array
        Shape (n,): the core each core sends to, -1 for the first.  A core takes its children in the order of
        their positions and adds the last one word by word as it sends.

    Raises
    ------
    ValueError
        For more than 512 cores; the program needs cubic time.

    Source: Luczynski et al., HPDC 2024, section 5; the recurrence as in their generator.

    Examples
    --------
    >>> cycles, parent = autogen(512, 4)
    >>> cycles, parent.tolist()
    (530.0, [-1, 0, 1, 2])
    """
    words, n, (hop, c) = words_of(words), _side(n), machine_of(hop, ramp)
    if n == 1:
        return 0.0, np.array([-1])
    hops, _ = _table(n)
    depth = int(np.argmin(_model(hops[1:, n], words, n, hop, c))) + 1
    parent = np.full(n, -1)
    _plant(parent, 0, n, depth)
    most = np.bincount(parent[1:]).max()
    spread = words * hops[depth, n] / (n - 1) + (n - 1) * hop
    return float(np.maximum(words * most, spread) + depth * c), parent


def depth_bound(words: Any, n: int, *, hop: Any = 1, ramp: Any = 2) -> float:
    """Least cycles that the published model allows any such reduction; a machine may be faster for few words.

    `min over depth of words E(n, depth) / (n - 1) + (n - 1) hop + depth c`.  It bounds the model, not the wafer:
    16 cores reduce one word by a star in 21 cycles where it says 28.

    Source: Luczynski et al., HPDC 2024, section 5.

    Examples
    --------
    >>> depth_bound(1, 16), round(depth_bound(8, 4), 2)
    (28.0, 23.67)
    """
    words, n, (hop, c) = words_of(words), _side(n), machine_of(hop, ramp)
    return float(_model(_table(n)[0][1:, n], words, n, hop, c).min()) if n > 1 else 0.0


def _model(hops: Array, words: Array, n: int, hop: Array, c: Array) -> Array:
    """Cycles of the model for trees of depth 1, 2, ... with the given hops."""
    return words * hops / (n - 1) + (n - 1) * hop + np.arange(1, len(hops) + 1) * c


def _side(n: int) -> int:
    n = int(cores_of(n))
    if n > LARGEST:
        raise ValueError(
            f"n={n}: the tree is searched for at most {LARGEST} cores; use two_phase or ktree above"
        )
    return n


@cache
def _table(n: int) -> tuple[Array, Array]:
    """Fewest hops e[depth, p] of a tree over p cores, and the size of its last subtree (0: a depth less does)."""
    hops = np.full((n, n + 1), np.inf)
    last = np.zeros((n, n + 1), int)
    hops[:, 1] = 0
    for depth in range(1, n):
        for p in range(2, n + 1):
            size = np.arange(1, p)
            each = hops[depth - 1, size] + hops[depth, p - size] + p - size
            best = int(np.argmin(each))
            if each[best] < hops[depth - 1, p]:
                hops[depth, p], last[depth, p] = each[best], size[best]
            else:
                hops[depth, p] = hops[depth - 1, p]
    return hops, last


def _plant(parent: Array, root: int, cores: int, depth: int) -> None:
    """Write the tree over `cores` cores from `root` on into `parent`."""
    last = _table(len(parent))[1]
    while cores > 1:
        while last[depth, cores] == 0:
            depth -= 1
        size = int(last[depth, cores])
        child = root + cores - size
        parent[child] = root
        _plant(parent, child, size, depth - 1)
        cores -= size
