"""The forward pass of a small language model: attention and a gated squared ReLU, matrices by table lookup.

Sources: BitNet b1.58, arXiv 2402.17764; blocks as in BitNet b1.58 2B4T, arXiv 2504.12285, section 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from waferviz.lowbit.activations import absmax
from waferviz.lowbit.elementwise import ternary_matmul
from waferviz.lowbit.matmul import lut_matmul
from waferviz.program import Array

MATRICES = {"attend": 3, "out": 1, "widen": 2, "down": 1}
THETA, SMALLEST = 10_000.0, np.float32(1e-5)

KERNELS: dict[str, Callable[[Array, Array], Array]] = {
    "lut": lambda codes, w: lut_matmul(codes, w + 1, bits=2, zero=1),
    "tl1": lambda codes, w: ternary_matmul(codes, w, packing="tl1"),
    "tl2": lambda codes, w: ternary_matmul(codes, w, packing="tl2"),
    "reference": lambda codes, w: codes.astype(np.float32) @ w.T.astype(np.float32),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Matrix:
    """One matrix of a layer.

    Attributes
    ----------
    w : (outputs, K)
        Ternary weights, or real ones in float32 where `scale` is None.
    scale : (outputs,) float32, optional
        What a weight of 1 is worth; parts that stand on top of each other have one scale each.
    """

    w: Array
    scale: Array | None


@dataclass(frozen=True, eq=False, kw_only=True)
class Language:
    """A network that reads characters and gives the logits of the next one.

    Attributes
    ----------
    kind : "ternary" or "full"
        What its weights are.
    vocabulary : str
        Characters in the order of their number.
    heads, context : int
        Attention heads of a layer; characters that it looks back on, itself included.
    embedding : (characters, width) float32
        Vector of each character, and the last matrix.
    layers : tuple of dict of Matrix
        "attend" (query, key, value), "out", "widen" (gate, up) and "down" of each layer.
    norms : tuple of dict of array
        Gain of the norm before each of them; the last dict has the one before the logits, "last".
    bytes : int
        Bytes of the matrices as they are stored.
    """

    kind: str
    vocabulary: str
    heads: int
    context: int
    embedding: Array
    layers: tuple[Mapping[str, Matrix], ...]
    norms: tuple[Mapping[str, Array], ...]
    bytes: int

    @property
    def parameters(self) -> int:
        """Trained numbers, all of them."""
        gains = sum(gain.size for norms in self.norms for gain in norms.values())
        return self.embedding.size + gains + sum(m.w.size for layer in self.layers for m in layer.values())

    def ids(self, text: str) -> Array:
        """Numbers of the characters; ValueError for one that the network has never seen."""
        strange = next((letter for letter in text if letter not in self.vocabulary), None)
        if strange is not None:
            raise ValueError(
                f"{strange!r} at character {text.index(strange)} is not in the vocabulary {self.vocabulary!r}"
            )
        return np.array([self.vocabulary.index(letter) for letter in text], np.int64)


@dataclass(frozen=True, eq=False)
class Past:
    """What a network keeps of the characters it has read: their number, and (keys, values) of each layer."""

    seen: int = 0
    held: tuple[tuple[Array, Array], ...] = ()


def read(model: Language, ids: Array, past: Past | None = None, *, kernel: str = "lut") -> tuple[Array, Past]:
    """Logits after each of the next characters, (characters, vocabulary) float32, and what is kept for those to come.

    Parameters
    ----------
    ids : (characters,) int
        Numbers of the characters, see `Language.ids`.
    past : Past, optional
        Characters before them; none by default.
    kernel : "lut", "tl1", "tl2" or "reference"
        How ternary matrices are multiplied: by bit planes, pairs, triples, or the same integers in float32.
    """
    if kernel not in KERNELS:
        raise ValueError(f"kernel={kernel!r}: choose one of {', '.join(map(repr, KERNELS))}")
    before, kept = past or Past(), []
    x = model.embedding[ids]
    for number, (layer, gains) in enumerate(zip(model.layers, model.norms, strict=False)):
        attend, out, widen, down = ((layer[name], gains[name]) for name in MATRICES)
        query, key, value = _heads(model, linear(x, *attend, kernel))
        held = before.held[number] if before.held else (key[:, :0], value[:, :0])
        mixed, new = _attention(model, query, key, value, held, before.seen)
        kept.append(new)
        x = x + linear(mixed, *out, kernel)
        gate, up = np.split(linear(x, *widen, kernel), 2, axis=1)
        x = x + linear(np.maximum(gate, 0) ** 2 * up, *down, kernel)
    logits = norm(x, model.norms[-1]["last"]) @ model.embedding.T
    return logits, Past(before.seen + len(ids), tuple(kept))


def linear(x: Array, matrix: Matrix, gain: Array, kernel: str) -> Array:
    """One matrix times the normed activations, (tokens, outputs) float32.

    Ternary: activations become 8-bit integers, the product is a sum of integers below 2^24, exact in any kernel, and
    the scales of weights and activations come last.
    """
    x = norm(x, gain)
    if matrix.scale is None:
        return x @ matrix.w.T
    codes, scale = absmax(x)
    return KERNELS[kernel](codes, matrix.w).astype(np.float32) * (matrix.scale / scale).astype(np.float32)


def norm(x: Array, gain: Array) -> Array:
    """Rows over their root mean square, times a gain."""
    return x / np.sqrt((x * x).mean(axis=1, keepdims=True) + SMALLEST) * gain


def _heads(model: Language, x: Array) -> Array:
    """Query, key and value by head: (3, heads, tokens, width of a head)."""
    return x.reshape(len(x), 3, model.heads, -1).transpose(1, 2, 0, 3)


def _attention(
    model: Language, query: Array, key: Array, value: Array, held: tuple[Array, Array], seen: int
) -> tuple[Array, tuple[Array, Array]]:
    """Attention of new characters to the last `context` ones, and the keys and values to keep."""
    here = seen + np.arange(query.shape[1])
    keys = np.concatenate([held[0], _turned(key, here)], axis=1)
    values = np.concatenate([held[1], value], axis=1)
    there = here[-1] + 1 - keys.shape[1] + np.arange(keys.shape[1])
    back = here[:, None] - there
    score = _turned(query, here) @ keys.mT / np.float32(np.sqrt(query.shape[-1]))
    score = np.where((back >= 0) & (back < model.context), score, np.float32(-np.inf))
    share = np.exp(score - score.max(axis=-1, keepdims=True))
    mixed = share / share.sum(axis=-1, keepdims=True) @ values
    last = slice(-model.context, None)
    return mixed.transpose(1, 0, 2).reshape(len(here), -1), (keys[:, last], values[:, last])


def _turned(x: Array, position: Array) -> Array:
    """Queries or keys turned by their position (rotary), first half of a head against the second."""
    half = x.shape[-1] // 2
    angle = position[:, None] * THETA ** (-np.arange(half) / half)
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    low, high = x[..., :half], x[..., half:]
    return np.concatenate([low * cos - high * sin, low * sin + high * cos], axis=-1)
