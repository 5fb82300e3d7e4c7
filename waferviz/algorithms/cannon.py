"""Cannon: both operands shift along plain rings; the closing edge of each ring crosses the whole mesh.

Source: Cannon 1969; on a mesh without wrap links, WaferLLM, OSDI 2025, section 5.1.
"""

import math

from waferviz.algorithms import Shape, gemm, sides
from waferviz.algorithms.rings import compute_shift
from waferviz.orders import natural
from waferviz.program import Program


@gemm
def cannon(mesh: Shape, *, align: str = "A") -> Program:
    """Cannon's algorithm; one tile of every ring travels side - 1 hops in each shift."""
    side = math.lcm(*sides(mesh))
    return compute_shift("Cannon", mesh, natural(side), align=align, paper="WaferLLM, OSDI 2025, section 5.1")
