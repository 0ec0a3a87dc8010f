"""Scores of predicted rates against the spikes that were recorded.

Rates are in expected spikes a bin, not in Hz, so that they compare with counts. The last axis is
the unit; NaN among the counts marks what was not recorded (the end of a short trial) and is
left out.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.errors import DataError
from neurokit.models.evaluation.scores import ratio
from neurokit.models.evaluation.spike_inputs import by_unit, matched

__all__ = [
    "bits_per_spike",
    "co_bps",
    "psth_r2",
    "rate_correlation",
    "unit_bits_per_spike",
]

Array = NDArray[np.float64]

# What the Neural Latents Benchmark puts in place of a rate of zero, whose spike would cost
# infinitely much.
_LEAST_RATE = 1e-9


def bits_per_spike(counts: ArrayLike, rates: ArrayLike) -> float:
    """Score predicted rates by their likelihood, above that of each unit's mean rate.

    ``(NLL_null - NLL_model) / (spikes ln 2)`` with the negative log-likelihood of Poisson counts
    ``NLL = sum(rate - count ln rate + ln count!)``, as the Neural Latents Benchmark defines it
    (Pei et al. 2021). The null predicts each unit's mean over the counts given here, the best
    of all constants.

    Parameters
    ----------
    counts : array-like, shape (..., unit)
        Spikes in each bin.
    rates : array-like, shape (..., unit)
        Predicted spikes a bin. A rate of 0 counts as 1e-9, as in the benchmark.

    Returns
    -------
    float
        0 for predictions as good as the mean; NaN without a spike.

    Raises
    ------
    DataError
        If shapes or units differ, counts are not whole, or rates are negative or missing.

    Examples
    --------
    >>> round(bits_per_spike([[2], [0]], [[1.5], [0.5]]), 4)  # log2(1.5)
    0.585
    """
    gain, spikes = _gain(*matched(counts, rates))
    total = spikes.sum()
    return float(gain.sum() / total) if total else float("nan")


def unit_bits_per_spike(counts: ArrayLike, rates: ArrayLike) -> xr.DataArray:
    """Score the predicted rates of each unit by itself; see :func:`bits_per_spike`.

    Parameters
    ----------
    counts, rates : array-like, shape (..., unit)
        Spikes in each bin, and predicted ones.

    Returns
    -------
    xr.DataArray
        Bits per spike over ``unit``; NaN for units without a spike. Weighted by the number of
        spikes, their mean is :func:`bits_per_spike`.

    Raises
    ------
    DataError
        As :func:`bits_per_spike`.

    Examples
    --------
    >>> unit_bits_per_spike([[2, 0], [0, 0]], [[1.5, 0.1], [0.5, 0.1]]).values.round(4)
    array([0.585,   nan])
    """
    gain, spikes = _gain(*matched(counts, rates))
    return by_unit(ratio(gain, spikes), counts, "bits_per_spike")


def co_bps(counts: ArrayLike, rates: ArrayLike, held_out: ArrayLike) -> float:
    """Score the rates of units that the model did not see: co-smoothing bits per spike.

    As in the Neural Latents Benchmark (Pei et al. 2021): :func:`bits_per_spike` over the
    held-out units, predicted from the spikes of the others at the same time.

    Parameters
    ----------
    counts, rates : array-like, shape (..., unit)
        Spikes in each bin, and predicted ones, of all units.
    held_out : array-like, shape (unit,) of bool, or of int
        Which units were hidden from the model, as a mask or by index.

    Returns
    -------
    float
        In bits per spike of the held-out units; NaN if they have no spike.

    Raises
    ------
    DataError
        If no unit or every unit is held out, and as :func:`bits_per_spike`.

    Examples
    --------
    >>> round(co_bps([[2, 1], [0, 1]], [[1.5, 9], [0.5, 9]], held_out=[0]), 4)
    0.585
    """
    truth, predicted = matched(counts, rates)
    chosen = _mask(held_out, truth.shape[-1])
    return bits_per_spike(truth[..., chosen], predicted[..., chosen])


def psth_r2(
    counts: ArrayLike, rates: ArrayLike, condition: ArrayLike | None = None
) -> xr.DataArray:
    """Compare responses averaged over trials: the share of variance over time and condition.

    ``R2 = 1 - sum((psth - model)**2) / sum((psth - mean psth)**2)`` for each unit, both averaged
    over the trials of each condition first; the mean over units is the "PSTH R2" of the Neural
    Latents Benchmark (Pei et al. 2021), which smooths the counts over time beforehand. Chance
    in the counts of a few trials cannot be predicted, so even true rates stay below 1.

    Parameters
    ----------
    counts, rates : array-like, shape (trial, time, unit)
        Spikes in each bin, which may have been smoothed, and predicted ones.
    condition : array-like, shape (trial,), optional
        Any labels; by default all trials are of one condition.

    Returns
    -------
    xr.DataArray
        R2 over ``unit``: 0 for predicting the mean, negative for less; NaN for a unit whose
        response is constant.

    Raises
    ------
    DataError
        If shapes differ or there is not a label for each trial.

    Examples
    --------
    >>> counts = np.array([[[0], [2]], [[0], [4]]])  # averages 0 and 3
    >>> psth_r2(counts, np.array([[[0], [2]], [[0], [2]]])).values.round(3)
    array([0.778])
    """
    truth, predicted = matched(counts, rates, whole=False)
    if truth.ndim != 3:
        raise DataError(f"Expected counts of shape (trial, time, unit); got {truth.shape}.")
    labels = np.zeros(len(truth)) if condition is None else np.asarray(condition)
    if labels.shape != truth.shape[:1]:
        raise DataError(f"Got conditions of shape {labels.shape} for {len(truth)} trials.")
    label = np.unique(labels, return_inverse=True)[1]
    member = (label == np.arange(label.max() + 1)[:, None]).astype(np.float64)
    psth, model = _averages(member, truth, predicted)
    centred = psth - np.nanmean(psth, axis=(0, 1))
    total = np.nansum(centred**2, axis=(0, 1))
    varies = total > 1e-12 * np.nansum(psth**2, axis=(0, 1))
    error = np.nansum((psth - model) ** 2, axis=(0, 1))
    return by_unit(1 - ratio(error, np.where(varies, total, 0)), counts, "r2")


def rate_correlation(counts: ArrayLike, rates: ArrayLike) -> xr.Dataset:
    """Correlate each unit's predicted or generated course with the recorded one.

    Parameters
    ----------
    counts : array-like, shape (..., unit)
        Spikes in each bin, or their averages over trials.
    rates : array-like, shape (..., unit)
        Predicted, or counts of generated spikes averaged over samples.

    Returns
    -------
    xr.Dataset
        ``r`` over ``unit``: Pearson's r over all bins, NaN where either side is constant.
        ``r_others``: the mean r of the prediction with every *other* unit, which is what
        the common ups and downs of the population give without knowledge of the unit: the
        baseline for ``r``. ``across_units``: Pearson's r, over units, of mean rates.

    Raises
    ------
    DataError
        If shapes or units differ, or something is missing among the rates.

    Examples
    --------
    >>> found = rate_correlation([[0, 3], [1, 2], [2, 1]], [[1, 2], [2, 2], [3, 0]])
    >>> found.r.values.round(3), found.r_others.values.round(3)
    (array([1.   , 0.866]), array([-1.   , -0.866]))
    """
    truth, predicted = matched(counts, rates, whole=False)
    truth, predicted = (x.reshape(-1, x.shape[-1]) for x in (truth, predicted))
    there = ~np.isnan(truth).any(axis=1)
    truth, predicted = truth[there], predicted[there]
    r = _unit_norm(truth).T @ _unit_norm(predicted)
    own = np.diagonal(r)
    other = r.copy()
    np.fill_diagonal(other, np.nan)
    others = ratio(np.nansum(other, axis=0), (~np.isnan(other)).sum(axis=0))
    means = np.stack([truth.mean(axis=0), predicted.mean(axis=0)], axis=1)
    left, right = _unit_norm(means).T
    return xr.Dataset({
        "r": by_unit(own, counts, "r"),
        "r_others": by_unit(others, counts, "r_others"),
        "across_units": float(left @ right),
    })  # fmt: skip


def _gain(counts: Array, rates: Array) -> tuple[Array, Array]:
    """Return the gain in bits over the mean rate, and the spikes, of each unit.

    The factorials of both likelihoods cancel, and logarithms matter where spikes are.
    """
    counts, rates = (x.reshape(-1, x.shape[-1]) for x in (counts, rates))
    rates = np.where(rates == 0, _LEAST_RATE, rates)
    there = ~np.isnan(counts)
    n_bins, n_units = there.sum(axis=0), counts.shape[1]
    row, unit = np.nonzero(np.nan_to_num(counts))
    number = counts[row, unit]
    spikes: Array = np.bincount(unit, number, n_units).astype(np.float64)
    null = np.where(spikes > 0, ratio(spikes, n_bins), _LEAST_RATE)
    logs = np.bincount(unit, number * np.log(rates[row, unit] / null[unit]), n_units)
    gain = logs - np.where(there, rates, 0).sum(axis=0) + null * n_bins
    return gain / np.log(2), spikes


def _mask(held_out: ArrayLike, n_units: int) -> NDArray[np.bool_]:
    """Return which units are held out, and refuse all and none."""
    given = np.asarray(held_out)
    chosen = np.zeros(n_units, dtype=bool)
    if given.dtype != bool and len(np.unique(given)) < given.size:
        raise DataError(
            f"held_out names units several times, it begins {given.ravel()[:5]}. Give each index "
            "once; or a mask of True and False, of zeros and ones held_out.astype(bool)."
        )
    try:
        chosen[given if given.size else []] = True
    except IndexError as error:
        raise DataError(f"held_out does not index {n_units} units: {error}.") from None
    if not 0 < chosen.sum() < n_units:
        raise DataError(
            f"{chosen.sum()} of {n_units} units are held out; co-smoothing needs some to predict "
            "and some to predict from."
        )
    return chosen


def _averages(member: Array, truth: Array, predicted: Array) -> tuple[Array, Array]:
    """Average both over the recorded trials of each condition, (condition, time, unit)."""
    there = ~np.isnan(truth)
    n = np.tensordot(member, there.astype(np.float64), 1)
    sums = (np.tensordot(member, np.where(there, x, 0), 1) for x in (truth, predicted))
    psth, model = (np.where(n > 0, s / np.maximum(n, 1), np.nan) for s in sums)
    return psth, model


def _unit_norm(x: Array) -> Array:
    """Centre columns and scale them to length 1; NaN where a column is constant."""
    centred = x - x.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    varies = length > 1e-12 * np.abs(x).max(axis=0, initial=0) * np.sqrt(len(x))
    return np.divide(centred, length, out=np.full_like(centred, np.nan), where=varies)
