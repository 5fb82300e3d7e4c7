"""Two phases: chains inside groups of about the square root of the line, then a chain of the groups' first cores.

Source: Luczynski et al., HPDC 2024 (arXiv 2404.15888).
"""

import math
from numbers import Integral

import numpy as np

from waferviz.algorithms import Shape, allreduce
from waferviz.algorithms.reductions import Combine, Plan, summed
from waferviz.program import Program


def two_phase_plan(cores: int, group: int | None = None) -> Plan:
    """Chains to the first core of each group, then to the first core of the line; the last group may be shorter."""
    group = group or math.isqrt(cores - 1) + 1
    here = np.arange(cores)
    first = here % group == 0
    return Plan((np.where(first, -1, here - 1), np.where(first & (here > 0), here - group, -1)), 0)


@allreduce
def two_phase(mesh: Shape, *, axis: str = "x", op: Combine = "add", group: int | None = None) -> Program:
    """Allreduce in two phases with all roots at the edges; the K-tree of two phases puts them in the middle."""
    if group is not None and (not isinstance(group, Integral) or group < 1):
        raise ValueError(f"group={group!r}: give the number of cores of a group, 1 or more")
    return summed(
        "two phases", mesh, lambda cores: two_phase_plan(cores, group), axis=axis, op=op,
        paper="Luczynski et al., HPDC 2024 (arXiv 2404.15888)",
    )  # fmt: skip
