"""Compute-shift: tiles of A go round every row, tiles of B round every column, and meet at the right time.

Cannon and MeshGEMM are this one program with different ring orders.
"""

import numpy as np

from waferviz.algorithms import Shape, natural_layout
from waferviz.orders import checked, positions, source
from waferviz.program import Array, Buffer, Move, Operand, Program, Repeat, Step, multiply


def compute_shift(name: str, mesh: Shape, order: Array, *, align: str = "A", paper: str = "") -> Program:
    """C = A B by shifting both operands along rings of the given order.

    Parameters
    ----------
    mesh : int or (int, int)
        Side, or rows and columns; unequal ones are cut into lcm x lcm logical cores folded onto the mesh.
    order : array
        Ring order of the logical line, shape (side,).
    align : "A", "AB" or ""
        Operands brought into their skewed start on the mesh; the others are put there by the host.
    paper : str
        Where the algorithm is published.

    Source: WaferLLM, OSDI 2025, sections 5.1 to 5.3; Cannon 1969.
    """
    side, placement, natural = natural_layout(mesh)
    order = checked(order, side)
    shift = source(order)
    loop = Step(
        "multiply and shift",
        moves=(
            Move(read="A", write="A", axis="x", source=shift),
            Move(read="B", write="B", axis="y", source=shift),
        ),
        work=multiply("A", "B", "C"),
    )
    return Program(
        name=name,
        shape=(side, side),
        body=(*alignment(order, align), Repeat((loop,), side)),
        buffers={
            "A": Buffer(("m", "k"), double=True),
            "B": Buffer(("k", "n"), double=True),
            "C": Buffer(("m", "n")),
        },
        operands={name: natural[name] if name in align else _skewed(order, name) for name in "AB"},
        paper=paper,
        placement=placement,
    )


def alignment(order: Array, align: str) -> tuple[Repeat, ...]:
    """Rounds that skew operands on the mesh: row y turns its tiles of A by its own ring position.

    Rows in the first half of the ring turn forward, the others backward, so floor(side / 2) rounds do; rounds
    beyond a row's own number leave it in peace (WaferLLM's released code runs and ignores them).
    """
    side = len(order)
    if not align or side < 2:
        return ()
    position = positions(order)
    turns = np.where(position <= side // 2, position, position - side)
    rounds = np.arange(side // 2)[:, None]
    moves = []
    for name, axis in (("A", "x"), ("B", "y")):
        for way in (1, -1):
            only = rounds < way * turns
            if name in align and only.any():
                moves.append(Move(read=name, write=name, axis=axis, source=source(order, way), only=only))  # type: ignore[arg-type]
    return (Repeat((Step("align", moves=tuple(moves)),), side // 2),)


def skew(order: Array) -> Array:
    """Contraction block a core multiplies first: order[position(y) + position(x)], shape (y, x)."""
    position = positions(order)
    return order[(position[:, None] + position) % len(order)]


def _skewed(order: Array, name: str) -> Operand:
    side = len(order)
    y, x = np.arange(side)[:, None], np.arange(side)[None, :]
    row, column = (y, skew(order)) if name == "A" else (skew(order), x)
    return Operand(row, column, (side, side))
