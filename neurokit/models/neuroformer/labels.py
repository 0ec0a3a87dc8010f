"""What the settings of a Neuroformer take from its training windows: labels, spikes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from neurokit import arguments
from neurokit.errors import DataError

__all__ = [
    "ROUNDING",
    "UNKNOWN_RANGE",
    "are_whole",
    "classes_of",
    "known_of",
    "positions_of",
    "ranges",
    "target_scale",
    "target_span",
]

FULLEST = 0.01  # of the windows, whose last spikes share a position: few would teach one
UNKNOWN_RANGE = (-3.0, 3.0)  # of z-scores
ROUNDING = 1e-4  # means of whole numbers over a window, in single precision


def positions_of(win: Any) -> int:
    """Return how many positions nearly all windows fill, with the start.

    Parameters
    ----------
    win : SpikeWindows
        Of training.

    Returns
    -------
    int
        Enough for 99 of 100 windows.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_spikes([0.31, 0.35, 0.62], [0, 1, 0], duration=1.0)
    >>> positions_of(nk.windows.spike_windows(rec, length=0.5, history=0.1))
    3
    """
    return 1 + math.ceil(np.quantile(win.n_spikes, 1 - FULLEST, method="higher")) if len(win) else 1


def known_of(win: Any, n_classes: int) -> dict[str, Any]:
    """Return what the settings of a model take from the labels that it is to learn.

    Parameters
    ----------
    win : SpikeWindows
        With targets.
    n_classes : int
        With 0, they are regressed.

    Returns
    -------
    dict
        Of :func:`target_scale` or :func:`target_span`, and ``target_units``.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.datasets.simulate_latent_population(duration=60)
    >>> cut = {"length": 1.0, "history": 1.0, "targets": {"behaviour": ["speed"]}}
    >>> sorted(known_of(nk.windows.spike_windows(rec, **cut), 0))
    ['target_mean', 'target_spread', 'target_units']
    """
    taken = target_span(win, n_classes) if n_classes else target_scale(win)
    return {**taken, "target_units": win.target_units}


def target_scale(win: Any) -> dict[str, tuple[float, ...]]:
    """Return mean and standard deviation of each target, for regression.

    Parameters
    ----------
    win : SpikeWindows
        With targets; those that are NaN do not count.

    Returns
    -------
    dict
        ``target_mean`` and ``target_spread``; 0 and 1 for a target without a label, and a spread
        of 1 for one that is constant.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.datasets.simulate_latent_population(duration=60)
    >>> cut = {"length": 1.0, "history": 1.0, "targets": {"behaviour": ["speed"]}}
    >>> mean, spread = target_scale(nk.windows.spike_windows(rec, **cut)).values()
    >>> 10 < mean[0] < 20, 5 < spread[0] < 12
    (True, True)
    """
    labels = np.asarray(win.targets, dtype=np.float64)
    known = np.isfinite(labels)
    n = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, labels, 0).sum(axis=0) / n
    spread = np.sqrt(np.where(known, (labels - mean) ** 2, 0).sum(axis=0) / n)
    spread[spread <= 1e-6 * np.abs(mean)] = 1.0
    return {"target_mean": tuple(mean.tolist()), "target_spread": tuple(spread.tolist())}


def target_span(win: Any, n_classes: int) -> dict[str, tuple[tuple[float, float], ...]]:
    """Return the range of each target, for classification.

    Parameters
    ----------
    win : SpikeWindows
        With targets; those that are NaN do not count.
    n_classes : int
        Bins that each range will be cut into.

    Returns
    -------
    dict
        ``target_range``, of each target from the lowest to the highest label. Where these are
        the first and the last of ``n_classes`` whole numbers, each bin has one of them in its
        middle. So it is where they are whole numbers from 0 to ``n_classes - 1``, and with them
        half of all labels or more: these are numbers of classes, of which the highest may be
        missing. From -3 to 3 for a target without a label.

    Examples
    --------
    >>> import neurokit as nk
    >>> choice = np.arange(40)[:, None] // 10 % 2
    >>> rec = nk.Recording.from_array(choice, 10, ["choice"], stream="behaviour")
    >>> spikes = nk.Recording.from_spikes([0.5], [0], 4.0, streams=rec.streams)
    >>> win = nk.windows.spike_windows(
    ...     spikes, length=0.5, history=0.5, targets={"behaviour": ["choice"]}
    ... )
    >>> target_span(win, 2)
    {'target_range': ((-0.5, 1.5),)}
    """
    n = arguments.whole("target_classes", n_classes, least=2)
    return {"target_range": tuple(_span(column, n) for column in win.targets.T.astype(np.float64))}


def _span(labels: NDArray[np.float64], n_classes: int) -> tuple[float, float]:
    labels = labels[np.isfinite(labels)]
    if not labels.size:
        return UNKNOWN_RANGE
    low, high = float(labels.min()), float(labels.max())
    first, last = round(low), round(high)
    whole = max(abs(low - first), abs(high - last)) < ROUNDING
    if whole and first >= 0 and last < n_classes and are_whole(labels).mean() >= 0.5:
        first, last = 0, n_classes - 1
    if whole and last - first == n_classes - 1:
        return first - 0.5, last + 0.5
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def are_whole(labels: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell which labels are whole numbers, up to the rounding of means.

    Parameters
    ----------
    labels : ndarray
        Means over windows.

    Returns
    -------
    ndarray of bool
        Of the same shape.

    Examples
    --------
    >>> are_whole(np.array([1.00001, 1.5]))
    array([ True, False])
    """
    found: NDArray[np.bool_] = abs(labels - labels.round()) < ROUNDING
    return found


