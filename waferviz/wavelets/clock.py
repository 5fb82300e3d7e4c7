"""The clock of the mesh: one cycle after the other, all segments at once.

Per cycle every segment with a word at hand passes one on, unless its link is taken or the buffer behind it is full.
Loops of Python run over cycles, and over events that fall into one cycle.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from waferviz.program import Array
from waferviz.wavelets.buffers import Buffers
from waferviz.wavelets.frames import Frames, Outcome
from waferviz.wavelets.groups import by, of
from waferviz.wavelets.paths import Lanes, Segments
from waferviz.wavelets.traffic import NONE, Traffic
from waferviz.wavelets.turns import NEVER, Turns

IDLE = -1


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
        self,
        traffic: Traffic,
        lanes: Lanes,
        segments: Segments,
        *,
        hop: int,
        ramp: int,
        queue: int | None,
        window: int,
    ) -> None:
        self.traffic, self.lanes, self.segments = traffic, lanes, segments
        self.delay = np.array([ramp, hop, ramp + 1, 0])
        self.now = 0
        self.due: defaultdict[int, list[tuple[str, Array]]] = defaultdict(list)
        self.complete = np.full(len(traffic.target), NEVER)
        self.undone = len(traffic.target)
        self._wire()
        self._gates()
        self.turns = Turns(traffic, lanes, segments)
        self.buffers = None if queue is None else Buffers(traffic, lanes, segments, self.delay, queue)
        self.frames = Frames(traffic.shape[0] * traffic.shape[1], segments, window)

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
        self.wanted = by(traffic.needs, len(traffic.target))
        queues = traffic.queues[lanes.stop[traffic.queues[:, 1]] != NONE]
        self.held_back = np.bincount(queues[:, 1], minlength=len(traffic.target))
        self.holding = by(queues, len(traffic.target))
        self.deliveries = by(np.stack([traffic.message, np.arange(len(traffic.message))], axis=1), number)
        self.stops = by(
            np.stack([lanes.stop_lane, np.arange(len(lanes.stop_lane))], axis=1), len(lanes.first)
        )
        sizes = np.bincount(lanes.lane[lanes.lane >= 0], minlength=len(lanes.first))
        self.slots = np.cumsum(sizes) - sizes
        self.sent_order = np.zeros(int(sizes.sum()), np.int64)
        self.sent = np.zeros(len(sizes), np.int64)
        self.done = np.zeros(len(lanes.stop_core), np.int64)
        self.left = np.full(len(lanes.stop_core), IDLE, np.int64)
        self.tag = np.zeros(number, np.int64)
        self.mail: list[Array] = []
        self.open = np.ones(len(self.at_hand), np.int32)
        relaying = np.flatnonzero(traffic.relays != NONE)
        self.open[self.segments.into[lanes.lane[relaying]]] = 0
        self.open[self.segments.taken[lanes.stop[np.flatnonzero(self.held_back)]]] = 0
        self.gated = not self.open.all()

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
        self._finish(self._send(np.flatnonzero(self.missing == 0)))
        self._post()
        quiet = 0
        while self.undone:
            for kind, which in self.due.pop(self.now, ()):
                self._finish(which if kind == "work" else self._send(self._freed(which)))
            self._post()
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
        crossed, waiting = self.frames.arrays(self.now, self.crossed, self.at_hand)
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
        if self.buffers:
            moved *= self.buffers.room(self.crossed)
        self.turns.take(moved, self.at_hand, self.crossed, now)
        self.at_hand -= moved
        self.crossed += moved
        self.now += 1
        self._count(moved)
        if self.frames.window:
            self.frames.until(self.now, self.crossed, self.at_hand)
        return bool(moved.any())

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
            self._post()

    def _expect(self, stops: Array) -> None:
        """Count down the next message of idle stops whose lane has sent one."""
        lane = self.lanes.stop_lane[stops]
        more = stops[(self.left[stops] == IDLE) & (self.done[stops] < self.sent[lane])]
        coming = self.sent_order[self.slots[self.lanes.stop_lane[more]] + self.done[more]]
        self.left[more] = self.traffic.words[coming]

    def _finish(self, deliveries: Array) -> None:
        """Note complete deliveries and start what waited for them, until nothing more is complete at once."""
        while len(deliveries):
            self.complete[deliveries] = self.now
            self.undone -= len(deliveries)
            if len(self.traffic.queues):
                then = of(self.holding, deliveries)
                np.subtract.at(self.held_back, then, 1)
                free = then[self.held_back[then] == 0]
                self.open[self.segments.taken[self.lanes.stop[free]]] = 1
            deliveries = self._send(self._freed(of(self.wanted, deliveries)))

    def _freed(self, messages: Array) -> Array:
        """One need less for each of `messages`; returns those that have none left."""
        np.subtract.at(self.missing, messages, 1)
        free = messages[self.missing[messages] == 0]
        self.tag[free] = np.arange(len(free))
        return free[self.tag[free] == np.arange(len(free))]

    def _send(self, messages: Array) -> Array:
        """Put messages in the mail and start work; returns the deliveries that are complete at once."""
        if not len(messages):
            return messages
        words, lane = self.traffic.words[messages], self.lanes.lane[messages]
        full = (lane != NONE) & (words > 0)
        self.mail.append(messages[full])
        at_once = messages[(words == 0) | (lane != NONE)]
        inner = of(self.deliveries, at_once)
        work = messages[(lane == NONE) & (words > 0)]
        for cycles in np.unique(self.traffic.words[work]):
            some = of(self.deliveries, work[self.traffic.words[work] == cycles])
            self.due[self.now + int(cycles)].append(("work", some))
        empty = self.traffic.words[self.traffic.message[inner]] == 0
        return inner[empty | (self.lanes.stop[inner] == NONE)]

    def _post(self) -> None:
        """Put the mail at the end of the lanes' queues, in order of number where several meet."""
        if not self.mail:
            return
        messages = np.concatenate(self.mail)
        self.mail.clear()
        lane = self.lanes.lane[messages]
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
        self._expect(of(self.stops, lane[first]))

    def _skip(self) -> None:
        """Go to the next event; nothing moves before it."""
        if self.due:
            self.frames.until(min(self.due), self.crossed, self.at_hand)
            self.now = min(self.due)
            return
        if self.at_hand.any() and self.buffers:
            raise self.buffers.deadlock(self.at_hand, self.now)
        stuck = self.traffic.message[self.complete == NEVER]
        raise ValueError(
            f"{self.undone} deliveries wait for each other, first that of message {int(stuck.min())}; "
            "look for a circle in needs and queues"
        )
