"""Finite impulse response features: delayed copies that stay inside their run or story."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.errors import DataError

__all__ = ["delayed"]

Features = TypeVar("Features", NDArray[np.floating], xr.DataArray)


def delayed(x: Features, delays: Sequence[int], groups: ArrayLike | None = None) -> Features:
    """Concatenate delayed copies of features, never across a border between groups.

    A row at time t holds the features at t - d for each delay d, so that a linear
    model on it learns one response function per feature. Where t - d lies in another
    run, or before the start, the row holds zeros.

    Parameters
    ----------
    x : array or DataArray, shape (samples, features)
        Features in order of time.
    delays : sequence of int
        Delays in samples; negative ones look ahead.
    groups : array-like, shape (samples,), optional
        The run or story of each sample. Every change of label is a border.

    Returns
    -------
    array or DataArray, shape (samples, delays x features)
        Of the same kind as ``x``, all features of the first delay first. A DataArray
        keeps its feature coordinates and gains ``delay``.

    Raises
    ------
    DataError
        Delays that are repeated, not whole, or as long as the series; groups of another
        length.

    Examples
    --------
    >>> delayed(np.array([[1.0], [2.0], [3.0], [4.0]]), [0, 1], groups=["a", "a", "b", "b"])
    array([[1., 0.],
           [2., 1.],
           [3., 0.],
           [4., 3.]])
    """
    values = np.asarray(x)
    if values.ndim != 2:
        raise DataError(f"Expected features of shape (samples, features); got {values.shape}.")
    steps = check_delays(delays, len(values))
    segment = segments(groups, len(values))
    out = np.zeros((len(values), len(steps), values.shape[1]), dtype=values.dtype)
    for k, step in enumerate(steps):
        now, then = _overlap(step)
        inside = segment[now] == segment[then]
        out[now, k][inside] = values[then][inside]
    flat = out.reshape(len(values), -1)
    return _relabel(x, flat, steps) if isinstance(x, xr.DataArray) else flat


def check_delays(delays: Sequence[int], n: int) -> list[int]:
    """Check delays against the length of the series.

    Parameters
    ----------
    delays : sequence of int
        Delays in samples.
    n : int
        Length of the series in samples.

    Returns
    -------
    list of int
        The delays.

    Raises
    ------
    DataError
        Delays that are missing, repeated, not whole, or as long as the series.

    Examples
    --------
    >>> check_delays(range(1, 5), 100)
    [1, 2, 3, 4]
    """
    steps = np.asarray(delays)
    if steps.ndim != 1 or not steps.size or not np.issubdtype(steps.dtype, np.integer):
        raise DataError(
            f"Expected delays as a sequence of whole numbers of samples; got {delays!r}. "
            "Divide seconds by the sampling interval and round."
        )
    if np.unique(steps).size != steps.size:
        raise DataError(f"Expected each delay once; got {steps.tolist()}.")
    if np.abs(steps).max() >= n:
        raise DataError(
            f"A delay of {steps[np.abs(steps).argmax()]} samples does not fit a series of {n}."
        )
    return [int(step) for step in steps]


def segments(groups: ArrayLike | None, n: int) -> NDArray[np.intp]:
    """Give each stretch of samples with one label a number.

    Parameters
    ----------
    groups : array-like, shape (samples,), optional
        Labels; without them the whole series is one stretch.
    n : int
        Number of samples.

    Returns
    -------
    ndarray of int, shape (samples,)
        The stretch of each sample, from 0. A label that comes back later starts a new one.

    Raises
    ------
    DataError
        Not one label per sample.

    Examples
    --------
    >>> segments(["a", "a", "b", "a"], 4)
    array([0, 0, 1, 2])
    """
    if groups is None:
        return np.zeros(n, dtype=np.intp)
    labels = np.asarray(groups)
    if labels.shape != (n,):
        raise DataError(f"Expected groups of shape ({n},), one per sample; got {labels.shape}.")
    return np.concatenate([[0], np.cumsum(labels[1:] != labels[:-1])]).astype(np.intp)


def _overlap(step: int) -> tuple[slice, slice]:
    """Return where a copy shifted by ``step`` lands, and where it comes from."""
    if step >= 0:
        return slice(step, None), slice(None, -step or None)
    return slice(None, step), slice(-step, None)


def _relabel(x: xr.DataArray, values: NDArray[np.floating], steps: list[int]) -> xr.DataArray:
    """Give delayed values the coordinates of the features they came from."""
    sample, feature = x.dims
    n_features = x.sizes[feature]
    coords = {
        name: (coord.dims, np.tile(coord.values, len(steps))) if coord.dims == (feature,) else coord
        for name, coord in x.coords.items()
        if coord.dims in [(), (sample,), (feature,)]
    }
    coords["delay"] = ((feature,), np.repeat(steps, n_features))
    return xr.DataArray(values, dims=x.dims, coords=coords, name=x.name, attrs=x.attrs)
