"""T-MAC's bit planes: nibbles of one plane, interleaved so that a byte register serves 32 rows, in visiting order.

Source: microsoft/T-MAC, python/t_mac/weights.py; T-MAC, EuroSys 2025, section 3.3.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from waferviz.lowbit.bitplanes import indices
from waferviz.lowbit.operands import whole
from waferviz.lowbit.packing.format import Format, Part, Shape, divides, weights_index
from waferviz.program import Array

SOURCE = "microsoft/T-MAC python/t_mac/weights.py"
ROWS = 32


def tmac(bits: int = 2, tile: int = 256, kfactor: int = 16) -> Format:
    """T-MAC's layout for `bits` planes, tiles of `tile` plane rows by 4 * `kfactor` weights.

    Raises
    ------
    ValueError
        For bits outside 1..8, and a tile that is no multiple of 32 plane rows and of 8 outputs with all their planes.
    """
    whole(bits, "bits", 1, 8)
    whole(kfactor, "kfactor", 1)
    unit = int(np.lcm(ROWS, 8 * bits))
    if whole(tile, "tile", 1) % unit:
        raise ValueError(f"tile={tile} plane rows: with {bits} bits use a multiple of {unit}")
    return Format(
        name=f"tmac_{bits}", title=f"T-MAC, {bits} bit plane{'s' * (bits > 1)}", source=SOURCE, low=0, high=2**bits - 1,
        check=partial(_check, bits, tile, kfactor), parts=partial(_parts, bits, tile, kfactor), decode=partial(_decode, bits),
    )  # fmt: skip


def plane_rows(outputs: int, bits: int) -> Array:
    """Row of each plane and output, 8 outputs of plane 0 before the same 8 of plane 1: (plane, outputs).

    Examples
    --------
    >>> plane_rows(16, 2)[:, 7:9].tolist()
    [[7, 16], [15, 24]]
    """
    plane, output = np.indices((bits, outputs))
    return output // 8 * 8 * bits + plane * 8 + output % 8


def interleaved(row: Array) -> tuple[Array, Array, Array]:
    """Block of 32 rows, byte of a 16-byte register, and nibble (0 low, 1 high) of each row.

    Row j of a block is the low nibble of byte j, row 16 + j its high nibble, so that a mask and a shift give two
    registers of 16 lanes in their natural order.
    """
    within = row % ROWS
    return row // ROWS, within % 16, within // 16


def permuted(block: Array, group: Array, tile: int, kfactor: int, groups: int) -> Array:
    """Register of each block of rows and group of weights in the order in which the kernel visits them."""
    blocks = tile // ROWS
    outer = block // blocks * (groups // kfactor) + group // kfactor
    return (outer * blocks + block % blocks) * kfactor + group % kfactor


def _check(bits: int, tile: int, kfactor: int, shape: Shape) -> None:
    title = f"T-MAC with {bits} bits, tile={tile} and kfactor={kfactor}"
    divides(shape, 0, tile // bits, title)
    divides(shape, 1, 4 * kfactor, title)


def _parts(bits: int, tile: int, kfactor: int, shape: Shape) -> tuple[Part, ...]:
    groups = shape[1] // 4
    block, byte, nibble = (x[..., None] for x in interleaved(plane_rows(shape[0], bits)))
    register = permuted(block, np.arange(groups), tile, kfactor, groups)
    owners = np.broadcast_to(weights_index(shape).reshape(shape[0], groups, 4), (bits, shape[0], groups, 4))
    return (
        Part(
            name="plane nibble",
            width=4,
            address=8 * (16 * register + byte) + 4 * nibble,
            owners=owners,
            encode=partial(_encode, bits),
        ),
    )


def _encode(bits: int, w: Array) -> Array:
    return indices(w, bits).astype(np.int64)


def _decode(bits: int, values: list[Array], shape: Shape) -> Array:
    bit = values[0][..., None] >> np.arange(4) & 1
    return (bit.reshape(bits, *shape) << np.arange(bits)[:, None, None]).sum(axis=0)
