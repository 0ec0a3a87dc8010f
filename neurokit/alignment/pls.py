"""Partial least squares regression for many targets, as a scikit-learn estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.linalg import ArpackNoConvergence, eigsh
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from neurokit.alignment.estimator import fit_arrays
from neurokit.arguments import whole

__all__ = ["PLSRegression"]

Array = NDArray[np.float64]

DENSE_BELOW = 64  # features, below which a full decomposition is faster than an iteration
EXHAUSTED = 1e-14  # share of the first squared covariance at which nothing is left to explain


class PLSRegression(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """Regression on the components of the features that covary most with all targets.

    Component after component, the weights w maximise ‖Yᵀ X w‖ with ‖w‖ = 1, and what the
    scores X w explain is taken out of X (PLS2 with regression deflation; Wegelin 2000,
    section 4.1). Predictions are scikit-learn's; the work per component does not grow with
    the number of targets.

    Parameters
    ----------
    n_components : int
        At most this many components; fewer where samples, features or covariance run out.
        25 is the protocol of Brain-Score (Schrimpf et al. 2018).
    scale : bool
        Whether to divide features and targets by their standard deviations first.

    Attributes
    ----------
    n_components_ : int
        How many components there are.
    x_rotations_ : ndarray, shape (features, components)
        Turns centred features into scores.
    y_loadings_ : ndarray, shape (targets, components)
        Turns scores into centred targets.
    x_mean_, x_std_ : ndarray, shape (features,)
        Training mean, and what the features are divided by.
    y_mean_ : ndarray, shape (targets,)
        Training mean.
    n_features_in_ : int
        Number of features seen in ``fit``.

    Notes
    -----
    With X deflated, Y need not be: the weights are the first eigenvector of Xᵀ K X with
    K = Y Yᵀ formed once (the kernel algorithm of Lindgren et al. 1993, J. Chemometrics 7:45,
    for samples instead of features). More features than samples are first replaced by as many
    coordinates as there are samples.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> hidden = rng.standard_normal((100, 2))
    >>> x = hidden @ rng.standard_normal((2, 30)) + 0.1 * rng.standard_normal((100, 30))
    >>> y = hidden @ rng.standard_normal((2, 500)) + 0.1 * rng.standard_normal((100, 500))
    >>> model = PLSRegression(n_components=2).fit(x[:80], y[:80])
    >>> model.score(x[80:], y[80:]) > 0.9
    True
    """

    n_components_: int
    x_rotations_: NDArray[Any]
    y_loadings_: NDArray[Any]
    x_mean_: NDArray[Any]
    x_std_: NDArray[Any]
    y_mean_: NDArray[Any]

    def __init__(self, n_components: int = 25, *, scale: bool = False) -> None:
        self.n_components = n_components
        self.scale = scale

    def fit(self, X: ArrayLike, y: ArrayLike) -> PLSRegression:
        """Find the components and regress all targets on them.

        Parameters
        ----------
        X : array-like, shape (samples, features)
            Features.
        y : array-like, shape (samples,) or (samples, targets)
            Targets.

        Returns
        -------
        PLSRegression
            Itself.

        Raises
        ------
        DataError
            Fewer than one component.

        Examples
        --------
        >>> x = np.random.default_rng(0).standard_normal((20, 3))
        >>> PLSRegression().fit(x, x).n_components_
        3
        """
        n_components = whole("n_components", self.n_components, least=1)
        features, targets = fit_arrays(self, X, y)
        self._flat = targets.ndim == 1
        targets = targets[:, None] if self._flat else targets
        x, self.x_mean_, self.x_std_ = _standardised(features, features.dtype, self.scale)
        y_, self.y_mean_, y_std = _standardised(targets, features.dtype, self.scale)
        rotations, scores = _components(x, y_, n_components)
        self.n_components_ = rotations.shape[1]
        self.x_rotations_ = rotations.astype(features.dtype)
        length = np.maximum(np.einsum("nk,nk->k", scores, scores), np.finfo(float).tiny)
        loadings = y_.T @ (scores / length).astype(features.dtype)
        self.y_loadings_ = loadings * y_std[:, None]
        return self

    def scores(self, X: ArrayLike) -> NDArray[Any]:
        """Return the scores of samples on the components.

        Parameters
        ----------
        X : array-like, shape (samples, features)
            Features.

        Returns
        -------
        ndarray, shape (samples, components)
            Scores, uncorrelated over the training samples.

        Examples
        --------
        >>> x = np.random.default_rng(0).standard_normal((20, 3))
        >>> PLSRegression(2).fit(x, x).scores(x[:5]).shape
        (5, 2)
        """
        check_is_fitted(self)
        features = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        scores = ((features - self.x_mean_) / self.x_std_) @ self.x_rotations_
        return np.asarray(scores)

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
        >>> np.allclose(PLSRegression().fit(x, x[:, 0] - 2 * x[:, 1]).predict(x[:1]),
        ...             x[0, 0] - 2 * x[0, 1])
        True
        """
        predicted = self.scores(X) @ self.y_loadings_.T + self.y_mean_
        return predicted[:, 0] if self._flat else predicted


