"""SUMMA: in every repeat one column of A and one row of B are broadcast over the mesh, then everyone multiplies.

Source: van de Geijn and Watts 1997; as the vendor's sample runs it, WaferLLM, OSDI 2025, section 5.1.
"""

import numpy as np

from waferviz.algorithms import Shape, gemm, natural_layout
from waferviz.program import Array, Buffer, Move, Program, Repeat, Step, multiply


@gemm
def summa(mesh: Shape) -> Program:
    """SUMMA; broadcast and multiplication are two steps, because nothing overlaps them."""
    side, placement, operands = natural_layout(mesh)
    root = np.arange(side)
    broadcast = Step("broadcast", moves=(from_column("A", "A_in", root), from_row("B", "B_in", root)))
    return Program(
        name="SUMMA",
        shape=(side, side),
        body=(Repeat((broadcast, Step("multiply", work=multiply("A_in", "B_in", "C"))), side),),
        buffers={
            "A": Buffer(("m", "k")),
            "B": Buffer(("k", "n")),
            "A_in": Buffer(("m", "k")),
            "B_in": Buffer(("k", "n")),
            "C": Buffer(("m", "n")),
        },
        operands=operands,
        paper="WaferLLM, OSDI 2025, section 5.1",
        placement=placement,
    )


def from_column(read: str, write: str, root: Array, slot: Array | None = None) -> Move:
    """Broadcast along every row from column root[repeat]."""
    return Move(read=read, write=write, axis="x", source=root[:, None, None], slot=slot)


def from_row(read: str, write: str, root: Array, slot: Array | None = None) -> Move:
    """Broadcast along every column from row root[repeat]."""
    return Move(read=read, write=write, axis="y", source=root[:, None, None], slot=slot)
