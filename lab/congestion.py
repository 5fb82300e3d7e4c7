"""Traffic jams as an app: `panel serve lab/congestion.py`."""

import numpy as np
import panel as pn

from waferviz import GEMM
from waferviz.views.links import Links
from waferviz.views.style import LEGIBLE
from waferviz.wavelets import Draft, Traffic, patterns, simulate
from waferviz.wavelets.programs import traffic_of

pn.extension()
PROGRAMS = {"alignment and loop of Cannon": "cannon", "alignment and loop of MeshGEMM": "meshgemm"}
TO_ONE = "every core to core (0,0)"
ROOM = {"no limit": None, "16 words": 16, "4 words": 4, "1 word": 1}
ROOM_SAYS = (
    "**Less room, a cycle less?** Where messages share a ramp or a link they take turns, by when their words came. A full router "
    "holds words back at their source; they come later and may let another message go first. That order is usually longer, now and "
    "then a cycle or two shorter, as with MeshGEMM and one word of room."
)
pattern = pn.widgets.Select(
    label="traffic", options=[*patterns.PERMUTATIONS, TO_ONE, *PROGRAMS], value="transpose"
)
mesh = pn.widgets.IntSlider(label="mesh side", start=3, end=12, value=8)
words = pn.widgets.IntSlider(label="words of a message", start=4, end=64, step=4, value=16)
room = pn.widgets.Select(label="words that may wait in a router", options=list(ROOM))
for control in (pattern, mesh, words, room):
    control.stylesheets = [LEGIBLE]


def traffic(pattern: str, mesh: int, words: int) -> Traffic:
    """Messages of the chosen pattern; tiles of a program have about as many words."""
    if pattern in PROGRAMS:
        side = mesh * max(1, round(words**0.5))
        return traffic_of(GEMM[PROGRAMS[pattern]](mesh), matrices=(side, side, side))
    if pattern == TO_ONE:
        draft = Draft((mesh, mesh))
        draft.send(np.arange(1, mesh * mesh), 0, words)
        return draft.traffic()
    return patterns.permutation(patterns.named_permutation(pattern, mesh), words, (mesh, mesh))


def jam(pattern: str, mesh: int, words: int, room: str) -> Links:
    """The run, in at most fifty frames."""
    chosen = traffic(pattern, mesh, words)
    cycles = simulate(chosen, queue=ROOM[room]).cycles
    return Links([simulate(chosen, queue=ROOM[room], window=max(4, cycles // 50))])


picture = pn.bind(jam, pattern, mesh.param.value_throttled, words.param.value_throttled, room)
pn.Column(pn.Row(pattern, mesh, words, room), picture, pn.pane.Markdown(ROOM_SAYS)).servable(
    title="waferviz: where is the jam?"
)
