"""Folds that respect time and groups, and that check themselves.

Neighbouring samples of a recording resemble each other, and so do the samples of
one story, session or subject. Shuffled folds put near-copies of the test samples
into the training set; the folds made here do not.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import scipy.ndimage
from numpy.typing import ArrayLike, NDArray

from neurokit.arguments import whole
from neurokit.errors import DataError

__all__ = ["Cv", "Folds", "by_group", "check_folds", "chunked", "contiguous", "from_cv", "shuffled"]

Folds = list[tuple[NDArray[np.intp], NDArray[np.intp]]]
"""Pairs of (training, test) sample indices."""

Cv = int | Iterable[tuple[ArrayLike, ArrayLike]] | None
"""A number of folds, None for one group at a time, or folds as (training, test) indices."""


def contiguous(n: int, n_splits: int, gap: int = 0) -> Folds:
    """Cut a series into contiguous test blocks, with a gap on both sides of each.

    Parameters
    ----------
    n : int
        Number of samples, in order.
    n_splits : int
        Number of folds, at least 2. Block lengths differ by at most one sample.
    gap : int
        Samples on either side of the test block that are left out of the training
        set. At least the longest delay of the model, so that no training row
        contains a test sample.

    Returns
    -------
    list of (ndarray, ndarray)
        Training and test indices of each fold, both sorted.

    Raises
    ------
    DataError
        More folds than samples, or a gap that leaves a fold without training samples.

    Examples
    --------
    >>> for train, test in contiguous(6, 3, gap=1):
    ...     print(train, test)
    [3 4 5] [0 1]
    [0 5] [2 3]
    [0 1 2] [4 5]
    """
    n_splits = _check_n_splits(n_splits, n, "samples")
    if gap < 0:
        raise DataError(f"Expected a gap of 0 or more samples; got {gap}.")
    samples = np.arange(n)
    folds = []
    for test in np.array_split(samples, n_splits):
        keep = (samples < test[0] - gap) | (samples > test[-1] + gap)
        if not keep.any():
            raise DataError(
                f"A gap of {gap} samples leaves nothing to train on: {n} samples in "
                f"{n_splits} folds. Use a smaller gap or more folds."
            )
        folds.append((samples[keep], test))
    return check_folds(folds, n)


def by_group(groups: ArrayLike, n_splits: int | None = None) -> Folds:
    """Hold out whole groups: stories, runs, sessions or subjects.

    Parameters
    ----------
    groups : array-like, shape (samples,)
        The group of each sample.
    n_splits : int, optional
        Number of folds. By default each group is a fold of its own, in order of
        first appearance. With fewer folds than groups, the largest remaining group
        goes to the fold with the fewest samples; no chance is involved.

    Returns
    -------
    list of (ndarray, ndarray)
        Training and test indices of each fold, both sorted. No group is on both sides.

    Raises
    ------
    DataError
        Fewer than two groups, more folds than groups, or missing group labels.

    Examples
    --------
    >>> for train, test in by_group(["a", "a", "b", "c"], n_splits=2):
    ...     print(train, test)
    [2 3] [0 1]
    [0 1] [2 3]
    """
    codes, n_groups = group_codes(groups)
    n_splits = n_groups if n_splits is None else n_splits
    if n_groups < 2:
        raise DataError(
            f"Leaving groups out needs at least 2 groups; got {n_groups} over {codes.size} "
            "samples. Pass groups=None for contiguous folds."
        )
    if not 2 <= n_splits <= n_groups:
        raise DataError(
            f"Cannot make {n_splits} folds of {n_groups} groups. Use 2 to {n_groups} folds, or "
            "None to leave one group out at a time."
        )
    fold_of_group = _balance(np.bincount(codes, minlength=n_groups), n_splits)
    fold = fold_of_group[codes]
    folds = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(n_splits)]
    for train, test in folds:
        if np.intersect1d(codes[train], codes[test]).size:
            raise AssertionError("A group is in both the training and the test set.")
    return check_folds(folds, codes.size)


def chunked(n: int, chunk: int, n_splits: int, gap: int = 0, seed: int = 0) -> Folds:
    """Cut a series into short chunks of consecutive samples, and deal them to folds at random.

    Every fold then samples the whole series, at the price of more borders between training
    and test samples than :func:`contiguous` has: each is a place where neighbours leak,
    unless a gap at least as long as their resemblance keeps them apart.

    Parameters
    ----------
    n : int
        Number of samples, in order.
    chunk : int
        Samples in a chunk; the last one may be shorter.
    n_splits : int
        Number of folds, at least 2. Numbers of chunks differ by at most one.
    gap : int
        Samples on either side of each test chunk that are left out of the training set.
    seed : int
        Of the dealing.

    Returns
    -------
    list of (ndarray, ndarray)
        Training and test indices of each fold, both sorted.

    Raises
    ------
    DataError
        More folds than chunks, or a gap that leaves a fold without training samples.

    Examples
    --------
    >>> for train, test in chunked(8, 2, n_splits=2):
    ...     print(train, test)
    [4 5 6 7] [0 1 2 3]
    [0 1 2 3] [4 5 6 7]
    """
    n, chunk = whole("n", n, least=1), whole("chunk (samples)", chunk, least=1)
    gap = whole("gap (samples)", gap, least=0)
    n_chunks = -(-n // chunk)
    n_splits = _check_n_splits(n_splits, n_chunks, f"chunks of {chunk} samples")
    dealt = np.random.default_rng(seed).permutation(np.arange(n_chunks) % n_splits)
    fold = np.repeat(dealt, chunk)[:n]
    folds = []
    for k in range(n_splits):
        near = scipy.ndimage.maximum_filter1d(fold == k, 2 * gap + 1, mode="constant")
        if near.all():
            raise DataError(
                f"A gap of {gap} samples leaves nothing to train on between chunks of {chunk}. "
                "Use a smaller gap, longer chunks or more folds."
            )
        folds.append((np.flatnonzero(~near), np.flatnonzero(fold == k)))
    return check_folds(folds, n)


def shuffled(n: int, n_splits: int, seed: int = 0, *, allow_leakage: bool = False) -> Folds:
    """Deal single samples to folds at random, which must be asked for twice.

    Of a recording, or of sentences that follow each other, neighbours resemble each other
    whatever their content: a model that knows no more than the position of each sample then
    scores well (see :func:`~neurokit.alignment.leakage_report`). The right choice only where
    samples are independent: one response per stimulus, presented in random order.

    Parameters
    ----------
    n : int
        Number of samples.
    n_splits : int
        Number of folds, at least 2.
    seed : int
        Of the dealing.
    allow_leakage : bool
        Must be True: the caller knows that the samples are independent, or wants to show
        what happens when they are not.

    Returns
    -------
    list of (ndarray, ndarray)
        Training and test indices of each fold, both sorted.

    Raises
    ------
    DataError
        Leakage that was not allowed, or more folds than samples.

    Examples
    --------
    >>> [test.tolist() for _, test in shuffled(5, 2, allow_leakage=True)]
    [[2, 3, 4], [0, 1]]
    """
    n = whole("n", n, least=1)
    n_splits = _check_n_splits(n_splits, n, "samples")
    if allow_leakage is not True:
        raise DataError(
            f"Shuffled folds of {n} samples put neighbours of test samples into the training set: "
            "of a recording, position alone then predicts well. Use contiguous(n, n_splits, gap) "
            "or by_group(groups); pass allow_leakage=True only for independent samples."
        )
    parts = np.array_split(np.random.default_rng(seed).permutation(n), n_splits)
    return [(np.setdiff1d(np.arange(n), test), np.sort(test)) for test in parts]


def from_cv(n: int, cv: Cv, groups: ArrayLike | None = None, gap: int = 0) -> Folds:
    """Make the folds that a ``cv`` argument stands for, or check those it holds.

    Parameters
    ----------
    n : int
        Number of samples.
    cv : int, None, or iterable of (train, test)
        A number of folds: of whole groups with ``groups``, else of contiguous samples.
        ``None`` leaves one group out at a time. Index arrays are used as given.
    groups : array-like, shape (samples,), optional
        Run, story, session or subject of each sample.
    gap : int
        For :func:`contiguous`.

    Returns
    -------
    list of (ndarray, ndarray)
        Training and test indices of each fold.

    Raises
    ------
    DataError
        What :func:`contiguous`, :func:`by_group` and :func:`check_folds` refuse; ``None``
        without groups; a gap that nothing would use.

    Examples
    --------
    >>> [test.tolist() for _, test in from_cv(4, 2)]
    [[0, 1], [2, 3]]
    """
    number = int(cv) if isinstance(cv, int | np.integer) else None
    if gap and (groups is not None or number is None):
        raise DataError("A gap belongs to contiguous folds. Leave it out with groups or own folds.")
    if cv is not None and number is None:
        return check_folds(cv, n)  # type: ignore[arg-type]
    if groups is not None:
        labels = np.asarray(groups)
        if labels.shape != (n,):
            raise DataError(f"Expected groups of shape ({n},), one per sample; got {labels.shape}.")
        return by_group(labels, number)
    if number is None:
        raise DataError("cv=None leaves one group out at a time, and needs groups.")
    return contiguous(n, number, gap)


def check_folds(folds: Iterable[tuple[ArrayLike, ArrayLike]], n: int) -> Folds:
    """Check folds from any source, and return them as a list of index arrays.

    Parameters
    ----------
    folds : iterable of (array-like, array-like)
        Training and test indices, e.g. from a scikit-learn splitter's ``split``.
    n : int
        Number of samples they index.

    Returns
    -------
    list of (ndarray, ndarray)
        The same folds.

    Raises
    ------
    DataError
        No fold, an empty side, indices outside the data or repeated within a side, or
        a sample on both sides.

    Examples
    --------
    >>> check_folds([([0, 1], [1, 2])], 3)
    Traceback (most recent call last):
    neurokit.errors.DataError: Fold 0 has 1 sample in both the training and the test set (first: 1).
    """
    pairs = list(folds) if isinstance(folds, Iterable) else None
    if pairs is None or any(not isinstance(pair, tuple | list) or len(pair) != 2 for pair in pairs):
        raise DataError(
            f"Expected (train, test) pairs of index arrays; got a {type(folds).__name__}. With a "
            "scikit-learn splitter, pass list(splitter.split(x, y, groups))."
        )
    if not pairs:
        raise DataError("Expected at least one (train, test) fold; got none.")
    checked = [
        (_indices(train, n, k), _indices(test, n, k)) for k, (train, test) in enumerate(pairs)
    ]
    for k, (train, test) in enumerate(checked):
        shared = np.intersect1d(train, test)
        if shared.size:
            raise DataError(
                f"Fold {k} has {shared.size} sample{'s' if shared.size > 1 else ''} in both the "
                f"training and the test set (first: {shared[0]})."
            )
    return checked


def group_codes(groups: ArrayLike) -> tuple[NDArray[np.intp], int]:
    """Give each group a number, in order of first appearance.

    Parameters
    ----------
    groups : array-like, shape (samples,)
        The group of each sample; text, numbers or dates.

    Returns
    -------
    codes : ndarray of int, shape (samples,)
        The group of each sample, from 0.
    n_groups : int
        How many groups there are.

    Raises
    ------
    DataError
        Not one-dimensional, empty, or with missing labels.

    Examples
    --------
    >>> group_codes(["b", "a", "b"])
    (array([0, 1, 0]), 2)
    """
    import pandas as pd

    labels = np.asarray(groups)
    if labels.ndim != 1 or not labels.size:
        raise DataError(f"Expected groups of shape (samples,); got {labels.shape}.")
    codes, names = pd.factorize(labels)
    if (codes < 0).any():
        missing = np.flatnonzero(codes < 0)
        raise DataError(
            f"{missing.size} of {labels.size} samples have no group label (first: sample "
            f"{missing[0]}). Drop them, or give them a group."
        )
    return codes.astype(np.intp), len(names)


def _check_n_splits(n_splits: int, n_parts: int, parts: str) -> int:
    """Refuse numbers of folds that the parts of a series cannot fill."""
    if n_splits < 2:
        raise DataError(f"Expected at least 2 folds; got {n_splits}.")
    if n_splits > n_parts:
        raise DataError(
            f"Cannot cut {n_parts} {parts} into {n_splits} folds. Use at most {n_parts} folds."
        )
    return int(n_splits)


def _balance(sizes: NDArray[np.intp], n_splits: int) -> NDArray[np.intp]:
    """Assign groups to folds so that folds have similar numbers of samples."""
    if n_splits == sizes.size:
        return np.arange(n_splits)
    fold_of_group = np.empty(sizes.size, dtype=np.intp)
    load = np.zeros(n_splits, dtype=np.intp)
    for group in np.argsort(-sizes, kind="stable"):
        fold_of_group[group] = lightest = int(np.argmin(load))
        load[lightest] += sizes[group]
    return fold_of_group


def _indices(side: ArrayLike, n: int, fold: int) -> NDArray[np.intp]:
    """Return one side of a fold as checked indices."""
    index = np.asarray(side)
    if index.dtype == bool:
        if index.shape != (n,):
            raise DataError(f"Fold {fold} has a mask of shape {index.shape}; expected ({n},).")
        index = np.flatnonzero(index)
    if index.ndim != 1 or not index.size:
        raise DataError(f"Fold {fold} has an empty side: got indices of shape {index.shape}.")
    if not np.issubdtype(index.dtype, np.integer):
        raise DataError(f"Fold {fold} has indices of type {index.dtype}; expected integers.")
    if index.min() < 0 or index.max() >= n:
        raise DataError(
            f"Fold {fold} has indices from {index.min()} to {index.max()}, outside the {n} samples."
        )
    if np.unique(index).size != index.size:
        raise DataError(f"Fold {fold} repeats a sample within its training or test set.")
    return index.astype(np.intp)
