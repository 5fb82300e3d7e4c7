"""What a trace asks for: names at a step (`Movement`), and numbers at a step (`Values`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property

import numpy as np

from waferviz import engine, state
from waferviz.families import multiplying
from waferviz.history import History, operands_only
from waferviz.names import EXACT_CORES, Tile, start
from waferviz.panels import STEPS, Panels, panels
from waferviz.program import Array, Program, Step, at_repeat
from waferviz.state import Sizes, carrier, summed_in, tiles


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


class Values(ABC):
    """Tiles of A, B and C at any step."""

    tier: str
    matrices: tuple[Array, Array]

    @abstractmethod
    def window(self, name: str, step: int, rows: Array, columns: Array) -> Array:
        """Tiles on cores (rows, columns) after a step, dims (rows, columns, tile)."""

    @abstractmethod
    def complete(self, progress: Callable[[int, int], None]) -> None:
        """Compute the last state in chunks; calls progress(done, all) between them."""


class Moved(Values):
    """Tiles really moved, step by step, by the interpreter."""

    tier = "interpreter"

    def __init__(
        self,
        program: Program,
        begin: engine.State,
        matrices: tuple[Array, Array],
        movement: Movement,
        budget: int,
    ) -> None:
        self.program, self.movement, self.matrices = program, movement, matrices
        self.history = History(program, begin, budget)

    def window(self, name: str, step: int, rows: Array, columns: Array) -> Array:
        """See Values."""
        if name in ("A", "B"):
            name = self.movement.reads["AB".index(name)]
        value = self.history.state(step)[name]
        if isinstance(value, tuple) and name == self.program.result:
            return in_order(self.program, value)[rows[:, None], columns]
        if isinstance(value, tuple):
            value = value[self.movement.place(step, name)]
        return np.broadcast_to(value, self.program.shape + value.shape[2:])[rows[:, None], columns]

    def complete(self, progress: Callable[[int, int], None]) -> None:
        """See Values."""
        for step in range(len(self.program) + 1):
            self.history.state(step)
            progress(step, len(self.program))


class Strided(Values):
    """Sums from panels; kept totals are the stepping stones of whole frames."""

    tier = "values"

    def __init__(
        self,
        program: Program,
        a: Array,
        b: Array,
        sizes: Sizes,
        fast: Panels,
        movement: Movement,
        budget: int,
    ) -> None:
        self.program, self.sizes, self.fast, self.movement, self.budget = (
            program,
            sizes,
            fast,
            movement,
            budget,
        )
        self.matrices = (a, b)
        self.operands = {
            "A": (a, program.operands["A"], ("m", "k")),
            "B": (b, program.operands["B"], program.buffers["B"].dims),
        }
        self.done = np.searchsorted(multiplying(program), np.arange(len(program) + 1), side="right")
        self._kept: dict[int, Array] = {}

    def window(self, name: str, step: int, rows: Array, columns: Array) -> Array:
        """See Values."""
        if name != "C":
            return self._operand(name, step, rows, columns)
        done = int(self.done[step])
        few = 4 * len(rows) * len(columns) < self.program.shape[0] * self.program.shape[1]
        if few and done not in self._kept:
            part = self.fast.window(done, rows, columns)
        else:
            part = self.fast.natural(self._total(done), rows, columns)
        return part.astype(summed_in(self.sizes.dtype), copy=False)

    def complete(self, progress: Callable[[int, int], None]) -> None:
        """See Values."""
        side = self.fast.side
        for done in range(0, side, STEPS):
            self._total(done)
            progress(done, side)
        self._total(side)
        progress(side, side)

    def _operand(self, name: str, step: int, rows: Array, columns: Array) -> Array:
        matrix, operand, dims = self.operands[name]
        held = self.movement.tile(step, "AB".index(name))
        at = np.ix_(rows, columns)
        row, column = (np.broadcast_to(part, self.program.shape)[at] for part in (held.row, held.column))
        cut = tiles(
            matrix,
            type(operand)(np.maximum(row, 0), np.maximum(column, 0), operand.blocks),
            self.sizes.tile(dims),
            summed_in(self.sizes.dtype),
        )
        return np.where((row >= 0)[..., None, None], cut, 0)

    def _total(self, done: int) -> Array:
        near = max((kept for kept in self._kept if kept <= done), default=None)
        if near == done:
            return self._kept[done]
        total = self.fast.empty() if near is None else self._kept[near].copy()
        at = near or 0
        while at < done:
            number = min(STEPS, done - at)
            self.fast.advance(total, at, number)
            at += number
        room = max(2, self.budget // max(1, total.nbytes))
        while len(self._kept) >= room:
            del self._kept[next(iter(self._kept))]
        self._kept[done] = total
        return total


def in_order(program: Program, places: tuple[Array, ...]) -> Array:
    """Chunks of a result one above the other in the order of their blocks, dims (y, x, places m, n)."""
    shape = program.shape
    row = program.outcome.row if program.outcome else np.arange(len(places))[:, None, None]
    first = np.argsort(np.broadcast_to(row, (len(places), *shape)), axis=0)
    whole = np.stack([np.broadcast_to(part, shape + part.shape[2:]) for part in places])
    sorted_rows = np.take_along_axis(whole, first[..., None, None], axis=0)
    return np.moveaxis(sorted_rows, 0, 2).reshape(*shape, -1, whole.shape[-1])


def values(program: Program, a: Array, b: Array, sizes: Sizes, tier: str, budget: int) -> Values:
    """Values of a run by the fast tier where the program's family is known, else by the interpreter.

    Raises
    ------
    MemoryError
        When either would take more than `budget` bytes.
    """
    movement = Movement(program)
    item = summed_in(sizes.dtype).itemsize
    matrix = {"A": sizes.M * sizes.K, "B": sizes.K * sizes.N, "C": sizes.M * sizes.N}
    if tier != "interpreter" and program.kind == "gemm":
        dtype = carrier(a, b)
        needed = (2 * (matrix["A"] + matrix["B"]) + 2 * matrix["C"]) * dtype.itemsize
        _afford(program, needed, budget, sizes)
        with np.errstate(invalid="ignore", over="ignore"):
            fast = panels(program, a, b, sizes, dtype)
        if fast is not None:
            return Strided(program, a, b, sizes, fast, movement, max(0, budget - needed))
    held = sum(
        buffer.tiles * int(np.prod(sizes.tile(buffer.dims))) * program.shape[0] * program.shape[1]
        for buffer in program.buffers.values()
    )
    _afford(program, 2 * held * item, budget, sizes)
    return Moved(
        program,
        state.start(program, a, b, sizes),
        (a, b.T if program.transposed else b),
        movement,
        max(0, budget - 2 * held * item),
    )


def _afford(program: Program, needed: int, budget: int, sizes: Sizes) -> None:
    if needed > budget:
        fits = int(max(sizes.M, sizes.K, sizes.N) * (budget / needed) ** 0.5)
        raise MemoryError(
            f"{program.name} on {sizes.M} x {sizes.K} times {sizes.K} x {sizes.N} needs about {needed / 2**20:,.0f} MiB, "
            f"the budget is {budget / 2**20:,.0f} MiB; sides up to about {fits} would fit, or use tier='names' or a larger budget"
        )
