"""Runs of caches: which token lies where, their lazy Dataset, and the check that none is lost or out of order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.bill import Bill
from waferviz.machine import Machine
from waferviz.program import Array, Program, at_repeat
from waferviz.proof import Proof
from waferviz.shelves import Shelves

if TYPE_CHECKING:
    import xarray as xr

    from waferviz.verify import Verdict

KEPT = ("K", "V")


def trace_of(
    program: Program, given: dict[str, Any] | None, *, machine: Machine, code: str, schedule: str = "barrier"
) -> xr.Dataset:
    """Lazy Dataset of a run, see `waferviz.run`: `token` in every place, `occupied` places, `K` and `V`."""
    import xarray as xr

    from waferviz.lazy import lazy
    from waferviz.trace import Run
    from waferviz.variables import coordinates, prices

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
        "tokens": shelves.tokens, "left_out": _asked(program) - shelves.tokens, "capacity": places, "token_bytes": both, "machine": machine.name, "schedule": schedule,
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
    last = len(program)
    for step in range(last + 1):
        if doubled := _doubled(shelves.token(step), shelves.tokens):
            return _failed(step, *doubled)
    if amiss := _amiss(shelves.token(last), shelves.tokens):
        return _failed(last, *amiss)
    return Proof(ok=True, method="counted", detail=_ordered(shelves.tokens))


def _doubled(held: Array, tokens: int) -> tuple[int, int, str] | None:
    """Core that holds a token which is elsewhere in its column too, and which."""
    number = _numbers(held, tokens)
    if not (number > 1).any():
        return None
    token, x = (int(at) for at in np.argwhere(number > 1)[0])
    y = int(np.argwhere((held[:, x] == token).any(axis=1))[-1, 0])
    return y, x, f"holds token {token}, which is elsewhere in its column too"


def _amiss(held: Array, tokens: int) -> tuple[int, int, str] | None:
    """Core at which a token is missing or out of order, and which."""
    number = _numbers(held, tokens)
    if (number == 0).any():
        token, x = (int(at) for at in np.argwhere(number == 0)[0])
        return held.shape[0] - 1, x, f"is the end of a column without token {token}"
    newest = np.maximum.accumulate(held.max(axis=2), axis=0)
    oldest = np.where(held < 0, tokens, held).min(axis=2)
    if (wrong := newest[:-1] > oldest[1:]).any():
        y, x = (int(at) for at in np.argwhere(wrong)[0])
        return y + 1, x, "holds a token older than one above it"
    return None


def _ordered(tokens: int) -> str:
    return f"each of {tokens} tokens is once in every column, in order from the top row down"


def verify_tokens(trace: xr.Dataset) -> Verdict:
    """Check a run of a cache: keys and values in every place are those of its token, and no token is lost.

    Tokens that found no room are no fault of the program; the verdict remarks on them.
    A trace read from a file is checked for its tokens.
    """
    from waferviz.verify import Verdict

    shelves, token = trace.encoding.get("shelves"), trace.token.isel(step=-1).values
    last, tokens = int(trace.sizes["step"]) - 1, int(trace.attrs["tokens"])
    remark = _left_out(trace)
    if shelves is None:
        amiss = _doubled(token, tokens) or _amiss(token, tokens)
        unknown = "keys and values not checked, the trace comes from a file without its program"
        if amiss is None:
            return Verdict(ok=True, product=unknown, movement=_ordered(tokens), remark=remark)
        return Verdict(
            ok=False,
            product=unknown,
            movement=_failed(last, *amiss).detail,
            step=last,
            core=amiss[:2],
            remark=remark,
        )
    proof = prove_tokens(shelves.program)
    x = np.arange(token.shape[1])[:, None]
    wrong = np.zeros(token.shape, bool)
    for name in KEPT:
        held, right = trace[name].isel(step=-1).values, shelves.cut[name][token, x]
        differ = (held != right) & ~(np.isnan(held) & np.isnan(right))
        wrong |= differ.any(axis=-1) & (token >= 0)
    if not wrong.any():
        said = "keys and values are those of their tokens, bit for bit"
        return Verdict(
            ok=bool(proof),
            product=said,
            movement=proof.detail,
            step=proof.step,
            core=proof.core,
            remark=remark,
        )
    row, column, place = (int(at) for at in np.argwhere(wrong)[0])
    said = (
        f"core ({row},{column}) holds keys or values that are not those of token {token[row, column, place]}"
    )
    return Verdict(
        ok=False, product=said, movement=proof.detail, step=last, core=(row, column), remark=remark
    )


def _asked(program: Program) -> int:
    """Tokens of the prompt and those to insert, whether they found room or not."""
    return int(program.operands["K_new"].blocks[0])


def _left_out(trace: xr.Dataset) -> str:
    """How many tokens found no room, and in which row; "" when all did."""
    tokens, left_out = int(trace.attrs["tokens"]), int(trace.attrs.get("left_out", 0))
    if not left_out:
        return ""
    rows = trace.sizes["y"]
    full = bool((trace.occupied.isel(step=-1).values >= trace.attrs["capacity"]).all())
    what = f"all {rows} rows are full" if full and rows > 1 else f"row {rows - 1} is full"
    return f"{left_out:,} of {tokens + left_out:,} tokens found no room: {what} after {tokens:,}"


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
    tokens, asked = program.operands["K"].blocks[0], _asked(program)
    if given is None:
        numbers = np.repeat(np.arange(tokens, dtype=np.float32)[:, None], program.shape[1], axis=1)
        return dict.fromkeys(KEPT, numbers)
    found = {name: np.asarray(given[name]) for name in KEPT if name in given}
    for name in KEPT:
        if (
            name not in found
            or found[name].ndim != 2
            or len(found[name]) not in (tokens, asked)
            or not found[name].size
        ):
            shape = found[name].shape if name in found else "nothing"
            raise ValueError(
                f"{name} has shape {shape}; {program.name} needs one row for each of its {asked} tokens"
            )
    if found["K"].shape != found["V"].shape:
        raise ValueError(f"K has shape {found['K'].shape} and V {found['V'].shape}; they need the same")
    return found


def _numbers(held: Array, tokens: int) -> Array:
    """How often each token is in each column, dims (token, x)."""
    out = np.zeros((tokens, held.shape[1]), int)
    y, x, place = np.nonzero(held >= 0)
    np.add.at(out, (held[y, x, place], x), 1)
    return out


def _failed(step: int, y: int, x: int, what: str) -> Proof:
    detail = f"step {step}: core ({y},{x}) {what}"
    return Proof(ok=False, method="counted", detail=detail, step=step, core=(y, x))
