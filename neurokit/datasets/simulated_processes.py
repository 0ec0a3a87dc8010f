"""The chance processes that simulated populations are drawn from."""

from __future__ import annotations

import numpy as np
import scipy.ndimage
import scipy.signal
from numpy.typing import NDArray

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["poisson_spikes", "smooth_noise"]

Array = NDArray[np.float64]

_REACH = 4.0  # standard deviations of the smoothing kernel


def poisson_spikes(
    rates: Array, bin_size: float, rng: np.random.Generator
) -> tuple[Array, NDArray[np.intp]]:
    """Draw spikes of independent Poisson processes whose rates are constant within bins.

    The number of all spikes is one Poisson draw, and each spike falls into a bin of a unit
    with the probability that this has of the expected number. That is exact, and costs one
    search a spike instead of one draw a bin.

    Parameters
    ----------
    rates : ndarray, shape (bin, unit)
        In Hz, none negative.
    bin_size : float
        In seconds.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    time : ndarray, shape (spike,)
        Seconds from the first bin's beginning; sorted within units.
    unit : ndarray of int, shape (spike,)
        Index of each spike's unit; ascending.

    Raises
    ------
    DataError
        If a rate is negative or not finite.

    Examples
    --------
    >>> rates = np.array([[0.0, 10.0], [10.0, 0.0]])
    >>> time, unit = poisson_spikes(rates, 5.0, np.random.default_rng(0))
    >>> bool((time[unit == 0] >= 5).all() and (time[unit == 1] < 5).all())
    True
    """
    expected = np.asarray(rates, dtype=np.float64).T * bin_size
    if not np.isfinite(expected).all() or (expected < 0).any():
        raise DataError("Some rates are negative or not finite. Rates are spikes per second.")
    total = np.cumsum(expected)
    n = int(rng.poisson(total[-1]))
    cell = np.searchsorted(total, np.sort(rng.random(n)) * total[-1], side="right")
    unit, step = np.divmod(np.minimum(cell, total.size - 1), expected.shape[1])
    time = (step + rng.random(n)) * bin_size
    order = np.lexsort((time, unit))
    return time[order], unit[order]


def smooth_noise(
    n_samples: int,
    n_variables: int,
    rng: np.random.Generator,
    *,
    sampling_rate: float,
    timescale: float,
) -> Array:
    """Draw Gaussian noise that changes slowly.

    White noise smoothed by a Gaussian: the autocorrelation at lag ``s`` is
    ``exp(-(s / timescale)**2 / 2)``.

    Parameters
    ----------
    n_samples : int
        How many.
    n_variables : int
        Independent of each other.
    rng : numpy.random.Generator
        Where chance comes from.
    sampling_rate : float
        In Hz.
    timescale : float
        In seconds: the lag at which the autocorrelation has fallen to 0.61.

    Returns
    -------
    ndarray, shape (sample, variable)
        Of mean 0 and variance 1 in expectation.

    Examples
    --------
    >>> x = smooth_noise(20_000, 1, np.random.default_rng(0), sampling_rate=10, timescale=1)
    >>> float(np.corrcoef(x[10:, 0], x[:-10, 0])[0, 1].round(1))
    0.6
    """
    rate = arguments.positive("sampling_rate (Hz)", sampling_rate)
    # Smoothing twice by sigma correlates over sigma * sqrt(2).
    sigma = arguments.positive("timescale (s)", timescale) * rate / np.sqrt(2)
    # Drawn longer and cut, so that the end knows nothing of the beginning.
    reach = int(np.ceil(_REACH * sigma))
    white = rng.standard_normal((n_samples + 2 * reach, n_variables))
    impulse = np.zeros(2 * reach + 1)
    impulse[reach] = 1
    kernel = scipy.ndimage.gaussian_filter1d(impulse, sigma, mode="constant", truncate=_REACH)
    smooth = scipy.signal.oaconvolve(white, kernel[:, None], mode="valid", axes=0)
    out: Array = smooth / np.sqrt((kernel**2).sum())
    return out
