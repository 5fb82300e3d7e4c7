"""A desk for one picture: programs, sizes and a machine on the left, and what they come to on the right."""

from __future__ import annotations

import math
import threading
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
CORES = 1_000_000
MESSAGE = LEGIBLE + "\n:host { font-weight: 600; }\n"
FADED, CLEAR = {"opacity": "0.3"}, {"opacity": "1"}


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
    """Controls beside a picture that follows them; a wrong input says what is wrong above the faded picture.

    A served desk draws in a thread of its own, so that other readers of the server do not wait.

    Parameters
    ----------
    draw : callable
        From an Order to a picture, or to several in a list.
    mesh, size : str
        What to begin with; several with commas where the picture takes several.
    machine : str
        Machine to begin with.
    most : float
        Cores times steps, summed over the programs, that are drawn; more is refused before anything is priced.
    """

    algorithms = param.ListSelector(default=RACERS, objects=RACERS, doc="Algorithms to compare.")
    mesh = param.String(default="64", doc="Side of the mesh, or rows x columns such as 4x6.")
    size = param.String(default="512", doc="Side of the matrices.")

    def __init__(self, draw: Callable[[Order], Any], *, machine: str = "wse2", most: float = math.inf, **params: Any) -> None:  # fmt: skip
        super().__init__(**params)
        self.draw, self.form, self.most = draw, MachineForm(machine), most
        self._asked, self._drawing = 0, threading.Lock()
        self._said = pn.widgets.StaticText(value="", stylesheets=[MESSAGE], visible=False)
        self._picture = pn.Column(sizing_mode="stretch_width", min_width=720)
        self.form.param.watch(self._follow, "changed")
        self.param.watch(self._follow, ["algorithms", "mesh", "size"])
        self._put(0, self._drawn(0))

    def __panel__(self) -> Any:
        box = {"type": pn.widgets.CheckBoxGroup, "stylesheets": [LEGIBLE]}
        line = {"width": 270, "stylesheets": [LEGIBLE]}
        fields = {"algorithms": box, "mesh": line, "size": line}
        controls = pn.Param(self, parameters=list(fields), show_name=False, widgets=fields)
        side = pn.Column(controls, self.form, width=300)
        shown = pn.Column(self._said, self._picture, sizing_mode="stretch_width", min_width=720)
        return pn.Row(side, shown, sizing_mode="stretch_width")

    def order(self) -> Order:
        """What stands in the controls; ValueError when it makes no sense."""
        if not self.algorithms:
            raise ValueError("no algorithm is chosen: choose one or more")
        sizes = [part.strip() for part in self.size.split(",")]
        if not all(part.isdigit() and int(part) for part in sizes):
            raise ValueError(f"size={self.size!r}: give the side of the matrices, such as 512")
        meshes = [parsed(part.strip()) for part in self.mesh.split(",")]
        for mesh in meshes:
            if math.prod(_sides(mesh)) > CORES:
                raise ValueError(f"mesh={self.mesh!r}: more than {CORES:,} cores; give a side of up to 1,000")
        order = Order(
            names=list(self.algorithms),
            meshes=meshes,
            sizes=[int(part) for part in sizes],
            machine=self.form.machine(),
        )
        self._bear(order)
        return order

    def _bear(self, order: Order) -> None:
        """ValueError for more cores times steps than this desk draws, with the mesh that it would draw."""
        if self.most == math.inf:
            return
        work, side = sum(map(_work, order.programs)), math.sqrt(math.prod(_sides(order.meshes[0])))
        if work > self.most:
            fits = int(side * (self.most / work) ** (1 / 3))
            raise ValueError(
                f"mesh={self.mesh!r}: {work:,} cores times steps, drawn are up to {self.most:,.0f}; a mesh of about "
                f"{fits} a side would fit, or fewer algorithms"
            )

    def _follow(self, *_events: Any) -> None:
        """Draw at once, or for a served page in a thread; what has been overtaken by then is not shown."""
        self._asked += 1
        asked, document = self._asked, pn.state.curdoc
        if document is None:
            self._put(asked, self._drawn(asked))
            return
        self._tell("Drawing …", fade=True)

        def work() -> None:
            with self._drawing:
                drawn = self._drawn(asked)
            document.add_next_tick_callback(lambda: self._put(asked, drawn))

        threading.Thread(target=work, daemon=True).start()

    def _drawn(self, asked: int) -> list[Any] | str:
        """The pictures, or what is wrong; nothing when something else has been asked for."""
        if asked != self._asked:
            return []
        try:
            drawn = self.draw(self.order())
        except (ValueError, KeyError, MemoryError) as error:
            return f"⚠ {error.args[0] if error.args else error}"
        return drawn if isinstance(drawn, list) else [drawn]

    def _put(self, asked: int, drawn: list[Any] | str) -> None:
        if asked != self._asked:
            return
        if isinstance(drawn, str):
            self._tell(drawn, fade=True)
            return
        self._picture.objects = drawn
        self._tell("", fade=False)

    def _tell(self, words: str, *, fade: bool) -> None:
        self._said.value, self._said.visible = words, bool(words)
        self._picture.styles = FADED if fade else CLEAR

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        ready()
        return super()._repr_mimebundle_(include, exclude)


def _sides(mesh: Mesh) -> tuple[int, int]:
    return (mesh, mesh) if isinstance(mesh, int) else mesh


def _work(program: Program) -> int:
    """Cores times steps."""
    return math.prod(program.shape) * sum(part.times * len(part.steps) for part in program.repeats)
