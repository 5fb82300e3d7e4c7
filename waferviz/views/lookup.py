"""Where did the multiply go?  The lookup, played: activations to table, weight bits to index, entry to accumulator."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column
from bokeh.models import BasicTicker, ColorBar, ColumnDataSource, FixedTicker, LinearColorMapper, Range1d
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK, PALETTES

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("activation", "code", "half", "index", "sign", "address", "value", "total", "result", "odd_zero")
OUTPUTS, CYCLES, DOTS, GROUP = 8, 64, 512, 4
SIMPLE = (
    "Model: one plane of one group in a cycle, all outputs at once, as a unit of LUT Tensor Core works; a 0 bit counts an "
    "activation negative, a 1 bit positive. Building a table by doubling takes 2^g - 2 additions. Scales and zero points "
    "are applied once at the end; their few multiplications are not in the table of operations."
)


class Lookup(Page):
    """One token's lookups: the table with its mirror half, the outputs that read it, the clock of planes, the gather.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.lowbit.lookups`, with groups of up to 4.  The first 8 outputs and 64 cycles are played, up to
        512 outputs are drawn as dots on the map of the table.

    Raises
    ------
    ValueError
        For none or several, a Dataset of another kind, or groups of more than 4.
    """

    title = "Where did the multiply go?"

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.lowbit.lookups", 1)
        self.found = found[0]
        if self.found.attrs["size"] > GROUP:
            raise ValueError(
                f"group={self.found.attrs['size']}: tables of up to {2**GROUP} entries are drawn, group {GROUP} or less"
            )

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        shown = packed(self.found)
        dots = ColumnDataSource({"x": [], "y": [], "colour": []})
        heat = _heat(np.array(shown["tables"]), dots)
        host = stage(
            heat, "drawing", "lookup", dots=dots, accent=ACCENT, ink=INK,
            setup=json.dumps({"title": self.title, "model": SIMPLE, **shown}),
        )  # fmt: skip
        return column(host, heat, spacing=4, sizing_mode="stretch_width", max_width=1240)


def packed(found: xr.Dataset) -> dict[str, Any]:
    """What the page needs: a few outputs in words and numbers, all indices as bytes."""
    bits, size = found.attrs["bits"], found.attrs["size"]
    cycles = min(found.sizes["cycle"], CYCLES // bits * bits)
    few = found.isel(output=slice(0, OUTPUTS), cycle=slice(0, cycles))
    tables = np.concatenate([few.half, -few.half[:, ::-1].values.astype(np.float64)], axis=1)[
        : cycles // bits
    ]
    dots = found["index"].isel(output=slice(0, DOTS), cycle=slice(0, cycles)).values.astype(np.uint8)
    per_cycle = {name: few[name].values.tolist() for name in ("index", "sign", "address", "value", "total")}
    return {
        "bits": bits, "size": size, "cycles": cycles, "all": found.sizes["cycle"], "table": found.attrs["table"],
        "outputs": found.sizes["output"], "tableScale": found.attrs["table_scale"], "sum": found.attrs["sum"],
        "activations": few.activation.values[: cycles // bits].tolist(), "tables": tables.tolist(),
        "codes": few.code.values[:, : cycles // bits].tolist(), "result": few.result.values.tolist(),
        "zero": few.odd_zero.values.tolist(), "scale": few["scale"].values.tolist(), **per_cycle,
        "dots": base64.b64encode(dots.tobytes()).decode(), "dotted": dots.shape[1],
    }  # fmt: skip


def _heat(tables: np.ndarray, dots: ColumnDataSource) -> Any:
    groups, entries = tables.shape
    most = max(float(np.abs(tables).max()), 1e-300)
    picture = plain(figure(
        title=" ", height=290, sizing_mode="stretch_width", tools="", output_backend="canvas", x_axis_label="group of activations",
        y_axis_label="table index", x_range=Range1d(-0.5, groups - 0.5), y_range=Range1d(entries - 0.5, -0.5),
    ))  # fmt: skip
    colours = LinearColorMapper(palette=PALETTES["difference"][1:], low=-most, high=most)
    picture.image([tables.T], x=-0.5, y=-0.5, dw=groups, dh=entries, color_mapper=colours)
    picture.scatter("x", "y", source=dots, size=7, fill_color="colour", line_color="white")
    picture.yaxis.ticker = FixedTicker(ticks=list(range(0, entries, max(1, entries // 8))))
    picture.xaxis.ticker = BasicTicker(min_interval=1)
    bar = ColorBar(
        color_mapper=colours,
        width=14,
        title="entry",
        title_text_font_size="14px",
        major_label_text_font_size="14px",
    )
    picture.add_layout(bar, "right")
    return picture
