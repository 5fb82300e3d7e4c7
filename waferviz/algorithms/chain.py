"""Chain to the centre: two chains meet in the middle of the line, and the sum is broadcast from there.

Source: the allreduce of prefill in the released code of WaferLLM (RMSNorm and softmax).
"""

from waferviz.algorithms import Shape, allreduce
from waferviz.algorithms.reductions import Combine, Plan, summed, towards
from waferviz.program import Program


def chain_plan(cores: int) -> Plan:
    """Two chains to the middle core."""
    return Plan((towards(cores // 2, cores),), cores // 2)


@allreduce
def chain(mesh: Shape, *, axis: str = "x", op: Combine = "add") -> Program:
    """Allreduce by two chains that meet in the middle; half the way of the pipeline."""
    return summed(
        "chain to the centre", mesh, chain_plan, axis=axis, op=op, paper="WaferLLM's released code, prefill"
    )
