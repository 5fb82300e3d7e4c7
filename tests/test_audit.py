"""The price of a program: the paper's table, cycles by hand, and a slow oracle that walks every link."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moves import messages, moves

from waferviz.algorithms import GEMM
from waferviz.audit import audit
from waferviz.machine import Machine
from waferviz.program import Buffer, Operand, Placement, Program, Repeat, Step

SIDES = (2, 3, 4, 5, 8, 9)
STEP = {"east": (0, 1), "west": (0, -1), "south": (1, 0), "north": (-1, 0)}


def shifts(bill):
    return bill.isel(step=bill.label.values == "multiply and shift")


@pytest.mark.parametrize("n", SIDES)
def test_the_papers_table(n):
    summa, cannon, mesh = (audit(GEMM[name](n)) for name in ("summa", "cannon", "meshgemm"))
    assert (summa.ring_routes == n).all()
    assert (shifts(cannon).hops == n - 1).all()
    assert (shifts(mesh).hops == min(2, n - 1)).all()
    assert (audit(GEMM["meshgemm"](n, align="")).hops <= 2).all()


@pytest.mark.parametrize("n", [5, 8, 9])
def test_routes_of_a_ring_are_three_and_two_at_the_ends(n):
    for axis in ("x", "y"):
        routes = audit(GEMM["meshgemm"](n)).ring_routes.sel(axis=axis).isel({"y" if axis == "x" else "x": 0})
        assert routes.values[[0, -1]].tolist() == [2, 2]
        assert set(routes.values[1:-1].tolist()) == {3}


@pytest.mark.parametrize("n", SIDES)
@pytest.mark.parametrize("name", ["cannon", "meshgemm"])
def test_every_link_carries_one_flow_in_a_shift(name, n):
    bill = audit(GEMM[name](n))
    flows = shifts(bill).flows.values
    assert np.array_equal(flows, np.broadcast_to(bill.link.values, flows.shape))
    assert flows[0, :2, 0].sum() == 2 * (n - 1)


@pytest.mark.parametrize("n", SIDES)
def test_alignment_takes_half_the_side_in_rounds(n):
    program = GEMM["meshgemm"](n)
    assert sum(step.label == "align" for step, _ in program) == n // 2


@pytest.mark.parametrize("mesh", [(2, 3), (4, 6), (2, 6)])
def test_folded_meshgemm_stays_within_two_hops(mesh):
    assert int(audit(GEMM["meshgemm"](mesh)).hops.max()) <= 2


def test_a_step_under_a_barrier_by_hand():
    machine = Machine(
        name="toy", shape=(4, 4), hop=3, relay=10, ramp=2, bytes_per_core=1000, routes=5, clock=1, link_words=1, macs=2,
        power=1,
    )  # fmt: skip
    bill = audit(GEMM["meshgemm"](4, align=""), machine, matrices=(8, 8, 8))
    step = bill.isel(step=0)
    assert int(step.macs) == 8
    assert int(step.link_words) == 4
    assert int(step.ramp_words) == 8
    assert int(step.hops) == 2
    assert int(step.stages) == 0
    assert int(step.cycles) == 8 + 2 * 3 + (2 * 2 + 1)
    assert int(bill.memory[0, 0]) == (2 + 2 + 1) * 4 * 4


def test_torus_makes_cannon_a_neighbour_shift():
    wrapped = Machine.preset("teaching", wrap=True)
    bill = shifts(audit(GEMM["cannon"](6), wrapped))
    assert (bill.hops == 1).all()
    assert bill.flows.values[0].sum() == 2 * 36


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 1), (2, 3)])
@pytest.mark.parametrize("wrap", [False, True])
def test_links_join_neighbours_and_on_a_torus_the_ends(shape, wrap):
    rows, columns = shape
    program = replace(GEMM["summa"](6), placement=Placement.folded((6, 6), shape))
    link = audit(program, Machine.preset("teaching", wrap=wrap)).link.sum(("y", "x")).values.tolist()
    across = rows * (columns if wrap and columns > 1 else columns - 1)
    down = columns * (rows if wrap and rows > 1 else rows - 1)
    assert link == [across, across, down, down]


def test_memory_counts_every_place():
    n = 4
    assert int(audit(GEMM["allgather"](n)).memory[0, 0]) == 4 * (3 + 2 * n)
    assert int(audit(GEMM["summa"](n)).memory[0, 0]) == 4 * 5


# The oracle: one message at a time, link by link, from the documented meaning of a Move alone.


def ways(start, stop, length, wrap):
    """Signed hops along a line, forward when both ways round are equally long."""
    straight = stop - start
    if not wrap:
        return straight
    forward = straight % length
    return forward if forward <= length - forward else forward - length


def walked(start, hops, axis, shape):
    """Directed links of a way, as (direction, y, x)."""
    names = ("east", "west") if axis == "x" else ("south", "north")
    name = names[0] if hops > 0 else names[1]
    y, x = start
    links = []
    for _ in range(abs(hops)):
        links.append((name, y, x))
        y, x = (y + STEP[name][0]) % shape[0], (x + STEP[name][1]) % shape[1]
    return links


@dataclass
class Walked:
    """What one step asks of the mesh, counted message by message."""

    flows: Counter = field(default_factory=Counter)
    received: Counter = field(default_factory=Counter)
    sent: Counter = field(default_factory=Counter)
    routes: set = field(default_factory=set)
    longest: int = 0
    relays: int = 0


def walk(program, step, repeat, wrap):
    """Flows per link, tiles into each core, routes and longest ways of one step."""
    place, seen = program.place, Walked()
    for move in step.moves:
        trees = {}
        for number, (start, stop) in enumerate(messages(program.shape, move, repeat)):
            (y, x), (v, u) = ((int(place.y[a]), int(place.x[b])) for a, b in (start, stop))
            chained = move.relay and move.target is not None and move.axis != "xy"
            across = ways(x, u, place.shape[1], wrap and not chained)
            down = ways(y, v, place.shape[0], wrap and not chained)
            links = walked((y, x), across, "x", place.shape) + walked((y, u), down, "y", place.shape)
            seen.longest = max(seen.longest, len(links))
            seen.relays = max(seen.relays, len(links) if move.relay else 0)
            line = start[0] if move.axis == "x" else start[1]
            if move.axis == "xy":
                key = number
            elif move.target is None:
                key = start
            elif move.relay:
                key = (line, v, u)
            else:
                key = start
            tree = trees.setdefault(
                key,
                {
                    "links": set(),
                    "ends": set(),
                    "ways": set(),
                    "relayed": move.relay,
                    "chained": chained,
                    "start": (y, x),
                },
            )
            tree["links"].update(links)
            if links:
                tree["ends"].add((v, u))
                tree["ways"] |= {("x", y, x, across), ("y", u, y, down)}
        for tree in trees.values():
            seen.flows.update(tree["links"])
            count_ends(seen, tree, place.shape)
    return seen


def count_ends(seen, tree, shape):
    """Tiles into cores, tiles that cores hand over themselves, and routes as (axis, line, origin, hops forward, hops backward)."""
    if tree["links"]:
        seen.sent.update([core[1:] for core in tree["links"]] if tree["chained"] else [tree["start"]])
    if tree["relayed"]:
        for name, y, x in tree["links"]:
            seen.received[(y + STEP[name][0]) % shape[0], (x + STEP[name][1]) % shape[1]] += 1
            axis = "x" if name in ("east", "west") else "y"
            one = (1, 0) if name in ("east", "south") else (0, 1)
            seen.routes.add((axis, y if axis == "x" else x, x if axis == "x" else y, *one))
        return
    seen.received.update(tree["ends"])
    for axis, line, origin in {way[:3] for way in tree["ways"]}:
        hops = [way[3] for way in tree["ways"] if way[:3] == (axis, line, origin)]
        ahead, behind = max(0, *hops, 0), max(0, *(-way for way in hops), 0)
        if ahead or behind:
            seen.routes.add((axis, line, origin, ahead, behind))


def routes_held(found, shape):
    """Routes through each router of the mesh."""
    held = np.zeros(shape, int)
    for axis, line, origin, ahead, behind in found:
        for core in range(origin - behind, origin + ahead + 1):
            held[(line, core % shape[1]) if axis == "x" else (core % shape[0], line)] += 1
    return held


def divisors(n):
    return [d for d in range(1, n + 1) if n % d == 0]


@st.composite
def programs(draw):
    rows, columns = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    times = draw(st.integers(1, 3))
    steps = [draw(moves(rows, columns, times, write)) for write in ("R", "S")[: draw(st.integers(1, 2))]]
    fold = (draw(st.sampled_from(divisors(rows))), draw(st.sampled_from(divisors(columns))))
    y, x = np.arange(rows)[:, None], np.arange(columns)
    tile = Buffer(("m", "k"))
    return Program(
        name="random", shape=(rows, columns), body=(Repeat((Step("move", tuple(steps)),), times),),
        buffers={"A": tile, "R": tile, "S": tile, "B": Buffer(("k", "n")), "C": Buffer(("m", "n"))},
        operands={"A": Operand(y, x, (rows, columns)), "B": Operand(y % columns, x, (columns, columns))},
        placement=None if fold == (rows, columns) else Placement.folded((rows, columns), fold),
    )  # fmt: skip


def agrees(program, wrap):
    machine = replace(Machine.preset("teaching", wrap=wrap), routes=10**6)
    bill = audit(program, machine)
    total = np.zeros(bill.link.shape, int)
    routes = set()
    for number, (step, repeat) in enumerate(program):
        seen = walk(program, step, repeat, wrap)
        routes |= seen.routes
        expected = np.zeros(bill.link.shape, int)
        for (name, y, x), count in seen.flows.items():
            expected[list(STEP).index(name), y, x] = count
        assert np.array_equal(bill.flows[number].values, expected), (number, "flows")
        assert int(bill.hops[number]) == seen.longest, (number, "hops")
        assert int(bill.stages[number]) == seen.relays, (number, "relays")
        assert int(bill.link_flows[number]) == expected.max(initial=0), (number, "busiest link")
        busiest = max(*seen.received.values(), *seen.sent.values(), 0, 0)
        most = busiest if len(step.moves) == 1 else 2 * busiest  # the busiest of x and of y may be two cores
        assert busiest <= int(bill.ramp_words[number]) <= most, (number, "ramp")
        assert not np.any((expected > 0) & ~bill.link.values)
        total += expected
    assert np.array_equal(bill.traffic.values > 0, total > 0)
    assert np.array_equal(bill.routes.values, routes_held(routes, program.place.shape))


@settings(max_examples=300)
@given(programs(), st.booleans())
def test_random_moves_cost_what_walking_them_costs(program, wrap):
    agrees(program, wrap)


@pytest.mark.parametrize("name", list(GEMM))
@pytest.mark.parametrize("mesh", [2, 3, 4, 5, (2, 4), (3, 2)], ids=str)
@pytest.mark.parametrize("wrap", [False, True])
def test_registered_programs_cost_what_walking_them_costs(name, mesh, wrap):
    agrees(GEMM[name](mesh), wrap)
