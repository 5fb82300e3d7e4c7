"""A sweep of a million design points in closed form against one addition over as many numbers."""

import numpy as np
from ratios import best

from waferviz import cost


def sweep():
    """Four patterns over 100 x 100 x 100 words, cores and cycles per hop."""
    words = np.arange(1, 101)[:, None, None]
    n, hop = np.arange(2, 102)[:, None], np.linspace(1, 3, 100)
    for form in (cost.shift, cost.broadcast, cost.chain, cost.star):
        form(words, n, hop=hop)


def test_a_million_points_cost_no_more_than_forty_additions(capsys):
    one = np.ones((4, 10**6))
    other, out = one.copy(), one.copy()
    ratio = best(sweep) / best(lambda: np.add(one, other, out=out))
    with capsys.disabled():
        print(f"\nfour forms over a million points: {ratio:.0f} additions of 4 million numbers")
    assert ratio <= 40
