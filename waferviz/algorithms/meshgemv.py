"""MeshGEMV: partial results summed by a K-tree, half the hops and a fraction of the relays of a pipeline.

Source: WaferLLM, OSDI 2025, section 6.2.
"""

from __future__ import annotations

from collections.abc import Sequence

from waferviz.algorithms import Shape, gemv
from waferviz.algorithms.ktree import group_sizes, ktree_plan
from waferviz.algorithms.partials import partial_sums
from waferviz.program import Program


@gemv
def meshgemv(
    mesh: Shape, *, axis: str = "y", k: int | None = None, sizes: Sequence[int] | None = None
) -> Program:
    """GEMV with a K-tree allreduce; `k` and `sizes` as for the allreduce."""
    return partial_sums(
        "MeshGEMV", mesh, lambda cores: ktree_plan(cores, group_sizes(cores, k, sizes)), axis=axis,
        paper="WaferLLM, OSDI 2025, section 6.2",
    )  # fmt: skip
