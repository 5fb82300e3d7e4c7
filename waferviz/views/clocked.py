"""Maps and timelines on one clock: the playhead runs through the bars while the tiles move."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bokeh.models import Range1d

from waferviz.views.page import lacking
from waferviz.views.player import Player
from waferviz.views.timeline import NEEDED, SCHEDULES, Lanes

if TYPE_CHECKING:
    import xarray as xr


class Clocked(Player):
    """A race with the timeline of every trace beside its maps, on the clock of its own schedule.

    Parameters
    ----------
    traces : sequence of Dataset
        As for `Player`.
    timelines : sequence of Dataset
        One per trace, from `waferviz.timeline` for the same program and schedule.
    show, clock, state : str
        As for `Player`.

    Raises
    ------
    ValueError
        As for `Player`, and for a timeline of another program or schedule than its trace.
    """

    def __init__(
        self, traces: Sequence[xr.Dataset], timelines: Sequence[xr.Dataset], show: str = "blocks", clock: str = "cycles", state: str = "", **params: Any
    ) -> None:  # fmt: skip
        lacking(timelines, NEEDED, "waferviz.timeline", len(traces))
        if len(timelines) != len(traces):
            raise ValueError(f"{len(timelines)} timelines for {len(traces)} traces: give one for each")
        for trace, timeline in zip(traces, timelines, strict=True):
            _same(trace, timeline)
        super().__init__(traces, show, clock, state, **params)
        self.timelines = tuple(timelines)

    def beside(self) -> tuple[list[Any], list[Any]]:
        """Lanes of every trace on one axis of cycles."""
        across = Range1d(0, 1.01 * max(int(timeline.attrs["cycles"]) for timeline in self.timelines))
        lanes = [Lanes(_named(timeline), across, 3, timeline.sizes["step"]) for timeline in self.timelines]
        for one, timeline in zip(lanes, self.timelines, strict=True):
            one.lay(timeline)
        lanes[-1].figure.xaxis.axis_label = "cycles; the line is the critical path"
        lanes[-1].figure.height += 22
        return [one.figure for one in lanes], [one.cursor for one in lanes]


def _same(trace: xr.Dataset, timeline: xr.Dataset) -> None:
    """ValueError when a timeline is of another program or schedule than its trace."""
    told = [
        (one.attrs["program"], one.sizes["step"] - less, SCHEDULES[one.attrs["schedule"]])
        for one, less in ((trace, 1), (timeline, 0))
    ]
    if told[0] != told[1]:
        (name, steps, schedule), (other, number, its) = told
        raise ValueError(
            f"the trace is of {name}, {steps} steps, {schedule}; its timeline of {other}, {number} steps, {its}: give "
            "timelines of the same programs in the same order"
        )


def _named(timeline: xr.Dataset) -> str:
    attrs = timeline.attrs
    return f"{attrs['program']}, {SCHEDULES[attrs['schedule']]}: {attrs['cycles']:,} cycles, {attrs['compute_share']:.0%} compute"
