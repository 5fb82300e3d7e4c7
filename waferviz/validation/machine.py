"""Energy ratios, and yields of blocks and wafers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from waferviz.energy import ratio
from waferviz.published import rows
from waferviz.validation import Figure, comparison
from waferviz.wafer.laws import core_failure, murphy, negative_binomial, poisson, seeds, wafer_yield

OSDI = "WaferLLM, OSDI 2025, tables 6 to 8"
LAWS: dict[str, Callable[[float], Any]] = {
    "poisson": poisson, "murphy": murphy, "seeds": seeds, "negative_binomial_2": lambda x: negative_binomial(x, 2),
    "negative_binomial_3": lambda x: negative_binomial(x, 3),
}  # fmt: skip


@comparison("Energy of GPUs over energy of the wafer", kind="published", source=OSDI, tolerance=0.06, digits=2,
            note="15 kW for the wafer against 400 W a GPU, times time; published with two decimals, so the smallest are 0.05 ± 0.005.")  # fmt: skip
def energy() -> Iterator[Figure]:
    """Every entry of the published tables."""
    for row in rows("waferllm_energy"):
        ours = ratio(float(row["gpu_tokens_per_s"]), float(row["wafer_tokens_per_s"]), int(row["gpus"]))
        yield Figure(
            f"{row['phase']}, {row['model']}, {row['gpus']} GPUs", float(row["published"]), float(ours), "1"
        )
    for row in rows("waferllm_gemv_vs_gpu"):
        ours = ratio(1 / float(row["gpu_ms"]), 1 / float(row["wafer_ms"]), int(row["gpus"]))
        size = next(value for key, value in row.items() if key not in ("gpus", "gpu_ms"))
        yield Figure(f"GEMV {size}, {row['gpus']} GPUs", float(row["published"]), float(ours), "1")


@comparison(
    "Yield of a block by five laws",
    kind="published",
    source="the laws in closed form, `data/noc_yield_laws.csv`",
    tolerance=0.001,
)
def blocks() -> Iterator[Figure]:
    """Dies and wafers without repair, where the yield is no less than one in a million."""
    for row in rows("noc_yield_laws"):
        for law, function in LAWS.items():
            if float(row[law]) > 1e-6:
                ours = float(function(float(row["mean_defects"])))
                yield Figure(
                    f"{row['block']}, {row['defects_per_cm2']} defects per cm2, {law.replace('_', ' ')}",
                    float(row[law]),
                    ours,
                    "1",
                )


@comparison(
    "Yield of a wafer with spare columns",
    kind="published",
    source="derived: exact sums, `data/noc_yield_mesh.csv`",
    tolerance=0.001,
)
def wafers() -> Iterator[Figure]:
    """Rows with spares, evenly spread defects."""
    for row in rows("noc_yield_mesh"):
        fail = core_failure(float(row["core_area_mm2"]), float(row["defects_per_cm2"]))
        ours = float(wafer_yield(int(row["rows"]), int(row["columns"]), int(row["spares"]), fail))
        if float(row["poisson"]) > 1e-4:
            yield Figure(
                f"{row['rows']} x {row['columns']} cores, {row['spares']} spares, {row['defects_per_cm2']} defects per cm2",
                float(row["poisson"]),
                ours,
                "1",
            )
