"""One packed matrix under the microscope: its weights, its bytes, which bits are whose, and what other layouts read."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.lowbit.packing.format import Format, layout, named, pack, unpack
from waferviz.program import Array

if TYPE_CHECKING:
    import xarray as xr

TYPICAL = (256, 384)


def specimen(w: Any, to: str | Format = "i2_s", scale: float = 1.0) -> xr.Dataset:
    """A packed matrix with everything a picture of it needs.

    Parameters
    ----------
    w : (outputs, K) int
        Weights, as the format writes them.
    to : str or Format
        A name out of `FORMATS`, or a format such as `tmac(2, tile=32, kfactor=2)`.
    scale : float
        Written to the tail of formats that have one.

    Returns
    -------
    Dataset
        `layout` of the format, with `w (output, k)`, `data (place)` as bytes, the value `code (field)` of each field, and
        for every other format of as many bytes `read (other, output, k)`: what it makes of these bytes, and `reads` in words
        when it refuses them.  `bits_per_weight (format)` of all formats, tails not counted.

    Examples
    --------
    >>> specimen(np.ones((1, 128), int)).data[0].item()
    170
    """
    from waferviz.lowbit.packing import FORMATS

    form = named(to)
    data = pack(w, form, scale)
    array = np.asarray(w, np.int64)
    fields = layout(form, array.shape)
    code = data[fields.byte.values] >> fields["shift"].values & 2**fields.width.values - 1
    others = {
        other.title: read(data, form, other, array.shape)
        for other in FORMATS.values()
        if other.name != form.name and _fits(other, form, array.shape)
    }
    size = {other.title: field_bits(other) for other in (*FORMATS.values(), form)}
    dims = ("output", "k")
    return fields.assign(
        w=(dims, array, {"long_name": "weight", "units": "1"}),
        data=("place", data, {"long_name": "byte", "units": "1"}),
        code=("field", code, {"long_name": "value of the field", "units": "1"}),
        read=(("other", *dims), np.stack([found for found, _ in others.values()]) if others else np.empty((0, *array.shape), int)),
        reads=("other", np.array([said for _, said in others.values()], dtype=str)),
        bits_per_weight=("format", list(size.values()), {"long_name": "bits per weight", "units": "bit"}),
    ).assign_coords(other=list(others), format=list(size)).assign_attrs(low=form.low, high=form.high, tail=form.tail)  # fmt: skip


def read(data: Array, form: Format, other: Format, shape: tuple[int, int]) -> tuple[Array, str]:
    """What another format reads in these bytes, and what it says when it refuses: zeros then."""
    fields = data[: form.field_bytes(shape)]
    tail = np.zeros(other.tail, np.uint8)
    try:
        return unpack(np.concatenate([fields, tail]), other, shape), ""
    except ValueError as error:
        return np.zeros(shape, np.int64), str(error)


@cache
def field_bits(form: Format) -> float:
    """Bits per weight of the fields of a format."""
    return 8 * form.field_bytes(TYPICAL) / (TYPICAL[0] * TYPICAL[1])


def _fits(other: Format, form: Format, shape: tuple[int, int]) -> bool:
    """Whether another format cuts this shape into as many bytes for the same weights."""
    try:
        other.check(shape)
    except ValueError:
        return False
    same = (other.low, other.high) == (form.low, form.high)
    return same and other.field_bytes(shape) == form.field_bytes(shape)
