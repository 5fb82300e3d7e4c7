"""The verbs that people start with: multiply two matrices on a mesh, and say what this installation is."""

from __future__ import annotations

import difflib
import math
import sys
from collections.abc import Callable
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.algorithms import GEMM, GEMV, Shape, sides
from waferviz.program import Program, code_of
from waferviz.state import check_blocks

if TYPE_CHECKING:
    import xarray as xr

    from waferviz.machine import Machine


def multiply(
    a: Any,
    b: Any,
    *,
    algorithm: str | Callable[..., Program] | Program = "meshgemm",
    mesh: Shape | None = None,
    machine: Machine | str | None = None,
    tier: str = "auto",
    budget: int | None = None,
    schedule: str = "barrier",
) -> xr.Dataset:
    """A lazy trace of C = A B on a mesh of cores.

    Parameters
    ----------
    a, b : array (M, K) and (K, N), DataArray, or path of a file
        `meshgemm_t` takes B as (N, K) and uses its transpose; a vector (K,) is a matrix of one column.
    algorithm : str, builder or Program
        A name in `GEMM` or `GEMV`, a function from a mesh to a Program, or a Program.
    mesh : int or (int, int), optional
        Side, or rows and columns, for a name or a function; 8 when left out.  A Program has its own.
    machine : Machine or its name, optional
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
        For anything that is no pair of matrices with a common K, a mesh that does not fit them, or a function that
        makes no Program.
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

    first, second = inputs.pair(a, b.reshape(-1, 1) if isinstance(b, np.ndarray) and b.ndim == 1 else b)
    if not isinstance(algorithm, Program):
        _room(algorithm, 8 if mesh is None else mesh, first.shape, second.shape)
    program, code = build(algorithm, mesh)
    if program.on_vectors:
        raise ValueError(
            f"algorithm={program.name} multiplies no matrices; use run(program, ...) for {program.kind}"
        )
    return run(
        program,
        {"A": first, "B": second},
        machine=machine,
        tier=tier,
        budget=BUDGET if budget is None else budget,
        code=code,
        schedule=schedule,
    )


def build(
    algorithm: str | Callable[..., Program] | Program, mesh: Shape | None = None
) -> tuple[Program, str]:
    """A program and the source text of its builder."""
    if isinstance(algorithm, Program):
        rows, columns = algorithm.place.shape
        if mesh is not None and sides(mesh) != (rows, columns):
            raise ValueError(
                f"mesh={mesh!r}: the program {algorithm.name} is built for {rows} x {columns} cores; leave mesh out, or "
                "build it for another mesh"
            )
        return algorithm, ""
    builder = _known(algorithm) if isinstance(algorithm, str) else algorithm
    if not callable(builder):
        raise ValueError(
            f"algorithm={builder!r}: give a name such as 'meshgemm', a function from a mesh to a Program, or a Program"
        )
    program = _built(builder, 8 if mesh is None else mesh)
    if not isinstance(program, Program):
        raise ValueError(
            f"algorithm {_name(builder)!r} returned {type(program).__name__}; let it return a Program"
        )
    return program, code_of(builder)


def _known(name: str) -> Callable[..., Program]:
    """The builder of a product by its name; KeyError, which lists both kinds, for an unknown one."""
    if name in GEMM or name in GEMV:
        return GEMM[name] if name in GEMM else GEMV[name]
    near = difflib.get_close_matches(name, GEMM, 1, 0.7) or difflib.get_close_matches(name, GEMV, 1, 0.3)
    hint = f"; nearest is {near[0]!r}" if near else ""
    raise KeyError(
        f"no algorithm {name!r} for products{hint}; known are GEMM {', '.join(GEMM)}, and GEMV {', '.join(GEMV)}"
    )


def _built(builder: Callable[..., Any], mesh: Shape) -> Any:
    """What the builder makes of the mesh; ValueError when it cannot take it."""
    sides(mesh)
    try:
        return builder(mesh)
    except (TypeError, IndexError) as error:
        hint = "it is called with the mesh and returns a Program"
        if isinstance(mesh, tuple | list):
            hint = "a mesh may be (rows, columns): waferviz.algorithms.sides(mesh) gives both for any mesh"
        raise ValueError(
            f"algorithm {_name(builder)!r} fails for mesh={mesh!r} ({type(error).__name__}: {error}); {hint}"
        ) from error


def _name(builder: Callable[..., Any]) -> str:
    return getattr(builder, "__name__", type(builder).__name__)


def _room(algorithm: Any, mesh: Shape, a: tuple[int, ...], b: tuple[int, ...]) -> None:
    """Raise ValueError, before a program is built, for a mesh that these matrices cannot fill."""
    shape = sides(mesh)
    outer = b[int(b[0] == a[1])] if a[1] in b else max(*a, *b)
    if isinstance(algorithm, str) and algorithm in GEMM:
        check_blocks(dict.fromkeys("mkn", math.lcm(*shape)), (*a, outer), shape)
    if math.prod(shape) > math.prod(a) * outer:
        raise ValueError(
            f"mesh={shape[0]} x {shape[1]} has more cores than the product has multiply-adds; use fewer cores, or "
            "larger matrices"
        )


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
