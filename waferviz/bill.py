"""The prices of one program as arrays: what `audit`, traces and schedules are made from."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np

from waferviz.flows import Flows, flows
from waferviz.loads import is_multicast, loads, until
from waferviz.machine import Machine
from waferviz.memory import held, set_aside
from waferviz.program import Array, Program, Repeat, Step
from waferviz.routes import routes
from waferviz.schedule import SCHEDULES, checked, cycles
from waferviz.state import Sizes
from waferviz.streams import Stream, streams
from waferviz.tally import Tally, macs_of

AXES = ("x", "y")
OPERATIONS = ("macs", "adds", "lookups", "tables")


class Bill:
    """The prices of one program, as arrays; `audit` and traces hand them out.

    Parameters are those of `audit`.
    """

    def __init__(
        self,
        program: Program,
        machine: Machine | None = None,
        matrices: tuple[int, ...] | None = None,
        dtype: Any = np.float32,
        schedule: str = "barrier",
    ) -> None:
        self.program, self.machine, self.place = program, machine, program.place
        self.schedule = checked(schedule)
        sides = tuple(program.blocks.values()) if matrices is None else matrices
        self.sizes = Sizes.of(program, sides, dtype)
        self.flows = flows(program, wrap=bool(machine and machine.wrap))
        self.folds = math.prod(-(-n // m) for n, m in zip(program.shape, self.place.shape, strict=True))

    @cached_property
    def steps(self) -> dict[str, tuple[Array, str, str]]:
        """Per-step prices: name to (values, units, words)."""
        units = {
            "hops": ("hops", "longest way of a tile in the step"),
            "stages": ("relays", "relays on the longest way"),
            "link_flows": ("1", "flows on the busiest link"),
            "link_words": ("words", "32-bit words on the busiest link"),
            "ramp_words": ("words", "32-bit words into or out of the busiest core"),
            "macs": ("1", "multiply-adds of the busiest core"),
            "adds": ("1", "additions of the busiest core besides multiply-adds"),
            "lookups": ("1", "table lookups of the busiest core, each with its addition"),
            "tables": ("1", "tables that the busiest core builds"),
        }
        out = {name: (self.counts[name], *told) for name, told in units.items()}
        if self.machine:
            told = f"cycles of the step on {self.machine.name}, {SCHEDULES[self.schedule]}"
            out["cycles"] = (cycles(self, self.schedule), "cycles", told)
        return out

    @cached_property
    def counts(self) -> dict[str, Array]:
        """Per-step counts on the busiest link and core, which no schedule changes, shape (steps,) each."""
        parts = [self._part(part, sets) for part, sets in zip(self.program.repeats, self.flows, strict=True)]
        names = ("hops", "stages", "link_flows", "link_words", "ramp_words", *OPERATIONS)
        out = {name: np.concatenate([np.zeros(0, int), *(part[name] for part in parts)]) for name in names}
        if self.relayed:
            out["stages"] = np.where(self._multicast_steps, out["hops"], out["stages"])
        return out

    @property
    def work(self) -> Array:
        """Cycles of work of the busiest core in each step on the machine, shape (steps,)."""
        done = self.counts["macs"] + self.counts["adds"] + self.counts["lookups"]
        return done / macs_of(self.chip, self.sizes.dtype)

    @property
    def chip(self) -> Machine:
        """The machine; ValueError when the program is priced without one."""
        if self.machine is None:
            raise ValueError(
                f"{self.program.name}: cycles need a machine, for example Machine.preset('wse2')"
            )
        return self.machine

    @property
    def relayed(self) -> bool:
        """Broadcasts do not find enough routes on the machine and go core by core."""
        return bool(self.machine and self.routes.max(initial=0) > self.machine.routes)

    @property
    def _multicast_steps(self) -> Array:
        wide = [[any(is_multicast(flow) for flow in sets) for sets in part] for part in self.flows]
        return np.array(
            [
                w
                for part, steps in zip(self.program.repeats, wide, strict=True)
                for _ in range(part.times)
                for w in steps
            ]
        )

    @cached_property
    def bytes(self) -> int:
        """Bytes of memory per physical core, double buffers and receive tiles included."""
        return set_aside(self.program, self.sizes) * self.folds

    def held_bytes(self) -> Array:
        """Bytes in use per core after each step, shape (steps + 1,): places of a buffer count once they are filled."""
        return held(self.program, self.sizes) * self.folds

    @cached_property
    def exists(self) -> Array:
        """Links that exist, dims (direction, y, x)."""
        (rows, columns), wrap = self.place.shape, bool(self.machine and self.machine.wrap)
        y, x = np.ogrid[:rows, :columns]
        wide, high = wrap and columns > 1, wrap and rows > 1
        inside = (x < columns - 1) | wide, (x > 0) | wide, (y < rows - 1) | high, (y > 0) | high
        return np.stack(np.broadcast_arrays(*inside))

    @cached_property
    def order(self) -> list[tuple[int, int, int]]:
        """Number of the part, its repeat and the step within it, for every step."""
        return [
            (part, repeat, step)
            for part, repeats in enumerate(self.program.repeats)
            for repeat in range(repeats.times)
            for step in range(len(repeats.steps))
        ]

    def streams(self, step: int) -> list[tuple[Stream, int]]:
        """What a step (from 1) brings into each core, and the words of one tile."""
        part, repeat, within = self.order[step - 1]
        wrap = bool(self.machine and self.machine.wrap)
        return [
            (stream, self.sizes.words(self.program.buffers[move.read].dims))
            for move in self.program.repeats[part].steps[within].moves
            for stream in streams(
                move, repeat, self.program.shape, self.place, wrap=wrap, relayed=self.relayed
            )
        ]

    def reach(self, step: int) -> Array:
        """Longest way of a tile that arrives at each core in one step (from 1), shape (y, x)."""
        found = [np.broadcast_to(stream.hops, self.place.shape) for stream, _ in self.streams(step)]
        return np.max([np.zeros(self.place.shape, np.int64), *found], axis=0)

    def link_flows(self, step: int) -> Array:
        """Flows on every directed link in one step (from 1), dims (direction, y, x)."""
        return self._links(step, words=False)

    def link_words(self, step: int) -> Array:
        """32-bit words on every directed link in one step (from 1; zero at step 0), dims (direction, y, x)."""
        return self._links(step, words=True)

    def _links(self, step: int, *, words: bool) -> Array:
        out = np.zeros((4, *self.place.shape), np.int64)
        if step:
            part, repeat, within = self.order[step - 1]
            for flow in self.flows[part][within]:
                out[_planes(flow)] += _spread(flow, flow.links(repeat)) * (self._words(flow) if words else 1)
        return out

    @cached_property
    def total(self) -> Array:
        """32-bit words over every directed link in the whole run, dims (direction, y, x)."""
        out = np.zeros((4, *self.place.shape), np.int64)
        for part, sets in zip(self.program.repeats, self.flows, strict=True):
            for flow in (flow for step in sets for flow in step):
                out[_planes(flow)] += _spread(flow, flow.total(part.times)) * self._words(flow)
        return out

    @cached_property
    def routes(self) -> Array:
        """Routes each router holds for the whole program, shape (y, x); flows alike share one."""
        return np.broadcast_to(sum(self._routes(axis, self.flows) for axis in AXES), self.place.shape)

    def routes_until(self, step: int) -> Array:
        """Routes each router has held by the end of one step (from 1), shape (y, x)."""
        last, repeat, within = self.order[step - 1]
        sets = [
            [
                [
                    cut
                    for flow in found
                    if (cut := until(flow, repeat + (number <= within) if part == last else None))
                ]
                for number, found in enumerate(steps)
            ]
            for part, steps in enumerate(self.flows[: last + 1])
        ]
        return np.broadcast_to(sum(self._routes(axis, sets) for axis in AXES), self.place.shape)

    @cached_property
    def ring_routes(self) -> Array:
        """Routes of the loop with the most steps that moves anything, dims (axis, y, x)."""
        out = np.zeros((2, *self.place.shape), np.int32)
        loops = [
            (part.times * len(sets), sets)
            for part, sets in zip(self.program.repeats, self.flows, strict=True)
        ]
        loops = [loop for loop in loops if any(loop[1])]
        if loops:
            longest = max(loops, key=lambda loop: loop[0])[1]
            for number, axis in enumerate(AXES):
                out[number] = self._routes(axis, [longest])
        return out

    def _routes(self, axis: str, sets: list[list[list[Flows]]]) -> Array:
        """Routes along one axis, broadcastable to (y, x)."""
        found = [flow for part in sets for step in part for flow in step if flow.axis == axis]
        rows, columns = self.place.shape
        return routes(found, rows, columns) if axis == "x" else routes(found, columns, rows).T

    def _words(self, flow: Flows) -> int:
        return self.sizes.words(self.program.buffers[flow.move.read].dims)

    def _united(self, flow: Flows) -> int:
        """Entries that the busiest core adds to its own as they arrive."""
        if not (flow.inward or flow.move.combine):
            return 0
        entries = self.sizes.entries(self.program.buffers[flow.move.write].dims)
        return entries * (1 if flow.inward else int(flow.taken.max(initial=0)))

    def _part(self, part: Repeat, sets: list[list[Flows]]) -> dict[str, Array]:
        """Per-step prices of one repeat, its steps interleaved as they run."""
        each = [self._step(step, found, part.times) for step, found in zip(part.steps, sets, strict=True)]
        return {name: np.stack([prices[name] for prices in each], axis=1).ravel() for name in each[0]}

    def _step(self, step: Step, found: list[Flows], times: int) -> dict[str, Array]:
        tally = (
            Tally.of(step.work, {n: self.sizes.tile(b.dims) for n, b in self.program.buffers.items()})
            if step.work
            else Tally()
        )
        united = sum(self._united(flow) for flow in found)
        tally.adds += united
        done = {name: getattr(tally, name) * self.folds for name in OPERATIONS}
        return loads([(flow, self._words(flow)) for flow in found], times) | {
            name: np.full(times, number) for name, number in done.items()
        }


def _planes(flow: Flows) -> slice:
    return slice(0, 2) if flow.axis == "x" else slice(2, 4)


def _spread(flow: Flows, links: Array) -> Array:
    return links if flow.axis == "x" else links.swapaxes(1, 2)
