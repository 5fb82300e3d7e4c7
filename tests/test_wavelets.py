"""The mesh stepped cycle by cycle: against closed forms, independent samples, a slow twin, and laws of conservation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mesh_samples import published, sample
from slow_mesh import simulate_slowly

from waferviz import cost
from waferviz.published import rows
from waferviz.wavelets import DeadlockError, Draft, patterns, simulate
from waferviz.wavelets.report import outcome, totals
from waferviz.wavelets.sums import add_up

LAYOUTS = ("natural", "interleaved")


def cycles(traffic, **machine):
    return outcome(traffic, **machine)[0].cycles


# The benchmarks take every row.
SPREAD = {"shift": 3, "broadcast": 2, "allreduce": 5}


@pytest.mark.parametrize("table", ["shift", "broadcast", "reduce", "allreduce", "perm2d"])
def test_rows_of_the_samples(table):
    for row in rows(f"noc_sample_{table}")[:: SPREAD.get(table, 1)]:
        machine = {"hop": int(row["hop"]), "ramp": int(row["t_ramp"]), "engines": int(row["engines"])}
        traffic = sample(row)
        run, lanes, segments = outcome(traffic, **machine)
        found = [run.cycles, *totals(traffic, lanes, segments).values()]
        names = ("cycles", "hops_E", "links_used_N", "max_link_load", "max_received_C")
        assert found == [int(row[name]) for name in names], row


def test_every_row_of_the_sampled_loops():
    for row in rows("noc_sample_shift_loop"):
        layout = row["layout"].replace("cannon", "natural")
        loop = patterns.shifts(
            int(row["n"]), int(row["m"]), int(row["work_cycles"]), layout=layout, schedule=row["sync"]
        )
        assert cycles(loop, hop=int(row["hop"]), ramp=int(row["t_ramp"])) == int(row["cycles"]), row


@pytest.mark.parametrize(
    "row",
    [r for r in rows("noc_hpdc_check") if int(r["P"]) * int(r["B"]) == 64 or r["P"] + r["B"] == "81"],
    ids=lambda r: "-".join(list(r.values())[1:4]),
)
def test_published_patterns_equal_the_sample(row):
    traffic = published(row)
    run, lanes, segments = outcome(traffic)
    found = run.cycles, totals(traffic, lanes, segments)["hops"]
    assert found == (int(row["meshref_cycles"]), int(row["hops_E"]))


@pytest.mark.parametrize("hop", [1, 3])
@pytest.mark.parametrize("ramp", [1, 2])
@pytest.mark.parametrize(("n", "m"), [(4, 1), (5, 16), (9, 3), (16, 64), (33, 7), (64, 8)])
def test_closed_forms_to_the_cycle(n, m, hop, ramp):
    at = {"hop": hop, "ramp": ramp}
    for layout in LAYOUTS:
        for engines in (0, 1):
            priced = cost.shift(m, n, layout, engines=engines, **at)
            assert cycles(patterns.shift(n, m, layout), engines=engines, **at) == priced
    for root in {0, 1, n // 2, n - 1}:
        assert cycles(patterns.multicast(n, m, root), **at) == cost.multicast(m, n, root, **at)
        for per in ("wavelet", "message"):
            assert cycles(patterns.forward(n, m, root, per=per), **at) == cost.forward(
                m, n, root, per=per, **at
            )
    assert cycles(patterns.reduction(patterns.chain_parents(n), m), **at) == cost.chain(m, n, **at)
    assert cycles(patterns.reduction(patterns.star_parents(n), m), **at) == cost.star(m, n, **at)


@pytest.mark.parametrize(
    "sizes", [(4,), (2, 2), (3, 5), (4, 4), (2, 3, 2), (8, 8), (4, 4, 4), (2, 2, 2, 2, 2)]
)
@pytest.mark.parametrize("m", [1, 8, 65])
def test_k_trees_to_the_cycle(sizes, m):
    for hop, ramp in ((1, 2), (3, 1)):
        assert cycles(patterns.ktree(m, sizes), hop=hop, ramp=ramp) == cost.ktree(
            m, sizes, hop=hop, ramp=ramp
        )


@pytest.mark.parametrize(("rows", "columns"), [(1, 5), (3, 4), (6, 5)])
@pytest.mark.parametrize("m", [1, 6, 40])
def test_patterns_of_a_mesh_to_the_cycle(rows, columns, m):
    core = np.arange(rows * columns)
    y, x = np.divmod(core, columns)
    ready = np.full(len(core), -1)

    snake, along = Draft((rows, columns)), np.where(y % 2, columns - 1 - x, x) + y * columns
    place = np.argsort(along)
    add_up(snake, core, np.where(along > 0, place[along - 1], -1), m, ready)
    assert cycles(snake.traffic()) == cost.snake(m, rows, columns)

    flat = Draft((rows, columns))
    nodes, came = add_up(flat, core, np.where(x > 0, core - 1, -1), m, ready)
    ready[nodes] = came
    add_up(flat, core, np.where((x == 0) & (y > 0), core - columns, -1), m, ready)
    assert cycles(flat.traffic()) == cost.xy(m, rows, columns)

    flood = Draft((rows, columns))
    flood.spread(0, core[1:], m)
    assert cycles(flood.traffic()) == cost.message(m, rows + columns - 2)


@pytest.mark.parametrize(("n", "m"), [(4, 1), (8, 16), (16, 4), (32, 8), (33, 20)])
def test_generated_trees_take_about_what_their_model_says(n, m):
    priced, parent = cost.autogen(m, n)
    found = cycles(patterns.reduction(parent, m))
    assert 0.75 * priced <= found <= 1.08 * priced
    assert found >= max(m, n - 1) + 2 * 2 + 2


@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_row_of_64_in_both_schedules(layout):
    found = [cycles(patterns.shifts(64, 8, layout=layout, schedule=each)) for each in ("dataflow", "barrier")]
    assert found == [958, 4864 if layout == "natural" else 960]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("schedule", ["barrier", "dataflow"])
@pytest.mark.parametrize(
    ("n", "m", "work", "hop"), [(2, 1, 0, 1), (5, 8, 0, 1), (8, 3, 13, 1), (9, 4, 12, 2), (12, 8, 40, 3)]
)
def test_rows_and_columns_coupled_to_the_cycle(layout, schedule, n, m, work, hop):
    loop = patterns.shifts(n, m, work, layout=layout, schedule=schedule, coupled=True)
    for shared in (False, True):
        priced = cost.shifts(
            m, n, work, layout=layout, schedule=schedule, coupled=True, shared_ramp=shared, hop=hop
        )
        assert cycles(loop, hop=hop, shared_ramp=shared) == priced


def test_fused_rings_to_the_cycle():
    for n, b, layout in [
        (4, 1, "natural"),
        (4, 9, "natural"),
        (6, 7, "natural"),
        (8, 3, "interleaved"),
        (5, 12, "interleaved"),
    ]:
        assert cycles(patterns.ring(n, n * b, layout, fused=True)) == cost.ring(n * b, n, layout, fused=True)
        assert cycles(patterns.ring(n, n * b, layout)) == cost.ring(n * b, n, layout)


@pytest.mark.parametrize("k", [4, 7])
def test_permutations_keep_the_law_of_the_busiest_link(k):
    for name in patterns.PERMUTATIONS:
        run = simulate(patterns.permutation(patterns.named_permutation(name, k), 8, (k, k)), hop=3)
        assert run.cycles >= run.busiest_link + 3 + 2 * 2 + 1
        if name == "neighbour":
            assert run.cycles == 8 + 3 * 2 * (k - 1) + 5
        if name == "transpose":
            assert run.busiest_link == (k - 1) * 8


@st.composite
def traffics(draw):
    shape = draw(st.tuples(st.integers(1, 5), st.integers(1, 6)))
    cores = st.integers(0, shape[0] * shape[1] - 1)
    draft, known = Draft(shape), [-1]
    for _ in range(draw(st.integers(1, 10))):
        after = [[draw(st.sampled_from(known))]]
        words, start = draw(st.integers(0, 7)), draw(st.integers(0, 9))
        if draw(st.booleans()):
            targets = draw(st.lists(cores, min_size=1, max_size=4, unique=True))
            known.extend(draft.spread(draw(cores), targets, words, after=after, start=start))
        else:
            came = draft.send(
                draw(cores), draw(cores), words, after=after, start=start, priority=draw(st.integers(0, 1))
            )
            known.extend(came)
    return draft.traffic()


@given(traffics(), st.integers(1, 3), st.integers(1, 3), st.sampled_from([0, 1]), st.booleans())
@settings(max_examples=40)
def test_the_slow_twin_agrees_on_every_arrival(traffic, hop, ramp, engines, shared_ramp):
    machine = {"hop": hop, "ramp": ramp, "engines": engines, "shared_ramp": shared_ramp}
    complete, _ = simulate_slowly(traffic, **machine)
    assert outcome(traffic, **machine)[0].complete.tolist() == complete


@st.composite
def forests(draw):
    """Parents of up to 12 nodes, children on both sides, and the delivery each node waits for."""
    n = draw(st.integers(2, 12))
    order = draw(st.permutations(range(n)))
    parent = np.full(n, -1)
    for place in range(1, n):
        parent[order[place]] = order[draw(st.integers(0, place - 1))] if draw(st.integers(0, 5)) else -1
    return parent


@given(forests(), st.integers(1, 9), st.integers(0, 20))
@settings(max_examples=40)
def test_the_slow_twin_agrees_on_trees(parent, words, work):
    draft, core = Draft((2, 6)), np.arange(len(parent))
    ready = draft.work(core, work * (core % 3))
    add_up(draft, core, parent, words, ready)
    traffic = draft.traffic()
    run, lanes, segments = outcome(traffic)
    assert run.complete.tolist() == simulate_slowly(traffic)[0]
    y, x = np.divmod(core, 6)
    sends = parent >= 0
    way = (abs(y - y[parent]) + abs(x - x[parent]))[sends]
    assert totals(traffic, lanes, segments)["hops"] == words * int(way.sum())


@given(traffics(), st.integers(1, 3), st.sampled_from([None, 0, 1, 5]))
@settings(max_examples=40)
def test_words_are_conserved(traffic, hop, queue):
    run = simulate(traffic, hop=hop, queue=queue, window=1)
    words = traffic.words[traffic.message]
    assert (run.complete < 10**6).all()
    y, x = np.divmod(np.stack([traffic.source[traffic.message], traffic.target]), traffic.shape[1])
    way = np.abs(np.diff(y, axis=0) + 0)[0] + np.abs(np.diff(x, axis=0))[0]
    assert run.words.max(initial=0) <= 1
    assert (run.use <= 100).all()
    assert (run.demand >= run.use).all()
    assert int(run.words.sum()) == run.hops <= int((words * way).sum())
    copies = np.bincount(traffic.message, minlength=1)
    if (copies <= 1).all():
        assert run.hops == int((words * way).sum())
    assert not (run.words.values[:, ~run.link.values]).any()
    assert int(run.waiting.isel(window=-1).sum()) == 0
    away = way > 0
    long = (words + hop * way + 5)[away & (words > 0)]
    assert (run.complete.values[away & (words > 0)] >= long).all()
    if queue is not None:
        assert int(run.waiting.max()) <= 4 * (queue + hop) or traffic.words.max() <= queue


def test_back_pressure_slows_and_never_loses():
    """Two streams of 40 words meet at one link; small buffers hold the second back at its source."""
    draft = Draft((2, 6))
    draft.send([0, 6], [5, 11], 40)
    draft.send(1, 5, 40)
    free, tight = (simulate(draft.traffic(), queue=queue, window=4) for queue in (None, 1))
    assert free.cycles == tight.cycles == 40 + 40 + 4 + 5
    assert int(free.waiting.max()) > 10
    assert int(tight.waiting.max()) <= 4
    assert float(free.demand.max()) > 150
    assert float(free.use.max()) == 100


def test_long_edges_need_buffers():
    """Cannon's free-running loop needs room for the words on its long edge; with little room it is slower."""
    loop = patterns.shifts(12, 8, schedule="dataflow")
    assert cycles(loop, queue=200) == cycles(loop) <= cycles(loop, queue=0)


