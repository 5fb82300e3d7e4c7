"""GEMV by partial sums: every core multiplies its tile, then the partial results are summed along one axis.

The vector is split along the axis of the sum and the same on all lines across it; the result is split across the
axis and the same on all cores along it.  So the next GEMV sums along the other axis, and nothing is transposed.
"""

from __future__ import annotations

import numpy as np

from waferviz.algorithms import Shape, sides
from waferviz.algorithms.reductions import Planner, climb, spread
from waferviz.program import Buffer, Operand, Program, Step, multiply


def partial_sums(name: str, mesh: Shape, planner: Planner, *, axis: str = "y", paper: str = "") -> Program:
    """C = A B for a vector B (K, 1), or a few side by side, the partial results summed by a plan.

    Parameters
    ----------
    mesh : int or (int, int)
        Side, or rows and columns; no common multiple is needed.
    planner : callable
        Number of cores on a line to its plan, see `waferviz.algorithms.reductions`.
    axis : "y" or "x"
        Axis of the sum.  Along x core (y, x) holds block (y, x) of A; along y it holds block (x, y), so A is
        stored transposed.
    """
    shape = sides(mesh)
    plan = planner(shape[0 if checked_axis(axis) == "y" else 1])
    a, b, c = layouts(shape, axis)
    return Program(
        name=name, shape=shape, kind="gemv", paper=paper, operands={"A": a, "B": b}, outcome=c,
        body=(Step("multiply", work=multiply("A", "B", "C")), *climb(plan, "C", axis), spread(plan.root, "C", axis)),
        buffers={"A": Buffer(("m", "k")), "B": Buffer(("k", "n")), "C": Buffer(("m", "n"), double=True)},
    )  # fmt: skip


def layouts(shape: tuple[int, int], axis: str) -> tuple[Operand, Operand, Operand]:
    """Blocks of the matrix, of the vector and of the result on every core."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    across, along = (y, x) if axis == "x" else (x, y)
    blocks = shape if axis == "x" else shape[::-1]
    none = np.zeros((1, 1), int)
    return (
        Operand(across, along, blocks),
        Operand(along, none, (blocks[1], 1)),
        Operand(across, none, (blocks[0], 1)),
    )


def checked_axis(axis: str) -> str:
    """The axis, or a ValueError."""
    if axis not in ("x", "y"):
        raise ValueError(
            f"axis={axis!r}: partial results are summed along 'y' (columns of cores) or 'x' (rows)"
        )
    return axis
