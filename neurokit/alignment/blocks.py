"""The part of an encoding analysis that repeats for every block of targets.

All folds, scores, permutations and resamples of a block are done before the next, so the
predictions of other blocks need not exist, and blocks can be done anywhere in any order.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment import banded, resampling, ridge, statistics
from neurokit.alignment.devices import host
from neurokit.alignment.inputs import Coords, open_targets
from neurokit.alignment.plans import EncodingPlan, FoldModel
from neurokit.errors import DataError

__all__ = ["encode_block"]

MARKS = ("edge", "across", "flat")
"""Variables of blocks that become words in the result: penalties on the lower (-1) or upper (1)
edge of the grid, targets whose permutations move across groups, targets that are constant."""

RESULTS = {
    *("r", "R2", "p", "q", "r_low", "r_high", "r_fold", "R2_fold", "alpha", "gamma"),
    *("ceiling", "r_normalised", "fold", "band", "n_train", "n_test", "layer"),
    *MARKS,
}


def encode_block(plan: EncodingPlan, y: ArrayLike | xr.DataArray) -> xr.Dataset:
    """Fit and score a block of targets.

    Parameters
    ----------
    plan : EncodingPlan
        From :func:`~neurokit.alignment.prepare_encoding`.
    y : array-like or DataArray, shape (samples,) or (samples, targets)
        Some of the targets, all samples; coordinates of the targets are kept.

    Returns
    -------
    Dataset
        What :func:`~neurokit.alignment.encode` returns, without what needs all targets (``q``,
        attributes) and with the marks ``edge``, ``across`` and ``flat``, which
        :func:`~neurokit.alignment.combine_blocks` puts into words.

    Raises
    ------
    DataError
        Another number of samples than the plan has, or values that are missing or infinite.

    Notes
    -----
    Memory is a few times that of the block at most, whatever the width of ``y``: ridge regression
    is done for 2,048 targets at a time. With bands, all of ``y`` is fitted at once, since every
    call decomposes every weighting, unless those of a fold fit into 100 MB and are kept.

    Examples
    --------
    >>> from neurokit.alignment import combine_blocks, prepare_encoding
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.standard_normal((100, 3)), rng.standard_normal((100, 4))
    >>> plan = prepare_encoding(x, alphas=[10.0], n_permutations=99, n_bootstraps=99)
    >>> parts = [encode_block(plan, y[:, :2]), encode_block(plan, y[:, 2:])]
    >>> combine_blocks(plan, parts).sizes["target"]
    4
    """
    targets = open_targets(y)
    if len(targets.values) != plan.n_samples:
        raise DataError(
            f"Expected y of {plan.n_samples} samples, as the plan has; got {len(targets.values)}."
        )
    check_names(targets.coords)
    values = targets.read(slice(None))
    width = values.shape[1]
    parts = [slice(0, width)] if plan.bands else ridge.target_blocks(width)
    done = [_part(plan, values[:, part]) for part in parts]
    block = done[0] if len(done) == 1 else xr.concat(done, dim="target", **JOIN)
    return block.assign_coords(targets.coords)


def check_names(coords: Coords) -> None:
    """Refuse coordinates of targets that the variables of the result would overwrite.

    Parameters
    ----------
    coords : dict
        Coordinates of the targets.

    Raises
    ------
    DataError
        Names that the result has.

    Examples
    --------
    >>> check_names({"region": ("target", np.array(["V1"]))})
    """
    taken = sorted(RESULTS & set(coords))
    if taken:
        raise DataError(
            f"Coordinates of y are named as parts of the result: {', '.join(taken)}. "
            f"Try y.rename({taken[0]}='my_{taken[0]}')."
        )


JOIN: Any = {"data_vars": "minimal", "coords": "minimal", "compat": "override", "join": "override"}


@dataclass(frozen=True)
class _Measured:
    """One side of all scores, shared by the layers."""

    plan: EncodingPlan
    values: NDArray[Any]

    @cached_property
    def rows(self) -> NDArray[Any]:
        return self.values[self.plan.rows]

    @cached_property
    def normed(self) -> NDArray[Any]:
        return resampling.unit_norm_by(self.rows, self.plan.fold)

    @cached_property
    def spectra(self) -> dict[bool, list[NDArray[Any]]]:
        """Fourier transforms of groups (True) or folds, filled where wanted."""
        return {}

    def spectrum(self, within: bool) -> list[NDArray[Any]]:
        if within not in self.spectra:
            self.spectra[within] = resampling.rotation_spectra(self.normed, self.stretch(within))
        return self.spectra[within]

    def stretch(self, within: bool) -> NDArray[np.intp]:
        inside = self.plan.within
        return inside if within and inside is not None else self.plan.fold


def _part(plan: EncodingPlan, values: NDArray[Any]) -> xr.Dataset:
    """Fit and score targets that fit into the cache, for all layers."""
    side = _Measured(plan, values)
    layers = {name: _layer(plan, models, side) for name, models in plan.layers.items()}
    if not plan.layered:
        return next(iter(layers.values()))
    return xr.concat(
        list(layers.values()), dim=_layer_index(list(layers)), **{**JOIN, "data_vars": "all"}
    )


def _layer_index(names: list[Hashable]) -> xr.DataArray:
    """Name the layers; numbers stay numbers."""
    whole = all(isinstance(name, int | np.integer) for name in names)
    labels = names if whole else [str(name) for name in names]
    return xr.DataArray(np.array(labels), dims="layer", name="layer")


def _layer(plan: EncodingPlan, models: list[FoldModel], side: _Measured) -> xr.Dataset:
    """Fit and score targets from one set of features."""
    n_folds, width = len(models), side.values.shape[1]
    shape = (n_folds, width)
    predicted = np.empty_like(side.rows)
    r2, alpha, gamma = np.empty(shape), np.empty(shape), []
    edge = np.zeros(shape, dtype=np.int8)
    for k, model in enumerate(models):
        fit = _predict(model, side.values[model.train])
        at = plan.fold == k
        predicted[at] = fit.prediction
        mean = fit.mean.astype(predicted.dtype)
        r2[k] = statistics.r2(side.rows[at] - mean, fit.prediction, np.zeros_like(mean))
        alpha[k], edge[k] = fit.alpha, fit.edge
        gamma.append(fit.gamma)
    normed = resampling.unit_norm_by(predicted, plan.fold)
    product = side.normed * normed
    r_fold = np.stack([n_folds * product[plan.fold == k].sum(axis=0) for k in range(n_folds)])
    r_fold = r_fold.astype(np.float64)
    both = ("fold", "target")
    out = xr.Dataset(
        {
            "r": ("target", r_fold.mean(axis=0)),
            "R2": ("target", r2.mean(axis=0)),
            "r_fold": (both, r_fold),
            "R2_fold": (both, r2),
            "alpha": (both, alpha),
            "edge": (both, edge),
            "flat": ("target", np.ptp(side.values, axis=0) == 0),
        },
        coords={
            "fold": np.arange(n_folds),
            "n_train": ("fold", [len(model.train) for model in models]),
            "n_test": ("fold", [len(model.test) for model in models]),
        },
    )
    if plan.bands:
        out["gamma"] = (("fold", "band", "target"), np.stack(gamma))
        out = out.assign_coords(band=plan.bands)
    return out.assign(_statistics(plan, side, predicted, normed))


@dataclass(frozen=True)
class _Fit:
    """What one fold predicts, without the training mean."""

    prediction: NDArray[Any]
    mean: NDArray[Any]
    alpha: NDArray[np.float64]
    edge: NDArray[np.int8]
    gamma: NDArray[np.float64]


def _predict(model: FoldModel, y: NDArray[Any]) -> _Fit:
    """Fit the training targets of one fold, and predict its test samples."""
    if isinstance(model.problem, banded.BandedProblem):
        solution = banded.solve(model.problem, y)
        prediction = solution.contributions(model.ahead).sum(axis=0)
        edge = _edges(solution.chosen, solution.n_alphas)
        return _Fit(prediction, solution.y_mean, solution.alpha, edge, solution.gamma)
    single = ridge.solve(model.problem, y)
    grid = model.problem.alphas
    return _Fit(
        host(model.ahead @ single.weights),
        single.y_mean,
        grid[single.chosen],
        _edges(single.chosen, len(grid)),
        np.ones((1, len(single.chosen))),
    )


def _edges(chosen: NDArray[np.intp], n: int) -> NDArray[np.int8]:
    """Mark penalties on the edges of a grid that has a middle."""
    if n < 3:
        return np.zeros(chosen.shape, dtype=np.int8)
    return (chosen == n - 1).astype(np.int8) - (chosen == 0)


def _statistics(
    plan: EncodingPlan, side: _Measured, predicted: NDArray[Any], normed: NDArray[Any]
) -> dict[str, tuple[str, NDArray[Any]]]:
    """Test every target, and give it its interval."""
    settings, width = plan.settings, predicted.shape[1]
    out: dict[str, tuple[str, NDArray[Any]]] = {}
    inside = np.zeros(width, dtype=bool)
    if plan.within is not None:
        inside = _moves(side.rows, plan.within) & _moves(predicted, plan.within)
        out["across"] = ("target", ~inside)
    if settings.n_permutations:
        p = np.empty(width)
        for within in np.unique(inside):
            at = inside == within
            whole = bool(at.all())
            known = side.spectrum(bool(within)) if settings.block is None and whole else None
            p[at] = resampling.moved_p(
                side.normed if whole else side.normed[:, at],
                normed if whole else normed[:, at],
                side.stretch(bool(within)),
                settings.block,
                settings.n_permutations,
                plan.moved_inflation,
                settings.seed,
                known,
            )
        out["p"] = ("target", p)
    if settings.n_bootstraps:
        low, high = resampling.resampled(
            side.normed,
            normed,
            plan.unit,
            settings.confidence,
            settings.n_bootstraps,
            plan.inflation,
            settings.seed,
        )
        out["r_low"], out["r_high"] = ("target", low), ("target", high)
    return out


def _moves(values: NDArray[Any], group: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Tell whose values vary enough within groups for moves there to change every score."""
    order = np.argsort(group, kind="stable")
    start = np.unique(group[order], return_index=True)[1]
    values = values[order]
    high, low = np.maximum.reduceat(values, start), np.minimum.reduceat(values, start)
    overall = high.max(axis=0) - low.min(axis=0)
    # Predictions from the same features differ by rounding alone.
    rounding = 100 * np.finfo(values.dtype).eps * overall
    return ((high - low) > rounding).any(axis=0) | (overall == 0)
