"""How well predicted behaviour fits, beside chance and with an interval."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.errors import DataError
from neurokit.models.evaluation.scores import METRICS, class_scores, ratio
from neurokit.models.neuroformer.blocks import blocks_drawn, interval
from neurokit.warning import warn

__all__ = ["score_behaviour"]

Array = NDArray[np.float64]

N_SHIFTS = 200
LARGEST_SHARE_LACKING = 0.05
CONSTANT = 1e-12  # of the mean square: a variance below that is rounding


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
        Draws without a score, as a class occurs in few blocks or values are constant: the
        interval is that of the others.

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
        _check_numbers(*pair)
    measure: Callable[..., Array] = _angles if direction else _hits if of_classes else _fits
    n, n_blocks = block.size, int(block.max(initial=-1)) + 1
    drawn = blocks_drawn(n_blocks, n_bootstrap, seed)[:, block].astype(np.float64)
    scores = measure(pair[0], pair[1], drawn)
    _warn_of_lacking(scores, of_classes)
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


def _check_numbers(number: Array, probability: Array) -> None:
    if not (probability >= 0).all() or not np.allclose(probability.sum(axis=1), 1, atol=1e-3):
        raise DataError(
            f"Expected one prediction a window, or the probabilities of classes, which sum to 1; "
            f"got values of shape {probability.shape}. Choose one target: .sel(target=...)."
        )
    there, n_classes = np.unique(number), probability.shape[1]
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
    for what, part in zip(("true values", "predictions"), pair, strict=True):
        if not np.isfinite(part).all():
            raise DataError(f"{int((~np.isfinite(part)).sum())} {what} are not finite.")
    if not known.any():
        raise DataError("No window has a true value.")
    return pair, np.unique(np.asarray(block)[known], return_inverse=True)[1]


def _hits(number: Array, probability: Array, weight: Array) -> Array:
    """Return the scores of class probabilities (draw, 3), windows weighted (draw, window)."""
    label = number.astype(np.intp)
    return class_scores(probability, label, weight, np.unique(label)).T


def _warn_of_lacking(scores: Array, of_classes: bool) -> None:
    lacking = float(np.isnan(scores).any(axis=1).mean())
    if lacking > LARGEST_SHARE_LACKING:
        why = (
            "have no window of some class, which occurs in few blocks"
            if of_classes
            else "have no score, as true or predicted values are constant there"
        )
        warn(f"{lacking:.0%} of the draws {why}: the interval is that of the others.")


def _fits(true: Array, predicted: Array, weight: Array) -> Array:
    """Return r and the share of variance explained (draw, 2), windows weighted (draw, window)."""
    n = weight.sum(axis=1)
    error = weight @ (true - predicted) ** 2 / n
    # What all windows have in common says nothing, and would leave no digits for the rest.
    both = [values - values.mean() for values in (true, predicted)]
    mean = [weight @ values / n for values in both]
    size = [weight @ values**2 / n for values in both]
    var = [np.where(s - m**2 > CONSTANT * s, s - m**2, 0) for s, m in zip(size, mean, strict=True)]
    shared = weight @ (both[0] * both[1]) / n - mean[0] * mean[1]
    return np.stack([ratio(shared, np.sqrt(var[0] * var[1])), 1 - ratio(error, var[0])], axis=1)


def _angles(true: Array, predicted: Array, weight: Array) -> Array:
    """Return median and mean angle between directions (draw, 2), in degrees."""
    error = np.degrees(np.abs(np.angle(np.exp(1j * (true - predicted)))))
    order = np.argsort(error)
    total = weight[:, order].cumsum(axis=1)
    middle = (total < total[:, -1:] / 2).sum(axis=1)
    return np.stack([error[order][middle], weight @ error / total[:, -1]], axis=1)
