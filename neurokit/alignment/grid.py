"""Which features predict which regions, and whether what one view teaches holds for another.

After Oota et al. 2022 (Visio-Linguistic Brain Encoding, COLING, sections 4 to 6): features of
images, of texts, of both side by side and of models that see both, against regions, scored by
correlation and by 2V2 accuracy; and models trained on the responses to concepts shown in one
way (as pictures, sentences or word clouds, Pereira et al. 2018), tested on those shown in another.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.estimator import RidgeCV
from neurokit.alignment.inputs import check_ceiling, check_inputs, target_coords, versions
from neurokit.alignment.matrices import coded
from neurokit.alignment.pairwise import pairwise_accuracy
from neurokit.alignment.splits import Cv, Folds, by_group, from_cv
from neurokit.alignment.statistics import pearson
from neurokit.errors import DataError, UnknownNameError
from neurokit.progress import progress_bar

__all__ = ["cross_view", "encoding_grid"]

Features = ArrayLike | xr.DataArray


@dataclass(frozen=True)
class _Plan:
    """How every cell of a grid is fitted and scored."""

    alphas: ArrayLike | Literal["auto"]
    selection: str
    device: str
    metric: str
    labels: NDArray

    def score(self, parts: Sequence[tuple[NDArray, NDArray]]) -> dict[str, NDArray]:
        """Score (measured, predicted) of each test fold."""
        r = np.stack([pearson(y, prediction) for y, prediction in parts])
        _, regions = coded("region", self.labels, len(self.labels))
        pairs = pairwise_accuracy(
            np.concatenate([y for y, _ in parts]),
            np.concatenate([prediction for _, prediction in parts]),
            metric=self.metric,
            fold=np.repeat(np.arange(len(parts)), [len(y) for y, _ in parts]),
            region=self.labels,
        )
        return {
            "r_target": r.mean(axis=0),
            "r_fold": np.stack([r[:, self.labels == name].mean(axis=1) for name in regions], 1),
            "accuracy_fold": pairs.accuracy_fold.values,
        }

    def predict(
        self, train: tuple[NDArray, NDArray], test: NDArray, scale: NDArray | None = None
    ) -> NDArray:
        """Fit standardised features to centred responses, and predict others, centred too.

        Rows of ``test`` are standardised as those of ``scale``, by default as those of training.
        """
        x, y = train
        model = RidgeCV(self.alphas, self.selection, device=self.device)
        with warnings.catch_warnings():
            # Rows without any relation to the responses always want the largest penalty.
            warnings.filterwarnings("ignore", message=".*edge")
            model.fit(_standard(x, x), y - y.mean(axis=0))
        return model.predict(_standard(test, x if scale is None else scale))


def encoding_grid(
    features: Mapping[str, Features],
    y: xr.DataArray,
    groups: ArrayLike | None = None,
    cv: Cv = 5,
    *,
    late: Mapping[str, Sequence[str]] | None = None,
    region: str = "region",
    ceiling: float | ArrayLike | xr.DataArray | xr.Dataset | None = None,
    metric: str = "cosine",
    alphas: ArrayLike | Literal["auto"] = "auto",
    selection: str = "gcv",
    device: str = "auto",
    seed: int = 0,
    progress: bool | None = None,
) -> xr.Dataset:
    """Score every set of features in every region.

    Parameters
    ----------
    features : mapping of str to array-like or DataArray, shape (presentation, feature)
        Sets of features of the same presentations: of images, of texts, of a model of both.
    y : DataArray, dims (presentation, target)
        Responses, with a coordinate that names each target's region.
    groups : array-like, shape (presentation,), optional
        What must not be both in training and in test: the concept of each presentation.
    cv : int, None, or iterable of (train, test)
        As in :func:`~neurokit.alignment.encode`.
    late : mapping of str to sequence of str, optional
        Rows of late fusion: names of feature sets that are standardised and put side by side.
    region : str
        Name of the coordinate.
    ceiling : float, array-like, DataArray or Dataset, optional
        The r-ceiling of each target.
    metric : {"cosine", "correlation"}
        Of the 2V2 accuracy, between responses less their mean in training.
    alphas, selection, device
        As in :class:`~neurokit.alignment.RidgeCV`.
    seed : int
        Of the shuffled rows of the baseline.
    progress : bool, optional
        Show a progress bar over sets of features.

    Returns
    -------
    Dataset
        Over ``features`` and ``region``: ``r``, the mean over folds and targets; ``accuracy``
        (2V2); ``r_null`` and ``accuracy_null``, the same with rows of features in random order;
        ``r_fold`` and ``accuracy_fold`` over ``fold`` too. ``r_target`` over ``features`` and
        ``target``, ``n_targets`` over ``region``, and with a ceiling ``ceiling`` over ``region``
        and ``r_normalised``, the mean of r / ceiling.

    Raises
    ------
    DataError
        Features that do not fit the responses, or folds with fewer than two test samples.
    UnknownNameError
        A coordinate, or a part of a late fusion, that does not exist.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = {"image": rng.standard_normal((60, 4)), "text": rng.standard_normal((60, 4))}
    >>> y = xr.DataArray(
    ...     np.hstack([x["image"], x["text"]]) + 0.1 * rng.standard_normal((60, 8)),
    ...     dims=("presentation", "target"),
    ...     coords={"region": ("target", ["visual"] * 4 + ["language"] * 4)},
    ... )
    >>> grid = encoding_grid(x, y, late={"both": ("image", "text")})
    >>> (grid.r > 0.8).sel(region="visual").to_series().to_dict()
    {'image': True, 'text': False, 'both': True}
    """
    labels = _regions(y, region)
    rows = _with_late(features, late or {}, y)
    folds = from_cv(len(y), cv, groups)
    if groups is not None:
        _check_apart(folds, np.asarray(groups))
    plan = _Plan(alphas, selection, device, metric, labels)
    shuffled = np.random.default_rng(seed).permutation(len(y))
    scores = {}
    for name, x in progress_bar(rows.items(), enabled=progress, desc="grid", unit="features"):
        real, null = (
            plan.score(list(_held_out(plan, z, np.asarray(y), folds))) for z in (x, x[shuffled])
        )
        scores[name] = real | {f"{key}_null": null[key] for key in ("r_fold", "accuracy_fold")}
    out = _table(scores, plan, {"features": list(scores)})
    out = out.assign_coords(_other_coords(y, labels))
    if ceiling is not None:
        out = out.assign(_normalised(out, check_ceiling(ceiling, target_coords(y), y.shape[1])))
    out.attrs |= {"n_samples": len(y), "seed": seed}
    return out


def cross_view(
    features: Mapping[str, Features],
    y: Mapping[str, xr.DataArray],
    concepts: Mapping[str, ArrayLike],
    n_splits: int = 5,
    *,
    region: str = "region",
    metric: str = "cosine",
    alphas: ArrayLike | Literal["auto"] = "auto",
    selection: str = "gcv",
    device: str = "auto",
    progress: bool | None = None,
) -> xr.Dataset:
    """Train on one view of some concepts, and test on every view of other concepts.

    No concept is in training and in test, whatever the view. Features and responses of each
    view are standardised and centred by the training concepts of that view, so that a constant
    shift between views is no error.

    Parameters
    ----------
    features : mapping of str to array-like, shape (presentation, feature)
        Features of each view, from one model, so that columns mean the same.
    y : mapping of str to DataArray, dims (presentation, target)
        Responses to each view, of the same targets, with a coordinate of regions.
    concepts : mapping of str to array-like, shape (presentation,)
        The concept of each presentation.
    n_splits : int
        Folds of concepts.
    region, metric, alphas, selection, device
        As in :func:`encoding_grid`.
    progress : bool, optional
        Show a progress bar over pairs of views.

    Returns
    -------
    Dataset
        Over ``train_view``, ``test_view`` and ``region``: ``r`` and ``accuracy``; over ``fold``
        too: ``r_fold`` and ``accuracy_fold``; ``r_target`` over ``target``.

    Raises
    ------
    DataError
        Views that do not fit each other, or a fold with fewer than two test samples of a view.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((60, 4))
    >>> y = xr.DataArray(x, dims=("p", "target"), coords={"region": ("target", ["IT"] * 4)})
    >>> views = cross_view(
    ...     {"picture": x, "word": x}, {"picture": y, "word": y + 3}, {"picture": range(60),
    ...     "word": range(60)})
    >>> views.r.sel(train_view="picture", test_view="word").round(2).item()
    1.0
    """
    names = list(features)
    if len(names) < 2 or set(names) != set(y) or set(names) != set(concepts):
        raise DataError(
            f"Expected features, y and concepts of the same two or more views; got {names}, "
            f"{list(y)} and {list(concepts)}."
        )
    labels = _regions(y[names[0]], region)
    views = {name: _view(name, features, y, region, labels) for name in names}
    _check_widths(views)
    lengths = {name: len(x) for name, (x, _) in views.items()}
    held = _concept_folds(concepts, lengths, n_splits)
    plan = _Plan(alphas, selection, device, metric, labels)
    scores = {}
    pairs = list(product(names, names))
    for first, second in progress_bar(pairs, enabled=progress, desc="views", unit="pair"):
        parts = []
        for fold in range(n_splits):
            (x, z), (x_, z_) = views[first], views[second]
            keep, keep_ = held[first] != fold, held[second] != fold
            prediction = plan.predict((x[keep], z[keep]), x_[~keep_], scale=x_[keep_])
            parts.append((z_[~keep_] - z_[keep_].mean(axis=0), prediction))
        scores[first, second] = plan.score(parts)
    out = _table(scores, plan, {"train_view": names, "test_view": names})
    out = out.assign_coords(_other_coords(y[names[0]], labels))
    out.attrs |= {
        "n_concepts": len(np.unique(np.concatenate([*map(np.asarray, concepts.values())])))
    }
    return out


def _regions(y: Any, region: str) -> NDArray:
    """Return the region of each target."""
    if not isinstance(y, xr.DataArray) or y.ndim != 2:
        raise DataError(
            "Expected y as a DataArray with dims (presentation, target) and a coordinate of "
            f"regions; got {type(y).__name__} of shape {np.shape(y)}."
        )
    known = {name: values for name, (_, values) in target_coords(y).items()}
    if region not in known:
        raise UnknownNameError("coordinate of the targets", region, known)
    return np.asarray(known[region]).astype(str)


def _other_coords(y: xr.DataArray, labels: NDArray) -> dict[str, Any]:
    """Return the coordinates of targets under names that the table leaves free."""
    taken = {"region", "features", "fold", "train_view", "test_view", "r", "accuracy", "ceiling"}
    kept = {name: c for name, c in target_coords(y).items() if name not in taken}
    return {**kept, "target_region": ("target", labels)}


def _with_late(
    features: Mapping[str, Features], late: Mapping[str, Sequence[str]], y: xr.DataArray
) -> dict[str, NDArray]:
    """Check features, and add the rows of late fusion."""
    if not features:
        raise DataError("There are no features: expected a mapping of names to arrays.")
    rows = {}
    for name, x in features.items():
        try:
            rows[name] = check_inputs(x, y).x
        except DataError as error:
            raise DataError(f"Features {name!r}: {error}") from None
    for name, parts in late.items():
        if name in rows or isinstance(parts, str) or len(parts) < 2:
            raise DataError(
                f"Expected late= to map a new name to two or more feature sets; got {name!r}: "
                f"{parts!r}."
            )
        for part in parts:
            if part not in features:
                raise UnknownNameError("feature set", part, features)
        # Every fold standardises its training rows, which is all that late fusion needs.
        rows[name] = np.concatenate([rows[part] for part in parts], axis=1)
    return rows


def _check_apart(folds: Folds, groups: NDArray) -> None:
    """Refuse folds that share a group."""
    for number, (train, test) in enumerate(folds):
        shared = np.intersect1d(groups[train], groups[test])
        if shared.size:
            raise DataError(
                f"Fold {number} has {str(shared[0])!r} in training and in test ({shared.size} "
                "groups are in both). Pass cv as a number to hold out whole groups."
            )


def _held_out(
    plan: _Plan, x: NDArray, y: NDArray, folds: Folds
) -> Iterator[tuple[NDArray, NDArray]]:
    """Yield centred responses and predictions of each test fold."""
    for train, test in folds:
        yield y[test] - y[train].mean(axis=0), plan.predict((x[train], y[train]), x[test])


def _standard(x: NDArray, reference: NDArray) -> NDArray:
    """Scale features by the mean and standard deviation of other rows."""
    mean = reference.mean(axis=0, dtype=np.float64)
    spread = reference.std(axis=0, dtype=np.float64)
    # Rounding alone makes a constant feature vary.
    varies = spread > 1e-6 * np.abs(reference).max(axis=0)
    return (x - mean.astype(x.dtype)) / np.where(varies, spread, np.inf).astype(x.dtype)


def _view(
    name: str,
    features: Mapping[str, Features],
    y: Mapping[str, xr.DataArray],
    region: str,
    labels: NDArray,
) -> tuple[NDArray, NDArray]:
    """Check one view, and that its targets are those of the first."""
    try:
        found = _regions(y[name], region)
        data = check_inputs(features[name], y[name])
    except DataError as error:
        raise DataError(f"View {name!r}: {error}") from None
    if not np.array_equal(found, labels):
        raise DataError(f"View {name!r} has other targets or regions than the first view.")
    return data.x, data.y


def _check_widths(views: Mapping[str, tuple[NDArray, NDArray]]) -> None:
    """Refuse views whose features cannot mean the same."""
    widths = {name: x.shape[1] for name, (x, _) in views.items()}
    if len(set(widths.values())) > 1:
        raise DataError(f"Expected as many features in each view, of one model; got {widths}.")


def _concept_folds(
    concepts: Mapping[str, ArrayLike], lengths: Mapping[str, int], n_splits: int
) -> dict[str, NDArray[np.intp]]:
    """Deal concepts to folds, the same in every view, and return the fold of each row."""
    arrays = {name: np.asarray(labels).astype(str) for name, labels in concepts.items()}
    for name, labels in arrays.items():
        coded(f"concepts of view {name!r}", labels, lengths[name])
    every = np.unique(np.concatenate(list(arrays.values())))
    # Neighbours in the alphabet are often kin, and each fold shall have some of all kinds.
    dealt = np.empty(len(every), dtype=np.intp)
    for fold, (_, test) in enumerate(by_group(np.arange(len(every)), n_splits)):
        dealt[test] = fold
    held = {name: dealt[np.searchsorted(every, labels)] for name, labels in arrays.items()}
    for name, folds in held.items():
        counts = np.bincount(folds, minlength=n_splits)
        if counts.min() < 2:
            raise DataError(
                f"View {name!r} has {counts.min()} test samples in fold {int(counts.argmin())}, "
                "and a score takes 2 or more. Use fewer folds."
            )
    return held


def _table(
    scores: Mapping[Any, Mapping[str, NDArray]], plan: _Plan, rows: dict[str, Iterable[str]]
) -> xr.Dataset:
    """Arrange the scores of all rows."""
    dims = list(rows)
    shape = [len(list(names)) for names in rows.values()]
    codes, regions = coded("region", plan.labels, len(plan.labels))
    keys = next(iter(scores.values()))
    full = {
        key: np.stack([score[key] for score in scores.values()]).reshape(
            *shape, *np.shape(keys[key])
        )
        for key in keys
    }
    variables: dict[str, Any] = {"r_target": ([*dims, "target"], full.pop("r_target"))}
    for key, values in full.items():
        variables[key.replace("_fold", "")] = ([*dims, "region"], values.mean(axis=-2))
        if not key.endswith("_null"):
            variables[key] = ([*dims, "fold", "region"], values)
    variables["n_targets"] = ("region", np.bincount(codes))
    return xr.Dataset(
        variables,
        coords={**rows, "region": regions},
        attrs={
            "chance_r": 0.0,
            "chance_accuracy": 0.5,
            "metric": plan.metric,
            "selection": plan.selection,
            "aggregate": "mean over folds, then over the targets of a region",
            "versions": versions(),
        },
    )


def _normalised(out: xr.Dataset, limit: NDArray) -> dict[str, Any]:
    """Divide by the ceiling, where it is above zero."""
    labels, positive = out.target_region.values, np.where(limit > 0, limit, np.nan)
    ratio = out.r_target.values / positive
    members = [labels == name for name in out.region.values]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Mean of empty slice")
        normalised = np.stack([np.nanmean(ratio[:, m], axis=1) for m in members], axis=1)
        ceilings = np.array([np.nanmean(positive[m]) for m in members])
    return {
        "r_normalised": (("features", "region"), normalised),
        "ceiling": ("region", ceilings),
    }
