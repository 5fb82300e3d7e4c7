"""How much does a rounded table cost?  The errors of a product, live, by table scale and by the way entries are added."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, Range1d
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("errors", "error", "nmse", "largest", "bound", "mean")
SIMPLE = (
    "Model: the largest entry of all tables that share a scale becomes 127, so one large activation makes the steps of all "
    "of them coarse. Averages are taken in trees of up to 16 entries, each rounding up; the correction takes the average "
    "excess off. Errors are those of the tables alone, the weights are the same."
)


class Rounding(Page):
    """A histogram of errors with a slider for the table scale and a switch for the way to add.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.lowbit.errors`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset of another kind.
    """

    title = "How much does a rounded table cost?"

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.lowbit.errors", 1)
        self.found = found[0]

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        bars = ColumnDataSource({name: [] for name in ("left", "right", "top")})
        marks = ColumnDataSource({"x": []})
        across, up = Range1d(-1, 1), Range1d(0, 1)
        picture = plain(figure(
            title=" ", height=340, sizing_mode="stretch_width", tools="", x_range=across, y_range=up, output_backend="canvas",
            x_axis_label="error of an output, in standard deviations of the exact outputs", y_axis_label="outputs",
        ))  # fmt: skip
        picture.quad(left="left", right="right", bottom=0, top="top", source=bars, fill_color="#31688e", line_color="white")  # fmt: skip
        picture.vspan("x", source=marks, line_color=ACCENT, line_width=3, line_dash="dashed")
        picture.vspan(x=[0], line_color=INK, line_width=1)
        host = stage(
            picture, "rounding", bars=bars, marks=marks, across=across, up=up,
            setup=json.dumps({"title": self.title, "model": SIMPLE, **packed(self.found)}),
        )  # fmt: skip
        return column(host, picture, spacing=4, sizing_mode="stretch_width", max_width=1100)


def packed(found: xr.Dataset) -> dict[str, Any]:
    """What the page needs: counts and four numbers of every choice."""
    return {
        "shares": found.share.values.tolist(),
        "ways": [str(name) for name in found.aggregate.values],
        "error": found.error.values.tolist(),
        "errors": found.errors.values.tolist(),
        "K": int(found.attrs["K"]),
        "outputs": int(found.attrs["outputs"]),
        **{name: found[name].values.tolist() for name in ("nmse", "largest", "bound", "mean")},
    }
