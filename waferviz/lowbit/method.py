"""How a product is looked up: how K is cut, how tables are rounded, how entries are added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from waferviz.lowbit.bitplanes import length
from waferviz.lowbit.gather import bunches
from waferviz.lowbit.operands import Weights, whole
from waferviz.lowbit.tables import quantized
from waferviz.program import Array

TABLES = ("exact", "int8")
AGGREGATES = ("exact", "fast", "fast-corrected")
BIASES = ("sum", "table")


@dataclass(frozen=True, kw_only=True)
class Method:
    """Choices of a lookup product.  K is cut at scale groups; each is filled with zero activations to whole tables.

    Attributes
    ----------
    group : int
        Activations of a table.
    table, aggregate, bias : str
        As in `lut_matmul`.
    length, span, filled : int
        K, weights of a scale group, and the same filled up.
    run : int
        Activations that share a weight scale and a table scale.
    """

    group: int
    table: str
    aggregate: str
    bias: str
    length: int
    span: int
    filled: int
    run: int

    @classmethod
    def of(
        cls, weights: Weights, group: int, table: str, table_group: int | None, aggregate: str, bias: str
    ) -> Method:
        """Checked choices; ValueError for a mode that does not exist and groups that do not nest."""
        length(group)
        for name, value, known in (
            ("table", table, TABLES),
            ("aggregate", aggregate, AGGREGATES),
            ("bias", bias, BIASES),
        ):
            if value not in known:
                raise ValueError(f"{name}={value!r}: choose one of {', '.join(map(repr, known))}")
        if aggregate != "exact" and table != "int8":
            raise ValueError(
                f"aggregate={aggregate!r} averages 8-bit entries; it needs table='int8', not {table!r}"
            )
        if table_group is not None and table != "int8":
            raise ValueError(
                f"table_group={table_group} scales 8-bit tables; it needs table='int8', not {table!r}"
            )
        filled = _up(weights.span, group)
        run = filled if table_group is None else whole(table_group, "table_group", group)
        if run % group:
            raise ValueError(f"table_group={run} is no multiple of group={group}; use {_up(run, group)}")
        run = min(run, filled)
        return cls(
            group=group, table=table, aggregate=aggregate, bias=bias, length=weights.q.shape[1],
            span=weights.span, filled=_up(filled, run), run=run,
        )  # fmt: skip

    @property
    def runs(self) -> int:
        """Runs along K."""
        return self.runs_per_scale * -(-self.length // self.span)

    @property
    def runs_per_scale(self) -> int:
        """Runs of one scale group."""
        return self.filled // self.run

    @property
    def lookups(self) -> int:
        """Lookups of a run, plane and output."""
        return self.run // self.group

    def padded(self, rows: Array) -> Array:
        """Rows of K entries with zeros after each scale group: (rows, runs * run)."""
        groups = -(-self.length // self.span)
        if (groups * self.filled) == self.length:
            return rows
        even = np.pad(rows, ((0, 0), (0, groups * self.span - self.length))).reshape(-1, groups, self.span)
        return np.pad(even, ((0, 0), (0, 0), (0, self.filled - self.span))).reshape(len(rows), -1)

    def rounded(self, half: Array) -> tuple[Array, Array]:
        """Halved tables as they are looked up, and their scale, (runs, tokens)."""
        if self.table == "int8":
            return quantized(half, self.lookups)
        return half, np.ones((self.runs, half.shape[2]), np.int64)

    def sums(self, half: Array, entries: Array, scale: Array) -> Array:
        """Sum of the activations of each run, (runs, tokens): entry 0 of a table is minus the sum of its group."""
        if self.bias == "sum":
            return -half[:, 0].reshape(self.runs, self.lookups, -1).sum(axis=1)
        return -entries[:, 0].astype(half.dtype).reshape(self.runs, self.lookups, -1).sum(axis=1) * scale

    def bunches(self, bits: int, outputs: int) -> list[tuple[int, int]]:
        """Planes looked up together, as (first, planes); averages are taken plane by plane."""
        if self.aggregate != "exact":
            return [(plane, 1) for plane in range(bits)]
        return bunches(bits, self.group, outputs)


def _up(number: int, step: int) -> int:
    return -(-number // step) * step
