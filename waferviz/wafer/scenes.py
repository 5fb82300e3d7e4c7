"""Many drawn wafers at once, remapped and priced: what the defects picture plays."""

from __future__ import annotations

from itertools import product
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.bill import Bill
from waferviz.cost import barrier
from waferviz.machine import Machine, named
from waferviz.orders import interleaved
from waferviz.program import Array, Program
from waferviz.wafer.defects import draw
from waferviz.wafer.laws import LAWS, core_failure, wafer_yield
from waferviz.wafer.prices import TIMINGS, stretched_hops
from waferviz.wafer.remapping import remap

if TYPE_CHECKING:
    import xarray as xr

MEANS = (0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20)
CLUSTERS: dict[str, dict[str, Any]] = {
    "at random": {},
    "by wafer": {"alpha": 2.0},
    "in patches": {"alpha": 0.3, "region": (3, 3)},
}


def scenes(
    program: Program,
    machine: Machine | str,
    *,
    spares: tuple[int, ...] = (0, 1, 2, 3),
    wafers: int = 4,
    matrices: tuple[int, int, int] | None = None,
) -> xr.Dataset:
    """Wafers drawn with more and more dead cores, each remapped with every number of spares.

    Parameters
    ----------
    program : Program
        Its mesh is what software sees; at most 40 x 40 cores, so that every core can be seen.
    machine : Machine or name of a preset
        Prices the program.
    spares : tuple of int
        Spare columns to choose from.
    wafers : int
        Wafers drawn for each way in which defects fall: each core alone, the density different on each wafer
        (gamma-distributed, alpha = 2), or different in each patch of 3 x 3 cores (alpha = 0.3).
    matrices : (M, K, N), optional
        As in `audit`.

    Returns
    -------
    Dataset
        Dims `clusters`, `wafer`, `mean` (dead cores of a wafer, mean), `spares`, then `y` and `x` or `core`: `dead`, `column` (the
        physical column of each core that software sees, -1 in a row that fails), `works`, `cycles` per `timing` (0 where a row
        fails), and `chance` that a wafer of this kind works; in patches as a share of 1,000 drawn ones.

    Raises
    ------
    ValueError
        For a mesh too large to be seen, or numbers of spares or wafers that are none.
    """
    import xarray as xr

    rows, columns = program.place.shape
    if max(rows, columns) > 40 or not spares or min(spares) < 0 or wafers < 1:
        raise ValueError(
            f"{rows} x {columns} cores, spares={spares}, wafers={wafers}: give at most 40 x 40 cores, so that every core can be "
            "seen, one number of spares or more, and one wafer or more; waferviz.wafer.price has no such limit"
        )
    machine = named(machine)
    bill = Bill(program, machine, matrices)
    link_words, ramp_words, stages = (bill.counts[name] for name in ("link_words", "ramp_words", "stages"))
    width = columns + max(spares)
    fail = np.array(MEANS) / (rows * width)
    size = (len(CLUSTERS), wafers, len(MEANS))
    dead = np.zeros((*size, rows, width), bool)
    column = np.full((*size, len(spares), rows, columns), -1, np.int16)
    cycles = np.zeros((*size, len(spares), len(TIMINGS)), np.int64)
    for at in product(*map(range, size)):
        dead[at] = draw(
            (rows, width), float(fail[at[2]]), **list(CLUSTERS.values())[at[0]], seed=1000 * at[0] + at[1]
        )
        for number, spare in enumerate(spares):
            found = remap(dead[at][:, : columns + spare], spare)
            column[(*at, number)] = found.column
            if found.works:
                for timing, hops in enumerate((bill.counts["hops"], stretched_hops(program, found))):
                    cycles[(*at, number, timing)] = barrier(
                        bill.work, link_words, ramp_words, hops, stages, machine
                    ).sum()
    where = ("clusters", "wafer", "mean")
    return xr.Dataset(
        {
            "dead": ((*where, "y", "x"), dead, {"units": "1", "long_name": "core is dead"}),
            "column": ((*where, "spares", "y", "core"), column, {"units": "1", "long_name": "physical column"}),
            "works": ((*where, "spares"), (column >= 0).all(axis=(4, 5)), {"units": "1", "long_name": "every row has enough spares"}),
            "cycles": ((*where, "spares", "timing"), cycles, {"units": "cycles", "long_name": f"{program.name} on {machine.name}, barrier"}),
            "chance": (("clusters", "mean", "spares"), _chances((rows, columns), width, fail, spares), {"units": "1", "long_name": "probability that a wafer works"}),
            "ring": (("core",), interleaved(columns), {"units": "1", "long_name": "interleaved ring order"}),
        },
        coords={"clusters": list(CLUSTERS), "wafer": np.arange(wafers), "mean": list(MEANS), "spares": list(spares), "timing": list(TIMINGS)},
        attrs={"program": program.name, "machine": machine.name, "mesh": f"{rows} x {columns}", "plain_cycles": int(bill.steps["cycles"][0].sum()), "hop": machine.hop},
    )  # fmt: skip


