"""Which units fire in a window: generated against recorded spikes."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.arguments import instance, positive
from neurokit.errors import DataError
from neurokit.models.evaluation.scores import ratio
from neurokit.models.evaluation.spike_inputs import matched
from neurokit.recording import Recording

__all__ = ["set_f1", "window_counts"]

_ROUNDING = 1e-9  # s; a spike on the edge of a window belongs to the one that begins there
_SHIFTS = 20


def set_f1(counts: ArrayLike, predicted: ArrayLike) -> xr.Dataset:
    """Compare, window by window, which units fired with which were predicted to.

    With the sets T of units that fired and P of those predicted, precision is
    ``|T and P| / |P|``, recall ``|T and P| / |T|`` and F1 ``2 |T and P| / (|T| + |P|)``. Nothing
    is made up for empty sets: precision is NaN where nothing was predicted, recall where
    nothing fired. F1 is 0 where only one set is empty and NaN where both are, so that silence
    predicted all along earns nothing.

    Parameters
    ----------
    counts : array-like, shape (window, unit)
        Recorded spikes, such as :func:`window_counts` gives.
    predicted : array-like, shape (window, unit)
        Generated spikes. Above 0 means that the unit fired.

    Returns
    -------
    xr.Dataset
        ``precision``, ``recall`` and ``f1`` over ``window``; ``.mean()`` leaves NaN out.
        ``f1_chance``, a number, is the mean F1 of the same predictions for other windows: moved
        on by up to 20 different numbers of windows.

    Raises
    ------
    DataError
        If shapes or units differ.

    Examples
    --------
    >>> found = set_f1([[1, 2, 0], [0, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, 0, 0], [1, 0, 0]])
    >>> found.precision.values, found.recall.values
    (array([ 1., nan,  0.]), array([0.5, nan, 0. ]))
    >>> found.f1.values.round(3), round(float(found.f1.mean()), 3)
    (array([0.667,   nan, 0.   ]), 0.333)
    """
    truth, guess = (x > 0 for x in matched(counts, predicted))
    if truth.ndim != 2:
        raise DataError(f"Expected counts of shape (window, unit); got {truth.shape}.")
    hits = (truth & guess).sum(axis=1)
    fired, guessed = truth.sum(axis=1), guess.sum(axis=1)
    return xr.Dataset({
        "precision": ("window", ratio(hits, guessed)),
        "recall": ("window", ratio(hits, fired)),
        "f1": ("window", ratio(2 * hits, fired + guessed)),
        "f1_chance": _chance_f1(truth, guess),
    })  # fmt: skip


def window_counts(rec: Recording, start: ArrayLike, length: float) -> xr.DataArray:
    """Count each unit's spikes in windows, which may overlap.

    Parameters
    ----------
    rec : Recording
        With stream ``spikes``.
    start : array-like, shape (window,)
        Seconds at which the windows begin.
    length : float
        Seconds, the end not included.

    Returns
    -------
    xr.DataArray
        Dims ``(window, unit)`` with unit ids.

    Raises
    ------
    DataError
        If there are no spikes, or the length is not positive.

    Examples
    --------
    >>> rec = Recording.from_spikes([0.1, 0.2, 0.7], [3, 3, 8], duration=1.0)
    >>> window_counts(rec, [0.0, 0.5], 0.5).values
    array([[2, 0],
           [0, 1]])
    """
    instance("The recording", rec, Recording, "a Recording")
    if "spikes" not in rec:
        raise DataError(f"There are no spikes to count; the streams are {sorted(rec.streams)}.")
    begin = np.asarray(start, dtype=np.float64).reshape(-1) - _ROUNDING
    spikes = rec["spikes"]
    time, unit, n_units = spikes["time"].values, spikes["unit"].values, spikes.sizes["unit"]
    first = np.searchsorted(time, begin)
    n = np.searchsorted(time, begin + positive("length (s)", length)) - first
    window = np.repeat(np.arange(n.size), n)
    spike = np.arange(window.size) + np.repeat(first - (n.cumsum() - n), n)
    counts = np.bincount(window * n_units + unit[spike], minlength=n.size * n_units)
    coords = {"unit": spikes["id"].values}
    return xr.DataArray(counts.reshape(n.size, n_units), coords, ("window", "unit"), name="counts")


def _chance_f1(truth: NDArray[np.bool_], guess: NDArray[np.bool_]) -> float:
    """Average F1 of each window's set with predictions for windows some way off."""
    n = len(truth)
    shifts = np.unique(np.linspace(1, n - 1, min(_SHIFTS, n - 1)).round().astype(int))
    sizes = truth.sum(axis=1), guess.sum(axis=1)
    scores = [
        ratio(2 * (truth & np.roll(guess, k, 0)).sum(axis=1), sizes[0] + np.roll(sizes[1], k))
        for k in shifts
    ]
    scored = np.concatenate([*scores, np.full(1, np.nan)])
    return float(scored[~np.isnan(scored)].mean()) if (~np.isnan(scored)).any() else np.nan
