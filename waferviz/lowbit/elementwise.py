"""Ternary products by element-wise tables: two weights to nine sums (TL1), three to fourteen and a sign (TL2).

Source: Bitnet.cpp, arXiv 2502.11880, section 3.1 and tables 5 and 6.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.lowbit.gather import add_up, largest
from waferviz.lowbit.operands import activations, outside, two_dimensional
from waferviz.lowbit.tables import groups
from waferviz.program import Array


def ternary_matmul(a: Any, w: Any, *, packing: str = "tl2") -> Array:
    """Product of activations and weights of -1, 0 and +1 by table lookup, (tokens, outputs).

    Parameters
    ----------
    a : (tokens, K)
        Activations, integers or floats.
    w : (outputs, K) int
        Weights -1, 0, +1.
    packing : "tl1" or "tl2"
        Pairs, or triples; TL2 leaves the one or two weights after the last triple to TL1.

    Returns
    -------
    array
        int64 and exact for integers, float64 otherwise.

    Raises
    ------
    ValueError
        For other weights, an unknown packing, and integers whose sum could leave int64.

    Examples
    --------
    >>> ternary_matmul([[5, -3, 7]], [[-1, 0, 1]])
    array([[2]])
    """
    weights = ternary_weights(w)
    rows = activations(a, weights.shape[1])
    if rows.dtype.kind == "i" and largest(rows) * rows.shape[1] > 2**63 - 1:
        raise ValueError(
            f"integer activations up to {largest(rows)} can sum to more than int64 holds; use float64"
        )
    if packing not in ("tl1", "tl2"):
        raise ValueError(f"packing={packing!r}: choose 'tl1' (pairs) or 'tl2' (triples)")
    whole = weights.shape[1] // 3 * 3 if packing == "tl2" else 0
    total = np.zeros((len(rows), len(weights)), rows.dtype)
    if whole:
        total += _added(tl2_signed(tl2_table(rows[:, :whole])), tl2_value(weights[:, :whole]) + 13)
    if whole < weights.shape[1]:
        total += _added(tl1_table(rows[:, whole:]), tl1_index(weights[:, whole:]))
    return total


def tl1_index(w: Any) -> Array:
    """Index 3 (w0 + 1) + (w1 + 1) of each pair of weights, (outputs, pairs); an odd K ends with a zero weight."""
    first, second = cut(w, 2)
    return 3 * first + second + 4


def tl1_table(a: Any) -> Array:
    """The nine sums w0 a0 + w1 a1 of each pair of activations, (pairs, 9, ...).

    Examples
    --------
    >>> tl1_table([5, -3])[0].tolist()
    [-2, -5, -8, 3, 0, -3, 8, 5, 2]
    """
    return sums(a, patterns(2))


def tl2_value(w: Any) -> Array:
    """Signed code 9 w0 + 3 w1 + w2 of each triple of weights, -13 to 13, (outputs, triples)."""
    first, second, third = cut(w, 3)
    return 9 * first + 3 * second + third


def tl2_table(a: Any) -> Array:
    """The fourteen sums of each triple of activations whose code is not negative, (triples, 14, ...).

    Examples
    --------
    >>> tl2_table([5, -3, 7])[0].tolist()
    [0, 7, -10, -3, 4, 1, 8, 15, -2, 5, 12, -5, 2, 9]
    """
    return sums(a, patterns(3)[13:])


def tl2_signed(half: Array) -> Array:
    """All 27 sums from the fourteen: entry v + 13 is that of code v."""
    return np.concatenate([-half[:, :0:-1], half], axis=1)


def signed(entry: Any, sign: Any) -> Any:
    """`entry`, turned over where `sign` is 1, without a branch: (entry + m) XOR m with the mask m = -sign.

    The paper prints the sign bit itself in place of the mask; with 1 for 5 that would give 7.

    Examples
    --------
    >>> int(signed(5, 1))
    -5
    """
    mask = -np.asarray(sign)
    return np.asarray(entry) + mask ^ mask


def patterns(length: int) -> Array:
    """All rows of `length` weights -1, 0, +1 in the order of their code, first weight highest: (3^length, length)."""
    return np.stack(np.meshgrid(*[[-1, 0, 1]] * length, indexing="ij"), axis=-1).reshape(-1, length)


def sums(a: Any, signs: Array) -> Array:
    """Sums of each group of activations with the given signs, (groups, len(signs), ...)."""
    found = groups(a, signs.shape[1])
    return np.einsum("es,gs...->ge...", signs, found)


def cut(w: Any, length: int) -> list[Array]:
    """First, second, ... weights of each group of `length`, zeros after a ragged end: (outputs, groups) each."""
    found = ternary_weights(w)
    spare = -found.shape[1] % length
    filled = np.pad(found, ((0, 0), (0, spare))) if spare else found
    return [filled[:, at::length] for at in range(length)]


def ternary_weights(w: Any) -> Array:
    """Weights as int8; ValueError names the first that is not -1, 0 or +1."""
    array = two_dimensional(w, "w", "(outputs, K)")
    if array.dtype.kind not in "iu":
        raise ValueError(
            f"w has dtype {array.dtype}; give integers -1, 0, +1, for example from waferviz.lowbit.ternary(w)"
        )
    outside(array, -1, 1, "w", "a ternary weight is -1, 0 or +1")
    return array.astype(np.int8, copy=False)


def _added(table: Array, index: Array) -> Array:
    return add_up(table, np.ascontiguousarray(index.T)).T
