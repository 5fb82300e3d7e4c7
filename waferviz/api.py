"""The verbs that people start with: multiply two matrices on a mesh, and say what this installation is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import metadata
from typing import TYPE_CHECKING, Any

from waferviz.algorithms import GEMM, Shape
from waferviz.program import Program, code_of

if TYPE_CHECKING:
    import xarray as xr

    from waferviz.machine import Machine


def multiply(
    a: Any,
    b: Any,
    *,
    algorithm: str | Callable[..., Program] | Program = "meshgemm",
    mesh: Shape = 8,
    machine: Machine | None = None,
    tier: str = "auto",
    budget: int | None = None,
    schedule: str = "barrier",
) -> xr.Dataset:
    """A lazy trace of C = A B on a mesh of cores.

    Parameters
    ----------
    a, b : array (M, K) and (K, N), DataArray, or path of a file
        `meshgemm_t` takes B as (N, K) and uses its transpose.
    algorithm : str, builder or Program
        A name in `GEMM`, a function from a mesh to a Program, or a Program.
    mesh : int or (int, int)
        Side, or rows and columns.
    machine : Machine, optional
        Prices the cycle clock; the teaching machine when left out.
    tier : str
        See `run`.
    budget : int, optional
        Bytes that the run may take, 2 GiB when left out.
    schedule : "barrier" or "dataflow"
        Prices the cycle clock, see `audit`.

    Returns
    -------
    Dataset
        See `run`.

    Raises
    ------
    ValueError
        For anything that is no pair of matrices with a common K, or a mesh that does not fit them.
    KeyError
        For an unknown algorithm; the message names the nearest.
    MemoryError
        When the run would take more than the budget.

    Examples
    --------
    >>> import numpy as np
    >>> trace = multiply(np.eye(8, dtype=int), np.arange(64).reshape(8, 8), mesh=4)
    >>> int(trace.C.isel(step=-1).sum())
    2016
    """
    from waferviz import inputs
    from waferviz.trace import BUDGET, run

    program, code = build(algorithm, mesh)
    first, second = inputs.pair(a, b)
    return run(
        program,
        {"A": first, "B": second},
        machine=machine,
        tier=tier,
        budget=BUDGET if budget is None else budget,
        code=code,
        schedule=schedule,
    )


def build(algorithm: str | Callable[..., Program] | Program, mesh: Shape) -> tuple[Program, str]:
    """A program and the source text of its builder."""
    if isinstance(algorithm, Program):
        return algorithm, ""
    builder = GEMM[algorithm] if isinstance(algorithm, str) else algorithm
    program = builder(mesh)
    if not isinstance(program, Program):
        raise ValueError(
            f"algorithm {getattr(builder, '__name__', builder)!r} returned {type(program).__name__}; let it return a Program"
        )
    return program, code_of(builder)


def about() -> dict[str, str]:
    """Versions that matter when a picture stays blank: Python, this package, and what it draws with."""
    found = {"python": sys.version.split()[0], "waferviz": version("waferviz")}
    names = ("numpy", "xarray", "bokeh", "panel", "jupyterlab", "ipywidgets", "jupyter_bokeh")
    return found | {name: version(name) for name in names}


def version(package: str) -> str:
    """Version of an installed package, or "not installed"."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"
