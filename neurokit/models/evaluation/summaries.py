"""What a cross-validated probe found: scores of folds, their mean, interval and chance."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from neurokit.models.evaluation.folds import Fold
from neurokit.models.evaluation.scores import METRICS, class_scores

__all__ = ["fold_scores", "mean_of_folds", "summary"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

DRAWN_AT_ONCE = 2**24  # weights of a bootstrap held at a time, 128 MB


def summary(
    probability: list[Array],
    label: Rows,
    group: Rows,
    folds: list[Fold],
    n_bootstrap: int,
    seed: int,
) -> xr.Dataset:
    """Score each fold, all of them together, and draws of their groups.

    Parameters
    ----------
    probability : list of ndarray, shape (test window, class)
        Predicted in each fold.
    label, group : ndarray of int, shape (window,)
        Of each window.
    folds : list of (train, test)
        Rows of windows.
    n_bootstrap : int
        Draws of groups.
    seed : int
        Of the draws.

    Returns
    -------
    Dataset
        ``score``, ``mean``, ``low``, ``high``, ``pooled``, ``chance`` and ``probability``, as
        :func:`linear_probe` describes them.

    Examples
    --------
    >>> label, group = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    >>> folds = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    >>> found = summary([np.eye(2), np.eye(2)], label, group, folds, n_bootstrap=5, seed=0)
    >>> found["mean"].values
    array([1., 1., 1.])
    """
    everything = np.full((label.size, probability[0].shape[1]), np.nan)
    for (_, test), p in zip(folds, probability, strict=True):
        everything[test] = p
    tested = np.flatnonzero(~np.isnan(everything[:, 0]))
    score = fold_scores(probability, label, folds)
    low, high = _interval(_drawn(probability, label, group, folds, n_bootstrap, seed))
    pooled = class_scores(everything[tested], label[tested], np.ones((1, tested.size)))
    return xr.Dataset(
        {
            "score": (("metric", "fold"), score),
            "mean": ("metric", mean_of_folds(score)),
            "low": ("metric", low),
            "high": ("metric", high),
            "pooled": ("metric", pooled[:, 0]),
            "chance": ("metric", _chance(label[tested], everything.shape[1])),
            "probability": (("window", "class"), everything),
        },
        coords={"metric": list(METRICS)},
    )


def fold_scores(probability: list[Array], label: Rows, folds: list[Fold]) -> Array:
    """Score each fold by itself.

    Parameters
    ----------
    probability : list of ndarray, shape (test window, class)
        Predicted in each fold.
    label : ndarray of int, shape (window,)
        Of each window.
    folds : list of (train, test)
        Rows of windows.

    Returns
    -------
    ndarray, shape (metric, fold)
        NaN for a fold that lacks a class.

    Examples
    --------
    >>> fold_scores([np.eye(2)], np.array([0, 1]), [(np.array([]), np.array([0, 1]))]).shape
    (3, 1)
    """
    pairs = zip(probability, folds, strict=True)
    scores = [class_scores(p, label[test], np.ones((1, test.size))) for p, (_, test) in pairs]
    return np.concatenate(scores, axis=1)


def mean_of_folds(score: Array, weight: Array | float = 1.0) -> Array:
    """Average over folds, those without a score left out.

    Parameters
    ----------
    score : ndarray, shape (..., fold)
        May hold NaN.
    weight : ndarray or float
        Of each fold, broadcast against ``score``.

    Returns
    -------
    ndarray, shape (...)
        NaN where no fold has a score.

    Examples
    --------
    >>> mean_of_folds(np.array([0.5, np.nan, 1.0]))
    array(0.75)
    """
    weight = np.where(np.isnan(score), 0.0, weight)
    total = weight.sum(axis=-1)
    out = np.full(total.shape, np.nan)
    return np.divide((np.nan_to_num(score) * weight).sum(axis=-1), total, out=out, where=total > 0)


def _chance(label: Rows, n_classes: int) -> list[float]:
    """Return what guessing gives; precision is then the share of what is to be found."""
    return [0.5, float((label == 1).mean()) if n_classes == 2 else 1 / n_classes, 1 / n_classes]


def _interval(drawn: Array) -> Array:
    """Return the central 95 % of the draws of each metric that have a score."""
    out = np.full((2, len(drawn)), np.nan)
    for metric, values in enumerate(drawn):
        if np.isfinite(values).any():
            out[:, metric] = np.nanpercentile(values, [2.5, 97.5])
    return out


def _drawn(
    probability: list[Array],
    label: Rows,
    group: Rows,
    folds: list[Fold],
    n_bootstrap: int,
    seed: int,
) -> Array:
    """Score draws of the tested groups with replacement; a fold weighs as its groups do."""
    rng = np.random.default_rng(seed)
    tested = np.unique(np.concatenate([group[test] for _, test in folds]))
    share = np.full(tested.size, 1 / tested.size)
    size = max(1, DRAWN_AT_ONCE // label.size)
    out = []
    for first in range(0, n_bootstrap, size):
        n = min(size, n_bootstrap - first)
        count = np.zeros((n, int(group.max()) + 1))
        count[:, tested] = rng.multinomial(tested.size, share, n)
        score, weight = [], []
        for (_, test), p in zip(folds, probability, strict=True):
            score.append(class_scores(p, label[test], count[:, group[test]]))
            weight.append(count[:, np.unique(group[test])].mean(axis=1))
        out.append(mean_of_folds(np.stack(score, axis=-1), np.stack(weight, axis=-1)))
    return np.concatenate(out, axis=1)
