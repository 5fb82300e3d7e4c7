"""Comparisons with numbers that are not ours: each file of this folder adds some.

A comparison is a function that yields figures, decorated with `comparison(title, note)`; a statement without a
number is a function that yields verdicts, decorated with `claim`.  `waferviz.validate` gathers both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Literal

Kind = Literal["published", "simulated elsewhere", "measured elsewhere"]


@dataclass(frozen=True)
class Figure:
    """One number of somebody else, and ours.

    Attributes
    ----------
    name : str
        What it is, with its sizes.
    theirs, ours : float
        Same units.
    units : str
        Of both.
    note : str
        Why ours is off, where it is; empty for the comparison's own note.
    """

    name: str
    theirs: float
    ours: float
    units: str = "cycles"
    note: str = ""


@dataclass(frozen=True)
class Verdict:
    """A statement without a number: does it hold in our model, under which schedule, by which figures."""

    statement: str
    schedule: str
    holds: bool
    figures: str
    source: str
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """Figures of one source.

    Attributes
    ----------
    title : str
        What is compared.
    kind : str
        How their numbers came about.
    source : str
        Where they are from.
    note : str
        Why ours are off; empty when they are not.
    tolerance : float
        Relative error up to which a figure counts as reproduced.
    digits : int, optional
        Decimals that theirs are rounded to; exact means equal in these.
    figures : callable
        Yields the figures.
    """

    title: str
    kind: Kind
    source: str
    note: str
    tolerance: float
    digits: int | None
    figures: Callable[[], Iterator[Figure]]


_COMPARISONS: list[Comparison] = []
_CLAIMS: list[Callable[[], Iterator[Verdict]]] = []


def comparison(
    title: str, *, kind: Kind, source: str, note: str = "", tolerance: float = 0.1, digits: int | None = None
) -> Callable[[Callable[[], Iterator[Figure]]], Callable[[], Iterator[Figure]]]:
    """Add a function that yields figures under a title."""

    def add(figures: Callable[[], Iterator[Figure]]) -> Callable[[], Iterator[Figure]]:
        _COMPARISONS.append(Comparison(title, kind, source, note, tolerance, digits, figures))
        return figures

    return add


def claim(verdicts: Callable[[], Iterator[Verdict]]) -> Callable[[], Iterator[Verdict]]:
    """Add a function that yields verdicts."""
    _CLAIMS.append(verdicts)
    return verdicts


def comparisons() -> list[Comparison]:
    """All comparisons, in order of file and line."""
    _load()
    return list(_COMPARISONS)


def claims() -> list[Callable[[], Iterator[Verdict]]]:
    """All functions that yield verdicts."""
    _load()
    return list(_CLAIMS)


def _load() -> None:
    for file in iter_modules(__path__):
        import_module(f"{__name__}.{file.name}")
