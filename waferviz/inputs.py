"""Matrices from anywhere: arrays, DataArrays, files, pictures, and ready-made choices."""

from __future__ import annotations

import difflib
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from waferviz.files import read
from waferviz.program import Array
from waferviz.published import path
from waferviz.state import largest

LIMIT = 2**63 - 1


def matrix(source: Any, name: str = "matrix") -> Array:
    """A two-dimensional array of numbers from an array, a DataArray, or the path of a file.

    Parameters
    ----------
    source : array, DataArray, str or Path
        A file is .npy, .npz ("data.npz:name" when it holds several), .csv (numbers, with or without a header and a
        first column of labels) or a picture (as grey levels 0..255).  True and False become 1 and 0 of one byte.
    name : str
        Argument named in errors.

    Raises
    ------
    ValueError
        When it is no matrix of real numbers; the message says what was found.
    FileNotFoundError
        When there is no such file.
    """
    found = read(source) if isinstance(source, str | Path) else source
    if isinstance(found, np.ma.MaskedArray) and (hidden := np.count_nonzero(found.mask)):
        raise ValueError(
            f"{name} hides {hidden} of {found.size} entries behind a mask, and a product needs them all; fill them, for example {name}.filled(0)"
        )
    try:
        array = np.asarray(found)
    except ValueError as error:
        raise ValueError(f"{name} is no matrix ({error}); give rows of one length") from error
    if array.dtype == bool:
        array = array.astype(np.int8)
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise ValueError(
            f"{name} has dtype {array.dtype}; use float16, float32, float64 or integers, for example np.asarray({name}, dtype='float32')"
        )
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(
            f"{name} has shape {array.shape}; give a matrix (rows, columns) with at least one entry"
        )
    return array


def pair(a: Any, b: Any) -> tuple[Array, Array]:
    """Both operands in one dtype; ValueError when an integer product could leave int64."""
    first, second = matrix(a, "a"), matrix(b, "b")
    dtype = np.result_type(first, second)
    if first.dtype.kind in "iu" and second.dtype.kind in "iu":
        bound = largest(first) * largest(second) * first.shape[1]
        if max(bound, largest(first), largest(second)) > LIMIT:
            raise ValueError(
                f"integer entries up to {largest(first)} and {largest(second)} can sum to {bound}, more than int64 holds; "
                "scale them down or use float64"
            )
        dtype = dtype if dtype.kind in "iu" else np.dtype(np.int64)
    return first.astype(dtype, copy=False), second.astype(dtype, copy=False)


def sample(name: str, size: int = 32, seed: int = 7) -> Array:
    """A ready-made matrix of `size` x `size`: integers, identity, ramp, blur, photograph or sea_temperature.

    `blur` averages each row of what it multiplies from the left with its neighbours; `photograph` is cut to
    `size` by averaging; `sea_temperature` is its table of 61 years x 12 months, whatever the size.
    """
    if name not in SAMPLES:
        near = difflib.get_close_matches(str(name), SAMPLES, 1, 0.3)
        raise ValueError(
            f"no sample {name!r}{f'; nearest is {near[0]!r}' if near else ''}; known are {', '.join(SAMPLES)}"
        )
    if not isinstance(size, Integral) or size < 1:
        raise ValueError(f"size={size!r}: give the side of the matrix, a whole number above zero")
    return SAMPLES[name](int(size), seed)


def _integers(size: int, seed: int) -> Array:
    return np.random.default_rng(seed).integers(-9, 10, (size, size)).astype(np.int32)


def _identity(size: int, _seed: int) -> Array:
    return np.eye(size, dtype=np.int32)


def _ramp(size: int, _seed: int) -> Array:
    return np.add.outer(np.arange(size), np.arange(size)).astype(np.int32)


def _blur(size: int, _seed: int) -> Array:
    away = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    weight = np.maximum(0, 1 + max(1, size // 16) - away).astype(np.float32)
    return weight / weight.sum(axis=1, keepdims=True)


def _photograph(size: int, _seed: int) -> Array:
    whole = read(path("photograph.png")).astype(np.float32)
    edges = [
        np.linspace(0, side, size + 1).astype(int)[:-1] if size <= side else np.arange(size) * side // size
        for side in whole.shape
    ]
    if size > min(whole.shape):
        return np.round(whole[edges[0]][:, edges[1]]).astype(np.int32)
    sums = np.add.reduceat(np.add.reduceat(whole, edges[0], axis=0), edges[1], axis=1)
    area = np.outer(*(np.diff([*edge, side]) for edge, side in zip(edges, whole.shape, strict=True)))
    return np.round(sums / area).astype(np.int32)


def _sea_temperature(_size: int, _seed: int) -> Array:
    return read(path("sea_temperature.csv"))


SAMPLES = {
    "integers": _integers,
    "identity": _identity,
    "ramp": _ramp,
    "blur": _blur,
    "photograph": _photograph,
    "sea_temperature": _sea_temperature,
}
