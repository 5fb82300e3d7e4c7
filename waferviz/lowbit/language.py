"""A small language model whose weights are -1, 0 and +1, and its twin in full precision, character by character.

Both were trained for this project on Moby-Dick, by `data/ternary/train.py`.  The matrices of the ternary network are
multiplied by table lookup or, for comparison, by the same integers in float32; the logits are equal bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from waferviz.lowbit.operands import whole
from waferviz.lowbit.packing import FORMATS, unpack
from waferviz.lowbit.transformer import KERNELS, MATRICES, Language, Matrix, Past, read
from waferviz.program import Array
from waferviz.published import path

__all__ = [
    "KERNELS",
    "MATRICES",
    "Language",
    "Matrix",
    "Past",
    "generate",
    "load",
    "loss",
    "read",
    "write",
    "zeros",
]


@cache
def load(kind: str = "ternary") -> Language:
    """The network that ships with the project: "ternary", or "full" for its twin in full precision."""
    if kind not in ("ternary", "full"):
        raise ValueError(f"kind={kind!r}: choose 'ternary' or 'full'")
    with np.load(path(f"ternary/{kind}.npz"), allow_pickle=False) as stored:
        found = dict(stored)
    depth = range(int(found["layers"]))
    stacked = [
        {name: _matrix(found, f"{n}.{name}", parts) for name, parts in MATRICES.items()} for n in depth
    ]
    return Language(
        kind=kind,
        vocabulary=str(found["vocabulary"]),
        heads=int(found["heads"]),
        context=int(found["context"]),
        embedding=found["embedding"].astype(np.float32),
        layers=tuple(stacked),
        norms=(
            *({name: found[f"{n}.{name}.gain"].astype(np.float32) for name in MATRICES} for n in depth),
            {"last": found["gain"].astype(np.float32)},
        ),
        bytes=sum(found[f"{n}.{name}"].nbytes for n in depth for name in MATRICES),
    )


def _matrix(found: dict[str, Array], name: str, parts: int) -> Matrix:
    if found[name].dtype != np.uint8:
        return Matrix(w=found[name].astype(np.float32), scale=None)
    shape = tuple(int(side) for side in found[f"{name}.shape"])
    scale = np.repeat(found[f"{name}.scale"].astype(np.float32), shape[0] // parts)
    return Matrix(w=unpack(found[name], FORMATS["tl2"], shape), scale=scale)  # type: ignore[arg-type]


def write(
    model: Language, prompt: str, *, temperature: float = 0, seed: int = 0, kernel: str = "lut"
) -> Iterator[str]:
    """Characters after the prompt, one by one and without end."""
    draw = np.random.default_rng(seed)
    logits, past = read(model, model.ids(prompt), kernel=kernel)
    while True:
        chosen = _chosen(logits[-1], temperature, draw)
        yield model.vocabulary[chosen]
        logits, past = read(model, np.array([chosen]), past, kernel=kernel)


def _chosen(logits: Array, temperature: float, draw: np.random.Generator) -> int:
    if temperature == 0:
        return int(logits.argmax())
    share = np.exp((logits - logits.max()).astype(np.float64) / temperature)
    return int(draw.choice(len(share), p=share / share.sum()))


def generate(
    prompt: str, tokens: int = 100, *, temperature: float = 0, seed: int = 0, kernel: str = "lut", kind: str = "ternary"
) -> str:  # fmt: skip
    """Text that the network writes after the prompt.

    Parameters
    ----------
    prompt : str
        At least one character of `load(kind).vocabulary`.
    tokens : int
        Characters to write.
    temperature : float
        0 takes the likeliest character each time; 1 draws from the network's own distribution.
    seed : int
        Of the draws.
    kernel, kind : str
        As in `read` and `load`.

    Raises
    ------
    ValueError
        For an empty prompt, characters the network has never seen, a negative temperature, and unknown names.
    """
    model = load(kind)
    if not prompt:
        raise ValueError(f"prompt='': give at least one character of {model.vocabulary!r}")
    if not 0 <= temperature < np.inf:
        raise ValueError(
            f"temperature={temperature!r}: choose 0 (likeliest character) or a positive number, for example 0.8"
        )
    number = whole(tokens, "tokens", 0)
    letters = write(model, prompt, temperature=temperature, seed=seed, kernel=kernel)
    return "".join(letter for _, letter in zip(range(number), letters, strict=False))


def loss(model: Language, text: str, *, kernel: str = "lut") -> float:
    """Mean cross-entropy of the next character, nats, over whole windows of `context` characters."""
    ids, span = model.ids(text), model.context + 1
    if len(ids) < span:
        raise ValueError(
            f"text has {len(ids)} characters; give at least {span}, one window and the character after it"
        )
    windows = ids[: len(ids) // span * span].reshape(-1, span)
    return float(np.mean([_surprise(read(model, row[:-1], kernel=kernel)[0], row[1:]) for row in windows]))


def _surprise(logits: Array, following: Array) -> float:
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True)
    total = np.log(np.exp(shifted).sum(axis=1))
    return float((total - shifted[np.arange(len(following)), following]).mean())


def zeros(model: Language) -> dict[str, Array]:
    """Share of zeros among the ternary weights of each matrix, by layer: name to (layers,)."""
    return {name: np.array([(layer[name].w == 0).mean() for layer in model.layers]) for name in MATRICES}
