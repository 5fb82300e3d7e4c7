"""Who sends, adds, passes on, receives or waits, core by core and cycle by cycle, in a program of sums and broadcasts.

Steps follow one another: nobody begins a step before everybody has ended the last one.  Within a step words flow:
a core sends a word on as soon as it is summed; streams into one core are added one after the other, nearest first;
routers pass words on without waiting.  For every allreduce and GEMV of this package that is what a simulation word
by word gives (`waferviz.wavelets`), to the cycle; a tree of one's own whose messages meet on a link may take longer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.bill import Bill
from waferviz.checks import as_program
from waferviz.machine import Machine, named
from waferviz.program import Array, Move, Program
from waferviz.trees import order

if TYPE_CHECKING:
    import xarray as xr

KINDS = ("multiply", "send", "add", "pass on", "receive")
MULTIPLY, SEND, ADD, PASS, RECEIVE = range(5)
MOST = 400_000
SIMULATED = 4096


@dataclass(eq=False)
class _Record:
    """Actions (kind, core, begin, end, step) and messages (from, to, leaves, arrives, step) as they are found."""

    shape: tuple[int, int]
    machine: Machine
    actions: list[Array] = field(default_factory=list)
    messages: list[Array] = field(default_factory=list)
    found: int = 0

    def act(self, kind: int, core: Array, begin: Array | float, lasts: float, step: int) -> None:
        """Note that cores do something for a while."""
        columns = np.broadcast_arrays(kind, core, begin, np.asarray(begin) + lasts, step)
        self.actions.append(np.stack(columns, axis=-1).reshape(-1, 5).astype(float))
        self.found += len(self.actions[-1])
        if self.found > MOST:
            raise ValueError(
                f"more than {MOST:,} actions up to step {step}: choose fewer cores, or a program of fewer steps"
            )

    def send(self, source: Array, target: Array, leaves: Array, lasts: float, step: int) -> Array:
        """Note messages and the routers that pass them on; returns when their first words arrive."""
        rows = [np.asarray(part) // self.shape[1] for part in (source, target)]
        columns = [np.asarray(part) % self.shape[1] for part in (source, target)]
        across, down = columns[1] - columns[0], rows[1] - rows[0]
        far = abs(across) + abs(down)
        hop, ramp = self.machine.hop, self.machine.ramp
        arrives = leaves + far * hop + 2 * ramp + 1
        for away in range(1, int(far.max(initial=0))):
            on = far > away
            along = np.minimum(away, abs(across))
            y, x = rows[0] + np.sign(down) * (away - along), columns[0] + np.sign(across) * along
            self.act(PASS, (y * self.shape[1] + x)[on], (leaves + ramp + away * hop)[on], lasts, step)
        ends = np.broadcast_arrays(source, target, leaves, arrives, step)
        self.messages.append(np.stack(ends, axis=-1).reshape(-1, 5).astype(float))
        return arrives


def waves(
    program: Program,
    machine: Machine | str,
    *,
    matrices: tuple[int, ...] | None = None,
    dtype: Any = np.float32,
) -> xr.Dataset:
    """Actions and messages of a program of sums and broadcasts, such as an allreduce or a GEMV.

    Parameters
    ----------
    program, machine, matrices, dtype
        As for `audit`; `matrices` is (n,) for the entries of each core's vector.

    Returns
    -------
    Dataset
        Dim `action`: `kind` (see the attribute `kinds`), `core` (counted row by row), `begin` and `end` in cycles,
        `of_step`.  Dim `message`: `source`, `target`, `leaves`, `arrives` of the first word, `step_of`.  Dim `step`
        (from 1): `done`, the cycle at which it ends, `hops`, `stages`, with `label`.  For programs on vectors, with
        dims `state` (before the first step and after each) and `place`: `shares`, vectors summed into that of a
        core, and `first`, its first entry when core c starts with c + 1.  Attributes `cycles`, and where several
        messages share a link and the run is small `simulated`, the cycles of a simulation word by word.

    Raises
    ------
    ValueError
        For a program with several moves of one buffer in a step, which need a simulation, or too many actions.
    """
    import xarray as xr

    machine = named(machine)
    bill = Bill(as_program(program, "waves"), machine, matrices, dtype)
    record = _Record(program.shape, machine)
    now, done = 0.0, []
    for number, (step, repeat) in enumerate(program, 1):
        if len(step.moves) > 1:
            raise ValueError(
                f"{program.name}, step {step.label!r} moves {len(step.moves)} streams at once; waves follow one, "
                "see waferviz.timeline for such programs"
            )
        if step.work:
            cores = np.arange(program.shape[0] * program.shape[1])
            record.act(MULTIPLY, cores, now, bill.work[number - 1], number)
        for move in step.moves:
            words = bill.sizes.words(program.buffers[move.read].dims) / machine.link_words
            (_climb if move.tree else _spread)(record, move, repeat, now, words, number)
        now = max([now, *(part[:, 3].max(initial=0) for part in record.actions)])
        done.append(now)
    actions, messages = (
        np.concatenate(parts) if parts else np.zeros((0, 5)) for parts in (record.actions, record.messages)
    )
    return xr.Dataset(
        {
            **{name: ("action", actions[:, at], {"units": units}) for at, (name, units) in enumerate((("kind", "1"), ("core", "1"), ("begin", "cycles"), ("end", "cycles"), ("of_step", "1")))},
            **{name: ("message", messages[:, at], {"units": units}) for at, (name, units) in enumerate((("source", "1"), ("target", "1"), ("leaves", "cycles"), ("arrives", "cycles"), ("step_of", "1")))},
            "done": ("step", done, {"units": "cycles", "long_name": "end of the step"}),
            **{name: ("step", bill.steps[name][0], {"units": bill.steps[name][1], "long_name": bill.steps[name][2]}) for name in ("hops", "stages")},
        },
        coords={"step": np.arange(1, len(done) + 1), "label": ("step", np.array([step.label for step, _ in program], dtype=str))},
        attrs={
            "program": program.name, "paper": program.paper, "machine": machine.name, "cycles": now, "kinds": list(KINDS),
            **_simulated(program, machine, bill), "rows": program.shape[0], "columns": program.shape[1], "entries": bill.sizes.N, "words": bill.sizes.words(program.buffers[program.result].dims),
        },
    ).assign(_sums(program) if program.kind == "allreduce" else {})  # fmt: skip


def _simulated(program: Program, machine: Machine, bill: Bill) -> dict[str, int]:
    """Cycles word by word, where several messages share a link and the run is small enough."""
    words = bill.sizes.words(program.buffers[program.result].dims)
    shared = bill.steps["link_flows"][0].max(initial=0) > 1
    whole = machine.hop == int(machine.hop) and machine.ramp == int(machine.ramp) and machine.link_words == 1
    if not (shared and whole and program.shape[0] * program.shape[1] * words <= SIMULATED):
        return {}
    from waferviz.wavelets import simulate
    from waferviz.wavelets.programs import traffic_of

    sizes = bill.sizes
    matrices = (sizes.N,) if program.on_vectors else (sizes.M, sizes.K, sizes.N)
    traffic = traffic_of(program, machine, matrices=matrices, schedule="barrier", dtype=sizes.dtype)
    run = simulate(traffic, hop=int(machine.hop), ramp=int(machine.ramp))
    return {"simulated": int(run.attrs["cycles"])}


def _sums(program: Program) -> dict[str, Any]:
    """How many vectors each core's is the sum of, and its first entry when core c starts with c + 1."""
    from waferviz.trace import run

    numbers = np.arange(1, program.shape[0] * program.shape[1] + 1)
    chunks = program.blocks["n"]
    trace = run(program, {"V": np.repeat(numbers[:, None], chunks, axis=1)})
    shares, first = (part.values.reshape(len(program) + 1, -1) for part in (trace.shares, trace.V.isel(n=0)))
    dims = ("state", "place")
    return {
        "shares": (dims, shares, {"units": "1", "long_name": "vectors summed in"}),
        "first": (dims, first, {"units": "1", "long_name": "first entry of the core's vector"}),
    }


