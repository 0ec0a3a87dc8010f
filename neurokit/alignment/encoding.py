"""Encoding models: predict each target from features, and score it on held-out samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.stats
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment import ridge, splits, statistics
from neurokit.alignment._inputs import Inputs, check_inputs, match_ceiling, versions
from neurokit.alignment.delays import check_delays, delayed, segments
from neurokit.errors import DataError
from neurokit.progress import progress_bar

__all__ = ["encode"]

Array = NDArray[np.float64]
Cv = int | Iterable[tuple[ArrayLike, ArrayLike]] | None


def encode(
    x: ArrayLike | xr.DataArray,
    y: ArrayLike | xr.DataArray,
    groups: ArrayLike | None = None,
    cv: Cv = 5,
    alphas: ArrayLike | Literal["auto"] = "auto",
    delays: Sequence[int] | None = None,
    bands: None = None,
    ceiling: float | ArrayLike | xr.DataArray | xr.Dataset | None = None,
    *,
    selection: str = "gcv",
    inner_cv: int = 5,
    gap: int | None = None,
    standardize: bool = True,
    block: int | None = None,
    n_permutations: int = 1000,
    n_bootstraps: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    allow_leakage: bool = False,
    progress: bool | None = None,
) -> xr.Dataset:
    """Fit cross-validated ridge regression per target and score what it predicts.

    In every fold, features are scaled and penalties chosen with training samples only.

    Parameters
    ----------
    x : array-like or DataArray, shape (samples, features)
        Features.
    y : array-like or DataArray, shape (samples,) or (samples, targets)
        Responses; the coordinates of the targets are kept in the result.
    groups : array-like, shape (samples,), optional
        Run, story, session or subject of each sample. Groups are held out whole, delays do
        not cross them, and they are the units of the interval.
    cv : int, None, or iterable of (train, test)
        A number of folds: of whole groups with ``groups``, else of contiguous samples.
        ``None`` leaves one group out at a time. Index arrays are used as given.
    alphas : array-like or "auto"
        Penalties, see :class:`~neurokit.alignment.RidgeCV`.
    delays : sequence of int, optional
        Delays in samples at which the features may act, see
        :func:`~neurokit.alignment.delayed`.
    bands : None
        Reserved for penalties per band of features, which this version does not have.
    ceiling : float, array-like, DataArray or Dataset, optional
        The r-ceiling of each target (not the reliability, its square), or what
        :func:`~neurokit.alignment.noise_ceiling` returns.
    selection : {"gcv", "loo", "kfold"}
        How penalties are chosen, see :class:`~neurokit.alignment.RidgeCV`. The inner folds
        of ``"kfold"`` hold out whole groups where the training set has two or more.
    inner_cv : int
        Number of inner folds, or of training groups where there are fewer.
    gap : int, optional
        Samples dropped from the training set on both sides of a contiguous test block. By
        default the longest delay.
    standardize : bool
        Whether to z-score features with the training mean and standard deviation.
    block : int, optional
        Block length in samples. With it, permutations exchange blocks; without it they
        rotate each test stretch. Also the unit of the interval when there are no groups, by
        default a twentieth of the samples.
    n_permutations, n_bootstraps : int
        Number of permutations and of bootstrap resamples; 0 leaves their variables out.
    confidence : float
        Coverage of the interval.
    seed : int
        Of permutations and bootstrap.
    allow_leakage : bool
        Accept folds in which delayed training rows contain test samples.
    progress : bool, optional
        Show a progress bar over folds.

    Returns
    -------
    Dataset
        Over ``target``: ``r`` and ``r2``, the means over folds of the correlation and of
        the R2 against the training mean; ``p`` (one-sided permutation), ``q``
        (Benjamini–Hochberg over targets), ``r_low`` and ``r_high`` (bootstrap over units);
        with a ceiling ``ceiling`` and ``r_normalised`` = r / ceiling. Over ``fold`` and
        ``target``: ``r_fold``, ``r2_fold``, ``alpha``. Attributes say how it was made.

    Raises
    ------
    DataError
        Inputs that do not fit together, missing values, features that are all constant,
        folds with too few samples, or delays that leak across folds.
    UnknownNameError
        A selection that does not exist.

    Warns
    -----
    UserWarning
        Features constant in a training set (they get weight zero there), constant targets
        (r = 0), or 5 % or more of the penalties on an edge of the grid.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((300, 4))
    >>> y = x[:, :2] + rng.standard_normal((300, 2))
    >>> result = encode(x, y, alphas=[1.0, 10.0], n_permutations=99)
    >>> result.r.values.round(1), float(result.p.max())
    (array([0.7, 0.7]), 0.01)
    """
    if bands is not None:
        raise DataError("Penalties per band of features are not available here. Use bands=None.")
    data = check_inputs(x, y, groups)
    limit = match_ceiling(ceiling, data.coords, data.y.shape[1])
    steps = check_delays(delays, len(data.x)) if delays is not None else [0]
    reach = max(abs(step) for step in steps)
    folds, split = _folds(data, cv, reach if gap is None else gap)
    if reach and not allow_leakage:
        _refuse_leaks(folds, segments(data.groups, len(data.x)), reach)
    features = delayed(data.x, steps, data.groups) if delays is not None else data.x
    fits = _fit_folds(features, data, folds, alphas, selection, inner_cv, gap or reach,
                      standardize, progress)
    result = _scores(data, folds, fits)
    test = np.concatenate([test for _, test in folds])
    rows = _Rows(
        data.y[test],
        np.concatenate([fit.prediction for fit in fits]),
        np.repeat(np.arange(len(folds)), [len(test) for _, test in folds]),
        None if data.groups is None else data.groups[test],
    )
    if n_permutations:
        ...
    return result
