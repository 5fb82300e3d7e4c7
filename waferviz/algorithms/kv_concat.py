"""Concat: every new token stays on the last row of cores, which fills up while the others have room.

Source: WaferLLM, OSDI 2025, section 4.3.
"""

from typing import Any

from waferviz.algorithms import Shape, cache
from waferviz.algorithms.shelves import cache_program
from waferviz.program import Program


@cache
def kv_concat(mesh: Shape, *, tokens: int = 12, prompt: Any = 0, capacity: int | None = None) -> Program:
    """Cache that grows at one end; nothing moves, and one row is full while the mesh is empty."""
    return cache_program(
        "concat", mesh, "concat", tokens, prompt, capacity, "WaferLLM, OSDI 2025, section 4.3"
    )
