"""Does it pay in silicon?  Areas by weight bits and by group, with the unverified cells as sliders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, FixedTicker, NumeralTickFormatter, Range1d, Spacer
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import INK, QUIET

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("design_terms", "group_terms", "nominal", "published_bits", "published_group")
LOOKS = {
    "multiply-add": (INK, "solid"), "bit-serial add": ("#8a6508", "dotted"), "conventional lookup": ("#7a4f9a", "dashed"),
    "symmetric lookup": ("#1f6f8b", "solid"), "fp16": ("#1f6f8b", "solid"), "int8": ("#b8860b", "dashed"),
}  # fmt: skip
SIMPLE = (
    "Model: sums of published parts at 45 nm for dot products of 4; left, 16-bit floats, tables shared by 4 outputs; right, "
    "shared by 64. Wiring, control and pipelining are left out. The sliders are cells that nobody has published for this "
    "circuit: nominal values of an open library, UNVERIFIED."
)


class Silicon(Page):
    """Area against weight bits and against the activations of a table, with published crossovers and where it fails.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.lowbit.terms`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset of another kind.
    """

    title = "Does it pay in silicon?"

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.lowbit.terms", 1)
        self.found = found[0]

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        found = self.found
        left, by_bits = _lines("area of a dot product, µm²", "bits of a weight", found.bits.values, found.design.values, Range1d(0, 20_000))  # fmt: skip
        right, by_group = _lines("area per activation, µm²", "activations of a table", found.group.values, found.act.values, Range1d(30, 3000), log=True)  # fmt: skip
        left.vspan(x=[2, 6], line_color=QUIET, line_width=2, line_dash="dotdash")
        left.text(
            [2, 6],
            [1_700, 19_500],
            ["published: 2", "published: 6"],
            text_font_size="14px",
            text_baseline="top",
            x_offset=6,
            text_color=INK,
            background_fill_color="white",
        )
        best = ColumnDataSource({"x": [], "y": []})
        right.scatter("x", "y", source=best, size=15, marker="star", fill_color="#d1495b", line_color=INK)
        foot = Spacer(sizing_mode="stretch_width", min_height=10)
        host = stage(
            left, "silicon", by_bits=by_bits, by_group=by_group, best=best, left=left, right=right, foot=foot,
            setup=json.dumps({"title": self.title, "model": SIMPLE, **packed(found)}),
        )  # fmt: skip
        return column(
            host,
            row(left, right, sizing_mode="stretch_width", spacing=12),
            foot,
            spacing=4,
            sizing_mode="stretch_width",
            max_width=1240,
        )


def packed(found: xr.Dataset) -> dict[str, Any]:
    """What the page needs: the terms of every area, the nominal cells, what is published."""
    return {
        "cells": dict(zip(map(str, found.cell.values), found.nominal.values.tolist(), strict=True)),
        "designs": [str(name) for name in found.design.values],
        "acts": [str(name) for name in found.act.values],
        "bits": found.bits.values.tolist(),
        "group": found.group.values.tolist(),
        "byBits": found.design_terms.values.tolist(),
        "byGroup": found.group_terms.values.tolist(),
        "publishedBits": np.nan_to_num(found.published_bits.values).astype(int).tolist(),
        "publishedGroup": found.published_group.values.tolist(),
        "density": float(found.attrs["density"]),
    }


def _lines(
    up: str, across: str, x: Any, names: Any, y_range: Range1d, *, log: bool = False
) -> tuple[Any, list[Any]]:
    """A figure with one line per name, and their sources."""
    picture = plain(figure(
        title=" ", height=330, sizing_mode="stretch_width", tools="", x_axis_label=across, y_axis_label=up, y_range=y_range,
        x_range=Range1d(float(x[0]) - 0.2, float(x[-1]) + 0.2), output_backend="canvas", y_axis_type="log" if log else "linear",
    ))  # fmt: skip
    picture.xaxis.ticker = [int(one) for one in x]
    sources = []
    for name in map(str, names):
        source = ColumnDataSource({"x": list(map(float, x)), "y": [1.0] * len(x)})
        colour, dash = LOOKS[name]
        picture.line(
            "x", "y", source=source, line_color=colour, line_dash=dash, line_width=3, legend_label=name
        )
        sources.append(source)
    picture.legend.label_text_font_size = "14px"
    picture.legend.location = "bottom_right" if not log else "top_center"
    if log:
        picture.yaxis.ticker = FixedTicker(ticks=[30, 100, 300, 1000, 3000])
    picture.yaxis.formatter = NumeralTickFormatter(format="0,0")
    picture.legend.background_fill_alpha = 0.8
    return picture, sources
