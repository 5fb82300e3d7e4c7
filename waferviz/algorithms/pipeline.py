"""Pipeline: the sum runs from one end of the line to the other, core by core, and comes back as a broadcast.

Source: WaferLLM, OSDI 2025, section 6.1, item 1; chain reduce of Luczynski et al., HPDC 2024.
"""

from waferviz.algorithms import Shape, allreduce
from waferviz.algorithms.reductions import Combine, Plan, summed, towards
from waferviz.program import Program


def pipeline_plan(cores: int) -> Plan:
    """One chain to the last core of the line."""
    return Plan((towards(cores - 1, cores),), cores - 1)


@allreduce
def pipeline(mesh: Shape, *, axis: str = "x", op: Combine = "add") -> Program:
    """Allreduce by one chain; the root stands at the end, so that every word passes through every core."""
    return summed(
        "pipeline", mesh, pipeline_plan, axis=axis, op=op, paper="WaferLLM, OSDI 2025, section 6.1, item 1"
    )
