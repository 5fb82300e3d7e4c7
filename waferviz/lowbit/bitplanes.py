"""Bit planes of weights, and the table indices that groups of them make."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.lowbit.operands import codes, whole, wholes
from waferviz.program import Array

MOST_GROUP = 8


def planes(q: Any, bits: int) -> Array:
    """Bits of the codes, (plane, outputs, K): q is the sum of 2^i times plane i.

    Examples
    --------
    >>> planes([[3, 0, 2, 1]], 2).tolist()
    [[[1, 0, 0, 1]], [[1, 0, 1, 0]]]
    """
    found = codes(q, whole(bits, "bits", 1, 8))
    return found >> np.arange(bits, dtype=np.int16)[:, None, None] & 1


def reinterpret(q: Any, bits: int) -> Array:
    """Odd integers q' = 2q - (2^bits - 1), symmetric about zero: the sum of 2^i times plane i read as -1 and +1.

    Source: LUT Tensor Core, ISCA 2025, equations 1 to 3.  With s' = s/2 and z' = 2z + 1 - 2^bits the weights stay the
    same, s (q - z) = s' (q' - z').

    Examples
    --------
    >>> reinterpret([[3, 0, 2, 1]], 2).tolist()
    [[3, -3, 1, -1]]
    """
    return 2 * codes(q, bits).astype(np.int64) - (2**bits - 1)


def odd_zero(zero: Any, bits: int) -> Array:
    """Zero point z' = 2z + 1 - 2^bits of the reinterpreted codes; 1 for the usual z = 2^(bits-1), 0 in the middle."""
    return 2 * np.asarray(zero, dtype=np.float64) + 1 - 2**bits


def alphas(bits: int) -> Array:
    """Weights 2^i / 2 of the planes, as T-MAC writes them: 1/2, 1, 2, 4, ...

    Source: T-MAC, EuroSys 2025, section 3.2; w = s (sum of alpha_i sigma_i - 1/2) for z = 2^(bits-1).
    """
    return 2.0 ** np.arange(-1, whole(bits, "bits", 1, 8) - 1)


def indices(q: Any, bits: int, group: int = 4, order: str = "lsb") -> Array:
    """Table index of every plane, output and group of `group` weights: (plane, outputs, groups).

    The last group of a ragged K is filled with zero bits; its activations are zero there, so any bit would do.

    Parameters
    ----------
    q : (outputs, K) int
        Codes.
    bits, group : int
        Bits of a code; weights that share one lookup.
    order : "lsb" or "msb"
        Which weight is the lowest bit: the first (T-MAC) or the last (the text of LUT Tensor Core).

    Examples
    --------
    >>> indices([[3, 0, 2, 1]], 2).tolist()
    [[[9]], [[5]]]
    """
    found = codes(q, whole(bits, "bits", 1, 8))
    length(group)
    spare = -found.shape[1] % group
    filled = np.pad(found.astype(np.uint8), ((0, 0), (0, spare)))
    if order == "msb":
        filled = filled.reshape(len(filled), -1, group)[:, :, ::-1].reshape(filled.shape)
    elif order != "lsb":
        raise ValueError(
            f"order={order!r}: choose 'lsb' (first weight lowest) or 'msb' (first weight highest)"
        )
    return np.stack([joined(filled, plane, 1, group) for plane in range(bits)])


def joined(q: Array, first: int, together: int, group: int) -> Array:
    """Bits first .. first+together-1 of each group of codes as one number, first weight lowest: (outputs, groups).

    With one plane this is a table index; with more it is the packed code of the whole group.
    """
    part = q if together == 8 else q >> np.uint8(first) & np.uint8(2**together - 1)
    found = part[:, 0::group].copy()
    for at in range(1, group):
        found |= part[:, at::group] << np.uint8(at * together)
    return found


def spread(together: int, group: int) -> Array:
    """For each packed code of a group the table index of each of its planes: (plane, 2^(together group))."""
    packed = np.arange(2 ** (together * group))
    each = packed >> together * np.arange(group)[:, None] & 2**together - 1
    bits = each >> np.arange(together)[:, None, None] & 1
    return (bits << np.arange(group)[:, None]).sum(axis=1)


def remap(index: Any, group: int = 4) -> tuple[Array, Array]:
    """Sign (0 or 1) and address in the halved table of each index; done once, since weights do not change.

    The top bit is the sign; where it is set the other bits are complemented, so that at run time only a sign flip is
    left.  Source: LUT Tensor Core, ISCA 2025, equation 6.

    Examples
    --------
    >>> [int(part) for part in remap(9)]
    [1, 6]
    """
    found = wholes(index, "index", 0, 2 ** length(group) - 1)
    mask = 2 ** (group - 1) - 1
    sign = found >> group - 1
    return sign, (found ^ -sign) & mask


def length(group: Any) -> int:
    """`group` when a table of it can be made; ValueError that says how large the table would be otherwise."""
    if isinstance(group, int | np.integer) and not isinstance(group, bool) and group > MOST_GROUP:
        raise ValueError(
            f"group={group}: a table of 2^{group} = {2 ** min(int(group), 1000):,} entries, "
            f"{8 * 2 ** min(int(group), 1000):,} bytes for each token and group; choose 1 to {MOST_GROUP}"
        )
    return whole(group, "group", 1, MOST_GROUP)
