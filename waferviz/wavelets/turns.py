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
DATE = np.dtype(np.int32)


def dated_room(traffic: Traffic, lanes: Lanes, segments: Segments) -> Array:
    """Dates that each segment keeps: one per word of its lane and one more where its link is shared, else none."""
    kind, some = segments.kind, lanes.lane != NONE
    words = np.bincount(lanes.lane[some], traffic.words[some], len(lanes.first)).astype(np.int64)
    engines = np.any((kind == TAKEN) & (segments.link < RAMP_OUT * traffic.shape[0] * traffic.shape[1]))
    dated = (kind == LINK) | (kind == OUT) | ((kind == INTO) & ~engines)
    shared = np.zeros(len(kind), bool)
    shared[_met(segments)] = True
    return np.where(dated & shared, words[segments.lane] + 1, 0)


def _met(segments: Segments) -> Array:
    """Segments whose link others use too."""
    users = np.bincount(segments.link, minlength=segments.links)
    return np.flatnonzero(users[segments.link] > 1)


class Turns:
    """Segments whose link others use too, by link, and when their words came."""

    def __init__(self, traffic: Traffic, lanes: Lanes, segments: Segments) -> None:
        link = segments.link
        many, first = _met(segments), lanes.first[segments.lane]
        many = many[np.lexsort((first[many], link[many]))]
        self.many = many
        self.group = np.cumsum(np.diff(link[many], prepend=NONE) != 0)
        self.precedence = traffic.priority[first[many]] << 32
        self.last = np.arange(len(many)) - (1 << 32)
        room = dated_room(traffic, lanes, segments)[many]
        self.dated = room > 0
        self.shelf = np.cumsum(room) - room
        self.came = np.zeros(int(room.sum()), DATE)
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
