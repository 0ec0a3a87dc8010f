"""Arrays that are read from their file when they are first used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

__all__ = ["lazy_array"]


class _LazyArray(BackendArray):
    """An array behind a function that reads a range of its first dimension."""

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype, fetch: Callable[[int, int], np.ndarray]
    ) -> None:
        self.shape, self.dtype, self._fetch = shape, dtype, fetch

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._read
        )

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        rows, rest = key[0], key[1:]
        if not isinstance(rows, slice):
            return self._fetch(int(rows), int(rows) + 1)[0][rest]
        wanted = range(*rows.indices(self.shape[0]))
        if len(wanted) == 0:
            return np.empty((0, *self.shape[1:]), self.dtype)[(slice(None), *rest)]
        low, high = min(wanted[0], wanted[-1]), max(wanted[0], wanted[-1])
        block = self._fetch(low, high + 1)
        return block[:: wanted.step][(slice(None), *rest)]


def lazy_array(
    dims: tuple[str, ...],
    shape: tuple[int, ...],
    fetch: Callable[[int, int], np.ndarray],
    coords: dict[str, Any],
    attrs: dict[str, Any],
) -> xr.DataArray:
    """Wrap a reading function as a DataArray that loads on first use.

    Parameters
    ----------
    dims : tuple of str
        Names of the dimensions; the first is the one that is read in ranges.
    shape : tuple of int
        Full shape.
    fetch : callable
        ``fetch(first, last)`` returns float32 rows ``[first, last)`` of the full width.
    coords, attrs : dict
        As for :class:`xarray.DataArray`.

    Returns
    -------
    xr.DataArray
        Slicing it reads no more rows than asked for.

    Examples
    --------
    >>> import numpy as np
    >>> read = lambda a, b: np.arange(a, b, dtype=np.float32)[:, None] * np.ones(2, np.float32)
    >>> lazy_array(("time", "channel"), (10, 2), read, {}, {})[3:5].values.tolist()
    [[3.0, 3.0], [4.0, 4.0]]
    """
    array = indexing.LazilyIndexedArray(_LazyArray(shape, np.dtype(np.float32), fetch))
    # Without the cache every access would read the file again.
    variable = xr.Variable(dims, indexing.MemoryCachedArray(array), attrs)
    return xr.DataArray(variable, coords=coords)
