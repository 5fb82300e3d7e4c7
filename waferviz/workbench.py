"""The lab for GEMM: choose algorithms, matrices, mesh and machine, run, and watch the race."""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import panel as pn
import param
from panel.viewable import Viewer

from waferviz.algorithms import GEMM
from waferviz.api import multiply
from waferviz.files import SUFFIXES
from waferviz.inputs import SAMPLES, matrix, sample
from waferviz.machine import Machine, presets
from waferviz.program import Array
from waferviz.show import race
from waferviz.trace import product
from waferviz.views.notebook import ready
from waferviz.views.player import MOST, Player
from waferviz.views.style import LEGIBLE

RACERS = ["allgather", "summa", "cannon", "meshgemm"]
FILE = "file: "
SIDE = 235
TWO_COLUMNS = """
.bk-input-group.bk-inline { display: grid; grid-template-columns: 110px 120px; }
.bk-input-group.bk-inline > *:not(:first-child) { margin-left: 0; }
"""
CHOSEN = ("algorithms", "mesh", "size", "a", "b", "machine", "torus")


class CancelledError(Exception):
    """The reader has had enough of a run."""


class Workbench(Viewer):
    """Controls beside a race; a wrong input says what is wrong and leaves the last picture as it was."""

    algorithms = param.ListSelector(default=RACERS, objects=RACERS, doc="Two to four algorithms to race.")
    mesh = param.String(default="16", doc="Side of the mesh, or rows x columns such as 4x6.")
    size = param.Integer(default=32, bounds=(1, 1024), doc="Side of the ready-made matrices.")
    a = param.Selector(default="integers", objects=list(SAMPLES), label="A", doc="Left matrix.")
    b = param.Selector(default="integers", objects=list(SAMPLES), label="B", doc="Right matrix.")
    machine = param.Selector(default="teaching", objects=presets(), doc="Prices the cycles.")
    torus = param.Boolean(
        default=False, label="torus: wrap links exist", doc="Links join the ends of rows and columns."
    )
    view = param.String(default="", doc="Where the picture stands, as in `race(..., state=...)`.")

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)
        self._stop = threading.Event()
        self._uploads = {
            name: pn.widgets.FileInput(
                width=SIDE, accept=",".join(SUFFIXES), stylesheets=[LEGIBLE], margin=(5, 10, 5, 20)
            )
            for name in "ab"
        }
        for name, upload in self._uploads.items():
            upload.param.watch(partial(self._took, name), "value")
        self._run = pn.widgets.Button(label="Run", color="primary", stylesheets=[LEGIBLE])
        self._cancel = pn.widgets.Button(label="Cancel", disabled=True, stylesheets=[LEGIBLE])
        self._said = pn.widgets.StaticText(value="", stylesheets=[LEGIBLE], width=SIDE, margin=(5, 10, 5, 20))
        self._picture = pn.Column(sizing_mode="stretch_width", min_width=720)
        self._run.on_click(self._start)
        self._cancel.on_click(lambda _: self._stop.set())

    def servable(self, title: str) -> Any:
        """The app as a page, whose address says what is chosen and where the picture stands."""
        if pn.state.location:
            pn.state.location.sync(self, [*CHOSEN, "view"], on_error=self._refused)
        return super().servable(title=title)

    def _refused(self, values: dict[str, Any]) -> None:
        """Take from an address what can be had, and say what cannot; text of digits comes as a number."""
        wrong = []
        for name, value in values.items():
            try:
                setattr(self, name, str(value) if isinstance(self.param[name], param.String) else value)
            except ValueError:
                again = " (choose the file again)" if str(value).startswith(FILE) else ""
                wrong.append(f"{name}={value}{again}")
        if wrong:
            self._said.value = f"⚠ the address asks for {', '.join(wrong)}: not to be had"

    def _took(self, name: str, _event: Any) -> None:
        """Show an uploaded file as the chosen entry of its menu, from which all others can be chosen again."""
        if self._uploads[name].value:
            entry = f"{FILE}{self._uploads[name].filename}"
            self.param[name].objects = [*SAMPLES, entry]
            setattr(self, name, entry)

    def __panel__(self) -> Any:
        if not self._picture.objects:
            self._show()
        controls = pn.Param(
            self,
            parameters=list(CHOSEN),
            show_name=False,
            widgets={name: {"width": SIDE, "stylesheets": [LEGIBLE]} for name in CHOSEN}
            | {
                "algorithms": {
                    "type": pn.widgets.CheckBoxGroup,
                    "inline": True,
                    "stylesheets": [LEGIBLE, TWO_COLUMNS],
                }
            },
        )
        uploads = []
        for name, upload in self._uploads.items():
            head = pn.pane.HTML(f"{name.upper()} from a file", stylesheets=[LEGIBLE], margin=(5, 10, 0, 20))
            uploads += [head, upload]
        buttons = pn.Row(self._run, self._cancel, margin=(0, 0, 0, 10))
        side = pn.Column(controls, *uploads, buttons, self._said, width=270)
        return pn.Row(side, self._picture, sizing_mode="stretch_width")

    def traces(self) -> list[Any]:
        """A trace per chosen algorithm; ValueError, KeyError or MemoryError for what cannot be run."""
        if not 1 <= len(self.algorithms) <= MOST:
            raise ValueError(f"{len(self.algorithms)} algorithms chosen: choose 1 to {MOST}")
        machine = replace(Machine.preset(self.machine), wrap=self.torus)
        first, second = self._operand("a"), self._operand("b")
        mesh = parsed(self.mesh)
        return [
            multiply(first, second, algorithm=GEMM[name], mesh=mesh, machine=machine)
            for name in self.algorithms
        ]

    def _operand(self, name: str) -> Array:
        chosen, upload = getattr(self, name), self._uploads[name]
        if not chosen.startswith(FILE):
            return sample(chosen, self.size, seed=1 if name == "a" else 2)
        with TemporaryDirectory() as folder:
            file = Path(folder) / Path(upload.filename).name
            file.write_bytes(upload.value)
            return matrix(file, name)

    def _start(self, _event: Any) -> None:
        self._stop.clear()
        self._run.disabled, self._cancel.disabled = True, False
        threading.Thread(target=self._show, daemon=True).start()

    def _show(self) -> None:
        try:
            traces = self.traces()
            for number, trace in enumerate(traces, 1):
                if "C" in trace:
                    product(trace, progress=partial(self._tick, number, len(traces)))
            self._said.value = "Checking the products and drawing"
            self._picture.objects = [self._raced(traces)]
            self._said.value = ""
        except CancelledError:
            self._said.value = "Cancelled; the picture is the last one that was finished."
        except (ValueError, KeyError, MemoryError, FileNotFoundError) as error:
            self._said.value = f"⚠ {error.args[0] if error.args else error}"
        finally:
            self._run.disabled, self._cancel.disabled = False, True

    def _raced(self, traces: list[Any]) -> Player:
        """The race where the last one stood; the workbench follows its reader."""
        try:
            player = race(*traces, state=self.view)
        except ValueError:
            player = race(*traces)
        player.param.watch(lambda event: setattr(self, "view", event.new), "state")
        return player

    def _tick(self, number: int, traces: int, done: int, every: int) -> None:
        if self._stop.is_set():
            raise CancelledError
        self._said.value = f"Running {number} of {traces}: {100 * done // max(1, every)} %"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        ready()
        return super()._repr_mimebundle_(include, exclude)


def workbench() -> Workbench:
    """The lab for GEMM, in a notebook cell or an app."""
    return Workbench()


def parsed(mesh: str) -> int | tuple[int, int]:
    """A mesh from text such as 8 or 4x6; ValueError when it is neither."""
    parts = mesh.lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(part.strip().isdigit() for part in parts):
        raise ValueError(f"mesh={mesh!r}: give a side such as 8, or rows x columns such as 4x6")
    sides = [int(part) for part in parts]
    return sides[0] if len(sides) == 1 else (sides[0], sides[1])
