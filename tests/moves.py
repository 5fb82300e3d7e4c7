"""Random moves, and what each of them means, said one message at a time."""

import numpy as np
from hypothesis import strategies as st

from waferviz.program import Move


@st.composite
def moves(draw, rows, columns, times, write):
    axis = draw(st.sampled_from(("x", "y", "xy")))
    size = {"x": columns, "y": rows, "xy": rows * columns}[axis]
    reps = draw(st.sampled_from((1, times)))
    wide = draw(st.booleans())
    if axis == "xy" or wide:
        shape = (reps, rows, columns)
    else:
        shape = (reps, 1, columns) if axis == "x" else (reps, rows, 1)
    count = int(np.prod(shape))
    index = np.array(draw(st.lists(st.integers(-1, size - 1), min_size=count, max_size=count))).reshape(shape)
    lines = rows if axis == "x" else columns
    only = None
    if draw(st.booleans()):
        only = draw(st.lists(st.booleans(), min_size=lines * reps, max_size=lines * reps))
        only = np.array(only).reshape(reps, lines)
    kind = draw(st.sampled_from(("source", "handed on", "direct", "relay")))
    combine = draw(st.sampled_from(("add", "max")))
    ends = {"source": index} if kind in ("source", "handed on") else {"target": index, "combine": combine}
    relay = kind in ("handed on", "relay")
    return Move(read="A", write=write, axis=axis, only=only, relay=relay, **ends)


def messages(shape, move, repeat):
    """Pairs of logical cores (from, to) of a move, each as (y, x), in the order of the cores that name them."""
    rows, columns = shape
    for y in range(rows):
        for x in range(columns):
            index = move.index[min(repeat, len(move.index) - 1)]
            there = int(np.broadcast_to(index, shape)[y, x])
            lines = move.lines[min(repeat, len(move.lines) - 1)]
            line = y if move.axis == "x" else x
            if there < 0 or not lines[line if len(lines) > 1 else 0]:
                continue
            other = {"x": (y, there), "y": (there, x), "xy": (there // columns, there % columns)}[move.axis]
            yield (other, (y, x)) if move.target is None else ((y, x), other)
