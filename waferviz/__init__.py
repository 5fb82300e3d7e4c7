"""waferviz: see how wafer-scale chips and low-bit arithmetic compute.

Importing it imports NumPy alone; xarray, Panel and Bokeh follow when a function needs them.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np  # noqa: F401  (the one import that is paid at once)

if TYPE_CHECKING:
    from waferviz.algorithms import ALLREDUCE, CACHE, GEMM, GEMV
    from waferviz.algorithms.tree import tree
    from waferviz.api import about, multiply
    from waferviz.audit import audit
    from waferviz.check import check
    from waferviz.explain import explain
    from waferviz.handout import handout
    from waferviz.inputs import matrix, sample
    from waferviz.machine import Machine
    from waferviz.program import Buffer, Move, Operand, Placement, Program, Repeat, Step, Work
    from waferviz.proof import prove
    from waferviz.published import table
    from waferviz.roofline import roofline
    from waferviz.show import play, race, show
    from waferviz.sweep import sweep
    from waferviz.timeline import timeline
    from waferviz.trace import product, run
    from waferviz.verify import verify
    from waferviz.views.arcs import arcs
    from waferviz.waves import waves
    from waferviz.workbench import workbench

_HOME = {
    "ALLREDUCE": "algorithms",
    "CACHE": "algorithms",
    "GEMM": "algorithms",
    "GEMV": "algorithms",
    "about": "api",
    "multiply": "api",
    "audit": "audit",
    "check": "check",
    "explain": "explain",
    "handout": "handout",
    "matrix": "inputs",
    "sample": "inputs",
    "Machine": "machine",
    "Buffer": "program",
    "Move": "program",
    "Operand": "program",
    "Placement": "program",
    "Program": "program",
    "Repeat": "program",
    "Step": "program",
    "Work": "program",
    "prove": "proof",
    "table": "published",
    "roofline": "roofline",
    "tree": "algorithms.tree",
    "product": "trace",
    "run": "trace",
    "verify": "verify",
    "waves": "waves",
    "play": "show",
    "race": "show",
    "show": "show",
    "arcs": "views.arcs",
    "sweep": "sweep",
    "timeline": "timeline",
    "workbench": "workbench",
}

_MODULES = ("cache", "capacity", "cost", "energy", "lowbit", "sums", "wafer", "wavelets")

__all__ = [
    "ALLREDUCE",
    "CACHE",
    "GEMM",
    "GEMV",
    "Buffer",
    "Machine",
    "Move",
    "Operand",
    "Placement",
    "Program",
    "Repeat",
    "Step",
    "Work",
    "about",
    "arcs",
    "audit",
    "check",
    "explain",
    "handout",
    "matrix",
    "multiply",
    "play",
    "product",
    "prove",
    "race",
    "roofline",
    "run",
    "sample",
    "show",
    "sweep",
    "table",
    "timeline",
    "tree",
    "verify",
    "waves",
    "workbench",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"waferviz.{name}")
    if name in _HOME:
        value = getattr(import_module(f"waferviz.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'waferviz' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})


class _Package(ModuleType):
    """A package whose verbs win over its files of the same name, such as `audit`, in whatever order they load."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
