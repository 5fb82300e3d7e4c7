"""Packed weights: the formats by name, and how to pack, unpack and look at them."""

from waferviz.lowbit.packing.format import Format, layout, pack, scale_in, unpack
from waferviz.lowbit.packing.i2s import NEON, ROWS, X86
from waferviz.lowbit.packing.specimen import specimen
from waferviz.lowbit.packing.tl import TL1, TL2
from waferviz.lowbit.packing.tmac import tmac
from waferviz.lowbit.packing.words import INTERLEAVED, NIBBLES, W2A8

FORMATS: dict[str, Format] = {
    known.name: known
    for known in (X86, NEON, ROWS, TL1, TL2, W2A8, NIBBLES, INTERLEAVED, tmac(1), tmac(2), tmac(4))
}

__all__ = ["FORMATS", "Format", "layout", "pack", "scale_in", "specimen", "tmac", "unpack"]
