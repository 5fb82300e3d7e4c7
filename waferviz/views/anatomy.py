"""What is one bit in a one-bit model?  Every part with its bits, its bytes and its energy, by the tokens in the cache."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, FactorRange, Range1d, Spacer
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage

if TYPE_CHECKING:
    import xarray as xr

NEEDED = (
    "fixed",
    "bits_wide",
    "per_token",
    "linear",
    "quadratic",
    "low_bit",
    "weight_bits",
    "activation_bits",
)
KINDS = ("ternary layers", "embedding, norms, head", "cache")
SHADES = ("#1f6f8b", "#b8860b", "#9aa3b2")
SIMPLE = (
    "Model: ternary weights in 2 bits, everything else in 16; energy of additions and multiplications alone, attention without a "
    "causal mask; norms, softmax, the head and scales are left out of the energy, activations on their way out of the bytes."
)


class Anatomy(Page):
    """Stacked bars of the memory, and a table of the parts with a bar for bytes and one for energy.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.lowbit.anatomy`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset of another kind.
    """

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.lowbit.anatomy", 1)
        self.found = found[0]

    @property
    def title(self) -> str:  # type: ignore[override]
        """What is asked, in one line."""
        return f"What is one bit in a one-bit model? {self.found.attrs['model']}"

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        bars = ColumnDataSource({"row": [], "left": [], "right": [], "colour": [], "words": [], "middle": []})
        across = Range1d(0, 1)
        picture = plain(figure(
            title=" ", height=190, sizing_mode="stretch_width", tools="", x_range=across, y_range=FactorRange("as stored", "all in 16 bits"),
            x_axis_label="memory, GB", output_backend="canvas",
        ))  # fmt: skip
        picture.hbar("row", left="left", right="right", height=0.7, source=bars, fill_color="colour", line_color="white")  # fmt: skip
        picture.text("middle", "row", text="words", source=bars, text_align="center", y_offset=8, text_font_size="14px", text_color="white", text_font_style="bold")  # fmt: skip
        picture.ygrid.visible = False
        foot = Spacer(sizing_mode="stretch_width", min_height=10)
        host = stage(
            picture, "anatomy", bars=bars, across=across, shades=list(SHADES), foot=foot,
            setup=json.dumps({"title": self.title, "model": SIMPLE, "kinds": KINDS, "parts": packed(self.found)}),
        )  # fmt: skip
        return column(host, picture, foot, spacing=4, sizing_mode="stretch_width", max_width=1240)


def packed(found: xr.Dataset) -> list[dict[str, Any]]:
    """One entry per part; null bits where a part has no weights."""
    numbers = ("fixed", "bits_wide", "per_token", "linear", "quadratic")
    bits = ("weight_bits", "activation_bits")
    return [
        {
            "name": str(one.part.values),
            "low": bool(one.low_bit),
            "note": str(one.note.values),
            **{name: float(one[name]) for name in numbers},
            **{name: float(one[name]) if one[name].notnull() else None for name in bits},
        }
        for one in (found.isel(part=at) for at in range(found.sizes["part"]))
    ]
