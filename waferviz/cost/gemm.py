"""Whole GEMMs on square meshes in both schedules: compute-shift on two rings, and broadcast-multiply.

Plain arithmetic, so that arguments may be numbers, NumPy arrays or (Dask-chunked) DataArrays.  `words` are those of
one tile of A and one of B together, in cycles of a ramp; operands are where the loop needs them at the start.
"""

from __future__ import annotations

from typing import Any

import numpy as np

FORMULAS = {
    ("cannon", "barrier"): "N max(W, 2m + (N-1) h + c)",
    ("meshgemm", "barrier"): "N max(W, 2m + 2h + c)",
    ("cannon", "dataflow"): "2 max(2m + (N-1) h + c, W) + (N-2) max(2m + h + c, W)",
    ("meshgemm", "dataflow"): "N max(2m + 2h + c, W), less what the short edges save",
    **{
        (name, schedule): words
        for name in ("summa", "allgather")
        for schedule, words in (
            ("barrier", "N (2m + c + W) + (3N-2) N h / 4; without routes c = 0, h = relay"),
            ("dataflow", "N (2m + c + W) + max(2(N-1) h, (3N-4) h - m, (4N-7) h - 2m)"),
        )
    },
}


NEVER = -1e300


def shifting(words: Any, n: Any, work: Any, *, interleaved: bool, schedule: str, hop: Any, ramp: Any) -> Any:
    """Cycles of Cannon's loop, or of MeshGEMM's with `interleaved`: n steps that multiply and shift both operands.

    Barrier: n times the longer of `work` and `words + d hop + c`, d = n - 1 on plain and 2 on interleaved rings.
    Data flow: the longest path of n receipts and multiplications over the rings, see `waferviz.cost.shifts`.
    """
    alone = NEVER * (n == 1)
    base = hop + 2 * ramp + 1
    if schedule == "barrier":
        longest = np.minimum(n - 1, 2) if interleaved else n - 1
        return n * np.maximum(work, words + (base + (longest - 1) * hop + alone))
    if not interleaved:
        longs = np.minimum(n, 2)
        far = longs * np.maximum(words + (base + (n - 2) * hop + alone), work)
        return far + (n - longs) * np.maximum(words + (base + alone), work)
    side = 2 * ((n - 1) // 2)
    rest = 2 - n % 2
    edges = side * (base + hop)
    receipts = (side + rest) * words + (edges + rest * base + (n > 2) * (1 - n % 2) * hop + alone)
    return np.maximum(receipts, np.maximum(side * words + (edges + alone) + rest * work, n * work))


def broadcasting(
    words: Any, n: Any, work: Any, *, schedule: str, relayed: Any, hop: Any, ramp: Any, relay: Any
) -> Any:
    """Cycles of SUMMA, and of allgather: n broadcasts of one column of A and one row of B, n multiplications.

    Barrier: every broadcast goes to the farther end, and no multiplication begins before everybody has it.
    Data flow: whoever has both tiles multiplies, and the next column need not wait; a path of dependences may
    cross the mesh up to four times, and the words of one tile then pass while it travels.  `relayed` broadcasts
    find no routes and pay `relay` at every core.

    The barrier form adds up the farther ends; the data-flow form is derived from the recurrence of
    `waferviz.timeline` and equal to it (n up to 32, both kinds of broadcast).
    """
    moving = n > 1
    way = (hop + relayed * (relay - hop)) * moving
    each = n * (words * moving + work)
    ends = n * (2 * ramp + 1) * (1 - relayed) * moving
    if schedule == "barrier":
        return each + ((3 * n * n - 2 * n) // 4 * way + ends)
    near, once, twice = (n - 1) * (2 - relayed), 3 * n - 4 - relayed * (n > 2), 4 * n - 7
    late = np.maximum(twice * way - words, np.maximum(once * way - words / 2, near * way))
    return each + late + ends
