"""Laws of every registered GEMM: exact product, proof of movement, one answer from every tier."""

import numpy as np
import pytest

from waferviz import engine, movement, names
from waferviz.algorithms import GEMM
from waferviz.api import multiply
from waferviz.history import History
from waferviz.proof import prove
from waferviz.state import Sizes, start
from waferviz.trace import product, run
from waferviz.verify import verify

MESHES = [*range(1, 14), (2, 4), (3, 2), (1, 5), (4, 6)]


def matrices(name, m, k, n, dtype=np.int64, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(-9, 10, (m, k)).astype(dtype), rng.integers(-9, 10, (k, n)).astype(dtype)
    return a, (b.T if name == "meshgemm_t" else b), a.astype(float) @ b.astype(float)


def each(test):
    return pytest.mark.parametrize("name", list(GEMM))(test)


@each
@pytest.mark.parametrize("mesh", MESHES, ids=str)
def test_product_and_movement(name, mesh):
    a, b, c = matrices(name, 17, 15, 14)
    trace = multiply(a, b, algorithm=name, mesh=mesh)
    assert np.array_equal(product(trace), c)
    verdict = verify(trace)
    assert verdict, str(verdict)
    assert verdict.product == "equal to NumPy, bit for bit"


@each
@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "int64", "bool", "float16", "float32", "float64"]
)
def test_every_dtype(name, dtype):
    a, b, _ = matrices(name, 13, 7, 11)
    a, b = (a % 2, b % 2) if dtype in ("bool", "uint8") else (a, b)
    a, b = a.astype(dtype), b.astype(dtype)
    for tier in ("values", "interpreter"):
        trace = multiply(a, b, algorithm=name, mesh=3, tier=tier)
        assert verify(trace), str(verify(trace))


@each
@pytest.mark.parametrize("mesh", [1, 2, 5, 6, (2, 4)], ids=str)
def test_fast_tier_equals_the_interpreter_at_every_step(name, mesh):
    a, b, _ = matrices(name, 15, 13, 14)
    fast, slow = (multiply(a, b, algorithm=name, mesh=mesh, tier=tier) for tier in ("auto", "interpreter"))
    for step in range(fast.sizes["step"]):
        for tile in "ABC":
            assert np.array_equal(fast[tile][step].values, slow[tile][step].values), (tile, step)
    y, x = slice(1, 3), slice(0, 2)
    for step in (0, fast.sizes["step"] // 2, fast.sizes["step"] - 1):
        assert np.array_equal(fast.C[step, y, x].values, slow.C[step, y, x].values)


def test_known_families_are_fast():
    for name in ("summa", "allgather", "cannon", "meshgemm"):
        a, b, _ = matrices(name, 12, 12, 12)
        assert multiply(a, b, algorithm=name, mesh=4).attrs["tier"] == "values"


@each
@pytest.mark.parametrize("mesh", [2, 5, 6, (2, 4)], ids=str)
def test_names_are_the_tiles_that_moved(name, mesh):
    program = GEMM[name](mesh)
    side = program.blocks["k"]
    label = np.arange(1, side * side + 1).reshape(side, side)
    trace = run(program, {"A": label, "B": label}, tier="interpreter")
    for step in range(len(program) + 1):
        for tile, row, column in (("A", "a_row", "a_block"), ("B", "b_block", "b_column")):
            said = trace[row][step].values * side + trace[column][step].values + 1
            moved = trace[tile][step].values[..., 0, 0]
            assert np.array_equal(np.where(trace[row][step].values < 0, 0, said), moved), (tile, step)


@each
@pytest.mark.parametrize("side", [4, 7])
def test_arrivals_come_from_where_the_trace_says(name, side):
    trace = run(GEMM[name](side))
    for step in range(1, trace.sizes["step"]):
        for tensor in trace.tensor.values:
            y, x = (trace[f][step].sel(tensor=tensor).values for f in ("from_y", "from_x"))
            assert np.array_equal(y < 0, x < 0)
            assert y.max() < side
            assert x.max() < side


@each
@pytest.mark.parametrize("side", [3, 6, 9])
def test_a_leap_is_as_good_as_steps(name, side):
    program = GEMM[name](side)
    begin = names.start(program)
    stepped = [begin]
    for step, repeat in program:
        stepped.append(engine.advance(step, stepped[-1], program.shape, repeat))
    leap = History(program, begin)
    for at in np.random.default_rng(1).permutation(len(program) + 1):
        state = leap.state(int(at))
        for buffer in program.buffers:
            pairs = zip(
                *((v if isinstance(v, tuple) else (v,)) for v in (state[buffer], stepped[at][buffer])),
                strict=True,
            )
            for one, other in pairs:
                for field in ("row", "column") if isinstance(one, names.Tile) else ("number",):
                    left, right = np.broadcast_arrays(getattr(one, field), getattr(other, field))
                    assert np.array_equal(left, right), (buffer, field, at)


@each
def test_large_meshes_are_proved_the_other_way(name, monkeypatch):
    monkeypatch.setattr(names, "EXACT_CORES", 4)
    monkeypatch.setattr(movement, "EXACT_CORES", 4)
    program = GEMM[name](6)
    assert prove(program).method in ("ring", "fingerprint")
    assert prove(program)
    trace = run(program)
    assert (trace.filled[-1] == 6).all()
    exact = run(program, tier="names")
    assert np.array_equal(trace.filled[-1], exact.filled[-1])


def test_transposed_product_ends_where_it_belongs():
    a, b, c = matrices("meshgemm_t", 9, 8, 10)
    assert np.array_equal(product(multiply(a, b, algorithm="meshgemm_t", mesh=4)), c)


def test_the_interpreter_leaves_the_old_state_alone():
    program = GEMM["meshgemm"](4)
    a = np.arange(16).reshape(4, 4)
    state = start(program, a, a, Sizes.of(program, (4, 4, 4), int))
    before = {name: np.array(value) for name, value in state.items()}
    for step, repeat in program:
        engine.advance(step, state, program.shape, repeat)
    assert all(np.array_equal(before[name], state[name]) for name in before)
