"""The network that `train.py` trains: ternary matrices behind a straight-through estimator, or full precision.

`waferviz.lowbit.transformer` is the same forward pass in NumPy.  Sources: BitNet b1.58, arXiv 2402.17764; block, norms
and squared ReLU as in BitNet b1.58 2B4T, arXiv 2504.12285.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

WIDTH, LAYERS, HEADS, HIDDEN = 192, 4, 6, 384
SMALLEST, THETA = 1e-5, 10_000.0


class BitLinear(nn.Module):
    """Linear layers without bias that share an input, in the order of their names; rounded to ternary weights and 8-bit activations unless `exact`."""

    def __init__(self, inputs: int, outputs: dict[str, int], exact: bool) -> None:
        super().__init__()
        self.exact = exact
        self.weight = nn.ParameterDict(
            {
                name: nn.Parameter(torch.randn(count, inputs) / math.sqrt(inputs))
                for name, count in outputs.items()
            }
        )

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Products with each matrix, all from one rounding of the activations."""
        if self.exact:
            return [functional.linear(x, w) for w in self.weight.values()]
        codes, scale = rounded_activations(x)
        found = [rounded_weights(w) for w in self.weight.values()]
        return [functional.linear(codes, ternary).float() * (gamma / scale) for ternary, gamma in found]


def rounded_weights(w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights -1, 0, +1 and their scale, the mean magnitude; backwards the rounding is not there."""
    gamma = w.detach().abs().mean().clamp(min=SMALLEST)
    over = w / gamma
    return over + (over.round().clamp(-1, 1) - over).detach(), gamma


def rounded_activations(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes -128 .. 127 and the scale 127 / max of each token; backwards the rounding is not there."""
    scale = 127 / x.detach().abs().amax(dim=-1, keepdim=True).float().clamp(min=SMALLEST)
    over = x.float() * scale
    return over + (over.round().clamp(-128, 127) - over).detach(), scale


class Norm(nn.Module):
    """Root mean square norm with a gain."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Rows over their root mean square."""
        x = x.float()
        return x * torch.rsqrt((x * x).mean(dim=-1, keepdim=True) + SMALLEST) * self.gain


class Block(nn.Module):
    """Attention, then a gated squared ReLU; a second norm stands before each of the two output projections."""

    def __init__(self, exact: bool) -> None:
        super().__init__()
        self.attend = BitLinear(WIDTH, {"key": WIDTH, "query": WIDTH, "value": WIDTH}, exact)
        self.out = BitLinear(WIDTH, {"out": WIDTH}, exact)
        self.widen = BitLinear(WIDTH, {"gate": HIDDEN, "up": HIDDEN}, exact)
        self.down = BitLinear(HIDDEN, {"down": WIDTH}, exact)
        self.norm = nn.ModuleDict(
            {name: Norm(HIDDEN if name == "down" else WIDTH) for name in ("attend", "out", "widen", "down")}
        )

    def forward(self, x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        """Activations of the next layer."""
        k, q, v = (heads(part) for part in self.attend(self.norm["attend"](x)))
        mixed = attention(turned(q, turn), turned(k, turn), v.float())
        x = x + self.out(self.norm["out"](mixed))[0]
        gate, up = self.widen(self.norm["widen"](x))
        return x + self.down(self.norm["down"](functional.relu(gate).square() * up))[0]


def heads(x: torch.Tensor) -> torch.Tensor:
    """Split into heads: (batch, heads, tokens, width of a head)."""
    return x.unflatten(-1, (HEADS, -1)).transpose(1, 2)


def attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """Causal attention in float32, heads side by side again: (batch, tokens, width)."""
    with torch.autocast("cpu", enabled=False):
        return functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)


def rotation(tokens: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosine and sine of the rotary positions, (tokens, half a head)."""
    half = WIDTH // HEADS // 2
    angle = torch.arange(tokens)[:, None] * THETA ** (-torch.arange(half) / half)
    return angle.cos(), angle.sin()


def turned(x: torch.Tensor, turn: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    """Queries or keys turned by their position, first half of a head against the second."""
    cos, sin = turn
    low, high = x.float().chunk(2, dim=-1)
    return torch.cat([low * cos - high * sin, low * sin + high * cos], dim=-1)


class Network(nn.Module):
    """Characters to the logits of the next one; the embedding is also the last matrix and stays in full precision."""

    def __init__(self, vocabulary: int, exact: bool) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(vocabulary, WIDTH) * 0.05)
        self.blocks = nn.ModuleList(Block(exact) for _ in range(LAYERS))
        self.norm = Norm(WIDTH)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits after each character, (batch, characters, vocabulary)."""
        x, turn = self.embedding[ids], rotation(ids.shape[1])
        for block in self.blocks:
            x = block(x, turn)
        return functional.linear(self.norm(x), self.embedding)
