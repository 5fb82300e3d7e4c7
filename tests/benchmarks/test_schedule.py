"""Prices and sweeps of the speed table, ours and the reference in one run on one BLAS thread."""

import numpy as np
import pytest
from ratios import compare, large_product

from waferviz.algorithms import GEMM
from waferviz.bill import Bill
from waferviz.machine import Machine
from waferviz.schedule import cycles
from waferviz.sweep import sweep

WAFER = Machine.preset("wse2")


def price(name, n, schedule):
    """Cycles of a program that is laid out already."""
    program = GEMM[name](n)
    return lambda: cycles(Bill(program, WAFER, (4 * n,) * 3), schedule).sum()


@pytest.mark.parametrize("name", list(GEMM))
def test_barrier_price_of_a_million_cores(benchmark, name):
    compare(benchmark, price(name, 1000, "barrier"), large_product(), 0.5)


@pytest.mark.parametrize("name", list(GEMM))
def test_data_flow_price_of_128_rows_of_128_cores(benchmark, name):
    compare(benchmark, price(name, 128, "dataflow"), large_product(), 5)


def test_sweep_of_a_million_points(benchmark):
    """Four algorithms x 100 meshes x 50 matrices x 100 machines x two schedules against one addition of as many numbers."""
    machines = [WAFER.edit(name=str(k), hop=1 + k % 4, ramp=k % 7, macs=1 + k % 3) for k in range(100)]
    mesh, matrix = np.arange(8, 708, 7), np.arange(800, 8800, 160)
    one, other = np.random.default_rng(0).random((2, 10**6, 4))
    assert sweep(mesh=mesh, matrix=matrix, machine=machines).cycles.size == one.size
    compare(
        benchmark, lambda: sweep(mesh=mesh, matrix=matrix, machine=machines), lambda: np.add(one, other), 40
    )
