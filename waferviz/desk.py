"""A desk for one picture: programs, sizes and a machine on the left, and what they come to on the right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import panel as pn
import param
from panel.viewable import Viewer

from waferviz.algorithms import GEMM
from waferviz.machine import Machine
from waferviz.program import Program
from waferviz.views.machine_form import MachineForm
from waferviz.views.notebook import ready
from waferviz.views.style import LEGIBLE
from waferviz.workbench import RACERS, parsed

Mesh = int | tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the reader has asked for.

    Attributes
    ----------
    names : list of str
        Algorithms.
    meshes : list
        Sides, or rows and columns.
    sizes : list of int
        Sides of the matrices.
    """

    names: list[str]
    meshes: list[Mesh]
    sizes: list[int]
    machine: Machine

    @property
    def programs(self) -> list[Program]:
        """Programs of all algorithms on the first mesh."""
        return [GEMM[name](self.meshes[0]) for name in self.names]

    @property
    def matrices(self) -> tuple[int, int, int]:
        """M, K and N of the first size."""
        return (self.sizes[0],) * 3


class Desk(Viewer):
    """Controls beside a picture that follows them; a wrong input says what is wrong and leaves the picture.

    Parameters
    ----------
    draw : callable
        From an Order to a picture, or to several in a list.
    mesh, size : str
        What to begin with; several with commas where the picture takes several.
    machine : str
        Machine to begin with.
    """

    algorithms = param.ListSelector(default=RACERS, objects=RACERS, doc="Algorithms to compare.")
    mesh = param.String(default="64", doc="Side of the mesh, or rows x columns such as 4x6.")
    size = param.String(default="512", doc="Side of the matrices.")

    def __init__(self, draw: Callable[[Order], Any], *, machine: str = "wse2", **params: Any) -> None:
        super().__init__(**params)
        self.draw, self.form = draw, MachineForm(machine)
        self._said = pn.widgets.StaticText(value="", stylesheets=[LEGIBLE], width=270)
        self._picture = pn.Column(sizing_mode="stretch_width", min_width=720)
        self.form.param.watch(self._show, "changed")
        self.param.watch(self._show, ["algorithms", "mesh", "size"])
        self._show()

    def __panel__(self) -> Any:
        box = {"type": pn.widgets.CheckBoxGroup, "stylesheets": [LEGIBLE]}
        line = {"width": 270, "stylesheets": [LEGIBLE]}
        fields = {"algorithms": box, "mesh": line, "size": line}
        controls = pn.Param(self, parameters=list(fields), show_name=False, widgets=fields)
        side = pn.Column(controls, self.form, self._said, width=300)
        return pn.Row(side, self._picture, sizing_mode="stretch_width")

    def order(self) -> Order:
        """What stands in the controls; ValueError when it makes no sense."""
        if not self.algorithms:
            raise ValueError("no algorithm is chosen: choose one or more")
        sizes = [part.strip() for part in self.size.split(",")]
        if not all(part.isdigit() and int(part) for part in sizes):
            raise ValueError(f"size={self.size!r}: give the side of the matrices, such as 512")
        meshes = [parsed(part.strip()) for part in self.mesh.split(",")]
        return Order(
            names=list(self.algorithms),
            meshes=meshes,
            sizes=[int(part) for part in sizes],
            machine=self.form.machine(),
        )

    def _show(self, *_events: Any) -> None:
        try:
            drawn = self.draw(self.order())
        except (ValueError, KeyError, MemoryError) as error:
            self._said.value = f"⚠ {error.args[0] if error.args else error}"
            return
        self._said.value = ""
        self._picture.objects = drawn if isinstance(drawn, list) else [drawn]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        ready()
        return super()._repr_mimebundle_(include, exclude)
