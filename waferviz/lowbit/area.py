"""Area of a dot product of `group` activations by multiplying, bit-serial adding, or looking up: a sanity model.

Sums of parts at 45 nm.  It reproduces the published crossovers (lookup below multiply-add up to 6 bits, conventional
lookup and bit-serial adding up to 2; best group 5 for floats, 4 for integers).  It does NOT reproduce the published
density ratio of 18.2: it gives 7.5 with 16-bit and 46 with 8-bit tables.  Wiring, control and pipelining are left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from waferviz.lowbit.operands import amount, whole, wholes
from waferviz.program import Array
from waferviz.published import rows

DESIGNS = ("multiply-add", "bit-serial add", "conventional lookup", "symmetric lookup")
BITS = np.arange(1, 9)
SHARED = 4


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Areas in µm², and the width of a table entry.

    Attributes
    ----------
    add, mul : float
        An adder, which also accumulates, and a multiplier.  Published synthesis at 45 nm.
    mux, flop, xor : float
        Two-way multiplexer, flip-flop and exclusive or of one bit.  UNVERIFIED nominal values of an open 45 nm library:
        treat them as unknowns and vary them, the multiplexer between 1.6 and 2.8.
    width : int
        Bits of a table entry.
    """

    add: float
    mul: float
    mux: float
    flop: float
    xor: float
    width: int

    def __post_init__(self) -> None:
        for name in ("add", "mul", "mux", "flop", "xor"):
            amount(getattr(self, name), name, "an area in µm²")
        whole(self.width, "width", 1)

    @classmethod
    def of(cls, act: str = "fp16", **cells: float) -> Parts:
        """Parts for "fp16" activations and tables, or for "int8" ones summed in 32 bits; cells replaced by keyword.

        Examples
        --------
        >>> Parts.of("fp16", mux=2.0).mux
        2.0
        """
        area = {
            row["op"]: float(row["area_um2"]) for row in rows("lowbit_energy_constants") if row["area_um2"]
        }
        known = {"fp16": ("fp16 add", "fp16 mul", 16), "int8": ("int32 add", "int8 mul", 8)}
        if act not in known:
            raise ValueError(f"act={act!r}: choose 'fp16' or 'int8'")
        add, mul, width = known[act]
        found = cls(
            add=area[add], mul=area[mul], width=width,
            mux=area["mux2 per bit"], flop=area["flip-flop per bit"], xor=area["xor2 per bit"],
        )  # fmt: skip
        if unknown := [name for name in cells if not hasattr(found, name)]:
            raise ValueError(f"no part {unknown[0]!r}; known are {', '.join(vars(found))}")
        return replace(found, **cells)  # type: ignore[arg-type]


def unit_area(
    design: str, bits: Any = 1, *, group: Any = 4, shared: Any = SHARED, parts: Parts | None = None
) -> Array:
    """Area in µm² of one dot product of `group` activations with weights of `bits` bits; arguments broadcast.

    Parameters
    ----------
    design : str
        One of `DESIGNS`.
    bits, group : int or array
        Bits of a weight, activations of a dot product.
    shared : int or array
        Outputs that share a table.
    parts : Parts, optional
        By default those of 16-bit floats.

    Examples
    --------
    >>> [round(float(unit_area(design))) for design in DESIGNS]
    [12000, 5440, 5836, 1739]
    """
    p = parts or Parts.of()
    checked = wholes(bits, "bits", 1, 8), wholes(group, "group", 1, 8), wholes(shared, "shared", 1)
    b, g, n = (x.astype(np.float64) for x in checked)
    if design == "multiply-add":
        return g * (p.mul + p.add) + 0 * b
    if design == "bit-serial add":
        return b * g * p.add
    if design == "conventional lookup":
        build, store = (2**g - g - 1) * p.add / n, 2**g * p.width * p.flop / n
        return b * (build + (2**g - 1) * p.width * p.mux + p.add + store)
    if design == "symmetric lookup":
        store = 2 ** (g - 1) * p.width * p.flop / n
        return b * (p.add + (2 ** (g - 1) - 1) * p.width * p.mux + p.width * p.xor + store)
    raise ValueError(f"design={design!r}: choose one of {', '.join(map(repr, DESIGNS))}")


def crossover(design: str, parts: Parts | None = None, bits: Array = BITS) -> int:
    """Largest weight of `bits` for which a design is smaller than multiply-add; 0 for none.

    Examples
    --------
    >>> [crossover(design) for design in DESIGNS[1:]]
    [2, 2, 6]
    """
    smaller = unit_area(design, bits, parts=parts) < unit_area("multiply-add", bits, parts=parts)
    return int(bits[smaller].max()) if smaller.any() else 0


def best_group(parts: Parts | None = None, shared: int = 64, most: int = 8) -> int:
    """Activations per table with the least area per activation, one output sharing it with 63 others.

    Examples
    --------
    >>> best_group(Parts.of("fp16")), best_group(Parts.of("int8"))
    (5, 4)
    """
    group = np.arange(1, most + 1)
    return int(
        group[np.argmin(unit_area("symmetric lookup", group=group, shared=shared, parts=parts) / group)]
    )


def density_ratio(parts: Parts | None = None, shared: int = 64) -> float:
    """How many one-bit lookups fit where one 16-bit multiply-add fits; published: 18.2, which this does not meet.

    Examples
    --------
    >>> round(density_ratio(Parts.of("fp16")), 1), round(density_ratio(Parts.of("int8")))
    (7.5, 46)
    """
    return float(unit_area("multiply-add") / unit_area("symmetric lookup", shared=shared, parts=parts))
