"""Energy of the arithmetic: what published constants give for a model, and for one lookup against one multiply-add.

Only additions and multiplications are counted; memory, control and everything else are not.  Measured joules per token on
CPUs are about a hundred times as large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from waferviz.lowbit.bitplanes import length
from waferviz.lowbit.operands import amount, whole, wholes
from waferviz.published import rows

if TYPE_CHECKING:
    import xarray as xr

WEIGHTS = ("fp32", "fp16", "ternary")
ACTIVATIONS = {"int8": 8, "fp16": 16}
PARTS = ("linear", "attention", "scaling")


@dataclass(frozen=True, kw_only=True)
class Model:
    """Shape of a decoder: what counts for its multiply-adds and its bytes.

    Attributes
    ----------
    name : str
        Name shown to people.
    hidden, ffn, layers, q_dim, kv_dim : int
        Widths, and the number of layers; `kv_dim` is the width of keys and of values.
    gated : bool
        Whether the feed-forward part has three matrices (gate, up, down) or two.
    vocab : int
        Tokens; 0 when it does not matter.
    tied : bool
        Input and output share one embedding.
    weights : "fp32", "fp16" or "ternary"
        How the linear layers are stored.
    """

    name: str
    hidden: int
    ffn: int
    layers: int
    q_dim: int
    kv_dim: int
    gated: bool = True
    vocab: int = 0
    tied: bool = False
    weights: str = "ternary"

    @classmethod
    def named(cls, name: str) -> Model:
        """A model of `data/lowbit_models.csv`; ValueError that lists them for an unknown name."""
        known = {row["name"]: row for row in rows("lowbit_models")}
        if name not in known:
            raise ValueError(f"no model {name!r}; known are {', '.join(known)}")
        row = known[name]
        sizes = {key: int(row[key]) for key in ("hidden", "ffn", "layers", "q_dim", "kv_dim")}
        return cls(
            name=name, gated=row["gated"] == "yes", vocab=int(row["vocab"] or 0), tied=row["tied"] == "yes",
            weights=row["weights"], **sizes,
        )  # fmt: skip

    @property
    def matrices(self) -> list[tuple[int, int]]:
        """Inputs and outputs of the linear layers of one layer."""
        h, q, kv, f = self.hidden, self.q_dim, self.kv_dim, self.ffn
        return [(h, q), (h, kv), (h, kv), (q, h), *[(h, f)] * (1 + self.gated), (f, h)]

    @property
    def linear_weights(self) -> int:
        """Weights of all linear layers."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.matrices)

    @property
    def embedding_weights(self) -> int:
        """Weights of embedding and output head, one table when they are tied."""
        return self.vocab * self.hidden * (1 if self.tied else 2)


def constants(node: str = "7nm") -> dict[str, float]:
    """Picojoules per operation, such as "fp16 add", at a node of `data/lowbit_energy_constants.csv`."""
    table = [row for row in rows("lowbit_energy_constants") if row["energy_pj"]]
    found = {row["op"]: float(row["energy_pj"]) for row in table if row["node"] == node}
    if not found:
        raise ValueError(f"node={node!r}: known are {', '.join(sorted({row['node'] for row in table}))}")
    return found


def model_energy(model: Model, *, tokens: int = 512, node: str = "7nm") -> xr.Dataset:
    """Joules of one pass over `tokens` tokens: dims part (linear, attention, scaling) and op (add, mul).

    Attention is counted whole, without a causal mask, and stays in 16 bits where weights are ternary; softmax, norms and
    the output head are left out, as in the papers.  Source: BitNet, arXiv 2310.11453, table 1; 2B4T, arXiv 2504.12285.

    Examples
    --------
    >>> round(float(model_energy(Model.named("BitNet b1.58 2B4T")).energy.sum()), 3)
    0.028
    """
    import xarray as xr

    if model.weights not in WEIGHTS:
        raise ValueError(f"weights={model.weights!r}: choose one of {', '.join(WEIGHTS)}")
    price, tokens = constants(node), whole(tokens, "tokens", 1)
    floats = "fp16" if model.weights == "ternary" else model.weights
    add, mul = price[f"{floats} add"], price[f"{floats} mul"]
    linear = model.linear_weights * tokens
    attention = 2 * tokens**2 * model.q_dim * model.layers
    scaling = tokens * model.layers * sum(map(sum, model.matrices))
    ternary = model.weights == "ternary"
    joules = np.array([
        [linear * price["int8 add"], 0] if ternary else [linear * add, linear * mul],
        [attention * add, attention * mul],
        [0, scaling * mul if ternary else 0],
    ])  # fmt: skip
    return xr.Dataset(
        {"energy": (("part", "op"), joules * 1e-12, {"units": "J", "long_name": "energy of the arithmetic"})},
        {"part": list(PARTS), "op": ["add", "mul"]},
        {"model": model.name, "weights": model.weights, "node": node, "tokens": tokens},
    )


