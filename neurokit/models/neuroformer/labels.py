"""What the settings of a Neuroformer take from its training windows: labels, spikes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from neurokit import arguments

__all__ = ["positions_of", "target_scale", "target_span"]

FULLEST = 0.01  # of the windows, whose last spikes share a position: few would teach one
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
    4
    """
    return 1 + math.ceil(np.quantile(win.n_spikes, 1 - FULLEST, method="higher")) if len(win) else 1


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


def target_span(win: Any, n_classes: int) -> dict[str, tuple[float, float]]:
    """Return the range of all targets, for classification.

    Parameters
    ----------
    win : SpikeWindows
        With targets; those that are NaN do not count.
    n_classes : int
        Bins that the range will be cut into.

    Returns
    -------
    dict
        ``target_range``, from the lowest to the highest label. Where these are the first and the
        last of ``n_classes`` whole numbers, or all labels are numbers of classes from 0, half a
        number is added at either end: each bin then has one number in its middle. Empty where no
        label is known.

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
    {'target_range': (-0.5, 1.5)}
    """
    n_classes = arguments.whole("target_classes", n_classes, least=2)
    labels = np.asarray(win.targets, dtype=np.float64)
    labels = labels[np.isfinite(labels)]
    if not labels.size:
        return {}
    low, high = float(labels.min()), float(labels.max())
    first, last = round(low), round(high)
    whole = max(abs(low - first), abs(high - last)) < ROUNDING
    numbers = (
        first >= 0 and last < n_classes and bool((abs(labels - labels.round()) < ROUNDING).all())
    )
    if whole and numbers:
        first, last = 0, n_classes - 1
    if whole and last - first == n_classes - 1:
        return {"target_range": (first - 0.5, last + 0.5)}
    if low == high:
        low, high = low - 0.5, high + 0.5
    return {"target_range": (low, high)}
