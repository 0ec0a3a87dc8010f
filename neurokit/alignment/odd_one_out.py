"""Odd-one-out choices that an embedding predicts, and how well they match the choices made."""

from __future__ import annotations

import numpy as np
import scipy.special
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.matrices import finite_array
from neurokit.arguments import positive
from neurokit.errors import DataError, UnknownNameError

__all__ = [
    "check_probabilities",
    "check_triplets",
    "choice_probabilities",
    "odd_one_out_score",
    "pair_similarities",
]

Array = NDArray[np.float64]

SIMILARITIES = ("dot", "cosine")

_BLOCK = 1 << 22  # numbers that are gathered at once


def pair_similarities(
    embedding: ArrayLike | xr.DataArray, triplets: ArrayLike, similarity: str = "dot"
) -> Array:
    """Return how alike the two others are when each object of a triplet is left out.

    Parameters
    ----------
    embedding : array-like or DataArray, shape (object, feature)
        Features of all objects.
    triplets : array-like of int, shape (n, 3)
        Numbers of objects.
    similarity : str
        ``"dot"`` product or ``"cosine"``.

    Returns
    -------
    ndarray, shape (n, 3)
        Column k is the similarity of the pair without object k.

    Raises
    ------
    UnknownNameError, DataError
        An unknown similarity, or triplets that do not fit.

    Examples
    --------
    >>> pair_similarities([[1.0, 0], [1, 0], [0, 2]], [[0, 1, 2]])
    array([[0., 0., 1.]])
    """
    if similarity not in SIMILARITIES:
        raise UnknownNameError("similarity", similarity, SIMILARITIES)
    values = finite_array("embedding", embedding, "object, feature", least=3)
    rows = check_triplets(triplets, len(values))
    if similarity == "cosine":
        norm = np.linalg.norm(values, axis=1, keepdims=True)
        values = np.divide(values, norm, out=np.zeros_like(values), where=norm > 0)
    out = np.empty((len(rows), 3))
    step = max(1, _BLOCK // values.shape[1])
    for start in range(0, len(rows), step):
        a, b, c = (values[k] for k in rows[start : start + step].T)
        for column, (one, two) in enumerate(((b, c), (a, c), (a, b))):
            out[start : start + step, column] = np.einsum("np,np->n", one, two)
    return out


def choice_probabilities(
    embedding: ArrayLike | xr.DataArray,
    triplets: ArrayLike,
    *,
    similarity: str = "dot",
    temperature: float = 1.0,
) -> Array:
    """Return the probability with which each object of a triplet is the odd one out.

    The softmax over the three pairs: the pair that is most alike stays, and its third is odd
    (Hebart et al. 2020, Nat. Hum. Behav. 4:1173, eq. 1).

    Parameters
    ----------
    embedding : array-like or DataArray, shape (object, feature)
        Features of all objects.
    triplets : array-like of int, shape (n, 3)
        Numbers of objects.
    similarity : str
        ``"dot"`` or ``"cosine"``.
    temperature : float
        Similarities are divided by it.

    Returns
    -------
    ndarray, shape (n, 3)
        Rows sum to 1.

    Raises
    ------
    UnknownNameError, DataError
        An unknown similarity, a temperature that is not above 0, or triplets that do not fit.

    Examples
    --------
    >>> choice_probabilities([[1.0, 0], [1, 0], [0, 2]], [[0, 1, 2]]).round(2)
    array([[0.21, 0.21, 0.58]])
    """
    scale = positive("temperature", temperature)
    alike = pair_similarities(embedding, triplets, similarity)
    return np.asarray(scipy.special.softmax(alike / scale, axis=1))


def odd_one_out_score(
    embedding: ArrayLike | xr.DataArray,
    triplets: ArrayLike,
    *,
    similarity: str = "dot",
    temperature: float = 1.0,
) -> xr.Dataset:
    """Score an embedding by the odd-one-out choices of people or animals.

    Parameters
    ----------
    embedding : array-like or DataArray, shape (object, feature)
        Features of all objects.
    triplets : array-like of int, shape (n, 3)
        Numbers of objects, the chosen odd one last.
    similarity : str
        ``"dot"`` or ``"cosine"``.
    temperature : float
        Of the probabilities in the logarithmic loss; the accuracy does not depend on it.

    Returns
    -------
    Dataset
        ``accuracy``, the share of triplets whose odd one is predicted (ties are shared: chance
        is 1/3), and ``log_loss``, the mean of -ln p of the choice (of a uniform guess: ln 3).
        Attributes name both levels of chance.

    Raises
    ------
    UnknownNameError, DataError
        An unknown similarity, a temperature that is not above 0, or triplets that do not fit.

    Examples
    --------
    >>> out = odd_one_out_score([[1.0, 0], [1, 0], [0, 2]], [[0, 1, 2], [2, 0, 1]])
    >>> out.accuracy.item()
    0.5
    """
    scale = positive("temperature", temperature)
    alike = pair_similarities(embedding, triplets, similarity)
    best = alike.max(axis=1, keepdims=True)
    # Rounding must not decide between pairs that are equally alike.
    winners = alike >= best - 1e-6 * np.abs(alike).max(axis=1, keepdims=True)
    chosen = winners[:, 2] / winners.sum(axis=1)
    loss = -scipy.special.log_softmax(alike / scale, axis=1)[:, 2]
    return xr.Dataset(
        {"accuracy": ((), chosen.mean()), "log_loss": ((), loss.mean())},
        attrs={
            "similarity": similarity,
            "temperature": scale,
            "n_triplets": len(alike),
            "chance_accuracy": 1 / 3,
            "chance_log_loss": float(np.log(3)),
        },
    )


def check_triplets(triplets: ArrayLike, n_objects: int | None = None) -> NDArray[np.int64]:
    """Return triplets as integers, or say what is wrong with them.

    Parameters
    ----------
    triplets : array-like of int, shape (n, 3)
        Numbers of objects.
    n_objects : int, optional
        How many objects there are.

    Returns
    -------
    ndarray of int, shape (n, 3)
        The same.

    Raises
    ------
    DataError
        Another shape, no integers, an object that does not exist, or one twice in a triplet.

    Examples
    --------
    >>> check_triplets([[0, 1, 1]])
    Traceback (most recent call last):
    neurokit.errors.DataError: 1 of 1 triplets hold an object twice (first: row 0, [0, 1, 1]).
    """
    rows = np.asarray(triplets)
    if rows.ndim != 2 or rows.shape[1] != 3 or not len(rows) or rows.dtype.kind not in "iu":
        raise DataError(
            f"Expected triplets of shape (n, 3), whole numbers; got {rows.shape}, {rows.dtype}."
        )
    top = np.inf if n_objects is None else n_objects
    outside = (rows < 0) | (rows >= top)
    if outside.any():
        raise DataError(
            f"{int(outside.any(axis=1).sum())} triplets name objects from {rows.min()} to "
            f"{rows.max()}; there are {n_objects}, counted from 0."
        )
    a, b, c = rows.T
    twice = np.flatnonzero((a == b) | (a == c) | (b == c))
    if twice.size:
        raise DataError(
            f"{twice.size} of {len(rows)} triplets hold an object twice (first: row {twice[0]}, "
            f"{rows[twice[0]].tolist()})."
        )
    return rows.astype(np.int64)


def check_probabilities(probabilities: ArrayLike, n: int) -> Array:
    """Return probabilities of choices, or say what is wrong with them.

    Parameters
    ----------
    probabilities : array-like, shape (n, 3)
        Probability that each object of a triplet is the odd one.
    n : int
        How many triplets there are.

    Returns
    -------
    ndarray, shape (n, 3)
        The same, in double precision.

    Raises
    ------
    DataError
        Another shape, negative entries, or rows that do not sum to 1.

    Examples
    --------
    >>> check_probabilities([[0.2, 0.3, 0.5]], 1)
    array([[0.2, 0.3, 0.5]])
    """
    soft = finite_array("probabilities", probabilities, "triplet, object", least=1)
    if soft.shape != (n, 3):
        raise DataError(f"Expected probabilities of shape ({n}, 3); got {soft.shape}.")
    total = soft.sum(axis=1)
    if (soft < 0).any() or not np.allclose(total, 1, atol=1e-4):
        raise DataError(
            f"Expected probabilities of 0 or more whose rows sum to 1; got {soft.min():.3g} or "
            f"more, and rows that sum to {total.min():.3g} to {total.max():.3g}."
        )
    return soft.astype(np.float64)
