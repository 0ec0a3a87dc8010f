"""A benchmark on responses: every layer on every fold, and the layer that training data choose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from neurokit.alignment.benchmarks import metrics
from neurokit.alignment.benchmarks.folds import Split, inner_fits, make_split
from neurokit.alignment.benchmarks.regressions import cross_predict, fit
from neurokit.alignment.benchmarks.representations import Layers
from neurokit.alignment.delays import delayed
from neurokit.errors import DataError
from neurokit.progress import progress_bar

if TYPE_CHECKING:
    from neurokit.catalog.benchmarks import BenchmarkCard

__all__ = ["RegressionTask", "pick"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RegressionTask:
    """Responses, folds and settings, ready for features.

    Parameters
    ----------
    card : BenchmarkCard
        The settings.
    responses : DataArray, dims (presentation, neuroid)
        What is predicted.
    nuisance : ndarray, shape (presentations, features)
        Features without meaning, perhaps none.

    Attributes
    ----------
    split : Split
        The folds.
    y : ndarray, shape (presentations, neuroids)
        The responses as an array.
    region : ndarray, shape (neuroids,)
        Value of the card's target coordinate.
    """

    card: BenchmarkCard
    responses: xr.DataArray
    nuisance: NDArray
    y: NDArray = field(init=False)
    region: NDArray = field(init=False)
    split: Split = field(init=False)

    def __post_init__(self) -> None:
        reach = max(map(abs, self.card.regression.delays), default=0)
        coordinate = self.card.targets.coordinate
        region = self.responses[coordinate].values.astype(str)
        object.__setattr__(self, "y", np.asarray(self.responses.values))
        object.__setattr__(self, "region", region)
        split = make_split(self.card.folds, self.responses, reach, self.card.seed)
        object.__setattr__(self, "split", split)

    @property
    def metric(self) -> str:
        """The metric of the headline."""
        return self.card.metrics[0]

    @property
    def units(self) -> NDArray:
        """The region of each unit that is scored."""
        return metrics.units_of(self.metric, self.region)

    @property
    def headline(self) -> NDArray[np.bool_]:
        """Which units make the headline."""
        wanted = self.card.targets.headline
        return np.isin(self.units, wanted) if wanted else np.ones(len(self.units), bool)

    def summary(self, scores: Array) -> Array:
        """Sum the headline's units up, the last axis of scores."""
        return metrics.aggregate(scores[..., self.headline], self.card.aggregate)

    def ready(self, x: NDArray) -> NDArray:
        """Put features in the form that the regression takes: delayed, nuisance before them."""
        if self.metric != "delta-R2":
            return self._delayed(x)
        return np.column_stack([self._delayed(self.nuisance), self._delayed(x)])

    @property
    def n_first(self) -> int:
        """How many columns of :meth:`ready` features are nuisance."""
        copies = max(1, len(self.card.regression.delays))
        return self.nuisance.shape[1] * copies if self.metric == "delta-R2" else 0

    def _delayed(self, x: NDArray) -> NDArray:
        steps = self.card.regression.delays
        return delayed(x, steps, self.split.groups) if steps and x.shape[1] else x

    def score(
        self, x: NDArray | list[NDArray], y: NDArray | None = None, metric: str | None = None
    ) -> Array:
        """Score features on every fold.

        Parameters
        ----------
        x : ndarray, shape (presentations, features), or list of those
            Features, not yet :meth:`ready`; a list has one array a fold.
        y : ndarray, optional
            Other responses, of the same shape or with draws stacked behind each other.
        metric : str, optional
            Another metric than the headline's.

        Returns
        -------
        ndarray, shape (folds, units)
            Scores; with ``delta-R2`` the R2 of features and nuisance together.
        """
        y = self.y if y is None else y
        return self.judge(self.predict(x, y), y, metric or self.metric)

    def predict(self, x: NDArray | list[NDArray], y: NDArray) -> list[Array]:
        """Predict the test presentations of every fold, arguments as of :meth:`score`."""
        if isinstance(x, list):
            xs = [self.ready(part) for part in x]
        else:
            xs = [self.ready(x)] * len(self.split.folds)
        return cross_predict(xs, y, self.split.folds, self.card.regression, self.n_first)

    def predict_with_nuisance(self, x: list[NDArray]) -> list[Array]:
        """Predict from nuisance features and others, with a penalty for each of the two."""
        nuisance = self._delayed(self.nuisance)
        xs = [np.column_stack([nuisance, self._delayed(part)]) for part in x]
        banded = self.card.regression.model_copy(update={"kind": "banded", "alphas": "auto"})
        return cross_predict(xs, self.y, self.split.folds, banded, nuisance.shape[1])

    def judge(self, predicted: list[Array], y: NDArray, metric: str) -> Array:
        """Score the predictions of every fold.

        Parameters
        ----------
        predicted : list of ndarray, shape (test presentations, targets)
            One a fold.
        y : ndarray, shape (presentations, targets)
            Responses.
        metric : str
            Which metric.

        Returns
        -------
        ndarray, shape (folds, units)
            Scores.
        """
        region = np.tile(self.region, y.shape[1] // self.y.shape[1])
        return np.stack([
            metrics.fold_scores(
                metric, y[test].astype(np.float64), guess, y[train].mean(axis=0), region
            )
            for (train, test), guess in zip(self.split.folds, predicted, strict=True)
        ])  # fmt: skip

    def floor(self) -> Array | float:
        """Return what ``delta-R2`` is counted from: R2 of the nuisance features, by fold."""
        if self.metric != "delta-R2":
            return 0.0
        return self.score(self.nuisance[:, :0], metric="R2")

    def curve(self, layers: Layers, progress: bool | None = None) -> Array:
        """Score every layer on every fold.

        Parameters
        ----------
        layers : dict of layer to ndarray, shape (presentations, features)
            Features.
        progress : bool, optional
            Show a bar over layers.

        Returns
        -------
        ndarray, shape (layers, folds, units)
            Scores.
        """
        floor = self.floor()
        bar = progress_bar(layers.values(), enabled=progress, desc="layers", unit="layer")
        return np.stack([self.score(x) - floor for x in bar])

    def choose(
        self, layers: Layers, reach: int = 2, progress: bool | None = None
    ) -> tuple[Array, NDArray]:
        """Choose a layer for each fold from its training presentations alone.

        Parameters
        ----------
        layers : dict of layer to ndarray, shape (presentations, features)
            Features.
        reach : int
            Inner scores of each fold, halved, see
            :func:`~neurokit.alignment.benchmarks.folds.inner_fits`.
        progress : bool, optional
            Show a bar over layers.

        Returns
        -------
        inner : ndarray, shape (layers, folds)
            Mean inner score of each layer; NaN with a single one, which needs no choice.
        chosen : ndarray of int, shape (folds,)
            The best layer of each fold.
        """
        n_folds = len(self.split.folds)
        if len(layers) == 1:
            return np.full((1, n_folds), np.nan), np.zeros(n_folds, dtype=np.intp)
        fits = inner_fits(self.split, reach)
        columns = self._columns()
        bar = progress_bar(layers.values(), enabled=progress, desc="choice of layer", unit="layer")
        inner = np.stack([self._inner(self.ready(x), fits, columns) for x in bar])
        return inner, inner.argmax(axis=0)

    def _columns(self) -> NDArray[np.intp]:
        """Return the targets that the headline is made of; a choice needs no others."""
        wanted = self.card.targets.headline
        return np.flatnonzero(np.isin(self.region, wanted or self.region))

    def _inner(self, x: NDArray, fits: list[Any], columns: NDArray[np.intp]) -> Array:
        total, count = np.zeros((2, len(self.split.folds)))
        y, region = self.y[:, columns], self.region[columns]
        for train, scored in fits:
            predict = fit(x[train], y[train], self.card.regression, self.n_first)
            mean = y[train].mean(axis=0)
            for k, test in scored:
                scores = metrics.fold_scores(
                    self.metric, y[test].astype(np.float64), predict(x[test]), mean, region
                )
                total[k] += metrics.aggregate(scores, self.card.aggregate)
                count[k] += 1
        if not count.all():
            raise DataError(
                f"Fold {int(np.argmin(count))} has too few training presentations to choose a "
                "layer from. Score one layer, or use larger folds."
            )
        return total / count


def pick(layers: Mapping[Any, NDArray], chosen: NDArray[np.intp]) -> list[NDArray]:
    """Return the features of the layer that each fold chose.

    Parameters
    ----------
    layers : mapping of layer to ndarray
        Features.
    chosen : ndarray of int, shape (folds,)
        From :meth:`RegressionTask.choose`.

    Returns
    -------
    list of ndarray
        One a fold.

    Examples
    --------
    >>> [x.tolist() for x in pick({"a": np.zeros(1), "b": np.ones(1)}, np.array([1, 0]))]
    [[1.0], [0.0]]
    """
    every = list(layers.values())
    return [every[k] for k in chosen]
