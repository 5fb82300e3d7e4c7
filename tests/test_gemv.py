"""Laws of every GEMV: exact results on all cores that share them, proof, price, and chains without a transpose."""

import numpy as np
import pytest

from waferviz import ALLREDUCE, GEMV, Machine, audit, multiply, product, prove, run, verify
from waferviz import names as blocks

MESHES = [1, 2, 3, 5, (2, 4), (4, 3), (1, 6), (6, 1)]


def each(test):
    test = pytest.mark.parametrize("axis", ["x", "y"])(test)
    return pytest.mark.parametrize("name", list(GEMV))(test)


def drawn(m=53, k=31, n=1, dtype=np.int64, seed=0):
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "i":
        return rng.integers(-9, 10, (m, k)), rng.integers(-9, 10, (k, n))
    return rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)


@each
@pytest.mark.parametrize("mesh", MESHES, ids=str)
def test_product_and_movement(name, axis, mesh):
    a, x = drawn()
    trace = multiply(a, x, algorithm=GEMV[name](mesh, axis=axis))
    assert np.array_equal(product(trace), a @ x)
    verdict = verify(trace)
    assert verdict, str(verdict)
    assert verdict.product == "equal to NumPy, bit for bit, and the same on all cores that share a block"


@each
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_reals_are_alike_on_all_cores_of_a_line(name, axis, dtype):
    a, x = drawn(dtype=dtype)
    trace = multiply(a, x, algorithm=GEMV[name]((3, 4), axis=axis))
    verdict = verify(trace)
    assert verdict, str(verdict)
    last = trace.C.isel(step=-1)
    assert (last == last.isel({axis: slice(0, 1)}).values).all()


@each
def test_several_vectors_at_once(name, axis):
    a, x = drawn(n=3)
    assert np.array_equal(product(multiply(a, x, algorithm=GEMV[name](4, axis=axis))), a @ x)


@each
def test_every_core_ends_with_all_products(name, axis):
    trace = run(GEMV[name]((3, 5), axis=axis))
    assert (trace.filled.isel(step=0) == 0).all()
    assert (trace.filled.isel(step=-1) == trace.attrs["blocks"]).all()
    assert trace.attrs["tier"] == "names"


@each
def test_large_meshes_are_proved_by_fingerprint(name, axis, monkeypatch):
    monkeypatch.setattr(blocks, "EXACT_CORES", 4)
    proof = prove(GEMV[name]((4, 3), axis=axis))
    assert proof
    assert proof.method == "fingerprint"


@each
def test_a_forgotten_sum_is_found(name, axis):
    good = GEMV[name](4, axis=axis)
    assert not prove(type(good)(**{**vars(good), "body": good.body[:-1]}))
    assert not prove(type(good)(**{**vars(good), "body": (good.body[0], good.body[-1])}))


def test_a_wrong_entry_is_found():
    a, x = drawn()
    trace = multiply(a, x, algorithm=GEMV["meshgemv"](4))
    values = trace.C.values.copy()
    values[-1, 2, 1, 3] += 1
    changed = trace.assign(C=(trace.C.dims, values))
    changed.encoding = trace.encoding
    verdict = verify(changed)
    assert not verdict
    assert verdict.core == (2, 1)
    assert "differ" in verdict.product


@pytest.mark.parametrize("name", list(GEMV))
def test_a_chain_alternates_its_axes_and_needs_no_transpose(name):
    """The result of a sum along y lies where the next GEMV, summing along x, expects its vector."""
    mesh = (3, 4)
    down, across = GEMV[name](mesh, axis="y"), GEMV[name](mesh, axis="x")
    w, v, x = drawn(24, 12)[0], drawn(18, 24, seed=1)[0], drawn(12, 12)[1]
    first = multiply(w, x, algorithm=down)
    last = first.C.isel(step=-1).values
    state = run(across, {"A": v, "B": product(first)})
    assert np.array_equal(state.B.isel(step=0).values, last)
    assert np.array_equal(product(state), v @ (w @ x))


