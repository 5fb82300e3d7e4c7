"""Published numbers: the tables in `data/`, with their sources."""

from __future__ import annotations

import csv
import difflib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr


@cache
def folder(name: str) -> Path:
    """A folder that ships with the project, `data`, `lab` or `notebooks`: in the package or beside it."""
    package = Path(__file__).parent
    return package / name if (package / name).is_dir() else package.parent / name


def path(name: str) -> Path:
    """A file in `data/`; FileNotFoundError that lists what there is when it is not there."""
    file = folder("data") / name
    if not file.is_file():
        known = sorted(item.name for item in folder("data").glob(f"*{Path(name).suffix}"))
        near = difflib.get_close_matches(name, known, 1, 0.3)
        raise FileNotFoundError(
            f"no {name!r} among the tables{f'; nearest is {near[0]!r}' if near else ''}; known are {', '.join(known)}"
        )
    return file


def tables() -> list[str]:
    """Names for `table`."""
    return sorted(file.stem for file in folder("data").glob("*.csv"))


def rows(name: str) -> list[dict[str, str]]:
    """Rows of a table as dicts of text."""
    with path(f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table(name: str) -> xr.Dataset:
    """A published table as a Dataset with dim `row`; numbers where a whole column is numbers, text elsewhere.

    Raises
    ------
    FileNotFoundError
        When there is no such table; the message names the nearest.
    """
    import xarray as xr

    if name not in tables():
        near = difflib.get_close_matches(str(name), tables(), 3, 0.3)
        hint = f"; nearest are {', '.join(near)}" if near else ""
        raise FileNotFoundError(f"no table {name!r}{hint}; `waferviz list tables` names all {len(tables())}")
    found = rows(name)
    columns = {key: np.array([row[key] for row in found]) for key in found[0]}
    return xr.Dataset(
        {key: ("row", _numbers(column)) for key, column in columns.items()}, attrs={"table": name}
    )


def _numbers(column: np.ndarray) -> np.ndarray:
    for kind in (int, float):
        try:
            return column.astype(kind)
        except ValueError:
            continue
    return column
