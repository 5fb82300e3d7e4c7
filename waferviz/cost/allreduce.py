"""Allreduces on a row: the K-tree of MeshGEMV and the ring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from waferviz.cost.checks import cores_of, machine_of, moving, one_of, words_of
from waferviz.cost.rings import LAYOUTS
from waferviz.program import Array


def ktree(
    words: Any, sizes: Sequence[Any], n: Any = None, *, broadcast: bool = True, hop: Any = 1, ramp: Any = 2
) -> Array:
    """Cycles of a K-tree allreduce: K levels of chains into the middle of each group, then one broadcast.

    Parameters
    ----------
    sizes : sequence of K arrays
        Members of a group on each level, from the first: `(cores per group, groups)` for the two levels of
        MeshGEMV.  Their product is the number of cores.
    n : array, optional
        Cores of the row; when given, the sizes have to multiply to it.
    broadcast : bool
        The root sends the sum to all cores; False ends with the reduction.

    A level of s members, `stride` cores apart, has dn = s // 2 members below its root and up = s - 1 - dn above:
    `max((stride hop + c) up + words, (stride hop + c) dn) + words`, the upper chain taken first.

    Exact against the wavelet simulator with unbounded queues.  Sources: WaferLLM, OSDI 2025, section 6, and its
    released code for K = 2; more levels are ours.

    Raises
    ------
    ValueError
        When there are no sizes, or they do not multiply to `n`.

    Examples
    --------
    >>> int(ktree(11, (30, 22), n=660)), int(ktree(11, (20, 33)))
    (863, 844)
    """
    words, (hop, c) = words_of(words), machine_of(hop, ramp)
    if not np.size(sizes):
        raise ValueError(f"sizes={sizes!r}: give the members of a group on each level, such as (30, 22)")
    levels = [cores_of(size, f"sizes[{number}]") for number, size in enumerate(sizes)]
    cores = np.prod(np.broadcast_arrays(1, *levels), axis=0)
    if n is not None and np.any(cores != cores_of(n)):
        raise ValueError(
            f"sizes={tuple(sizes)!r} make {np.max(cores)} cores, the row has n={n}; choose sizes whose product is n"
        )
    stride, root, cycles = np.asarray(1), np.asarray(0), np.asarray(0)
    for size in levels:
        down, up = size // 2, size - 1 - size // 2
        stage = stride * hop + c
        level = np.maximum(np.where(up > 0, stage * up + words, 0), stage * down) + words
        cycles = cycles + np.where(down > 0, level, 0)
        stride, root = stride * size, root + down * stride
    return moving(cycles + (words + root * hop + c if broadcast else 0), cores)


def ring(
    words: Any, n: Any, layout: str = "natural", *, fused: bool = False, hop: Any = 1, ramp: Any = 2
) -> Array:
    """Cycles of a ring allreduce: n - 1 steps that add up pieces of words / n, n - 1 that hand the sums round.

    Step by step `2 (n - 1)(b + c) + H hop` with b = ceil(words / n) and H the longest way of a piece, 4 n - 6
    hops on the natural ring and 4 n - 7 on the interleaved one (from four cores up).

    Parameters
    ----------
    layout : "natural" or "interleaved"
    fused : bool
        Cores send on each word as it comes: the longer of `2 n b`, one operation per word, and
        `2 b + 2 (n - 1) c + H hop`, or of what lies between when b is longer than the short edges alone.

    Exact against the wavelet simulator when n divides the words (fused and interleaved: and no b lies between
    hop + c and 2 hop + c), otherwise too long by less than n + 1 cycles.  The published form divides words by n
    without rounding.  Source: Luczynski et al., HPDC 2024, section 6.

    Examples
    --------
    >>> int(ring(256, 64)), int(ring(256, 64, "interleaved")), int(ring(64, 4, fused=True))
    (1384, 1383, 128)
    """
    words, n, (hop, c) = words_of(words), cores_of(n), machine_of(hop, ramp)
    natural = one_of(layout, "layout", LAYOUTS) == "natural"
    piece = -(-words // n)
    skipped = 2 if natural else np.where(n > 3, 3, 2)
    way = 2 * (n - 1) * c + (4 * (n - 1) - skipped) * hop
    if not fused:
        return moving(2 * (n - 1) * piece + way, n)
    short = c + hop
    long = c + ((n - 1) if natural else np.minimum(n - 1, 2)) * hop
    once = long + (2 * n - 3) * np.maximum(short, piece) if natural else 0
    twice = 2 * long + (n - 1) * short + (n - 3) * np.maximum(short, piece) if natural else way
    return moving(2 * piece + np.maximum.reduce(np.broadcast_arrays(twice, once, 2 * (n - 1) * piece)), n)
