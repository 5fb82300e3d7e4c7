"""Colours and page text shared by all views; safe for colour-blind eyes, never the only carrier of a meaning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from bokeh.palettes import Cividis256, Viridis256

ACCENT = "#d1495b"
INK = "#1b2230"
QUIET = "#8a93a3"
PAPER = "#ffffff"
EMPTY = "#e6e9ee"
LEGIBLE = """
:host { --bokeh-font-size: 16px; font-size: 16px; }
input, select, button, .bk-input, .bk-btn, label, p { font-size: 16px; }
input[type=checkbox] { width: 16px; height: 16px; }
"""  # for the controls of an app, in the stylesheets of each


def cyclic(number: int = 256) -> list[str]:
    """Colours round the hue circle of OKLCH, lighter on one side, so that neighbours differ also without hue."""
    turn = np.linspace(0, 2 * np.pi, number, endpoint=False)
    light, chroma, hue = 0.70 + 0.14 * np.cos(turn), 0.125, turn + np.radians(250)
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    cone = np.stack(
        [
            light + 0.3963377774 * a + 0.2158037573 * b,
            light - 0.1055613458 * a - 0.0638541728 * b,
            light - 0.0894841775 * a - 1.2914855480 * b,
        ]
    )
    mix = np.array(
        [
            [4.0767416621, -3.3077115913, 0.2309699292],
            [-1.2684380046, 2.6097574011, -0.3413193965],
            [-0.0041960863, -0.7034186147, 1.7076147010],
        ]
    )
    return _hex(_gamma(np.clip(mix @ cone**3, 0, 1)))


def diverging() -> list[str]:
    """Blue for less, near white for equal, orange for more: 255 steps round the middle entry 128."""
    ends = np.array([[0.13, 0.40, 0.67], [0.96, 0.96, 0.96], [0.85, 0.40, 0.05]])
    at = np.concatenate([[0.0], np.linspace(0, 2, 255)])
    return _hex(np.stack([np.interp(at, [0, 1, 2], channel) for channel in ends.T]))


def script(*names: str) -> str:
    """Page-side code: files of `views/js`, joined in order."""
    folder = Path(__file__).parent / "js"
    return "\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in names)


def sheet(name: str) -> str:
    """A style sheet of `views/js`."""
    return (Path(__file__).parent / "js" / f"{name}.css").read_text(encoding="utf-8")


def _gamma(linear: np.ndarray) -> np.ndarray:
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def _hex(channels: np.ndarray) -> list[str]:
    levels = np.round(np.clip(channels, 0, 1) * 255).astype(int).T
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in levels]


PALETTES = {
    "cyclic": cyclic(),
    "amount": list(Viridis256),
    "links": list(Cividis256)[::-1],
    "difference": diverging(),
}
