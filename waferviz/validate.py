"""Ours against theirs: every published or independently simulated number beside what this project computes.

`python -m waferviz.validate` writes VALIDATION.md.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.validation import Comparison, claims, comparisons

if TYPE_CHECKING:
    import xarray as xr

PAGE = "VALIDATION.md"
HEAD = """# Ours against theirs

Written by `python -m waferviz.validate`; a test writes it again and compares. Each table holds numbers that are not
ours beside ours, with the relative error (ours over theirs, less one). "Exact" is equal to six
digits, or as far as theirs is rounded. Where a number is off, the table says why; it stays in.
"""


def validate() -> xr.Dataset:
    """Every figure with theirs, ours and the relative error.

    Returns
    -------
    Dataset
        Dim `figure`: `name`, `theirs`, `ours`, `error` (relative, ours over theirs less one; 0 where both are 0),
        `units`, `comparison`, `kind` (published, simulated or measured elsewhere), `source`, `note`; `exact`, whether
        ours is equal to six digits or as far as theirs is rounded, and `within`, whether the error keeps to the
        tolerance of its comparison.
    """
    import xarray as xr

    found = [(each, figure) for each in comparisons() for figure in each.figures()]
    theirs = np.array([figure.theirs for _, figure in found])
    ours = np.array([figure.ours for _, figure in found], dtype=float)
    error = np.divide(ours - theirs, theirs, out=np.where(ours == theirs, 0.0, np.inf), where=theirs != 0)
    tolerance = np.array([each.tolerance for each, _ in found])
    half = np.array([0 if each.digits is None else 0.51 * 10.0**-each.digits for each, _ in found])
    exact = (np.abs(error) < 5e-6) | (np.abs(ours - theirs) <= half)
    text: dict[str, Any] = {
        "name": [figure.name for _, figure in found],
        "units": [figure.units for _, figure in found],
        "comparison": [each.title for each, _ in found],
        "kind": [each.kind for each, _ in found],
        "source": [each.source for each, _ in found],
        "note": [figure.note or each.note for each, figure in found],
    }
    return xr.Dataset(
        {
            "theirs": ("figure", theirs, {"units": "as in `units`", "long_name": "their number"}),
            "ours": ("figure", ours, {"units": "as in `units`", "long_name": "our number"}),
            "error": ("figure", error, {"units": "1", "long_name": "relative error"}),
            "exact": ("figure", exact, {"units": "1", "long_name": "equal as far as theirs is known"}),
            "within": ("figure", np.abs(error) <= tolerance + 1e-12, {"units": "1", "long_name": "error within the tolerance"}),
            **{key: ("figure", np.array(values)) for key, values in text.items()},
        }
    )  # fmt: skip


def statements() -> xr.Dataset:
    """Every statement without a number: does it hold in our model, under which schedule.

    Returns
    -------
    Dataset
        Dim `statement`: `text`, `schedule`, `holds`, `figures`, `source`, `note`.
    """
    import xarray as xr

    found = [verdict for each in claims() for verdict in each()]
    return xr.Dataset(
        {
            "text": ("statement", np.array([verdict.statement for verdict in found])),
            **{
                key: ("statement", np.array([getattr(verdict, key) for verdict in found]))
                for key in ("schedule", "holds", "figures", "source", "note")
            },
        }
    )


def page(data: xr.Dataset | None = None) -> str:
    """The validation page as Markdown; `data` is what `validate` returned, if it has been called."""
    data = validate() if data is None else data
    parts = [HEAD, _summary(data), _claims()]
    parts += [
        _section(each, data.isel(figure=data.comparison.values == each.title)) for each in comparisons()
    ]
    return "\n".join(parts)


def write(path: str | Path | None = None) -> Path:
    """Write the page, by default at the root of the checkout; returns its path."""
    file = Path(path) if path else Path(__file__).parent.parent / PAGE
    file.write_text(page(), encoding="utf-8")
    return file


def _summary(data: xr.Dataset) -> str:
    lines = ["| comparison | kind | figures | exact | within tolerance | mean error | largest error |", "| --- | --- | ---: | ---: | ---: | ---: | ---: |"]  # fmt: skip
    for each in comparisons():
        some = data.isel(figure=data.comparison.values == each.title)
        off = np.abs(some.error.values)
        lines.append(
            f"| [{each.title}](#{_anchor(each.title)}) | {each.kind} | {len(off)} | {np.count_nonzero(some.exact)} | "
            f"{np.count_nonzero(some.within)} of {len(off)} at {_percent(each.tolerance)} | {_percent(off.mean())} | {_percent(off.max())} |"
        )
    return "\n".join(lines) + "\n"


def _claims() -> str:
    data = statements()
    lines = ["## Statements without numbers, in fp16 on a WSE-2\n", "| statement | schedule | holds | ours | why not, or under which condition |", "| --- | --- | --- | --- | --- |"]  # fmt: skip
    for row in range(data.sizes["statement"]):
        one = {key: data[key].values[row] for key in data.data_vars}
        answer = "yes" if one["holds"] else "no"
        lines.append(f"| {one['text']} | {one['schedule']} | {answer} | {one['figures']} | {one['note']} |")
    sources = sorted(set(data.source.values))
    return (
        "\n".join(lines)
        + f"\n\nSource: {'; '.join(sources)}. All are checked in fp16, the type of the paper's released kernels; in fp32 a core "
        "multiplies a quarter as fast and sends twice the words, and the shares of work are larger. Work of cores and communication "
        "overlap by the step rule; see `waferviz.cost`.\n"
    )


def _section(each: Comparison, data: xr.Dataset) -> str:
    lines = [f"## {each.title}\n", f"Theirs: {each.kind}. Source: {each.source}. {each.note}".rstrip() + "\n"]
    lines += [
        "<details><summary>all figures</summary>\n",
        "| figure | theirs | ours | error | units |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for row in range(data.sizes["figure"]):
        name, units, note = (str(data[key].values[row]) for key in ("name", "units", "note"))
        theirs, ours, error = (float(data[key].values[row]) for key in ("theirs", "ours", "error"))
        own = f" {note}" if note != each.note else ""
        lines.append(
            f"| {name}{own} | {_number(theirs)} | {_number(ours)} | {_percent(error, signed=True)} | {units} |"
        )
    return "\n".join(lines) + "\n\n</details>\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value.is_integer() else f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.1f}"


def _percent(value: float, *, signed: bool = False) -> str:
    """A share in percent with one decimal; exact ones as 0."""
    if abs(value) < 5e-6:
        return "0"
    text = f"{100 * value:+.1f} %" if signed else f"{100 * value:.1f} %"
    return text if abs(value) >= 5e-4 else f"{100 * value:+.2g} %" if signed else f"{100 * value:.2g} %"


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -")
    return kept.replace(" ", "-")


if __name__ == "__main__":
    sys.stdout.write(f"{write()}\n")
