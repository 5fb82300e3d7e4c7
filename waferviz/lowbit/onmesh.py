"""Tables on a mesh: every core of a line needs the same ones, so rebuild them everywhere or multicast them once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.state import GROUP, Sizes

if TYPE_CHECKING:
    import xarray as xr

    from waferviz.algorithms import Shape
    from waferviz.machine import Machine

WAYS = ("multiply", "rebuilt", "multicast")


def on_mesh(
    mesh: Shape,
    matrices: tuple[int, int, int],
    *,
    machine: Machine | str = "wse2",
    bits: int = 2,
    algorithm: str = "meshgemv",
    axis: str = "y",
    dtype: Any = np.int8,
    schedule: str = "barrier",
) -> xr.Dataset:
    """A GEMV that multiplies beside two that look up, their tables rebuilt everywhere or multicast once.

    A lookup with its addition takes as long as a multiply-add, and reading the entry costs nothing more: a core that
    gathers slowly is not in the model.  Weights to look up lie packed in `bits` bits, weights to multiply in the type
    of the operands.

    Parameters
    ----------
    mesh, algorithm, axis, bits
        As for `waferviz.algorithms.lookup_gemv.lookup_gemv`.
    matrices : (M, K, N)
        Sizes of the product.
    machine, dtype, schedule
        As for `waferviz.audit`.

    Returns
    -------
    Dataset
        Dim `way`: "multiply", "rebuilt", "multicast".  `cycles` of the whole product; `memory` and `table_bytes` of a
        core; `macs` and `lookups` of the busiest core; on all cores together `table_adds`, additions that build
        tables, and `table_words`, words times links that carry them.

    Examples
    --------
    >>> found = on_mesh(64, (8192, 4096, 1))
    >>> found.cycles.values.tolist(), found.table_bytes.values.tolist()
    ([9589, 5861, 5962], [0, 256, 256])
    """
    import xarray as xr

    from waferviz.algorithms import GEMV
    from waferviz.algorithms.lookup_gemv import TABLES, lookup_gemv
    from waferviz.audit import audit

    choices = {"algorithm": algorithm, "axis": axis}
    programs = [
        GEMV[algorithm](mesh, axis=axis),
        *(lookup_gemv(mesh, bits=bits, tables=way, **choices) for way in TABLES),
    ]
    bills = [audit(one, machine, matrices=matrices, dtype=dtype, schedule=schedule) for one in programs]
    sizes = [Sizes.of(one, matrices, dtype) for one in programs]
    rows, columns = programs[0].shape
    builders = np.array([0, rows * columns, rows if axis == "y" else columns])
    built = np.array([int(bill.tables.sum()) for bill in bills])
    words = np.array([int(bill.traffic.sum()) for bill in bills])
    columns_of = {
        "cycles": ("cycles", "cycles of the product", [int(bill.cycles.sum()) for bill in bills]),
        "memory": ("B", "memory of a core", [int(bill.memory.max()) for bill in bills]),
        "table_bytes": ("B", "tables of a core", [0, *(size.bytes(("t", "n")) for size in sizes[1:])]),
        "macs": ("1", "multiply-adds of the busiest core", [int(bill.macs.sum()) for bill in bills]),
        "lookups": ("1", "lookups of the busiest core", [int(bill.lookups.sum()) for bill in bills]),
        "table_adds": ("1", "additions that build tables, all cores", built * builders * (2**GROUP - 2)),
        "table_words": ("words", "words times links that carry tables", words - words[1]),
    }
    return xr.Dataset(
        {name: ("way", values, {"units": units, "long_name": said}) for name, (units, said, values) in columns_of.items()},
        coords={"way": list(WAYS)},
        attrs={"mesh": f"{rows} x {columns}", "bits": bits, "machine": bills[0].attrs["machine"], "schedule": schedule},
    )  # fmt: skip
