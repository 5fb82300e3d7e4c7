"""Activations in few bits: 8-bit per token (b1.58), 4-bit and sparse formats (a4.8).

Sources: BitNet b1.58, arXiv 2402.17764; BitNet a4.8, arXiv 2411.04965, section 2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.lowbit.operands import whole
from waferviz.lowbit.quantize import SMALLEST, finite
from waferviz.program import Array

FP4 = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])


def absmax(x: Any, bits: int = 8) -> tuple[Array, Array]:
    """Codes round(x s) and the scale s = 127 / max|x| of each token: (tokens, K) int, (tokens, 1).

    A token of zeros keeps the scale 127 / 1e-5 and codes of zero.

    Examples
    --------
    >>> absmax([[1, -2]])[0].tolist()
    [[64, -127]]
    """
    array = finite(x, "x")
    top = 2 ** (whole(bits, "bits", 2, 8) - 1)
    scale = (top - 1) / np.maximum(np.abs(array).max(axis=1, keepdims=True), SMALLEST)
    return np.clip(np.rint(array * scale), -top, top - 1).astype(np.int64), scale


def absmean_int4(x: Any) -> tuple[Array, Array]:
    """a4.8's 4-bit codes round(sqrt(7) x / mean|x|), -8 to 7, and the step mean|x| / sqrt(7) of each token.

    Examples
    --------
    >>> codes, step = absmean_int4([[0.1, -0.2, 0.4, 1.5]])
    >>> codes.tolist(), (codes * step).round(6).tolist()
    ([[0, -1, 2, 7]], [[0.0, -0.20788, 0.415761, 1.455163]])
    """
    array = finite(x, "x")
    mean = np.abs(array).mean(axis=1, keepdims=True)
    step = mean / np.sqrt(7)
    codes = np.clip(np.rint(np.sqrt(7) * array / (mean + SMALLEST)), -8, 7).astype(np.int64)
    return codes, step


def largest_half(x: Any, keep: float = 0.5) -> tuple[Array, Array]:
    """a4.8's sparse 8-bit codes: the share `keep` of largest |x| of each token as in `absmax`, zeros elsewhere."""
    array = finite(x, "x")
    if not 0 < keep <= 1:
        raise ValueError(f"keep={keep!r}: choose a share above 0, at most 1")
    number = max(1, round(keep * array.shape[1]))
    kept = np.argsort(-np.abs(array), axis=1, kind="stable")[:, :number]
    mask = np.zeros(array.shape, bool)
    np.put_along_axis(mask, kept, values=True, axis=1)
    return absmax(np.where(mask, array, 0))


def squared_relu(x: Any) -> Array:
    """max(x, 0) squared, the gate of 2B4T and a4.8, in float64: it leaves the range of float16 in places."""
    return np.maximum(finite(x, "x"), 0) ** 2


def fp4(x: Any) -> tuple[Array, Array]:
    """Values of the 4-bit float E2M1 (0, .5, 1, 1.5, 2, 3, 4, 6 and their negatives) and the step of each token.

    A tie goes to the smaller magnitude.  The largest |x| of a token becomes 6.
    """
    array = finite(x, "x")
    step = np.maximum(np.abs(array).max(axis=1, keepdims=True), SMALLEST) / FP4[-1]
    nearest = np.abs(np.abs(array / step)[..., None] - FP4).argmin(axis=-1)
    return np.sign(array) * FP4[nearest], step
