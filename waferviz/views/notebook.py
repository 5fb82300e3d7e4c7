"""The page side of Panel and Bokeh in a notebook."""

from __future__ import annotations

import sys
from functools import cache

import panel as pn


def ready() -> None:
    """Load the page side of Panel and Bokeh into a notebook, once a page, from this machine alone."""
    _load(_page())


@cache
def _load(_page: str) -> None:
    pn.extension(inline=True)


def _page() -> str:
    """The browser page that asked for the cell: a reloaded page or another tab of one kernel has a name of its own."""
    ipython = sys.modules.get("IPython")
    kernel = getattr(ipython.get_ipython(), "kernel", None) if ipython else None
    parent = kernel.get_parent() if kernel else {}
    return str(parent.get("header", {}).get("session", ""))
