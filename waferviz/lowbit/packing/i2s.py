"""I2_S: two bits per ternary weight, and three layouts that go by this one name.

-1, 0, +1 become 0, 1, 2; the kernel multiplies by these codes and takes the sum of the activations off again,
sum(w a) = sum(code a) - sum(a).  Source: microsoft/BitNet, src/ggml-bitnet-mad.cpp.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from waferviz.lowbit.packing.format import Format, Part, Shape, divides, weights_index
from waferviz.program import Array

SOURCE = "microsoft/BitNet src/ggml-bitnet-mad.cpp"
TAIL = 32


def striped(block: int, shape: Shape) -> Array:
    """Bit addresses where byte p of a block holds weights p, p + s, p + 2s, p + 3s at shifts 6, 4, 2, 0, s = block / 4."""
    number = weights_index(shape)
    start, within = number // block, number % block
    stride = block // 4
    return 8 * (start * stride + within % stride) + 6 - 2 * (within // stride)


def stacked(shape: Shape) -> Array:
    """Bit addresses where a byte holds one column of four rows, row r at shift 6 - 2r."""
    output, k = np.indices(shape)
    return 8 * (output // 4 * shape[1] + k) + 6 - 2 * (output % 4)


def _code(w: Array) -> Array:
    return w + 1


def _striped_parts(block: int, shape: Shape) -> tuple[Part, ...]:
    owners = weights_index(shape)[..., None]
    return (Part(name="code", width=2, address=striped(block, shape), owners=owners, encode=_code),)


def _stacked_parts(shape: Shape) -> tuple[Part, ...]:
    owners = weights_index(shape)[..., None]
    return (Part(name="code", width=2, address=stacked(shape), owners=owners, encode=_code),)


def _decode(values: list[Array], _shape: Shape) -> Array:
    return values[0] - 1


def _format(name: str, title: str, block: int) -> Format:
    return Format(
        name=name,
        title=title,
        source=SOURCE,
        low=-1,
        high=1,
        check=partial(divides, axis=1, by=block, title=title),
        parts=partial(_striped_parts, block),
        decode=_decode,
        tail=TAIL,
    )


X86 = _format("i2_s", "I2_S (x86)", 128)
NEON = _format("i2_s_neon", "I2_S (NEON)", 64)
ROWS = Format(
    name="i2_s_rows",
    title="I2_S (four rows to a byte)",
    source=SOURCE,
    low=-1,
    high=1,
    check=partial(divides, axis=0, by=4, title="I2_S (four rows to a byte)"),
    parts=_stacked_parts,
    decode=_decode,
    tail=TAIL,
)
