"""MeshGEMM: Cannon on an interleaved ring, so that no tile ever travels more than two hops in a shift.

Source: WaferLLM, OSDI 2025, sections 5.2 to 5.4.
"""

import math

import numpy as np

from waferviz.algorithms import Shape, gemm, natural_layout, sides
from waferviz.algorithms.rings import compute_shift
from waferviz.orders import interleaved, positions, source
from waferviz.program import Array, Buffer, Move, Program, Repeat, Step, Work


@gemm
def meshgemm(mesh: Shape, *, align: str = "A") -> Program:
    """MeshGEMM; every ring goes out over odd cores and home over even ones, two hops at a time."""
    side = math.lcm(*sides(mesh))
    return compute_shift(
        "MeshGEMM", mesh, interleaved(side), align=align, paper="WaferLLM, OSDI 2025, section 5.2"
    )


@gemm
def meshgemm_t(mesh: Shape) -> Program:
    """C = A B^T without a transpose: A stays, B goes round its columns, rows add up their products.

    In repeat s row y holds block row j of B and sums its products in column j, so C ends in its natural layout.

    Source: WaferLLM, OSDI 2025, section 5.4 (dist-GEMM-T); order of the roots from the released code.
    """
    side, placement, operands = natural_layout(mesh)
    order = interleaved(side)
    position = positions(order)
    root = order[(position + np.arange(side)[:, None]) % side]
    product = Work(reads=("A", "B"), write="P", function=lambda a, b: a @ b.mT)
    steps = (
        Step("multiply and shift B", (Move(read="B", write="B", axis="y", source=source(order)),), product),
        Step("add up the rows", (_to_root(root),)),
    )
    return Program(
        name="MeshGEMM-T",
        shape=(side, side),
        body=(Repeat(steps, side),),
        buffers={
            "A": Buffer(("m", "k")),
            "B": Buffer(("n", "k"), double=True),
            "P": Buffer(("m", "n"), double=True),
            "C": Buffer(("m", "n")),
        },
        operands=operands,
        paper="WaferLLM, OSDI 2025, section 5.4",
        transposed=True,
        placement=placement,
    )


def _to_root(root: Array) -> Move:
    """Sum of P along every row, from both ends core by core to column root[repeat, y]."""
    return Move(read="P", write="C", axis="x", target=root[:, :, None], combine="add", relay=True)
