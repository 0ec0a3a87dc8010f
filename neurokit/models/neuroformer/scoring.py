"""How well predicted behaviour fits, beside chance and with an interval."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.errors import DataError
from neurokit.models.evaluation.scores import METRICS, class_scores
from neurokit.models.neuroformer.blocks import blocks_drawn, interval

__all__ = ["score_behaviour"]

Array = NDArray[np.float64]

N_SHIFTS = 200
LARGEST_SHARE_LACKING = 0.05


def score_behaviour(
    true: ArrayLike,
    predicted: ArrayLike,
    block: ArrayLike,
    *,
    direction: bool = False,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> xr.Dataset:
    """Score predicted behaviour on held-out windows, beside chance.

    Behaviour is slow, so that series which have nothing to do with each other correlate. Chance
    is what predictions score that are shifted in time by at least a twentieth of the windows.

    Parameters
    ----------
    true : array-like, shape (window,)
        In the order of time. Windows whose value is missing are left out.
    predicted : array-like, shape (window,) or (window, class)
        Values; or the probability of each class, and then ``true`` is the number of each
        window's class, from 0. They are ``found["probability"].sel(target=...)`` and
        ``found["true_class"].sel(target=...)`` of :func:`read_behaviour`.
    block : array-like of int, shape (window,)
        The stretch of time that each window is of, see :func:`blocks_of`: what is drawn anew
        for intervals.
    direction : bool
        Whether values are directions in radians. Errors are then angles.
    n_bootstrap : int
        Draws.
    seed : int
        Of draws and shifts.

    Returns
    -------
    Dataset
        By ``metric``, ``"r"`` (Pearson's) and ``"r2"`` (share of variance explained), or
        ``"median_error"`` and ``"mean_error"`` in degrees, or of classes ``"auroc"``,
        ``"auprc"`` and ``"balanced_accuracy"`` (of several classes the means over those that
        some window has): ``score``; ``low`` and ``high``, its
        95 % interval over blocks; ``chance``, the mean over shifts, and ``best_shift``, what
        the best 2.5 % of shifts reach. ``n_windows`` and ``n_blocks`` as attributes.

    Raises
    ------
    DataError
        Arrays of different lengths, what are no numbers, fewer than two blocks or classes, or
        predictions that are missing.

    Warns
    -----
    UserWarning
        A class that many draws lack, since it occurs in few blocks: the interval is that of the
        other draws.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> true = rng.normal(size=400)
    >>> found = score_behaviour(true, true + rng.normal(size=400), np.arange(400) // 20)
    >>> bool(0.6 < found["score"].sel(metric="r") < 0.8)
    True
    >>> choice, p = true > 0, 1 / (1 + np.exp(-true - rng.normal(size=400)))
    >>> found = score_behaviour(choice, np.stack([1 - p, p], axis=1), np.arange(400) // 20)
    >>> found["score"].round(1).to_series().to_dict()
    {'auroc': 0.9, 'auprc': 0.8, 'balanced_accuracy': 0.8}
    """
    of_classes = np.ndim(predicted) == 2
    if of_classes and direction:
        raise DataError("A direction has no classes. Give predicted directions, one a window.")
    pair, block = _paired(true, predicted, block)
    if of_classes:
        _check_numbers(pair[0], pair[1].shape[1])
    measure: Callable[..., Array] = _angles if direction else _hits if of_classes else _fits
    n, n_blocks = block.size, int(block.max(initial=-1)) + 1
    drawn = blocks_drawn(n_blocks, n_bootstrap, seed)[:, block].astype(np.float64)
    scores = measure(pair[0], pair[1], drawn)
    _warn_of_rare(scores)
    low, high = interval(scores, n_blocks)
    least = max(1, n // 20)
    shifts = np.random.default_rng(seed).integers(least, max(n - least, least + 1), N_SHIFTS)
    once = np.ones((1, n))
    null = np.concatenate([measure(pair[0], np.roll(pair[1], s, axis=0), once) for s in shifts])
    best = np.percentile(null, 2.5 if direction else 97.5, axis=0)
    names = ["median_error", "mean_error"] if direction else ["r", "r2"]
    names = list(METRICS) if of_classes else names
    return xr.Dataset(
        {
            "score": ("metric", measure(pair[0], pair[1], once)[0]),
            "low": ("metric", low),
            "high": ("metric", high),
            "chance": ("metric", null.mean(axis=0)),
            "best_shift": ("metric", best),
        },
        {"metric": names},
        {"n_windows": n, "n_blocks": n_blocks, "n_bootstrap": n_bootstrap, "seed": seed},
    )


def _check_numbers(number: Array, n_classes: int) -> None:
    there = np.unique(number)
    if there.size < 2 or not np.isin(there, np.arange(n_classes)).all():
        raise DataError(
            f"Expected windows of two or more classes, numbered from 0 to {n_classes - 1}; got "
            f"{there[:5]}."
        )


def _paired(
    true: ArrayLike, predicted: ArrayLike, block: ArrayLike
) -> tuple[tuple[Array, Array], NDArray[np.intp]]:
    """Return true and predicted values, and blocks numbered without gaps."""
    try:
        values = [np.asarray(v, dtype=np.float64) for v in (true, predicted)]
    except (TypeError, ValueError) as error:
        raise DataError(f"Expected numbers, of classes too: {error}.") from None
    shapes = [v.shape for v in values] + [np.shape(block)]
    if len({shape[:1] for shape in shapes}) > 1 or len(shapes[0]) != 1 or len(shapes[1]) > 2:
        raise DataError(
            f"Expected one true and one predicted value and one block a window; got {shapes}."
        )
    known = ~np.isnan(values[0])
    pair = values[0][known], values[1][known]
    if not all(np.isfinite(part).all() for part in pair):
        raise DataError(f"{int((~np.isfinite(pair[1])).sum())} predictions are not finite.")
    return pair, np.unique(np.asarray(block)[known], return_inverse=True)[1]


def _hits(number: Array, probability: Array, weight: Array) -> Array:
    """Return the scores of class probabilities (draw, 3), windows weighted (draw, window)."""
    label = number.astype(np.intp)
    return class_scores(probability, label, weight, np.unique(label)).T


def _warn_of_rare(scores: Array) -> None:
    lacking = float(np.isnan(scores).any(axis=1).mean())
    if lacking > LARGEST_SHARE_LACKING:
        warnings.warn(
            f"{lacking:.0%} of the draws lack a class, or have one value only: it occurs in few "
            "blocks, and the interval is that of the other draws. Score more windows, or shorter "
            "blocks.",
            stacklevel=3,
        )


def _fits(true: Array, predicted: Array, weight: Array) -> Array:
    """Return r and the share of variance explained (draw, 2), windows weighted (draw, window)."""
    n = weight.sum(axis=1)
    mean_t, mean_p = weight @ true / n, weight @ predicted / n
    var_t, var_p = weight @ true**2 / n - mean_t**2, weight @ predicted**2 / n - mean_p**2
    shared = weight @ (true * predicted) / n - mean_t * mean_p
    with np.errstate(invalid="ignore", divide="ignore"):
        r = shared / np.sqrt(np.maximum(var_t, 0) * np.maximum(var_p, 0))
        r2 = 1 - weight @ (true - predicted) ** 2 / n / var_t
    return np.stack([r, r2], axis=1)


def _angles(true: Array, predicted: Array, weight: Array) -> Array:
    """Return median and mean angle between directions (draw, 2), in degrees."""
    error = np.degrees(np.abs(np.angle(np.exp(1j * (true - predicted)))))
    order = np.argsort(error)
    total = weight[:, order].cumsum(axis=1)
    middle = (total < total[:, -1:] / 2).sum(axis=1)
    return np.stack([error[order][middle], weight @ error / total[:, -1]], axis=1)
