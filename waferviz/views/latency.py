"""The latency map: how long a word travels from one core to every other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import row
from bokeh.models import ColumnDataSource, Range1d
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK, PALETTES

if TYPE_CHECKING:
    import xarray as xr

NEEDED = ("hops", "cycles", "relayed")
SIMPLE = (
    "Model: a message alone on an empty mesh, along the row, then the column: words + hops times hop + 2 ramp + 1 cycles when "
    "routers pass it on, words + hops times relay when every core on the way takes it in and sends it on. A core reads its own memory in one cycle. Queues come on top."
)


class Latency(Page):
    """A map of cycles from one core to all others; the sender moves with a click or the arrow keys.

    Parameters
    ----------
    found : sequence of Dataset
        One, from `waferviz.wafer.latency`.

    Raises
    ------
    ValueError
        For none or several, or a Dataset that is no latency map.
    """

    def __init__(self, found: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(found, NEEDED, "waferviz.wafer.latency", 1)
        self.found = found[0]

    @property
    def title(self) -> str:  # type: ignore[override]
        """What is asked, in one line."""
        return f"How far is it from here? {self.found.attrs['machine']}"

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        high, wide = self.found.sizes["y"], self.found.sizes["x"]
        scale = min(560 / wide, 480 / high)
        picture = plain(
            figure(
                title=" ", width=int(wide * scale) + 70, height=int(high * scale) + 80, x_range=Range1d(0, wide), y_range=Range1d(high, 0),
                tools="tap", x_axis_label="x, column of cores", y_axis_label="y, row of cores", output_backend="canvas",
            )
        )  # fmt: skip
        picture.grid.visible = False
        bar = plain(
            figure(
                title=" ",
                width=120,
                height=int(high * scale) + 80,
                tools="",
                x_range=Range1d(0, 1),
                y_range=Range1d(0, 1),
                y_axis_location="right",
                y_axis_label="cycles",
            )
        )
        bar.xaxis.visible = bar.grid.visible = False
        image = ColumnDataSource({"image": [np.zeros((1, 1), np.uint32)], "dw": [wide], "dh": [high]})
        shades = ColumnDataSource({"image": [np.zeros((1, 1), np.uint32)], "dh": [1]})
        sender = ColumnDataSource({"x": [0.0], "y": [0.0]})
        picture.image_rgba("image", x=0, y=0, dw="dw", dh="dh", source=image)
        picture.scatter(
            "x",
            "y",
            source=sender,
            marker="circle",
            size=14,
            fill_color=ACCENT,
            line_color="#ffffff",
            line_width=2,
        )
        bar.image_rgba("image", x=0, y=0, dw=1, dh="dh", source=shades)
        host = stage(
            picture, "codec", "latency", taller=[bar], larger=[picture], image=image, shades=shades, sender=sender, picture=picture, bar=bar, colours=PALETTES["amount"], ink=INK,
            setup=json.dumps({"title": self.title, "model": SIMPLE, "rows": high, "columns": wide, **_numbers(self.found)}),
        )  # fmt: skip
        return row(picture, bar, host, sizing_mode="stretch_width", spacing=6)


def _numbers(found: xr.Dataset) -> dict[str, Any]:
    """The numbers of the machine, as the page needs them."""
    attrs = found.attrs
    numbers = {name: float(attrs[name]) for name in ("words", "hop", "ramp", "relay", "clock")}
    return {
        **numbers,
        "machine": str(attrs["machine"]),
        "core": [int(side) for side in attrs["core"]],
        "torus": bool(attrs["torus"]),
    }
