"""Arguments of the closed forms, checked once: whole cores, words above zero, machine numbers of zero or more."""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.program import Array


def words_of(words: Any) -> Array:
    """`words` as an array; ValueError unless all are more than zero."""
    array = numbers_of(words, "words", "a number of words")
    _demand(
        array, array > 0, "words", "more than zero; leave out the message instead of sending an empty one"
    )
    return array


def cores_of(n: Any, name: str = "n") -> Array:
    """Numbers of cores as an integer array; ValueError unless all are whole and at least one."""
    array = numbers_of(n, name, "a whole number of cores, 1 or more")
    _demand(array, (array >= 1) & (array == np.floor(array)), name, "a whole number of cores, 1 or more")
    return array.astype(np.int64)


def position_of(root: Any, n: Array) -> Array:
    """Core numbers on a row of `n`; ValueError outside 0 to n - 1."""
    array = numbers_of(root, "root", "a core of the row, 0 to n - 1")
    inside = (array >= 0) & (array < n) & (array == np.floor(array))
    _demand(np.broadcast_to(array, inside.shape), inside, "root", "a core of the row, 0 to n - 1")
    return array.astype(np.int64)


def machine_of(hop: Any, ramp: Any) -> tuple[Array, Array]:
    """`hop` and `c` = 2 ramp + 1 as arrays; ValueError for negative ones."""
    hops, ramps = numbers_of(hop, "hop", "cycles"), numbers_of(ramp, "ramp", "cycles")
    _demand(hops, hops >= 0, "hop", "zero cycles or more per router")
    _demand(ramps, ramps >= 0, "ramp", "zero cycles or more between core and router")
    return hops, 2 * ramps + 1


def not_negative(value: Any, name: str, what: str) -> Array:
    """`value` as an array; ValueError below zero."""
    array = numbers_of(value, name, what)
    _demand(array, array >= 0, name, what)
    return array


def numbers_of(value: Any, name: str, what: str) -> Array:
    """`value` as an array of numbers; ValueError for text, None and whatever else cannot be counted."""
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}={value!r}: give {what}")
    return array


def one_of(value: str, name: str, choices: tuple[str, ...]) -> str:
    """`value`, or a ValueError that lists the choices."""
    if value not in choices:
        raise ValueError(f"{name}={value!r}: choose {' or '.join(map(repr, choices))}")
    return value


def moving(cycles: Array, n: Array) -> Array:
    """`cycles`, and 0 where there is only one core."""
    return np.where(n > 1, cycles, 0)[()]


def _demand(array: Array, good: Array, name: str, limit: str) -> None:
    if not np.all(good):
        raise ValueError(f"{name}={array[~good].flat[0]!s}: give {limit}")
