"""Does a program fit a chip?  One verdict per letter of PLMR; a broken limit is a result, not an exception."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.facts import Unpublished
from waferviz.machine import QUANTITIES, Machine, named
from waferviz.memory import size
from waferviz.program import Program

if TYPE_CHECKING:
    import xarray as xr

LETTERS = {"P": ("cores used", "cores"), "L": ("longest hop", "hops"), "M": ("bytes per core", "B"), "R": ("routes per core", "1")}  # fmt: skip
NEEDED = ("hops", "stages", "adds", "reach", "held", "memory", "routes", "routes_so_far")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One letter: what is used, what the chip has, and where it breaks first (step -1 and core (-1, -1) for nowhere)."""

    used: float
    limit: float
    ok: bool
    step: int = -1
    core: tuple[int, int] = (-1, -1)
    fix: str = ""
    sentence: str = ""


def check(
    program: Program | xr.Dataset,
    machine: Machine | str,
    *,
    hops: float = 2,
    matrices: tuple[int, ...] | None = None,
    dtype: Any = np.float32,
) -> xr.Dataset:
    """Verdict on the four limits of a chip: cores, longest hop, memory and routes.

    Parameters
    ----------
    program : Program or Dataset
        Any program, or what `audit` said about it for a machine with the same links.
    machine : Machine or its name
        The chip.
    hops : float
        Limit of the longest way in one step; 2 when left out, because no ring on a line does better.
    matrices, dtype
        As for `audit`, when a Program is given.

    Returns
    -------
    Dataset
        Dim `letter` (P, L, M, R): `used`, `limit`, `ok`, `step` and core `y`, `x` where it breaks first (-1 where
        it does not), `fix` and `sentence`; coordinates `what` and `unit`.  Dims `core_y`, `core_x`: the `memory`, `routes`
        and `reach` (in the step of the longest way) behind it; `chip`: its rows and columns.

    Raises
    ------
    ValueError
        For something that is neither, or an audit of other links than the machine has.

    Notes
    -----
    Numbers of a machine's speed are not needed: one that has not been published does not stop a verdict.

    Memory counts the tiles alone: code and stack take their part of a real core.  Routes count distinct flows of
    the whole program, without switching routes at run time.

    Source: the four properties, WaferLLM, OSDI 2025, section 3.1.

    Examples
    --------
    >>> from waferviz import GEMM, Machine
    >>> check(GEMM["cannon"](8), Machine.preset("wse2")).ok.values.tolist()
    [True, False, True, True]
    """
    import xarray as xr

    machine = named(machine)
    bill = _audited(program, machine, matrices, dtype)
    found = [_cores(bill, machine), _hops(bill, hops), _memory(bill, machine), _routes(bill, machine)]
    said = {name: [getattr(verdict, name) for verdict in found] for name in ("used", "limit", "ok", "step", "fix", "sentence")}  # fmt: skip
    for name in ("used", "limit"):
        said[name] = [float(value) for value in said[name]]
    words = {
        "used": "what the program uses",
        "limit": "what the chip allows",
        "step": "step that breaks it first",
    }
    return xr.Dataset(
        {name: ("letter", values, {"long_name": words.get(name, name)}) for name, values in said.items()}
        | {axis: ("letter", [verdict.core[n] for verdict in found], {"units": "1", "long_name": f"{axis} of the core where it breaks first"}) for n, axis in enumerate("yx")}
        | {"chip": ("side", list(machine.chip), {"units": "cores", "long_name": "rows and columns of the chip"})}
        | _maps(bill),
        coords={
            "letter": list(LETTERS),
            "what": ("letter", [what for what, _ in LETTERS.values()]),
            "unit": ("letter", [unit for _, unit in LETTERS.values()]),
        },
        attrs={"program": bill.attrs["program"], "machine": machine.name, "mesh": bill.attrs["mesh"], "what_if": int(not found[0].ok)},
    )  # fmt: skip


def _maps(bill: xr.Dataset) -> dict[str, xr.DataArray]:
    """Bytes, routes and longest way of every core, not computed before somebody looks."""
    found = {"memory": bill.memory, "routes": bill.routes}
    if bill.sizes["step"]:
        found["reach"] = bill.reach.isel(step=int(np.argmax(bill.hops.values)))
    return {name: one.rename(y="core_y", x="core_x").reset_coords(drop=True) for name, one in found.items()}


def _audited(
    program: Program | xr.Dataset, machine: Machine, matrices: tuple[int, ...] | None, dtype: Any
) -> xr.Dataset:
    from waferviz.audit import audit

    if isinstance(program, Program):
        return audit(program, _timed(machine), matrices=matrices, dtype=dtype)
    if missing := [name for name in NEEDED if name not in getattr(program, "variables", ())]:
        raise ValueError(f"program={type(program).__name__} without {missing[0]!r}; give a Program or what audit(program) returns")  # fmt: skip
    if bool(program.attrs["torus"]) != machine.wrap:
        raise ValueError(f"the audit of {program.attrs['program']} counts hops {'with' if program.attrs['torus'] else 'without'} wrap links, {machine.name} is {'a' if machine.wrap else 'no'} torus; audit(program, machine) first")  # fmt: skip
    return program


def _timed(machine: Machine) -> Machine:
    """The machine with a 1 for every number of its speed that nobody has published: no verdict is about time."""
    counted = ("bytes_per_core", "routes")
    missing = [
        name for name in QUANTITIES if isinstance(getattr(machine, name), Unpublished) and name not in counted
    ]
    return machine.edit(**dict.fromkeys(missing, 1)) if missing else machine


