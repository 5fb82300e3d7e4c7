"""A run of traffic as a Dataset: cycles, arrivals, and words, demand and use of every link over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.flows import DIRECTIONS
from waferviz.memory import size
from waferviz.program import Array, Program
from waferviz.wavelets.clock import Clock
from waferviz.wavelets.frames import Outcome
from waferviz.wavelets.paths import LINK, Lanes, Segments, lanes_of, segments_of
from waferviz.wavelets.traffic import Traffic
from waferviz.wavelets.turns import DATE, dated_room

if TYPE_CHECKING:
    import xarray as xr

BYTES_PER_SEGMENT, BYTES_PER_MESSAGE, BYTES_PER_FRAME_LINK = 240, 200, 16


def simulate(
    traffic: Traffic,
    *,
    hop: int = 1,
    ramp: int = 2,
    queue: int | None = None,
    engines: int = 0,
    shared_ramp: bool = True,
    window: int | None = None,
    longest: int = 1_000_000,
    memory: int = 2**30,
) -> xr.Dataset:
    """Cycles, arrivals and link use of `traffic`.

    Parameters
    ----------
    hop, ramp : int
        Cycles per router, and between core and router, one way; 1 or more.
    queue : int, optional
        Words of one colour that may wait in a router or core, beyond those on the wire; no limit when left out.
    engines : 0 or 1
        With 1 a core does one wavelet operation per cycle, sending or receiving.
    shared_ramp : bool
        All messages of a core share one ramp into its router and one out of it, a word per cycle each; False: every
        route has its own.
    window : int, optional
        Cycles per frame of link use; one frame for the whole run when left out.
    longest : int
        Cycles after which to give up.
    memory : int
        Bytes that may be used.

    Returns
    -------
    Dataset
        Dims `delivery`, and `window`, `direction`, `y`, `x` for the link leaving each core.  `complete` (cycles),
        `words` over the link per window, `waiting` words before it at the window's end, `use` (% of its cycles,
        at most 100), `demand` (words that crossed or wait, % of what it could carry).  As attributes `cycles`, `hops`
        (link crossings, E), `links_used` (N), `busiest_link` (words) and `most_received` (words into one core, C).

    Raises
    ------
    MemoryError
        When more than `memory` is needed; the message says how much.
    DeadlockError
        When full buffers wait for each other in a circle.
    ValueError
        For what is no traffic, bad numbers, messages that wait for each other, and more than `longest` cycles.

    Buffers belong to a link and a colour and are shared by the messages of that colour; words of other messages do
    not have to wait for the first in line.  A word in a buffer frees its place one cycle after it has left.

    Less room may cost a cycle less: where messages share a ramp or link they take turns by when their words came, and a word held
    back at its source comes later and lets another one go first.  Which order is the shorter one nobody knows beforehand.
    The loop and alignment of MeshGEMM on 8 x 8 cores, 32 x 32 matrices, take 403 cycles without limit and 402 with
    `queue=1`; with ramps of their own (`shared_ramp=False`) 347 either way.

    Examples
    --------
    >>> from waferviz.wavelets.patterns import shift
    >>> run = simulate(shift(64, 8))
    >>> run.cycles, run.hops, run.busiest_link
    (76, 1008, 8)
    """
    run, lanes, segments = outcome(
        traffic, hop=hop, ramp=ramp, queue=queue, engines=engines, shared_ramp=shared_ramp, window=window, longest=longest,
        memory=memory,
    )  # fmt: skip
    return _dataset(traffic, run, lanes, segments, hop, ramp, window)


def outcome(
    traffic: Traffic,
    *,
    hop: int = 1,
    ramp: int = 2,
    queue: int | None = None,
    engines: int = 0,
    shared_ramp: bool = True,
    window: int | None = None,
    longest: int = 1_000_000,
    memory: int = 2**30,
) -> tuple[Outcome, Lanes, Segments]:
    """The run behind `simulate`, as arrays."""
    _check(traffic, hop, ramp, queue, engines, window, longest)
    _afford(traffic, memory)
    lanes = lanes_of(traffic)
    segments = segments_of(traffic, lanes, engines=engines, shared_ramp=shared_ramp)
    dates = 2 * DATE.itemsize * int(dated_room(traffic, lanes, segments).sum())
    if dates > memory:
        raise MemoryError(
            f"the words that meet on shared links need about {size(dates)}, memory allows {size(memory)}; send shorter messages, "
            "simulate fewer rows or steps, or raise memory"
        )
    clock = Clock(traffic, lanes, segments, hop=hop, ramp=ramp, queue=queue, window=window or 0)
    return clock.run(longest), lanes, segments


def _check(
    traffic: Traffic, hop: int, ramp: int, queue: int | None, engines: int, window: int | None, longest: int
) -> None:
    if not isinstance(traffic, Traffic):
        way = (
            "traffic_of(program)"
            if isinstance(traffic, Program)
            else "traffic_of(program), patterns or a Draft"
        )
        raise ValueError(f"simulate() got {type(traffic).__name__}; give Traffic, such as {way} makes")
    most = int(traffic.words.max(initial=0))
    if most > longest:
        raise ValueError(
            f"a message of {most:,} words (or work) takes as many cycles; raise longest={longest}, or send fewer words"
        )
    for name, value, least in (
        ("hop", hop, 1),
        ("ramp", ramp, 1),
        ("window", window, 1),
        ("queue", queue, 0),
    ):
        if value is not None and (value < least or value != int(value)):
            raise ValueError(
                f"{name}={value}: the simulator counts whole cycles and words; give {least} or more"
            )
    if engines not in (0, 1):
        raise ValueError(f"engines={engines}: give 0 for no limit or 1 for one operation per cycle")


def _afford(traffic: Traffic, memory: int) -> None:
    """Raise MemoryError before anything large is made."""
    rows, columns = traffic.shape
    cores = rows * columns
    source = traffic.source[traffic.message]
    way = abs(source // columns - traffic.target // columns) + abs(
        source % columns - traffic.target % columns
    )
    _, turn = np.unique(traffic.priority[traffic.message], return_inverse=True)
    _, alike = np.unique((turn * cores + source) * np.int64(cores) + traffic.target, return_index=True)
    segments = int((way[alike] + 3).sum())
    need = (
        segments * BYTES_PER_SEGMENT
        + len(traffic.target) * BYTES_PER_MESSAGE
        + cores * 4 * BYTES_PER_FRAME_LINK
    )
    if need > memory:
        raise MemoryError(
            f"{len(traffic.target)} deliveries over {segments} ramps and links need about {size(need)}, memory allows "
            f"{size(memory)}; simulate about {max(1, memory * len(traffic.target) // need)} deliveries, fewer rows or steps, or raise memory"
        )


def _dataset(
    traffic: Traffic, run: Outcome, lanes: Lanes, segments: Segments, hop: int, ramp: int, window: int | None
) -> xr.Dataset:
    import xarray as xr

    rows, columns = traffic.shape
    shape = (len(run.crossed), 4, rows, columns)
    words, waiting = run.crossed.reshape(shape), run.waiting.reshape(shape)
    ends = np.minimum(np.arange(1, len(words) + 1) * (window or run.cycles), max(run.cycles, 1))
    long = np.maximum(np.diff(ends, prepend=0), 1)[:, None, None, None]
    y, x = np.ogrid[:rows, :columns]
    there = np.stack(np.broadcast_arrays(x < columns - 1, x > 0, y < rows - 1, y > 0))
    links = ("window", "direction", "y", "x")
    return xr.Dataset(
        {
            "complete": ("delivery", run.complete, {"units": "cycles", "long_name": "cycle at which the delivery is complete"}),
            "words": (links, words, {"units": "words", "long_name": "32-bit words over the link leaving this core"}),
            "waiting": (links, waiting, {"units": "words", "long_name": "words waiting for the link at the window's end"}),
            "use": (links, 100 * words / long, {"units": "%", "long_name": "use of the link"}),
            "demand": (links, 100 * (words + waiting) / long, {"units": "%", "long_name": "demand on the link"}),
            "link": (links[1:], there, {"units": "1", "long_name": "the link leaving this core exists"}),
        },
        coords={"window": ends, "direction": list(DIRECTIONS), "source": ("delivery", traffic.source[traffic.message]), "target": ("delivery", traffic.target)},
        attrs={"cycles": run.cycles, "hop": hop, "ramp": ramp, **totals(traffic, lanes, segments)},
    )  # fmt: skip


def totals(traffic: Traffic, lanes: Lanes, segments: Segments) -> dict[str, int]:
    """Link crossings, links used, words on the busiest link and into the busiest core, of the whole traffic."""
    of_lane = np.bincount(lanes.lane[lanes.lane >= 0], traffic.words[lanes.lane >= 0], len(lanes.first))
    on = segments.kind == LINK
    load = np.bincount(segments.link[on], of_lane[segments.lane[on]]) if on.any() else np.zeros(1)
    away = ~traffic.local
    into: Array = np.bincount(traffic.target[away], traffic.words[traffic.message[away]], minlength=1)
    found: dict[str, Any] = {
        "hops": load.sum(), "links_used": np.count_nonzero(load), "busiest_link": load.max(), "most_received": into.max(),
    }  # fmt: skip
    return {name: int(value) for name, value in found.items()}
