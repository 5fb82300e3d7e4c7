"""Ring allreduce: first every core sums up one chunk of the vector, then every chunk goes round to everybody.

Source: WaferLLM, OSDI 2025, section 6.1, item 2; ring allreduce of Luczynski et al., HPDC 2024.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from waferviz.algorithms import Shape, allreduce
from waferviz.algorithms.reductions import Combine, checked_op, extent
from waferviz.orders import checked, interleaved, positions, source
from waferviz.program import Array, Buffer, Kind, Move, Operand, Program, Repeat, Step

Order = Callable[[int], Array]
PAPER = "WaferLLM, OSDI 2025, section 6.1, item 2"


@allreduce
def ring(
    mesh: Shape, *, axis: str = "x", op: Combine = "add", order: Order = interleaved, fused: bool = False
) -> Program:
    """Allreduce on a ring: a reduce-scatter, then an allgather; every core sends all but two chunks twice.

    Parameters
    ----------
    order : callable
        Number of cores to ring order, see `waferviz.orders`.
    fused : bool
        All steps flow into one another word by word: one step sums every chunk along the ring, the next spreads
        it along the line, relayed by every core (the ring's own way back, folded).
    """
    cores = _cores(mesh, axis)
    ringed = checked(order(cores), cores)
    if fused:
        return _program(
            "fused ring", mesh, axis, "allreduce", _fused(ringed, axis, checked_op(op)), _whole(cores)
        )
    steps = round_and_back(ringed, "V", axis, checked_op(op))
    return _program("ring", mesh, axis, "allreduce", steps, turned(ringed, axis))


def reduce_scatter(
    mesh: Shape, *, axis: str = "x", op: Combine = "add", order: Order = interleaved
) -> Program:
    """First half of the ring: core c ends with chunk c of the sum."""
    ringed = checked(order(_cores(mesh, axis)), _cores(mesh, axis))
    return _program(
        "reduce-scatter",
        mesh,
        axis,
        "reduce_scatter",
        _scatter(ringed, axis, checked_op(op)),
        turned(ringed, axis),
    )


def allgather_vectors(mesh: Shape, *, axis: str = "x", order: Order = interleaved) -> Program:
    """Second half of the ring: core c starts with chunk c, and every core ends with all of them."""
    ringed = checked(order(_cores(mesh, axis)), _cores(mesh, axis))
    return _program("allgather", mesh, axis, "allgather", _gather(ringed, axis), turned(ringed, axis))


def round_and_back(order: Array, buffer: str, axis: str, op: Combine = "add") -> tuple[Repeat, ...]:
    """Both halves of a ring allreduce of a buffer whose places are `turned`."""
    return (*_scatter(order, axis, op, buffer), *_gather(order, axis, buffer))


def _cores(mesh: Shape, axis: str) -> int:
    if axis not in ("x", "y"):
        raise ValueError(f"axis={axis!r}: a ring runs along 'x' or 'y'")
    return extent(mesh, axis)[1 if axis == "x" else 0]


def _scatter(order: Array, axis: str, op: Combine, buffer: str = "V") -> tuple[Repeat, ...]:
    """Every core adds the chunk that comes to its own and sends it on; place 0 is complete in the end."""
    each = np.arange(len(order) - 1)
    move = Move(
        read=buffer, write=buffer, axis=axis, source=source(order), combine=op,  # type: ignore[arg-type]
        take=each + 1, slot=(each + 2) % len(order),
    )  # fmt: skip
    return (Repeat((Step("reduce-scatter", (move,)),), len(order) - 1),)


def _gather(order: Array, axis: str, buffer: str = "V") -> tuple[Repeat, ...]:
    """Every core keeps the complete chunk that comes and sends it on."""
    each = np.arange(len(order) - 1)
    move = Move(read=buffer, write=buffer, axis=axis, source=source(order), take=each, slot=each + 1)  # type: ignore[arg-type]
    return (Repeat((Step("allgather", (move,)),), len(order) - 1),)


def _fused(order: Array, axis: str, op: Combine) -> tuple[Step, Step]:
    """Chunk c goes round the ring to core c in one step, and back to everybody in the next."""
    cores, position = len(order), positions(order)
    onward = order[position - 1]
    rounds, back = [], []
    for chunk in range(cores):
        parents = np.where(np.arange(cores) == chunk, -1, onward)
        both = {"read": "V", "write": "V", "axis": axis, "take": chunk, "slot": chunk}
        rounds.append(Move(**both, target=parents, combine=op, tree=True))  # type: ignore[arg-type]
        back.append(Move(**both, source=np.full((1, 1, 1), chunk), relay=True))  # type: ignore[arg-type]
    return Step("reduce-scatter", tuple(rounds)), Step("allgather", tuple(back))


def turned(order: Array, axis: str) -> Operand:
    """Place j of the core at ring position p is chunk order[p + j], so that all cores use the same place at once."""
    cores, position = len(order), positions(order)
    chunk = order[(position + np.arange(cores)[:, None]) % cores]
    return Operand(np.zeros((1, 1)), chunk[:, None, :] if axis == "x" else chunk[:, :, None], (1, cores))


def _whole(cores: int) -> Operand:
    """Place j is chunk j on every core."""
    return Operand(np.zeros((1, 1)), np.arange(cores)[:, None, None], (1, cores))


def _program(
    name: str, mesh: Shape, axis: str, kind: Kind, body: tuple[Step | Repeat, ...], held: Operand
) -> Program:
    buffers = {"V": Buffer(("n",), places=held.blocks[1])}
    return Program(
        name=name, shape=extent(mesh, axis), body=body, buffers=buffers, operands={"V": held}, result="V", paper=PAPER, kind=kind,
    )  # fmt: skip
