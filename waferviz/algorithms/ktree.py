"""K-tree: chains to the middle of small groups, then of groups of groups; few relays, and no way longer than needed.

Source: WaferLLM, OSDI 2025, section 6.2; roots as in the released code of MeshGEMV, which has two phases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral

import numpy as np

from waferviz.algorithms import Shape, allreduce
from waferviz.algorithms.reductions import Combine, Plan, summed, towards
from waferviz.program import Program


def ktree_plan(cores: int, sizes: Sequence[int]) -> Plan:
    """K phases; in phase k groups of sizes[k] neighbouring roots of the phase before send to their middle one.

    The middle of r members is member r // 2 (from 0).  Where the sizes do not divide, the last group of a phase
    is shorter and has its root in its own middle.
    """
    roots, phases = np.arange(cores), []
    for size in sizes:
        parents = np.full(cores, -1)
        groups = [roots[first : first + size] for first in range(0, len(roots), size)]
        for group in groups:
            middle = towards(len(group) // 2, len(group))
            parents[group] = np.where(middle < 0, -1, group[middle])
        phases.append(parents)
        roots = np.array([group[len(group) // 2] for group in groups])
    return Plan(tuple(phases), int(roots[0]))


@allreduce
def ktree(
    mesh: Shape,
    *,
    axis: str = "x",
    op: Combine = "add",
    k: int | None = None,
    sizes: Sequence[int] | None = None,
) -> Program:
    """Allreduce by a K-tree; about half the hops of a pipeline and K N^(1/K) / 2 relays.

    Parameters
    ----------
    k : int, optional
        Phases; two as in the released code when left out, one on a line of two cores.
    sizes : sequence of int, optional
        Cores of a group in each phase, their product at least the cores of a line; as equal as divisors allow
        when left out.
    """
    sizes = checked_sizes(k, sizes)
    said = "" if sizes is None else f" {' x '.join(str(size) for size in sizes)}"
    number = (k or 2) if sizes is None else len(sizes)
    return summed(
        f"{number}-tree{said}", mesh, lambda cores: ktree_plan(cores, group_sizes(cores, k, sizes)), axis=axis, op=op,
        paper="WaferLLM, OSDI 2025, section 6.2",
    )  # fmt: skip


def group_sizes(cores: int, k: int | None = None, sizes: Sequence[int] | None = None) -> tuple[int, ...]:
    """Group sizes of K phases, checked; when none are given the smallest divisor that is at least the K-th root.

    Where the next divisor is more than twice the root, the root rounded up is taken and the last group is shorter.

    Raises
    ------
    ValueError
        For fewer than one phase, more than the line can use, sizes that are no whole numbers, are not `k`, or do not
        gather the whole line.

    Examples
    --------
    >>> group_sizes(360), group_sizes(720), group_sizes(720, 3), group_sizes(7)
    ((20, 18), (30, 24), (9, 10, 8), (3, 3))
    """
    given = checked_sizes(k, sizes)
    if given is not None:
        if math.prod(given) < cores:
            raise ValueError(
                f"sizes={given}: groups gather {math.prod(given)} cores, the line has {cores}; "
                f"give sizes with a product of at least {cores}, for example {group_sizes(cores)}"
            )
        return given
    most = max(1, int(cores - 1).bit_length())
    k = min(2, most) if k is None else k
    if not 1 <= k <= most:
        raise ValueError(f"k={k}: a line of {cores} cores can be gathered in 1 to {most} phases")
    found: list[int] = []
    for phase in range(k, 0, -1):
        root = cores ** (1 / phase)
        divisor = next(d for d in range(max(1, math.ceil(root - 1e-9)), cores + 1) if cores % d == 0)
        found.append(divisor if divisor <= 2 * root else math.ceil(root - 1e-9))
        cores = -(-cores // found[-1])
    return tuple(found)


def checked_sizes(k: int | None, sizes: object) -> tuple[int, ...] | None:
    """Group sizes as whole numbers, None when none are given; ValueError for what is none, or not one for each phase."""
    if k is not None and not _whole(k):
        raise ValueError(f"k={k!r}: give a whole number of phases, 1 or more")
    if sizes is None:
        return None
    given = tuple(sizes) if isinstance(sizes, Sequence | np.ndarray) and not isinstance(sizes, str) else ()
    if not given or not all(_whole(size) and size >= 1 for size in given):
        raise ValueError(
            f"sizes={sizes!r}: give one whole number of 1 or more for each phase, for example sizes=(4, 2)"
        )
    if k is not None and k != len(given):
        raise ValueError(
            f"k={k} phases but {len(given)} sizes {sizes!r}; give one of the two, or as many sizes as k"
        )
    return tuple(int(size) for size in given)


def _whole(number: object) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool)
