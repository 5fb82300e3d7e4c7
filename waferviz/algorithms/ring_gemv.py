"""GEMV with a ring: every core makes its partial result chunk by chunk, and the chunks are summed on a ring.

Source: WaferLLM, OSDI 2025, section 6.1, item 2.
"""

from __future__ import annotations

import numpy as np

from waferviz.algorithms import Shape, gemv, sides
from waferviz.algorithms.partials import checked_axis, layouts
from waferviz.algorithms.ring_allreduce import PAPER, Order, round_and_back, turned
from waferviz.orders import checked, interleaved
from waferviz.program import Buffer, Operand, Program, Repeat, Step, multiply


@gemv
def ring_gemv(mesh: Shape, *, axis: str = "y", order: Order = interleaved) -> Program:
    """GEMV with a ring allreduce; fewest words on a link, but two steps per core of the line."""
    shape = sides(mesh)
    cores = shape[0 if checked_axis(axis) == "y" else 1]
    ringed = checked(order(cores), cores)
    a, b, c = layouts(shape, axis)
    chunk = turned(ringed, axis).column
    each = np.arange(cores)
    work = multiply("A", "B", "C", take={"A": each, "C": each}, slot=each)
    return Program(
        name="GEMV, ring", shape=shape, kind="gemv", paper=PAPER,
        operands={"A": Operand(a.row * cores + chunk, a.column, (a.blocks[0] * cores, a.blocks[1])), "B": b},
        outcome=Operand(c.row * cores + chunk, c.column, (c.blocks[0] * cores, 1)),
        body=(Repeat((Step("multiply", work=work),), cores), *round_and_back(ringed, "C", axis)),
        buffers={
            "A": Buffer(("m", "k"), places=cores), "B": Buffer(("k", "n")), "C": Buffer(("m", "n"), places=cores),
        },
    )  # fmt: skip
