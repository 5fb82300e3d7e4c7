"""What a program must keep to, checked before anything runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.program import Array, Move, Program, Step, at_repeat
from waferviz.trees import reach


def check(program: Program, step: Step, times: int) -> None:
    """Raise ValueError for a step that cannot be carried out on the program's mesh."""
    where = f"{program.name}, step {step.label!r}"
    names = {name for move in step.moves for name in (move.read, move.write)}
    names |= {*step.work.reads, step.work.write} if step.work else set()
    if unknown := sorted(names - set(program.buffers)):
        raise ValueError(
            f"{where}: no buffer {unknown[0]!r}; declare it, the buffers are {list(program.buffers)}"
        )
    for move in step.moves:
        _move(program, move, times, where)
    _collisions(program, step, times, where)
    _in_use(program, step, times, where)


def as_program(program: Any, verb: str) -> Program:
    """The program, or ValueError when it is none."""
    if not isinstance(program, Program):
        said = repr(program) if isinstance(program, str) else type(program).__name__
        raise ValueError(f"{verb}() got {said}; give a Program, for example waferviz.GEMM['meshgemm'](8)")
    return program


def _move(program: Program, move: Move, times: int, where: str) -> None:
    rows, columns = program.shape
    limit = {"x": columns, "y": rows, "xy": rows * columns}[move.axis]
    if move.index.dtype.kind not in "iu" or move.index.ndim != 3:
        raise ValueError(
            f"{where}: the index of {move.read} along {move.axis} is {move.index.dtype} of shape {move.index.shape}; give "
            "integers of shape (cores,), (y, x) or (repeat, y, x), for example index.astype(int)"
        )
    for size, full, dim in zip(
        move.index.shape, (times, rows, columns), ("repeats", "rows", "columns"), strict=True
    ):
        if size not in (1, full):
            raise ValueError(
                f"{where}: the index of {move.read} along {move.axis} has {size} {dim}, the mesh {full}; use 1 or {full}"
            )
    lines = rows if move.axis == "x" else columns
    if move.lines.shape[0] not in (1, times) or move.lines.shape[1] not in (1, lines):
        raise ValueError(f"{where}: only={move.lines.shape} does not fit {times} repeats of {lines} lines")
    if move.index.min() < -1 or move.index.max() >= limit:
        bad = np.argwhere((move.index < -1) | (move.index >= limit))[0]
        raise ValueError(
            f"{where}: the move of {move.read} along {move.axis} points to core {move.index[tuple(bad)]} at "
            f"(repeat, y, x) = {tuple(int(i) for i in bad)}, outside 0..{limit - 1}; use -1 for no transfer"
        )
    if move.tree:
        _tree(move, where)
    for place, name in ((move.take, move.read), (move.slot, move.write)):
        held = program.buffers[name].places
        if place is not None and not np.all((np.asarray(place) >= 0) & (np.asarray(place) < held)):
            raise ValueError(
                f"{where}: buffer {name} has places 0..{held - 1}, the move asks for {np.max(place)}"
            )


def _tree(move: Move, where: str) -> None:
    """Raise ValueError when cores send round in a circle."""
    lines = np.moveaxis(move.index, 1 if move.axis == "y" else 2, -1)
    try:
        reach(move.index.reshape(len(move.index), -1) if move.axis == "xy" else lines)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _collisions(program: Program, step: Step, times: int, where: str) -> None:
    """Raise ValueError when two moves of one step put a tile into the same buffer of the same core."""
    for number, move in enumerate(step.moves):
        for other in step.moves[:number]:
            if other.write != move.write or (move.combine and other.combine):
                continue
            if move.axis == other.axis and not (move.lines & other.lines).any():
                continue
            for repeat in range(max(move.repeats, other.repeats) if times else 0):
                same = np.equal(at_repeat(move.slot, repeat), at_repeat(other.slot, repeat))
                if not same.any():
                    continue
                both = np.broadcast_to((move.at(repeat) >= 0) & (other.at(repeat) >= 0) & same, program.shape)
                if both.any():
                    y, x = np.argwhere(both)[0]
                    raise ValueError(
                        f"{where}: two tiles arrive in {move.write} of core ({y},{x}) at once; "
                        "let them arrive in two steps, in two buffers, or combine them"
                    )


def _in_use(program: Program, step: Step, times: int, where: str) -> None:
    """Raise ValueError when a move overwrites the only copy of a tile that the step multiplies or sends."""
    for move in step.moves:
        buffer, name = program.buffers[move.write], move.write
        sends = [other for other in step.moves if other.read == name]
        works = step.work is not None and name in step.work.reads
        if move.combine or buffer.double or buffer.stream or buffer.places > 1 or not (sends or works):
            continue
        for repeat in range(max(one.repeats for one in (move, *sends)) if times else 0):
            lost = _comes(move, repeat, program.shape)
            if not works:
                lost = lost & np.any([_leaves(other, repeat, program.shape) for other in sends], axis=0)
            if lost.any():
                y, x = np.argwhere(lost)[0]
                raise ValueError(
                    f"{where}: a tile arrives in {name} of core ({y},{x}) while the one there is "
                    f"{'multiplied' if works else 'sent'}; give it a second copy, Buffer({buffer.dims}, double=True), or let "
                    "it arrive in another step or buffer"
                )


def _elsewhere(move: Move, repeat: int, shape: tuple[int, int]) -> tuple[Array, Array]:
    """Index of all cores, and which of them name another core than themselves, both of shape (y, x)."""
    y, x = np.ogrid[: shape[0], : shape[1]]
    here = {"x": x, "y": y, "xy": y * shape[1] + x}[move.axis]
    index = np.broadcast_to(move.at(repeat), shape)
    return index, (index >= 0) & (index != here)


def _comes(move: Move, repeat: int, shape: tuple[int, int]) -> Array:
    """Cores at which a tile arrives from another core, shape (y, x)."""
    return _elsewhere(move, repeat, shape)[1]


def _leaves(move: Move, repeat: int, shape: tuple[int, int]) -> Array:
    """Cores that send a tile to another core, shape (y, x)."""
    index, other = _elsewhere(move, repeat, shape)
    if move.target is not None:
        return other
    y, x = np.nonzero(other)
    source = index[y, x]
    sends = np.zeros(shape, bool)
    sends[{"x": (y, source), "y": (source, x), "xy": np.divmod(source, shape[1])}[move.axis]] = True
    return sends