def classes_of(values: Tensor, limits: Tensor, n_classes: int) -> Tensor:
    """Tell which class values are of, when ranges are cut into bins of one width.

    Parameters
    ----------
    values : Tensor, shape (..., target)
        In the unit of the targets.
    limits : Tensor, shape (2, target)
        Lowest and highest value of each target.
    n_classes : int
        Bins of each range.

    Returns
    -------
    Tensor of int64, shape (..., target)
        From 0; values beyond the range are in the outer bins, NaN in the first.

    Examples
    --------
    >>> import torch
    >>> limits = torch.tensor([[0.0, -1.0], [8.0, 1.0]])
    >>> classes_of(torch.tensor([[3.9, 0.6], [100.0, -0.2]]), limits, 4)
    tensor([[1, 3],
            [3, 1]])
    """
    low, high = limits
    place = (values - low) * (n_classes / (high - low))
    return place.nan_to_num(nan=0.0).floor().clamp(0, n_classes - 1).long()


def ranges(given: Any) -> tuple[tuple[float, float], ...]:
    """Return ranges of targets; one pair of numbers is the range of all.

    Parameters
    ----------
    given : sequence
        A pair of numbers, or pairs.

    Returns
    -------
    tuple of tuple of float
        Lowest and highest values.

    Raises
    ------
    DataError
        What is no pair, or does not go up.

    Examples
    --------
    >>> ranges((0, 8)), ranges([[0, 8], [-1, 1]])
    (((0.0, 8.0),), ((0.0, 8.0), (-1.0, 1.0)))
    """
    given = given.tolist() if isinstance(given, np.ndarray) else given
    pairs = list(given) if isinstance(given, list | tuple) else [given]
    if not any(isinstance(pair, list | tuple) for pair in pairs):
        pairs = [given]
    found = [arguments.number_list("target_range", pair) for pair in pairs]
    for pair in found:
        if len(pair) != 2 or not pair[0] < pair[1]:
            raise DataError(
                f"target_range is {given!r}, expected (low, high), the low one first, or such a "
                "pair for each target."
            )
    return tuple((low, high) for low, high in found)
