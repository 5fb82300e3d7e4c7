"""Formats of packed weights: what a field of bits says, which weights it speaks of, and where in the bytes it stands.

Packing, unpacking and the picture of the bytes all come from the same addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.lowbit.operands import outside, two_dimensional
from waferviz.program import Array

if TYPE_CHECKING:
    import xarray as xr

Shape = tuple[int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """Fields of one kind and width.

    Attributes
    ----------
    name : str
        What a field is called, for example "index".
    width : int
        Bits of a field; a field never crosses a byte.
    address : array of int
        Lowest bit of each field, counted from the first byte's lowest bit: 8 * byte + shift.
    owners : array of int, (*address dims, weights of a field)
        The weights behind each field, as output * K + k.
    encode : callable
        Values of the fields from the weights (outputs, K).
    """

    name: str
    width: int
    address: Array
    owners: Array
    encode: Callable[[Array], Array]


@dataclass(frozen=True, kw_only=True)
class Format:
    """One way to write a weight matrix (outputs, K) into bytes.

    Attributes
    ----------
    name, title, source : str
        Key, words for people, and where the layout is from.
    low, high : int
        Smallest and largest weight it can write.
    check : callable
        Shape to None; raises ValueError for a shape that does not fit.
    parts : callable
        Shape to the parts of the format.
    decode : callable
        Values of each part, and the shape, to weights.
    tail : int
        Bytes after the fields; the first four hold the scale as float32.
    """

    name: str
    title: str
    source: str
    low: int
    high: int
    check: Callable[[Shape], None]
    parts: Callable[[Shape], tuple[Part, ...]]
    decode: Callable[[list[Array], Shape], Array]
    tail: int = 0

    def field_bytes(self, shape: Shape) -> int:
        """Bytes of the fields."""
        return sum(part.address.size * part.width for part in self.parts(shape)) // 8

    def bits_per_weight(self, shape: Shape) -> float:
        """Bits of the whole file over the number of weights."""
        return 8 * (self.field_bytes(shape) + self.tail) / (shape[0] * shape[1])


def pack(w: Any, to: str | Format, scale: float = 1.0) -> Array:
    """Weights (outputs, K) as bytes, (bytes,) uint8.

    Parameters
    ----------
    w : (outputs, K) int
        Weights -1, 0, +1, or codes, as the format writes them.
    to : str or Format
        A name out of `FORMATS`, or a format such as `tmac(2, tile=32, kfactor=2)`.
    scale : float
        Finite; written to the tail of formats that have one.

    Raises
    ------
    ValueError
        For weights outside the range of the format, shapes that it cannot cut, and names that are not in `FORMATS`.
    """
    to = named(to)
    if not np.isfinite(np.float32(scale)):
        raise ValueError(f"scale={scale!r}: give a finite number that float32 holds, for example 1.0")
    array = two_dimensional(w, "w", "(outputs, K)")
    if array.dtype.kind not in "iu":
        raise ValueError(f"w has dtype {array.dtype}; {to.title} holds integers {to.low} to {to.high}")
    outside(array, to.low, to.high, "w", f"{to.title} holds {to.low} to {to.high}")
    to.check(array.shape)
    data = np.zeros(to.field_bytes(array.shape) + to.tail, np.uint8)
    for part in to.parts(array.shape):
        values = part.encode(array.astype(np.int64)).ravel() << part.address.ravel() % 8
        data += np.bincount(part.address.ravel() // 8, values, len(data)).astype(np.uint8)
    if to.tail:
        data[-to.tail :][:4] = np.frombuffer(np.array(scale, "<f4").tobytes(), np.uint8)
    return data


def unpack(data: Any, of: str | Format, shape: Shape) -> Array:
    """Weights (outputs, K) from bytes, int64.

    Raises
    ------
    ValueError
        When the number of bytes does not belong to that shape, or a field holds a code that stands for nothing.
    """
    of = named(of)
    of.check(shape)
    found = np.asarray(data)
    needed = of.field_bytes(shape) + of.tail
    if found.dtype != np.uint8 or found.shape != (needed,):
        raise ValueError(
            f"data has dtype {found.dtype} and shape {found.shape}; {of.title} of {shape[0]} x {shape[1]} weights is {needed:,} bytes of uint8"
        )
    values = [
        found[part.address // 8].astype(np.int64) >> part.address % 8 & 2**part.width - 1
        for part in of.parts(shape)
    ]
    w = of.decode(values, shape)
    outside(
        w, of.low, of.high, "data: weight ", f"a code that {of.title} does not use; is it another layout?"
    )
    return w


def scale_in(data: Any, of: str | Format) -> float:
    """The scale in the tail of packed bytes; ValueError for a format that keeps it elsewhere."""
    of = named(of)
    if not of.tail:
        raise ValueError(f"{of.title} keeps no scale among its bytes; store it beside them")
    return float(np.frombuffer(np.asarray(data)[-of.tail :][:4].tobytes(), "<f4")[0])


def layout(of: str | Format, shape: Shape) -> xr.Dataset:
    """Every field of a packed matrix: dims field and member.

    Variables: `part` (name), `byte`, `shift` (lowest bit in the byte), `width` (bits), and `weight` (field, member),
    the weights behind it as output * K + k, -1 where a field has fewer.
    """
    import xarray as xr

    of = named(of)
    of.check(shape)
    parts = of.parts(shape)
    most = max(part.owners.shape[-1] for part in parts)
    columns: dict[str, list[Array]] = {"part": [], "byte": [], "shift": [], "width": [], "weight": []}
    for part in parts:
        address, owners = part.address.ravel(), part.owners.reshape(-1, part.owners.shape[-1])
        columns["part"].append(np.full(address.size, part.name, dtype="U16"))
        columns["byte"].append(address // 8)
        columns["shift"].append(address % 8)
        columns["width"].append(np.full(address.size, part.width))
        columns["weight"].append(np.pad(owners, ((0, 0), (0, most - owners.shape[1])), constant_values=-1))
    units = {"shift": "bit", "width": "bit"}
    return xr.Dataset(
        {
            name: (
                ("field", "member") if name == "weight" else "field",
                np.concatenate(column),
                {"units": units.get(name, "1"), "long_name": name},
            )
            for name, column in columns.items()
        },
        attrs={"format": of.name, "title": of.title, "source": of.source, "outputs": shape[0], "K": shape[1]},
    )


def named(form: str | Format) -> Format:
    """A format, or the one of that name; ValueError that lists the names for anything else."""
    from waferviz.lowbit.packing import FORMATS

    if isinstance(form, Format):
        return form
    if form not in FORMATS:
        raise ValueError(f"format {form!r}: choose one of {', '.join(FORMATS)}, or give a Format")
    return FORMATS[form]


def weights_index(shape: Shape) -> Array:
    """Number of each weight, output * K + k: (outputs, K)."""
    return np.arange(shape[0] * shape[1]).reshape(shape)


def divides(shape: Shape, axis: int, by: int, title: str) -> None:
    """ValueError when a side of the matrix is no multiple of what the format cuts."""
    side = ("outputs", "K")[axis]
    if shape[axis] % by or shape[axis] < 1:
        raise ValueError(
            f"{side}={shape[axis]} is no multiple of {by}, as {title} needs; fill up with zero weights to {max(1, -(-shape[axis] // by)) * by}"
        )
