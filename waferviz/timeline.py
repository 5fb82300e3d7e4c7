"""Where the cycles of a program go: work and transfer of every step, and the path of what waits for what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.bill import Bill
from waferviz.checks import as_program
from waferviz.lazy import lazy
from waferviz.machine import Machine, named
from waferviz.names import EXACT_CORES
from waferviz.program import Array, Program
from waferviz.schedule import Free, checked, parts

if TYPE_CHECKING:
    import xarray as xr

TIMES = {
    "work_start": "begin of the work",
    "work_end": "end of the work",
    "move_start": "begin of the transfer that ends last",
    "move_end": "end of the transfer that ends last",
    "start": "begin of the step",
    "end": "end of the step",
    "work": "cycles of work",
    "words": "cycles of the step's transfer for its words",
    "way": "cycles of the step's transfer for its way",
}


def timeline(
    program: Program,
    machine: Machine | str,
    *,
    schedule: str = "barrier",
    matrices: tuple[int, ...] | None = None,
    dtype: Any = np.float32,
) -> xr.Dataset:
    """Begin and end of work and transfer in every step, on the cores that the run waits for.

    Parameters
    ----------
    program, machine, matrices, dtype
        As for `audit`.
    schedule : "barrier" or "dataflow"
        Everybody waits for the last core after each step, or nobody waits for anything but tiles.

    Returns
    -------
    Dataset
        Dim `step` (from 1): `work_start`, `work_end`, `move_start`, `move_end`, `start`, `end`, `work`, `words`,
        `way` in cycles; `critical`, what the step lasts for: "work", "words", "way", or "wait" where nothing
        happens; `work_share` of the step; core `y_core`, `x_core` (-1 under a barrier: any).  Attributes `cycles`,
        `compute_share`, `schedule`, `machine`, `program`.  With data flow the steps are those of the critical path:
        each begins when the one before ends, on the core that `from_y`, `from_x` says; and on up to 128 x 128 cores
        `ready` and `done` (step, y, x) say when every core begins and ends every step.

    Raises
    ------
    ValueError
        For an unknown schedule, or matrices smaller than the mesh.

    Notes
    -----
    Under data flow the routers' queues hold what a core has not yet taken in, however much it is; cores on the way
    of a relayed tile must have begun its step; a core's tiles leave side by side, and enter one after the other.
    N shifts of both operands with next to no work take N (w + c) + (3N - 4) h on plain rings and N (w + c) + (2N - 1) h
    on interleaved ones: w words of both tiles through a core's ramp, c = 2 ramp + 1, h = hop, N > 2.  Products
    take as long in `waferviz.wavelets`, word by word, alignment at times a cycle less.

    Examples
    --------
    >>> from waferviz import GEMM, Machine
    >>> wafer, program = Machine.preset("wse2"), GEMM["cannon"](64, align="")
    >>> [timeline(program, wafer, schedule=one).attrs["cycles"] for one in ("barrier", "dataflow")]
    [4480, 636]
    """
    import xarray as xr

    machine = named(machine)
    bill = Bill(as_program(program, "timeline"), machine, matrices, dtype)
    free = Free(bill) if checked(schedule) == "dataflow" else None
    times = _flowing(bill, free) if free else _barred(bill)
    lasts = times["end"] - times["start"]
    cycles = int(np.ceil(times["end"][-1])) if len(lasts) else 0
    rows, columns = bill.place.shape
    kind = np.where(times["words"] >= times["way"], "words", "way")
    critical = np.where(lasts == 0, "wait", np.where(times.pop("by_work"), "work", kind))
    share = np.minimum(1, bill.work / np.where(lasts > 0, lasts, np.inf))
    out: dict[str, Any] = {
        name: ("step", times[name], {"units": "cycles", "long_name": words}) for name, words in TIMES.items()
    }
    out |= {
        name: ("step", times[name], {"units": "1", "long_name": f"{name[-1]} of a core"})
        for name in times
        if name not in TIMES
    }
    if free and rows * columns <= EXACT_CORES:
        frames = (len(program), rows, columns)
        for name, ahead, words in (("ready", 0, "begins"), ("done", 1, "has ended")):
            out[name] = lazy(
                ("step", "y", "x"),
                frames,
                np.float64,
                lambda k, ahead=ahead: free.after(k + ahead),
                units="cycles",
                long_name=f"cycle at which the core {words} the step",
            )
    return xr.Dataset(
        out
        | {
            "critical": ("step", critical.astype(str), {"long_name": "what the step lasts for"}),
            "work_share": ("step", share, {"units": "1", "long_name": "share of the step in which a core works"}),
        },
        coords={"step": np.arange(1, len(program) + 1), "label": ("step", np.array([step.label for step, _ in program], dtype=str))},
        attrs={
            "schedule": schedule, "machine": machine.name, "program": program.name, "mesh": f"{rows} x {columns}",
            "cycles": cycles, "compute_share": float(bill.work.sum() / cycles) if cycles else 0.0,
        },
    )  # fmt: skip


def _barred(bill: Bill) -> dict[str, Array]:
    """Times under a barrier: every step begins when the longest part of the one before has ended."""
    part = parts(bill)
    lasts = np.maximum(part["work"], part["move"])
    end = np.cumsum(lasts)
    start = end - lasts
    none = np.full(len(lasts), -1)
    return {
        "work_start": start, "work_end": start + part["work"], "move_start": start, "move_end": start + part["move"],
        "start": start, "end": end, "work": part["work"], "words": part["words"], "way": part["way"],
        "by_work": part["work"] >= part["move"], "y_core": none, "x_core": none, "from_y": none, "from_x": none,
    }  # fmt: skip


def _flowing(bill: Bill, free: Free) -> dict[str, Array]:
    """Times along the critical path: from the core that ends last, back to whoever it waited for, step by step."""
    found = free.path()
    work = bill.work
    own = np.array([link.own for link in found], bool)
    ready, move_start, move_end, end = (
        np.array([getattr(link, name) for link in found], float) for name in ("ready", "sent", "came", "end")
    )
    way = np.array([link.way for link in found], float)
    here, there = (
        np.array([getattr(link, name) for link in found], int).reshape(-1, 2) for name in ("core", "source")
    )
    start = np.where(own, ready, move_start)
    return {
        "work_start": ready, "work_end": ready + work, "move_start": move_start, "move_end": move_end,
        "start": start, "end": end, "work": work, "words": np.where(own, end - start, end - start - way), "way": np.where(own, 0, way),
        "by_work": own & (ready + work >= end), "y_core": here[:, 0], "x_core": here[:, 1], "from_y": there[:, 0], "from_x": there[:, 1],
    }  # fmt: skip
