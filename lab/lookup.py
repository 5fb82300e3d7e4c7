"""The lookup lab as an app: `panel serve lab/lookup.py`."""

import numpy as np
import panel as pn

from waferviz.lowbit import lookups
from waferviz.views.lookup import Lookup
from waferviz.views.style import LEGIBLE

pn.extension()
look = {"width": 230, "stylesheets": [LEGIBLE]}
bits = pn.widgets.IntSlider(**look, label="bits of a weight", start=1, end=4, value=2)
group = pn.widgets.IntSlider(**look, label="activations of a table", start=1, end=4, value=4)
outputs = pn.widgets.IntSlider(**look, label="outputs", start=1, end=256, value=64)
table = pn.widgets.RadioButtonGroup(**look, label="table", options=["exact", "int8"], value="exact")
seed = pn.widgets.IntInput(**look, label="numbers (seed)", value=7, start=0)


def picture(bits: int, group: int, outputs: int, table: str, seed: int) -> Lookup:
    """The lookups of random weights, played."""
    rng = np.random.default_rng(seed)
    a, q = rng.integers(-9, 10, (1, 3 * group)), rng.integers(0, 2**bits, (outputs, 3 * group))
    return Lookup([lookups(a, q, bits=bits, zero=2 ** (bits - 1), group=group, table=table)])


shown = pn.bind(picture, bits, group, outputs, table, seed)
pn.Row(pn.Column(bits, group, outputs, table, seed, width=260), shown).servable(title="waferviz: where did the multiply go?")  # fmt: skip
