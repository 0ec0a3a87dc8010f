"""Agreement of dissimilarity matrices.

All measures but Kendall's are inner products of transformed matrices. :func:`embed` transforms,
and any number of matrices are then compared by one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.stats
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.matrices import finite_array
from neurokit.errors import DataError, UnknownNameError

__all__ = ["METHODS", "Matrices", "agreement", "compare", "embed", "matrices"]

METHODS = (
    "pearson", "spearman", "rho-a", "tau-a", "tau-b", "cosine", "cosine_cov", "corr_cov",
)  # fmt: skip

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Matrices:
    """Dissimilarity matrices as rows of their upper triangles.

    Attributes
    ----------
    vectors : ndarray, shape (matrices, pairs)
        Upper triangles, row by row.
    n : int
        Number of stimuli.
    stimuli : ndarray, shape (n,), or None
        Their labels, if they have any.
    dim : str or None
        The dimension that counts the matrices; None for a single one.
    coords : dict
        Coordinates over that dimension.
    """

    vectors: Array
    n: int
    stimuli: NDArray | None
    dim: str | None
    coords: dict[str, Any]

    def square(self) -> Array:
        """Return the full symmetric matrices.

        Returns
        -------
        ndarray, shape (matrices, n, n)
            With a zero diagonal.

        Examples
        --------
        >>> matrices([1.0, 2.0, 3.0], "a").square()[0, 0]
        array([0., 1., 2.])
        """
        return squares(self.vectors, self.n)


def compare(
    a: ArrayLike | xr.DataArray, b: ArrayLike | xr.DataArray, method: str = "spearman"
) -> xr.DataArray:
    """Measure how well dissimilarity matrices agree.

    - ``"pearson"``, ``"spearman"``, ``"cosine"``: of the entries above the diagonal.
    - ``"rho-a"``: the mean of Spearman's ρ over all ways to break ties at random, which unlike
      ρ does not reward a model for tied predictions (Schütt et al. 2023, eLife 12:e82566).
    - ``"tau-a"``, ``"tau-b"``: Kendall's, without and with correction for ties, in O(n log n).
    - ``"cosine_cov"``, ``"corr_cov"``: cosine and correlation of entries whitened by the
      covariance that distances which share a stimulus have; the former equals the centred
      kernel alignment of the two geometries (Diedrichsen et al. 2020, arXiv 2007.02789).

    A constant matrix agrees with nothing: 0.

    Parameters
    ----------
    a, b : array-like or DataArray
        Matrices of shape (stimulus, stimulus_), stacks of them with one dimension more, or
        one upper triangle of shape (pairs,). Where both have labels, ``b`` is put into the
        order of ``a``.
    method : str
        One of the above.

    Returns
    -------
    DataArray
        One number for each matrix of ``a`` and each of ``b``, with their dimensions.

    Raises
    ------
    UnknownNameError, DataError
        An unknown method, matrices that are not symmetric, or of other stimuli.

    Examples
    --------
    >>> float(compare([1.0, 2.0, 3.0], [1.0, 3.0, 2.0], "tau-a").round(3))
    0.333
    """
    check_method(method)
    first, second = matrices(a, "a"), matrices(b, "b")
    second = align(first, second)
    values = agreement(first.vectors, second.vectors, method, first.n)
    dims = [first.dim, second.dim]
    if dims[0] is not None and dims[0] == dims[1]:
        dims[1] = f"{dims[1]}_"
    keep = [d for d in dims if d is not None]
    coords = dict(first.coords)
    for name, value in second.coords.items():
        coords.setdefault(str(dims[1]) if name == second.dim else name, (dims[1], value[1]))
    values = values.reshape([size for size, d in zip(values.shape, dims, strict=True) if d])
    return xr.DataArray(values, coords, keep, name="agreement", attrs={"method": method})


def agreement(a: Array, b: Array, method: str, n: int) -> Array:
    """Compare rows that are upper triangles.

    Parameters
    ----------
    a, b : ndarray, shape (matrices, pairs)
        Upper triangles.
    method : str
        As for :func:`compare`.
    n : int
        Number of stimuli; only the whitened methods need it.

    Returns
    -------
    ndarray, shape (matrices of a, matrices of b)
        Agreement.

    Examples
    --------
    >>> agreement(np.array([[1.0, 2, 3]]), np.array([[2.0, 4, 6]]), "cosine", 3).round(6)
    array([[1.]])
    """
    if method in ("tau-a", "tau-b"):
        return _kendall(a, b, method)
    return embed(a, method, n) @ embed(b, method, n).T


def embed(vectors: Array, method: str, n: int) -> Array:
    """Transform upper triangles so that their inner products are the agreement.

    Parameters
    ----------
    vectors : ndarray, shape (matrices, pairs)
        Upper triangles.
    method : str
        Any but Kendall's.
    n : int
        Number of stimuli.

    Returns
    -------
    ndarray, shape (matrices, entries)
        Entries are pairs, or for whitened methods all of the n x n.

    Examples
    --------
    >>> embed(np.array([[3.0, 4.0]]), "cosine", 0)
    array([[0.6, 0.8]])
    """
    if method in ("spearman", "rho-a"):
        vectors = scipy.stats.rankdata(vectors, axis=1)
    if method in ("pearson", "spearman", "rho-a", "corr_cov"):
        # Rounding of a constant must not count as variation.
        level = np.abs(vectors).max(axis=1, keepdims=True)
        vectors = vectors - vectors.mean(axis=1, keepdims=True)
        vectors[np.abs(vectors).max(axis=1) <= 1e-13 * level[:, 0]] = 0
    if method == "rho-a":
        m = vectors.shape[1]
        return vectors * np.sqrt(12 / max(m**3 - m, 1))
    if method in ("cosine_cov", "corr_cov"):
        vectors = kernels(squares(vectors, n)).reshape(len(vectors), -1)
    norm = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, norm, out=np.zeros_like(vectors), where=norm > 0)


def kernels(distances: Array) -> Array:
    """Turn squared distances into inner products of centred patterns.

    Parameters
    ----------
    distances : ndarray, shape (..., n, n)
        Squared distances.

    Returns
    -------
    ndarray, shape (..., n, n)
        -J D J / 2, where J removes the mean (Gower 1966).

    Examples
    --------
    >>> kernels(np.array([[0.0, 4.0], [4.0, 0.0]]))
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    rows = distances.mean(axis=-1, keepdims=True)
    everything = rows.mean(axis=-2, keepdims=True)
    return -0.5 * (distances - rows - rows.swapaxes(-1, -2) + everything)


