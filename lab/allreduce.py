"""Adding up on a line or a mesh as an app: `panel serve lab/allreduce.py`."""

import panel as pn

from waferviz import ALLREDUCE, Machine, show, waves
from waferviz.views.style import LEGIBLE

pn.extension()
algorithms = pn.widgets.MultiChoice(
    label="algorithms, up to 3",
    options=list(ALLREDUCE),
    value=["pipeline", "ring", "ktree"],
    max_items=3,
    width=380,
)
cores = pn.widgets.IntSlider(label="cores of a line, or side of the mesh", start=2, end=64, value=16)
words = pn.widgets.IntSlider(label="words of each core's vector", start=1, end=256, value=4)
machine = pn.widgets.Select(label="machine", options=["teaching", "wse2", "wse3"], value="wse2", width=140)
shape = pn.widgets.Select(label="sum over", options={"a line": "x", "a mesh": "xy"}, value="x", width=140)
for control in (algorithms, cores, words, machine, shape):
    control.stylesheets = [LEGIBLE]


def race(algorithms: list[str], cores: int, words: int, machine: str, shape: str) -> object:
    """Waves of the chosen allreduces on one clock, or what stands against it."""
    try:
        mesh = (1, cores) if shape == "x" else (min(cores, 12), min(cores, 12))
        chip = Machine.preset(machine)
        built = [ALLREDUCE[name](mesh, axis="xy" if name == "snake" else shape) for name in algorithms]
        return show(*(waves(program, chip, matrices=(words,)) for program in built))
    except ValueError as error:
        return f"⚠ {error}"


sliders = (cores.param.value_throttled, words.param.value_throttled)
picture = pn.bind(race, algorithms, *sliders, machine, shape)
choices = pn.FlexBox(algorithms, cores, words, machine, shape)
pn.Column(choices, picture).servable(title="waferviz: who adds, who passes on, who waits?")
