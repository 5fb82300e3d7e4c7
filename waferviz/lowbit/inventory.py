"""What of a low-bit model is low-bit: every part with its bits, its bytes and its share of the arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from waferviz.lowbit.energy import Model, constants, precision

if TYPE_CHECKING:
    import xarray as xr

STORED_BITS = 2


def anatomy(model: str = "BitNet b1.58 2B4T", *, node: str = "7nm") -> xr.Dataset:
    """The parts of a ternary decoder in the order of the data: dim part.

    Bytes are `fixed + per_token * tokens`, joules of the arithmetic `linear * tokens + quadratic * tokens^2`, for a pass over
    that many tokens; `bits_wide` is what the fixed bytes would be with 16-bit weights.  Ternary weights are stored in 2 bits.
    Norms, softmax, the head and the few multiplications by scales are left out of the energy, as in the papers.

    Examples
    --------
    >>> found = anatomy()
    >>> round(float(found.fixed.sum()) / 1e9, 2), round(float((found.linear * 512 + found.quadratic * 512**2).sum()), 4)
    (1.18, 0.0276)
    """
    shape, price = Model.named(model), constants(node)
    found = precision()
    h, q, kv, f, layers = shape.hidden, shape.q_dim, shape.kv_dim, shape.ffn, shape.layers
    ternary = {
        "query key value projection": h * q + 2 * h * kv,
        "output projection": q * h,
        "gate and up projection": (1 + shape.gated) * h * f,
        "down projection": f * h,
    }
    wide = {"token embedding": shape.vocab * h, "norms": layers * (2 * h + h + f) + h}
    wide["output head"] = 0 if shape.tied else shape.vocab * h
    multiply_add = q * layers * (price["fp16 add"] + price["fp16 mul"]) * 1e-12
    names = [str(name) for name in found.part.values]

    def column(values: dict[str, float]) -> tuple[str, np.ndarray]:
        return "part", np.array([float(values.get(name, 0)) for name in names])

    high = {name: 2.0 * count for name, count in wide.items()}
    fixed = high | {name: layers * count * STORED_BITS / 8 for name, count in ternary.items()}
    in_16_bits = high | {name: 2.0 * layers * count for name, count in ternary.items()}
    columns: dict[str, tuple[dict[str, float], str]] = {
        "fixed": (fixed, "B"),
        "bits_wide": (in_16_bits, "B"),
        "per_token": ({"key and value cache": 2.0 * kv * layers * 2}, "B"),
        "linear": (
            {name: layers * count * price["int8 add"] * 1e-12 for name, count in ternary.items()},
            "J",
        ),
        "quadratic": ({"attention scores": multiply_add, "softmax times values": multiply_add}, "J"),
    }
    data = {name: (*column(values), {"units": units}) for name, (values, units) in columns.items()}
    return found.assign(data).assign_attrs(model=model, node=node)
