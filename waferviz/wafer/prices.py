"""The price of a program on a wafer with dead cores: the same links and words, some of them a longer way.

Software sees a perfect mesh, and so do the routes of a program.  Each logical link has a physical length: the columns
it skips within a row, one more per column of displacement between rows.  A transfer goes the sum of the lengths of its
links.  Lengths therefore belong to the mesh, not to the program, and any program is priced from its flows alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.audit import audit
from waferviz.cost import barrier
from waferviz.flows import Flows, flows
from waferviz.machine import Machine
from waferviz.program import Array, Program
from waferviz.wafer.remapping import Remap

if TYPE_CHECKING:
    import xarray as xr

TIMINGS = ("hidden", "one cycle per physical hop")


def price(
    program: Program,
    found: Remap,
    machine: Machine,
    *,
    matrices: tuple[int, int, int] | None = None,
    dtype: Any = np.float32,
) -> xr.Dataset:
    """Cycles of a program on a remapped wafer, both ways in which hardware may time the longer links.

    Parameters
    ----------
    program : Program
        For the mesh that software sees, `found.shape`.
    found : Remap
        From `remap`; every row has to work.
    machine, matrices, dtype
        As in `audit`.

    Returns
    -------
    Dataset
        Dims `timing` and `step`: `hops` as software sees them, `physical_hops`, and `cycles` per timing: "hidden", where a
        stretched link costs one hop, as the vendor is said to do, and "one cycle per physical hop", where it costs
        one hop per core skipped.  Under a barrier after each step.

    Raises
    ------
    ValueError
        When a row fails, the program is laid out for another mesh, or the machine is a torus.
    """
    import xarray as xr

    if machine.wrap:
        raise ValueError(
            f"{machine.name} is a torus; remapping is modelled for a mesh, take machine.edit(wrap=False)"
        )
    bill = audit(program, machine, matrices=matrices, dtype=dtype)
    physical = stretched_hops(program, found)
    cycles = [with_hops(bill, hops, machine) for hops in (bill.hops.values, physical)]
    return xr.Dataset(
        {
            "hops": bill.hops,
            "physical_hops": ("step", physical, {"units": "hops", "long_name": "longest way of a tile, in physical cores"}),
            "cycles": (("timing", "step"), cycles, {"units": "cycles", "long_name": f"cycles of the step on {machine.name}"}),
        },
        coords={"timing": list(TIMINGS), "label": bill.label},
        attrs={**bill.attrs, "dead_cores": int(found.dead.sum()), "spare_columns": len(found.spares)},
    )  # fmt: skip


def with_hops(bill: xr.Dataset, hops: Array, machine: Machine) -> Array:
    """Cycles of every step of an audit when the longest way of each is `hops`, shape (steps,)."""
    work = (bill.macs.values + bill.adds.values) / machine.macs
    return barrier(work, bill.link_words.values, bill.ramp_words.values, hops, bill.stages.values, machine)


def stretched_hops(program: Program, found: Remap) -> Array:
    """Longest way of a tile in each step, counted in physical cores, shape (steps,).

    Raises
    ------
    ValueError
        When a row fails or the program is laid out for another mesh.
    """
    if program.place.shape != found.shape:
        rows, columns = program.place.shape
        raise ValueError(
            f"{program.name} is laid out for {rows} x {columns} cores, the remapped wafer has {found.shape[0]} x "
            f"{found.shape[1]}; build both for one mesh"
        )
    along = {
        "x": found.usable,
        "y": np.concatenate([np.zeros((1, found.shape[1]), int), found.down.cumsum(axis=0)]).T,
    }
    out = [
        np.stack([_longest(sets, part.times, along) for sets in steps], axis=1).ravel()
        for part, steps in zip(program.repeats, flows(program), strict=True)
    ]
    return np.concatenate(out) if out else np.zeros(0, int)


def _longest(sets: list[Flows], times: int, along: dict[str, Array]) -> Array:
    """Longest physical way of one step in each of its repeats, shape (times,)."""
    moves = {id(flow.move): [other for other in sets if other.move is flow.move] for flow in sets}
    ways = [np.zeros(times, int)]
    for legs in moves.values():
        each = [_ways(flow, along[flow.axis]) for flow in legs]
        if legs[0].move.axis == "xy":
            longest = np.sum([way.sum(axis=1) for way in each], axis=0).max(axis=1)
        else:
            longest = np.max(
                [np.where(f.active, w.max(axis=2), 0).max(axis=1) for f, w in zip(legs, each, strict=True)],
                axis=0,
            )
        ways.append(np.broadcast_to(longest, (times,)))
    return np.max(ways, axis=0)


def _ways(flow: Flows, along: Array) -> Array:
    """Physical way of every flow to its farther end, dims (repeat, line, flow), in lines at rest too."""
    lines = along[flow.line]
    origin, ahead, behind = (
        np.broadcast_to(part, (len(part), len(lines), part.shape[2]))
        for part in np.broadcast_arrays(flow.origin, flow.ahead, flow.behind)
    )
    here = np.arange(len(lines))[:, None]
    start = lines[here, origin]
    return np.maximum(lines[here, origin + ahead] - start, start - lines[here, origin - behind])
