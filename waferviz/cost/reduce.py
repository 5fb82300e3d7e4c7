"""Reductions of one vector per core to the first core of a row, as published, and their two forms on a mesh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from waferviz.cost.checks import cores_of, machine_of, moving, words_of
from waferviz.program import Array


def star(words: Any, n: Any, *, hop: Any = 1, ramp: Any = 2) -> Array:
    """Cycles of a reduction in which every core sends straight to the first: `(n - 1) words + hop + c`.

    With fewer words than cycles per hop the farthest core decides: `(n - 1) hop + words + c`.  Exact against the
    wavelet simulator; the published form leaves out the one hop.
    Source: Luczynski et al., HPDC 2024, section 5.

    Examples
    --------
    >>> int(star(1, 4))
    9
    """
    words, n, (hop, c) = words_of(words), cores_of(n), machine_of(hop, ramp)
    return moving(np.maximum((n - 1) * words + hop, (n - 1) * hop + words) + c, n)


def chain(words: Any, n: Any, *, hop: Any = 1, ramp: Any = 2) -> Array:
    """Cycles of a reduction that adds word by word from core to core: `words + (n - 1)(hop + c)`.

    Exact against the wavelet simulator.  Source: Luczynski et al., HPDC 2024, section 5.

    Examples
    --------
    >>> int(chain(8, 8))
    50
    """
    words, n, (hop, c) = words_of(words), cores_of(n), machine_of(hop, ramp)
    return moving(words + (n - 1) * (hop + c), n)


def tree(words: Any, n: Any, *, hop: Any = 1, ramp: Any = 2) -> Array:
    """Cycles of a binary tree: `max(m lg n, m n lg n / (2 (n - 1)) + (n - 1) hop) + c lg n`, m words.

    Published form, an estimate: for powers of two between 4 and 64 cores and up to 512 words the wavelet simulator
    needs 7.0 % less on average and at most 25.8 %.  Other n count the next power's levels.
    Source: Luczynski et al., HPDC 2024, section 5.

    Examples
    --------
    >>> round(float(tree(1, 4)), 2)
    14.33
    """
    words, n, (hop, c) = words_of(words), cores_of(n), machine_of(hop, ramp)
    levels = np.ceil(np.log2(n))
    spread = words * n * levels / (2 * np.maximum(n - 1, 1)) + (n - 1) * hop
    return moving(np.maximum(words * levels, spread) + c * levels, n)


def two_phase(words: Any, n: Any, group: Any = None, *, hop: Any = 1, ramp: Any = 2) -> Array:
    """Cycles of chains in groups of S cores, then one chain over the n / S first cores of the groups.

    `max(2 m, m ((n - S) + (n - n/S)) / (n - 1) + (n - 1) hop) + c ((S - 1) + (n/S - 1))`, m words; S is the
    rounded root of n unless `group` is given.  Where S does not divide n the last group is shorter, and the form is taken
    between the two whole numbers of groups as it stands, n / S groups: 64 cores in groups of 7 are 9.14 groups.

    Published form, an estimate: on 4 to 64 cores and up to 512 words it is 4.4 % off the wavelet simulator on
    average, at most 18.2 %, when the nearer message goes first on shared links.
    Source: Luczynski et al., HPDC 2024, section 5.

    Examples
    --------
    >>> round(float(two_phase(1, 8)), 2)
    26.81
    """
    words, n, (hop, c) = words_of(words), cores_of(n), machine_of(hop, ramp)
    size = cores_of(np.maximum(np.round(np.sqrt(n)), 1) if group is None else group, "group")
    if np.any(size > n):
        raise ValueError(
            f"group={np.max(size)}: a row of {np.min(n)} cores has groups of 1 to {np.min(n)} cores"
        )
    hops = (n - size) + (n - n / size)
    spread = words * hops / np.maximum(n - 1, 1) + (n - 1) * hop
    return moving(np.maximum(2 * words, spread) + c * ((size - 1) + (n / size - 1)), n)


def snake(words: Any, rows: Any, columns: Any, *, hop: Any = 1, ramp: Any = 2) -> Array:
    """Cycles of one chain through all cores of a mesh, row after row.

    Exact against the wavelet simulator.  Source: Luczynski et al., HPDC 2024, section 7.

    Examples
    --------
    >>> int(snake(4, 3, 3))
    52
    """
    cores = cores_of(rows, "rows") * cores_of(columns, "columns")
    return chain(words, cores, hop=hop, ramp=ramp)


def xy(
    words: Any,
    rows: Any,
    columns: Any,
    pattern: Callable[..., Array] = chain,
    *,
    hop: Any = 1,
    ramp: Any = 2,
) -> Array:
    """Cycles of a reduction along every row, then along the first column, with one `pattern` for both.

    As exact as the pattern.  Source: Luczynski et al., HPDC 2024, section 7.

    Examples
    --------
    >>> int(xy(4, 3, 3)), int(xy(4, 3, 3, star))
    (32, 28)
    """
    rows, columns = cores_of(rows, "rows"), cores_of(columns, "columns")
    return pattern(words, columns, hop=hop, ramp=ramp) + pattern(words, rows, hop=hop, ramp=ramp)
