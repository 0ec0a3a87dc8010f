"""Linear probes: how much of a label a representation shows to a plain classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.models.evaluation.folds import (
    Fold,
    by_group,
    class_numbers,
    given_folds,
    group_numbers,
)
from neurokit.models.evaluation.summaries import fold_scores, mean_of_folds, summary
from neurokit.progress import progress_bar

__all__ = ["linear_probe", "subjects_of", "tokens_pooled"]

Array = NDArray[np.float64]
Rows = NDArray[np.intp]

STRENGTHS = tuple(10.0**k for k in np.arange(-4, 1, 0.5))
INNER_FOLDS = 5


def linear_probe(
    z: ArrayLike | Callable[[Rows], ArrayLike],
    y: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    cv: int | Iterable[Any] = 5,
    *,
    strengths: Sequence[float] = STRENGTHS,
    n_bootstrap: int = 1000,
    n_permutations: int = 0,
    seed: int = 0,
) -> xr.Dataset:
    """Classify windows from a representation, by logistic regression across groups.

    In each fold, features are standardised with the mean and deviation of the training
    windows, and the strength of the ridge penalty is the one with the lowest log loss in
    folds inside the training windows, again split by group. Classes weigh the same, however
    many windows they have.

    Parameters
    ----------
    z : array-like, shape (window, feature) or (window, token, feature), or callable
        The representation, as :func:`encode` gives it; tokens are averaged. Or a function of
        the training rows that returns it for all windows: for what must be learnt within
        each fold, such as a pretraining that may not see the test subjects.
    y : array-like, shape (window,), optional
        The class of each window; by default the coordinate ``label`` of ``z``.
    groups : array-like, shape (window,), optional
        What may not be on both sides of a split, and what is drawn anew for the interval: as
        a rule the subject. By default the coordinate ``subject`` of ``z``, where ``cv`` is a
        number and there are several subjects. Else windows are split in contiguous blocks, and
        the interval takes each window for independent, which neighbours in time are not; so it
        is with ``np.arange(n)``.
    cv : int or iterable of (train, test)
        How many folds; or the rows of each, of which no group may be on both sides.
    strengths : sequence of float
        Inverse penalties to choose from.
    n_bootstrap : int
        Draws of groups for the interval.
    n_permutations : int
        Repetitions of the whole probe with labels that are moved along time within each
        group, as far as they vary there, or else exchanged between groups.
    seed : int
        Of draws and permutations.

    Returns
    -------
    Dataset
        On ``metric`` (``auroc``, ``auprc`` and ``balanced_accuracy``; the first two macro for
        several classes): ``score`` of each ``fold``, their ``mean``, the bounds ``low`` and
        ``high`` of its 95 % interval over groups, ``pooled`` over all windows, and
        ``chance``. A fold that tests one class only has no score (NaN) and counts in
        ``pooled`` alone. Also ``probability`` (window, class) as predicted, NaN where not
        tested; ``strength`` (fold) as chosen; with permutations ``null`` (metric,
        permutation) and ``p``, the share of them that reach ``mean``.

    Raises
    ------
    DataError
        Lengths that differ, missing values, one class only, fewer groups than folds, an
        empty fold, or a training fold that lacks a class.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y, subject = np.tile([0, 1], 40), np.repeat(np.arange(8), 10)
    >>> z = rng.normal(size=(80, 3)) + 2 * y[:, None]
    >>> found = linear_probe(z, y, subject, cv=4, n_bootstrap=100)
    >>> bool(found["mean"].sel(metric="auroc") > 0.95), found.sizes["fold"]
    (True, 4)
    """
    labels = _labels_of(z) if y is None else y
    n = np.shape(labels)[0] if np.ndim(labels) else 0
    classes, label = class_numbers(labels, n)
    if groups is None and isinstance(cv, int | float | np.number):
        groups = subjects_of(z)
    group = group_numbers(groups, n)
    folds = _folds(cv, group, label)
    features = [tokens_pooled(z(f[0]) if callable(z) else z, n) for f in folds]
    task = _Task(label, group, folds, features)
    penalties = _penalties(strengths)
    chosen = [_strength(task, k, penalties) for k in range(len(folds))]
    probability = [_predicted(task, k, label, c) for k, c in enumerate(chosen)]
    draws = arguments.whole("n_bootstrap", n_bootstrap, least=1)
    found = summary(probability, label, group, folds, draws, seed)
    found["strength"] = "fold", np.array(chosen)
    if arguments.whole("n_permutations", n_permutations, least=0):
        order = group if groups is not None else np.zeros_like(group)
        null = _null(task, order, chosen, n_permutations, seed)
        found["null"] = ("metric", "permutation"), null
        reached = (null >= found["mean"].values[:, None]).sum(axis=1)
        found["p"] = "metric", (reached + 1) / (n_permutations + 1)
    facts = {"n_windows": n, "n_groups": int(group.max()) + 1, "n_bootstrap": n_bootstrap}
    return found.assign_coords({"class": classes}).assign_attrs(**facts, seed=seed)


def subjects_of(z: Any) -> NDArray[Any] | None:
    """Return whose windows those of a representation are, if of several people.

    Parameters
    ----------
    z : array-like
        As :func:`encode` gives it.

    Returns
    -------
    ndarray, shape (window,), or None
        The coordinate ``subject``; None where there is none, or one subject alone.

    Examples
    --------
    >>> z = xr.DataArray(np.ones((2, 1)), dims=("window", "feature"))
    >>> subjects_of(z.assign_coords(subject=("window", ["s1", "s2"]))).tolist()
    ['s1', 's2']
    """
    if "subject" not in getattr(z, "coords", ()):
        return None
    subject: NDArray[Any] = z["subject"].values
    return subject if np.unique(subject.astype(str)).size > 1 else None


def tokens_pooled(z: Any, n: int) -> NDArray[Any]:
    """Return a representation as one vector a window, tokens averaged.

    Parameters
    ----------
    z : array-like, shape (window, feature) or (window, token, feature)
        The representation.
    n : int
        How many windows there should be.

    Returns
    -------
    ndarray, shape (window, feature)
        In the precision of ``z``.

    Raises
    ------
    DataError
        Another shape or number of windows, or values that are not finite.

    Examples
    --------
    >>> tokens_pooled([[[1.0, 4.0], [3.0, 0.0]]], 1)
    array([[2., 2.]])
    """
    values = np.asarray(z)
    if values.ndim not in (2, 3) or not values.size:
        raise DataError(
            f"z has shape {values.shape}, expected (window, feature) or (window, token, feature)."
        )
    if len(values) != n:
        raise DataError(f"z has {len(values)} windows and there are {n} labels. Give one a window.")
    if values.ndim == 3:
        values = values.mean(axis=1)
    if values.dtype != np.float32:
        values = values.astype(np.float64)
    bad = ~np.isfinite(values).all(axis=1)
    if bad.any():
        raise DataError(
            f"z is not finite in {bad.sum()} of {n} windows, the first of them "
            f"{np.flatnonzero(bad)[0]}. Leave them out, or look for missing samples."
        )
    return values


class _Task(NamedTuple):
    """What is to be predicted, from what, and where."""

    label: Rows
    group: Rows
    folds: list[Fold]
    features: list[NDArray[Any]]  # one a fold


def _labels_of(z: Any) -> Any:
    if "label" not in getattr(z, "coords", ()):
        raise DataError("There are no labels: give y, or windows with labels to encode.")
    return z["label"].values


def _folds(cv: int | Iterable[Any], group: Rows, label: Rows) -> list[Fold]:
    if isinstance(cv, int | float | np.number):
        return by_group(group, label, arguments.whole("cv", cv, least=2))
    return given_folds(cv, group, label)


def _penalties(strengths: Sequence[float]) -> list[float]:
    found = sorted(arguments.positive("strength", c) for c in strengths)
    if not found:
        raise DataError("strengths is empty. Give one inverse penalty or several.")
    return found


def _strength(task: _Task, k: int, penalties: list[float]) -> float:
    """Choose the penalty of a fold by folds inside its training windows."""
    if len(penalties) == 1:
        return penalties[0]
    train = task.folds[k][0]
    group, label = np.unique(task.group[train], return_inverse=True)[1], task.label[train]
    if group.max() == 0:
        group = np.arange(group.size)
    try:
        inner = by_group(group, label, min(INNER_FOLDS, int(group.max()) + 1))
    except DataError as error:
        raise DataError(
            f"The penalty of fold {k} cannot be chosen inside its training windows: {error} Or "
            "give one value as strengths."
        ) from None
    loss = np.empty((len(penalties), label.size))
    for a, b in inner:
        for row, p in enumerate(_path(task.features[k], train[a], train[b], label[a], penalties)):
            loss[row, b] = -np.log(np.maximum(p[np.arange(b.size), label[b]], 1e-12))
    by_class = [loss[:, label == c].mean(axis=1) for c in np.unique(label)]
    return penalties[int(np.mean(by_class, axis=0).argmin())]


def _predicted(task: _Task, k: int, label: Rows, strength: float) -> Array:
    """Return the probabilities of a fold's test windows, of all classes."""
    train, test = task.folds[k]
    return _path(task.features[k], train, test, label[train], [strength])[0]


