"""Waves: exact cycles of chains and K-trees, every message where the tree says, and what cannot be drawn."""

import sys

import numpy as np
import pytest

from waferviz import ALLREDUCE, GEMM, GEMV, Machine, cost, tree, waves
from waferviz.wavelets import simulate
from waferviz.wavelets.programs import traffic_of
from waferviz.waves import ADD, MULTIPLY, PASS, RECEIVE, SEND

WSE = Machine.preset("wse2")


def actions(wave, kind):
    on = wave.kind.values == kind
    return sorted(
        zip(*(wave[name].values[on].astype(int).tolist() for name in ("core", "begin", "end")), strict=True)
    )


@pytest.mark.parametrize("cores", [4, 9, 12, 30, 64])
@pytest.mark.parametrize("words", [1, 3, 8, 64])
def test_ktrees_take_the_exact_cycles(cores, words):
    for group in (d for d in range(1, cores + 1) if cores % d == 0):
        sizes = (cores // group, group)
        wave = waves(ALLREDUCE["ktree"](cores, sizes=sizes), WSE, matrices=(words,))
        assert wave.attrs["cycles"] == cost.ktree(words, sizes)


@pytest.mark.parametrize("sizes", [(2, 3, 4), (3, 3, 3), (2, 2, 2, 2)])
def test_more_phases_take_the_exact_cycles_too(sizes):
    wave = waves(ALLREDUCE["ktree"](int(np.prod(sizes)), sizes=sizes), WSE, matrices=(11,))
    assert wave.attrs["cycles"] == cost.ktree(11, sizes)


@pytest.mark.parametrize("cores", [2, 5, 16])
@pytest.mark.parametrize("words", [1, 8, 100])
def test_chains_and_stars(cores, words):
    flood = int(cost.broadcast(words, cores))
    line = waves(ALLREDUCE["pipeline"](cores), WSE, matrices=(words,)).attrs["cycles"]
    assert line == cost.chain(words, cores) + flood
    star = waves(ALLREDUCE["star"](cores), WSE, matrices=(words,)).done.values[0]
    assert star == max(words * (cores - 1) + 6, (cores - 2) + words + 6)


@pytest.mark.parametrize("name", list(ALLREDUCE))
@pytest.mark.parametrize(("cores", "words"), [(4, 1), (9, 8), (13, 3), (16, 11)])
def test_every_allreduce_takes_what_a_simulation_word_by_word_takes(name, cores, words):
    program = ALLREDUCE[name]((1, cores))
    run = simulate(traffic_of(program, WSE, matrices=(words,), schedule="barrier"))
    assert waves(program, WSE, matrices=(words,)).attrs["cycles"] == run.attrs["cycles"]


@pytest.mark.parametrize("name", ["ktree", "chain", "snake", "autogen"])
def test_meshes_take_what_a_simulation_takes(name):
    program = ALLREDUCE[name]((5, 6), axis="xy")
    run = simulate(traffic_of(program, WSE, matrices=(4,), schedule="barrier"))
    assert waves(program, WSE, matrices=(4,)).attrs["cycles"] == run.attrs["cycles"]


@pytest.mark.parametrize("seed", range(12))
def test_trees_whose_messages_meet_take_no_less(seed):
    rng = np.random.default_rng(seed)
    order, parents = rng.permutation(9), np.full(9, -1)
    for number in range(1, 9):
        parents[order[number]] = order[rng.integers(0, number)]
    program = tree(parents)
    run = simulate(traffic_of(program, WSE, matrices=(3,), schedule="barrier")).attrs["cycles"]
    wave = waves(program, WSE, matrices=(3,))
    assert wave.attrs["cycles"] <= run == wave.attrs.get("simulated", wave.attrs["cycles"])


def test_three_cores_by_hand():
    """Core 0 sends 2 words at 0; core 1 adds the first at 6 and sends on; core 2 has all at 14 and sends back."""
    wave = waves(ALLREDUCE["pipeline"](3), WSE, matrices=(2,))
    assert actions(wave, SEND) == [(0, 0, 2), (2, 14, 16)]
    assert actions(wave, ADD) == [(1, 6, 8), (2, 12, 14)]
    assert actions(wave, RECEIVE) == [(0, 21, 23), (1, 20, 22)]
    assert actions(wave, PASS) == []
    assert wave.done.values.tolist() == [14, 23]
    assert wave.shares.values.astype(int).tolist() == [[1, 1, 1], [1, 1, 3], [3, 3, 3]]
    assert wave["first"].values.astype(int).tolist() == [[1, 2, 3], [1, 2, 6], [6, 6, 6]]


def test_routers_pass_words_on_a_hop_a_cycle():
    wave = waves(tree([3, 3, 3, -1]), WSE, matrices=(1,))
    assert actions(wave, PASS) == [(1, 3, 4), (2, 3, 4), (2, 4, 5)]
    assert actions(wave, ADD) == [(3, 6, 7), (3, 7, 8), (3, 8, 9)]


def test_a_mesh_and_its_messages():
    wave = waves(ALLREDUCE["ktree"]((4, 6), axis="xy"), WSE, matrices=(3,))
    reach = abs(wave.source // 6 - wave.target // 6) + abs(wave.source % 6 - wave.target % 6)
    assert (wave.arrives - wave.leaves == reach * WSE.hop + 2 * WSE.ramp + 1).all()
    received = wave.core.values[wave.kind.values == RECEIVE]
    assert set(range(24)) - set(received.astype(int).tolist()) == {3 * 6 + 4}


def test_a_gemv_multiplies_first():
    wave = waves(GEMV["meshgemv"](4), WSE, matrices=(16, 16, 1))
    assert [end for _, _, end in actions(wave, MULTIPLY)] == [16] * 16
    assert wave.done.values[0] == 16
    assert "shares" not in wave


def test_what_cannot_be_drawn_is_said(monkeypatch):
    with pytest.raises(ValueError, match="moves 2 streams at once"):
        waves(GEMM["cannon"](4, align=""), WSE)
    with pytest.raises(ValueError, match="moves 5 streams at once"):
        waves(ALLREDUCE["ring"](5, fused=True), WSE)
    monkeypatch.setattr(sys.modules["waferviz.waves"], "MOST", 10)
    with pytest.raises(ValueError, match=r"more than 10 actions.*fewer cores"):
        waves(ALLREDUCE["chain"](30), WSE)
