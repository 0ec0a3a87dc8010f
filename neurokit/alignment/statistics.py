"""Scores of predictions, what chance would give, and how sure one can be.

Functions take the rows of all test folds stacked, samples by targets, with the fold of
each row beside them. Rows of a fold stay in order of time. Inputs that are all in single
precision are computed in it, about twice as fast; anything else in double.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.stats
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.resampling import moved_p, resampled, rounding, unit_norm, unit_norm_by
from neurokit.alignment.splits import Folds
from neurokit.errors import DataError

__all__ = [
    "bootstrap_interval",
    "false_discovery",
    "fold_inflation",
    "pearson",
    "permutation_p",
    "r2",
]

Array = NDArray[np.float64]


def pearson(y: ArrayLike, prediction: ArrayLike) -> Array:
    """Correlate each target with its prediction.

    Parameters
    ----------
    y, prediction : array-like, shape (samples, targets)
        Measured and predicted values.

    Returns
    -------
    ndarray, shape (targets,)
        Pearson correlation; 0 where either side is constant, since a constant predicts
        nothing.

    Raises
    ------
    DataError
        Shapes that differ, or fewer than two samples.

    Examples
    --------
    >>> pearson([[1.0, 1.0], [2.0, 2.0], [3.0, 4.0]], [[2.0, 5.0], [4.0, 5.0], [6.0, 5.0]])
    array([1., 0.])
    """
    y, prediction = _pair(y, prediction)
    return np.einsum("nv,nv->v", unit_norm(y), unit_norm(prediction))


def r2(y: ArrayLike, prediction: ArrayLike, train_mean: ArrayLike) -> Array:
    """Compare the squared error with that of predicting the training mean.

    The reference is the best constant known before the test; against the mean of the test
    samples, which no model could know, a model without skill scores below zero.

    Parameters
    ----------
    y, prediction : array-like, shape (samples, targets)
        Measured and predicted values of test samples.
    train_mean : array-like, shape (targets,)
        Mean of each target over the training samples.

    Returns
    -------
    ndarray, shape (targets,)
        1 for a perfect prediction, 0 for one no better than the training mean, negative
        for a worse one. 0 where the target equals its training mean throughout.

    Raises
    ------
    DataError
        Shapes that differ, or fewer than two samples.

    Examples
    --------
    >>> r2([[1.0], [3.0]], [[1.0], [3.0]], [2.0])
    array([1.])
    """
    y, prediction = _pair(y, prediction)
    reference = ((y - np.asarray(train_mean, dtype=y.dtype)) ** 2).sum(axis=0)
    error = ((y - prediction) ** 2).sum(axis=0)
    # A constant target differs from its own mean by rounding alone.
    varies = reference > len(y) * (rounding(y) * np.abs(y).max(axis=0)) ** 2
    return 1 - np.divide(error, reference, out=np.ones_like(error), where=varies)


def permutation_p(
    y: ArrayLike,
    prediction: ArrayLike,
    fold: ArrayLike,
    segment: ArrayLike | None = None,
    *,
    block: int | None = None,
    n_permutations: int = 1000,
    inflation: float = 1.0,
    seed: int = 0,
) -> Array:
    """Test the mean correlation over folds against predictions moved in time.

    Moving predictions as whole stretches keeps their autocorrelation, which single-sample
    shuffles destroy (and then call chance significant). The p-value is one-sided,
    (b + 1) / (n + 1) with b of n permutations at or above the score (Phipson & Smyth 2010,
    eq. 2). All targets are moved alike, so their correlation is kept too. Where stretches are
    shorter than folds, the part of the score that comes from the means of the stretches is the
    same in every move, and so adds nothing to the evidence.

    Parameters
    ----------
    y, prediction : array-like, shape (rows, targets)
        Measured and predicted values of all test folds, stacked.
    fold : array-like, shape (rows,)
        The fold of each row.
    segment : array-like, shape (rows,), optional
        Stretches within which predictions move: runs or stories. By default the folds.
    block : int, optional
        Without it, each stretch is rotated by a random number of samples. With it, each
        stretch is cut into blocks of this many samples, which change places.
    n_permutations : int
        How many.
    inflation : float
        Factor on the spread of the scores of the permutations, from :func:`fold_inflation`.
    seed : int
        Of the random moves.

    Returns
    -------
    ndarray, shape (targets,)
        p-values, the smallest possible being 1 / (n_permutations + 1).

    Raises
    ------
    DataError
        Shapes that do not agree, or a number of permutations or block below 1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.standard_normal((60, 2))
    >>> prediction = np.column_stack([y[:, 0], rng.standard_normal(60)])
    >>> p = permutation_p(y, prediction, fold=np.repeat([0, 1], 30), n_permutations=199)
    >>> float(p[0]), bool(p[1] > 0.05)
    (0.005, True)
    """
    y, prediction = _pair(y, prediction)
    if n_permutations < 1 or (block is not None and block < 1):
        raise DataError(
            f"Expected n_permutations and block of at least 1; got {n_permutations} and {block}."
        )
    folds, stretches = _codes(fold, len(y)), _stretches(fold, segment, len(y))
    measured, predicted = unit_norm_by(y, folds), unit_norm_by(prediction, folds)
    return moved_p(measured, predicted, stretches, block, n_permutations, inflation, seed)


def bootstrap_interval(
    y: ArrayLike,
    prediction: ArrayLike,
    fold: ArrayLike,
    unit: ArrayLike,
    *,
    confidence: float = 0.95,
    n_bootstraps: int = 1000,
    inflation: float = 1.0,
    seed: int = 0,
) -> tuple[Array, Array]:
    """Give the percentile interval of the mean correlation over resampled units.

    Units are what could have come out differently independently of the rest: subjects,
    sessions, stories, or blocks of a series longer than its autocorrelation; never single
    time points. Values are centred and scaled within folds first, so that without
    resampling the statistic is exactly the mean of the folds' correlations. The models
    are not refitted. Of few units the percentiles lie too close together; they are spread by
    the factor that makes the interval of a mean that of Student's t (the expanded percentile
    interval of Hesterberg 2015, Am. Stat. 69:371, section 4.4): 1.1 for 20 units, 1.6 for 5,
    and 9 for 2, which then say nothing.

    Parameters
    ----------
    y, prediction : array-like, shape (rows, targets)
        Measured and predicted values of all test folds, stacked.
    fold : array-like, shape (rows,)
        The fold of each row.
    unit : array-like, shape (rows,)
        The independent unit of each row.
    confidence : float
        Coverage, between 0 and 1.
    n_bootstraps : int
        How many resamples.
    inflation : float
        Factor by which the interval is widened around the score on Fisher's z scale, from
        :func:`fold_inflation`.
    seed : int
        Of the resampling.

    Returns
    -------
    low, high : ndarray, shape (targets,)
        Ends of the interval.

    Raises
    ------
    DataError
        Shapes that do not agree, or fewer than two units.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.standard_normal((200, 1))
    >>> low, high = bootstrap_interval(
    ...     y, y + rng.standard_normal((200, 1)), np.zeros(200), np.repeat(np.arange(20), 10)
    ... )
    >>> bool(0.5 < low[0] < 0.71 < high[0] < 0.85)
    True
    """
    y, prediction = _pair(y, prediction)
    folds, units = _codes(fold, len(y)), _codes(unit, len(y))
    n_units = int(units.max()) + 1
    if n_units < 2 or not 0 < confidence < 1 or n_bootstraps < 1:
        raise DataError(
            "Expected at least 2 units, 1 resample and a confidence between 0 and 1; got "
            f"{n_units}, {n_bootstraps} and {confidence}. No interval follows from one group."
        )
    measured, predicted = unit_norm_by(y, folds), unit_norm_by(prediction, folds)
    return resampled(measured, predicted, units, confidence, n_bootstraps, inflation, seed)


def false_discovery(p: ArrayLike, *, dependent: bool = False) -> Array:
    """Adjust p-values so that a threshold on them bounds the false discovery rate.

    Parameters
    ----------
    p : array-like, any shape
        p-values of all tests together; NaN where a target was not tested.
    dependent : bool
        Benjamini & Yekutieli's adjustment (2001), valid whatever the dependence of the tests,
        instead of Benjamini & Hochberg's (1995), valid when it is not negative.

    Returns
    -------
    ndarray
        q-values of the same shape. Targets that were not tested stay NaN and do not count.

    Raises
    ------
    DataError
        Values outside [0, 1].

    Examples
    --------
    >>> false_discovery([0.01, np.nan, 0.04, 0.3]).round(3)
    array([0.03,  nan, 0.06, 0.3 ])
    """
    values = np.asarray(p, dtype=np.float64)
    tested = ~np.isnan(values)
    if ((values[tested] < 0) | (values[tested] > 1)).any():
        raise DataError(
            f"Expected p-values from 0 to 1; got {np.nanmin(values):.3g} to "
            f"{np.nanmax(values):.3g}."
        )
    q = np.full(values.shape, np.nan)
    if tested.any():
        method = "by" if dependent else "bh"
        q[tested] = scipy.stats.false_discovery_control(values[tested], method=method)
    return q


def fold_inflation(folds: Folds, n: int) -> float:
    """Say by how much dependence between folds widens the spread of their mean score.

    In cross-validation each of two folds usually trains the model that predicts the other.
    To first order their scores then share the term yᵢᵀ H yⱼ of a linear model's predictions,
    which permutations and resamples of finished predictions treat as two independent ones.
    By Cauchy's inequality the variance of the mean is at most twice what they find; with
    ridge regression it is close to twice (uncorrected, a nominal rate of false positives of
    5 % is 11–12 %, and a 95 % interval around no effect covers 80 %).

    Parameters
    ----------
    folds : list of (ndarray, ndarray)
        Training and test indices.
    n : int
        Number of samples.

    Returns
    -------
    float
        √2 when some two folds train each other or share test samples, else 1.

    Examples
    --------
    >>> fold_inflation([(np.array([0, 1]), np.array([2, 3]))], 4)
    1.0
    """
    owner = np.full(n, -1)
    for k, (_, test) in enumerate(folds):
        if (owner[test] >= 0).any():
            return float(np.sqrt(2))
        owner[test] = k
    trains = np.zeros((len(folds), len(folds)), dtype=bool)
    for k, (train, _) in enumerate(folds):
        others = owner[train]
        trains[k, others[others >= 0]] = True
    return float(np.sqrt(2)) if (trains & trains.T).any() else 1.0


def _stretches(fold: ArrayLike, segment: ArrayLike | None, n: int) -> NDArray[np.intp]:
    """Give each set of rows that share both fold and segment a number."""
    folds = _codes(fold, n)
    if segment is None:
        return folds
    inner = _codes(segment, n)
    return np.unique(folds * (inner.max() + 1) + inner, return_inverse=True)[1]


def _codes(labels: ArrayLike, n: int) -> NDArray[np.intp]:
    """Return labels as numbers from 0."""
    array = np.asarray(labels)
    if array.shape != (n,):
        raise DataError(f"Expected labels of shape ({n},), one per row; got {array.shape}.")
    return np.unique(array, return_inverse=True)[1]


def _pair(y: ArrayLike, prediction: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return measured and predicted values as arrays of one shape and precision."""
    a, b = np.asarray(y), np.asarray(prediction)
    single = a.dtype == b.dtype == np.float32
    a, b = (side.astype(np.float32 if single else np.float64, copy=False) for side in (a, b))
    if a.ndim != 2 or a.shape != b.shape or len(a) < 2:
        raise DataError(
            "Expected y and prediction of one shape (samples, targets) with at least 2 samples; "
            f"got {a.shape} and {b.shape}."
        )
    return a, b
