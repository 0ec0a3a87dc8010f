"""What an encoding analysis can do before it sees a target: folds, features, decompositions.

A plan is made once; :func:`~neurokit.alignment.blocks.encode_block` then works on any block of
targets, here or on another machine, and the blocks do not depend on each other.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment import banded, ridge, splits, statistics
from neurokit.alignment.bands import Bands, band_columns, candidates
from neurokit.alignment.delays import check_delays, delayed, segments
from neurokit.alignment.inputs import Features, check_features, check_groups, some, versions
from neurokit.errors import DataError

__all__ = ["EncodingPlan", "FoldModel", "Settings", "make_plan"]

SMALLEST_TEST = 3  # samples, below which a correlation says nothing
SHORTEST_ROTATION = 8  # samples, below which permutations move whole folds instead of groups

Layers = Mapping[Hashable, ArrayLike | xr.DataArray]


@dataclass(frozen=True)
class Settings:
    """How an encoding analysis is done; arguments of ``encode`` of the same names."""

    cv: splits.Cv = 5
    alphas: ArrayLike | Literal["auto"] = "auto"
    delays: Sequence[int] | None = None
    bands: Bands | None = None
    n_weightings: int = 20
    selection: str = "gcv"
    inner_cv: int = 5
    gap: int | None = None
    standardize: bool = True
    block: int | None = None
    n_permutations: int = 1000
    n_bootstraps: int = 1000
    confidence: float = 0.95
    seed: int = 0
    allow_leakage: bool = False
    device: str = "auto"

    def check(self, n: int) -> None:
        """Refuse settings of the statistics before any time is spent on fits."""
        block, confidence = self.block, self.confidence
        counts = (self.n_permutations, self.n_bootstraps, 1 if block is None else block)
        if not all(isinstance(count, int | np.integer) for count in counts):
            raise DataError(
                "Expected whole numbers for n_permutations, n_bootstraps and block; got "
                f"{self.n_permutations}, {self.n_bootstraps} and {block}."
            )
        if block is not None and not 1 <= block <= n // 2:
            raise DataError(f"Expected a block of 1 to {n // 2} of the {n} samples; got {block}.")
        if not 0 < confidence < 1:
            raise DataError(f"Expected a confidence between 0 and 1; got {confidence}.")
        if min(self.n_permutations, self.n_bootstraps) < 0:
            raise DataError(
                "Expected n_permutations and n_bootstraps of 0 or more; got "
                f"{self.n_permutations} and {self.n_bootstraps}."
            )


@dataclass(frozen=True)
class FoldModel:
    """The features of one fold, ready for targets.

    Attributes
    ----------
    train, test : ndarray of int
        Samples of the two sides.
    problem : Problem or BandedProblem
        Of the training samples.
    ahead : array
        Test samples on the problem's basis; of banded problems their features.
    constant : ndarray of int
        Features that do not vary over the training samples.
    """

    train: NDArray[np.intp]
    test: NDArray[np.intp]
    problem: ridge.Problem | banded.BandedProblem
    ahead: Any
    constant: NDArray[np.intp]


@dataclass(frozen=True)
class EncodingPlan:
    """Everything of an encoding analysis that does not depend on the targets.

    Attributes
    ----------
    layers : dict
        For each set of features its folds, as :class:`FoldModel`.
    layered : bool
        Whether the features came as a mapping; the result then has a dimension ``layer``.
    settings : Settings
        How it is done.
    folds : list of (ndarray, ndarray)
        Training and test samples.
    n_samples : int
        Length of the series.
    rows : ndarray of int
        Samples of all test sets, stacked.
    fold : ndarray of int, shape (rows,)
        Their folds.
    within : ndarray of int, shape (rows,), or None
        Their groups within folds, where groups are long enough for rotations.
    unit : ndarray of int, shape (rows,)
        What is independent.
    inflation, moved_inflation : float
        See :func:`~neurokit.alignment.statistics.fold_inflation`; for the interval and the
        permutations.
    bands : list of str
        Names of the bands, if any.
    notes : list of str
        What the user should know.
    attrs : dict
        How it was made, for the result.
    """

    layers: dict[Hashable, list[FoldModel]]
    layered: bool
    settings: Settings
    folds: splits.Folds
    n_samples: int
    rows: NDArray[np.intp]
    fold: NDArray[np.intp]
    within: NDArray[np.intp] | None
    unit: NDArray[np.intp]
    inflation: float
    moved_inflation: float
    bands: list[str]
    notes: list[str]
    attrs: dict[str, Any]


def make_plan(
    x: ArrayLike | xr.DataArray | Layers,
    groups: ArrayLike | None,
    settings: Settings,
    single: bool = True,
) -> EncodingPlan:
    """Check the features, make the folds, and decompose.

    Parameters
    ----------
    x : array-like, DataArray or mapping of them, shape (samples, features)
        Features.
    groups : array-like, shape (samples,), optional
        Group of each sample.
    settings : Settings
        How it is done.
    single : bool
        Whether features in single precision may stay in it.

    Returns
    -------
    EncodingPlan
        For :func:`~neurokit.alignment.blocks.encode_block`.

    Raises
    ------
    DataError
        Features of different lengths, or whatever does not fit.

    Examples
    --------
    >>> plan = make_plan(np.random.default_rng(0).standard_normal((40, 3)), None, Settings())
    >>> plan.attrs["split"]
    '5 contiguous folds with a gap of 0 samples'
    """
    given: dict[Hashable, Any] = dict(x) if isinstance(x, Mapping) else {"": x}
    checked = {name: check_features(one) for name, one in given.items()}
    sizes = {len(one.values) for one in checked.values()}
    if len(sizes) != 1:
        raise DataError(f"Expected layers of as many samples each; got {sorted(sizes)}.")
    n = sizes.pop()
    settings.check(n)
    labels = check_groups(groups, n)
    steps = [0] if settings.delays is None else check_delays(settings.delays, n)
    reach = max(abs(step) for step in steps)
    folds, split = _folds(n, labels, settings, reach)
    if reach and not settings.allow_leakage:
        _refuse_leaks(folds, segments(labels, n), reach)
    layers: dict[Hashable, list[FoldModel]] = {}
    notes, bands = [], []
    for name, one in checked.items():
        columns = _columns(given[name], one.values.shape[1], settings, len(steps))
        bands = list(columns)
        values = one.values if single else one.values.astype(np.float64, copy=False)
        values = values if settings.delays is None else delayed(values, steps, labels)
        layers[name] = [
            _fold_model(values, fold, labels, settings, columns, reach) for fold in folds
        ]
        notes += _constant(one, layers[name], steps)
    sizes_of = [one.values.shape[1] * len(steps) for one in checked.values()]
    layered = isinstance(x, Mapping)
    attrs = {
        "split": split,
        "n_features": sizes_of if layered else sizes_of[0],
        "delays": steps,
        **_described(settings, n),
        **({"n_weightings": settings.n_weightings} if bands else {}),
    }
    units = settings.block or max(-(-n // 20), reach + 1)
    return _with_rows(layers, layered, settings, folds, n, labels, units, bands, notes, attrs)


def _described(settings: Settings, n: int) -> dict[str, Any]:
    """Say in attributes how a result was made."""
    return {
        "chance": 0.0,
        "n_samples": n,
        "selection": settings.selection,
        "standardize": int(settings.standardize),
        "seed": settings.seed,
        "n_permutations": settings.n_permutations,
        "n_bootstraps": settings.n_bootstraps,
        "confidence": settings.confidence,
        "versions": versions(),
        **({} if settings.block is None else {"block": settings.block}),
    }


def _with_rows(
    layers: dict[Hashable, list[FoldModel]],
    layered: bool,
    settings: Settings,
    folds: splits.Folds,
    n: int,
    labels: NDArray[Any] | None,
    unit_length: int,
    bands: list[str],
    notes: list[str],
    attrs: dict[str, Any],
) -> EncodingPlan:
    """Stack the test samples, and say which move together and which are independent."""
    test = np.concatenate([test for _, test in folds])
    fold = np.repeat(np.arange(len(folds)), [len(test) for _, test in folds])
    unit, unit_name = test // unit_length, f"block of {unit_length} samples"
    within = None
    if labels is not None:
        codes, n_groups = splits.group_codes(labels)
        unit, unit_name = codes[test], "group"
        pairs = np.unique(fold * n_groups + codes[test], return_inverse=True)[1]
        if np.bincount(pairs).min() >= SHORTEST_ROTATION:
            within = pairs
    unit = np.unique(unit, return_inverse=True)[1]
    inflation = statistics.fold_inflation(folds, n)
    # Folds that test the same samples move separately, but are not separate.
    moved = inflation * float(np.sqrt(np.bincount(test).max()))
    attrs = {
        **attrs,
        "fold_inflation": inflation,
        "interval_unit": unit_name,
        "interval_units": int(unit.max()) + 1,
    }
    return EncodingPlan(
        layers,
        layered,
        settings,
        folds,
        n,
        test,
        fold,
        within,
        unit,
        inflation,
        moved,
        bands,
        notes,
        attrs,
    )


def _folds(
    n: int, labels: NDArray[Any] | None, settings: Settings, reach: int
) -> tuple[splits.Folds, str]:
    """Make or check the folds, and describe them."""
    cv, gap = settings.cv, settings.gap
    number = isinstance(cv, int | np.integer)
    contiguous = number and labels is None
    if gap is not None and not contiguous:
        raise DataError("A gap belongs to contiguous folds. Leave it out with groups or own folds.")
    kept_apart = (reach if gap is None else gap) if contiguous else 0
    folds = splits.from_cv(n, cv, labels, kept_apart)
    if contiguous:
        name = f"{cv} contiguous folds with a gap of {kept_apart} samples"
    else:
        whole = number or cv is None
        name = f"{len(folds)} folds " + ("of whole groups" if whole else "as given")
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


def _columns(
    x: ArrayLike | xr.DataArray, n_features: int, settings: Settings, n_delays: int
) -> dict[str, NDArray[np.intp]]:
    """Find the columns of each band in the delayed features."""
    if settings.bands is None:
        return {}
    named = band_columns(settings.bands, x, n_features)
    shifts = n_features * np.arange(n_delays)[:, None]
    return {name: (shifts + at).ravel() for name, at in named.items()}


def _fold_model(
    x: NDArray[Any],
    fold: tuple[NDArray[np.intp], NDArray[np.intp]],
    labels: NDArray[Any] | None,
    settings: Settings,
    columns: dict[str, NDArray[np.intp]],
    reach: int,
) -> FoldModel:
    """Scale and decompose the features of one fold by what its training samples say."""
    train, test = fold
    inside, ahead, constant = _scale(x[train], x[test], settings.standardize)
    inner = None
    if settings.selection in ridge.FOLDED:
        inner = _inner_folds(labels, train, settings, max(reach, settings.gap or 0))
    rest = (settings.alphas, settings.selection, inner, True, settings.device)
    if columns:
        gammas = candidates(len(columns), settings.n_weightings, settings.seed)
        several = banded.prepare(inside, columns, gammas, *rest)
        return FoldModel(train, test, several, ahead, constant)
    problem = ridge.prepare(inside, *rest)
    projected = problem.spectrum.project(ahead)
    return FoldModel(train, test, problem.lean(), projected, constant)


def _scale(
    train: NDArray[Any], test: NDArray[Any], standardize: bool
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.intp]]:
    """Centre and scale with training statistics; constant features become zero."""
    kind = train.dtype
    mean = train.mean(axis=0, dtype=np.float64)
    sd = train.std(axis=0, dtype=np.float64)
    varies = sd > 1e-12 * np.maximum(train.max(axis=0), -train.min(axis=0))
    if not varies.any():
        raise DataError(
            f"All {train.shape[1]} features are constant over the {len(train)} training samples "
            "of a fold. Check that x is not empty of signal."
        )
    divisor = np.where(varies, sd if standardize else 1.0, np.inf)
    inside, ahead = ((side - mean) / divisor for side in (train, test))
    constant = np.flatnonzero(~varies)
    return inside.astype(kind, copy=False), ahead.astype(kind, copy=False), constant


def _inner_folds(
    labels: NDArray[Any] | None, train: NDArray[np.intp], settings: Settings, gap: int
) -> splits.Folds:
    """Split a training set by groups where it has several, else in contiguous blocks."""
    if labels is not None:
        groups = labels[train]
        _, n_groups = splits.group_codes(groups)
        if n_groups > 1:
            return splits.by_group(groups, min(settings.inner_cv, n_groups))
    return splits.contiguous(len(train), settings.inner_cv, gap)


def _constant(features: Features, models: list[FoldModel], steps: list[int]) -> list[str]:
    """Name the features that are constant in the training set of some fold."""
    constant = np.unique(np.concatenate([model.constant for model in models]))
    width = features.values.shape[1]
    names = [
        features.names[k % width] + (f" (delay {steps[k // width]})" if len(steps) > 1 else "")
        for k in constant
    ]
    if not names:
        return []
    return [f"Features constant in the training set of some fold get weight zero: {some(names)}."]
