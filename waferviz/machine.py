"""Machines: the PLMR numbers of one chip, read from the tables in `data/` or from a file of your own."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from waferviz.facts import Fact, Unpublished, facts
from waferviz.published import path as table_path

_UNKNOWN: Any = (
    None  # a number that nobody has published; becomes an Unpublished, which raises when computed with
)
_MAY_BE_ZERO = ("relay", "ramp", "routes", "dsd_start", "turn")
_NEEDED = ("hop", "relay", "ramp", "bytes_per_core", "routes", "clock", "link_words", "macs", "power")
QUANTITIES = (*_NEEDED, "macs_fp16", "memory_bandwidth", "dsd_start", "turn", "cores")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A mesh of cores, described by the four PLMR properties [1]_.

    A number given as None is not published: it can be shown, and raises by name in any formula that needs it.

    Attributes
    ----------
    name : str
        Name shown to people.
    shape : (int, int)
        Cores, as (rows, columns).  P, parallelism.
    hop : float
        Cycles for a message to pass one router.  L, latency (alpha).
    relay : float
        Cycles for a core on the way to take in a word and send it on, its hop included.  L (beta).
    ramp : float
        Cycles between a core and its router, one way.
    bytes_per_core : int
        Local memory, bytes.  M.
    routes : float
        Routes a router can hold; infinite where packets carry their destination.  R.
    clock : float
        GHz.
    link_words : float
        32-bit words per cycle on a link, per direction; the ramp carries as many.
    macs, macs_fp16 : float
        Multiply-adds per core and cycle, in fp32 and in fp16.
    power : float
        Watts of the whole chip, all of its `cores`.
    memory_bandwidth : float
        Bytes per cycle between a core and its own memory.
    dsd_start : float
        Cycles before a vector operation starts; 0 where none is known.
    turn : float
        Cycles a message pays for changing direction; 0 where none is known.
    cores : int
        Working cores of the whole chip, which share its power; all of `shape` when left out.
    wrap : bool
        Links join the last core of a row or column to its first (a torus).
    chip : (int, int)
        Largest mesh the chip has; `shape` when left out.

    References
    ----------
    .. [1] WaferLLM, OSDI 2025, section 3.1.
    """

    name: str
    shape: tuple[int, int]
    hop: float
    relay: float
    ramp: float
    bytes_per_core: int
    routes: float
    clock: float
    link_words: float
    macs: float
    power: float
    macs_fp16: float = _UNKNOWN
    memory_bandwidth: float = _UNKNOWN
    dsd_start: float = 0
    turn: float = 0
    cores: int = _UNKNOWN
    wrap: bool = False
    chip: tuple[int, int] = _UNKNOWN

    def __post_init__(self) -> None:
        name: Any = self.name
        if not (isinstance(name, str) and name.strip()):
            raise ValueError(f"name={self.name!r}: give the machine a name to show, such as 'mine'")
        self._settle("shape", _mesh(self.name, "shape", self.shape))
        self._settle("chip", _mesh(self.name, "chip", self.chip or self.shape))
        if self.cores is None:
            self._settle("cores", math.prod(self.shape))
        for quantity in QUANTITIES:
            self._settle(quantity, _checked(self.name, quantity, getattr(self, quantity)))

    def _settle(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @classmethod
    def preset(cls, name: str = "teaching", **overrides: Any) -> Machine:
        """A machine from `data/machines.csv`, single numbers replaced by keyword as in `edit`.

        Raises
        ------
        ValueError
            When there is no machine or number of that name, or a number that makes no sense.

        Examples
        --------
        >>> Machine.preset("wse2", shape=(720, 720)).hop
        1
        >>> Machine.preset("wse3", ramp=7).relay
        17
        """
        if name in {fact.machine for fact in facts("references")}:
            raise ValueError(
                f"{name} is no mesh of cores; it stands in rooflines and energy tables to compare with, and "
                f"waferviz.facts.reference({name!r}) gives its numbers"
            )
        return cls.load(table_path("machines.csv"), name).edit(**overrides)

    @classmethod
    def load(cls, path: str | Path, name: str | None = None) -> Machine:
        """A machine from a file written by `save`, or by hand in the columns of `data/machines.csv`.

        Raises
        ------
        ValueError
            When the file has no such machine, or several and none is named, or a row is missing or makes no sense.
        """
        found = [fact for fact in facts(path) if not fact.variant]
        name = _one_of(list(dict.fromkeys(fact.machine for fact in found)), name, path)
        values: dict[str, Any] = {
            fact.quantity: None if fact.unpublished else fact.value for fact in found if fact.machine == name
        }
        if missing := [quantity for quantity in ("rows", "columns", *_NEEDED) if quantity not in values]:
            raise ValueError(
                f"{path}: {name} has no row for {', '.join(missing)}; give one, nan where not known"
            )
        shape = (values.pop("rows"), values.pop("columns"))
        chip = (values.pop("chip_rows", shape[0]), values.pop("chip_columns", shape[1]))
        wrap = bool(values.pop("wrap", 0))
        if unknown := [quantity for quantity in values if quantity not in QUANTITIES]:
            raise ValueError(
                f"{path}: {name} has a row for {unknown[0]!r}; known are {', '.join(QUANTITIES)}"
            )
        return cls(name=name, shape=shape, chip=chip, wrap=wrap, **values)

    def save(self, path: str | Path) -> Path:
        """Write the machine to a CSV file in the columns of `data/machines.csv`, changed numbers marked."""
        table = [fact for fact in facts("machines") if not fact.variant]
        given = {fact.quantity: fact for fact in table if fact.machine == self.name}
        units = {fact.quantity: fact.units for fact in table} | {
            "chip_rows": "cores",
            "chip_columns": "cores",
        }
        if not str(path) or Path(path).is_dir():
            raise ValueError(f"path={str(path)!r}: give the name of a file, such as 'mine.csv'")
        with Path(path).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([field.name for field in fields(Fact)])
            for quantity, value in self._numbers().items():
                told = _told(given.get(quantity), value)
                writer.writerow((self.name, quantity, "", value, units[quantity], *told))
        return Path(path)

    def edit(self, **changes: Any) -> Machine:
        """The machine with single numbers changed; a new hop or ramp brings a relay of hop + 2 ramp + 1.

        Examples
        --------
        >>> Machine.preset("wse2").edit(clock=0.85).clock
        0.85
        """
        known = [field.name for field in fields(self)]
        if unknown := [name for name in changes if name not in known]:
            raise ValueError(f"a machine has no {unknown[0]!r}; it has {', '.join(known)}")
        new = replace(self, **changes)
        missing = any(isinstance(part, Unpublished) for part in (new.hop, new.ramp))
        if missing or "relay" in changes or not {"hop", "ramp"} & set(changes):
            return new
        return replace(new, relay=new.hop + 2 * new.ramp + 1)

    @property
    def is_what_if(self) -> bool:
        """True when the mesh is larger than the chip, turned either way: allowed, and marked."""
        return any(side > most for side, most in zip(sorted(self.shape), sorted(self.chip), strict=True))

    def doubts(self) -> list[Fact]:
        """What other sources say about this machine, what nobody has published, and sources nobody here has opened.

        Examples
        --------
        >>> [(doubt.quantity, doubt.value) for doubt in Machine.preset("wse2").doubts()][0]
        ('clock', 0.85)
        """
        mine = [fact for fact in facts("machines") if fact.machine == self.name]
        return [fact for fact in mine if fact.variant or fact.unpublished or fact.unopened]

    def _numbers(self) -> dict[str, float]:
        """Every number by its name in `data/machines.csv`, nan where it is not published."""
        sides = dict(zip(("rows", "columns"), self.shape, strict=True))
        if self.chip != self.shape:
            sides |= dict(zip(("chip_rows", "chip_columns"), self.chip, strict=True))
        values = {name: getattr(self, name) for name in QUANTITIES}
        known = {
            name: math.nan if isinstance(value, Unpublished) else value for name, value in values.items()
        }
        return sides | known | {"wrap": int(self.wrap)}


def named(machine: Machine | str) -> Machine:
    """The machine itself, or the preset of that name; ValueError for anything else."""
    if isinstance(machine, str):
        return Machine.preset(machine)
    if not isinstance(machine, Machine):
        raise ValueError(
            f"machine={machine!r}: give a Machine, or the name of one such as 'wse2' (`waferviz list machines`)"
        )
    return machine


def presets() -> list[str]:
    """Names for `Machine.preset`: the chips that are meshes of cores."""
    return list(dict.fromkeys(fact.machine for fact in facts("machines")))


def _told(fact: Fact | None, value: float) -> tuple[str, str]:
    """Source and note of a number that is written down: the published ones, unless the number was changed."""
    if fact and (fact.value == value or (fact.unpublished and math.isnan(value))):
        return fact.source, fact.note
    return "chosen by the user", "" if fact is None else f"in data/machines.csv: {fact.value}"


def _one_of(known: list[str], name: str | None, path: str | Path) -> str:
    """The machine asked for, or the only one of a file."""
    if name is None and len(known) != 1:
        raise ValueError(f"{path} has {len(known)} machines; name one of {', '.join(known)}")
    if name is not None and name not in known:
        raise ValueError(f"no machine {name!r}; known are {', '.join(known)}")
    return name or known[0]


def _mesh(machine: str, name: str, sides: Any) -> tuple[int, int]:
    """Both sides of a mesh as integers above zero."""
    pair: tuple[Any, ...] = tuple(sides) if isinstance(sides, (tuple, list)) else (sides,)
    whole = [not isinstance(side, bool) and isinstance(side, Integral) and int(side) > 0 for side in pair]
    if whole != [True, True]:
        raise ValueError(
            f"Machine {machine}: {name}={sides!r}; give (rows, columns), two integers above zero"
        )
    return int(pair[0]), int(pair[1])


def _checked(machine: str, quantity: str, value: Any) -> Any:
    """The number itself, or what stands for an unpublished one; ValueError for a number no machine can have."""
    if value is None or isinstance(value, Unpublished):
        return Unpublished(machine, quantity)
    zero, endless = quantity in _MAY_BE_ZERO, quantity == "routes" and value == math.inf
    real = isinstance(value, Real) and (endless or math.isfinite(value))
    if not real or value < 0 or (value == 0 and not zero):
        least = "zero or more" if zero else "more than zero"
        raise ValueError(f"Machine {machine}: {quantity}={value!r}; give a finite number, {least}")
    return value
