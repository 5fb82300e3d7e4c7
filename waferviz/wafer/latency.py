"""Latency from one core to all others: L of PLMR as a map."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.cost import message
from waferviz.cost.checks import words_of
from waferviz.machine import Machine, named

if TYPE_CHECKING:
    import xarray as xr


def latency(machine: Machine | str, core: tuple[int, int] = (0, 0), *, words: int = 1) -> xr.Dataset:
    """Cycles until a message from one core has come to each other core, along its row, then its column.

    Parameters
    ----------
    machine : Machine or name of a preset
        Its wrap links are used where they are shorter.
    core : (int, int)
        Sender, as (row, column).
    words : int
        32-bit words of the message.

    Returns
    -------
    Dataset
        Dims `y` and `x`: `hops`; `cycles` when routers pass it on, words + hops * hop + 2 ramp + 1; `relayed` when every core
        on the way takes each word in and sends it on, words + hops * relay.  An empty mesh: nobody else sends.

    Raises
    ------
    ValueError
        When the machine has no such core, or there are no words.

    Examples
    --------
    >>> from waferviz import Machine
    >>> int(latency(Machine.preset("wse2"))["cycles"].max())
    1748
    """
    import xarray as xr

    machine = named(machine)
    rows, columns = machine.shape
    given: Any = core
    pair = given if isinstance(given, (tuple, list)) and len(given) == 2 else (-1, -1)
    if not all(
        isinstance(at, Integral) and 0 <= int(at) < side
        for at, side in zip(pair, (rows, columns), strict=True)
    ):
        raise ValueError(
            f"core={core!r}: give (row, column), whole numbers; {machine.name} has rows 0 to {rows - 1} and columns 0 to {columns - 1}"
        )
    words = words_of(words).item()
    ways = []
    for side, at in ((rows, core[0]), (columns, core[1])):
        way = np.abs(np.arange(side) - at)
        ways.append(np.minimum(way, side - way) if machine.wrap else way)
    hops = np.add.outer(*ways)
    relayed = np.where(hops > 0, words + hops * machine.relay, 0)
    return xr.Dataset(
        {
            "hops": (("y", "x"), hops, {"units": "hops", "long_name": "way along the row, then the column"}),
            "cycles": (("y", "x"), message(words, hops, hop=machine.hop, ramp=machine.ramp), {"units": "cycles", "long_name": "routers pass it on"}),
            "relayed": (("y", "x"), relayed, {"units": "cycles", "long_name": "every core takes it in and sends it on"}),
        },
        attrs={
            "machine": machine.name, "core": core, "words": words, "hop": machine.hop, "ramp": machine.ramp, "relay": machine.relay,
            "clock": machine.clock, "torus": int(machine.wrap), "what_if": int(machine.is_what_if),
        },
    )  # fmt: skip
