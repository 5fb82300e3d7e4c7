"""Where the tokens of a cache are, step by step, from the moves of its program alone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from waferviz import engine
from waferviz.history import History
from waferviz.program import Array, Move, Program, at_repeat


class Shelves:
    """Where the tokens of a cache are, step by step, from the moves of its program alone.

    Parameters
    ----------
    values : dict, optional
        Keys K and values V, dims (token, n), cut among the columns of cores.
    """

    def __init__(self, program: Program, values: dict[str, Array] | None = None) -> None:
        self.program, self.places = program, program.buffers["K"].places
        self.tokens, columns = program.operands["K"].blocks[0], program.shape[1]
        self.cut = {name: _cut(value, columns) for name, value in (values or {}).items()}
        self.labels = History(program, self._start(lambda _, row: row[..., None]))

    @cached_property
    def numbers(self) -> History:
        """States of keys and values."""
        x = np.arange(self.program.shape[1])
        return History(
            self.program,
            self._start(lambda name, row: np.where(row[..., None] >= 0, self.cut[name][row, x], 0)),
        )

    def _start(self, made: Any) -> engine.State:
        state: engine.State = {}
        for name, buffer in self.program.buffers.items():
            row = np.asarray(self.program.operands[name].row)
            each = tuple(made(name[:1], row[place]) for place in range(buffer.places))
            state[name] = each if buffer.places > 1 else each[0]
        return state

    @cached_property
    def live(self) -> list[Array]:
        """Places that hold a token, before the first step and after each, dims (place, y, x | 1)."""
        return list(self._lived())

    def _lived(self) -> Iterator[Array]:
        live = np.asarray(self.program.operands["K"].row) >= 0
        live = np.broadcast_to(live, (self.places, self.program.shape[0], live.shape[2]))
        place = np.arange(self.places)[:, None, None]
        yield live
        for step, repeat in self.program:
            into = [move for move in step.moves if move.write == "K"]
            gone = [
                _senders(move, repeat) & (place == at_repeat(move.take, repeat))
                for move in into
                if move.read == "K"
            ]
            came = [(move.at(repeat) >= 0) & (place == at_repeat(move.slot, repeat)) for move in into]
            live = (live & ~np.logical_or.reduce([np.zeros_like(live), *gone])) | np.logical_or.reduce(came)
            yield live

    def token(self, step: int) -> Array:
        """Number of the token in each place, -1 for none, dims (y, x, place)."""
        held = self.stacked(self.labels.state(step)["K"])[..., 0]
        return np.where(np.moveaxis(self.live[step], 0, -1), held, -1)

    def kept(self, name: str, step: int) -> Array:
        """Keys or values in each place, zero where there is none, dims (y, x, place, n)."""
        held = self.stacked(self.numbers.state(step)[name])
        return np.where(np.moveaxis(self.live[step], 0, -1)[..., None], held, 0)

    def stacked(self, value: Any) -> Array:
        """A buffer as one array with dims (y, x, place, n)."""
        parts = value if isinstance(value, tuple) else (value,)
        shape = self.program.shape
        return np.stack([np.broadcast_to(part, shape + part.shape[2:]) for part in parts], axis=2)


def _cut(values: Array, columns: int) -> Array:
    """Slices of every token for the columns of cores, dims (token, x, n), padded with zeros."""
    width = -(-values.shape[1] // columns)
    whole = np.zeros((len(values), columns * width), values.dtype)
    whole[:, : values.shape[1]] = values
    return whole.reshape(len(values), columns, width)


def _senders(move: Move, repeat: int) -> Array:
    """Cores that someone on their line receives from, shape (y, x | 1)."""
    index = move.at(repeat)
    sends = np.zeros(index.shape, bool)
    y, x = np.nonzero(index >= 0)
    sends[index[y, x], x] = True
    return sends
