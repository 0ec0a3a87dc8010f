"""Triplets of objects, as odd-one-out tasks use them: drawn, judged, and split by object.

A row holds the numbers of three objects; once judged, the odd one out is last.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.matrices import finite_array
from neurokit.alignment.odd_one_out import check_triplets, choice_probabilities
from neurokit.alignment.splits import Folds, check_folds
from neurokit.arguments import whole
from neurokit.errors import DataError

__all__ = ["cluster_triplets", "object_folds", "simulate_choices", "uniform_triplets"]

Triplets = NDArray[np.int64]

# Row k of this table puts object k last and keeps the order of the others.
_ODD_LAST = np.array([[1, 2, 0], [0, 2, 1], [0, 1, 2]])


def uniform_triplets(objects: int | ArrayLike, n_triplets: int, seed: int = 0) -> Triplets:
    """Draw triplets of distinct objects, each as likely as any other.

    Parameters
    ----------
    objects : int or array-like of int
        How many objects there are, or the numbers of those to draw from, such as the
        training objects.
    n_triplets : int
        How many; the same triplet may come twice.
    seed : int
        Of the draws.

    Returns
    -------
    ndarray of int, shape (n_triplets, 3)
        Numbers of objects.

    Raises
    ------
    DataError
        Fewer than three objects, or objects that repeat.

    Examples
    --------
    >>> uniform_triplets([4, 7, 9], 2).shape
    (2, 3)
    """
    pool = np.asarray(objects)
    pool = np.arange(whole("objects", objects, least=3)) if pool.ndim == 0 else pool
    if pool.ndim != 1 or len(pool) < 3 or len(np.unique(pool)) < len(pool):
        raise DataError(f"Expected 3 distinct objects or more; got {len(np.unique(pool))}.")
    rng = np.random.default_rng(seed)
    count = whole("n_triplets", n_triplets, least=1)
    # Without replacement: draw from ever fewer, then step over those that are taken.
    first, second, third = (rng.integers(len(pool) - k, size=count) for k in range(3))
    second += second >= first
    low, high = np.minimum(first, second), np.maximum(first, second)
    third += third >= low
    third += third >= high
    return pool[np.column_stack([first, second, third])].astype(np.int64)


def cluster_triplets(
    features: ArrayLike | xr.DataArray, n_triplets: int, n_clusters: int = 500, seed: int = 0
) -> Triplets:
    """Draw triplets of two objects of one cluster and one of another.

    Among many objects, uniform triplets hardly ever hold two that are alike, so they say little
    about fine differences. Clusters are those of k-means on a teacher's features (Muttenthaler
    et al. 2025, Nature, Methods, "triplet sampling"; 500 clusters of ImageNet there).

    Parameters
    ----------
    features : array-like or DataArray, shape (object, feature)
        The teacher's features.
    n_triplets : int
        How many.
    n_clusters : int
        Of k-means. Clusters of a single object can only give the odd one.
    seed : int
        Of k-means and of the draws.

    Returns
    -------
    ndarray of int, shape (n_triplets, 3)
        Numbers of objects; the one of another cluster is last, which the teacher may judge
        otherwise.

    Raises
    ------
    DataError
        Fewer objects than clusters, or no cluster of two.

    Examples
    --------
    >>> features = np.repeat([[0.0], [5.0]], 3, axis=0)
    >>> triplets = cluster_triplets(features, 4, n_clusters=2)
    >>> np.unique(triplets[:, 0] // 3 == triplets[:, 1] // 3).tolist()
    [True]
    """
    from sklearn.cluster import MiniBatchKMeans

    values = finite_array("features", features, "object, feature", least=3)
    k = whole("n_clusters", n_clusters, least=2)
    count = whole("n_triplets", n_triplets, least=1)
    if k >= len(values):
        raise DataError(f"Expected fewer clusters than the {len(values)} objects; got {k}.")
    size = max(1024, 2 * k)
    kmeans = MiniBatchKMeans(k, random_state=seed, n_init=1, batch_size=size)
    cluster = kmeans.fit_predict(values)
    sizes = np.bincount(cluster, minlength=k)
    if sizes.max() < 2 or np.count_nonzero(sizes) < 2:
        raise DataError(f"No pair of objects shares one of {k} clusters. Use fewer clusters.")
    # Members lie next to each other, so a draw within a cluster is a draw of a place.
    members, start = np.argsort(cluster, kind="stable"), np.cumsum(sizes) - sizes
    rng = np.random.default_rng(seed)
    home = rng.choice(np.flatnonzero(sizes > 1), size=count)
    first = rng.integers(sizes[home])
    second = rng.integers(sizes[home] - 1)
    second += second >= first
    other = rng.integers(len(values) - sizes[home])
    other = np.where(other >= start[home], other + sizes[home], other)
    places = np.column_stack([start[home] + first, start[home] + second, other])
    return members[places].astype(np.int64)


def simulate_choices(
    embedding: ArrayLike | xr.DataArray,
    triplets: ArrayLike,
    *,
    similarity: str = "dot",
    temperature: float = 1.0,
    seed: int = 0,
) -> Triplets:
    """Let a noisy observer choose the odd one of each triplet.

    With an embedding that was fitted to people's choices, such as SPoSE's for the THINGS
    objects at temperature 1 (Hebart et al. 2020, Nat. Hum. Behav. 4:1173, eq. 1), this simulates
    people; scored with the same embedding, the choices give the ceiling.

    Parameters
    ----------
    embedding : array-like or DataArray, shape (object, feature)
        What the observer knows of the objects.
    triplets : array-like of int, shape (n, 3)
        Triplets, in any order.
    similarity : str
        ``"dot"`` or ``"cosine"``.
    temperature : float
        Of the softmax; 0 would be no noise.
    seed : int
        Of the choices.

    Returns
    -------
    ndarray of int, shape (n, 3)
        The same triplets with the odd one last.

    Raises
    ------
    UnknownNameError, DataError
        An unknown similarity, or triplets that do not fit.

    Examples
    --------
    >>> embedding = 9 * np.array([[1.0, 0], [0, 1], [1, 0]])
    >>> simulate_choices(embedding, [[0, 1, 2]])
    array([[0, 2, 1]])
    """
    values = finite_array("embedding", embedding, "object, feature", least=3)
    rows = check_triplets(triplets, len(values))
    odd = choice_probabilities(values, rows, similarity=similarity, temperature=temperature)
    below = np.random.default_rng(seed).random(len(rows))[:, None] > odd.cumsum(axis=1)[:, :2]
    return np.take_along_axis(rows, _ODD_LAST[below.sum(axis=1)], axis=1)


def object_folds(triplets: ArrayLike, n_splits: int = 5, seed: int = 0) -> Folds:
    """Split triplets so that test triplets hold only objects that no training triplet holds.

    Triplets with objects of both kinds are left out, by far the most of them for the test:
    of uniform triplets in s folds, 1 in s³ is in a test set.

    Parameters
    ----------
    triplets : array-like of int, shape (n, 3)
        Numbers of objects.
    n_splits : int
        Parts that the objects are dealt into at random.
    seed : int
        Of the dealing.

    Returns
    -------
    list of (ndarray, ndarray)
        Rows of training and test triplets of each fold.

    Raises
    ------
    DataError
        Triplets that are none, or too few to leave a fold any.

    Examples
    --------
    >>> triplets = uniform_triplets(30, 2000)
    >>> train, test = object_folds(triplets, 2)[0]
    >>> np.intersect1d(triplets[train], triplets[test])
    array([], dtype=int64)
    """
    rows = check_triplets(triplets)
    objects = np.unique(rows)
    splits = whole("n_splits", n_splits, least=2)
    part = np.full(int(objects[-1]) + 1, -1)
    part[objects] = np.random.default_rng(seed).permutation(np.arange(len(objects)) % splits)
    parts = part[rows]
    folds = [
        (np.flatnonzero((parts != k).all(axis=1)), np.flatnonzero((parts == k).all(axis=1)))
        for k in range(splits)
    ]
    sizes = [(len(train), len(test)) for train, test in folds]
    if min(map(min, sizes)) == 0:
        raise DataError(
            f"{len(rows)} triplets of {len(objects)} objects leave a fold of {splits} without "
            f"training or test triplets; got (train, test) of {sizes}. Use fewer folds."
        )
    return check_folds(folds, len(rows))
