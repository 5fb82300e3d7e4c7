"""A race as a moving picture for slides and pages that run no script: who holds what, on one clock."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from waferviz.views.style import EMPTY, INK, PALETTES
from waferviz.views.words import named

if TYPE_CHECKING:
    import xarray as xr

SIDE = 208
GAP = 16
HEAD = 26
FOOT = 44
RATE = 8


def gif(
    traces: Sequence[xr.Dataset], path: str | Path, *, clock: str = "cycles", seconds: float = 12.0
) -> Path:
    """Write a GIF of one to four traces and return its path.

    Parameters
    ----------
    traces : sequence of Dataset
        See `waferviz.run`.
    path : str or Path
        File to write, .gif.
    clock : "cycles" or "steps"
        What the maps share.
    seconds : float
        Length of one round, the last picture held for two seconds more.

    Raises
    ------
    ValueError
        When the path does not end in .gif.
    """
    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise ValueError(
            f"path={str(path)!r}: a moving picture is a .gif file; give a name that ends in .gif"
        )
    ends = [trace.cycle.values if clock == "cycles" else np.arange(trace.sizes["step"]) for trace in traces]
    times = np.linspace(0, max(end[-1] for end in ends), int(RATE * seconds))
    pictures = []
    for time in times:
        steps = [int(np.searchsorted(end, time, side="right")) - 1 for end in ends]
        pictures.append(_picture(traces, steps, f"{clock[:-1]} {int(time):,}"))
    wait = [1000 // RATE] * (len(pictures) - 1) + [2000]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=wait, loop=0, optimize=True)
    return path


def _picture(traces: Sequence[xr.Dataset], steps: Sequence[int], now: str) -> Any:
    wide = len(traces) * (SIDE + GAP) + GAP
    page = Image.new("RGB", (wide, HEAD + SIDE + FOOT), "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=16)
    small = ImageFont.load_default(size=14)
    for number, (trace, step) in enumerate(zip(traces, steps, strict=True)):
        left, last = GAP + number * (SIDE + GAP), trace.sizes["step"] - 1
        draw.text((left, 3), named(trace), INK, font)
        page.paste(
            Image.fromarray(_map(trace, step)).resize((SIDE, SIDE), Image.Resampling.NEAREST), (left, HEAD)
        )
        done = f"done, {int(trace.cycle[-1]):,} cycles" if step == last else f"step {step} of {last}"
        draw.text((left, HEAD + SIDE + 4), done, INK, small)
    draw.text(
        (GAP, HEAD + SIDE + 22), f"{now}; solid: blocks of A and B match, the core can multiply", INK, small
    )
    return page.quantize(128)


def _map(trace: xr.Dataset, step: int) -> np.ndarray:
    """Cells split into the colours of the block of A (upper left) and of B (lower right), shape (rows, columns, 3)."""
    cell = max(1, SIDE // max(trace.sizes["y"], trace.sizes["x"]))
    colours = np.array([_channels(colour) for colour in [*PALETTES["cyclic"], EMPTY]], np.uint8)
    blocks = trace.attrs["blocks"]
    held = [trace[name].isel(step=step).values.astype(int) for name in ("a_block", "b_block")]
    levels = [np.where(block < 0, 256, block * 256 // blocks) for block in held]
    upper = np.add.outer(np.arange(cell), np.arange(cell)) < cell - 1
    spread = [np.kron(level, np.ones((cell, cell), int)) for level in levels]
    mask = np.tile(upper, (trace.sizes["y"], trace.sizes["x"]))
    return colours[np.where(mask, *spread)]


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
