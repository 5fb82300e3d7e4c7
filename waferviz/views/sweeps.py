"""Sweeps: which algorithm wins on which mesh and matrix, the curves behind it, and one design point taken apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, FixedTicker, NumeralTickFormatter, Range1d, Spacer, Span
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import INK

if TYPE_CHECKING:
    import xarray as xr

DIMS = ("algorithm", "mesh", "matrix", "machine", "schedule")
PARTS = ("work", "words", "way")
NEEDED = ("cycles", *PARTS, "microseconds", "fits")
MOST = 200_000
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#999999")
HATCHES = (" ", "/", ".", "x", "-", "o", "|", "+")
MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "hex", "star", "plus")
SIGNS = (
    "N: cores along a side; m: words of a tile; W: cycles of work a step; c = 2 ramp + 1; h: cycles of a hop."
)
SHADES = {"work": "#31688e", "words": "#b8860b", "way": "#dcb65c"}
SIMPLE = (
    "Model: closed forms of the price, no queues beyond the busiest link, no software cost. Work and communication of "
    "a step overlap. A point that does not fit is one whose tiles do not fit the memory, or whose mesh does not fit the "
    "chip; broadcasts that find no routes are relayed core by core, and priced so."
)


class Sweep(Page):
    """A map of winners, curves and bars that move together with two sliders; one machine and schedule at a time.

    Parameters
    ----------
    sweeps : sequence of Dataset
        One, from `waferviz.sweep`.

    Raises
    ------
    ValueError
        For none or several, a Dataset that is no sweep, or more design points than a page can hold.
    """

    def __init__(self, sweeps: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(sweeps, NEEDED, "waferviz.sweep", 1)
        self.sweep = spread(sweeps[0])
        if self.sweep.cycles.size > MOST:
            raise ValueError(
                f"{self.sweep.cycles.size:,} design points: a page holds {MOST:,}; show a part, for example sweep.isel(machine=[0])"
            )

    @property
    def title(self) -> str:  # type: ignore[override]
        """What is asked, in one line."""
        return f"Which algorithm, when? {', '.join(str(name) for name in self.sweep.algorithm.values)}"

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        meshes, matrices = self.sweep.sizes["mesh"], self.sweep.sizes["matrix"]
        winners, curves, bars = _winners(meshes, matrices), _curves(), _bars(self.sweep.sizes["algorithm"])
        cells = ColumnDataSource({name: [] for name in ("x", "y", "colour", "hatch", "text", "light")})
        winners.rect(
            "x",
            "y",
            1,
            1,
            source=cells,
            fill_color="colour",
            line_color="white",
            hatch_pattern="hatch",
            hatch_color=INK,
            hatch_alpha=0.35,
        )
        winners.text(
            "x",
            "y",
            "text",
            source=cells,
            text_font_size="14px",
            text_align="center",
            text_baseline="middle",
            text_color=INK,
            background_fill_color="white",
            background_fill_alpha="light",
        )
        frame = ColumnDataSource({"x": [0], "y": [0]})
        winners.rect("x", "y", 1, 1, source=frame, fill_color=None, line_color=INK, line_width=4)
        lines = [_line(curves, number) for number in range(self.sweep.sizes["algorithm"])]
        cursor = Span(location=1, dimension="height", line_color=INK, line_width=2)
        curves.add_layout(cursor)
        parts = ColumnDataSource({name: [] for name in ("left", "right", "y", "height", "colour")})
        totals = ColumnDataSource({"x": [], "y": [], "text": []})
        bars.hbar(
            y="y",
            left="left",
            right="right",
            height="height",
            source=parts,
            fill_color="colour",
            line_color="white",
        )
        bars.scatter(
            "x", "y", marker="dash", angle=np.pi / 2, size=36, source=totals, line_color=INK, line_width=4
        )
        bars.text(
            "x",
            "y",
            "text",
            x_offset=8,
            source=totals,
            text_font_size="14px",
            text_baseline="middle",
            text_color=INK,
        )
        foot = Spacer(sizing_mode="stretch_width", min_height=10)
        host = stage(
            winners, "sweeps", others=[curves, bars], taller=[winners, curves], winners=winners, curves=curves, bars=bars, cells=cells, frame=frame, lines=lines, cursor=cursor,
            parts=parts, totals=totals, foot=foot, axis=bars.yaxis[0], ticks=bars.yaxis[0].ticker,
            wide=[winners.xaxis[0], winners.xaxis[0].ticker], high=[winners.yaxis[0], winners.yaxis[0].ticker],
            setup=json.dumps(packed(self.sweep) | {"title": self.title, "model": SIMPLE, "signs": SIGNS}),
        )  # fmt: skip
        pictures = row(
            [winners, curves], sizing_mode="stretch_width", spacing=12, styles={"flex-wrap": "wrap"}
        )
        return column(pictures, host, bars, foot, spacing=4, sizing_mode="stretch_width")


def spread(sweep: xr.Dataset) -> xr.Dataset:
    """The sweep with all five dims in their order, those that were chosen away as dims of one."""
    for dim in DIMS:
        if dim not in sweep.dims:
            sweep = sweep.expand_dims({dim: [sweep.coords[dim].item() if dim in sweep.coords else ""]})
    return sweep.transpose(*DIMS, ...)


def packed(sweep: xr.Dataset) -> dict[str, Any]:
    """The sweep as the page needs it: flat lists in the order of the dims."""

    def flat(name: str) -> list[float]:
        values = sweep[name].astype(float).broadcast_like(sweep.cycles).transpose(*DIMS).values.ravel()
        return np.where(np.isfinite(values), values, -1).tolist()

    return {
        **{dim: [_told(value) for value in sweep[dim].values] for dim in DIMS},
        "cycles": flat("cycles"),
        "microseconds": [float(f"{value:.4g}") for value in flat("microseconds")],
        "fits": [value > 0 for value in flat("fits")],
        "relayed": [value > 0 for value in flat("relayed")] if "relayed" in sweep else [],
        "parts": {part: flat(part) for part in PARTS},
        "formula": formulas(sweep),
        "colours": COLOURS,
        "hatches": HATCHES,
        "markers": MARKERS,
        "shades": SHADES,
    }


def formulas(sweep: xr.Dataset) -> list[list[str]]:
    """The formula of every algorithm under every schedule, text of dims (schedule, algorithm); empty where none is given."""
    if "formula" not in sweep.variables:
        return []
    given = sweep.formula.drop_vars("formula", errors="ignore")
    wide = given.broadcast_like(sweep.cycles.isel(mesh=0, matrix=0, machine=0, drop=True))
    return [[str(words) for words in line] for line in wide.transpose("schedule", "algorithm").values]


def _told(value: Any) -> Any:
    """A coordinate as a number where it is one, else as text."""
    return value.item() if isinstance(value, np.number) else str(value)


def _winners(meshes: int, matrices: int) -> Any:
    picture = plain(
        figure(
            title="who wins", sizing_mode="stretch_width", min_width=380, max_width=900, height=330, x_range=Range1d(-0.5, meshes - 0.5), y_range=Range1d(-0.5, matrices - 0.5),
            tools="", x_axis_label="mesh, cores along a side", y_axis_label="matrix, entries along a side", output_backend="canvas",
        )
    )  # fmt: skip
    picture.grid.visible = False
    for axis in picture.axis:
        axis.ticker = FixedTicker(ticks=[])
    return picture


def _curves() -> Any:
    picture = plain(
        figure(
            title="cycles", height=330, sizing_mode="stretch_width", min_width=380, x_axis_type="log", y_axis_type="log", tools="",
            x_range=Range1d(1, 10), y_range=Range1d(1, 10), x_axis_label="mesh, cores along a side", y_axis_label="cycles", output_backend="canvas",
        )
    )  # fmt: skip
    picture.xaxis.formatter = NumeralTickFormatter(format="0,0")
    picture.xaxis.ticker = FixedTicker(ticks=[])
    return picture


def _bars(algorithms: int) -> Any:
    picture = plain(
        figure(
            title="this point taken apart", height=70 + 38 * algorithms, sizing_mode="stretch_width", tools="", x_axis_label="cycles",
            x_range=Range1d(0, 1), y_range=Range1d(algorithms - 0.4, -0.6), output_backend="canvas",
        )
    )  # fmt: skip
    picture.ygrid.visible = False
    picture.xaxis.formatter = NumeralTickFormatter(format="0,0")
    picture.yaxis.ticker = FixedTicker(ticks=[])
    return picture


def _line(picture: Any, number: int) -> ColumnDataSource:
    """One curve with markers, hollow where the algorithm does not fit."""
    source = ColumnDataSource({"x": [], "y": [], "fill": []})
    colour = COLOURS[number % len(COLOURS)]
    dash = ("solid", "dashed", "dotted", "dotdash")[number % 4]
    picture.line("x", "y", source=source, line_color=colour, line_width=3, line_dash=dash)
    picture.scatter(
        "x",
        "y",
        marker=MARKERS[number % len(MARKERS)],
        size=10,
        source=source,
        fill_color="fill",
        line_color=colour,
        line_width=2,
    )
    return source
