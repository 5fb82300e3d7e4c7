"""Waves of sums and broadcasts: the tree over the cores, and for a line of cores what each does at every cycle."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import BoxAnnotation, ColumnDataSource, NumeralTickFormatter, Range1d, Spacer, Span
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, EMPTY, INK

if TYPE_CHECKING:
    import xarray as xr

MOST = 4
LINES = 4000
NEEDED = (
    "kind",
    "core",
    "begin",
    "end",
    "of_step",
    "source",
    "target",
    "leaves",
    "arrives",
    "step_of",
    "done",
)
LOOKS = {
    "multiply": ("#cc79a7", "M", "multiply", "multiplies"),
    "send": ("#56a8dc", "S", "send", "sends"),
    "add": ("#e69f00", "A", "add (and send on)", "adds"),
    "pass on": ("#b9c6d8", "P", "pass on (router)", "passes on"),
    "receive": ("#2fb58c", "R", "receive", "receives"),
}
SIMPLE = (
    "Model: nobody begins a step before everybody has ended the last one; within a step every word is sent on as soon as it "
    "is summed. A link carries one 32-bit word a cycle; streams into one core are added one after the other, nearest "
    "first; words that meet on a link do not wait for each other here, and a simulation says what that would cost; software "
    "on the cores costs nothing."
)


class Waves(Page):
    """Up to four programs on one clock: their trees, and for lines of cores a diagram of cores across, cycles down.

    Parameters
    ----------
    waves : sequence of Dataset
        From `waferviz.waves`.

    Raises
    ------
    ValueError
        For none or too many, or a Dataset that `waferviz.waves` has not made.
    """

    def __init__(self, waves: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(waves, NEEDED, "waferviz.waves", MOST)
        self.waves = tuple(waves)

    @property
    def title(self) -> str:  # type: ignore[override]
        """What runs, on what, in one line."""
        attrs = self.waves[0].attrs
        cores = attrs["rows"] * attrs["columns"]
        words = attrs["words"]
        return f"Who adds, who passes on, who waits? {words:,} word{'s' * (words != 1)} on each of {cores:,} core{'s' * (cores != 1)}, {attrs['machine']}"

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        end = max(1.0, *(float(wave.attrs["cycles"]) for wave in self.waves))
        down = Range1d(end, 0)
        pictures = [_Picture(wave, down, len(self.waves)) for wave in self.waves]
        head = Spacer(sizing_mode="stretch_width", min_height=28)
        host = stage(
            pictures[0].tree, "codec", "allreduce", head=head, pictures=[picture.models for picture in pictures],
            setup=json.dumps({
                "title": self.title, "looks": LOOKS, "wait": EMPTY, "accent": ACCENT, "ink": INK, "model": SIMPLE, "end": end,
                "runs": [packed(wave) for wave in self.waves],
            }),
        )  # fmt: skip
        columns = [column(*picture.figures, sizing_mode="stretch_width", spacing=0) for picture in pictures]
        across = row(columns, sizing_mode="stretch_width", spacing=12)
        return column(head, across, host, spacing=4, sizing_mode="stretch_width")


class _Picture:
    """Bokeh models of one program: cores with their tree, and for a line the diagram below."""

    def __init__(self, wave: xr.Dataset, down: Range1d, number: int) -> None:
        rows, columns = wave.attrs["rows"], wave.attrs["columns"]
        self.line = min(rows, columns) == 1
        across = Range1d(-0.5, (max(rows, columns) if self.line else columns) - 0.5)
        self.tree = self._tree(rows, columns, across, number)
        self.diagram = self._diagram(across, down, number) if self.line else None

    def _tree(self, rows: int, columns: int, across: Range1d, number: int) -> Any:
        cells = (
            {}
            if self.line
            else {
                "aspect_ratio": columns / rows,
                "max_width": min(1100 // number, max(240, 430 * columns // rows)),
            }
        )
        shape = (
            {"height": 150, "sizing_mode": "stretch_width"}
            if self.line
            else {"sizing_mode": "scale_width"} | cells
        )
        picture = plain(figure(
            x_range=across, y_range=Range1d(-1.5, 1.9) if self.line else Range1d(rows - 0.5, -0.5), tools="", title=" ",
            min_border_left=52, output_backend="canvas", **shape,
        ))  # fmt: skip
        picture.grid.visible = False
        picture.yaxis.visible = not self.line
        picture.xaxis.visible = not self.line
        self.cells = ColumnDataSource({name: [] for name in ("x", "y", "colour", "letter", "value")})
        self.arcs = ColumnDataSource({name: [] for name in ("xs", "ys", "colour", "width")})
        self.pointed = ColumnDataSource({"x": [], "y": []})
        picture.rect(
            "x",
            "y",
            width=0.92,
            height=0.92 if not self.line else 0.62,
            source=self.cells,
            fill_color="colour",
            line_color=None,
        )
        picture.multi_line(
            "xs", "ys", source=self.arcs, line_color="colour", line_width="width", line_alpha=0.85
        )
        picture.rect(
            "x",
            "y",
            width=0.96,
            height=0.96 if not self.line else 0.7,
            source=self.pointed,
            fill_alpha=0,
            line_color=INK,
            line_width=3,
        )
        for field, at in (("letter", 0 if self.line else -8), ("value", 26 if self.line else 11)):
            picture.text(
                "x",
                "y",
                field,
                source=self.cells,
                text_font_size="14px",
                text_align="center",
                text_baseline="middle",
                text_color=INK,
                y_offset=at,
            )
        return picture

    def _diagram(self, across: Range1d, down: Range1d, number: int) -> Any:
        picture = plain(figure(
            x_range=across, y_range=down, height=330, sizing_mode="stretch_width", tools="", min_width=180, min_border_left=52,
            x_axis_label="core", y_axis_label="cycles", output_backend="canvas",
        ))  # fmt: skip
        picture.grid.visible = False
        picture.yaxis.formatter = NumeralTickFormatter(format="0,0")
        picture.xaxis.ticker.desired_num_ticks = max(3, 12 // number)
        picture.xaxis.ticker.min_interval = 1
        self.image = ColumnDataSource(
            {"image": [np.zeros((1, 1), np.uint32)], "x": [-0.5], "dw": [1], "dh": [1]}
        )
        self.ways = ColumnDataSource({name: [] for name in ("x0", "y0", "x1", "y1", "alpha")})
        picture.image_rgba("image", x="x", y=0, dw="dw", dh="dh", source=self.image)
        picture.segment(
            "x0", "y0", "x1", "y1", source=self.ways, line_color=INK, line_width=1, line_alpha=0.55
        )
        self.future = BoxAnnotation(bottom=0, top=0, fill_color="#ffffff", fill_alpha=0.6, line_color=None)
        self.cursor = Span(location=0, dimension="width", line_color=INK, line_width=2)
        picture.add_layout(self.future)
        picture.add_layout(self.cursor)
        return picture

    @property
    def figures(self) -> list[Any]:
        """The figures from top to bottom."""
        return [self.tree, self.diagram] if self.diagram else [self.tree]

    @property
    def models(self) -> dict[str, Any]:
        """What the page feeds."""
        fed = {"tree": self.tree, "cells": self.cells, "arcs": self.arcs, "pointed": self.pointed}
        if not self.diagram:
            return fed
        return fed | {
            "diagram": self.diagram, "image": self.image, "ways": self.ways, "future": self.future, "cursor": self.cursor,
        }  # fmt: skip


def packed(wave: xr.Dataset) -> dict[str, Any]:
    """One run as the page needs it: actions and messages as 32-bit integers, deflated."""
    attrs = wave.attrs
    actions = np.stack([wave[name].values for name in ("kind", "core", "begin", "end", "of_step")], axis=1)
    messages = np.stack(
        [wave[name].values for name in ("source", "target", "leaves", "arrives", "step_of")], axis=1
    )
    return {
        "program": str(attrs["program"]), "rows": int(attrs["rows"]), "columns": int(attrs["columns"]), "cycles": float(attrs["cycles"]),
        "words": int(attrs["words"]), "hops": int(wave.hops.sum()), "relays": int(wave.stages.sum()),
        "simulated": attrs.get("simulated"), "depth": int(np.maximum(wave.stages.values, wave.hops.values > 0).sum()),
        "labels": [str(label) for label in wave.label.values], "done": wave.done.values.tolist(),
        "actions": _deflated(actions), "messages": _deflated(messages), "lines": len(messages) <= LINES,
        "shares": wave.shares.values.astype(int).tolist() if "shares" in wave else None,
        "values": wave.first.values.tolist() if "first" in wave else None,
    }  # fmt: skip


def _deflated(table: np.ndarray) -> str:
    whole = np.ascontiguousarray(np.round(table), dtype="<i4").tobytes()
    return base64.b64encode(zlib.compress(whole, 6)).decode()