def test_a_deadlock_names_its_circle():
    with pytest.raises(
        DeadlockError, match=r"deadlock at cycle \d+: the buffers of 4 links wait for each other"
    ) as caught:
        simulate(hold_up(), queue=1)
    assert set(caught.value.links) == {"(0,0) east", "(0,1) south", "(1,1) west", "(1,0) north"}


def hold_up():
    """Four streams of 50 words round a square, three links each, on one colour."""
    draft = Draft((2, 2))
    routes = ([0, 1, 3, 2], [1, 3, 2, 0], [3, 2, 0, 1], [2, 0, 1, 3])
    for route in routes:
        draft.along(route, 50)
    return draft.traffic()


def test_more_colours_or_buffers_undo_a_deadlock():
    draft = Draft((2, 2))
    for number, route in enumerate(([0, 1, 3, 2], [1, 3, 2, 0], [3, 2, 0, 1], [2, 0, 1, 3])):
        draft.along(route, 50, colour=number)
    free = simulate(draft.traffic(), queue=1)
    assert free.hops == simulate(hold_up(), queue=400).hops == 4 * 3 * 50


def test_a_route_replaces_the_way_along_x_and_y():
    draft = Draft((3, 3))
    draft.along([0, 3, 6, 7, 8, 5], 4)
    run = simulate(draft.traffic())
    assert (run.cycles, run.hops) == (4 + 5 + 5, 20)
    assert int(run.words.sel(direction="south").sum()) == 8


