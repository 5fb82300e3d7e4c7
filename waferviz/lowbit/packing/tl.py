"""TL1 and TL2: one index for two ternary weights, or an index and a sign for three.

Bytes run along a row of the matrix; the order in which kernels visit blocks of rows is not part of the picture.  TL2's
signs stand apart, 16 to a word, so that the nibbles stay aligned: triple i is bit i % 16 of word i / 16, low byte first.
Source: Bitnet.cpp, arXiv 2502.11880, section 3.1 and appendix D; microsoft/BitNet, utils.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from waferviz.lowbit.elementwise import patterns, tl1_index, tl2_value
from waferviz.lowbit.packing.format import Format, Part, Shape, divides, weights_index
from waferviz.program import Array

SOURCE = "Bitnet.cpp, arXiv 2502.11880, section 3.1 and appendix D"
BLOCK = 96


def nibbles_from(first_byte: int, rows: int, each: int) -> Array:
    """Bit addresses of `each` nibbles for every row, rows one after the other, the earlier nibble of a byte on top."""
    number = np.arange(rows * each).reshape(rows, each)
    return 8 * (first_byte + number // 2) + 4 * (1 - number % 2)


def triples(length: int) -> int:
    """Weights along K that TL2 packs in threes, whole blocks of 96; the rest is left to TL1."""
    return length // BLOCK * BLOCK


def _tl1_parts(shape: Shape, start: int = 0, first_byte: int = 0) -> tuple[Part, ...]:
    owners = weights_index(shape)[:, start:].reshape(shape[0], -1, 2)
    address = nibbles_from(first_byte, *owners.shape[:2])
    return (Part(name="pair index", width=4, address=address, owners=owners, encode=partial(_pairs, start)),)


def _tl2_parts(shape: Shape) -> tuple[Part, ...]:
    cut = triples(shape[1])
    owners = weights_index(shape)[:, :cut].reshape(shape[0], -1, 3)
    fields = owners.shape[0] * owners.shape[1]
    number = np.arange(fields).reshape(owners.shape[:2])
    index = Part(name="index", width=4, address=nibbles_from(0, *owners.shape[:2]), owners=owners, encode=partial(_indices, cut))  # fmt: skip
    sign = Part(name="sign", width=1, address=4 * fields + number, owners=owners, encode=partial(_signs, cut))
    rest = _tl1_parts(shape, cut, fields // 8 * 5) if cut < shape[1] else ()
    return (*((index, sign) if cut else ()), *rest)


def _pairs(start: int, w: Array) -> Array:
    return tl1_index(w[:, start:])


def _indices(cut: int, w: Array) -> Array:
    return np.abs(tl2_value(w[:, :cut]))


def _signs(cut: int, w: Array) -> Array:
    return (tl2_value(w[:, :cut]) < 0).astype(np.int64)


def _decode_tl1(values: list[Array], shape: Shape) -> Array:
    return _looked_up(patterns(2), values[0]).reshape(shape[0], -1)


def _decode_tl2(values: list[Array], shape: Shape) -> Array:
    cut, found = triples(shape[1]), list(values)
    columns = []
    if cut:
        index, sign = found.pop(0), found.pop(0)
        columns.append(_looked_up(patterns(3), 13 + np.where(sign == 1, -index, index)).reshape(shape[0], -1))
    if found:
        columns.append(_decode_tl1(found, shape))
    return np.concatenate(columns, axis=1)


def _looked_up(known: Array, index: Array) -> Array:
    """Weights of each code, 2 for codes that stand for nothing."""
    valid = (index >= 0) & (index < len(known))
    return np.where(valid[..., None], known[np.where(valid, index, 0)], 2)


TL1 = Format(
    name="tl1", title="TL1", source=SOURCE, low=-1, high=1,
    check=partial(divides, axis=1, by=4, title="TL1"), parts=_tl1_parts, decode=_decode_tl1,
)  # fmt: skip
TL2 = Format(
    name="tl2", title="TL2", source=SOURCE, low=-1, high=1,
    check=partial(divides, axis=1, by=4, title="TL2"), parts=_tl2_parts, decode=_decode_tl2,
)  # fmt: skip