def lookup_energy(
    bits: Any,
    *,
    group: int = 4,
    outputs: Any = 1024,
    read: float | None = None,
    node: str = "45nm",
    act: str = "int8",
) -> xr.Dataset:
    """Picojoules per weight of a lookup product, beside a multiply-add of the same activations.

    A group of weights pays (2^group - 2) additions over `outputs` for its table, and for each plane one read of the table
    and one addition.

    Parameters
    ----------
    bits, outputs : int or array
        Bits of a weight, outputs that share a table; arrays give the dims bits and outputs.
    group : int
        Activations of a table.
    read : float, optional
        pJ of reading one entry.  An ASSUMPTION: no figure is published.  By default both bounds are given: 0, and a
        read from an 8 KB memory scaled to the width of an entry.
    node : str
        "45nm"; the 7 nm table has no memory, so `read` is needed there.
    act : "int8" or "fp16"
        Activations; sums of int8 are priced as int32 additions where the node has them.

    Raises
    ------
    ValueError
        For bits outside 1..8, fewer outputs than one, a negative `read`, unknown nodes and activations.
    """
    import xarray as xr

    length(group)
    if act not in ACTIVATIONS:
        raise ValueError(f"act={act!r}: choose one of {', '.join(ACTIVATIONS)}")
    if read is not None:
        amount(read, "read", "the energy of reading one table entry, in pJ,")
    price = constants(node)
    if read is None and "SRAM read 64b from 8KB" not in price:
        raise ValueError(f"node={node!r} has no energy of a memory read; give read=, in pJ per table entry")
    memory = price.get("SRAM read 64b from 8KB", 0.0) * ACTIVATIONS[act] / 64
    reads = [read, read] if read is not None else [0.0, memory]
    add = price[f"{act} add"]
    total = price.get("int32 add", add) if act == "int8" else add
    b = xr.DataArray(np.atleast_1d(wholes(bits, "bits", 1, 8)), dims="bits", attrs={"units": "bit"})
    n = xr.DataArray(np.atleast_1d(wholes(outputs, "outputs", 1)), dims="outputs", attrs={"units": "1"})
    each = xr.DataArray(reads, dims="bound", coords={"bound": ["low", "high"]})
    found = {
        "build": (2**group - 2) * add / n / group + 0 * b,
        "read": b * each / group,
        "accumulate": b * total / group,
    }
    found["lookup"] = sum(found.values())
    found["multiply_add"] = xr.DataArray(price[f"{act} mul"] + total)
    return xr.Dataset(
        {
            key: value.assign_attrs(units="pJ", long_name=f"{key} energy per weight")
            for key, value in found.items()
        }
    ).assign_coords(bits=b, outputs=n)


def model_bytes(model: Model, *, bits_per_weight: float = 2, float_bits: int = 16) -> xr.Dataset:
    """Bytes of the linear layers and of what stays in high precision (embedding and head): dim part.

    Examples
    --------
    >>> (model_bytes(Model.named("BitNet b1.58 2B4T")).bytes / 1e9).round(2).values.tolist()
    [0.52, 0.66]
    """
    import xarray as xr

    low = amount(bits_per_weight, "bits_per_weight", "the size of a weight of the linear layers", above=True)
    high = amount(float_bits, "float_bits", "the size of a weight of embedding and head", above=True)
    held = [model.linear_weights * low / 8, model.embedding_weights * high / 8]
    return xr.Dataset(
        {"bytes": ("part", held, {"units": "B", "long_name": "memory of the weights"})},
        {"part": ["linear layers", "embedding and head"]},
        {"model": model.name},
    )


def precision() -> xr.Dataset:
    """What of a "1-bit" model is in few bits and what is not: dim part, from `data/lowbit_precision.csv`.

    Variables: weight_bits and activation_bits (NaN where there are none), low_bit, note, source.
    """
    import xarray as xr

    found = rows("lowbit_precision")
    bits = {
        key: (
            "part",
            [float(row[key] or "nan") for row in found],
            {"units": "bit", "long_name": key.replace("_", " ")},
        )
        for key in ("weight_bits", "activation_bits")
    }
    words = {key: ("part", [row[key] for row in found]) for key in ("note", "source")}
    low = {"low_bit": ("part", [row["low_bit"] == "yes" for row in found])}
    return xr.Dataset(bits | low | words, {"part": [row["part"] for row in found]})
