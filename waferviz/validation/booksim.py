"""Steady traffic on a mesh in BookSim 2: idle latency, busiest link, and the load at which queues run away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from waferviz import cost
from waferviz.published import rows
from waferviz.validation import Figure, comparison
from waferviz.wavelets import patterns
from waferviz.wavelets.paths import lanes_of, segments_of
from waferviz.wavelets.report import totals

SOURCE = "derived: BookSim 2 runs, `data/noc_booksim_saturation.csv`"
NAMES = {"tornado": "tornado", "transpose": "transpose", "neighbor": "neighbour", "bitcomp": "bit complement"}


def busiest(traffic: str, k: int) -> float:
    """Words on the busiest link when every core sends one word."""
    if traffic == "uniform":
        return k / 4
    some = patterns.permutation(patterns.named_permutation(NAMES[traffic], k), 1, (k, k))
    lanes = lanes_of(some)
    return totals(some, lanes, segments_of(some, lanes, engines=0, shared_ramp=True))["busiest_link"]


def mean_hops(traffic: str, k: int) -> float:
    """Mean links of a packet; uniform traffic counts packets to oneself."""
    if traffic == "uniform":
        return 2 * (k * k - 1) / (3 * k)
    target = patterns.named_permutation(NAMES[traffic], k)
    way = np.abs(np.stack(np.divmod(np.arange(k * k), k)) - np.stack(np.divmod(target, k)))
    return float(way.sum() / (k * k))


@comparison(
    "Mean way and busiest link under steady traffic",
    kind="simulated elsewhere",
    source=SOURCE,
    tolerance=0.001,
)
def loads() -> Iterator[Figure]:
    """Hops and loads by counting routes."""
    for row in rows("noc_booksim_saturation"):
        k, name = int(row["k"]), row["traffic"]
        yield Figure(
            f"{name}, {k} x {k}: mean way", float(row["mean_hops_exact"]), mean_hops(name, k), "hops"
        )
        load = float(row["max_channel_load_per_unit_injection"])
        yield Figure(f"{name}, {k} x {k}: busiest link", load, busiest(name, k), "words per word sent")


@comparison(
    "Latency of an idle mesh of three-cycle routers", kind="simulated elsewhere", source=SOURCE, tolerance=0.02,
    note="BookSim reports the mean of a random sample of packets.",
)  # fmt: skip
def idle() -> Iterator[Figure]:
    """One word over the mean way; BookSim counts from the cycle after the first."""
    for row in rows("noc_booksim_saturation"):
        k, name = int(row["k"]), row["traffic"]
        ours = float(cost.message(1, mean_hops(name, k), hop=3, ramp=2)) - 1
        yield Figure(f"{name}, {k} x {k}", float(row["zero_load_latency"]), ours)


@comparison(
    "Load at which queues run away", kind="simulated elsewhere", source=SOURCE, tolerance=0.1,
    note="Ours is the limit of the busiest link, which no router can pass. BookSim's allocator wastes turns where three or more flows "
    "meet (tornado), and its limit is where latency has tripled, before the link is full (uniform).",
)  # fmt: skip
def saturation() -> Iterator[Figure]:
    """One over the load of the busiest link, at most one packet per core and cycle."""
    for row in rows("noc_booksim_saturation"):
        k, name = int(row["k"]), row["traffic"]
        ours = min(1.0, 1 / busiest(name, k))
        yield Figure(
            f"{name}, {k} x {k}",
            float(row["measured_saturation_latency_3x"]),
            ours,
            "packets per core and cycle",
        )
