"""What the command line says about a run: the product, what it cost, whether it fits and whether it is right."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from waferviz.trace import product
from waferviz.verify import verify

if TYPE_CHECKING:
    import xarray as xr

LONG = 2**28


def report(trace: xr.Dataset) -> bool:
    """Print what a run gave, what it cost and whether it is right."""
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
    relayed = ": broadcasts go core by core" * bool(said["relayed"])
    click.echo(f"  memory       {_fit(said['bytes_needed'], said['bytes_per_core'], 'bytes a core')}")
    click.echo(f"  routes       {_fit(int(trace.routes.max()), said['route_limit'], 'in a router', relayed)}")
    click.echo(f"  verdict      {'right' if verdict else 'WRONG'}: {verdict.product}; {verdict.movement}")
    if verdict.step is not None:
        click.echo(f"  first wrong  step {verdict.step} on core (y, x) = {verdict.core}")
    return bool(verdict)


def _fit(used: float, limit: float, unit: str, why: str = "") -> str:
    """What is used of what there is, and a word in colour when that is not enough."""
    most = "any number" if limit == float("inf") else f"{limit:,}"
    unfit = f", {click.style('does NOT fit', fg='red', bold=True)}{why}" if used > limit else ""
    return f"{used:,} of {most} {unit}{unfit}"


@contextmanager
def _progress(trace: xr.Dataset) -> Iterator[Callable[[int, int], None] | None]:
    """A progress bar on the error stream when the run is long enough to wait for."""
    if trace.attrs["M"] * trace.attrs["K"] * trace.attrs["N"] < LONG:
        yield None
        return
    with click.progressbar(length=1000, label=trace.attrs["program"], file=sys.stderr) as bar:
        yield lambda done, steps: bar.update(round(1000 * done / max(1, steps)) - bar.pos)
