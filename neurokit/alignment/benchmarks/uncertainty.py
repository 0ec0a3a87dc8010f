"""How sure the headline is: over subjects, else over units of the recording, else over folds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from neurokit.alignment import statistics

if TYPE_CHECKING:
    from neurokit.alignment.benchmarks.regression_task import RegressionTask

__all__ = ["Interval", "headline_interval", "student"]

Array = NDArray[np.float64]
Interval = tuple[float, float, str]
_ENOUGH = 3  # subjects, from which they are the unit of the interval
_BLOCKS = 20
_FEWEST_GROUPS = 2  # of which a bootstrap can draw


def headline_interval(
    task: RegressionTask, xs: list[NDArray], scores: Array, seed: int = 0
) -> Interval:
    """Give the 95 % interval of a headline score.

    Parameters
    ----------
    task : RegressionTask
        Responses and folds.
    xs : list of ndarray, shape (presentations, features)
        Features of the layer that each fold chose.
    scores : ndarray, shape (folds, units)
        Their scores.
    seed : int
        Of the bootstrap.

    Returns
    -------
    low, high : float
        Ends.
    unit : str
        What it is over: with three subjects or more Student's interval over subjects; with one
        unit scored by r a bootstrap over groups or blocks of presentations; else Student's
        interval over folds, widened because folds train each other.
    """
    subject = task.responses["subject"].values
    mean = scores.mean(axis=0)
    if task.metric != "2v2" and len(np.unique(subject[task.headline])) >= _ENOUGH:
        each = [
            float(task.summary(np.where(subject == name, mean, np.nan)))
            for name in np.unique(subject[task.headline])
        ]
        return student(np.array(each), "subjects")
    folds = task.split.folds
    distinct = sum(len(test) for _, test in folds) == len(
        np.unique(np.concatenate([t for _, t in folds]))
    )
    if task.metric == "r" and task.headline.sum() == 1 and distinct:
        return _bootstrap(task, xs, seed)
    inflation = statistics.fold_inflation(folds, len(task.y))
    return student(np.atleast_1d(task.summary(scores)), "folds", inflation)


def student(values: Array, unit: str, inflation: float = 1.0) -> Interval:
    """Give Student's 95 % interval of a mean.

    Parameters
    ----------
    values : ndarray
        One score a unit.
    unit : str
        What they are.
    inflation : float
        Factor on the half-width.

    Returns
    -------
    low, high : float
        Ends; NaN with fewer than two values.
    unit : str
        In words.

    Examples
    --------
    >>> low, high, unit = student(np.array([1.0, 2.0, 3.0]), "subjects")
    >>> round(low, 2), round(high, 2), unit
    (-0.48, 4.48, "Student's t over 3 subjects")
    """
    n = len(values)
    if n < 2:
        return np.nan, np.nan, f"none: there is one of the {unit}"
    half = inflation * scipy.stats.t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)
    widened = ", widened because they train each other" if inflation > 1 else ""
    mean = values.mean()
    return float(mean - half), float(mean + half), f"Student's t over {n} {unit}{widened}"


def _bootstrap(task: RegressionTask, xs: list[NDArray], seed: int) -> Interval:
    column = np.flatnonzero(task.headline)
    y = task.y[:, column].astype(np.float64)
    folds = task.split.folds
    prediction = np.concatenate(task.predict(xs, y))
    test = np.concatenate([test for _, test in folds])
    fold = np.repeat(np.arange(len(folds)), [len(test) for _, test in folds])
    groups = task.split.groups
    if groups is not None and len(np.unique(groups[test])) < _FEWEST_GROUPS:
        groups = None
    # A single test set is a series of its own, however long the training set is.
    place = np.arange(len(test)) if len(folds) == 1 else test
    unit = place // -(-(int(place.max()) + 1) // _BLOCKS) if groups is None else groups[test]
    low, high = statistics.bootstrap_interval(
        y[test], prediction, fold, unit,
        inflation=statistics.fold_inflation(folds, len(y)), seed=seed,
    )  # fmt: skip
    n = len(np.unique(unit))
    what = "blocks of presentations" if groups is None else f"{task.card.folds.group}s"
    return float(low[0]), float(high[0]), f"bootstrap over {n} {what}"
