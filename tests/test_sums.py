"""Sweeps of sums: who is fastest where, how many phases, and where more cores stop helping; and their curves."""

import numpy as np
import pytest
from watched import Watched

from waferviz import ALLREDUCE, GEMV, Machine, cost, show, table, waves
from waferviz.sums import EXACT, FORMS, PAPER, factored, gemvs, phases, sums
from waferviz.views.curves import Curves

WSE = Machine.preset("wse2")


def test_chains_overtake_trees_as_vectors_grow():
    found = sums(64, [8, 256], WSE).cycles.isel(cores=0)
    assert found.sel(algorithm="pipeline", words=256) == 958
    assert found.sel(words=8).idxmin().item() == "K-tree, best groups"
    assert found.sel(words=256).idxmin().item() == "pipeline"
    assert cost.ktree(256, (4, 16)) == 1388
    assert sums(16, [256], WSE).cycles.isel(cores=0, words=0).idxmin().item() == "pipeline"
    assert sums(5, [256], WSE).cycles.isel(cores=0, words=0).idxmin().item() == "ring"


@pytest.mark.parametrize("cores", [4, 12, 30])
@pytest.mark.parametrize("words", [1, 11, 64])
def test_forms_are_the_cycles_of_the_programs(cores, words):
    found = sums(cores, words, WSE).cycles.isel(cores=0, words=0)
    for name, program in (("pipeline", "pipeline"), ("chain to the centre", "chain")):
        assert (
            found.sel(algorithm=name)
            == waves(ALLREDUCE[program](cores), WSE, matrices=(words,)).attrs["cycles"]
        )
    trees = [
        waves(ALLREDUCE["ktree"](cores, sizes=(cores // g, g)), WSE, matrices=(words,)).attrs["cycles"]
        for g in range(1, cores + 1)
        if cores % g == 0
    ]
    assert found.sel(algorithm="K-tree, best groups") == min(trees)


def test_the_papers_formula_keeps_improving_and_the_exact_one_does_not():
    found = phases(720, 11, WSE).cycles
    paper = found.sel(algorithm=PAPER).values[:6].tolist()
    assert paper == sorted(paper, reverse=True)
    assert int(found.sel(algorithm=EXACT).idxmin()) in (2, 3)
    assert found.sel(k=2, algorithm=PAPER).item() == pytest.approx(720 + 5 * 2 * 720**0.5 / 2)
    assert "How many phases for 11 words on 720 cores?" in repr(show(phases(720, 11, WSE)))


def test_the_papers_latencies_on_720_cores():
    """alpha = 1, beta = 5: pipeline 2 N + 5 N = 5,040, K-tree N + 5 sqrt(N) = 854, ratio 5.9; ours with one word."""
    pipeline = waves(ALLREDUCE["pipeline"](720), WSE, matrices=(1,)).attrs["cycles"]
    assert pipeline == sums(720, 1, WSE).cycles.sel(algorithm="pipeline").item() == 2 * 720 + 5 * 720
    paper = phases(720, 1, WSE).cycles.sel(algorithm=PAPER, k=2).item()
    assert round(paper) == 854
    assert round(pipeline / paper, 1) == 5.9
    tree = waves(ALLREDUCE["ktree"](720, sizes=(30, 24)), WSE, matrices=(1,)).attrs["cycles"]
    assert tree == cost.ktree(1, (30, 24)) == pytest.approx(paper, rel=0.05)


def test_factored_finds_every_ordered_product():
    assert sorted(factored(12)) == sorted(
        {(12,), (2, 6), (6, 2), (3, 4), (4, 3), (2, 2, 3), (2, 3, 2), (3, 2, 2)}
    )
    assert all(np.prod(sizes) == 360 for sizes in factored(360))
    assert factored(7) == ((7,),)


def test_more_cores_stop_helping_and_the_tree_turns_later():
    found = gemvs(np.arange(60, 751, 30), [8192, 16384], WSE)
    turn = found.cycles.idxmin("cores")
    for matrix in (8192, 16384):
        assert turn.sel(algorithm="pipeline", matrix=matrix) < turn.sel(
            algorithm="K-tree, best groups", matrix=matrix
        )
        assert turn.sel(algorithm="K-tree, best groups", matrix=matrix) < 750
    assert (turn.sel(matrix=16384) >= turn.sel(matrix=8192)).all()
    assert (found.share.sel(algorithm="pipeline", cores=720) > 0.9).all()


def test_a_gemv_is_its_work_and_its_sum():
    found = gemvs(16, 16 * 12, WSE, entry_bytes=4).isel(cores=0, matrix=0)
    wave = waves(GEMV["pipeline_gemv"](16), WSE, matrices=(192, 192, 1))
    assert found.cycles.sel(algorithm="pipeline") == wave.attrs["cycles"]


def test_ten_sums_of_a_layer_take_what_a_simulation_takes():
    """Entries of two bytes, two to a word: norm 1, QKV 3d, scores s, softmax 1 and 1, values d, O d, norm 1, up 2f, down d."""
    for row in table("noc_decode_allreduce").to_dataframe().itertuples():
        d, s, f = row.dim_per_pe, row.seq_per_pe, row.ffn_per_pe
        words = -(-np.array([1, 3 * d, s, 1, 1, d, d, 1, 2 * f, d]) // 2)
        cycles = cost.ktree(words, (row.group_size, row.groups), n=row.P).sum()
        assert int(cycles) == row.ten_allreduces_cycles_per_layer


def test_meshes_larger_than_the_matrix_have_no_price():
    assert np.isnan(gemvs([8, 64], 32, WSE).cycles.sel(cores=64)).all()


@pytest.mark.parametrize("bad", [0, -3, 2.5, [], [[1, 2]]])
def test_bad_numbers(bad):
    with pytest.raises(ValueError, match="whole numbers of 1 or more"):
        sums(bad, 4, WSE)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: gemvs(8, 64, WSE, macs=0), "macs=0: give multiply-adds"),
        (lambda: gemvs(8, 64, WSE, macs=np.nan), "macs=nan"),
        (lambda: gemvs(8, 64, WSE, entry_bytes=0), "entry_bytes=0: give a whole number"),
        (lambda: gemvs(8, 64, WSE, entry_bytes=1.5), "entry_bytes=1.5"),
        (lambda: phases(8, 4, WSE, most=0), "most=0: give whole numbers of 1"),
        (lambda: phases([8, 9], 4, WSE), r"cores=\[8, 9\]: give one whole number"),
    ],
)
def test_impossible_numbers(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_what_is_no_sweep_is_refused():
    with pytest.raises(ValueError, match="lacks cycles"):
        Curves([sums(4, 4, WSE).drop_vars("cycles")])
    with pytest.raises(ValueError, match="choose fewer"):
        Curves([sums(range(2, 60), range(1, 400), WSE)])


@pytest.mark.browser
def test_the_sentence_says_which_sum_wins_from_how_many_cores(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    found = sums([16, 64, 256, 512], [1, 256, 2048], WSE)
    least = found.cycles.min("algorithm")
    wins = (found.cycles == least).sel(words=256)
    assert [found.algorithm.values[one][0] for one in wins.values.T] == ["pipeline"] * 2 + [
        "K-tree, best groups"
    ] * 2
    assert (
        found.cycles.sel(words=2048, algorithm="chain to the centre")
        == found.cycles.sel(words=2048, algorithm="K-tree, best groups")
    ).all()
    seen.page.goto(show(found).handout(tmp_path / "sums.html").as_uri())
    words = seen.page.locator(".wv-said")
    assert words.inner_text().startswith("Fastest is K-tree, best groups from 16 to 512 cores")
    slider = seen.page.get_by_role("slider")
    slider.fill("1")
    assert (
        "Fastest is pipeline from 16 to 64 cores; K-tree, best groups from 256 cores on" in words.inner_text()
    )
    slider.fill("2")
    assert "chain to the centre and K-tree, best groups are equal everywhere" in words.inner_text()
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])


@pytest.mark.browser
def test_the_slider_redraws_the_curves(chromium, tmp_path):
    seen = Watched(chromium, offline=True)
    found = gemvs(np.arange(60, 751, 30), [2048, 8192], WSE)
    seen.page.goto(show(found).handout(tmp_path / "curves.html").as_uri())
    slider = seen.page.get_by_role("slider", name="entries along a side")
    assert seen.changes(lambda: slider.fill("1"))
    said = seen.page.locator(".wv-said").inner_text()
    turn = found.cycles.sel(matrix=8192, algorithm="pipeline")
    assert f"pipeline turns at {int(turn.idxmin())} cores with {int(turn.min()):,} cycles" in said
    assert len(FORMS) == 4
    seen.context.close()
    assert (seen.wrong, seen.left) == ([], [])
