"""A mesh network stepped cycle by cycle: one word per link, direction and cycle, along x first, then along y.

For traffic that has no closed form, and to check those of `waferviz.cost`.  `traffic_of` makes the messages of a
program, `patterns` those of the closed forms, `Draft` any other:

>>> draft = Draft((2, 3))
>>> first = draft.send([0, 1], 5, words=4)
>>> answer = draft.send(5, 0, words=4, after=first[:, None])
>>> run = simulate(draft.traffic())
>>> run.cycles, run.busiest_link, run.complete.values.tolist()
(27, 8, [15, 14, 27])
"""

from waferviz.wavelets import patterns
from waferviz.wavelets.buffers import DeadlockError
from waferviz.wavelets.programs import traffic_of
from waferviz.wavelets.report import simulate
from waferviz.wavelets.traffic import Draft, Traffic

__all__ = ["DeadlockError", "Draft", "Traffic", "patterns", "simulate", "traffic_of"]
