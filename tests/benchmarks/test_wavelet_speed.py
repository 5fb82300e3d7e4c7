"""The simulator against its slow twin in plain Python, and every row of the sample tables."""

import sys
import time
from pathlib import Path

import pytest

from waferviz import cost
from waferviz.published import rows
from waferviz.wavelets import patterns
from waferviz.wavelets.report import outcome, totals

sys.path.insert(0, str(Path(__file__).parent.parent))
from mesh_samples import published, sample
from slow_mesh import simulate_slowly

TRAFFIC = {
    "64 x 64, all cores to the next, 48 words": lambda: patterns.permutation(
        patterns.named_permutation("neighbour", 64), 48, (64, 64)
    ),
    "64 x 64, two steps of a coupled loop, 16 words": lambda: coupled_step(64, 16),
}


def coupled_step(n, words):
    """A and B shift on an n x n mesh, and once more where both have come."""
    import numpy as np

    from waferviz.wavelets import Draft

    draft, core = Draft((n, n)), np.arange(n * n)
    y, x = np.divmod(core, n)
    source = patterns.ring_source(n, "natural")
    froms, after = [y * n + source[x], source[y] * n + x], np.full((1, n * n), -1)
    for _ in range(2):
        after = np.stack([draft.send(each, core, words, after=after[:, each]) for each in froms])
    return draft.traffic()


@pytest.mark.parametrize("name", TRAFFIC)
def test_fifty_times_as_fast_as_message_by_message(name, capsys):
    traffic = TRAFFIC[name]()
    took = []
    for _ in range(3):
        start = time.perf_counter()
        run = outcome(traffic, shared_ramp=False)[0]
        took.append(time.perf_counter() - start)
    start = time.perf_counter()
    complete, _ = simulate_slowly(traffic, shared_ramp=False)
    slow = time.perf_counter() - start
    with capsys.disabled():
        print(
            f"\n{name}: {run.cycles} cycles, {min(took):.3f} s, slow twin {slow:.1f} s, {slow / min(took):.0f} times"
        )
    assert run.complete.tolist() == complete
    assert slow >= 50 * min(took)


@pytest.mark.parametrize("table", ["shift", "broadcast", "reduce", "allreduce", "perm2d"])
def test_every_row_of_the_samples(table):
    for row in rows(f"noc_sample_{table}"):
        traffic = sample(row)
        machine = {"hop": int(row["hop"]), "ramp": int(row["t_ramp"]), "engines": int(row["engines"])}
        run, lanes, segments = outcome(traffic, **machine)
        names = ("cycles", "hops_E", "links_used_N", "max_link_load", "max_received_C")
        found = [run.cycles, *totals(traffic, lanes, segments).values()]
        assert found == [int(row[name]) for name in names], row


@pytest.mark.parametrize("kind", sorted({row["algorithm"] for row in rows("noc_hpdc_check")}))
def test_every_published_pattern(kind):
    for row in rows("noc_hpdc_check"):
        if row["algorithm"] == kind:
            traffic = published(row)
            run, lanes, segments = outcome(traffic)
            hops = totals(traffic, lanes, segments)["hops"]
            assert (run.cycles, hops) == (int(row["meshref_cycles"]), int(row["hops_E"])), row


@pytest.mark.parametrize("n", [4, 5, 8, 13, 16, 32, 33, 64])
def test_the_full_grid_of_closed_forms(n):
    for m in (1, 2, 3, 8, 31, 64, 256):
        for layout in ("natural", "interleaved"):
            for engines in (0, 1):
                found = outcome(patterns.shift(n, m, layout), engines=engines)[0].cycles
                assert found == cost.shift(m, n, layout, engines=engines)
        for root in range(0, n, max(1, n // 5)):
            assert outcome(patterns.multicast(n, m, root))[0].cycles == cost.multicast(m, n, root)
            for per in ("wavelet", "message"):
                assert outcome(patterns.forward(n, m, root, per=per))[0].cycles == cost.forward(
                    m, n, root, per=per
                )
        assert outcome(patterns.reduction(patterns.chain_parents(n), m))[0].cycles == cost.chain(m, n)
        for groups in (g for g in range(1, n + 1) if n % g == 0):
            sizes = (n // groups, groups)
            assert outcome(patterns.ktree(m, sizes))[0].cycles == cost.ktree(m, sizes)
