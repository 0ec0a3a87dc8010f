"""Stacking: one ridge regression for each space of features, and weights for their predictions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import scipy.linalg
import scipy.optimize
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment import splits, statistics
from neurokit.alignment.inputs import check_inputs, versions
from neurokit.errors import DataError

__all__ = ["stack"]

Array = NDArray[np.float64]
SMALLEST_TEST = 3  # samples, below which a correlation says nothing
SPAN = np.logspace(-4, 4, 17)  # of the penalties, in mean eigenvalues


def stack(
    x: Mapping[str, ArrayLike | xr.DataArray],
    y: ArrayLike | xr.DataArray,
    groups: ArrayLike | None = None,
    cv: splits.Cv = 5,
) -> xr.Dataset:
    """Predict targets from several spaces of features, each with its own ridge regression.

    In every fold each space is fitted to the training samples with a penalty per target; what
    it predicts for every training sample from all the others then decides how much it counts.

    Parameters
    ----------
    x : mapping of str to array-like or DataArray, shape (samples, features)
        The spaces: layers of a model, several models, nuisance variables.
    y : array-like or DataArray, shape (samples,) or (samples, targets)
        Responses; the coordinates of the targets are kept.
    groups : array-like, shape (samples,), optional
        Groups that are held out whole.
    cv : int, None, or iterable of (train, test)
        Folds, as for :func:`~neurokit.alignment.encode`.

    Returns
    -------
    Dataset
        Over ``target``: ``r`` and ``R2`` of the stacked prediction, means over folds. Over
        ``fold`` and ``target``: ``r_fold``, ``R2_fold``. With ``space`` besides: ``weight``, how
        much each space counts, and ``r_space``, the correlation of its prediction alone, mean
        over folds.

    Raises
    ------
    DataError
        No spaces, spaces and responses that do not fit together, or folds that are too small.

    Notes
    -----
    Stacked regression is that of Breiman 1996 (Machine Learning 24:49), with weights of 0 or
    more by least squares on leave-one-out predictions, which ridge regression gives in closed
    form: y_i - e_i / (1 - h_i). Its use for encoding models is from Lin, Naselaris, Kay and Wehbe
    2024 (Human Brain Mapping 45:e26666). Penalties and weights come from training samples alone.
    Where neighbouring samples resemble each other, leave-one-out favours spaces that tell
    neighbours apart; test scores then fall short, but are not inflated.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b, noise = rng.standard_normal((3, 300, 4))
    >>> found = stack({"a": a, "b": b, "noise": noise}, a[:, 0] + b[:, 0] + noise[:, 0] * 0.1)
    >>> found.r.values.round(1), found.r_space.sel(space="a").values.round(1)
    (array([1.]), array([0.7]))
    """
    if not isinstance(x, Mapping) or not x:
        raise DataError("Expected a mapping of at least one name to features; got none.")
    checked = {str(name): check_inputs(space, y, groups) for name, space in x.items()}
    data = next(iter(checked.values()))
    folds = splits.from_cv(len(data.y), cv, data.groups)
    _check_sizes(folds)
    measured = data.y.astype(np.float64)
    spaces = {name: each.x.astype(np.float64) for name, each in checked.items()}
    parts = [_fold(spaces, measured, train, test) for train, test in folds]
    r, r2, weight, alone = (np.stack(each) for each in zip(*parts, strict=True))
    return xr.Dataset(
        {
            "r": ("target", r.mean(axis=0)),
            "R2": ("target", r2.mean(axis=0)),
            "r_space": (("space", "target"), alone.mean(axis=0)),
            "r_fold": (("fold", "target"), r),
            "R2_fold": (("fold", "target"), r2),
            "weight": (("fold", "space", "target"), weight),
        },
        coords={**data.coords, "space": list(spaces), "fold": np.arange(len(folds))},
        attrs={"chance": 0.0, "n_samples": len(measured), "versions": versions()},
    )


def _check_sizes(folds: splits.Folds) -> None:
    """Refuse folds that are too small for a correlation."""
    smallest = min(min(len(train), len(test)) for train, test in folds)
    if smallest < SMALLEST_TEST:
        raise DataError(
            f"Expected {SMALLEST_TEST} training and test samples or more in every fold; the "
            f"smallest side has {smallest}. Use fewer folds."
        )


def _fold(
    spaces: Mapping[str, Array], y: Array, train: NDArray[np.intp], test: NDArray[np.intp]
) -> tuple[Array, Array, Array, Array]:
    """Fit one fold, and score it."""
    mean = y[train].mean(axis=0)
    pairs = [_ridge(x[train], x[test], y[train] - mean) for x in spaces.values()]
    left_out, predicted = (np.stack(side) for side in zip(*pairs, strict=True))
    weight = np.stack(
        [
            scipy.optimize.nnls(left_out[:, :, k].T, y[train, k] - mean[k])[0]
            for k in range(y.shape[1])
        ],
        axis=1,
    )
    joint = np.einsum("snv,sv->nv", predicted, weight) + mean
    alone = np.stack([statistics.pearson(y[test], each) for each in predicted])
    r, r2 = statistics.pearson(y[test], joint), statistics.r2(y[test], joint, mean)
    return r, r2, weight, alone


def _ridge(train: Array, test: Array, y: Array) -> tuple[Array, Array]:
    """Predict each training sample from the others, and the test samples, per target's penalty."""
    mean, sd = train.mean(axis=0), train.std(axis=0)
    varies = sd > 1e-12 * np.abs(train).max(axis=0)
    divisor = np.where(varies, sd, np.inf)
    z, new = (train - mean) / divisor, (test - mean) / divisor
    left, s, right = scipy.linalg.svd(z, full_matrices=False)
    rotated, projected = left.T @ y, new @ right.T
    best = np.full(y.shape[1], np.inf)
    left_out, predicted = np.zeros_like(y), np.zeros((len(test), y.shape[1]))
    scale = (s**2).sum() / len(s)
    for alpha in SPAN * scale if scale > 0 else ():
        gain = s / (s**2 + alpha)
        leverage = left**2 @ (s * gain) + 1 / len(y)
        residual = (y - left @ ((s * gain)[:, None] * rotated)) / (1 - leverage)[:, None]
        error = (residual**2).sum(axis=0)
        better = error < best
        best[better] = error[better]
        left_out[:, better] = y[:, better] - residual[:, better]
        predicted[:, better] = projected @ (gain[:, None] * rotated[:, better])
    return left_out, predicted
