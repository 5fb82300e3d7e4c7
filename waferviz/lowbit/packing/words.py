"""Plain packings: two 4-bit codes to a byte, in order or half a block apart, and 16 ternary weights to a GPU word."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from waferviz.lowbit.packing.format import Format, Part, Shape, divides, weights_index
from waferviz.program import Array

ORDER = np.arange(16).reshape(4, 4).T.ravel()


def in_order(shape: Shape) -> Array:
    """Bit addresses of nibbles one after the other, the earlier one low."""
    return 4 * weights_index(shape)


def half_apart(shape: Shape) -> Array:
    """Bit addresses where byte j of a block of 32 holds weight j low and weight 16 + j high."""
    number = weights_index(shape)
    return 8 * (number // 32 * 16 + number % 16) + 4 * (number % 32 // 16)


def gpu_words(shape: Shape) -> Array:
    """Bit addresses of 16 weights in a 32-bit word in the order 0, 4, 8, 12, 1, 5, ...: byte j holds j, j+4, j+8, j+12.

    Four bytes can then be masked out of the word at once, for four 8-bit products in one instruction.
    """
    number = weights_index(shape)
    return 32 * (number // 16) + 2 * np.argsort(ORDER)[number % 16]


def _part(address: Array, width: int, offset: int, shape: Shape) -> tuple[Part, ...]:
    owners = weights_index(shape)[..., None]
    return (Part(name="code", width=width, address=address, owners=owners, encode=partial(np.add, offset)),)


def _nibbles(place: Callable[[Shape], Array], shape: Shape) -> tuple[Part, ...]:
    return _part(place(shape), 4, 0, shape)


def _words(shape: Shape) -> tuple[Part, ...]:
    return _part(gpu_words(shape), 2, 2, shape)


def _same(values: list[Array], _shape: Shape) -> Array:
    return values[0]


def _less_two(values: list[Array], _shape: Shape) -> Array:
    return values[0] - 2


NIBBLES = Format(
    name="nibbles", title="nibbles in order", source="two 4-bit codes to a byte", low=0, high=15,
    check=partial(divides, axis=1, by=2, title="nibbles in order"), parts=partial(_nibbles, in_order), decode=_same,
)  # fmt: skip
INTERLEAVED = Format(
    name="interleaved", title="nibbles interleaved", source="llama.cpp, Q4_0 blocks of 32", low=0, high=15,
    check=partial(divides, axis=1, by=32, title="nibbles interleaved"), parts=partial(_nibbles, half_apart), decode=_same,
)  # fmt: skip
W2A8 = Format(
    name="w2a8", title="BitNet GPU words (inside a 16 x 32 block)", source="microsoft/BitNet gpu/README", low=-1, high=1,
    check=partial(divides, axis=1, by=16, title="BitNet GPU words"), parts=_words, decode=_less_two,
)  # fmt: skip
