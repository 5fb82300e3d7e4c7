"""What a program is made of and holds, checked before its steps are: parts, buffers, and blocks on cores."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from waferviz.program import Move, Program, Repeat, Step


def check_layout(program: Program) -> None:
    """Raise ValueError for parts that are none, or for buffers and operands that do not fit their matrices."""
    name, buffers = program.name, program.buffers
    _shape(program)
    _parts(program)
    for said, wanted in (("result", [program.result]), ("operands", list(program.operands))):
        if unknown := [one for one in wanted if one not in buffers]:
            raise ValueError(f"{name}: {said} {unknown[0]!r} is no buffer; the buffers are {list(buffers)}")
    if program.on_vectors:
        return
    if missing := [one for one in "AB" if one not in program.operands]:
        raise ValueError(
            f"{name}: no operand {missing[0]!r}; say with an Operand which block each core holds"
        )
    b = ("n", "k") if program.transposed else ("k", "n")
    for buffer, dims in (("A", ("m", "k")), ("B", b), (program.result, ("m", "n"))):
        if tuple(buffers[buffer].dims) != dims:
            raise ValueError(
                f"{name}: buffer {buffer} has dims {buffers[buffer].dims}; {buffer} is cut into tiles of {dims}, rows first"
            )
    for operand in "AB":
        _blocks(program, operand)


def _shape(program: Program) -> None:
    """Raise ValueError when the mesh is not two whole numbers above zero."""
    shape: Any = program.shape
    pair = isinstance(shape, tuple | list) and len(shape) == 2
    if not pair or not all(isinstance(side, Integral) and int(side) > 0 for side in shape):
        raise ValueError(
            f"{program.name}: shape={shape!r}; give (rows, columns), for example waferviz.algorithms.sides(mesh)"
        )


def _parts(program: Program) -> None:
    """Raise ValueError when the body holds something else than steps of moves, and repeats of them."""
    for part in _several(program.body, f"{program.name}: body", (Step, Repeat)):
        if isinstance(part, Repeat) and (not isinstance(part.times, Integral) or part.times < 0):
            raise ValueError(
                f"{program.name}: a Repeat has times={part.times!r}; give a whole number, 0 or more"
            )
        steps = part.steps if isinstance(part, Repeat) else (part,)
        for step in _several(steps, f"{program.name}: steps of a Repeat", (Step,)):
            _several(step.moves, f"{program.name}, step {step.label!r}: moves", (Move,))


def _several(found: Any, where: str, kinds: tuple[type, ...]) -> Any:
    """A tuple or list of the kinds, or ValueError."""
    wanted = " and ".join(kind.__name__ for kind in kinds)
    if not isinstance(found, tuple | list):
        raise ValueError(
            f"{where} is one {type(found).__name__}; give a tuple of {wanted}, with its comma: (one,)"
        )
    if wrong := [one for one in found if not isinstance(one, kinds)]:
        raise ValueError(f"{where} holds a {type(wrong[0]).__name__}; give a tuple of {wanted}")
    return found


def _blocks(program: Program, name: str) -> None:
    """Raise ValueError when an operand names blocks that its matrix does not have, or for another mesh."""
    operand = program.operands[name]
    for said, held, blocks in zip(
        ("row", "column"), (operand.row, operand.column), operand.blocks, strict=True
    ):
        array = np.asarray(held)
        try:
            fits = np.broadcast_shapes(array.shape[-2:], program.shape) == tuple(program.shape)
        except ValueError:
            fits = False
        if array.dtype.kind not in "iu" or not fits:
            raise ValueError(
                f"{program.name}: the block {said} of operand {name} is {array.dtype} of shape {array.shape}; give whole "
                f"numbers of a shape that fits {program.shape[0]} x {program.shape[1]} cores"
            )
        if array.min() < 0 or array.max() >= blocks:
            raise ValueError(
                f"{program.name}: operand {name} asks for block {said}s {array.min()} to {array.max()}; with "
                f"blocks={operand.blocks} they are 0 to {blocks - 1}"
            )
