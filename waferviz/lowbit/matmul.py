"""Matrix products without multiplying weights: look up signed sums of activations, shift, add."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.lowbit.averages import average_up
from waferviz.lowbit.bitplanes import odd_zero
from waferviz.lowbit.gather import add_up, addressed, largest
from waferviz.lowbit.method import Method
from waferviz.lowbit.operands import Weights, activations
from waferviz.lowbit.tables import half_table, mirrored
from waferviz.program import Array

LIMIT = 2**63 - 1
TOKENS = 64


def lut_matmul(
    a: Any,
    q: Any,
    *,
    bits: int,
    zero: Any,
    scale: Any = 1,
    scale_group: int | None = None,
    group: int = 4,
    table: str = "exact",
    table_group: int | None = None,
    aggregate: str = "exact",
    bias: str = "sum",
) -> Array:
    """Product of activations and the weights scale * (q - zero) by table lookup, (tokens, outputs).

    y = s' (sum over planes i of 2^i sum over groups of T[index] - z' sum of a), with s' = s/2 and z' = 2z + 1 - 2^bits.

    Parameters
    ----------
    a : (tokens, K)
        Activations, integers or floats.
    q : (outputs, K) int
        Codes 0 .. 2^bits - 1.
    bits : int
        1 to 8.
    zero, scale : number, (outputs,) or (outputs, ceil(K / scale_group))
        Ternary weights w: q = w + 1, bits=2, zero=1.  Binary -1 and +1: bits=1, scale=2, zero=1/2.
    scale_group : int, optional
        Weights along K that share scale and zero point; all of them by default.
    group : int
        Activations of a table, 1 to 8.  K and scale groups need be no multiple of it: the last table of each is filled
        with zero activations, whatever the codes.
    table : "exact" or "int8"
        Entries as they are, or rounded to 8 bits with one scale per `table_group` activations.
    table_group : int, optional
        A multiple of `group`; a whole scale group by default.
    aggregate : "exact", "fast" or "fast-corrected"
        Add entries, or average them in trees (8-bit tables only), with the average excess taken off or not.
    bias : "sum" or "table"
        Where the sum of the activations comes from: from themselves, or from entry 0 of the (rounded) tables.

    Returns
    -------
    array
        int64 and exact when the tables are, and activations and weights are whole numbers; float64 otherwise.
        A zero row of activations gives zeros.  Sums of integers are widened from 16 to 32 and 64 bits before they could wrap.

    Raises
    ------
    ValueError
        For operands, groups or modes that make no sense, and integers whose sum could leave int64.

    Examples
    --------
    >>> lut_matmul([[1, 2, 3, 4]], [[3, 0, 2, 1]], bits=2, zero=2)
    array([[-7]])

    References
    ----------
    LUT Tensor Core, ISCA 2025, section 3; T-MAC, EuroSys 2025, section 3.
    """
    weights = Weights.of(q, bits=bits, zero=zero, scale=scale, scale_group=scale_group)
    method = Method.of(weights, group, table, table_group, aggregate, bias)
    return product(activations(a, weights.q.shape[1]), weights, method)


def product(a: Array, weights: Weights, method: Method) -> Array:
    """The product of checked operands, some tokens at a time."""
    whole = is_whole(a, weights, method)
    codes = method.padded(weights.q.astype(np.uint8))
    index = {
        bunch: addressed(codes, *bunch, method.group) for bunch in method.bunches(weights.bits, len(codes))
    }
    out = np.empty((len(a), len(codes)), np.int64 if whole else np.float64)
    for start in range(0, len(a), TOKENS):
        rows = slice(start, start + TOKENS)
        twice = doubled(method.padded(a[rows]), weights, method, index).T
        out[rows] = twice.astype(np.int64) // 2 if whole else twice / 2
    return out


def doubled(a: Array, weights: Weights, method: Method, index: dict[tuple[int, int], Array]) -> Array:
    """Twice the product, (outputs, tokens), since q' = 2q - (2^bits - 1) counts in halves of a scale."""
    half = half_table(a, method.group)
    entries, table_scale = method.rounded(half)
    full, sums = mirrored(entries), method.sums(half, entries, table_scale)
    scale, shift = scale_and_shift(weights)
    total: Any = 0
    for run in range(method.runs):
        at = slice(run * method.lookups, (run + 1) * method.lookups)
        found = looked_up(full[at], {bunch: where[at] for bunch, where in index.items()}, method)
        owner = run // method.runs_per_scale
        s, z = (x[:, owner % x.shape[1], None] for x in (scale, shift))
        total = total + s * (found * table_scale[run]) - z * sums[run]
    return total


def looked_up(entries: Array, index: dict[tuple[int, int], Array], method: Method) -> Array:
    """Sum over planes of 2^i times the sum of their entries, (outputs, tokens)."""
    total: Any = 0
    for (first, planes), where in index.items():
        if method.aggregate == "exact":
            found = add_up(entries, where, planes, method.group)
        else:
            found = average_up(entries, where, corrected=method.aggregate == "fast-corrected")
        total = total + found.astype(np.result_type(found, np.int64), copy=False) * 2**first
    return total


def scale_and_shift(weights: Weights) -> tuple[Array, Array]:
    """Scale s and shift s z' of each output and scale group, int64 where all of them are whole."""
    scale, shift = weights.scale, weights.scale * odd_zero(weights.zero, weights.bits)
    if (scale % 1).any() or (shift % 1).any():
        return scale, shift
    return scale.astype(np.int64), shift.astype(np.int64)


def is_whole(a: Array, weights: Weights, method: Method) -> bool:
    """Whether the product is exact in int64; ValueError for integers whose sums could leave it."""
    if a.dtype.kind == "f":
        return False
    scale, shift = scale_and_shift(weights)
    whole = (
        method.table == "exact" and scale.dtype.kind == "i" and not ((weights.scale * weights.zero) % 1).any()
    )
    factor = largest(scale) * 2**weights.bits + largest(shift) if whole else 2**weights.bits
    bound = largest(a) * a.shape[1] * factor
    if bound > LIMIT:
        raise ValueError(
            f"integer activations up to {largest(a)} can sum to {bound}, more than int64 holds; scale them down or use float64"
        )
    return whole
