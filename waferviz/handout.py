"""One HTML file that plays offline: BokehJS, the frames and the controls inside, no request to anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def handout(view: Any, path: str | Path = "race.handout.html") -> Path:
    """Write a view, or the picture that `show` makes of one Dataset or several, into one offline HTML file.

    Parameters
    ----------
    view : view, Dataset or list of Dataset
        What to show: traces become a race, what `check` returns a budget card, and so on.
    path : str or Path
        File to write, .html.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        When the path does not end in .html, or its folder does not exist, and for what has no picture.
    """
    import xarray as xr
    from bokeh.embed.bundle import Bundle
    from bokeh.embed.elements import html_page_for_render_items
    from bokeh.embed.util import standalone_docs_json_and_render_items
    from bokeh.resources import Resources

    from waferviz.show import show

    if not isinstance(path, str | Path):
        raise ValueError(
            f"path is a {type(path).__name__}; give the name of a file, for example handout([one, other], 'race.html')"
        )
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"path={str(path)!r}: a handout is one HTML file; give a name that ends in .html")
    if not path.parent.is_dir():
        raise ValueError(f"path={str(path)!r}: there is no folder {str(path.parent)!r}; make it first")
    if isinstance(view, xr.Dataset | list | tuple):
        view = show(view)
    if not hasattr(view, "document"):
        raise ValueError(
            f"view is a {type(view).__name__}, which has no picture; give a trace, a list of traces, or what play, race, "
            "show or arcs returns"
        )
    document = view.document()
    # file_html would add the scripts of every model known to the process, Panel's among them, by address.
    inside = Resources(mode="inline", components=["bokeh"])
    bundle = Bundle(js_raw=inside.js_raw, css_raw=inside.css_raw)
    page = html_page_for_render_items(
        bundle, *standalone_docs_json_and_render_items([document]), document.title
    )
    path.write_text(page, encoding="utf-8")
    return path
