"""What do fewer bits cost, and what do they buy?  Published curves of perplexity, and of time by weight bits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import Range1d
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import INK

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("perplexity", "parameters", "layer_time")
LOOKS = ((INK, "solid", "circle"), ("#b8860b", "dashed", "square"))


class FewerBits(Page):
    """Perplexity against size for 16 and 1.58 bits; time of a layer against weight bits where weights are widened again.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.lowbit.fewer_bits`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset of another kind.
    """

    title = "What do fewer bits cost, and what do they buy?"

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.lowbit.fewer_bits", 1)
        self.found = found[0]

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        found = self.found
        left = _lines("They cost less, the larger the model", found.parameters.values / 1e9, found.perplexity, "parameters of the linear layers, 1e9", (0, 3.6), (9, 13.5))  # fmt: skip
        bits = found.weight_bits.values
        right = _lines("They buy time only where they are not widened again", np.log2(bits), found.layer_time / found.layer_time.isel(weight_bits=0), "bits of a weight", (-0.2, 4.2), (0, 1.3))  # fmt: skip
        right.xaxis.ticker = np.log2(bits).tolist()
        right.xaxis.major_label_overrides = {int(np.log2(one)): str(one) for one in bits}
        right.yaxis.axis_label = "time of a layer, 16 bits = 1"
        said = stage(left, "said", title=self.title, said=words(found))
        return column(
            said,
            row(left, right, sizing_mode="stretch_width", spacing=12),
            sizing_mode="stretch_width",
            max_width=1240,
        )


def words(found: xr.Dataset) -> str:
    """What the two pictures show, in sentences."""
    gap = (found.perplexity.isel(weights=1) - found.perplexity.isel(weights=0)).values
    time = found.layer_time.values
    return (
        f"Perplexity of 1.58 bits less that of 16 bits: {', '.join(f'{one:+.2f} at {size}' for one, size in zip(gap, found['size'].values, strict=True))}. "
        f"From 16 bits to 1, decoding takes {time[-1, 0] / time[0, 0]:.0%} of the time, prefill {time[-1, 1] / time[0, 1]:.0%}: "
        f"decoding waits for weights, prefill for multiplications, which stay 16 bits wide. Source: {found.attrs['source']}."
    )


def _lines(
    title: str,
    x: Any,
    y: xr.DataArray,
    across: str,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
) -> Any:
    picture = plain(figure(
        title=title, height=340, sizing_mode="stretch_width", tools="", x_axis_label=across, y_axis_label=y.attrs.get("long_name", ""),
        x_range=Range1d(*x_range), y_range=Range1d(*y_range), output_backend="canvas",
    ))  # fmt: skip
    for name, line, (colour, dash, mark) in zip(y[y.dims[1]].values, y.values.T, LOOKS, strict=True):
        picture.line(x, line, line_color=colour, line_dash=dash, line_width=3, legend_label=str(name))
        picture.scatter(x, line, marker=mark, size=10, fill_color=colour, line_color="white", legend_label=str(name))  # fmt: skip
    picture.legend.label_text_font_size = "14px"
    picture.legend.location = "bottom_left" if x_range[0] == 0 else "bottom_right"
    return picture
