"""Operands of a low-bit product: activations as they are, weights as codes with scale and zero point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from waferviz.program import Array

MOST_BITS = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class Weights:
    """Unsigned codes q that stand for the weights scale * (q - zero).

    Attributes
    ----------
    q : (outputs, K) int16
        Codes 0 .. 2^bits - 1, in a type in which q - 1 cannot wrap.
    bits : int
        Bits of a code, 1 to 8.
    scale, zero : (outputs or 1, scale groups or 1) float64
        One pair for each output and each run of `span` weights along K.
    span : int
        Weights along K that share a scale; K for one scale per output or per matrix.
    """

    q: Array
    bits: int
    scale: Array
    zero: Array
    span: int

    @classmethod
    def of(cls, q: Any, *, bits: int, zero: Any, scale: Any = 1, scale_group: int | None = None) -> Weights:
        """Weights from codes; scale and zero are scalars, (outputs,) or (outputs, ceil(K / scale_group)).

        Raises
        ------
        ValueError
            For bits outside 1..8, codes outside their range, and scales or zero points that do not fit the codes.
        """
        whole(bits, "bits", 1, MOST_BITS)
        found = codes(q, bits)
        outputs, length = found.shape
        span = length if scale_group is None else min(whole(scale_group, "scale_group", 1), length)
        groups = -(-length // span)
        pair = {
            name: per_output(value, name, outputs, groups)
            for name, value in (("scale", scale), ("zero", zero))
        }
        return cls(q=found, bits=bits, span=span, **pair)

    def values(self) -> Array:
        """The weights themselves, (outputs, K) float64."""
        owner = np.arange(self.q.shape[1]) // self.span
        scale, zero = (
            np.broadcast_to(x, (x.shape[0], self.groups))[:, owner] for x in (self.scale, self.zero)
        )
        return scale * (self.q - zero)

    @property
    def groups(self) -> int:
        """Scale groups along K."""
        return -(-self.q.shape[1] // self.span)

    def bits_per_weight(self, scale_bits: float = 16, zero_bits: float = 0) -> float:
        """Effective bits per weight, the stored scales and zero points counted.

        Examples
        --------
        >>> Weights.of(np.zeros((4, 64), int), bits=4, zero=8, scale=np.ones((4, 2)), scale_group=32).bits_per_weight()
        4.5
        """
        side = scale_bits * self.scale.size + zero_bits * self.zero.size
        return float(self.bits + side / self.q.size)


def whole(value: Any, name: str, low: int, high: int | None = None) -> int:
    """`value` when it is a whole number from `low` to `high`; ValueError that names it otherwise."""
    plain = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not plain or value < low or (high is not None and value > high):
        reach = f"{low} to {high}" if high is not None else f"{low} or more"
        raise ValueError(f"{name}={value!r}: choose a whole number, {reach}")
    return int(value)


def wholes(value: Any, name: str, low: int, high: int | None = None) -> Array:
    """`value` as an array when all its entries are whole numbers from `low` to `high`; ValueError that names the first other."""
    array = np.asarray(value)
    if array.size == 0:
        raise ValueError(f"{name}={value!r}: give at least one whole number")
    if array.dtype.kind not in "iu":
        whole(array.ravel()[0].item(), name, low, high)
    wrong = array[(array < low) | (array > (array if high is None else high))]
    if wrong.size:
        whole(int(wrong[0]), name, low, high)
    return array


def amount(value: Any, name: str, what: str, *, above: bool = False) -> float:
    """`value` when it is a finite number, 0 or more, with `above` more than 0; ValueError that says what it is of."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not np.isfinite(value) or value < 0 or (above and value == 0):
        raise ValueError(
            f"{name}={value!r}: {what} is a finite number, {'more than 0' if above else '0 or more'}"
        )
    return float(value)


def codes(q: Any, bits: int) -> Array:
    """Codes as int16, (outputs, K); ValueError names the first one outside 0 .. 2^bits - 1."""
    array = two_dimensional(q, "q", "(outputs, K)")
    if array.dtype.kind not in "iu":
        raise ValueError(f"q has dtype {array.dtype}; give integer codes 0 to {2**bits - 1} ({bits} bits)")
    outside(array, 0, 2**bits - 1, "q", f"bits={bits} holds 0 to {2**bits - 1}")
    return array.astype(np.int16, copy=False)


def outside(array: Array, low: int, high: int, name: str, reach: str) -> None:
    """ValueError that names the first entry of `array` outside low .. high."""
    if array.size and (array.min() < low or array.max() > high):
        at = tuple(int(i) for i in np.argwhere((array < low) | (array > high))[0])
        raise ValueError(f"{name}{list(at)} is {array[at]}; {reach}")


def activations(a: Any, length: int) -> Array:
    """Activations (tokens, K) as int64 or float64; ValueError when they are not finite or K is not `length`."""
    array = two_dimensional(a, "a", "(tokens, K)")
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise ValueError(f"a has dtype {array.dtype}; use integers, float16, float32 or float64")
    if array.shape[1] != length:
        raise ValueError(
            f"a has shape {array.shape}, the weights have K={length}: both need one K; a is (tokens, K), weights are (outputs, K)"
        )
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            at = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(
                f"a{list(at)} is {array[at]}; a table of it would spoil every output, give finite numbers"
            )
        return array.astype(np.float64, copy=False)
    if array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise ValueError(f"a holds {int(array.max())}, more than int64 can; use smaller numbers or float64")
    return array.astype(np.int64, copy=False)


def per_output(value: Any, name: str, outputs: int, groups: int) -> Array:
    """Scale or zero point as (outputs or 1, groups or 1) float64; ValueError when its shape fits neither."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(f"{name}={value!r}: give finite numbers")
    array = array.astype(np.float64)
    if array.ndim == 0:
        return array.reshape(1, 1)
    if array.shape == (outputs,):
        return array[:, None]
    if array.shape == (outputs, groups):
        return array
    raise ValueError(
        f"{name} has shape {array.shape}; give one number, ({outputs},) for one per output, or ({outputs}, {groups}) for one per output and scale group"
    )


def two_dimensional(value: Any, name: str, dims: str) -> Array:
    """`value` as a matrix with at least one entry; ValueError otherwise."""
    array = np.asarray(value)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} has shape {array.shape}; give a matrix {dims} with at least one entry")
    return array
