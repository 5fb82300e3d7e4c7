"""Key-value shelves: rows of cores as shelves, tokens as numbered books, and how full the fullest shelf is."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, FixedTicker, NumeralTickFormatter, Range1d, Spacer, Span
from bokeh.palettes import Viridis256
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, EMPTY, INK, QUIET

if TYPE_CHECKING:
    import xarray as xr

MOST = 3
BOOKS = 600
NEEDED = ("held", "links", "rounds")
PROMPT = "#b9c6d8"
FULL = "#b3263c"
CURVES = (("#0072b2", "solid"), ("#e69f00", "dashed"), ("#009e73", "dotdash"))
SIMPLE = (
    "Model: every column of cores holds its slice of each token and does the same. A token moves one row in a step; rows that "
    "hold tokens pass on at once, a row that was empty one step later. How the rows decide is our reading of the paper's "
    "figure, which has no pseudo-code."
)


class Shelves(Page):
    """Up to three caches filling on one clock of tokens; click a book to follow its token.

    Parameters
    ----------
    fills : sequence of Dataset
        From `waferviz.cache.fill`.

    Raises
    ------
    ValueError
        For none or too many, or a Dataset that `waferviz.cache.fill` has not made.
    """

    def __init__(self, fills: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(fills, NEEDED, "waferviz.cache.fill", MOST)
        self.fills = tuple(fills)

    @property
    def title(self) -> str:  # type: ignore[override]
        """What is asked, and of what."""
        rules = " and ".join(dict.fromkeys(fill.attrs["rule"] for fill in self.fills))
        prompt = self.fills[0].attrs["prompt"]
        after = f", after a prompt of {prompt:,} tokens" if prompt else ""
        return f"Where does the cache live? {rules} on {self.fills[0].sizes['row']:,} rows of cores{after}"

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        pictures = [_Picture(fill, len(self.fills)) for fill in self.fills]
        last = max(int(fill.attrs["inserted"]) for fill in self.fills)
        curve, cursor = _curve(self.fills, last)
        head = Spacer(sizing_mode="stretch_width", min_height=28)
        host = stage(
            pictures[0].figure, "codec", "cache", head=head, pictures=[picture.models for picture in pictures], cursor=cursor,
            setup=json.dumps({
                "title": self.title, "model": SIMPLE, "last": last, "accent": ACCENT, "full": FULL, "prompt": PROMPT, "empty": EMPTY,
                "ages": Viridis256[60:250:4][::-1], "fills": [packed(fill) for fill in self.fills],
            }),
        )  # fmt: skip
        shelves = row([picture.figure for picture in pictures], sizing_mode="stretch_width", spacing=12)
        return column(head, shelves, host, curve, spacing=4, sizing_mode="stretch_width")


class _Picture:
    """Bokeh models of one cache."""

    def __init__(self, fill: xr.Dataset, number: int) -> None:
        rows = fill.sizes["row"]
        most = int(fill.attrs["capacity"] or fill.held.values.max(initial=1))
        picture = plain(figure(
            title=fill.attrs["rule"], x_range=Range1d(-0.6, most + 0.2), y_range=Range1d(rows + 0.25, -0.6), height=min(380, max(190, 60 + 40 * rows)),
            sizing_mode="stretch_width", min_width=240, tools="", x_axis_label="place in the row, oldest token first", y_axis_label="row of cores" if number < 3 else "row",
            output_backend="canvas",
        ))  # fmt: skip
        picture.grid.visible = False
        picture.xaxis.formatter = picture.yaxis.formatter = NumeralTickFormatter(format="0,0")
        if rows <= 16:
            picture.yaxis.ticker = FixedTicker(ticks=list(range(rows)))
        if most <= 40:
            picture.xaxis.ticker = FixedTicker(ticks=list(range(0, most + 1, max(1, most // 10))))
        self.figure = picture
        self.boards = ColumnDataSource({name: [] for name in ("x", "y", "width", "tall", "colour", "line")})
        self.books = ColumnDataSource(
            {name: [] for name in ("x", "y", "width", "tall", "colour", "text", "ink", "edge", "thick")}
        )
        picture.rect(
            "x",
            "y",
            "width",
            "tall",
            source=self.boards,
            fill_color="colour",
            line_color="line",
            line_width=2,
        )
        picture.rect(
            "x",
            "y",
            "width",
            "tall",
            source=self.books,
            fill_color="colour",
            line_color="edge",
            line_width="thick",
        )
        picture.text(
            "x",
            "y",
            "text",
            source=self.books,
            text_color="ink",
            text_font_size="14px",
            text_align="center",
            text_baseline="middle",
        )
        if fill.attrs["capacity"]:
            picture.add_layout(
                Span(
                    location=most - 0.5, dimension="height", line_color=FULL, line_width=2, line_dash="dashed"
                )
            )

    @property
    def models(self) -> dict[str, Any]:
        """What the page feeds."""
        return {"figure": self.figure, "boards": self.boards, "books": self.books}


def _curve(fills: Sequence[xr.Dataset], last: int) -> tuple[Any, Span]:
    """Tokens of the fullest row while tokens are inserted, and the limit."""
    most = max(int(fill.attrs["capacity"] or fill.held.values.max(initial=1)) for fill in fills)
    picture = plain(figure(
        height=190, sizing_mode="stretch_width", tools="", x_axis_label="tokens inserted", y_axis_label="fullest row, tokens",
        x_range=Range1d(0, max(1, last) * 1.02), y_range=Range1d(0, most * 1.35), title="How full is the fullest row?", output_backend="canvas",
    ))  # fmt: skip
    picture.xaxis.formatter = picture.yaxis.formatter = NumeralTickFormatter(format="0,0")
    for fill, (colour, dash) in zip(fills, CURVES, strict=False):
        tokens = np.unique(np.linspace(0, fill.attrs["inserted"], 400).round().astype(int))
        fullest = fill.held.isel(token=tokens).max("row").values
        picture.step(
            tokens,
            fullest,
            mode="after",
            line_color=colour,
            line_dash=dash,
            line_width=3,
            legend_label=fill.attrs["rule"],
        )
        if fill.attrs["full_row"] >= 0:
            picture.scatter([tokens[-1]], [fullest[-1]], marker="x", size=14, line_width=3, color=FULL)
            words = f"full after {fill.attrs['inserted']:,} tokens"
            aside = tokens[-1] > 0.7 * last
            picture.text(
                [tokens[-1]],
                [fullest[-1]],
                [words],
                text_font_size="14px",
                text_color=FULL,
                text_align="right" if aside else "left",
                x_offset=-10 if aside else 10,
                y_offset=-6,
            )
    if any(fill.attrs["capacity"] for fill in fills):
        picture.add_layout(
            Span(location=most, dimension="width", line_color=FULL, line_width=2, line_dash="dashed")
        )
    picture.legend.location, picture.legend.label_text_font_size, picture.legend.background_fill_alpha = (
        "bottom_right",
        "14px",
        0.8,
    )
    picture.grid.grid_line_color = EMPTY
    cursor = Span(location=0, dimension="height", line_color=INK, line_width=2)
    picture.add_layout(cursor)
    picture.yaxis.axis_label_text_color = QUIET
    return picture, cursor


def packed(fill: xr.Dataset) -> dict[str, Any]:
    """One cache as the page needs it: where it starts, and on which row each insertion ends."""
    rows = fill.sizes["row"]
    landed = rows - 1 - fill.links.values[1:]
    if fill.attrs["rule"] == "concat":
        landed = np.full_like(landed, rows - 1)
    data = zlib.compress(np.ascontiguousarray(landed, dtype="<i4").tobytes(), 9)
    most = int(fill.attrs["capacity"] or fill.held.values.max(initial=1))
    return {
        "rule": str(fill.attrs["rule"]), "rows": rows, "start": fill.held.values[0].tolist(), "capacity": int(fill.attrs["capacity"]), "most": most,
        "full": int(fill.attrs["full_row"]), "last": int(fill.attrs["inserted"]), "landed": base64.b64encode(data).decode(),
        "rounds": fill.rounds.values[1:].tolist() if fill.attrs["inserted"] <= 5000 else None, "books": bool(rows * most <= BOOKS),
    }  # fmt: skip
