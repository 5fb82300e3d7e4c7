"""Binary tree: cores at odd multiples of 1, then 2, then 4, ... send to the even multiple before them.

Source: Luczynski et al., HPDC 2024 (arXiv 2404.15888).
"""

import numpy as np

from waferviz.algorithms import Shape, allreduce
from waferviz.algorithms.reductions import Combine, Plan, summed
from waferviz.program import Program


def binary_plan(cores: int) -> Plan:
    """Every core sends to its number without the last binary one."""
    here = np.arange(cores)
    return Plan((np.where(here > 0, here & (here - 1), -1),), 0)


@allreduce
def binary_tree(mesh: Shape, *, axis: str = "x", op: Combine = "add") -> Program:
    """Allreduce by a binary tree; as few relays as the number of cores has binary digits."""
    return summed(
        "binary tree",
        mesh,
        binary_plan,
        axis=axis,
        op=op,
        paper="Luczynski et al., HPDC 2024 (arXiv 2404.15888)",
    )
