"""Yield: the chance that a block has no defect, and that a wafer with spare columns still works.

Everything is a plain function of broadcastable arrays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from waferviz.program import Array


def poisson(defects: Any) -> Array:
    """exp(-x): defects fall independently.  `defects` is x, the mean number on the block: area times density."""
    return np.exp(-_mean(defects))


def murphy(defects: Any) -> Array:
    """((1 - exp(-x)) / x)^2: the density varies over wafers as a triangle (Murphy, 1964)."""
    x = _mean(defects)
    safe = np.where(x == 0, 1, x)
    return np.where(x == 0, 1, (-np.expm1(-safe) / safe) ** 2)


def seeds(defects: Any) -> Array:
    """1 / (1 + x): the density varies as an exponential (Seeds, 1967)."""
    return 1 / (1 + _mean(defects))


def negative_binomial(defects: Any, alpha: Any = 2) -> Array:
    """(1 + x / alpha)^-alpha: the density is gamma-distributed; small alpha, strong clusters (Stapper, 1973).

    alpha = 1 is Seeds' law, alpha without bound is Poisson's.
    """
    alpha = _positive("alpha", alpha)
    return np.exp(-alpha * np.log1p(_mean(defects) / alpha))


def bose_einstein(defects: Any, layers: Any = 10) -> Array:
    """(1 + x / layers)^-layers: each critical layer has its share of the defects and follows Seeds' law."""
    return negative_binomial(defects, _positive("layers", layers))


LAWS: dict[str, Callable[..., Array]] = {
    "Poisson": poisson,
    "Murphy": murphy,
    "Seeds": seeds,
    "negative binomial": negative_binomial,
    "Bose-Einstein": bose_einstein,
}


def core_failure(area: Any, density: Any) -> Array:
    """Probability that a core of `area` mm2 has a defect, at `density` per cm2, which fall independently.

    Examples
    --------
    >>> f"{core_failure(0.05, 0.1):.2e}"
    '5.00e-05'
    """
    return -np.expm1(-_mean(area, "area") * _mean(density, "density") / 100)


def row_yield(columns: Any, spares: Any, fail: Any) -> Array:
    """Probability that a row of `columns` + `spares` cores has at most `spares` dead ones."""
    fail = _probability(fail)
    columns, spares = _count("columns", columns, 1), _count("spares", spares, 0)
    total = columns + spares
    with np.errstate(divide="ignore"):
        dead, alive = np.log(fail), np.log1p(-fail)
    sum_, choices = np.zeros(np.broadcast_shapes(np.shape(total), np.shape(fail))), np.zeros(np.shape(total))
    for number in range(int(spares.max()) + 1):
        ways = choices + _times(number, dead) + _times(total - number, alive)
        sum_ = sum_ + np.where(number <= spares, np.exp(ways), 0)
        choices = choices + np.log(
            (total - number) / (number + 1), where=total > number, out=np.zeros(np.shape(total))
        )
    return np.minimum(sum_, 1)


def wafer_yield(rows: Any, columns: Any, spares: Any, fail: Any, *, alpha: float | None = None) -> Array:
    """Probability that every row of a wafer finds enough spares for its dead cores.

    Parameters
    ----------
    rows, columns : int
        Cores that software sees.
    spares : int
        Spare cores in each row.
    fail : float
        Probability that one core is dead; `core_failure` gives it from area and density of defects.
    alpha : float, optional
        Clustering: the density of defects differs from wafer to wafer and is gamma-distributed with this shape;
        cores fail independently when left out.

    Returns
    -------
    array
        Broadcast over `rows`, `columns`, `spares` and `fail`.

    Raises
    ------
    ValueError
        For probabilities outside 0 to 1, counts that are no counts, alpha of zero or less.

    Notes
    -----
    The product over rows of P(Bin(columns + spares, fail) <= spares).  Only dead cores count: links, routers and
    power are taken to survive, and the vendor's own repair is not public.

    Examples
    --------
    >>> round(float(wafer_yield(757, 996, 1, core_failure(0.05, 0.1))), 3)
    0.403
    """
    rows, fail = _count("rows", rows, 1), _probability(fail)
    if alpha is None:
        return row_yield(columns, spares, fail) ** rows
    share, weight = _gamma(float(_positive("alpha", alpha)))
    with np.errstate(divide="ignore", over="ignore"):
        mean = -np.log1p(-np.expand_dims(fail, -1)) * share
    counts = [np.expand_dims(np.asarray(count), -1) for count in (columns, spares, rows)]
    return np.minimum((row_yield(counts[0], counts[1], -np.expm1(-mean)) ** counts[2]) @ weight, 1)


def _gamma(alpha: float) -> tuple[Array, Array]:
    """Densities, as shares of their mean, and weights of a gamma distribution: the trapezoid rule in log density."""
    step = min(0.05, 0.2 / np.sqrt(alpha))
    log = np.arange(-32 / alpha - 25, np.log(alpha + 60 + 12 * np.sqrt(alpha)), step)
    weight = alpha * log - np.exp(log)
    weight = np.exp(weight - weight.max())
    return np.exp(log) / alpha, weight / weight.sum()


def _times(number: Any, log: Array) -> Array:
    """The product of number and log, where nothing times log 0 is 0."""
    with np.errstate(invalid="ignore"):
        return np.where(np.asarray(number) == 0, 0, number * log)


def _mean(value: Any, name: str = "defects") -> Array:
    found = np.asarray(value, float)
    if not np.all(found >= 0) or np.isinf(found).any():
        raise ValueError(f"{name}={value!r}: give a finite number of zero or more")
    return found


def _positive(name: str, value: Any) -> Array:
    found = np.asarray(value, float)
    if not np.all((found > 0) & (found < np.inf)):
        raise ValueError(f"{name}={value!r}: give a finite number above zero")
    return found


def _probability(value: Any) -> Array:
    found = np.asarray(value, float)
    if not np.all((found >= 0) & (found <= 1)):
        raise ValueError(f"fail={value!r}: a probability lies between 0 and 1")
    return found


def _count(name: str, value: Any, least: int) -> Array:
    found = np.asarray(value)
    if not (np.isrealobj(found) and np.all(found >= least) and np.all(found == np.floor(found))):
        raise ValueError(f"{name}={value!r}: give whole numbers of {least} or more")
    return found