def _chances(shape: tuple[int, int], width: int, fail: Array, spares: tuple[int, ...]) -> Array:
    """Chance that a wafer works, dims (clusters, fail, spares): exact, or a share of drawn wafers where patches differ."""
    out = []
    for kind in CLUSTERS.values():
        if "region" not in kind:
            out.append(
                wafer_yield(shape[0], shape[1], np.array(spares), fail[:, None], alpha=kind.get("alpha"))
            )
            continue
        drawn = np.array(
            [[draw((shape[0], width), float(one), **kind, seed=seed) for seed in range(1000)] for one in fail]
        )
        most = [drawn[..., : shape[1] + spare].sum(axis=3).max(axis=2) <= spare for spare in spares]
        out.append(np.stack(most, axis=-1).mean(axis=1))
    return np.array(out)


def yields(*, rows: int = 757, columns: int = 996, area: float = 0.05, spares: int = 4) -> xr.Dataset:
    """Yield laws of one block, and of a wafer with spare columns, over the density of defects.

    Parameters
    ----------
    rows, columns : int
        Cores that software sees; the fabric of WSE-2 by default.
    area : float
        mm2 of a core.
    spares : int
        Most spare columns.

    Returns
    -------
    Dataset
        `block` of dims (law, defects), defects the mean number on the block; `wafer` of dims (clusters, spares, density), density
        per cm2, clusters at random or by wafer (alpha = 2).

    Raises
    ------
    ValueError
        For an area below zero, or numbers of cores or spares that are none.
    """
    import xarray as xr

    if not isinstance(spares, Integral) or spares < 0:
        raise ValueError(f"spares={spares!r}: give the most spare columns, a whole number of 0 or more")
    defects, density = np.geomspace(1e-3, 3000, 140), 10 ** np.arange(-2, 0.51, 0.02)
    fail = core_failure(area, density)
    kinds = [name for name, kind in CLUSTERS.items() if "region" not in kind]
    wafer = [
        wafer_yield(rows, columns, np.arange(spares + 1)[:, None], fail, alpha=CLUSTERS[name].get("alpha"))
        for name in kinds
    ]
    return xr.Dataset(
        {
            "block": (("law", "defects"), [law(defects) for law in LAWS.values()], {"units": "1", "long_name": "probability of no defect"}),
            "wafer": (("clusters", "spares", "density"), wafer, {"units": "1", "long_name": "probability that the wafer works"}),
        },
        coords={
            "law": list(LAWS), "clusters": kinds, "spares": np.arange(spares + 1),
            "defects": ("defects", defects, {"units": "1", "long_name": "mean defects on the block"}),
            "density": ("density", density, {"units": "1/cm2", "long_name": "density of defects"}),
        },
        attrs={"mesh": f"{rows} x {columns}", "core_area_mm2": area},
    )  # fmt: skip
