"""Samples of many windows, read with one copy in all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from neurokit.errors import DataError
from neurokit.recording.checks import in_memory
from neurokit.windows.index import by_recording

__all__ = ["check_layout", "gather", "rows_of", "samples_of"]

Samples = np.ndarray | xr.DataArray


def samples_of(stream: xr.DataArray) -> Samples:
    """Return the samples of a stream in the form that is cheapest to slice.

    Parameters
    ----------
    stream : xr.DataArray
        In memory or in a file.

    Returns
    -------
    ndarray or DataArray
        The array itself if it is in memory: to slice it is a hundred times cheaper than to
        slice what xarray makes of it.

    Examples
    --------
    >>> samples_of(xr.DataArray(np.zeros(3), dims="time"))
    array([0., 0., 0.])
    """
    return stream.values if in_memory(stream) else stream


def rows_of(array: Samples, first: int, n_samples: int) -> np.ndarray:
    """Return one stretch of samples.

    Parameters
    ----------
    array : ndarray or DataArray, shape (time, ...)
        As :func:`samples_of` gives it.
    first, n_samples : int
        Where the stretch begins and how long it is.

    Returns
    -------
    ndarray, shape (n_samples, ...)
        Not copied if it is in memory.

    Examples
    --------
    >>> rows_of(np.arange(5), 1, 2)
    array([1, 2])
    """
    return np.asarray(array[first : first + n_samples])


def gather(
    arrays: Sequence[Samples], recording: np.ndarray, first: np.ndarray, n_samples: int
) -> np.ndarray:
    """Stack stretches of samples.

    Parameters
    ----------
    arrays : sequence of ndarray or DataArray, shape (time, ...)
        Of each recording.
    recording, first : ndarray of int, shape (window,)
        Where each stretch lies.
    n_samples : int
        How long it is.

    Returns
    -------
    ndarray, shape (window, n_samples, ...)
        A copy.

    Examples
    --------
    >>> gather([np.arange(5), np.arange(9) * 10], np.array([1, 0]), np.array([2, 3]), 2)
    array([[20, 30],
           [ 3,  4]])
    """
    column = np.arange(n_samples)
    if len(arrays) == 1 and isinstance(arrays[0], np.ndarray):
        return arrays[0].take(first[:, None] + column, axis=0)
    shape = (first.size, n_samples, *arrays[0].shape[1:])
    out = np.empty(shape, dtype=arrays[0].dtype)
    for number, mine in by_recording(recording):
        array = arrays[number]
        if isinstance(array, np.ndarray):
            out[mine] = array.take(first[mine, None] + column, axis=0)
        else:
            for row in mine:
                out[row] = rows_of(array, int(first[row]), n_samples)
    return out


def check_layout(first: xr.DataArray, other: xr.DataArray, number: int) -> None:
    """Refuse to stack samples of recordings that differ in rate, unit or features.

    Parameters
    ----------
    first, other : xr.DataArray
        A stream of recording 0, and the same of another one.
    number : int
        Which one.

    Raises
    ------
    DataError
        Saying what differs.

    Examples
    --------
    >>> x = xr.DataArray(np.zeros((3, 1)), dims=("time", "channel"), attrs={"sampling_rate": 2})
    >>> check_layout(x, x.assign_attrs(sampling_rate=4), 1)
    Traceback (most recent call last):
    neurokit.errors.DataError: Recording 0 has 2 Hz, recording 1 4 Hz. Resample them.
    """
    rates = first.attrs["sampling_rate"], other.attrs["sampling_rate"]
    if rates[0] != rates[1]:
        raise DataError(
            f"Recording 0 has {rates[0]:g} Hz, recording {number} {rates[1]:g} Hz. Resample them."
        )
    units = first.attrs.get("units"), other.attrs.get("units")
    if units[0] != units[1]:
        raise DataError(
            f"Recording 0 is in {units[0]!r}, recording {number} in {units[1]!r}. Convert one of "
            "them."
        )
    for dim in first.dims[1:]:
        same = dim in other.dims and first.sizes[dim] == other.sizes[dim]
        if not same or not np.array_equal(first[dim].values, other[dim].values):
            raise DataError(
                f"Recordings 0 and {number} differ in {dim} ({first.sizes[dim]} and "
                f"{other.sizes.get(dim, 0)}). Select the common ones, in one order."
            )
