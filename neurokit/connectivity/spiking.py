"""Connectivity of spiking units without a model: the baselines of any model's wiring.

Three measures of a pair of spike trains, each from sparse products of binned counts, so that
the cost grows with the number of spikes, not with the number of bins:

* :func:`spike_correlation`, Pearson's r in the same bin, which has no direction by construction;
* :func:`cooccurrence_pmi`, how much more often than chance one unit fires soon after another;
* :func:`lagged_cross_correlation`, the peak of the cross-correlogram over positive lags (Perkel,
  Gerstein and Moore 1967, Biophysical Journal 7:419).

None of them tells a direct connection from one through a third unit, or from a common drive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurokit.arguments import instance, positive
from neurokit.errors import DataError
from neurokit.recording.core import Recording

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["cooccurrence_pmi", "lagged_cross_correlation", "spike_correlation"]

# A spike on an edge belongs to the bin that begins there, though the quotient of the rounded
# numbers may lie a hair below.
_TOLERANCE = 1e-8


def spike_correlation(rec: Recording, bin_size: float = 0.05) -> xr.DataArray:
    """Correlate the counts of every two units in the same bin.

    Parameters
    ----------
    rec : Recording
        With stream ``spikes``.
    bin_size : float
        In seconds.

    Returns
    -------
    xarray.DataArray of shape (target, source)
        Pearson's r, symmetric, with the units' ids as coordinates and NaN on the diagonal. A
        unit whose count never changes has 0.

    Raises
    ------
    DataError
        Without spikes, or where fewer than two bins fit into the recording.

    Examples
    --------
    >>> rec = Recording.from_spikes([0.1, 0.11, 0.6, 0.61, 0.9], [3, 8, 3, 8, 9], duration=1.0)
    >>> float(spike_correlation(rec, 0.1).sel(target=8, source=3).round(3))
    1.0
    """
    counts = _counts(rec, positive("bin_size (s)", bin_size), n_lags=0)
    return _labelled(rec, _pearson(counts, counts), method="zero-lag Pearson", bin_size=bin_size)


def cooccurrence_pmi(rec: Recording, window: float = 0.05, bin_size: float = 0.005) -> xr.DataArray:
    """Measure how much more often than chance a unit fires soon after another.

    Over all pairs of spikes of which the source's comes first, by at most `window`, the
    pointwise mutual information of who came first and who followed, log n(target, source) /
    chance with chance = n(target) n(source) / n. One is added to both numbers, so that pairs
    that are rare either way stay near 0.

    Parameters
    ----------
    rec : Recording
        With stream ``spikes``.
    window : float
        The longest lag in seconds.
    bin_size : float
        In seconds. Spikes in one bin are no pair: which came first is not told.

    Returns
    -------
    xarray.DataArray of shape (target, source)
        In nats, with the units' ids as coordinates and NaN on the diagonal.

    Raises
    ------
    DataError
        Without spikes, or where window and bin do not fit the recording.

    Examples
    --------
    >>> rec = Recording.from_spikes([0.1, 0.12, 0.6, 0.62], [3, 8, 5, 9], duration=1.0)
    >>> float(cooccurrence_pmi(rec).sel(target=8, source=3).round(2))  # log 2 / (1/2 + 1)
    0.29
    """
    n_lags = _n_lags(window, bin_size)
    counts = _counts(rec, bin_size, n_lags)
    pairs = sum((counts[lag:].T @ counts[:-lag]).toarray() for lag in range(1, n_lags + 1))
    chance = np.outer(pairs.sum(axis=1), pairs.sum(axis=0)) / max(pairs.sum(), 1)
    values = np.log((pairs + 1) / (chance + 1))
    return _labelled(rec, values, method="co-occurrence PMI", window=window, bin_size=bin_size)


def lagged_cross_correlation(
    rec: Recording, window: float = 0.05, bin_size: float = 0.005
) -> xr.DataArray:
    """Correlate each unit with the earlier counts of every other, and take the peak.

    Pearson's r of the source's count in a bin with the target's count `lag` bins later, at the
    lag where it is farthest from 0, among lags of one bin to `window`.

    Parameters
    ----------
    rec : Recording
        With stream ``spikes``.
    window : float
        The longest lag in seconds.
    bin_size : float
        In seconds, the step of the lags.

    Returns
    -------
    xarray.DataArray of shape (target, source)
        Signed r, with the units' ids as coordinates, NaN on the diagonal, and the lag of the
        peak in seconds as coordinate ``lag``. A unit whose count never changes has 0.

    Raises
    ------
    DataError
        Without spikes, or where window and bin do not fit the recording.

    Examples
    --------
    >>> rec = Recording.from_spikes([0.1, 0.12, 0.6, 0.62, 0.9], [3, 8, 3, 8, 9], duration=1.0)
    >>> r = lagged_cross_correlation(rec)
    >>> float(r.sel(target=8, source=3).round(2)), float(r["lag"].sel(target=8, source=3))
    (1.0, 0.02)
    """
    n_lags = _n_lags(window, bin_size)
    counts = _counts(rec, bin_size, n_lags)
    peak = np.zeros((counts.shape[1],) * 2)
    lags = np.full(peak.shape, bin_size)
    for lag in range(1, n_lags + 1):
        r = _pearson(counts[lag:], counts[:-lag])
        higher = np.abs(r) > np.abs(peak)
        peak[higher], lags[higher] = r[higher], lag * bin_size
    facts = {"method": "lagged cross-correlation", "window": window, "bin_size": bin_size}
    return _labelled(rec, peak, **facts).assign_coords(lag=(("target", "source"), lags))


def _n_lags(window: float, bin_size: float) -> int:
    n_lags = round(positive("window (s)", window) / positive("bin_size (s)", bin_size))
    if n_lags < 1:
        raise DataError(
            f"Expected a window of at least one bin; got a window of {window:g} s and bins of "
            f"{bin_size:g} s. Try bin_size={window / 10:g}."
        )
    return n_lags


def _counts(rec: Recording, bin_size: float, n_lags: int) -> csr_array:
    """Return the counts (bin, unit) of all whole bins."""
    from scipy.sparse import csr_array

    instance("The recording", rec, Recording, "a neurokit Recording")
    if "spikes" not in rec:
        raise DataError(f"There are no spikes to pair; the streams are {sorted(rec.streams)}.")
    spikes = rec["spikes"]
    start, stop = float(spikes.attrs["start"]), float(spikes.attrs["stop"])
    n_bins = int((stop - start) / bin_size + _TOLERANCE)
    if n_bins < n_lags + 2:
        raise DataError(
            f"Expected at least {n_lags + 2} bins of {bin_size:g} s; the spikes were recorded from "
            f"{start:g} to {stop:g} s. Are window and bin_size in seconds?"
        )
    bins = ((spikes["time"].values - start) / bin_size + _TOLERANCE).astype(np.int64)
    unit, whole = spikes["unit"].values, bins < n_bins
    ones = np.ones(int(whole.sum()))
    return csr_array((ones, (bins[whole], unit[whole])), shape=(n_bins, spikes.sizes["unit"]))


def _pearson(later: csr_array, earlier: csr_array) -> np.ndarray:
    """Correlate columns of two (bin, unit) counts of equal length, (later, earlier)."""
    n = later.shape[0]
    sums = [np.asarray(x.sum(axis=0)) for x in (later, earlier)]
    squares = [np.asarray((x * x).sum(axis=0)) for x in (later, earlier)]
    spread = [np.sqrt(np.maximum(q - s * s / n, 0)) for q, s in zip(squares, sums, strict=True)]
    shared = (later.T @ earlier).toarray() - np.outer(*sums) / n
    scale = np.outer(*spread)
    return np.divide(shared, scale, out=np.zeros_like(shared), where=scale > 0)


def _labelled(rec: Recording, values: np.ndarray, **facts: Any) -> xr.DataArray:
    values = values.copy()
    np.fill_diagonal(values, np.nan)
    ids = rec["spikes"]["id"].values
    coords = {"target": ids, "source": ids}
    return xr.DataArray(values, dims=("target", "source"), coords=coords, attrs=facts)
