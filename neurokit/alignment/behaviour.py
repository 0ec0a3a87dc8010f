"""Reading times: what a predictor of words adds to their length, frequency and position."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.delays import delayed
from neurokit.alignment.inputs import some
from neurokit.alignment.resampling import expansion
from neurokit.alignment.splits import group_codes
from neurokit.alignment.statistics import pearson
from neurokit.arguments import number, whole
from neurokit.errors import DataError

__all__ = ["added_r2"]

Array = NDArray[np.float64]


def added_r2(
    predictor: ArrayLike | xr.DataArray,
    rt: ArrayLike | xr.DataArray,
    nuisance: ArrayLike | xr.DataArray,
    groups: ArrayLike,
    spillover: int = 2,
    *,
    n_permutations: int = 200,
    n_bootstraps: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> xr.Dataset:
    """Compute what a predictor adds to the explained variance of reading times.

    Ordinary least squares with and without the predictor, fitted to all stories but one and
    scored on that one, for each story in turn.

    Parameters
    ----------
    predictor : array-like, shape (words,) or (words, columns)
        What each word is worth, such as its surprisal in bits; columns enter together.
    rt : array-like, shape (words,)
        Reading times; NaN where there is none.
    nuisance : array-like, shape (words,) or (words, columns)
        What explains reading times without it, such as length, log frequency and position.
    groups : array-like, shape (words,)
        Story of each word; the words of a story stand together, in order.
    spillover : int
        Words back whose predictor and nuisance features also count.
    n_permutations : int
        Rotations of the predictor within stories; 0 leaves ``p`` out.
    n_bootstraps : int
        Resamples of the stories; 0 leaves ``low`` and ``high`` out.
    confidence : float
        Coverage of the interval.
    seed : int
        Of both.

    Returns
    -------
    Dataset
        Means over stories: ``r2_nuisance``, ``r2`` with the predictor, and ``added_r2``, their
        difference, with ``p`` (one-sided, chance is 0 or slightly below) and its interval
        ``low`` to ``high`` over stories, spread as that of few units must be (see
        :func:`~neurokit.alignment.statistics.bootstrap_interval`); all R2 are out of sample,
        against the training mean. ``r``, the correlation of a single predictor with reading
        times. Over ``group``: ``r2_nuisance_fold``, ``r2_fold``, ``added_r2_fold`` and ``n_words``.

    Raises
    ------
    DataError
        Other numbers of words, missing predictors, fewer than two stories, a story in two
        pieces, or fewer usable words than there are columns.

    Notes
    -----
    The measure is that of Goodkind and Bicknell 2018 (CMCL, section 3.3) and Wilcox et al. 2020
    (CogSci) with R2 for log-likelihood. The first ``spillover`` words of a story are left out,
    because nothing before them is known.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> bits, length = rng.gamma(2, 3, (2, 900))
    >>> rt = 300 + 4 * length + 3 * np.roll(bits, 1) + 10 * rng.standard_normal(900)
    >>> found = added_r2(bits, rt, length, np.repeat([1, 2, 3], 300))
    >>> float(found.added_r2.round(1)), float(found.p.round(3))
    (0.3, 0.005)
    """
    spillover = whole("spillover (words)", spillover, least=0)
    n_permutations = whole("n_permutations", n_permutations, least=0)
    n_bootstraps = whole("n_bootstraps", n_bootstraps, least=0)
    confidence = number("confidence", confidence)
    if not 0 < confidence < 1:
        raise DataError(f"Expected a confidence between 0 and 1; got {confidence}.")
    x, y, z, codes, names = _check(predictor, rt, nuisance, groups)
    place = np.arange(len(codes)) - np.searchsorted(codes, codes)
    used = np.isfinite(y) & (place >= spillover)
    steps = range(spillover + 1)
    story = codes[used]
    counts = np.bincount(story, minlength=len(names))
    columns = (z.shape[1] + x.shape[1]) * len(steps) + 1
    if counts.min() == 0 or counts.sum() - counts.max() <= columns:
        raise DataError(
            f"Expected reading times in every story, and more words to fit than the {columns} "
            f"columns; got {counts.tolist()} words after the first {spillover} of each story."
        )
    target = y[used] - y[used].mean()
    base = _scaled(delayed(z, steps, codes)[used])

    def score(values: Array) -> Array:
        return _r2(np.column_stack([base, _scaled(delayed(values, steps, codes)[used])]),
                   target, story)  # fmt: skip

    without, joint = _r2(base, target, story), score(x)
    added = joint - without
    rng = np.random.default_rng(seed)
    result = xr.Dataset(
        {
            "added_r2": added.mean(),
            "r2": joint.mean(),
            "r2_nuisance": without.mean(),
            "added_r2_fold": ("group", added),
            "r2_fold": ("group", joint),
            "r2_nuisance_fold": ("group", without),
            "n_words": ("group", counts),
        },
        coords={"group": names},
        attrs={
            "split": "leave one group out",
            "chance": 0.0,
            "spillover": spillover,
            "n_samples": int(used.sum()),
            "n_permutations": n_permutations,
            "n_bootstraps": n_bootstraps,
            "confidence": confidence,
            "seed": seed,
        },
    )
    if x.shape[1] == 1:
        result["r"] = float(pearson(target[:, None], x[used])[0])
    if n_permutations:
        null = [(score(_rotated(x, codes, rng)) - without).mean() for _ in range(n_permutations)]
        reached = np.sum(np.asarray(null) >= added.mean())
        result["p"] = (1 + reached) / (1 + n_permutations)
    if n_bootstraps:
        drawn = rng.integers(len(names), size=(n_bootstraps, len(names)))
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        ends = np.quantile(added[drawn].mean(axis=1), tails)
        wider = expansion(len(names), confidence)
        result["low"], result["high"] = added.mean() + wider * (ends - added.mean())
    return result


def _check(
    predictor: ArrayLike, rt: ArrayLike, nuisance: ArrayLike, groups: ArrayLike
) -> tuple[Array, Array, Array, NDArray[np.intp], NDArray]:
    """Check that all are of the same words."""
    x, y, z = (np.asarray(v, dtype=np.float64) for v in (predictor, rt, nuisance))
    x, z = (v[:, None] if v.ndim == 1 else v for v in (x, z))
    labels = np.asarray(groups)
    codes, n_groups = group_codes(labels)
    if y.ndim != 1 or not len(x) == len(y) == len(z) == len(codes) or x.ndim != 2 or z.ndim != 2:
        raise DataError(
            "Expected a predictor, nuisance features, a reading time and a story for each word; "
            f"got shapes {x.shape}, {z.shape}, {y.shape} and {codes.shape}."
        )
    if n_groups < 2:
        raise DataError("Leaving stories out needs at least two; got one.")
    if (np.diff(codes) < 0).any():
        raise DataError("The words of a story must stand together; sort them by story and place.")
    for name, values in (("predictor", x), ("nuisance", z)):
        bad = np.flatnonzero(~np.isfinite(values).all(axis=1))
        if bad.size:
            raise DataError(f"The {name} of {bad.size} words are missing: word {some(list(bad))}.")
    first = np.unique(codes, return_index=True)[1]
    return x, y, z, codes, labels[first]


def _scaled(x: NDArray[Any]) -> Array:
    """Centre and scale columns, which changes no fit with an intercept but conditions it."""
    spread = x.std(axis=0)
    return (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)


def _r2(x: Array, y: Array, story: NDArray[np.intp]) -> Array:
    """Score least squares on each story left out, from the cross-products of stories."""
    z = np.column_stack([np.ones(len(y)), x, y])
    edges = np.flatnonzero(np.diff(story)) + 1
    grams = np.stack([part.T @ part for part in np.split(z, edges)])
    out = np.empty(len(grams))
    for k, gram in enumerate(grams):
        train = grams.sum(axis=0) - gram
        weights = np.linalg.lstsq(train[:-1, :-1], train[:-1, -1], rcond=1e-12)[0]
        mean = train[0, -1] / train[0, 0]
        error = gram[-1, -1] - 2 * weights @ gram[:-1, -1] + weights @ gram[:-1, :-1] @ weights
        total = gram[-1, -1] - 2 * mean * gram[0, -1] + mean**2 * gram[0, 0]
        out[k] = 1 - error / total
    return out


def _rotated(x: Array, codes: NDArray[np.intp], rng: np.random.Generator) -> Array:
    """Rotate the rows of each story by an amount of its own."""
    parts = np.split(x, np.flatnonzero(np.diff(codes)) + 1)
    return np.concatenate([np.roll(part, int(rng.integers(len(part))), axis=0) for part in parts])
