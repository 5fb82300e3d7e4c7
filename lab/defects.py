"""Dead cores as an app: `panel serve lab/defects.py`."""

import panel as pn

from waferviz import GEMM, Machine
from waferviz.views.style import LEGIBLE
from waferviz.views.wafer import Defects
from waferviz.views.yields import Yields
from waferviz.wafer import scenes, yields

pn.extension()
algorithm = pn.widgets.Select(label="algorithm", options=list(GEMM), value="meshgemm")
machine = pn.widgets.Select(label="machine", options=["teaching", "wse2", "wse3"], value="wse2")
mesh = pn.widgets.IntSlider(label="mesh side", start=4, end=16, value=12)
for control in (algorithm, machine, mesh):
    control.stylesheets = [LEGIBLE]


def wafer(algorithm: str, machine: str, mesh: int) -> Defects:
    """The chosen program on drawn wafers."""
    program = GEMM[algorithm](mesh)
    return Defects([scenes(program, Machine.preset(machine, shape=(mesh, mesh)), matrices=(2 * mesh,) * 3)])


choices = pn.Row(algorithm, machine, mesh)
mesh_picture = pn.bind(wafer, algorithm, machine, mesh.param.value_throttled)
pn.Column(choices, mesh_picture, Yields([yields()])).servable(title="waferviz: what if a core is dead?")
