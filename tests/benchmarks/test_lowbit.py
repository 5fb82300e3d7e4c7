"""Lookup products against NumPy, each ratio in one run on one BLAS thread."""

import numpy as np
import pytest
from ratios import best

from waferviz.lowbit import indices, lut_matmul, table, ternary_matmul
from waferviz.lowbit.elementwise import patterns

SIDE, TOKENS, BITS, ZERO = 1024, 32, 2, 2
RNG = np.random.default_rng(0)
A = RNG.integers(-128, 128, (TOKENS, SIDE)).astype(np.int8)
Q = RNG.integers(0, 4, (SIDE, SIDE)).astype(np.uint8)
PACKED = (Q.reshape(SIDE, -1, 4) << np.array([0, 2, 4, 6], np.uint8)).sum(axis=2, dtype=np.uint8)


def ours():
    return lut_matmul(A, Q, bits=BITS, zero=ZERO)


def unpack():
    return (PACKED[:, :, None] >> np.array([0, 2, 4, 6], np.uint8) & 3).reshape(SIDE, SIDE)


def int32_product():
    return A.astype(np.int32) @ (unpack().astype(np.int32) - ZERO).T


def blas_product():
    return A.astype(np.float32) @ (unpack().astype(np.float32) - ZERO).T


def loop(outputs=SIDE):
    """One lookup at a time over (output, group, plane), all tokens at once."""
    entries, index = table(A).astype(np.int32), indices(Q[:outputs], BITS)
    total = np.zeros((outputs, TOKENS), np.int32)
    for output in range(outputs):
        for at in range(SIDE // 4):
            for plane in range(BITS):
                total[output] += entries[at, index[plane, output, at]] << plane
    return (total - A.sum(axis=1, dtype=np.int32)).T // 2


def report(benchmark, name, ratio, limit=None):
    benchmark.extra_info[name] = ratio
    print(f"{name}: {ratio:.2f}" + (f", at least {limit}" if limit else ""))
    assert limit is None or ratio >= limit


def test_against_unpacking_and_an_int32_product(benchmark):
    np.testing.assert_array_equal(ours(), int32_product())
    benchmark.pedantic(ours, rounds=10, warmup_rounds=2)
    mine = min(benchmark.stats.stats.data)
    report(benchmark, "times faster than unpacking and int32", best(int32_product) / mine, 3)
    report(benchmark, "times slower than dequantizing and float32 BLAS, the wrong machine for tables: a CPU multiplies and adds 16 floats in one instruction, and fetches a table row in several", mine / best(blas_product))  # fmt: skip


def test_against_a_loop_over_output_group_and_plane(benchmark):
    few = 64
    np.testing.assert_array_equal(loop(few), ours()[:, :few])
    benchmark.pedantic(ours, rounds=10, warmup_rounds=2)
    whole = best(loop, 1)
    report(benchmark, "times faster than the loop", whole / min(benchmark.stats.stats.data), 100)


@pytest.mark.parametrize("packing", ["tl1", "tl2"])
def test_ternary(benchmark, packing):
    w = patterns(1)[RNG.integers(0, 3, (SIDE, SIDE)), 0]
    np.testing.assert_array_equal(ternary_matmul(A, w, packing=packing), A.astype(int) @ w.T)
    benchmark.pedantic(lambda: ternary_matmul(A, w, packing=packing), rounds=5)


@pytest.mark.parametrize("how", ["float64 activations", "int8 tables", "int8 tables per 32", "averages"])
def test_other_modes(benchmark, how):
    options = {
        "float64 activations": {},
        "int8 tables": {"table": "int8"},
        "int8 tables per 32": {"table": "int8", "table_group": 32},
        "averages": {"table": "int8", "table_group": 32, "aggregate": "fast-corrected"},
    }[how]
    benchmark.pedantic(lambda: lut_matmul(A.astype(float), Q, bits=BITS, zero=ZERO, **options), rounds=5)
