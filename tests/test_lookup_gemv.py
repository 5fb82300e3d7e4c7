"""Laws of the GEMV by lookups: exact products, proof, names and prices; and what a rebuilt or a multicast table costs."""

from dataclasses import replace

import numpy as np
import pytest

from waferviz import GEMV, Machine, audit, multiply, product, prove, run, verify
from waferviz.algorithms.lookup_gemv import TABLES, look_up, lookup_gemv, tables_of
from waferviz.lowbit.onmesh import on_mesh
from waferviz.views.words import sentences


def drawn(bits, m=23, k=19, n=1, seed=0):
    rng = np.random.default_rng(seed)
    top = 2 ** (bits - 1)
    return rng.integers(-top, top, (m, k)), rng.integers(-127, 128, (k, n))


def each(test):
    test = pytest.mark.parametrize("tables", TABLES)(test)
    return pytest.mark.parametrize("axis", ["x", "y"])(test)


@each
@pytest.mark.parametrize("name", list(GEMV))
@pytest.mark.parametrize("mesh", [1, (2, 3), (4, 1)], ids=str)
def test_product_and_movement(name, mesh, axis, tables):
    a, x = drawn(2)
    trace = multiply(a, x, algorithm=lookup_gemv(mesh, algorithm=name, axis=axis, tables=tables))
    assert np.array_equal(product(trace), a @ x)
    verdict = verify(trace)
    assert verdict, str(verdict)
    assert verdict.product == "equal to NumPy, bit for bit, and the same on all cores that share a block"


@pytest.mark.parametrize("bits", range(1, 9))
def test_every_number_of_bits_and_several_vectors(bits):
    a, x = drawn(bits, n=3)
    assert np.array_equal(product(multiply(a, x, algorithm=lookup_gemv((2, 3), bits=bits))), a @ x)


@pytest.mark.parametrize("k", range(1, 10))
def test_a_ragged_group_is_filled_with_zeros(k):
    a, x = drawn(3, k=k)
    c = np.zeros((1, 1, len(a), 1), np.int64)
    found = look_up(a[None, None], tables_of(x[None, None]), c, bits=3)
    assert np.array_equal(found[0, 0], a @ x)


def test_reals_are_within_their_bound():
    a, x = drawn(2)
    trace = multiply(a, x + 0.25, algorithm=lookup_gemv((2, 3)))
    assert verify(trace), str(verify(trace))


@each
def test_the_moves_are_those_of_the_gemv(axis, tables):
    plain, looking = GEMV["meshgemv"]((3, 4), axis=axis), lookup_gemv((3, 4), axis=axis, tables=tables)
    moved = [[move for move in step.moves if move.write != "T"] for step, _ in looking]
    assert [len(moves) for moves in moved if moves] == [len(step.moves) for step, _ in plain if step.moves]
    assert looking.replicated == plain.replicated


def test_only_the_chosen_cores_build_before_the_multicast():
    """Without the multicast the other cores have no tables, and the proof says so."""
    program = lookup_gemv((2, 3), tables="multicast")
    assert prove(program)
    assert not prove(replace(program, body=(program.body[0], *program.body[2:])))
    trace = run(program)
    assert (trace.b_block[1].values >= 0).sum() == 2
    assert (trace.b_block[2].values >= 0).all()


def test_a_wrong_entry_of_a_table_is_found(monkeypatch):
    from waferviz.algorithms import lookup_gemv as module

    right = module.half_table

    def wrong(rows, group):
        half = right(rows, group)
        half[0, 3] += 1
        return half

    monkeypatch.setattr(module, "half_table", wrong)
    a, x = drawn(2)
    assert not verify(multiply(a, x, algorithm=lookup_gemv(2)))


def test_lookups_tables_and_additions_are_counted():
    """Tiles of 8 x 12: three tables of 14 additions; 2 planes x 3 groups x 8 rows; bias: 3 sums of entry 0 and 8 adds."""
    bill = audit(lookup_gemv(4), matrices=(32, 48, 1))
    assert bill.tables.values.tolist()[:2] == [3, 0]
    assert bill.adds.values.tolist()[:2] == [42, 11]
    assert bill.lookups.values.tolist()[:2] == [0, 48]
    assert not bill.macs.any()


def test_weights_are_packed_and_tables_take_memory():
    plain, looking = (
        audit(p, matrices=(32, 48, 1), dtype=np.int8) for p in (GEMV["meshgemv"](4), lookup_gemv(4))
    )
    weights, table = 8 * 12, 3 * 8 * 2
    assert int(looking.memory[0, 0]) == int(plain.memory[0, 0]) - weights + weights // 4 + table


def test_what_a_table_costs_where_it_is_made():
    found = on_mesh((4, 8), (64, 48, 1), machine="teaching")
    rebuilt, multicast = (found.sel(way=way) for way in TABLES)
    assert int(rebuilt.table_adds) == 8 * int(multicast.table_adds)
    assert int(rebuilt.table_words) == 0
    tile_words = int(multicast.table_bytes) // 4
    assert int(multicast.table_words) == 4 * 7 * tile_words
    assert int(multicast.cycles) > int(rebuilt.cycles)
    assert int(found.macs.sel(way="multiply")) == 2 * int(rebuilt.lookups)
    assert found.lookups.values.tolist() == [0, int(rebuilt.lookups), int(rebuilt.lookups)]


@pytest.mark.parametrize("schedule", ["barrier", "dataflow"])
def test_both_schedules_have_a_price(schedule):
    wafer = Machine.preset("wse2")
    found = on_mesh((4, 4), (64, 64, 1), machine=wafer, schedule=schedule)
    assert (found.cycles > 0).all()


def test_a_lookup_reads_as_a_sentence():
    said = sentences(run(lookup_gemv((2, 3)), matrices=(32, 48, 1)))
    assert "build tables: a core builds 6 tables" in said[1]
    assert "look up: all 6 cores look up" in said[2]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: lookup_gemv(4, bits=0), "bits=0"),
        (lambda: lookup_gemv(4, bits=9), "bits=9"),
        (lambda: lookup_gemv(4, tables="borrowed"), "'rebuilt', 'multicast'"),
        (lambda: lookup_gemv(4, axis="z"), "axis='z'"),
        (lambda: product(multiply([[2]], [[1]], algorithm=lookup_gemv(1))), "A holds 2; .*-2 .. 1"),
        (lambda: product(multiply([[0.5]], [[1.0]], algorithm=lookup_gemv(1))), "A holds 0.5"),
        (lambda: product(multiply([[-2]], [[2**62]], algorithm=lookup_gemv(1))), "int64"),
    ],
)  # fmt: skip
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()
