"""The budget card: does a program fit a chip?  Four letters, each against its limit, with the map of that letter."""

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
from waferviz.views.style import INK, PALETTES

if TYPE_CHECKING:
    import xarray as xr

MOST = 4
NEEDED = ("used", "limit", "ok", "step", "y", "x", "fix", "sentence", "letter", "what", "unit")
NAMES = {"P": "Parallelism", "L": "Latency", "M": "Memory", "R": "Routing"}
MAPS = {"L": "reach", "M": "memory", "R": "routes"}
SIMPLE = (
    "Model: memory is what the program sets aside for tiles, without code and stack; routes are counted over the "
    "whole program, flows with the same ends share one; a way is counted in hops along the row, then the column."
)


class Budget(Page):
    """One column per program, one row per letter of PLMR, and the map of the chosen letter.

    Parameters
    ----------
    checks : sequence of Dataset
        One to four verdicts from `waferviz.check`; `memory`, `routes` and `reach` of dims (core_y, core_x) are the maps.

    Raises
    ------
    ValueError
        For no verdict or too many, or a Dataset that is no verdict.
    """

    def __init__(self, checks: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(checks, NEEDED, "waferviz.check", MOST)
        self.checks = tuple(checks)

    @property
    def title(self) -> str:  # type: ignore[override]
        """What is asked, in one line."""
        machines = ", ".join(dict.fromkeys(str(check.attrs.get("machine", "")) for check in self.checks))
        names = ", ".join(str(check.attrs.get("program", "program")) for check in self.checks)
        return f"Does it fit? {names} on {machines}"

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        core_map, bar = _map(), _colour_bar()
        sources = {
            name: ColumnDataSource(data)
            for name, data in {
                "image": {"image": [np.zeros((1, 1), np.uint32)], "dw": [1], "dh": [1]},
                "first": {"x": [], "y": [], "size": []},
                "chip": {"xs": [], "ys": []},
                "shades": {"image": [np.zeros((1, 1), np.uint32)], "dh": [1]},
                "limit": {"y": [], "text": []},
            }.items()
        }
        core_map.image_rgba("image", x=0, y=0, dw="dw", dh="dh", source=sources["image"])
        core_map.multi_line("xs", "ys", source=sources["chip"], line_color=INK, line_width=2)
        for colour, width in ((INK, 8), ("white", 4)):
            core_map.scatter(
                "x", "y", size="size", marker="square", source=sources["first"], fill_color=None, line_color=colour, line_width=width,
            )  # fmt: skip
        bar.image_rgba("image", x=0, y=0, dw=1, dh="dh", source=sources["shades"])
        bar.hspan("y", source=sources["limit"], line_color="#b3263c", line_width=4, line_dash="dashed")
        host = stage(
            core_map, "codec", "budget", others=[bar], map=core_map, bar=bar, axis=bar.yaxis[0], ticks=bar.yaxis[0].ticker, sources=sources,
            setup=json.dumps({"title": self.title, "programs": [packed(check) for check in self.checks], "model": SIMPLE}),
            colours=PALETTES["amount"],
        )  # fmt: skip
        host.min_width = 140 + 150 * len(self.checks)
        beside = column(row(core_map, bar), width=510)
        return row(host, beside, sizing_mode="stretch_width", spacing=12, styles={"flex-wrap": "wrap"})


def packed(check: xr.Dataset) -> dict[str, Any]:
    """One verdict as the page needs it: texts and numbers per letter, maps as deflated 32-bit integers."""
    attrs = check.attrs
    letters = [_letter(check.sel(letter=letter)) for letter in check.letter.values]
    return {
        "name": str(attrs.get("program", "program")),
        "machine": str(attrs.get("machine", "")),
        "mesh": str(attrs.get("mesh", "")),
        "whatIf": bool(attrs.get("what_if", False)),
        "chip": [int(side) for side in check.chip.values] if "chip" in check else [],
        "letters": letters,
        "maps": {letter: deflated(check[name]) for letter, name in MAPS.items() if name in check},
    }


def _letter(one: xr.Dataset) -> dict[str, Any]:
    limit, core = float(one.limit), (int(one.y), int(one.x))
    return {
        "letter": str(one.letter.values),
        "name": NAMES.get(str(one.letter.values), ""),
        "what": str(one.what.values),
        "unit": str(one.unit.values),
        "used": float(one.used),
        "limit": limit if np.isfinite(limit) else None,
        "ok": bool(one.ok),
        "step": int(one.step),
        "core": core if min(core) >= 0 else None,
        "fix": str(one.fix.values),
        "sentence": str(one.sentence.values),
    }


def deflated(values: Any) -> dict[str, Any]:
    """An integer map (y, x) with its shape and largest entry; deflated, as text."""
    plain_values = np.ascontiguousarray(values, dtype="<i4")
    return {
        "rows": plain_values.shape[0],
        "columns": plain_values.shape[1],
        "most": int(plain_values.max(initial=0)),
        "data": base64.b64encode(zlib.compress(plain_values.tobytes(), 6)).decode(),
    }


def _map() -> Any:
    return plain(
        figure(
            title=" ", x_range=Range1d(0, 1), y_range=Range1d(1, 0), width=390, height=400, tools="pan,wheel_zoom,reset", active_scroll=None,
            x_axis_label="x, column of cores", y_axis_label="y, row of cores", output_backend="canvas",
        )
    )  # fmt: skip


def _colour_bar() -> Any:
    picture = plain(
        figure(
            title=" ",
            x_range=Range1d(0, 1),
            y_range=Range1d(0, 1),
            y_axis_location="right",
            width=110,
            height=400,
            tools="",
        )
    )
    picture.xaxis.visible = picture.grid.visible = False
    picture.yaxis.ticker = FixedTicker(ticks=[])
    return picture
