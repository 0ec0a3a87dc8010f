"""Eigendecompositions of centred features, and of the training sets inside them.

Everything that a ridge fit says follows from the smaller Gram matrix: of XᵀX = V diag(w) Vᵀ
when p < n (primal), of XXᵀ = U diag(w) Uᵀ otherwise (dual). The Gram matrices of folds are cut
out of the one of all samples (dual), or what the fold leaves out is subtracted (primal).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from neurokit.alignment.devices import Place, host

__all__ = ["Fold", "Gram", "Spectrum", "decompose", "decompose_fold", "gram_of", "is_plain"]

SVD_BELOW = 1e-9  # penalties smaller than this share of the top eigenvalue need an SVD
DOUBLE_BELOW = 1e-7  # and smaller than this one, double precision


@dataclass(frozen=True)
class Spectrum:
    """The centred features of a ridge problem, decomposed.

    Attributes
    ----------
    x : array, shape (samples, features)
        Features, centred when there is an intercept.
    x_mean : array, shape (features,)
        What was subtracted; zeros without an intercept.
    eigenvalues : ndarray of float64, shape (rank,)
        Of the smaller Gram matrix, not negative.
    vectors : array, shape (features, rank) or (samples, rank)
        Eigenvectors of the primal or the dual problem; with an intercept the dual leaves out
        the constant vector.
    scores : array, shape (samples, rank)
        ``x @ vectors`` in the primal, the vectors themselves in the dual.
    dual : bool
        Whether the Gram matrix is over samples.
    intercept : bool
        Whether an intercept is fitted.
    place : Place
        Device and precision of the arrays.
    """

    x: Any
    x_mean: Any
    eigenvalues: NDArray[np.float64]
    vectors: Any
    scores: Any
    dual: bool
    intercept: bool
    place: Place

    def project(self, x: Any) -> Any:
        """Express other samples in the basis in which a solution has its weights."""
        centred = self.place.put(x) - self.x_mean
        return (centred @ self.x.T if self.dual else centred) @ self.vectors

    def coefficients(self, weights: Any) -> Any:
        """Turn weights on the basis into coefficients, shape (features, targets)."""
        rotated = weights.T @ self.vectors.T
        return (rotated @ self.x if self.dual else rotated).T

    def mean_eigenvalue(self) -> float:
        """Return the mean eigenvalue, or 1 when all are zero.

        Zeros count: which eigenvalues rounding leaves above zero depends on the precision,
        while their sum does not.
        """
        mean = float(self.eigenvalues.mean()) if len(self.eigenvalues) else 0.0
        return mean if mean > 0 else 1.0


@dataclass(frozen=True)
class Gram:
    """The smaller Gram matrix of centred features.

    Attributes
    ----------
    x : array, shape (samples, features)
        Features, centred when there is an intercept.
    x_mean : array, shape (features,)
        What was subtracted.
    matrix : array, shape (features, features) or (samples, samples)
        The products.
    dual : bool
        Whether they are of samples.
    intercept : bool
        Whether an intercept is fitted.
    place : Place
        Device and precision.
    """

    x: Any
    x_mean: Any
    matrix: Any
    dual: bool
    intercept: bool
    place: Place


@dataclass(frozen=True)
class Fold:
    """A training set inside a ridge problem, decomposed, and its test samples.

    Attributes
    ----------
    eigenvalues : ndarray of float64, shape (rank,)
        As in :class:`Spectrum`.
    vectors : array, shape (features, rank) or (training samples, rank)
        As in :class:`Spectrum`.
    scores : array, shape (training samples, rank), or None
        As in :class:`Spectrum`; not there where targets are rotated by way of ``rest``.
    projected : array, shape (test samples, rank)
        Test samples in the basis.
    train, test : ndarray of int
        Rows of the two sides.
    rest : ndarray of int, or None
        Rows outside the training set, where products with the targets are had by subtraction.
    mean : array, shape (features,), or None
        Mean of the training samples, the problem's own mean being zero; primal only.
    """

    eigenvalues: NDArray[np.float64]
    vectors: Any
    scores: Any
    projected: Any
    train: NDArray[np.intp]
    test: NDArray[np.intp]
    rest: NDArray[np.intp] | None
    mean: Any


def gram_of(x: Any, intercept: bool, place: Place) -> Gram:
    """Centre features and multiply them.

    Parameters
    ----------
    x : array, shape (samples, features)
        Features.
    intercept : bool
        Whether to subtract the features' means first.
    place : Place
        Device and precision.

    Returns
    -------
    Gram
        Of samples when there are as many features or more: at p = n the dual residual does
        not cancel as y minus the fit does.

    Examples
    --------
    >>> gram_of(np.eye(2)[:, :1], False, Place("cpu", "float64")).matrix
    array([[1.]])
    """
    x = place.put(x)
    mean = x.mean(0) if intercept else 0 * x[0]
    centred = x - mean if intercept else x
    dual = x.shape[1] >= x.shape[0]
    matrix = centred @ centred.T if dual else centred.T @ centred
    return Gram(centred, mean, matrix, dual, intercept, place)


def decompose(gram: Gram, smallest_alpha: float = np.inf) -> Spectrum:
    """Decompose a Gram matrix.

    Parameters
    ----------
    gram : Gram
        From :func:`gram_of`; it is left as it is.
    smallest_alpha : float
        The smallest penalty that will be used. Eigenvalues of a Gram matrix are known to
        about the rounding error of the largest; where that is not small against the penalty,
        double precision is used, and then a singular value decomposition of the features.

    Returns
    -------
    Spectrum
        The decomposition.

    Examples
    --------
    >>> x = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]])
    >>> decompose(gram_of(x, False, Place("cpu", "float64"))).eigenvalues
    array([1., 4.])
    """
    values, vectors = _eigen(gram, gram.matrix, lambda: gram.x, smallest_alpha)
    scores = vectors if gram.dual else gram.x @ vectors
    return Spectrum(
        gram.x, gram.x_mean, values, vectors, scores, gram.dual, gram.intercept, gram.place
    )


def is_plain(spectrum: Spectrum, smallest_alpha: float) -> bool:
    """Say whether penalties are large enough for a Gram matrix in the precision of the place.

    Parameters
    ----------
    spectrum : Spectrum
        The decomposition.
    smallest_alpha : float
        The smallest penalty that will be used.

    Returns
    -------
    bool
        False in the hard cases of :func:`decompose`.

    Examples
    --------
    >>> spectrum = decompose(gram_of(np.eye(4), True, Place("cpu", "float32")))
    >>> is_plain(spectrum, 1e-3), is_plain(spectrum, 1e-8)
    (True, False)
    """
    share = SVD_BELOW if spectrum.place.dtype == "float64" else DOUBLE_BELOW
    return smallest_alpha >= share * float(spectrum.eigenvalues.max(initial=0))


def decompose_fold(
    gram: Gram, train: NDArray[np.intp], test: NDArray[np.intp], smallest_alpha: float = np.inf
) -> Fold:
    """Decompose the Gram matrix of some of the samples, and project others.

    Parameters
    ----------
    gram : Gram
        Of all samples.
    train, test : ndarray of int
        Rows of the two sides.
    smallest_alpha : float
        As for :func:`decompose`.

    Returns
    -------
    Fold
        The decomposition.

    Examples
    --------
    >>> gram = gram_of(np.eye(4)[:, :2], True, Place("cpu", "float64"))
    >>> decompose_fold(gram, np.array([0, 1, 2]), np.array([3])).projected.shape
    (1, 2)
    """
    return (_dual_fold if gram.dual else _primal_fold)(gram, train, test, smallest_alpha)


def _dual_fold(gram: Gram, train: NDArray[np.intp], test: NDArray[np.intp], least: float) -> Fold:
    """Cut the products of the samples of a fold out of those of all."""
    rows, held_out = gram.place.index(train), gram.place.index(test)
    inside, across = gram.matrix[rows][:, rows], gram.matrix[held_out][:, rows]
    if gram.intercept:
        # What is constant along the training samples of a row is orthogonal to the vectors.
        mean = inside.mean(0)
        across = across - mean
        inside = inside - mean
        inside -= inside.mean(1)[:, None]
    values, vectors = _eigen(gram, inside, lambda: _centred(gram, train)[0], least)
    return Fold(values, vectors, vectors, across @ vectors, train, test, None, None)


def _primal_fold(gram: Gram, train: NDArray[np.intp], test: NDArray[np.intp], least: float) -> Fold:
    """Take the products of what a fold leaves out from those of all."""
    place, (n, n_features) = gram.place, gram.x.shape
    rest = np.setdiff1d(np.arange(n), train)
    x, mean = _centred(gram, train)
    if len(rest) < len(train):
        left_out = gram.x[place.index(rest)]
        inside = gram.matrix - left_out.T @ left_out
        if gram.intercept:
            inside -= len(train) * mean[:, None] * mean
    else:
        inside = x.T @ x
    values, vectors = _eigen(gram, inside, lambda: x, least)
    projected = (gram.x[place.index(test)] - mean) @ vectors
    # Rotating the products with the targets is cheaper than rotating the samples where few
    # samples are left out of many.
    short = len(rest) + n_features < len(train)
    scores = None if short else x @ vectors
    return Fold(values, vectors, scores, projected, train, test, rest if short else None, mean)


def _centred(gram: Gram, train: NDArray[np.intp]) -> tuple[Any, Any]:
    """Return the features of some samples without their means, and the means."""
    x = gram.x[gram.place.index(train)]
    mean = x.mean(0) if gram.intercept else 0 * x[0]
    return x - mean, mean


def _eigen(
    gram: Gram, matrix: Any, features: Callable[[], Any], smallest_alpha: float
) -> tuple[NDArray[np.float64], Any]:
    """Decompose products of features, or in hard cases the features themselves."""
    place, n = gram.place, len(matrix)
    # Centred samples leave the constant vector without an eigenvalue. Given the largest one it
    # can be told apart and dropped; kept, it would cancel against the intercept's 1/n.
    lifted = gram.dual and gram.intercept
    lift = 2 * float(abs(matrix).sum(0).max()) + 1.0 if lifted else 0.0
    values, vectors = place.eigh(matrix + lift / n, place.dtype)
    top = values[-2] if lifted and n > 1 else values[-1]
    if smallest_alpha < SVD_BELOW * top:
        values, vectors = _singular(host(features()), gram.dual, lift)
    elif place.dtype != place.wide and smallest_alpha < DOUBLE_BELOW * top:
        x = place.put(features(), "float64")
        double = x @ x.T if gram.dual else x.T @ x
        values, vectors = place.eigh(double + lift / n, "float64")
    if lifted:
        values, vectors = values[:-1], vectors[:, :-1]
    return np.maximum(values, 0), place.put(vectors)


def _singular(
    x: NDArray[Any], dual: bool, lift: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return eigenvalues and vectors as :func:`_eigen` has them, without squaring ``x``."""
    x = x.astype(np.float64)
    if lift:
        x = np.column_stack([x, np.full(len(x), np.sqrt(lift / len(x)))])
    left, singular, right = scipy.linalg.svd(x, full_matrices=False, check_finite=False)
    vectors = left if dual else right.T
    return singular[::-1] ** 2, vectors[:, ::-1]
