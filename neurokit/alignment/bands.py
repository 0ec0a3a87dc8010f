"""Bands of features that are penalised differently: which columns, and which weights to try."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.errors import DataError, UnknownNameError

__all__ = ["Bands", "band_columns", "candidates"]

Columns = ArrayLike | slice
Bands = str | Mapping[str, Columns] | Sequence[Columns]
"""Columns by band name, columns alone, or the name of a coordinate of the features."""

SMALL = 0.01  # weight of a band that is nearly left out


def band_columns(
    bands: Bands, x: ArrayLike | xr.DataArray, n_features: int
) -> dict[str, NDArray[np.intp]]:
    """Find the columns of each band.

    Parameters
    ----------
    bands : mapping, sequence or str
        Columns (indices, a mask or a slice) by the band's name; a sequence of them, which
        are then named by number; or the name of a coordinate along the features of ``x``
        whose values name the bands.
    x : array-like or DataArray, shape (samples, features)
        Features.
    n_features : int
        Number of features.

    Returns
    -------
    dict of str to ndarray
        Column indices.

    Raises
    ------
    UnknownNameError
        A coordinate that the features do not have.
    DataError
        Features in no band or in two, indices outside the features, or an empty band.

    Examples
    --------
    >>> band_columns({"low": [0, 1], "high": slice(2, None)}, np.zeros((5, 3)), 3)
    {'low': array([0, 1]), 'high': array([2])}
    """
    if isinstance(bands, str):
        named = _from_coordinate(bands, x)
    else:
        pairs = bands.items() if isinstance(bands, Mapping) else enumerate(bands)
        named = {str(name): _columns(columns, n_features, name) for name, columns in pairs}
    empty = [name for name, columns in named.items() if not columns.size]
    if empty or not named:
        raise DataError(f"Expected features in every band; got none in {', '.join(empty) or '{}'}.")
    count = np.bincount(np.concatenate(list(named.values())), minlength=n_features)
    if (count != 1).any():
        first = int(np.flatnonzero(count != 1)[0])
        raise DataError(
            f"Expected each of {n_features} features in one band; {int((count != 1).sum())} are "
            f"not (first: feature {first}, in {count[first]} bands)."
        )
    return named


def candidates(n_bands: int, n: int, seed: int) -> NDArray[np.float64]:
    """Draw weights of bands from the simplex, the telling ones first.

    Parameters
    ----------
    n_bands : int
        Number of bands.
    n : int
        How many weightings; all telling ones are given in any case.
    seed : int
        Of the draws.

    Returns
    -------
    ndarray, shape (candidates, bands)
        Rows that sum to 1: equal weights, each band nearly left out, each band nearly alone,
        then draws from the uniform Dirichlet distribution.

    Raises
    ------
    DataError
        Fewer than one weighting.

    Examples
    --------
    >>> candidates(2, 3, seed=0)
    array([[0.5 , 0.5 ],
           [0.01, 0.99],
           [0.99, 0.01]])
    """
    if n < 1:
        raise DataError(f"Expected one weighting of bands or more; got {n}.")
    if n_bands == 1:
        return np.ones((1, 1))
    own = np.eye(n_bands, dtype=bool)
    rows = [np.full((1, n_bands), 1 / n_bands)]
    rows.append(np.where(own, SMALL, (1 - SMALL) / (n_bands - 1)))
    if n_bands > 2:
        rows.append(np.where(own, 1 - SMALL * (n_bands - 1), SMALL))
    telling = np.concatenate(rows)
    drawn = np.random.default_rng(seed).dirichlet(np.ones(n_bands), max(n - len(telling), 0))
    return np.concatenate([telling, drawn])


def _from_coordinate(name: str, x: ArrayLike | xr.DataArray) -> dict[str, NDArray[np.intp]]:
    """Group features by the values of one of their coordinates."""
    along = x.dims[-1:] if isinstance(x, xr.DataArray) else ()
    known = (
        {str(key): coord.values for key, coord in x.coords.items() if coord.dims == along}
        if isinstance(x, xr.DataArray)
        else {}
    )
    if name not in known:
        raise UnknownNameError("coordinate of the features", name, known)
    labels = known[name].astype(str)
    return {str(label): np.flatnonzero(labels == label) for label in dict.fromkeys(labels)}


def _columns(columns: Columns, n: int, name: object) -> NDArray[np.intp]:
    """Return what selects features as indices."""
    if isinstance(columns, slice):
        return np.arange(n)[columns]
    index = np.asarray(columns)
    if index.dtype == bool and index.shape == (n,):
        return np.flatnonzero(index)
    whole = np.issubdtype(index.dtype, np.integer) or not index.size
    if index.ndim != 1 or not whole or (index < 0).any() or (index >= n).any():
        raise DataError(
            f"Expected indices from 0 to {n - 1}, a mask of shape ({n},) or a slice for band "
            f"{name}; got {columns!r}."
        )
    return index.astype(np.intp)
