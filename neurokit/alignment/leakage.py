"""What a model without content scores on the same folds: a test of the split, not of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import scipy.linalg
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment import ridge, splits, statistics
from neurokit.alignment.inputs import check_inputs, some, target_coords
from neurokit.arguments import positive
from neurokit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["leakage_report"]

Array = NDArray[np.float64]

WIDTHS = (1.0, 2.0, 4.0, 8.0)  # samples: sentences of a passage, words or scans of a story
ALPHAS = np.logspace(-2, 3, 11)  # noise over signal variance: the kernel is 1 at distance 0
LONGEST = 300  # samples, beyond which a passage is cut so that its kernel stays small
FLAG = 0.1  # mean r of the content-free model from which a split is called leaky


def leakage_report(
    y: ArrayLike | xr.DataArray,
    cv: splits.Cv = 5,
    groups: ArrayLike | None = None,
    nuisance: ArrayLike | xr.DataArray | pd.DataFrame | None = None,
    *,
    stimuli: Sequence[str] | ArrayLike | None = None,
    gap: int = 0,
    widths: Sequence[float] = WIDTHS,
) -> xr.Dataset:
    """Score models that know nothing of the content, on the folds of an encoding model.

    The content-free model knows where each sample stands in its passage, story or run, and
    that neighbours resemble each other; it is ridge regression on Gaussian-smoothed one-hot
    codes of that position. On folds that respect time and groups it scores about 0. What it
    scores on others is what any model would get there without understanding anything.

    Parameters
    ----------
    y : array-like or DataArray, shape (samples,) or (samples, targets)
        Responses in the order in which they were recorded.
    cv : int, None, or iterable of (train, test)
        The folds of the encoding model, given as to :func:`~neurokit.alignment.encode`.
    groups : array-like, shape (samples,), optional
        Passage, story or run of each sample. Without it all are one series.
    nuisance : array-like, DataArray or DataFrame, shape (samples, features), optional
        Features that explain responses without a model of the brain: length, frequency,
        position, surprisal; or contrast and size of images.
    stimuli : sequence, shape (samples,), optional
        The stimulus of each sample, text or identifier. Those on both sides of a fold are
        named; text is compared without regard to case and spacing.
    gap : int
        Samples left out on both sides of a contiguous test block.
    widths : sequence of float
        Standard deviations of the smoothing in samples; their kernels are averaged.

    Returns
    -------
    Dataset
        Over ``baseline`` ("content-free" and, where given, "nuisance") and ``target``: ``r``,
        the mean over folds of the correlation, and ``r_fold`` over ``fold`` too. The
        attribute ``verdict`` says in words what follows, ``flagged`` (0 or 1) whether scores
        on these folds mean little: the content-free r, averaged over targets, is .1 or more
        and two standard errors over folds above 0, or stimuli are on both sides of a fold.
        ``duplicates`` lists those, ``content_free_r`` and ``nuisance_r`` the mean scores.

    Raises
    ------
    DataError
        Inputs of different length, missing values, folds that :func:`~neurokit.alignment.encode`
        would refuse, or widths that are not positive.

    Notes
    -----
    The model follows the orthogonal autocorrelated sequences of Feghhi et al. 2024
    (arXiv 2406.01538), whose blurred identity matrix it applies at several widths. The Gram
    matrix of one-hot codes smoothed by a Gaussian of width s is exp(-d² / 4s²) of the
    distance d within a passage, and 0 between passages, so each passage is decomposed alone;
    those of more than 300 samples are cut. Every target takes the penalty of the least
    generalised cross-validation error over all passages, from training samples alone.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> slow = np.convolve(rng.standard_normal(309), np.ones(10) / 10, mode="valid")
    >>> honest = leakage_report(slow, cv=splits.contiguous(300, 5))
    >>> folds = splits.shuffled(300, 5, allow_leakage=True)
    >>> leaky = leakage_report(slow, cv=folds)
    >>> honest.attrs["flagged"], leaky.attrs["flagged"], round(leaky.attrs["content_free_r"], 1)
    (0, 1, 1.0)
    """
    values = np.asarray(y)
    position = np.arange(len(values), dtype=np.float64) if values.ndim else np.zeros(0)
    data = check_inputs(position[:, None] if values.size else np.zeros((0, 1)), y, groups)
    folds = splits.from_cv(len(data.y), cv, groups, gap)
    widths = [positive("width (samples)", width) for width in widths]
    if not widths:
        raise DataError("Expected one width of smoothing or more; got none.")
    passage = _passages(groups, len(data.y), max(LONGEST, int(20 * max(widths))))
    scores = {"content-free": [_content_free(data.y, fold, passage, widths) for fold in folds]}
    if nuisance is not None:
        features = check_inputs(_features(nuisance), data.y).x
        scores["nuisance"] = [_nuisance(features, data.y, fold) for fold in folds]
    r_fold = np.stack([np.stack(rows) for rows in scores.values()])
    report = xr.Dataset(
        {
            "r": (("baseline", "target"), r_fold.mean(axis=1)),
            "r_fold": (("baseline", "fold", "target"), r_fold),
        },
        coords={**target_coords(y), "baseline": list(scores), "fold": np.arange(len(folds))},
    )
    repeated = [] if stimuli is None else _duplicates(stimuli, folds, len(data.y))
    report.attrs = {**_verdict(report, repeated), "widths": widths, "n_samples": len(data.y)}
    return report


def _verdict(report: xr.Dataset, repeated: list[str]) -> dict[str, str | int | float | list[str]]:
    """Say in words and numbers what the scores mean for the split."""
    by_fold = report.r_fold.mean("target").sel(baseline="content-free").values
    free = float(by_fold.mean())
    error = float(by_fold.std(ddof=1) / np.sqrt(len(by_fold))) if len(by_fold) > 1 else 0.0
    leaks = free >= FLAG and free > 2 * error
    over = f" over {report.sizes['target']} targets" if report.sizes["target"] > 1 else ""
    found = f"A model without content scores a mean r of {free:.3f}{over} on these folds"
    if leaks:
        text = (
            f"{found}: training samples resemble the test samples beside them. A score here "
            "is no evidence of content. Hold out contiguous blocks with a gap, or whole groups."
        )
    else:
        text = f"{found}: neighbours give nothing away."
    out: dict[str, str | int | float | list[str]] = {"content_free_r": free}
    if "nuisance" in report.baseline:
        out["nuisance_r"] = known = float(report.r.sel(baseline="nuisance").mean())
        text += f" Nuisance features score {known:.3f}: a model must add to that."
    if repeated:
        text += (
            f" {len(repeated)} stimuli are in both the training and the test set of a fold "
            f"({some([repr(name) for name in repeated])}): give their repeats one group."
        )
    flagged = int(leaks or bool(repeated))
    return {**out, "verdict": text, "flagged": flagged, "duplicates": repeated}


def _content_free(
    y: NDArray,
    fold: tuple[NDArray[np.intp], NDArray[np.intp]],
    passages: list[NDArray[np.intp]],
    widths: Sequence[float],
) -> Array:
    """Score one fold of kernel ridge regression on position within passages."""
    train, test = fold
    measured = y.astype(np.float64)
    measured -= measured[train].mean(axis=0)
    side = np.zeros(len(y), dtype=np.int8)
    side[train], side[test] = 1, 2
    rss, freedom, parts = 0.0, -1.0, []
    for rows in passages:
        here, there = np.flatnonzero(side[rows] == 1), np.flatnonzero(side[rows] == 2)
        if not here.size:
            continue
        w, vectors = scipy.linalg.eigh(_kernel(here, here, widths), driver="evd")
        rotated = vectors.T @ measured[rows[here]]
        keep = ALPHAS / (np.maximum(w, 0)[:, None] + ALPHAS)
        rss = rss + (keep**2).T @ rotated**2
        freedom = freedom + keep.sum(axis=0)
        if there.size:
            parts.append((rows[there], _kernel(there, here, widths) @ vectors, w, rotated))
    chosen = (rss / np.maximum(freedom, 1e-9)[:, None] ** 2).argmin(axis=0)
    predicted = np.zeros_like(measured)
    for rows, projected, w, rotated in parts:
        predicted[rows] = projected @ (rotated / (np.maximum(w, 0)[:, None] + ALPHAS[chosen]))
    return statistics.pearson(measured[test], predicted[test])


def _kernel(a: NDArray[np.intp], b: NDArray[np.intp], widths: Sequence[float]) -> Array:
    """Return products of smoothed one-hot codes of two sets of positions."""
    squared = np.subtract.outer(a, b).astype(np.float64) ** 2
    return np.asarray(np.mean([np.exp(-squared / (4 * width**2)) for width in widths], axis=0))


def _nuisance(x: NDArray, y: NDArray, fold: tuple[NDArray[np.intp], NDArray[np.intp]]) -> Array:
    """Score one fold of ridge regression on scaled nuisance features."""
    train, test = fold
    mean, sd = x[train].mean(axis=0), x[train].std(axis=0)
    scaled = (x - mean) / np.where(sd > 1e-12 * np.abs(x[train]).max(axis=0), sd, np.inf)
    problem = ridge.prepare(scaled[train])
    projected = problem.spectrum.project(scaled[test])
    r = np.empty(y.shape[1])
    for block in ridge.target_blocks(y.shape[1]):
        solution = ridge.solve(problem, y[train, block])
        r[block] = statistics.pearson(
            y[test, block], projected @ solution.weights + solution.y_mean
        )
    return r


def _passages(groups: ArrayLike | None, n: int, longest: int) -> list[NDArray[np.intp]]:
    """Return the samples of each passage in order, long ones cut."""
    codes = np.zeros(n, dtype=np.intp) if groups is None else splits.group_codes(groups)[0]
    passages = [np.flatnonzero(codes == k) for k in range(int(codes.max()) + 1)]
    return [part for rows in passages for part in np.array_split(rows, -(-len(rows) // longest))]


def _features(nuisance: ArrayLike | xr.DataArray | pd.DataFrame) -> ArrayLike | xr.DataArray:
    """Return nuisance features with the names of their columns."""
    if isinstance(nuisance, Mapping) or hasattr(nuisance, "columns"):
        columns = {str(name): np.asarray(nuisance[name]) for name in nuisance}  # type: ignore[index, union-attr]
        text = [name for name, column in columns.items() if column.dtype.kind not in "biuf"]
        if text:
            raise DataError(
                f"Expected numbers in every nuisance column; got others in {some(text)}."
            )
        return xr.DataArray(
            np.column_stack([column.astype(np.float64) for column in columns.values()]),
            dims=("sample", "feature"),
            coords={"feature": list(columns)},
        )
    array = nuisance if isinstance(nuisance, xr.DataArray) else np.asarray(nuisance)
    return array[:, None] if array.ndim == 1 else array


def _duplicates(stimuli: Sequence[str] | ArrayLike, folds: splits.Folds, n: int) -> list[str]:
    """Name the stimuli that are on both sides of some fold, in order of appearance."""
    import pandas as pd

    names = [str(name) for name in np.asarray(stimuli, dtype=object).ravel()]
    if len(names) != n:
        raise DataError(f"Expected one stimulus for each of {n} samples; got {len(names)}.")
    codes, _ = pd.factorize(np.array([" ".join(name.casefold().split()) for name in names], object))
    shared = np.unique(np.concatenate([np.intersect1d(codes[a], codes[b]) for a, b in folds]))
    return [names[int(np.argmax(codes == code))] for code in shared]
