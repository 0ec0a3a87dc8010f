"""The 2V2 accuracy: whether two responses tell their two predictions apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.matrices import coded, finite_array
from neurokit.errors import DataError, UnknownNameError

__all__ = ["pairwise_accuracy"]

METRICS = ("cosine", "correlation")

_BLOCK = 1024  # rows of a sample-by-sample matrix that are held at once


def pairwise_accuracy(
    y: ArrayLike | xr.DataArray,
    prediction: ArrayLike | xr.DataArray,
    *,
    metric: str = "cosine",
    fold: ArrayLike | None = None,
    region: str | ArrayLike | None = None,
) -> xr.Dataset:
    """Count pairs of samples whose predictions match their responses better than each other's.

    A pair i, j is right if d(yᵢ, ŷᵢ) + d(yⱼ, ŷⱼ) < d(yᵢ, ŷⱼ) + d(yⱼ, ŷᵢ) and counts half if
    both sums are equal, so that a constant prediction scores chance, .5 (Mitchell et al. 2008,
    Science 320:1191; Oota et al. 2022, COLING, section 5). The score pools all targets of a
    region, and says nothing about single ones.

    Parameters
    ----------
    y, prediction : array-like or DataArray, shape (sample, target)
        Measured and predicted responses of test samples.
    metric : str
        ``"cosine"`` distance or ``"correlation"`` distance, over the targets.
    fold : array-like, shape (sample,), optional
        Test fold of each sample; only pairs of one fold are compared, since predictions of
        different folds come from different models.
    region : str or array-like, shape (target,), optional
        Region of each target, or the name of a coordinate of ``y``. By default one of all.

    Returns
    -------
    Dataset
        ``accuracy`` (region,), the mean over folds, ``accuracy_fold`` (fold, region) and
        ``n_pairs`` (fold,).

    Raises
    ------
    UnknownNameError, DataError
        An unknown metric or coordinate, shapes that differ, or a fold of one sample.

    Examples
    --------
    >>> y = np.random.default_rng(0).standard_normal((20, 5))
    >>> pairwise_accuracy(y, 2 * y).accuracy.item()
    1.0
    >>> pairwise_accuracy(y, np.ones((20, 5))).accuracy.item()
    0.5
    """
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    measured = finite_array("y", y, "sample, target", least=2)
    predicted = finite_array("prediction", prediction, "sample, target", least=2)
    if measured.shape != predicted.shape:
        raise DataError(
            f"Expected y and prediction of one shape (samples, targets); got {measured.shape} and "
            f"{predicted.shape}."
        )
    n, p = measured.shape
    one = np.array(["all"])
    folds, fold_names = coded("fold", one.repeat(n) if fold is None else fold, n)
    labels = one.repeat(p) if region is None else _region_labels(y, region)
    regions, region_names = coded("region", labels, p)
    counts = np.bincount(folds)
    if counts.min() < 2:
        raise DataError(
            f"Expected at least 2 samples in each fold; fold {str(fold_names[counts.argmin()])!r} "
            "has 1, which makes no pair."
        )
    accuracy = np.empty((len(fold_names), len(region_names)))
    for (i, j), _ in np.ndenumerate(accuracy):
        cut = np.ix_(folds == i, regions == j)
        accuracy[i, j] = _accuracy(*(_unit(a[cut], metric) for a in (measured, predicted)))
    return xr.Dataset(
        {
            "accuracy": ("region", accuracy.mean(axis=0)),
            "accuracy_fold": (("fold", "region"), accuracy),
            "n_pairs": ("fold", counts * (counts - 1) // 2),
        },
        {"fold": fold_names, "region": region_names},
        {"metric": metric, "chance": 0.5, "aggregate": "mean over folds of the share of pairs"},
    )


def _accuracy(y: NDArray[np.float64], prediction: NDArray[np.float64]) -> float:
    """Compare all pairs of rows of unit length, a block of rows at a time."""
    n = len(y)
    matched = np.einsum("np,np->n", y, prediction)
    right = 0.0
    for start in range(0, n, _BLOCK):
        rows = slice(start, start + _BLOCK)
        crossed = y[rows] @ prediction.T + prediction[rows] @ y.T
        gain = matched[rows, None] + matched - crossed
        # Rounding must not decide between equal sums.
        right += (gain > 1e-12).sum() + 0.5 * (np.abs(gain) <= 1e-12).sum()
    return float((right - 0.5 * n) / (n * (n - 1)))


def _unit(values: NDArray, metric: str) -> NDArray[np.float64]:
    """Scale rows to length one; rows without variation become zero and match nothing."""
    values = values.astype(np.float64)
    level = np.abs(values).max(axis=1, keepdims=True)
    if metric == "correlation":
        values = values - values.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(values, axis=1, keepdims=True)
    varies = norm > 1e-13 * level * np.sqrt(values.shape[1])
    return np.divide(values, norm, out=np.zeros_like(values), where=varies)


def _region_labels(y: Any, region: str | ArrayLike) -> ArrayLike:
    """Look up the coordinate that a name stands for."""
    if not isinstance(region, str):
        return region
    coords = {str(k): c for k, c in y.coords.items()} if isinstance(y, xr.DataArray) else {}
    fitting = [k for k, c in coords.items() if c.dims == (y.dims[-1],)]
    if region not in fitting:
        raise UnknownNameError("coordinate of the targets", region, fitting)
    return np.asarray(coords[region].values)
