"""Traffic of a program: its moves as messages, its work, and what each waits for."""

from __future__ import annotations

import math
from itertools import islice
from typing import Any

import numpy as np

from waferviz.cost.checks import one_of
from waferviz.cost.rings import SCHEDULES
from waferviz.machine import Machine
from waferviz.program import Array, Move, Program, Step, Work
from waferviz.state import Sizes
from waferviz.tally import Tally
from waferviz.wavelets.sums import add_up
from waferviz.wavelets.traffic import NONE, Draft, Traffic


def traffic_of(
    program: Program,
    machine: Machine | None = None,
    *,
    matrices: tuple[int, ...] | None = None,
    schedule: str = "dataflow",
    steps: slice = slice(None),
    dtype: Any = np.float32,
) -> Traffic:
    """Messages and work of a program, ready to be simulated.

    Parameters
    ----------
    machine : Machine, optional
        Whose multiply-adds per cycle time the work; no work when left out.
    matrices : (M, K, N) or (n,), optional
        Sizes of the product or the vectors; one entry per tile when left out.
    schedule : "barrier" or "dataflow"
        All cores start a step together, or each as soon as its own part of the step before is done.
    steps : slice
        Steps to simulate, from 0; cores start with what they hold before the first of them.

    A core's part of a step is its work, the tiles that come to it, and as many cycles as words of its own leave
    through its ramp; those of trees leave as they come.  A tile that comes in is taken in when the core begins the step, earlier where its buffer is
    double.  Tiles between logical cores on one physical core take no time.  Trees and moves that relay add word by
    word; other tiles go through the routers, copied on the way, along x, then along y.  Broadcasts that relay are
    simulated as copied by the routers, and links that wrap are not used.

    Examples
    --------
    >>> from waferviz import GEMM
    >>> from waferviz.wavelets import simulate
    >>> rounds = traffic_of(GEMM["cannon"](8), steps=slice(4, None))
    >>> simulate(rounds, shared_ramp=False).cycles  # n (words + c) + (3 n - 4) hop
    68
    """
    barrier = one_of(schedule, "schedule", SCHEDULES) == "barrier"
    run = _Run(program, machine, matrices, dtype)
    for step, repeat in islice(program, *steps.indices(len(program))):
        done = run.step(step, repeat)
        if barrier and len(done):
            run.ready[:] = run.draft.meet(done)
    return run.draft.traffic()


class _Run:
    """What every buffer of every logical core waits for, while a program is turned into messages."""

    def __init__(
        self, program: Program, machine: Machine | None, matrices: tuple[int, ...] | None, dtype: Any
    ) -> None:
        self.program, self.machine = program, machine
        self.sizes = Sizes.of(program, matrices or tuple(program.blocks.values()), dtype)
        place = program.place
        self.draft = Draft(place.shape)
        self.core = (place.y[:, None] * place.shape[1] + place.x).ravel()
        self.ready = np.full(len(self.core), NONE)

    def step(self, step: Step, repeat: int) -> Array:
        """Messages and work of one step; returns their deliveries."""
        here = np.arange(len(self.core))
        leaving = np.zeros(len(here), np.int64)
        parts = [(here, self._work(step.work, self.machine))] if step.work and self.machine else []
        for move in step.moves:
            source, target, came = self._move(move, repeat)
            leaving[source] += self.sizes.words(self.program.buffers[move.read].dims)
            if not (self.program.buffers[move.write].double or move.tree or move.relay):
                busy = self.ready[target]
                self.draft.queue(busy[busy >= 0], came[busy >= 0])
            parts.append((target, came))
        sends = np.flatnonzero(leaving)
        if len(sends):
            parts.append(
                (sends, self.draft.work(self.core[sends], leaving[sends], after=self.ready[sends][None]))
            )
        if not parts:
            return np.zeros(0, np.int64)
        where, done = (np.concatenate(part) for part in zip(*parts, strict=True))
        at, of = np.unique(where, return_inverse=True)
        self.ready[at] = (
            self.draft.join(self.core[at], done, of) if len(at) < len(where) else done[np.argsort(where)]
        )
        return done

    def _work(self, work: Work, machine: Machine) -> Array:
        tally = Tally.of(work, {name: self.sizes.tile(b.dims) for name, b in self.program.buffers.items()})
        cycles = math.ceil(tally.operations / machine.macs)
        return self.draft.work(self.core, cycles, after=self.ready[None])

    def _move(self, move: Move, repeat: int) -> tuple[Array, Array, Array]:
        """Logical cores that send (but in trees), those that tiles come to, and the deliveries."""
        rows, columns = self.program.shape
        here = np.arange(rows * columns)
        y, x = np.divmod(here, columns)
        index = np.broadcast_to(move.at(repeat), self.program.shape).ravel()
        there = {"x": y * columns + index, "y": index * columns + x, "xy": index}[move.axis]
        moves = (index >= 0) & (there != here)
        words = self.sizes.words(self.program.buffers[move.read].dims)
        if move.tree or (move.relay and move.target is not None):
            parent = np.where(moves, there if move.tree else self._next(here, there), NONE)
            return here[:0], *add_up(self.draft, self.core, parent, words, self.ready)
        at = np.flatnonzero(moves)
        source, target = (there[at], at) if move.target is None else (at, there[at])
        if move.target is not None:
            far = self.core[source] != self.core[target]
            after = self.ready[source][None]
            return (
                source,
                target,
                self.draft.send(self.core[source], self.core[target], words * far, after=after),
            )
        first, of = np.unique(source, return_inverse=True)
        inside = self.core[source] == self.core[target]
        came = self.draft.spread(
            self.core[first], self.core[target], words, of=of, after=self.ready[first][None]
        )
        came[inside] = self.ready[source[inside]]
        return first, target, came

    def _next(self, here: Array, there: Array) -> Array:
        """Neighbour of each core on its way to its target along a line."""
        columns = self.program.shape[1]
        return (
            here
            + np.sign(there // columns - here // columns) * columns
            + np.sign(there % columns - here % columns)
        )
