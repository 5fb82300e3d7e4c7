"""Facts: one number of one machine with unit, source and doubt, as a row of `data/machines.csv`."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

from waferviz.published import path as table_path

UNOPENED = "from general knowledge, not opened"


@dataclass(frozen=True)
class Fact:
    """One number about one machine.

    Attributes
    ----------
    variant : str
        Empty for the number in use; else whose number it is, where sources disagree.
    value : float
        nan where nobody has published it.
    """

    machine: str
    quantity: str
    variant: str
    value: float
    units: str
    source: str
    note: str

    @property
    def unpublished(self) -> bool:
        """True when the row says that the number is not known."""
        return math.isnan(self.value)

    @property
    def unopened(self) -> bool:
        """True when the row says that its source has not been opened."""
        return UNOPENED in self.note

    def __str__(self) -> str:
        who = f" by {self.variant}" if self.variant else ""
        said = "not published" if self.unpublished else f"{self.value:,} {self.units}"
        return f"{self.machine} {self.quantity}{who}: {said} ({self.source}). {self.note}".strip()


def facts(where: str | Path) -> list[Fact]:
    """Facts of a table in `data/`, by its name, or of a CSV file of the same columns.

    Raises
    ------
    ValueError
        When a column is missing or a value is no number; names file, line and column.
    """
    file = table_path(f"{where}.csv") if where in ("machines", "references") else Path(where)
    names = [field.name for field in fields(Fact)]
    if not str(where) or file.is_dir():
        raise ValueError(f"path={str(where)!r}: give the name of a file, such as 'mine.csv'")
    with file.open(newline="", encoding="utf-8") as opened:
        reader = csv.DictReader(opened)
        if missing := [name for name in names if name not in (reader.fieldnames or ())]:
            raise ValueError(
                f"{file.name} has no column {missing[0]!r}; a table of machines has {', '.join(names)}"
            )
        return [_fact(row, f"{file.name}, line {reader.line_num}") for row in reader]


def _fact(row: dict[str, Any], line: str) -> Fact:
    try:
        value = float(row["value"])
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{line}: value {row['value']!r} is no number; give one, nan where it is not known"
        ) from error
    whole = int(value) if value.is_integer() else value
    text = {field.name: row[field.name] or "" for field in fields(Fact) if field.name != "value"}
    return Fact(value=whole, **text)


@dataclass(frozen=True)
class Unpublished:
    """A number that nobody has published: it can be shown and copied, and raises by name when computed with."""

    machine: str
    quantity: str

    def __repr__(self) -> str:
        return "not published"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise ValueError(
            f"the {self.quantity} of {self.machine} is not published and this needs it; "
            f"set it: machine.edit({self.quantity}=...)"
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _refuse
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __neg__ = __abs__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __float__ = __int__ = __index__ = _refuse
    __array__ = __array_ufunc__ = __round__ = __ceil__ = __floor__ = _refuse


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A processor to compare with in rooflines and energy tables; it is no mesh and runs no program.

    Attributes
    ----------
    peak_fp16, peak_fp32 : float
        Tflop/s, dense.
    memory : float
        GB.
    memory_bandwidth : float
        TB/s between processor and memory.
    power : float
        Watts of the board.
    """

    name: str
    peak_fp16: float
    peak_fp32: float
    memory: float
    memory_bandwidth: float
    power: float


def reference(name: str) -> Reference:
    """The numbers of an A100 or an H100, from `data/references.csv`.

    Examples
    --------
    >>> reference("a100").power
    400
    """
    found = [fact for fact in facts("references") if not fact.variant]
    known = list(dict.fromkeys(fact.machine for fact in found))
    if name not in known:
        raise ValueError(f"no reference {name!r}; known are {', '.join(known)}")
    return Reference(name=name, **{fact.quantity: fact.value for fact in found if fact.machine == name})
