"""Orders in which a ring visits the cores of a line.

An order is an array of shape (cores,): entry p is the physical core at ring position p.
Data flows towards smaller positions: the core at p receives from the core at p + 1.
"""

import numpy as np

from waferviz.program import Array


def natural(cores: int) -> Array:
    """Ring 0, 1, ..., cores - 1; its closing edge crosses the whole line."""
    return np.arange(_side(cores))


def interleaved(cores: int) -> Array:
    """Ring 0, 1, 3, 5, ..., 4, 2: no edge is longer than two hops.

    Closed form of INTERLEAVE (WaferLLM, OSDI 2025, algorithm 1) for any number of cores: position p sits on
    core 2p - 1 up to the middle and on core 2(cores - p) after it.
    """
    position = np.arange(_side(cores))
    order = np.where(position <= cores // 2, 2 * position - 1, 2 * (cores - position))
    order[0] = 0
    return order


def positions(order: Array) -> Array:
    """Ring position of each core, shape (cores,): the inverse of `order`."""
    return np.argsort(order)


def source(order: Array, by: int = 1) -> Array:
    """The core from which each core receives, `by` positions further along the ring, shape (cores,)."""
    return np.roll(order, -by)[positions(order)]


def ring_of(source_index: Array) -> Array | None:
    """Ring order behind a source index of shape (cores,), or None when it is not one cycle.

    It starts at core 0, so `source(ring_of(s))` is `s` again.
    """
    cores = len(source_index)
    if cores == 0 or source_index.min() < 0:
        return None
    order = np.zeros(cores, dtype=np.intp)
    for position in range(1, cores):
        order[position] = source_index[order[position - 1]]
    closes = source_index[order[-1]] == order[0]
    return order if closes and len(np.unique(order)) == cores else None


def checked(order: Array, cores: int) -> Array:
    """`order` as an integer array, or a ValueError when it does not visit each of `cores` cores once."""
    order = np.asarray(order)
    if order.shape != (cores,) or not np.array_equal(np.sort(order), np.arange(cores)):
        raise ValueError(
            f"order {np.array2string(order, threshold=16)} does not visit each of the {cores} cores once; "
            f"give a permutation of 0..{cores - 1}, for example waferviz.orders.interleaved({cores})"
        )
    return order.astype(np.intp)


def _side(cores: int) -> int:
    if cores < 1:
        raise ValueError(f"cores={cores}: a ring needs at least one core; give a positive number")
    return cores
