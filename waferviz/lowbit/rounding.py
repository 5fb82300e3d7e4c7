"""What rounded tables and averaged sums do to a product: the errors of every choice, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.lowbit.bounds import error_bound
from waferviz.lowbit.matmul import lut_matmul
from waferviz.lowbit.method import AGGREGATES
from waferviz.lowbit.quantize import nmse

if TYPE_CHECKING:
    import xarray as xr

SHARES = (4, 32, 64, None)
BINS = 61


def errors(
    a: Any,
    q: Any,
    *,
    bits: int,
    zero: Any,
    scale: Any = 1,
    group: int = 4,
    shares: tuple[int | None, ...] = SHARES,
) -> xr.Dataset:
    """Errors of 8-bit tables against exact ones, for each run of activations that shares a scale and each way to add.

    Parameters
    ----------
    a, q, bits, zero, scale, group
        As for `lut_matmul`.
    shares : tuple of int or None
        Activations that share a table scale; None for all.

    Returns
    -------
    Dataset
        dims share, aggregate and bin.  `errors`, how many outputs err by `error (aggregate, bin)`, the middle of a bin in
        standard deviations of the exact outputs; `nmse`; `largest` and `bound`, the largest error found and possible, and `mean`,
        in the same unit.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = errors(rng.normal(size=(8, 256)), rng.integers(0, 4, (32, 256)), bits=2, zero=2)
    >>> bool((found.largest <= found.bound).all())
    True
    """
    import xarray as xr

    if not len(shares):
        raise ValueError(f"shares={shares!r}: give at least one number of activations, or None for all")
    how = {"bits": bits, "zero": zero, "scale": scale, "group": group}
    exact = lut_matmul(a, q, **how)
    unit = float(exact.std()) or 1.0
    cases = [(share, aggregate) for share in shares for aggregate in AGGREGATES]
    found = [
        how | {"table": "int8", "table_group": share, "aggregate": aggregate} for share, aggregate in cases
    ]
    off = [(lut_matmul(a, q, **case) - exact) / unit for case in found]
    by = np.reshape([np.abs(error).max() for error in off], (len(shares), len(AGGREGATES)))
    edges = np.linspace(-1, 1, BINS + 1) * np.where(by.max(axis=0) > 0, by.max(axis=0), 1)[:, None]
    shape, dims = (len(shares), len(AGGREGATES)), ("share", "aggregate")
    sd = "standard deviations of the exact output"
    numbers: dict[str, Any] = {
        "nmse": [nmse(error + exact / unit, exact / unit) for error in off],
        "mean": [error.mean() for error in off],
        "largest": by,
        "bound": [error_bound(a, q, **case).max() / unit for case in found],
    }
    counts = np.stack([np.histogram(error, edges[at % len(edges)])[0] for at, error in enumerate(off)])
    return xr.Dataset(
        {
            "errors": ((*dims, "bin"), counts.reshape(*shape, BINS), {"units": "1", "long_name": "outputs"}),
            **{
                name: (
                    dims,
                    np.reshape(value, shape),
                    {"units": "1" if name == "nmse" else sd, "long_name": name},
                )
                for name, value in numbers.items()
            },
        },
        {
            "share": [np.shape(a)[1] if share is None else share for share in shares],
            "aggregate": list(AGGREGATES),
            "error": (("aggregate", "bin"), (edges[:, 1:] + edges[:, :-1]) / 2, {"units": sd}),
        },
        {"bits": bits, "group": group, "K": np.shape(a)[1], "outputs": exact.size},
    )