def _standardised(
    values: NDArray[Any], dtype: np.dtype[Any], scale: bool
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return centred values, scaled if asked for, their means and divisors."""
    mean = values.mean(axis=0, dtype=np.float64).astype(dtype)
    centred = values.astype(dtype) - mean
    divisor = np.ones_like(mean)
    if scale:
        sd = centred.std(axis=0, ddof=1)
        divisor = np.where(sd > 1e-12 * np.abs(values).max(axis=0), sd, 1).astype(dtype)
        centred /= divisor
    return centred, mean, divisor


def _components(x: NDArray[Any], y: NDArray[Any], n_components: int) -> tuple[Array, Array]:
    """Return rotations, shape (features, components), and scores, shape (samples, components)."""
    n, p = x.shape
    kernel = (y @ y.T).astype(np.float64)
    basis = None
    x = x.astype(np.float64)
    if p > n:
        basis, triangle = scipy.linalg.qr(x.T, mode="economic", check_finite=False)
        x = np.ascontiguousarray(triangle.T)
    else:
        x = x.copy()
    cross = x.T @ kernel @ x
    weights: list[Array] = []
    loadings: list[Array] = []
    scores: list[Array] = []
    # Centring takes one dimension from the samples.
    most = min(n_components, x.shape[1], n - 1)
    first = None
    while len(scores) < most:
        size, weight = _leading(cross)
        first = size if first is None else first
        score = x @ weight
        length = score @ score
        if not size > EXHAUSTED * first or not length > 0:
            break
        loading = score @ x / length
        seen = kernel @ score
        both = np.outer(x.T @ seen, loading)
        cross -= both + both.T - (score @ seen) * np.outer(loading, loading)
        x -= np.outer(score, loading)
        weights.append(weight)
        loadings.append(loading)
        scores.append(score)
    if not scores:
        return np.zeros((p, 0)), np.zeros((n, 0))
    w, load = np.column_stack(weights), np.column_stack(loadings)
    rotations = w @ np.linalg.inv(load.T @ w)
    return rotations if basis is None else basis @ rotations, np.column_stack(scores)


def _leading(matrix: Array) -> tuple[float, Array]:
    """Return the largest eigenvalue of a symmetric matrix and its vector."""
    n = len(matrix)
    if n > DENSE_BELOW:
        # A fixed start makes fits repeatable.
        start = matrix[:, int(np.argmax(np.diag(matrix)))]
        try:
            values, vectors = eigsh(matrix, k=1, which="LA", v0=start, tol=1e-12)
            return float(values[0]), vectors[:, 0]
        except ArpackNoConvergence:
            pass
    values, vectors = scipy.linalg.eigh(matrix, subset_by_index=[n - 1, n - 1], check_finite=False)
    return float(values[0]), vectors[:, 0]
