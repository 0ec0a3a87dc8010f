"""Ridge regression in the spectral domain: one eigendecomposition, any penalty, any target.

With centred features X (n, p) and targets Y (n, v), everything below follows from the
eigendecomposition of the smaller Gram matrix: of XᵀX = V diag(w) Vᵀ when p < n (primal),
of XXᵀ = U diag(w) Uᵀ otherwise (dual). A penalty α only rescales the rotated targets,
so all penalties and all targets share it, and the (p, v) coefficients need not exist.
All arithmetic is in float64: squaring the features' condition number leaves no room
for less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.splits import Folds
from neurokit.errors import DataError, UnknownNameError

__all__ = ["Problem", "Solution", "Spectrum", "edge_message", "prepare", "solve", "target_blocks"]

Array = NDArray[np.float64]
Selection = Literal["gcv", "loo", "kfold", "hybrid"]

SELECTIONS = ("gcv", "loo", "kfold", "hybrid")
FOLDED = ("kfold", "hybrid")  # selections that need inner folds
AUTO_GRID = np.logspace(-4, 4, 17)
TARGET_BLOCK = 2048  # targets at a time: bounds the float64 working memory
SVD_BELOW = 1e-9  # penalties smaller than this share of the top eigenvalue need an SVD


@dataclass(frozen=True)
class Spectrum:
    """The centred features of a ridge problem, decomposed.

    Attributes
    ----------
    x : ndarray, shape (samples, features)
        Features, centred when there is an intercept.
    x_mean : ndarray, shape (features,)
        What was subtracted; zeros without an intercept.
    eigenvalues : ndarray, shape (rank,)
        Of the smaller Gram matrix, not negative.
    vectors : ndarray, shape (features, rank) or (samples, rank)
        Eigenvectors of the primal or the dual problem; with an intercept the dual leaves out
        the constant vector.
    scores : ndarray, shape (samples, rank)
        ``x @ vectors`` in the primal, the vectors themselves in the dual.
    dual : bool
        Whether the Gram matrix is over samples.
    intercept : bool
        Whether an intercept is fitted.
    """

    x: Array
    x_mean: Array
    eigenvalues: Array
    vectors: Array
    scores: Array
    dual: bool
    intercept: bool

    def project(self, x: Array) -> Array:
        """Express other samples in the basis in which :class:`Solution` has its weights."""
        centred = x - self.x_mean
        return (centred @ self.x.T if self.dual else centred) @ self.vectors

    def coefficients(self, weights: Array) -> Array:
        """Turn weights on the basis into coefficients, shape (features, targets)."""
        rotated = self.vectors @ weights
        return self.x.T @ rotated if self.dual else rotated

    def mean_eigenvalue(self) -> float:
        """Return the mean of the eigenvalues that are not zero, or 1 when all are."""
        top = self.eigenvalues.max(initial=0.0)
        kept = self.eigenvalues > top * max(self.x.shape) * np.finfo(float).eps
        return float(self.eigenvalues[kept].mean()) if kept.any() else 1.0


@dataclass(frozen=True)
class Problem:
    """A ridge problem that waits for targets.

    Attributes
    ----------
    spectrum : Spectrum
        Of all training samples.
    alphas : ndarray, shape (penalties,)
        The grid.
    selection : {"gcv", "loo", "kfold", "hybrid"}
        How each target chooses from the grid.
    inner : list of (Spectrum, ndarray, ndarray, ndarray)
        For ``"kfold"`` and ``"hybrid"``: the decomposition of each inner training set, the
        projected inner test samples, and the indices of both.
    """

    spectrum: Spectrum
    alphas: Array
    selection: str
    inner: list[tuple[Spectrum, Array, NDArray[np.intp], NDArray[np.intp]]]


@dataclass(frozen=True)
class Solution:
    """The fit of some targets.

    Attributes
    ----------
    chosen : ndarray of int, shape (targets,)
        Index of each target's penalty in the grid.
    weights : ndarray, shape (rank, targets)
        Weights on the basis of the :class:`Spectrum`.
    y_mean : ndarray, shape (targets,)
        Training mean, zeros without an intercept.
    error : ndarray, shape (targets,)
        The criterion at each target's penalty; the smaller the better.
    """

    chosen: NDArray[np.intp]
    weights: Array
    y_mean: Array
    error: Array


def prepare(
    x: ArrayLike,
    alphas: ArrayLike | Literal["auto"] = "auto",
    selection: str = "gcv",
    folds: Folds | None = None,
    fit_intercept: bool = True,
) -> Problem:
    """Do the work of a ridge fit that does not depend on the targets.

    Parameters
    ----------
    x : array-like, shape (samples, features)
        Features.
    alphas : array-like or "auto"
        Penalties, all positive. ``"auto"`` is the mean non-zero eigenvalue of the
        Gram matrix times ``logspace(-4, 4, 17)``: a grid that follows the features.
    selection : {"gcv", "loo", "kfold", "hybrid"}
        Criterion by which each target chooses its penalty.
    folds : list of (ndarray, ndarray), optional
        Inner folds, needed by ``"kfold"`` and ``"hybrid"``.
    fit_intercept : bool
        Whether to centre features and targets by their training means.

    Returns
    -------
    Problem
        To be given to :func:`solve`.

    Raises
    ------
    UnknownNameError
        A selection that does not exist.
    DataError
        Penalties that are not positive and finite, or inner folds that are needed and missing.

    Examples
    --------
    >>> prepare(np.eye(3)[:, :2], alphas=[1.0, 2.0]).spectrum.dual
    False
    """
    if selection not in SELECTIONS:
        raise UnknownNameError("selection", selection, SELECTIONS)
    x = np.asarray(x, dtype=np.float64)
    given = None if isinstance(alphas, str) and alphas == "auto" else _check_alphas(alphas)
    smallest = np.inf if given is None else float(given.min())
    spectrum = decompose(x, fit_intercept, smallest)
    grid = spectrum.mean_eigenvalue() * AUTO_GRID if given is None else given
    inner = []
    if selection in FOLDED:
        if not folds:
            raise DataError(f"selection={selection!r} needs inner folds; got none.")
        for train, test in folds:
            part = decompose(x[train], fit_intercept, float(grid.min()))
            inner.append((part, part.project(x[test]), train, test))
    return Problem(spectrum, grid, selection, inner)


def decompose(x: Array, fit_intercept: bool = True, smallest_alpha: float = np.inf) -> Spectrum:
    """Decompose the smaller Gram matrix of the features.

    Parameters
    ----------
    x : ndarray, shape (samples, features)
        Features.
    fit_intercept : bool
        Whether to subtract the features' means first.
    smallest_alpha : float
        The smallest penalty that will be used. Eigenvalues of a Gram matrix are known to
        about 1e-16 of the largest; where that is not small against the penalty, a
        singular value decomposition of the features is used instead.

    Returns
    -------
    Spectrum
        The decomposition.

    Examples
    --------
    >>> decompose(np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]), False).eigenvalues
    array([1., 4.])
    """
    n, p = x.shape
    x_mean = x.mean(axis=0) if fit_intercept else np.zeros(p)
    centred = x - x_mean if fit_intercept else x
    dual = p >= n  # at p = n the dual residual does not cancel as y minus the fit does
    gram = centred @ centred.T if dual else centred.T @ centred
    # Centred samples leave the constant vector without an eigenvalue. Given the largest one it
    # can be told apart and dropped; kept, it would cancel against the intercept's 1/n.
    lift = 2 * np.abs(gram).sum(axis=0).max() + 1.0 if dual and fit_intercept else 0.0
    gram += lift / n
    values, vectors = scipy.linalg.eigh(gram, driver="evd", overwrite_a=True, check_finite=False)
    top = values[-2] if lift and n > 1 else values[-1]
    if smallest_alpha < SVD_BELOW * top:
        values, vectors = _singular(centred, dual, lift)
    if lift:
        values, vectors = values[:-1], vectors[:, :-1]
    scores = vectors if dual else centred @ vectors
    return Spectrum(centred, x_mean, np.maximum(values, 0), vectors, scores, dual, fit_intercept)


def solve(problem: Problem, y: ArrayLike) -> Solution:
    """Choose a penalty for each target and fit it.

    Parameters
    ----------
    problem : Problem
        From :func:`prepare`.
    y : array-like, shape (samples, targets)
        Targets of the training samples.

    Returns
    -------
    Solution
        Predictions for other samples are ``problem.spectrum.project(x) @ weights + y_mean``.

    Examples
    --------
    >>> problem = prepare([[0.0], [1.0], [2.0]], alphas=[1e-6])
    >>> solution = solve(problem, [[1.0], [3.0], [5.0]])
    >>> (problem.spectrum.project(np.array([[3.0]])) @ solution.weights + solution.y_mean).round(3)
    array([[7.]])
    """
    y = np.asarray(y, dtype=np.float64)
    spectrum = problem.spectrum
    y_mean = y.mean(axis=0) if spectrum.intercept else np.zeros(y.shape[1])
    centred = y - y_mean
    rotated = spectrum.scores.T @ centred
    grid = np.arange(len(problem.alphas))[:, None]
    if problem.selection == "kfold":
        errors = _kfold_errors(problem, y, grid)
    elif problem.selection == "loo":
        errors = _loo_errors(spectrum, centred, rotated, problem.alphas)
    else:
        errors = _gcv_errors(spectrum, centred, rotated, problem.alphas)
    chosen = errors.argmin(axis=0)
    if problem.selection == "hybrid":
        near = np.clip(chosen + np.array([[-1], [0], [1]]), 0, len(grid) - 1)
        errors = _kfold_errors(problem, y, near)
        chosen = np.take_along_axis(near, errors.argmin(axis=0)[None], axis=0)[0]
    gain = 1 / (spectrum.eigenvalues[:, None] + problem.alphas)
    return Solution(chosen, gain[:, chosen] * rotated, y_mean, errors.min(axis=0))


def target_blocks(n_targets: int) -> Iterator[slice]:
    """Cut targets into blocks small enough for float64 working copies.

    Parameters
    ----------
    n_targets : int
        Number of targets.

    Yields
    ------
    slice
        The targets of one block.

    Examples
    --------
    >>> list(target_blocks(3))
    [slice(0, 3, None)]
    """
    for start in range(0, n_targets, TARGET_BLOCK):
        yield slice(start, min(start + TARGET_BLOCK, n_targets))


def edge_message(chosen: Sequence[NDArray[np.intp]], n_alphas: int) -> str | None:
    """Say so when the penalty grid was too narrow for the targets.

    Parameters
    ----------
    chosen : sequence of ndarray of int
        Indices of the chosen penalties, in ascending order of penalty.
    n_alphas : int
        Size of the grid.

    Returns
    -------
    str or None
        A warning when 5 % or more of the choices lie on an edge of a grid of three or
        more penalties.

    Examples
    --------
    >>> edge_message([np.array([1, 1, 2])], 5) is None
    True
    """
    flat = np.concatenate(chosen)
    low, high = int((flat == 0).sum()), int((flat == n_alphas - 1).sum())
    if n_alphas < 3 or low + high < 0.05 * flat.size:
        return None
    return (
        f"Penalty grid edge: of {flat.size} chosen penalties, {low} are the smallest and {high} "
        "the largest of the grid. Targets without signal go to the largest by nature; "
        "otherwise widen `alphas`."
    )


def _singular(x: Array, dual: bool, lift: float) -> tuple[Array, Array]:
    """Return eigenvalues and vectors as :func:`decompose` has them, without squaring ``x``."""
    if lift:
        x = np.column_stack([x, np.full(len(x), np.sqrt(lift / len(x)))])
    left, singular, right = scipy.linalg.svd(x, full_matrices=False, check_finite=False)
    vectors = left if dual else right.T
    return singular[::-1] ** 2, vectors[:, ::-1]


def _gcv_errors(spectrum: Spectrum, y: Array, rotated: Array, alphas: Array) -> Array:
    """Score all penalties by generalised cross-validation (Golub, Heath & Wahba 1979, eq. 1.4).

    The residual sum of squares of every penalty and target is one product on the squared
    rotated targets.
    """
    w = spectrum.eigenvalues[:, None]
    keep = alphas / (w + alphas)
    if spectrum.dual:
        rss = (keep**2).T @ rotated**2
        freedom = keep.sum(axis=0)
    else:
        # ‖y‖² - Σ s(2 - s) z² with s = w/(w+α) and z² = rotated²/w, free of the division by w.
        explained = ((1 + keep) / (w + alphas)).T @ rotated**2
        rss = np.maximum(np.einsum("nv,nv->v", y, y) - explained, 0)
        freedom = len(y) - spectrum.intercept - len(w) + keep.sum(axis=0)
    return rss / freedom[:, None] ** 2


def _loo_errors(spectrum: Spectrum, y: Array, rotated: Array, alphas: Array) -> Array:
    """Score all penalties by the exact leave-one-out mean squared error.

    The error of a left-out sample is its residual over 1 - h, h being the diagonal of the
    hat matrix with 1/n for the intercept (Allen 1974; Rifkin & Lippert 2007, section 4).
    """
    w = spectrum.eigenvalues
    squared = spectrum.scores**2
    errors = np.empty((len(alphas), y.shape[1]))
    for k, alpha in enumerate(alphas):
        if spectrum.dual:
            # The residual itself is smooth in the dual; y minus the fit would cancel.
            keep = alpha / (w + alpha)
            residual, left = spectrum.scores @ (keep[:, None] * rotated), squared @ keep
        else:
            gain = 1 / (w + alpha)
            residual = y - spectrum.scores @ (gain[:, None] * rotated)
            left = 1 - spectrum.intercept / len(y) - squared @ gain
        residual /= left[:, None]
        errors[k] = np.einsum("nv,nv->v", residual, residual) / len(y)
    return errors


def _kfold_errors(problem: Problem, y: Array, tried: NDArray[np.intp]) -> Array:
    """Score penalties by the mean squared error of each inner fold, averaged over folds.

    Rows of ``tried`` are indices of penalties, one for all targets or one for each.
    """
    errors = np.zeros((len(tried), y.shape[1]))
    for spectrum, projected, train, test in problem.inner:
        y_mean = y[train].mean(axis=0) if spectrum.intercept else np.zeros(y.shape[1])
        rotated = spectrum.scores.T @ (y[train] - y_mean)
        held_out = y[test] - y_mean
        for k, alpha in enumerate(problem.alphas[tried]):
            gain = 1 / (spectrum.eigenvalues[:, None] + alpha)
            # One penalty for all is cheaper to apply to the samples than to the targets.
            shared = gain.shape[1] == 1
            left, right = (projected * gain.T, rotated) if shared else (projected, gain * rotated)
            residual = held_out - left @ right
            errors[k] += np.einsum("nv,nv->v", residual, residual) / len(test)
    return errors / len(problem.inner)


def _check_alphas(alphas: ArrayLike | str) -> Array:
    """Return the penalties in ascending order, or say what is wrong with them."""
    if isinstance(alphas, str):
        raise UnknownNameError("alphas", alphas, ["auto"])
    try:
        grid = np.atleast_1d(np.asarray(alphas, dtype=np.float64))
    except (TypeError, ValueError):
        grid = np.empty(0)
    if grid.ndim != 1 or not grid.size or not (np.isfinite(grid) & (grid > 0)).all():
        raise DataError(f"Expected positive, finite alphas of shape (penalties,); got {alphas!r}.")
    return np.sort(grid)
