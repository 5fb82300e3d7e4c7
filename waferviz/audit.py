"""The price of a program without running it: hops, stages, flows, traffic, routes, memory and cycles."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.cost import barrier
from waferviz.flows import DIRECTIONS, Flows, flows
from waferviz.machine import Machine
from waferviz.program import Array, Program, Repeat, Step
from waferviz.routes import routes
from waferviz.state import Sizes
from waferviz.tally import Tally

if TYPE_CHECKING:
    import xarray as xr

AXES = ("x", "y")


def audit(
    program: Program,
    machine: Machine | None = None,
    *,
    matrices: tuple[int, ...] | None = None,
    dtype: Any = np.float32,
) -> xr.Dataset:
    """Prices of a program, without running it.

    Parameters
    ----------
    program : Program
        For any mesh; memory and time do not grow with the mesh times its steps.
    machine : Machine, optional
        Prices cycles under a barrier after each step; broadcasts that need more routes than the machine has
        are relayed core by core.  A machine with `wrap` uses its wrap links.
    matrices : (M, K, N), optional
        Sizes of the product, or (n,) for the entries of each core's vector; one entry per tile when left out.
    dtype : dtype
        Of the operands.

    Returns
    -------
    Dataset
        Dims `step` (1 to the last), `direction`, `axis`, `y`, `x` (physical cores).  Per step: `hops`,
        `stages`, `link_flows`, `link_words`, `ramp_words` (an upper bound where moves along x and along y
        leave out lines), `macs`, `adds`, and with a machine `cycles`.  Per core: `routes` of the
        whole program, `ring_routes` per axis of its longest loop, `memory` in bytes.  Per link: `flows` per
        step and `traffic` of the whole run, both computed when asked for; `link` says which links exist.

    Raises
    ------
    ValueError
        When the mesh is larger than the matrices.
    """
    import xarray as xr

    from waferviz.lazy import lazy

    bill = Bill(program, machine, matrices, dtype)
    rows, columns = bill.place.shape
    label = [step.label for step, _ in program]
    per_step = {
        name: ("step", values, {"units": unit, "long_name": words})
        for name, (values, unit, words) in bill.steps.items()
    }
    return xr.Dataset(
        {
            **per_step,
            "routes": (("y", "x"), bill.routes, {"units": "1", "long_name": "routes a router holds, whole program"}),
            "ring_routes": (("axis", "y", "x"), bill.ring_routes, {"units": "1", "long_name": "routes of the longest loop, per axis"}),
            "memory": (("y", "x"), np.broadcast_to(bill.bytes, (rows, columns)), {"units": "B", "long_name": "memory set aside"}),
            "link": (("direction", "y", "x"), bill.exists, {"units": "1", "long_name": "the link leaving this core exists"}),
            "flows": lazy(("step", "direction", "y", "x"), (len(program), 4, rows, columns), np.int64, lambda k: bill.link_flows(k + 1), units="1", long_name="flows on the link leaving this core"),
            "traffic": lazy(("one", "direction", "y", "x"), (1, 4, rows, columns), np.int64, lambda _: bill.total, units="words", long_name="32-bit words over the link, whole run").isel(one=0),
        },
        coords={
            "step": np.arange(1, len(program) + 1),
            "label": ("step", np.array(label, dtype=str) if label else np.array([], dtype="U1")),
            "direction": list(DIRECTIONS),
            "axis": list(AXES),
        },
        attrs={"program": program.name, "mesh": f"{rows} x {columns}", "paper": program.paper} | ({"machine": machine.name, "schedule": "barrier"} if machine else {}),
    )  # fmt: skip


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
    ) -> None:
        self.program, self.machine, self.place = program, machine, program.place
        self.sizes = Sizes.of(program, matrices or tuple(program.blocks.values()), dtype)
        self.flows = flows(program, wrap=bool(machine and machine.wrap))
        self.folds = (program.shape[0] // self.place.shape[0]) * (program.shape[1] // self.place.shape[1])

    @cached_property
    def steps(self) -> dict[str, tuple[Array, str, str]]:
        """Per-step prices: name to (values, units, words)."""
        parts = [self._part(part, sets) for part, sets in zip(self.program.repeats, self.flows, strict=True)]
        out = {
            name: (np.concatenate([part[name] for part in parts]) if parts else np.zeros(0, int), unit, words)
            for name, unit, words in (
                ("hops", "hops", "longest way of a tile in the step"),
                ("stages", "relays", "relays on the longest way"),
                ("link_flows", "1", "flows on the busiest link"),
                ("link_words", "words", "32-bit words on the busiest link"),
                ("ramp_words", "words", "32-bit words into the busiest core"),
                ("macs", "1", "multiply-adds of the busiest core"),
                ("adds", "1", "additions of the busiest core besides multiply-adds"),
            )
        }
        if self.machine:
            values = {name: entry[0] for name, entry in out.items()}
            stages = values["stages"]
            if self.relayed:
                stages = np.where(self._multicast_steps, values["hops"], stages)
                out["stages"] = (stages, *out["stages"][1:])
            work = (values["macs"] + values["adds"]) / self.machine.macs
            cycles = barrier(
                work, values["link_words"], values["ramp_words"], values["hops"], stages, self.machine
            )
            out["cycles"] = (cycles, "cycles", f"cycles of the step on {self.machine.name}, barrier")
        return out

    @property
    def relayed(self) -> bool:
        """Broadcasts do not find enough routes on the machine and go core by core."""
        return bool(self.machine and self.routes.max(initial=0) > self.machine.routes)

    @property
    def _multicast_steps(self) -> Array:
        wide = [[any(_is_multicast(flow) for flow in sets) for sets in part] for part in self.flows]
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
        tiles = sum(buffer.tiles * self.sizes.bytes(buffer.dims) for buffer in self.program.buffers.values())
        return tiles * self.folds

    def held_bytes(self) -> Array:
        """Bytes in use per core after each step, shape (steps + 1,): places of a buffer count once they are filled."""
        used = sum(b.tiles * self.sizes.bytes(b.dims) for b in self.program.buffers.values() if b.places == 1)
        held, seen = [used], set()
        for step, repeat in self.program:
            for move in step.moves:
                buffer = self.program.buffers[move.write]
                place = (
                    (move.write, int(np.atleast_1d(move.slot)[min(repeat, np.size(move.slot) - 1)]))
                    if move.slot is not None
                    else None
                )
                if place and place not in seen:
                    seen.add(place)
                    used += self.sizes.bytes(buffer.dims)
            held.append(used)
        return np.array(held) * self.folds

    @cached_property
    def exists(self) -> Array:
        """Links that exist, dims (direction, y, x)."""
        rows, columns = self.place.shape
        y, x = np.ogrid[:rows, :columns]
        inside = np.stack(np.broadcast_arrays(x < columns - 1, x > 0, y < rows - 1, y > 0))
        return (
            inside
            | bool(self.machine and self.machine.wrap)
            & np.array([columns > 1, columns > 1, rows > 1, rows > 1])[:, None, None]
        )

    @cached_property
    def _schedule(self) -> list[tuple[int, int, int]]:
        return [
            (part, repeat, step)
            for part, repeats in enumerate(self.program.repeats)
            for repeat in range(repeats.times)
            for step in range(len(repeats.steps))
        ]

    def link_flows(self, step: int) -> Array:
        """Flows on every directed link in one step (from 1), dims (direction, y, x)."""
        return self._links(step, words=False)

    def link_words(self, step: int) -> Array:
        """32-bit words on every directed link in one step (from 1; zero at step 0), dims (direction, y, x)."""
        return self._links(step, words=True)

    def _links(self, step: int, *, words: bool) -> Array:
        out = np.zeros((4, *self.place.shape), np.int64)
        if step:
            part, repeat, within = self._schedule[step - 1]
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
        return self._entries(flow.move.write) * (1 if flow.inward else int(flow.taken.max(initial=0)))

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
        along = {axis: [flow for flow in found if flow.axis == axis] for axis in AXES}
        words = {axis: [self._words(flow) for flow in along[axis]] for axis in AXES}
        zero = np.zeros(times, np.int64)
        united = sum(self._united(flow) for flow in found)
        hops = [zero, *(_hops(legs, times) for legs in _moves(found))]
        relays = [zero, *(_stages(legs, times) for legs in _moves(found))]
        return {
            "hops": np.max(hops, axis=0),
            "stages": np.max(relays, axis=0),
            "link_flows": np.max(
                [_peaks(along[axis], [1] * len(along[axis]), times, "links") for axis in AXES], axis=0
            ),
            "link_words": np.max([_peaks(along[axis], words[axis], times, "links") for axis in AXES], axis=0),
            "ramp_words": self._ramp_words(along, words, times),
            "macs": zero + tally.macs * self.folds,
            "adds": zero + (tally.adds + united) * self.folds,
        }

    def _entries(self, buffer: str) -> int:
        """Entries of one tile of a buffer."""
        return self.sizes.entries(self.program.buffers[buffer].dims)

    def _ramp_words(self, along: dict[str, list[Flows]], words: dict[str, list[int]], times: int) -> Array:
        """Words into the busiest core in each repeat; where moves along x and y both leave out lines, at most so many."""
        if all(flow.origin.shape[1] == 1 for flow in along["x"] + along["y"]) or not (
            along["x"] and along["y"]
        ):
            return np.sum([_peaks(along[axis], words[axis], times, "received") for axis in AXES], axis=0)
        period = min(times, max(flow.repeats for flow in along["x"] + along["y"]))
        one = [
            np.add(
                *(_received(along[axis], words[axis], repeat).swapaxes(0, int(axis == "y")) for axis in AXES)
            ).max()
            for repeat in range(period)
        ]
        return np.resize(np.array(one, np.int64), times)


def _received(sets: list[Flows], weights: list[int], repeat: int) -> Array:
    """Words taken in by each core from the flows of one axis, dims (line | 1, core | 1)."""
    return np.asarray(sum(flow.received(repeat) * weight for flow, weight in zip(sets, weights, strict=True)))


def _moves(found: list[Flows]) -> list[list[Flows]]:
    """Flow sets of one step, those of one move together."""
    moves = {id(flow.move): [other for other in found if other.move is flow.move] for flow in found}
    return list(moves.values())


def _hops(legs: list[Flows], times: int) -> Array:
    """Longest way of a tile in each repeat, both legs of a move in two dimensions added, shape (times,)."""
    if legs[0].move.axis != "xy" or legs[0].climbs:
        return np.max([flow.hops(times) for flow in legs], axis=0)
    way = np.sum([(flow.ahead + flow.behind).sum(axis=1) for flow in legs], axis=0)
    return np.broadcast_to(way.max(axis=1), (times,))


def _stages(legs: list[Flows], times: int) -> Array:
    """Most cores that take in and send on along one way in each repeat, shape (times,)."""
    return _hops(legs, times) if legs[0].relay else legs[0].stages(times)


def _planes(flow: Flows) -> slice:
    return slice(0, 2) if flow.axis == "x" else slice(2, 4)


def _spread(flow: Flows, links: Array) -> Array:
    return links if flow.axis == "x" else links.swapaxes(1, 2)


def _is_multicast(flow: Flows) -> bool:
    """True when flows reach several cores: more cores take in than flows start."""
    return (
        not flow.inward
        and flow.move.target is None
        and flow.move.index.shape[2 if flow.axis == "x" else 1] == 1
        and flow.length > 1
    )


def _peaks(sets: list[Flows], weights: Iterable[int], times: int, what: str) -> Array:
    """Largest weighted sum over links (or cores) of one axis in each repeat, shape (times,)."""
    if not sets:
        return np.zeros(times, np.int64)
    pairs = list(zip(sets, weights, strict=True))
    alike = all(len(f.origin) == 1 and f.origin.shape[1] == 1 and len(f.line) == f.lines for f in sets)
    if alike and len(sets) <= 8:
        return _pattern_peaks(pairs, times, what)
    if len(sets) == 1 and sets[0].origin.shape[2] == 1 and len(sets[0].line) == sets[0].lines:
        flow, weight = pairs[0]
        both = what == "received" and flow.inward
        most = (np.add if both else np.logical_or)(flow.ahead > 0, (flow.behind > 0).astype(int)).max(axis=2)
        return np.broadcast_to(np.where(flow.active, most, 0).max(axis=1) * weight, (times,))
    period = max(flow.repeats for flow in sets)
    one = [sum(getattr(f, what)(repeat) * w for f, w in pairs).max() for repeat in range(min(period, times))]
    return np.resize(np.array(one, np.int64), times)


def _pattern_peaks(pairs: list[tuple[Flows, int]], times: int, what: str) -> Array:
    """Peaks when every line does the same or nothing: one profile per set of moves that are on together."""
    whole = [
        f.links(0) if what == "links" else f.received(0)[None] for f, _ in ((_always(f), w) for f, w in pairs)
    ]
    profile = [each[:, 0] * w for each, (_, w) in zip(whole, pairs, strict=True)]
    pattern = sum(np.left_shift(f.active.astype(int), bit) for bit, (f, _) in enumerate(pairs))
    table = np.zeros(1 << len(pairs), np.int64)
    for number in np.flatnonzero(np.bincount(np.ravel(pattern))):
        on = [each for bit, each in enumerate(profile) if number >> bit & 1]
        table[number] = sum(on).max() if on else 0  # type: ignore[union-attr]
    return np.broadcast_to(table[pattern].max(axis=1), (times,))


def _always(flow: Flows) -> Flows:
    return replace(flow, active=np.ones((1, 1), bool))
