"""Who crosses a shared link first.

The message with precedence, then the word that came first; words of a message to be sent come when it is handed over.
Where words came together, and where a core does one operation per cycle, messages take turns: the one goes that has
waited longest since its last word.
"""

from __future__ import annotations

import numpy as np

from waferviz.program import Array
from waferviz.wavelets.paths import INTO, LINK, OUT, RAMP_OUT, TAKEN, Lanes, Segments
from waferviz.wavelets.traffic import NONE, Traffic

NEVER = np.iinfo(np.int64).max


class Turns:
    """Segments whose link others use too, by link, and when their words came."""

    def __init__(self, traffic: Traffic, lanes: Lanes, segments: Segments) -> None:
        link, kind = segments.link, segments.kind
        users = np.bincount(link, minlength=segments.links)
        many = np.flatnonzero(users[link] > 1)
        first = lanes.first[segments.lane]
        many = many[np.lexsort((first[many], link[many]))]
        self.many = many
        self.group = np.cumsum(np.diff(link[many], prepend=NONE) != 0)
        self.precedence = traffic.priority[first[many]] << 32
        self.last = np.arange(len(many)) - (1 << 32)
        some = lanes.lane != NONE
        words = np.bincount(lanes.lane[some], traffic.words[some], len(lanes.first)).astype(np.int64)
        ramps = RAMP_OUT * traffic.shape[0] * traffic.shape[1]
        engines = np.any((kind == TAKEN) & (link < ramps))
        self.dated = (kind[many] == LINK) | (kind[many] == OUT) | ((kind[many] == INTO) & ~engines)
        room = np.where(self.dated, words[segments.lane[many]] + 1, 0)
        self.shelf = np.cumsum(room) - room
        self.came = np.zeros(int(room.sum()), np.int32)
        self.seen = np.zeros(len(many), np.int64)

    def take(self, moved: Array, at_hand: Array, crossed: Array, now: int) -> None:
        """Let one segment of every shared link pass."""
        hot = np.flatnonzero(at_hand[self.many])
        if not len(hot):
            return
        segment = self.many[hot]
        wants = moved[segment] > 0
        claim = np.where(wants, self.precedence[hot] + self._dates(hot, at_hand, crossed, now), NEVER)
        start = np.flatnonzero(np.diff(self.group[hot], prepend=NONE))
        number = np.diff(start, append=len(hot))
        best = np.repeat(np.minimum.reduceat(claim, start), number)
        turn = np.where(wants & (claim == best), self.last[hot], NEVER)
        wins = wants & (turn == np.repeat(np.minimum.reduceat(turn, start), number))
        moved[segment] = wins
        self.last[hot[wins]] = (now << 24) + hot[wins]

    def _dates(self, hot: Array, at_hand: Array, crossed: Array, now: int) -> Array:
        """Cycle at which the first word at hand came, 0 where words have no dates."""
        dated = self.dated[hot]
        late, crossed = hot[dated], crossed[self.many[hot[dated]]]
        new = np.maximum(crossed + at_hand[self.many[late]] - self.seen[late], 0)
        place = np.repeat(self.shelf[late] + self.seen[late] - np.cumsum(new) + new, new) + np.arange(
            int(new.sum())
        )
        self.came[place] = now
        self.seen[late] += new
        dates = np.zeros(len(hot), np.int64)
        dates[dated] = self.came[self.shelf[late] + crossed]
        return dates
