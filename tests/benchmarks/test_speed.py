"""The engine lines of the speed table, ours and the reference in one run on one BLAS thread."""

import time

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from waferviz.algorithms import GEMM
from waferviz.audit import audit
from waferviz.panels import panels
from waferviz.proof import prove
from waferviz.state import Sizes
from waferviz.trace import run


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    with threadpool_limits(1, "blas"):
        yield


def best(call, rounds=3):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def compare(benchmark, call, reference, limit):
    """Ratio of the two best times, printed and kept beside the BLAS core type."""
    reference()
    call()
    benchmark.pedantic(call, rounds=3)
    ratio = min(benchmark.stats.stats.data) / best(reference)
    benchmark.extra_info |= {
        "ratio": ratio,
        "limit": limit,
        "blas": [lib.get("architecture") for lib in threadpool_info() if lib["user_api"] == "blas"],
    }
    print(f"{benchmark.name}: {ratio:.2f}, limit {limit}")
    assert ratio <= limit


def square(side):
    return np.random.default_rng(0).random((2, side, side), np.float32)


def fast(name, n, tile):
    a, b = square(n * tile)
    program = GEMM[name](n, align="A") if name in ("cannon", "meshgemm") else GEMM[name](n)
    sizes = Sizes.of(program, (n * tile,) * 3, np.float32)
    return panels(program, a, b, sizes, np.dtype(np.float32)), a, b


def large_product():
    a, b = square(2048)
    out = np.empty_like(a)
    return lambda: np.matmul(a, b, out=out)


@pytest.mark.parametrize(("name", "limit"), [("summa", 1.5), ("cannon", 3), ("meshgemm", 3)])
def test_whole_run_in_chunks(benchmark, name, limit):
    ours, a, b = fast(name, 64, 32)
    total, out = ours.empty(), np.empty_like(a)
    compare(benchmark, lambda: ours.run(total), lambda: np.matmul(a, b, out=out), limit)


@pytest.mark.parametrize(("name", "limit"), [("summa", 5), ("meshgemm", 8)])
def test_every_step_materialised(benchmark, name, limit):
    ours, a, b = fast(name, 256, 8)
    total, out = ours.empty(), np.empty_like(a)
    compare(benchmark, lambda: ours.run(total, steps=1), lambda: np.matmul(a, b, out=out), limit)


def test_window_of_a_step(benchmark):
    ours, a, b = fast("meshgemm", 360, 12)
    cores = np.arange(100, 103)
    out = np.empty_like(a)
    compare(benchmark, lambda: ours.window(180, cores, cores), lambda: np.matmul(a, b, out=out), 0.05)


@pytest.mark.parametrize("name", list(GEMM))
def test_audit_of_a_million_cores(benchmark, name):
    program = GEMM[name](1000)
    compare(benchmark, lambda: audit(program), large_product(), 1)


@pytest.mark.parametrize("step", [250, 900])
def test_names_frame_of_a_million_cores(benchmark, step):
    frames = run(GEMM["meshgemm"](1000)).a_block.variable
    steps = iter(range(step, step + 50))
    compare(benchmark, lambda: frames[next(steps)].values, large_product(), 0.1)


def test_proof_of_a_million_cores(benchmark):
    program = GEMM["meshgemm"](1000)
    compare(benchmark, lambda: prove(program), large_product(), 15)
