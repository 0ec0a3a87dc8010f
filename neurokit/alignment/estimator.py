"""Cross-validated ridge regression as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from neurokit.alignment.devices import host
from neurokit.alignment.ridge import FOLDED, Problem, edge_message, prepare, solve, target_blocks
from neurokit.alignment.splits import Folds, from_cv
from neurokit.warning import warn

__all__ = ["RidgeCV", "fit_arrays"]


class RidgeCV(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Ridge regression in which every target chooses its own penalty.

    For each target j it minimises

        ‖y_j - X b_j - c_j‖² + α_j ‖b_j‖²

    with α_j taken from a grid by generalised cross-validation, leave-one-out or k folds.

    Parameters
    ----------
    alphas : array-like or "auto"
        Penalties to choose from. ``"auto"`` is the mean eigenvalue of the centred
        Gram matrix times ``logspace(-4, 4, 17)``.
    selection : {"gcv", "loo", "kfold", "hybrid"}
        ``"gcv"``: generalised cross-validation (Golub, Heath & Wahba 1979), the fastest.
        ``"loo"``: exact leave-one-out mean squared error, as scikit-learn's ``RidgeCV``.
        ``"kfold"``: mean squared error of each of ``cv`` folds, averaged over folds; with as
        many folds as samples it is ``"loo"``. (himalaya averages R2 over folds instead.)
        ``"hybrid"``: the best of the penalty that ``"gcv"`` chooses and its two neighbours in
        the grid, by the error of ``"kfold"``. The first two see neighbours of each left-out
        sample: on autocorrelated series they choose smaller penalties than ``"kfold"`` does.
    cv : int or sequence of (train, test)
        Folds of ``"kfold"`` and ``"hybrid"``; a number means contiguous folds.
    fit_intercept : bool
        Whether to fit one intercept per target. Leave it on for data that were centred before:
        without it, ``"gcv"`` counts a degree of freedom that the centring took, and with as
        many features as samples or more the smallest penalty looks perfect, its residuals
        being zero over a freedom that is not; held-out R2 can then fall below zero.
    device : {"auto", "cpu", "cuda", "mps"}
        Where to fit. ``"auto"`` takes an accelerator where there is one. Arrays come from and
        go to the CPU in any case, targets block after block.

    Attributes
    ----------
    best_alphas_ : ndarray, shape (targets,)
        The penalty of each target.
    alphas_ : ndarray, shape (penalties,)
        The grid, ascending.
    coef_ : ndarray, shape (targets, features) or (features,)
        Coefficients; one-dimensional when ``y`` was.
    intercept_ : ndarray, shape (targets,), or float
        Intercepts.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Warns
    -----
    UserWarning
        When 5 % or more of the targets choose an edge of the grid.

    Notes
    -----
    With ``X`` and ``y`` in single precision the matrix products are in single precision too,
    about twice as fast; penalties differ from those of double precision for less than 1 % of
    targets. Anything else is computed in double precision.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((100, 5))
    >>> y = x @ rng.standard_normal((5, 2)) + rng.standard_normal((100, 2))
    >>> RidgeCV(selection="loo").fit(x, y).predict(x).shape
    (100, 2)
    """

    best_alphas_: NDArray[np.float64]
    alphas_: NDArray[np.float64]
    coef_: NDArray[Any]
    intercept_: NDArray[Any] | float

    def __init__(
        self,
        alphas: ArrayLike | Literal["auto"] = "auto",
        selection: str = "gcv",
        cv: int | Sequence[tuple[ArrayLike, ArrayLike]] = 5,
        *,
        fit_intercept: bool = True,
        device: str = "auto",
    ) -> None:
        self.alphas = alphas
        self.selection = selection
        self.cv = cv
        self.fit_intercept = fit_intercept
        self.device = device

    def fit(self, X: ArrayLike, y: ArrayLike) -> RidgeCV:
        """Fit all targets.

        Parameters
        ----------
        X : array-like, shape (samples, features)
            Features.
        y : array-like, shape (samples,) or (samples, targets)
            Targets.

        Returns
        -------
        RidgeCV
            Itself.

        Raises
        ------
        UnknownNameError
            A selection or device that does not exist.
        DataError
            Penalties that are not positive, or folds that do not fit the samples.

        Examples
        --------
        >>> x = np.eye(4)
        >>> RidgeCV(alphas=[0.1, 1.0], selection="loo").fit(x, x[:, 0]).best_alphas_.size
        1
        """
        features, targets = fit_arrays(self, X, y)
        flat = targets.ndim == 1
        problem = prepare(
            features,
            self.alphas,
            self.selection,
            self._folds(len(features)),
            self.fit_intercept,
            device=self.device,
        )
        chosen = self._solve(problem, targets[:, None] if flat else targets)
        if flat:
            self.coef_, self.intercept_ = self.coef_[0], float(np.ravel(self.intercept_)[0])
        message = edge_message([chosen], len(problem.alphas))
        if message:
            warn(message)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the targets of other samples.

        Parameters
        ----------
        X : array-like, shape (samples, features)
            Features.

        Returns
        -------
        ndarray, shape (samples,) or (samples, targets)
            Predictions.

        Examples
        --------
        >>> x = np.random.default_rng(0).standard_normal((20, 3))
        >>> RidgeCV(alphas=[0.1, 1.0]).fit(x, x[:, :2]).predict(x[:5]).shape
        (5, 2)
        """
        check_is_fitted(self)
        features = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return features @ self.coef_.T + self.intercept_

    def _folds(self, n: int) -> Folds | None:
        """Return the inner folds, where the selection uses any."""
        return from_cv(n, self.cv) if self.selection in FOLDED else None

    def _solve(self, problem: Problem, y: NDArray[Any]) -> NDArray[np.intp]:
        """Fit block after block of targets and store the results."""
        spectrum, n_targets = problem.spectrum, y.shape[1]
        chosen = np.empty(n_targets, dtype=np.intp)
        coef = np.empty((n_targets, spectrum.x.shape[1]), dtype=spectrum.place.dtype)
        y_mean = np.empty(n_targets, dtype=spectrum.place.dtype)
        for block in target_blocks(n_targets):
            solution = solve(problem, y[:, block])
            chosen[block], y_mean[block] = solution.chosen, solution.y_mean
            coef[block] = host(spectrum.coefficients(solution.weights).T)
        self.alphas_ = problem.alphas
        self.best_alphas_ = problem.alphas[chosen]
        self.coef_ = coef
        self.intercept_ = y_mean - coef @ host(spectrum.x_mean)
        return chosen


def fit_arrays(
    estimator: BaseEstimator, X: ArrayLike, y: ArrayLike
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Check what an estimator is fitted to, and choose the precision of the arithmetic.

    Parameters
    ----------
    estimator : BaseEstimator
        Its ``n_features_in_`` is set.
    X : array-like, shape (samples, features)
        Features.
    y : array-like, shape (samples,) or (samples, targets)
        Targets.

    Returns
    -------
    features : ndarray, shape (samples, features)
        In single precision when both sides came in it, else in double.
    targets : ndarray, shape (samples,) or (samples, targets)
        As they came.

    Raises
    ------
    ValueError
        What scikit-learn's ``validate_data`` refuses.

    Examples
    --------
    >>> features, targets = fit_arrays(RidgeCV(), np.eye(3, dtype=np.float32), [1.0, 2.0, 3.0])
    >>> features.dtype, targets.shape
    (dtype('float64'), (3,))
    """
    features, y = validate_data(
        estimator,
        X,
        y,
        multi_output=True,
        y_numeric=True,
        dtype=[np.float64, np.float32],
        ensure_min_samples=2,
    )
    targets = np.asarray(y)
    single = features.dtype == targets.dtype == np.float32
    return features.astype(np.float32 if single else np.float64, copy=False), targets
