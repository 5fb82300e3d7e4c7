"""Memory of a core: what a program sets aside, and what is in use as its buffers fill."""

from __future__ import annotations

import numpy as np

from waferviz.program import Array, Program, at_repeat
from waferviz.state import Sizes


def set_aside(program: Program, sizes: Sizes) -> int:
    """Bytes per logical core, double buffers and receive tiles included."""
    return sum(buffer.tiles * sizes.bytes(buffer.dims) for buffer in program.buffers.values())


def held(program: Program, sizes: Sizes) -> Array:
    """Bytes in use per logical core after each step, shape (steps + 1,): places of a buffer count once they are filled."""
    used = sum(b.tiles * sizes.bytes(b.dims) for b in program.buffers.values() if b.places == 1)
    after, seen = [used], set()
    for step, repeat in program:
        for move in step.moves:
            place = (move.write, at_repeat(move.slot, repeat))
            if move.slot is not None and place not in seen:
                seen.add(place)
                used += sizes.bytes(program.buffers[move.write].dims)
        after.append(used)
    return np.array(after)
