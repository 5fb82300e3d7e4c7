"""Dead cores: how a wafer is remapped around them, what it does to a ring and a program, and how many work."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, FixedTicker, Range1d
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK, QUIET

if TYPE_CHECKING:
    import xarray as xr

SCENES = ("dead", "column", "works", "cycles", "chance", "ring")
SHADES = {"place": "#dfe6f0", "moved": "#f2cf63", "spare": "#ffffff", "dead": INK, "fails": "#ffffff"}
SIMPLE = (
    "Model: only cores die, not links; a row is renumbered by one position from each dead core to the nearest spare; "
    "a link is as long as the columns it skips, between rows as their displacement and one. The vendor's own repair, and "
    "whether its hardware hides the longer links, are not public: hence both prices, each under a barrier after every step."
)


class Defects(Page):
    """A mesh with dead cores, spare columns and stretched links, one row of it as a ring, and the chance that it works.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.wafer.scenes`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset that holds no scenes.
    """

    title = "What if a core is dead?"

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, SCENES, "waferviz.wafer.scenes", 1)
        self.scenes = found[0]

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        cores, ring, chance = self._mesh(), _ring(self.scenes.sizes["x"]), self._chance()
        host = stage(
            cores[0], "codec", "defects", map=cores[1], ring=ring[1], chance=chance[1], map_figure=cores[0], ring_figure=ring[0],
            setup=json.dumps({"title": self.title, "model": SIMPLE, **packed(self.scenes)}), shades=SHADES, accent=ACCENT, ink=INK,
        )  # fmt: skip
        right = column(ring[0], chance[0], width=430)
        return column(
            row(cores[0], right, spacing=10, sizing_mode="stretch_width"), host, sizing_mode="stretch_width"
        )

    def _mesh(self) -> tuple[Any, dict[str, Any]]:
        high, wide = self.scenes.sizes["y"], self.scenes.sizes["x"]
        picture = plain(
            figure(
                title=" ", height=470, sizing_mode="stretch_width", x_range=Range1d(-0.6, wide - 0.4), y_range=Range1d(high - 0.4, -0.6),
                tools="tap", x_axis_label="physical column", y_axis_label="row", output_backend="canvas",
            )
        )  # fmt: skip
        picture.grid.visible = False
        picture.xaxis.ticker = FixedTicker(ticks=list(range(0, wide, 1 if wide < 20 else 4)))
        picture.yaxis.ticker = FixedTicker(ticks=list(range(0, high, 1 if high < 16 else 4)))
        sources = {
            "links": ColumnDataSource({"xs": [], "ys": [], "colour": [], "width": []}),
            "cores": ColumnDataSource({name: [] for name in ("x", "y", "fill", "edge", "wide", "hatch", "text", "ink")}),
            "band": ColumnDataSource({"y": [0]}),
        }  # fmt: skip
        picture.rect(
            x=(wide - 1) / 2,
            y="y",
            width=wide,
            height=0.96,
            source=sources["band"],
            fill_color="#e3f0e6",
            line_color=None,
        )
        picture.multi_line("xs", "ys", source=sources["links"], line_color="colour", line_width="width")
        cells = picture.rect(
            "x", "y", width=0.74, height=0.7, source=sources["cores"], fill_color="fill", line_color="edge", line_width="wide",
            hatch_pattern="hatch", hatch_color="#b3263c", hatch_alpha=0.7, hatch_weight=2,
        )  # fmt: skip
        cells.nonselection_glyph = cells.selection_glyph = None
        size = "14px" if wide <= 24 else "9px"
        picture.text(
            "x",
            "y",
            "text",
            source=sources["cores"],
            text_align="center",
            text_baseline="middle",
            text_font_size=size,
            text_color="ink",
        )
        return picture, sources

    def _chance(self) -> tuple[Any, dict[str, Any]]:
        scenes, means = self.scenes, [int(mean) for mean in self.scenes["mean"].values]
        picture = plain(
            figure(
                title="Chance that a wafer like this works", height=256, width=430, tools="", x_range=Range1d(-0.3, means[-1] * 1.3), y_range=Range1d(-0.1, 1.05),
                x_axis_label="dead cores of a wafer, mean", y_axis_label="probability", output_backend="canvas",
            )
        )  # fmt: skip
        picture.grid.grid_line_color = "#eef0f3"
        picture.xaxis.ticker = FixedTicker(ticks=list(range(0, means[-1] + 1, 4)))
        number = scenes.sizes["spares"]
        lines = ColumnDataSource(
            {
                "xs": [means] * number,
                "ys": [[0.0] * len(means)] * number,
                "colour": [QUIET] * number,
                "width": [2] * number,
            }
        )
        words = [_spares(int(spare)) for spare in scenes.spares.values]
        ends = ColumnDataSource(
            {"x": [means[-1]] * number, "y": [0.0] * number, "text": words, "colour": [INK] * number}
        )
        here = ColumnDataSource({"x": [0], "y": [1]})
        picture.multi_line("xs", "ys", source=lines, line_color="colour", line_width="width")
        picture.text(
            "x",
            "y",
            "text",
            source=ends,
            x_offset=6,
            text_baseline="middle",
            text_font_size="14px",
            text_color="colour",
        )
        picture.scatter("x", "y", source=here, size=12, fill_color=ACCENT, line_color=INK)
        return picture, {"lines": lines, "ends": ends, "here": here}


def packed(scenes: xr.Dataset) -> dict[str, Any]:
    """Scenes as the page needs them: dead cores and columns as deflated bytes, the rest as lists."""
    order = ("clusters", "wafer", "mean")
    dead = scenes.dead.transpose(*order, "y", "x").values.astype(np.uint8)
    places = scenes.column.transpose(*order, "spares", "y", "core").values.astype(np.int8)
    small = {
        name: base64.b64encode(zlib.compress(data.tobytes(), 9)).decode()
        for name, data in (("dead", dead), ("columns", places))
    }
    return {
        **small,
        "rows": scenes.sizes["y"], "width": scenes.sizes["x"], "cores": scenes.sizes["core"],
        "clusters": [str(name) for name in scenes.clusters.values], "wafers": scenes.sizes["wafer"],
        "means": [int(mean) for mean in scenes["mean"].values], "spares": [int(spare) for spare in scenes.spares.values],
        "cycles": scenes.cycles.transpose(*order, "spares", "timing").values.tolist(),
        "chance": scenes.chance.transpose("clusters", "spares", "mean").values.round(5).tolist(),
        "ring": scenes.ring.values.tolist(), "plain": int(scenes.attrs["plain_cycles"]), "hop": float(scenes.attrs["hop"]),
        "program": str(scenes.attrs["program"]), "machine": str(scenes.attrs["machine"]),
    }  # fmt: skip


def _spares(number: int) -> str:
    return f"{number} spare{'s' * (number != 1)}"


def _ring(wide: int) -> tuple[Any, dict[str, Any]]:
    picture = plain(
        figure(title=" ", height=214, width=430, tools="", x_range=Range1d(-0.6, wide - 0.4), y_range=Range1d(-1.5, 1.5), x_axis_label="physical column")
    )  # fmt: skip
    picture.yaxis.visible = picture.grid.visible = False
    arcs = ColumnDataSource({"xs": [], "ys": [], "colour": [], "width": []})
    dots = ColumnDataSource({"x": [], "y": [], "marker": [], "size": []})
    picture.multi_line("xs", "ys", source=arcs, line_color="colour", line_width="width")
    picture.scatter("x", "y", source=dots, marker="marker", size="size", color=INK)
    return picture, {"arcs": arcs, "dots": dots}
