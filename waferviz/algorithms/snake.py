"""Snake: one chain winds through all rows of the mesh, to its middle core from both ends.

Source: Luczynski et al., HPDC 2024 (arXiv 2404.15888), snake reduce.
"""

import numpy as np

from waferviz.algorithms import Shape, allreduce
from waferviz.algorithms.reductions import Combine, checked_op, extent, spread, towards
from waferviz.program import Buffer, Move, Program, Step


@allreduce
def snake(mesh: Shape, *, op: Combine = "add", axis: str = "xy") -> Program:
    """Allreduce of a whole mesh along a snake; the longest chain there is, and no core adds twice but the root."""
    if axis != "xy":
        raise ValueError(f"axis={axis!r}: a snake winds through the whole mesh; leave axis at 'xy'")
    rows, columns = extent(mesh, "xy")
    cores = np.arange(rows * columns).reshape(rows, columns)
    cores[1::2] = cores[1::2, ::-1]
    way = cores.ravel()
    parents = np.empty_like(way)
    middle = len(way) // 2
    parents[way] = np.append(way, -1)[towards(middle, len(way))]
    y, x = divmod(int(way[middle]), columns)
    climb = Move(
        read="V",
        write="V",
        axis="xy",
        target=parents.reshape(rows, columns),
        combine=checked_op(op),
        tree=True,
    )
    return Program(
        name="snake", shape=(rows, columns), buffers={"V": Buffer(("n",), double=True)}, operands={}, result="V", kind="allreduce",
        body=(Step("sum along the snake", (climb,)), spread(y, "V", "y", "broadcast down the column", np.arange(columns) == x), spread(x, "V", "x", "broadcast along the rows")),
        paper="Luczynski et al., HPDC 2024 (arXiv 2404.15888)",
    )  # fmt: skip
