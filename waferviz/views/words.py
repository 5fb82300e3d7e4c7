"""What a step, a run and a race look like in words, made from the Datasets alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr


def sentences(trace: xr.Dataset) -> list[str]:
    """One sentence per step, the start included."""
    multiplies = _share_that_multiplies(trace)
    label, hops, words = trace.label.values, trace.hops.values, trace.link_words.values
    last = trace.sizes["step"] - 1
    cores = trace.sizes["y"] * trace.sizes["x"]
    said = [f"Start: {cores:,} cores hold their first tiles."]
    for step in range(1, last + 1):
        parts = []
        if multiplies[step]:
            number = round(multiplies[step] * cores)
            parts.append(
                f"all {cores:,} cores multiply"
                if number == cores
                else f"{number:,} of {cores:,} cores multiply"
            )
        if hops[step]:
            far = f"{hops[step]} hop{'s' if hops[step] > 1 else ''}"
            relays = (
                f", {trace.stages.values[step]} of them relayed by cores" if trace.stages.values[step] else ""
            )
            parts.append(f"tiles move up to {far}{relays}; busiest link {words[step]:,} words")
        said.append(f"Step {step} of {last}, {label[step]}: {'; '.join(parts) or 'nothing moves'}.")
    return said


def _share_that_multiplies(trace: xr.Dataset) -> np.ndarray:
    """Share of the cores that multiply in each step, shape (step,); on large meshes from the work that is due."""
    steps = trace.sizes["step"]
    if trace.sizes["y"] * trace.sizes["x"] * steps <= 4_000_000:
        return np.array([float(trace.met.isel(step=step).values.mean()) for step in range(steps)])
    return (trace.macs.values > 0).astype(float)


def stats(trace: xr.Dataset) -> str:
    """Longest way, routes and price of a run in one line."""
    attrs = trace.attrs
    hops = int(trace.hops.max())
    return (
        f"longest way {hops} hop{'s' if hops != 1 else ''} · {int(trace.routes.max())} routes · "
        f"{attrs['bytes_needed']:,} B a core · {int(trace.cycle[-1]):,} cycles"
        f"{', data flow' if trace.attrs['schedule'] == 'dataflow' else ''}"
    )


def reason(trace: xr.Dataset) -> str:
    """Why a run takes as long as it does: what it waits for at every step of its main part."""
    label, most = (
        np.unique(trace.label.values[1:], return_counts=True) if trace.sizes["step"] > 1 else ([""], [0])
    )
    main = trace.label.values == label[int(np.argmax(most))]
    moving = trace.hops.values > 0
    hops = (
        int(np.median(trace.hops.values[main & moving])) if (main & moving).any() else int(trace.hops.max())
    )
    stages = int(trace.stages.max())
    waits = f"waits {hops} hop{'s' if hops != 1 else ''} at every step"
    if trace.attrs["schedule"] == "dataflow":
        waits = f"waits for its own tiles alone, of which the farthest comes over {hops} hop{'s' if hops != 1 else ''}"
    if stages:
        waits = f"waits for {stages} relays at every broadcast or sum"
        if trace.attrs["relayed"]:
            waits += f" ({int(trace.routes.max())} routes do not fit into {trace.attrs['route_limit']})"
    if not (trace.macs.values[moving] > 0).any():
        waits += " and cannot multiply meanwhile"
    return waits


def ranking(traces: Sequence[xr.Dataset]) -> str:
    """Who wins a race and why, in one paragraph."""
    if len(traces) < 2:
        return f"{named(traces[0])} takes {int(traces[0].cycle[-1]):,} cycles: it {reason(traces[0])}."
    order = sorted(traces, key=lambda trace: int(trace.cycle[-1]))
    best = int(order[0].cycle[-1])
    said = [f"{named(order[0])} wins with {best:,} cycles: it {reason(order[0])}."]
    for trace in order[1:]:
        cycles = int(trace.cycle[-1])
        ratio = f"{cycles / best:.1f} times as long" if cycles > best else "the same"
        said.append(f"{named(trace)} takes {cycles:,} cycles, {ratio}: it {reason(trace)}.")
    return " ".join(said)


def model(traces: Sequence[xr.Dataset]) -> str:
    """What the picture leaves out, in one line."""
    attrs = traces[0].attrs
    links = "with wrap links" if attrs["torus"] else "without wrap links"
    machines = " and ".join(dict.fromkeys(trace.attrs["machine"] for trace in traces))
    ends = {"barrier": "a barrier ends every step", "dataflow": "data flow: cores wait for their tiles alone"}
    schedules = " or ".join(dict.fromkeys(ends[trace.attrs["schedule"]] for trace in traces))
    return (
        f"Model: machine {machines}, {attrs['clock']} GHz, a mesh {links}; {schedules}; tiles go along the row, "
        "then the column; a link carries one 32-bit word a cycle each way; no contention beyond the busiest link."
    )


def events(trace: xr.Dataset) -> list[tuple[str, int]]:
    """Steps worth jumping to: (words, step)."""
    found = []
    hops, words = trace.hops.values, trace.link_words.values
    if hops.max(initial=0) > 0:
        found.append((f"longest way, {hops.max()} hops", int(hops.argmax())))
    if words.max(initial=0) > 0:
        found.append((f"busiest link, {words.max():,} words", int(words.argmax())))
    held = trace.memory.isel(dict.fromkeys(trace.memory.dims[1:], 0))
    if trace.sizes["step"] <= 4096 and int(held.max()) > int(held.min()):
        found.append((f"peak memory, {int(held.max()):,} B", int(held.values.argmax())))
    working = np.flatnonzero(trace.macs.values > 0)
    if len(working):
        found.append(("first multiplication", int(working[0])))
    if "wrong_step" in trace.attrs:
        found.append(("first wrong value", int(trace.attrs["wrong_step"])))
    return [*found, ("end", trace.sizes["step"] - 1)]


def named(trace: xr.Dataset) -> str:
    """Name of the program, with the schedule where it is not the usual barrier."""
    return str(trace.attrs["program"]) + (" (data flow)" if trace.attrs["schedule"] == "dataflow" else "")
