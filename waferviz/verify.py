"""A run against NumPy and against the invariants of its movement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.program import Array
from waferviz.proof import Proof, prove
from waferviz.state import once, untiled

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was checked and found.

    Attributes
    ----------
    ok : bool
        Nothing wrong was found.
    product : str
        The result against NumPy, in a sentence.
    movement : str
        What met where, in a sentence.
    step : int, optional
        First step (from 1) at which something is wrong.
    core : (int, int), optional
        Where, as (y, x).
    remark : str
        What else to know, "" for nothing: tokens of a cache that found no room.
    """

    ok: bool
    product: str
    movement: str
    step: int | None = None
    core: tuple[int, int] | None = None
    remark: str = ""

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        said = f"{'right' if self.ok else 'wrong'}\n  product: {self.product}\n  movement: {self.movement}"
        return f"{said}\n  but: {self.remark}" if self.remark else said

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(str(self))


def verify(trace: xr.Dataset) -> Verdict:
    """Check a GEMM trace: its product against NumPy, and that every pair of blocks met exactly once.

    Integer products must be equal bit for bit, compared in int64.  For reals the bound is, entry by entry,
    (K + blocks + 2) u |A| |B| with unit roundoff u of the type products are summed in; where NumPy's product is NaN or
    infinite ours must be so too.  A trace of names is checked for movement, a trace read from a file for its
    product.  For programs on vectors see `waferviz.verify_sums`.

    Raises
    ------
    ValueError
        For what is no trace.
    """
    if "kind" not in getattr(trace, "attrs", ()):
        raise ValueError(
            f"verify() got {type(trace).__name__}; give the trace that multiply or run returns, for example "
            "verify(multiply(a, b))"
        )
    if trace.attrs["kind"] == "cache":
        from waferviz.tokens import verify_tokens

        return verify_tokens(trace)
    if trace.attrs["kind"] not in ("gemm", "gemv"):
        from waferviz.verify_sums import verify_vectors

        return verify_vectors(trace)
    source = trace.encoding.get("run")
    proof = prove(source.program) if source else None
    movement = (
        proof.detail if proof is not None else "not checked, the trace comes from a file without its program"
    )
    if "C" not in trace:
        return Verdict(
            ok=bool(proof),
            product="not checked, the trace holds names and no numbers",
            movement=movement,
            **_where(proof),
        )
    said, wrong = _product(trace)
    if not wrong.any() and (proof is None or proof):
        return Verdict(ok=True, product=said, movement=movement)
    if proof is not None and not proof:
        return Verdict(ok=False, product=said, movement=movement, **_where(proof))
    y, x = (int(at) for at in np.argwhere(wrong)[0])
    last = int(trace.sizes["step"]) - 1
    step = last if trace.attrs.get("replicated") else _first_wrong_step(trace, y, x)
    return Verdict(
        ok=False,
        product=f"{said}; first at step {step} on core ({y},{x})",
        movement=movement,
        step=step,
        core=(y, x),
    )


def _where(proof: Proof | None) -> dict[str, Any]:
    return {"step": proof.step, "core": proof.core} if proof is not None else {}


def _product(trace: xr.Dataset) -> tuple[str, Array]:
    """A sentence, and which cores hold a wrong tile, shape (y, x)."""
    along, blocks = trace.attrs.get("replicated", ""), trace.C.isel(step=-1).values
    found = untiled(once(blocks, along), (trace.attrs["M"], trace.attrs["N"]))
    a, b = operands(trace)
    if found.dtype.kind == "i":
        wrong = found != _exact(a, b)
        said = "equal to NumPy, bit for bit"
    else:
        wrong, said = _beyond_bound(found, a, b, trace.attrs["blocks"])
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        said = f"{np.count_nonzero(wrong):,} of {wrong.size:,} entries differ from NumPy, C[{row},{column}] first"
    if not along:
        return said, _by_core(wrong, blocks.shape)
    return _of_all_cores(said, _by_core(wrong, once(blocks, along).shape), blocks, along)


