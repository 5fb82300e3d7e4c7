"""Which block is where, at any step of a program."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from waferviz import engine
from waferviz.families import multiplying
from waferviz.history import History, operands_only
from waferviz.names import EXACT_CORES, Tile, start
from waferviz.program import Array, Program, Step, at_repeat


class Movement:
    """Which block is where, at any step."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.exact = program.kind == "gemv" or program.shape[0] * program.shape[1] <= EXACT_CORES
        self.history = History(program if self.exact else operands_only(program), start(program))
        self.schedule = list(program)

    @cached_property
    def reads(self) -> tuple[str, str]:
        """Buffers whose tiles are multiplied."""
        works = [step.work for step, _ in self.schedule if step.work and len(step.work.reads) > 1]
        return (works[0].reads[0], works[0].reads[1]) if works else ("A", "B")

    @cached_property
    def tensors(self) -> tuple[str, ...]:
        """Buffers from which tiles move, in order of appearance."""
        return tuple(dict.fromkeys(move.read for step, _ in self.schedule for move in step.moves))

    def tile(self, step: int, operand: int) -> Tile:
        """Names of the tiles that the next multiplication reads, or the last one when there is none to come."""
        name = self.reads[operand]
        value = self.history.state(step)[name]
        if isinstance(value, tuple):
            value = value[self.place(step, name)]
        return value

    def place(self, step: int, name: str) -> int:
        """Place read by the next work if it comes at once, else the place filled last."""
        now, repeat = self.schedule[min(step, len(self.schedule) - 1)]
        if now.work and name in now.work.take:
            return at_repeat(now.work.take[name], repeat)
        for before, repeat in reversed(self.schedule[max(0, step - 1) : step]):
            for move in before.moves:
                if move.write == name:
                    return at_repeat(move.slot, repeat)
        return 0

    def name(self, step: int, operand: int, part: str) -> Array:
        """Block row or column of operand 0 or 1, shape (y, x)."""
        return np.broadcast_to(getattr(self.tile(step, operand), part), self.program.shape)

    def met(self, step: int) -> Array:
        """Cores that multiply two blocks that belong together in a step, shape (y, x)."""
        now, repeat = self.schedule[step - 1] if step else (Step("start"), 0)
        if (work := now.work) is None or len(work.reads) < 2:
            return np.zeros(self.program.shape, bool)
        before = self.history.state(step - 1)
        a, b = (engine.held(before[name], work.take.get(name), repeat) for name in work.reads[:2])
        inner = b.column if self.program.transposed else b.row
        return np.broadcast_to((a.column == inner) & (a.column >= 0), self.program.shape)

    def filled(self, step: int) -> Array:
        """Contraction blocks in the result, shape (y, x)."""
        if self.exact:
            total = self.history.state(step)[self.program.result]
            parts = total if isinstance(total, tuple) else (total,)
            least = np.min(np.broadcast_arrays(*(part.number for part in parts)), axis=0)
            return np.broadcast_to(least, self.program.shape)
        if multiplying(self.program):
            done = np.searchsorted(multiplying(self.program), step, side="right")
            return np.broadcast_to(np.int16(done), self.program.shape)
        return np.where(self._landed <= step, np.int16(self.program.blocks["k"]), np.int16(0))

    @cached_property
    def _landed(self) -> Array:
        """Step in which the result of each core arrives, for results that are sent there."""
        when = np.full(self.program.shape, len(self.schedule) + 1)
        y, x = np.ogrid[: self.program.shape[0], : self.program.shape[1]]
        for number, (step, repeat) in enumerate(self.schedule, 1):
            for move in step.moves:
                if move.write == self.program.result and move.target is not None:
                    index = move.at(repeat)
                    when[(y, index) if move.axis == "x" else (index, x)] = number
        return when

    def origins(self, step: int, axis: str) -> Array:
        """Core from which the tile of each tensor comes in a step, -1 for none, dims (tensor, y, x)."""
        out = np.full((len(self.tensors), *self.program.shape), -1, np.int16)
        moves, repeat = (self.schedule[step - 1][0].moves, self.schedule[step - 1][1]) if step else ((), 0)
        here = np.ogrid[: self.program.shape[0], : self.program.shape[1]][0 if axis == "y" else 1]
        for move in moves:
            if move.target is None:
                index = move.at(repeat)
                if move.axis == "xy":
                    came = index // self.program.shape[1] if axis == "y" else index % self.program.shape[1]
                else:
                    came = index if move.axis == axis else here
                number = self.tensors.index(move.read)
                out[number] = np.where(index >= 0, came, out[number])
        return out
