"""Sums on their way: what a kernel's 16-bit accumulator would hold beside the true sum, weight by weight.

Sources: microsoft/BitNet, src/ggml-bitnet-mad.cpp (I2_S) and its look-up kernels; microsoft/T-MAC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.lowbit.elementwise import ternary_weights
from waferviz.lowbit.operands import activations
from waferviz.lowbit.tables import half_table, quantized
from waferviz.program import Array

if TYPE_CHECKING:
    import xarray as xr

LIMIT = 2**15 - 1
LENGTH = 384


@dataclass(frozen=True, kw_only=True)
class Lane:
    """How one lane of a kernel adds.

    Attributes
    ----------
    name : str
        Name shown to people.
    group : int
        Weights of one addition.
    widened : int
        Weights after which the lane is added to a 32-bit sum and starts anew; 0 when it is left to the block size.
    """

    name: str
    group: int
    widened: int


LANES = (
    Lane(name="I2_S, codes 0, 1, 2", group=2, widened=256),
    Lane(name="TL1", group=2, widened=0),
    Lane(name="TL2", group=3, widened=0),
    Lane(name="T-MAC, 8-bit entries", group=4, widened=64),
)


def running_sums(a: Any = None, w: Any = None, *, seed: int = 0) -> xr.Dataset:
    """Sums in one 16-bit lane of four kernels, addition by addition, for your numbers or for random ones, and the worst.

    Parameters
    ----------
    a, w : (K,) int, optional
        Activations of 8 bits and ternary weights; random ones, 384 of them, by default.
    seed : int
        For the random ones.

    Returns
    -------
    Dataset
        dims kernel, input ("yours" or "random", "worst case": all activations 127, all weights +1) and added, the weights
        summed so far: `true`, the sum since the lane was last widened, and `held`, what 16 bits make of it.  A T-MAC lane
        holds one bit plane: weights of +1 are ones, all others zeros.

    Examples
    --------
    >>> worst = running_sums().sel(input="worst case").true.max("added")
    >>> dict(zip(worst.kernel.values.tolist(), worst.values.astype(int).tolist()))["I2_S, codes 0, 1, 2"]
    65024
    """
    import xarray as xr

    rng = np.random.default_rng(seed)
    label = "random" if a is None or w is None else "yours"
    if a is None or w is None:
        a, w = rng.integers(-127, 128, LENGTH), rng.integers(-1, 2, LENGTH)
    weights = ternary_weights(np.atleast_2d(w))[0]
    numbers = activations(np.atleast_2d(a), len(weights))[0]
    if numbers.dtype.kind != "i" or np.abs(numbers).max() > 127:
        raise ValueError(f"a goes up to {np.abs(numbers).max()}; give 8-bit activations, -127 to 127")
    pairs = [(numbers, weights), (np.full_like(numbers, 127), np.ones_like(weights))]
    true = np.stack([[_along(lane, *pair) for pair in pairs] for lane in LANES])
    dims = ("kernel", "input", "added")
    words = {"units": "1"}
    return xr.Dataset(
        {
            "true": (dims, true, {**words, "long_name": "sum since the lane was widened"}),
            "held": (dims, true.astype(np.int16), {**words, "long_name": "what 16 bits hold"}),
        },
        {
            "kernel": [lane.name for lane in LANES],
            "input": [label, "worst case"],
            "added": np.arange(len(weights) + 1),
            "widened": ("kernel", [lane.widened for lane in LANES]),
        },
        {"limit": LIMIT},
    )


def _along(lane: Lane, a: Array, w: Array) -> Array:
    """Sum in the lane after each weight; it moves at the last weight of each addition."""
    each = _terms(lane, a, w)
    if lane.widened:
        cut = np.pad(each, (0, -len(each) % lane.widened)).reshape(-1, lane.widened)
        return np.concatenate([[0], cut.cumsum(axis=1).ravel()[: len(each)]])
    return np.concatenate([[0], each.cumsum()])


def _terms(lane: Lane, a: Array, w: Array) -> Array:
    """What each weight brings, all of a group at its last weight."""
    if lane.name.startswith("T-MAC"):
        entries, _ = quantized(half_table(a, lane.group), -(-len(a) // lane.group))
        last = (2 * (np.pad(w, (0, -len(w) % lane.group)) > 0) - 1).reshape(-1, lane.group)
        bits = ((last > 0) << np.arange(lane.group)).sum(axis=1)
        whole = np.concatenate([entries, -entries[:, ::-1]], axis=1)
        sums = whole[np.arange(len(whole)), bits].astype(np.int64)
    else:
        term = a * (w + 1 if lane.name.startswith("I2_S") else w)
        sums = np.pad(term, (0, -len(term) % lane.group)).reshape(-1, lane.group).sum(axis=1)
    found = np.zeros(len(sums) * lane.group, np.int64)
    found[lane.group - 1 :: lane.group] = sums
    return found[: len(a)]
