"""The player: up to four traces side by side on one clock, played in the browser alone."""

from __future__ import annotations

import json
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import panel as pn
import param
import xarray as xr
from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, CustomJS, Spacer
from panel.viewable import Viewer

from waferviz.views import frames, words
from waferviz.views.mesh_figure import WIDEST, MeshFigure
from waferviz.views.notebook import ready
from waferviz.views.state import parsed
from waferviz.views.style import PALETTES, script, sheet

CLOCKS = ("cycles", "steps")
MOST = 4
BESIDE = 440
SCRIPTS = ("codec", "paint", "clock", "map", "controls", "stage", "main")
NEEDED = (
    "a_block", "b_block", "met", "filled", "traffic", "memory", "routes", "hops", "stages", "link_words", "macs", "work",
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
        maps = [MeshFigure(trace, len(self.traces)) for trace in self.traces]
        beside, cursors = self.beside()
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
        pictures = [one.figure for one in maps]
        if beside:
            for picture in pictures:
                picture.min_width = 280
            pictures.append(column(beside, sizing_mode="stretch_width", min_width=BESIDE, spacing=4))
        figures = row(
            pictures, sizing_mode="stretch_width", spacing=12, styles={"flex-wrap": "wrap"} if beside else {}
        )
        return column(head, figures, host, spacing=4, sizing_mode="stretch_width")

    def beside(self) -> tuple[list[Any], list[Any]]:
        """Figures beside the maps, and the playhead in each, one per trace; none here."""
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


def title(traces: Sequence[xr.Dataset]) -> str:
    """What runs, its sizes and its mesh."""
    attrs = traces[0].attrs
    names = ", ".join(words.named(trace) for trace in traces)
    blocks, cores = (traces[0].sizes["y"], traces[0].sizes["x"]), traces[0].routes.shape
    cut = "" if blocks == cores else f", in {blocks[0]} x {blocks[1]} blocks"
    size = f"{attrs['M']} x {attrs['K']} times {attrs['K']} x {attrs['N']}"
    return f"{names}: C = A B, {size}, on {attrs['mesh']} cores{cut}"


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
