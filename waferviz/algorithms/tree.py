"""A tree of one's own: any array of parents as an allreduce."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.algorithms.reductions import Combine, checked_op, spread
from waferviz.program import Array, Buffer, Move, Program, Step
from waferviz.trees import reach


def tree(
    parents: Any, *, shape: tuple[int, int] | None = None, op: Combine = "add", name: str = "tree"
) -> Program:
    """Allreduce by a tree given as the parent of each core; its root, with parent -1, broadcasts the sum.

    Children of one core are added nearest first.

    Parameters
    ----------
    parents : sequence of int
        Parent of each core, -1 for the root.
    shape : (int, int), optional
        Rows and columns of a mesh whose cores are counted row by row; one line when left out.

    Raises
    ------
    ValueError
        For a parent out of range, no root or several, a circle, or an unknown `op`.

    Examples
    --------
    >>> tree([1, -1, 1, 2]).shape
    (1, 4)
    """
    array = _checked(parents)
    rows, columns = shape or (1, len(array))
    if rows * columns != len(array):
        raise ValueError(
            f"{len(array)} parents for shape={shape}: give one for each of the {rows * columns} cores"
        )
    y, x = divmod(int(np.flatnonzero(array < 0)[0]), columns)
    flat = array.reshape(rows, columns)
    climb = Move(
        read="V", write="V", axis="x" if rows == 1 else "xy", target=flat, combine=checked_op(op), tree=True
    )
    down = () if rows == 1 else (spread(y, "V", "y", "broadcast down the column", np.arange(columns) == x),)
    return Program(
        name=name, shape=(rows, columns), body=(Step("sum", (climb,)), *down, spread(x, "V", "x")),
        buffers={"V": Buffer(("n",), double=True)}, operands={}, result="V", kind="allreduce",
    )  # fmt: skip


def _checked(parents: Any) -> Array:
    array = np.asarray(parents)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu":
        raise ValueError(
            f"parents={parents!r}: give one integer per core, -1 for the root, for example [1, -1, 1]"
        )
    if len(wrong := np.flatnonzero((array < -1) | (array >= len(array)))):
        core = int(wrong[0])
        raise ValueError(
            f"parents[{core}]={array[core]}: cores are 0 to {len(array) - 1}, and -1 marks the root"
        )
    reach(np.where(array == np.arange(len(array)), -1, array)[None])
    roots = np.flatnonzero((array == -1) | (array == np.arange(len(array))))
    if len(roots) != 1:
        said = ", ".join(str(core) for core in roots[:8])
        itself = [int(core) for core in roots if array[core] == core]
        more = f" (core {itself[0]} to itself, parents[{itself[0]}]={itself[0]})" if itself else ""
        raise ValueError(
            f"cores {said} send to nobody else{more}: a sum needs one root, give the others a parent"
        )
    return np.where(array == np.arange(len(array)), -1, array)
