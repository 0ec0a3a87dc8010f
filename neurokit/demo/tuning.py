"""Tuning to a direction, and its inverse.

Tuning curves are spike counts over occupancy; the decoder is the maximum-likelihood direction
under independent Poisson spiking with a flat prior (Zhang et al. 1998, J. Neurophysiol.
79:1017, equation 36).
"""

from __future__ import annotations

import numpy as np

__all__ = [
    "BIN",
    "N_DIRECTIONS",
    "N_FOLDS",
    "bits_per_spike",
    "decode",
    "distance",
    "tuning_curves",
]

#: Seconds in which spikes are counted.
BIN = 0.2
N_DIRECTIONS = 60
SMOOTHING = 2.0
N_FOLDS = 10


def tuning_curves(counts: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Estimate firing rates against direction.

    Parameters
    ----------
    counts : numpy.ndarray of shape (bin, unit)
        Spikes in bins of 0.2 s.
    angle : numpy.ndarray of shape (bin,)
        Direction in radians, 0 to 2 pi.

    Returns
    -------
    numpy.ndarray of shape (direction, unit)
        Rates in Hz at 60 directions, spikes and occupancy smoothed by a Gaussian of 12°.

    Examples
    --------
    >>> angle = np.linspace(0, 2 * np.pi, 600, endpoint=False)
    >>> curve = tuning_curves(np.round(5 + 5 * np.cos(angle))[:, None], angle)
    >>> int(curve.argmax()) in (0, 59)
    True
    """
    from scipy.ndimage import gaussian_filter1d

    direction = _bin_of(angle)
    spikes = np.zeros((N_DIRECTIONS, counts.shape[1]))
    np.add.at(spikes, direction, counts)
    visits = np.bincount(direction, minlength=N_DIRECTIONS).astype(float)
    spikes = gaussian_filter1d(spikes, SMOOTHING, axis=0, mode="wrap")
    visits = gaussian_filter1d(visits, SMOOTHING, mode="wrap")
    # A direction that was never visited gets the rate of its surroundings, at worst zero.
    rates: np.ndarray = spikes / np.maximum(visits, 1e-9)[:, None] / BIN
    return rates


def decode(counts: np.ndarray, angle: np.ndarray, gap: float = 0.0) -> np.ndarray:
    """Decode the direction of each bin with tuning curves from the other folds.

    Parameters
    ----------
    counts : numpy.ndarray of shape (bin, unit)
        Spikes in bins of 0.2 s.
    angle : numpy.ndarray of shape (bin,)
        Direction in radians, 0 to 2 pi.
    gap : float
        Seconds on both sides of a fold that train nothing.

    Returns
    -------
    numpy.ndarray of shape (bin,)
        The direction that maximises the Poisson likelihood, in radians.

    Examples
    --------
    >>> angle = np.tile(np.linspace(0, 2 * np.pi, 50, endpoint=False), 20)
    >>> counts = np.round(10 + 10 * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    >>> bool(np.median(distance(decode(counts, angle), angle)) < 10)
    True
    """
    from neurokit.alignment.splits import contiguous

    decoded = np.empty(len(angle))
    for train, test in contiguous(len(angle), N_FOLDS, gap=round(gap / BIN)):
        expected = np.maximum(tuning_curves(counts[train], angle[train]) * BIN, 1e-3)
        likelihood = counts[test] @ np.log(expected).T - expected.sum(axis=1)
        decoded[test] = (likelihood.argmax(axis=1) + 0.5) * 2 * np.pi / N_DIRECTIONS
    return decoded


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Give the angle between two directions.

    Parameters
    ----------
    a, b : numpy.ndarray
        Directions in radians.

    Returns
    -------
    numpy.ndarray
        Degrees, 0 to 180.

    Examples
    --------
    >>> distance(np.array([0.1]), np.array([2 * np.pi - 0.1])).round(2)
    array([11.46])
    """
    return np.degrees(np.abs(np.angle(np.exp(1j * (a - b)))))


def bits_per_spike(curves: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Tell how much a spike says about the direction.

    Parameters
    ----------
    curves : numpy.ndarray of shape (direction, unit)
        Firing rates.
    angle : numpy.ndarray of shape (bin,)
        Direction in radians, 0 to 2 pi, whose histogram is p(x).

    Returns
    -------
    numpy.ndarray of shape (unit,)
        Sum of p(x) r(x)/r log2 r(x)/r over directions (Skaggs et al. 1993), in bits.

    Examples
    --------
    >>> angle = np.arange(60) * 2 * np.pi / 60 + 0.01
    >>> bits_per_spike(np.repeat([[2.0], [0.0]], 30, axis=0), angle)
    array([1.])
    """
    share = np.bincount(_bin_of(angle), minlength=N_DIRECTIONS) / len(angle)
    relative = curves / np.maximum(share @ curves, 1e-9)
    bits: np.ndarray = share @ (relative * np.log2(np.maximum(relative, 1e-12)))
    return bits


def _bin_of(angle: np.ndarray) -> np.ndarray:
    return (angle / (2 * np.pi) * N_DIRECTIONS).astype(int) % N_DIRECTIONS
