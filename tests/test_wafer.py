"""Wafers with dead cores: yield tables, remapping row by row, laws, and prices against a walk core by core."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waferviz import GEMM, Machine, Placement, audit
from waferviz.orders import natural
from waferviz.published import rows
from waferviz.wafer import (
    LAWS,
    core_failure,
    draw,
    drop_lines,
    price,
    remap,
    ring_hops,
    row_yield,
    stretch,
    stretched_hops,
    wafer_yield,
)
from waferviz.wafer.laws import bose_einstein, murphy, negative_binomial, poisson, seeds

MESH = [
    {key: float(value) for key, value in row.items() if key != "source"} for row in rows("noc_yield_mesh")
]


def column(name, where):
    return np.array([row[name] for row in where])


def test_yield_of_blocks():
    table = rows("noc_yield_laws")
    x = np.array([float(row["area_mm2"]) * float(row["defects_per_cm2"]) / 100 for row in table])
    np.testing.assert_allclose(x, [float(row["mean_defects"]) for row in table], rtol=1e-9)
    for name, found in (
        ("poisson", poisson(x)), ("murphy", murphy(x)), ("seeds", seeds(x)),
        ("negative_binomial_2", negative_binomial(x, 2)), ("negative_binomial_3", negative_binomial(x, 3)),
    ):  # fmt: skip
        np.testing.assert_allclose(found, [float(row[name]) for row in table], rtol=4e-6, err_msg=name)


def test_published_yields():
    die = 814 * 0.1 / 100
    assert [round(float(law(die)), 2) for law in (poisson, murphy, negative_binomial)] == [0.44, 0.47, 0.51]
    assert float(core_failure(0.05, 0.1)) == pytest.approx(5e-5, rel=1e-4)
    assert float(poisson(46_225 * 0.1 / 100)) == pytest.approx(8.4e-21, rel=0.01)
    lost = 46_225 * 0.001 * 0.05
    assert lost == pytest.approx(2.3, abs=0.02)


def test_the_table_of_spares():
    found = wafer_yield(757, 996, np.arange(5), core_failure(0.05, 0.1))
    np.testing.assert_allclose(found, [4.243e-17, 0.4027, 0.9851, 0.9998, 1.0000], rtol=2e-4)
    clustered = wafer_yield(757, 996, np.arange(5), core_failure(0.05, 0.1), alpha=2)
    np.testing.assert_allclose(clustered, [0.0025, 0.5041, 0.9628, 0.9987, 0.99996], atol=5e-5)
    seven = [float(wafer_yield(757, 996, 7, core_failure(0.05, 1), alpha=alpha)) for alpha in (None, 2)]
    assert seven == pytest.approx([0.99995, 0.991], abs=1e-3)


def test_every_row_of_the_yield_table():
    fail = core_failure(column("core_area_mm2", MESH), column("defects_per_cm2", MESH))
    sizes = [column(name, MESH).astype(int) for name in ("rows", "columns", "spares")]
    np.testing.assert_allclose(fail, column("core_failure", MESH), rtol=2e-5)
    np.testing.assert_allclose(wafer_yield(*sizes, fail), column("poisson", MESH), rtol=1e-5)
    np.testing.assert_allclose(wafer_yield(*sizes, fail, alpha=2), column("clustered_2", MESH), atol=7e-5)
    mean = fail * sizes[0] * (sizes[1] + sizes[2])
    np.testing.assert_allclose(mean, column("mean_dead", MESH), atol=0.006)


def test_the_table_against_drawn_wafers():
    exact = float(wafer_yield(32, 32, 2, 0.01))
    assert exact == pytest.approx(0.8588, abs=5e-5)
    drawn = np.mean([remap(draw((32, 34), 0.01, seed=seed), 2).works for seed in range(2000)])
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 2000))
    clustered = float(wafer_yield(16, 16, 1, 0.01, alpha=1))
    drawn = np.mean([remap(draw((16, 17), 0.01, alpha=1, seed=seed), 1).works for seed in range(2000)])
    assert drawn == pytest.approx(clustered, abs=4 * math.sqrt(clustered * (1 - clustered) / 2000))


@given(st.integers(1, 40), st.integers(0, 5), st.floats(0, 1))
def test_a_row_by_the_textbook(columns, spares, fail):
    total = columns + spares
    sum_ = sum(
        math.comb(total, dead) * fail**dead * (1 - fail) ** (total - dead) for dead in range(spares + 1)
    )
    assert float(row_yield(columns, spares, fail)) == pytest.approx(min(sum_, 1), abs=1e-9)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 3), st.floats(1e-9, 0.5), st.floats(0.3, 50))
def test_laws_of_wafer_yield(rows, columns, spares, fail, alpha):
    for shape in (None, alpha):
        found = float(wafer_yield(rows, columns, spares, fail, alpha=shape))
        assert 0 <= found <= 1
        assert float(wafer_yield(rows, columns, spares + 1, fail, alpha=shape)) >= found - 1e-9
        assert float(wafer_yield(rows + 1, columns, spares, fail, alpha=shape)) <= found + 1e-9
        assert float(wafer_yield(rows, columns, spares, fail / 2, alpha=shape)) >= found - 1e-9
    without = float(wafer_yield(rows, columns, 0, fail, alpha=alpha))
    mean = -math.log1p(-fail) * rows * columns
    assert without == pytest.approx(float(negative_binomial(mean, alpha)), rel=1e-6)


@given(st.floats(0, 50))
def test_laws_of_the_laws(x):
    assert float(poisson(x)) <= float(murphy(x)) + 1e-12 <= float(seeds(x)) + 2e-12
    assert float(negative_binomial(x, 1)) == pytest.approx(float(seeds(x)))
    assert float(negative_binomial(x, 1e7)) == pytest.approx(float(poisson(x)), rel=1e-3)
    assert float(bose_einstein(x, 1)) == pytest.approx(float(seeds(x)))
    assert all(float(law(0)) == 1 for law in LAWS.values())


def test_clusters_help_without_spares_and_hurt_with_them():
    fail = core_failure(0.05, 0.1)
    assert wafer_yield(757, 996, 0, fail, alpha=2) > wafer_yield(757, 996, 0, fail)
    assert wafer_yield(757, 996, 3, fail, alpha=2) < wafer_yield(757, 996, 3, fail)


def test_certain_cases():
    np.testing.assert_array_equal(wafer_yield(3, 4, [0, 1], 0.0), [1, 1])
    np.testing.assert_array_equal(wafer_yield(3, 4, [0, 1], 1.0), [0, 0])
    np.testing.assert_allclose(wafer_yield(3, 4, [0, 1], [0.0, 1.0], alpha=2), [1, 0], rtol=1e-12)
    assert wafer_yield(1, np.arange(1, 4)[:, None], np.arange(2), 0.1).shape == (3, 2)


def wafer_of(row):
    shape = int(row["rows"]), int(row["columns"]) + int(row["spares"])
    dead = np.zeros(shape, bool)
    for core in row["dead"].split():
        dead[tuple(int(part) for part in core.split(":"))] = True
    return dead


@pytest.mark.parametrize(
    "row", rows("noc_remap"), ids=lambda row: f"{row['rows']}-{row['dead_cores']}-{row['seed']}"
)
def test_the_table_of_remapped_wafers(row):
    dead = wafer_of(row)
    assert dead.sum() == int(row["dead_cores"])
    found = remap(dead, int(row["spares"]))
    assert found.works == (row["works"] == "yes")
    assert [len(lines) for lines in drop_lines(dead)] == [int(row["rows_left"]), int(row["columns_left"])]
    if found.works:
        for name, value in stretch(found).items():
            assert value == pytest.approx(float(row[name]), abs=6e-6), name


@st.composite
def wafers(draw):
    shape = draw(st.tuples(st.integers(1, 7), st.integers(2, 9)))
    spares = draw(
        st.lists(st.integers(0, shape[1] - 1), min_size=0, max_size=min(3, shape[1] - 1), unique=True)
    )
    dead = draw(st.lists(st.tuples(st.integers(0, shape[0] - 1), st.integers(0, shape[1] - 1)), max_size=6))
    mask = np.zeros(shape, bool)
    for core in dead:
        mask[core] = True
    return mask, spares


@given(wafers())
def test_laws_of_remapping(wafer):
    dead, spares = wafer
    found = remap(dead, spares)
    np.testing.assert_array_equal(found.fails, dead.sum(axis=1) > len(spares))
    good = np.flatnonzero(~found.fails)
    assert np.all(found.column[found.fails] == -1)
    assert (np.diff(found.column[good], axis=1) >= 1).all()
    assert not dead[good[:, None], found.column[good]].any()
    healthy = good[~dead[good].any(axis=1)]
    assert not np.isin(found.column[healthy], spares).any()
    assert found.shape == (dead.shape[0], dead.shape[1] - len(spares))


def test_the_nearest_spare_takes_over():
    dead = np.zeros((1, 8), bool)
    dead[0, 2] = True
    np.testing.assert_array_equal(remap(dead, [0, 7]).column, [[0, 1, 3, 4, 5, 6]])
    dead[0, 2], dead[0, 5] = False, True
    np.testing.assert_array_equal(remap(dead, [0, 7]).column, [[1, 2, 3, 4, 6, 7]])


@pytest.mark.parametrize("cores", [6, 7, 16, 33])
def test_one_dead_core_lengthens_the_interleaved_ring_to_three(cores):
    healthy = remap(np.zeros((1, cores + 1), bool), 1)
    assert ring_hops(healthy)[0] == 2
    for core in range(2, cores - 1):
        dead = np.zeros((1, cores + 1), bool)
        dead[0, core] = True
        assert ring_hops(remap(dead, 1))[0] == 3
        assert ring_hops(remap(dead, 1), natural(cores))[0] == cores


def test_maps_are_drawn_by_seed():
    one, two = draw((40, 50), 0.05, seed=1), draw((40, 50), 0.05, seed=1)
    np.testing.assert_array_equal(one, two)
    assert (draw((40, 50), 0.05, seed=2) != one).any()
    assert (draw((40, 50), 0.1, seed=1) >= one).all()
    assert draw((300, 300), 0.05, seed=3).mean() == pytest.approx(0.05, abs=0.004)
    assert draw((3, 3), 1, alpha=2).all()
    assert not draw((3, 3), 0, alpha=2).any()
    counts = [
        draw((96, 96), 0.02, alpha=0.3, region=(8, 8), seed=seed).reshape(12, 8, 12, 8).sum((1, 3))
        for seed in range(20)
    ]
    plain = [draw((96, 96), 0.02, seed=seed).reshape(12, 8, 12, 8).sum((1, 3)) for seed in range(20)]
    assert np.mean(counts) == pytest.approx(64 * 0.02, rel=0.2)
    assert np.var(counts) > 3 * np.var(plain)


def walked(program, found):
    """Longest physical way of each step, one core and one link at a time."""
    out, columns = [], found.column
    for step, repeat in program:
        longest = 0
        for move in step.moves:
            index = np.broadcast_to(move.at(repeat), program.shape)
            for (y, x), other in np.ndenumerate(index):
                if other < 0:
                    continue
                there = (
                    divmod(int(other), program.shape[1])
                    if move.axis == "xy"
                    else ((y, other) if move.axis == "x" else (other, x))
                )
                (sy, sx), (ty, tx) = ((y, x), there) if move.source is None else (there, (y, x))
                way = abs(int(columns[sy, tx]) - int(columns[sy, sx]))
                for row in range(min(sy, ty), max(sy, ty)):
                    way += 1 + abs(int(columns[row + 1, tx]) - int(columns[row, tx]))
                longest = max(longest, way)
        out.append(longest)
    return out


@settings(max_examples=25)
@given(st.sampled_from(sorted(GEMM)), st.integers(2, 5), st.integers(0, 1000))
def test_prices_against_a_walk(name, side, seed):
    program = GEMM[name](side)
    dead = draw((side, side + 2), 0.08, seed=seed)
    found = remap(dead, 2)
    if not found.works:
        with pytest.raises(ValueError, match="more dead cores than the 2 spares"):
            stretched_hops(program, found)
        return
    machine = Machine.preset("wse2", shape=(side, side))
    priced = price(program, found, machine)
    assert priced.physical_hops.values.tolist() == walked(program, found)
    bill = audit(program, machine)
    np.testing.assert_array_equal(priced.cycles.sel(timing="hidden"), bill.cycles)
    assert (priced.cycles.sel(timing="one cycle per physical hop") >= bill.cycles).all()
    assert (priced.physical_hops >= bill.hops).all()


@pytest.mark.parametrize("name", sorted(GEMM))
@pytest.mark.parametrize("mesh", [5, (4, 6)])
def test_a_healthy_wafer_costs_what_the_audit_says(name, mesh):
    program = GEMM[name](mesh)
    rows, columns = program.place.shape
    machine = Machine.preset("wse3", routes=3)
    priced = price(program, remap(np.zeros((rows, columns + 1), bool), 1), machine)
    bill = audit(program, machine)
    np.testing.assert_array_equal(priced.physical_hops, bill.hops)
    for timing in priced.timing.values:
        np.testing.assert_array_equal(priced.cycles.sel(timing=timing), bill.cycles)


def walked_freely(program, found, machine, words, work):
    """Cycle at which the last core ends under data flow: core by core, tile by tile, shifts only."""
    ready, shape = {}, found.shape
    down = np.concatenate([np.zeros((1, shape[1]), int), found.down.cumsum(axis=0)])
    cores = list(np.ndindex(shape))
    for step, repeat in program:
        came = {core: [] for core in cores}
        moves = [np.broadcast_to(move.at(repeat), shape) for move in step.moves]
        given = dict.fromkeys(cores, 0)
        for move, index in zip(step.moves, moves, strict=True):
            for y, x in cores:
                other = (y, int(index[y, x])) if move.axis == "x" else (int(index[y, x]), x)
                if index[y, x] < 0 or other == (y, x):
                    continue
                place = found.column if move.axis == "x" else down
                way = abs(int(place[other] - place[y, x])) * machine.hop + 2 * machine.ramp + 1
                given[other] += words
                came[y, x].append((ready.get(other, 0) + way, other))
        after = {}
        for core in cores:
            busy = max(work if step.work else 0, given[core], words * len(came[core]))
            ends = [ready.get(core, 0) + busy]
            for head, other in came[core]:
                behind = words * sum(later >= head for later, _ in came[core])
                ends.append(head + max(behind, given[other]))
            after[core] = max(ends)
        ready = after
    return max(ready.values())


@settings(max_examples=20)
@given(st.sampled_from(["cannon", "meshgemm"]), st.integers(3, 6), st.integers(0, 1000), st.integers(1, 3))
def test_data_flow_against_a_walk(name, side, seed, hop):
    program, found = GEMM[name](side), remap(draw((side, side + 2), 0.08, seed=seed), 2)
    machine = Machine.preset("wse2", shape=(side, side), hop=hop)
    if not found.works:
        return
    priced = price(program, found, machine, matrices=(2 * side,) * 3, schedule="dataflow")
    run = priced.cycles.sel(timing="one cycle per physical hop").sum()
    assert int(run) == walked_freely(program, found, machine, words=4, work=8)
    hidden = audit(program, machine, matrices=(2 * side,) * 3, schedule="dataflow").cycles.sum()
    assert int(priced.cycles.sel(timing="hidden").sum()) == int(hidden) <= int(run)


def test_data_flow_hardly_notices_dead_cores():
    found = remap(draw((32, 35), 5e-3, seed=2), 3)
    extra = {}
    for schedule in ("barrier", "dataflow"):
        machine = Machine.preset("wse2", shape=(32, 32))
        run = price(GEMM["meshgemm"](32), found, machine, schedule=schedule).cycles.sum("step").values
        extra[schedule] = run[1] / run[0] - 1
    assert extra["barrier"] > 0.15
    assert 0.01 < extra["dataflow"] < extra["barrier"] / 3


def test_a_shift_pays_for_its_longest_hop():
    program, machine = GEMM["meshgemm"](8, align=""), Machine.preset("wse2", shape=(8, 8), hop=5)
    dead = np.zeros((8, 9), bool)
    dead[:, 4] = True
    priced = price(program, remap(dead, 1), machine)
    extra = priced.cycles.sel(timing="one cycle per physical hop") - priced.cycles.sel(timing="hidden")
    assert priced.physical_hops.values.tolist() == [3] * len(program)
    assert (extra == 5).all()
    assert priced.attrs["dead_cores"] == 8


def test_giving_up_lines_is_a_placement():
    dead = np.zeros((6, 7), bool)
    dead[2, 3] = dead[4, 5] = True
    rows_left, columns_left = drop_lines(dead)
    np.testing.assert_array_equal(rows_left, [0, 1, 3, 5])
    program = GEMM["cannon"]((4, 4), align="")
    placed = replace(program, placement=Placement(shape=dead.shape, y=rows_left, x=columns_left[:4]))
    here, there = audit(program), audit(placed)
    assert int(there.hops.max()) == 5
    np.testing.assert_array_equal(there.macs, here.macs)
    assert int(there.memory.max()) == int(here.memory.max())


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: price(GEMM["meshgemm_t"](3), remap(np.zeros((3, 4), bool)), Machine.preset("wse2"), schedule="dataflow"), "not for relays"),
        (lambda: wafer_yield(3, 3, 1, 1.5), "fail=1.5: a probability lies between 0 and 1"),
        (lambda: wafer_yield(3, 3, 1, np.nan), "a probability"),
        (lambda: wafer_yield(3, 3, -1, 0.5), "spares=-1: give whole numbers of 0 or more"),
        (lambda: wafer_yield(3, 0, 1, 0.5), "columns=0"),
        (lambda: wafer_yield(2.5, 3, 1, 0.5), "rows=2.5"),
        (lambda: wafer_yield(3, 3, 1, 0.5, alpha=0), "alpha=0"),
        (lambda: core_failure(-1, 1), "area=-1"),
        (lambda: poisson(-0.1), "defects=-0.1"),
        (lambda: bose_einstein(1, 0), "layers=0"),
        (lambda: draw((3, 3), -0.1), "fail=-0.1"),
        (lambda: draw((3, 3), 0.1, alpha=-1), "alpha=-1"),
        (lambda: draw((0, 3), 0.1), "at least one core"),
        (lambda: remap(np.zeros(3, bool)), r"shape \(3,\)"),
        (lambda: remap(np.zeros((3, 3), bool), 3), "of 3 columns, 0 to 2"),
        (lambda: remap(np.zeros((3, 3), bool), -1), "spares=-1"),
        (lambda: remap(np.zeros((3, 3), bool), [7]), "spares="),
        (lambda: stretched_hops(GEMM["cannon"](3), remap(np.zeros((3, 3), bool))), "3 x 3 cores, the remapped wafer has 3 x 2"),
        (lambda: price(GEMM["cannon"](3), remap(np.zeros((3, 4), bool)), Machine.preset("wormhole")), "is a torus"),
    ],
)  # fmt: skip
def test_what_makes_no_sense(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()
