"""Traffic of a program: its moves as messages, its work, and what each waits for."""

from __future__ import annotations

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

    A core's part of a step is its work, the tiles that come to it, and as many cycles as words of its own pass its ramp,
    in or out, whichever are more.  In trees and moves that relay it is also what it sends on: it begins the next step
    when that has left.  A tile that comes in is taken in when the core begins the step, earlier where its buffer is double.
    Words of earlier steps go first over ramps and links.

    Tiles between logical cores on one physical core take no time, and their work is done one after the other.  Trees and
    moves that relay add a word per cycle, however slow the machine multiplies; a relayed move's root adds the words of both
    sides as they come.  Other tiles go through the routers, copied on the way, along x, then along y.  Broadcasts that
    relay are simulated as copied by the routers, and links that wrap are not used.

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
    """What every core waits for, while a program is turned into messages."""

    def __init__(
        self, program: Program, machine: Machine | None, matrices: tuple[int, ...] | None, dtype: Any
    ) -> None:
        self.program, self.machine = program, machine
        self.sizes = Sizes.of(program, matrices or tuple(program.blocks.values()), dtype)
        place = program.place
        self.draft = Draft(place.shape)
        self.core = (place.y[:, None] * place.shape[1] + place.x).ravel()
        self.parts = np.bincount(self.core, minlength=place.shape[0] * place.shape[1])
        self.ready = np.full(len(self.parts), NONE)
        self.before: Step | None = None
        self.turn = 0

    def step(self, step: Step, repeat: int) -> Array:
        """Messages and work of one step; returns their deliveries."""
        self._count(step)
        here = np.arange(len(self.parts))
        through = np.zeros((2, len(here)), np.int64)
        parts = [(here, self._work(step.work, self.machine))] if step.work and self.machine else []
        for move in step.moves:
            sends, takes, target, came = self._move(move, repeat)
            words = self.sizes.words(self.program.buffers[move.read].dims)
            for count, cores in zip(through, (sends, takes), strict=True):
                np.add.at(count, cores, words)
            if not (self.program.buffers[move.write].double or move.tree or move.relay):
                held = (self.ready[target] >= 0) & (came >= 0)
                self.draft.queue(self.ready[target[held]], came[held])
            parts.append((target, came))
        most = through.max(axis=0)
        busy = np.flatnonzero(most)
        if len(busy):
            parts.append((busy, self.draft.work(busy, most[busy], after=self.ready[busy][None])))
        if not parts:
            return np.zeros(0, np.int64)
        where, done = (np.concatenate(part) for part in zip(*parts, strict=True))
        where, done = where[done >= 0], done[done >= 0]
        at, of = np.unique(where, return_inverse=True)
        self.ready[at] = self.draft.join(at, done, of) if len(at) < len(where) else done[np.argsort(where)]
        return done

    def _count(self, step: Step) -> None:
        """Number the step by its turn on shared links; repeats in which all cores do the same keep theirs by themselves."""
        self.turn += step is not self.before or any(move.repeats > 1 for move in step.moves)
        self.before = step

    def _work(self, work: Work, machine: Machine) -> Array:
        tally = Tally.of(work, {name: self.sizes.tile(b.dims) for name, b in self.program.buffers.items()})
        cycles = np.ceil(self.parts * tally.operations / machine.macs)
        return self.draft.work(np.arange(len(self.parts)), cycles, after=self.ready[None])

    def _move(self, move: Move, repeat: int) -> tuple[Array, Array, Array, Array]:
        """Cores that send a tile, that take one in, that wait for one, and the deliveries these wait for."""
        rows, columns = self.program.shape
        here = np.arange(rows * columns)
        y, x = np.divmod(here, columns)
        index = np.broadcast_to(move.at(repeat), self.program.shape).ravel()
        there = {"x": y * columns + index, "y": index * columns + x, "xy": index}[move.axis]
        moves = (index >= 0) & (there != here)
        words = self.sizes.words(self.program.buffers[move.read].dims)
        precedence = self.turn * 2 * sum(self.draft.shape)
        if move.tree or (move.relay and move.target is not None):
            parent = np.where(moves, there if move.tree else self._next(here, there), NONE)
            nodes, came = add_up(
                self.draft,
                self.core,
                parent,
                words,
                self.ready[self.core],
                precedence=precedence,
                in_turn=move.tree,
            )
            away = self.core != np.where(moves, self.core[parent], self.core)
            return self.core[away], self.core[parent[away]], self.core[nodes], came
        at = np.flatnonzero(moves)
        source, target = (there[at], at) if move.target is None else (at, there[at])
        start, end = self.core[source], self.core[target]
        far = start != end
        if move.target is not None:
            came = self.draft.send(
                start, end, words * far, after=self.ready[start][None], priority=precedence
            )
            return start[far], end[far], end, came
        first, of = np.unique(source, return_inverse=True)
        of, end = np.unique(np.stack([of, end]), axis=1)
        begun = self.core[first]
        came = self.draft.spread(begun, end, words, of=of, after=self.ready[begun][None], priority=precedence)
        far = begun[of] != end
        came[~far] = self.ready[end[~far]]
        return begun[np.unique(of[far])], end[far], end, came

    def _next(self, here: Array, there: Array) -> Array:
        """Neighbour of each core on its way to its target along a line."""
        columns = self.program.shape[1]
        return (
            here
            + np.sign(there // columns - here // columns) * columns
            + np.sign(there % columns - here % columns)
        )
