"""Traffic of the patterns that have closed forms in `waferviz.cost`, and of permutations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from waferviz import orders
from waferviz.cost.checks import cores_of, one_of
from waferviz.cost.rings import LAYOUTS, SCHEDULES
from waferviz.program import Array
from waferviz.wavelets.sums import add_up
from waferviz.wavelets.traffic import NONE, Draft, Traffic


def ring_source(n: int, layout: str) -> Array:
    """The core that each core of a row receives from."""
    return orders.source(getattr(orders, one_of(layout, "layout", LAYOUTS))(n))


def shift(n: int, words: int, layout: str = "natural") -> Traffic:
    """One cyclic shift of a row."""
    draft = Draft(n)
    draft.send(ring_source(n, layout), np.arange(n), words)
    return draft.traffic()


def shifts(
    n: int,
    words: int,
    work: int = 0,
    *,
    layout: str = "natural",
    schedule: str = "barrier",
    coupled: bool = False,
) -> Traffic:
    """`n` shifts in sequence beside `work` cycles each; `coupled` shifts rows and columns of an n x n mesh."""
    barrier = one_of(schedule, "schedule", SCHEDULES) == "barrier"
    source = ring_source(n, layout)
    draft = Draft((n, n) if coupled else n)
    core = np.arange(n * n if coupled else n)
    y, x = np.divmod(core, n)
    froms = [y * n + source[x], source[y] * n + x] if coupled else [source[x]]
    ready = np.full((1, len(core)), NONE)
    for _ in range(n):
        came = [draft.send(each, core, words, after=ready[:, each]) for each in froms]
        ready = np.stack([*came, draft.work(core, work, after=ready)])
        if barrier:
            ready = np.broadcast_to(draft.meet(ready), (1, len(core)))
    return draft.traffic()


def multicast(n: int, words: int, root: int = 0) -> Traffic:
    """One message of `root` to its whole row."""
    draft = Draft(n)
    _flood(draft, n, words, root)
    return draft.traffic()


def forward(n: int, words: int, root: int = 0, *, per: str = "wavelet") -> Traffic:
    """A broadcast that every core takes in and sends on, each word or each message; the farther end goes first."""
    streams = one_of(per, "per", ("wavelet", "message")) == "wavelet"
    draft = Draft(n)
    ways = [range(root + 1, n), range(root - 1, -1, -1)]
    for way in sorted(ways, key=len, reverse=True):
        at, came = root, np.array([NONE])
        for core in way:
            after, relays = ((), came) if streams else (came, NONE)
            came = draft.send(at, core, words, after=after, relays=relays)
            at = core
    return draft.traffic()


def reduction(parent: Any, words: int) -> Traffic:
    """A reduction to core 0 along a tree, such as that of `waferviz.cost.autogen`.

    A core takes its children in the order of their positions and adds the last one word by word as it sends.  On
    shared links the nearer message goes first.

    Parameters
    ----------
    parent : array
        Shape (n,): the core each core sends to, -1 for core 0.

    Raises
    ------
    ValueError
        When the parents make no tree with root 0.
    """
    parent = _tree(np.asarray(parent))
    draft = Draft(len(parent))
    _reduce(draft, parent, words)
    return draft.traffic()


def chain_parents(n: int) -> Array:
    """Every core adds to its left neighbour."""
    return np.arange(n) - 1


def star_parents(n: int) -> Array:
    """Every core sends straight to core 0."""
    return np.where(np.arange(n) > 0, 0, NONE)


def tree_parents(n: int) -> Array:
    """Binary tree: core i sends to i less its lowest bit."""
    core = np.arange(n)
    return np.where(core > 0, core & (core - 1), NONE)


def two_phase_parents(n: int, group: int | None = None) -> Array:
    """Chains in groups, then a chain over the first cores of the groups."""
    size = group or max(1, round(n**0.5))
    core = np.arange(n)
    return np.where(core == 0, NONE, np.where(core % size == 0, core - size, core - 1))


def reduce_and_flood(parent: Any, words: int) -> Traffic:
    """A reduction to core 0 and a flood of the sum."""
    parent = _tree(np.asarray(parent))
    draft = Draft(len(parent))
    _flood(draft, len(parent), words, 0, after=_reduce(draft, parent, words))
    return draft.traffic()


def ktree(words: int, sizes: Sequence[int]) -> Traffic:
    """K-tree allreduce on a row: chains into the middle of each group, level by level, then a flood."""
    n = int(np.prod(sizes))
    draft = Draft(n)
    heads, ready = np.arange(n), np.full((2, n), NONE)
    for size in sizes:
        groups = heads.reshape(-1, size)
        middle = size // 2
        heads = groups[:, middle]
        ends = [
            _chain_in(draft, groups[:, way], heads, words, ready, priority)
            for priority, way in enumerate((slice(size - 1, middle, -1), slice(0, middle)))
        ]
        ready[:, heads] = np.where(ends[1] >= 0, ends, ready[:, heads])
        both = (ends[0] >= 0) & (ends[1] >= 0)
        draft.queue(ends[0][both], ends[1][both])
    _flood(draft, n, words, int(heads[0]), after=ready[:, heads[0]])
    return draft.traffic()


def ring(n: int, words: int, layout: str = "natural", *, fused: bool = False) -> Traffic:
    """Ring allreduce: piece k of the words starts at ring position k; `fused` sends on word by word."""
    draft = Draft(n)
    rank = np.arange(n)
    core = rank if one_of(layout, "layout", LAYOUTS) == "natural" else orders.interleaved(n)[-rank % n]
    size = (rank + 1) * words // n - rank * words // n
    came = np.full(n, NONE)
    for phase in (0, 1):
        own = size[(rank + phase) % n]
        sent = draft.work(core, own, after=came) if fused else came
        before = came
        for step in range(n - 1):
            pieces = size[(rank + phase - step) % n]
            streams = fused and step > 0
            went = draft.send(
                core, core[(rank + 1) % n], pieces, after=sent if streams else before if step == 0 else came,
                relays=came if streams else NONE,
            )  # fmt: skip
            sent = came if streams else sent
            came = went[(rank - 1) % n]
        if fused:
            draft.queue(sent, came)
    return draft.traffic()


def permutation(target: Any, words: int, shape: tuple[int, int]) -> Traffic:
    """One message from every core to `target`, shape (cores,) or (y, x); who targets itself sends nothing."""
    target = np.ravel(target)
    draft = Draft(shape)
    away = np.flatnonzero(target != np.arange(len(target)))
    draft.send(away, target[away], words)
    return draft.traffic()


PERMUTATIONS: dict[str, Callable[[Array, Array, int], tuple[Array, Array]]] = {
    "transpose": lambda y, x, _: (x, y),
    "tornado": lambda y, x, k: ((y + (k + 1) // 2 - 1) % k, (x + (k + 1) // 2 - 1) % k),
    "neighbour": lambda y, x, k: ((y + 1) % k, (x + 1) % k),
    "bit complement": lambda y, x, k: (k - 1 - y, k - 1 - x),
}


def named_permutation(name: str, k: int) -> Array:
    """Targets of a named permutation of a k x k mesh, shape (cores,)."""
    k = int(cores_of(k, "k"))
    y, x = np.divmod(np.arange(k * k), k)
    to_y, to_x = PERMUTATIONS[one_of(name, "name", tuple(PERMUTATIONS))](y, x, k)
    return to_y * k + to_x


def _flood(draft: Draft, n: int, words: int, root: int, after: Any = ()) -> None:
    if n > 1:
        draft.spread(root, np.delete(np.arange(n), root), words, after=np.reshape(after, (-1, 1)))


def _tree(parent: Array) -> Array:
    core = np.arange(len(parent))
    good = (parent[0] == NONE) and np.all((parent[1:] >= 0) & (parent[1:] < core[1:]))
    if not good:
        raise ValueError(f"parent={parent.tolist()}: give -1 for core 0 and a smaller core for every other")
    return parent


def _reduce(draft: Draft, parent: Array, words: int) -> Array:
    """Messages of a reduction; returns the deliveries at core 0."""
    core = np.arange(len(parent))
    nodes, came = add_up(draft, core, parent, words, np.full(len(parent), NONE))
    return came[nodes == 0]


def _chain_in(draft: Draft, cores: Array, heads: Array, words: int, ready: Array, priority: int) -> Array:
    """Chains along `cores` (group, member) into the heads of their groups; returns the last deliveries."""
    came = np.full(len(heads), NONE)
    for at in range(cores.shape[1]):
        to = cores[:, at + 1] if at + 1 < cores.shape[1] else heads
        came = draft.send(
            cores[:, at], to, words, relays=came, after=ready[:, cores[:, at]], priority=priority
        )
    return came
