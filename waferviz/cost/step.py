"""Cycles of a step under a barrier: nobody starts the next step before everybody has ended this one."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.machine import Machine
from waferviz.program import Array


def barrier(work: Any, link_words: Any, ramp_words: Any, hops: Any, stages: Any, machine: Machine) -> Array:
    """Cycles of steps whose work and transfers overlap; broadcasts over all arguments.

    A transfer takes its words over the busiest link or ramp, then the longest way: `hop` for every router that
    passes it through, `relay` for every core that takes it in and sends it on, and the two ramps and the cycle
    that stores the word when no relay has paid them.  The step takes the longer of work and transfer.

    Parameters
    ----------
    work : array
        Cycles of the busiest core's work.
    link_words, ramp_words : array
        32-bit words on the busiest link, into the busiest core.
    hops, stages : array
        Longest way, and how many of its hops are relays.

    Source: costs per hop, ramp and relay as in Luczynski et al., HPDC 2024 (arXiv 2404.15888), section 2; the
    step rule is this project's.  Contention beyond the busiest link is not modelled.
    """
    hops, stages = np.asarray(hops), np.asarray(stages)
    words = np.maximum(link_words, ramp_words) / machine.link_words
    ends = np.where(stages > 0, 0, 2 * machine.ramp + 1)
    way = (hops - stages) * machine.hop + stages * machine.relay + ends
    return np.ceil(np.maximum(work, np.where(hops > 0, words + way, 0))).astype(np.int64)
