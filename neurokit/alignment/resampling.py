"""Permutations and resamples of values that are centred and scaled within folds already.

The arithmetic of :mod:`~neurokit.alignment.statistics`, in the precision of its inputs. Moves
are drawn anew from the seed in every call, so that blocks of targets move alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.fft
import scipy.sparse
import scipy.special
from numpy.typing import NDArray

__all__ = ["expansion", "moved_p", "resampled", "rotation_spectra", "unit_norm", "unit_norm_by"]

Array = NDArray[np.float64]


def unit_norm(values: NDArray[Any]) -> NDArray[Any]:
    """Centre columns and scale them to length one; constant columns become zero.

    Parameters
    ----------
    values : ndarray, shape (samples, targets)
        Values.

    Returns
    -------
    ndarray, shape (samples, targets)
        Columns whose products are correlations.

    Examples
    --------
    >>> unit_norm(np.array([[1.0, 5.0], [3.0, 5.0]])).round(3)
    array([[-0.707,  0.   ],
           [ 0.707,  0.   ]])
    """
    centred = values - values.mean(axis=0)
    norm = np.sqrt(np.einsum("nv,nv->v", centred, centred))
    # Rounding leaves about eps times the level in each sample of a constant column.
    level = np.maximum(values.max(axis=0, initial=0.0), -values.min(axis=0, initial=0.0))
    varies = norm > rounding(values) * np.sqrt(len(values)) * level
    return np.divide(centred, norm, out=np.zeros_like(centred), where=varies)


def unit_norm_by(values: NDArray[Any], fold: NDArray[np.intp]) -> NDArray[Any]:
    """Centre and scale within folds, so that products sum to the mean correlation.

    Parameters
    ----------
    values : ndarray, shape (rows, targets)
        Values.
    fold : ndarray of int, shape (rows,)
        The fold of each row, from 0.

    Returns
    -------
    ndarray, shape (rows, targets)
        Columns of length one over the square root of the number of folds in each fold.

    Examples
    --------
    >>> unit_norm_by(np.array([[1.0], [3.0], [2.0], [8.0]]), np.array([0, 0, 1, 1])).round(1)
    array([[-0.5],
           [ 0.5],
           [-0.5],
           [ 0.5]])
    """
    n_folds = int(fold.max()) + 1
    out = np.empty_like(values)
    for k in range(n_folds):
        rows = fold == k
        out[rows] = unit_norm(values[rows]) / values.dtype.type(np.sqrt(n_folds))
    return out


def rounding(values: NDArray[Any]) -> float:
    """Say what share of their level constant values may seem to vary by.

    Parameters
    ----------
    values : ndarray
        Values of some precision.

    Returns
    -------
    float
        The share.

    Examples
    --------
    >>> rounding(np.zeros(1, dtype=np.float32))
    6e-06
    """
    return 450 * float(np.finfo(values.dtype).eps) if values.dtype == np.float64 else 6e-6


def moved_p(
    measured: NDArray[Any],
    predicted: NDArray[Any],
    stretch: NDArray[np.intp],
    block: int | None,
    n_permutations: int,
    inflation: float,
    seed: int,
    spectra: list[NDArray[Any]] | None = None,
) -> Array:
    """Do the work of :func:`permutation_p` for values that are scaled within folds already.

    Parameters
    ----------
    measured, predicted : ndarray, shape (rows, targets)
        From :func:`unit_norm_by`.
    stretch : ndarray of int, shape (rows,)
        The stretch of each row, from 0.
    block, n_permutations, inflation, seed
        As for :func:`permutation_p`.
    spectra : list of ndarray, optional
        From :func:`rotation_spectra` of ``measured``, where several predictions share it.

    Returns
    -------
    ndarray, shape (targets,)
        p-values.

    Examples
    --------
    >>> y = unit_norm_by(np.random.default_rng(0).standard_normal((40, 1)), np.zeros(40, dtype=int))
    >>> float(moved_p(y, y, np.zeros(40, dtype=int), None, 99, 1.0, seed=0)[0]) < 0.1
    True
    """
    rng = np.random.default_rng(seed)
    if block is None:
        null = _rotated(measured, predicted, stretch, n_permutations, rng, spectra)
    else:
        null = _exchanged(measured, predicted, stretch, block, n_permutations, rng)
    observed = np.einsum("nv,nv->v", measured, predicted)
    # What the means of the stretches contribute is the same in every move: not to be inflated.
    fixed = _between(measured, predicted, stretch)
    # A move that changes nothing must count as a tie, whatever the rounding of the FFT.
    tie = 1e-9 if null.dtype == np.float64 else 1e-5
    above = np.count_nonzero(null >= fixed + (observed - tie - fixed) / inflation, axis=0)
    return (above + 1) / (n_permutations + 1)


def rotation_spectra(measured: NDArray[Any], stretch: NDArray[np.intp]) -> list[NDArray[Any]]:
    """Transform each stretch, for :func:`moved_p`.

    Parameters
    ----------
    measured : ndarray, shape (rows, targets)
        From :func:`unit_norm_by`.
    stretch : ndarray of int, shape (rows,)
        The stretch of each row, from 0.

    Returns
    -------
    list of ndarray
        The Fourier transform of each stretch along its rows.

    Examples
    --------
    >>> rotation_spectra(np.ones((4, 1)), np.zeros(4, dtype=int))[0].shape
    (3, 1)
    """
    n_stretches = int(stretch.max()) + 1
    return [scipy.fft.rfft(measured[stretch == k], axis=0) for k in range(n_stretches)]


def resampled(
    measured: NDArray[Any],
    predicted: NDArray[Any],
    unit: NDArray[np.intp],
    confidence: float,
    n_bootstraps: int,
    inflation: float,
    seed: int,
) -> tuple[Array, Array]:
    """Do the work of :func:`bootstrap_interval` for values that are scaled within folds already.

    Parameters
    ----------
    measured, predicted : ndarray, shape (rows, targets)
        From :func:`unit_norm_by`.
    unit : ndarray of int, shape (rows,)
        The unit of each row, from 0.
    confidence, n_bootstraps, inflation, seed
        As for :func:`bootstrap_interval`.

    Returns
    -------
    low, high : ndarray, shape (targets,)
        Ends of the interval.

    Examples
    --------
    >>> y = unit_norm_by(np.random.default_rng(0).standard_normal((40, 1)), np.zeros(40, dtype=int))
    >>> low, high = resampled(y, y, np.arange(40) // 4, 0.95, 99, 1.0, seed=0)
    >>> low.round(3), high.round(3)
    (array([1.]), array([1.]))
    """
    n_units = int(unit.max()) + 1
    counts = np.random.default_rng(seed).multinomial(
        n_units, np.full(n_units, 1 / n_units), size=n_bootstraps
    )
    counts = counts.astype(measured.dtype)
    cross, own, other = (
        counts @ _sums(product, unit)
        for product in (measured * predicted, measured**2, predicted**2)
    )
    scale = np.sqrt(own * other)
    draws = np.divide(cross, scale, out=np.zeros_like(cross), where=scale > 0)
    tail = (1 - confidence) / 2
    ends = _fisher(_quantiles(draws, np.array([tail, 1 - tail])))
    score = _fisher(np.einsum("nv,nv->v", measured, predicted))
    low, high = np.tanh(score + inflation * expansion(n_units, confidence) * (ends - score))
    return low, high


def _fisher(r: NDArray[Any]) -> Array:
    """Transform correlations so that their spread does not depend on their size."""
    return np.arctanh(np.clip(np.asarray(r, dtype=np.float64), -1 + 1e-15, 1 - 1e-15))


def expansion(n_units: int, confidence: float) -> float:
    """Say how much wider than a percentile interval one of few units must be.

    Parameters
    ----------
    n_units : int
        Units that are drawn, at least two.
    confidence : float
        Coverage, between 0 and 1.

    Returns
    -------
    float
        What makes the interval of a mean that of Student's t (Hesterberg 2015, Am. Stat. 69:371,
        section 4.4).

    Examples
    --------
    >>> round(expansion(20, 0.95), 2), round(expansion(5, 0.95), 2)
    (1.1, 1.58)
    """
    tail = (1 + confidence) / 2
    student = scipy.special.stdtrit(n_units - 1, tail)
    return float(np.sqrt(n_units / (n_units - 1)) * student / scipy.special.ndtri(tail))


def _between(y: NDArray[Any], prediction: NDArray[Any], segment: NDArray[np.intp]) -> NDArray[Any]:
    """Return what the means of the segments contribute to the products."""
    size = np.bincount(segment)[:, None].astype(y.dtype)
    return np.asarray((_sums(y, segment) * _sums(prediction, segment) / size).sum(axis=0))


def _sums(values: NDArray[Any], label: NDArray[np.intp]) -> NDArray[Any]:
    """Sum the rows of each label."""
    n_labels, rows = int(label.max()) + 1, np.arange(len(values))
    ones = np.ones(len(values), dtype=values.dtype)
    return np.asarray(
        scipy.sparse.csr_array((ones, (label, rows)), (n_labels, len(values))) @ values
    )


def _quantiles(draws: NDArray[Any], shares: Array) -> Array:
    """Return quantiles over rows, interpolated between draws."""
    # Sorting whole contiguous rows is faster than selecting along strided columns.
    ordered = np.sort(draws.T.copy(), axis=1).T
    place = shares * (len(draws) - 1)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, len(draws) - 1)
    return ordered[below] + (place - below)[:, None] * (ordered[above] - ordered[below])


def _rotated(
    y: NDArray[Any],
    prediction: NDArray[Any],
    segment: NDArray[np.intp],
    n: int,
    rng: np.random.Generator,
    spectra: list[NDArray[Any]] | None = None,
) -> NDArray[Any]:
    """Correlate with predictions rotated within segments, all rotations by one FFT each."""
    null = np.zeros((n, y.shape[1]), dtype=y.dtype)
    spectra = rotation_spectra(y, segment) if spectra is None else spectra
    for k, known in enumerate(spectra):
        rows = segment == k
        length = int(rows.sum())
        spectrum = scipy.fft.rfft(prediction[rows], axis=0).conj()
        spectrum *= known
        null += scipy.fft.irfft(spectrum, n=length, axis=0)[rng.integers(length, size=n)]
    return null


def _exchanged(
    y: NDArray[Any],
    prediction: NDArray[Any],
    segment: NDArray[np.intp],
    block: int,
    n: int,
    rng: np.random.Generator,
) -> NDArray[Any]:
    """Correlate with predictions whose blocks change places within segments."""
    null = np.empty((n, y.shape[1]), dtype=y.dtype)
    parts = [np.flatnonzero(segment == k) for k in range(int(segment.max()) + 1)]
    blocks = [np.split(rows, range(block, len(rows), block)) for rows in parts]
    source = np.empty(len(y), dtype=np.intp)
    for i in range(n):
        for rows, pieces in zip(parts, blocks, strict=True):
            source[rows] = np.concatenate([pieces[j] for j in rng.permutation(len(pieces))])
        null[i] = np.einsum("nv,nv->v", y, prediction[source])
    return null
