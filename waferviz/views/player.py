"""The player: up to four traces side by side on one clock, played in the browser alone."""

from __future__ import annotations

import json
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import panel as pn
import param
import xarray as xr
from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, CustomJS, FixedTicker, Range1d, Spacer
from bokeh.plotting import figure
from panel.viewable import Viewer

from waferviz.views import frames, words
from waferviz.views.state import parsed
from waferviz.views.style import ACCENT, INK, PALETTES, QUIET, script, sheet

CLOCKS = ("cycles", "steps")
MOST = 4
LINED = 64
WIDEST = (380, 440, 400, 400)
SCRIPTS = ("codec", "paint", "clock", "map", "controls", "stage", "main")
NEEDED = (
    "a_block", "b_block", "met", "filled", "traffic", "memory", "routes", "hops", "stages", "link_words", "macs",
    "from_y", "from_x", "cycle", "label", "tensor",
)  # fmt: skip


class Player(Viewer):
    """Maps of one to four traces; playing, scrubbing and pointing need no Python.

    Parameters
    ----------
    traces : sequence of Dataset
        See `waferviz.run` for their variables.
    show : str
        First layer: blocks, links, progress, received, bytes, values or difference.
    clock : "cycles" or "steps"
        What the maps share.
    state : str
        Where the picture stands, such as "show=links&clock=steps&time=12&speed=fast"; wins over the other two.
        It follows the reader, who comes to rest; set it, and shown pictures go there.

    Raises
    ------
    ValueError
        For no trace or too many, an unknown layer, clock or state, or a Dataset that is no trace.
    """

    step = param.List(default=[], doc="Step of each trace where the reader came to rest.")
    state = param.String(default="", doc="Layer, clock, time and speed, as in the URL of an app.")

    def __init__(
        self,
        traces: Sequence[xr.Dataset],
        show: str = "blocks",
        clock: str = "cycles",
        state: str = "",
        **params: Any,
    ) -> None:
        super().__init__(**params)
        asked = parsed(state, frames.SHOWS, CLOCKS)
        show, clock = asked.get("show", show), asked.get("clock", clock)
        _check(traces, show, clock)
        self._told, self._shown = state, list[weakref.ref[ColumnDataSource]]()
        self.state = state
        self.traces, self.show, self.clock = tuple(traces), show, clock
        self._payload = frames.payload(self.traces, show)

    @property
    def title(self) -> str:
        """What runs, on what, in one line."""
        return title(self.traces)

    def layout(self, *, live: bool = True) -> Any:
        """The Bokeh layout, made anew: one document holds it once; `live` ones tell Python the step, others the URL."""
        maps = [_Map(trace, len(self.traces)) for trace in self.traces]
        below, cursors = self.below()
        host = Spacer(sizing_mode="stretch_width", min_height=10)
        head = Spacer(sizing_mode="stretch_width", min_height=28)
        heard = ColumnDataSource(data={"step": [0] * len(maps), "state": [self.state] * len(maps)})
        if live:
            heard.on_change("data", self._heard)
            self._shown = [*(one for one in self._shown if one()), weakref.ref(heard)]
        setup = json.loads(self._payload) | {
            "title": self.title,
            "show": self.show,
            "widest": WIDEST[len(maps) - 1],
            "clock": self.clock,
            "state": self.state,
            "url": not live,
            "shows": [[name, said] for name, (said, _) in frames.SHOWS.items()],
            "needs": {name: layers for name, (_, layers) in frames.SHOWS.items()},
            "ranking": words.ranking(self.traces),
            "model": words.model(self.traces),
        }
        start = CustomJS(
            code=script(*SCRIPTS),
            module=True,
            args={
                "host": host,
                "head": head,
                "heard": heard,
                "maps": [one.models for one in maps],
                "cursors": cursors,
                "setup": json.dumps(setup, separators=(",", ":")),
                "palettes": json.dumps(PALETTES),
                "style": sheet("stage"),
            },
        )
        maps[0].figure.js_on_change("inner_width", start)
        figures = row([one.figure for one in maps], sizing_mode="stretch_width", spacing=12)
        return column(head, figures, *below, host, spacing=4, sizing_mode="stretch_width")

    def below(self) -> tuple[list[Any], list[Any]]:
        """Figures under the maps, and the playhead in each, one per trace; none here."""
        return [], []

    def __panel__(self) -> Any:
        return pn.pane.Bokeh(self.layout(), sizing_mode="stretch_width")

    def document(self) -> Document:
        """A Bokeh document of its own, for one offline file."""
        document = Document(title=self.title)
        document.add_root(self.layout(live=False))
        return document

    def handout(self, path: str | Path = "race.handout.html") -> Path:
        """Write one HTML file that plays offline; returns its path."""
        from waferviz.handout import handout

        return handout(self, path)

    def gif(self, path: str | Path = "race.gif", *, seconds: float = 12.0) -> Path:
        """Write a moving picture of who holds what; returns its path."""
        from waferviz.views.gif import gif

        return gif(self.traces, path, clock=self.clock, seconds=seconds)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        ready()
        return super()._repr_mimebundle_(include, exclude)

    def __repr__(self) -> str:
        return (
            f"Player({self.title}, {', '.join(str(trace.sizes['step'] - 1) for trace in self.traces)} steps)"
        )

    def _heard(self, _name: str, _old: Any, new: Any) -> None:
        self._told = new["state"][0]
        self.step, self.state = [int(step) for step in new["step"]], self._told

    @param.depends("state", watch=True)
    def _asked(self) -> None:
        parsed(self.state, frames.SHOWS, CLOCKS)
        if self.state == self._told:
            return
        for shown in (one() for one in self._shown):
            if shown is not None:
                shown.data = {**shown.data, "state": [self.state] * len(self.traces)}


