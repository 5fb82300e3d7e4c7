"""From messages to segments: every ramp and link that a lane of messages crosses, parents before children.

A lane is a static route that like messages share, one after the other.  Its segments are the ramp into the router,
the links (along x, then y, or a given route), the ramp out of the router at every target, and the core's taking in.
Words that a core sends on as they come have no taking in of their own: the next message's ramp does it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from waferviz.program import Array
from waferviz.wavelets.traffic import NONE, Traffic

RAMP_IN, RAMP_OUT, TAKE = 4, 5, 6
INTO, LINK, OUT, TAKEN = range(4)


@dataclass(frozen=True, kw_only=True, eq=False)
class Lanes:
    """Messages grouped into lanes.

    Attributes
    ----------
    lane : array
        Shape (message,): lane, -1 for work.
    first : array
        Shape (lane,): a message of each lane.
    stop : array
        Shape (delivery,): place where the lane delivers, -1 for work.
    stop_lane, stop_core, stop_rank : array
        Shape (stop,): lane and core of each stop, and which of its lane's stops it is.
    begin, ordered : array
        Deliveries that travel, message by message in the order of the stops, and where each message's begin.
    """

    lane: Array
    first: Array
    stop: Array
    stop_lane: Array
    stop_core: Array
    stop_rank: Array
    begin: Array
    ordered: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Segments:
    """What words cross, one entry per segment; a segment's parent comes before it in its lane.

    Attributes
    ----------
    parent, kind, link, lane : array
        Parent (-1 for none), kind, link crossed, lane.
    into : array
        Shape (lane,): segment on which a lane starts.
    taken : array
        Shape (stop,): segment whose crossing takes a word in.
    links : int
        Directed links and ramps; numbers direction * cores + core, then ramps in, ramps out, takings in.
    """

    parent: Array
    kind: Array
    link: Array
    lane: Array
    into: Array
    taken: Array
    links: int


def lanes_of(traffic: Traffic) -> Lanes:
    """Lanes of the messages: alike in source, targets, precedence and colour; relayed and queued ones go alone."""
    number = len(traffic.source)
    alone_each = len(traffic.message) == number and np.array_equal(traffic.message, np.arange(number))
    order = np.arange(number) if alone_each else np.lexsort((traffic.target, traffic.message))
    away = ~traffic.local
    mark = np.random.default_rng(0).integers(1, 2**62, traffic.shape[0] * traffic.shape[1] + 5)
    targets = np.zeros(number, np.int64)
    np.add.at(targets, traffic.message[away], mark[traffic.target[away]])
    alone = traffic.relays != NONE
    alone[traffic.message[np.unique(np.concatenate([traffic.relays[alone], traffic.queues.ravel()]))]] = True
    alone[list(traffic.routes)] = True
    moving = targets != 0
    own = np.where(alone, np.arange(number) + 1, 0)
    # A random sum of all that has to be alike: sums of 62-bit numbers do not meet by chance.
    key = (np.stack([traffic.source, targets, traffic.priority, traffic.colour, own]) * mark[-5:, None]).sum(
        axis=0
    )
    _, first, lane = np.unique(key[moving], return_index=True, return_inverse=True)
    lanes = np.full(number, NONE)
    lanes[moving] = lane
    first = np.flatnonzero(moving)[first]
    lead = np.zeros(number, bool)
    lead[first] = True
    listed = order[away[order]]
    leading = listed[lead[traffic.message[listed]]]
    leading = leading[np.argsort(lanes[traffic.message[leading]], kind="stable")]
    stop_lane = lanes[traffic.message[leading]]
    start = np.searchsorted(stop_lane, np.arange(len(first)))
    of_message = traffic.message[listed]
    copies = np.bincount(of_message, minlength=number)
    begin = np.cumsum(copies) - copies
    stop = np.full(len(traffic.target), NONE)
    stop[listed] = start[lanes[of_message]] + np.arange(len(listed)) - begin[of_message]
    return Lanes(
        lane=lanes, first=first, stop=stop, stop_lane=stop_lane, stop_core=traffic.target[leading],
        stop_rank=np.arange(len(leading)) - start[stop_lane], begin=begin, ordered=listed,
    )  # fmt: skip


def segments_of(traffic: Traffic, lanes: Lanes, *, engines: int, shared_ramp: bool) -> Segments:
    """Segments of all lanes, ordered so that most parents stand right before their children."""
    cores = traffic.shape[0] * traffic.shape[1]
    source = traffic.source[lanes.first]
    count = len(source)
    here = np.arange(count)
    own = (TAKE + 1) * cores
    ramp_in = RAMP_IN * cores + source if shared_ramp or engines else own + here
    table = [_rows(here, 0, 0, np.full(count, NONE), INTO, ramp_in)]
    arrival = _links(traffic, lanes, source, table)
    stops = np.arange(len(lanes.stop_core))
    base = sum(len(part) for part in table)
    ramp_out = RAMP_OUT * cores + lanes.stop_core if shared_ramp else own + count + stops
    table.append(_rows(lanes.stop_lane, 3, 2 * stops, arrival, OUT, ramp_out))
    relayed = np.full(len(stops), NONE)
    relay = np.flatnonzero(traffic.relays != NONE)
    relayed[lanes.stop[traffic.relays[relay]]] = lanes.lane[relay]
    plain = np.flatnonzero(relayed == NONE)
    own_take = RAMP_IN * cores + lanes.stop_core if engines else own + count + len(stops) + stops
    table.append(_rows(lanes.stop_lane[plain], 3, 2 * plain + 1, base + plain, TAKEN, own_take[plain]))
    whole = np.concatenate(table)
    order = np.lexsort((whole[:, 2], whole[:, 1], whole[:, 0]))
    place = np.empty(len(order) + 1, np.int64)
    place[order], place[-1] = np.arange(len(order)), NONE
    parent = place[whole[order, 3]]
    into = place[:count]
    chained = np.flatnonzero(relayed != NONE)
    parent[into[relayed[chained]]] = place[base + chained]
    taken = np.empty(len(stops), np.int64)
    taken[plain] = place[base + len(stops) + np.arange(len(plain))]
    taken[chained] = into[relayed[chained]]
    return Segments(
        parent=parent, kind=whole[order, 4], link=whole[order, 5], lane=whole[order, 0], into=into, taken=taken,
        links=own + count + 2 * len(stops),
    )  # fmt: skip


def _rows(lane: Array, stage: int, position: Array | int, parent: Array, kind: int, link: Array) -> Array:
    """Rows (lane, stage, position, parent, kind, link) of a table of segments."""
    return np.stack(np.broadcast_arrays(lane, stage, position, parent, kind, link), axis=1).astype(np.int64)


def _links(traffic: Traffic, lanes: Lanes, source: Array, table: list[Array]) -> Array:
    """Add the links of all lanes to `table`; returns the last segment before each stop."""
    columns = traffic.shape[1]
    sy, sx = source[lanes.stop_lane] // columns, source[lanes.stop_lane] % columns
    ty, tx = lanes.stop_core // columns, lanes.stop_core % columns
    given = np.isin(lanes.first, list(traffic.routes))
    free = ~given[lanes.stop_lane]
    arrival = np.arange(0)
    row = np.zeros(len(sy), np.int64)
    row[:] = lanes.stop_lane
    for direction, way in ((0, tx - sx), (1, sx - tx)):
        reach = np.zeros(len(source), np.int64)
        np.maximum.at(reach, lanes.stop_lane[free], np.maximum(way, 0)[free])
        begin = _run(
            traffic, table, np.arange(len(source)), source, np.arange(len(source)), reach, direction, 1
        )
        row = np.where(way > 0, begin[lanes.stop_lane] + way - 1, row)
    key = lanes.stop_lane * columns + tx
    branch, at = np.unique(key, return_inverse=True)
    root = np.empty(len(branch), np.int64)
    root[at] = row
    turn = source[branch // columns] // columns * columns + branch % columns
    arrival = row.copy()
    for direction, way in ((2, ty - sy), (3, sy - ty)):
        reach = np.zeros(len(branch), np.int64)
        np.maximum.at(reach, at[free], np.maximum(way, 0)[free])
        begin = _run(traffic, table, branch // columns, turn, root, reach, direction, 2)
        arrival = np.where(way > 0, begin[at] + way - 1, arrival)
    for lane in np.flatnonzero(given):
        arrival[lanes.stop_lane == lane] = _route(
            traffic, table, int(lane), traffic.routes[int(lanes.first[lane])]
        )
    return arrival


def _run(
    traffic: Traffic,
    table: list[Array],
    lane: Array,
    core: Array,
    root: Array,
    reach: Array,
    direction: int,
    stage: int,
) -> Array:
    """Straight runs of `reach` links from `core` on; returns the segment number of each run's first link."""
    cores, columns = traffic.shape[0] * traffic.shape[1], traffic.shape[1]
    step = (1, -1, columns, -columns)[direction]
    base = sum(len(part) for part in table)
    begin = np.cumsum(reach) - reach
    run = np.repeat(np.arange(len(reach)), reach)
    along = np.arange(len(run)) - begin[run]
    parent = np.where(along == 0, root[run], base + np.arange(len(run)) - 1)
    link = direction * cores + core[run] + step * along
    table.append(_rows(lane[run], stage, 2 * begin[run] + along, parent, LINK, link))
    return base + begin


def _route(traffic: Traffic, table: list[Array], lane: int, route: Array) -> int:
    """Links of one given route; returns its last segment."""
    rows, columns = traffic.shape
    y, x = np.divmod(route, columns)
    step = np.stack([np.diff(y), np.diff(x)], axis=1)
    ways = ((0, 1), (0, -1), (1, 0), (-1, 0))
    direction = np.full(len(step), NONE)
    for number, way in enumerate(ways):
        direction[(step == way).all(axis=1)] = number
    if (direction == NONE).any():
        at = int(np.flatnonzero(direction == NONE)[0])
        raise ValueError(
            f"route {route.tolist()}: cores {route[at]} and {route[at + 1]} are no neighbours; name every core passed"
        )
    base = sum(len(part) for part in table)
    parent = np.concatenate([[lane], base + np.arange(len(step) - 1)])
    table.append(
        _rows(
            np.full(len(step), lane),
            1,
            np.arange(len(step)),
            parent,
            LINK,
            direction * rows * columns + route[:-1],
        )
    )
    return base + len(step) - 1