def _path(
    z: NDArray[Any], train: Rows, test: Rows, label: Rows, penalties: list[float]
) -> list[Array]:
    """Fit on some windows at each penalty, starting from the last, and predict others."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(z[train])
    seen, unseen = scaler.transform(z[train]), scaler.transform(z[test])
    model = LogisticRegression(warm_start=True, max_iter=1000, class_weight="balanced")
    out = []
    for strength in penalties:
        model.set_params(C=strength).fit(seen, label)
        out.append(model.predict_proba(unseen).astype(np.float64))
    return out


def _null(task: _Task, order: Rows, chosen: list[float], n: int, seed: int) -> Array:
    """Repeat the probe with labels that belong elsewhere."""
    rng = np.random.default_rng([seed, 1])
    out = []
    for _ in progress_bar(range(n), desc="permutations"):
        label = _moved(task.label, order, rng)
        probability = [_predicted(task, k, label, c) for k, c in enumerate(chosen)]
        out.append(mean_of_folds(fold_scores(probability, label, task.folds)))
    return np.stack(out, axis=1)


def _moved(label: Rows, order: Rows, rng: np.random.Generator) -> Rows:
    """Shift labels along the windows of each group, or exchange them between groups."""
    rows = [np.flatnonzero(order == g) for g in np.unique(order)]
    own = [np.unique(label[mine]).size == 1 for mine in rows]
    out = label.copy()
    if all(own):
        values = rng.permutation([label[mine[0]] for mine in rows])
        for mine, value in zip(rows, values, strict=True):
            out[mine] = value
    else:
        for mine in rows:
            out[mine] = np.roll(label[mine], rng.integers(mine.size))
    return out
