"""What the streams of one step cost on a machine, apart from when cores begin it.

A tile's first word leaves when its sender begins the step and travels one `hop` a router, or one `relay` a core;
its last word leaves when everything its sender hands over in the step has passed the ramp and the busiest link on
its way, and enters after all that came to the same core before.
"""

from __future__ import annotations

import numpy as np

from waferviz.arrivals import Bundled, Climbing, Entry, Relayed, Routed
from waferviz.machine import Machine
from waferviz.program import Array
from waferviz.streams import Line, Pairs, Stream
from waferviz.stretches import busiest


def entries(found: list[tuple[Stream, int]], planes: Array | None, machine: Machine) -> list[Entry]:
    """What the streams of a step cost; `planes` are the words on its links where they are to be waited for."""
    sent = handed(found) / machine.link_words
    load = None if planes is None else planes / machine.link_words
    return [_entry(stream, words / machine.link_words, sent, load, machine) for stream, words in found]


def handed(found: list[tuple[Stream, int]]) -> Array:
    """Words that each core hands to its router in a step, broadcastable to (y, x)."""
    return np.asarray(sum(stream.given * words for stream, words in found))


def taken(found: list[tuple[Stream, int]]) -> Array:
    """Words that enter each core in a step, broadcastable to (y, x)."""
    return np.asarray(sum(stream.taken * words for stream, words in found))


def _entry(stream: Stream, words: float, sent: Array, load: Array | None, machine: Machine) -> Entry:
    if isinstance(stream, Pairs):
        return _paired(stream, words, sent, load, machine)
    enter = stream.taken * words
    tail = enter if stream.relay else np.maximum(enter, _at(stream, sent))
    if load is not None:
        turned = load[:2] if stream.axis == "x" else load[2:].swapaxes(1, 2)
        source, way = (each if stream.axis == "x" else each.T for each in (stream.source, stream.way))
        most_on = busiest(turned, np.arange(turned.shape[1])[:, None], source, way)
        tail = np.maximum(tail, most_on if stream.axis == "x" else most_on.T)
    if stream.relay:
        return Relayed(stream=stream, relay=machine.relay, words=enter, tail=tail)
    cost = np.where(stream.taken > 0, stream.hops * machine.hop + 2 * machine.ramp + 1, -np.inf)
    return Routed(stream=stream, way=cost, words=enter, tail=tail)


def _paired(stream: Pairs, words: float, sent: Array, load: Array | None, machine: Machine) -> Entry:
    across, down = stream.across, stream.down
    from_y, from_x = np.divmod(stream.source, stream.shape[1])
    tail = np.broadcast_to(sent, stream.shape)[from_y, from_x]
    if load is not None:
        to_x = stream.target % stream.shape[1]
        along_x = busiest(load[:2], from_y, from_x, across)
        along_y = busiest(load[2:].swapaxes(1, 2), to_x, from_y, down)
        tail = np.maximum(tail, np.maximum(along_x, along_y))
    hops = abs(across) + abs(down)
    if stream.depth.any():
        climb = (hops - 1) * machine.hop + machine.relay
        return Climbing(stream=stream, way=climb, words=stream.taken * words, edges=tail)
    cost = hops * machine.relay if stream.relay else hops * machine.hop + 2 * machine.ramp + 1
    return Bundled(stream=stream, way=cost, words=words, tail=tail)


def _at(stream: Line, values: Array) -> Array:
    """Values at the sender of each core's tile."""
    along = 1 if stream.axis == "x" else 0
    if values.size == 1 or (values == values.flat[0]).all():
        return values.ravel()[:1, None]
    if stream.source.shape[1 - along] == 1:
        return np.take(values, stream.source.ravel(), axis=along) if values.shape[along] > 1 else values
    full = np.broadcast_shapes(values.shape, stream.way.shape)
    return np.take_along_axis(np.broadcast_to(values, full), np.broadcast_to(stream.source, full), axis=along)
