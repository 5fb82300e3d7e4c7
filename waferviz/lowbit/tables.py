"""Tables of signed sums of activations: what a lookup reads in place of multiplying."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.lowbit.bitplanes import length
from waferviz.lowbit.operands import whole, wholes
from waferviz.program import Array

INT8 = 127


def subset_sums(a: Any, group: int = 4) -> Array:
    """Sums of every subset of each group of activations, bits read as 0 and 1: (groups, 2^group, ...).

    Examples
    --------
    >>> subset_sums([1, 2, 3, 4])[0].tolist()
    [0, 1, 2, 3, 3, 4, 5, 6, 4, 5, 6, 7, 7, 8, 9, 10]
    """
    cut = groups(a, group)
    sums = np.zeros_like(cut[:, :1])
    for at in range(group):
        sums = np.concatenate([sums, sums + cut[:, at : at + 1]], axis=1)
    return sums


def half_table(a: Any, group: int = 4) -> Array:
    """The half of the table that has to be built and stored: entries whose last activation counts negative.

    Entry i is the sum of the activations with the signs in the bits of i, 0 for minus: (groups, 2^(group-1), ...).
    Built by doubling, which takes 2^group - 2 additions.

    Examples
    --------
    >>> half_table([1, 2, 3, 4])[0].tolist()
    [-10, -8, -6, -4, -4, -2, 0, 2]
    """
    cut = groups(a, group)
    half = -cut[:, group - 1 : group]
    for at in range(group - 1):
        one = cut[:, at : at + 1]
        half = np.concatenate([half - one, half + one], axis=1)
    return half


def mirrored(half: Array) -> Array:
    """The whole table from its half: T[i] = -T[~i], every bit of the index turned."""
    return np.concatenate([half, -half[:, ::-1]], axis=1)


def table(a: Any, group: int = 4, order: str = "lsb") -> Array:
    """All signed sums of each group of activations: (groups, 2^group, ...).

    Parameters
    ----------
    a : (K,) or (tokens, K)
        Activations; with tokens they come out as the last axis, since one lookup reads an entry of all of them.
    group : int
        Activations per table, 1 to 8; a ragged K is filled with zeros.
    order : "lsb" or "msb"
        Whether the first activation is the lowest bit of the index (T-MAC) or the highest (LUT Tensor Core's text).

    Examples
    --------
    >>> table([1, 2, 3, 4])[0].tolist()
    [-10, -8, -6, -4, -4, -2, 0, 2, -2, 0, 2, 4, 4, 6, 8, 10]
    """
    both = mirrored(half_table(a, group))
    if order == "lsb":
        return both
    if order != "msb":
        raise ValueError(
            f"order={order!r}: choose 'lsb' (first activation lowest) or 'msb' (first activation highest)"
        )
    index = np.arange(2**group)
    turned = sum((index >> at & 1) << group - 1 - at for at in range(group))
    return both[:, turned]


def lookup(half: Array, sign: Any, address: Any) -> Array:
    """Entries of the first group of a halved table: the one at `address`, turned over where `sign` is 1.

    Examples
    --------
    >>> from waferviz.lowbit.bitplanes import remap
    >>> lookup(half_table([1, 2, 3, 4]), *remap(np.arange(16))).tolist()
    [-10, -8, -6, -4, -4, -2, 0, 2, -2, 0, 2, 4, 4, 6, 8, 10]
    """
    flip = wholes(sign, "sign", 0, 1)
    entry = half[0][wholes(address, "address", 0, half.shape[1] - 1)]
    return np.where(flip.reshape(flip.shape + (1,) * (entry.ndim - flip.ndim)) == 1, -entry, entry)


def quantized(half: Array, share: int = 1) -> tuple[Array, Array]:
    """A halved table as int8 with one scale per run of `share` groups: (entries int8, scale (runs, ...)).

    The scale is the largest entry over 127; rounding half to even keeps the table odd, so its mirror stays right.  A
    run of zeros, or one so small that its scale would be subnormal, is a table of zeros with scale 1.
    Source: the released code of T-MAC, with share = 8, 16 or all groups; LUT Tensor Core's text: share = 1.

    Examples
    --------
    >>> entries, scale = quantized(half_table([1, 2, 3, 4]))
    >>> entries[0].tolist(), float(scale[0] * 127)
    ([-127, -102, -76, -51, -51, -25, 0, 25], 10.0)
    """
    if len(half) % whole(share, "share", 1, len(half)):
        raise ValueError(
            f"share={share}: {len(half)} groups are not cut evenly; choose a divisor of {len(half)}"
        )
    runs = half.astype(np.float64).reshape(-1, share, *half.shape[1:])
    scale = np.abs(runs).max(axis=(1, 2)) / INT8
    tiny = scale < np.finfo(np.float64).tiny
    scale = np.where(tiny, 1.0, scale)
    entries = np.where(tiny[:, None, None], 0, np.rint(runs / scale[:, None, None]))
    return entries.reshape(half.shape).astype(np.int8), scale


def additions(group: int) -> int:
    """Additions that build a halved table by doubling, 2^group - 2."""
    return int(2 ** length(group) - 2)


def groups(a: Any, group: int) -> Array:
    """Activations (K,) or (tokens, K) cut into groups: (groups, group, ...), zeros after a ragged end."""
    length(group)
    array = np.asarray(a)
    array = array.astype(np.int64 if array.dtype.kind in "biu" else np.float64, copy=False)
    if array.ndim not in (1, 2) or 0 in array.shape:
        raise ValueError(f"a has shape {array.shape}; give activations (K,) or (tokens, K)")
    spare = -array.shape[-1] % group
    filled = np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, spare)])
    return np.ascontiguousarray(filled.T).reshape(-1, group, *array.shape[:-1])
