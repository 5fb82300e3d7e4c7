"""Links under load: what every link is asked to carry, what it carries, and how many words wait for it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column, row
from bokeh.models import ColumnDataSource, Range1d
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import ACCENT, INK, PALETTES

if TYPE_CHECKING:
    import xarray as xr

MOST = 3000
BESIDE = 16
DELIVERIES = 5000
NEEDED = ("words", "waiting", "use", "demand", "link", "window")
STEPS = {"east": (1, 0), "west": (-1, 0), "south": (0, 1), "north": (0, -1)}
SIMPLE = (
    "Model: every word goes along the row, then the column; a link carries one word a cycle each way. Demand is what "
    "crossed and what waits at the end of the frame, as a share of what the link could have carried: it may exceed 100 %. "
    "Use never does."
)


class Links(Page):
    """Links between cores as bars, thick and dark by demand, hatched and counted where words wait.

    Parameters
    ----------
    runs : sequence of Dataset
        One, from `waferviz.wavelets.simulate`; several windows can be played.

    Raises
    ------
    ValueError
        For none or several, a Dataset that is no such run, or more links than the eye can take in.
    """

    def __init__(self, runs: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(runs, NEEDED, "waferviz.wavelets.simulate", 1)
        self.run = runs[0]
        number = int(self.run.link.sum())
        if number > MOST:
            raise ValueError(
                f"{number:,} links, the picture takes {MOST:,}; simulate a smaller mesh, or show a part: "
                "run.isel(y=slice(0, 24), x=slice(0, 24))"
            )

    @property
    def title(self) -> str:  # type: ignore[override]
        """What is loaded, in one line."""
        rows, columns = self.run.sizes["y"], self.run.sizes["x"]
        return f"Where is the jam? {rows} x {columns} cores, {self.run.attrs.get('cycles', 0):,} cycles"

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        rows, columns = self.run.sizes["y"], self.run.sizes["x"]
        picture = _mesh(rows, columns)
        bars = ColumnDataSource({name: [] for name in ("x", "y", "width", "height", "colour", "hatch")})
        counts = ColumnDataSource({"x": [], "y": [], "text": []})
        ways = ColumnDataSource({"xs": [], "ys": []})
        picked = ColumnDataSource({name: [] for name in ("x", "y", "width", "height")})
        picture.rect(
            "x",
            "y",
            "width",
            "height",
            source=bars,
            fill_color="colour",
            line_color=None,
            hatch_pattern="hatch",
            hatch_color="white",
            hatch_scale=8,
        )
        for colour, thick in (("white", 7), (INK, 3)):
            picture.rect(
                "x", "y", "width", "height", source=picked, fill_color=None, line_color=colour, line_width=thick,
            )  # fmt: skip
        picture.multi_line("xs", "ys", source=ways, line_color=ACCENT, line_width=2, line_alpha=0.7)
        picture.text(
            "x",
            "y",
            "text",
            source=counts,
            text_font_size="14px",
            text_align="center",
            text_baseline="middle",
            text_color=INK,
            background_fill_color="white",
            border_line_color=INK,
            padding=2,
        )
        host = stage(
            picture, "links", picture=picture, bars=bars, counts=counts, ways=ways, picked=picked, larger=[picture] if columns <= BESIDE else [],
            setup=json.dumps(packed(self.run) | {"title": self.title, "model": SIMPLE}), palette=PALETTES["links"],
        )  # fmt: skip
        if columns > BESIDE:
            return column(picture, host, spacing=4, sizing_mode="stretch_width")
        host.min_width = 480
        return row(picture, host, spacing=12, sizing_mode="stretch_width", styles={"flex-wrap": "wrap"})


def packed(run: xr.Dataset) -> dict[str, Any]:
    """Every link that exists, its words and waiting words per window, and who sends to whom."""
    direction, y, x = np.nonzero(run.link.values)
    names = [str(name) for name in run.direction.values]
    pairs = [
        run[name].values[:DELIVERIES].tolist() if name in run.variables else []
        for name in ("source", "target")
    ]
    return {
        "rows": run.sizes["y"],
        "columns": run.sizes["x"],
        "windows": [int(end) for end in run.window.values],
        "links": [[names[d], int(row), int(core)] for d, row, core in zip(direction, y, x, strict=True)],
        "steps": STEPS,
        **{
            name: run[name].values[:, direction, y, x].round(1).tolist()
            for name in ("words", "waiting", "use", "demand")
        },
        "pairs": pairs,
    }


def _mesh(rows: int, columns: int) -> Any:
    """Cores as grey squares with room for two lanes between neighbours."""
    beside = columns <= BESIDE
    side = (
        {"width": int(np.clip(64 * columns + 100, 420, 660))} if beside else {"sizing_mode": "stretch_width"}
    )
    picture = plain(
        figure(
            title="demand on links; number: words that wait", x_range=Range1d(-0.6, columns - 0.4), y_range=Range1d(rows - 0.4, -0.6),
            tools="pan,wheel_zoom,reset", active_scroll=None, height=int(np.clip(56 * rows + 100, 180, 560)), output_backend="canvas",
            x_axis_label="x, column of cores", y_axis_label="y, row of cores", **side,
        )
    )  # fmt: skip
    picture.grid.visible = False
    y, x = np.mgrid[:rows, :columns]
    picture.rect(x.ravel(), y.ravel(), 0.46, 0.46, fill_color="#b9c0cc", line_color=None)
    return picture
