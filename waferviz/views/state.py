"""What a reader looks at, as one short text: the same in a URL, in an offline file, and in the cell that rebuilds it."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import parse_qsl

SPEEDS = ("slow", "normal", "fast", "very fast")


def parsed(text: str, shows: Collection[str], clocks: Collection[str]) -> dict[str, str]:
    """A state such as "show=links&clock=steps&time=12" as a dict; any part may be left out.

    Raises
    ------
    ValueError
        For a part that is not known or a value out of its range; the message lists what is.
    """
    found = dict(parse_qsl(text, keep_blank_values=True))
    choices = {"show": shows, "clock": clocks, "speed": SPEEDS}
    if strange := [key for key in found if key not in (*choices, "time")] or (text and not found and [text]):
        raise ValueError(f"state={text!r}: {strange[0]!r} is none of show, clock, time, speed")
    for key, known in choices.items():
        if key in found and found[key] not in known:
            raise ValueError(f"state={text!r}: {key}={found[key]!r}: choose one of {', '.join(known)}")
    if "time" in found and not _is_time(found["time"]):
        raise ValueError(
            f"state={text!r}: time={found['time']!r}: give steps or cycles from the start, 0 or more"
        )
    return found


def _is_time(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False
