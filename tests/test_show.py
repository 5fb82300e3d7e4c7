"""What `show` says of things that have no picture: which verb gives one."""

import numpy as np
import pytest

from waferviz import ALLREDUCE, CACHE, GEMM, audit, cache, check, play, race, run, show, timeline, waves

TREE, SHIFT, CANNON = ALLREDUCE["ktree"](8), CACHE["kv_shift"](3, tokens=4), GEMM["cannon"](4)
SUM = run(TREE, {"V": np.ones((8, 2))})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (SUM, r"the trace of a sum; use show\(waves\(program, machine\)\)"),
        (TREE, r"the Program of a sum; use show\(waves\(program, machine\)\)"),
        (run(SHIFT), r"the trace of a cache; use show\(waferviz.cache.fill\("),
        (SHIFT, r"the Program of a cache; use show\(waferviz.cache.fill\("),
        (CANNON, r"Program; use show\(run\(program\)\)"),
        (audit(CANNON), r"an audit; use show\(check\(program, machine\)\)"),
        (audit(TREE), r"an audit; use show\(check\(program, machine\)\)"),
        (3, "int; give what multiply, run, check, timeline, waves.* one kind at a time"),
        ([], "nothing; give"),
        ([SUM, 3], "the trace of a sum and int; give what .* one kind at a time"),
    ],
)
def test_what_has_no_picture_is_told_what_has(given, words):
    with pytest.raises(ValueError, match=words):
        show(given)


@pytest.mark.parametrize("verb", [play, race])
def test_players_say_how_sums_and_caches_are_shown(verb):
    with pytest.raises(ValueError, match="a player got the trace of a sum; use show"):
        verb(SUM)
    with pytest.raises(ValueError, match="a player got the trace of a cache; use show"):
        verb(run(SHIFT))


def test_the_verbs_named_give_pictures():
    assert show(waves(TREE, "wse2"))
    assert show(cache.fill("shift", 3, 4))
    assert show(run(CANNON))
    assert show(check(CANNON, "wse2"))
    assert show(timeline(CANNON, "wse2"))
