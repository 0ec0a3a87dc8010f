"""Banded ridge regression: a penalty per band of features, chosen per target by random search.

With weights γ of the bands on the simplex, band g has the penalty α / γ_g. That is ridge
regression on features scaled by √γ_g, whose Gram matrix is Σ γ_g K_g in the dual, and a scaled
copy of XᵀX in the primal. Products of features are therefore formed once for all weightings, and
each weighting costs one eigendecomposition, shared by all penalties and targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment import ridge
from neurokit.alignment.devices import Place, host, place_for
from neurokit.alignment.spectra import Gram, gram_of
from neurokit.alignment.splits import Folds
from neurokit.errors import DataError, UnknownNameError

__all__ = ["BandedProblem", "BandedSolution", "prepare", "product_measure", "solve"]

Array = NDArray[np.float64]

KEPT_BYTES = 1e8  # of decompositions that wait for more targets, a problem


@dataclass(frozen=True)
class BandedProblem:
    """A banded ridge problem that waits for targets.

    Attributes
    ----------
    gram : Gram
        Of all features, with equal weights.
    parts : list of array, shape (samples, samples)
        The Gram matrix of each band alone; empty in the primal.
    columns : dict of str to ndarray
        Features of each band.
    gammas : ndarray, shape (weightings, bands)
        Weights to try, each row on the simplex.
    alphas : ndarray, shape (penalties,), or None
        The grid; without it one that follows the eigenvalues of each weighting.
    selection : {"gcv", "loo", "kfold", "hybrid"}
        How penalties and weightings are compared.
    folds : list of (ndarray, ndarray), or None
        Inner folds, where the selection uses any.
    """

    gram: Gram
    parts: list[Any]
    columns: dict[str, NDArray[np.intp]]
    gammas: Array
    alphas: Array | None
    selection: str
    folds: Folds | None

    @cached_property
    def kept(self) -> dict[int, ridge.Problem]:
        """Ridge problems of weightings, where all of them are small enough to keep."""
        return {}

    def weighted(self, k: int) -> ridge.Problem:
        """Return the ridge problem of one weighting, a row of ``gammas``."""
        if k not in self.kept:
            one = self._decomposed(self.gammas[k])
            if len(self.gammas) * _size(one) > KEPT_BYTES:
                return one
            self.kept[k] = one
        return self.kept[k]

    def _decomposed(self, gamma: Array) -> ridge.Problem:
        """Scale the features, and decompose."""
        gram = self.gram
        factor = self.spread(np.sqrt(gamma))
        if gram.dual:
            matrix = sum(float(g) * part for g, part in zip(gamma, self.parts, strict=True))
        else:
            matrix = gram.matrix * factor[:, None] * factor
        scaled = replace(gram, x=gram.x * factor, x_mean=gram.x_mean * factor, matrix=matrix)
        one = ridge.problem_of(scaled, self.alphas, self.selection, self.folds)
        return one if one.crossed else replace(one, spectrum=replace(one.spectrum, x=None))

    def spread(self, by_band: NDArray[Any]) -> Any:
        """Give every feature the value of its band; one row a feature where there are several."""
        out = np.empty((self.gram.x.shape[1], *by_band.shape[1:]))
        for value, columns in zip(by_band, self.columns.values(), strict=True):
            out[columns] = value
        return self.gram.place.put(out)


@dataclass(frozen=True)
class BandedSolution:
    """The fit of some targets.

    Attributes
    ----------
    problem : BandedProblem
        What was solved.
    weighting : ndarray of int, shape (targets,)
        Row of each target's weights in ``problem.gammas``.
    chosen : ndarray of int, shape (targets,)
        Index of each target's penalty in the grid.
    alpha : ndarray, shape (targets,)
        The penalty itself.
    error : ndarray, shape (targets,)
        The criterion; the smaller the better.
    weights : array, shape (features, targets) or (samples, targets)
        Coefficients in the primal; in the dual weights of the training samples.
    y_mean : ndarray, shape (targets,)
        Training mean, zeros without an intercept.
    n_alphas : int
        Size of the grid.
    """

    problem: BandedProblem
    weighting: NDArray[np.intp]
    chosen: NDArray[np.intp]
    alpha: Array
    error: Array
    weights: Any
    y_mean: NDArray[Any]
    n_alphas: int

    @property
    def gamma(self) -> Array:
        """Weights of the bands, shape (bands, targets)."""
        return self.problem.gammas[self.weighting].T

    def coefficients(self) -> Any:
        """Return coefficients, shape (features, targets)."""
        if not self.problem.gram.dual:
            return self.weights
        return self.problem.spread(self.gamma) * (self.problem.gram.x.T @ self.weights)

    def contributions(self, x: ArrayLike) -> Any:
        """Predict from each band alone, shape (bands, samples, targets), without ``y_mean``."""
        gram = self.problem.gram
        centred = gram.place.put(x) - gram.x_mean
        parts = []
        for gamma, columns in zip(self.gamma, self.problem.columns.values(), strict=True):
            at = gram.place.index(columns)
            if gram.dual:
                across = centred[:, at] @ gram.x[:, at].T
                parts.append(host(across @ self.weights) * gamma.astype(gram.place.dtype))
            else:
                parts.append(host(centred[:, at] @ self.weights[at]))
        return np.stack(parts)

    def predict(self, x: ArrayLike) -> NDArray[Any]:
        """Predict other samples, shape (samples, targets)."""
        return np.asarray(self.contributions(x).sum(axis=0) + self.y_mean)


def prepare(
    x: ArrayLike,
    columns: Mapping[str, NDArray[np.intp]],
    gammas: ArrayLike,
    alphas: ArrayLike | Literal["auto"] = "auto",
    selection: str = "gcv",
    folds: Folds | None = None,
    fit_intercept: bool = True,
    device: str = "cpu",
) -> BandedProblem:
    """Do the work of a banded ridge fit that depends on neither targets nor weightings.

    Parameters
    ----------
    x : array-like, shape (samples, features)
        Features. Their precision is the one of the arithmetic.
    columns : mapping of str to ndarray
        Features of each band, from :func:`~neurokit.alignment.bands.band_columns`.
    gammas : array-like, shape (weightings, bands)
        Weights to try, from :func:`~neurokit.alignment.bands.candidates`.
    alphas, selection, folds, fit_intercept, device
        As for :func:`neurokit.alignment.ridge.prepare`; ``"auto"`` follows the eigenvalues of
        every weighting.

    Returns
    -------
    BandedProblem
        To be given to :func:`solve`.

    Raises
    ------
    UnknownNameError
        A selection or device that does not exist.
    DataError
        Penalties or weights that are not positive and finite, another number of weights than
        bands, or inner folds that are needed and missing.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((20, 4))
    >>> columns = {"a": np.array([0, 1]), "b": np.array([2, 3])}
    >>> prepare(x, columns, [[0.5, 0.5], [0.1, 0.9]]).gram.dual
    False
    """
    if selection not in ridge.SELECTIONS:
        raise UnknownNameError("selection", selection, ridge.SELECTIONS)
    if selection in ridge.FOLDED and not folds:
        raise DataError(f"selection={selection!r} needs inner folds; got none.")
    automatic = isinstance(alphas, str) and alphas == "auto"
    given = None if automatic else ridge.check_alphas(alphas)
    weights = np.atleast_2d(np.asarray(gammas, dtype=np.float64))
    if weights.shape[1] != len(columns) or not (np.isfinite(weights) & (weights > 0)).all():
        raise DataError(
            f"Expected positive weights of shape (weightings, {len(columns)}), one for each band; "
            f"got {weights.shape} with a smallest of {weights.min(initial=np.inf):.3g}."
        )
    x = np.asarray(x)
    gram = gram_of(x, fit_intercept, place_for(device, x))
    parts = [_product(gram, gram.place, at) for at in columns.values()] if gram.dual else []
    return BandedProblem(gram, parts, dict(columns), weights, given, selection, folds)


def solve(problem: BandedProblem, y: ArrayLike) -> BandedSolution:
    """Choose weights of the bands and a penalty for each target, and fit it.

    Parameters
    ----------
    problem : BandedProblem
        From :func:`prepare`.
    y : array-like, shape (samples, targets)
        Targets of the training samples, better all at once: each call decomposes every
        weighting, unless all decompositions together fit into 100 MB; those are kept.

    Returns
    -------
    BandedSolution
        The best of all weightings, for each target.

    Notes
    -----
    Random search of Dupré la Tour et al. 2022 (NeuroImage 264:119728, section 2.5). Ties go to
    the weighting that comes first.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((200, 4))
    >>> y = x[:, :2] @ rng.standard_normal((2, 3)) + rng.standard_normal((200, 3))
    >>> problem = prepare(x, {"signal": np.arange(2), "noise": np.arange(2, 4)},
    ...                   [[0.5, 0.5], [0.01, 0.99], [0.99, 0.01]])
    >>> solve(problem, y).gamma.round(2)
    array([[0.99, 0.99, 0.99],
           [0.01, 0.01, 0.01]])
    """
    y = np.asarray(y)
    gram, n_targets = problem.gram, y.shape[1]
    weighting, chosen = np.zeros((2, n_targets), dtype=np.intp)
    alpha, error = np.full((2, n_targets), np.inf)
    y_mean = np.empty(n_targets, dtype=gram.place.dtype)
    rows = gram.x.shape[0 if gram.dual else 1]
    weights = gram.place.zeros((rows, n_targets), gram.place.dtype)
    for k, gamma in enumerate(problem.gammas):
        one = problem.weighted(k)
        basis = one.spectrum.vectors
        if not gram.dual:
            basis = basis * problem.spread(np.sqrt(gamma))[:, None]
        for block in ridge.target_blocks(n_targets):
            solution = ridge.solve(one, y[:, block])
            better = np.flatnonzero((solution.error < error[block]) | (k == 0))
            if not better.size:
                continue
            into = block.start + better
            at = gram.place.index(better)
            weights[:, gram.place.index(into)] = basis @ solution.weights[:, at]
            error[into], weighting[into] = solution.error[better], k
            chosen[into], alpha[into] = solution.chosen[better], one.alphas[solution.chosen[better]]
            y_mean[into] = solution.y_mean[better]
    n_alphas = len(one.alphas)
    return BandedSolution(problem, weighting, chosen, alpha, error, weights, y_mean, n_alphas)


def product_measure(
    y: ArrayLike, contributions: ArrayLike, train_mean: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Split the R2 of a sum of predictions into one part for each.

    Parameters
    ----------
    y : array-like, shape (samples, targets)
        Measured values of test samples.
    contributions : array-like, shape (bands, samples, targets)
        Predictions of each band, whose sum and the training mean predict ``y``.
    train_mean : array-like, shape (targets,)
        Mean of each target over the training samples.

    Returns
    -------
    ndarray, shape (bands, targets)
        R²_g = Σ f_g (2 t - f) / Σ t², with t the targets and f the sum of the predictions,
        both without the training mean. Parts sum to the R2 of
        :func:`~neurokit.alignment.statistics.r2`; one that predicts badly is negative. 0 where
        the target equals its training mean throughout.

    Raises
    ------
    DataError
        Shapes that do not agree.

    Notes
    -----
    The product measure of Dupré la Tour et al. 2022 (NeuroImage 264:119728, equation 13),
    with the reference of an out-of-sample R2.

    Examples
    --------
    >>> t = np.array([[1.0], [-1.0]])
    >>> product_measure(t, [0.75 * t, 0.25 * t]).ravel()
    array([0.75, 0.25])
    """
    parts = np.asarray(contributions, dtype=np.float64)
    target = np.asarray(y, dtype=np.float64)
    if parts.ndim != 3 or parts.shape[1:] != target.shape:
        raise DataError(
            "Expected contributions of shape (bands, samples, targets) and y of shape (samples, "
            f"targets); got {parts.shape} and {target.shape}."
        )
    target = target - np.asarray(train_mean, dtype=np.float64)
    total = np.einsum("nv,nv->v", target, target)
    explained = np.einsum("gnv,nv->gv", parts, 2 * target - parts.sum(axis=0))
    # A constant target differs from its own mean by rounding alone.
    level = np.abs(np.asarray(y, dtype=np.float64)).max(axis=0, initial=0.0)
    varies = total > len(target) * (1e-13 * level) ** 2
    return np.divide(explained, total, out=np.zeros_like(explained), where=varies)


def _product(gram: Gram, place: Place, columns: NDArray[np.intp]) -> Any:
    """Multiply the samples of one band."""
    band = gram.x[:, place.index(columns)]
    return band @ band.T


def _size(problem: ridge.Problem) -> int:
    """Count the bytes of a decomposed problem."""
    spectrum = problem.spectrum
    arrays = [spectrum.x, spectrum.vectors, spectrum.scores]
    for fold in problem.inner:
        arrays += [fold.vectors, fold.scores, fold.projected]
    for deleted in problem.deleted:
        arrays += deleted.inverse
    return sum({id(array): array.nbytes for array in arrays if array is not None}.values())
