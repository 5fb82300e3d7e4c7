"""Matrices from files: .npy, .npz, .csv and pictures; errors name the file and what would work."""

from __future__ import annotations

import difflib
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from waferviz.program import Array

SUFFIXES = (".npy", ".npz", ".csv", ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp")
UNREADABLE = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)
LABELS = ("", "year", "label", "name", "index", "id")
SEPARATORS = {";": "';'", "\t": "tabs"}


def read(file: str | Path) -> Array:
    """The matrix in a file; `data.npz:name` is the one of that name in an .npz file.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it holds no matrix, or several and none is named.
    """
    path, key = _named(file)
    if not path.is_file():
        raise FileNotFoundError(f"no file {str(path)!r}; give the path of one of {', '.join(SUFFIXES)}")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        near = difflib.get_close_matches(suffix, SUFFIXES, 1, 0.75)
        hint = f", nearest is {near[0]}" if near else ""
        raise ValueError(
            f"{path.name}: files of type {suffix!r} cannot be read{hint}; use one of {', '.join(SUFFIXES)}"
        )
    try:
        if suffix == ".npz":
            return _npz(path, key)
        return {".npy": _npy, ".csv": _csv}.get(suffix, _picture)(path)
    except UNREADABLE as error:
        said = getattr(error, "strerror", None) or str(error).replace(str(path), path.name)
        raise ValueError(f"{path.name}: this is no readable {suffix} file of one matrix ({said})") from error


def _named(file: str | Path) -> tuple[Path, str]:
    """The path, and the name of an array behind a colon."""
    path, _, key = str(file).rpartition(":")
    if path.lower().endswith(".npz") and not Path(file).is_file():
        return Path(path), key
    return Path(file), ""


def _npy(file: Path) -> Array:
    with file.open("rb") as opened:
        if opened.read(6) != b"\x93NUMPY":
            raise ValueError("it does not begin like one; write it with numpy.save")
    return _numbers(lambda: np.load(file, allow_pickle=False))


def _npz(file: Path, key: str) -> Array:
    if not zipfile.is_zipfile(file):
        raise ValueError("it does not begin like one; write it with numpy.savez")
    with np.load(file, allow_pickle=False) as held:
        found = {name: _numbers(lambda name=name: held[name]) for name in held.files}
    if key and key not in found:
        raise ValueError(f"it holds {', '.join(found) or 'nothing'}, and no {key!r}")
    flat = {name: one for name, one in found.items() if one.ndim == 2 and key in ("", name)}
    if not flat:
        raise ValueError(f"it holds {', '.join(found) or 'nothing'}, none of them a matrix")
    if len(flat) > 1:
        said = ", ".join(f"{name} {one.shape[0]} x {one.shape[1]}" for name, one in flat.items())
        raise ValueError(
            f"it holds {len(flat)} matrices: {said}; name one, for example '{file.name}:{next(iter(flat))}'"
        )
    return next(iter(flat.values()))


def _numbers(load: Any) -> Array:
    """What `load` returns; Python objects in a file are refused, because reading them would run code."""
    try:
        return np.asarray(load())
    except ValueError as error:
        if "bject" not in str(error):
            raise
        raise ValueError(
            "it holds Python objects; save numbers, for example array.astype('float64')"
        ) from error


def _csv(file: Path) -> Array:
    import csv

    with file.open(newline="", encoding="utf-8-sig") as text:
        try:
            lines = [line for line in csv.reader(text) if line]
        except csv.Error as error:
            raise ValueError(str(error)) from error
    if not lines:
        raise ValueError("it is empty")
    _one_separator(lines)
    if not _is_number(lines[0][-1]):
        labels = lines[0][0].strip().lower()
        lines = lines[1:]
        if labels in LABELS or not all(_is_number(line[0]) for line in lines):
            lines = [line[1:] for line in lines]
    if len({len(line) for line in lines}) != 1:
        raise ValueError("its rows have different lengths" if lines else "it has a header and no rows")
    bad = next((cell for line in lines for cell in line if not _is_number(cell)), None)
    if bad is not None:
        decimal = "; write decimals with a point" if _is_number(bad.replace(",", ".", 1)) else ""
        raise ValueError(f"{bad!r} is not a number{decimal}")
    values = np.array(lines, dtype=np.float64)
    return (
        values.astype(np.int64) if np.all(np.mod(values, 1) == 0) and np.abs(values).max() < 2**53 else values
    )


def _one_separator(lines: list[list[str]]) -> None:
    """Raise ValueError when columns are separated by something else than commas."""
    for sign, said in SEPARATORS.items():
        if all(any(sign in cell.strip() for cell in line) for line in lines):
            raise ValueError(
                f"its columns are separated by {said}; separate them by ',' and write decimals with a point"
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _picture(file: Path) -> Array:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise ValueError("pictures need Pillow: pip install 'waferviz[lab]'") from error
    try:
        with Image.open(file) as image:
            return np.asarray(image.convert("L")).astype(np.int32)
    except UnidentifiedImageError:
        raise ValueError("Pillow finds no picture in it") from None
    except Image.DecompressionBombError:
        raise ValueError("it has too many pixels; make it smaller") from None
