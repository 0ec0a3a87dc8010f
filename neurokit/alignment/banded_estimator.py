"""Banded ridge regression as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from neurokit.alignment.banded import prepare, product_measure, solve
from neurokit.alignment.bands import Bands, band_columns, candidates
from neurokit.alignment.devices import host
from neurokit.alignment.estimator import fit_arrays
from neurokit.alignment.ridge import FOLDED, edge_message
from neurokit.alignment.splits import Folds, from_cv
from neurokit.warning import warn

__all__ = ["BandedRidgeCV"]


class BandedRidgeCV(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Ridge regression in which every target chooses a penalty for each band of features.

    For each target j it minimises

        ‖y_j - Σ_g X_g b_gj - c_j‖² + Σ_g (α_j / γ_gj) ‖b_gj‖²

    with α_j from a grid and the weights γ_j of the bands from a random search on the simplex
    (Dupré la Tour et al. 2022, NeuroImage 264:119728).

    Parameters
    ----------
    bands : mapping, sequence, str or None
        Columns by name, columns alone, or the name of a coordinate of the features, see
        :func:`~neurokit.alignment.bands.band_columns`. None puts all features in one band,
        which is :class:`~neurokit.alignment.RidgeCV`.
    alphas : array-like or "auto"
        Penalties to choose from. ``"auto"`` is the mean eigenvalue of the Gram
        matrix of the weighted features times ``logspace(-4, 4, 17)``.
    n_weightings : int
        How many weightings are tried, see :func:`~neurokit.alignment.bands.candidates`. More
        bands want more: 20 do for three, 100 for six.
    selection : {"gcv", "loo", "kfold", "hybrid"}
        Criterion, see :class:`~neurokit.alignment.RidgeCV`.
    cv : int or sequence of (train, test)
        Folds of ``"kfold"`` and ``"hybrid"``; a number means contiguous folds.
    seed : int
        Of the random search.
    fit_intercept : bool
        Whether to fit one intercept per target.
    device : str
        Where to compute: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.

    Attributes
    ----------
    gammas_ : ndarray, shape (targets, bands), or (bands,)
        Weights of the bands, which sum to 1.
    best_alphas_ : ndarray, shape (targets,)
        The penalty α of each target.
    band_columns_ : dict of str to ndarray
        Features of each band.
    coef_ : ndarray, shape (targets, features) or (features,)
        Coefficients; one-dimensional when ``y`` was. Those of one band are
        ``coef_[:, band_columns_[name]]``.
    intercept_ : ndarray, shape (targets,), or float
        Intercepts.
    x_mean_ : ndarray, shape (features,)
        Training mean of the features, zeros without an intercept.
    y_mean_ : ndarray, shape (targets,), or float
        Training mean of the targets, zeros without an intercept.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Warns
    -----
    UserWarning
        When 5 % or more of the targets choose an edge of the grid of penalties.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((200, 12))
    >>> y = x[:, :4] @ rng.standard_normal((4, 3)) + rng.standard_normal((200, 3))
    >>> model = BandedRidgeCV({"signal": range(4), "noise": range(4, 12)}).fit(x[:150], y[:150])
    >>> model.gammas_[:, 1].round(1)
    array([0., 0., 0.])
    >>> model.r2_by_band(x[150:], y[150:]).mean(axis=1).round(1) + 0.0
    array([0.8, 0. ])
    """

    gammas_: NDArray[np.float64]
    best_alphas_: NDArray[np.float64]
    band_columns_: dict[str, NDArray[np.intp]]
    coef_: NDArray[Any]
    intercept_: NDArray[Any] | float
    x_mean_: NDArray[Any]
    y_mean_: NDArray[Any] | float

    def __init__(
        self,
        bands: Bands | None = None,
        alphas: ArrayLike | Literal["auto"] = "auto",
        n_weightings: int = 20,
        selection: str = "gcv",
        cv: int | Sequence[tuple[ArrayLike, ArrayLike]] = 5,
        *,
        seed: int = 0,
        fit_intercept: bool = True,
        device: str = "auto",
    ) -> None:
        self.bands = bands
        self.alphas = alphas
        self.n_weightings = n_weightings
        self.selection = selection
        self.cv = cv
        self.seed = seed
        self.fit_intercept = fit_intercept
        self.device = device

    def fit(self, X: ArrayLike, y: ArrayLike) -> BandedRidgeCV:
        """Fit all targets.

        Parameters
        ----------
        X : array-like or DataArray, shape (samples, features)
            Features.
        y : array-like, shape (samples,) or (samples, targets)
            Targets.

        Returns
        -------
        BandedRidgeCV
            Itself.

        Raises
        ------
        UnknownNameError
            A selection, device or coordinate that does not exist.
        DataError
            Features in no band or in two, penalties that are not positive, or folds that do
            not fit the samples.

        Examples
        --------
        >>> x = np.eye(4)
        >>> BandedRidgeCV([[0, 1], [2, 3]], alphas=[0.1, 1.0]).fit(x, x[:, :2]).gammas_.shape
        (2, 2)
        """
        features, targets = fit_arrays(self, X, y)
        n, p = features.shape
        whole = {"all": np.arange(p)}
        self.band_columns_ = whole if self.bands is None else band_columns(self.bands, X, p)
        problem = prepare(
            features,
            self.band_columns_,
            candidates(len(self.band_columns_), self.n_weightings, self.seed),
            self.alphas,
            self.selection,
            self._folds(n),
            self.fit_intercept,
            device=self.device,
        )
        flat = targets.ndim == 1
        solution = solve(problem, targets[:, None] if flat else targets)
        self.x_mean_, self.y_mean_ = host(problem.gram.x_mean), solution.y_mean
        self.gammas_, self.best_alphas_ = solution.gamma.T, solution.alpha
        self.coef_ = host(solution.coefficients()).T
        self.intercept_ = self.y_mean_ - self.coef_ @ self.x_mean_
        if flat:
            self.gammas_, self.coef_ = self.gammas_[0], self.coef_[0]
            self.y_mean_ = float(solution.y_mean[0])
            self.intercept_ = self.y_mean_ - float(self.coef_ @ self.x_mean_)
        message = edge_message([solution.chosen], solution.n_alphas)
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
        >>> model = BandedRidgeCV([[0, 1], [2]], alphas=[0.1, 1.0])
        >>> model.fit(x, x[:, 2] + x[:, 0]).predict(x[:5]).shape
        (5,)
        """
        check_is_fitted(self)
        features = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return np.asarray(features @ self.coef_.T + self.intercept_)

    def predict_by_band(self, X: ArrayLike) -> NDArray[Any]:
        """Predict what each band contributes.

        Parameters
        ----------
        X : array-like, shape (samples, features)
            Features.

        Returns
        -------
        ndarray, shape (bands, samples) or (bands, samples, targets)
            Contributions in the order of ``band_columns_``, each without the training mean:
            their sum and ``y_mean_`` are the predictions.

        Examples
        --------
        >>> x = np.random.default_rng(0).standard_normal((20, 3))
        >>> model = BandedRidgeCV([[0, 1], [2]], alphas=[0.1, 1.0]).fit(x, x[:, :2])
        >>> np.allclose(model.predict_by_band(x).sum(axis=0) + model.y_mean_, model.predict(x))
        True
        """
        check_is_fitted(self)
        features = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        centred = features - self.x_mean_
        columns = self.band_columns_.values()
        return np.stack([centred[:, at] @ self.coef_[..., at].T for at in columns])

    def r2_by_band(self, X: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Split the R2 of the predictions into one part for each band.

        Parameters
        ----------
        X : array-like, shape (samples, features)
            Features.
        y : array-like, shape (samples,) or (samples, targets)
            Targets.

        Returns
        -------
        ndarray, shape (bands,) or (bands, targets)
            Parts that sum to the R2 against the training mean, see
            :func:`~neurokit.alignment.banded.product_measure`.

        Raises
        ------
        DataError
            ``y`` of another shape than the predictions.

        Examples
        --------
        >>> x = np.random.default_rng(0).standard_normal((40, 3))
        >>> model = BandedRidgeCV([[0, 1], [2]], alphas=[1e-6]).fit(x, x[:, 2])
        >>> model.r2_by_band(x, x[:, 2]).round(3)
        array([0., 1.])
        """
        parts = self.predict_by_band(X)
        measured = np.asarray(y)
        if parts.ndim == 3:
            return product_measure(measured, parts, self.y_mean_)
        column = measured[:, None] if measured.ndim == 1 else measured
        return product_measure(column, parts[..., None], self.y_mean_)[:, 0]

    def _folds(self, n: int) -> Folds | None:
        """Return the inner folds, where the selection uses any."""
        return from_cv(n, self.cv) if self.selection in FOLDED else None