def _cores(bill: xr.Dataset, machine: Machine) -> Verdict:
    (rows, columns), (most_rows, most_columns) = bill.routes.shape, machine.chip
    used, limit = rows * columns, most_rows * most_columns
    fits = all(side <= most for side, most in zip(sorted((rows, columns)), sorted(machine.chip), strict=True))
    if fits:
        return Verdict(used=used, limit=limit, ok=True, sentence=f"{used:,} of {limit:,} cores")
    side = min(most_rows, most_columns)
    return Verdict(
        used=used, limit=limit, ok=False, step=1,
        core=(0, most_columns) if columns > most_columns else (most_rows, 0),
        fix=f"a mesh of at most {most_rows:,} x {most_columns:,} cores ({side:,} x {side:,} as a square) would fit",
        sentence=f"{rows:,} x {columns:,} cores do not fit into the {most_rows:,} x {most_columns:,} of {machine.name}; the rest is a what-if",
    )  # fmt: skip


def _hops(bill: xr.Dataset, limit: float) -> Verdict:
    used = int(bill.hops.max()) if bill.sizes["step"] else 0
    least = "; no ring on a line does better" if limit == 2 else ""
    if used <= limit:
        said = (
            f"{_ways(used)} at most, no limit"
            if np.isinf(limit)
            else f"{used} of {limit:g} hops at most{least}"
        )
        return Verdict(used=used, limit=limit, ok=True, sentence=said)
    step = int(np.argmax(bill.hops.values > limit))
    here = bill.reach.isel(step=step).values
    y, x = np.unravel_index(np.argmax(here), here.shape)
    fix, said = _too_far(bill, step, int(here[y, x]), limit)
    at = "" if said.startswith("a sum") else f"core ({y},{x}), "
    return Verdict(
        used=used, limit=limit, ok=False, step=step + 1, core=(int(y), int(x)), fix=fix,
        sentence=f"breaks at {at}step {step + 1}: {said}; longest way {_ways(used)}",
    )  # fmt: skip


def _too_far(bill: xr.Dataset, step: int, far: int, limit: float) -> tuple[str, str]:
    """What to do about a way that is too long, and what travels it: a sum, its broadcast, or a tile."""
    sums = (bill.adds.values > 0) & (bill.stages.values > 0)
    within = f"only groups of at most {2 * int(limit) + 1} cores of a line sum within {limit:g} hops"
    if sums[step]:
        relays = int(bill.stages.values[step])
        return (
            f"a root in the middle halves the way, and small groups, as in a K-tree, take fewer relays; {within}",
            f"a sum comes {_ways(int(bill.hops.values[step]))} to its root, over {relays:,} relay{'s' * (relays != 1)}, limit {limit:g}",
        )
    if sums[:step].any():
        return (
            f"a broadcast from the middle of a line crosses half of it; {within}",
            f"the sum is broadcast from {_ways(far)} away, limit {limit:g}",
        )
    least = "; no ring on a line does better" if limit == 2 else ""
    return (
        "shifts along interleaved rings travel 2 hops; broadcasts and plain rings cross the mesh",
        f"a tile from {_ways(far)} away, limit {limit:g}{least}",
    )


def _ways(hops: int) -> str:
    return f"{hops:,} hop{'s' * (hops != 1)}"


def _memory(bill: xr.Dataset, machine: Machine) -> Verdict:
    used, limit = int(bill.memory.max()), machine.bytes_per_core
    (one, unit), most = size(used).split(), size(limit)
    said = f"{one if most.endswith(f' {unit}') else size(used)} of {most} on a core"
    if used <= limit:
        return Verdict(used=used, limit=limit, ok=True, sentence=said)
    step = int(np.argmax(bill.held.values > limit)) if bill.sizes["step"] else 0
    y, x = np.unravel_index(np.argmax(bill.memory.values), bill.memory.shape)
    held = int(bill.held.values[step]) if bill.sizes["step"] else used
    at_first = f"{size(held)} then, " if held < used else ""
    return Verdict(
        used=used, limit=limit, ok=False, step=step + 1, core=(int(y), int(x)),
        fix=f"tiles with at most {limit / used:.0%} of the entries would fit: matrices {np.sqrt(limit / used):.0%} as long and wide, a larger mesh, or fewer buffers",
        sentence=f"breaks at core ({y},{x}), step {step + 1}: {at_first}{said}",
    )  # fmt: skip


def _routes(bill: xr.Dataset, machine: Machine) -> Verdict:
    used, limit = int(bill.routes.max()), machine.routes
    if used <= limit:
        many, room = (f"{used}", ", no limit") if np.isinf(limit) else (f"{used} of {limit:g}", "")
        return Verdict(used=used, limit=limit, ok=True, sentence=f"{many} routes through a router{room}")
    step = _first(bill, limit)
    here = bill.routes_so_far.isel(step=step).values
    y, x = np.unravel_index(np.argmax(here), here.shape)
    return Verdict(
        used=used, limit=limit, ok=False, step=step + 1, core=(int(y), int(x)),
        fix="relay the tiles core by core, which costs a relay at every hop (the cycles are priced so), or shift along rings: 3 routes each",
        sentence=f"breaks at core ({y},{x}), step {step + 1}: {here[y, x]:,} of {limit:g} routes there, {used:,} in the whole program",
    )  # fmt: skip


def _first(bill: xr.Dataset, limit: float) -> int:
    """First step (from 0) after which a router holds more routes than the limit; they never become fewer."""
    low, high = 0, bill.sizes["step"] - 1
    while low < high:
        middle = (low + high) // 2
        if int(bill.routes_so_far.isel(step=middle).max()) > limit:
            high = middle
        else:
            low = middle + 1
    return low
