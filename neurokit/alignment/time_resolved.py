"""One regression from a model's states to neurons, scored in every time bin."""

from __future__ import annotations

from typing import Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit import arguments
from neurokit.alignment import splits
from neurokit.alignment.ceilings import noise_ceiling
from neurokit.alignment.estimator import RidgeCV
from neurokit.alignment.statistics import pearson
from neurokit.errors import DataError

__all__ = ["time_resolved_mapping"]

Array = NDArray[np.float64]


def time_resolved_mapping(
    states: ArrayLike | xr.DataArray,
    responses: ArrayLike | xr.DataArray,
    groups: ArrayLike | None = None,
    cv: int = 5,
    alphas: ArrayLike | Literal["auto"] = "auto",
    *,
    standardize: bool = True,
    n_splits: int = 100,
    seed: int = 0,
) -> xr.Dataset:
    """Map a model's states to responses with one ridge regression over all time bins.

    The regression knows nothing of time: what it predicts in a bin comes from the state in
    that bin (Nayebi et al. 2023, arXiv 2305.11772, Methods). Whole trials are held out, and
    penalties chosen by whole trials of the training set. In each bin, r is taken across the
    held-out trials, so that a time course common to all trials earns nothing.

    Parameters
    ----------
    states : array-like or DataArray, shape (trials, times, units)
        Of the model.
    responses : array-like or DataArray, shape ([repeats,] trials, times, neurons)
        To the same trials. With repeats, their mean is predicted, and r is corrected for the
        noise that is left in it.
    groups : array-like, shape (trials,), optional
        Condition of each trial; conditions are held out whole. By default each trial is one.
    cv : int
        Folds; conditions go to folds at random.
    alphas : array-like or "auto"
        Penalties, see :class:`~neurokit.alignment.RidgeCV`. The paper took
        ``np.geomspace(1e-9, 1e5, 15)`` and five times these.
    standardize : bool
        Whether to z-score units with the training mean and standard deviation.
    n_splits : int
        Random halves of the repeats for the ceiling.
    seed : int
        Of the folds and of the halves.

    Returns
    -------
    Dataset
        ``r`` (time, neuron), the mean over folds; ``r_fold``; with repeats ``r_ceiling``, the
        square root of the split-half reliability extended by the Spearman–Brown formula, and
        ``r_corrected`` = r / r_ceiling, NaN where the ceiling is 0. Chance is 0.

    Raises
    ------
    DataError
        Shapes that do not fit, missing values, or too few trials.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> states = rng.standard_normal((60, 4, 3))
    >>> responses = states @ rng.standard_normal((3, 2)) + rng.standard_normal((4, 60, 4, 2))
    >>> result = time_resolved_mapping(states, responses, alphas=[1.0, 10.0])
    >>> result.r.shape, bool((result.r_corrected > 0.9).all())
    ((4, 2), True)
    """
    x, repeats = _checked(states, responses)
    y = repeats.mean(axis=0)
    codes, folds = _folds(groups, len(x), cv, seed)
    r_fold = np.stack([_fit(x, y, codes, folds == k, alphas, standardize) for k in range(cv)])
    result = xr.Dataset(
        {"r": (("time", "neuron"), r_fold.mean(axis=0)),
         "r_fold": (("fold", "time", "neuron"), r_fold)},
        coords=_coords(responses),
        attrs={
            "chance": 0.0,
            "split": f"{cv} folds of whole {'trials' if groups is None else 'conditions'}",
            **{"n_trials": len(x), "n_repeats": len(repeats), "seed": seed},
        },
    )  # fmt: skip
    if len(repeats) > 1:
        flat = repeats.reshape(*repeats.shape[:2], -1)
        limit = noise_ceiling(flat, "split_half", seed, n_splits=n_splits)["r_ceiling"].values
        limit = limit.reshape(y.shape[1:])
        result["r_ceiling"] = (("time", "neuron"), limit)
        result["r_corrected"] = result["r"] / result["r_ceiling"].where(result["r_ceiling"] > 0)
    return result


