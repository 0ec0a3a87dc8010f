"""Classifiers of block patterns, chosen inside the training runs alone.

To try several classifiers on the test runs and report the best is optimistic (Varoquaux et al.
2017, NeuroImage 145:166). Here the runs that train a fold also choose its classifier.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from neurokit.errors import DataError

__all__ = ["CANDIDATES", "discriminant", "left_out", "nested"]

#: Takes training patterns, their categories and new patterns; names the new ones.
Classifier = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def discriminant(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Name patterns by linear discriminant analysis with a shrunken covariance.

    Each class's covariance is shrunk as in Ledoit and Wolf 2004 (J. Multivar. Anal. 88:365) and
    the mean of them is used for all, as in scikit-learn's ``solver="lsqr", shrinkage="auto"``,
    which solves the same equations by a singular value decomposition, ten times slower.

    Parameters
    ----------
    x : numpy.ndarray of shape (block, voxel)
        Training patterns.
    y : numpy.ndarray of shape (block,)
        Their categories.
    new : numpy.ndarray of shape (new block, voxel)
        Patterns to name.

    Returns
    -------
    numpy.ndarray of shape (new block,)
        Categories.

    Examples
    --------
    >>> x = np.array([[0.0, 1], [1, 0], [5, 6], [6, 5.5]])
    >>> y = np.array(["cat", "cat", "shoe", "shoe"])
    >>> discriminant(x, y, np.array([[0.5, 0.4], [5, 5]])).tolist()
    ['cat', 'shoe']
    """
    from scipy.linalg import LinAlgError, lstsq, solve
    from sklearn.covariance import ledoit_wolf

    kinds, counts = np.unique(y, return_counts=True)
    shares = counts / len(y)
    means = np.stack([x[y == kind].mean(axis=0) for kind in kinds])
    covariance = np.zeros((x.shape[1], x.shape[1]))
    for kind, share, mean in zip(kinds, shares, means, strict=True):
        scale = x[y == kind].std(axis=0)
        scale[scale == 0] = 1.0
        shrunk = ledoit_wolf((x[y == kind] - mean) / scale)[0]
        covariance += share * scale[:, None] * shrunk * scale
    try:
        weights = solve(covariance, means.T, assume_a="pos")
    except LinAlgError:
        # Of two blocks a class, Ledoit and Wolf's estimate may not be shrunken at all.
        weights = lstsq(covariance, means.T)[0]
    offset = np.log(shares) - np.einsum("kv,vk->k", means, weights) / 2
    return np.asarray(kinds[(new @ weights + offset).argmax(axis=1)])


def _library(module: str, name: str, **settings: Any) -> Classifier:
    def classify(x: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
        import importlib

        model = getattr(importlib.import_module(f"sklearn.{module}"), name)(**settings)
        return np.asarray(model.fit(x, y).predict(new))

    return classify


#: The simplest first: of equally good ones the first is taken.
CANDIDATES: dict[str, Classifier] = {
    "nearest centroid": _library("neighbors", "NearestCentroid"),
    "Gaussian naive Bayes": _library("naive_bayes", "GaussianNB"),
    **{
        f"ridge, penalty {penalty:g}": _library("linear_model", "RidgeClassifier", alpha=penalty)
        for penalty in (1000.0, 100.0, 10.0, 1.0)
    },
    **{
        f"linear support vectors, C {c:g}": _library("svm", "SVC", kernel="linear", C=c)
        for c in (1e-3, 1e-2, 1e-1, 1.0)
    },
    "shrinkage discriminant": discriminant,
}


def left_out(classify: Classifier, x: np.ndarray, y: np.ndarray, run: np.ndarray) -> np.ndarray:
    """Name the blocks of each run after training on all others.

    Parameters
    ----------
    classify : callable
        Takes training patterns, their categories and new patterns; names the new ones.
    x : numpy.ndarray of shape (block, feature)
        Patterns.
    y : numpy.ndarray of shape (block,)
        Categories.
    run : numpy.ndarray of shape (block,)
        Run of each block.

    Returns
    -------
    numpy.ndarray of shape (block,)
        Predicted categories.

    Examples
    --------
    >>> x = np.array([[0.0], [9], [1], [8]])
    >>> y = np.array(["cat", "shoe", "cat", "shoe"])
    >>> left_out(CANDIDATES["ridge, penalty 1"], x, y, np.array([1, 1, 2, 2])).tolist()
    ['cat', 'shoe', 'cat', 'shoe']
    """
    from neurokit.alignment.splits import by_group

    guess = np.empty_like(y)
    for train, test in by_group(run):
        guess[test] = classify(x[train], y[train], x[test])
    return guess


def nested(
    x: np.ndarray,
    y: np.ndarray,
    run: np.ndarray,
    candidates: Mapping[str, Classifier] = CANDIDATES,
) -> tuple[np.ndarray, list[str]]:
    """Name the blocks of each run by the classifier that did best among the other runs.

    Parameters
    ----------
    x : numpy.ndarray of shape (block, feature)
        Patterns.
    y : numpy.ndarray of shape (block,)
        Categories.
    run : numpy.ndarray of shape (block,)
        Run of each block; at least four, so that two runs train when two are left out.
    candidates : mapping of str to callable
        To choose from.

    Returns
    -------
    guess : numpy.ndarray of shape (block,)
        Predicted categories.
    chosen : list of str
        Name of the classifier of each fold, in the order of ``numpy.unique(run)``.

    Raises
    ------
    DataError
        If there are fewer than four runs.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y, run = np.tile(["cat", "shoe"], 6), np.repeat(np.arange(6), 2)
    >>> x = rng.normal(size=(12, 5)) + 3 * (y == "cat")[:, None]
    >>> guess, chosen = nested(x, y, run)
    >>> bool((guess == y).mean() > 0.9), len(chosen)
    (True, 6)
    """
    names = list(candidates)
    runs = np.unique(run)
    if len(runs) < 4:
        raise DataError(
            f"Expected 4 runs or more to choose a classifier without the test run; got {len(runs)}."
        )
    hits = np.zeros((len(names), len(runs), len(runs)))
    # Trained without runs i and j, a classifier serves two folds: i, where it is judged on j,
    # and j, where it is judged on i. No fold sees the categories of its own run.
    for (i, first), (j, second) in itertools.combinations(enumerate(runs), 2):
        train, held = (run != first) & (run != second), (run == first) | (run == second)
        for k, name in enumerate(names):
            right = candidates[name](x[train], y[train], x[held]) == y[held]
            hits[k, i, j] = right[run[held] == second].mean()
            hits[k, j, i] = right[run[held] == first].mean()
    # Rounded, so that equal scores tie whatever the order of their sum.
    best = np.round(hits.sum(axis=2), 9).argmax(axis=0)
    guess = np.empty_like(y)
    for left, choice in zip(runs, best, strict=True):
        train = run != left
        guess[~train] = candidates[names[choice]](x[train], y[train], x[~train])
    return guess, [names[choice] for choice in best]
