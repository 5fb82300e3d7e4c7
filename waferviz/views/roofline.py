"""The roofline: memory, compute, words and distance roofs of a machine, and programs as labelled marks below them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column
from bokeh.models import ColumnDataSource, NumeralTickFormatter, Range1d
from bokeh.plotting import figure

from waferviz.views.page import LABEL, Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("intensity", "rate", "share", "bound", "height", "kind", "at")
LINES = {"memory": ("#31688e", "solid"), "compute": (INK, "solid"), "words": ("#00735c", "dotted"), "distance": ("#8a6508", "dashed"), "reference": ("#8a93a3", "dotdash")}  # fmt: skip
PLACES = {"memory": (0, 0, 0, 0), "words": (0.1, 0, 0, 0), "distance": (0.7, 0.7, 0.7, 0.7)}
SIMPLE = (
    "Model: a step reads both tiles it multiplies and the sum so far once, and writes the new sum once; what routers move is not counted. "
    "Memory is the cores' own on the mesh, and off the chip for the processors to compare with. The words roof takes "
    "nothing but the words over the busiest link or ramp of every step, the distance roof nothing but its longest way; "
    "tiles twice as wide hold eight times the work and four times the words, and travel as far. A barrier ends every step."
)


class Roofline(Page):
    """Roofs as lines on logarithmic axes, one mark per program, and a table that says how near it comes.

    Parameters
    ----------
    rooflines : sequence of Dataset
        One, from `waferviz.roofline`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset that is no roofline.
    """

    def __init__(self, rooflines: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(rooflines, NEEDED, "waferviz.roofline", 1)
        self.roofs = rooflines[0]

    @property
    def title(self) -> str:  # type: ignore[override]
        """What is limited, in one line."""
        attrs = self.roofs.attrs
        mesh = " x ".join(str(side) for side in attrs.get("mesh", ()))
        return f"What is the limit? {', '.join(self.roofs.mark.values)} on {mesh} cores, {attrs.get('machine', '')}"

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        roofs = self.roofs
        picture = _axes(roofs)
        lowest = roofs.height.where(roofs.kind.isin(["memory", "compute"])).min("roof")
        for name in roofs.roof.values:
            one = roofs.sel(roof=name)
            alike = roofs.roof.values[(roofs.kind == one.kind).values]
            _line(picture, one, lowest.values / 1e12, list(alike).index(name))
        marks = ColumnDataSource({
            "x": roofs.intensity.values, "y": roofs.rate.values / 1e12, "name": [str(name) for name in roofs.mark.values],
            "size": [13] * roofs.sizes["mark"], "marker": [("circle", "square", "triangle", "diamond")[at % 4] for at in range(roofs.sizes["mark"])],
        })  # fmt: skip
        drop = ColumnDataSource({"x": [], "y": []})
        picture.line("x", "y", source=drop, line_color=ACCENT, line_width=3)
        picture.scatter(
            "x",
            "y",
            size="size",
            marker="marker",
            source=marks,
            fill_color=ACCENT,
            line_color=INK,
            line_width=1.5,
        )
        host = stage(
            picture,
            "roofline",
            taller=[picture],
            marks=marks,
            drop=drop,
            setup=json.dumps({"title": self.title, "marks": packed(roofs), "model": SIMPLE, "lines": LINES}),
        )
        return column(picture, host, spacing=4, sizing_mode="stretch_width")


def packed(roofs: xr.Dataset) -> list[dict[str, Any]]:
    """One entry per program: numbers and the lowest of its roofs."""
    rows = zip(
        roofs.mark.values,
        roofs.intensity.values,
        roofs.rate.values,
        roofs.share.values,
        roofs.bound.values,
        strict=True,
    )
    return [
        {"name": str(name), "intensity": float(at), "rate": float(rate) / 1e12, "share": float(share), "bound": str(bound)}
        for name, at, rate, share, bound in rows
    ]  # fmt: skip


def _axes(roofs: xr.Dataset) -> Any:
    at, rate = roofs["at"].values, roofs.rate.values / 1e12
    peak = roofs.height.where(roofs.kind.isin(["compute", "reference"])).max() / 1e12
    picture = figure(
        height=400, sizing_mode="stretch_width", x_axis_type="log", y_axis_type="log", tools="pan,wheel_zoom,reset", active_scroll=None,
        x_range=Range1d(at[0], at[-1]), y_range=Range1d(float(rate.min()) / 8, float(peak) * 2.5), output_backend="canvas",
        x_axis_label="work per byte of memory, FLOP/B", y_axis_label="rate, TFLOP/s",
    )  # fmt: skip
    for axis in plain(picture).axis:
        axis.formatter = NumeralTickFormatter(format="0,0.[000000]")
    return picture


def _line(picture: Any, roof: xr.Dataset, lowest: np.ndarray, number: int) -> None:
    """One roof as far as it is the lowest of its kind, its name beside it; flat ones are named at the right end."""
    kind, name = str(roof.kind.values), str(roof.roof.values)
    colour, dash = LINES[kind]
    x, y = roof["at"].values, roof.height.values / 1e12
    y = np.where(y <= lowest * 1.0001, y, np.nan) if kind != "reference" else y
    picture.line(x, y, line_color=colour, line_dash=dash, line_width=3 if kind != "reference" else 2)
    low, high = picture.y_range.start, picture.y_range.end
    seen = np.flatnonzero((y > low * 1.6) & (y < high / 1.6))
    if not len(seen):
        return
    flat = kind in {"compute", "reference"}
    place = int(seen[-1]) if flat else int(seen[int(len(seen) * PLACES[kind][number % 4])])
    left = flat or (kind == "distance" and number > 0)
    words = "" if kind == "words" and number else _short(name)
    picture.text(
        [x[place]], [y[place]], [words], text_font_size="14px", text_color=LABEL if kind == "reference" else colour,
        background_fill_color="white", background_fill_alpha=0.85, text_align="right" if left else "left", x_offset=-10 if left else 10, y_offset=-5 if flat else 12,
    )  # fmt: skip


def _short(name: str) -> str:
    """Whose roof it is where it is a program's, else of what."""
    what, _, whose = name.partition(" roof")
    return whose.removeprefix(", ") or what