def _climb(record: _Record, move: Move, repeat: int, now: float, words: float, step: int) -> None:
    """Sums up a tree: leaves send at once, the others as soon as their last child's first word is added."""
    tree = order(move, repeat, record.shape)
    cores = _flat(tree.nodes, tree.alike, move.axis, record.shape)
    first, free = np.full((2, *cores.shape), now)
    leaf = np.ones(len(tree.nodes), bool)
    leaf[[place for _, parents in tree.rounds for place in parents]] = False
    record.act(SEND, cores[:, leaf], now, words, step)
    for children, parents in tree.rounds:
        arrives = record.send(cores[:, children], cores[:, parents], first[:, children], words, step)
        begins = np.maximum(arrives, free[:, parents])
        record.act(ADD, cores[:, parents], begins, words, step)
        first[:, parents], free[:, parents] = begins, begins + words


def _spread(record: _Record, move: Move, repeat: int, now: float, words: float, step: int) -> None:
    """Broadcasts, and tiles that pass from core to core: everyone sends at the begin of the step."""
    index = np.broadcast_to(move.at(repeat), record.shape)
    y, x = np.nonzero(index >= 0)
    named = index[y, x]
    columns = record.shape[1]
    other = {"x": y * columns + named, "y": named * columns + x, "xy": named}[move.axis]
    here = y * columns + x
    source, target = (other, here) if move.target is None else (here, other)
    moved = source != target
    source, target = source[moved], target[moved]
    record.act(SEND, np.unique(source), now, words, step)
    if len(np.unique(source)) == len(source) or move.target is not None:
        arrives = record.send(source, target, np.full(len(source), now), words, step)
    else:
        arrives = _flood(record, source, target, now, step, relay=move.relay)
    record.act(ADD if move.combine else RECEIVE, target, arrives, words, step)


def _flood(record: _Record, source: Array, target: Array, now: float, step: int, *, relay: bool) -> Array:
    """When the first word of a broadcast arrives; its messages are drawn to the farthest cores only."""
    columns, hop, lag = record.shape[1], record.machine.hop, 2 * record.machine.ramp + 1
    way = (target // columns - source // columns) + (target % columns - source % columns)
    far = abs(way)
    arrives = now + (far * (hop + lag) if relay else far * hop + lag)
    for side in (1, -1):
        for root in np.unique(source):
            on = (source == root) & (np.sign(way) == side)
            if on.any():
                last = np.flatnonzero(on)[far[on].argmax()]
                record.messages.append(np.array([[root, target[last], now, arrives[last], step]], float))
    return arrives


def _flat(nodes: Array, alike: bool, axis: str, shape: tuple[int, int]) -> Array:
    """Flat cores of the nodes of a tree on every line it runs on, dims (line, node)."""
    if not alike:
        return nodes[None]
    if axis == "x":
        return np.arange(shape[0])[:, None] * shape[1] + nodes
    return nodes * shape[1] + np.arange(shape[1])[:, None]
