"""Generated tree: of all trees whose subtrees are neighbours, the one that the cost model likes best.

Source: Luczynski et al., HPDC 2024 (arXiv 2404.15888), the auto-generated reduce.
"""

from waferviz import cost
from waferviz.algorithms import Shape, allreduce
from waferviz.algorithms.reductions import Combine, Plan, summed
from waferviz.program import Program


def autogen_plan(cores: int, words: int = 8, ramp: int = 2) -> Plan:
    """The tree of `waferviz.cost.autogen`, rooted at core 0."""
    return Plan((cost.autogen(words, cores, ramp=ramp)[1],), 0)


@allreduce
def autogen(mesh: Shape, *, axis: str = "x", op: Combine = "add", words: int = 8, ramp: int = 2) -> Program:
    """Allreduce by a tree generated for vectors of `words` 32-bit words and a ramp of `ramp` cycles."""
    return summed(
        f"generated tree for {words} words", mesh, lambda cores: autogen_plan(cores, words, ramp), axis=axis, op=op,
        paper="Luczynski et al., HPDC 2024 (arXiv 2404.15888)",
    )  # fmt: skip