def squares(vectors: Array, n: int) -> Array:
    """Return symmetric matrices of upper triangles.

    Parameters
    ----------
    vectors : ndarray, shape (matrices, pairs)
        Upper triangles, row by row.
    n : int
        Number of stimuli.

    Returns
    -------
    ndarray, shape (matrices, n, n)
        With a zero diagonal.

    Examples
    --------
    >>> squares(np.array([[5.0]]), 2)[0]
    array([[0., 5.],
           [5., 0.]])
    """
    rows, columns = np.triu_indices(n, 1)
    out = np.zeros((len(vectors), n, n))
    out[:, rows, columns] = vectors
    out[:, columns, rows] = vectors
    return out


def matrices(value: ArrayLike | xr.DataArray, what: str) -> Matrices:
    """Return dissimilarity matrices of any accepted form as upper triangles.

    Parameters
    ----------
    value : array-like or DataArray
        As for :func:`compare`.
    what : str
        How messages call it.

    Returns
    -------
    Matrices
        Upper triangles and labels.

    Raises
    ------
    DataError
        Another shape, matrices that are not symmetric, fewer than 3 stimuli, or missing values.

    Examples
    --------
    >>> matrices(np.ones((4, 3, 3)), "a").vectors.shape
    (4, 3)
    """
    array = finite_array(what, value, "…, stimulus", least=1).astype(np.float64)
    if array.ndim == 1:
        n = round((1 + np.sqrt(1 + 8 * array.size)) / 2)
        if n * (n - 1) // 2 != array.size or n < 3:
            raise DataError(
                f"{what} has {array.size} entries, which is no upper triangle: expected "
                "n (n - 1) / 2 for n of 3 or more stimuli."
            )
        return Matrices(array[None], n, None, None, {})
    n = array.shape[-1]
    if array.ndim > 3 or array.shape[-2] != n or n < 3:
        raise DataError(
            f"Expected {what} of shape (stimulus, stimulus) or (matrix, stimulus, stimulus) with "
            f"3 stimuli or more; got {array.shape}. Average or stack other dimensions first."
        )
    if not np.allclose(array, array.swapaxes(-1, -2), rtol=1e-4, atol=1e-5 * np.abs(array).max()):
        raise DataError(f"Expected {what} to hold symmetric matrices; entries differ across the "
                        "diagonal. Average with the transpose if that is meant.")  # fmt: skip
    rows, columns = np.triu_indices(n, 1)
    vectors = array.reshape(-1, n, n)[:, rows, columns]
    stacked = array.ndim == 3
    if not isinstance(value, xr.DataArray):
        return Matrices(vectors, n, None, "rdm" if stacked else None, {})
    last = value.dims[-1]
    labelled = [c.values for d in value.dims[-2:] if (c := value.coords.get(d)) is not None]
    dim = str(value.dims[0]) if stacked else None
    coords = {str(k): (dim, c.values) for k, c in value.coords.items() if c.dims == (dim,)}
    if len(labelled) == 2 and not np.array_equal(*labelled):
        raise DataError(f"The labels of rows and columns ({last!r}) of {what} differ.")
    return Matrices(vectors, n, labelled[0] if labelled else None, dim, coords)


