"""Sweeps: every closed form equals the price of the program it stands for, in memory and in chunks."""

import numpy as np
import pytest
import xarray as xr

from waferviz.algorithms import GEMM
from waferviz.audit import audit
from waferviz.cost import shifts
from waferviz.cost.gemm import shifting
from waferviz.machine import Machine
from waferviz.sweep import sweep
from waferviz.timeline import timeline

WAFER = Machine.preset("wse2")
MACHINES = [
    WAFER,
    WAFER.edit(name="far", hop=3, ramp=7, routes=4),
    WAFER.edit(name="busy", macs=0.25, macs_fp16=0.5, relay=11, routes=0, link_words=2),
]
ALIGNED = {"cannon": {"align": ""}, "meshgemm": {"align": ""}}
MESH, MATRIX = [1, 2, 3, 4, 7, 12], [12, 30]


def priced(name, mesh, side, machine, schedule, dtype):
    program = GEMM[name](mesh, **ALIGNED.get(name, {}))
    return audit(program, machine, matrices=(side,) * 3, dtype=dtype, schedule=schedule)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int8], ids=["float32", "float16", "int8"])
@pytest.mark.parametrize("name", ["allgather", "summa", "cannon", "meshgemm"])
def test_closed_forms_are_the_price_of_the_program(name, dtype):
    found = sweep(mesh=MESH, matrix=MATRIX, machine=MACHINES, algorithm=name, dtype=dtype).isel(algorithm=0)
    for schedule in ("barrier", "dataflow"):
        for machine in MACHINES:
            for mesh in MESH:
                for side in MATRIX:
                    one = found.sel(mesh=mesh, matrix=side, machine=machine.name, schedule=schedule)
                    bill = priced(name, mesh, side, machine, schedule, dtype)
                    assert int(one.cycles) == int(bill.cycles.sum()), (schedule, machine.name, mesh, side)
                    assert int(one.memory) == int(bill.memory.max())
                    assert int(one.routes) == int(bill.routes.max())
                    assert bool(one.relayed) == (
                        int(bill.routes.max()) > machine.routes and name in ("summa", "allgather")
                    )


def test_parts_and_shares_are_those_of_the_timeline():
    found = sweep(mesh=8, matrix=64, machine=WAFER).isel(mesh=0, matrix=0, machine=0)
    for name in ("allgather", "summa", "cannon", "meshgemm"):
        for schedule in ("barrier", "dataflow"):
            one = found.sel(algorithm=name, schedule=schedule)
            said = timeline(
                GEMM[name](8, **ALIGNED.get(name, {})), WAFER, matrices=(64,) * 3, schedule=schedule
            )
            assert int(one.work) == int(said.work.sum())
            assert float(one.compute_share) == pytest.approx(said.attrs["compute_share"])
            assert float(one.microseconds) == pytest.approx(said.attrs["cycles"] / WAFER.clock / 1000)
            if schedule == "barrier":
                assert int(one.words) == int(said.words.sum())
                assert int(one.way) == int(said.way.sum())
            assert one.cycles >= max(one.work, one.words, one.way)


def test_the_loop_is_the_loop_of_the_closed_forms():
    n, work = np.arange(1, 40), np.arange(0, 200, 13)[:, None]
    for layout, interleaved in (("natural", False), ("interleaved", True)):
        for schedule in ("barrier", "dataflow"):
            ours = shifting(8, n, work, interleaved=interleaved, schedule=schedule, hop=1, ramp=2)
            assert np.array_equal(ours, shifts(8, n, work, layout=layout, schedule=schedule, coupled=True))


def test_what_cannot_be_is_marked():
    small = WAFER.edit(name="small", chip=(6, 6), bytes_per_core=1000)
    found = sweep(mesh=[4, 8, 64], matrix=[32, 48], machine=small, algorithm="meshgemm", schedule="barrier")
    assert np.isnan(found.cycles.sel(mesh=64)).all()
    fits = found.fits.squeeze(drop=True)
    assert fits.sel(mesh=4).values.tolist() == [False, False]
    assert not fits.sel(mesh=8).any()
    assert sweep(mesh=4, matrix=20, machine=small, algorithm="meshgemm").fits.all()


def own(mesh):
    """Cannon as a user's own function."""
    return GEMM["cannon"](mesh, align="")


def test_own_algorithms_and_tori_are_priced_point_by_point():
    torus = WAFER.edit(name="torus", wrap=True)
    found = sweep(
        mesh=[2, 5, 50], matrix=[20], machine=[WAFER, torus], algorithm=[own, "cannon", "meshgemm_t"]
    )
    assert found.algorithm.values.tolist() == ["own", "cannon", "meshgemm_t"]
    assert np.isnan(found.cycles.sel(mesh=50)).all()
    for name, wrapped in (("wse2", WAFER), ("torus", torus)):
        for schedule in ("barrier", "dataflow"):
            bill = audit(own(5), wrapped, matrices=(20,) * 3, schedule=schedule)
            one = found.sel(mesh=5, matrix=20, machine=name, schedule=schedule)
            assert int(one.cycles.sel(algorithm="own")) == int(bill.cycles.sum())
    plain = sweep(mesh=5, matrix=20, machine=WAFER, algorithm=["cannon", own])
    assert (plain.cycles.sel(algorithm="cannon") == plain.cycles.sel(algorithm="own")).all()


