"""Wafers with dead cores: how many work, what remapping does to a row, what it costs a program."""

from waferviz.wafer.defects import draw
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