def _of_all_cores(said: str, wrong: Array, blocks: Array, along: str) -> tuple[str, Array]:
    """The same for a result that all cores of a line hold, and whether they agree bit for bit."""
    cores = np.broadcast_to(wrong if along == "x" else wrong.T, blocks.shape[:2])
    lead = blocks[:, :1] if along == "x" else blocks[:1]
    differ = ((blocks != lead) & ~(np.isnan(blocks) & np.isnan(lead))).any(axis=(2, 3))
    if differ.any() and not wrong.any():
        said = "cores that should hold the same result differ"
    elif not wrong.any():
        said += ", and the same on all cores that share a block"
    return said, cores | differ


def operands(trace: xr.Dataset) -> tuple[Array, Array]:
    """Matrices A (M, K) and B (K, N) put together from the tiles that a trace shows."""
    source = trace.encoding.get("run")
    if source and source.numbers:
        return source.numbers.matrices
    names = {"A": ("a_row", "a_block", ("M", "K")), "B": ("b_block", "b_column", ("K", "N"))}
    out = []
    for name, (row, column, sides) in names.items():
        rows, columns, cut = trace[row].values, trace[column].values, trace[name].values
        count = [
            trace.attrs["blocks"] if side == "K" else int(block.max()) + 1
            for side, block in zip(sides, (rows, columns), strict=True)
        ]
        whole = np.zeros((*count, *cut.shape[3:]), cut.dtype)
        held = (rows >= 0) & (columns >= 0)
        whole[rows[held], columns[held]] = cut[held]
        out.append(untiled(whole, (trace.attrs[sides[0]], trace.attrs[sides[1]])))
    return out[0], out[1]


def _exact(a: Array, b: Array) -> Array:
    return a.astype(np.int64) @ b.astype(np.int64)


def _beyond_bound(found: Array, a: Array, b: Array, blocks: int) -> tuple[Array, str]:
    with np.errstate(invalid="ignore", over="ignore"):
        wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
        expected = wide_a @ wide_b
        size = np.abs(wide_a) @ np.abs(wide_b)
        roundoff = np.finfo(found.dtype).eps / 2
        terms = a.shape[1] + blocks + 2
        bound = (2 if found.dtype == np.float64 else 1) * terms * roundoff * size
        finite = np.isfinite(expected.astype(found.dtype)) & np.isfinite(size)
        wrong = np.where(finite, np.abs(found - expected) > bound, np.isfinite(found))
    said = (
        f"within {terms} roundings of NumPy ({found.dtype}, |error| <= {terms} u |A||B|, u = {roundoff:.1e})"
    )
    if not finite.all():
        said += f"; {np.count_nonzero(~finite):,} entries are NaN, infinite or too large in NumPy and here, because the input or the sums are"
    return wrong, said


def _by_core(wrong: Array, shape: tuple[int, ...]) -> Array:
    rows, columns, m, n = shape
    whole = np.zeros((rows * m, columns * n), bool)
    whole[: wrong.shape[0], : wrong.shape[1]] = wrong
    return np.any(whole.reshape(rows, m, columns, n), axis=(1, 3))


def _first_wrong_step(trace: xr.Dataset, y: int, x: int) -> int:
    """First step after which the tile of a core is no longer the sum of the blocks it met."""
    a, b = operands(trace)
    m, k, n = (trace.attrs[name] for name in "mkn")
    exact = np.int64 if trace.C.dtype.kind == "i" else np.float64
    total = np.zeros((m, n), exact)
    whole_a, whole_b = (
        np.zeros((trace.sizes["y"] * m, trace.attrs["blocks"] * k), exact),
        np.zeros((trace.attrs["blocks"] * k, trace.sizes["x"] * n), exact),
    )
    whole_a[: a.shape[0], : a.shape[1]], whole_b[: b.shape[0], : b.shape[1]] = a, b
    for step in range(1, trace.sizes["step"]):
        if bool(trace.met[step, y, x]):
            block = int(trace.a_block[step - 1, y, x])
            total += (
                whole_a[y * m : (y + 1) * m, block * k : (block + 1) * k]
                @ whole_b[block * k : (block + 1) * k, x * n : (x + 1) * n]
            )
        here = trace.C[step, y, x].values
        if not np.allclose(here, total, rtol=1e-3, atol=1e-3 * max(1.0, float(np.abs(total).max()))) or (
            exact is np.int64 and np.any(here != total)
        ):
            return step
    return int(trace.sizes["step"]) - 1
