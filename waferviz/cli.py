"""The command line: open the lab, multiply two files, list what there is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.algorithms import GEMM, Shape
from waferviz.api import about, multiply, version
from waferviz.inputs import SAMPLES, pair
from waferviz.machine import Machine
from waferviz.program import Array
from waferviz.published import folder, rows

try:
    import click
except ModuleNotFoundError:
    sys.stderr.write("waferviz: the command line needs click; pip install 'waferviz[cli]'\n")
    raise SystemExit(2) from None

if TYPE_CHECKING:
    import xarray as xr

OUT = (".npy", ".csv")
LONG = 2**28
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

    A file is .npy, .npz, .csv or a picture.  Exit code 1 when the product is wrong, 2 when something cannot be done.
    """
    names = [name.strip() for name in (algorithm, *against.split(",")) if name.strip()]
    with _one_line():
        _check_files(out, handout)
        if len(names) > MOST:
            raise ValueError(f"--against: a race has at most {MOST} runs, this one {len(names)}")
        chip = Machine.preset(machine, wrap=torus)
        first, second = pair(a, b)
        traces = [multiply(first, second, algorithm=name, mesh=mesh, machine=chip) for name in names]
        right = [_report(trace) for trace in traces]
        _write(traces, out, handout)
    sys.exit(0 if all(right) else 1)


@main.command("list")
def list_all() -> None:
    """List algorithms, machines, published tables and ready-made matrices."""
    tables = sorted(file.stem for file in folder("data").glob("*.csv"))
    machines = dict.fromkeys(row["machine"] for row in rows("machines"))
    _columns("Algorithms", {name: _first_line(builder) for name, builder in GEMM.items()})
    _columns("Machines", {name: _sketch(Machine.preset(name)) for name in machines})
    _columns("Tables, for waferviz.table(name)", dict.fromkeys(tables, ""))
    _columns("Matrices, for waferviz.sample(name)", dict.fromkeys(SAMPLES, ""))


@main.command("about")
def about_this() -> None:
    """Print the versions that matter when a picture stays blank."""
    for name, found in about().items():
        click.echo(f"{name:14}{found}")


def _report(trace: xr.Dataset) -> bool:
    """Print what a run gave, what it cost and whether it is right."""
    from waferviz.trace import product
    from waferviz.verify import verify

    said = trace.attrs
    with _progress(trace) as progress:
        found = product(trace, progress)
    verdict = verify(trace)
    cycles, hops = int(trace.cycle[-1]), int(trace.hops.max())
    click.echo(
        f"{said['program']} on {said['mesh']} cores, machine {said['machine']}{', torus' * said['torus']}"
    )
    click.echo(f"  product      {found.shape[0]} x {found.shape[1]}, {found.dtype}")
    click.echo(
        f"  cycles       {cycles:,} with a barrier after each step, {cycles / said['clock'] / 1000:,.4g} us"
    )
    click.echo(f"  longest way  {hops} hop{'s' * (hops != 1)} in one step")
    click.echo(f"  memory       {said['bytes_needed']:,} of {said['bytes_per_core']:,} bytes a core")
    click.echo(f"  verdict      {'right' if verdict else 'WRONG'}: {verdict.product}; {verdict.movement}")
    if verdict.step is not None:
        click.echo(f"  first wrong  step {verdict.step} on core (y, x) = {verdict.core}")
    return bool(verdict)


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


def _check_files(out: Path | None, handout: Path | None) -> None:
    """Raise before anything is computed when a result could not be written."""
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


@contextmanager
def _progress(trace: xr.Dataset) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on the error stream when the run is long enough to wait for."""
    if trace.attrs["M"] * trace.attrs["K"] * trace.attrs["N"] < LONG:
        yield None
        return
    with click.progressbar(length=1000, label=trace.attrs["program"], file=sys.stderr) as bar:
        yield lambda done, steps: bar.update(round(1000 * done / max(1, steps)) - bar.pos)


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
    click.echo(title)
    width = max(map(len, found), default=0) + 2
    for name, said in found.items():
        click.echo(f"  {name:{width}}{said}".rstrip())


def _first_line(builder: Callable[..., Any]) -> str:
    return (builder.__doc__ or "").strip().split("\n")[0]


def _sketch(machine: Machine) -> str:
    rows, columns = machine.shape
    return f"{rows} x {columns} cores, {machine.bytes_per_core // 1024} KiB each, {machine.routes} routes, {machine.clock} GHz"
