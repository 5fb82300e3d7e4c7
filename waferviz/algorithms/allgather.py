"""Allgather GEMM: every core first collects its whole row of A and its whole column of B, then multiplies.

Source: WaferLLM, OSDI 2025, section 5.1.
"""

import numpy as np

from waferviz.algorithms import Shape, gemm, natural_layout
from waferviz.algorithms.summa import from_column, from_row
from waferviz.program import Buffer, Program, Repeat, Step, multiply


@gemm
def allgather(mesh: Shape) -> Program:
    """GEMM by allgather; simple, but a core holds as many tiles of A and B as a line has cores."""
    side, placement, operands = natural_layout(mesh)
    each = np.arange(side)
    gather = Step(
        "gather", (from_column("A", "A_row", each, slot=each), from_row("B", "B_column", each, slot=each))
    )
    work = multiply("A_row", "B_column", "C", take={"A_row": each, "B_column": each})
    return Program(
        name="allgather",
        shape=(side, side),
        body=(Repeat((gather,), side), Repeat((Step("multiply", work=work),), side)),
        buffers={
            "A": Buffer(("m", "k")),
            "B": Buffer(("k", "n")),
            "A_row": Buffer(("m", "k"), places=side),
            "B_column": Buffer(("k", "n"), places=side),
            "C": Buffer(("m", "n")),
        },
        operands=operands,
        paper="WaferLLM, OSDI 2025, section 5.1",
        placement=placement,
    )
