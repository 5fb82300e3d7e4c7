"""Matrices to tiles and back: padding, cutting, and the numbers in which a run is exact."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np

from waferviz.program import Array, Buffer, Operand, Program

GROUP = 4  # numbers of a table, as in T-MAC and LUT Tensor Core: half of its 16 sums are stored
COUNTED = 2**60  # operations of a product, and words and bytes a few times as many, in integers of 64 bits
ENTRIES = 2 ** (GROUP - 1)
EXACT_INTEGERS: dict[np.dtype[Any], int] = {np.dtype(np.float32): 2**24, np.dtype(np.float64): 2**53}


@dataclass(frozen=True, eq=False)
class Sizes:
    """Sizes of a product C (M, N) = A (M, K) B (K, N) cut into blocks; padding fills the last block of each side.

    Attributes
    ----------
    M, K, N : int
        Matrix sides.
    m, k, n : int
        Tile sides.
    dtype : numpy dtype
        Of the operands as handed over.
    """

    M: int
    K: int
    N: int
    m: int
    k: int
    n: int
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, program: Program, matrices: tuple[int, ...], dtype: Any = np.float32) -> Sizes:
        """Sizes of a product (M, K, N) or of vectors (n,); ValueError when the mesh is larger than a matrix side."""
        wanted = ("n",) if program.on_vectors else ("M", "K", "N")
        given: Any = matrices
        several = isinstance(given, tuple | list) and len(given) == len(wanted)
        if not several or not all(
            isinstance(side, Integral) and (program.on_vectors or int(side) > 0) for side in given
        ):
            said = f"({', '.join(wanted)}{',' * program.on_vectors})"
            raise ValueError(f"matrices={matrices!r}: {program.name} takes {said}, whole numbers above zero")
        if math.prod(map(int, given)) > COUNTED:
            raise ValueError(
                f"matrices={matrices!r}: {program.name} would make {math.prod(map(int, given)):.1e} operations, "
                f"{COUNTED:.1e} can be counted; give smaller sides, up to 10**6 each"
            )
        if program.on_vectors:
            return cls._of_vectors(program, *matrices, dtype=dtype)
        folded = program.kind == "gemm"
        check_blocks(program.blocks, matrices, program.place.shape, folded=folded)
        m, k, n = (-(-whole // program.blocks[name]) for name, whole in zip("mkn", matrices, strict=True))
        M, K, N = matrices
        return cls(M, K, N, m, k, n, np.dtype(dtype))

    @classmethod
    def _of_vectors(cls, program: Program, length: int, *, dtype: Any) -> Sizes:
        """Sizes of one vector per core, cut into the program's chunks; ValueError when there is no entry."""
        if length < 1:
            raise ValueError(f"vectors of {length} entries: {program.name} needs at least one entry per core")
        chunk = -(-length // program.blocks["n"])
        return cls(1, 1, length, 1, 1, chunk, np.dtype(dtype))

    def tile(self, dims: tuple[str, ...]) -> tuple[int, ...]:
        """Shape of a tile with dims out of m, k, n."""
        return tuple(getattr(self, dim) for dim in dims)

    @property
    def t(self) -> int:
        """Entries of the halved tables of k numbers, eight for every four."""
        return -(-self.k // GROUP) * ENTRIES

    def entries(self, dims: tuple[str, ...]) -> int:
        """Numbers in a tile."""
        return int(np.prod(self.tile(dims)))

    @property
    def entry_bytes(self) -> int:
        """Bytes of one entry of the result, kept in the type it is summed in."""
        return summed_in(self.dtype).itemsize

    def bytes(self, dims: tuple[str, ...]) -> int:
        """Bytes of a tile; vectors are kept and sent in the type that is given for them."""
        size = self.entry_bytes if dims == ("m", "n") else self.dtype.itemsize
        return self.entries(dims) * (table_entry(self.dtype).itemsize if "t" in dims else size)

    def kept(self, buffer: Buffer) -> int:
        """Bytes of a tile in memory, packed where the buffer says so."""
        return -(-self.entries(buffer.dims) * buffer.bits // 8) if buffer.bits else self.bytes(buffer.dims)

    def words(self, dims: tuple[str, ...]) -> int:
        """32-bit words of a tile on a link."""
        return -(-self.bytes(dims) // 4)


def check_blocks(
    blocks: dict[str, int], matrices: tuple[int, ...], mesh: tuple[int, int], *, folded: bool = True
) -> None:
    """Raise ValueError when a mesh cuts a side of the matrices (M, K, N) into more blocks than it has entries."""
    for name, whole in zip("mkn", matrices, strict=True):
        if blocks[name] > whole:
            way_out = f"a mesh whose sides have a common multiple of {min(matrices)} or less"
            raise ValueError(
                f"mesh={mesh[0]} x {mesh[1]} cuts {name.upper()}={whole} into {blocks[name]} blocks, more than it "
                f"has entries; use {way_out if folded else 'fewer cores'}, or larger matrices"
            )


def summed_in(dtype: Any) -> np.dtype[Any]:
    """Type in which products are summed: int64 for integers and bool, float32 for float16, else the type itself."""
    dtype = np.dtype(dtype)
    if dtype.kind in "iub":
        return np.dtype(np.int64)
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def table_entry(dtype: Any) -> np.dtype[Any]:
    """Type of the sum of four numbers in a table: 16 bits for integers of 8 bits, else the type itself."""
    dtype = np.dtype(dtype)
    return np.dtype(np.int16) if dtype.kind in "iub" and dtype.itemsize == 1 else dtype


def carrier(a: Array, b: Array) -> np.dtype[Any]:
    """Type in which the fast tier computes: floats for integers as long as every partial sum is exact in them."""
    sum_type = summed_in(np.result_type(a, b))
    if sum_type.kind != "i":
        return sum_type
    bound = largest(a) * largest(b) * a.shape[1]
    return next((kind for kind, limit in EXACT_INTEGERS.items() if bound <= limit), sum_type)


def largest(values: Array) -> int:
    """Largest magnitude in an integer array, as a Python integer."""
    return max(abs(int(values.min())), abs(int(values.max()))) if values.size else 0


def padded(matrix: Array, rows: int, columns: int, dtype: Any) -> Array:
    """The matrix with zeros below and to the right; the matrix itself when nothing changes."""
    if matrix.shape == (rows, columns):
        return np.ascontiguousarray(matrix, dtype=dtype)
    whole = np.zeros((rows, columns), dtype)
    whole[: matrix.shape[0], : matrix.shape[1]] = matrix
    return whole


def tiles(matrix: Array, operand: Operand, tile: tuple[int, ...], dtype: Any) -> Array:
    """Tiles of a matrix where the operand puts them, dims (y, x, tile row, tile column)."""
    rows, columns = operand.blocks
    whole = padded(matrix, rows * tile[0], columns * tile[1], dtype)
    cut = whole.reshape(rows, tile[0], columns, tile[1]).swapaxes(1, 2)
    return cut[operand.row, operand.column]


def untiled(cut: Array, shape: tuple[int, int]) -> Array:
    """Matrix from tiles with dims (block row, block column, tile row, tile column), padding removed."""
    rows, columns, m, n = cut.shape
    return cut.swapaxes(1, 2).reshape(rows * m, columns * n)[: shape[0], : shape[1]]


def once(tiles: Array, replicated: str) -> Array:
    """Tiles of a result without those that are there more than once, dims (block row, block column, m, n)."""
    if replicated == "x":
        return tiles[:, :1]
    return tiles[:1].swapaxes(0, 1) if replicated == "y" else tiles


def start(program: Program, a: Array, b: Array, sizes: Sizes) -> dict[str, Any]:
    """Numbers in every buffer before the first step: operands in place, everything else zero."""
    dtype = summed_in(sizes.dtype)
    state: dict[str, Any] = {}
    for name, buffer in program.buffers.items():
        if name in program.operands:
            tile = tiles({"A": a, "B": b}[name], program.operands[name], sizes.tile(buffer.dims), dtype)
        else:
            tile = np.zeros((1, 1, *sizes.tile(buffer.dims)), dtype)
        each = tile if tile.ndim == 5 else (tile,) * buffer.places
        state[name] = each[0] if buffer.places == 1 else tuple(each)
    return state
