"""Star: every core sends its vector straight to the root, which adds one after the other.

Source: Luczynski et al., HPDC 2024 (arXiv 2404.15888).
"""

import numpy as np

from waferviz.algorithms import Shape, allreduce
from waferviz.algorithms.reductions import Combine, Plan, summed
from waferviz.program import Program


def star_plan(cores: int) -> Plan:
    """Everyone sends to core 0."""
    return Plan((np.where(np.arange(cores) > 0, 0, -1),), 0)


@allreduce
def star(mesh: Shape, *, axis: str = "x", op: Combine = "add") -> Program:
    """Allreduce by a star; one relay, but all vectors enter the root through one ramp and need a route each."""
    return summed(
        "star", mesh, star_plan, axis=axis, op=op, paper="Luczynski et al., HPDC 2024 (arXiv 2404.15888)"
    )
