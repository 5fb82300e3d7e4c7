"""Rooflines: what memory, arithmetic, words and distance allow, and what a program makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.audit import audit
from waferviz.checks import as_program
from waferviz.facts import reference
from waferviz.machine import Machine, named
from waferviz.program import Array, Program
from waferviz.state import Sizes

if TYPE_CHECKING:
    import xarray as xr

POINTS = 61


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One program in a roofline.

    Attributes
    ----------
    intensity : float
        FLOP per byte of the cores' own memory.
    rate : float
        FLOP per second.
    words, distance : float
        FLOP per second if nothing but the words over the busiest link or ramp took time, or nothing but the longest
        way of every step; infinite where nothing moves.
    """

    name: str
    cores: int
    intensity: float
    rate: float
    words: float
    distance: float


def roofline(
    *programs: Program,
    machine: Machine | str | None = None,
    matrices: tuple[int, int, int] | None = None,
    dtype: Any = np.float32,
    compare: Sequence[str] = ("a100", "h100"),
) -> xr.Dataset:
    """Roofs of a machine and of processors to compare with, and programs as marks below them.

    The memory roof is the bandwidth of the cores' own memories times the intensity; the compute roof is their
    multiply-adds.  Two roofs depend on the program: words, when a step takes only what its busiest link or ramp
    carries, and distance, when it takes only its longest way.  Tiles twice as wide hold eight times the work, four
    times the words, and travel as far: words rise with the intensity, distance with its cube.

    Parameters
    ----------
    *programs : Program
        Products of two matrices on meshes of one size.
    machine : Machine, optional
        The teaching machine when left out.
    matrices, dtype
        As for `audit`; half precision uses the machine's multiply-adds in fp16.
    compare : sequence of str
        Processors of `data/references.csv`, whose memory is off the chip.

    Returns
    -------
    Dataset
        Dims `mark`, `roof`, `at` (FLOP per byte): `intensity`, `rate`, `share` of the lowest of a program's own
        roofs and its name, `bound`; `height` of each roof.

    Raises
    ------
    ValueError
        For no program, meshes of several sizes, or a machine without a number that a roof needs.

    Notes
    -----
    A step reads each tile it multiplies once and writes its result once: reuse inside a tile is perfect, and what
    routers move is not counted.  Cycles are counted under a barrier.

    Source: S. Williams et al., Roofline, CACM 52(4), 2009; the distance roof is this project's.

    Examples
    --------
    >>> from waferviz import GEMM
    >>> found = roofline(GEMM["cannon"](8), GEMM["meshgemm"](8), matrices=(64, 64, 64))
    >>> found.intensity.values.tolist()
    [1.0, 1.0]
    """
    machine = named("teaching" if machine is None else machine)
    marks = [_mark(as_program(program, "roofline"), machine, matrices, dtype) for program in programs]
    if len({mark.cores for mark in marks}) != 1:
        sizes = ", ".join(f"{mark.name} on {mark.cores:,} cores" for mark in marks) or "no program"
        raise ValueError(f"roofline() got {sizes}; give programs on meshes of one size, they share the roofs")
    own = _roofs(machine, marks[0].cores, dtype)
    others = _others(compare, dtype)
    at = _span(marks, own, others)
    lowest = [
        {**{name: min(roof(mark.intensity)) for name, roof in own.items()}, "distance": mark.distance}
        for mark in marks
    ]
    bound = [min(roofs, key=lambda name: roofs[name]) for roofs in lowest]
    shares = [mark.rate / roofs[name] for mark, roofs, name in zip(marks, lowest, bound, strict=True)]
    lines = _lines(marks, own, others, at)
    return _dataset(marks, shares, bound, lines, at).assign_attrs(
        machine=machine.name, mesh=programs[0].place.shape, schedule="barrier", dtype=str(np.dtype(dtype))
    )


def _mark(program: Program, machine: Machine, matrices: tuple[int, int, int] | None, dtype: Any) -> Mark:
    """Rate and intensity of one program; every core moves as many bytes as the busiest."""
    if program.on_vectors:
        raise ValueError(
            f"roofline() got {program.name}, which multiplies nothing; give programs of GEMM or GEMV"
        )
    blocks = program.blocks
    sizes = Sizes.of(program, matrices or (blocks["m"], blocks["k"], blocks["n"]), dtype)
    bill = audit(program, machine, matrices=matrices, dtype=dtype)
    cores = bill.routes.size
    flop = 2 * sizes.M * sizes.K * sizes.N
    seconds = float(bill.cycles.sum()) / (machine.clock * 1e9)
    per_second = flop * machine.clock * 1e9
    words, way = _words(bill, machine), _way(bill, machine)
    return Mark(
        name=program.name, cores=cores, intensity=flop / (_bytes(program, sizes) * program.shape[0] * program.shape[1]),
        rate=flop / seconds, words=per_second / words if words else np.inf, distance=per_second / way if way else np.inf,
    )  # fmt: skip


