"""Machines: the PLMR numbers of one chip, read from the tables in `data/`."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from waferviz.published import rows


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A mesh of cores, described by the four PLMR properties [1]_.

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
    routes : int
        Routes a router can hold.  R.
    clock : float
        GHz.
    link_words : float
        32-bit words per cycle on a link, per direction; the ramp carries as many.
    macs : float
        Multiply-adds per core and cycle.
    power : float
        Watts of the whole chip.
    wrap : bool
        Links join the last core of a row or column to its first (a torus).

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
    routes: int
    clock: float
    link_words: float
    macs: float
    power: float
    wrap: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            numbers = value if isinstance(value, tuple) else (value,)
            if field.name not in ("name", "wrap") and not all(number >= 0 for number in numbers):
                raise ValueError(f"Machine {field.name}={value!r}: give a number of zero or more")
        if self.link_words == 0 or self.macs == 0 or 0 in self.shape:
            raise ValueError("Machine shape, link_words and macs must be more than zero")

    @classmethod
    def preset(cls, name: str = "teaching", **overrides: Any) -> Machine:
        """A machine from `data/machines.csv`, single numbers replaced by keyword.

        Raises
        ------
        ValueError
            When there is no machine of that name.

        Examples
        --------
        >>> Machine.preset("wse2", shape=(720, 720)).hop
        1
        """
        table = rows("machines")
        known = list(dict.fromkeys(row["machine"] for row in table))
        if name not in known:
            raise ValueError(f"no machine {name!r}; known are {', '.join(known)}")
        values = {row["quantity"]: _number(row["value"]) for row in table if row["machine"] == name}
        shape = (int(values.pop("rows")), int(values.pop("columns")))
        return replace(cls(name=name, shape=shape, **values), **overrides)  # type: ignore[arg-type]


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() else value
