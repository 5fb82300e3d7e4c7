"""The key-value cache on rows of cores: where each new token goes, by two rules, and when a row is full.

Rows keep the order of the tokens, the oldest on top; every column of cores does the same with its slice.  A new
token arrives at the last row.  *Concat* keeps it there.  *Shift*: a row that has received one while the row above
holds no more than it did hands its own oldest token up, one hop, and so on upward.

Source: WaferLLM, OSDI 2025, section 4.3 and figure 5; the paper gives no pseudo-code, this reading is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.program import Array

if TYPE_CHECKING:
    import xarray as xr

RULES = ("concat", "shift")
MOST = 10**8


@dataclass(frozen=True, eq=False)
class Filling:
    """Tokens inserted one after the other.

    Attributes
    ----------
    counts : array
        Tokens of each row before the first insertion and after each, shape (inserted + 1, row).
    links : array
        Links between rows that pass a token on in each insertion, shape (inserted,).
    rounds : array
        Steps that each insertion takes: rows that hold tokens pass on at once, an empty row one step after it
        has received, shape (inserted,).
    full : int or None
        Row that had no room for the next token; None when all found room.
    """

    counts: Array
    links: Array
    rounds: Array
    full: int | None


def insert(rule: str, rows: int, tokens: int, *, prompt: Any = 0, capacity: int | None = None) -> Filling:
    """Insert tokens until all are in or a row is full.

    Parameters
    ----------
    rule : "concat" or "shift"
    rows, tokens : int
        Rows of cores; tokens to insert.
    prompt : int or sequence of int
        Tokens that are there before, spread evenly (upper rows take one more), or tokens of each row.
    capacity : int, optional
        Tokens that a row can hold; no limit when left out.

    Raises
    ------
    ValueError
        For an unknown rule, a number below its limit, or a prompt that does not fit.
    MemoryError
        When more than 10^8 counts would be kept.

    Examples
    --------
    >>> insert("shift", 4, 6).counts[-1].tolist(), insert("concat", 4, 6).counts[-1].tolist()
    ([2, 2, 1, 1], [0, 0, 0, 6])
    """
    begin = _checked(rule, rows, tokens, prompt, capacity)
    if tokens > MOST // rows:
        raise MemoryError(
            f"tokens={tokens:,}: the counts of {rows:,} rows after every token are kept, {MOST:,} at most; "
            f"insert {MOST // rows:,} tokens or fewer, or start from a longer prompt"
        )
    most = int(begin.max()) + tokens
    counts = np.empty((tokens + 1, rows), np.int16 if most < 2**15 else np.int32)
    counts[0] = begin
    links, rounds = np.zeros(tokens, np.int32), np.ones(tokens, np.int32)
    limit, empty = most if capacity is None else capacity, int((begin == 0).sum())
    for token in range(tokens):
        now, after = counts[token], counts[token + 1]
        passed = _passed(now) if rule == "shift" else 0
        last = rows - 1 - passed
        if now[last] >= limit:
            return Filling(counts[: token + 1], links[:token], rounds[:token], last)
        after[:] = now
        after[last] += 1
        links[token] = passed
        if empty:
            rounds[token] += passed - np.count_nonzero(now[last + 1 :])
            empty -= int(now[last] == 0)
    return Filling(counts, links, rounds, None)


def _passed(now: Array) -> int:
    """Rows, from the last one upwards, that hand a token on when one arrives."""
    keeps = (now[1:] < now[:-1])[::-1]
    first = int(keeps.argmax()) if len(keeps) else 0
    return first if len(keeps) and keeps[first] else len(keeps)


def fill(rule: str, rows: int, tokens: int, *, prompt: Any = 0, capacity: int | None = None) -> xr.Dataset:
    """The cache while tokens are inserted, see `insert` for the parameters.

    Returns
    -------
    Dataset
        Dims `token` (0 is the start) and `row`.  `held`: tokens of each row; `links` and `rounds` of each insertion;
        attributes `prompt`, `inserted`, `capacity` (0 for none), and `full_row` (-1 when every token found room).
    """
    import xarray as xr

    found = insert(rule, rows, tokens, prompt=prompt, capacity=capacity)
    each = {
        "held": (("token", "row"), found.counts, {"units": "tokens", "long_name": "tokens of the row"}),
        "links": ("token", np.r_[0, found.links], {"units": "1", "long_name": "links that pass a token on"}),
        "rounds": (
            "token",
            np.r_[0, found.rounds],
            {"units": "steps", "long_name": "steps of the insertion"},
        ),
    }
    return xr.Dataset(
        each,
        coords={"token": np.arange(len(found.counts)), "row": np.arange(rows)},
        attrs={
            "rule": rule, "prompt": int(found.counts[0].sum()), "inserted": len(found.links),
            "capacity": capacity or 0, "full_row": -1 if found.full is None else found.full,
        },
    )  # fmt: skip


def row_of(token: Any, counts: Array) -> Array:
    """Row that holds a token, counted from the first of the prompt; tokens lie from top to bottom in order."""
    return np.searchsorted(np.cumsum(counts), token, side="right")


def spread_evenly(tokens: int, rows: int) -> Array:
    """Tokens of each row when they are laid out evenly, upper rows taking one more."""
    return tokens // rows + (np.arange(rows) < tokens % rows)


def _checked(rule: str, rows: int, tokens: int, prompt: Any, capacity: int | None) -> Array:
    if rule not in RULES:
        raise ValueError(f"rule={rule!r}: choose one of {', '.join(RULES)}")
    for name, value, least in (("rows", rows, 1), ("tokens", tokens, 0), ("capacity", capacity, 1)):
        if value is not None and (not _is_whole(value) or value < least):
            raise ValueError(f"{name}={value}: give a whole number of {least} or more")
    begin = np.asarray(prompt) if np.ndim(prompt) else None
    if begin is None:
        if not _is_whole(prompt) or prompt < 0:
            raise ValueError(f"prompt={prompt}: give a number of tokens of 0 or more, or tokens of each row")
        begin = spread_evenly(int(prompt), rows)
    if begin.shape != (rows,) or begin.dtype.kind not in "iu" or begin.min() < 0:
        raise ValueError(
            f"prompt={prompt!r}: give one whole number of tokens of 0 or more for each of the {rows} rows"
        )
    if capacity is not None and begin.max() > capacity:
        row = int(begin.argmax())
        raise ValueError(
            f"prompt={prompt!r}: row {row} would hold {begin[row]} tokens, its capacity is {capacity}"
        )
    return begin


def _is_whole(number: Any) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool)
