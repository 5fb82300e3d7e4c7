"""Numbers at any step of a run: tiles of A, B and C."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from waferviz import engine, state
from waferviz.families import multiplying
from waferviz.history import History
from waferviz.movement import Movement
from waferviz.panels import STEPS, Panels, panels
from waferviz.program import Array, Program
from waferviz.state import Sizes, carrier, summed_in, tiles


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
