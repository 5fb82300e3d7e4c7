"""Verbs that show: any Dataset as its picture; play one trace, race several, told whether the product is right."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from waferviz.verify import Verdict, verify

if TYPE_CHECKING:
    import xarray as xr

    from waferviz.views.player import Player

VERIFIED_PRODUCTS = 2**27
PICTURES = {
    "fix": ("budget", "Budget"),
    "critical": ("timeline", "Timeline"),
    "intensity": ("roofline", "Roofline"),
    "fits": ("sweeps", "Sweep"),
    "demand": ("links", "Links"),
    "doubled": ("answers", "Answers"),
    "theirs": ("validation", "Validation"),
    "dead": ("wafer", "Defects"),
    "law": ("yields", "Yields"),
    "of_step": ("allreduce", "Waves"),
    "rounds": ("cache", "Shelves"),
    "algorithm": ("curves", "Curves"),
    "relayed": ("latency", "Latency"),
    "address": ("lookup", "Lookup"),
    "bits_per_weight": ("packing", "Packing"),
    "nominal": ("silicon", "Silicon"),
    "nmse": ("rounding", "Rounding"),
    "perplexity": ("fewer", "FewerBits"),
    "widened": ("headroom", "Headroom"),
    "speed": ("kernels", "Kernels"),
    "bits_wide": ("anatomy", "Anatomy"),
    "fan_out": ("unit", "Unit"),
    "built": ("builders", "Builders"),
}
ON_VECTORS = {"allreduce": "sum", "reduce_scatter": "sum", "allgather": "sum", "cache": "cache"}
_SUM = "use show(waves(program, machine))"
_CACHE = "use show(waferviz.cache.fill(rule, rows, tokens))"
INSTEAD = {
    "an audit": "use show(check(program, machine)) for its limits, show(timeline(program, machine)) for its cycles",
    "the trace of a sum": _SUM,
    "the Program of a sum": _SUM,
    "the trace of a cache": _CACHE,
    "the Program of a cache": _CACHE,
    "Program": "use show(run(program)), or show(check(program, machine))",
}


def show(*datasets: xr.Dataset | Sequence[xr.Dataset]) -> Any:
    """The picture of one Dataset or of several of a kind, also as a list, for the browser.

    Traces are raced; what `check` returns becomes a budget card, what `timeline` returns lanes on one clock, what
    `roofline` returns its roofs, what `sweep` returns a map of winners; `wafer.scenes`, `wafer.yields` and
    `wafer.latency` give wafers with dead cores, yield curves and a latency map; `lowbit.lookups` a lookup to play,
    `lowbit.specimen` the packing microscope, `lowbit.errors` the errors of rounded tables, `lowbit.running_sums` an
    accumulator, `lowbit.kernels` which kernel when, `lowbit.anatomy` a model by its bits, `lowbit.tiles` the shape of a
    lookup unit, `lowbit.precompute` who builds its tables, `lowbit.terms` areas in silicon, `lowbit.fewer_bits` published curves;
    `validate.validate` ours against theirs.

    Raises
    ------
    ValueError
        For anything else, or for kinds that have no picture together.
    """
    from waferviz.views.player import NEEDED

    datasets = one_by_one(datasets)
    for marker, (file, view) in PICTURES.items():
        if datasets and all(marker in getattr(dataset, "variables", ()) for dataset in datasets):
            return getattr(import_module(f"waferviz.views.{file}"), view)(datasets)
    if datasets and all(NEEDED[0] in getattr(dataset, "variables", ()) for dataset in datasets):
        return race(*datasets)
    raise ValueError(f"show() got {_instead(datasets)}")


def play(
    trace: xr.Dataset, *, show: str = "blocks", clock: str = "cycles", state: str = "", timeline: bool = False
) -> Player:
    """One trace, played in the browser.

    Parameters
    ----------
    trace : Dataset
        From `multiply` or `run`.
    show : str
        First layer: blocks, links, progress, received, bytes or values.
    clock : "cycles" or "steps"
        What the scrubber counts.
    state : str
        Where to stand, such as "show=links&clock=steps&time=12"; every picture says its own.
    timeline : bool
        Also show where the cycles go, beside the maps and on their clock.

    Raises
    ------
    ValueError
        For an unknown layer, clock or state, or a Dataset that is no trace.
    """
    return race(trace, show=show, clock=clock, state=state, timeline=timeline)


def race(
    *traces: xr.Dataset | Sequence[xr.Dataset],
    show: str = "blocks",
    clock: str = "cycles",
    state: str = "",
    timeline: bool = False,
) -> Player:
    """One to four traces, or a list of them, side by side on one clock; parameters and errors as for `play`.

    Products of up to 2^27 multiply-adds are verified here; larger ones say how to check them.
    """
    from waferviz.views.player import Player

    given = one_by_one(traces)
    if any(_kind(trace) in INSTEAD for trace in given):
        raise ValueError(f"a player got {_instead(given)}")
    told = [judged(trace) for trace in given]
    if not timeline:
        return Player(told, show, clock, state)
    from waferviz.views.clocked import Clocked

    return Clocked(told, [_timeline_of(trace) for trace in told], show, clock, state)


def one_by_one(given: Sequence[Any]) -> tuple[Any, ...]:
    """The Datasets handed over, be it one by one or as one list."""
    if len(given) == 1 and isinstance(given[0], list | tuple):
        return tuple(given[0])
    return tuple(given)


def _timeline_of(trace: xr.Dataset) -> xr.Dataset:
    """Where the cycles of a trace's program go."""
    from waferviz.timeline import timeline

    source = getattr(trace, "encoding", {}).get("run")
    if source is None:
        raise ValueError(
            "timeline=True needs the program behind the trace; a trace read from a file is played without it"
        )
    attrs = trace.attrs
    sizes = (attrs["M"], attrs["K"], attrs["N"])
    return timeline(
        source.program, source.machine, schedule=attrs["schedule"], matrices=sizes, dtype=attrs["dtype"]
    )


