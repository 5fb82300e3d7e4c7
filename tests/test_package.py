"""What an import costs, who may import whom, and what the package says about itself."""

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import waferviz

PACKAGE = Path(waferviz.__file__).parent
HEAVY = ("xarray", "panel", "bokeh", "dask", "pandas", "ipywidgets", "PIL", "scipy", "click")
FRONT = {"views", "show", "handout", "workbench", "desk", "cli"}
VIEWS_MAY_NOT = {"engine", "algorithms", "history", "panels", "names", "runs", "flows", "routes", "program", "proof", "trace"}  # fmt: skip


def imported(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def ours(file):
    return {name.split(".")[1] for name in imported(file) if name.startswith("waferviz.")}


def test_import_costs_numpy_alone():
    code = f"import sys, waferviz; print([m for m in {HEAVY!r} if m in sys.modules], 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True"


@pytest.mark.parametrize("file", sorted((PACKAGE / "views").glob("*.py")), ids=lambda file: file.name)
def test_views_know_traces_and_no_engine(file):
    assert not ours(file) & VIEWS_MAY_NOT


@pytest.mark.parametrize(
    "file",
    [f for f in sorted([*PACKAGE.glob("*.py"), *(PACKAGE / "algorithms").glob("*.py")]) if f.stem not in FRONT | {"__init__", "__main__"}],
    ids=lambda file: file.name,
)  # fmt: skip
def test_the_core_does_not_look_up(file):
    assert not ours(file) & FRONT
    assert not {name.split(".")[0] for name in imported(file)} & {"panel", "bokeh", "ipywidgets"}


@pytest.mark.parametrize("name", waferviz.__all__)
def test_every_public_name_is_documented(name):
    assert getattr(waferviz, name).__doc__ or name == "GEMM"


def test_verbs_win_over_files_of_the_same_name():
    code = "import waferviz.audit, waferviz.verify, waferviz; print(callable(waferviz.audit), callable(waferviz.verify))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True True"


def test_about_names_versions():
    about = waferviz.about()
    assert about["python"] == sys.version.split()[0]
    assert {"waferviz", "numpy", "xarray"} <= set(about)


def test_an_unknown_name_lists_what_there_is():
    with pytest.raises(AttributeError, match="multiply"):
        _ = waferviz.multiplicate


def test_a_wheel_works_outside_the_tree_with_its_data(tmp_path):
    """Built, unpacked elsewhere and run from there: tables, pictures, notebooks and the command line come along."""
    root = PACKAGE.parent
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
    ]
    subprocess.run([*build, str(tmp_path), str(root)], check=True)
    (wheel,) = tmp_path.glob("waferviz-*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(site)
    code = """
import pathlib, waferviz
from waferviz.published import folder
here = pathlib.Path(waferviz.__file__).parent
assert here.parent == pathlib.Path("site").resolve(), here
assert all(folder(name).parent == here for name in ("data", "lab", "notebooks"))
assert waferviz.table("machines").sizes["row"] > 10
trace = waferviz.multiply(waferviz.sample("photograph", 16), waferviz.sample("integers", 16), mesh=4)
assert waferviz.verify(trace).ok
assert waferviz.race(trace).handout("race.html").stat().st_size > 100_000
assert list(folder("notebooks").glob("00-*.ipynb")) and list(folder("lab").glob("gemm.py"))
"""
    environment = os.environ | {"PYTHONPATH": str(site)}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    command = [sys.executable, "-m", "waferviz", "list"]
    said = subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True)
    assert "meshgemm" in said.stdout
