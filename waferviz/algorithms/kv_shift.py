"""Shift: a row that holds more than the one above hands its oldest token up, so all rows stay level.

Source: WaferLLM, OSDI 2025, section 4.3 and figure 5; the order of events is our reading, see `waferviz.cache`.
"""

from typing import Any

from waferviz.algorithms import Shape, cache
from waferviz.algorithms.shelves import cache_program
from waferviz.program import Program


@cache
def kv_shift(mesh: Shape, *, tokens: int = 12, prompt: Any = 0, capacity: int | None = None) -> Program:
    """Cache that balances itself; no token ever moves more than one hop in a step."""
    return cache_program("shift", mesh, "shift", tokens, prompt, capacity, "WaferLLM, OSDI 2025, section 4.3")
