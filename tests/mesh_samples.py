"""Traffic of the rows of the sample tables."""

from waferviz import cost
from waferviz.wavelets import patterns

TREES = {
    "chain": patterns.chain_parents, "binary_tree": patterns.tree_parents, "two_phase": patterns.two_phase_parents,
    "star": patterns.star_parents, "tree": patterns.tree_parents,
}  # fmt: skip


def layout_of(row):
    return "natural" if row["variant"] == "cannon" or "physical" in row["variant"] else "interleaved"


def sample(row):  # noqa: PLR0911  (one return per pattern)
    """Traffic of a row of a sample table."""
    n, m, kind = int(row["n"]), int(row["m"]), row["variant"]
    pattern = row["pattern"]
    if pattern == "shift":
        return patterns.shift(n, m, layout_of(row))
    if pattern == "perm2d_xy":
        return patterns.permutation(patterns.named_permutation(kind, n), m, (n, n))
    if pattern == "reduce":
        return patterns.reduction(TREES[kind](n), m)
    if pattern.startswith("bcast"):
        root = 0 if kind == "edge" else n // 2
        if pattern == "bcast_multicast":
            return patterns.multicast(n, m, root)
        return patterns.forward(n, m, root, per=pattern.rsplit("_", 1)[1])
    if kind.startswith("ktree2"):
        groups = int(kind.removeprefix("ktree2_groups"))
        return patterns.ktree(m, (n // groups, groups))
    if kind.endswith("_edge"):
        return patterns.reduce_and_flood(TREES[kind.removesuffix("_edge")](n), m)
    return patterns.ring(n, m, layout_of(row), fused=kind.endswith("fused"))


def published(row):
    p, b, kind = int(row["P"]), int(row["B"]), row["algorithm"]
    if kind.startswith("ring"):
        return patterns.ring(
            p, b, "natural" if "physical" in kind else "interleaved", fused=kind.endswith("fused")
        )
    if kind == "chain_then_broadcast":
        return patterns.reduce_and_flood(patterns.chain_parents(p), b)
    return patterns.reduction(cost.autogen(b, p)[1] if kind == "autogen" else TREES[kind](p), b)
