"""The price of a program on a wafer with dead cores: the same links and words, some of them a longer way.

Software sees a perfect mesh, and so do the routes of a program.  Each logical link has a physical length: the columns
it skips within a row, one more per column of displacement between rows.  A transfer goes the sum of the lengths of its
links.  Lengths therefore belong to the mesh, not to the program, and any program is priced from its flows alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.bill import Bill
from waferviz.flows import Flows, flows
from waferviz.machine import Machine, named
from waferviz.program import Array, Program
from waferviz.streams import Line, Stream
from waferviz.wafer.remapping import Remap

if TYPE_CHECKING:
    import xarray as xr

TIMINGS = ("hidden", "one cycle per physical hop")


def price(
    program: Program,
    found: Remap,
    machine: Machine | str,
    *,
    matrices: tuple[int, ...] | None = None,
    dtype: Any = np.float32,
    schedule: str = "barrier",
) -> xr.Dataset:
    """Cycles of a program on a remapped wafer, both ways in which hardware may time the longer links.

    Parameters
    ----------
    program : Program
        For the mesh that software sees, `found.shape`.
    found : Remap
        From `remap`; every row has to work.
    machine, matrices, dtype, schedule
        As in `audit`; data flow for programs whose tiles all go through routers along rows and columns.

    Returns
    -------
    Dataset
        Dims `timing` and `step`: `hops` as software sees them, `physical_hops`, and `cycles` per timing: "hidden", where a
        stretched link costs one hop, as the vendor is said to do, and "one cycle per physical hop", where it costs
        one hop per core skipped.

    Raises
    ------
    ValueError
        When a row fails, the program is laid out for another mesh, or the machine is a torus.
    """
    import xarray as xr

    machine = named(machine)
    bill = Bill(program, machine, matrices, dtype, schedule)
    real = OnWafer(program, found, machine, matrices, dtype, schedule)
    cycles = [one.steps["cycles"][0] for one in (bill, real)]
    label = np.array([step.label for step, _ in program], dtype=str)
    return xr.Dataset(
        {
            "hops": ("step", bill.counts["hops"], {"units": "hops", "long_name": "longest way of a tile, as software sees it"}),
            "physical_hops": ("step", real.counts["hops"], {"units": "hops", "long_name": "longest way of a tile, in physical cores"}),
            "cycles": (("timing", "step"), cycles, {"units": "cycles", "long_name": f"cycles of the step on {machine.name}"}),
        },
        coords={"timing": list(TIMINGS), "step": np.arange(1, len(program) + 1), "label": ("step", label)},
        attrs={
            "program": program.name, "mesh": f"{found.shape[0]} x {found.shape[1]}", "machine": machine.name, "schedule": schedule,
            "dead_cores": int(found.dead.sum()), "spare_columns": len(found.spares),
        },
    )  # fmt: skip


class OnWafer(Bill):
    """The bill of a program whose ways are as long as they are on a remapped wafer.

    Parameters are those of `price`.
    """

    def __init__(
        self, program: Program, found: Remap, machine: Machine, matrices: tuple[int, ...] | None = None, dtype: Any = np.float32, schedule: str = "barrier"
    ) -> None:  # fmt: skip
        if machine.wrap:
            raise ValueError(
                f"{machine.name} is a torus; remapping is modelled for a mesh, take machine.edit(wrap=False)"
            )
        super().__init__(program, machine, matrices, dtype, schedule)
        self.found, self.along = found, _along(program, found)

    @cached_property
    def counts(self) -> dict[str, Array]:
        """Those of the mesh that software sees, with physical hops."""
        return {**super().counts, "hops": stretched_hops(self.program, self.found)}

    def streams(self, step: int) -> list[tuple[Stream, int]]:
        """What a step brings into each core, over physical hops."""
        return [(self._stretched(stream), words) for stream, words in super().streams(step)]

    def _stretched(self, stream: Stream) -> Stream:
        if not isinstance(stream, Line) or stream.relay:
            raise ValueError(
                f"{self.program.name}: on a remapped wafer data flow is priced for tiles that routers pass along rows and "
                "columns, not for relays and folded meshes; take schedule='barrier'"
            )
        place = self.along["x"] if stream.axis == "x" else self.along["y"].T
        return Stretched(**vars(stream), place=place)


@dataclass(frozen=True, kw_only=True, eq=False)
class Stretched(Line):
    """One tile per core along a row or column whose links are longer than a hop.

    Attributes
    ----------
    place : array of int
        Physical position of each core along its line, shape (y, x).
    """

    place: Array

    @property
    def hops(self) -> Array:
        """Physical hops of the tile that enters each core, shape (y, x)."""
        source = np.broadcast_to(self.source, self.place.shape)
        start = np.take_along_axis(self.place, source, axis=1 if self.axis == "x" else 0)
        return np.where(self.way != 0, np.abs(self.place - start), 0)


def stretched_hops(program: Program, found: Remap) -> Array:
    """Longest way of a tile in each step, counted in physical cores, shape (steps,).

    Raises
    ------
    ValueError
        When a row fails or the program is laid out for another mesh.
    """
    along = _along(program, found)
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


def _along(program: Program, found: Remap) -> dict[str, Array]:
    """Physical position of each core along its row, and down its column, dims (line, core)."""
    if program.place.shape != found.shape:
        rows, columns = program.place.shape
        raise ValueError(
            f"{program.name} is laid out for {rows} x {columns} cores, the remapped wafer has {found.shape[0]} x "
            f"{found.shape[1]}; build both for one mesh"
        )
    return {
        "x": found.usable,
        "y": np.concatenate([np.zeros((1, found.shape[1]), int), found.down.cumsum(axis=0)]).T,
    }