def align(first: Matrices, second: Matrices) -> Matrices:
    """Put the stimuli of some matrices into the order of others.

    Parameters
    ----------
    first, second : Matrices
        The second is reordered if both have labels.

    Returns
    -------
    Matrices
        The second.

    Raises
    ------
    DataError
        Other stimuli, or another number of them.

    Examples
    --------
    >>> align(matrices([1.0, 2, 3], "a"), matrices([4.0, 5, 6], "b")).vectors
    array([[4., 5., 6.]])
    """
    if first.n != second.n:
        raise DataError(f"Expected as many stimuli in a as in b; got {first.n} and {second.n}.")
    ours, theirs = first.stimuli, second.stimuli
    if ours is None or theirs is None or np.array_equal(ours, theirs):
        return second
    place = {label: k for k, label in enumerate(theirs.tolist())}
    missing = [label for label in ours.tolist() if label not in place]
    if missing or len(place) != second.n:
        raise DataError(
            f"Expected the same stimuli in a and b; {len(missing)} of a are not in b"
            + (f" (first: {missing[0]!r})." if missing else ", where labels repeat.")
        )
    order = np.array([place[label] for label in ours.tolist()])
    rows, columns = np.triu_indices(first.n, 1)
    vectors = second.square()[:, order[rows], order[columns]]
    return Matrices(vectors, first.n, ours, second.dim, second.coords)


def check_method(method: str) -> None:
    """Refuse methods that do not exist.

    Parameters
    ----------
    method : str
        As given.

    Raises
    ------
    UnknownNameError
        If there is none of that name.

    Examples
    --------
    >>> check_method("tau")
    Traceback (most recent call last):
    neurokit.errors.UnknownNameError: Unknown method 'tau'. Did you mean 'tau-b'? Known: ...
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)


def _kendall(a: Array, b: Array, method: str) -> Array:
    """Compute Kendall's tau of each two rows by merge sort (Knight 1966)."""
    total = a.shape[1] * (a.shape[1] - 1) / 2
    untied_a, untied_b = (total - np.array([_ties(v) for v in side]) for side in (a, b))
    out = np.zeros((len(a), len(b)))
    for i, j in np.ndindex(out.shape):
        if untied_a[i] and untied_b[j]:
            out[i, j] = scipy.stats.kendalltau(a[i], b[j], method="asymptotic").statistic
    if method == "tau-a":
        out *= np.sqrt(np.outer(untied_a, untied_b)) / total
    return out


def _ties(vector: Array) -> int:
    """Count pairs of equal entries."""
    count = np.unique(vector, return_counts=True)[1].astype(np.int64)
    return int((count * (count - 1) // 2).sum())
