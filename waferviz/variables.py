"""The variables, coordinates and attributes of a trace, by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from waferviz.bill import OPERATIONS, Bill
from waferviz.flows import DIRECTIONS
from waferviz.lazy import lazy
from waferviz.machine import Machine
from waferviz.movement import Movement
from waferviz.names import EXACT_CORES
from waferviz.program import Program
from waferviz.runs import Values
from waferviz.state import Sizes, summed_in

ENDS = {"barrier": "under a barrier", "dataflow": "on its latest core, data flow"}


def moved(movement: Movement) -> dict[str, xr.Variable]:
    """Which block is where, what multiplies, how far C is, and where tiles come from."""
    program = movement.program
    dims, shape = ("step", "y", "x"), (len(program) + 1, *program.shape)
    tensors = len(movement.tensors)
    found = {
        "a_row": (np.int16, lambda k: movement.name(k, 0, "row"), "block row of A held"),
        "a_block": (np.int16, lambda k: movement.name(k, 0, "column"), "contraction block of A held"),
        "b_block": (np.int16, lambda k: movement.name(k, 1, "row"), "contraction block of B held"),
        "b_column": (np.int16, lambda k: movement.name(k, 1, "column"), "block column of B held"),
        "met": (np.bool_, movement.met, "core multiplies in this step"),
        "filled": (np.int16, movement.filled, "contraction blocks summed into C"),
    }
    out = {
        name: lazy(dims, shape, kind, frame, units="1", long_name=words)
        for name, (kind, frame, words) in found.items()
    }
    for axis, name in (("y", "from_y"), ("x", "from_x")):
        out[name] = lazy(
            ("step", "tensor", "y", "x"), (shape[0], tensors, *program.shape), np.int16,
            lambda k, axis=axis: movement.origins(k, axis), units="1", long_name=f"{axis} of the core the arriving tile comes from",
        )  # fmt: skip
    return out


def prices(program: Program, bill: Bill) -> dict[str, xr.Variable]:
    """What each step costs, and what each core and link bears."""
    place = bill.place.shape
    core = ("y", "x") if program.place.is_identity else ("core_y", "core_x")
    steps, held = len(program) + 1, bill.held_bytes()
    out = {
        name: xr.Variable(
            "step",
            np.concatenate([[0], bill.steps[name][0]]),
            {"units": bill.steps[name][1], "long_name": bill.steps[name][2]},
        )
        for name in ("hops", "stages", "link_words", "ramp_words", *OPERATIONS)
    }
    out["work"] = xr.Variable(
        "step", np.concatenate([[0], bill.work]), {"units": "cycles", "long_name": "work of the busiest core"}
    )
    out["traffic"] = lazy(
        ("step", "direction", *core),
        (steps, 4, *place),
        np.int64,
        bill.link_words,
        units="words",
        long_name="32-bit words on the link leaving the core",
    )
    out["memory"] = lazy(
        ("step", *core),
        (steps, *place),
        np.int64,
        lambda k: np.broadcast_to(held[k], place),
        units="B",
        long_name="bytes in use",
    )
    out["routes"] = xr.Variable(core, bill.routes, {"units": "1", "long_name": "routes a router holds"})
    return out


def numbered(numbers: Values, sizes: Sizes, program: Program) -> dict[str, xr.Variable]:
    """Tiles of A, B and C as numbers."""
    steps, dtype = len(program) + 1, summed_in(sizes.dtype)
    out = {}
    for name, dims in (("A", ("m", "k")), ("B", program.buffers["B"].dims), ("C", ("m", "n"))):
        rows, *rest = sizes.tile(dims)
        chunks = program.buffers[name].places if name == program.result else 1
        named = dims if chunks == 1 else ("result_m", *dims[1:])  # a result made in chunks is shown whole
        out[name] = lazy(
            ("step", "y", "x", *named), (steps, *program.shape, rows * chunks, *rest), dtype,
            lambda k, rows, columns, name=name: numbers.window(name, k, rows, columns), windows=True, units="1", long_name=f"tile of {name}",
        )  # fmt: skip
    return out


def coordinates(program: Program, bill: Bill) -> dict[str, Any]:
    """Steps with their labels and cycles, directions, and physical cores where they are not the logical ones."""
    found: dict[str, Any] = {
        "step": np.arange(len(program) + 1),
        "label": ("step", np.array(["start", *(step.label for step, _ in program)])),
        "cycle": ("step", np.concatenate([[0], bill.steps["cycles"][0].cumsum()]), {"units": "cycles", "long_name": f"end of the step {ENDS[bill.schedule]}"}),
        "direction": list(DIRECTIONS),
    }  # fmt: skip
    if not program.place.is_identity:
        found |= {"core_of_y": ("y", program.place.y), "core_of_x": ("x", program.place.x)}
    return found


def told(program: Program, bill: Bill, machine: Machine, numbers: Values | None, code: str) -> dict[str, Any]:
    """What a trace says about itself: program, sizes, machine, schedule, limits."""
    rows, columns = bill.place.shape
    sizes = bill.sizes
    return {
        "program": program.name,
        "paper": program.paper,
        "mesh": f"{rows} x {columns}",
        "M": sizes.M, "K": sizes.K, "N": sizes.N, "m": sizes.m, "k": sizes.k, "n": sizes.n,
        "blocks": program.blocks["k"],
        "kind": program.kind,
        "replicated": program.replicated,
        "dtype": str(sizes.dtype),
        "tier": numbers.tier if numbers else "names",
        "machine": machine.name,
        "schedule": bill.schedule,
        "torus": int(machine.wrap),
        "relayed": int(bill.relayed),
        "bytes_per_core": machine.bytes_per_core,
        "route_limit": machine.routes,
        "bytes_needed": bill.bytes,
        "ring_routes": int(bill.ring_routes.max(initial=0)),
        "clock": machine.clock,
        "code": code,
        "filled_by": "count" if program.shape[0] * program.shape[1] <= EXACT_CORES else "number of multiplying steps",
    }  # fmt: skip
