"""MeshGEMM on a few cores of a WSE-3, run by a third party in the vendor's simulator."""

from __future__ import annotations

from collections.abc import Iterator

from waferviz.machine import Machine
from waferviz.published import rows
from waferviz.validation import Figure, comparison

SOURCE = "junesookang/WaferLLM, runs in the vendor's simulator, `data/waferllm_sim_wse3_thirdparty.csv`"
LAUNCH = 84


def variant(quantity: str, whose: str) -> float:
    """A number of the WSE-3 as somebody else gives it."""
    table = [row for row in rows("machines") if row["machine"] == "wse3" and row["quantity"] == quantity]
    return next(float(row["value"]) for row in table if row["variant"] == whose)


def moving(row: dict[str, str]) -> float:
    """Cycles of the shifts: every round starts two sends and two receipts and waits for a ring hop and the ramps.

    Rounds are P shifts of both operands and P // 2 alignments of A; words of f16 pairs enter through one ramp at
    1.125 cycles each, as measured on the chip.  The 84 cycles around them are fitted to these runs, nothing else is.
    """
    p, chip = int(row["P"]), Machine.preset("wse3")
    a, b = (int(row["Mt"]) * int(row["Kt"]) / 2, int(row["Kt"]) * int(row["Nt"]) / 2)
    rounds = p + p // 2
    words = rounds * a + p * b
    return (
        LAUNCH
        + rounds * (4 * chip.dsd_start + 2 * chip.hop + 2 * chip.ramp + 1)
        + words / variant("link_words", "end to end")
    )


def working(row: dict[str, str]) -> float:
    """Cycles of the products at the rate of multiply-adds that the vendor's simulator reaches on long vectors."""
    macs = int(row["P"]) * int(row["Mt"]) * int(row["Kt"]) * int(row["Nt"])
    return int(row["compute_repeats_L"]) * macs / variant("macs_fp16", "simulator")


def name(row: dict[str, str]) -> str:
    """Sizes of a run."""
    return f"{row['P']} x {row['P']} cores, tiles {row['Mt']} x {row['Kt']} and {row['Kt']} x {row['Nt']}, {row['compute_repeats_L']} products a step"


@comparison("MeshGEMM on WSE-3, shifts alone", kind="simulated elsewhere", source=SOURCE, tolerance=0.1,
            note="Starting vector operations (16 cycles each) outweighs words and hops on so few cores; without the cost of starts the model is 2 to 4 times too fast.")  # fmt: skip
def shifts_alone() -> Iterator[Figure]:
    """Runs that move tiles and do not multiply."""
    for row in rows("waferllm_sim_wse3_thirdparty"):
        if row["compute_repeats_L"] == "0" and row["shifts_on_C"] == "1":
            yield Figure(name(row), float(row["mean_cycles"]), moving(row))


@comparison("MeshGEMM on WSE-3, with products of tiny tiles", kind="simulated elsewhere", source=SOURCE, tolerance=0.1,
            note="Expected to be far off: tiles are vectors of 1 to 16 numbers, for which a vector operation costs 8.4 to 11.6 cycles whatever its length; our price counts "
            "multiply-adds at full rate, which holds for long vectors only.")  # fmt: skip
def with_products() -> Iterator[Figure]:
    """Runs that multiply: our price is a lower bound."""
    for row in rows("waferllm_sim_wse3_thirdparty"):
        if row["compute_repeats_L"] != "0" and row["shifts_on_C"] == "1":
            yield Figure(name(row), float(row["mean_cycles"]), max(moving(row), working(row)))


@comparison("MeshGEMM on WSE-3, nothing shifted", kind="simulated elsewhere", source=SOURCE, tolerance=0.1,
            note="Three runs of 3 x 3 cores. Loops and task switches of the kernel are not modelled, and vectors of tiny tiles cost more than their multiply-adds.")  # fmt: skip
def nothing_shifted() -> Iterator[Figure]:
    """Runs without shifts."""
    for row in rows("waferllm_sim_wse3_thirdparty"):
        if row["shifts_on_C"] == "0":
            yield Figure(name(row), float(row["mean_cycles"]), LAUNCH + working(row))
