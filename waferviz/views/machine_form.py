"""A form for a machine: start from a published one, change single numbers, save the result as a file."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import panel as pn
import param
from panel.viewable import Viewer

from waferviz.facts import Unpublished, facts
from waferviz.machine import Machine
from waferviz.views.style import LEGIBLE

SHOWN = (
    "hop",
    "ramp",
    "relay",
    "bytes_per_core",
    "routes",
    "clock",
    "link_words",
    "macs",
    "memory_bandwidth",
    "power",
)


class MachineForm(Viewer):
    """Numbers of a machine, each with its unit; those nobody has published are empty until given.

    Parameters
    ----------
    preset : str
        Machine that the numbers start from.
    """

    preset = param.Selector(default="teaching", objects=[], label="Machine", doc="Numbers start from these.")
    changed = param.Event(doc="A number or the preset was changed.")

    def __init__(self, preset: str = "teaching", **params: Any) -> None:
        super().__init__(**params)
        table = [fact for fact in facts("machines") if not fact.variant]
        self.param.preset.objects = list(dict.fromkeys(fact.machine for fact in table))
        self._units = {fact.quantity: fact.units for fact in table}
        self._fields: dict[str, pn.widgets.FloatInput] = {}
        self._grid = pn.GridBox(ncols=2, width=280)
        self._file = pn.widgets.FileDownload(
            callback=self._saved,
            filename="machine.csv",
            label="Save this machine",
            width=270,
            stylesheets=[LEGIBLE],
        )
        self._said = pn.widgets.StaticText(value="", stylesheets=[LEGIBLE], width=260)
        self.preset = preset
        self._fill()

    def __panel__(self) -> Any:
        chosen = pn.widgets.Select.from_param(self.param.preset, width=270, stylesheets=[LEGIBLE])
        numbers = pn.Card(self._grid, self._file, title="its numbers", collapsed=True, width=290)
        doubts = pn.Card(self._said, title="where sources disagree", collapsed=True, width=290)
        return pn.Column(chosen, numbers, doubts, width=290)

    def machine(self, **overrides: Any) -> Machine:
        """The machine as it stands in the form, single numbers replaced by keyword.

        Raises
        ------
        ValueError
            For a number that no machine can have.
        """
        machine = Machine.preset(self.preset)
        changes = {
            name: field.value
            for name, field in self._fields.items()
            if field.value != _plain(getattr(machine, name))
        }
        if "bytes_per_core" in changes:
            changes["bytes_per_core"] = int(changes["bytes_per_core"])
        return machine.edit(**changes, **overrides)

    @param.depends("preset", watch=True)
    def _fill(self) -> None:
        machine = Machine.preset(self.preset)
        self._fields = {name: self._field(name, getattr(machine, name)) for name in SHOWN}
        self._grid.objects = list(self._fields.values())
        doubts = [
            str(doubt).replace(" (not published)", "")
            for doubt in machine.doubts()
            if doubt.quantity in SHOWN
        ]
        self._said.value = (
            "<br>".join(escape(doubt) for doubt in doubts) or "None of these numbers is in doubt."
        )
        self.param.trigger("changed")

    def _field(self, name: str, number: Any) -> pn.widgets.FloatInput:
        """A field made anew: one that is emptied later reads NaN in the browser."""
        field = pn.widgets.FloatInput(
            label=self._label(name), value=_plain(number), width=130, stylesheets=[LEGIBLE],
            placeholder=_missing(number),
        )  # fmt: skip
        field.param.watch(lambda _: self.param.trigger("changed"), "value")
        return field

    def _label(self, name: str) -> str:
        units = self._units[name]
        name = {"memory_bandwidth": "memory"}.get(name, name)
        return name.replace("_", " ") + ("" if units in {"", "1"} else f", {units}")

    def _saved(self) -> io.BytesIO:
        with TemporaryDirectory() as folder:
            return io.BytesIO(self.machine().save(Path(folder) / "machine.csv").read_bytes())


def _plain(value: Any) -> float | None:
    """A number for the form; None where nobody has published one or there is no limit."""
    if isinstance(value, Unpublished) or value == float("inf"):
        return None
    return float(value)


def _missing(number: Any) -> str:
    """Why a field is empty; nothing for a number."""
    if isinstance(number, Unpublished):
        return "not published"
    return "no limit" if number == float("inf") else ""
