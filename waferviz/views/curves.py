"""Curves: cycles of several algorithms along one axis, the lowest point of each, and a slider for the other axis."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, Legend, NumeralTickFormatter, Range1d, Spacer
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import EMPTY, INK
from waferviz.views.sweeps import COLOURS, MARKERS

if TYPE_CHECKING:
    import xarray as xr

DASHES = ("solid", "dashed", "dotdash", "dotted", "dashdot", "solid", "dashed", "dotted")
MOST = 50_000
SIMPLE = (
    "Model: closed forms, exact on a line of cores with unbounded queues; a link carries one 32-bit word a cycle; work and sum "
    "follow one another; software on the cores costs nothing, so real curves lie higher."
)


class Curves(Page):
    """Lines of cycles against cores or phases, on logarithmic axes; a filled mark at the lowest point of each line.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.sums`: `sums`, `gemvs` or `phases`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset without `cycles` of each `algorithm`.
    """

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, ("cycles", "algorithm"), "waferviz.sums", 1)
        self.found = found[0]
        self.along = "cores" if "cores" in self.found.cycles.dims else "k"
        if self.found.cycles.size > MOST:
            raise ValueError(
                f"{self.found.cycles.size:,} points: a page holds {MOST:,}; choose fewer cores or sizes"
            )

    @property
    def title(self) -> str:  # type: ignore[override]
        """What is asked, on which machine."""
        return f"{self.found.attrs.get('asks', 'Which is fastest?')} {self.found.attrs.get('machine', '')}".strip()

    @property
    def other(self) -> str:
        """Dim of the slider."""
        return next((str(dim) for dim in self.found.cycles.dims if dim not in ("algorithm", self.along)), "")

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        cores = self.found[self.along]
        along = str(cores.attrs.get("long_name", self.along))
        picture = plain(figure(
            title=" ", height=430, sizing_mode="stretch_width", x_axis_type="log", y_axis_type="log", tools="", x_axis_label=along,
            y_axis_label="cycles", x_range=Range1d(float(cores.min()) * 0.95, float(cores.max()) * 1.05), y_range=Range1d(1, 10),
            output_backend="canvas",
        ))  # fmt: skip
        for axis in picture.axis:
            axis.formatter = NumeralTickFormatter(format="0,0")
        picture.grid.grid_line_color = EMPTY
        picture.add_layout(
            Legend(
                orientation="horizontal",
                location="top_left",
                spacing=24,
                label_text_font_size="14px",
                border_line_color=None,
            ),
            "above",
        )
        lines, lows = [], []
        for number, name in enumerate(self.found.algorithm.values):
            look = {"color": COLOURS[number % 8], "legend_label": str(name)}
            lines.append(ColumnDataSource({"x": [], "y": []}))
            lows.append(ColumnDataSource({"x": [], "y": [], "text": [], "drop": []}))
            picture.line("x", "y", source=lines[-1], line_width=3, line_dash=DASHES[number % 8], **look)
            picture.scatter(
                "x",
                "y",
                source=lows[-1],
                marker=MARKERS[number % 8],
                size=13,
                line_color=INK,
                fill_color=look["color"],
                legend_label=str(name),
            )
            picture.text(
                "x",
                "y",
                "text",
                source=lows[-1],
                text_font_size="14px",
                text_color=INK,
                y_offset="drop",
                text_align="center",
                background_fill_color="white",
                background_fill_alpha=0.7,
            )
        head = Spacer(sizing_mode="stretch_width", min_height=28)
        host = stage(
            picture, "curves", head=head, lines=lines, lows=lows, picture=picture,
            setup=json.dumps(packed(self.found, self.along, self.other) | {"title": self.title, "model": SIMPLE}),
        )  # fmt: skip
        return column(head, picture, host, spacing=4, sizing_mode="stretch_width")


def packed(found: xr.Dataset, along: str, other: str) -> dict[str, Any]:
    """The curves as the page needs them: cycles of dims (other, algorithm, along), -1 where there are none."""
    cycles = found.cycles if other else found.cycles.expand_dims("only")
    values = cycles.transpose(other or "only", "algorithm", along).values
    return {
        "cores": found[along].values.tolist(),
        "unit": str(found[along].attrs.get("units", along)),
        "fastest": str(found.attrs.get("asks", "Which is fastest?")).startswith("Which"),
        "names": [str(name) for name in found.algorithm.values],
        "other": str(found[other].attrs.get("long_name", other)) if other else "",
        "values": found[other].values.tolist() if other else [0],
        "cycles": np.where(np.isfinite(values), np.round(values), -1).tolist(),
    }
