"""Lazy Datasets computed now, and how far that has come."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

Progress = Callable[[int, int], None]
WIDTH = 40


def loaded(dataset: xr.Dataset, progress: Progress | bool) -> xr.Dataset:
    """The Dataset as it is, or computed when there is somebody to tell how far it has come.

    On a Dask cluster with a client its tasks are counted there, else by the scheduler of this process.
    """
    if not progress:
        return dataset
    tell = bar if progress is True else progress
    if not dataset.chunks:
        tell(1, 1)
        return dataset
    client = _client()
    return _counted(dataset, tell) if client is None else _persisted(dataset, tell, client)


def bar(done: int, of: int) -> None:
    """A line of text that fills up."""
    full = WIDTH * done // max(1, of)
    sys.stderr.write(f"\r[{'#' * full}{' ' * (WIDTH - full)}] {done} of {of} parts")
    sys.stderr.write("\n" if done == of else "")


def _client() -> Any:
    """The client of a Dask cluster, None where there is none."""
    try:
        from distributed import get_client

        return get_client()
    except (ImportError, ValueError):
        return None


def _persisted(dataset: xr.Dataset, tell: Progress, client: Any) -> xr.Dataset:
    from distributed import as_completed, futures_of

    kept = client.persist(dataset)
    futures = futures_of(kept)  # type: ignore[no-untyped-call]
    for done, _ in enumerate(as_completed(futures), 1):  # type: ignore[no-untyped-call]
        tell(done, len(futures))
    return kept.compute()


def _counted(dataset: xr.Dataset, tell: Progress) -> xr.Dataset:
    from dask.callbacks import Callback

    def done(_key: Any, _result: Any, _graph: Any, state: Any, _worker: Any) -> None:
        of = sum(len(state[kind]) for kind in ("ready", "waiting", "running", "finished"))
        tell(len(state["finished"]), of)

    with Callback(posttask=done):  # type: ignore[no-untyped-call]
        return dataset.compute()
