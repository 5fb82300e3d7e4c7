"""Runs on vectors against NumPy: the sums, all cores of a group alike bit for bit, every share once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from waferviz.program import Array
from waferviz.shares import groups, members, prove_shares

if TYPE_CHECKING:
    import xarray as xr

    from waferviz.verify import Verdict


def verify_vectors(trace: xr.Dataset) -> Verdict:
    """Check a run on vectors: the sums against NumPy, all cores of a group alike bit for bit, every share once.

    Integers and maxima must be equal bit for bit.  For sums of reals the bound is, entry by entry,
    d u / (1 - d u) sum |v| with d the most roundings on the way of one share and u the unit roundoff of the type
    that sums are kept in; where NumPy's sum is NaN or infinite ours must be so too.  A trace read from a file is
    checked for its sums.
    """
    from waferviz.verify import Verdict

    with np.errstate(invalid="ignore", over="ignore"):
        said, wrong = _against_numpy(_Ends.of(trace))
    core = tuple(int(at) for at in np.argwhere(wrong)[0]) if wrong.any() else None
    source, last = trace.encoding.get("run"), int(trace.sizes["step"]) - 1
    proof = prove_shares(source.program) if source else None
    movement = proof.detail if proof else "not checked, the trace comes from a file without its program"
    if proof is not None and not proof:
        return Verdict(ok=False, product=said, movement=proof.detail, step=proof.step, core=proof.core)
    if core is not None:
        return Verdict(ok=False, product=said, movement=movement, step=last, core=core)  # type: ignore[arg-type]
    return Verdict(ok=True, product=said, movement=movement)


@dataclass(frozen=True, eq=False)
class _Ends:
    """What the cores began and ended with, dims (y, x, n), and how they sum."""

    first: Array
    last: Array
    group: Array
    member: Array
    number: int
    kind: str
    op: str
    rounds: int

    @classmethod
    def of(cls, trace: xr.Dataset) -> _Ends:
        """The ends of a trace."""
        first, last = trace.V.isel(step=0).values, trace.V.isel(step=-1).values
        shape, along = last.shape[:2], trace.attrs["summed_along"]
        member, number = members(shape, along)
        said = (str(trace.attrs["kind"]), str(trace.attrs["op"]), int(trace.attrs["roundings"]))
        return cls(first, last, groups(shape, along), member, number, *said)

    @property
    def own(self) -> Array:
        """Entries of the chunk that belongs to each core, dims (y, x, n)."""
        length = self.last.shape[2]
        return (np.arange(length) // -(-length // self.number) == np.arange(self.number)[:, None])[
            self.member
        ]


def _against_numpy(ends: _Ends) -> tuple[str, Array]:
    """A sentence, and which cores end with a wrong vector, shape (y, x)."""
    expected, size = _expected(ends)
    counts = ends.own if ends.kind == "reduce_scatter" else np.ones_like(ends.last, bool)
    if ends.last.dtype.kind == "i" or ends.op == "max" or ends.kind == "allgather":
        wrong = ~_same(ends.last, expected.astype(ends.last.dtype)) & counts
        return _told(wrong, "equal to NumPy, bit for bit")
    if ends.kind == "allreduce" and not _alike(ends):
        return "cores that should hold the same sum differ", np.ones(ends.last.shape[:2], bool)
    unit = float(np.finfo(ends.last.dtype).eps) / 2
    share = ends.rounds * unit
    bound = (2 if unit < 1e-10 else 1) * share / (1 - share) if share < 1 else np.inf
    finite = np.isfinite(expected.astype(ends.last.dtype)) & np.isfinite(size.astype(ends.last.dtype))
    beyond = abs(ends.last - expected) > bound * np.where(finite, size, 0)
    wrong = np.where(finite, beyond, np.isfinite(ends.last) & ~np.isfinite(expected)) & counts
    said = f"within {ends.rounds} roundings of NumPy ({ends.last.dtype}, u = {unit:.1e})"
    return _told(wrong, said + (", all cores alike bit for bit" if ends.kind == "allreduce" else ""))


def _expected(ends: _Ends) -> tuple[Array, Array]:
    """Result and sum of magnitudes by NumPy on every core, dims (y, x, n)."""
    exact = np.int64 if ends.first.dtype.kind == "i" else np.float64
    wide = ends.first.astype(exact)
    if ends.kind == "allgather":
        wide = np.where(ends.own, wide, 0)
    size = np.zeros((int(ends.group.max()) + 1, wide.shape[-1]), exact)
    np.add.at(size, ends.group, abs(wide))
    total = np.zeros_like(size)
    if ends.op == "max" and ends.kind != "allgather":
        total[ends.group] = wide
        np.maximum.at(total, ends.group, wide)
    else:
        np.add.at(total, ends.group, wide)
    return total[ends.group], size[ends.group]


def _same(one: Array, other: Array) -> Array:
    return np.asarray((one == other) | (np.isnan(one) & np.isnan(other)))


def _alike(ends: _Ends) -> bool:
    """True when all cores of a group end with the same bits."""
    first = np.unique(ends.group, return_index=True)[1]
    lead = ends.last.reshape(-1, ends.last.shape[-1])[first][ends.group]
    return bool(_same(ends.last, lead).all())


def _told(wrong: Array, said: str) -> tuple[str, Array]:
    cores = np.asarray(wrong.any(axis=-1))
    if not wrong.any():
        return said, cores
    y, x, entry = np.argwhere(wrong)[0]
    return (
        f"{np.count_nonzero(wrong):,} of {wrong.size:,} entries differ from NumPy, entry {entry} of core ({y},{x}) first",
        cores,
    )
