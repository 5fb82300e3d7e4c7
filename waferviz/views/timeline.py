"""The timeline: compute over communication step by step, the critical path, and who waits for whom."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, FixedTicker, NumeralTickFormatter, Range1d, Spacer, Span
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK

if TYPE_CHECKING:
    import xarray as xr

MOST = 8
LINES = 8
NUMBERS = 500_000
MANY = 300
SCHEDULES = {"barrier": "barrier", "dataflow": "data flow"}
SIDES = ("work_start", "work_end", "move_start", "move_end", "start", "end")
NEEDED = (*SIDES, "critical", "step")
HEIGHT = {"work": 1.5, "words": 0.5, "way": 0.5, "wait": 1.0}
SHADES = {"work": ("#31688e", "#5b93b8"), "move": ("#b8860b", "#dcb65c")}
SIMPLE = (
    "Model: links carry one word a cycle each way; queues are unbounded; software on the cores costs nothing. Barrier: "
    "nobody starts a step before everybody has ended the last one. Data flow: a core goes on when its own tiles are "
    "there; the bars are then those of the cores that the run waits for, one step after the other. The line is the critical path."
)


class Timeline(Page):
    """One pair of lanes per program, its schedules in the same page, and a space-time diagram of one row of cores.

    Parameters
    ----------
    timelines : sequence of Dataset
        One to eight from `waferviz.timeline`: up to four programs, each under one schedule or both.

    Raises
    ------
    ValueError
        For no timeline or too many, or a Dataset that is no timeline.
    """

    def __init__(self, timelines: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(timelines, NEEDED, "waferviz.timeline", MOST)
        self.timelines = tuple(timelines)
        names = [str(timeline.attrs.get("program", "program")) for timeline in timelines]
        self.programs = list(dict.fromkeys(names))
        if len(self.programs) > 4:
            raise ValueError(f"{len(self.programs)} programs: a timeline shows up to 4 at once")

    @property
    def title(self) -> str:  # type: ignore[override]
        """What runs, on what, in one line."""
        attrs = self.timelines[0].attrs
        mesh = f" on {attrs['mesh']} cores" if "mesh" in attrs else ""
        return f"Where do the cycles go? {', '.join(self.programs)}{mesh}, {attrs.get('machine', '')}"

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        across, down = Range1d(0, 1), Range1d(1, 0)
        steps = max(timeline.sizes["step"] for timeline in self.timelines)
        lanes = [Lanes(name, across, len(self.programs), steps) for name in self.programs]
        lanes[-1].figure.xaxis.axis_label, lanes[-1].figure.height = "cycles", lanes[-1].figure.height + 22
        rows = [_SpaceTime(name, down) for name in self.programs]
        foot = Spacer(sizing_mode="stretch_width", min_height=10)
        host = stage(
            lanes[0].figure, "codec", "timeline", taller=[one.figure for one in rows], others=[*(one.figure for one in lanes[1:]), *(one.figure for one in rows)], lanes=[one.models for one in lanes], rows=[one.models for one in rows],
            across=across, down=down, foot=foot,
            setup=json.dumps({
                "title": self.title, "programs": self.programs, "schedules": SCHEDULES, "shades": SHADES, "model": SIMPLE,
                "runs": [packed(timeline) for timeline in self.timelines],
            }),
        )  # fmt: skip
        diagrams = row([one.figure for one in rows], sizing_mode="stretch_width", spacing=12)
        return column(
            *(one.figure for one in lanes), host, diagrams, foot, spacing=4, sizing_mode="stretch_width"
        )


class Lanes:
    """Bokeh models of two lanes: bars of compute over bars of communication, a path, a playhead."""

    def __init__(self, name: str, across: Range1d, programs: int = 1, steps: int = 1) -> None:
        picture = figure(
            title=name, height=128 if programs < 3 else 104, sizing_mode="stretch_width", x_range=across, y_range=Range1d(-0.05, 2.05),
            tools="xpan,xwheel_zoom,reset", active_scroll=None, output_backend="canvas",
        )  # fmt: skip
        self.figure = plain(picture)
        picture.xaxis.formatter = NumeralTickFormatter(format="0,0")
        picture.yaxis.ticker = FixedTicker(ticks=[0.5, 1.5])
        picture.yaxis.major_label_overrides = {0.5: "communicate", 1.5: "compute"}
        picture.ygrid.visible = False
        self.bars = ColumnDataSource({name: [] for name in ("left", "right", "bottom", "top", "colour")})
        self.path = ColumnDataSource({"x": [], "y": []})
        picture.quad("left", "right", "top", "bottom", source=self.bars, fill_color="colour", line_color=None)
        picture.line(
            "x",
            "y",
            source=self.path,
            line_color=ACCENT,
            line_width=3,
            line_alpha=1 if steps <= MANY else 0.4,
        )
        self.cursor = Span(location=0, dimension="height", line_color=INK, line_width=2)
        picture.add_layout(self.cursor)

    def lay(self, timeline: xr.Dataset) -> None:
        """Draw one run for good."""
        self.bars.data, self.path.data = laid(timeline)

    @property
    def models(self) -> dict[str, Any]:
        """What the page feeds."""
        return {"figure": self.figure, "bars": self.bars, "path": self.path, "cursor": self.cursor}


class _SpaceTime:
    """Bokeh models of one diagram: cores of a row across, cycles down."""

    def __init__(self, name: str, down: Range1d) -> None:
        picture = figure(
            title=name, height=300, sizing_mode="stretch_width", x_range=Range1d(0, 1), y_range=down, min_width=180, tools="",
            x_axis_label="x, core of the row", y_axis_label="cycles", output_backend="canvas",
        )  # fmt: skip
        self.figure = plain(picture)
        picture.grid.visible = False
        picture.yaxis.formatter = NumeralTickFormatter(format="0,0")
        self.image = ColumnDataSource({"image": [np.zeros((1, 1), np.uint32)], "dw": [1], "dh": [1]})
        picture.image_rgba("image", x=0, y=0, dw="dw", dh="dh", source=self.image)
        self.cursor = Span(location=0, dimension="width", line_color=INK, line_width=2)
        picture.add_layout(self.cursor)

    @property
    def models(self) -> dict[str, Any]:
        """What the page feeds."""
        return {"figure": self.figure, "image": self.image, "cursor": self.cursor}


def laid(timeline: xr.Dataset) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Bars of compute over communication, steps in turns of two shades, and the critical path through both."""
    bars: dict[str, list[Any]] = {name: [] for name in ("left", "right", "bottom", "top", "colour")}
    for lane, at in (("work", 1), ("move", 0)):
        left, right = timeline[f"{lane}_start"].values, timeline[f"{lane}_end"].values
        steps = np.flatnonzero(right > left)
        bars["left"] += left[steps].tolist()
        bars["right"] += right[steps].tolist()
        bars["bottom"] += [at + 0.06] * len(steps)
        bars["top"] += [at + 0.94] * len(steps)
        bars["colour"] += [SHADES[lane][step % 2] for step in steps]
    bounds = np.concatenate([[0], np.maximum.accumulate(timeline.end.values)])
    ends = np.stack([bounds[:-1], bounds[1:]], axis=1)
    heights = [HEIGHT[str(kind)] for kind in timeline.critical.values]
    return bars, {"x": ends.ravel().tolist(), "y": np.repeat(heights, 2).tolist()}


