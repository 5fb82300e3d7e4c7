"""Why is a lookup unit long and flat?  Shapes of equal lanes by what enters and what is stored, and the unit itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, NumeralTickFormatter, Range1d
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK, QUIET

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("storage", "io", "fan_out", "inputs", "lanes", "cycles")
BUILT = (2, 64, 4)
SIMPLE = (
    "Model: M tables of 2^(K-1) entries, each entry broadcast to N multiplexers; every cycle takes one bit plane of N x K weights. What "
    "enters is counted for each activation along K: M activations and N one-bit weights. Wires of the broadcast are not counted."
)


class Unit(Page):
    """Marks for all shapes, the chosen one drawn: tables, broadcast, multiplexers, and the cycles of its planes.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.lowbit.tiles`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset of another kind.
    """

    title = "Why is a lookup unit long and flat?"

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.lowbit.tiles", 1)
        self.found = found[0]

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        shapes = packed(self.found)
        x, y = ([one[name] for one in shapes] for name in ("io", "storage"))
        marks = ColumnDataSource({"x": x, "y": y, "mark": [("circle", "square", "triangle", "diamond")[int(np.log2(one["K"]))] for one in shapes]})  # fmt: skip
        chosen = ColumnDataSource({"x": [], "y": []})
        picture = plain(figure(
            title=" ", height=270, sizing_mode="stretch_width", tools="", x_axis_type="log", y_axis_type="log", output_backend="canvas",
            x_axis_label="enters for each activation, bits", y_axis_label="table storage, bits", x_range=Range1d(min(x) / 1.3, max(x) * 1.3), y_range=Range1d(min(y) / 2, max(y) * 2),
        ))  # fmt: skip
        picture.scatter("x", "y", marker="mark", size=12, source=marks, fill_color=QUIET, line_color=INK)
        picture.scatter("x", "y", size=24, source=chosen, fill_color=None, line_color=ACCENT, line_width=4)
        for axis in picture.axis:
            axis.formatter = NumeralTickFormatter(format="0,0")
        host = stage(
            picture, "drawing", "unit", chosen=chosen, accent=ACCENT,
            setup=json.dumps({"title": self.title, "model": SIMPLE, "shapes": shapes, "built": BUILT}),
        )  # fmt: skip
        return column(host, picture, spacing=4, sizing_mode="stretch_width", max_width=1240)


def packed(found: xr.Dataset) -> list[dict[str, int]]:
    """One entry per shape, by what enters and what is stored."""
    names = ("M", "N", "K", "storage", "io", "fan_out", "inputs", "lanes", "weights", "cycles")
    rows = [
        {name: int(found[name].values[at]) for name in names} for at in range(found.sizes["shape"])
    ]  # fmt: skip
    return sorted(rows, key=lambda one: (one["K"], one["M"]))
