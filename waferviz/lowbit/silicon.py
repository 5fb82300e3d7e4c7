"""Areas of lookup units as Datasets: by weight bits, as sums of terms that cells scale, and beside what is published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.lowbit.area import BITS, DESIGNS, Parts, best_group, crossover, density_ratio, unit_area
from waferviz.program import Array
from waferviz.published import rows

if TYPE_CHECKING:
    import xarray as xr


def areas(parts: Parts | None = None, bits: Any = BITS) -> xr.Dataset:
    """Area of every design by weight bits, dims design and bits, with the same scaled to 28 nm.

    `scaled` is pinned to the published multiply-add, 2360 µm²; the published crossovers leave the others the room between
    `lowest` and `highest` per bit (NaN where nothing is published).
    """
    import xarray as xr

    columns = np.atleast_1d(bits)
    um2 = np.stack([unit_area(design, columns, parts=parts) for design in DESIGNS])
    pinned = {row["check"]: row for row in rows("lowbit_lutcore_consistency")}
    mac = float(pinned["implied MAC DP4 area at 28nm 1GHz (um2)"]["lhs"])
    one = pinned["Fig13 bracket for LUT-TC area per weight bit, N=4 (um2)"]
    two = pinned["Fig13 bracket for ADD or conventional LUT per weight bit (um2)"]
    room = {
        end: [np.nan, *[float(two[key])] * 2, float(one[key])]
        for end, key in (("lowest", "lhs"), ("highest", "rhs"))
    }
    units = {"units": "µm²"}
    return xr.Dataset(
        {
            "area": (("design", "bits"), um2, {**units, "long_name": "area at 45 nm"}),
            "scaled": (
                ("design", "bits"),
                um2 * mac / unit_area("multiply-add", parts=parts),
                {**units, "long_name": "area at 28 nm, pinned"},
            ),
            **{
                end: ("design", values, {**units, "long_name": f"{end} area per bit"})
                for end, values in room.items()
            },
        },
        {"design": list(DESIGNS), "bits": ("bits", columns, {"units": "bit"})},
    )


def terms() -> xr.Dataset:
    """Areas as sums of four terms, so that cells can be varied without asking again.

    Every area is arithmetic + mux * per_mux + flop * per_flop + xor * per_xor.  `design_terms` (design, bits, term) is for
    dot products of 4 with tables shared by 4 outputs and 16-bit floats; `group_terms` (act, group, term) is the area per
    activation of symmetric lookup with tables shared by 64, for 16-bit floats and 8-bit integers.
    """
    import xarray as xr

    cells = ("mux", "flop", "xor")
    group, acts = np.arange(1, 9), ("fp16", "int8")
    nominal = Parts.of()

    def split(act: str, area: Callable[[Parts], Array]) -> Array:
        none = Parts.of(act, **dict.fromkeys(cells, 0.0))
        base = area(none)
        return np.stack([base, *(area(replace(none, **{cell: 1.0})) - base for cell in cells)], axis=-1)  # type: ignore[arg-type]

    design = [split("fp16", partial(_by_bits, name)) for name in DESIGNS]
    per_group = [split(act, partial(_by_group, group)) for act in acts]
    return xr.Dataset(
        {
            "design_terms": (("design", "bits", "term"), np.stack(design), {"units": "µm²"}),
            "group_terms": (("act", "group", "term"), np.stack(per_group), {"units": "µm²"}),
            "nominal": ("cell", [getattr(nominal, cell) for cell in cells], {"units": "µm²", "long_name": "UNVERIFIED nominal area"}),
            "published_bits": ("design", [np.nan, 2, 2, 6], {"units": "bit", "long_name": "bits up to which it is smaller, published"}),
            "published_group": ("act", [5, 4], {"units": "1", "long_name": "best group, published"}),
        },
        {"design": list(DESIGNS), "bits": BITS, "term": ["arithmetic", *cells], "act": list(acts), "group": group, "cell": list(cells)},
        {"source": "LUT Tensor Core, ISCA 2025, figures 11 to 13", "density": 18.16},
    )  # fmt: skip


def _by_bits(design: str, parts: Parts) -> Array:
    return unit_area(design, BITS, parts=parts)


def _by_group(group: Array, parts: Parts) -> Array:
    return unit_area("symmetric lookup", group=group, shared=64, parts=parts) / group


def published_checks(**cells: float) -> xr.Dataset:
    """What the model gives beside what is published: dim check, with `holds`; the two density ratios do not hold."""
    import xarray as xr

    floats, whole = Parts.of("fp16", **cells), Parts.of("int8", **cells)
    found = [
        *[(f"weight bits up to which {design} is smaller", crossover(design, floats), 6 if "sym" in design else 2) for design in DESIGNS[1:]],
        ("best group, floats", best_group(floats), 5),
        ("best group, integers", best_group(whole), 4),
        ("density ratio, 16-bit tables", density_ratio(floats), 18.16),
        ("density ratio, 8-bit tables", density_ratio(whole), 18.16),
    ]  # fmt: skip
    names, ours, theirs = zip(*found, strict=True)
    return xr.Dataset(
        {
            "ours": ("check", np.array(ours, float), {"units": "1"}),
            "published": ("check", np.array(theirs, float), {"units": "1"}),
            "holds": ("check", np.isclose(ours, theirs, rtol=0.05)),
        },
        {"check": list(names)},
        {"source": "LUT Tensor Core, ISCA 2025, figures 11 to 13", "unverified": "mux, flop, xor"},
    )
