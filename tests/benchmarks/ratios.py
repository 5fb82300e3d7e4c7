"""Ratios of two calls in one run: processor time on one thread, which others on the machine do not lengthen."""

import time

import numpy as np
from threadpoolctl import threadpool_info


def seconds(call):
    """Processor time of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def best(call, rounds=3):
    return min(seconds(call) for _ in range(rounds))


def compare(benchmark, call, reference, limit, rounds=3):
    """Ratio of the two best times of rounds in turn, printed and kept beside the BLAS core type."""
    pairs = []

    def both():
        pairs.append((best(call, 2), best(reference)))

    both()
    benchmark.pedantic(both, rounds=rounds)
    ratio = min(ours for ours, _ in pairs) / min(theirs for _, theirs in pairs)
    blas = [lib.get("architecture") for lib in threadpool_info() if lib["user_api"] == "blas"]
    benchmark.extra_info |= {"ratio": ratio, "limit": limit, "blas": blas}
    print(f"{benchmark.name}: {ratio:.2f}, limit {limit}, BLAS for {', '.join(map(str, blas))}")
    assert ratio <= limit


def large_product():
    """One product of 2048 x 2048 in float32, the reference of many rows."""
    a, b = np.random.default_rng(0).random((2, 2048, 2048), np.float32)
    out = np.empty_like(a)
    return lambda: np.matmul(a, b, out=out)
