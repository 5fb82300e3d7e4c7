"""Barrier and data flow: worked numbers, laws over the registry, and a slow recurrence that lists every tile."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moves import messages
from test_audit import programs

from waferviz.algorithms import ALLREDUCE, CACHE, GEMM, GEMV
from waferviz.api import multiply
from waferviz.audit import audit
from waferviz.bill import Bill
from waferviz.machine import Machine
from waferviz.orders import interleaved, natural, source
from waferviz.program import Buffer, Move, Operand, Program, Repeat, Step
from waferviz.schedule import Free, cycles, parts
from waferviz.timeline import timeline
from waferviz.trace import run
from waferviz.views import words
from waferviz.wavelets import simulate
from waferviz.wavelets.programs import traffic_of

WAFER = Machine.preset("wse2")
IDLE = Machine.preset("wse2", macs=1e12)
ORDERS = {"cannon": natural, "interleaved": interleaved}


def row(order, shifts):
    """Shifts of A around one row of cores."""
    n = len(order)
    shift = Step("shift", (Move(read="A", write="A", axis="x", source=source(order)),))
    here = np.arange(n)
    return Program(
        name="row", shape=(1, n), body=(Repeat((shift,), shifts),),
        buffers={"A": Buffer(("m", "k"), double=True), "B": Buffer(("k", "n")), "C": Buffer(("m", "n"))},
        operands={"A": Operand(np.zeros((1, 1), int), here[None], (1, n)), "B": Operand(here[None], np.zeros((1, 1), int), (n, 1))},
    )  # fmt: skip


def total(program, machine, schedule, matrices=None):
    return int(cycles(Bill(program, machine, matrices), schedule).sum())


@pytest.mark.parametrize(
    ("order", "schedule", "expected"),
    [("cannon", "barrier", 4864), ("cannon", "dataflow", 958), ("interleaved", "barrier", 960), ("interleaved", "dataflow", 958)],
)  # fmt: skip
def test_one_row_of_64_cores_and_8_words(order, schedule, expected):
    assert total(row(ORDERS[order](64), 64), WAFER, schedule, (8, 64, 1)) == expected


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("n", [3, 4, 7, 16, 33])
@pytest.mark.parametrize(("m", "hop", "ramp"), [(1, 1, 2), (5, 2, 1), (32, 3, 7)])
def test_a_revolution_crosses_every_edge_of_the_ring_once(order, n, m, hop, ramp):
    machine = Machine.preset("wse2", hop=hop, ramp=ramp)
    c = 2 * ramp + 1
    assert total(row(ORDERS[order](n), n), machine, "dataflow", (m, n, 1)) == n * (m + c) + 2 * (n - 1) * hop


@pytest.mark.parametrize("n", [3, 4, 7, 16, 33, 64])
@pytest.mark.parametrize(("side", "hop", "ramp"), [(1, 1, 2), (2, 1, 2), (3, 2, 1)])
def test_coupled_rows_and_columns_have_a_closed_form(n, side, hop, ramp):
    """Both tiles pass one ramp, so a step takes the words of A and B; a way may cross a long edge in both directions."""
    machine = Machine.preset("wse2", hop=hop, ramp=ramp, macs=1e12)
    each = n * (2 * side**2 + 2 * ramp + 1)
    for name, hops in (("cannon", 3 * n - 4), ("meshgemm", 2 * n - 1)):
        assert total(GEMM[name](n, align=""), machine, "dataflow", (n * side,) * 3) == each + hops * hop


MACHINES = st.builds(
    lambda hop, ramp, more, routes, macs, wrap: Machine.preset(
        "wse2", hop=hop, ramp=ramp, relay=hop + 2 * ramp + 1 + more, routes=routes, macs=macs, wrap=wrap
    ),
    st.integers(1, 3), st.integers(0, 4), st.integers(0, 3), st.sampled_from((0, 3, 24)), st.sampled_from((0.5, 1, 4)), st.booleans(),
)  # fmt: skip
EVERY = [(kind, name) for kind in (GEMM, GEMV, ALLREDUCE, CACHE) for name in kind]
REGISTRY = st.builds(
    lambda one, mesh: one[0][one[1]](mesh),
    st.sampled_from(EVERY),
    st.sampled_from((1, 2, 3, 4, 5, 8, 9, (2, 3), (4, 2))),
)


def priced(program, machine, side):
    """The bill of a product of matrices, or of vectors, with this side."""
    return Bill(program, machine, tuple(max(side, blocks) for blocks in program.blocks.values()))


@settings(max_examples=150)
@given(REGISTRY | programs(), MACHINES, st.sampled_from((10, 17, 30)))
def test_data_flow_is_never_later_than_a_barrier(program, machine, side):
    bill = priced(program, machine, side)
    free = Free(bill)
    assert (free.ends[1:] <= np.cumsum(cycles(bill, "barrier"))).all()
    assert all((free.after(k + 1) >= free.after(k)).all() for k in range(len(program)))


@settings(max_examples=80)
@given(
    REGISTRY | programs(),
    MACHINES,
    st.sampled_from(("hop", "ramp", "relay", "words", "work")),
    st.sampled_from(("barrier", "dataflow")),
)
def test_more_is_never_cheaper_and_the_same_costs_the_same(program, machine, more, schedule):
    change = {
        "hop": {"hop": machine.hop + 1, "relay": machine.relay + 1},
        "ramp": {"ramp": machine.ramp + 1, "relay": machine.relay + 2},
        "relay": {"relay": machine.relay + 2},
        "words": {"link_words": machine.link_words / 2},
        "work": {"macs": machine.macs / 3},
    }[more]
    before, after, twin = (
        cycles(priced(program, one, 20), schedule).sum()
        for one in (machine, replace(machine, **change), replace(machine, name="twin"))
    )
    assert after >= before == twin


def crossed(plane, start, stop):
    """Words on each link of the way along x, then along y."""
    (y, x), (v, u) = start, stop
    across = [plane[0 if u > x else 1, y, at] for at in (range(x, u) if u > x else range(x, u, -1))]
    return across + [plane[2 if v > y else 3, at, u] for at in (range(y, v) if v > y else range(y, v, -1))]


def slow(program, machine, bill):
    """The same recurrence tile by tile, for moves that no core relays on an unfolded mesh without wrap links."""
    cores = [(y, x) for y in range(program.shape[0]) for x in range(program.shape[1])]
    ready = dict.fromkeys(cores, 0.0)
    for number, (step, repeat) in enumerate(program):
        words = bill.sizes.words(("m", "k"))
        tiles, sent = [], dict.fromkeys(cores, 0)
        for move in step.moves:
            moved = [tile for tile in messages(program.shape, move, repeat) if tile[0] != tile[1]]
            one_flow = move.target is None and move.axis != "xy"
            for core in cores:
                flows = sum(start == core for start, _ in moved)
                sent[core] += words * (min(1, flows) if one_flow else flows)
            tiles.append(moved)
        ready = slow_step(ready, tiles, words, sent, bill.work[number], bill.link_words(number + 1), machine)
    return np.array(list(ready.values())).reshape(program.shape)


def slow_step(ready, tiles, words, sent, work, plane, machine):
    """Cycle at which each core has ended a step; several tiles of one move come as one bundle."""
    done = {}
    for core, begun in ready.items():
        now, last, bundles = begun, begun + max(sent[core], work), []
        for moved in tiles:
            ended, into = 0, [(start, crossed(plane, start, stop)) for start, stop in moved if stop == core]
            heads = sorted(
                ready[start] + len(way) * machine.hop + 2 * machine.ramp + 1 for start, way in into
            )
            for head in heads:
                ended = max(ended, head) + words
            for start, way in into:
                head = ready[start] + len(way) * machine.hop + 2 * machine.ramp + 1
                last = max(last, head + max([sent[start], *way]))
            if into:
                bundles.append((ended - len(into) * words, len(into) * words))
        for head, number in sorted(bundles):
            now = max(now, head) + number
        done[core] = max(now, last)
    return done


@settings(max_examples=150)
@given(programs(), st.integers(1, 3), st.integers(0, 3))
def test_random_moves_end_when_listing_every_tile_says_so(program, hop, ramp):
    if not program.place.is_identity or any(move.relay for move in program.body[0].steps[0].moves):
        return
    machine = Machine.preset("wse2", hop=hop, ramp=ramp, routes=10**6)
    bill = Bill(program, machine, (20,) * 3)
    assert np.allclose(Free(bill).after(len(program)), slow(program, machine, bill))


def test_frames_of_large_runs_are_computed_again(monkeypatch):
    program = GEMM["cannon"](9)
    whole = Free(Bill(program, WAFER))
    monkeypatch.setattr("waferviz.schedule.KEPT", 1)
    few = Free(Bill(program, WAFER))
    assert few.stride > 1
    for step in (13, 0, 5, 12, 4):
        assert np.array_equal(few.after(step), whole.after(step))
    assert few.path() == whole.path()


@pytest.mark.parametrize("name", list(GEMM))
@pytest.mark.parametrize("mesh", [1, 4, 7, (2, 4)], ids=str)
@pytest.mark.parametrize("schedule", ["barrier", "dataflow"])
def test_the_steps_of_a_timeline_follow_each_other(name, mesh, schedule):
    program = GEMM[name](mesh)
    said = timeline(program, WAFER, schedule=schedule, matrices=(28,) * 3)
    assert said.attrs["cycles"] == int(np.ceil(said.end[-1])) == total(program, WAFER, schedule, (28,) * 3)
    assert said.start[0] == 0
    assert np.array_equal(said.start[1:], said.end[:-1])
    assert (said.work_end - said.work_start == said.work).all()
    assert np.allclose(said.move_end <= said.end + 1e-9, True)
    moved = said.critical.isin(["words", "way"])
    assert np.allclose((said.words + said.way)[moved], (said.end - said.start)[moved])
    assert set(said.critical.values) <= {"work", "words", "way", "wait"}
    assert (said.critical[said.end == said.start] == "wait").all()
    assert 0 < said.attrs["compute_share"] <= 1
    if schedule == "dataflow":
        assert (said.ready.values[1:] == said.done.values[:-1]).all()
        assert said.done.values[-1].max() == said.end[-1]


def test_parts_are_the_barriers_parts():
    bill = Bill(GEMM["summa"](20), WAFER, (40,) * 3)
    part = parts(bill)
    assert np.array_equal(np.maximum(part["work"], part["words"] + part["way"]), cycles(bill, "barrier"))
    assert np.array_equal(
        Bill(GEMM["summa"](20), WAFER, (40,) * 3).steps["cycles"][0], cycles(bill, "barrier")
    )


def test_bad_schedules_are_named():
    with pytest.raises(ValueError, match="schedule='free': choose one of barrier, dataflow"):
        timeline(GEMM["cannon"](2), WAFER, schedule="free")
    with pytest.raises(ValueError, match="cycles need a machine"):
        Free(Bill(GEMM["cannon"](2)))


@pytest.mark.parametrize("schedule", ["barrier", "dataflow"])
def test_one_price_in_audit_trace_and_timeline(schedule):
    program = GEMM["cannon"](6)
    bill = audit(program, WAFER, matrices=(12,) * 3, schedule=schedule)
    a = np.ones((12, 12), np.float32)
    trace = multiply(a, a, algorithm="cannon", mesh=6, machine=WAFER, schedule=schedule)
    said = timeline(program, WAFER, matrices=(12,) * 3, schedule=schedule)
    assert bill.attrs["schedule"] == trace.attrs["schedule"] == said.attrs["schedule"] == schedule
    assert int(bill.cycles.sum()) == int(trace.cycle[-1]) == said.attrs["cycles"]
    assert (np.diff(trace.cycle) >= 0).all()


def test_vectors_have_two_clocks_too():
    traces = [
        run(ALLREDUCE["ring"](8), machine=WAFER, schedule=schedule) for schedule in ("barrier", "dataflow")
    ]
    assert int(traces[1].cycle[-1]) < int(traces[0].cycle[-1])
    assert traces[1].attrs["schedule"] == "dataflow"


def test_a_race_says_which_schedule_a_number_belongs_to():
    a = np.ones((8, 8))
    traces = [
        multiply(a, a, algorithm="cannon", mesh=8, machine=WAFER, schedule=one)
        for one in ("barrier", "dataflow")
    ]
    assert "Cannon (data flow) wins" in words.ranking(traces)
    assert "a barrier ends every step or data flow" in words.model(traces)
    assert [words.stats(trace).replace("\xa0", " ").endswith("data flow") for trace in traces] == [
        False,
        True,
    ]


def simulated(program, machine, sizes):
    return simulate(traffic_of(program, machine, matrices=sizes)).cycles


@pytest.mark.parametrize("n", [4, 7])
@pytest.mark.parametrize("macs", [1, 0.1])
def test_the_simulated_mesh_takes_as_long(n, macs):
    """To the cycle; alignment, in which rows run ahead and queue at ramps, may end a cycle before."""
    machine, sizes = Machine.preset("wse2", macs=macs, routes=10**6), (3 * n,) * 3
    for name in ("summa", "allgather"):
        assert total(GEMM[name](n), machine, "dataflow", sizes) == simulated(GEMM[name](n), machine, sizes)
    for name in ("cannon", "meshgemm"):
        loop = GEMM[name](n, align="")
        assert total(loop, machine, "dataflow", sizes) == simulated(loop, machine, sizes)
        whole = GEMM[name](n)
        assert 0 <= total(whole, machine, "dataflow", sizes) - simulated(whole, machine, sizes) <= 1


@pytest.mark.parametrize("name", ["chain", "ktree", "pipeline", "ring", "two_phase"])
@pytest.mark.parametrize("entries", [1, 27])
def test_simulated_sums_take_as_long(name, entries):
    assert total(ALLREDUCE[name](9), WAFER, "dataflow", (entries,)) == simulated(
        ALLREDUCE[name](9), WAFER, (entries,)
    )
