"""Points of a design space: sizes and machine numbers as arrays, and the price of one algorithm on all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.algorithms import GEMM
from waferviz.bill import Bill
from waferviz.cost.gemm import broadcasting, shifting
from waferviz.machine import Machine
from waferviz.program import Program
from waferviz.schedule import cycles, parts
from waferviz.state import summed_in
from waferviz.tally import macs_of

if TYPE_CHECKING:
    import xarray as xr

Algorithm = str | Callable[..., Program]
Cell = dict[str, "xr.DataArray"]
RINGS = {"cannon": False, "meshgemm": True}
BROADCASTS = {"summa": 4, "allgather": 2}
NUMBERS = ("hop", "ramp", "relay", "link_words", "routes", "bytes_per_core", "clock")


def name_of(algorithm: Algorithm) -> str:
    """Name under which an algorithm is shown."""
    return algorithm if isinstance(algorithm, str) else getattr(algorithm, "__name__", str(algorithm))


@dataclass(frozen=True, kw_only=True, eq=False)
class Space:
    """Square products on square meshes of several machines.

    Attributes
    ----------
    mesh, matrix : DataArray
        Cores and entries along a side.
    machines : list of Machine
        Along dim `machine`.
    numbers : dict of str to DataArray
        Numbers of the machines by name.
    known : dict
        Cycles and ways priced before: SUMMA and allgather take the same.
    """

    mesh: xr.DataArray
    matrix: xr.DataArray
    machines: list[Machine]
    numbers: dict[str, xr.DataArray]
    dtype: np.dtype[Any]
    known: dict[tuple[bool | None, str], tuple[Any, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, mesh: Any, matrix: Any, machines: list[Machine], dtype: Any) -> Space:
        """Arrays of the sides and numbers; ValueError for sides and names that make no sense."""
        import xarray as xr

        names = [machine.name for machine in machines]
        if not names:
            raise ValueError("machine=[]: give one machine or more, such as 'wse2'")
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(
                f"two machines named {twice!r}; give each a name of its own, machine.edit(name=...)"
            )
        rates = {name: [getattr(machine, name) for machine in machines] for name in NUMBERS}
        rates["macs"] = [macs_of(machine, dtype) for machine in machines]
        numbers = {name: xr.DataArray([float(one) for one in each], {"machine": names}, "machine") for name, each in rates.items()}  # fmt: skip
        return cls(mesh=_side(mesh, "mesh"), matrix=_side(matrix, "matrix"), machines=machines, numbers=numbers, dtype=np.dtype(dtype))  # fmt: skip

    @property
    def on_chip(self) -> xr.DataArray:
        """The mesh fits the chip, and the matrix has an entry for each of its rows."""
        side = self.numbers["hop"].copy(data=[min(machine.chip) for machine in self.machines])
        return (self.mesh <= side) & (self.mesh <= self.matrix)

    def priced(self, algorithm: Algorithm, schedule: str) -> Cell:
        """Cycles, parts, memory and routes of one algorithm under one schedule."""
        name = name_of(algorithm)
        formed = isinstance(algorithm, str) and name in {*RINGS, *BROADCASTS}
        if formed and not any(machine.wrap for machine in self.machines):
            return self._by_form(name, schedule)
        return self._point_by_point(algorithm, schedule)

    def _by_form(self, name: str, schedule: str) -> Cell:
        memory, routes = self._held(name)
        relayed = (routes > self.numbers["routes"]) & (name in BROADCASTS)
        key = (RINGS.get(name), schedule)
        if key not in self.known:
            work, words = self._steps(schedule)
            total = self._form(name, schedule, relayed, work, words)
            whole = schedule == "barrier" and all(
                (self.numbers[one] % 1 == 0).all() for one in ("hop", "ramp", "relay")
            )
            self.known[key] = (
                (total if whole else np.ceil(total)),
                self._form(name, schedule, relayed, 0.0, 0.0),
            )
        cycles, way = self.known[key]
        return {
            "cycles": cycles, "work": self.all_work, "words": self.all_words, "way": way,
            "memory": memory, "routes": routes, "relayed": relayed,
        }  # fmt: skip

    def _form(self, name: str, schedule: str, relayed: Any, work: Any, words: Any) -> Any:
        hop, ramp = self.numbers["hop"], self.numbers["ramp"]
        if name in RINGS:
            return shifting(
                words, self.mesh, work, interleaved=RINGS[name], schedule=schedule, hop=hop, ramp=ramp
            )
        core = {"relayed": relayed.astype(float), "relay": self.numbers["relay"]}
        return broadcasting(words, self.mesh, work, schedule=schedule, hop=hop, ramp=ramp, **core)

    def _steps(self, schedule: str) -> tuple[Any, Any]:
        """Cycles of work and words of one step; under a barrier a step takes whole cycles."""
        if schedule == "dataflow":
            return self.work, self.words
        return np.ceil(self.work), np.ceil(self.words)

    def _held(self, name: str) -> tuple[Any, Any]:
        """Bytes and routes of a core, double buffers and receive tiles included."""
        n, entries, small = self.mesh, self.tile**2, self.dtype.itemsize
        result, moving = entries * summed_in(self.dtype).itemsize, n > 1
        if name in RINGS:
            return result + 4 * entries * small, 2 * np.minimum(n, 3) * moving
        places = 2 + 2 * n if name == "allgather" else 4
        return result + places * entries * small, 2 * n * moving

    @cached_property
    def tile(self) -> xr.DataArray:
        """Entries along a side of a tile, nan where there would be none for some cores."""
        sides: xr.DataArray = -(-self.matrix // self.mesh)
        return sides.where(self.mesh <= self.matrix)

    @cached_property
    def words(self) -> xr.DataArray:
        """Cycles for a tile of A and one of B to pass a ramp."""
        words: xr.DataArray = -(-(self.tile**2) * self.dtype.itemsize // 4)
        return 2 * words / self.numbers["link_words"]

    @cached_property
    def work(self) -> xr.DataArray:
        """Cycles to multiply two tiles."""
        return self.tile**3 / self.numbers["macs"]

    @cached_property
    def all_work(self) -> xr.DataArray:
        """Cycles of work on a core in the whole product."""
        return self.mesh * self.work

    @cached_property
    def all_words(self) -> xr.DataArray:
        """Cycles for words through a core's ramp in the whole product."""
        return self.mesh * self.words * (self.mesh > 1)

    def _point_by_point(self, algorithm: Algorithm, schedule: str) -> Cell:
        import xarray as xr

        build = GEMM[algorithm] if isinstance(algorithm, str) else algorithm
        which = self.numbers["hop"].copy(data=np.arange(len(self.machines)))

        def price(n: int, side: int, number: int) -> tuple[float, ...]:
            if n > side:
                return (np.nan,) * 5 + (0, False)
            bill = Bill(build(int(n)), self.machines[number], (int(side),) * 3, self.dtype)
            part = parts(bill)
            routes = int(bill.routes.max(initial=0))
            taken = cycles(bill, schedule).sum(), bill.work.sum(), part["words"].sum(), part["way"].sum()
            return (*map(float, taken), float(bill.bytes), routes, bill.relayed)

        out = ("cycles", "work", "words", "way", "memory", "routes", "relayed")
        found = xr.apply_ufunc(
            price, self.mesh, self.matrix, which, vectorize=True, dask="parallelized",
            output_core_dims=[()] * len(out), output_dtypes=[float] * 5 + [int, bool],
        )  # fmt: skip
        return dict(zip(out, found, strict=True))


def once(name: str, values: Sequence[Any]) -> None:
    """Raise ValueError unless there is a value, and none stands there twice: each is a label of its dim."""
    if not values:
        raise ValueError(f"{name}=[]: give one or more")
    if twice := [value for value in values if values.count(value) > 1]:
        raise ValueError(f"{name}={list(values)!r}: {twice[0]!r} stands there twice; give each once")


def _side(values: Any, name: str) -> xr.DataArray:
    """Numbers of cores or entries along a side."""
    import xarray as xr

    if isinstance(values, xr.DataArray):
        return values
    side = np.atleast_1d(np.asarray(values))
    if side.dtype.kind not in "iu" or side.ndim != 1 or not side.size or (side < 1).any():
        raise ValueError(f"{name}={values!r}: give positive whole numbers along a side, for example [8, 16]")
    once(name, side.tolist())
    return xr.DataArray(side, {name: side}, name)
