"""A mesh network stepped cycle by cycle: one word per link, direction and cycle, along x first, then along y.

For traffic that has no closed form, and to check those of `waferviz.cost`.
"""

from waferviz.wavelets import patterns
from waferviz.wavelets.buffers import DeadlockError
from waferviz.wavelets.programs import traffic_of
from waferviz.wavelets.report import simulate
from waferviz.wavelets.traffic import Draft, Traffic

__all__ = ["DeadlockError", "Draft", "Traffic", "patterns", "simulate", "traffic_of"]
