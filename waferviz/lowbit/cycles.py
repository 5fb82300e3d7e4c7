"""A lookup product step by step: which bits make which index, which entry is read, turned over, shifted and added."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.lowbit.bitplanes import alphas, indices, odd_zero, remap
from waferviz.lowbit.method import Method
from waferviz.lowbit.operands import Weights, activations, two_dimensional
from waferviz.lowbit.tables import groups, half_table
from waferviz.program import Array

if TYPE_CHECKING:
    import xarray as xr


def lookups(
    a: Any,
    q: Any,
    *,
    bits: int,
    zero: Any,
    scale: Any = 1,
    group: int = 4,
    table: str = "exact",
    token: int = 0,
) -> xr.Dataset:
    """The lookups of one token as a lazy Dataset: each cycle serves one group and one plane, for all outputs at once.

    Cycle c reads plane c % bits of group c // bits, as a unit of LUT Tensor Core does; what the cycles read and hold is
    computed when asked for.

    Parameters
    ----------
    a, q, bits, zero, scale, group, table
        As for `lut_matmul`, one scale and zero point per output or matrix; an "int8" table has one scale.
    token : int
        Row of `a`.

    Returns
    -------
    Dataset
        dims cycle, output, plane, group, member (of a group), entry (of the halved table).  `activation`, `code`, `half`;
        per cycle and output `index`, `sign`, `address`, `value` (the entry after the sign) and `total` (the sum after the
        cycle, times 2^plane, of everything so far); per output `result`, which is s/2 (total - z' sum of activations).

    Examples
    --------
    >>> found = lookups([[1, 2, 3, 4]], [[3, 0, 2, 1]], bits=2, zero=2)
    >>> found["index"].values.ravel().tolist(), found.total.values.ravel().tolist(), found.result.item()
    ([9, 5], [0, -4], -7.0)
    """
    import xarray as xr

    from waferviz.lazy import lazy

    weights = Weights.of(q, bits=bits, zero=zero, scale=scale)
    method = Method.of(weights, group, table, None, "exact", "sum")
    rows = activations(two_dimensional(a, "a", "(tokens, K)"), weights.q.shape[1])
    if not 0 <= token < len(rows):
        raise ValueError(f"token={token}: there are {len(rows)}, 0 to {len(rows) - 1}")
    one = rows[token]
    half, table_scale = method.rounded(half_table(one, group)[..., None])
    read = Reader(half[..., 0], indices(weights.q, bits, group), group)
    cycles, outputs = bits * len(half), len(weights.q)
    shape, kind = (cycles, outputs), half.dtype if half.dtype.kind == "f" else np.dtype(np.int64)
    made = {
        "index": ("table index", "1", np.int64, read.index),
        "sign": ("sign of the entry", "1", np.int64, lambda cycle: remap(read.index(cycle), group)[0]),
        "address": (
            "entry of the halved table",
            "1",
            np.int64,
            lambda cycle: remap(read.index(cycle), group)[1],
        ),
        "value": ("entry after the sign", "1", kind, read.value),
        "total": ("sum after the cycle", "1", kind, read.total),
    }
    zeros = np.broadcast_to(odd_zero(weights.zero, bits), (outputs, 1))[:, 0]
    scales = np.broadcast_to(weights.scale, (outputs, 1))[:, 0]
    summed = read.total(cycles - 1) * float(table_scale.item())
    words = {"long_name": "product", "units": "1"}
    return xr.Dataset(
        {
            "activation": (("group", "member"), groups(one, group), {"long_name": "activation", "units": "1"}),
            "code": (("output", "group", "member"), groups(weights.q, group).transpose(2, 0, 1), {"long_name": "weight code", "units": "1"}),
            "half": (("group", "entry"), half[..., 0], {"long_name": "stored entry of the table", "units": "1"}),
            **{
                name: lazy(("cycle", "output"), shape, dtype, frame, long_name=long, units=units)
                for name, (long, units, dtype, frame) in made.items()
            },
            "weight": ("plane", 2 ** np.arange(bits), {"long_name": "weight of the plane", "units": "1"}),
            "alpha": ("plane", alphas(bits), {"long_name": "weight of the plane as T-MAC writes it", "units": "1"}),
            "scale": ("output", scales, {"long_name": "weight scale", "units": "1"}),
            "odd_zero": ("output", zeros, {"long_name": "zero point z'", "units": "1"}),
            "result": ("output", scales / 2 * (summed - zeros * one.sum()), words),
        },
        {
            "group_of": ("cycle", np.arange(cycles) // bits),
            "plane_of": ("cycle", np.arange(cycles) % bits),
        },
        {"bits": bits, "size": group, "K": len(one), "table": table, "table_scale": float(table_scale.item()), "sum": float(one.sum())},
    )  # fmt: skip


class Reader:
    """Reads a halved table the way the hardware does, one plane of one group in a cycle.

    Parameters
    ----------
    half : (groups, entries)
        Stored entries.
    index : (plane, outputs, groups)
        Table indices.
    group : int
        Weights of a group.
    """

    def __init__(self, half: Array, index: Array, group: int) -> None:
        self.half, self.planes, self.group = half, index.astype(np.int64), group
        self.bits = len(index)

    def index(self, cycle: int) -> Array:
        """Table index of each output."""
        return self.planes[cycle % self.bits, :, cycle // self.bits]

    def value(self, cycle: int) -> Array:
        """Entry of each output, its sign applied."""
        sign, address = remap(self.index(cycle), self.group)
        entry = self.half[cycle // self.bits].astype(np.result_type(self.half, np.int64))[address]
        return np.where(sign == 1, -entry, entry)

    def total(self, cycle: int) -> Array:
        """Sum of 2^plane times the entries of this and all former cycles."""
        return np.sum([self.value(at) * 2 ** (at % self.bits) for at in range(cycle + 1)], axis=0)


def sentence(found: xr.Dataset, cycle: int, output: int = 0) -> str:
    """One cycle of one output in words.

    Examples
    --------
    >>> found = lookups([[1, 2, 3, 4]], [[3, 0, 2, 1]], bits=2, zero=2)
    >>> sentence(found, 1)
    'Plane 1 of group 0: the bits 1 0 1 0 of output 0 are index 5; entry 5 is -2; times 2 makes -4; the sum is -4.'
    """
    plane, group = int(found.plane_of[cycle]), int(found.group_of[cycle])
    one = found.isel(cycle=cycle, output=output)
    index, sign, address = (int(one[name]) for name in ("index", "sign", "address"))
    bits = " ".join(str(index >> at & 1) for at in range(found.attrs["size"]))
    value, weight = one.value.item(), int(found.weight[plane])
    turned = f"its mirror, entry {address}, is {plain(-value)}, turned over {plain(value)}"
    read = turned if sign else f"entry {address} is {plain(value)}"
    return (
        f"Plane {plane} of group {group}: the bits {bits} of output {output} are index {index}; {read}; "
        f"times {weight} makes {plain(value * weight)}; the sum is {plain(one.total.item())}."
    )


def plain(number: float) -> str:
    """A number as short as it can be said, with a real minus sign left to the page."""
    return f"{number + 0:.6g}"
