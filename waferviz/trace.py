"""The lazy Dataset of a run: a frame is computed when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from waferviz import tokens, vectors
from waferviz.bill import OPERATIONS, Bill
from waferviz.checks import as_program
from waferviz.flows import DIRECTIONS
from waferviz.inputs import pair
from waferviz.lazy import lazy
from waferviz.machine import Machine, named
from waferviz.names import EXACT_CORES
from waferviz.program import Array, Program
from waferviz.runs import Movement, Values, values
from waferviz.state import Sizes, once, summed_in, untiled

BUDGET = 2 * 2**30
NAMES_ABOVE = 256 * 256
ENDS = {"barrier": "under a barrier", "dataflow": "on its latest core, data flow"}
TIERS = ("auto", "names", "values", "interpreter")
Progress = Callable[[int, int], None]


def run(
    program: Program,
    operands: dict[str, Any] | None = None,
    *,
    machine: Machine | str | None = None,
    tier: str = "auto",
    matrices: tuple[int, int, int] | None = None,
    budget: int = BUDGET,
    code: str = "",
    sums: Any = None,
    schedule: str = "barrier",
) -> xr.Dataset:
    """A run of a program as a lazy Dataset.

    Parameters
    ----------
    program : Program
        What to run.
    operands : dict, optional
        Matrices A (M, K) and B (K, N), or (N, K) for a transposed program; without them only names move.
        For programs on vectors V, one vector per core: (y, x, n) or (core, n); ones when left out.  For caches K and
        V, one row per token: (token, n).
    machine : Machine or its name, optional
        Prices the cycle clock; the teaching machine when left out.
    tier : "auto", "names", "values" or "interpreter"
        Names alone (the default above 256 x 256 cores), values by the fast tier, or tiles moved one by one.
    matrices : (M, K, N), optional
        Sizes that price a run without operands; one entry per tile when left out.
    budget : int
        Bytes that a run of values may take.
    code : str
        Source text of the algorithm, kept for the reader.
    sums : dtype, optional
        Type in which vectors are summed and sent: float32 for float16 when left out; "float16" rounds every sum,
        and two entries travel in one 32-bit word.
    schedule : "barrier" or "dataflow"
        Prices the cycle clock, see `audit`.

    Returns
    -------
    Dataset
        Dims `step` (0 is the start, k is after k steps), `y`, `x` (logical cores), tile dims `m`, `k`, `n`,
        `direction`, `tensor`.  `a_row`, `a_block`, `b_block`, `b_column`: block a core holds, -1 for none;
        `met`: the core multiplies in this step; `filled`: blocks summed into C; `traffic`: words on the link
        leaving a core; `from_y`, `from_x`: where the tile that arrives comes from; `hops`, `memory`, `routes`;
        and with values `A`, `B`, `C`.  Coordinates `label` and `cycle` on step.  For programs on vectors
        `V` and `shares`: cores whose vectors are summed in; for caches `token`, `occupied`, `K` and `V`.

    Raises
    ------
    ValueError
        For operands that do not fit each other or the mesh, and for an unknown tier or schedule.
    MemoryError
        When the run would take more than the budget.
    """
    if tier not in TIERS:
        raise ValueError(f"tier={tier!r}: choose one of {', '.join(TIERS)}")
    machine = named("teaching" if machine is None else machine)
    as_program(program, "run")
    operands = _given(program, operands)
    if program.kind == "cache":
        return tokens.trace_of(program, operands, machine=machine, code=code, schedule=schedule)
    if program.on_vectors:
        given = np.ones((*program.shape, program.blocks["n"])) if operands is None else operands["V"]
        return vectors.trace_of(
            program, given, machine=machine, sums=sums, budget=budget, code=code, schedule=schedule
        )
    cores = program.shape[0] * program.shape[1]
    numbers = None
    if operands is not None:
        sizes = Sizes.of(program, _matrices(program, operands), np.result_type(*operands.values()))
        if tier != "names" and not (tier == "auto" and cores > NAMES_ABOVE):
            numbers = values(program, operands["A"], operands["B"], sizes, tier, budget)
        matrices = (sizes.M, sizes.K, sizes.N)
    bill = Bill(
        program, machine, matrices, np.result_type(*operands.values()) if operands else np.float32, schedule
    )
    movement = Movement(program)
    dataset = xr.Dataset(
        {
            **_movement(movement),
            **prices(program, bill),
            **(_numbers(numbers, bill.sizes, program) if numbers else {}),
        },
        coords=coordinates(program, bill) | {"tensor": list(movement.tensors)},
        attrs=_attributes(program, bill, machine, numbers, code),
    )
    dataset.encoding["run"] = Run(program, numbers, machine)
    return dataset


class Run:
    """What a trace was made from: its program, its values where there are any, and the machine that priced it."""

    def __init__(self, program: Program, numbers: Values | None, machine: Machine) -> None:
        self.program, self.numbers, self.machine = program, numbers, machine


PARTS = 4  # in which a product is put together, so that its tiles are not held twice


def product(trace: xr.Dataset, progress: Progress | None = None) -> Array:
    """The result (M, N) as the engine computed it, padding removed.

    Parameters
    ----------
    progress : callable, optional
        Called with (steps done, steps) between chunks; what it raises cancels the run.

    Raises
    ------
    ValueError
        When the trace holds names only.
    """
    if "C" not in getattr(trace, "variables", ()):
        found = "this trace holds names" if "met" in getattr(trace, "variables", ()) else type(trace).__name__
        raise ValueError(
            f"product(): {found}, no numbers; give a trace of multiply, or of run with operands and tier='values'"
        )
    source = trace.encoding.get("run")
    if source and source.numbers and progress:
        with np.errstate(invalid="ignore", over="ignore"):
            source.numbers.complete(progress)
    last, shape = trace.C.isel(step=-1), (trace.attrs["M"], trace.attrs["N"])
    if replicated := trace.attrs.get("replicated", ""):
        return untiled(once(last.values, replicated), shape)
    whole = np.empty(shape, last.dtype)
    some = -(-last.sizes["y"] // PARTS)
    for first in range(0, last.sizes["y"], some):
        rows = whole[first * last.sizes["m"] : (first + some) * last.sizes["m"]]
        rows[...] = untiled(last.isel(y=slice(first, first + some)).values, rows.shape)
    return whole


def _given(program: Program, operands: Any) -> dict[str, Any] | None:
    """Operands by the names that the program has for them; ValueError when one is missing."""
    names = "V" if program.on_vectors else "AB"
    if operands is None or program.kind == "cache":
        return operands
    if not isinstance(operands, dict) or set(operands) != set(names):
        wanted = ", ".join(f"'{name}': ..." for name in names)
        found = f"keys {list(operands)}" if isinstance(operands, dict) else type(operands).__name__
        raise ValueError(f"operands: {program.name} takes {{{wanted}}}, found {found}")
    if program.on_vectors:
        return operands
    return dict(zip(names, pair(operands["A"], operands["B"]), strict=True))


def _matrices(program: Program, operands: dict[str, Any]) -> tuple[int, int, int]:
    a, b = (operands[name].shape for name in "AB")
    inner, outer = (b[1], b[0]) if program.transposed else b
    if a[1] != inner:
        form = (
            "A (M, K) and B (N, K), used as its transpose" if program.transposed else "A (M, K) and B (K, N)"
        )
        raise ValueError(
            f"A has shape {a} and B has shape {b}; {program.name} needs {form} with one K for both"
        )
    return a[0], a[1], outer


def _movement(movement: Movement) -> dict[str, xr.Variable]:
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


def _numbers(numbers: Values, sizes: Sizes, program: Program) -> dict[str, xr.Variable]:
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


def _attributes(
    program: Program, bill: Bill, machine: Machine, numbers: Values | None, code: str
) -> dict[str, Any]:
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
