"""Remapping: the cores of a row are renumbered around dead ones, towards spare columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from waferviz.orders import interleaved
from waferviz.program import Array


@dataclass(frozen=True, kw_only=True, eq=False)
class Remap:
    """The mesh that software sees, on a wafer with dead cores.

    Attributes
    ----------
    dead : array of bool
        Dead cores, dims (y, x), spare columns included.
    spares : array
        Columns kept as spares.
    column : array
        Physical column of each core that software sees, dims (row, logical column); -1 in rows that fail.
    fails : array of bool
        Rows with more dead cores than spares, shape (rows,).
    """

    dead: Array
    spares: Array
    column: Array
    fails: Array

    @property
    def works(self) -> bool:
        """True when every row has found its spares."""
        return not self.fails.any()

    @property
    def shape(self) -> tuple[int, int]:
        """Cores that software sees, as (rows, columns)."""
        return self.column.shape

    @property
    def across(self) -> Array:
        """Physical hops between neighbours of a row, dims (row, logical column but one)."""
        return np.diff(self.usable, axis=1)

    @property
    def down(self) -> Array:
        """Physical hops between neighbours of a column, dims (row but one, logical column): 1 + their displacement."""
        return 1 + np.abs(np.diff(self.usable, axis=0))

    @property
    def usable(self) -> Array:
        """`column`, when every row works; ValueError that names the rows that do not."""
        if not self.works:
            rows = np.flatnonzero(self.fails)
            most = int(self.dead[rows].sum(axis=1).max())
            raise ValueError(
                f"{len(rows)} of {len(self.fails)} rows have more dead cores than the {len(self.spares)} spares, first row "
                f"{rows[0]}: {most} spares would do, or leave out whole lines with waferviz.wafer.drop_lines"
            )
        return self.column


def remap(dead: Array, spares: int | Sequence[int] = 1) -> Remap:
    """Renumber the cores of every row by one position from each dead core to the nearest spare.

    Software sees a mesh of full rows, without the spare columns.  A row with more dead cores than spares fails;
    that is a result, not an error.

    Parameters
    ----------
    dead : array of bool
        Dims (y, x), spare columns included.
    spares : int or sequence of int
        How many of the last columns are spares, or which columns are.

    Raises
    ------
    ValueError
        For a map that has no two dims of cores or holds anything but False and True, or spares that are no columns of it.

    Examples
    --------
    >>> dead = np.array([[False, True, False, False], [False, False, False, False]])
    >>> remap(dead, spares=1).column
    array([[0, 2, 3],
           [0, 1, 2]])
    """
    dead = _mask(dead)
    columns = dead.shape[1]
    if isinstance(spares, (int, np.integer)):
        where = np.arange(columns)[-int(spares) or columns :]
    else:
        where = np.unique(np.asarray(spares, int))
    if len(where) >= columns or (np.size(spares) and not 0 <= np.min(spares) <= np.max(spares) < columns):
        raise ValueError(f"spares={spares}: of {columns} columns, 0 to {columns - 1} can be spares")
    fails = dead.sum(axis=1) > len(where)
    left_out = np.zeros(dead.shape, bool)
    left_out[:, where] = True
    for row in np.flatnonzero(dead.any(axis=1) & ~fails):
        left_out[row] = _left_out(dead[row], where)
    column = np.nonzero(~left_out)[1].reshape(len(dead), columns - len(where))
    column[fails] = -1
    return Remap(dead=dead, spares=where, column=column, fails=fails)


def _mask(dead: Array) -> Array:
    """The map of dead cores; ValueError for what is no mask of dims (rows, columns)."""
    found = np.asarray(dead)
    if found.ndim != 2 or found.size == 0:
        raise ValueError(f"dead has shape {found.shape}; give a mask of dims (rows, columns)")
    if found.dtype.kind not in "biuf" or not np.isin(found, (0, 1)).all():
        odd = found[~np.isin(found, (0, 1))][0] if found.dtype.kind in "iuf" else found.flat[0]
        raise ValueError(
            f"dead holds {odd!s}; give False (or 0) for a core that works, True (or 1) for a dead one"
        )
    return found.astype(bool)


def _left_out(dead: Array, spares: Array) -> Array:
    """Columns of one row that hold no logical core: the dead ones, and the spares that no dead core took."""
    out = dead.copy()
    free = [int(spare) for spare in spares if not dead[spare]]
    for core in np.flatnonzero(dead):
        if core not in spares:
            free.remove(min(free, key=lambda spare: abs(spare - core)))
    out[free] = True
    return out


def ring_hops(found: Remap, order: Array | None = None) -> Array:
    """Longest physical hop of a ring along each row, shape (rows,); interleaved when no order is given.

    One dead core inside a row makes the interleaved ring's longest hop 3 instead of 2.
    """
    ring = interleaved(found.shape[1]) if order is None else np.asarray(order)
    if found.shape[1] == 1:
        return np.zeros(found.shape[0], int)
    return np.abs(found.usable[:, ring] - found.usable[:, np.roll(ring, -1)]).max(axis=1)


def stretch(found: Remap) -> dict[str, float]:
    """What remapping does to the distances of a mesh, as in `data/noc_remap.csv`; hops, or counts of links."""
    across, down = found.across, found.down
    return {
        "h_mean": float(across.mean()),
        "h_max": int(across.max()),
        "v_mean": float(down.mean()),
        "v_max": int(down.max()),
        "interleave_max_hop": int(ring_hops(found).max()),
        "row_span_max": int((found.column[:, -1] - found.column[:, 0]).max()),
        "links_longer_than_1": int((across > 1).sum() + (down > 1).sum()),
    }


def drop_lines(dead: Array) -> tuple[Array, Array]:
    """Rows and columns that are left when whole lines with dead cores are given up instead.

    The line with the most dead cores goes first, rows before columns; no smallest loss is promised.  The two index
    arrays make a `Placement` of the smaller mesh.
    """
    left = _mask(dead).copy()
    keep = [np.ones(side, bool) for side in left.shape]
    while left.any():
        rows, columns = left.sum(axis=1), left.sum(axis=0)
        axis = 0 if rows.max() >= columns.max() else 1
        line = int((rows, columns)[axis].argmax())
        keep[axis][line] = False
        left[(line, slice(None)) if axis == 0 else (slice(None), line)] = False
    return np.flatnonzero(keep[0]), np.flatnonzero(keep[1])
