"""Scores of predicted responses, one a unit: a neuroid, or a region where patterns are compared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurokit.alignment import statistics
from neurokit.errors import DataError

__all__ = ["CHANCE", "aggregate", "fold_scores", "units_of"]

Array = NDArray[np.float64]

#: What a model without knowledge scores.
CHANCE = {"r": 0.0, "R2": 0.0, "delta-R2": 0.0, "2v2": 0.5, "rsa-spearman": 0.0,
          "odd-one-out": 1 / 3}  # fmt: skip


def fold_scores(
    metric: str, y: NDArray, prediction: NDArray, train_mean: Array, region: NDArray
) -> Array:
    """Score one fold.

    Parameters
    ----------
    metric : {"r", "R2", "delta-R2", "2v2"}
        ``delta-R2`` is a difference of two ``R2``, either of which is scored here.
    y, prediction : ndarray, shape (presentations, targets)
        Measured and predicted responses of the test presentations.
    train_mean : ndarray, shape (targets,)
        Mean response over the training presentations.
    region : ndarray, shape (targets,)
        Unit of each target, where patterns are compared.

    Returns
    -------
    ndarray, shape (units,)
        A target's score, or with ``"2v2"`` a region's.

    Examples
    --------
    >>> y = np.array([[1.0], [2.0], [3.0]])
    >>> fold_scores("r", y, 2 * y, np.zeros(1), np.array([""])).round(6).tolist()
    [1.0]
    """
    if metric == "r":
        return statistics.pearson(y, prediction)
    if metric in ("R2", "delta-R2"):
        return statistics.r2(y, prediction, train_mean)
    from neurokit.alignment.pairwise import pairwise_accuracy

    # A pattern that all presentations share would hide in every pair what tells them apart.
    centred = y - train_mean, prediction - train_mean
    accuracy = pairwise_accuracy(*centred, region=region)["accuracy"]
    return np.asarray(accuracy.sel(region=units_of(metric, region)).values)


def units_of(metric: str, region: NDArray) -> NDArray:
    """Say which unit each score of :func:`fold_scores` belongs to.

    Parameters
    ----------
    metric : str
        As there.
    region : ndarray, shape (targets,)
        Region of each target.

    Returns
    -------
    ndarray
        The distinct regions with ``"2v2"``, else the region of each target.

    Examples
    --------
    >>> units_of("2v2", np.array(["V1", "V1", "IT"])).tolist()
    ['IT', 'V1']
    """
    return np.unique(region) if metric == "2v2" else region


def aggregate(scores: Array, how: str) -> Array:
    """Sum units up, the last axis.

    Parameters
    ----------
    scores : ndarray, shape (..., units)
        Scores; units without one (NaN) are left out.
    how : {"mean", "median"}
        How.

    Returns
    -------
    ndarray, shape (...)
        One number each.

    Raises
    ------
    DataError
        No unit has a score.

    Examples
    --------
    >>> float(aggregate(np.array([1.0, 2.0, 6.0]), "median"))
    2.0
    """
    if not np.isfinite(scores).any():
        raise DataError("No unit of the headline has a finite score.")
    return np.asarray(np.nanmedian(scores, axis=-1) if how == "median" else
                      np.nanmean(scores, axis=-1))  # fmt: skip
