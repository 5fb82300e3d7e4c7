"""The clock of the mesh: one cycle after the other, all segments at once.

Per cycle every segment with a word at hand passes one on, unless its link is taken or the buffer behind it is full.
A link takes the word of the message with precedence, then the one that came first; at the ramps into the routers,
and where words came together, messages take turns.  Loops of Python run over cycles, and over events of one cycle.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from waferviz.program import Array
from waferviz.wavelets.paths import LINK, OUT, TAKEN, Lanes, Segments
from waferviz.wavelets.traffic import NONE, Traffic

IDLE = -1
NEVER = np.iinfo(np.int64).max


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


class Deadlock(RuntimeError):
    """Words that wait for each other's buffers; `links` names the links they wait for, in a circle."""

    def __init__(self, message: str, links: list[str]) -> None:
        super().__init__(message)
        self.links = links


class Clock:
    """State of a running mesh; `run` carries it to the end.

    Parameters
    ----------
    hop, ramp : int
        Cycles per router, and between core and router.
    queue : int, optional
        Words of one colour that may wait in a router; no limit when left out.
    """

    def __init__(
        self, traffic: Traffic, lanes: Lanes, segments: Segments, *, hop: int, ramp: int, queue: int | None, window: int
    ) -> None:
        self.traffic, self.lanes, self.segments, self.window = traffic, lanes, segments, window
        self.delay = np.array([ramp, hop, ramp + 1, 0])
        self.now = 0
        self.due: defaultdict[int, list[tuple[str, Array]]] = defaultdict(list)
        self.complete = np.full(len(traffic.target), NEVER)
        self.undone = len(traffic.target)
        self._wire()
        self._gates()
        self._shared()
        self._room(queue)
        self.frames: list[tuple[Array, Array]] = []

    def _wire(self) -> None:
        """Words at hand of every segment, and how crossings reach the segments behind."""
        parent, kind = self.segments.parent, self.segments.kind
        number = len(parent)
        self.at_hand = np.zeros(number, np.int32)
        self.crossed = np.zeros(number, np.int32)
        self.history = np.zeros((int(self.delay.max()) + 1, number), np.int32)
        next_to = np.flatnonzero((parent[1:] == np.arange(number - 1)) if number else np.zeros(0, bool))
        far = np.setdiff1d(np.flatnonzero(parent != NONE), next_to + 1)
        self.steps: list[tuple[int, Array]] = []
        self.jumps: list[tuple[int, Array, Array]] = []
        for delay in np.unique(self.delay[kind]) if number else []:
            alike = self.delay[kind] == delay
            straight = np.zeros(max(number - 1, 0), np.int32)
            straight[next_to] = alike[next_to]
            if straight.any():
                self.steps.append((int(delay), straight))
            some = far[alike[parent[far]]]
            if len(some):
                self.jumps.append((int(delay), parent[some], some))

    def _gates(self) -> None:
        """What messages and takings in wait for, and the lanes' order of sending."""
        traffic, lanes = self.traffic, self.lanes
        number = len(traffic.source)
        self.missing = np.bincount(traffic.needs[:, 1], minlength=number) + (traffic.start > 0)
        self.wanted = _by(traffic.needs, len(traffic.target))
        self.held_back = np.bincount(traffic.queues[:, 1], minlength=len(traffic.target))
        self.holding = _by(traffic.queues, len(traffic.target))
        self.deliveries = _by(np.stack([traffic.message, np.arange(len(traffic.message))], axis=1), number)
        self.stops = _by(np.stack([lanes.stop_lane, np.arange(len(lanes.stop_lane))], axis=1), len(lanes.first))
        sizes = np.bincount(lanes.lane[lanes.lane >= 0], minlength=len(lanes.first))
        self.slots = np.cumsum(sizes) - sizes
        self.sent_order = np.zeros(int(sizes.sum()), np.int64)
        self.sent = np.zeros(len(sizes), np.int64)
        self.done = np.zeros(len(lanes.stop_core), np.int64)
        self.left = np.full(len(lanes.stop_core), IDLE, np.int64)
        self.tag = np.zeros(number, np.int64)
        self.open = np.ones(len(self.at_hand), np.int32)
        relaying = np.flatnonzero(traffic.relays != NONE)
        self.open[self.segments.into[lanes.lane[relaying]]] = 0
        self.open[self.segments.taken[lanes.stop[np.flatnonzero(self.held_back)]]] = 0
        self.gated = not self.open.all()

    def _shared(self) -> None:
        """Segments whose link others use too, by link, and room to note when their words came."""
        link, kind = self.segments.link, self.segments.kind
        users = np.bincount(link, minlength=self.segments.links)
        many = np.flatnonzero(users[link] > 1)
        first = self.lanes.first[self.segments.lane]
        many = many[np.lexsort((first[many], link[many]))]
        self.many = many
        self.group = np.cumsum(np.diff(link[many], prepend=NONE) != 0)
        self.precedence = self.traffic.priority[first[many]] << 32
        self.last = np.arange(len(many)) - (1 << 32)
        some = self.lanes.lane != NONE
        words = np.bincount(self.lanes.lane[some], self.traffic.words[some], len(self.lanes.first)).astype(np.int64)
        self.dated = (kind[many] == LINK) | (kind[many] == OUT)
        room = np.where(self.dated, words[self.segments.lane[many]] + 1, 0)
        self.shelf = np.cumsum(room) - room
        self.came = np.zeros(int(room.sum()), np.int32)
        self.seen = np.zeros(len(many), np.int64)

    def _room(self, queue: int | None) -> None:
        """Buffers: one per link and colour, as long as the wire before it and `queue` words more."""
        self.queue = queue
        if queue is None:
            return
        kind, parent = self.segments.kind, self.segments.parent
        self.behind = np.flatnonzero(parent != NONE)
        colour = self.traffic.colour[self.lanes.first[self.segments.lane]]
        key = self.segments.link * (int(colour.max(initial=0)) + 1) + colour
        _, self.buffer = np.unique(key, return_inverse=True)
        self.buffer = np.where(kind == TAKEN, NONE, self.buffer)
        self.space = queue + self.delay[kind]

    def run(self, longest: int) -> Outcome:
        """The whole traffic, cycle by cycle.

        Raises
        ------
        Deadlock
            When words wait for each other for ever.
        ValueError
            After `longest` cycles, or when messages wait for each other.
        """
        for start in np.unique(self.traffic.start[self.traffic.start > 0]):
            self.due[int(start)].append(("start", np.flatnonzero(self.traffic.start == start)))
        self._send(np.flatnonzero(self.missing == 0))
        quiet = 0
        while self.undone:
            for kind, which in self.due.pop(self.now, ()):
                self._finish(which) if kind == "work" else self._release(which)
            if not self.undone:
                break
            moved = self._cycle()
            quiet = 0 if moved else quiet + 1
            if quiet > len(self.history):
                self._skip()
                quiet = 0
            if self.now > longest:
                raise ValueError(
                    f"{self.now} cycles and {self.undone} deliveries to go; raise longest={longest}, or send fewer words"
                )
        self._frame()
        crossed, waiting = (np.stack(part) for part in zip(*self.frames, strict=True))
        cycles = int(self.complete.max(initial=0))
        return Outcome(cycles=cycles, complete=self.complete, crossed=crossed, waiting=waiting)

    def _cycle(self) -> bool:
        """One cycle; True when a word moved."""
        now, history = self.now, self.history
        for delay, straight in self.steps:
            self.at_hand[1:] += history[(now - delay) % len(history), :-1] * straight
        for delay, parent, child in self.jumps:
            self.at_hand[child] += history[(now - delay) % len(history), parent]
        moved = history[now % len(history)]
        np.minimum(self.at_hand, 1, out=moved)
        if self.gated:
            moved *= self.open
        if self.queue is not None:
            moved *= self._has_room()
        if len(self.many):
            self._take_turns(moved)
        self.at_hand -= moved
        self.crossed += moved
        self.now += 1
        self._count(moved)
        if self.window and self.now % self.window == 0:
            self._frame()
        return bool(moved.any())

    def _take_turns(self, moved: Array) -> None:
        """Let one segment of every shared link pass."""
        hot = np.flatnonzero(self.at_hand[self.many])
        if not len(hot):
            return
        segment = self.many[hot]
        wants = moved[segment] > 0
        claim = np.where(wants, self.precedence[hot] + self._dates(hot), NEVER)
        start = np.flatnonzero(np.diff(self.group[hot], prepend=NONE))
        number = np.diff(start, append=len(hot))
        best = np.repeat(np.minimum.reduceat(claim, start), number)
        turn = np.where(wants & (claim == best), self.last[hot], NEVER)
        wins = wants & (turn == np.repeat(np.minimum.reduceat(turn, start), number))
        moved[segment] = wins
        self.last[hot[wins]] = (self.now << 24) + hot[wins]

    def _dates(self, hot: Array) -> Array:
        """Cycle at which the first word at hand came, 0 at ramps into routers."""
        crossed, seen = self.crossed[self.many[hot]], self.seen[hot]
        dated = self.dated[hot]
        new = dated & (crossed + self.at_hand[self.many[hot]] > seen)
        self.came[self.shelf[hot[new]] + seen[new]] = self.now
        self.seen[hot[new]] += 1
        dates = np.zeros(len(hot), np.int64)
        dates[dated] = self.came[self.shelf[hot[dated]] + crossed[dated]]
        return dates

    def _has_room(self) -> Array:
        """Segments behind which a word more has room."""
        left = np.full(len(self.crossed), NEVER)
        np.minimum.at(left, self.segments.parent[self.behind], self.crossed[self.behind])
        held = np.where(self.buffer >= 0, self.crossed - np.minimum(left, self.crossed), 0)
        some = self.buffer >= 0
        total = np.bincount(self.buffer[some], held[some])
        return np.where(some, total[self.buffer] < self.space, True).astype(np.int32)

    def _count(self, moved: Array) -> None:
        """Words taken in at every stop; deliveries that are complete."""
        self.left -= moved[self.segments.taken]
        full = np.flatnonzero(self.left == 0)
        if len(full):
            self.left[full] = IDLE
            ends = self.sent_order[self.slots[self.lanes.stop_lane[full]] + self.done[full]]
            self.done[full] += 1
            self._expect(full)
            self._finish(self.lanes.ordered[self.lanes.begin[ends] + self.lanes.stop_rank[full]])

    def _expect(self, stops: Array) -> None:
        """Count down the next message of idle stops whose lane has sent one."""
        lane = self.lanes.stop_lane[stops]
        more = stops[(self.left[stops] == IDLE) & (self.done[stops] < self.sent[lane])]
        coming = self.sent_order[self.slots[self.lanes.stop_lane[more]] + self.done[more]]
        self.left[more] = self.traffic.words[coming]

    def _finish(self, deliveries: Array) -> None:
        """Note complete deliveries and start what waited for them."""
        self.complete[deliveries] = self.now
        self.undone -= len(deliveries)
        for then in (_of(self.holding, deliveries),) if len(self.traffic.queues) else ():
            np.subtract.at(self.held_back, then, 1)
            free = then[self.held_back[then] == 0]
            self.open[self.segments.taken[self.lanes.stop[free]]] = 1
        self._release(_of(self.wanted, deliveries))

    def _release(self, messages: Array) -> None:
        """One need less for each of `messages`; send those that have none left."""
        np.subtract.at(self.missing, messages, 1)
        free = messages[self.missing[messages] == 0]
        self.tag[free] = np.arange(len(free))
        self._send(free[self.tag[free] == np.arange(len(free))])

    def _send(self, messages: Array) -> None:
        """Hand messages to their lanes; work starts, empty messages are complete at once."""
        if not len(messages):
            return
        words, lane = self.traffic.words[messages], self.lanes.lane[messages]
        full = (lane != NONE) & (words > 0)
        self._enqueue(messages[full], lane[full])
        at_once = messages[(words == 0) | (lane != NONE)]
        inner = _of(self.deliveries, at_once)
        inner = inner[(self.lanes.stop[inner] == NONE) | (self.traffic.words[self.traffic.message[inner]] == 0)]
        work = messages[(lane == NONE) & (words > 0)]
        for cycles in np.unique(self.traffic.words[work]):
            some = _of(self.deliveries, work[self.traffic.words[work] == cycles])
            self.due[self.now + int(cycles)].append(("work", some))
        if len(inner):
            self._finish(inner)

    def _enqueue(self, messages: Array, lane: Array) -> None:
        """Put messages at the end of their lanes' queues, in order of number where several meet."""
        order = np.lexsort((messages, lane))
        messages, lane = messages[order], lane[order]
        first = np.flatnonzero(np.diff(lane, prepend=NONE))
        number = np.diff(first, append=len(lane))
        turn = np.arange(len(lane)) - np.repeat(first, number)
        self.sent_order[self.slots[lane] + self.sent[lane] + turn] = messages
        self.sent[lane[first]] += number
        into = self.segments.into[lane]
        relaying = self.traffic.relays[messages] != NONE
        self.open[into[relaying]] = 1
        np.add.at(self.at_hand, into[~relaying], self.traffic.words[messages[~relaying]].astype(np.int32))
        self._expect(_of(self.stops, lane[first]))

    def _frame(self) -> None:
        """Keep what crossed each link since the last frame, and what waits before it."""
        links = 4 * self.traffic.shape[0] * self.traffic.shape[1]
        on = self.segments.kind == LINK
        where = self.segments.link[on]
        crossed = np.bincount(where, self.crossed[on], links).astype(np.int64)
        before = sum((frame[0] for frame in self.frames), np.zeros(links, np.int64)) if self.frames else 0
        waiting = np.bincount(where, self.at_hand[on], links).astype(np.int64)
        self.frames.append((crossed - before, waiting))

    def _skip(self) -> None:
        """Go to the next event; nothing moves before it."""
        if self.due:
            self.now = min(self.due)
            return
        if self.at_hand.any() and self.queue is not None:
            raise self._deadlock()
        stuck = self.traffic.message[self.complete == NEVER]
        raise ValueError(
            f"{self.undone} deliveries wait for each other, first that of message {int(stuck.min())}; "
            "look for a circle in needs and queues"
        )

    def _deadlock(self) -> Deadlock:
        """The circle of full buffers that words wait for."""
        waits: dict[int, int] = {}
        stuck = np.flatnonzero((self.at_hand > 0) & (self.segments.parent != NONE))
        for segment in stuck:
            waits.setdefault(int(self.segments.link[self.segments.parent[segment]]), int(self.segments.link[segment]))
        seen: list[int] = []
        link = next(iter(waits), NONE)
        while link in waits and link not in seen:
            seen.append(link)
            link = waits[link]
        circle = [self._name(each) for each in (seen[seen.index(link) :] if link in seen else seen)]
        return Deadlock(
            f"deadlock at cycle {self.now}: the buffers of {len(circle)} links wait for each other, {' -> '.join(circle)}; "
            f"give the messages different colours, more than queue={self.queue} words of buffer, or other routes",
            circle,
        )

    def _name(self, link: int) -> str:
        cores, columns = self.traffic.shape[0] * self.traffic.shape[1], self.traffic.shape[1]
        kind, core = divmod(link, cores)
        what = ("east", "west", "south", "north", "into the router", "out of the router")[min(kind, 5)]
        return f"({core // columns},{core % columns}) {what}"


def _by(pairs: Array, number: int) -> tuple[Array, Array]:
    """Second entries grouped by the first: start of each group, and the entries."""
    order = np.argsort(pairs[:, 0], kind="stable")
    size = np.bincount(pairs[:, 0], minlength=number)
    return np.concatenate([[0], np.cumsum(size)]), pairs[order, 1]


def _of(groups: tuple[Array, Array], which: Array) -> Array:
    """Entries of all groups in `which`."""
    start, entries = groups
    length = start[which + 1] - start[which]
    offset = np.arange(int(length.sum())) - np.repeat(np.cumsum(length) - length, length)
    return entries[np.repeat(start[which], length) + offset]
