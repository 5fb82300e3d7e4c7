"""Ours against theirs: every number that is not ours on one log-log picture, with a band of ten percent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, HoverTool, Range1d
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import EMPTY, INK, QUIET

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("theirs", "ours", "error", "within", "exact", "name", "comparison", "source", "note")
HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#7b3294", "#555555")
MARKS = ("circle", "triangle", "square", "diamond", "inverted_triangle", "hex", "plus", "star")
BAND = 0.1
LISTED = 12


class Validation(Page):
    """Theirs across, ours up, a mark per source, and a list of the figures that are farthest off with the reason.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.validate.validate`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset without their numbers.
    """

    title = "Ours against theirs"

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.validate.validate", 1)
        self.data = found[0]

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        pictures, shown = _pictures(self.data)
        setup = {
            "title": self.title,
            "said": _said(self.data),
            "comparisons": _lists(self.data),
            "sources": _sources(self.data),
        }
        host = stage(pictures[0], "validation", shown=shown, setup=json.dumps(setup))
        return row(column(*pictures, spacing=0), host, sizing_mode="stretch_width", spacing=16)


def _pictures(data: xr.Dataset) -> tuple[list[Any], list[list[Any]]]:
    """Ours over theirs as points and as a ratio, and the renderers of each source."""
    good = (data.theirs.values > 0) & (data.ours.values > 0)
    both = np.concatenate([data.theirs.values[good], data.ours.values[good]])
    ends = np.array([both.min() / 2, both.max() * 2])
    common = {
        "x_axis_type": "log",
        "x_range": Range1d(*ends),
        "width": 620,
        "tools": "pan,wheel_zoom,reset",
        "active_scroll": None,
    }
    points = plain(
        figure(
            title="Each number in its own units",
            y_axis_type="log",
            y_range=Range1d(*ends),
            height=370,
            y_axis_label="ours",
            **common,
        )
    )
    points.line(ends, ends, line_color=QUIET, line_width=1.5)
    name = f"Ours as a share of theirs; band: {BAND:.0%} more or less"
    ratio = plain(
        figure(
            title=name,
            y_range=Range1d(0, 1.5),
            height=260,
            x_axis_label="theirs: published, or simulated elsewhere",
            y_axis_label="ours / theirs",
            **common,
        )
    )
    ratio.varea(ends, [1 - BAND] * 2, [1 + BAND] * 2, fill_color=EMPTY)
    ratio.line(ends, [1, 1], line_color=QUIET, line_width=1.5)
    shown = [
        _points((points, ratio), data.isel(figure=good & (data.source.values == each["name"])), each)
        for each in _sources(data)
    ]
    for number, picture in enumerate((points, ratio)):
        picture.add_tools(HoverTool(renderers=[pair[number] for pair in shown], tooltips=_TIP))
    return [points, ratio], shown


def _points(pictures: tuple[Any, Any], data: xr.Dataset, source: dict[str, Any]) -> list[Any]:
    """The marks of one source in both pictures."""
    columns = {key: data[key].values.tolist() for key in ("theirs", "ours", "name", "units", "comparison")}
    columns["off"] = [f"{100 * error:+.1f} %" for error in data.error.values]
    columns["ratio"] = (data.ours / data.theirs).values.tolist()
    held = ColumnDataSource(columns)
    looks = {
        "marker": source["mark"],
        "size": 9,
        "fill_color": source["hue"],
        "fill_alpha": 0.5,
        "line_color": source["hue"],
        "source": held,
    }
    return [
        picture.scatter("theirs", up, **looks)
        for picture, up in zip(pictures, ("ours", "ratio"), strict=True)
    ]


_TIP = f"""<div style="font: 14px system-ui, sans-serif; color: {INK}; max-width: 340px">
<b>@name</b><br>theirs @theirs{{0,0.[0000]}}, ours @ours{{0,0.[0000]}} @units: @off<br>@comparison</div>"""


def _sources(data: xr.Dataset) -> list[dict[str, Any]]:
    """Sources in order of appearance, with hue, mark and number of figures."""
    names = list(dict.fromkeys(data.source.values.tolist()))
    return [
        {"name": name, "hue": HUES[number % 8], "mark": MARKS[number % 8], "figures": int((data.source.values == name).sum())}
        for number, name in enumerate(names)
    ]  # fmt: skip


def _said(data: xr.Dataset) -> str:
    number, exact = data.sizes["figure"], int(data.exact.sum())
    near = int((np.abs(data.error) <= BAND).sum())
    return f"{number:,} figures: {exact:,} exact, {near:,} within {BAND:.0%}, {number - near:,} farther off."


def _lists(data: xr.Dataset) -> list[dict[str, Any]]:
    """Each comparison with its figures that are farthest off."""
    lists = []
    for title in dict.fromkeys(data.comparison.values.tolist()):
        some = data.isel(figure=data.comparison.values == title)
        order = np.argsort(-np.abs(some.error.values), kind="stable")[:LISTED]
        rows = [
            [str(some.name.values[i]), float(some.theirs.values[i]), float(some.ours.values[i]), float(some.error.values[i]), str(some.units.values[i])]
            for i in order
        ]  # fmt: skip
        lists.append(
            {
                "title": title,
                "note": str(some.note.values[0]),
                "number": some.sizes["figure"],
                "exact": int(some.exact.sum()),
                "rows": rows,
            }
        )
    return sorted(lists, key=lambda each: -max(abs(line[3]) for line in each["rows"]))
