"""Low-bit products by table lookup: quantization, bit planes, tables, packing, and what they cost in silicon."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from waferviz.lowbit import language
    from waferviz.lowbit.accumulators import running_sums
    from waferviz.lowbit.activations import absmax, absmean_int4, fp4, largest_half
    from waferviz.lowbit.against import comparison, fewer_bits, kernels
    from waferviz.lowbit.area import Parts, unit_area
    from waferviz.lowbit.bitplanes import alphas, indices, planes, reinterpret, remap
    from waferviz.lowbit.bounds import error_bound
    from waferviz.lowbit.cycles import lookups, sentence
    from waferviz.lowbit.elementwise import ternary_matmul
    from waferviz.lowbit.energy import Model, lookup_energy, model_bytes, model_energy, precision
    from waferviz.lowbit.inventory import anatomy
    from waferviz.lowbit.matmul import lut_matmul
    from waferviz.lowbit.onmesh import on_mesh
    from waferviz.lowbit.operands import Weights
    from waferviz.lowbit.packing import FORMATS, layout, pack, scale_in, specimen, tmac, unpack
    from waferviz.lowbit.quantize import binary, bitlinear, groupwise, nmse, ternary
    from waferviz.lowbit.rounding import errors
    from waferviz.lowbit.shape import instruction, precompute, tile, tiles
    from waferviz.lowbit.silicon import areas, published_checks, terms
    from waferviz.lowbit.tables import half_table, lookup, quantized, subset_sums, table

_HOME = {
    "FORMATS": "packing",
    "Model": "energy",
    "Parts": "area",
    "Weights": "operands",
    "absmax": "activations",
    "absmean_int4": "activations",
    "alphas": "bitplanes",
    "anatomy": "inventory",
    "areas": "silicon",
    "binary": "quantize",
    "bitlinear": "quantize",
    "comparison": "against",
    "error_bound": "bounds",
    "errors": "rounding",
    "fewer_bits": "against",
    "fp4": "activations",
    "groupwise": "quantize",
    "half_table": "tables",
    "indices": "bitplanes",
    "instruction": "shape",
    "kernels": "against",
    "largest_half": "activations",
    "layout": "packing",
    "lookup": "tables",
    "lookup_energy": "energy",
    "lookups": "cycles",
    "lut_matmul": "matmul",
    "model_bytes": "energy",
    "model_energy": "energy",
    "nmse": "quantize",
    "on_mesh": "onmesh",
    "pack": "packing",
    "planes": "bitplanes",
    "precision": "energy",
    "precompute": "shape",
    "published_checks": "silicon",
    "quantized": "tables",
    "reinterpret": "bitplanes",
    "remap": "bitplanes",
    "running_sums": "accumulators",
    "scale_in": "packing",
    "sentence": "cycles",
    "specimen": "packing",
    "subset_sums": "tables",
    "table": "tables",
    "terms": "silicon",
    "ternary": "quantize",
    "ternary_matmul": "elementwise",
    "tile": "shape",
    "tiles": "shape",
    "tmac": "packing",
    "unit_area": "area",
    "unpack": "packing",
}

__all__ = [
    "FORMATS",
    "Model",
    "Parts",
    "Weights",
    "absmax",
    "absmean_int4",
    "alphas",
    "anatomy",
    "areas",
    "binary",
    "bitlinear",
    "comparison",
    "error_bound",
    "errors",
    "fewer_bits",
    "fp4",
    "groupwise",
    "half_table",
    "indices",
    "instruction",
    "kernels",
    "language",
    "largest_half",
    "layout",
    "lookup",
    "lookup_energy",
    "lookups",
    "lut_matmul",
    "model_bytes",
    "model_energy",
    "nmse",
    "on_mesh",
    "pack",
    "planes",
    "precision",
    "precompute",
    "published_checks",
    "quantized",
    "reinterpret",
    "remap",
    "running_sums",
    "scale_in",
    "sentence",
    "specimen",
    "subset_sums",
    "table",
    "terms",
    "ternary",
    "ternary_matmul",
    "tile",
    "tiles",
    "tmac",
    "unit_area",
    "unpack",
]


def __getattr__(name: str) -> Any:
    if name == "language":
        return import_module("waferviz.lowbit.language")
    if name in _HOME:
        value = getattr(import_module(f"waferviz.lowbit.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'waferviz.lowbit' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
