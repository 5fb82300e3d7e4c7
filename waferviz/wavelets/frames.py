"""What crossed every link in each window of a run, and what waited before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from waferviz.program import Array
from waferviz.wavelets.paths import LINK, Segments


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """What happened.

    Attributes
    ----------
    cycles : int
        From the first word sent to the last one taken in.
    complete : array
        Shape (delivery,): cycle at whose start it was complete.
    crossed, waiting : array
        Shape (window, link): words over each link, and words that wait before it at the window's end.
    """

    cycles: int
    complete: Array
    crossed: Array
    waiting: Array


class Frames:
    """Frames of `window` cycles each, one for the whole run when it is 0."""

    def __init__(self, cores: int, segments: Segments, window: int) -> None:
        self.window, self.links = window, 4 * cores
        self.on = segments.kind == LINK
        self.where = segments.link[self.on]
        self.counted = np.zeros(self.links, np.int64)
        self.kept: list[tuple[Array, Array]] = []

    def until(self, now: int, crossed: Array, at_hand: Array) -> None:
        """Keep the frames that have ended by cycle `now`."""
        while self.window and (len(self.kept) + 1) * self.window <= now:
            self.take(crossed, at_hand)

    def take(self, crossed: Array, at_hand: Array) -> None:
        """Keep one frame."""
        total = np.bincount(self.where, crossed[self.on], self.links).astype(np.int64)
        waiting = np.bincount(self.where, at_hand[self.on], self.links).astype(np.int64)
        self.kept.append((total - self.counted, waiting))
        self.counted = total

    def arrays(self, now: int, crossed: Array, at_hand: Array) -> tuple[Array, Array]:
        """All frames, the last one perhaps shorter: words and waiting words, dims (window, link)."""
        self.until(now, crossed, at_hand)
        if not self.kept or not self.window or len(self.kept) * self.window < now:
            self.take(crossed, at_hand)
        words, waiting = (np.stack(part) for part in zip(*self.kept, strict=True))
        return words, waiting
