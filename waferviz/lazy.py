"""Variables computed frame by frame when asked for, as xarray sees them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from waferviz.program import Array

BUDGET = 512 * 2**20


class Frames(BackendArray):
    """An array (step, ...) whose frames come from a function.

    Parameters
    ----------
    frame : callable
        Step number, and with `windows` the y and x index arrays too, to one frame.
    windows : bool
        The function computes only the cores asked for.
    budget : int
        Bytes above which a request is refused.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: Any,
        frame: Callable[..., Array],
        *,
        windows: bool = False,
        budget: int = BUDGET,
    ) -> None:
        self.shape, self.dtype = shape, np.dtype(dtype)
        self.frame, self.windows, self.budget = frame, windows, budget

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._get)

    def _get(self, key: tuple[Any, ...]) -> Array:
        chosen = [np.arange(size)[part] for size, part in zip(self.shape, key, strict=True)]
        needed = int(np.prod([np.size(part) for part in chosen])) * self.dtype.itemsize
        if needed > self.budget:
            raise MemoryError(
                f"this would take {needed / 2**20:,.0f} MiB, the budget is {self.budget / 2**20:,.0f} MiB; "
                "slice it first, for example .isel(step=-1) or .isel(y=slice(0, 32), x=slice(0, 32))"
            )
        steps, rest = key[0], key[1:]
        with np.errstate(
            invalid="ignore", over="ignore"
        ):  # NaN and infinity are allowed, `verify` reports them
            if isinstance(steps, int | np.integer):
                return self._one(int(steps), rest, chosen[1:])
            frames = [self._one(int(step), rest, chosen[1:]) for step in chosen[0]]
        shape = tuple(
            np.size(part)
            for part, one in zip(chosen[1:], rest, strict=True)
            if not isinstance(one, int | np.integer)
        )
        return np.stack(frames) if frames else np.empty((0, *shape), self.dtype)

    def _one(self, step: int, key: tuple[Any, ...], chosen: list[Array]) -> Array:
        if not self.windows:
            return _outer(np.asarray(self.frame(step)), key)
        rows, columns = (np.atleast_1d(part) for part in chosen[:2])
        window = np.asarray(self.frame(step, rows, columns))
        inner = tuple(0 if isinstance(part, int | np.integer) else slice(None) for part in key[:2])
        return _outer(window, inner + key[2:])


def lazy(
    dims: tuple[str, ...],
    shape: tuple[int, ...],
    dtype: Any,
    frame: Callable[..., Array],
    *,
    windows: bool = False,
    **attrs: Any,
) -> xr.Variable:
    """A Variable whose frames are computed when asked for; `attrs` are units and words."""
    return xr.Variable(dims, indexing.LazilyIndexedArray(Frames(shape, dtype, frame, windows=windows)), attrs)


def _outer(value: Array, key: tuple[Any, ...]) -> Array:
    """Basic and one-dimensional indices applied dim by dim."""
    for dim in range(len(key) - 1, -1, -1):
        if not (isinstance(key[dim], slice) and key[dim] == slice(None)):
            value = value[(slice(None),) * dim + (key[dim],)]
    return value
