"""The engine lines of the speed table, ours and the reference in one run on one BLAS thread."""

import os
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from ratios import best, compare, large_product

from waferviz.algorithms import GEMM
from waferviz.audit import audit
from waferviz.movement import Movement
from waferviz.panels import panels
from waferviz.proof import prove
from waferviz.state import Sizes
from waferviz.trace import product, run


def square(side):
    return np.random.default_rng(0).random((2, side, side), np.float32)


def fast(name, n, tile):
    a, b = square(n * tile)
    program = GEMM[name](n, align="A") if name in ("cannon", "meshgemm") else GEMM[name](n)
    sizes = Sizes.of(program, (n * tile,) * 3, np.float32)
    return panels(program, a, b, sizes, np.dtype(np.float32)), a, b


@pytest.mark.parametrize(("name", "limit"), [("summa", 1.5), ("cannon", 3), ("meshgemm", 3)])
@pytest.mark.parametrize(("n", "tile"), [(64, 32), (128, 16), (256, 16)])
def test_whole_run_in_chunks(benchmark, name, limit, n, tile):
    ours, a, b = fast(name, n, tile)
    total, out = ours.empty(), np.empty_like(a)
    compare(benchmark, lambda: ours.run(total), lambda: np.matmul(a, b, out=out), limit)


@pytest.mark.parametrize(("name", "limit"), [("summa", 5), ("cannon", 8), ("meshgemm", 8)])
def test_every_step_materialised(benchmark, name, limit):
    ours, a, b = fast(name, 256, 16)
    total, out = ours.empty(), np.empty_like(a)
    compare(benchmark, lambda: ours.run(total, steps=1), lambda: np.matmul(a, b, out=out), limit)


def test_chunks_beat_rolled_tiles(benchmark):
    """Naive: roll the tiles with np.roll and multiply them stacked; 32 of its 256 steps are timed."""
    ours, a, b = fast("cannon", 256, 16)
    total = ours.empty()
    tiles = [np.ascontiguousarray(whole.reshape(256, 16, 256, 16).swapaxes(1, 2)) for whole in (a, b)]
    summed = np.zeros_like(tiles[0])

    def naive():
        left, right = tiles
        for _ in range(32):
            np.add(summed, left @ right, out=summed)
            left, right = np.roll(left, -1, axis=1), np.roll(right, -1, axis=0)

    benchmark.pedantic(lambda: ours.run(total), rounds=2)
    ratio = 8 * best(naive, 2) / min(benchmark.stats.stats.data)
    print(f"{benchmark.name}: {ratio:.2f} times faster, at least 3")
    assert ratio >= 3


def test_window_of_a_step(benchmark):
    ours, a, b = fast("meshgemm", 360, 12)
    cores = np.arange(100, 132)
    out = np.empty_like(a)
    compare(benchmark, lambda: ours.window(360, cores, cores), lambda: np.matmul(a, b, out=out), 0.05)


def test_memory_of_a_value_run():
    a, b = square(2048)
    program = GEMM["meshgemm"](64)
    run(program, {"A": a, "B": b}, budget=2**28)
    tracemalloc.start()
    trace = run(program, {"A": a, "B": b}, budget=2**28)
    product(trace)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    whole = a.nbytes
    kept = whole  # the last total stays for the next frame
    print(f"memory of a value run: {peak / whole:.2f} matrices, limit {6 + kept / whole:.0f}")
    assert peak <= 2 * (a.nbytes + b.nbytes) + 2 * whole + kept


def test_lazy_trace_overhead():
    trace = run(GEMM["meshgemm"](1000))
    assert trace.a_block.isel(step=900).values.shape == (1000, 1000)
    bare = Movement(GEMM["meshgemm"](1000))
    bare.name(900, 0, "column")

    def timed(frame):
        times = []
        for step in range(901, 951):
            start = time.perf_counter()
            frame(step)
            times.append(time.perf_counter() - start)
        return float(np.median(times))

    lazy = timed(lambda step: trace.a_block.isel(step=step).values)
    plain = timed(lambda step: np.ascontiguousarray(bare.name(step, 0, "column")))
    print(f"lazy frame {1e3 * lazy:.2f} ms, bare {1e3 * plain:.2f} ms")
    assert lazy - plain <= 0.3e-3
    assert lazy <= 2 * plain


def test_import_and_first_product():
    hide = (
        "import sys; sys.modules['dask'] = None; "  # the tests install it, and xarray loads it on first use
    )
    ours = hide + "import numpy, waferviz; waferviz.multiply(numpy.eye(8), numpy.eye(8), mesh=8)"

    def used(code):
        """Processor time of a Python of its own."""
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    pairs = [(used(ours), used(hide + "import numpy, xarray")) for _ in range(15)]
    ratio = float(np.divide(*np.median(pairs, axis=0)))
    print(f"import and first product: {ratio:.2f} of import numpy, xarray, limit 1.3")
    assert ratio <= 1.3


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