def _bytes(program: Program, sizes: Sizes) -> int:
    """Bytes a logical core reads and writes for its work in the whole program."""
    each = {name: sizes.kept(buffer) for name, buffer in program.buffers.items()}
    work = [(part.times, step.work) for part in program.repeats for step in part.steps if step.work]
    return sum(times * (sum(each[name] for name in one.reads) + each[one.write]) for times, one in work)


def _words(bill: xr.Dataset, machine: Machine) -> float:
    """Cycles of the words over the busiest link or ramp of all steps."""
    return float(np.maximum(bill.link_words, bill.ramp_words).sum()) / machine.link_words


def _way(bill: xr.Dataset, machine: Machine) -> float:
    """Cycles of the longest ways of all steps, without words and work."""
    ends = np.where(bill.stages > 0, 0, 2 * machine.ramp + 1)
    way = (bill.hops - bill.stages) * machine.hop + bill.stages * machine.relay + ends
    return float(np.where(bill.hops > 0, way, 0).sum())


def _roofs(machine: Machine, cores: int, dtype: Any) -> dict[str, Any]:
    """Memory and compute roof of a mesh: intensities to FLOP per second."""
    macs = machine.macs_fp16 if np.dtype(dtype).itemsize == 2 else machine.macs
    bandwidth = cores * machine.memory_bandwidth * machine.clock * 1e9
    peak = 2 * cores * macs * machine.clock * 1e9
    return {
        "memory": lambda at: np.atleast_1d(at) * bandwidth,
        "compute": lambda at: np.full(np.size(at), peak),
    }


def _others(compare: Sequence[str], dtype: Any) -> dict[str, tuple[float, float]]:
    """Processors to compare with: name to FLOP per second and bytes per second."""
    half = np.dtype(dtype).itemsize == 2
    known = {name: reference(name) for name in compare}
    return {
        name.upper(): ((one.peak_fp16 if half else one.peak_fp32) * 1e12, one.memory_bandwidth * 1e12)
        for name, one in known.items()
    }


def _span(marks: list[Mark], own: dict[str, Any], others: dict[str, tuple[float, float]]) -> Array:
    """Intensities on a log scale, round the marks and every ridge between memory and compute."""
    ridge = float(own["compute"](1)[0] / own["memory"](1)[0])
    ridges = [ridge, *(peak / bandwidth for peak, bandwidth in others.values())]
    found = [*ridges, *(mark.intensity for mark in marks)]
    return np.union1d(np.geomspace(min(found) / 4, max(found) * 2, POINTS), ridges)


def _lines(
    marks: list[Mark], own: dict[str, Any], others: dict[str, tuple[float, float]], at: Array
) -> dict[str, tuple[str, Array]]:
    """Roofs to draw: label to (kind, heights)."""
    lines = {f"{name} roof": (name, roof(at)) for name, roof in own.items()}
    for kind, power in (("words", 1), ("distance", 3)):
        slopes = [getattr(mark, kind) / mark.intensity**power for mark in marks]
        for slope in dict.fromkeys(slope for slope in slopes if np.isfinite(slope)):
            names = [mark.name for mark, its in zip(marks, slopes, strict=True) if its == slope]
            whose = "" if len(names) == len(marks) else f", {' and '.join(names)}"
            lines[f"{kind} roof{whose}"] = (kind, slope * at**power)
    for name, (peak, bandwidth) in others.items():
        lines[name] = ("reference", np.minimum(at * bandwidth, peak))
    return lines


def _dataset(
    marks: list[Mark], shares: list[float], bound: list[str], lines: dict[str, tuple[str, Array]], at: Array
) -> xr.Dataset:
    import xarray as xr

    def per_mark(values: list[Any], units: str, words: str) -> tuple[Any, ...]:
        return "mark", values, {"units": units, "long_name": words}

    return xr.Dataset(
        {
            "intensity": per_mark([mark.intensity for mark in marks], "FLOP/B", "work per byte of core memory"),
            "rate": per_mark([mark.rate for mark in marks], "FLOP/s", "rate of the product"),
            "share": per_mark(shares, "1", "share of the lowest of its roofs"),
            "bound": per_mark(bound, "1", "the lowest of its roofs"),
            "height": (("roof", "at"), [heights for _, heights in lines.values()], {"units": "FLOP/s", "long_name": "highest rate"}),
        },
        coords={
            "mark": [mark.name for mark in marks],
            "roof": list(lines),
            "kind": ("roof", [kind for kind, _ in lines.values()]),
            "at": ("at", at, {"units": "FLOP/B", "long_name": "work per byte of memory"}),
        },
    )  # fmt: skip
