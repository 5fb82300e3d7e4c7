"""Key-value caches as an app: `panel serve lab/cache.py`."""

import panel as pn

from waferviz import show
from waferviz.cache import fill
from waferviz.capacity import forecast
from waferviz.published import rows as published
from waferviz.views.style import LEGIBLE

pn.extension()
rows = pn.widgets.IntSlider(label="rows of cores", start=1, end=16, value=5)
room = pn.widgets.IntSlider(label="tokens that fit on a row", start=1, end=24, value=8)
prompt = pn.widgets.IntSlider(label="tokens of the prompt", start=0, end=100, value=0)
model = pn.widgets.Select(
    label="model", options=[row["model"] for row in published("waferllm_kv_models")], width=200
)
for control in (rows, room, prompt, model):
    control.stylesheets = [LEGIBLE]


def shelves(rows: int, room: int, prompt: int) -> object:
    """Both rules side by side until they are full, or what stands against it."""
    try:
        return show(
            *(fill(rule, rows, rows * room + 1, prompt=prompt, capacity=room) for rule in ("concat", "shift"))
        )
    except ValueError as error:
        return f"⚠ {error}"


def told(model: str) -> pn.pane.Markdown:
    """Our own count of the room for tokens beside the published one."""
    return pn.pane.Markdown(forecast(model).gap, styles={"font-size": "15px"})


picture = pn.bind(shelves, *(slider.param.value_throttled for slider in (rows, room, prompt)))
words = pn.bind(told, model)
pn.Column(pn.FlexBox(rows, room, prompt), picture, model, words).servable(
    title="waferviz: where does the cache live?"
)
