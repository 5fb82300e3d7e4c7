"""One program in answers: what its cycles are made of, and which number of the machine matters most."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from bokeh.layouts import column
from bokeh.models import FixedTicker, Range1d, Span
from bokeh.plotting import figure

from waferviz.views.page import Page, lacking, plain, stage
from waferviz.views.style import INK

if TYPE_CHECKING:
    import xarray as xr

MOST = 4
NEEDED = ("cycles", "microseconds", "share_of_peak", "largest", "made_of", "doubled", "what")
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7")
HATCHES = (" ", "/", ".", "x")
SHADES = {"work": "#31688e", "words": "#b8860b", "way": "#dcb65c"}
SCHEDULES = {"barrier": "barrier", "dataflow": "data flow"}
SIMPLE = (
    "Model: one number of the machine is made twice as large, everything else stays; a doubled hop or ramp lengthens the "
    "relay by as much. To the right of 1 the run takes longer, to the left it is done sooner."
)


class Answers(Page):
    """Bars of what a doubled number does to the cycles, and a table of what the cycles are made of.

    Parameters
    ----------
    answers : sequence of Dataset
        One to four from `waferviz.explain`.

    Raises
    ------
    ValueError
        For none or too many, or a Dataset that is no such answer.
    """

    def __init__(self, answers: Sequence[xr.Dataset], **params: Any) -> None:
        super().__init__(**params)
        lacking(answers, NEEDED, "waferviz.explain", MOST)
        self.answers = tuple(answers)

    @property
    def title(self) -> str:  # type: ignore[override]
        """What is asked, in one line."""
        machines = ", ".join(dict.fromkeys(str(answer.attrs["machine"]) for answer in self.answers))
        return f"What would change it? {', '.join(named(answer) for answer in self.answers)} on {machines}"

    def layout(self) -> Any:
        """The Bokeh layout, made anew."""
        picture = _axes(self.answers)
        for place, answer in enumerate(self.answers):
            _bars(picture, answer, place, len(self.answers))
        host = stage(
            picture, "answers", taller=[picture],
            setup=json.dumps({
                "title": self.title, "model": SIMPLE, "shades": SHADES, "colours": COLOURS, "hatches": HATCHES,
                "answers": [packed(answer) for answer in self.answers],
            }),
        )  # fmt: skip
        return column(picture, host, spacing=4, sizing_mode="stretch_width")


def named(answer: xr.Dataset) -> str:
    """Program and schedule."""
    return f"{answer.attrs['program']} ({SCHEDULES[answer.attrs['schedule']]})"


def packed(answer: xr.Dataset) -> dict[str, Any]:
    """One answer as numbers and words; null where a number is not defined."""
    numbers = {name: float(answer[name]) for name in ("cycles", "microseconds", "share_of_peak", "largest")}
    return {
        "name": named(answer),
        "sentence": str(answer.attrs["sentence"]),
        "made": dict(zip(answer.part.values.tolist(), answer.made_of.values.tolist(), strict=True)),
        **{name: value if np.isfinite(value) else None for name, value in numbers.items()},
    }


def _axes(answers: Sequence[xr.Dataset]) -> Any:
    """A row per number of the machine, factors of the cycles across."""
    factors = np.concatenate([answer.doubled.values for answer in answers])
    factors = factors[np.isfinite(factors) & (factors > 0)]
    low, high = min(factors.min(initial=1), 0.9), max(factors.max(initial=1), 1.1)
    names = [str(words) for words in answers[0].what.values]
    picture = figure(
        title="twice this number: how many times as long the run takes", height=min(430, 70 + (12 + 16 * len(answers)) * len(names)), sizing_mode="stretch_width", tools="",
        x_axis_type="log", x_range=Range1d(low / 1.12, high * 1.12), y_range=Range1d(len(names) - 0.4, -0.6), output_backend="canvas",
        x_axis_label="times as many cycles",
    )  # fmt: skip
    plain(picture).ygrid.visible = False
    picture.yaxis.ticker = FixedTicker(ticks=list(range(len(names))))
    picture.yaxis.major_label_overrides = dict(enumerate(names))
    ticks = [
        tick
        for tick in (0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 4)
        if low / 1.1 <= tick <= high * 1.1
    ]
    picture.xaxis.ticker = FixedTicker(ticks=ticks)
    picture.xaxis.major_label_overrides = {tick: f"{tick:g}" for tick in ticks}
    picture.add_layout(Span(location=1, dimension="height", line_color=INK, line_width=2))
    return picture


def _bars(picture: Any, answer: xr.Dataset, place: int, number: int) -> None:
    """Bars from 1 to each factor, one thin row per program."""
    factors = np.nan_to_num(answer.doubled.values, nan=1.0)
    y = np.arange(len(factors)) + (place - (number - 1) / 2) * 0.86 / number
    picture.hbar(
        y=y, left=np.minimum(1, factors), right=np.maximum(1, factors), height=0.7 / number, fill_color=COLOURS[place], line_color=INK,
        hatch_pattern=HATCHES[place], hatch_color=INK, hatch_alpha=0.5,
    )  # fmt: skip
    for later, side in ((True, "left"), (False, "right")):
        chosen = factors > 1.005 if later else factors < 0.995
        picture.text(
            factors[chosen], y[chosen], [f"{factor:.2f}" for factor in factors[chosen]], text_font_size="14px", text_align=side,
            x_offset=6 if later else -6, text_baseline="middle", text_color=INK,
        )  # fmt: skip