class _Map:
    """Bokeh models of one map, fed by the page."""

    def __init__(self, trace: xr.Dataset, number: int) -> None:
        rows, columns = trace.sizes["y"], trace.sizes["x"]
        self.figure = figure(
            title=words.named(trace), x_range=Range1d(0, columns), y_range=Range1d(rows, 0), tools="pan,wheel_zoom,reset",
            active_scroll=None, toolbar_location=None, sizing_mode="scale_width", aspect_ratio=max(0.6, min(1.6, columns / rows)),
            max_width=WIDEST[number - 1], min_width=180, min_border=4, output_backend="canvas",
            x_axis_label="x, column of cores", y_axis_label="y, row of cores",
        )  # fmt: skip
        self.figure.title.text_font_size, self.figure.title.text_color = "16px", INK
        for axis in self.figure.axis:
            axis.major_label_text_font_size = axis.axis_label_text_font_size = "14px"
            axis.axis_label_text_font_style, axis.axis_label_text_color = "normal", QUIET
            axis.minor_tick_line_color = None
        self.figure.xaxis.ticker.desired_num_ticks = self.figure.yaxis.ticker.desired_num_ticks = 4
        self._lines(rows, columns)
        self.image = ColumnDataSource({"image": [np.zeros((1, 1), np.uint32)]})
        self.labels = ColumnDataSource({"x": [], "y": [], "text": []})
        self.glide = ColumnDataSource({"x": [], "y": [], "colour": [], "shape": [], "size": []})
        self.outline = ColumnDataSource({"xs": [], "ys": []})
        self.figure.image_rgba("image", x=0, y=0, dw=columns, dh=rows, source=self.image)
        self.figure.text(
            "x",
            "y",
            "text",
            source=self.labels,
            text_font_size="14px",
            text_align="center",
            text_baseline="middle",
            text_color=INK,
        )
        self.figure.scatter(
            "x",
            "y",
            marker="shape",
            size="size",
            fill_color="colour",
            line_color=INK,
            line_width=0.6,
            source=self.glide,
        )
        self.figure.multi_line("xs", "ys", source=self.outline, line_color=ACCENT, line_width=3)

    def _lines(self, rows: int, columns: int) -> None:
        """White lines between cores, above the image; none on large meshes."""
        for grid, number in ((self.figure.xgrid[0], columns), (self.figure.ygrid[0], rows)):
            grid.visible = max(rows, columns) <= LINED
            grid.ticker = FixedTicker(ticks=list(range(number + 1)) if grid.visible else [])
            grid.grid_line_color, grid.level = "white", "overlay"

    @property
    def models(self) -> dict[str, Any]:
        """What the page feeds."""
        grids = [self.figure.xgrid[0], self.figure.ygrid[0]]
        fed = {"image": self.image, "labels": self.labels, "glide": self.glide, "outline": self.outline}
        return {"figure": self.figure, "grids": grids, "lined": grids[0].visible} | fed


def title(traces: Sequence[xr.Dataset]) -> str:
    """What runs, its sizes and its mesh."""
    attrs = traces[0].attrs
    names = ", ".join(words.named(trace) for trace in traces)
    return f"{names}: C = A B, {attrs['M']} x {attrs['K']} times {attrs['K']} x {attrs['N']}, on {attrs['mesh']} cores"


def ready() -> None:
    """Load the page side of Panel and Bokeh into a notebook, once, from this machine alone."""
    if not getattr(pn.extension, "_loaded", False):
        pn.extension(inline=True)


def _check(traces: Sequence[xr.Dataset], show: str, clock: str) -> None:
    if not 1 <= len(traces) <= MOST:
        raise ValueError(
            f"{len(traces)} traces: give 1 to {MOST}, for example race(multiply(a, b), multiply(a, b, algorithm='cannon'))"
        )
    for number, trace in enumerate(traces):
        if not isinstance(trace, xr.Dataset):
            raise ValueError(
                f"trace {number} is {type(trace).__name__}; give what waferviz.multiply or waferviz.run returns"
            )
        if missing := [name for name in NEEDED if name not in trace]:
            raise ValueError(
                f"trace {number} lacks {', '.join(missing)}; give what waferviz.multiply or waferviz.run returns"
            )
    if show not in frames.SHOWS:
        raise ValueError(f"show={show!r}: choose one of {', '.join(frames.SHOWS)}")
    if show == "values" and not all("C" in trace for trace in traces):
        raise ValueError("show='values' needs traces with numbers; run them with operands and tier='values'")
    if clock not in CLOCKS:
        raise ValueError(f"clock={clock!r}: choose one of {', '.join(CLOCKS)}")
