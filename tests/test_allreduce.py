"""Laws of every allreduce: exact sums on every core, one bit pattern for all, the published hops and relays."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from waferviz import ALLREDUCE, Machine, audit, prove, roofline, run, table, tree, verify
from waferviz.algorithms.autogen import autogen_plan
from waferviz.algorithms.ktree import group_sizes, ktree_plan
from waferviz.algorithms.ring_allreduce import allgather_vectors, reduce_scatter
from waferviz.orders import natural
from waferviz.program import Move
from waferviz.trees import reach

LINES = (1, 2, 3, 5, 8, 9)
MESHES = [*LINES, (3, 4), (1, 6), (5, 1)]


def each(test):
    return pytest.mark.parametrize("name", list(ALLREDUCE))(test)


def built(name, mesh, **options):
    if name == "snake":
        mesh = mesh if isinstance(mesh, tuple) else (1, mesh)
    return ALLREDUCE[name](mesh, **options)


def drawn(program, length=5, dtype=int, seed=0):
    shape = (*program.shape, length)
    rng = np.random.default_rng(seed)
    return rng.integers(-99, 100, shape) if dtype is int else rng.normal(size=shape).astype(dtype)


def last(trace):
    return trace.V.isel(step=-1).values


@each
@pytest.mark.parametrize("mesh", MESHES, ids=str)
@pytest.mark.parametrize("op", ["add", "max"])
def test_integers_are_exact_on_every_core(name, mesh, op):
    program = built(name, mesh, op=op)
    v = drawn(program)
    trace = run(program, {"V": v})
    axes = (0, 1) if name == "snake" else 1
    united = v.sum(axis=axes, keepdims=True) if op == "add" else v.max(axis=axes, keepdims=True)
    assert np.array_equal(last(trace), np.broadcast_to(united, v.shape))
    verdict = verify(trace)
    assert verdict, str(verdict)
    assert verdict.product == "equal to NumPy, bit for bit"


@each
@pytest.mark.parametrize("axis", ["y", "xy"])
def test_other_axes(name, axis):
    if (name, axis) in (("ring", "xy"), ("snake", "y")):
        with pytest.raises(ValueError, match="axis="):
            built(name, (4, 6), axis=axis)
        return
    program = built(name, (4, 6), axis=axis)
    v = drawn(program)
    total = v.sum(axis=0 if axis == "y" else (0, 1), keepdims=True)
    trace = run(program, {"V": v})
    assert np.array_equal(last(trace), np.broadcast_to(total, v.shape))
    assert verify(trace)


@each
@pytest.mark.parametrize(("dtype", "sums"), [("float16", None), ("float16", "float16"), ("float32", None), ("float64", None)])  # fmt: skip
def test_reals_are_alike_on_every_core_and_within_the_bound(name, dtype, sums):
    trace = run(program := built(name, 9), {"V": drawn(program, dtype=dtype)}, sums=sums)
    found = last(trace)
    assert found.dtype == np.dtype(sums or ("float32" if dtype == "float16" else dtype))
    assert (found == found[:1, :1]).all()
    verdict = verify(trace)
    assert verdict, str(verdict)
    assert "all cores alike" in verdict.product


def test_two_float16_travel_in_one_word():
    program = ALLREDUCE["ktree"](9)
    v = drawn(program, 11, "float16")
    assert run(program, {"V": v}, sums="float16").attrs["words"] == 6
    assert run(program, {"V": v}).attrs["words"] == 11


def test_the_order_of_a_tree_is_the_order_of_its_additions():
    v = np.array([[1e8], [1.0], [-1e8], [1.0]], np.float32)
    assert last(run(tree([-1, 0, 1, 2]), {"V": v}))[0, 0, 0] == np.float32(v[0] + (v[1] + (v[2] + v[3])))[0]
    assert last(run(tree([-1, 0, 0, 0]), {"V": v}))[0, 0, 0] == np.float32(((v[0] + v[1]) + v[2]) + v[3])[0]
    assert last(run(tree([1, -1, 1, 2]), {"V": v}))[0, 0, 0] == np.float32((v[1] + (v[2] + v[3])) + v[0])[0]


def by_hand(parents, v, core, shape):
    """Sum below a core, children nearest first, of two equally near ones the one further along first."""
    columns = shape[1]

    def far(child):
        return abs(child // columns - core // columns) + abs(child % columns - core % columns)

    children = sorted(
        (c for c, p in enumerate(parents) if p == core and c != core), key=lambda c: (far(c), -c)
    )
    total = v[core]
    for child in children:
        total = total + by_hand(parents, v, child, shape)
    return total


@st.composite
def trees(draw):
    rows, columns = draw(st.sampled_from([(1, 1), (1, 7), (3, 4), (2, 3)]))
    cores = rows * columns
    order = draw(st.permutations(range(cores)))
    parents = [-1] * cores
    for number, core in enumerate(order[1:], 1):
        parents[core] = order[draw(st.integers(0, number - 1))]
    return parents, (rows, columns)


def messages_on_links(parents, shape):
    """How many messages from child to parent cross each link, along x first: dims (direction, y, x)."""
    found = np.zeros((4, *shape), int)
    for child, parent in enumerate(parents):
        if parent < 0:
            continue
        (y, x), (v, u) = divmod(child, shape[1]), divmod(parent, shape[1])
        while x != u:
            found[0 if u > x else 1, y, x] += 1
            x += 1 if u > x else -1
        while y != v:
            found[2 if v > y else 3, y, x] += 1
            y += 1 if v > y else -1
    return found


@settings(max_examples=60)
@given(trees())
def test_any_tree_adds_in_its_order_and_costs_its_ways(drawn_tree):
    parents, shape = drawn_tree
    v = np.random.default_rng(1).normal(size=(len(parents), 2)).astype(np.float32)
    program = tree(parents, shape=shape)
    trace = run(program, {"V": v})
    root = parents.index(-1)
    assert np.array_equal(
        last(trace).reshape(v.shape), np.broadcast_to(by_hand(parents, v, root, shape), v.shape)
    )
    assert verify(trace)
    hops, edges = [0] * len(parents), [0] * len(parents)
    for core in range(len(parents)):
        at = core
        while parents[at] >= 0:
            up = parents[at]
            hops[core] += abs(at // shape[1] - up // shape[1]) + abs(at % shape[1] - up % shape[1])
            edges[core] += 1
            at = up
    bill = audit(program)
    assert (int(bill.hops[0]), int(bill.stages[0])) == (max(hops), max(edges))
    assert np.array_equal(bill.flows[0].values, messages_on_links(parents, shape))
    assert int(bill.ramp_words[0]) == max([parents.count(core) for core in range(len(parents))])


def test_published_hops_and_relays():
    for row in table("waferllm_oracle_ktree").to_dataframe().itertuples():
        bill = audit(ALLREDUCE["ktree"](row.N, sizes=(row.pes_per_group, row.group_num)))
        assert bill.hops.values.tolist() == [row.phase1_hops, row.phase2_hops, row.broadcast_hops]
        assert (int(bill.hops.sum()), int(bill.stages.sum())) == (row.total_hops, row.routing_stages)
        line = audit(ALLREDUCE["pipeline"](row.N))
        assert (int(line.hops.sum()), int(line.stages.sum())) == (row.pipeline_hops_end_root, row.pipeline_stages_end_root)  # fmt: skip


def test_roots_of_the_released_settings():
    for row in table("waferllm_decode_configs").to_dataframe().itertuples():
        plan = ktree_plan(row.P, (row.pes_per_group, row.group_num))
        assert plan.root == row.root_2nd
        bill = audit(ALLREDUCE["ktree"](row.P, sizes=(row.pes_per_group, row.group_num)))
        assert (int(bill.hops.sum()), int(bill.stages.sum())) == (row.allreduce_critical_hops, row.allreduce_stages)  # fmt: skip


@pytest.mark.parametrize("sizes", [(2, 2, 2), (3, 3, 3), (4, 3, 5), (60,)])
def test_any_number_of_phases(sizes):
    cores, strides = int(np.prod(sizes)), np.cumprod((1, *sizes[:-1]))
    down = [size // 2 for size in sizes]
    root = int(np.dot(down, strides))
    bill = audit(ALLREDUCE["ktree"](cores, sizes=sizes))
    assert int(bill.hops.sum()) == root + max(root, cores - 1 - root)
    assert int(bill.stages.sum()) == sum(down)


@pytest.mark.parametrize("cores", [7, 11, 13, 17, 23])
@pytest.mark.parametrize("k", [1, 2, 3])
def test_ragged_groups_still_add_everything(cores, k):
    trace = run(program := ALLREDUCE["ktree"](cores, k=k), {"V": drawn(program, 3)})
    assert verify(trace)
    assert int(audit(program).stages.sum()) <= cores // 2


def test_default_sizes_are_those_of_the_released_settings():
    for row in table("waferllm_decode_configs").to_dataframe().itertuples():
        if row.P not in (8, 512):  # powers of two in the release take fewer, larger groups
            assert group_sizes(row.P) == (row.pes_per_group, row.group_num)


@pytest.mark.parametrize("order", [None, natural])
def test_an_allreduce_is_a_reduce_scatter_and_an_allgather(order):
    options = {} if order is None else {"order": order}
    v = drawn(ALLREDUCE["ring"](6), 12)
    half = run(reduce_scatter(6, **options), {"V": v})
    assert verify(half)
    chunk = np.arange(12) // 2 == np.arange(6)[:, None]
    rest = run(allgather_vectors(6, **options), {"V": np.where(chunk, last(half), 0)})
    assert verify(rest)
    whole = run(ALLREDUCE["ring"](6, **options), {"V": v})
    assert np.array_equal(last(rest), last(whole))
    assert len(whole.step) == len(half.step) + len(rest.step) - 1 == 11


@pytest.mark.parametrize("cores", [5, 6, 8])
def test_the_fused_ring_adds_the_same_for_about_the_same_price(cores):
    fused, stepped = ALLREDUCE["ring"](cores, fused=True), ALLREDUCE["ring"](cores)
    v = {"V": drawn(fused, 4 * cores)}
    one, other = run(fused, v), run(stepped, v)
    assert verify(one)
    assert np.array_equal(last(one), last(other))
    assert int(one.cycle[-1]) == pytest.approx(int(other.cycle[-1]), rel=0.1)


@pytest.mark.parametrize("cores", [2, 5, 8, 16])
@pytest.mark.parametrize("words", [1, 8, 256])
def test_the_generated_tree_is_the_best_of_all(cores, words):
    def cycles(parents):
        _, edges = reach(parents, abs(np.arange(cores) - parents))
        energy = abs(np.arange(cores) - parents)[parents >= 0].sum()
        return words * energy / (cores - 1) + cores - 1 + 5 * edges.max()

    here = np.arange(cores)
    best = cycles(autogen_plan(cores, words).phases[0])
    for other in (np.where(here > 0, 0, -1), here - 1, np.where(here > 0, here & (here - 1), -1)):
        assert best <= cycles(other) + 1e-9


def test_a_phase_under_a_barrier_by_hand():
    """Nine cores in threes, 4 words: chains of one relay; phase two passes two routers; then 4 hops back."""
    bill = audit(ALLREDUCE["ktree"](9), Machine.preset("wse2"), matrices=(4,))
    hop, ramp = 1, 2
    relay = hop + 2 * ramp + 1
    assert bill.cycles.values.tolist() == [2 * 4 + relay, 2 * 4 + 2 * hop + relay, 4 + 4 * hop + 2 * ramp + 1]
    assert bill.adds.values.tolist() == [8, 8, 0]


def test_trees_win_for_short_vectors_only():
    wse = Machine.preset("wse2")

    def cycles(name, words, **options):
        return int(audit(ALLREDUCE[name](64, **options), wse, matrices=(words,)).cycles.sum())

    assert cycles("ktree", 8) < cycles("pipeline", 8) / 2
    assert cycles("ktree", 256, sizes=(4, 16)) > cycles("pipeline", 256)


def test_a_wrong_tree_is_found():
    good = ALLREDUCE["ktree"](8, sizes=(4, 2))
    first, second, third = good.body
    twice = Move(read="V", write="V", axis="x", target=first.moves[0].target, combine="add", tree=True)
    body = (first, type(first)("again", (twice,)), second, third)
    proof = prove(type(good)(**{**vars(good), "body": body}))
    assert not proof
    assert (proof.step, proof.core) == (2, (0, 2))
    assert "a second time" in proof.detail
    forgotten = prove(type(good)(**{**vars(good), "body": (first, third)}))
    assert not forgotten
    assert "ends with 4 of 8 shares, that of core 0" in forgotten.detail


def test_a_wrong_value_is_found():
    trace = run(program := ALLREDUCE["chain"](5), {"V": drawn(program)})
    values = trace.V.values.copy()
    values[-1, 0, 3, 2] += 1
    changed = trace.assign(V=(trace.V.dims, values))
    changed.encoding = trace.encoding
    verdict = verify(changed)
    assert not verdict
    assert verdict.core == (0, 3)
    assert "entry 2 of core (0,3)" in verdict.product


@pytest.mark.parametrize("name", ["ktree", "ring", "snake"])
@pytest.mark.parametrize("op", ["add", "max"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_entries_that_are_not_finite_stay_so(name, op, bad):
    v = np.random.default_rng(0).normal(size=(6, 4))
    v[2, 1], v[4, 1], v[3, 2] = bad, -bad, bad
    trace = run(built(name, 6, op=op), {"V": v})
    assert verify(trace), str(verify(trace))
    assert not np.isfinite(last(trace)[..., 1:3]).any()
    values = trace.V.values.copy()
    values[-1, 0, 0, 2] = 0
    spoiled = trace.assign(V=(trace.V.dims, values))
    spoiled.encoding = trace.encoding
    assert not verify(spoiled)


def test_sums_beyond_float16_are_infinite_and_said_to_be_right():
    v = np.full((6, 3), 60000, np.float16)
    trace = run(ALLREDUCE["chain"](6), {"V": v}, sums="float16")
    assert np.isinf(last(trace)).all()
    assert verify(trace)


def test_a_trace_without_its_program_is_checked_for_its_sums():
    for program in (
        built("ktree", (3, 4), axis="xy"),
        reduce_scatter(4),
        allgather_vectors((4, 2), axis="y"),
    ):
        trace = run(program, {"V": drawn(program, 8)}).load()
        bare = xr.Dataset(trace.variables, attrs=trace.attrs)
        verdict = verify(bare)
        assert verdict, str(verdict)
        assert "without its program" in verdict.movement
        values = bare.V.values.copy()
        values[-1] += 1
        assert not verify(bare.assign(V=(bare.V.dims, values)))


def test_large_lines_are_proved_by_fingerprint(monkeypatch):
    monkeypatch.setattr("waferviz.shares.COUNTED", 10)
    for name in ALLREDUCE:
        assert prove(built(name, 6)).method == "fingerprint"
        assert prove(built(name, 6))
    good = ALLREDUCE["ktree"](8)
    assert not prove(type(good)(**{**vars(good), "body": good.body[1:]}))


def test_shares_grow_to_all():
    trace = run(ALLREDUCE["ktree"](8, sizes=(4, 2)))
    assert trace.shares.isel(y=0).values.astype(int).tolist() == [
        [1] * 8, [1, 1, 4, 1, 1, 1, 4, 1], [1, 1, 4, 1, 1, 1, 8, 1], [8] * 8,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ALLREDUCE["ktree"](16, k=5), "k=5.*1 to 4 phases"),
        (lambda: ALLREDUCE["ktree"](9, sizes=(4, 2)), r"gather 8 cores, the line has 9.*\(3, 3\)"),
        (lambda: ALLREDUCE["ktree"](9, sizes=(9, 0)), "sizes"),
        (lambda: ALLREDUCE["chain"](0), "mesh=0"),
        (lambda: ALLREDUCE["chain"](4, op="mean"), "op='mean'.*add"),
        (lambda: ALLREDUCE["chain"](4, axis="z"), "axis='z'.*xy"),
        (lambda: ALLREDUCE["autogen"](4, words=-1), "words=-1"),
        (lambda: ALLREDUCE["two_phase"](4, group=0), "group=0"),
        (lambda: tree([1, 2, 0]), "circle"),
        (lambda: tree([-1, -1, 0]), "cores 0, 1 send to nobody"),
        (lambda: tree([0, -1]), r"core 0 to itself, parents\[0\]=0.*one root"),
        *((lambda op=op: tree([-1, 0], op=op), f"op={op!r}: choose 'add' or 'max'") for op in ("min", "mul", "", None)),
        *((lambda build=build: build(8, op="mul"), "op='mul': choose 'add' or 'max'") for build in ALLREDUCE.values()),
        *((lambda build=build: build(8, op=None), "op=None: choose") for build in ALLREDUCE.values()),
        (lambda: Move(read="V", write="V", axis="x", target=np.zeros(3, int), combine="mul"), "combine='mul'; choose 'add'"),
        (lambda: Move(read="V", write="V", axis="x", source=np.zeros(3, int), combine="mul"), "combine='mul'; choose 'add'"),
        (lambda: tree([5, -1]), r"parents\[0\]=5: cores are 0 to 1"),
        (lambda: tree([]), "one integer per core"),
        (lambda: tree([0.5, -1]), "one integer per core"),
        (lambda: tree([-1, 0, 0], shape=(2, 2)), "4 cores"),
        (lambda: run(ALLREDUCE["chain"](4), {"V": np.ones((4, 0))}), "at least one entry"),
        (lambda: run(ALLREDUCE["chain"](4), {"V": np.ones((3, 2))}), r"\(3, 2\).*\(4, n\)"),
        (lambda: run(ALLREDUCE["chain"](4), {"V": np.ones((4, 2), complex)}), "complex"),
        (lambda: run(ALLREDUCE["chain"](4), {"V": np.full((4, 1), 2**62)}), "int64"),
        (lambda: run(ALLREDUCE["chain"](4), {"V": np.ones((4, 1))}, sums="int64"), "sums=int64"),
        (lambda: audit(ALLREDUCE["chain"](4), matrices=(0,)), "at least one entry"),
        (lambda: roofline(ALLREDUCE["chain"](4)), "multiplies nothing"),
        (lambda: Move(read="V", write="V", axis="x", source=np.arange(3), tree=True), "target"),
    ],
)  # fmt: skip
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_a_budget_too_small_is_said_before_memory_is_taken():
    with pytest.raises(MemoryError, match="budget"):
        run(ALLREDUCE["chain"](4), {"V": np.ones((4, 1000))}, budget=1000)
