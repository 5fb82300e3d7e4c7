"""One program on one machine in answers: what fits, how long it takes, of what, and which number matters most."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.bill import Bill
from waferviz.machine import Machine, named
from waferviz.memory import largest
from waferviz.program import Program
from waferviz.schedule import cycles
from waferviz.tally import macs_of
from waferviz.timeline import timeline

if TYPE_CHECKING:
    import xarray as xr

SAID = {"barrier": "a barrier after every step", "dataflow": "data flow"}
PARTS = ("work", "words", "way")
NUMBERS = {
    "hop": "cycles of a hop",
    "ramp": "cycles of a ramp",
    "relay": "cycles of a relay",
    "link_words": "words a cycle on links and ramps",
    "macs": "multiply-adds a cycle",
    "routes": "routes of a router",
}


def explain(
    program: Program,
    machine: Machine | str,
    *,
    schedule: str = "barrier",
    matrices: tuple[int, ...] | None = None,
    dtype: Any = np.float32,
) -> xr.Dataset:
    """What a program takes on a machine, what its cycles are made of, and what would change them.

    Parameters
    ----------
    program, machine, schedule, matrices, dtype
        As for `audit`.

    Returns
    -------
    Dataset
        `cycles`, `microseconds`, `share_of_peak` (multiply-adds against all that the program's cores could do in the
        time, nan without any), `largest` (side of the largest square matrices that fit, or length of the longest
        vectors; 0 when none do).  Dim `part` (work, words, way): `made_of`, cycles on the critical path, which add up
        to all.  Dim `number`: `doubled`, by which factor the cycles change when one number of the machine is twice as
        large.  Attributes `most_sensitive`, `sentence`, `program`, `machine`, `schedule`.

    Raises
    ------
    ValueError
        For an unknown schedule, matrices smaller than the mesh, or a machine without a number that is needed.

    Notes
    -----
    A doubled hop or ramp lengthens the relay by as much; a doubled relay alone is software on the cores.

    Examples
    --------
    >>> from waferviz import GEMM, Machine
    >>> print(explain(GEMM["cannon"](64, align=""), Machine.preset("wse2"), matrices=(256, 256, 256)).attrs["sentence"])
    Cannon on wse2, a barrier after every step: 6,400 cycles, 5.818 us, 68% of them for the way of the tiles, 64% of peak; twice the hop makes it 1.63 times as long; matrices up to 3,136 x 3,136 fit.
    """
    import xarray as xr

    machine = named(machine)
    said = timeline(program, machine, schedule=schedule, matrices=matrices, dtype=dtype)
    bill = Bill(program, machine, matrices, dtype, schedule)
    total = said.attrs["cycles"]
    by_work = said.critical == "work"
    made = [float((said.end - said.start).where(by_work, 0).sum())]
    made += [float(said[part].where(~by_work, 0).sum()) for part in PARTS[1:]]
    doubled = [_doubled(bill, number) / total if total else np.nan for number in NUMBERS]
    most = max(zip(NUMBERS, doubled, strict=True), key=lambda one: abs(np.log(one[1])))[0] if total else ""
    sizes, rate = bill.sizes, macs_of(machine, dtype) * bill.routes.size
    products = np.nan if program.on_vectors else sizes.M * sizes.K * sizes.N
    found = xr.Dataset(
        {
            "cycles": ((), total, {"units": "cycles", "long_name": "cycles of the run"}),
            "microseconds": ((), total / machine.clock / 1000, {"units": "us", "long_name": "time of the run"}),
            "share_of_peak": ((), products / (rate * total) if total else np.nan, {"units": "1", "long_name": "share of all multiply-adds possible"}),
            "largest": ((), largest(program, machine.bytes_per_core, dtype), {"units": "1", "long_name": "entries along a side that fit"}),
            "made_of": ("part", made, {"units": "cycles", "long_name": "cycles on the critical path"}),
            "doubled": ("number", doubled, {"units": "1", "long_name": "factor of the cycles when the number doubles"}),
        },
        coords={"part": list(PARTS), "number": list(NUMBERS), "what": ("number", list(NUMBERS.values()))},
        attrs={"program": program.name, "machine": machine.name, "schedule": schedule, "most_sensitive": most},
    )  # fmt: skip
    return found.assign_attrs(sentence=_sentence(found, program))


def _doubled(bill: Bill, number: str) -> int:
    """Cycles on the machine with one number twice as large."""
    chip, change = bill.chip, {number: 2 * getattr(bill.chip, number)}
    if number == "hop":
        change["relay"] = chip.relay + chip.hop
    if number == "ramp":
        change["relay"] = chip.relay + 2 * chip.ramp
    if number == "macs" and bill.sizes.dtype == np.float16:
        change["macs_fp16"] = 2 * chip.macs_fp16
    other = chip.edit(**change)
    sides = (bill.sizes.N,) if bill.program.on_vectors else (bill.sizes.M, bill.sizes.K, bill.sizes.N)
    return int(cycles(Bill(bill.program, other, sides, bill.sizes.dtype), bill.schedule).sum())


def _sentence(found: xr.Dataset, program: Program) -> str:
    names = {"work": "work", "words": "words on links and ramps", "way": "the way of the tiles"}
    attrs, total = found.attrs, int(found.cycles)
    if not total:
        return f"{attrs['program']} does nothing."
    part = PARTS[int(np.argmax(found.made_of.values))]
    factor = float(found.doubled.sel(number=attrs["most_sensitive"]))
    peak = "" if program.on_vectors else f", {float(found.share_of_peak):.0%} of peak"
    side = f"{int(found.largest):,}"
    fits = f"vectors of up to {side} entries" if program.on_vectors else f"matrices up to {side} x {side}"
    return (
        f"{attrs['program']} on {attrs['machine']}, {SAID[attrs['schedule']]}: {total:,} cycles, {float(found.microseconds):.4g} us, "
        f"{float(found.made_of.max()) / total:.0%} of them for {names[part]}{peak}; twice the {attrs['most_sensitive']} "
        f"makes it {factor:.2f} times as long; {fits if int(found.largest) else 'no matrices'} fit."
    )
