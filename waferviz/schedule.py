"""Two schedules of one program: a barrier after every step, or data flow, in which cores wait for tiles alone.

With data flow a core begins a step when it has itself ended the one before, and has ended a step when its work is
done, its own tiles have left and the tiles for it have come.  Words wait in the routers' queues until the core
takes them in; the queues are as long as they need to be.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from waferviz.arrivals import Entry, last_word, pick
from waferviz.cost import barrier
from waferviz.entries import entries, handed, taken
from waferviz.program import Array

if TYPE_CHECKING:
    from waferviz.bill import Bill

Schedule = Literal["barrier", "dataflow"]
SCHEDULES = {"barrier": "with a barrier after it", "dataflow": "under data flow, where steps overlap"}
KEPT = 256 * 2**20


def checked(schedule: str) -> str:
    """The schedule; ValueError when there is none of that name."""
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule={schedule!r}: choose one of {', '.join(SCHEDULES)}")
    return schedule


def parts(bill: Bill) -> dict[str, Array]:
    """Cycles of every step if it had nothing but its work, its words or its way, shape (steps,) each.

    `move` is words and way together; under a barrier a step takes the longer of `work` and `move`.
    """
    steps, chip = bill.counts, bill.chip
    none = np.zeros(len(steps["hops"]), int)
    way = barrier(none, none, none, steps["hops"], steps["stages"], chip)
    move = barrier(none, steps["link_words"], steps["ramp_words"], steps["hops"], steps["stages"], chip)
    return {
        "work": barrier(bill.work, none, none, none, none, chip),
        "words": move - way,
        "way": way,
        "move": move,
    }


class Link(NamedTuple):
    """One step of the critical path.

    Attributes
    ----------
    core, source : (int, int)
        The core that is waited for, and whom it waits for itself.
    own : bool
        It waits for its own work, or for words through its ramp; else for a tile.
    ready : float
        Cycle at which it begins the step.
    sent, came : float
        Cycles at which the tile that keeps it longest was sent, and had come.
    way : float
        Cycles of that tile's way.
    end : float
        Cycle at which it ends the step.
    """

    core: tuple[int, int]
    source: tuple[int, int]
    own: bool
    ready: float
    sent: float
    came: float
    way: float
    end: float


class Free:
    """A program under data flow: the cycle at which each core has ended each step.

    Frames are kept for every step as long as they fit into 256 MiB; of larger runs one in so many is kept and
    the others are computed again when asked for.
    """

    def __init__(self, bill: Bill) -> None:
        self.bill, self.machine = bill, bill.chip
        self.shape, self.steps = bill.place.shape, len(bill.program)
        self._plans: dict[tuple[int, int], tuple[Array, list[Entry]]] = {}
        room = KEPT // (8 * self.shape[0] * self.shape[1])
        self.stride = 1 if self.steps < room else int(np.ceil(np.sqrt(self.steps)))
        self._segment: tuple[int, list[Array]] = (-1, [])

    def after(self, step: int) -> Array:
        """Cycle at which each core has ended `step` steps, shape (y, x); zero for none."""
        kept = self._run[0]
        begin = step - step % self.stride
        if self.stride == 1:
            return kept[step]
        if self._segment[0] != begin:
            frames = [kept[begin // self.stride]]
            for number in range(begin + 1, min(begin + self.stride, self.steps + 1)):
                frames.append(self.advance(frames[-1], number))
            self._segment = (begin, frames)
        return self._segment[1][step - begin]

    def advance(self, ready: Array, step: int) -> Array:
        """Cycle at which each core ends a step (from 1) that it may begin at `ready`, shape (y, x)."""
        own, found = self.plan(step)
        done = ready + own
        heads = [entry.heads(ready) for entry in found]
        for head, words, tail in heads:
            np.maximum(done, head + np.maximum(words, tail), out=done)
        if len(heads) == 2:
            (one, first, _), (other, second, _) = heads
            np.maximum(done, np.minimum(one, other) + (first + second), out=done)
        elif len(heads) > 2:
            for head, _, _ in heads:
                behind = sum(more * (later >= head) for later, more, _ in heads)
                np.maximum(done, head + behind, out=done)
        return done

    def path(self) -> list[Link]:
        """The critical path: for each step the core that the end of the run waits for, and what that core waits for."""
        found: list[Link] = []
        last = self.after(self.steps)
        core = divmod(int(last.argmax()), self.shape[1])
        end = float(last[core])
        for step in range(self.steps, 0, -1):
            link = self._link(step, core, end)
            core, end = link.source, link.ready if link.own else link.sent
            found.append(link)
        return found[::-1]

    def _link(self, step: int, core: tuple[int, int], end: float) -> Link:
        """What one core waits for in one step: itself, or the tile that keeps it longest."""
        ready, (own, found) = self.after(step - 1), self.plan(step)
        here = float(ready[core])
        busy = here + pick(np.atleast_2d(own), core)
        tiles = [tile for entry in found for tile in entry.into(core, ready)]
        came = [last_word(tile, tiles) for tile in tiles]
        latest = int(np.argmax(came)) if tiles else -1
        sent, at = (tiles[latest].begun, came[latest]) if tiles else (here, here)
        if busy >= end or not tiles:
            return Link(core, core, own=True, ready=here, sent=sent, came=at, way=0, end=end)
        tile = tiles[latest]
        return Link(core, tile.source, own=False, ready=here, sent=sent, came=end, way=tile.way, end=end)

    def plan(self, step: int) -> tuple[Array, list[Entry]]:
        """Cycles for which each core is busy itself in a step, and what enters it."""
        part, _, within = self.bill.order[step - 1]
        moves = self.bill.program.repeats[part].steps[within].moves
        alike = all(move.repeats == 1 for move in moves)
        if alike and (part, within) in self._plans:
            return self._plans[part, within]
        machine, found = self.machine, self.bill.streams(step)
        crowded = self.bill.counts["link_words"][step - 1] > min((words for _, words in found), default=0)
        enter = entries(found, self.bill.link_words(step) if crowded else None, machine)
        through = np.maximum(handed(found), taken(found)) / machine.link_words
        plan = np.maximum(self.bill.work[step - 1], through), enter
        if alike:
            self._plans[part, within] = plan
        return plan

    @property
    def ends(self) -> Array:
        """Cycle at which the latest core has ended each step, shape (steps + 1,); the first is the start."""
        return self._run[1]

    @cached_property
    def _run(self) -> tuple[list[Array], Array]:
        now = np.zeros(self.shape)
        kept, ends = [now], np.zeros(self.steps + 1)
        for step in range(1, self.steps + 1):
            now = self.advance(now, step)
            ends[step] = now.max()
            if step % self.stride == 0:
                kept.append(now)
        return kept, ends


def cycles(bill: Bill, schedule: str) -> Array:
    """Cycles of every step, shape (steps,), which add up to those of the run.

    Under data flow steps overlap: a step counts from the end of the one before it to its own, each on its
    latest core.
    """
    if checked(schedule) == "barrier":
        part = parts(bill)
        return np.maximum(part["work"], part["move"])
    return np.diff(np.ceil(Free(bill).ends)).astype(np.int64)
