"""GEMV with a pipeline: partial results run down the whole line, core by core.

Source: WaferLLM, OSDI 2025, section 6.1, item 1.
"""

from waferviz.algorithms import Shape, gemv
from waferviz.algorithms.partials import partial_sums
from waferviz.algorithms.pipeline import pipeline_plan
from waferviz.program import Program


@gemv
def pipeline_gemv(mesh: Shape, *, axis: str = "y") -> Program:
    """GEMV with a pipeline allreduce; as many relays as a line has cores."""
    return partial_sums(
        "GEMV, pipeline", mesh, pipeline_plan, axis=axis, paper="WaferLLM, OSDI 2025, section 6.1, item 1"
    )
