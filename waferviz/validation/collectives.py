"""Patterns on a row of cores: the published closed forms, and runs of an independent word-by-word simulation."""

from __future__ import annotations

from collections.abc import Iterator

from waferviz import cost
from waferviz.published import rows
from waferviz.validation import Figure, comparison
from waferviz.wavelets import Traffic, patterns
from waferviz.wavelets.report import outcome

HPDC = "Luczynski et al., HPDC 2024 (arXiv 2404.15888), closed forms evaluated"
OTHER = "derived: an independent per-wavelet simulation, `data/noc_*.csv`"
LARGEST = 256
FORMS = {
    "star": cost.star, "chain": cost.chain, "tree": cost.tree, "two_phase": cost.two_phase,
    "chain_then_broadcast": lambda b, p: cost.chain(b, p) + cost.broadcast(b, p),
}  # fmt: skip
PARENTS = {
    "chain": patterns.chain_parents, "binary_tree": patterns.tree_parents, "two_phase": patterns.two_phase_parents,
    "star": patterns.star_parents, "tree": patterns.tree_parents,
}  # fmt: skip


def cycles(traffic: Traffic, row: dict[str, str] | None = None) -> int:
    """Cycles in our simulator, on the machine of a row."""
    hop, ramp, engines = (
        int((row or {}).get(name, usual)) for name, usual in (("hop", 1), ("t_ramp", 2), ("engines", 0))
    )
    return outcome(traffic, hop=hop, ramp=ramp, engines=engines)[0].cycles


def layout(row: dict[str, str], column: str = "variant") -> str:
    """Ring layout of a row."""
    return "interleaved" if "interleaved" in row[column] else "natural"


@comparison(
    "Published closed forms, evaluated by us", kind="published", source=HPDC, tolerance=0.05,
    note="Our star counts the hop that the published form leaves out; our ring rounds the words of a piece up to whole words.",
)  # fmt: skip
def published_forms() -> Iterator[Figure]:
    """Each published form against the one of `waferviz.cost`."""
    for row in rows("noc_hpdc_check"):
        if row["published_formula"]:
            p, b, kind = int(row["P"]), int(row["B"]), row["algorithm"]
            if kind.startswith("ring"):
                if kind.endswith("fused"):
                    continue
                ours = cost.ring(b, p, "natural" if "physical" in kind else "interleaved")
            else:
                ours = FORMS[kind](b, p)
            yield Figure(
                f"{kind.replace('_', ' ')}, {p} cores, {b} words",
                float(row["published_formula"]),
                float(ours),
            )


@comparison(
    "Closed forms of trees against simulation", kind="simulated elsewhere", source=OTHER, tolerance=0.26,
    note="The published forms add the terms of a model that overlaps them; they are estimates, up to 26 % (tree) and 18 % (two-phase) too long.",
)  # fmt: skip
def estimates() -> Iterator[Figure]:
    """The two forms that are estimates against the simulation's cycles."""
    for row in rows("noc_hpdc_check"):
        if row["algorithm"] in ("tree", "two_phase"):
            p, b = int(row["P"]), int(row["B"])
            ours = FORMS[row["algorithm"]](b, p)
            yield Figure(
                f"{row['algorithm'].replace('_', ' ')}, {p} cores, {b} words",
                float(row["meshref_cycles"]),
                float(ours),
            )


@comparison("Reductions, word by word", kind="simulated elsewhere", source=OTHER, tolerance=0,
            note=f"Runs of up to {LARGEST} cores times words; the benchmarks repeat all of them.")  # fmt: skip
def simulated_reductions() -> Iterator[Figure]:
    """Our simulator against the other, the generated trees and the rings included."""
    for row in rows("noc_hpdc_check"):
        p, b, kind = int(row["P"]), int(row["B"]), row["algorithm"]
        if p * b > LARGEST or kind == "chain_then_broadcast":
            continue
        if kind.startswith("ring"):
            traffic = patterns.ring(
                p, b, "natural" if "physical" in kind else "interleaved", fused=kind.endswith("fused")
            )
        else:
            traffic = patterns.reduction(cost.autogen(b, p)[1] if kind == "autogen" else PARENTS[kind](p), b)
        yield Figure(
            f"{kind.replace('_', ' ')}, {p} cores, {b} words", float(row["meshref_cycles"]), cycles(traffic)
        )


@comparison("Shifts and broadcasts, closed form", kind="simulated elsewhere", source=OTHER, tolerance=0)
def forms() -> Iterator[Figure]:
    """Exact forms against the sample tables."""
    for row in rows("noc_sample_shift"):
        n, m, engines = int(row["n"]), int(row["m"]), int(row["engines"])
        ours = cost.shift(m, n, layout(row), engines=engines, hop=int(row["hop"]), ramp=int(row["t_ramp"]))
        machine = f"{row['hop']} cycles a hop{', one operation a cycle' if engines else ''}"
        yield Figure(
            f"{layout(row)} shift, {n} cores, {m} words, {machine}", float(row["cycles"]), float(ours)
        )
    for row in rows("noc_sample_broadcast"):
        n, m = int(row["n"]), int(row["m"])
        root = 0 if row["variant"] == "edge" else n // 2
        if row["pattern"] == "bcast_multicast":
            ours = cost.multicast(m, n, root)
        else:
            ours = cost.forward(m, n, root, per=row["pattern"].rsplit("_", 1)[1])
        yield Figure(
            f"{row['pattern'][6:].replace('_', ' by ')} from the {row['variant']}, {n} cores, {m} words",
            float(row["cycles"]),
            float(ours),
        )


@comparison(
    "Loops of shifts in both schedules, closed form", kind="simulated elsewhere", source=OTHER, tolerance=0
)
def loops() -> Iterator[Figure]:
    """`waferviz.cost.shifts` against the sample table."""
    for row in rows("noc_sample_shift_loop"):
        n, m, work = int(row["n"]), int(row["m"]), int(row["work_cycles"])
        ours = cost.shifts(m, n, work, layout=layout(row, "layout"), schedule=row["sync"])
        yield Figure(
            f"{n} {layout(row, 'layout')} shifts, {m} words, {work} cycles of work, {row['sync']}",
            float(row["cycles"]),
            float(ours),
        )


@comparison("Permutations of a mesh, word by word", kind="simulated elsewhere", source=OTHER, tolerance=0)
def permutations() -> Iterator[Figure]:
    """Our simulator against the other where flows meet."""
    for row in rows("noc_sample_perm2d"):
        n, m = int(row["n"]), int(row["m"])
        traffic = patterns.permutation(patterns.named_permutation(row["variant"], n), m, (n, n))
        yield Figure(
            f"{row['variant']} of {n} x {n} cores, {m} words", float(row["cycles"]), cycles(traffic, row)
        )
