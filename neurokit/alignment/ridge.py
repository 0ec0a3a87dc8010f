"""Ridge regression in the spectral domain: one eigendecomposition, any penalty, any target.

With the features decomposed (see :mod:`~neurokit.alignment.spectra`), a penalty α only
rescales the rotated targets, so all penalties and all targets share the decomposition, and
the (features, targets) coefficients need not exist. Inputs in double precision are computed
in it throughout; of inputs in single precision the matrix products are single, while
eigenvalues, degrees of freedom and the errors summed over folds are double.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.deletion import Deletion, deleted_errors, deletions
from neurokit.alignment.devices import host, place_for
from neurokit.alignment.spectra import Fold, Gram, Spectrum, decompose, decompose_fold, gram_of
from neurokit.alignment.splits import Folds
from neurokit.errors import DataError, UnknownNameError

__all__ = [
    "Problem",
    "Solution",
    "Spectrum",
    "check_alphas",
    "edge_message",
    "prepare",
    "problem_of",
    "solve",
    "target_blocks",
]

Array = NDArray[np.float64]

SELECTIONS = ("gcv", "loo", "kfold", "hybrid")
FOLDED = ("kfold", "hybrid")  # selections that need inner folds
AUTO_GRID = np.logspace(-4, 4, 17)
TARGET_BLOCK = 2048  # targets at a time: bounds the working memory, and stays in cache


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
    inner : list of Fold
        For ``"kfold"`` and ``"hybrid"``: the inner training sets, decomposed.
    deleted : list of Deletion
        Or what gives their errors from the spectrum of all samples.
    """

    spectrum: Spectrum
    alphas: Array
    selection: str
    inner: list[Fold]
    deleted: list[Deletion]

    @property
    def crossed(self) -> bool:
        """Whether some fold wants the products of features with targets."""
        return any(fold.rest is not None for fold in self.inner)

    def lean(self) -> Problem:
        """Return the problem without what only projections and coefficients need."""
        if self.crossed:
            return self
        return replace(self, spectrum=replace(self.spectrum, x=None, vectors=None))


@dataclass(frozen=True)
class Solution:
    """The fit of some targets.

    Attributes
    ----------
    chosen : ndarray of int, shape (targets,)
        Index of each target's penalty in the grid.
    weights : array, shape (rank, targets)
        Weights on the basis of the :class:`Spectrum`.
    y_mean : ndarray, shape (targets,)
        Training mean, zeros without an intercept.
    error : ndarray, shape (targets,)
        The criterion at each target's penalty; the smaller the better.
    """

    chosen: NDArray[np.intp]
    weights: Any
    y_mean: NDArray[Any]
    error: Array


def prepare(
    x: ArrayLike,
    alphas: ArrayLike | Literal["auto"] = "auto",
    selection: str = "gcv",
    folds: Folds | None = None,
    fit_intercept: bool = True,
    device: str = "cpu",
) -> Problem:
    """Do the work of a ridge fit that does not depend on the targets.

    Parameters
    ----------
    x : array-like, shape (samples, features)
        Features. Their precision is the one of the arithmetic.
    alphas : array-like or "auto"
        Penalties, all positive. ``"auto"`` is the mean eigenvalue of the
        Gram matrix times ``logspace(-4, 4, 17)``: a grid that follows the features.
    selection : {"gcv", "loo", "kfold", "hybrid"}
        Criterion by which each target chooses its penalty.
    folds : list of (ndarray, ndarray), optional
        Inner folds, needed by ``"kfold"`` and ``"hybrid"``.
    fit_intercept : bool
        Whether to centre features and targets by their training means.
    device : str
        Where to compute, see :func:`~neurokit.alignment.devices.place_for`.

    Returns
    -------
    Problem
        To be given to :func:`solve`.

    Raises
    ------
    UnknownNameError
        A selection or device that does not exist.
    DataError
        Penalties that are not positive and finite, or inner folds that are needed and missing.

    Examples
    --------
    >>> prepare(np.eye(3)[:, :2], alphas=[1.0, 2.0]).spectrum.dual
    False
    """
    if selection not in SELECTIONS:
        raise UnknownNameError("selection", selection, SELECTIONS)
    given = None if isinstance(alphas, str) and alphas == "auto" else check_alphas(alphas)
    if selection in FOLDED and not folds:
        raise DataError(f"selection={selection!r} needs inner folds; got none.")
    x = np.asarray(x)
    gram = gram_of(x, fit_intercept, place_for(device, x))
    return problem_of(gram, given, selection, folds)


