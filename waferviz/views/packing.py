"""Which bits are my weight?  The packing microscope: weights above, bytes below, lines between, and the wrong layout."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, Range1d, Span
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK, QUIET

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("part", "byte", "shift", "width", "weight", "w", "data", "code", "read", "bits_per_weight")
MOST = 256
TERNARY = 1.585
SIMPLE = (
    "Model: bits of a byte from the highest on the left to the lowest on the right; lanes count the bytes of a 16-byte "
    "register. The scales are left out, except in formats that carry one behind their bytes; bits per weight count neither."
)


class Packing(Page):
    """One packed block: follow a weight to its bits and a bit to its weights, or read the bytes with another layout.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.lowbit.specimen`, with at most 256 weights.

    Raises
    ------
    ValueError
        For none or several, a Dataset of another kind, or a matrix that is too large to draw.
    """

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.lowbit.specimen", 1)
        self.found = found[0]
        if self.found.w.size > MOST:
            raise ValueError(
                f"{self.found.w.size:,} weights: up to {MOST} are drawn; pack one block, for example w[:1, :128]"
            )

    @property
    def title(self) -> str:  # type: ignore[override]
        """What is asked, in one line."""
        return f"Which bits are my weight? {self.found.attrs['title']}"

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        meter = _meter(self.found)
        host = stage(
            meter, "drawing", "packing", accent=ACCENT, ink=INK,
            setup=json.dumps({"title": self.title, "model": SIMPLE, **packed(self.found)}),
        )  # fmt: skip
        return column(host, meter, spacing=4, sizing_mode="stretch_width", max_width=1240)


def packed(found: xr.Dataset) -> dict[str, Any]:
    """What the page needs: weights, bytes, fields, and what other layouts read."""
    outputs, length = found.w.shape
    fields = zip(
        *(found[name].values.tolist() for name in ("part", "byte", "shift", "width", "weight", "code")), strict=True
    )  # fmt: skip
    per_line = length * max(1, 32 // length) if outputs > 1 else min(32, length)
    return {
        "name": str(found.attrs["title"]), "source": str(found.attrs["source"]), "outputs": outputs, "K": length, "perLine": per_line,
        "weights": found.w.values.ravel().tolist(), "bytes": found.data.values.tolist(), "tail": int(found.attrs["tail"]),
        "fields": [[part, byte, shift, width, [one for one in owners if one >= 0], code] for part, byte, shift, width, owners, code in fields],
        "others": [{"name": str(name), "weights": one.values.ravel().tolist(), "says": str(says.values)} for name, one, says in zip(found.other.values, found["read"], found.reads, strict=True)],
    }  # fmt: skip


def _meter(found: xr.Dataset) -> Any:
    names = [str(name) for name in found.format.values]
    size = found.bits_per_weight.values
    mine = str(found.attrs["title"])
    names, size = (list(side) for side in zip(*sorted(zip(names, size.tolist(), strict=True), key=lambda pair: -pair[1]), strict=True))  # fmt: skip
    source = ColumnDataSource({"name": names, "bits": size, "words": [f"{one:.2f}" for one in size], "colour": [ACCENT if name == mine else QUIET for name in names]})  # fmt: skip
    picture = plain(figure(
        title="How many bits does a weight take?", height=330, sizing_mode="stretch_width", y_range=names, x_range=Range1d(0, 4.6), tools="",
        output_backend="canvas", x_axis_label="bits per weight; the line is log2(3) = 1.585, the least for three values",
    ))  # fmt: skip
    picture.hbar("name", right="bits", height=0.7, source=source, fill_color="colour", line_color=None)
    picture.text("bits", "name", text="words", source=source, x_offset=6, y_offset=7, text_font_size="14px", text_color=INK)  # fmt: skip
    picture.add_layout(Span(location=TERNARY, dimension="height", line_color=INK, line_dash="dashed", line_width=2))  # fmt: skip
    picture.ygrid.visible = False
    return picture
