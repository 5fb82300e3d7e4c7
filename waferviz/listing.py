"""What there is to choose from: algorithms, machines, ready-made matrices and published tables, by name."""

from __future__ import annotations

import math
from collections import Counter

from waferviz.algorithms import ALLREDUCE, CACHE, GEMM, GEMV, Builder
from waferviz.machine import Machine, presets
from waferviz.published import tables

GROUPS = ("algorithms", "machines", "matrices", "tables")
KINDS = {
    "GEMM, for waferviz multiply --algorithm": GEMM,
    "GEMV, for waferviz multiply --algorithm, B one column": GEMV,
    "Allreduce, for waferviz.ALLREDUCE": ALLREDUCE,
    "Caches, for waferviz.CACHE": CACHE,
}
MATRICES = {
    "integers": "random whole numbers from -9 to 9",
    "identity": "ones on the diagonal",
    "ramp": "row plus column",
    "blur": "averages neighbouring rows of what it multiplies",
    "photograph": "grey levels of a real picture",
    "sea_temperature": "61 years x 12 months, whatever the size",
}


def listed(what: str = "all") -> dict[str, dict[str, str]]:
    """Titles to names to what each is; `what` is one of `GROUPS`, or all of them with the tables by families."""
    out: dict[str, dict[str, str]] = {}
    if what in ("all", "algorithms"):
        for title, registry in KINDS.items():
            out[title] = {name: first_line(builder) for name, builder in registry.items()}
    if what in ("all", "machines"):
        out["Machines, for --machine and machine="] = {
            name: _sketch(Machine.preset(name)) for name in presets()
        }
    if what in ("all", "matrices"):
        out["Matrices, for waferviz sample and waferviz.sample(name)"] = MATRICES
    if what == "all":
        out["Tables, for waferviz.table(name); `waferviz list tables` names them all"] = families(tables())
    if what == "tables":
        out["Tables, for waferviz.table(name)"] = dict.fromkeys(tables(), "")
    return out


def first_line(builder: Builder) -> str:
    """What an algorithm says about itself."""
    return (builder.__doc__ or "").strip().split("\n")[0]


def families(names: list[str]) -> dict[str, str]:
    """Names that begin alike under one head, with their number.

    Examples
    --------
    >>> families(["noc_energy", "noc_reduce", "noc_shift", "machines"])
    {'noc_...': '3 tables', 'machines': ''}
    """
    heads = Counter(name.split("_")[0] for name in names)
    found = {}
    for name in names:
        head = name.split("_")[0]
        many = heads[head] > 2
        found[f"{head}_..." if many else name] = f"{heads[head]} tables" if many else ""
    return found


def _sketch(machine: Machine) -> str:
    rows, columns = machine.shape
    routes = "any number of" if machine.routes == math.inf else machine.routes
    return f"{rows} x {columns} cores, {machine.bytes_per_core // 1024} KiB each, {routes} routes, {machine.clock} GHz"
