"""Does the sum fit into 16 bits?  A lane of a kernel, addition by addition: the true sum and what the register holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, NumeralTickFormatter, Range1d
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("true", "held", "widened")
SIMPLE = (
    "Model: one lane of 16 bits. I2_S adds 128 pairs of products, T-MAC 16 entries, before the lane is added to a wide sum "
    "and starts anew; TL1 and TL2 leave it to the block size. Overflow wraps around, as the instructions do."
)


class Headroom(Page):
    """Running sums of four kernels, for random numbers and for the worst case, played weight by weight.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.lowbit.running_sums`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset of another kind.
    """

    title = "Does the sum fit into 16 bits?"

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.lowbit.running_sums", 1)
        self.found = found[0]

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        found, limit = self.found, self.found.attrs["limit"]
        true, held = (ColumnDataSource({"x": [], "y": []}) for _ in range(2))
        picture = plain(figure(
            title=" ", height=350, sizing_mode="stretch_width", tools="", output_backend="canvas", x_axis_label="weights added",
            y_axis_label="sum in the lane", x_range=Range1d(0, found.sizes["added"] - 1), y_range=Range1d(-1.1 * limit, 2.1 * limit),
        ))  # fmt: skip
        picture.yaxis.formatter = NumeralTickFormatter(format="0,0")
        picture.hspan(y=[-limit - 1, limit], line_color="#b3263c", line_width=3, line_dash="dashed")
        picture.text(
            [2], [limit], ["largest number of 16 bits: 32,767"], text_font_size="14px", y_offset=-4, text_color="#b3263c"
        )  # fmt: skip
        picture.line(
            "x", "y", source=true, line_color=INK, line_width=2, line_dash="dotted", legend_label="true sum"
        )
        picture.line("x", "y", source=held, line_color=ACCENT, line_width=3, legend_label="what 16 bits hold")
        picture.legend.label_text_font_size = "14px"
        picture.legend.location = "top_right"
        host = stage(
            picture, "headroom", true=true, held=held,
            setup=json.dumps({"title": self.title, "model": SIMPLE, "limit": limit, **packed(found)}),
        )  # fmt: skip
        return column(host, picture, spacing=4, sizing_mode="stretch_width", max_width=1100)


def packed(found: xr.Dataset) -> dict[str, Any]:
    """What the page needs: sums of every kernel and input."""
    return {
        "kernels": [str(name) for name in found.kernel.values],
        "inputs": [str(name) for name in found.input.values],
        "widened": found.widened.values.tolist(),
        "true": found.true.values.tolist(),
        "held": found.held.values.tolist(),
    }
