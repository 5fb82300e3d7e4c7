"""Which sum, when: allreduces and GEMVs over cores, lengths of vectors and group sizes, by closed forms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz import cost
from waferviz.machine import Machine, named
from waferviz.program import Array

if TYPE_CHECKING:
    import xarray as xr

Form = Callable[[Array, int, float, float], Array]
FACTORS = 40_000
EXACT, PAPER = "exact, best groups", "the paper's formula"


def _back(words: Array, n: int, hop: float, ramp: float) -> Array:
    return cost.broadcast(words, n, hop=hop, ramp=ramp)


def _ktree(words: Array, n: int, hop: float, ramp: float) -> Array:
    """The best K-tree of two phases whose groups divide the line."""
    pairs = [(n // groups, groups) for groups in range(1, n + 1) if n % groups == 0]
    return np.min([cost.ktree(words, sizes, hop=hop, ramp=ramp) for sizes in pairs], axis=0)


FORMS: dict[str, Form] = {
    "pipeline": lambda m, n, hop, ramp: cost.chain(m, n, hop=hop, ramp=ramp) + _back(m, n, hop, ramp),
    "chain to the centre": lambda m, n, hop, ramp: cost.ktree(m, (n,), hop=hop, ramp=ramp),
    "ring": lambda m, n, hop, ramp: cost.ring(m, n, "interleaved", hop=hop, ramp=ramp),
    "K-tree, best groups": _ktree,
}


def sums(cores: Any, words: Any, machine: Machine | str) -> xr.Dataset:
    """Cycles of allreduces on a line, for every number of cores and words.

    Parameters
    ----------
    cores, words : int or sequence of int
        Cores of the line, 32-bit words of each core's vector.

    Returns
    -------
    Dataset
        `cycles` with dims `algorithm`, `cores`, `words`; the K-tree has two phases, groups that divide the line, and of
        those the best.

    Raises
    ------
    ValueError
        For numbers below 1.

    Source: closed forms of `waferviz.cost`, see there.

    Examples
    --------
    >>> found = sums(64, [8, 256], Machine.preset("wse2")).cycles.isel(cores=0)
    >>> found.idxmin("algorithm").values.tolist()
    ['K-tree, best groups', 'pipeline']
    """
    import xarray as xr

    machine = named(machine)
    lines, lengths = _numbers("cores", cores), _numbers("words", words)
    cycles = np.stack([
        np.stack([np.broadcast_to(form(lengths, int(n), machine.hop, machine.ramp), lengths.shape) for n in lines])
        for form in FORMS.values()
    ])  # fmt: skip
    return xr.Dataset(
        {"cycles": (("algorithm", "cores", "words"), cycles.astype(float), {"units": "cycles", "long_name": "cycles of an allreduce"})},
        coords={
            "algorithm": list(FORMS), "cores": ("cores", lines, {"units": "cores", "long_name": "cores of the line"}),
            "words": ("words", lengths, {"units": "32-bit words", "long_name": "words of each core's vector"}),
        },
        attrs={"machine": machine.name, "asks": "Which sum is fastest?"},
    )  # fmt: skip


def gemvs(
    cores: Any, matrix: Any, machine: Machine | str, *, entry_bytes: int = 2, macs: float | None = None
) -> xr.Dataset:
    """Cycles of square GEMVs on square meshes: every core multiplies its tile, then the partial results are summed.

    Parameters
    ----------
    cores, matrix : int or sequence of int
        Cores along a side of the mesh, entries along a side of the matrix.
    entry_bytes : int
        Bytes of an entry; entries of 2 bytes travel two to a word.
    macs : float, optional
        Multiply-adds per core and cycle; the machine's (fp32) when left out, four times as many for 2 bytes.

    Returns
    -------
    Dataset
        `cycles` with dims `algorithm`, `cores`, `matrix`, of which `work` multiplies and `share` is for the sum.
        `nan` where a mesh is larger than the matrix.

    Raises
    ------
    ValueError
        For numbers below 1, or cores that multiply nothing.

    Notes
    -----
    Work and sum follow one another; software on the cores costs nothing, so real GEMVs take longer.
    """
    import xarray as xr

    machine = named(machine)
    sides, sizes = _numbers("cores", cores), _numbers("matrix", matrix)
    if not (isinstance(entry_bytes, Integral) and entry_bytes >= 1):
        raise ValueError(f"entry_bytes={entry_bytes!r}: give a whole number of bytes, 1 or more")
    if macs is not None and not 0 < macs < math.inf:
        raise ValueError(f"macs={macs!r}: give multiply-adds per core and cycle, more than 0")
    rate = macs if macs is not None else machine.macs * (4 if entry_bytes == 2 else 1)
    tile = -(-sizes[None, :] // sides[:, None])
    work = np.ceil(tile.astype(float) ** 2 / rate)
    words = -(-tile * entry_bytes // 4)
    summed = np.stack([
        np.stack([np.broadcast_to(form(each, int(n), machine.hop, machine.ramp), each.shape) for n, each in zip(sides, words, strict=True)])
        for form in FORMS.values()
    ])  # fmt: skip
    cycles = np.where(sides[:, None] <= sizes, work + summed, np.nan)
    dims = ("algorithm", "cores", "matrix")
    return xr.Dataset(
        {
            "cycles": (dims, cycles, {"units": "cycles", "long_name": "cycles of a GEMV"}),
            "work": (dims[1:], work, {"units": "cycles", "long_name": "cycles that multiply"}),
            "share": (dims, summed / cycles, {"units": "1", "long_name": "share of the cycles for the sum"}),
        },
        coords={
            "algorithm": list(FORMS), "cores": ("cores", sides, {"units": "cores", "long_name": "cores along a side"}),
            "matrix": ("matrix", sizes, {"units": "1", "long_name": "entries along a side"}),
        },
        attrs={"machine": machine.name, "asks": "When do more cores make a GEMV slower?"},
    )  # fmt: skip


def phases(cores: int, words: int, machine: Machine | str, *, most: int = 8) -> xr.Dataset:
    """The best K-tree for every number of phases: exact cycles, and the paper's formula beside them.

    Parameters
    ----------
    cores, words : int
        Cores of the line, 32-bit words of each core's vector.
    most : int
        Largest number of phases that is tried.

    Returns
    -------
    Dataset
        `cycles` with dims `algorithm` and `k`: the exact cycles of the best group sizes that divide the line, and the
        paper's formula alpha N + beta K N^(1/K) / 2 (WaferLLM, OSDI 2025, section 6.1) with alpha = hop and beta =
        relay - hop, which leaves out the words.  `groups`: those sizes as text.

    Raises
    ------
    ValueError
        For numbers below 1, several of them, or a line with too many ways to divide it.

    Examples
    --------
    >>> found = phases(720, 11, Machine.preset("wse2"))
    >>> int(found.cycles.sel(algorithm=EXACT).idxmin()), found.groups.sel(k=2).item()
    (3, '24 x 30')
    """
    import xarray as xr

    machine = named(machine)
    n, m, most = (_number(*given) for given in (("cores", cores), ("words", words), ("most", most)))
    rows = []
    for k in range(1, most + 1):
        plans = [sizes for sizes in factored(n) if len(sizes) == k]
        if plans:
            each = [float(cost.ktree(m, sizes, hop=machine.hop, ramp=machine.ramp)) for sizes in plans]
            best = int(np.argmin(each))
            paper = machine.hop * n + (machine.relay - machine.hop) * k * n ** (1 / k) / 2
            rows.append((k, each[best], " x ".join(map(str, plans[best])), paper))
    number, cycles, sizes, paper = zip(*rows, strict=True)
    return xr.Dataset(
        {
            "cycles": (("algorithm", "k"), np.array([cycles, paper]), {"units": "cycles", "long_name": "cycles of an allreduce"}),
            "groups": ("k", np.array(sizes), {"long_name": "group sizes, first phase first"}),
        },
        coords={"algorithm": [EXACT, PAPER], "k": ("k", np.array(number), {"units": "phases", "long_name": "phases"})},
        attrs={"machine": machine.name, "cores": n, "words": m, "asks": f"How many phases for {m} words on {n} cores?"},
    )  # fmt: skip


@cache
def factored(n: int) -> tuple[tuple[int, ...], ...]:
    """Every way to write a number as an ordered product of factors of 2 or more; the number itself first.

    Examples
    --------
    >>> factored(12)
    ((12,), (2, 6), (2, 2, 3), (2, 3, 2), (3, 4), (3, 2, 2), (4, 3), (6, 2))
    """
    found = list(_factored(n))
    if len(found) > FACTORS:
        raise ValueError(
            f"{n} has {len(found):,} ordered factorisations; choose a number with fewer prime factors"
        )
    return tuple(found)


def _factored(n: int) -> Iterator[tuple[int, ...]]:
    yield (n,)
    for first in range(2, n // 2 + 1):
        if n % first == 0:
            for rest in _factored(n // first):
                yield (first, *rest)


def _number(name: str, given: Any) -> int:
    """One whole number of 1 or more."""
    if np.ndim(given):
        raise ValueError(f"{name}={given!r}: give one whole number of 1 or more")
    return int(_numbers(name, given)[0])


def _numbers(name: str, given: int | Sequence[int] | Any) -> Array:
    """Whole numbers of 1 or more, shape (n,)."""
    found = np.atleast_1d(np.asarray(given))
    if found.ndim != 1 or not found.size or found.dtype.kind not in "iu" or found.min() < 1:
        raise ValueError(f"{name}={given!r}: give whole numbers of 1 or more")
    return found
