"""Who builds the table?  Beside every array, by an operation of its own, or fused into the one before."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, NumeralTickFormatter
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("built", "additions", "share", "traffic")
PLACES = ("per array", "separate", "fused")
SIMPLE = (
    "Model: additions that build tables by doubling, and the bytes that activations (out and in again) and tables (out) take "
    "through memory before the product reads them. How long that takes is not modelled; published for one layer: 16 to 24 % more time as an operation of its "
    "own, 2.5 % fused."
)


class Builders(Page):
    """Arrays filling up with the same table, two graphs of operators, and the additions of the three on one scale.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.lowbit.precompute`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset of another kind.
    """

    title = "Who builds the table?"

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.lowbit.precompute", 1)
        self.found = found[0]

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        shown = packed(self.found)
        bars = ColumnDataSource({
            "place": list(PLACES), "additions": [shown[place]["additions"] for place in PLACES],
            "words": [f"{_large(shown[place]['additions'])} additions, {_three(100 * shown[place]['share'])} % of the lookups" for place in PLACES],
        })  # fmt: skip
        least, most = min(bars.data["additions"]), max(bars.data["additions"])
        picture = plain(figure(
            title="Additions for the tables", height=190, sizing_mode="stretch_width", tools="", y_range=list(PLACES)[::-1], x_axis_type="log",
            x_range=(least / 10, most * 1000), x_axis_label="additions, each mark ten times the one before or more (m: million, b: billion, t: trillion)", output_backend="canvas",
        ))  # fmt: skip
        picture.hbar("place", left=least / 10, right="additions", height=0.6, source=bars, fill_color="#31688e", line_color=None)  # fmt: skip
        picture.text("additions", "place", text="words", source=bars, x_offset=6, y_offset=7, text_font_size="14px", text_color=INK)  # fmt: skip
        picture.xaxis.formatter = NumeralTickFormatter(format="0a")
        host = stage(
            picture, "drawing", "builders", accent=ACCENT, setup=json.dumps({"title": self.title, "model": SIMPLE, "places": shown}),
        )  # fmt: skip
        return column(host, picture, spacing=4, sizing_mode="stretch_width", max_width=1240)


def packed(found: xr.Dataset) -> dict[str, dict[str, float]]:
    """Numbers of each place, and the activations that enter."""
    return {
        place: {
            name: float(found[name].sel(place=place)) for name in ("built", "additions", "share", "traffic")
        }
        for place in PLACES
    }


def _large(number: float) -> str:
    """A count in words: 541 billion."""
    for size, word in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if number >= size:
            return f"{_three(number / size)} {word}"
    return f"{number:,.0f}"


def _three(number: float) -> str:
    """Three digits of a number, without an exponent."""
    return f"{float(f'{number:.3g}'):,.10g}"
