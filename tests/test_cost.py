"""Closed forms against the simulated samples, published numbers, each other, and bad input."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import waferviz as wv
from waferviz import cost, orders
from waferviz.published import rows

words_of, cores_of = st.integers(1, 300), st.integers(1, 70)


def numbers(row, *names):
    return [int(row[name]) for name in names]


def machine(row):
    return {"hop": int(row["hop"]), "ramp": int(row["t_ramp"])}


def test_the_front_door_has_every_promised_name():
    names = "message broadcast shift multicast forward chain tree two_phase ktree ring shifts"
    assert all(callable(getattr(wv.cost, name)) for name in names.split())


@pytest.mark.parametrize("row", rows("noc_sample_shift"), ids=lambda r: "-".join(list(r.values())[1:7]))
def test_shifts_equal_the_sample(row):
    n, m, engines = numbers(row, "n", "m", "engines")
    layout = row["variant"].replace("cannon", "natural")
    assert cost.shift(m, n, layout, engines=engines, **machine(row)) == int(row["cycles"])


@pytest.mark.parametrize("row", rows("noc_sample_broadcast"), ids=lambda r: "-".join(list(r.values())[:4]))
def test_broadcasts_equal_the_sample(row):
    n, m = numbers(row, "n", "m")
    root = 0 if row["variant"] == "edge" else n // 2
    forms = {
        "bcast_multicast": lambda: cost.multicast(m, n, root, **machine(row)),
        "bcast_forward_wavelet": lambda: cost.forward(m, n, root, **machine(row)),
        "bcast_forward_message": lambda: cost.forward(m, n, root, per="message", **machine(row)),
    }
    assert forms[row["pattern"]]() == int(row["cycles"])


@pytest.mark.parametrize(
    "row",
    [r for r in rows("noc_sample_reduce") if r["variant"] == "chain"],
    ids=lambda r: f"{r['n']}-{r['m']}",
)
def test_chains_equal_the_sample(row):
    n, m = numbers(row, "n", "m")
    assert cost.chain(m, n, **machine(row)) == int(row["cycles"])


@pytest.mark.parametrize("row", rows("noc_sample_allreduce"), ids=lambda r: "-".join(list(r.values())[1:4]))
def test_allreduces_equal_the_sample(row):
    n, m = numbers(row, "n", "m")
    kind, at = row["variant"], machine(row)
    found = int(row["cycles"])
    if kind.startswith("ktree2"):
        groups = int(kind.removeprefix("ktree2_groups"))
        assert cost.ktree(m, (n // groups, groups), n, **at) == found
    elif kind == "chain_edge":
        assert cost.chain(m, n, **at) + cost.broadcast(m, n, **at) == found
    elif kind.startswith("ring"):
        layout = "natural" if "physical" in kind else "interleaved"
        priced = cost.ring(m, n, layout, fused=kind.endswith("fused"), **at)
        assert priced == found if m % n == 0 else 0 <= priced - found <= n


@pytest.mark.parametrize("row", rows("noc_sample_shift_loop"), ids=lambda r: "-".join(list(r.values())[:5]))
def test_loops_equal_the_sample(row):
    n, m, work = numbers(row, "n", "m", "work_cycles")
    layout = row["layout"].replace("cannon", "natural")
    assert cost.shifts(m, n, work, layout=layout, schedule=row["sync"], **machine(row)) == int(row["cycles"])


def test_one_row_of_64_in_both_schedules():
    found = [
        int(cost.shifts(8, 64, layout=layout, schedule=schedule))
        for layout in ("natural", "interleaved")
        for schedule in ("dataflow", "barrier")
    ]
    assert found == [958, 4864, 958, 960]


FORMS = {"chain": cost.chain, "tree": cost.tree, "two_phase": cost.two_phase}


@pytest.mark.parametrize(
    ("name", "mean", "most"), [("chain", 0, 0), ("tree", 7.1, 25.9), ("two_phase", 4.5, 18.3)]
)
def test_published_forms_stay_within_their_known_errors(name, mean, most):
    table = [row for row in rows("noc_hpdc_check") if row["algorithm"] == name]
    p, b = (np.array([int(row[key]) for row in table]) for key in "PB")
    priced = FORMS[name](b, p)
    published = np.array([float(row["published_formula"]) for row in table])
    simulated = np.array([float(row["meshref_cycles"]) for row in table])
    np.testing.assert_allclose(priced, published, atol=0.006)
    off = 100 * np.abs(priced / simulated - 1)
    assert off.mean() <= mean
    assert off.max() <= most


@pytest.mark.parametrize(
    "row", [r for r in rows("noc_hpdc_check") if r["algorithm"] == "star"], ids=lambda r: f"{r['P']}-{r['B']}"
)
def test_a_star_is_the_published_form_and_its_hop(row):
    p, b = numbers(row, "P", "B")
    assert cost.star(b, p) == int(row["meshref_cycles"]) == float(row["published_formula"]) + 1


@pytest.mark.parametrize(
    "row",
    [r for r in rows("noc_hpdc_check") if r["algorithm"] == "autogen"],
    ids=lambda r: f"{r['P']}-{r['B']}",
)
def test_the_bound_of_the_model_is_the_published_one(row):
    p, b = numbers(row, "P", "B")
    cycles, parent = cost.autogen(b, p)
    assert cost.depth_bound(b, p) == pytest.approx(float(row["published_lower_bound"]), abs=0.006)
    assert cycles >= cost.depth_bound(b, p)
    assert parent[0] == -1
    assert np.all(parent[1:] < np.arange(1, p))


@pytest.mark.parametrize("n", [2, 5, 8])
@pytest.mark.parametrize("words", [1, 7, 40])
def test_the_generated_tree_is_the_best_of_all(n, words):
    """Every pre-order tree of n cores: each core after the first hangs below its predecessor or an ancestor of it."""
    grown = [[-1]]
    for core in range(1, n):
        grown = [[*tree, up] for tree in grown for up in ancestors(tree, core - 1)]
    best = np.inf
    for tree in grown:
        depth = [0] * n
        for core in range(1, n):
            depth[core] = depth[tree[core]] + 1
        hops = sum(core - tree[core] for core in range(1, n))
        best = min(best, words * hops / (n - 1) + n - 1 + 5 * max(depth))
    assert cost.depth_bound(words, n) == pytest.approx(best)


def ancestors(tree, core):
    while core >= 0:
        yield core
        core = tree[core]


def longest_path(n, words, work, layout, coupled, hop=1, ramp=2):
    """The recurrence itself, core by core: start of the next step is the last receipt or the end of the work."""
    source = orders.source(getattr(orders, layout)(n))
    edge = words + np.abs(source - np.arange(n)) * hop + 2 * ramp + 1
    start = np.zeros((n, n) if coupled else (1, n))
    for _ in range(n):
        after = np.maximum(start + work, start[:, source] + edge)
        if coupled:
            after = np.maximum(after, start[source] + edge[:, None])
        start = after
    return start.max()


@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("layout", ["natural", "interleaved"])
def test_loops_are_the_longest_path(layout, coupled):
    for n, m, hop, ramp in itertools.product([*range(2, 12), 31, 32], [1, 9], [1, 3], [0, 2]):
        least = m + 2 * ramp + 1
        for work in [0, *range(least, least + 3 * hop + 2), least + n * hop + 5]:
            priced = cost.shifts(
                m, n, work, layout=layout, schedule="dataflow", coupled=coupled, hop=hop, ramp=ramp
            )
            assert priced == longest_path(n, m, work, layout, coupled, hop, ramp), (n, m, hop, ramp, work)


def test_the_k_tree_of_the_released_code():
    assert cost.ktree(11, (30, 22), 660) == 863
    assert cost.ktree(11, (20, 33), 660) == 844
    assert cost.ktree(11, (660, 1), 660) == 2342
    assert cost.ktree(256, (4, 16), 64) == 1388
    assert cost.chain(256, 64) + cost.broadcast(256, 64) == 958


@given(words_of, cores_of, st.integers(0, 3), st.integers(0, 3))
def test_laws(words, n, hop, ramp):
    at = {"hop": hop, "ramp": ramp}
    assert cost.broadcast(words, n, **at) == cost.multicast(words, n, 0, **at) <= cost.forward(words, n, **at)
    assert cost.forward(words, n, **at) <= cost.forward(words, n, per="message", **at)
    assert cost.shift(words, n, "interleaved", **at) <= cost.shift(words, n, **at)
    assert cost.message(words, n - 1, **at) == cost.multicast(words, n, **at)
    assert cost.ktree(words, (n,), broadcast=False, **at) <= cost.ktree(words, (n,), **at)
    for layout in ("natural", "interleaved"):
        free = cost.shifts(words, n, 3, layout=layout, schedule="dataflow", **at)
        both = cost.shifts(words, n, 3, layout=layout, schedule="dataflow", coupled=True, **at)
        assert free <= both <= cost.shifts(words, n, 3, layout=layout, **at)
    if n > 1:
        reductions = (cost.chain, cost.star, cost.tree, cost.two_phase)
        assert all(f(words, n, **at) >= words + 2 * ramp + 1 for f in reductions)


def test_one_core_has_nothing_to_send():
    forms = (cost.broadcast, cost.multicast, cost.forward, cost.shift, cost.star, cost.chain, cost.tree)
    assert [int(form(5, 1)) for form in (*forms, cost.two_phase, cost.ring)] == [0] * 9
    assert cost.ktree(5, (1, 1)) == 0
    assert cost.autogen(5, 1)[0] == 0
    assert cost.shifts(5, 1, 7) == 7


def test_forms_broadcast_over_every_argument():
    words, n, hop = np.array([1, 8, 64])[:, None, None], np.array([1, 4, 9, 64])[:, None], np.array([1, 2])
    for form in (
        cost.broadcast,
        cost.forward,
        cost.shift,
        cost.star,
        cost.chain,
        cost.tree,
        cost.two_phase,
        cost.ring,
        cost.shifts,
    ):
        whole = form(words, n, hop=hop)
        assert whole.shape == (3, 4, 2)
        assert whole[1, 3, 1] == form(8, 64, hop=2)
    both = cost.ktree(words, (np.array([2, 4]), np.array([8, 4])), 16)
    assert both.shape == (3, 1, 2)


BAD = {
    "no words": (lambda: cost.message(0, 3), "words=0: give more than zero"),
    "negative words": (lambda: cost.shift([4, -2], 8), "words=-2"),
    "no cores": (lambda: cost.chain(4, 0), "n=0: give a whole number of cores, 1 or more"),
    "part of a core": (lambda: cost.tree(4, 2.5), "n=2.5"),
    "root outside": (lambda: cost.multicast(4, 8, 8), "root=8: give a core of the row, 0 to n - 1"),
    "layout": (lambda: cost.shift(4, 8, "circle"), "layout='circle': choose 'natural' or 'interleaved'"),
    "per": (lambda: cost.forward(4, 8, per="bit"), "per='bit': choose 'wavelet' or 'message'"),
    "schedule": (lambda: cost.shifts(4, 8, schedule="soon"), "schedule='soon'"),
    "groups": (lambda: cost.ktree(4, (3, 4), 16), "make 12 cores, the row has n=16"),
    "group too large": (lambda: cost.two_phase(4, 8, 9), "group=9"),
    "hop": (lambda: cost.broadcast(4, 8, hop=-1), "hop=-1"),
    "ramp": (lambda: cost.broadcast(4, 8, ramp=-1), "ramp=-1"),
    "work": (lambda: cost.shifts(4, 8, -1), "work=-1"),
    "hops": (lambda: cost.message(4, -1), "hops=-1"),
    "engines": (lambda: cost.shift(4, 8, engines=3), "engines=3"),
    "tree too large": (lambda: cost.autogen(4, 5000), "n=5000.*at most 512"),
    "not a number": (lambda: cost.shift(float("nan"), 8), "words=nan"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_names_argument_value_and_limit(name):
    call, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: cost.message("a", 3), "words='a': give a number of words"),
        (lambda: cost.message(3, "a"), "hops='a'"),
        (lambda: cost.star(3, None), "n=None: give a whole number of cores"),
        (lambda: cost.chain(3, 4, hop="fast"), "hop='fast': give cycles"),
        (lambda: cost.ktree(8, []), r"sizes=\[\]: give the members of a group"),
    ],
    ids=str,
)
def test_text_and_nothing_are_no_numbers(ask, words):
    with pytest.raises(ValueError, match=words):
        ask()


def test_groups_that_do_not_divide_lie_between_those_that_do():
    between = [float(cost.two_phase(8, 64, group)) for group in (8, 7, 6, 4)]
    assert np.isfinite(between).all()
    assert float(cost.two_phase(8, 64, 7)) > float(cost.two_phase(8, 64, 8))
