"""Low-bit products by table lookup: quantization, bit planes, tables, packing, and what they cost in silicon."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from waferviz.lowbit.activations import absmax, absmean_int4, fp4, largest_half
    from waferviz.lowbit.bitplanes import alphas, indices, planes, reinterpret, remap
    from waferviz.lowbit.bounds import error_bound
    from waferviz.lowbit.elementwise import ternary_matmul
    from waferviz.lowbit.matmul import lut_matmul
    from waferviz.lowbit.operands import Weights
    from waferviz.lowbit.packing import FORMATS, layout, pack, scale_in, tmac, unpack
    from waferviz.lowbit.quantize import binary, bitlinear, groupwise, nmse, ternary
    from waferviz.lowbit.tables import half_table, lookup, quantized, subset_sums, table

_HOME = {
    "FORMATS": "packing",
    "Weights": "operands",
    "absmax": "activations",
    "absmean_int4": "activations",
    "alphas": "bitplanes",
    "binary": "quantize",
    "bitlinear": "quantize",
    "error_bound": "bounds",
    "fp4": "activations",
    "groupwise": "quantize",
    "half_table": "tables",
    "indices": "bitplanes",
    "largest_half": "activations",
    "layout": "packing",
    "lookup": "tables",
    "lut_matmul": "matmul",
    "nmse": "quantize",
    "pack": "packing",
    "planes": "bitplanes",
    "quantized": "tables",
    "reinterpret": "bitplanes",
    "remap": "bitplanes",
    "scale_in": "packing",
    "subset_sums": "tables",
    "table": "tables",
    "ternary": "quantize",
    "ternary_matmul": "elementwise",
    "tmac": "packing",
    "unpack": "packing",
}

__all__ = [
    "FORMATS",
    "Weights",
    "absmax",
    "absmean_int4",
    "alphas",
    "binary",
    "bitlinear",
    "error_bound",
    "fp4",
    "groupwise",
    "half_table",
    "indices",
    "largest_half",
    "layout",
    "lookup",
    "lut_matmul",
    "nmse",
    "pack",
    "planes",
    "quantized",
    "reinterpret",
    "remap",
    "scale_in",
    "subset_sums",
    "table",
    "ternary",
    "ternary_matmul",
    "tmac",
    "unpack",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"waferviz.lowbit.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'waferviz.lowbit' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
