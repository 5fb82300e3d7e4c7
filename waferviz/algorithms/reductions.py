"""Adding up along lines of cores: trees of one or several phases to a root, and its broadcast back.

Allreduces and the sums of a GEMV share these steps; each algorithm is a plan: who sends to whom on one line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from waferviz.algorithms import Shape, sides
from waferviz.program import Array, Buffer, Move, Program, Step

Combine = Literal["add", "max"]


@dataclass(frozen=True, eq=False)
class Plan:
    """How one line of cores adds up.

    Attributes
    ----------
    phases : tuple of array
        Parent of each core in each phase, -1 for none; phases follow one another, see `waferviz.trees`.
    root : int
        Core that holds the sum in the end, and broadcasts it.
    """

    phases: tuple[Array, ...]
    root: int


Planner = Callable[[int], Plan]


def summed(
    name: str, mesh: Shape, planner: Planner, *, axis: str = "x", op: Combine = "add", paper: str = ""
) -> Program:
    """Allreduce of one vector per core by a plan.

    Parameters
    ----------
    mesh : int or (int, int)
        Cores of one line, or rows and columns.
    planner : callable
        Number of cores on a line to its plan.
    axis : "x", "y" or "xy"
        Every row by itself, every column by itself, or the whole mesh: rows first, then the column of their roots.
    op : "add" or "max"
        What is done with two vectors.
    """
    shape, op = extent(mesh, axis), checked_op(op)
    if axis == "xy":
        across, down = planner(shape[1]), planner(shape[0])
        only = np.arange(shape[1]) == across.root
        steps = (
            *climb(across, "V", "x", op, "rows, "), *climb(down, "V", "y", op, "column, ", only),
            spread(down.root, "V", "y", "broadcast down the column", only), spread(across.root, "V", "x", "broadcast along the rows"),
        )  # fmt: skip
    else:
        plan = planner(shape[1] if axis == "x" else shape[0])
        steps = (*climb(plan, "V", axis, op), spread(plan.root, "V", axis))
    return Program(
        name=name, shape=shape, body=steps, buffers={"V": Buffer(("n",), double=True)}, operands={}, result="V",
        paper=paper, kind="allreduce",
    )  # fmt: skip


def checked_op(op: Combine) -> Combine:
    """The way to unite two vectors, or a ValueError."""
    if op not in ("add", "max"):
        raise ValueError(f"op={op!r}: choose 'add' or 'max'")
    return op


def extent(mesh: Shape, axis: str) -> tuple[int, int]:
    """Rows and columns: an integer is the number of cores of one line, or the side of a square for "xy"."""
    if axis not in ("x", "y", "xy"):
        raise ValueError(f"axis={axis!r}: choose 'x' (rows), 'y' (columns) or 'xy' (the whole mesh)")
    rows, columns = sides(mesh)
    if isinstance(mesh, tuple | list) or axis == "xy":
        return rows, columns
    return (1, columns) if axis == "x" else (rows, 1)


def climb(
    plan: Plan, buffer: str, axis: str, op: Combine = "add", said: str = "", only: Array | None = None
) -> tuple[Step, ...]:
    """One step per phase; within it every word is sent on as soon as it is summed."""
    number = len(plan.phases)
    return tuple(
        Step(
            f"{said}sum, phase {phase} of {number}" if number > 1 else f"{said}sum",
            (Move(read=buffer, write=buffer, axis=axis, target=parents, combine=op, tree=True, only=only),),  # type: ignore[arg-type]
        )
        for phase, parents in enumerate(plan.phases, 1)
    )


def spread(root: int, buffer: str, axis: str, said: str = "broadcast", only: Array | None = None) -> Step:
    """Broadcast of the root's vector along its line, routers copying it on the way."""
    move = Move(read=buffer, write=buffer, axis=axis, source=np.full((1, 1, 1), root), only=only)  # type: ignore[arg-type]
    return Step(said, (move,))


def towards(root: int, cores: int) -> Array:
    """Parents of a chain that runs to the root from both sides."""
    here = np.arange(cores)
    return np.where(here == root, -1, here + np.sign(root - here))
