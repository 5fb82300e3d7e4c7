"""Cycles of communication patterns on a row of cores, as plain functions of broadcastable arrays.

All count 32-bit words at one word per cycle and link, `hop` cycles per router and `ramp` cycles between a core and
its router, one way; storing or adding a word costs one cycle more.  Below, `c` is 2 ramp + 1.  One core has
nothing to send: 0 cycles.

Sources: Luczynski et al., HPDC 2024 (arXiv 2404.15888), for the published forms; WaferLLM, OSDI 2025, for shifts
and the K-tree.  Each docstring says whether the form is exact, and against what.
"""

from waferviz.cost.allreduce import ktree, ring
from waferviz.cost.broadcasts import broadcast, forward, message, multicast
from waferviz.cost.reduce import chain, snake, star, tree, two_phase, xy
from waferviz.cost.rings import shift, shifts
from waferviz.cost.step import barrier
from waferviz.cost.trees import autogen, depth_bound

__all__ = [
    "autogen",
    "barrier",
    "broadcast",
    "chain",
    "depth_bound",
    "forward",
    "ktree",
    "message",
    "multicast",
    "ring",
    "shift",
    "shifts",
    "snake",
    "star",
    "tree",
    "two_phase",
    "xy",
]
