"""Ring arcs: one line of cores, and how far a tile travels in one shift."""

from __future__ import annotations

import json
from collections.abc import Callable
from numbers import Integral
from typing import Any

from bokeh.layouts import column
from bokeh.models import ColumnDataSource, CustomJS, Range1d, Spacer
from bokeh.plotting import figure

from waferviz.orders import checked, interleaved, natural
from waferviz.views.page import Page
from waferviz.views.style import ACCENT, INK, script, sheet

LARGEST = 64
Order = Callable[[int], Any]
KNOWN: dict[str, Order] = {"natural": natural, "interleaved": interleaved}


class Arcs(Page):
    """One picture per ring order, with one slider for the number of cores; it needs no Python once shown.

    Parameters
    ----------
    orders : sequence of callables or str
        Number of cores to ring order, or "natural" or "interleaved".
    cores : int
        Cores shown first, 2 to 64.

    Raises
    ------
    ValueError
        For no order, one that does not visit every core once, or a number of cores outside 2 to 64.
    """

    title = "How far does a tile travel?"

    def __init__(self, orders: tuple[Order | str, ...], cores: int, **params: Any) -> None:
        super().__init__(**params)
        if not orders:
            raise ValueError("arcs() got no order; give for example waferviz.orders.natural")
        if not isinstance(cores, Integral) or not 2 <= cores <= LARGEST:
            raise ValueError(f"cores={cores!r}: choose 2 to {LARGEST}")
        self.orders: tuple[Order, ...] = tuple(_order(order) for order in orders)
        self.cores: int = int(cores)
        self.rings: list[list[list[int]]] = [
            [_ring(order, n) for n in range(2, LARGEST + 1)] for order in self.orders
        ]

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        sources = [ColumnDataSource({"xs": [], "ys": [], "colour": [], "width": []}) for _ in self.orders]
        dots = [ColumnDataSource({"x": [], "y": []}) for _ in self.orders]
        figures = [_figure(name(order)) for order in self.orders]
        for picture, source, dot in zip(figures, sources, dots, strict=True):
            picture.multi_line("xs", "ys", source=source, line_color="colour", line_width="width")
            picture.scatter("x", "y", source=dot, size=8, color=INK)
        host = Spacer(sizing_mode="stretch_width", min_height=10)
        start = CustomJS(
            code=script("controls", "arcs"),
            module=True,
            args={
                "host": host,
                "figures": figures,
                "sources": sources,
                "dots": dots,
                "setup": json.dumps(
                    {
                        "rings": self.rings,
                        "names": [name(order) for order in self.orders],
                        "cores": self.cores,
                    }
                ),
                "colours": [INK, ACCENT],
                "style": sheet("stage"),
            },
        )
        figures[0].js_on_change("inner_width", start)
        return column(*figures, host, sizing_mode="stretch_width", max_width=1100)


def arcs(*orders: Order | str, cores: int = 16) -> Arcs:
    """Arcs of the shifts along rings of the given orders; natural (Cannon) and interleaved (MeshGEMM) by default.

    Parameters and errors as for `Arcs`.
    """
    return Arcs(orders or (natural, interleaved), cores)


def name(order: Order) -> str:
    """What an order is called in the picture."""
    known = {"natural": "natural ring (Cannon)", "interleaved": "interleaved ring (MeshGEMM)"}
    plain = getattr(order, "__name__", "ring")
    return known.get(plain, plain.replace("_", " "))


def _order(given: Order | str) -> Order:
    """The order of that name, or the function itself."""
    order = KNOWN.get(given) if isinstance(given, str) else given
    if not callable(order):
        raise ValueError(
            f"arcs() got {given!r}; give 'natural' (Cannon), 'interleaved' (MeshGEMM), or a function from the number of "
            "cores to the order of its ring, for example waferviz.orders.interleaved"
        )
    return order


def _ring(order: Order, cores: int) -> list[int]:
    """The ring of so many cores."""
    try:
        found: list[int] = checked(order(cores), cores).tolist()
    except (TypeError, ValueError, IndexError) as error:
        raise ValueError(f"arcs() asked {name(order)} for {cores} cores: {error}") from error
    return found


def _figure(words: str) -> Any:
    picture = figure(
        title=words, height=190, sizing_mode="stretch_width", toolbar_location=None, tools="", x_axis_label="core", x_range=Range1d(-1, 16),
        y_range=Range1d(-9, 9),
    )  # fmt: skip
    picture.yaxis.visible = picture.grid.visible = False
    picture.title.text_font_size = "16px"
    picture.xaxis.major_label_text_font_size = picture.xaxis.axis_label_text_font_size = "14px"
    return picture
