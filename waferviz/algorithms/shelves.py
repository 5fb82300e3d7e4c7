"""A key-value cache as a program: tokens arrive at the last row, and rows hand on what their rule says.

Every row keeps its tokens in a ring of places; which one is next, and how many a row holds, follows from the rule
alone and is known before anything runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from waferviz.algorithms import Shape, sides
from waferviz.cache import Filling, insert
from waferviz.program import Array, Buffer, Move, Operand, Program, Repeat, Step

NAMES = ("K", "V")
LARGEST = 4096


def cache_program(
    name: str, mesh: Shape, rule: str, tokens: int, prompt: Any, capacity: int | None, paper: str
) -> Program:
    """Program that inserts tokens by a rule of `waferviz.cache`, as many as find room.

    The operands of new tokens count all that were asked for as their blocks, also those without room.

    Parameters
    ----------
    mesh : int or (int, int)
        Side, or rows and columns; every column holds its slice of each key and value.
    tokens, prompt, capacity
        See `waferviz.cache.insert`.
    """
    shape = sides(mesh)
    filling = insert(rule, shape[0], tokens, prompt=prompt, capacity=capacity)
    steps, places = int(filling.rounds.sum()), int(capacity or max(1, filling.counts.max()))
    if steps > LARGEST:
        raise ValueError(
            f"{tokens} tokens into {shape[0]} rows take {steps:,} steps, a program has at most {LARGEST}; "
            "insert fewer tokens, or use waferviz.cache.fill, which counts them only"
        )
    inserted, rounds = len(filling.links), _rounds(filling)
    begin, end, moves = _moves(filling, rounds, places)
    held = {place: Buffer(("n",), places=places) for place in NAMES}
    new = {f"{place}_new": Buffer(("n",), places=max(1, inserted), stream=True) for place in NAMES}
    first = int(filling.counts[0].sum())
    blocks = (first + inserted, 1)
    asked = (first + tokens, 1)
    arriving = Operand(first + np.arange(max(1, inserted))[:, None, None], np.zeros((1, 1), int), asked)
    stored = Operand(begin[:, :, None], np.zeros((1, 1), int), blocks)
    return Program(
        name=name, shape=shape, kind="cache", paper=paper, result="K",
        body=(Repeat((Step("insert", moves),), len(rounds)),) if len(rounds) else (),
        buffers=held | new, operands=dict.fromkeys(held, stored) | dict.fromkeys(new, arriving),
        outcome=Operand(end[:, :, None], np.zeros((1, 1), int), blocks),
    )  # fmt: skip


def _rounds(filling: Filling) -> list[tuple[int, Array, bool]]:
    """Per step: token, rows that hand one on, and whether the token arrives in it."""
    rows = filling.counts.shape[1]
    found = []
    for token, links in enumerate(filling.links):
        gives = np.arange(rows) > rows - 1 - links
        late = np.cumsum((gives & (filling.counts[token] == 0))[::-1])[::-1]
        found += [(token, gives & (late == turn), turn == 0) for turn in range(int(late[0]) + 1)]
    return found


def _moves(
    filling: Filling, rounds: list[tuple[int, Array, bool]], places: int
) -> tuple[Array, Array, tuple[Move, ...]]:
    """Tokens in each place of each row at the start and at the end, dims (place, row), and the moves."""
    rows = filling.counts.shape[1]
    count, head = filling.counts[0].astype(int), np.zeros(rows, int)
    held = np.full((places, rows), -1)
    for row, last in enumerate(np.cumsum(count)):
        held[: count[row], row] = np.arange(last - count[row], last)
    begin, first, here = held.copy(), int(count.sum()), np.arange(rows)
    source, take, slot, arrives, token_of = (np.full((len(rounds), rows), -1) for _ in range(5))
    for number, (token, gives, new) in enumerate(rounds):
        comes = np.append(gives[1:], new)
        take[number], slot[number] = head, (head + count) % places
        source[number] = np.where(comes & (here < rows - 1), here + 1, -1)
        arrives[number, -1] = rows - 1 if new else -1
        token_of[number] = token
        sent = np.append(held[head, here][1:], first + token)
        held[head[gives], here[gives]] = -1
        held[slot[number][comes], here[comes]] = sent[comes]
        head, count = (head + gives) % places, count + comes - gives.astype(int)
    column = (slice(None), slice(None), None)
    moves = []
    for name in NAMES:
        moves += [
            Move(
                read=f"{name}_new", write=name, axis="y", source=arrives[column],
                take=token_of[:, 0], slot=slot[column],
            ),
            Move(read=name, write=name, axis="y", source=source[column], take=take[column], slot=slot[column]),
        ]  # fmt: skip
    return begin, held, tuple(moves)
