"""Defect maps: which cores of a wafer are dead, drawn at random or in clusters."""

from __future__ import annotations

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
        For a probability outside 0 to 1, an alpha of zero or less, or a mesh or region without cores.
    """
    if not 0 <= fail <= 1:
        raise ValueError(f"fail={fail}: a probability lies between 0 and 1")
    if alpha is not None and not 0 < alpha < np.inf:
        raise ValueError(f"alpha={alpha}: give a finite number above zero, or None for no clusters")
    region = region or shape
    if min(*shape, *region) < 1:
        raise ValueError(f"shape={shape}, region={region}: give at least one core along each side")
    generator = np.random.default_rng(seed)
    chance = generator.random(shape)
    if alpha is None or fail == 1:
        return np.asarray(chance < fail)
    blocks = [-(-side // part) for side, part in zip(shape, region, strict=True)]
    density = generator.gamma(alpha, 1 / alpha, blocks)
    each = density.repeat(region[0], axis=0).repeat(region[1], axis=1)[: shape[0], : shape[1]]
    return np.asarray(chance < -np.expm1(np.log1p(-fail) * each))
