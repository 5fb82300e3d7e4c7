"""The figure of one mesh: axes, lines between cores, and the sources that the page feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.models import ColumnDataSource, FixedTicker, Range1d
from bokeh.plotting import figure

from waferviz.views.style import ACCENT, INK, QUIET
from waferviz.views.words import named

if TYPE_CHECKING:
    import xarray as xr

LINED = 64
WIDEST = (380, 440, 400, 400)


class MeshFigure:
    """Bokeh models of one map, fed by the page."""

    def __init__(self, trace: xr.Dataset, number: int) -> None:
        rows, columns = trace.sizes["y"], trace.sizes["x"]
        high, wide = trace.routes.shape
        of = [
            f" of blocks, {many} to a core" if many > 1 else " of cores"
            for many in (rows // high, columns // wide)
        ]
        self.figure = figure(
            title=named(trace), x_range=Range1d(0, columns), y_range=Range1d(rows, 0), tools="pan,wheel_zoom,reset",
            active_scroll=None, toolbar_location=None, sizing_mode="scale_width", aspect_ratio=max(0.6, min(1.6, columns / rows)),
            max_width=WIDEST[number - 1], min_width=180, min_border=4, output_backend="canvas",
            x_axis_label=f"x, column{of[1]}", y_axis_label=f"y, row{of[0]}",
        )  # fmt: skip
        self.figure.title.text_font_size, self.figure.title.text_color = "16px", INK
        for axis in self.figure.axis:
            axis.major_label_text_font_size = axis.axis_label_text_font_size = "14px"
            axis.axis_label_text_font_style, axis.axis_label_text_color = "normal", QUIET
            axis.minor_tick_line_color = None
        self.figure.xaxis.ticker.desired_num_ticks = self.figure.yaxis.ticker.desired_num_ticks = 4
        self.borders: list[Any] = []
        self._lines(rows, columns)
        self.image = ColumnDataSource({"image": [np.zeros((1, 1), np.uint32)]})
        self.labels = ColumnDataSource({"x": [], "y": [], "text": []})
        self.glide = ColumnDataSource({"x": [], "y": [], "colour": [], "shape": [], "size": []})
        self.outline = ColumnDataSource({"xs": [], "ys": []})
        self.figure.image_rgba("image", x=0, y=0, dw=columns, dh=rows, source=self.image)
        if (rows, columns) != (high, wide) and max(high, wide) <= LINED:
            self._borders(rows, columns, high, wide)
        self.figure.text(
            "x",
            "y",
            "text",
            source=self.labels,
            text_font_size="14px",
            text_align="center",
            text_baseline="middle",
            text_color=INK,
        )
        self.figure.scatter(
            "x",
            "y",
            marker="shape",
            size="size",
            fill_color="colour",
            line_color=INK,
            line_width=0.6,
            source=self.glide,
        )
        self.figure.multi_line("xs", "ys", source=self.outline, line_color=ACCENT, line_width=3)

    def _lines(self, rows: int, columns: int) -> None:
        """White lines between cores, above the image; none on large meshes."""
        for grid, number in ((self.figure.xgrid[0], columns), (self.figure.ygrid[0], rows)):
            grid.visible = max(rows, columns) <= LINED
            grid.ticker = FixedTicker(ticks=list(range(number + 1)) if grid.visible else [])
            grid.grid_line_color, grid.level = "white", "overlay"

    def _borders(self, rows: int, columns: int, high: int, wide: int) -> None:
        """Edges of cores that hold several blocks."""
        x, y = np.arange(1, wide) * (columns / wide), np.arange(1, high) * (rows / high)
        for ends in ((x, 0 * x, x, 0 * x + rows), (0 * y, y, 0 * y + columns, y)):
            self.borders.append(
                self.figure.segment(*(end.tolist() for end in ends), line_color=INK, line_width=2)
            )

    @property
    def models(self) -> dict[str, Any]:
        """What the page feeds."""
        grids = [self.figure.xgrid[0], self.figure.ygrid[0]]
        fed = {"image": self.image, "labels": self.labels, "glide": self.glide, "outline": self.outline}
        return {"figure": self.figure, "grids": [*grids, *self.borders], "lined": grids[0].visible} | fed
