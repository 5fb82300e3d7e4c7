"""Yield curves: laws of one block, and of a whole wafer by its spare columns, with the points of the tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, Legend, LegendItem, Range1d
from bokeh.plotting import figure

from waferviz.published import rows
from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK, PAPER

if TYPE_CHECKING:
    import xarray as xr

CURVES = ("block", "wafer")
HUES = ("#4477aa", "#66a61e", "#b8860b", "#7b3294", INK)
SPARES = ("#e0703f", "#cc4b2c", "#a8301f", "#7d1c16", "#4d0d0d")
BLOCKS = {
    "SM-sized core 6 mm2": "6 mm²",
    "reticle die 814 mm2": "814 mm²",
    "wafer square 46225 mm2": "46,225 mm²",
}
DASHES = ("solid", "dashed", "dotdash", "dotted", "dashdot")
SIMPLE = (
    "Model: a block works when it has no defect at all; a wafer works when every row has a spare for each dead core, and links "
    "never fail. The negative binomial law has alpha 2, Bose-Einstein 10 layers. By wafer: the density differs from wafer to "
    "wafer, gamma-distributed with alpha 2. Marks and small rings: the tables noc_yield_laws and noc_yield_mesh."
)


class Yields(Page):
    """Yield laws of one block, and of a whole wafer by its spare columns, with the points of the tables in `data/`.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.wafer.yields`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset that holds no curves.
    """

    title = "How many wafers work?"

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, CURVES, "waferviz.wafer.yields", 1)
        self.curves = found[0]

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        blocks, (wafers, models) = _blocks(self.curves), _wafers(self.curves)
        host = stage(
            wafers,
            "yields",
            taller=[blocks, wafers],
            **models,
            setup=json.dumps({"title": self.title, "model": SIMPLE, **_told(self.curves)}),
        )
        pictures = row(blocks, wafers, spacing=14, sizing_mode="stretch_width")
        return column(pictures, host, sizing_mode="stretch_width")


def _blocks(curves: xr.Dataset) -> Any:
    picture = _logarithmic("One block, by law", "mean defects on the block", curves.defects.values)
    across, items = curves.defects.values, []
    for number, name in enumerate(curves.law.values):
        style = {"color": HUES[number % 5], "line_dash": DASHES[number % 5], "line_width": 2.5}
        items.append(
            LegendItem(
                label=str(name), renderers=[picture.line(across, curves.block.sel(law=name).values, **style)]
            )
        )
    table = [
        one for one in rows("noc_yield_laws") if one["defects_per_cm2"] == "0.1" and one["block"] in BLOCKS
    ]
    at = [float(one["mean_defects"]) for one in table]
    for law, marker in (("poisson", "circle"), ("murphy", "square"), ("negative_binomial_2", "diamond")):
        picture.scatter(
            at, [float(one[law]) for one in table], marker=marker, size=9, fill_color=PAPER, line_color=INK
        )
    words = {"x_offset": 10, "y_offset": -8, "text_font_size": "14px", "text_color": INK}
    picture.text(
        at,
        [float(one["negative_binomial_2"]) for one in table],
        [BLOCKS[one["block"]] for one in table],
        **words,
    )
    picture.add_layout(
        Legend(items=items, location="bottom_left", label_text_font_size="14px", background_fill_alpha=0.85)
    )
    return picture


def _wafers(curves: xr.Dataset) -> tuple[Any, dict[str, Any]]:
    picture = _logarithmic(
        f"A wafer of {curves.attrs['mesh']} cores; numbers: its spare columns",
        "defects per cm²",
        curves.density.values,
    )
    colours = [SPARES[number % 5] for number in range(curves.sizes["spares"])]
    words = [str(int(spare)) for spare in curves.spares.values]
    none: list[float] = [0.0] * len(words)
    lines = ColumnDataSource({"xs": [[]] * len(words), "ys": [[]] * len(words), "colour": colours})
    points = ColumnDataSource({"x": [], "y": [], "colour": []})
    here = ColumnDataSource({"x": none, "y": none, "colour": colours})
    labels = ColumnDataSource({"x": none, "y": none, "text": words, "colour": colours})
    picture.multi_line("xs", "ys", source=lines, line_color="colour", line_width=2.5)
    picture.scatter("x", "y", source=points, size=8, fill_color=PAPER, line_color="colour", line_width=2)
    picture.scatter("x", "y", source=here, size=13, fill_color="colour", line_color=ACCENT, line_width=3)
    picture.text(
        "x",
        "y",
        "text",
        source=labels,
        x_offset=7,
        y_offset=-6,
        text_font_size="18px",
        text_font_style="bold",
        text_color="colour",
    )
    return picture, {"lines": lines, "points": points, "here": here, "labels": labels}


def _logarithmic(title: str, label: str, across: Any) -> Any:
    picture = figure(
        title=title, height=450, sizing_mode="stretch_width", x_axis_type="log", tools="", x_axis_label=label, y_axis_label="probability",
        x_range=Range1d(float(across[0]), float(across[-1])), y_range=Range1d(-0.05, 1.12), output_backend="canvas",
    )  # fmt: skip
    picture.grid.grid_line_color = "#eef0f3"
    return plain(picture)


def _told(curves: xr.Dataset) -> dict[str, Any]:
    """Curves, and the points of the table that belong to the same mesh, for the page."""
    mesh = curves.attrs["mesh"]
    table = [one for one in rows("noc_yield_mesh") if f"{one['rows']} x {one['columns']}" == mesh]
    names = {"at random": "poisson", "by wafer": "clustered_2"}
    points = {
        kind: [[float(one["defects_per_cm2"]), float(one[names[kind]]), int(one["spares"])] for one in table if int(one["spares"]) < curves.sizes["spares"]]
        for kind in curves.clusters.values
    }  # fmt: skip
    return {
        "clusters": [str(kind) for kind in curves.clusters.values], "wafer": curves.wafer.transpose("clusters", "spares", "density").values.tolist(),
        "density": curves.density.values.tolist(), "points": points, "hues": SPARES, "mesh": mesh, "area": float(curves.attrs["core_area_mm2"]),
    }  # fmt: skip
