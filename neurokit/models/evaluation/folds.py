"""Folds of windows by group, checked before anything is fitted.

Those of :mod:`neurokit.alignment.splits` even out the numbers of samples; these keep neighbouring
groups together and every class in training.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from neurokit.errors import DataError

__all__ = ["Fold", "by_group", "class_numbers", "given_folds", "group_numbers"]

Rows = NDArray[np.intp]
Fold = tuple[Rows, Rows]


def class_numbers(y: ArrayLike, n: int) -> tuple[NDArray[Any], Rows]:
    """Give each class of some windows a number.

    Parameters
    ----------
    y : array-like, shape (window,)
        A class a window: numbers or text.
    n : int
        How many windows there are.

    Returns
    -------
    classes : ndarray
        What each number means, sorted.
    label : ndarray of int, shape (window,)
        The number of each window's class.

    Raises
    ------
    DataError
        Another number of labels, missing ones, one class only, or as many classes as windows.

    Examples
    --------
    >>> class_numbers(["rest", "task", "rest"], 3)[1]
    array([0, 1, 0])
    """
    if not n:
        raise DataError("There are no labels. Give y an array with the class of each window.")
    labels = _column("labels", y, n)
    classes, label = np.unique(labels, return_inverse=True)
    if classes.size < 2:
        raise DataError(
            f"All {n} windows have the label {classes.tolist()[0]!r}. A probe needs two classes or "
            "more."
        )
    if classes.size > max(2, n // 2):
        raise DataError(
            f"{n} windows have {classes.size} different labels, which look like numbers to "
            "predict rather than classes. Cut them into classes first."
        )
    return classes, label


def group_numbers(groups: ArrayLike | None, n: int) -> Rows:
    """Give each group of some windows a number, in their sorted order.

    Parameters
    ----------
    groups : array-like, shape (window,), or None
        What may not be on both sides of a split, such as the subject. None makes each window
        a group of its own.
    n : int
        How many windows there are.

    Returns
    -------
    ndarray of int, shape (window,)
        The number of each window's group.

    Raises
    ------
    DataError
        Another number of groups, or missing ones.

    Examples
    --------
    >>> group_numbers(["s2", "s1", "s2"], 3)
    array([1, 0, 1])
    """
    if groups is None:
        return np.arange(n)
    return np.unique(_column("groups", groups, n), return_inverse=True)[1]


def by_group(group: Rows, label: Rows, n_folds: int) -> list[Fold]:
    """Deal whole groups to folds.

    Groups are dealt in their order, a stretch of them to each fold, so that windows that are
    each a group of their own become contiguous blocks. Where each group has one class alone, as
    patients and controls do, the groups of each class are dealt in turn.

    Parameters
    ----------
    group, label : ndarray of int, shape (window,)
        Of each window.
    n_folds : int
        How many.

    Returns
    -------
    list of (train, test)
        Rows of windows.

    Raises
    ------
    DataError
        Fewer groups than folds, or a class that is missing in a training fold.

    Examples
    --------
    >>> folds = by_group(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 0, 1, 0, 1]), 3)
    >>> [test.tolist() for train, test in folds]
    [[0, 1], [2, 3], [4, 5]]
    """
    n_groups = int(group.max()) + 1
    if n_groups < n_folds:
        raise DataError(
            f"Cannot make {n_folds} folds of {n_groups} groups, such as subjects: no group is on "
            f"both sides. Give cv={n_groups} or less, or groups= of other things, such as "
            "recordings or np.arange(n)."
        )
    fold = _dealt(group, label, n_groups, n_folds)
    where = fold[group]
    return _checked(
        [(np.flatnonzero(where != k), np.flatnonzero(where == k)) for k in range(n_folds)], label
    )


def given_folds(cv: Iterable[Any], group: Rows, label: Rows) -> list[Fold]:
    """Take folds as the caller gives them, if they are clean.

    Parameters
    ----------
    cv : iterable of (train, test)
        Rows of windows, or boolean masks over them.
    group, label : ndarray of int, shape (window,)
        Of each window.

    Returns
    -------
    list of (train, test)
        Rows of windows.

    Raises
    ------
    DataError
        A group on both sides, a window tested twice, an empty side, a row that does not
        exist, or a class that is missing in a training fold.

    Examples
    --------
    >>> group, label = np.array([0, 0, 1]), np.array([0, 1, 0])
    >>> given_folds([([0, 1], [2])], group, label)
    [(array([0, 1]), array([2]))]
    """
    try:
        pairs = [(train, test) for train, test in cv]
    except (TypeError, ValueError):
        raise DataError(
            "cv is neither a number of folds nor a list of (train, test) rows."
        ) from None
    folds = [(_rows(a, label.size), _rows(b, label.size)) for a, b in pairs]
    if not folds:
        raise DataError("cv is an empty list of folds.")
    for place, (train, test) in enumerate(folds):
        if np.intersect1d(group[train], group[test]).size:
            raise DataError(
                f"Fold {place} has windows of one group in train and in test. Split by group."
            )
    tested = np.concatenate([test for _, test in folds])
    if np.unique(tested).size < tested.size:
        raise DataError("Some windows are tested in several folds. Test each window once.")
    return _checked(folds, label)


def _checked(folds: list[Fold], label: Rows) -> list[Fold]:
    """Refuse folds from which nothing can be learnt."""
    classes = np.unique(label)
    for place, (train, test) in enumerate(folds):
        if not train.size or not test.size:
            side = "train" if not train.size else "test"
            raise DataError(f"Fold {place} of {len(folds)} has no window to {side} on.")
        missing = np.setdiff1d(classes, label[train])
        if missing.size:
            raise DataError(
                f"The training windows of fold {place} of {len(folds)} lack class "
                f"{missing[0]} of {classes.size}. Use folds or groups that hold all classes."
            )
    return folds


def _dealt(group: Rows, label: Rows, n_groups: int, n_folds: int) -> Rows:
    """Return the fold of each group."""
    first = np.full(n_groups, label.max() + 1)
    last = np.full(n_groups, -1)
    np.minimum.at(first, group, label)
    np.maximum.at(last, group, label)
    place = np.arange(n_groups)
    if group.size == n_groups or not np.array_equal(first, last):
        return place * n_folds // n_groups
    fold = np.empty(n_groups, dtype=np.intp)
    fold[np.argsort(first, kind="stable")] = place % n_folds
    return fold


def _column(what: str, values: ArrayLike, n: int) -> NDArray[Any]:
    if isinstance(values, str):
        raise DataError(
            f"{what} is the text {values!r}. Give one a window, such as win.groups({values!r})."
        )
    column = np.asarray(values)
    if column.shape != (n,):
        raise DataError(f"Got {what} of shape {column.shape} for {n} windows. Give one a window.")
    if pd.isna(column).any():
        raise DataError(f"Some {what} are missing. Leave those windows out first.")
    return column.astype(np.str_) if column.dtype.kind == "O" else column


def _rows(rows: Any, n: int) -> Rows:
    found = np.asarray(rows)
    if found.dtype == bool and found.shape == (n,):
        return np.flatnonzero(found)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        raise DataError(f"Rows of a fold have shape {found.shape}, expected a list of integers.")
    if found.size and not (found.min() >= 0 and found.max() < n):
        raise DataError(f"A fold names row {found.max()}, but there are {n} windows.")
    return np.unique(found.astype(np.intp))
