"""What scores of spikes check before they compute, and how they name units."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.errors import DataError
from neurokit.recording import Recording

__all__ = ["by_unit", "matched"]

Array = NDArray[np.float64]


def matched(counts: ArrayLike, rates: ArrayLike, *, whole: bool = True) -> tuple[Array, Array]:
    """Return counts and rates as arrays, after checks that they tell of the same bins and units.

    Parameters
    ----------
    counts, rates : array-like, shape (..., unit)
        What was recorded, NaN where nothing was, and what was predicted. If both are
        DataArrays that name their units, the names must agree.
    whole : bool
        Whether counts must be whole numbers and rates not negative.

    Returns
    -------
    counts, rates : ndarray of float64
        Of one shape.

    Raises
    ------
    DataError
        If shapes or units differ, or values are missing or impossible.

    Examples
    --------
    >>> matched([[1]], [[0.5]])
    (array([[1.]]), array([[0.5]]))
    """
    truth, predicted = (_numbers(x) for x in (counts, rates))
    if truth.shape != predicted.shape or truth.ndim < 2:
        raise DataError(
            f"Expected counts and rates of one shape (..., unit); got {truth.shape} and "
            f"{predicted.shape}."
        )
    _check_units(counts, rates)
    there = ~np.isnan(truth)
    if not np.isfinite(predicted[there]).all():
        raise DataError("Some rates are missing or infinite where there are counts.")
    if whole and ((truth[there] != np.rint(truth[there])) | (truth[there] < 0)).any():
        raise DataError(
            "Some counts are no whole numbers. Counts come first, then rates; counts must not "
            "be smoothed for a likelihood."
        )
    if whole and (predicted[there] < 0).any():
        raise DataError("Some rates are negative. Give expected spikes a bin, not z-scores.")
    return truth, predicted


def _numbers(x: ArrayLike) -> Array:
    """Return what was given as an array, or say which function makes one."""
    if isinstance(x, Recording):
        raise DataError(
            "Expected spikes counted in bins, shape (..., unit); got a Recording. Count them: "
            "nk.models.window_counts(rec, start, length)."
        )
    try:
        return np.asarray(x, dtype=np.float64)
    except (TypeError, ValueError) as error:
        kind = type(x).__name__
        raise DataError(
            f"Expected numbers, shape (..., unit); got a {kind} that makes no array: {error}."
        ) from None


def _check_units(counts: ArrayLike, rates: ArrayLike) -> None:
    known, others = _names(counts), _names(rates)
    if known is not None and others is not None and not np.array_equal(known, others):
        raise DataError(
            f"Counts and rates name their units differently: {known[:5]} and {others[:5]} are the "
            "first. Try rates.sel(unit=counts.unit)."
        )


def _names(x: ArrayLike) -> NDArray | None:
    return x["unit"].values if isinstance(x, xr.DataArray) and "unit" in x.coords else None


def by_unit(values: Array, counts: ArrayLike, name: str) -> xr.DataArray:
    """Name the units of scores as the counts do.

    Parameters
    ----------
    values : ndarray, shape (unit,)
        A score each.
    counts : array-like, shape (..., unit)
        As the caller gave them.
    name : str
        What is scored.

    Returns
    -------
    xr.DataArray
        With unit ids if ``counts`` has them, else numbered from 0.

    Examples
    --------
    >>> by_unit(np.ones(2), [[0, 0]], "r").unit.values
    array([0, 1])
    """
    names = _names(counts)
    ids = np.arange(values.size) if names is None else names
    return xr.DataArray(values, {"unit": ids}, ("unit",), name=name)
