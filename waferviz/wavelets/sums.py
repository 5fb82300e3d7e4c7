"""Trees of cores that add up word by word, as messages."""

from __future__ import annotations

import numpy as np

from waferviz.program import Array
from waferviz.wavelets.traffic import NONE, Draft


def add_up(
    draft: Draft,
    core: Array,
    parent: Array,
    words: int,
    ready: Array,
    *,
    precedence: int = 0,
    in_turn: bool = True,
) -> tuple[Array, Array]:
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
    precedence : int
        Of messages to the same core on shared links; each hop adds 2.
    in_turn : bool
        Roots keep that order too; False: they add words as they come, of whichever child.

    Returns
    -------
    nodes, came : arrays
        Node that each message comes to, and its delivery.  Once all of a node's are complete, a root has the sum;
        any other node has sent it on, or, where its parent or last child is on its core, may send it on.
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
        after=np.stack([before, ready[sends]]), priority=precedence + 2 * near[sends] + (sends < parent[sends]),
    )  # fmt: skip
    streamed = np.zeros(len(core), bool)
    streamed[last[sends[streams]]] = True
    queued = sends[(elder[sends] >= 0) & ~streamed[sends] & (in_turn | (parent[parent[sends]] >= 0))]
    draft.queue(number[elder[queued]], number[queued])
    return parent[child], number[child]


def _of(values: Array, which: Array) -> Array:
    """Values of those in `which`, -1 for none."""
    return np.where(which >= 0, values[which], NONE)
