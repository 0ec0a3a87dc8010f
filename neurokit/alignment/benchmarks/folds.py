"""From a definition's folds to indices: what trains, what is tested, and what chooses the layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from neurokit.alignment import splits
from neurokit.errors import DataError, UnknownNameError

if TYPE_CHECKING:
    from neurokit.catalog.benchmarks import Folds

__all__ = ["Split", "inner_fits", "make_split", "make_split_of"]

Index = NDArray[np.intp]
_FEW = 4  # folds, below which the training sets of two folds share too little to choose a layer


@dataclass(frozen=True)
class Split:
    """Folds, and how they came about.

    Attributes
    ----------
    folds : list of (ndarray, ndarray)
        Training and test presentations.
    groups : ndarray or None
        Run, story or passage of each presentation.
    text : str
        The split in words.
    """

    folds: splits.Folds
    groups: NDArray | None
    text: str


def make_split(wanted: Folds, presentations: xr.DataArray, reach: int = 0, seed: int = 0) -> Split:
    """Make the folds that a definition asks for.

    Parameters
    ----------
    wanted : Folds
        Of the definition.
    presentations : DataArray
        Responses, whose first dimension has the coordinates that `wanted` names.
    reach : int
        Longest delay in presentations; gaps are at least as long.
    seed : int
        Of dealt chunks and shuffles.

    Returns
    -------
    Split
        The folds.

    Raises
    ------
    UnknownNameError
        A grouping coordinate that the responses do not have.
    DataError
        Too few groups or presentations.

    Examples
    --------
    >>> from neurokit.catalog.benchmarks import Folds
    >>> make_split(Folds(kind="contiguous", n=2), xr.DataArray(np.zeros((10, 1)))).text
    '2 contiguous folds'
    """
    n = presentations.shape[0]
    groups = _groups(wanted.group, presentations) if wanted.group else None
    gap = max(wanted.gap, reach)
    beside = f" with a gap of {gap} presentations" if gap else ""
    if wanted.kind == "group" and groups is not None:
        folds = splits.by_group(groups, wanted.n)
        return Split(folds, groups, f"{len(folds)} folds, each of whole groups by {wanted.group}")
    if wanted.kind == "given":
        return Split([_given(wanted, groups)], groups, f"{wanted.group} {', '.join(wanted.test)}")
    assert wanted.n is not None
    if wanted.kind == "contiguous":
        folds = splits.contiguous(n, wanted.n, gap)
        return Split(folds, groups, f"{wanted.n} contiguous folds{beside}")
    if wanted.kind == "chunked":
        folds = splits.chunked(n, wanted.chunk, wanted.n, gap, seed)
        text = f"{wanted.n} folds of chunks of {wanted.chunk} presentations{beside}"
        return Split(folds, groups, text)
    if wanted.share is None:
        folds = splits.shuffled(n, wanted.n, seed, allow_leakage=True)
        return Split(folds, groups, f"{wanted.n} shuffled folds")
    folds = _drawn(n, wanted.n, wanted.share, seed)
    return Split(folds, groups, f"{wanted.n} random test sets of {100 * wanted.share:g} %")


def inner_fits(split: Split, reach: int = 2) -> list[tuple[Index, list[tuple[int, Index]]]]:
    """Plan the fits that choose a layer for each fold from its training presentations alone.

    Two folds share one fit: trained on what trains both, it is scored on the one's test
    presentations for the other.

    Parameters
    ----------
    split : Split
        The outer folds.
    reach : int
        Each fold shares fits with this many folds on either side of it, and so gets twice as
        many inner scores.

    Returns
    -------
    list of (ndarray, list of (int, ndarray))
        Training presentations of a fit, and for which outer folds it is scored on which
        presentations. Neither holds a test presentation of that outer fold.

    Examples
    --------
    >>> split = make_split_of(splits.contiguous(12, 4))
    >>> train, scored = inner_fits(split)[0]
    >>> train.tolist(), [(k, test.tolist()) for k, test in scored]
    ([6, 7, 8, 9, 10, 11], [(0, [3, 4, 5]), (1, [0, 1, 2])])
    """
    n_folds = len(split.folds)
    if n_folds < _FEW:
        return _inside(split)
    steps = range(1, reach + 1)
    pairs = {tuple(sorted((k, (k + step) % n_folds))) for step in steps for k in range(n_folds)}
    fits = []
    for a, b in sorted(pairs):
        (train_a, test_a), (train_b, test_b) = split.folds[a], split.folds[b]
        train = np.intersect1d(train_a, train_b)
        scored = [(a, np.intersect1d(test_b, train_a)), (b, np.intersect1d(test_a, train_b))]
        fits.append((train, [(k, test) for k, test in scored if len(test) > 2]))
    return [fit for fit in fits if len(fit[0]) > 2 and fit[1]] or _inside(split)


def make_split_of(folds: splits.Folds, groups: NDArray | None = None) -> Split:
    """Wrap folds that exist already.

    Parameters
    ----------
    folds : list of (ndarray, ndarray)
        Training and test indices.
    groups : ndarray, optional
        Group of each presentation.

    Returns
    -------
    Split
        The same.
    """
    return Split(folds, groups, f"{len(folds)} folds as given")


def _inside(split: Split) -> list[tuple[Index, list[tuple[int, Index]]]]:
    """Cut each training set by itself, by groups where it has several."""
    fits = []
    for k, (train, _) in enumerate(split.folds):
        groups = np.zeros(len(train)) if split.groups is None else split.groups[train]
        n_groups = splits.group_codes(groups)[1]
        if n_groups > 1:
            inner = splits.by_group(groups, min(_FEW, n_groups))
        else:
            inner = splits.contiguous(len(train), min(_FEW, len(train)))
        fits += [(train[a], [(k, train[b])]) for a, b in inner]
    return fits


def _groups(name: str, presentations: xr.DataArray) -> NDArray:
    dim = presentations.dims[0]
    known = [str(key) for key, coord in presentations.coords.items() if coord.dims == (dim,)]
    if name not in known:
        raise UnknownNameError("coordinate of the presentations", name, known)
    return np.asarray(presentations[name].values)


def _given(wanted: Folds, groups: NDArray | None) -> tuple[Index, Index]:
    assert groups is not None
    held = np.isin(groups.astype(str), wanted.test)
    if held.all() or not held.any():
        raise DataError(
            f"Expected some presentations with {wanted.group} {', '.join(wanted.test)} and some "
            f"without; there are {held.sum()} of {len(held)}."
        )
    return np.flatnonzero(~held), np.flatnonzero(held)


def _drawn(n: int, n_folds: int, share: float, seed: int) -> splits.Folds:
    rng = np.random.default_rng(seed)
    size = max(1, round(n * share))
    orders = [rng.permutation(n) for _ in range(n_folds)]
    return splits.check_folds([(np.sort(o[size:]), np.sort(o[:size])) for o in orders], n)
