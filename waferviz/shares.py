"""Programs on vectors, run on whose share is where: proof that every share arrives once, and how often it is rounded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from waferviz import engine
from waferviz.program import Array, Program, Repeat, Step
from waferviz.proof import Proof

COUNTED = 2**24


@dataclass(frozen=True, eq=False)
class Roundings:
    """How many roundings the sum on each core holds at most along the way of one share, dims (y, x)."""

    number: Array

    def each(self, change: Callable[..., Array], *others: Roundings) -> Roundings:
        """Numbers changed alike."""
        return Roundings(change(self.number, *(other.number for other in others)))

    def __add__(self, other: Roundings) -> Roundings:
        return Roundings(np.maximum(self.number, other.number) + 1)

    def larger(self, other: Roundings) -> Roundings:
        """The larger of two numbers is not rounded."""
        return Roundings(np.maximum(self.number, other.number))


def summed_along(program: Program) -> str:
    """Cores that sum together: "x" for those of a row, "y" for those of a column, "xy" for all."""
    axes = {move.axis for part in program.repeats for step in part.steps for move in step.moves}
    if axes == {"x"} or program.shape[0] == 1:
        return "x"
    return "y" if axes == {"y"} or program.shape[1] == 1 else "xy"


def groups(shape: tuple[int, ...], along: str) -> Array:
    """Number of the group of cores that sum together, shape (y, x)."""
    y, x = np.indices(shape[:2])
    return {"x": y, "y": x}.get(along, np.zeros_like(y))


def members(shape: tuple[int, ...], along: str) -> tuple[Array, int]:
    """Number of each core within its group, shape (y, x), and the cores of a group."""
    y, x = np.indices(shape[:2])
    member = {"x": x, "y": y}.get(along, y * shape[1] + x)
    return member, int(member.max()) + 1


def roundings(program: Program) -> int:
    """Most roundings on the way of one share into the result; a sum of d roundings errs by d u sum |v| at most."""
    places = program.buffers[program.result].places
    none = Roundings(np.zeros(program.shape, np.int64))
    begin = {name: _in_places(program, name, lambda _: none) for name in program.buffers}
    last = _end(program, begin)[program.result]
    return max(int(part.number.max()) for part in (last if places > 1 else (last,)))


def prove_shares(program: Program) -> Proof:
    """Run a program on shares: one count per core of the group, or a sum of random keys on large meshes."""
    member, number = members(program.shape, summed_along(program))
    places = program.buffers[program.result].places
    counted = member.size * number * places <= COUNTED
    keys = np.random.default_rng(11).integers(1, 2**63, number, dtype=np.uint64)
    mark = np.eye(number, dtype=np.int16) if counted else np.stack([keys, np.ones_like(keys)], axis=1)
    added = _adding(program)
    begin = {
        name: _in_places(program, name, lambda place: _begun(program, mark[member], place))
        for name in program.buffers
    }
    state = _end(added, begin)
    method = "counted" if counted else "fingerprint"
    for place in _finished(program):
        found = np.broadcast_to(engine.held(state[program.result], place, 0), (*program.shape, mark.shape[1]))
        wrong = (found != _goal(program, mark, place)).any(axis=-1)
        if wrong.any():
            y, x = (int(at) for at in np.argwhere(wrong)[0])
            return _failed(added, begin, method, place, (y, x), number)
    how = "each counted" if counted else "by fingerprint"
    return Proof(ok=True, method=method, detail=_said(program, number, how))


def _adding(program: Program) -> Program:
    """The program with sums in place of maxima, so that shares can be counted."""
    body = tuple(
        Repeat(
            tuple(
                Step(s.label, tuple(replace(m, combine=m.combine and "add") for m in s.moves), s.work)
                for s in part.steps
            ),
            part.times,
        )
        for part in program.repeats
    )
    return replace(program, body=body)


def _end(program: Program, state: engine.State) -> engine.State:
    """State after the last step."""
    for step, repeat in program:
        state = engine.advance(step, state, program.shape, repeat)
    return state


def _in_places(program: Program, name: str, made: Callable[[int], Any]) -> Any:
    places = program.buffers[name].places
    return made(0) if places == 1 else tuple(made(place) for place in range(places))


def _begun(program: Program, own: Array, place: int) -> Array:
    """Shares at the start: every core its own, for an allgather only of the chunk that it brings."""
    return own if program.kind != "allgather" or place == 0 else np.zeros_like(own)


def _finished(program: Program) -> range:
    """Places that hold the result."""
    return range(1 if program.kind == "reduce_scatter" else program.buffers[program.result].places)


def _goal(program: Program, mark: Array, place: int) -> Array:
    """Shares that each core must end with, dims (y, x, share)."""
    if program.kind == "allgather":
        return mark[np.broadcast_to(program.operands[program.result].column[place], program.shape)]
    return mark.sum(axis=0, dtype=mark.dtype)


def _failed(
    program: Program, begin: engine.State, method: str, place: int, core: tuple[int, int], number: int
) -> Proof:
    """What went wrong on a core; a share added twice is named where and when that happened first."""
    last, step = np.zeros(0), len(program)
    for at, state in enumerate(engine.states(program, begin)):
        found = engine.held(state[program.result], place, 0)
        last = np.broadcast_to(found, (*program.shape, found.shape[-1]))
        if method == "counted" and last.max() > 1:
            step, core = at, tuple(int(i) for i in np.argwhere(last > 1)[0][:2])  # type: ignore[assignment]
            break
    own = last[core]
    if method == "fingerprint":
        what = f"ends with {int(own[1])} of {number} shares, or with one twice"
    elif own.max() > 1:
        what = f"adds the share of core {int(own.argmax())} of its group a second time"
    else:
        absent = f"that of core {int((own == 0).argmax())} of its group is missing"
        what = f"ends with {np.count_nonzero(own)} of {number} shares, {absent}"
    detail = f"step {step}: core ({core[0]},{core[1]}) {what}"
    return Proof(ok=False, method=method, detail=detail, step=step, core=core)


def _said(program: Program, number: int, how: str) -> str:
    rows, columns = program.shape
    if program.kind == "allgather":
        return f"the chunks of all {number} cores arrive on each of {rows} x {columns} cores ({how})"
    where = "in its own chunk" if program.kind == "reduce_scatter" else ""
    return f"the shares of all {number} cores arrive exactly once {where + ' ' if where else ''}on each of {rows} x {columns} cores ({how})"
