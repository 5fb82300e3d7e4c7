"""Cyclic shifts of a row in both ring layouts, once and N times in sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.cost.checks import cores_of, machine_of, moving, not_negative, one_of, words_of
from waferviz.program import Array

LAYOUTS = ("natural", "interleaved")
SCHEDULES = ("barrier", "dataflow")


def shift(
    words: Any, n: Any, layout: str = "natural", *, engines: int = 0, hop: Any = 1, ramp: Any = 2
) -> Array:
    """Cycles of one cyclic shift of `words` per core on a row of `n` cores.

    Natural (Cannon) `words + (n - 1) hop + c`, interleaved (MeshGEMM) `words + 2 hop + c`; two cores swap over
    one hop.  Both load every link with `words` and make `2 (n - 1) words` hops; only the longest way differs.

    Parameters
    ----------
    layout : "natural" or "interleaved"
    engines : 0 or 1
        With 1 a core does one wavelet operation per cycle, sending and receiving in turn.

    Exact against the wavelet simulator.

    Examples
    --------
    >>> int(shift(8, 64)), int(shift(8, 64, "interleaved"))
    (76, 15)
    """
    words, n, (hop, c) = words_of(words), cores_of(n), machine_of(hop, ramp)
    longest = _longest(n, layout)
    cycles = words + longest * hop + c
    if engines == 0:
        return moving(cycles, n)
    if engines != 1:
        raise ValueError(f"engines={engines!r}: give 0 for no limit or 1 for one operation per cycle")
    # A core sends every other cycle once words come in; they come first over one hop.
    return moving(np.maximum(cycles, 2 * words + (longest - 1) * hop), n)


def shifts(
    words: Any,
    n: Any,
    work: Any = 0,
    *,
    layout: str = "natural",
    schedule: str = "barrier",
    coupled: bool = False,
    shared_ramp: bool = False,
    hop: Any = 1,
    ramp: Any = 2,
) -> Array:
    """Cycles of `n` shifts in sequence, each beside `work` cycles: the loop of Cannon and MeshGEMM.

    Parameters
    ----------
    work : array
        Cycles of work per core and step; a step sends on what the step before has received.
    schedule : "barrier" or "dataflow"
        All cores start a step together, or each as soon as its own work and receipts are done.
    coupled : bool
        Rows and columns of an n x n mesh shift at once (A and B) and a core waits for both.
    shared_ramp : bool
        Coupled, words of A and B take turns on one ramp of each core: `2 words` in place of `words` below.

    Under a barrier every step costs the longer of `shift` and `work`.  With data flow the cycles are the longest
    path over n steps: each is a receipt over one edge of a ring, `words + c + d hop`, or `work` in place.  A path
    meets Cannon's closing edge once per ring, so without work one row costs `n (words + c) + 2 (n - 1) hop` in
    both layouts; coupled, Cannon `n (words + c) + (3 n - 4) hop`, interleaved `n (words + c) + (2 n - 1) hop`.

    Exact against the wavelet simulator, with unbounded queues and all cores starting at once.

    Examples
    --------
    >>> [int(shifts(8, 64, layout=ring, schedule=s)) for ring in LAYOUTS for s in SCHEDULES]
    [4864, 958, 960, 958]
    >>> [int(shifts(8, 64, layout=ring, schedule="dataflow", coupled=True)) for ring in LAYOUTS]
    [1020, 959]
    """
    words, n, (hop, c) = words_of(words), cores_of(n), machine_of(hop, ramp)
    work = not_negative(work, "work", "zero cycles of work or more")
    words = 2 * words if coupled and shared_ramp else words
    if one_of(schedule, "schedule", SCHEDULES) == "barrier":
        return np.where(n > 1, n * np.maximum(shift(words, n, layout, hop=hop, ramp=ramp), work), work)[()]
    short = words + c + hop
    if one_of(layout, "layout", LAYOUTS) == "natural":
        longs = np.minimum(2 if coupled else 1, n)
        path = longs * np.maximum(short + (n - 2) * hop, work) + (n - longs) * np.maximum(short, work)
    else:
        path = np.maximum((_coupled if coupled else _alone)(n, short, short + hop, work), n * work)
    return np.where(n > 1, path, work)[()]


def _alone(n: Array, short: Array, long: Array, work: Array) -> Array:
    """Longest path on one interleaved ring: n - 2 long edges, on two sides with a short one between them."""
    side = (n - 1) // 2
    through = (n - 2) * long + short + np.maximum(short, work)
    return np.maximum(through, side * long + (n - side) * work)


def _coupled(n: Array, short: Array, long: Array, work: Array) -> Array:
    """Longest path on two interleaved rings: one side of each, then what is left of n steps."""
    side = (n - 1) // 2
    pair = np.where(n > 2, short + long, 2 * short)
    rest = np.where(n % 2 == 0, np.maximum(pair, 2 * work), np.maximum(short, work))
    return 2 * side * long + rest


def _longest(n: Array, layout: str) -> Array:
    """Hops of the longest edge of a ring."""
    natural = one_of(layout, "layout", LAYOUTS) == "natural"
    return n - 1 if natural else np.minimum(n - 1, 2)
