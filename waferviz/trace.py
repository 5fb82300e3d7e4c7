"""The lazy Dataset of a run: a frame is computed when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from waferviz import tokens, vectors
from waferviz.bill import Bill
from waferviz.checks import as_program
from waferviz.inputs import pair
from waferviz.machine import Machine, named
from waferviz.movement import Movement
from waferviz.program import Array, Program
from waferviz.runs import Values, values
from waferviz.state import Sizes, once, untiled
from waferviz.variables import coordinates, moved, numbered, prices, told

BUDGET = 2 * 2**30
NAMES_ABOVE = 256 * 256
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
            **moved(movement),
            **prices(program, bill),
            **(numbered(numbers, bill.sizes, program) if numbers else {}),
        },
        coords=coordinates(program, bill) | {"tensor": list(movement.tensors)},
        attrs=told(program, bill, machine, numbers, code),
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
