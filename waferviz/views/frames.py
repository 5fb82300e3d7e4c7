"""A trace as small integers for the page: one byte per core, layer and step, deflated."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.views import words

if TYPE_CHECKING:
    import xarray as xr

BYTES = 48 * 2**20
DETAIL_CORES = 64 * 64
ALL_LAYERS_CORES = 128 * 128
VALUE_ENTRIES = 128 * 128
SHOWS = {
    "blocks": ("who holds what", ("a", "b", "match")),
    "links": ("links", ("traffic",)),
    "progress": ("progress", ("filled",)),
    "received": ("words in", ("received",)),
    "bytes": ("bytes", ("bytes",)),
    "values": ("values of C", ("values",)),
    "difference": ("progress, less the first map's", ("filled",)),
}


@dataclass(frozen=True)
class Scale:
    """Ends of the shared colour scales of a race: words on a link, words into a core, bytes, values of C."""

    words: int
    received: int
    bytes: int
    low: float
    high: float


def payload(traces: Sequence[xr.Dataset], show: str) -> str:
    """Everything the page needs to play the traces, as text: JSON, with the frames deflated in base64."""
    scale = shared(traces)
    return json.dumps(
        {"traces": [packed(trace, show, scale, len(traces)) for trace in traces], "scale": vars(scale)}
    )


def _evens_first(size: int) -> Any:
    """Even places, then odd ones: rings that go out over one and home over the other deflate far better so."""
    return np.r_[0:size:2, 1:size:2]


def shared(traces: Sequence[xr.Dataset]) -> Scale:
    """Scales over all traces and their whole runs."""
    low, high = zip(*(_range(trace) for trace in traces), strict=True)
    return Scale(
        words=max(1, *(int(trace.link_words.max()) for trace in traces)),
        received=max(1, *(_busiest(trace) for trace in traces)),
        bytes=max(trace.attrs["bytes_needed"] for trace in traces),
        low=min(low),
        high=max(high),
    )


def packed(trace: xr.Dataset, show: str, scale: Scale, number: int) -> dict[str, Any]:
    """One trace: what stands in words and numbers, and its layers of frames."""
    layers = _layers(trace, show, scale)
    steps = _steps(trace, layers, number)
    blob, table = bytearray(), {}
    for name, (planes, height, width, frame) in layers.items():
        woven = name in ("a", "b")
        table[name] = {"at": len(blob), "planes": planes, "height": height, "width": width, "woven": woven}
        for step in steps:
            one = np.asarray(frame(int(step))).astype(np.uint8)
            blob += (one[np.ix_(_evens_first(height), _evens_first(width))] if woven else one).tobytes()
    core = trace.routes.shape
    return {
        "name": words.named(trace),
        "rows": trace.sizes["y"],
        "columns": trace.sizes["x"],
        "coreRows": core[0],
        "coreColumns": core[1],
        "mesh": trace.attrs["mesh"],
        "blocks": trace.attrs["blocks"],
        "torus": trace.attrs["torus"],
        "steps": [int(step) for step in steps],
        "last": trace.sizes["step"] - 1,
        "cycles": trace.cycle.values.tolist(),
        "busy": np.round(trace.link_words.values * 255 / scale.words).astype(int).tolist(),
        "sentences": words.sentences(trace),
        "stats": words.stats(trace),
        "broken": words.limits(trace),
        "events": words.events(trace),
        "code": trace.attrs.get("code", ""),
        "paper": trace.attrs.get("paper", ""),
        "verdict": trace.attrs.get("verdict", ""),
        "right": trace.attrs.get("right", 1),
        "wrongCore": trace.attrs.get("wrong_core", []),
        "wrongStep": trace.attrs.get("wrong_step", -1),
        "needed": trace.attrs["bytes_needed"],
        "limit": trace.attrs["bytes_per_core"],
        "routes": _small(trace.routes.values) if core[0] * core[1] <= DETAIL_CORES else None,
        "tensors": [str(name) for name in trace.tensor.values],
        "layers": table,
        "frames": base64.b64encode(zlib.compress(bytes(blob), 9 if len(blob) < 8e6 else 4)).decode(),
    }


Layer = tuple[int, int, int, Callable[[int], Any]]


def _layers(trace: xr.Dataset, show: str, scale: Scale) -> dict[str, Layer]:
    """Layers that fit: all of them on small meshes, the one asked for on large ones."""
    rows, columns, blocks = trace.sizes["y"], trace.sizes["x"], trace.attrs["blocks"]
    core = trace.routes.shape

    def at(name: str, step: int) -> Any:
        return trace[name].isel(step=step).values

    def block(name: str) -> Callable[[int], Any]:
        return lambda step: _level(at(name, step), blocks)

    every: dict[str, Layer] = {
        "a": (1, rows, columns, block("a_block")),
        "b": (1, rows, columns, lambda step: block("b_block")(step) ^ block("a_block")(step)),
        "match": (1, rows, columns, lambda step: (at("a_block", step) == at("b_block", step)) & (at("a_block", step) >= 0)),
        "filled": (1, rows, columns, lambda step: _share(at("filled", step), blocks)),
        "traffic": (4, *core, lambda step: _share(at("traffic", step), scale.words)),
        "received": (1, *core, lambda step: _share(arrivals(at("traffic", step)), scale.received)),
        "bytes": (1, *core, lambda step: _share(at("memory", step), scale.bytes)),
    }  # fmt: skip
    if "C" in trace:
        height, width, picture = _picture(trace, scale)
        every["values"] = (1, height, width, picture)
    if rows * columns > ALL_LAYERS_CORES:
        wanted = SHOWS[show][1]
        return {name: layer for name, layer in every.items() if name in wanted}
    if rows * columns <= DETAIL_CORES:
        for name in (str(tensor) for tensor in trace.tensor.values):
            for axis in "yx":
                every[f"from_{axis}_{name}"] = (
                    1,
                    rows,
                    columns,
                    _origin(trace.sel(tensor=name)[f"from_{axis}"]),
                )
        if not _in_place(trace):
            every["a_row"] = (1, rows, columns, lambda step: at("a_row", step) + 1)
            every["b_column"] = (1, rows, columns, lambda step: at("b_column", step) + 1)
    return every


def _origin(came: xr.DataArray) -> Callable[[int], Any]:
    return lambda step: came.isel(step=step).values + 1


def arrivals(traffic: Any) -> Any:
    """Words into each router over its four links, from words on the links that leave each core."""
    east, west, south, north = traffic
    into = [
        np.roll(east, 1, axis=1),
        np.roll(west, -1, axis=1),
        np.roll(south, 1, axis=0),
        np.roll(north, -1, axis=0),
    ]
    return sum(into)


def _busiest(trace: xr.Dataset) -> int:
    """Most words into one router, over a few steps."""
    steps = {*_some(trace), int(trace.link_words.values.argmax())}
    return max(int(arrivals(trace.traffic.isel(step=step).values).max()) for step in steps)


def _steps(trace: xr.Dataset, layers: dict[str, Layer], number: int) -> np.ndarray:
    """Steps shown: all that fit into the page's memory, evenly spread, start and end always."""
    last = trace.sizes["step"] - 1
    each = sum(planes * height * width for planes, height, width, _ in layers.values())
    room = max(2, BYTES // number // max(1, each))
    return np.unique(np.linspace(0, last, min(room, last + 1)).round().astype(int))


def _level(block: Any, blocks: int) -> Any:
    """Block numbers as 1..255, 0 for none; exact up to 255 blocks."""
    level = block + 1 if blocks <= 255 else block.astype(np.int32) * 255 // blocks + 1
    return np.where(block < 0, 0, level).astype(np.uint8)


def _share(amount: Any, most: int) -> Any:
    """Amounts as 0..255; anything above zero is at least 1."""
    return np.minimum(255, np.ceil(np.asarray(amount) * (255 / most)))


def _picture(trace: xr.Dataset, scale: Scale) -> tuple[int, int, Callable[[int], Any]]:
    """C entry by entry where it is small, else the mean of each tile; levels over the whole run's range."""
    size = (trace.sizes["y"] * trace.C.shape[-2], trace.sizes["x"] * trace.C.shape[-1])
    fine = size[0] * size[1] <= VALUE_ENTRIES
    span = (scale.high - scale.low) or 1.0

    def frame(step: int) -> Any:
        tiles = trace.C.isel(step=step).values
        with np.errstate(invalid="ignore", over="ignore"):
            whole = tiles.swapaxes(1, 2).reshape(size) if fine else tiles.mean(axis=(2, 3))
            level = np.nan_to_num((whole - scale.low) * (254 / span), nan=-1.0, posinf=254, neginf=0)
        return np.where(level < 0, 0, np.clip(np.round(level), 0, 254) + 1)

    return (*(size if fine else (trace.sizes["y"], trace.sizes["x"])), frame)


def _range(trace: xr.Dataset) -> tuple[float, float]:
    """Smallest and largest finite value of C at a few steps of the run, zero included."""
    if "C" not in trace:
        return 0.0, 1.0
    low, high = 0.0, 0.0
    for step in _some(trace):
        found = trace.C.isel(step=step).values
        found = found[np.isfinite(found)]
        if found.size:
            low, high = min(low, float(found.min())), max(high, float(found.max()))
    return low, high


def _in_place(trace: xr.Dataset) -> bool:
    """True when a core only ever holds blocks of its own row of A and its own column of B."""
    y, x = np.ogrid[: trace.sizes["y"], : trace.sizes["x"]]
    return all(
        bool((((row == y) | (row < 0)) & ((column == x) | (column < 0))).all())
        for row, column in (
            (trace.a_row.isel(step=s).values, trace.b_column.isel(step=s).values) for s in _some(trace)
        )
    )


def _some(trace: xr.Dataset) -> list[int]:
    """A few steps, start and end among them."""
    return [int(step) for step in np.unique(np.linspace(0, trace.sizes["step"] - 1, 9).round())]


def _small(values: Any) -> list[list[int]]:
    return np.asarray(values).tolist()
