"""The command line: open the lab, multiply two files, list what there is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from waferviz.algorithms import GEMM, Shape
from waferviz.api import about, multiply, version
from waferviz.inputs import pair, sample
from waferviz.listing import GROUPS, listed
from waferviz.machine import Machine
from waferviz.program import Array
from waferviz.published import folder

try:
    import click
except ModuleNotFoundError:
    sys.stderr.write("waferviz: the command line needs click; pip install 'waferviz[cli]'\n")
    raise SystemExit(2) from None

if TYPE_CHECKING:
    import xarray as xr

OUT = (".npy", ".csv")
MOST = 4


class Refused(click.ClickException):
    """An error shown as one line; exit code 2."""

    exit_code = 2


def _mesh(_context: click.Context, _option: click.Parameter, text: str) -> Shape:
    """A mesh given as 8 or as 4x6, rows first."""
    parts = text.lower().replace("×", "x").split("x")
    if len(parts) > 2 or not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise click.BadParameter(
            f"{text!r} is no mesh; give its side or rows x columns, for example 8 or 4x6"
        )
    return int(parts[0]) if len(parts) == 1 else (int(parts[0]), int(parts[1]))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("waferviz"), prog_name="waferviz")
def main() -> None:
    """See, price and prove how wafer-scale chips multiply matrices."""


@main.command()
@click.option(
    "--port", default=8888, show_default=True, type=click.IntRange(1, 65535), help="Port of JupyterLab."
)
@click.option("--no-browser", is_flag=True, help="Print the address, open no window.")
def lab(port: int, no_browser: bool) -> None:
    """Open JupyterLab on the notebooks."""
    if find_spec("jupyterlab") is None:
        raise Refused("the lab needs JupyterLab; pip install 'waferviz[lab]'")
    with _one_line():
        notebooks = _writable(folder("notebooks"))
    command = [sys.executable, "-m", "jupyterlab", str(notebooks), f"--ServerApp.port={port}"]
    command += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += ["--no-browser"] if no_browser else []
    command += ["--allow-root"] if _is_root() else []
    click.echo(f"JupyterLab starts on {notebooks}; open the address printed below (port {port}).")
    sys.exit(subprocess.call(command))  # noqa: S603  (our own interpreter, arguments as a list)


@main.command("multiply")
@click.argument("a")
@click.argument("b")
@click.option("--algorithm", default="meshgemm", show_default=True, help="A name from `waferviz list`.")
@click.option(
    "--mesh",
    default="8",
    show_default=True,
    metavar="MESH",
    callback=_mesh,
    help="Cores: a side or rows x columns.",
)
@click.option("--machine", default="teaching", show_default=True, help="Whose numbers price the cycles.")
@click.option("--torus", is_flag=True, help="Add wrap links from the last core of a line to its first.")
@click.option("--against", default="", help="Other algorithms, by commas, to race on the same matrices.")
@click.option("--out", type=click.Path(path_type=Path), help="Write the product, .npy or .csv.")
@click.option("--handout", type=click.Path(path_type=Path), help="Write the animation, one offline .html.")
def multiply_files(
    a: str,
    b: str,
    algorithm: str,
    mesh: Shape,
    machine: str,
    torus: bool,
    against: str,
    out: Path | None,
    handout: Path | None,
) -> None:
    """Multiply the matrices in the files A and B on a mesh of cores, and check the product.

    A file is .npy, .npz (data.npz:name when it holds several), .csv or a picture.  Exit code 1 when the product is wrong, 2 when something cannot be done.
    """
    from waferviz.report import report

    with _one_line():
        names = _racers(algorithm, against)
        _check_files((a, b), out, handout)
        chip = Machine.preset(machine, wrap=torus)
        first, second = pair(a, b)
        traces = [multiply(first, second, algorithm=name, mesh=mesh, machine=chip) for name in names]
        right = [report(trace) for trace in traces]
        _write(traces, out, handout)
    sys.exit(0 if all(right) else 1)


@main.command("sample")
@click.argument("name")
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--size", default=32, show_default=True, type=click.IntRange(1, 2**14), help="Side of the matrix."
)
def write_sample(name: str, out: Path, size: int) -> None:
    """Write the ready-made matrix NAME to the file OUT, .npy or .csv."""
    with _one_line():
        _check_files((), out, None)
        found = sample(name, size)
        _save(out, found)
    click.echo(f"{found.shape[0]} x {found.shape[1]} matrix written to {out}")


@main.command("list")
@click.argument("what", default="all", type=click.Choice(["all", *GROUPS]))
def list_all(what: str) -> None:
    """List algorithms, machines, ready-made matrices and published tables, or all of WHAT."""
    for title, found in listed(what).items():
        _columns(title, found)


@main.command("about")
def about_this() -> None:
    """Print the versions that matter when a picture stays blank."""
    for name, found in about().items():
        click.echo(f"{name:14}{found}")


def _write(traces: list[xr.Dataset], out: Path | None, handout: Path | None) -> None:
    if out:
        from waferviz.trace import product

        _save(out, product(traces[0]))
        click.echo(f"product written to {out}")
    if handout:
        from waferviz.handout import handout as write

        click.echo(f"animation written to {write(traces, handout)}")


def _save(file: Path, found: Array) -> None:
    if file.suffix.lower() == ".npy":
        np.save(file, found)
        return
    np.savetxt(file, found, fmt="%s", delimiter=",")  # the shortest text that reads back as the same number


def _racers(algorithm: str, against: str) -> list[str]:
    """Names of the algorithms to run, each once."""
    names = [name.strip() for name in (algorithm, *against.split(",")) if name.strip()]
    if len(names) > MOST:
        raise ValueError(f"--against: a race has at most {MOST} runs, this one {len(names)}")
    if twice := [name for name in names if names.count(name) > 1]:
        others = ", ".join(name for name in GEMM if name not in names)
        raise ValueError(f"--against: {twice[0]} would race against itself; name others, such as {others}")
    return names


def _check_files(given: tuple[str, ...], out: Path | None, handout: Path | None) -> None:
    """Raise before anything is computed when a result could not be written."""
    if out and out.resolve() in {Path(name).resolve() for name in given}:
        raise ValueError(
            f"--out {out} is one of the files to multiply and would be overwritten; give another name"
        )
    for option, file, known in (("--out", out, OUT), ("--handout", handout, (".html", ".htm"))):
        if file and file.suffix.lower() not in known:
            raise ValueError(f"{option} {file}: give a name that ends in {' or '.join(known)}")
        if file and not file.parent.is_dir():
            raise ValueError(f"{option} {file}: there is no folder {str(file.parent)!r}; make it first")
    if handout and find_spec("panel") is None:
        raise ValueError("--handout needs Panel and Bokeh; pip install 'waferviz[lab]'")


@contextmanager
def _one_line() -> Iterator[None]:
    """Errors of the package as one line instead of a traceback."""
    try:
        yield
    except (ValueError, KeyError, OSError, MemoryError, ImportError) as error:
        said = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        raise Refused(" ".join(said.split()) or type(error).__name__) from error


def _writable(notebooks: Path) -> Path:
    """The notebooks themselves in a checkout; a copy in the working folder when they lie in the package."""
    if not any(notebooks.glob("*.ipynb")):
        raise FileNotFoundError(f"no notebooks in {notebooks}; install waferviz again")
    if notebooks.parent != Path(__file__).parent:
        return notebooks
    copy = Path("waferviz-notebooks").resolve()
    for file in sorted(notebooks.rglob("*")):
        target = copy / file.relative_to(notebooks)
        if file.is_file() and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    return copy


def _is_root() -> bool:
    import os

    return getattr(os, "geteuid", lambda: 1)() == 0


def _columns(title: str, found: dict[str, str]) -> None:
    click.echo(click.style(title, bold=True))
    width = max(map(len, found), default=0) + 2
    for name, said in found.items():
        click.echo(f"  {name:{width}}{said}".rstrip())
    click.echo()
