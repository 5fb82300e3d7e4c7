"""Energy: the power of the whole machine times the time first, single events second.

What the paper counts is the nameplate power of the wafer times the time.  Multiply-adds, memory and links by themselves
explain under one per cent of it for a decoded token: the rest is paid for being switched on.  Nobody has published what
an idle core draws, so both accounts are given, with the powers beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.facts import reference
from waferviz.machine import Machine, named
from waferviz.published import rows

if TYPE_CHECKING:
    import xarray as xr

WAFER_POWERS = (15_000.0, 20_000.0, 23_000.0)


@dataclass(frozen=True, kw_only=True)
class Events:
    """Energy of single events, from `data/noc_energy_constants.csv` unless given.

    Attributes
    ----------
    mac : float
        pJ for a multiply-add, in fp16 by default.
    memory : float
        pJ for a byte to or from a core's memory.
    hop : float
        pJ for a bit over one link.
    """

    mac: float
    memory: float
    hop: float

    def __post_init__(self) -> None:
        for field in fields(self):
            _number(f"Events {field.name}", getattr(self, field.name))

    @classmethod
    def published(cls, entry: str = "fp16", **overrides: float) -> Events:
        """The defaults for entries in "fp16" or "fp32", single ones replaced by keyword.

        Examples
        --------
        >>> Events.published(hop=0.03)
        Events(mac=0.5, memory=0.45, hop=0.03)
        """
        table = {row["quantity"]: float(row["value"]) for row in rows("noc_energy_constants")}
        return cls(
            **{"mac": table[f"mac_{entry}"], "memory": table["memory"], "hop": table["hop"], **overrides}
        )

    def busy(self, machine: Machine) -> float:
        """PJ of a core in a cycle in which it multiplies, uses its memory and sends a word at full rate."""
        return machine.macs_fp16 * self.mac + machine.memory_bandwidth * self.memory + 32 * self.hop


def ratio(
    gpu_rate: Any,
    wafer_rate: Any,
    gpus: Any = 1,
    *,
    wafer_power: Any = WAFER_POWERS[0],
    gpu_power: Any = None,
) -> Any:
    """Energy of GPUs over energy of the wafer for the same work; below 1 the GPUs need less.

    Parameters
    ----------
    gpu_rate, wafer_rate : array
        Work per time of all GPUs together and of the wafer, in one unit.
    gpus : int
        Number of GPUs.
    wafer_power, gpu_power : array
        Watts of the wafer and of one GPU; an A100 of 400 W when left out.

    Notes
    -----
    15 kW against 400 W gives every entry of tables 6 to 8 of the WaferLLM paper (OSDI 2025).  It leaves out hosts, cooling
    and supply losses on both sides, and counts the whole wafer even where a fifth of its cores work.

    Examples
    --------
    >>> round(ratio(78, 2700), 2), round(ratio(78, 2700, wafer_power=23_000), 2)
    (0.92, 0.6)
    """
    gpu_power = reference("a100").power if gpu_power is None else gpu_power
    given = {"gpu_rate": gpu_rate, "wafer_rate": wafer_rate, "gpus": gpus, "wafer_power": wafer_power}
    for name, value in (given | {"gpu_power": gpu_power}).items():
        _number(name, value, positive=True)
    return (gpu_power * gpus / gpu_rate) / (wafer_power / wafer_rate)


def compare(gpu_rate: Any, wafer_rate: Any, gpus: Any = 1, *, gpu_power: float | None = None) -> xr.Dataset:
    """The energy ratio with the power of the wafer as 15, 20 and 23 kW, and the joules of both sides.

    Parameters are those of `ratio`; DataArrays keep their dims.

    Returns
    -------
    Dataset
        `ratio` and `wafer_energy` with dim `wafer_power`, `gpu_energy`, and `gpu_power` and `wafer_power` themselves.
    """
    import xarray as xr

    power = xr.DataArray(
        list(WAFER_POWERS), dims="wafer_power", attrs={"units": "W", "long_name": "power of the whole wafer"}
    )
    watts = reference("a100").power if gpu_power is None else gpu_power
    each = ratio(gpu_rate, wafer_rate, gpus, wafer_power=power, gpu_power=watts)
    gpu = xr.DataArray(watts * gpus / gpu_rate)
    return xr.Dataset(
        {
            "ratio": each.assign_attrs(units="1", long_name="energy of the GPUs over energy of the wafer"),
            "wafer_energy": (power / wafer_rate).assign_attrs(units="J", long_name="wafer, energy per piece of work"),
            "gpu_energy": gpu.assign_attrs(units="J", long_name="all GPUs, energy per piece of work"),
            "gpu_power": ((), watts, {"units": "W", "long_name": "power of one GPU"}),
        },
        coords={"wafer_power": power},
    )  # fmt: skip


def joules(
    seconds: Any,
    macs: Any,
    memory_bytes: Any,
    word_hops: Any,
    machine: Machine | str,
    *,
    cores: int | None = None,
    events: Events | None = None,
) -> xr.Dataset:
    """Energy of a run, by the power of the machine and from its events.

    Parameters
    ----------
    seconds : array
        Time of the run.
    macs, memory_bytes, word_hops : array
        Multiply-adds, bytes to and from memory, and 32-bit words times links, of all cores together.
    machine : Machine or name of a preset
    cores : int, optional
        Cores in use, at most those of the machine; its mesh when left out.
    events : Events, optional
        The published ones when left out.

    Returns
    -------
    Dataset
        In joules: `energy`, power of the whole machine times time; `mesh_energy`, the share of the cores in use; `mac_energy`,
        `memory_energy` and `hop_energy`, and their sum `event_energy`; `bottom_up_energy`, the events and what idle cores
        draw when `idle_power` is what a machine at full work has left over.  `event_share` is events over `energy`.
        `machine_power` and `seconds` stand beside them.

    Raises
    ------
    ValueError
        For numbers that are none, and cores that the machine does not have.

    Notes
    -----
    `energy` and `bottom_up_energy` are the two ends: the first takes an idle core to draw as much as a busy one, the
    second almost nothing.  Clock trees, leakage and supplies lie between and are not published.
    """
    import xarray as xr

    machine = named(machine)
    cores = int(np.prod(machine.shape)) if cores is None else cores
    if not isinstance(cores, Integral) or not 1 <= cores <= machine.cores:
        raise ValueError(
            f"cores={cores!r}: {machine.name} has {machine.cores:,} working cores; give a whole number from 1 to that, "
            "a smaller mesh, or machine.edit(cores=..., power=...)"
        )
    costs = events or Events.published()
    counts = {"seconds": seconds, "macs": macs, "memory_bytes": memory_bytes, "word_hops": word_hops}
    time, macs, memory_bytes, word_hops = (_number(name, value) for name, value in counts.items())
    parts = {
        "mac": macs * costs.mac * 1e-12,
        "memory": memory_bytes * costs.memory * 1e-12,
        "hop": word_hops * 32 * costs.hop * 1e-12,
    }
    whole, dynamic = machine.power * time, parts["mac"] + parts["memory"] + parts["hop"]
    idle = max(machine.power / machine.cores - costs.busy(machine) * machine.clock * 1e-3, 0)
    said = {
        "energy": (whole, "J", f"{machine.power:,} W of the whole {machine.name} times time"),
        "mesh_energy": (whole * cores / machine.cores, "J", f"share of {cores:,} of {machine.cores:,} cores"),
        **{f"{name}_energy": (part, "J", f"energy of {name} events") for name, part in parts.items()},
        "event_energy": (dynamic, "J", "energy of all events"),
        "event_share": (dynamic / np.where(whole > 0, whole, np.inf), "1", "events over power times time"),
        "idle_power": (idle, "W", "per core: power of the machine less that of a core at full work"),
        "bottom_up_energy": (idle * cores * time + dynamic, "J", "idle cores and events"),
        "machine_power": (machine.power, "W", "power of the whole machine"),
        "seconds": (time, "s", "time of the run"),
    }
    made = {
        name: xr.DataArray(value).assign_attrs(units=unit, long_name=words)
        for name, (value, unit, words) in said.items()
    }
    return xr.Dataset(made, attrs={"machine": machine.name})


def energy(
    bill: xr.Dataset, machine: Machine | str, *, entry_bytes: int = 4, events: Events | None = None
) -> xr.Dataset:
    """Energy of an audited program; see `joules` for the variables.

    Parameters
    ----------
    bill : Dataset
        From `audit(program, machine)`.
    machine : Machine or name of a preset
        The machine of the audit.
    entry_bytes : int
        Bytes of a matrix entry.
    events : Events, optional
        The published ones when left out, for fp16 up to 2 bytes and else for fp32.

    Raises
    ------
    ValueError
        When the audit was made without a machine or for another one.

    Notes
    -----
    Every core is taken to work as much as the busiest one.  A multiply-add moves three entries: one operand in, the sum out
    and in; the other operand stays in a register.  A lookup is priced as a multiply-add.  Words between a core's memory
    and its router are not counted.
    """
    machine = named(machine)
    if bill.attrs.get("machine") != machine.name or "cycles" not in bill:
        raise ValueError(
            f"the audit of {bill.attrs.get('program')} has machine {bill.attrs.get('machine')!r}, energy was asked for "
            f"{machine.name!r}; audit(program, machine) with the same one"
        )
    cores = bill.sizes["y"] * bill.sizes["x"]
    macs = int((bill.macs + bill.adds + bill.lookups).sum()) * cores
    seconds = float(bill.cycles.sum()) / (machine.clock * 1e9)
    events = events or Events.published("fp16" if entry_bytes <= 2 else "fp32")
    found = joules(
        seconds, macs, 3 * entry_bytes * macs, int(bill.traffic.sum()), machine, cores=cores, events=events
    )
    return found.assign_attrs(program=bill.attrs["program"], schedule=bill.attrs.get("schedule", ""))


def _number(name: str, value: Any, *, positive: bool = False) -> Any:
    """The value itself; ValueError when it is not finite, negative, or zero where that makes no sense."""
    try:
        found = np.asarray(value, float)
    except (TypeError, ValueError):
        found = np.asarray(np.nan)
    if not np.isfinite(found).all() or (found < 0).any() or (positive and (found == 0).any()):
        raise ValueError(
            f"{name}={value!r}: give finite numbers {'above zero' if positive else 'of zero or more'}"
        )
    return value
