"""Which kernel when?  Published speeds of kernels, as tokens and as the bytes of weights they read in a second."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, FactorRange, Range1d
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK, QUIET

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("speed", "bits", "traffic")
SIMPLE = (
    "Model: none, these are published measurements. Bytes read per second are worked out: tokens per second times the weights of "
    "the linear layers times bits per weight. A kernel that reads as many bytes as 16-bit weights do waits for memory; one "
    "that reads fewer waits for itself."
)


class Kernels(Page):
    """A bar per kernel for a computer and a model size, in tokens or in bytes per second.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.lowbit.kernels`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset of another kind.
    """

    title = "Which kernel when?"

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.lowbit.kernels", 1)
        self.found = found[0]

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        names = [str(name) for name in self.found.kernel.values]
        bars = ColumnDataSource({"name": [], "right": [], "words": [], "colour": []})
        rows, across = FactorRange(*names[::-1]), Range1d(0, 1)
        picture = plain(figure(title=" ", height=330, sizing_mode="stretch_width", tools="", y_range=rows, x_range=across, x_axis_label=" ", output_backend="canvas"))  # fmt: skip
        picture.hbar("name", right="right", height=0.7, source=bars, fill_color="colour", line_color=None)
        picture.text("right", "name", text="words", source=bars, x_offset=6, y_offset=7, text_font_size="14px", text_color=INK)  # fmt: skip
        picture.ygrid.visible = False
        host = stage(
            picture, "kernels", bars=bars, rows=rows, across=across, axis=picture.xaxis[0], colours=[QUIET, "#31688e", ACCENT],
            setup=json.dumps({"title": self.title, "model": SIMPLE, **packed(self.found)}),
        )  # fmt: skip
        return column(host, picture, spacing=4, sizing_mode="stretch_width", max_width=1100)


def packed(found: xr.Dataset) -> dict[str, Any]:
    """What the page needs; null where nothing was measured."""
    hollow = {
        name: found[name].astype(object).where(found[name].notnull(), None).values.tolist()
        for name in ("speed", "traffic")
    }
    names = {key: [str(name) for name in found[key].values] for key in ("kernel", "size", "cpu")}
    return {**hollow, **names, "bits": found.bits.values.tolist(), "source": str(found.attrs["source"])}
