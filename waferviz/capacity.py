"""How many tokens a cache holds: from free bytes, from published numbers backwards, and from a model and a machine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

from waferviz.machine import Machine, named
from waferviz.published import rows as table_rows


def capacity(free: float, token: float, rows: int, rule: str = "shift") -> int:
    """Tokens that fit: floor(free / token) for concat, floor(rows free / token) for shift.

    Parameters
    ----------
    free : float
        Bytes of a core left for the cache.
    token : float
        Bytes of one token's keys and values on a core.
    rows : int
        Rows of cores.

    The rule for shift counts the room of a whole column; rows fill up to whole tokens, so up to `rows` - 1 fewer
    really fit (rows times the capacity for concat).

    Source: WaferLLM, OSDI 2025, section 4.3 and table 5.

    Examples
    --------
    >>> capacity(16448, 1000, 375, "concat"), capacity(16448, 1000, 375)
    (16, 6168)
    """
    if rule not in ("concat", "shift"):
        raise ValueError(f"rule={rule!r}: choose concat or shift")
    _possible("free", free, 0)
    _possible_cut(token, rows)
    tokens = (1 if rule == "concat" else rows) * free / token
    return math.floor(tokens * (1 + 1e-12))  # a quotient that is whole but for its rounding counts as whole


def fitted_free(tokens: int, token: float, rows: int) -> float:
    """Free bytes that make `capacity(..., "shift")` come out at a published number of tokens: *fitted*, not known.

    Examples
    --------
    >>> free = fitted_free(137548, 96, 360)
    >>> capacity(free, 96, 360), capacity(free, 96, 360, "concat")
    (137548, 382)
    """
    _possible("tokens", tokens, 0, whole=True)
    _possible_cut(token, rows)
    return tokens * token / rows


def _possible_cut(token: float, rows: int) -> None:
    """Raise ValueError for tokens of no bytes, or no rows."""
    _possible("token", token, 0)
    if token == 0:
        raise ValueError("token=0: a token takes more than 0 bytes")
    _possible("rows", rows, 1, whole=True)


def _possible(name: str, value: Any, least: int, *, whole: bool = False) -> None:
    """Raise ValueError, which names the argument, for a number that is below its least, infinite, or not whole."""
    kind: Any
    kind, said = (Integral, "a whole number") if whole else (Real, "a finite number")
    if isinstance(value, bool) or not isinstance(value, kind) or not least <= value < math.inf:
        raise ValueError(f"{name}={value!r}: give {said} of {least} or more")


@dataclass(frozen=True, kw_only=True)
class Room:
    """What one core of a decode grid holds, in bytes, and the tokens that fit.

    Attributes
    ----------
    model : str
        Name.
    side : int
        Rows and columns of the grid.
    layers : int
        Layers of the model on one core.
    weights, token, free : int
        Bytes of the weights, of one token's keys and values, and what is left of the core's memory.
    concat, shift : int
        Tokens that fit by our count, rows filled with whole tokens.
    published_concat, published_shift : int
        The same in the paper's table 5.
    fitted : float
        Free bytes with which the paper's numbers follow: fitted to them.
    """

    model: str
    side: int
    layers: int
    weights: int
    token: int
    free: int
    concat: int
    shift: int
    published_concat: int
    published_shift: int
    fitted: float

    @property
    def gap(self) -> str:
        """Our count beside the published one, in words."""
        ratio = self.published_shift / self.shift if self.shift else math.inf
        said = f"{ratio:.2f} times as many" if self.shift else "more than none"
        return (
            f"{self.model} on {self.side} x {self.side} cores: {self.layers} layers on a core take {self.weights:,} B, a token "
            f"{self.token:,} B, and {max(0, self.free):,} B are left: {self.concat:,} tokens by concat, {self.shift:,} by shift. "
            f"Published are {self.published_concat:,} and {self.published_shift:,}, {said}; they follow from {self.fitted:,.0f} "
            f"free bytes (fitted to them), {self.fitted - self.free:+,.0f} B against our count."
        )


def forecast(model: str, *, machine: Machine | str | None = None, layers: int | None = None) -> Room:
    """Our own count of the room for tokens, beside the published one.

    Weights of a layer in f16 with every dim rounded up to the grid: 4 square ones and 3 of the feed-forward part, as
    the released decode kernel holds them (one head of full width); keys and values as wide as the model's own heads.
    Buffers, code and stack are left out, so a real core has less.

    Parameters
    ----------
    model : str
        A model of `data/waferllm_kv_models.csv`.
    machine : Machine or its name, optional
        Its memory per core and mesh; wse2 when left out.
    layers : int, optional
        Layers on one core; when left out the layers are dealt to as many grids as fit on the machine's mesh.

    Raises
    ------
    ValueError
        For an unknown model or machine, a grid that does not fit on the machine, or layers that the model does not have.
    """
    machine = named("wse2" if machine is None else machine)
    facts = _facts(model)
    side, (rows, columns) = facts["side"], machine.shape
    grids = (rows // side) * (columns // side)
    if layers is None and grids == 0:
        raise ValueError(
            f"{machine.name} has {rows} x {columns} cores, too few for a grid of {side} x {side}; give layers"
        )
    layers = layers if layers is not None else -(-facts["layers"] // grids)
    _possible("layers", layers, 1, whole=True)
    if layers > facts["layers"]:
        raise ValueError(f"layers={layers}: {model} has {facts['layers']} layers, a core holds at most those")
    width, hidden, heads = (-(-facts[name] // side) for name in ("width", "hidden", "kv_width"))
    weights, token = 2 * layers * (4 * width**2 + 3 * width * hidden), 2 * 2 * layers * heads
    free = machine.bytes_per_core - weights
    fits = max(0, free) // token
    return Room(
        model=model, side=side, layers=layers, weights=weights, token=token, free=free, concat=fits, shift=side * fits,
        published_concat=facts["concat"], published_shift=facts["shift"],
        fitted=fitted_free(facts["shift"], token, side),
    )  # fmt: skip


def _facts(model: str) -> dict[str, int]:
    shapes = {row["model"]: row for row in table_rows("waferllm_kv_models")}
    if model not in shapes:
        raise ValueError(f"no model {model!r}; known are {', '.join(shapes)}")
    facts: dict[str, Any] = {
        name: int(shapes[model][name]) for name in ("layers", "width", "hidden", "kv_width")
    }
    for row in table_rows("waferllm_kv_capacity"):
        if row["model"] == model:
            facts["side"] = int(row["decode_grid"].split("x")[0])
            facts[row["scheme"].split()[0]] = int(row["max_decode_output_tokens"])
    return facts