def test_frames_add_up_to_the_run():
    traffic = patterns.permutation(patterns.named_permutation("tornado", 6), 9, (6, 6))
    whole, frames = simulate(traffic), simulate(traffic, window=7)
    assert frames.sizes["window"] == -(-frames.cycles // 7)
    np.testing.assert_array_equal(frames.words.sum("window"), whole.words.sum("window"))
    assert int(frames.window[-1]) == whole.cycles
    assert frames.words.attrs["units"] == "words"
    assert {each.attrs["units"] for each in frames.data_vars.values()} == {"cycles", "words", "%", "1"}


def test_idle_windows_are_kept_and_long_cascades_end():
    draft = Draft(4)
    came = draft.send(0, 3, 2, after=[draft.work(0, 50)])
    for _ in range(3000):
        came = draft.send(1, 1, 0, after=[came])
    draft.send(3, 0, 2, after=[came])
    run = simulate(draft.traffic(), window=10)
    assert run.cycles == 50 + 2 * (2 + 3 + 5)
    assert run.window.values.tolist() == [10, 20, 30, 40, 50, 60, 70]
    assert run.words.sum(("direction", "y", "x")).values.tolist() == [0, 0, 0, 0, 0, 6, 6]


def endless():
    draft = Draft(4)
    draft.send(0, 3, 5, after=[[1]])
    draft.send(3, 0, 5, after=[[0]])
    return draft.traffic()


def bad_core():
    draft = Draft(4)
    draft.send(0, 9, 1)
    draft.traffic()


def bad_need():
    draft = Draft(4)
    draft.send(0, 3, 1, after=[[7]])
    draft.traffic()


def bad_route():
    draft = Draft(4)
    draft.along([0, 2], 1)
    simulate(draft.traffic())


BAD = {
    "hop": (ValueError, "hop=0: .*give 1 or more", lambda: simulate(patterns.shift(4, 2), hop=0)),
    "ramp": (ValueError, "ramp=0.5", lambda: simulate(patterns.shift(4, 2), ramp=0.5)),
    "queue": (ValueError, "queue=-1", lambda: simulate(patterns.shift(4, 2), queue=-1)),
    "window": (ValueError, "window=0", lambda: simulate(patterns.shift(4, 2), window=0)),
    "engines": (ValueError, "engines=2", lambda: simulate(patterns.shift(4, 2), engines=2)),
    "core": (ValueError, r"target\[0\]=9: give a number from 0 to 3", bad_core),
    "need": (ValueError, r"needs\[:, 0\]\[0\]=7: give a number from 0 to 0", bad_need),
    "words": (ValueError, r"words\[0\]=-1", lambda: patterns.shift(4, -1)),
    "route": (ValueError, "cores 0 and 2 are no neighbours", bad_route),
    "circle": (ValueError, "2 deliveries wait for each other, first that of message 0", lambda: simulate(endless())),
    "longest": (ValueError, "raise longest=20", lambda: simulate(patterns.shift(64, 200), longest=20)),
    "memory": (MemoryError, "need about .* KiB, memory allows 1,000 B; simulate about", lambda: simulate(patterns.shift(64, 8), memory=1000)),
    "tree": (ValueError, "parent=.*give -1 for core 0", lambda: patterns.reduction([-1, 2, 1], 4)),
    "permutation": (ValueError, "name='mirror': choose 'transpose'", lambda: patterns.named_permutation("mirror", 4)),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_says_what_is_wrong_and_what_would_work(name):
    kind, message, call = BAD[name]
    with pytest.raises(kind, match=message):
        call()
