"""Defect maps: which cores of a wafer are dead, drawn at random or in clusters."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np

from waferviz.program import Array


def draw(
    shape: tuple[int, int],
    fail: float,
    *,
    alpha: float | None = None,
    region: tuple[int, int] | None = None,
    seed: int = 0,
) -> Array:
    """Dead cores of one wafer, a mask of dims (y, x); one seed, one map.

    With one seed a larger `fail` only adds dead cores.

    Parameters
    ----------
    shape : (int, int)
        Cores, spares included, as (rows, columns).
    fail : float
        Mean probability that a core is dead.
    alpha : float, optional
        Clustering: every region has a density of its own, gamma-distributed with this shape; smaller, stronger.
        Cores fail independently when left out.
    region : (int, int), optional
        Cores of a region, rows and columns; the whole wafer when left out.
    seed : int
        Of the generator.

    Raises
    ------
    ValueError
        For a probability outside 0 to 1, an alpha of zero or less, a mesh or region without cores, or a seed that is none.
    """
    if not (isinstance(fail, Real) and 0 <= fail <= 1):
        raise ValueError(f"fail={fail!r}: a probability lies between 0 and 1")
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"seed={seed!r}: give a whole number of 0 or more")
    if alpha is not None and not 0 < alpha < np.inf:
        raise ValueError(f"alpha={alpha}: give a finite number above zero, or None for no clusters")
    region = shape if region is None else region
    for pair in (shape, region):
        sides = pair if isinstance(pair, (tuple, list)) else ()
        if len(sides) != 2 or not all(isinstance(side, Integral) and side > 0 for side in sides):
            raise ValueError(
                f"shape={shape!r}, region={region!r}: give (rows, columns), at least one core along each side"
            )
    generator = np.random.default_rng(int(seed))
    chance = generator.random(shape)
    if alpha is None or fail == 1:
        return np.asarray(chance < fail)
    blocks = [-(-side // part) for side, part in zip(shape, region, strict=True)]
    density = generator.gamma(alpha, 1 / alpha, blocks)
    each = density.repeat(region[0], axis=0).repeat(region[1], axis=1)[: shape[0], : shape[1]]
    return np.asarray(chance < -np.expm1(np.log1p(-fail) * each))
