"""Shape of a lookup unit: M tokens by N outputs by K activations, what it stores, reads and shares.

M and K here are the paper's letters for one tile; elsewhere K is the whole reduction.
Source: LUT Tensor Core, ISCA 2025, section 3.2 and equations 7 and 8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.lowbit.bitplanes import length
from waferviz.lowbit.operands import whole
from waferviz.lowbit.tables import additions

if TYPE_CHECKING:
    import xarray as xr

LANES = 512
KINDS = {
    "act": ("fp16", "fp8", "int16", "int8"),
    "weight": tuple(f"int{bits}" for bits in range(1, 9)),
    "accumulate": ("fp16", "fp32", "int16", "int32"),
    "out": ("fp16", "fp32", "fp8", "int8", "int16", "int32"),
}


def tile(
    M: Any = 2, N: Any = 64, K: Any = 4, *, weight_bits: int = 1, table_bits: int = 8, act_bits: int = 16
) -> xr.Dataset:
    """What a unit of M x N x K holds and moves; M, N, K are numbers or arrays of one length (dim shape).

    Variables: `storage` of the tables, `weights` of a tile, `io` (bits that enter for each activation along K: M
    activations and N one-bit weights), in bits; `lanes`, `muxes`, `inputs` of a mux, `fan_out` of an entry, `cycles`.

    Examples
    --------
    >>> unit = tile()
    >>> int(unit.storage), int(unit.weights), int(unit.lanes), int(unit.muxes), int(unit.inputs)
    (128, 256, 512, 128, 8)
    """
    import xarray as xr

    for name, width in (("weight_bits", weight_bits), ("table_bits", table_bits), ("act_bits", act_bits)):
        whole(width, name, 1)
    dims = "shape" if any(np.ndim(x) for x in (M, N, K)) else ()
    m, n, k = np.broadcast_arrays(*(np.asarray(x, dtype=np.int64) for x in (M, N, K)))
    if min(m.min(), n.min(), k.min()) < 1 or k.max() > 8:
        raise ValueError(f"M={M}, N={N}, K={K}: give positive sides, K at most 8")
    bits = {
        "storage": (m * 2 ** (k - 1) * table_bits, "table storage"),
        "weights": (k * n * weight_bits, "weights of a tile"),
        "io": (m * act_bits + n, "operands that enter for each activation"),
    }
    counts = {
        "lanes": (m * n * k, "one-bit lanes"),
        "muxes": (m * n, "multiplexers"),
        "inputs": (2 ** (k - 1), "inputs of a multiplexer"),
        "fan_out": (n, "multiplexers that share an entry"),
        "cycles": (np.full_like(m, weight_bits), "cycles of a tile"),
    }
    data = {
        name: (dims, value, {"units": "bit", "long_name": words}) for name, (value, words) in bits.items()
    }
    data |= {
        name: (dims, value, {"units": "cycles" if name == "cycles" else "1", "long_name": words})
        for name, (value, words) in counts.items()
    }
    return xr.Dataset(data, {"M": (dims, m), "N": (dims, n), "K": (dims, k)})


def tiles(lanes: int = LANES, **bits: int) -> xr.Dataset:
    """All shapes of powers of two with that many lanes, as `tile`; M2 N64 K4 is the published best of 512.

    At K=4, M2 N64 and M4 N32 have the least `io`, 96 bits; of the two the first stores half as much.
    """
    powers = 2 ** np.arange(12)
    every = np.stack(np.meshgrid(powers, powers, powers[:4], indexing="ij")).reshape(3, -1)
    found = every[:, every.prod(axis=0) == lanes]
    if not found.size:
        raise ValueError(f"lanes={lanes}: no shape of powers of two has as many; choose a power of two")
    return tile(*found, **bits)


def instruction(
    M: int = 2, N: int = 64, K: int = 4, *, act: str = "fp16", weight: str = "int1", accumulate: str = "fp16", out: str = "fp16"
) -> str:  # fmt: skip
    """Text of the LMMA instruction of a shape, O[M,N] = A[M,K] x W[N,K]^T + Accum[M,N], issued by a warp.

    The first operand is called A; the released circuit takes the table slice [M][2^(K-1)] that the precompute operator
    made of it.  Source: LUT Tensor Core, ISCA 2025, section 3.3.

    Examples
    --------
    >>> instruction(weight="int2", act="int8", accumulate="int32", out="int32")
    'lmma.m2n64k4.int8int2int32int32'
    """
    for name, side in (("M", M), ("N", N)):
        whole(side, name, 1)
    length(K)
    for name, kind in (("act", act), ("weight", weight), ("accumulate", accumulate), ("out", out)):
        if kind not in KINDS[name]:
            raise ValueError(f"{name}={kind!r}: choose one of {', '.join(KINDS[name])}")
    return f"lmma.m{M}n{N}k{K}.{act}{weight}{accumulate}{out}"


def precompute(
    tokens: int, outputs: int, K: int, *, group: int = 4, array: int = 4, bits: int = 1, table_bytes: int = 2, act_bytes: int = 2
) -> xr.Dataset:  # fmt: skip
    """Building the tables of one product in three places: beside every array, by an operator of its own, or fused.

    Variables over dim place: `built` (how often each table is built), `additions`, their `share` of the lookups, and
    `traffic`, the bytes that the activations and tables take through memory before the product reads them.

    - per array: a unit beside each array of `array` outputs builds its own tables, outputs / array times each.
    - separate: built once; activations are read again and the tables written.
    - fused: built once by the operator before, which writes tables in place of activations.

    Examples
    --------
    >>> precompute(4096, 12288, 12288).built.values.tolist()
    [3072, 1, 1]
    """
    import xarray as xr

    for name, value in (
        ("tokens", tokens),
        ("outputs", outputs),
        ("K", K),
        ("array", array),
        ("table_bytes", table_bytes),
        ("act_bytes", act_bytes),
    ):
        whole(value, name, 1)
    whole(bits, "bits", 1, 8)
    groups = -(-K // length(group))
    built = np.array([-(-outputs // array), 1, 1])
    adds = tokens * groups * additions(group) * built
    lookups = tokens * groups * outputs * bits
    acts, tables = tokens * K * act_bytes, tokens * groups * 2 ** (group - 1) * table_bytes
    return xr.Dataset(
        {
            "built": ("place", built, {"units": "1", "long_name": "times each table is built"}),
            "additions": ("place", adds, {"units": "1", "long_name": "additions for the tables"}),
            "share": (
                "place",
                adds / lookups,
                {"units": "1", "long_name": "additions for the tables per lookup"},
            ),
            "traffic": (
                "place",
                [acts, acts + acts + tables, tables],
                {"units": "B", "long_name": "memory traffic"},
            ),
        },
        {"place": ["per array", "separate", "fused"]},
    )


def peak(
    bits: int, arrays: int = 4, *, cores: int = 4, processors: int = 108, clock: float = 1.41e9
) -> float:
    """Operations per second of arrays of 512 lanes, two for each multiply-add they stand for.

    Examples
    --------
    >>> round(peak(2, 4) / 1e12), round(peak(2, 8) / 1e12)
    (1247, 2495)
    """
    return processors * cores * arrays * LANES / bits * 2 * clock


def density(tops: Any, area: Any, processors: Any) -> Any:
    """TOP/s per mm2 from the peak and the area per processor: the identity behind the published table."""
    return np.asarray(tops) / (np.asarray(processors) * np.asarray(area))
