"""Runs of caches: which token lies where, their lazy Dataset, and the check that none is lost or out of order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz import engine
from waferviz.bill import Bill
from waferviz.history import History
from waferviz.machine import Machine
from waferviz.program import Array, Move, Program, at_repeat
from waferviz.proof import Proof

if TYPE_CHECKING:
    import xarray as xr

    from waferviz.verify import Verdict

KEPT = ("K", "V")


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


def trace_of(
    program: Program, given: dict[str, Any] | None, *, machine: Machine, code: str, schedule: str = "barrier"
) -> xr.Dataset:
    """Lazy Dataset of a run, see `waferviz.run`: `token` in every place, `occupied` places, `K` and `V`."""
    import xarray as xr

    from waferviz.lazy import lazy
    from waferviz.trace import Run, coordinates, prices

    values = _given(program, given)
    shelves = Shelves(program, values)
    dtype, width = np.result_type(*values.values()), shelves.cut["K"].shape[2]
    bill = Bill(program, machine, (width,), dtype, schedule)
    shape, both = (len(program) + 1, *program.shape), 2 * bill.sizes.bytes(("n",))
    dims, places = ("step", "y", "x"), shelves.places
    found = {
        "token": lazy((*dims, "place"), (*shape, places), np.int32, shelves.token, units="1", long_name="number of the token in a place, -1 for none"),
        "occupied": lazy(dims, shape, np.int32, lambda k: (shelves.token(k) >= 0).sum(axis=2), units="tokens", long_name="tokens on the core"),
    }  # fmt: skip
    for name in KEPT:
        found[name] = lazy((*dims, "place", "n"), (*shape, places, width), dtype, lambda k, name=name: shelves.kept(name, k), units="1", long_name=f"tile of {name}")  # fmt: skip
    found |= prices(program, bill)
    found["memory"] = lazy(dims, shape, np.int64, lambda k: (shelves.token(k) >= 0).sum(axis=2) * both, units="B", long_name="bytes of keys and values")  # fmt: skip
    attrs = {
        "program": program.name, "kind": program.kind, "paper": program.paper, "mesh": f"{shape[1]} x {shape[2]}",
        "tokens": shelves.tokens, "capacity": places, "token_bytes": both, "machine": machine.name, "schedule": schedule,
        "bytes_per_core": machine.bytes_per_core, "route_limit": machine.routes, "clock": machine.clock, "code": code,
    }  # fmt: skip
    inserting = (
        "step",
        [-1, *_inserting(program)],
        {"units": "1", "long_name": "token that is being inserted"},
    )
    dataset = xr.Dataset(found, coords=coordinates(program, bill) | {"inserting": inserting}, attrs=attrs)
    dataset.encoding |= {"run": Run(program, None, machine), "shelves": shelves}
    return dataset


def prove_tokens(program: Program) -> Proof:
    """Run a cache on the numbers of its tokens: each once in every column, in order from the top row down."""
    shelves = Shelves(program)
    last, tokens = len(program), shelves.tokens
    for step in range(last + 1):
        held = shelves.token(step)
        number = _numbers(held, tokens)
        if (number > 1).any():
            token, x = (int(at) for at in np.argwhere(number > 1)[0])
            y = int(np.argwhere((held[:, x] == token).any(axis=1))[-1, 0])
            return _failed(step, y, x, f"holds token {token}, which is elsewhere in its column too")
    if (number == 0).any():
        token, x = (int(at) for at in np.argwhere(number == 0)[0])
        return _failed(last, program.shape[0] - 1, x, f"is the end of a column without token {token}")
    newest = np.maximum.accumulate(held.max(axis=2), axis=0)
    oldest = np.where(held < 0, tokens, held).min(axis=2)
    if (wrong := newest[:-1] > oldest[1:]).any():
        y, x = (int(at) for at in np.argwhere(wrong)[0])
        return _failed(last, y + 1, x, "holds a token older than one above it")
    said = f"each of {tokens} tokens is once in every column, in order from the top row down"
    return Proof(ok=True, method="counted", detail=said)


def verify_tokens(trace: xr.Dataset) -> Verdict:
    """Check a run of a cache: keys and values in every place are those of its token, and no token is lost."""
    from waferviz.verify import Verdict

    shelves = trace.encoding["shelves"]
    proof = prove_tokens(shelves.program)
    token = trace.token.isel(step=-1).values
    x = np.arange(token.shape[1])[:, None]
    wrong = np.zeros(token.shape, bool)
    for name in KEPT:
        differ = trace[name].isel(step=-1).values != shelves.cut[name][token, x]
        wrong |= differ.any(axis=-1) & (token >= 0)
    if not wrong.any():
        said = "keys and values are those of their tokens, bit for bit"
        return Verdict(ok=bool(proof), product=said, movement=proof.detail, step=proof.step, core=proof.core)
    row, column, place = (int(at) for at in np.argwhere(wrong)[0])
    said = (
        f"core ({row},{column}) holds keys or values that are not those of token {token[row, column, place]}"
    )
    return Verdict(
        ok=False, product=said, movement=proof.detail, step=len(shelves.program), core=(row, column)
    )


def _inserting(program: Program) -> list[int]:
    """Number of the token that each step inserts or moves on."""
    stream = np.asarray(program.operands["K_new"].row).ravel()
    arriving = (
        at_repeat(next(move.take for move in step.moves if move.read == "K_new"), repeat)
        for step, repeat in program
    )
    return [int(stream[place]) for place in arriving]


def _given(program: Program, given: dict[str, Any] | None) -> dict[str, Array]:
    """Keys and values, dims (token, n); numbers of tokens when none are given."""
    tokens = program.operands["K"].blocks[0]
    if given is None:
        numbers = np.repeat(np.arange(tokens, dtype=np.float32)[:, None], program.shape[1], axis=1)
        return dict.fromkeys(KEPT, numbers)
    found = {name: np.asarray(given[name]) for name in KEPT if name in given}
    for name in KEPT:
        if name not in found or found[name].ndim != 2 or len(found[name]) != tokens or not found[name].size:
            shape = found[name].shape if name in found else "nothing"
            raise ValueError(
                f"{name} has shape {shape}; {program.name} needs one row for each of its {tokens} tokens"
            )
    if found["K"].shape != found["V"].shape:
        raise ValueError(f"K has shape {found['K'].shape} and V {found['V'].shape}; they need the same")
    return found


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


def _numbers(held: Array, tokens: int) -> Array:
    """How often each token is in each column, dims (token, x)."""
    out = np.zeros((tokens, held.shape[1]), int)
    y, x, place = np.nonzero(held >= 0)
    np.add.at(out, (held[y, x, place], x), 1)
    return out


def _failed(step: int, y: int, x: int, what: str) -> Proof:
    detail = f"step {step}: core ({y},{x}) {what}"
    return Proof(ok=False, method="counted", detail=detail, step=step, core=(y, x))
