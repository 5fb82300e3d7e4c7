"""Trees of cores that add up word by word, as messages."""

from __future__ import annotations

import numpy as np

from waferviz.program import Array
from waferviz.wavelets.traffic import NONE, Draft


def add_up(draft: Draft, core: Array, parent: Array, words: int, ready: Array) -> tuple[Array, Array]:
    """Messages of a forest in which every node adds its children's words to its own and sends the sum on.

    A node takes its children one after the other, nearest first, of two equally near ones the one with the larger
    number first, and adds the last one word by word as it sends.  On shared links the nearer message goes first.

    Parameters
    ----------
    core : array
        Core of each node.
    parent : array
        Node each node sends to, -1 for roots.
    words : int
        Words per node.
    ready : array
        Delivery after which each node has its own words, -1 for none.

    Returns
    -------
    roots, came : arrays
        Roots that have children, and the last delivery at each.
    """
    columns = draft.shape[1]
    to = np.where(parent >= 0, core[parent], core)
    near = np.abs(core // columns - to // columns) + np.abs(core % columns - to % columns)
    sends = np.flatnonzero(parent >= 0)
    child = sends[np.lexsort((-sends, near[sends], parent[sends]))]
    same = np.flatnonzero(parent[child[1:]] == parent[child[:-1]])
    elder, last, number = (np.full(len(core), NONE) for _ in range(3))
    elder[child[same + 1]] = child[same]
    last[parent[child]] = child
    number[sends] = draft.delivered + np.arange(len(sends))
    streams = (last[sends] >= 0) & (near[last[sends]] > 0) & (near[sends] > 0)
    before = np.where(streams, _of(number, _of(elder, last[sends])), _of(number, last[sends]))
    draft.send(
        core[sends], to[sends], words * (near[sends] > 0), relays=np.where(streams, _of(number, last[sends]), NONE),
        after=np.stack([before, ready[sends]]), priority=2 * near[sends] + (sends < parent[sends]),
    )  # fmt: skip
    streamed = np.zeros(len(core), bool)
    streamed[last[sends[streams]]] = True
    queued = sends[(elder[sends] >= 0) & ~streamed[sends]]
    draft.queue(number[elder[queued]], number[queued])
    roots = np.flatnonzero((parent < 0) & (last >= 0))
    return roots, number[last[roots]]


def _of(values: Array, which: Array) -> Array:
    """Values of those in `which`, -1 for none."""
    return np.where(which >= 0, values[which], NONE)
