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
    lookups, tables = (_of_step(trace, name) for name in ("lookups", "tables"))
    label, hops, words = trace.label.values, trace.hops.values, trace.link_words.values
    last = trace.sizes["step"] - 1
    said = [_start(trace)]
    for step in range(1, last + 1):
        parts = []
        if multiplies[step]:
            parts.append(_multiplying(trace, multiplies[step], "look up" if lookups[step] else "multiply"))
        if tables[step]:
            parts.append(f"a core builds {counted(tables[step], 'table')}")
        if hops[step]:
            relays = (
                f", {trace.stages.values[step]} of them relayed by cores" if trace.stages.values[step] else ""
            )
            far = f"tiles move up to {counted(hops[step], 'hop')}{relays}"
            parts.append(f"{far}; busiest link {counted(words[step], 'word')}")
        said.append(f"Step {step} of {last}, {label[step]}: {'; '.join(parts) or 'nothing moves'}.")
    return said


def counted(number: int, thing: str) -> str:
    """A number with its noun, in the plural where there are several."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _start(trace: xr.Dataset) -> str:
    first = trace.isel(step=0)
    everywhere = (
        "the core holds its" if trace.routes.size == 1 else f"all {trace.routes.size:,} cores hold their"
    )
    if int(first.a_block.max()) < 0 and int(first.b_block.max()) < 0:
        return f"Start: {everywhere} own tiles; the buffers they multiply from are empty."
    folded = trace.sizes["y"] * trace.sizes["x"] // trace.routes.size
    some = f"first {folded} tiles of each matrix" if folded > 1 else "first tiles"
    return f"Start: {everywhere} {some}."


def _of_step(trace: xr.Dataset, name: str) -> np.ndarray:
    """A count of every step; zeros in a trace from a file that is older than the count."""
    return trace[name].values if name in trace else np.zeros(trace.sizes["step"], int)


def _multiplying(trace: xr.Dataset, share: float, verb: str) -> str:
    """How many cores, or blocks of cores that hold several, multiply or look up."""
    cores, places = trace.routes.size, trace.sizes["y"] * trace.sizes["x"]
    number = round(share * places)
    if number == places:
        alone = {"multiply": "multiplies", "look up": "looks up"}[verb]
        return f"the core {alone}" if cores == 1 else f"all {cores:,} cores {verb}"
    thing = "cores" if cores == places else "blocks of C"
    return f"{number:,} of {places:,} {thing} {verb}"


def _share_that_multiplies(trace: xr.Dataset) -> np.ndarray:
    """Share of the cores that multiply in each step, shape (step,); on large meshes from the work that is due."""
    steps = trace.sizes["step"]
    if trace.sizes["y"] * trace.sizes["x"] * steps <= 4_000_000:
        return np.array([float(trace.met.isel(step=step).values.mean()) for step in range(steps)])
    return (trace.macs.values + _of_step(trace, "lookups") > 0).astype(float)


def stats(trace: xr.Dataset) -> str:
    """Longest way, routes and price of a run in one line."""
    attrs = trace.attrs
    parts = [
        f"longest way {counted(int(trace.hops.max()), 'hop')}",
        counted(int(trace.routes.max()), "route"),
        f"{attrs['bytes_needed']:,} B a core",
        counted(int(trace.cycle[-1]), "cycle") + (", data flow" if attrs["schedule"] == "dataflow" else ""),
    ]
    return " · ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


def limits(trace: xr.Dataset) -> str:
    """Limits of the machine that a run breaks, "" when it breaks none."""
    attrs, broken = trace.attrs, []
    if attrs["bytes_needed"] > attrs["bytes_per_core"]:
        broken.append(f"does not fit: a core has {attrs['bytes_per_core']:,} B")
    if int(trace.routes.max()) > attrs["route_limit"]:
        relayed = ", so cores relay" if attrs["relayed"] else ""
        broken.append(f"a router holds {attrs['route_limit']} routes{relayed}")
    return "; ".join(broken)


def reason(trace: xr.Dataset) -> str:
    """Why a run takes as long as it does: what it multiplies, and where it waits most, in which steps."""
    work, cycles = int(np.ceil(trace.work.values.sum())), int(trace.cycle[-1])
    waits = np.diff(trace.cycle.values, prepend=0) - trace.work.values
    if cycles <= work or waits.max() <= 0:
        return "multiplies all the time" + (", tiles move meanwhile" if trace.hops.max() > 0 else "")
    return f"{_wait(trace, waits)}; multiplying takes {work:,} of its {counted(cycles, 'cycle')}"


def _wait(trace: xr.Dataset, waits: np.ndarray) -> str:
    """What the steps wait for that wait longest together."""
    label = trace.label.values
    worst = max(dict.fromkeys(label[1:]), key=lambda name: waits[label == name].sum())
    waiting = (label == worst) & (waits > 0)
    hops, stages = int(np.median(trace.hops.values[waiting])), int(trace.stages.values[waiting].max())
    if trace.attrs["schedule"] == "dataflow":
        return f"waits for its own tiles alone, of which the farthest comes over {counted(hops, 'hop')}"
    when = "at every step" if waiting.sum() == (label[1:] == worst).sum() else f"in {waiting.sum()} steps"
    if worst not in _main(trace):
        when = f"in the {counted(int(waiting.sum()), 'step')} called {worst!r}"
    if not stages:
        return f"waits {counted(hops, 'hop')} {when}"
    why = f" ({int(trace.routes.max())} routes do not fit into {trace.attrs['route_limit']})"
    return f"waits for {counted(stages, 'relay')} {when}{why if trace.attrs['relayed'] else ''}"


def _main(trace: xr.Dataset) -> set[str]:
    """Labels of the steps that there are most of."""
    label, number = np.unique(trace.label.values[1:], return_counts=True)
    return set(label[number == number.max(initial=0)].tolist())


def ranking(traces: Sequence[xr.Dataset]) -> str:
    """Who wins a race and why, a line for each."""
    if len(traces) < 2:
        return (
            f"{named(traces[0])} takes {counted(int(traces[0].cycle[-1]), 'cycle')}: it {reason(traces[0])}."
        )
    order = sorted(traces, key=lambda trace: int(trace.cycle[-1]))
    best = int(order[0].cycle[-1])
    said = [f"{named(order[0])} wins with {best:,} cycles: it {reason(order[0])}."]
    for trace in order[1:]:
        cycles = int(trace.cycle[-1])
        ratio = (
            f"{cycles / best:.1f} times as long"
            if cycles >= 1.5 * best
            else f"{100 * (cycles / best - 1):.0f} % longer"
        )
        ratio = "the same" if cycles == best else ratio
        said.append(f"{named(trace)} takes {cycles:,} cycles, {ratio}: it {reason(trace)}.")
    return "\n".join(said)


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
    for name, said in (("macs", "first multiplication"), ("lookups", "first lookup")):
        if (done := _of_step(trace, name)).any():
            found.append((said, int(np.flatnonzero(done)[0])))
    if "wrong_step" in trace.attrs:
        found.append(("first wrong value", int(trace.attrs["wrong_step"])))
    return [*found, ("end", trace.sizes["step"] - 1)]


def named(trace: xr.Dataset) -> str:
    """Name of the program, with the schedule where it is not the usual barrier."""
    return str(trace.attrs["program"]) + (" (data flow)" if trace.attrs["schedule"] == "dataflow" else "")
