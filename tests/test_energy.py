"""Energy: the published tables to two decimals, the variants beside them, and events against power times time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import waferviz as wv
from waferviz.energy import Events, compare, energy, joules, ratio
from waferviz.machine import Machine

RATES = wv.table("noc_energy_ratio")


def test_the_papers_tables_to_two_decimals():
    for name in ("waferllm_energy", "noc_energy_ratio"):
        table = wv.table(name)
        found = ratio(table.gpu_tokens_per_s, table.wafer_tokens_per_s, table.gpus)
        assert len(table.row) == 10
        np.testing.assert_allclose(found, table.published, atol=0.0051)
    np.testing.assert_allclose(found, RATES.ratio_15kW_400W, atol=0.0006)


def test_gemv_against_gpus():
    table = wv.table("waferllm_gemv_vs_gpu")
    found = ratio(1 / table.gpu_ms, 1 / table.wafer_ms, table.gpus)
    np.testing.assert_allclose(found, table.recomputed, atol=0.0051)
    np.testing.assert_allclose(found, table.published, atol=0.011)
    np.testing.assert_allclose(table.gpu_ms / table.wafer_ms, table.speedup, atol=0.051)


def test_other_powers_stand_beside_the_published_one():
    found = compare(RATES.gpu_tokens_per_s, RATES.wafer_tokens_per_s, RATES.gpus)
    assert list(found.wafer_power.values) == [15_000, 20_000, 23_000]
    for power, column in (
        (15_000, "ratio_15kW_400W"),
        (20_000, "ratio_20kW_400W"),
        (23_000, "ratio_23kW_400W"),
    ):
        np.testing.assert_allclose(found.ratio.sel(wafer_power=power), RATES[column], atol=0.0006)
    other = compare(RATES.gpu_tokens_per_s, RATES.wafer_tokens_per_s, RATES.gpus, gpu_power=300)
    np.testing.assert_allclose(other.ratio.sel(wafer_power=15_000), RATES.ratio_15kW_300W, atol=0.0006)
    big = compare(RATES.gpu_tokens_per_s, RATES.wafer_tokens_per_s, RATES.gpus, gpu_power=700)
    np.testing.assert_allclose(big.ratio.sel(wafer_power=23_000), RATES.ratio_23kW_700W, atol=0.0006)
    assert int(found.gpu_power) == 400
    assert all(variable.attrs["units"] for variable in found.variables.values())
    np.testing.assert_allclose(found.ratio, found.gpu_energy / found.wafer_energy)


def test_the_power_ratio_that_fits_is_the_one_used():
    fits = (
        ratio(RATES.gpu_tokens_per_s, RATES.wafer_tokens_per_s, RATES.gpus, wafer_power=1, gpu_power=1)
        / RATES.published
    )
    np.testing.assert_allclose(fits, RATES.power_ratio_that_fits, atol=0.006)
    np.testing.assert_allclose(fits[:5], 37.5, rtol=0.005)


def worked(name):
    return {row["quantity"]: float(row["value"]) for row in wv.published.rows(name)}


def test_one_token_worked_out():
    token, work = worked("noc_energy_token"), worked("noc_llama3_8b_work")
    wafer, macs = Machine.preset("wse2", shape=(420, 420)), work["MACs per decoded token at 4K"]
    hops = next(row for row in wv.published.rows("noc_decode_allreduce") if row["P"] == "420")
    found = joules(1 / 2700, macs, 6 * macs, float(hops["wavelet_hops_per_token_whole_mesh"]), wafer)
    for name, row in (
        ("mac_energy", "multiply-adds"),
        ("memory_energy", "memory"),
        ("hop_energy", "links"),
        ("energy", "wafer at 15 kW"),
    ):
        assert float(found[name]) == pytest.approx(token[row], rel=2e-4), name
    assert float(found.event_share) == pytest.approx(1 - 0.994, abs=5e-4)
    assert float(joules(1 / 2700, 0, 0, 0, wafer.edit(power=23_000)).energy) == pytest.approx(
        token["wafer at 23 kW"], rel=1e-4
    )
    gpu = compare(78, 2700)
    assert float(gpu.gpu_energy) == pytest.approx(token["A100 at 400 W"], rel=1e-4)
    read = work["weight bytes per decoded token (fp16)"] + work["KV bytes read per decoded token at 4K"]
    constants = worked("noc_energy_constants")
    assert read * 8 * constants["hbm"] * 1e-12 == pytest.approx(token["A100 memory"], rel=1e-4)


def test_one_core_and_cycle_worked_out():
    cycle, wafer, costs = worked("noc_energy_core_cycle"), Machine.preset("wse2"), Events.published()
    core = wafer.power / wafer.cores
    assert core * 1e3 == pytest.approx(cycle["core power"], abs=5e-4)
    assert core / wafer.clock * 1e3 == pytest.approx(cycle["core-cycle energy at 1.1 GHz"], abs=5e-4)
    assert core / 0.85 * 1e3 == pytest.approx(cycle["core-cycle energy at 0.85 GHz"], abs=5e-4)
    assert costs.busy(wafer) == pytest.approx(cycle["busy core-cycle"])
    assert costs.mac * wafer.macs_fp16 == cycle["multiply-adds of a busy cycle"]
    assert costs.memory * wafer.memory_bandwidth == pytest.approx(cycle["memory of a busy cycle"])
    assert costs.hop * 32 == pytest.approx(cycle["hop of a busy cycle"])
    assert 220e15 * costs.hop * 1e-12 / 1e3 == pytest.approx(cycle["all links at once"])
    assert wafer.cores * cycle["peak core power"] * 1e-6 == pytest.approx(cycle["peak wafer power"])


@given(st.floats(1e-6, 1), st.floats(1e3, 1e5))
def test_a_machine_at_full_work_draws_its_power(seconds, power):
    wafer = Machine.preset("wse2", power=power, shape=(850, 1000))
    cycles = seconds * wafer.clock * 1e9 * wafer.cores
    costs = Events.published()
    found = joules(seconds, cycles * wafer.macs_fp16, cycles * wafer.memory_bandwidth, cycles, wafer)
    most = costs.busy(wafer) * wafer.clock * 1e-3 * wafer.cores
    assert float(found.bottom_up_energy) == pytest.approx(max(power, most) * seconds)
    assert float(found.idle_power) >= 0
    assert float(found.energy) == pytest.approx(power * seconds)


def test_energy_of_a_program_by_hand():
    machine = Machine.preset("teaching", shape=(4, 4), clock=2)
    bill = wv.audit(wv.GEMM["meshgemm"](4, align=""), machine, matrices=(8, 8, 8))
    found = energy(bill, machine)
    cycles, macs, words = int(bill.cycles.sum()), 8 * 8 * 8, int(bill.traffic.sum())
    assert words == 4 * 2 * 4 * 6 * 4
    assert float(found.seconds) == pytest.approx(cycles / 2e9)
    assert float(found.energy) == pytest.approx(machine.power * cycles / 2e9)
    assert float(found.mac_energy) == pytest.approx(macs * 1.69e-12)
    assert float(found.memory_energy) == pytest.approx(macs * 12 * 0.45e-12)
    assert float(found.hop_energy) == pytest.approx(words * 32 * 0.1e-12)
    assert float(found.mesh_energy) == pytest.approx(float(found.energy) * 16 / 256)
    half = energy(bill, machine, entry_bytes=2)
    assert float(half.mac_energy) == pytest.approx(macs * 0.5e-12)
    assert all(
        variable.attrs["units"] and variable.attrs["long_name"] for variable in found.variables.values()
    )
    assert found.attrs["program"] == "MeshGEMM"


def test_what_makes_no_sense():
    wafer = Machine.preset("wse2")
    bill = wv.audit(wv.GEMM["cannon"](4))
    with pytest.raises(ValueError, match=r"machine None, energy was asked for 'wse2'"):
        energy(bill, wafer)
    with pytest.raises(ValueError, match="gpu_rate=0"):
        ratio(0, 1)
    with pytest.raises(ValueError, match="seconds=-1"):
        joules(-1, 0, 0, 0, wafer)
    with pytest.raises(ValueError, match="Events hop=nan"):
        Events.published(hop=np.nan)
    with pytest.raises(ValueError, match="memory_bandwidth of blackhole is not published"):
        joules(1, 0, 0, 0, Machine.preset("blackhole", macs_fp16=1))
