"""Design spaces: algorithm x schedule x mesh x matrix x machine as one Dataset, by closed forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.cost.gemm import FORMULAS
from waferviz.loading import Progress, loaded
from waferviz.machine import Machine, named
from waferviz.points import Algorithm, Space, name_of, once
from waferviz.schedule import SCHEDULES, checked

if TYPE_CHECKING:
    import xarray as xr

FOUR = ("allgather", "summa", "cannon", "meshgemm")
UNITS = {
    "cycles": ("cycles", "cycles of the product"),
    "work": ("cycles", "cycles of work on a core"),
    "words": ("cycles", "cycles for words through a core's ramp"),
    "way": ("cycles", "cycles for the ways of the tiles"),
    "microseconds": ("us", "time of the product"),
    "compute_share": ("1", "share of the cycles in which a core works"),
    "memory": ("B", "memory set aside on a core"),
    "routes": ("1", "routes a router holds"),
    "relayed": ("1", "broadcasts find no routes and go core by core"),
    "fits": ("1", "the mesh fits the chip and the matrix, the tiles fit the memory"),
}


def sweep(
    *,
    mesh: Any,
    matrix: Any,
    machine: Machine | str | Sequence[Machine | str],
    algorithm: Algorithm | Sequence[Algorithm] = FOUR,
    schedule: str | Sequence[str] = tuple(SCHEDULES),
    dtype: Any = np.float32,
    progress: Progress | bool = False,
) -> xr.Dataset:
    """Prices of square products on square meshes, for every combination of the arguments.

    Parameters
    ----------
    mesh, matrix : int, sequence or DataArray
        Cores and entries along a side.  DataArrays keep their dims, so that two along one dim are paired; chunked by
        Dask (`pip install "waferviz[cluster]"`) they give a lazy result, computed on whatever cluster there is.
    machine : Machine, name of a preset, or sequence
        Each with a name of its own.
    algorithm : str, builder or sequence
        Names in `GEMM`, or functions from a mesh to a Program.
    schedule : str or sequence
        "barrier", "dataflow" or both.
    dtype : dtype
        Of the operands.
    progress : bool or callable
        Compute now and draw a bar, or call with (parts done, parts).

    Returns
    -------
    Dataset
        Dims `algorithm`, `schedule`, `mesh`, `matrix`, `machine`, each variable with those it depends on: `cycles`;
        `work`, `words` and `way`: what each would take by itself; they overlap; `microseconds`, `compute_share`,
        `memory`, `routes`, `relayed`, `fits`.  nan where a mesh is larger than the matrix.  Coordinate `formula`,
        with m the words of a tile, W its work, c = 2 ramp + 1 and h = hop.

    Raises
    ------
    ValueError
        For an unknown schedule, sides that are no whole positive numbers, an argument without or with equal entries, or
        two machines of one name.
    KeyError
        For an unknown algorithm.

    Notes
    -----
    Allgather, SUMMA, Cannon and MeshGEMM on meshes without wrap links have closed forms (`waferviz.cost.gemm`), exact
    for whole cycles per hop and ramp.  Cannon and MeshGEMM start with both operands where the loop needs them:
    their alignment is not counted.  Everything else is priced point by point as by `audit`, and takes as long.

    Examples
    --------
    >>> from waferviz import Machine
    >>> found = sweep(mesh=[360, 720], matrix=2160, machine=Machine.preset("wse2"))
    >>> found.cycles.sel(algorithm="meshgemm", schedule="barrier").values.ravel().tolist()
    [77760.0, 19440.0]
    """
    import xarray as xr

    names = [algorithm] if isinstance(algorithm, str) or callable(algorithm) else list(algorithm)
    schedules = [checked(one) for one in ([schedule] if isinstance(schedule, str) else schedule)]
    machines = [named(one) for one in ([machine] if isinstance(machine, (Machine, str)) else machine)]
    once("algorithm", [name_of(name) for name in names])
    once("schedule", schedules)
    space = Space.of(mesh, matrix, machines, dtype)
    found = [[space.priced(name, one) for one in schedules] for name in names]
    labels = {"algorithm": [name_of(name) for name in names], "schedule": schedules}
    out = {
        name: _joined([[cell[name] for cell in row] for row in found], labels) for name in ("cycles", "way")
    }
    out |= {
        name: _shared([[cell[name] for cell in row] for row in found], labels) for name in ("work", "words")
    }
    held = {
        name: _joined([[row[0][name]] for row in found], labels).isel(schedule=0, drop=True)
        for name in ("memory", "routes", "relayed")
    }
    out |= {
        "microseconds": out["cycles"] / (space.numbers["clock"] * 1e3),
        "compute_share": out["work"].broadcast_like(out["cycles"]).transpose(*out["cycles"].dims) / out["cycles"],
        **held,
        "fits": (held["memory"] <= space.numbers["bytes_per_core"]) & space.on_chip,
    }  # fmt: skip
    for name, (unit, words) in UNITS.items():
        out[name].attrs = {"units": unit, "long_name": words}
    formula = xr.DataArray(
        [[FORMULAS.get((name_of(name), one), "priced step by step") for one in schedules] for name in names],
        labels,
        ("algorithm", "schedule"),
    )
    whole = xr.Dataset({name: out[name] for name in UNITS}).assign_coords(formula=formula)
    whole.attrs = {"dtype": str(np.dtype(dtype))}
    return loaded(whole, progress)


def _shared(cells: list[list[xr.DataArray]], labels: dict[str, list[str]]) -> xr.DataArray:
    """Cells joined, unless all are one and the same."""
    one = cells[0][0]
    return one if all(cell is one for row in cells for cell in row) else _joined(cells, labels)


def _joined(cells: list[list[xr.DataArray]], labels: dict[str, list[str]]) -> xr.DataArray:
    """Cells by algorithm and schedule as one array; written once where they are in memory."""
    import xarray as xr

    given = [cell for row in cells for cell in row]
    flat = xr.broadcast(*given)
    shape, dims = (len(cells), len(cells[0]), *flat[0].shape), ("algorithm", "schedule", *flat[0].dims)
    coords = {str(dim): values for dim, values in flat[0].coords.items()}
    coords |= {
        dim: xr.DataArray(labels[dim][: len(row)], dims=dim)
        for dim, row in (("algorithm", cells), ("schedule", cells[0]))
    }
    if any(cell.chunks for cell in flat):
        rows = [xr.concat(flat[k * shape[1] : (k + 1) * shape[1]], "schedule") for k in range(shape[0])]
        return xr.concat(rows, "algorithm").assign_coords(coords)
    out = np.empty(shape, np.result_type(*(cell.dtype for cell in flat)))
    for number, cell in enumerate(flat):
        out[number // shape[1], number % shape[1]] = cell.values
    return xr.DataArray(out, coords, dims)
