"""The Score: one labelled Dataset, whatever kind of benchmark it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

__all__ = ["Outcome", "as_score"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an evaluation found, before it is labelled.

    Attributes
    ----------
    layers : sequence
        Names of the layers.
    scores : ndarray, shape (layers, folds, units)
        Of every layer.
    inner : ndarray, shape (layers, folds)
        What chose the layer, from training data alone.
    chosen : ndarray of int, shape (folds,)
        The layer that each fold chose.
    units : dict of str to (str, ndarray)
        Coordinates over ``unit``.
    ceiling : ndarray, shape (units,)
        On the scale of the metric; NaN where unknown.
    summary : callable
        Sums the last axis up over the headline's units.
    interval : tuple of (float, float, str)
        Of the headline, with what it is over.
    baselines : mapping of str to ndarray, shape (folds, units)
        Rivals.
    draws : ndarray, shape (draws,)
        Headlines of permuted pairs.
    extra : dict
        Further variables of the result.
    """

    layers: Sequence[Any]
    scores: Array
    inner: Array
    chosen: NDArray[np.intp]
    units: Mapping[str, tuple[str, NDArray]]
    ceiling: Array
    summary: Callable[[Array], Array]
    interval: tuple[float, float, str]
    baselines: Mapping[str, Array] = field(default_factory=dict)
    draws: Array = field(default_factory=lambda: np.zeros(0))
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def headline(self) -> Array:
        """Scores of the layer that each fold chose, shape (folds, units)."""
        return self.scores[self.chosen, np.arange(len(self.chosen))]


def as_score(outcome: Outcome, attrs: Mapping[str, Any]) -> xr.Dataset:
    """Label an outcome.

    Parameters
    ----------
    outcome : Outcome
        What was found.
    attrs : mapping
        How it was made.

    Returns
    -------
    Dataset
        The headline ``raw``, with ``ceiling``, ``normalised``, ``low``, ``high``, ``error``
        and ``p``; over ``fold`` ``fold_score`` and ``chosen``; over ``unit`` ``unit_score`` and
        ``unit_ceiling``; over ``layer`` ``layer_score``, ``layer_fold_score``,
        ``layer_unit_score`` and ``inner_score``; over ``baseline`` ``baseline_score``,
        ``baseline_fold_score`` and ``baseline_unit_score``; over ``draw`` ``permuted_score``.

    Examples
    --------
    >>> found = Outcome([0], np.ones((1, 2, 1)) / 2, np.full((1, 2), np.nan), np.zeros(2, int),
    ...                 {"unit": ("unit", np.array(["a"]))}, np.ones(1),
    ...                 lambda scores: scores.mean(-1), (0.4, 0.6, "folds"))
    >>> float(as_score(found, {}).normalised)
    0.5
    """
    headline, summary = outcome.headline, outcome.summary
    mean = headline.mean(axis=0)
    raw, ceiling = float(summary(mean)), _known(summary, outcome.ceiling)
    low, high, unit = outcome.interval
    layers = _labels(outcome.layers)
    rivals = (
        np.stack(list(outcome.baselines.values()))
        if outcome.baselines
        else np.zeros((0, *headline.shape))
    )
    by_layer = outcome.scores.mean(axis=1)
    score = xr.Dataset(
        {
            "raw": raw,
            "ceiling": ceiling,
            "normalised": raw / ceiling if ceiling > 0 else np.nan,
            "low": low,
            "high": high,
            "error": (high - low) / (2 * 1.96),
            "fold_score": ("fold", np.atleast_1d(summary(headline))),
            "chosen": ("fold", layers[outcome.chosen]),
            "unit_score": ("unit", mean),
            "unit_ceiling": ("unit", outcome.ceiling),
            "layer_score": ("layer", np.atleast_1d(summary(by_layer))),
            "layer_fold_score": (("layer", "fold"), summary(outcome.scores)),
            "layer_unit_score": (("layer", "unit"), by_layer),
            "inner_score": (("layer", "fold"), outcome.inner),
            "baseline_score": ("baseline", [_known(summary, r.mean(axis=0)) for r in rivals]),
            "baseline_fold_score": (
                ("baseline", "fold"),
                np.reshape([[_known(summary, f) for f in r] for r in rivals], rivals.shape[:2]),
            ),
            "baseline_unit_score": (("baseline", "unit"), rivals.mean(axis=1)),
        },
        coords={
            **outcome.units,
            "layer": layers,
            "fold": np.arange(headline.shape[0]),
            "baseline": np.array(list(outcome.baselines), dtype=np.str_),
        },
    )
    if len(outcome.draws):
        score["permuted_score"] = ("draw", outcome.draws)
        score["p"] = (1 + int((outcome.draws >= raw).sum())) / (1 + len(outcome.draws))
    score = score.assign(dict(outcome.extra))
    score.attrs = {**attrs, "interval": unit}
    return score


def _known(summary: Callable[[Array], Array], values: Array) -> float:
    """Sum up, where there is anything to."""
    return float(summary(values)) if np.isfinite(values).any() else float("nan")


def _labels(layers: Sequence[Any]) -> NDArray:
    """Keep layers that are numbers as numbers, so that ``sel(layer=6)`` works."""
    if all(isinstance(layer, int | np.integer) for layer in layers):
        return np.array(layers, dtype=np.int64)
    return np.array([str(layer) for layer in layers])