def packed(timeline: xr.Dataset) -> dict[str, Any]:
    """One run as the page needs it: ends of bars per step, and times of the cores of a few rows."""
    attrs = timeline.attrs
    label = timeline.label.values if "label" in timeline.coords else [""] * timeline.sizes["step"]
    return {
        "program": str(attrs.get("program", "program")),
        "schedule": str(attrs.get("schedule", "barrier")),
        "cycles": int(attrs.get("cycles", timeline.end.max() if timeline.sizes["step"] else 0)),
        "share": float(attrs["compute_share"]) if "compute_share" in attrs else None,
        "columns": mesh_of(timeline)[1],
        "labels": [str(words) for words in label],
        **dict(zip(("bars", "path"), laid(timeline), strict=True)),
        "critical": [str(kind) for kind in timeline.critical.values],
        **{name: np.asarray(timeline[name].values).tolist() for name in ("work_end", "start", "end")},
        "work": timeline.work.values.tolist() if "work" in timeline else None,
        "cores": _cores(timeline) if {"ready", "done"} <= set(timeline) else None,
    }


def mesh_of(timeline: xr.Dataset) -> tuple[int, int]:
    """Rows and columns of the mesh."""
    if "ready" in timeline:
        return timeline.sizes["y"], timeline.sizes["x"]
    sides = str(timeline.attrs.get("mesh", "1 x 1")).split(" x ")
    return int(sides[0]), int(sides[1])


def _cores(timeline: xr.Dataset) -> dict[str, Any]:
    """When each core of up to eight rows can start and has ended each step; deflated 32-bit integers."""
    rows, each = timeline.sizes["y"], 2 * timeline.sizes["step"] * timeline.sizes["x"]
    number = max(1, min(rows, LINES, NUMBERS // max(1, each)))
    kept = np.unique(np.linspace(0, rows - 1, number).round().astype(int))
    times = np.stack(
        [timeline[name].isel(y=kept).transpose("y", "step", "x").values for name in ("ready", "done")]
    )
    data = zlib.compress(np.ascontiguousarray(np.rint(times), dtype="<i4").tobytes(), 6)
    return {"rows": kept.tolist(), "data": base64.b64encode(data).decode()}