def problem_of(gram: Gram, alphas: Array | None, selection: str, folds: Folds | None) -> Problem:
    """Decompose a Gram matrix, and the inner folds where the selection uses any.

    Parameters
    ----------
    gram : Gram
        Of the features.
    alphas : ndarray, shape (penalties,), or None
        The grid, ascending; without it the one that follows the eigenvalues.
    selection : {"gcv", "loo", "kfold", "hybrid"}
        Criterion.
    folds : list of (ndarray, ndarray), or None
        Inner folds.

    Returns
    -------
    Problem
        To be given to :func:`solve`.

    Examples
    --------
    >>> gram = gram_of(np.eye(4), True, place_for("cpu", np.eye(4)))
    >>> len(problem_of(gram, None, "gcv", None).alphas)
    17
    """
    spectrum = decompose(gram, np.inf if alphas is None else float(alphas.min()))
    grid = spectrum.mean_eigenvalue() * AUTO_GRID if alphas is None else alphas
    parts = (folds or []) if selection in FOLDED else []
    least = float(grid.min())
    deleted = deletions(spectrum, parts, grid)
    inner = [] if deleted else [decompose_fold(gram, *fold, least) for fold in parts]
    return Problem(spectrum, grid, selection, inner, deleted)


def solve(problem: Problem, y: Any) -> Solution:
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
    spectrum, place = problem.spectrum, problem.spectrum.place
    y = place.put(y)
    y_mean = y.mean(0) if spectrum.intercept else 0 * y[0]
    centred = y - y_mean
    cross = _cross(problem, centred)
    rotated = spectrum.scores.T @ centred if cross is None else spectrum.vectors.T @ cross
    if problem.selection == "kfold":
        tried = np.arange(len(problem.alphas))[:, None]
        errors = _kfold_errors(problem, centred, rotated, cross, tried)
    elif problem.selection == "loo":
        errors = _loo_errors(spectrum, centred, rotated, problem.alphas)
    else:
        errors = _gcv_errors(spectrum, centred, rotated, problem.alphas)
    chosen = host(errors.argmin(0))
    if problem.selection == "hybrid":
        near = np.clip(chosen + np.array([[-1], [0], [1]]), 0, len(problem.alphas) - 1)
        errors = _kfold_errors(problem, centred, rotated, cross, near)
        chosen = near[host(errors.argmin(0)), np.arange(near.shape[1])]
    error = host(errors).min(axis=0).astype(np.float64)
    penalty = place.put(spectrum.eigenvalues)[:, None] + place.put(problem.alphas[chosen])
    return Solution(chosen, rotated / penalty, host(y_mean), error)


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


def check_alphas(alphas: ArrayLike | str) -> Array:
    """Return penalties in ascending order, or say what is wrong with them.

    Parameters
    ----------
    alphas : array-like, shape (penalties,), or float
        Penalties.

    Returns
    -------
    ndarray of float64, shape (penalties,)
        The same, sorted.

    Raises
    ------
    UnknownNameError
        A word other than ``"auto"``, which callers treat themselves.
    DataError
        Penalties that are not positive and finite, or none.

    Examples
    --------
    >>> check_alphas([10.0, 1.0])
    array([ 1., 10.])
    """
    if isinstance(alphas, str):
        raise UnknownNameError("alphas", alphas, ["auto"])
    try:
        grid = np.atleast_1d(np.asarray(alphas, dtype=np.float64))
    except (TypeError, ValueError):
        grid = np.empty(0)
    if grid.ndim != 1 or not grid.size or not (np.isfinite(grid) & (grid > 0)).all():
        raise DataError(f"Expected positive, finite alphas of shape (penalties,); got {alphas!r}.")
    return np.sort(grid)


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


def _cross(problem: Problem, y: Any) -> Any:
    """Multiply features with targets, where some fold wants the products."""
    if not problem.crossed:
        return None
    return problem.spectrum.x.T @ y


