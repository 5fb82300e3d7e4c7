"""The price of a program without running it: hops, stages, flows, traffic, routes, memory and cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.bill import AXES, Bill
from waferviz.checks import as_program
from waferviz.flows import DIRECTIONS
from waferviz.machine import Machine, named
from waferviz.program import Program

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Bill", "audit"]


def audit(
    program: Program,
    machine: Machine | str | None = None,
    *,
    matrices: tuple[int, ...] | None = None,
    dtype: Any = np.float32,
    schedule: str = "barrier",
) -> xr.Dataset:
    """Prices of a program, without running it.

    Parameters
    ----------
    program : Program
        For any mesh; memory and time do not grow with the mesh times its steps.
    machine : Machine or its name, optional
        Prices cycles under `schedule`; broadcasts that need more routes than the machine has
        are relayed core by core.  A machine with `wrap` uses its wrap links.
    matrices : (M, K, N), optional
        Sizes of the product, or (n,) for the entries of each core's vector; one entry per tile when left out.
    dtype : dtype
        Of the operands.
    schedule : "barrier" or "dataflow"
        Everybody waits for the last core after each step, or nobody waits for anything but tiles.  Under data flow
        steps overlap; each counts from the end of the one before to its own, on their latest cores.

    Returns
    -------
    Dataset
        Dims `step` (1 to the last), `direction`, `axis`, `y`, `x` (physical cores).  Per step: `hops`,
        `stages`, `link_flows`, `link_words`, `ramp_words` (an upper bound where moves along x and along y
        leave out lines), `macs`, `adds`, `lookups`, `tables`, `held` (bytes in use on a core), and with a machine `cycles`.  Per core:
        `routes` of the whole program, `ring_routes` per axis of its longest loop, `memory` in bytes.  Per link:
        `flows` per step and `traffic` of the whole run; `link` says which links exist.  Per step and core: `reach`,
        longest way of a tile that arrives, and `routes_so_far`.  What has both a step and a core is computed when
        asked for.

    Raises
    ------
    ValueError
        When the mesh is larger than the matrices, for an unknown schedule, and for what is no program or machine.
    """
    import xarray as xr

    from waferviz.lazy import lazy

    machine = None if machine is None else named(machine)
    bill = Bill(as_program(program, "audit"), machine, matrices, dtype, schedule)
    rows, columns = bill.place.shape
    label = [step.label for step, _ in program]
    frames, core = ("step", "y", "x"), (len(program), rows, columns)
    per_step = {
        name: ("step", values, {"units": unit, "long_name": words})
        for name, (values, unit, words) in bill.steps.items()
    }
    return xr.Dataset(
        {
            **per_step,
            "routes": (("y", "x"), bill.routes, {"units": "1", "long_name": "routes a router holds, whole program"}),
            "ring_routes": (("axis", "y", "x"), bill.ring_routes, {"units": "1", "long_name": "routes of the longest loop, per axis"}),
            "memory": (("y", "x"), np.broadcast_to(bill.bytes, (rows, columns)), {"units": "B", "long_name": "memory set aside"}),
            "link": (("direction", "y", "x"), bill.exists, {"units": "1", "long_name": "the link leaving this core exists"}),
            "held": ("step", np.maximum(*(bill.held_bytes()[part] for part in (slice(1, None), slice(None, -1)))), {"units": "B", "long_name": "memory in use on a core"}),
            "reach": lazy(frames, core, np.int64, lambda k: bill.reach(k + 1), units="hops", long_name="longest way of a tile that arrives here"),
            "routes_so_far": lazy(frames, core, np.int64, lambda k: bill.routes_until(k + 1), units="1", long_name="routes a router holds up to this step"),
            "flows": lazy(("step", "direction", "y", "x"), (len(program), 4, rows, columns), np.int64, lambda k: bill.link_flows(k + 1), units="1", long_name="flows on the link leaving this core"),
            "traffic": lazy(("one", "direction", "y", "x"), (1, 4, rows, columns), np.int64, lambda _: bill.total, units="words", long_name="32-bit words over the link, whole run").isel(one=0),
        },
        coords={
            "step": np.arange(1, len(program) + 1),
            "label": ("step", np.array(label, dtype=str) if label else np.array([], dtype="U1")),
            "direction": list(DIRECTIONS),
            "axis": list(AXES),
        },
        attrs={"program": program.name, "mesh": f"{rows} x {columns}", "paper": program.paper, "torus": int(bool(machine and machine.wrap))} | ({"machine": machine.name, "schedule": schedule} if machine else {}),
    )  # fmt: skip
