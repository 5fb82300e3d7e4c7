"""The packing microscope as an app: `panel serve lab/packing.py`."""

import numpy as np
import panel as pn

from waferviz.lowbit import FORMATS, specimen, tmac
from waferviz.views.packing import Packing
from waferviz.views.style import LEGIBLE

pn.extension()
look = {"width": 230, "stylesheets": [LEGIBLE]}
BLOCKS = {
    "i2_s": (1, 128), "i2_s_neon": (1, 128), "i2_s_rows": (4, 32), "tl1": (1, 64), "tl2": (1, 96), "w2a8": (1, 64),
    "nibbles": (1, 64), "interleaved": (1, 64), "tmac": (16, 8),
}  # fmt: skip
names = {FORMATS[name].title if name in FORMATS else "T-MAC planes": name for name in BLOCKS}
form = pn.widgets.Select(**look, label="format", options=names, value="i2_s")
seed = pn.widgets.IntInput(**look, label="weights (seed)", value=7, start=0)


def picture(form: str, seed: int) -> Packing:
    """One block of random weights, packed."""
    known = FORMATS.get(form) or tmac(2, tile=32, kfactor=2)
    return Packing(
        [specimen(np.random.default_rng(seed).integers(known.low, known.high + 1, BLOCKS[form]), known)]
    )


shown = pn.bind(picture, form, seed)
pn.Row(pn.Column(form, seed, width=260), shown).servable(title="waferviz: which bits are my weight?")
