"""Messages of words between cores and what they wait for, as plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from waferviz.program import Array

NONE = -1


@dataclass(frozen=True, kw_only=True, eq=False)
class Traffic:
    """Messages on a mesh; cores are numbered row by row, words have 32 bit.

    A message has one source and one or more deliveries, copied on the way by the routers.  A message of a core to
    itself is work: it takes one cycle per word, and none without words.

    Attributes
    ----------
    shape : (int, int)
        Cores, as (rows, columns).
    source, words, start, priority, colour : array
        Shape (message,): core, words, first cycle, precedence on shared links (small numbers first), and the
        buffers it uses.
    relays : array
        Shape (message,): the delivery whose words are sent on as they come, -1 for none.
    message, target : array
        Shape (delivery,): its message, and the core it goes to.
    needs : array
        Shape (pairs, 2): a delivery, and the message that is sent once it is complete.
    queues : array
        Shape (pairs, 2): a delivery, and the delivery that its core takes in only after it.
    routes : dict
        Static routes, message to the cores it passes, ends included; along x, then along y where none is given.
    """

    shape: tuple[int, int]
    source: Array
    words: Array
    start: Array
    priority: Array
    colour: Array
    relays: Array
    message: Array
    target: Array
    needs: Array
    queues: Array
    routes: dict[int, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        cores = self.shape[0] * self.shape[1]
        for name, numbers, low, high in (
            ("source", self.source, 0, cores - 1),
            ("target", self.target, 0, cores - 1),
            ("words", self.words, 0, 2**30),
            ("start", self.start, 0, 2**30),
            ("relays", self.relays, NONE, len(self.target) - 1),
            ("message", self.message, 0, len(self.source) - 1),
            ("needs[:, 0]", self.needs[:, 0], 0, len(self.target) - 1),
            ("needs[:, 1]", self.needs[:, 1], 0, len(self.source) - 1),
            ("queues", self.queues.ravel(), 0, len(self.target) - 1),
        ):
            bad = (numbers < low) | (numbers > high)
            if bad.any():
                at = int(np.flatnonzero(bad)[0])
                raise ValueError(f"{name}[{at}]={numbers[at]}: give a number from {low} to {high}")

    @property
    def local(self) -> Array:
        """Deliveries that go nowhere: work and meeting points, shape (delivery,)."""
        return self.target == self.source[self.message]


class Draft:
    """Traffic in the making; every call adds messages and returns their deliveries.

    Parameters
    ----------
    shape : int or (int, int)
        Cores of a row, or rows and columns.

    Examples
    --------
    >>> draft = Draft(4)
    >>> first = draft.send(0, 3, words=8)
    >>> draft.send(3, 0, words=8, after=first)
    array([1])
    >>> draft.traffic().needs
    array([[0, 1]])
    """

    def __init__(self, shape: int | tuple[int, int]) -> None:
        self.shape = (1, shape) if isinstance(shape, int) else shape
        self._messages: list[Array] = []
        self._deliveries: list[Array] = []
        self._needs: list[Array] = []
        self._queues: list[Array] = []
        self._routes: dict[int, Array] = {}
        self._sent = self._delivered = 0

    def send(
        self,
        source: Any,
        target: Any,
        words: Any,
        *,
        start: Any = 0,
        after: Any = (),
        relays: Any = NONE,
        priority: Any = 0,
        colour: Any = 0,
    ) -> Array:
        """Messages with one delivery each; arguments broadcast, `after` has dims (need, message)."""
        both = np.broadcast_arrays(source, words, start, priority, colour, relays, target)
        columns = [np.atleast_1d(each).astype(np.int64) for each in both]
        number = len(columns[0])
        messages = self._sent + np.arange(number)
        self._messages.append(np.stack(columns[:6], axis=1))
        self._deliveries.append(np.stack([messages, columns[6]], axis=1))
        self._wait(np.asarray(after, np.int64), messages)
        self._sent += number
        self._delivered += number
        return self._delivered - number + np.arange(number)

    def spread(
        self,
        source: Any,
        targets: Any,
        words: Any,
        *,
        of: Any = 0,
        after: Any = (),
        start: Any = 0,
        priority: int = 0,
    ) -> Array:
        """Messages to several cores, copied by the routers; returns a delivery per target.

        `source`, `words` and `start` have one entry per message, `targets` one per delivery, `of` says of which
        message; `after` has dims (need, message).
        """
        columns = [np.atleast_1d(each).astype(np.int64) for each in np.broadcast_arrays(source, words, start)]
        number = len(columns[0])
        targets, of = (np.atleast_1d(each).astype(np.int64) for each in np.broadcast_arrays(targets, of))
        plain = np.zeros(number, np.int64)
        messages = self._sent + np.arange(number)
        self._messages.append(np.stack([*columns, plain + priority, plain, plain + NONE], axis=1))
        self._deliveries.append(np.stack([self._sent + of, targets], axis=1))
        self._wait(np.asarray(after, np.int64), messages)
        self._sent += number
        self._delivered += len(targets)
        return self._delivered - len(targets) + np.arange(len(targets))

    def along(self, cores: Sequence[int], words: int, **at: Any) -> Array:
        """One message over a static route: the cores it passes, ends included."""
        self._routes[self._sent] = np.asarray(cores, np.int64)
        return self.send(cores[0], cores[-1], words, **at)

    def work(self, core: Any, cycles: Any, *, start: Any = 0, after: Any = ()) -> Array:
        """Work on cores; `after` has dims (need, core)."""
        return self.send(core, core, cycles, start=start, after=after)

    def meet(self, deliveries: Array) -> Array:
        """One delivery that is complete when all of `deliveries` are."""
        after = np.ravel(deliveries)
        point = self.send(0, 0, 0)
        self._needs.append(np.stack([after, np.full(len(after), self._sent - 1)], axis=1))
        return point

    def join(self, core: Array, deliveries: Array, of: Array) -> Array:
        """One delivery for every entry of `core`, complete when all `deliveries` of that entry are; -1 is none."""
        self._needs.append(np.stack([deliveries, self._sent + of], axis=1)[deliveries >= 0])
        return self.send(core, core, 0)

    @property
    def delivered(self) -> int:
        """Number of the next delivery."""
        return self._delivered

    def queue(self, first: Any, then: Any) -> None:
        """Cores take in the deliveries `then` only after the deliveries `first`."""
        pair = [np.atleast_1d(each) for each in np.broadcast_arrays(first, then)]
        self._queues.append(np.stack(pair, axis=1).astype(np.int64))

    def traffic(self) -> Traffic:
        """All messages added so far."""
        messages = np.concatenate(self._messages) if self._messages else np.zeros((0, 6), np.int64)
        deliveries = np.concatenate(self._deliveries) if self._deliveries else np.zeros((0, 2), np.int64)
        pairs = [
            np.concatenate(part) if part else np.zeros((0, 2), np.int64)
            for part in (self._needs, self._queues)
        ]
        names = ("source", "words", "start", "priority", "colour", "relays")
        return Traffic(
            shape=self.shape, message=deliveries[:, 0], target=deliveries[:, 1], needs=pairs[0], queues=pairs[1],
            routes=dict(self._routes), **dict(zip(names, messages.T, strict=True)),
        )  # fmt: skip

    def _wait(self, after: Array, messages: Array) -> None:
        if after.size:
            after, messages = np.broadcast_arrays(np.atleast_2d(after), messages)
            there = after >= 0
            self._needs.append(np.stack([after[there], messages[there]], axis=1))
