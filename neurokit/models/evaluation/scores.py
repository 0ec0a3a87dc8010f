"""Scores of class probabilities, for many weightings of the samples at once.

A bootstrap over subjects is a weighting: a subject drawn twice counts twice. So a thousand
resamples are a matrix of weights, and one sort serves them all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["METRICS", "average_precision", "balanced_accuracy", "class_scores", "ratio", "roc_area"]

Array = NDArray[np.float64]
METRICS = ("auroc", "auprc", "balanced_accuracy")


def class_scores(
    probability: Array,
    label: NDArray[np.intp],
    weight: Array,
    classes: NDArray[np.intp] | None = None,
) -> Array:
    """Score predicted probabilities by all metrics.

    Parameters
    ----------
    probability : ndarray, shape (sample, class)
        Predicted. Of two classes the second is the one to be detected; of several, each is
        detected in turn and the scores are averaged (macro).
    label : ndarray of int, shape (sample,)
        True class.
    weight : ndarray, shape (draw, sample)
        How often each sample counts.
    classes : ndarray of int, optional
        Which of several classes are averaged over; by default all.

    Returns
    -------
    ndarray, shape (metric, draw)
        In the order of ``METRICS``; NaN for draws in which a class is missing.

    Examples
    --------
    >>> p = np.array([0.1, 0.6, 0.4, 0.9])
    >>> class_scores(np.c_[1 - p, p], np.array([0, 0, 1, 1]), np.ones((1, 4)))[:, 0].round(3)
    array([0.75 , 0.833, 0.5  ])
    """
    n_classes = probability.shape[1]
    chosen = np.arange(n_classes) if classes is None else classes
    detected = [1] if n_classes == 2 else chosen
    pairs = [(probability[:, c], label == c) for c in detected]
    auroc = np.mean([roc_area(p, is_c, weight) for p, is_c in pairs], axis=0)
    auprc = np.mean([average_precision(p, is_c, weight) for p, is_c in pairs], axis=0)
    return np.stack([auroc, auprc, balanced_accuracy(probability, label, weight, chosen)])


def roc_area(score: Array, positive: NDArray[np.bool_], weight: Array) -> Array:
    """Compute the area under the receiver operating characteristic.

    Parameters
    ----------
    score : ndarray, shape (sample,)
        Higher where a sample is more likely positive.
    positive : ndarray of bool, shape (sample,)
        Truth.
    weight : ndarray, shape (draw, sample)
        How often each sample counts.

    Returns
    -------
    ndarray, shape (draw,)
        The chance that a positive sample scores above a negative one, ties counted half; NaN
        where either is missing.

    Examples
    --------
    >>> roc_area(np.array([1.0, 2.0, 3.0]), np.array([False, True, False]), np.ones((1, 3)))
    array([0.5])
    """
    hits, misses = _by_threshold(score, positive, weight)
    below = misses.cumsum(axis=1) - misses / 2
    return ratio((hits * below).sum(axis=1), hits.sum(axis=1) * misses.sum(axis=1))


def average_precision(score: Array, positive: NDArray[np.bool_], weight: Array) -> Array:
    """Compute the area under the curve of precision and recall, as a sum of steps.

    Parameters
    ----------
    score : ndarray, shape (sample,)
        Higher where a sample is more likely positive.
    positive : ndarray of bool, shape (sample,)
        Truth.
    weight : ndarray, shape (draw, sample)
        How often each sample counts.

    Returns
    -------
    ndarray, shape (draw,)
        Precision averaged over the positive samples; NaN where positives or negatives are
        missing.

    Examples
    --------
    >>> average_precision(np.array([1.0, 2.0, 3.0]), np.array([False, True, False]),
    ...                   np.ones((1, 3)))
    array([0.5])
    """
    hits, misses = (part[:, ::-1] for part in _by_threshold(score, positive, weight))
    found = hits.cumsum(axis=1)
    precision = ratio(found, found + misses.cumsum(axis=1))
    total = np.where(misses.sum(axis=1) > 0, hits.sum(axis=1), 0)
    return ratio((hits * np.nan_to_num(precision)).sum(axis=1), total)


def balanced_accuracy(
    probability: Array,
    label: NDArray[np.intp],
    weight: Array,
    classes: NDArray[np.intp] | None = None,
) -> Array:
    """Average the share of correctly recognised samples over classes.

    Parameters
    ----------
    probability : ndarray, shape (sample, class)
        Predicted; the highest is the guess.
    label : ndarray of int, shape (sample,)
        True class.
    weight : ndarray, shape (draw, sample)
        How often each sample counts.
    classes : ndarray of int, optional
        Which are averaged over; by default all. Others may still be guessed, wrongly.

    Returns
    -------
    ndarray, shape (draw,)
        NaN where a class is missing.

    Examples
    --------
    >>> balanced_accuracy(np.eye(2)[[0, 0, 0, 1]], np.array([0, 0, 1, 1]), np.ones((1, 4)))
    array([0.75])
    """
    chosen = np.arange(probability.shape[1]) if classes is None else classes
    member = (label[:, None] == chosen).astype(np.float64)
    right = (probability.argmax(axis=1) == label)[:, None] * member
    recall: Array = ratio(weight @ right, weight @ member).mean(axis=1)
    return recall


def _by_threshold(score: Array, positive: NDArray[np.bool_], weight: Array) -> tuple[Array, Array]:
    """Sum the weights of positives and negatives at each distinct score, lowest first."""
    order = np.argsort(score, kind="stable")
    ranked = score[order]
    first = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    weight, positive = weight[:, order], positive[order]
    hits = np.add.reduceat(weight * positive, first, axis=1)
    return hits, np.add.reduceat(weight * ~positive, first, axis=1)


def ratio(above: NDArray[Any], below: NDArray[Any]) -> Array:
    """Divide, and give NaN where there is nothing to divide by.

    Parameters
    ----------
    above, below : ndarray, of shapes that broadcast to that of ``below``
        Numerators and denominators.

    Returns
    -------
    ndarray, shape of ``below``
        NaN where ``below`` is not above 0.

    Examples
    --------
    >>> ratio(np.array([1, 1]), np.array([2, 0]))
    array([0.5, nan])
    """
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
