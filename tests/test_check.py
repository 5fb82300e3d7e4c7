"""Verdicts: the paper's column of broken limits, and the first step and core against a slow search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moves import messages
from test_audit import programs

from waferviz.algorithms import ALLREDUCE, GEMM, GEMV
from waferviz.audit import audit
from waferviz.check import check
from waferviz.machine import Machine
from waferviz.program import Program
from waferviz.published import rows

NAMES = {"GEMM via allgather": "allgather", "SUMMA": "summa", "Cannon": "cannon", "MeshGEMM": "meshgemm"}
WAFER = Machine.preset("wse2")


@pytest.mark.parametrize("row", rows("waferllm_plmr_gemm"), ids=lambda row: row["algorithm"])
def test_the_papers_column_of_broken_limits(row):
    said = check(GEMM[NAMES[row["algorithm"]]](720), WAFER, matrices=(2160, 2160, 2160))
    broken = ",".join(said.letter.values[~said.ok.values])
    assert broken == row["violates"].replace("none", "")


def test_the_schema():
    said = check(GEMM["cannon"](4), Machine.preset("teaching"))
    assert said.letter.values.tolist() == ["P", "L", "M", "R"]
    assert said.what.values.tolist() == ["cores used", "longest hop", "bytes per core", "routes per core"]
    assert said.unit.values.tolist() == ["cores", "hops", "B", "1"]
    assert {name: said[name].dtype.kind for name in ("used", "limit", "ok", "step", "y", "x", "fix", "sentence")} == {
        "used": "f", "limit": "f", "ok": "b", "step": "i", "y": "i", "x": "i", "fix": "U", "sentence": "U",
    }  # fmt: skip
    assert said.attrs == {
        "program": "Cannon",
        "machine": "teaching",
        "mesh": "4 x 4",
        "what_if": 0,
    }
    assert {name: said[name].values.max() for name in ("memory", "routes", "reach")} == dict(
        zip(("memory", "routes", "reach"), said.used.sel(letter=["M", "R", "L"]).values, strict=True)
    )
    assert (said.step == -1).values.tolist() == said.ok.values.tolist()
    assert all(bool(fix) != ok for fix, ok in zip(said.fix.values, said.ok.values, strict=True))


@pytest.mark.parametrize(
    ("program", "words", "fix"),
    [
        (ALLREDUCE["pipeline"](720), "step 1: a sum comes 719 hops to its root, over 719 relays, limit 2; longest way 719 hops", "K-tree"),
        (ALLREDUCE["ktree"](30), "step 1: a sum comes 3 hops to its root, over 3 relays, limit 2; longest way 15 hops", "groups of at most 5 cores"),
        (ALLREDUCE["star"](5), "step 1: a sum comes 4 hops to its root, over 1 relay, limit 2; longest way 4 hops", "middle"),
        (GEMV["pipeline_gemv"](9), "step 2: a sum comes 8 hops to its root, over 8 relays", "K-tree"),
        (GEMM["cannon"](8), "core (1,7), step 1: a tile from 7 hops away, limit 2; no ring", "interleaved rings"),
    ],
    ids=lambda given: getattr(given, "name", ""),
)  # fmt: skip
def test_the_long_way_of_a_sum_is_no_way_of_a_tile(program, words, fix):
    said = check(program, WAFER, matrices=(12,) if program.on_vectors else None).sel(letter="L")
    assert f"breaks at {words}" in said.sentence.item()
    assert fix in said.fix.item()


def test_a_broadcast_of_a_sum_is_named():
    said = check(ALLREDUCE["ktree"](9, sizes=(3, 3)), WAFER, hops=3).sel(letter="L")
    assert said.step == 3
    assert "the sum is broadcast from 4 hops away, limit 3; longest way 4 hops" in said.sentence.item()
    assert "at most 7 cores" in said.fix.item()
    near = check(ALLREDUCE["chain"](2), WAFER, hops=0.5).sel(letter="L")
    assert "a sum comes 1 hop to its root, over 1 relay" in near.sentence.item()


def test_a_mesh_larger_than_the_chip_is_a_what_if():
    said = check(GEMM["meshgemm"]((2, 16)), Machine.preset("teaching", chip=(8, 4))).sel(letter="P")
    assert said.attrs["what_if"] == 1
    assert (int(said.y), int(said.x)) == (0, 4)
    assert said.used == said.limit == 32
    assert "8 x 4" in str(said.fix.values)


def test_other_limits_can_be_asked_about():
    bill = audit(GEMM["cannon"](5))
    assert not check(bill, WAFER).ok.sel(letter="L")
    assert check(bill, WAFER, hops=np.inf).ok.all()
    with pytest.raises(ValueError, match="without wrap links, wse2 is a torus"):
        check(bill, Machine.preset("wse2", wrap=True))
    with pytest.raises(ValueError, match="give a Program"):
        check(bill.drop_vars("reach"), WAFER)
    with pytest.raises(ValueError, match="give a Program"):
        check("cannon", WAFER)


def test_a_machine_without_a_limit_says_so():
    endless = check(GEMM["cannon"](5), Machine.preset("wse2", routes=np.inf), hops=np.inf)
    assert endless.sentence.sel(letter=["L", "R"]).values.tolist() == [
        "4 hops at most, no limit",
        "9 routes through a router, no limit",
    ]
    assert np.isinf(endless.limit.sel(letter=["L", "R"])).all()
    assert (
        str(check(GEMM["cannon"](5), WAFER).sentence.sel(letter="R").values)
        == "9 of 24 routes through a router"
    )


def test_an_empty_program_breaks_nothing():
    full = GEMM["cannon"](2)
    empty = Program(name="empty", shape=(2, 2), body=(), buffers=full.buffers, operands=full.operands)
    assert check(empty, WAFER).ok.all()


def farthest(program, step, repeat):
    """Hops of the longest message into each core, by listing them; relayed sums pass every core on the way."""
    place, out = program.place, np.zeros(program.place.shape, int)
    for move in step.moves:
        for start, stop in messages(program.shape, move, repeat):
            (y, x), (v, u) = ((int(place.y[a]), int(place.x[b])) for a, b in (start, stop))
            way = abs(u - x) + abs(v - y)
            out[v, u] = max(out[v, u], way)
            if move.relay and move.target is not None and move.axis != "xy":
                for gone in range(1, way):
                    there = (
                        (v, x + gone * np.sign(u - x)) if move.axis == "x" else (y + gone * np.sign(v - y), u)
                    )
                    out[there] = max(out[there], gone)
    return out


@settings(max_examples=100)
@given(programs(), st.integers(0, 4), st.integers(0, 6))
def test_the_first_broken_step_and_core_are_the_first(program, hops, routes):
    machine = Machine.preset("teaching", routes=routes)
    bill = audit(program, machine)
    reach = np.stack([farthest(program, step, repeat) for step, repeat in program])
    assert np.array_equal(bill.reach.values, reach)
    assert np.array_equal(bill.routes_so_far.values[-1], bill.routes.values)
    assert (np.diff(bill.routes_so_far.values, axis=0) >= 0).all()
    said = check(bill, machine, hops=hops)
    for letter, found, limit in (("L", reach, hops), ("R", bill.routes_so_far.values, routes)):
        verdict, broken = said.sel(letter=letter), (found > limit).any(axis=(1, 2))
        assert bool(verdict.ok) == (not broken.any())
        if broken.any():
            assert int(verdict.step) == np.argmax(broken) + 1
            assert (
                found[int(verdict.step) - 1, int(verdict.y), int(verdict.x)] == found[np.argmax(broken)].max()
            )


def test_memory_breaks_when_the_places_have_filled_it():
    program = GEMM["allgather"](8)
    tile = 4 * 16
    machine = Machine.preset("teaching", bytes_per_core=tile * (3 + 2 * 5))
    said = check(program, machine, matrices=(32, 32, 32)).sel(letter="M")
    assert int(said.step) == 6
    assert said.used == tile * (3 + 2 * 8)
