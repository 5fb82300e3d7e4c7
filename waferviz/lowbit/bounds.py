"""How far a product with rounded tables can be from the exact one."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.lowbit.averages import branches, excess
from waferviz.lowbit.bitplanes import odd_zero
from waferviz.lowbit.method import Method
from waferviz.lowbit.operands import Weights, activations
from waferviz.lowbit.tables import half_table
from waferviz.program import Array


def error_bound(
    a: Any,
    q: Any,
    *,
    bits: int,
    zero: Any,
    scale: Any = 1,
    scale_group: int | None = None,
    group: int = 4,
    table: str = "int8",
    table_group: int | None = None,
    aggregate: str = "exact",
    bias: str = "sum",
) -> Array:
    """Largest error of `lut_matmul` with the same arguments, float rounding apart, (tokens, outputs).

    An entry is wrong by half a table scale s_t at most, so L lookups of every plane by s_w (2^bits - 1)/2 L s_t/2; a
    bias from the rounded tables adds s_w |z'|/2 L s_t/2, which makes 2^(bits-1) of (2^bits - 1)/2 for the usual zero
    point.  A tree of n averages adds up to n log2(n)/2 table scales, corrected n log2(n)/4 either way.

    Examples
    --------
    >>> error_bound([[1, 2, 3, 4]], [[3, 0, 2, 1]], bits=2, zero=2).round(6)
    array([[0.059055]])
    """
    weights = Weights.of(q, bits=bits, zero=zero, scale=scale, scale_group=scale_group)
    method = Method.of(weights, group, table, table_group, aggregate, bias)
    if method.table == "exact":
        return np.zeros((len(np.asarray(a)), len(weights.q)))
    padded = method.padded(activations(a, weights.q.shape[1]))
    _, table_scale = method.rounded(half_table(padded, group))
    real = method.padded(np.ones((1, method.length), np.int64)).reshape(method.runs, method.lookups, group)
    lookups = real.any(axis=2).sum(axis=1)
    plane_error = lookups / 2 + tree_error(method)
    shares = np.arange(method.runs) // method.runs_per_scale
    s, z = (
        np.broadcast_to(x, (len(weights.q), weights.groups))[:, shares]
        for x in (np.abs(weights.scale), np.abs(odd_zero(weights.zero, bits)))
    )
    each = s / 2 * ((2**bits - 1) * plane_error + (z * lookups / 2 if bias == "table" else 0))
    return table_scale.T @ each.T


def tree_error(method: Method) -> float:
    """Largest error of the averages of a run and plane, in table scales."""
    if method.aggregate == "exact":
        return 0.0
    number = branches(method.lookups)
    return method.lookups / number * excess(number) * (1 if method.aggregate == "fast-corrected" else 2)