def _gcv_errors(spectrum: Spectrum, y: Any, rotated: Any, alphas: Array) -> Any:
    """Score all penalties by generalised cross-validation (Golub, Heath & Wahba 1979, eq. 1.4).

    The residual sum of squares of every penalty and target is one product on the squared
    rotated targets.
    """
    place, w = spectrum.place, spectrum.eigenvalues[:, None]
    keep = alphas / (w + alphas)
    if spectrum.dual:
        rss = place.put((keep**2).T) @ (rotated * rotated)
        freedom = keep.sum(axis=0)
    else:
        # ‖y‖² - Σ s(2 - s) z² with s = w/(w+α) and z² = rotated²/w, free of the division by w.
        # Only the smallest penalty's is had by subtraction; what others add to it is a sum of
        # positive terms, so that rounding does not choose among penalties.
        share = (1 + keep) / (w + alphas)
        share[:, 1:] = share[:, :1] - share[:, 1:]
        terms = place.put(share.T) @ (rotated * rotated)
        least = (place.square_sum(y) - terms[0]).clip(0)
        terms[0] = 0
        rss = least + terms
        freedom = len(y) - spectrum.intercept - len(w) + keep.sum(axis=0)
    return rss / place.put(freedom[:, None] ** 2, place.wide)


def _loo_errors(spectrum: Spectrum, y: Any, rotated: Any, alphas: Array) -> Any:
    """Score all penalties by the exact leave-one-out mean squared error.

    The error of a left-out sample is its residual over 1 - h, h being the diagonal of the
    hat matrix with 1/n for the intercept (Allen 1974; Rifkin & Lippert 2007, section 4).
    """
    place, w = spectrum.place, spectrum.eigenvalues
    squared = host(spectrum.scores).astype(np.float64) ** 2
    errors = place.zeros((len(alphas), y.shape[1]))
    for k, alpha in enumerate(alphas):
        gain = alpha / (w + alpha) if spectrum.dual else 1 / (w + alpha)
        residual = (spectrum.scores * place.put(gain)) @ rotated
        left = squared @ gain
        if not spectrum.dual:
            # The residual itself is smooth in the dual; y minus the fit would cancel.
            residual -= y
            left = 1 - spectrum.intercept / len(y) - left
        residual /= place.put(left[:, None])
        errors[k] = place.square_sum(residual) / len(y)
    return errors


def _kfold_errors(
    problem: Problem, y: Any, rotated: Any, cross: Any, tried: NDArray[np.intp]
) -> Any:
    """Score penalties by the mean squared error of each inner fold, averaged over folds.

    Rows of ``tried`` are indices of penalties, one for all targets or one for each.
    """
    if problem.deleted:
        return deleted_errors(problem.spectrum, problem.deleted, rotated, problem.alphas, tried)
    place = problem.spectrum.place
    errors = place.zeros((len(tried), y.shape[1]))
    for fold in problem.inner:
        inside, held_out = _sides(problem, fold, y, cross)
        w = place.put(fold.eigenvalues)[:, None]
        for k, alpha in enumerate(problem.alphas[tried]):
            gain = 1 / (w + place.put(alpha))
            # One penalty for all is cheaper to apply to the samples than to the targets.
            if gain.shape[1] == 1:
                residual = (fold.projected * gain.T) @ inside
            else:
                residual = fold.projected @ (gain * inside)
            residual -= held_out
            errors[k] += place.square_sum(residual) / (len(fold.test) * len(problem.inner))
    return errors


def _sides(problem: Problem, fold: Fold, y: Any, cross: Any) -> tuple[Any, Any]:
    """Return the rotated targets of an inner training set, and the targets it has to predict."""
    place, intercept = problem.spectrum.place, problem.spectrum.intercept
    if fold.rest is None:
        inside = y[place.index(fold.train)]
        mean = inside.mean(0) if intercept else 0
        rotated = fold.scores.T @ inside
    else:
        rest = place.index(fold.rest)
        outside = y[rest]
        # The targets of all samples sum to zero, and so do the features.
        mean = -outside.sum(0) / len(fold.train) if intercept else 0
        inside = cross - problem.spectrum.x[rest].T @ outside
        if intercept:
            inside -= len(fold.train) * fold.mean[:, None] * mean
        rotated = fold.vectors.T @ inside
    return rotated, y[place.index(fold.test)] - mean
