"""What a score stands beside: features without meaning, shuffled pairs, no content at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from neurokit.alignment.benchmarks import metrics
from neurokit.alignment.leakage import leakage_report
from neurokit.alignment.splits import group_codes

if TYPE_CHECKING:
    from neurokit.alignment.benchmarks.regression_task import RegressionTask

__all__ = ["content_free", "nuisance_alone", "permuted", "summed"]

Array = NDArray[np.float64]
_MOST_COLUMNS = 50_000  # of responses times draws, which bounds time and memory
_MOST_DRAWS = 200
_ENOUGH_GROUPS = 6  # 720 orders of whole groups


def permuted(task: RegressionTask, xs: list[NDArray], seed: int = 0) -> Array:
    """Score features against responses to other presentations.

    What resembles its neighbours must do so in the draws too, or chance is called significant.
    Series in time are rotated within their run or story. Other groups, such as passages or
    objects, change places whole; of fewer than six, the series of all is rotated besides. Without
    groups, presentations are shuffled only where the folds are, and else rotated as one series.
    Stimuli that recur in every run are shuffled within it. The regression is fitted anew to each
    draw.

    Parameters
    ----------
    task : RegressionTask
        Responses and folds.
    xs : list of ndarray, shape (presentations, features)
        Features of the layer that each fold chose.
    seed : int
        Of the draws.

    Returns
    -------
    ndarray, shape (draws, folds, units)
        Scores, 5 to 200 draws: as many as fit 50,000 columns of responses.
    """
    n_targets = task.y.shape[1]
    n_draws = int(np.clip(_MOST_COLUMNS // n_targets, 5, _MOST_DRAWS))
    rng = np.random.default_rng(seed)
    orders = [_order(task, rng) for _ in range(n_draws)]
    if task.metric == "2v2":
        # Patterns cannot be stacked as targets can: their distances would mix draws.
        return np.stack([task.score(xs, task.y[order]) for order in orders[:20]])
    stacked = np.concatenate([task.y[order] for order in orders], axis=1)
    scores = task.score(xs, stacked).reshape(len(task.split.folds), n_draws, n_targets)
    if task.metric == "delta-R2":
        floor = task.score([x[:, :0] for x in xs], stacked, "R2").reshape(scores.shape)
        scores = scores - floor
    return scores.transpose(1, 0, 2)


def nuisance_alone(task: RegressionTask) -> Array:
    """Score the nuisance features by themselves.

    Parameters
    ----------
    task : RegressionTask
        With at least one nuisance feature.

    Returns
    -------
    ndarray, shape (folds, units)
        Scores; with ``delta-R2`` their R2.
    """
    if task.metric == "delta-R2":
        return np.asarray(task.floor())
    return task.score(task.nuisance)


def content_free(task: RegressionTask) -> xr.Dataset:
    """Run the leakage report on the benchmark's own folds.

    Parameters
    ----------
    task : RegressionTask
        Responses and folds.

    Returns
    -------
    Dataset
        Of :func:`neurokit.alignment.leakage_report`.
    """
    folds = task.card.folds
    stimuli = None if folds.recurring else task.responses["stimulus_id"].values
    return leakage_report(
        task.y,
        task.split.folds,
        task.split.groups,
        task.nuisance if task.nuisance.shape[1] else None,
        stimuli=stimuli,
    )


def _order(task: RegressionTask, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw which presentation's responses stand in the place of each."""
    n, groups, folds = len(task.y), task.split.groups, task.card.folds
    everything = [np.arange(n)]
    if groups is None:
        if folds.kind == "shuffled" and "time" not in task.responses.coords:
            return rng.permutation(n)
        return _rolled(everything, rng)
    codes, n_groups = group_codes(groups)
    members = [np.flatnonzero(codes == k) for k in range(n_groups)]
    if folds.recurring:
        order = np.arange(n)
        for rows in members:
            order[rows] = rng.permutation(rows)
        return order
    if "time" in task.responses.coords:
        return _rolled(members, rng)
    order = np.empty(n, dtype=np.intp)
    order[np.concatenate(members)] = np.concatenate([members[k] for k in rng.permutation(n_groups)])
    return order if n_groups >= _ENOUGH_GROUPS else order[_rolled(everything, rng)]


def _rolled(parts: list[NDArray[np.intp]], rng: np.random.Generator) -> NDArray[np.intp]:
    """Rotate each part by at least a tenth of its length."""
    order = np.empty(sum(map(len, parts)), dtype=np.intp)
    for rows in parts:
        least = max(1, len(rows) // 10)
        step = int(rng.integers(least, max(least, len(rows) - least) + 1))
        order[rows] = np.roll(rows, step)
    return order


def summed(task: RegressionTask, scores: Array, metric: str) -> Array:
    """Sum scores of neuroids over the headline, whatever the task's own units are.

    Parameters
    ----------
    task : RegressionTask
        Says which neuroids.
    scores : ndarray, shape (..., neuroids)
        Scores by ``r`` or ``R2``.
    metric : str
        Which of them.

    Returns
    -------
    ndarray, shape (...)
        Sums.
    """
    wanted = task.card.targets.headline
    units = metrics.units_of(metric, task.region)
    keep = np.isin(units, wanted) if wanted else np.ones(len(units), bool)
    return metrics.aggregate(scores[..., keep], task.card.aggregate)