def test_the_sum_costs_what_the_allreduce_costs():
    from waferviz import ALLREDUCE

    wse = Machine.preset("wse2")
    for name, alone in (("meshgemv", "ktree"), ("pipeline_gemv", "pipeline")):
        bill = audit(GEMV[name](16), wse, matrices=(16 * 11, 16, 1)).cycles.values[1:]
        assert bill.tolist() == audit(ALLREDUCE[alone](16), wse, matrices=(11,)).cycles.values.tolist()
    ring = audit(GEMV["ring_gemv"](16), wse, matrices=(16 * 32, 16, 1)).cycles.values[16:]
    assert ring.tolist() == audit(ALLREDUCE["ring"](16), wse, matrices=(32,)).cycles.values.tolist()


def test_published_order_of_the_three():
    wse = Machine.preset("wse2")
    cycles = {
        name: int(audit(build(64), wse, matrices=(4096, 4096, 1)).cycles.sum())
        for name, build in GEMV.items()
    }
    assert min(cycles, key=cycles.__getitem__) == "meshgemv"


@pytest.mark.parametrize("build", [GEMV["meshgemv"], ALLREDUCE["ktree"]])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sizes": (2.5,)}, r"sizes=\(2.5,\): give one whole number"),
        ({"sizes": "44"}, "sizes='44': give one whole number"),
        ({"sizes": 4}, "sizes=4: give one whole number"),
        ({"sizes": (4.0, 4.0)}, "give one whole number"),
        ({"sizes": (-4, -4)}, "give one whole number of 1 or more"),
        ({"sizes": ()}, "give one whole number"),
        ({"sizes": (True, 8)}, "give one whole number"),
        ({"sizes": (2, 2)}, r"gather 4 cores, the line has 8; .*a product of at least 8, for example \(4, 2\)"),
        ({"sizes": (4, 2), "k": 3}, "k=3 phases but 2 sizes"),
        ({"k": 1.5}, "k=1.5: give a whole number"),
        ({"k": 0}, "k=0"),
    ],
)  # fmt: skip
def test_sizes_are_whole_numbers_that_gather_the_line(build, options, words):
    with pytest.raises(ValueError, match=words):
        build(8, **options)


@pytest.mark.parametrize("sizes", [(3, 3), [4, 2], np.array([4, 2])])
def test_sizes_may_gather_more_than_the_line(sizes):
    assert len(GEMV["meshgemv"](8, sizes=sizes, k=2)) == 4
    assert len(ALLREDUCE["ktree"](8, sizes=sizes)) == 3


def test_an_unknown_name_lists_gemms_and_gemvs():
    with pytest.raises(KeyError, match=r"no algorithm 'ktree' for products.*cannon.*meshgemv"):
        multiply(np.eye(8), np.ones((8, 1)), algorithm="ktree")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: GEMV["meshgemv"](4, axis="xy"), "axis='xy'"),
        (lambda: GEMV["ring_gemv"](4, axis="z"), "axis='z'"),
        (lambda: GEMV["meshgemv"](4, k=9), "k=9"),
        (lambda: multiply(np.eye(8), np.ones((7, 1)), algorithm=GEMV["meshgemv"](2)), "one K"),
        (lambda: multiply(np.eye(2), np.ones((2, 1)), algorithm=GEMV["meshgemv"](4)), "blocks"),
        (lambda: multiply(np.eye(8), np.ones((8, 1)), algorithm=GEMV["ring_gemv"](4)), "16 blocks"),
    ],
)  # fmt: skip
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words):
        call()


@pytest.mark.parametrize("name", list(GEMV))
def test_multiply_knows_gemvs_by_name_and_takes_vectors(name):
    a, x = drawn(32, 24)
    trace = multiply(a, x[:, 0], algorithm=name, mesh=4)
    assert np.array_equal(product(trace), a @ x)
    assert verify(trace)


@each
def test_the_player_shows_them(name, axis):
    from waferviz import play

    a, x = drawn(32, 24)
    player = play(multiply(a, x, algorithm=GEMV[name](4, axis=axis)), show="values")
    assert player.document().roots
