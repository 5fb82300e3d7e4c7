"""Wafers: how far their cores are apart, how many work with dead ones, and what remapping costs a program."""

from waferviz.wafer.defects import draw
from waferviz.wafer.latency import latency
from waferviz.wafer.laws import LAWS, core_failure, row_yield, wafer_yield
from waferviz.wafer.prices import price, stretched_hops
from waferviz.wafer.remapping import Remap, drop_lines, remap, ring_hops, stretch
from waferviz.wafer.scenes import scenes, yields

__all__ = [
    "LAWS",
    "Remap",
    "core_failure",
    "draw",
    "drop_lines",
    "latency",
    "price",
    "remap",
    "ring_hops",
    "row_yield",
    "scenes",
    "stretch",
    "stretched_hops",
    "wafer_yield",
    "yields",
]