def test_paired_points_keep_their_dim():
    mesh, matrix = (xr.DataArray(sides, dims="point") for sides in ([4, 8, 8], [64, 64, 128]))
    found = sweep(mesh=mesh, matrix=matrix, machine=WAFER, algorithm="summa", schedule="dataflow")
    whole = sweep(mesh=[4, 8], matrix=[64, 128], machine=WAFER, algorithm="summa", schedule="dataflow")
    assert found.cycles.dims == ("algorithm", "schedule", "point", "machine")
    assert found.cycles.values.ravel().tolist() == whole.cycles.values.ravel()[[0, 2, 3]].tolist()


def chunked(values, name):
    return xr.DataArray(values, {name: values}, name).chunk({name: 2})


@pytest.mark.parametrize("algorithm", [("summa", "meshgemm"), (own,)], ids=["forms", "own"])
def test_chunks_give_the_same_numbers_later(algorithm):
    mesh, matrix = np.array([2, 3, 5]), np.array([16, 20, 36])
    whole = sweep(mesh=mesh, matrix=matrix, machine=MACHINES, algorithm=algorithm)
    lazy = sweep(
        mesh=chunked(mesh, "mesh"), matrix=chunked(matrix, "matrix"), machine=MACHINES, algorithm=algorithm
    )
    assert lazy.cycles.chunks
    seen = []
    told = sweep(
        mesh=chunked(mesh, "mesh"), matrix=chunked(matrix, "matrix"), machine=MACHINES, algorithm=algorithm,
        progress=lambda done, of: seen.append((done, of)),
    )  # fmt: skip
    assert seen[-1][0] == seen[-1][1]
    for name in whole:
        assert np.array_equal(
            whole[name].values, lazy[name].transpose(*whole[name].dims).values, equal_nan=True
        ), name
        assert np.array_equal(
            whole[name].values, told[name].transpose(*whole[name].dims).values, equal_nan=True
        ), name


def test_the_same_call_runs_on_a_cluster(capsys):
    from distributed import Client

    mesh, matrix = np.arange(2, 18), np.arange(64, 80)
    whole = sweep(mesh=mesh, matrix=matrix, machine=WAFER)
    with Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None) as client:
        assert client.scheduler_info()["workers"]
        found = sweep(
            mesh=chunked(mesh, "mesh").chunk(mesh=8),
            matrix=chunked(matrix, "matrix").chunk(matrix=8),
            machine=WAFER,
            progress=True,
        )
    for name in whole:
        assert np.array_equal(whole[name].values, found[name].transpose(*whole[name].dims).values), name
    said = capsys.readouterr().err
    assert "#" * 40 in said
    assert said.endswith("parts\n")


def test_figure_9_under_a_barrier():
    """Statements of WaferLLM, OSDI 2025, section 7 (figure 9), in half precision; prices without software."""
    found = sweep(
        mesh=[360, 480, 600, 720], matrix=[2160, 8640], machine=WAFER, dtype=np.float16, schedule="barrier"
    )
    one = found.squeeze(drop=True)
    share = one.compute_share.sel(mesh=720, matrix=8640)
    assert share.sel(algorithm="meshgemm") > 0.7
    assert share.sel(algorithm="summa") < 0.5
    assert share.sel(algorithm="cannon") < 0.5
    small = one.cycles.sel(matrix=2160)
    assert (
        small.sel(algorithm=["summa", "cannon"], mesh=720)
        > small.sel(algorithm=["summa", "cannon"], mesh=360)
    ).all()
    large = one.cycles.sel(matrix=8640, algorithm="meshgemm")
    assert (np.diff(large) < 0).all()


def test_bad_input_is_named():
    for wrong, words in (({"mesh": 0}, "mesh=0: give positive"), ({"matrix": [2.5]}, "matrix=.2.5.: give positive"), ({"machine": [WAFER, WAFER]}, "two machines named 'wse2'"), ({"schedule": "free"}, "schedule='free'")):  # fmt: skip
        with pytest.raises(ValueError, match=words):
            sweep(**({"mesh": 4, "matrix": 8, "machine": WAFER} | wrong))
    with pytest.raises(KeyError, match="no GEMM algorithm 'canon'; nearest is 'cannon'"):
        sweep(mesh=4, matrix=8, machine=WAFER, algorithm="canon")
