"""One message, and one tile for a whole row: by multicast in the routers, or forwarded by the cores."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.cost.checks import cores_of, machine_of, moving, not_negative, one_of, position_of, words_of
from waferviz.program import Array


def message(words: Any, hops: Any, *, hop: Any = 1, ramp: Any = 2) -> Array:
    """Cycles of one message: `words + hops hop + c`; 0 for no hops.

    Exact against the wavelet simulator.  Source: Luczynski et al., HPDC 2024, section 2.

    Examples
    --------
    >>> int(message(8, 63))
    76
    """
    words, (hop, c) = words_of(words), machine_of(hop, ramp)
    hops = not_negative(hops, "hops", "zero hops or more")
    return np.where(hops > 0, words + hops * hop + c, 0)[()]


def broadcast(words: Any, n: Any, *, hop: Any = 1, ramp: Any = 2) -> Array:
    """Cycles of a flood from one end of a row of `n` cores: `words + (n - 1) hop + c`.

    Exact against the wavelet simulator.  Source: Luczynski et al., HPDC 2024, section 4.

    Examples
    --------
    >>> int(broadcast(16, 64))
    84
    """
    return multicast(words, n, hop=hop, ramp=ramp)


def multicast(words: Any, n: Any, root: Any = 0, *, hop: Any = 1, ramp: Any = 2) -> Array:
    """Cycles of a broadcast from core `root`, copied in the routers: `words + F hop + c`, F the farther end.

    Exact against the wavelet simulator for every root.  This is a broadcast of SUMMA as long as its routes last.

    Examples
    --------
    >>> multicast(16, 64, [0, 32])
    array([84, 53])
    """
    words, n, (hop, c) = words_of(words), cores_of(n), machine_of(hop, ramp)
    root = position_of(root, n)
    return moving(words + np.maximum(root, n - 1 - root) * hop + c, n)


def forward(words: Any, n: Any, root: Any = 0, *, per: str = "wavelet", hop: Any = 1, ramp: Any = 2) -> Array:
    """Cycles of a broadcast from core `root` that every core takes in and sends on.

    Parameters
    ----------
    per : "wavelet" or "message"
        Cores send on each word as it comes, `words + F (hop + c)`, or the tile once it is complete,
        `F (words + hop + c)`; F is the farther end.

    A root inside the row sends two copies through one ramp, word by word in turn, the farther end first:
    `words` cycles more when both ends are equally far, else `words - 1`.  Exact against the wavelet simulator.

    Examples
    --------
    >>> int(forward(8, 49)), int(forward(8, 49, per="message"))
    (296, 672)
    """
    words, n, (hop, c) = words_of(words), cores_of(n), machine_of(hop, ramp)
    root = position_of(root, n)
    far, near = np.maximum(root, n - 1 - root), np.minimum(root, n - 1 - root)
    twice = np.where(near == 0, 0, np.where(near == far, words, words - 1))
    each = {"wavelet": words + far * (hop + c), "message": far * (words + hop + c)}
    return moving(each[one_of(per, "per", ("wavelet", "message"))] + twice, n)