def _checked(
    states: ArrayLike | xr.DataArray, responses: ArrayLike | xr.DataArray
) -> tuple[Array, Array]:
    """Return states, and responses with a dimension of repeats."""
    x, y = (np.asarray(values, dtype=np.float64) for values in (states, responses))
    y = y[None] if y.ndim == 3 else y
    if x.ndim != 3 or y.ndim != 4 or x.shape[:2] != y.shape[1:3] or not x.size or not y.size:
        raise DataError(
            "Expected states (trial, time, unit) and responses ([repeat,] trial, time, neuron) of "
            f"the same trials and times; got {np.shape(states)} and {np.shape(responses)}."
        )
    for name, values in (("states", x), ("responses", y)):
        bad = int((~np.isfinite(values)).sum())
        if bad:
            raise DataError(
                f"{bad} of {values.size} values in {name} are missing or infinite. Leave out those "
                "trials, or fill them in."
            )
    return x, y


def _folds(
    groups: ArrayLike | None, n: int, cv: int, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give each trial its condition, and the fold in which that is tested."""
    labels = np.arange(n) if groups is None else np.asarray(groups)
    if labels.shape != (n,):
        raise DataError(f"Expected one group for each of {n} trials; got shape {labels.shape}.")
    codes, n_groups = splits.group_codes(labels)
    size = arguments.whole("cv", cv, least=2)
    if n_groups < max(size, 4):
        raise DataError(
            f"{n_groups} conditions are too few for {size} folds: one is tested, one chooses "
            "penalties and one is fitted. Lower cv, or have at least 4 conditions."
        )
    place = np.random.default_rng(seed).permutation(n_groups) % size
    fold = place[codes]
    if np.bincount(fold).min() < 3 or n - np.bincount(fold).max() < 3:
        raise DataError(
            f"A correlation across trials needs 3 in every fold; {n} trials in {size} folds leave "
            f"{np.bincount(fold).min()} in one. Lower cv."
        )
    return codes, fold


def _fit(
    x: Array,
    y: Array,
    codes: NDArray[np.intp],
    test: NDArray[np.bool_],
    alphas: ArrayLike | Literal["auto"],
    standardize: bool,
) -> Array:
    """Fit all bins of the training trials at once, and score each bin of the others."""
    flat, target = x[~test].reshape(-1, x.shape[-1]), y[~test].reshape(-1, y.shape[-1])
    mean, sd = flat.mean(axis=0), flat.std(axis=0)
    # A unit that is constant in training says nothing, whatever it does later.
    scale = np.where(sd > 1e-12 * np.abs(flat).max(axis=0), sd if standardize else 1.0, np.inf)
    inner, n_inner = splits.group_codes(np.repeat(codes[~test], x.shape[1]))
    model = RidgeCV(alphas, "kfold", cv=splits.by_group(inner, min(5, n_inner)))
    model.fit((flat - mean) / scale, target)
    tested = ((x[test] - mean) / scale).reshape(-1, x.shape[-1])
    predicted = model.predict(tested).reshape(-1, *y.shape[1:])
    measured = y[test].reshape(len(predicted), -1)
    return pearson(measured, predicted.reshape(len(predicted), -1)).reshape(y.shape[1:])


def _coords(responses: ArrayLike | xr.DataArray) -> dict[str, tuple[str, NDArray]]:
    """Keep the coordinates of times and neurons."""
    if not isinstance(responses, xr.DataArray):
        return {}
    names = dict(zip(responses.dims[-2:], ("time", "neuron"), strict=True))
    return {
        names[coord.dims[0]] if name == coord.dims[0] else str(name): (
            names[coord.dims[0]],
            coord.values,
        )
        for name, coord in responses.coords.items()
        if len(coord.dims) == 1 and coord.dims[0] in names
    }
