"""The frame of a picture that needs no Python once shown: in a notebook, in an app, in one offline file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import panel as pn
from bokeh.document import Document
from bokeh.models import CustomJS, Spacer
from panel.viewable import Viewer

from waferviz.views.notebook import ready
from waferviz.views.style import INK, script, sheet

if TYPE_CHECKING:
    import xarray as xr

LABEL = "#4a5364"
ALONE = "alone on its page"


class Page(Viewer):
    """A picture made of Bokeh figures and one stage of page code; subclasses give `title` and `layout`."""

    title = "waferviz"

    def layout(self) -> Any:
        """The Bokeh layout, made anew: one document holds it once."""
        raise NotImplementedError

    def __panel__(self) -> Any:
        return pn.pane.Bokeh(self.layout(), sizing_mode="stretch_width")

    def document(self) -> Document:
        """A Bokeh document of its own, for one offline file."""
        document, root = Document(title=self.title), self.layout()
        root.tags = [*root.tags, ALONE]
        document.add_root(root)
        return document

    def handout(self, path: str | Path = "picture.handout.html") -> Path:
        """Write one HTML file that works offline; returns its path."""
        from waferviz.handout import handout

        return handout(self, path)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        ready()
        return super()._repr_mimebundle_(include, exclude)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.title})"


def stage(figure: Any, *names: str, others: Sequence[Any] = (), taller: Sequence[Any] = (), larger: Sequence[Any] = (), **args: Any) -> Spacer:  # fmt: skip
    """A place for controls and words; page code of `views/js` fills it once `figure` has its size.

    Screen readers hear `figure` and the `others` as pictures, named by their titles. In a window of more than 720
    pixels `taller` figures take the rest of its height, and `larger` ones grow both ways.
    """
    host = Spacer(sizing_mode="stretch_width", min_height=10)
    args |= {
        "host": host,
        "pictured": [figure, *others],
        "taller": list(taller),
        "larger": list(larger),
        "style": sheet("stage") + sheet("page"),
    }
    start = CustomJS(code=script("controls", "page", *names), module=True, args=args)
    figure.js_on_change("inner_width", start)
    return host


def plain(picture: Any) -> Any:
    """The figure with large quiet labels and no toolbar."""
    picture.toolbar_location = None
    picture.title.text_font_size, picture.title.text_color = "16px", INK
    for axis in picture.axis:
        axis.major_label_text_font_size = axis.axis_label_text_font_size = "14px"
        axis.axis_label_text_font_style, axis.axis_label_text_color = "normal", LABEL
        axis.major_label_text_color = LABEL
        axis.minor_tick_line_color = None
    picture.outline_line_color = None
    return picture


def lacking(found: Sequence[xr.Dataset], needed: Sequence[str], maker: str, most: int) -> None:
    """ValueError for no Dataset or too many, or one that lacks a variable that `maker` gives."""
    import xarray as xr

    if not 1 <= len(found) <= most:
        raise ValueError(f"{len(found)} Datasets: give 1 to {most}, each from {maker}")
    for number, dataset in enumerate(found):
        if not isinstance(dataset, xr.Dataset):
            raise ValueError(f"Dataset {number} is {type(dataset).__name__}; give what {maker} returns")
        if missing := [name for name in needed if name not in dataset]:
            raise ValueError(f"Dataset {number} lacks {', '.join(missing)}; give what {maker} returns")
