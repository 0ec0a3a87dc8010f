"""Encoding models: predict each target from features, and score it on held-out samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.stats
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment import ridge, splits, statistics
from neurokit.alignment.bands import Bands, band_columns, candidates
from neurokit.alignment.delays import check_delays, delayed, segments
from neurokit.alignment.inputs import Coords, Inputs, check_ceiling, check_inputs, some, versions
from neurokit.errors import DataError
from neurokit.progress import progress_bar

__all__ = ["encode"]

Array = NDArray[np.float64]
SMALLEST_TEST = 3  # samples, below which a correlation says nothing
SHORTEST_ROTATION = 8  # samples, below which permutations move whole folds instead of groups

RESULTS = {
    *("r", "R2", "p", "q", "r_low", "r_high", "r_fold", "R2_fold", "alpha", "gamma"),
    *("ceiling", "r_normalised", "fold", "band", "n_train", "n_test"),
}

Cv = int | Iterable[tuple[ArrayLike, ArrayLike]] | None


def encode(
    x: ArrayLike | xr.DataArray,
    y: ArrayLike | xr.DataArray,
    groups: ArrayLike | None = None,
    cv: Cv = 5,
    alphas: ArrayLike | Literal["auto"] = "auto",
    delays: Sequence[int] | None = None,
    bands: Bands | None = None,
    ceiling: float | ArrayLike | xr.DataArray | xr.Dataset | None = None,
    *,
    n_weightings: int = 20,
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
    bands : mapping, sequence or str, optional
        Bands of features that are penalised differently (banded ridge regression): columns
        by name, columns alone, or the name of a coordinate of the features, see
        :func:`~neurokit.alignment.bands.band_columns`. Band g has the penalty alpha / gamma_g
        with the weights gamma from the simplex, chosen per target as alpha is.
    ceiling : float, array-like, DataArray or Dataset, optional
        The r-ceiling of each target (not the reliability, its square), or what
        :func:`~neurokit.alignment.noise_ceiling` returns.
    n_weightings : int
        How many weightings of the bands are tried (random search, seeded by ``seed``).
    selection : {"gcv", "loo", "kfold", "hybrid"}
        How penalties are chosen, see :class:`~neurokit.alignment.RidgeCV`. The inner folds
        of the last two hold out whole groups where the training set has two or more.
    inner_cv : int
        Number of inner folds, or of training groups where there are fewer.
    gap : int, optional
        Samples dropped from the training set on both sides of a contiguous test block. By
        default the longest delay.
    standardize : bool
        Whether to z-score features with the training mean and standard deviation.
    block : int, optional
        Block length in samples. With it, permutations exchange blocks; without it they
        rotate predictions, in both cases within the groups of a test set, or over the whole
        test set where groups are shorter than 8 samples or a target or its prediction is
        constant in each.
        Also the unit of the interval when there are no groups, by default a twentieth of
        the samples.
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
        Over ``target``: ``r`` and ``R2``, the means over folds of the correlation and of
        the R2 against the training mean; ``p`` (one-sided permutation), ``q``
        (Benjamini–Hochberg over targets), ``r_low`` and ``r_high`` (bootstrap over units);
        with a ceiling ``ceiling`` and ``r_normalised`` = r / ceiling. Over ``fold`` and
        ``target``: ``r_fold``, ``R2_fold``, ``alpha``; with bands ``gamma`` over ``fold``,
        ``band`` and ``target``. Attributes say how it was made.

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

    Notes
    -----
    Models are fitted once: permutations and resamples move finished predictions. Folds that
    train each other share errors which that would miss, so both the null distribution and
    the interval are widened by :func:`~neurokit.alignment.statistics.fold_inflation`.

    Bands are those of Dupré la Tour et al. 2022 (NeuroImage 264:119728, section 2), with their
    random search: each weighting scales the features and takes one eigendecomposition.

    Where targets and features are slow, rotations are few and training samples beside a test
    block resemble it: give a ``gap`` as long as the autocorrelation, and use many such lengths.
    Of 300 samples, a nominal 5 % of false positives is 4 % at a correlation of .9 between
    neighbours and 8 to 10 % at .99 and for random walks.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((300, 4))
    >>> y = x[:, :2] + rng.standard_normal((300, 2))
    >>> result = encode(x, y, alphas=[1.0, 10.0], n_permutations=99)
    >>> result.r.values.round(1), float(result.p.max())
    (array([0.7, 0.7]), 0.01)
    """
    data = check_inputs(x, y, groups)
    _check_settings(len(data.x), block, confidence, n_permutations, n_bootstraps)
    _check_names(data.coords)
    limit = None if ceiling is None else check_ceiling(ceiling, data.coords, data.y.shape[1])
    steps = [0] if delays is None else check_delays(delays, len(data.x))
    reach = max(abs(step) for step in steps)
    folds, split = _folds(data, cv, gap, reach)
    if reach and not allow_leakage:
        _refuse_leaks(folds, segments(data.groups, len(data.x)), reach)
    features = data.x if delays is None else delayed(data.x, steps, data.groups)
    columns = {} if bands is None else band_columns(bands, x, data.x.shape[1])
    gammas = candidates(max(len(columns), 1), n_weightings, seed)
    scales = np.tile(_spread(columns, gammas), len(steps)) if columns else None
    plan = _Plan(alphas, selection, inner_cv, max(reach, gap or 0), standardize, scales)
    fits = [
        _fit(features, data, train, test, plan)
        for train, test in progress_bar(folds, enabled=progress, desc="encode", unit="fold")
    ]
    _warn(data, fits, steps)
    rows = _Rows.stack(data, folds, fits, block or max(-(-len(data.x) // 20), reach + 1))
    result = _scores(data, folds, fits)
    if columns:
        weights = np.stack([gammas[fit.weighting].T for fit in fits])
        result["gamma"] = (("fold", "band", "target"), weights)
        result = result.assign_coords(band=list(columns))
    if n_permutations:
        result = result.assign(_significance(rows, block, n_permutations, seed))
    if n_bootstraps:
        result = result.assign(_interval(rows, confidence, n_bootstraps, seed))
    if limit is not None:
        known = np.where(limit > 0, limit, np.nan)
        result["ceiling"] = ("target", np.array(limit))
        result["r_normalised"] = ("target", result.r.values / known)
    result.attrs = {
        "split": split,
        "chance": 0.0,
        "n_samples": len(data.x),
        "n_features": features.shape[1],
        "delays": steps,
        "selection": selection,
        "standardize": int(standardize),
        "seed": seed,
        "n_permutations": n_permutations,
        "permutation": rows.describe_moves(block),
        "n_bootstraps": n_bootstraps,
        "confidence": confidence,
        "fold_inflation": rows.inflation,
        "interval_unit": rows.unit_name,
        "interval_units": int(np.unique(rows.unit).size),
        "versions": versions(),
        **({} if block is None else {"block": block}),
        **({"n_weightings": n_weightings} if columns else {}),
    }
    return result


@dataclass(frozen=True)
class _Plan:
    """How each fold is fitted."""

    alphas: ArrayLike | Literal["auto"]
    selection: str
    inner_cv: int
    gap: int
    standardize: bool
    scales: Array | None = None


@dataclass(frozen=True)
class _Fit:
    """What one fold gave."""

    prediction: NDArray
    r: Array
    r2: Array
    alpha: Array
    chosen: NDArray[np.intp]
    weighting: NDArray[np.intp]
    n_alphas: int
    constant: NDArray[np.intp]


@dataclass(frozen=True)
class _Rows:
    """The test samples of all folds, stacked."""

    y: NDArray
    prediction: NDArray
    fold: NDArray[np.intp]
    segment: NDArray[np.intp]
    unit: NDArray
    unit_name: str
    in_groups: bool
    inflation: float
    times_tested: int

    @classmethod
    def stack(cls, data: Inputs, folds: splits.Folds, fits: list[_Fit], block: int) -> _Rows:
        """Stack folds, and say which rows move together and which are independent."""
        test = np.concatenate([test for _, test in folds])
        fold = np.repeat(np.arange(len(folds)), [len(test) for _, test in folds])
        prediction = np.concatenate([fit.prediction for fit in fits])
        unit, unit_name = test // block, f"block of {block} samples"
        segment, in_groups = fold, False
        if data.groups is not None:
            codes, n_groups = splits.group_codes(data.groups)
            unit, unit_name = codes[test], "group"
            pairs = fold * n_groups + codes[test]
            in_groups = all(_moves_within(side, pairs) for side in (data.y[test], prediction))
            segment = pairs if in_groups else fold
        return cls(
            data.y[test],
            prediction,
            fold,
            segment,
            unit,
            unit_name,
            in_groups,
            statistics.fold_inflation(folds, len(data.x)),
            int(np.bincount(test).max()),
        )

    def describe_moves(self, block: int | None) -> str:
        """Say in words what a permutation does."""
        where = "groups" if self.in_groups else "test folds"
        what = "rotation" if block is None else f"exchange of blocks of {block} samples"
        return f"{what} within {where}"


def _check_settings(
    n: int, block: int | None, confidence: float, n_permutations: int, n_bootstraps: int
) -> None:
    """Refuse settings of the statistics before any time is spent on fits."""
    counts = (n_permutations, n_bootstraps, 1 if block is None else block)
    if not all(isinstance(count, int | np.integer) for count in counts):
        raise DataError(
            "Expected whole numbers for n_permutations, n_bootstraps and block; got "
            f"{n_permutations}, {n_bootstraps} and {block}."
        )
    if block is not None and not 1 <= block <= n // 2:
        raise DataError(f"Expected a block of 1 to {n // 2} of the {n} samples; got {block}.")
    if not 0 < confidence < 1:
        raise DataError(f"Expected a confidence between 0 and 1; got {confidence}.")
    if min(n_permutations, n_bootstraps) < 0:
        raise DataError(
            "Expected n_permutations and n_bootstraps of 0 or more; got "
            f"{n_permutations} and {n_bootstraps}."
        )


def _check_names(coords: Coords) -> None:
    """Refuse coordinates of targets that the variables of the result would overwrite."""
    taken = sorted(RESULTS & set(coords))
    if taken:
        raise DataError(
            f"Coordinates of y are named as parts of the result: {', '.join(taken)}. "
            f"Try y.rename({taken[0]}='my_{taken[0]}')."
        )


def _moves_within(y: NDArray, group: NDArray[np.intp]) -> bool:
    """Tell whether values vary enough within groups for moves there to change every score."""
    order = np.argsort(group, kind="stable")
    _, start, size = np.unique(group[order], return_index=True, return_counts=True)
    if size.min() < SHORTEST_ROTATION:
        return False
    y = y[order]
    within = np.maximum.reduceat(y, start) > np.minimum.reduceat(y, start)
    return bool((within.any(axis=0) | (np.ptp(y, axis=0) == 0)).all())


def _folds(data: Inputs, cv: Cv, gap: int | None, reach: int) -> tuple[splits.Folds, str]:
    """Make or check the folds, and describe them."""
    n = len(data.x)
    if gap is not None and (data.groups is not None or not isinstance(cv, int | np.integer)):
        raise DataError("A gap belongs to contiguous folds. Leave it out with groups or own folds.")
    if data.groups is not None and (cv is None or isinstance(cv, int | np.integer)):
        folds = splits.by_group(data.groups, None if cv is None else int(cv))
        name = f"{len(folds)} folds of whole groups"
    elif cv is None:
        raise DataError("cv=None leaves one group out at a time, and needs groups.")
    elif isinstance(cv, int | np.integer):
        gap = reach if gap is None else gap
        folds = splits.contiguous(n, int(cv), gap)
        name = f"{cv} contiguous folds with a gap of {gap} samples"
    else:
        folds = splits.check_folds(cv, n)
        name = f"{len(folds)} folds as given"
    smallest = min(len(test) for _, test in folds)
    if smallest < SMALLEST_TEST or min(len(train) for train, _ in folds) < 2:
        raise DataError(
            f"A correlation needs at least {SMALLEST_TEST} test samples and a fit 2 training "
            f"samples in every fold; the smallest test set has {smallest}. Use fewer folds."
        )
    return folds, name


def _refuse_leaks(folds: splits.Folds, segment: NDArray[np.intp], reach: int) -> None:
    """Raise when a training row lies within the longest delay of a test row."""
    for k, (train, test) in enumerate(folds):
        side = np.zeros(len(segment), dtype=np.int8)
        side[train], side[test] = 1, 2
        for step in range(1, reach + 1):
            near = (side[step:] * side[:-step] == 2) & (segment[step:] == segment[:-step])
            if near.any():
                raise DataError(
                    f"Fold {k} trains on samples {step} from a test sample, within the longest "
                    f"delay of {reach}: the same features are on both sides. Use contiguous "
                    f"folds with a gap of {reach} or whole groups, or pass allow_leakage=True."
                )


def _fit(
    x: NDArray, data: Inputs, train: NDArray[np.intp], test: NDArray[np.intp], plan: _Plan
) -> _Fit:
    """Fit one fold with what its training samples say, and predict its test samples."""
    x_train, x_test, constant = _scale(x[train], x[test], plan.standardize)
    inner = _inner_folds(data, train, plan) if plan.selection in ridge.FOLDED else None
    n_targets = data.y.shape[1]
    prediction = np.empty((len(test), n_targets), dtype=data.y.dtype)
    chosen, weighting = np.zeros((2, n_targets), dtype=np.intp)
    r, r2, alpha = np.empty((3, n_targets))
    best = np.full(n_targets, np.inf)
    for k, scale in enumerate([None] if plan.scales is None else plan.scales):
        problem = ridge.prepare(_times(x_train, scale), plan.alphas, plan.selection, inner)
        projected = problem.spectrum.project(_times(x_test, scale))
        for block in ridge.target_blocks(n_targets):
            solution = ridge.solve(problem, data.y[train, block])
            better = (solution.error < best[block]) | (k == 0)
            into = block.start + np.flatnonzero(better)
            if not into.size:
                continue
            mean, measured = solution.y_mean[better], data.y[np.ix_(test, into)]
            predicted = projected @ solution.weights[:, better] + mean
            r[into] = statistics.pearson(measured, predicted)
            r2[into] = statistics.r2(measured, predicted, mean)
            prediction[:, into], best[into] = predicted, solution.error[better]
            chosen[into], weighting[into] = solution.chosen[better], k
            alpha[into] = problem.alphas[chosen[into]]
    n_alphas = len(problem.alphas)
    return _Fit(prediction, r, r2, alpha, chosen, weighting, n_alphas, constant)


def _spread(columns: dict[str, NDArray[np.intp]], gammas: Array) -> Array:
    """Turn weights of bands into factors of features: a ridge on them is the banded one."""
    scales = np.empty((len(gammas), sum(map(len, columns.values()))))
    for gamma, band in zip(gammas.T, columns.values(), strict=True):
        scales[:, band] = np.sqrt(gamma)[:, None]
    return scales


def _times(x: Array, scale: Array | None) -> Array:
    """Scale features, where there is anything to scale."""
    return x if scale is None else x * scale


def _scale(
    train: NDArray, test: NDArray, standardize: bool
) -> tuple[Array, Array, NDArray[np.intp]]:
    """Centre and scale with training statistics; constant features become zero."""
    train, test = train.astype(np.float64), test.astype(np.float64)
    mean, sd = train.mean(axis=0), train.std(axis=0)
    varies = sd > 1e-12 * np.abs(train).max(axis=0)
    if not varies.any():
        raise DataError(
            f"All {train.shape[1]} features are constant over the {len(train)} training samples "
            "of a fold. Check that x is not empty of signal."
        )
    divisor = np.where(varies, sd if standardize else 1.0, np.inf)
    return (train - mean) / divisor, (test - mean) / divisor, np.flatnonzero(~varies)


def _inner_folds(data: Inputs, train: NDArray[np.intp], plan: _Plan) -> splits.Folds:
    """Split a training set by groups where it has several, else in contiguous blocks."""
    if data.groups is not None:
        groups = data.groups[train]
        _, n_groups = splits.group_codes(groups)
        if n_groups > 1:
            return splits.by_group(groups, min(plan.inner_cv, n_groups))
    return splits.contiguous(len(train), plan.inner_cv, plan.gap)


def _warn(data: Inputs, fits: list[_Fit], steps: list[int]) -> None:
    """Say once, over all folds, what the user should know."""
    constant = np.unique(np.concatenate([fit.constant for fit in fits]))
    names = [
        data.features[k % data.x.shape[1]]
        + (f" (delay {steps[k // data.x.shape[1]]})" if len(steps) > 1 else "")
        for k in constant
    ]
    if names:
        _say(f"Features constant in the training set of some fold get weight zero: {some(names)}.")
    flat = np.flatnonzero(np.ptp(data.y, axis=0) == 0)
    if flat.size:
        labels = data.coords["target"][1] if "target" in data.coords else range(data.y.shape[1])
        _say(f"Constant targets cannot be predicted (r = 0): {some([labels[k] for k in flat])}.")
    edge = ridge.edge_message([fit.chosen for fit in fits], fits[0].n_alphas)
    if edge:
        _say(edge)


def _say(message: str) -> None:
    """Warn at the line that called :func:`encode`."""
    warnings.warn(message, UserWarning, stacklevel=4)


def _scores(data: Inputs, folds: splits.Folds, fits: list[_Fit]) -> xr.Dataset:
    """Collect the scores of all folds."""
    r_fold = np.stack([fit.r for fit in fits])
    r2_fold = np.stack([fit.r2 for fit in fits])
    both = ("fold", "target")
    return xr.Dataset(
        {
            "r": ("target", r_fold.mean(axis=0)),
            "R2": ("target", r2_fold.mean(axis=0)),
            "r_fold": (both, r_fold),
            "R2_fold": (both, r2_fold),
            "alpha": (both, np.stack([fit.alpha for fit in fits])),
        },
        coords={
            **data.coords,
            "fold": np.arange(len(folds)),
            "n_train": ("fold", [len(train) for train, _ in folds]),
            "n_test": ("fold", [len(test) for _, test in folds]),
        },
    )


def _significance(
    rows: _Rows, block: int | None, n_permutations: int, seed: int
) -> dict[str, tuple[str, Array]]:
    """Test every target, and control the false discovery rate over all of them."""
    p = np.concatenate(
        [
            statistics.permutation_p(
                rows.y[:, part],
                rows.prediction[:, part],
                rows.fold,
                rows.segment,
                block=block,
                n_permutations=n_permutations,
                # Folds that test the same samples move separately, but are not separate.
                inflation=rows.inflation * np.sqrt(rows.times_tested),
                seed=seed,
            )
            for part in ridge.target_blocks(rows.y.shape[1])
        ]
    )
    return {"p": ("target", p), "q": ("target", scipy.stats.false_discovery_control(p))}


def _interval(
    rows: _Rows, confidence: float, n_bootstraps: int, seed: int
) -> dict[str, tuple[str, Array]]:
    """Give every target its interval."""
    ends = [
        statistics.bootstrap_interval(
            rows.y[:, part],
            rows.prediction[:, part],
            rows.fold,
            rows.unit,
            confidence=confidence,
            n_bootstraps=n_bootstraps,
            inflation=rows.inflation,
            seed=seed,
        )
        for part in ridge.target_blocks(rows.y.shape[1])
    ]
    low, high = (np.concatenate(end) for end in zip(*ends, strict=True))
    return {"r_low": ("target", low), "r_high": ("target", high)}
