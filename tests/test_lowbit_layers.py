"""The low-bit package stands on NumPy alone, looks up to no picture, and loads what is asked for."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import waferviz
from waferviz import lowbit

FILES = sorted(Path(lowbit.__file__).parent.rglob("*.py"))
HEAVY = ("xarray", "panel", "bokeh", "dask", "pandas", "PIL", "scipy")


def imported(file):
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_file_looks_up(file):
    names = set(imported(file))
    assert not {name for name in names if name.startswith(("waferviz.views", "waferviz.show"))}
    assert not {name.split(".")[0] for name in names} & {"panel", "bokeh", "ipywidgets"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_files_are_short(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 250


def test_a_product_costs_numpy_alone():
    code = (
        "import sys, waferviz; y = waferviz.lowbit.lut_matmul([[1, 2, 3, 4]], [[3, 0, 2, 1]], bits=2, zero=2);"
        f"print(int(y[0, 0]), [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "-7 []"


def test_no_file_hides_a_public_name():
    """A file called like a function would replace it in the package once it is imported."""
    top = Path(lowbit.__file__).parent
    verbs = {name for name in lowbit.__all__ if not isinstance(getattr(lowbit, name), ModuleType)}
    assert not {file.stem for file in FILES if file.parent == top} & verbs


def test_it_is_reached_from_the_package():
    assert waferviz.lowbit is lowbit
    assert "lowbit" in dir(waferviz)
