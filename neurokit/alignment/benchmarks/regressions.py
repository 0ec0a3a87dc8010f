"""From features to predicted responses, fold by fold, under a definition's regression."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neurokit.alignment.banded_estimator import BandedRidgeCV
from neurokit.alignment.estimator import RidgeCV
from neurokit.alignment.pls import PLSRegression
from neurokit.alignment.splits import Folds
from neurokit.errors import DataError

if TYPE_CHECKING:
    from neurokit.catalog.benchmarks import Regression

__all__ = ["cross_predict", "fit"]

Array = NDArray[np.float64]
Predictor = Callable[[NDArray], Array]


def fit(x: NDArray, y: NDArray, regression: Regression, n_first: int = 0) -> Predictor:
    """Fit responses with what the training presentations say.

    Parameters
    ----------
    x : ndarray, shape (presentations, features)
        Features.
    y : ndarray, shape (presentations, targets)
        Responses.
    regression : Regression
        Of the definition.
    n_first : int
        How many columns make the first band of ``banded``; the others make the second.

    Returns
    -------
    callable
        Takes features of other presentations and returns their predicted responses.

    Raises
    ------
    DataError
        Features that are all constant over the training presentations.

    Examples
    --------
    >>> from neurokit.catalog.benchmarks import Regression
    >>> x = np.random.default_rng(0).standard_normal((50, 2))
    >>> float(fit(x, x @ [[1.0], [2.0]], Regression())(np.array([[1.0, 1.0]]))[0, 0].round(2))
    3.0
    """
    # Features of models come in float32, whose fits take half the time; the sums do not.
    single = x.dtype == np.float32 and regression.kind != "banded"
    precision = np.float32 if single else np.float64
    mean, sd = x.mean(axis=0, dtype=np.float64), x.std(axis=0, dtype=np.float64)
    varies = sd > 1e-7 * np.abs(x).max(axis=0)
    if not varies.any():
        raise DataError(
            f"All {x.shape[1]} features are constant over the {len(x)} training presentations of "
            "a fold. Check that the model tells these stimuli apart."
        )
    mean, scale = mean[varies], sd[varies] if regression.standardize else 1.0

    def ready(features: NDArray) -> Array:
        return np.asarray((features[:, varies] - mean) / scale, dtype=precision)

    model = _model(regression, ready(x), int(varies[:n_first].sum()))
    with warnings.catch_warnings():
        # Thousands of fits would each repeat that some voxels have no signal.
        warnings.filterwarnings("ignore", message="Penalty grid edge")
        model.fit(ready(x), np.asarray(y, dtype=precision))
    return lambda features: np.asarray(model.predict(ready(features))).reshape(len(features), -1)


def cross_predict(
    xs: Sequence[NDArray], y: NDArray, folds: Folds, regression: Regression, n_first: int = 0
) -> list[Array]:
    """Predict the test presentations of every fold.

    Parameters
    ----------
    xs : sequence of ndarray, shape (presentations, features)
        Features, one array a fold: folds may choose different layers.
    y : ndarray, shape (presentations, targets)
        Responses.
    folds : list of (ndarray, ndarray)
        Training and test presentations.
    regression : Regression
        Of the definition.
    n_first : int
        As of :func:`fit`.

    Returns
    -------
    list of ndarray, shape (test presentations, targets)
        One a fold.

    Examples
    --------
    >>> from neurokit.alignment.splits import contiguous
    >>> from neurokit.catalog.benchmarks import Regression
    >>> x = np.random.default_rng(0).standard_normal((40, 2))
    >>> [p.shape for p in cross_predict([x, x], x, contiguous(40, 2), Regression())]
    [(20, 2), (20, 2)]
    """
    pairs = zip(xs, folds, strict=True)
    return [fit(x[train], y[train], regression, n_first)(x[test]) for x, (train, test) in pairs]


def _model(regression: Regression, x: Array, n_first: int) -> Any:
    n, p = x.shape
    if regression.kind == "pls":
        return PLSRegression(min(regression.components, n - 1, p), scale=False)
    if regression.kind == "ridge-shared":
        from sklearn.linear_model import RidgeCV as SharedRidgeCV

        return SharedRidgeCV(alphas=_grid(x) if regression.alphas == "auto" else regression.alphas)
    if regression.kind == "banded" and 0 < n_first < p:
        bands = {"first": np.arange(n_first), "second": np.arange(n_first, p)}
        return BandedRidgeCV(bands, regression.alphas, selection=regression.selection)
    return RidgeCV(regression.alphas, regression.selection)


def _grid(x: Array) -> Array:
    """Return penalties around the mean eigenvalue of the Gram matrix, whatever the precision.

    Which eigenvalues count as zero depends on rounding; their number and sum do not.
    """
    squares = np.einsum("np,np->", x, x, dtype=np.float64)
    return float(squares) / min(len(x) - 1, x.shape[1]) * np.logspace(-4, 4, 17)
