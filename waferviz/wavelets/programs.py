"""Traffic of a program: its moves as messages, its work, and what each waits for."""

from __future__ import annotations

import math
from itertools import islice
from typing import Any

import numpy as np

from waferviz.cost.checks import one_of
from waferviz.cost.rings import SCHEDULES
from waferviz.machine import Machine
from waferviz.program import Array, Move, Program, Step
from waferviz.state import Sizes
from waferviz.tally import Tally
from waferviz.wavelets.traffic import NONE, Draft, Traffic


def traffic_of(
    program: Program,
    machine: Machine | None = None,
    *,
    matrices: tuple[int, int, int] | None = None,
    schedule: str = "dataflow",
    steps: slice = slice(None),
    dtype: Any = np.float32,
) -> Traffic:
    """Messages and work of a program, ready to be simulated.

    Parameters
    ----------
    machine : Machine, optional
        Whose multiply-adds per cycle time the work; no work when left out.
    matrices : (M, K, N), optional
        Sizes of the product; one entry per tile when left out.
    schedule : "barrier" or "dataflow"
        All cores start a step together, or each sends and works as soon as what it reads is there.
    steps : slice
        Steps to simulate, from 0; cores start with what they hold before the first of them.

    A tile that comes in waits until the work that reads its buffer is done, unless the buffer is double; that
    a tile still being sent is overwritten is not checked.  Tiles between logical cores on one physical core take
    no time.  Moves that relay add or forward word by word from core to core; others go through the routers,
    copied on the way, along x, then along y.  Links that wrap are not used.

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
            point = run.draft.meet(done)
            run.ready = {name: np.full_like(each, point[0]) for name, each in run.ready.items()}
    return run.draft.traffic()


class _Run:
    """What every buffer of every logical core waits for, while a program is turned into messages."""

    def __init__(self, program: Program, machine: Machine | None, matrices: tuple[int, int, int] | None, dtype: Any) -> None:
        blocks = program.blocks
        self.program, self.machine = program, machine
        self.sizes = Sizes.of(program, matrices or (blocks["m"], blocks["k"], blocks["n"]), dtype)
        place = program.place
        self.draft = Draft(place.shape)
        self.core = (place.y[:, None] * place.shape[1] + place.x).ravel()
        self.ready = {name: np.full(len(self.core), NONE) for name in program.buffers}
        self.reader = {name: np.full(len(self.core), NONE) for name in program.buffers}

    def step(self, step: Step, repeat: int) -> Array:
        """Messages and work of one step; returns their deliveries."""
        before = dict(self.ready)
        done = [self._work(step, before)] if step.work and self.machine else []
        for move in step.moves:
            source, target, came = self._move(move, repeat, before[move.read])
            if not self.program.buffers[move.write].double:
                busy = self.reader[move.write][target]
                self.draft.queue(busy[busy >= 0], came[busy >= 0])
            self._arrive(move, target, came, before)
            done.append(came)
        return np.concatenate(done) if done else np.zeros(0, np.int64)

    def _work(self, step: Step, before: dict[str, Array]) -> Array:
        assert step.work is not None
        assert self.machine is not None
        tally = Tally.of(step.work, {name: self.sizes.tile(b.dims) for name, b in self.program.buffers.items()})
        cycles = math.ceil((tally.macs + tally.adds) / self.machine.macs)
        needs = np.stack([before[name] for name in {*step.work.reads, step.work.write}])
        done = self.draft.work(self.core, cycles, after=needs)
        self.ready[step.work.write] = done
        for name in step.work.reads:
            self.reader[name] = done
        return done

    def _move(self, move: Move, repeat: int, ready: Array) -> tuple[Array, Array, Array]:
        """Logical source and target of every transfer, and its delivery."""
        rows, columns = self.program.shape
        here = np.arange(rows * columns)
        y, x = np.divmod(here, columns)
        index = np.broadcast_to(move.at(repeat), self.program.shape).ravel()
        there = {"x": y * columns + index, "y": index * columns + x, "xy": index}[move.axis]
        moves = np.flatnonzero((index >= 0) & (there != here))
        pair = (there[moves], here[moves]) if move.target is None else (here[moves], there[moves])
        words = self.sizes.words(self.program.buffers[move.read].dims)
        if move.relay and move.target is not None:
            return self._chains(*pair, words, ready)
        if move.relay or move.target is not None:
            return *pair, self._single(*pair, words, ready)
        source, which = np.unique(pair[0], return_inverse=True)
        inside = self.core[pair[0]] == self.core[pair[1]]
        came = self.draft.spread(self.core[source], self.core[pair[1]], words, of=which, after=ready[source][None])
        came[inside] = ready[pair[0][inside]]
        return *pair, came

    def _single(self, source: Array, target: Array, words: int, ready: Array) -> Array:
        """One message per transfer; none of the words for a transfer within one core."""
        far = self.core[source] != self.core[target]
        return self.draft.send(self.core[source], self.core[target], words * far, after=ready[source][None])

    def _chains(self, source: Array, target: Array, words: int, ready: Array) -> tuple[Array, Array, Array]:
        """Chains of neighbours towards each target, farthest first; the last links are the deliveries."""
        columns = self.program.shape[1]
        (sy, sx), (ty, tx) = np.divmod(source, columns), np.divmod(target, columns)
        way = np.abs(sy - ty) + np.abs(sx - tx)
        toward = np.sign(ty - sy) * columns + np.sign(tx - sx)
        side = 2 * target + (toward > 0)
        came = np.full(2 * len(self.core) + 2, NONE)
        for distance in range(int(way.max(initial=0)), 0, -1):
            at = np.flatnonzero(way == distance)
            went = self.draft.send(
                self.core[source[at]], self.core[source[at] + toward[at]], words, relays=came[side[at]],
                after=ready[source[at]][None], priority=side[at] & 1,
            )  # fmt: skip
            came[side[at]] = went
        last = np.flatnonzero(way == 1)
        both = np.intersect1d(target[last[toward[last] > 0]], target[last[toward[last] < 0]])
        self.draft.queue(came[2 * both], came[2 * both + 1])
        return source[last], target[last], came[side[last]]

    def _arrive(self, move: Move, target: Array, came: Array, before: dict[str, Array]) -> None:
        """What the written buffer waits for from now on: the deliveries of this move, and what it is combined with."""
        if not len(came):
            return
        at = np.unique(target)
        old = self.ready[move.write]
        if move.combine is None and len(at) == len(target):
            new = old.copy()
            new[target] = came
        else:
            joined = [came, old[at], before[move.read][at]]
            new = old.copy()
            new[at] = self._join(at, np.concatenate(joined), np.concatenate([target, at, at]))
        self.ready[move.write] = new

    def _join(self, at: Array, deliveries: Array, logical: Array) -> Array:
        """One meeting point per logical core."""
        points = self.draft.send(self.core[at], self.core[at], 0)
        self.draft.need(deliveries, points[np.searchsorted(at, logical)])
        return points
