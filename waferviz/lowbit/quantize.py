"""From real weights and activations to few bits: binary, ternary, and group-wise integers.

All rounding is half to even, as in the published code; a row of zeros gets codes of zero, never a division by zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.lowbit.operands import Weights, two_dimensional, whole
from waferviz.program import Array

SMALLEST = 1e-5


def binary(w: Any) -> Weights:
    """BitNet's weights: sign(w - mean), times the mean magnitude; stored as one bit, 0 for -1.

    Source: BitNet, arXiv 2310.11453, equations 1 to 3.  A weight equal to the mean counts as +1.

    Examples
    --------
    >>> binary([[0.5, -0.5, 1.0, -1.0]]).values().tolist()
    [[0.75, -0.75, 0.75, -0.75]]
    """
    array = finite(w, "w")
    return Weights.of((array >= array.mean()).astype(int), bits=1, scale=2 * np.abs(array).mean(), zero=0.5)


def ternary(w: Any) -> Weights:
    """BitNet b1.58's weights: w over the mean magnitude, rounded to -1, 0, +1; stored as q = w + 1 in two bits.

    Source: BitNet b1.58, arXiv 2402.17764, equations 1 to 3, with the 1e-5 of the published code.

    Examples
    --------
    >>> (ternary([[0.3, -0.1], [0.9, -0.7]]).q - 1).tolist()
    [[1, 0], [1, -1]]
    """
    array = finite(w, "w")
    scale = max(float(np.abs(array).mean()), SMALLEST)
    codes = np.clip(np.rint(array / scale), -1, 1).astype(int) + 1
    return Weights.of(codes, bits=2, scale=scale, zero=1)


def groupwise(w: Any, bits: int, *, scale_group: int = 128, middle: bool = False) -> Weights:
    """Integers of `bits` bits with a scale for each output and run of `scale_group` weights.

    Parameters
    ----------
    w : (outputs, K)
        Weights.
    bits : int
        1 to 8.
    scale_group : int
        Weights that share scale and zero point.
    middle : bool
        Keep the zero point in the middle, (2^bits - 1)/2, in place of fitting it to the smallest and largest weight
        (and zero, which is then a code of its own).

    Examples
    --------
    >>> groupwise([[0.0, 1.0, 2.0, 3.0]], 2).q.tolist()
    [[0, 1, 2, 3]]
    """
    array = finite(w, "w")
    top = 2 ** whole(bits, "bits", 1, 8) - 1
    span = min(whole(scale_group, "scale_group", 1), array.shape[1])
    starts = np.arange(0, array.shape[1], span)
    low = np.minimum(np.minimum.reduceat(array, starts, axis=1), 0)
    high = np.maximum(np.maximum.reduceat(array, starts, axis=1), 0)
    if middle:
        high = np.maximum(np.abs(low), np.abs(high))
        low = -high
    width = np.where(high > low, high - low, 1.0)
    scale = width / top
    zero = np.full_like(scale, top / 2) if middle else np.clip(np.rint(-low / scale), 0, top)
    owner = np.arange(array.shape[1]) // span
    codes = np.clip(np.rint(array / scale[:, owner] + zero[:, owner]), 0, top).astype(int)
    return Weights.of(codes, bits=bits, scale=scale, zero=zero, scale_group=span)


def bitlinear(x: Any, w: Any) -> Array:
    """BitNet b1.58's linear layer: ternary weights, 8-bit activations per token, both scales at the end.

    Returns
    -------
    array
        (tokens, outputs) float64; zeros for a token of zeros.

    Examples
    --------
    >>> bitlinear([[1, -2]], [[0.3, -0.1], [0.9, -0.7]]).round(6).tolist()
    [[0.503937, 1.503937]]
    """
    from waferviz.lowbit.activations import absmax
    from waferviz.lowbit.matmul import lut_matmul

    weights, (codes, scale) = ternary(w), absmax(x)
    return lut_matmul(codes, weights.q, bits=2, zero=1) * weights.scale / scale


def nmse(found: Any, true: Any) -> float:
    """Normalised mean square error: squared error over squared truth; 0 when both are zero."""
    found, true = np.asarray(found, np.float64), np.asarray(true, np.float64)
    power = float((true**2).sum())
    error = float(((found - true) ** 2).sum())
    return error / power if power else (0.0 if error == 0 else float("inf"))


def finite(value: Any, name: str) -> Array:
    """`value` as a float64 matrix; ValueError names the first entry that is not finite."""
    array = two_dimensional(value, name, "(rows, K)")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {array.dtype}; give real numbers")
    if not np.isfinite(array).all():
        at = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
        raise ValueError(f"{name}{at} is {array[tuple(at)]}; give finite numbers")
    return array.astype(np.float64)