def _instead(given: Sequence[Any]) -> str:
    """What was handed over, and what to hand over instead."""
    kinds = list(dict.fromkeys(_kind(one) for one in given))
    if len(kinds) == 1 and kinds[0] in INSTEAD:
        return f"{kinds[0]}; {INSTEAD[kinds[0]]}"
    return (
        f"{' and '.join(kinds) or 'nothing'}; give what multiply, run, check, timeline, waves, roofline, sweep, cache.fill, "
        "sums.sums, wafer.yields, validate.validate or lowbit.lookups returns, one kind at a time"
    )


def _kind(dataset: Any) -> str:
    """What a Dataset is of: the name of its picture, an audit or a trace; else its type."""
    from waferviz.views.player import NEEDED

    variables, kind = getattr(dataset, "variables", ()), ""
    if "ramp_words" in variables or hasattr(dataset, "buffers"):
        kind = str(dataset.attrs.get("kind", "") if variables else dataset.kind)
    if kind in ON_VECTORS:
        return f"the {'trace' if variables else 'Program'} of a {ON_VECTORS[kind]}"
    if "routes_so_far" in variables:
        return "an audit"
    kinds = {marker: file for marker, (file, _) in PICTURES.items()} | {
        "fix": "check",
        "fits": "sweep",
        NEEDED[0]: "trace",
    }
    return next((kind for marker, kind in kinds.items() if marker in variables), type(dataset).__name__)


def judged(trace: xr.Dataset) -> xr.Dataset:
    """The trace with its verdict among its attributes."""
    if "M" not in getattr(trace, "attrs", {}):
        return trace
    attrs = trace.attrs
    if "C" not in trace or attrs["M"] * attrs["K"] * attrs["N"] > VERIFIED_PRODUCTS:
        return trace.assign_attrs(
            verdict="names only, see verify(trace)" if "C" not in trace else "large, see verify(trace)"
        )
    verdict = verify(trace)
    told = trace.assign_attrs(verdict=_said(verdict), right=int(verdict.ok))
    if verdict.step is None:
        return told
    return told.assign_attrs(wrong_step=verdict.step, wrong_core=list(verdict.core or ()))


def _said(verdict: Verdict) -> str:
    moved_wrong = not verdict.ok and verdict.movement.startswith("step")
    return f"{verdict.movement}; {verdict.product}" if moved_wrong else verdict.product
