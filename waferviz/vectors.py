"""Runs of programs on one vector per core: their lazy Dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.bill import Bill
from waferviz.history import History
from waferviz.machine import Machine
from waferviz.program import Array, Program
from waferviz.shares import roundings, summed_along
from waferviz.state import Sizes, largest, summed_in

if TYPE_CHECKING:
    import xarray as xr


def vectors(program: Program, given: Any) -> Array:
    """One vector per core, dims (y, x, n), from dims (y, x, n), (core, n) or, for one number a core, (core,).

    Raises
    ------
    ValueError
        For shapes that do not fit the program's cores, no entries, or entries that are no real numbers.
    """
    array = np.asarray(given)
    if array.dtype == bool:
        array = array.astype(np.int64)
    if array.dtype.kind not in "iuf" or array.dtype.itemsize > 8:
        raise ValueError(f"V has dtype {array.dtype}; use float16, float32, float64 or integers")
    rows, columns = program.shape
    array = array[:, None] if array.ndim == 1 else array
    flat = array.reshape(-1, array.shape[-1]) if array.ndim == 3 else array
    right = array.ndim == 2 or array.shape[:2] == program.shape
    if array.ndim not in (2, 3) or not right or len(flat) != rows * columns or not flat.size:
        raise ValueError(
            f"V has shape {np.shape(given)}; {program.name} on {rows} x {columns} cores needs one vector of at least "
            f"one entry per core: ({rows}, {columns}, n) or ({rows * columns}, n)"
        )
    if array.dtype.kind in "iu" and largest(array) * rows * columns > 2**63 - 1:
        raise ValueError(f"entries up to {largest(array)} can sum to more than int64 holds; scale them down")
    return flat.reshape(rows, columns, -1)


def start(program: Program, given: Array, sizes: Sizes) -> dict[str, Any]:
    """Vectors in place before the first step, cut into chunks where the program has several places."""
    rows, columns, length = given.shape
    places = program.blocks["n"]
    whole = np.zeros((rows, columns, places * sizes.n), sizes.dtype)
    whole[..., :length] = given
    if places == 1:
        return {program.result: whole}
    cut = whole.reshape(rows, columns, places, sizes.n)
    y, x = np.ogrid[:rows, :columns]
    return {program.result: tuple(cut[y, x, chunk] for chunk in program.operands[program.result].column)}


def gathered(program: Program, held: Any, length: int) -> Array:
    """Vectors of all cores in their natural order, dims (y, x, n)."""
    if not isinstance(held, tuple):
        return np.broadcast_to(held, (*program.shape, held.shape[-1]))[..., :length]
    out = np.zeros((*program.shape, len(held), held[0].shape[-1]), held[0].dtype)
    y, x = np.ogrid[: program.shape[0], : program.shape[1]]
    for part, chunk in zip(held, program.operands[program.result].column, strict=True):
        out[y, x, chunk] = part
    return out.reshape(*program.shape, -1)[..., :length]


def trace_of(
    program: Program,
    given: Any,
    *,
    machine: Machine,
    sums: Any,
    budget: int,
    code: str,
    schedule: str = "barrier",
) -> xr.Dataset:
    """Lazy Dataset of a run, see `waferviz.run`."""
    import xarray as xr

    from waferviz.lazy import lazy
    from waferviz.trace import Run
    from waferviz.variables import coordinates, prices

    array = vectors(program, given)
    dtype = np.dtype(sums) if sums is not None else summed_in(array.dtype)
    if np.dtype(dtype).kind != ("f" if array.dtype.kind == "f" else "i"):
        raise ValueError(
            f"sums={dtype}: sums of {array.dtype} are kept in a float type for floats, int64 for integers"
        )
    sizes = Sizes.of(program, (array.shape[-1],), dtype)
    held = array.nbytes // array.dtype.itemsize * dtype.itemsize
    if 2 * held > budget:
        raise MemoryError(
            f"{program.name} on vectors of {sizes.N} entries needs about {2 * held / 2**20:,.0f} MiB, "
            f"the budget is {budget / 2**20:,.0f} MiB; use shorter vectors, a smaller mesh, or a larger budget"
        )
    numbers = History(program, start(program, array, sizes), max(0, budget - 2 * held))
    shares = History(program, _ones(program))
    bill = Bill(program, machine, (sizes.N,), dtype, schedule)
    dims, shape = ("step", "y", "x"), (len(program) + 1, *program.shape)
    dataset = xr.Dataset(
        {
            "V": lazy((*dims, "n"), (*shape, sizes.N), dtype, lambda k: gathered(program, numbers.state(k)[program.result], sizes.N), units="1", long_name="vector of the core"),
            "shares": lazy(dims, shape, np.float32, lambda k: _mean(program, shares.state(k)[program.result]), units="1", long_name="cores whose vectors are summed in, mean over chunks"),
            **prices(program, bill),
        },
        coords=coordinates(program, bill),
        attrs=_attributes(program, bill, machine, array, code),
    )  # fmt: skip
    dataset.encoding["run"] = Run(program, None, machine)
    return dataset


def _ones(program: Program) -> dict[str, Any]:
    places = program.buffers[program.result].places
    one = np.ones((*program.shape, 1), np.int64)
    held = one if places == 1 else tuple(
        one if program.kind != "allgather" or place == 0 else 0 * one for place in range(places)
    )  # fmt: skip
    return {program.result: held}


def _mean(program: Program, held: Any) -> Array:
    parts = held if isinstance(held, tuple) else (held,)
    mean = sum(part[..., 0] for part in parts) / len(parts)
    return np.broadcast_to(mean, program.shape).astype(np.float32)


def _attributes(program: Program, bill: Bill, machine: Machine, given: Array, code: str) -> dict[str, Any]:
    moves = [move for part in program.repeats for step in part.steps for move in step.moves]
    return {
        "program": program.name,
        "kind": program.kind,
        "paper": program.paper,
        "mesh": f"{program.shape[0]} x {program.shape[1]}",
        "op": next((move.combine for move in moves if move.combine), "add"),
        "entries": bill.sizes.N,
        "words": -(-bill.sizes.N * bill.sizes.dtype.itemsize // 4),
        "summed_along": summed_along(program),
        "roundings": roundings(program),
        "dtype": str(given.dtype),
        "sums": str(bill.sizes.dtype),
        "machine": machine.name,
        "schedule": bill.schedule,
        "relayed": int(bill.relayed),
        "bytes_per_core": machine.bytes_per_core,
        "route_limit": machine.routes,
        "bytes_needed": bill.bytes,
        "clock": machine.clock,
        "code": code,
    }
