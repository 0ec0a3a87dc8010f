"""From layers to an outcome, for benchmarks whose responses are predicted by a regression."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from neurokit.alignment.benchmarks import baselines
from neurokit.alignment.benchmarks.recurrence import single_ceiling
from neurokit.alignment.benchmarks.regression_task import RegressionTask, pick
from neurokit.alignment.benchmarks.representations import Layers
from neurokit.alignment.benchmarks.results import Outcome
from neurokit.alignment.benchmarks.uncertainty import headline_interval
from neurokit.alignment.ceilings import noise_ceiling
from neurokit.errors import DataError

if TYPE_CHECKING:
    from neurokit.catalog.benchmarks import BenchmarkCard
    from neurokit.datasets.assemblies import Assembly

__all__ = ["chosen_neuroids", "evaluate", "on_published_folds"]

Array = NDArray[np.float64]


def chosen_neuroids(card: BenchmarkCard, assembly: Assembly) -> tuple[xr.DataArray, Array]:
    """Return the responses that a benchmark scores, and their r-ceilings.

    Parameters
    ----------
    card : BenchmarkCard
        Says which neuroids, and where ceilings come from.
    assembly : Assembly
        The data.

    Returns
    -------
    responses : DataArray, dims (presentation, neuroid)
        Those kept.
    ceiling : ndarray, shape (neuroids,)
        NaN where unknown.

    Raises
    ------
    DataError
        No responses, no such regions, or a ceiling that the assembly does not bring.
    """
    if assembly.responses is None:
        raise DataError(f"{assembly.name} has no responses, which {card.name} predicts.")
    wanted = {card.targets.coordinate: card.targets.keep} if card.targets.keep else {}
    kept = assembly.sel(**wanted)
    ceiling = _ceiling(card, kept)
    assert kept.responses is not None
    return _with_groups(card, kept), ceiling


def evaluate(
    task: RegressionTask,
    layers: Layers,
    r_ceiling: Array,
    untrained: Layers | None = None,
    *,
    seed: int = 0,
    progress: bool | None = None,
) -> tuple[Outcome, dict[str, Any]]:
    """Score every layer, choose one without the test folds, and run the baselines.

    Parameters
    ----------
    task : RegressionTask
        Responses, folds, settings.
    layers : dict of layer to ndarray, shape (presentations, features)
        Features.
    r_ceiling : ndarray, shape (neuroids,)
        NaN where unknown.
    untrained : dict of layer to ndarray, optional
        Features of the untrained twin.
    seed : int
        Of permutations and bootstrap.
    progress : bool, optional
        Show bars over layers.

    Returns
    -------
    outcome : Outcome
        All scores.
    facts : dict
        For the attributes of the score: split, leakage.
    """
    scores = task.curve(layers, progress)
    inner, chosen = task.choose(layers, progress=progress)
    xs = pick(layers, chosen)
    headline = scores[chosen, np.arange(len(chosen))]
    draws = baselines.permuted(task, xs, seed)
    rivals: dict[str, Array] = {"permuted": draws.mean(axis=0)}
    extra: dict[str, Any] = {}
    if task.nuisance.shape[1]:
        rivals |= _with_nuisance(task, xs, extra)
    if untrained is not None:
        rivals["untrained"] = _twin(task, untrained, chosen, extra)
    report = baselines.content_free(task)
    if task.metric == "r":
        rivals["content-free"] = report["r_fold"].sel(baseline="content-free").values
    extra |= _other_metrics(task, xs)
    outcome = Outcome(
        layers=list(layers),
        scores=scores,
        inner=inner,
        chosen=chosen,
        units=_unit_coords(task),
        ceiling=_on_scale(task, r_ceiling),
        summary=task.summary,
        interval=headline_interval(task, xs, headline, seed),
        baselines=rivals,
        draws=np.array([task.summary(draw.mean(axis=0)) for draw in draws]),
        extra=extra,
    )
    return outcome, _facts(task, report)


def on_published_folds(
    task: RegressionTask, layers: Layers, untrained: Layers | None = None
) -> dict[str, Any]:
    """Score layers and rivals on the folds that published scores used.

    Parameters
    ----------
    task : RegressionTask
        With those folds.
    layers : dict of layer to ndarray, shape (presentations, features)
        Features.
    untrained : dict of layer to ndarray, optional
        Features of the untrained twin.

    Returns
    -------
    dict
        Variables for the score: ``published_raw``, ``published_layer_score`` and
        ``published_baseline_score``, whose content-free model says what the folds give away.
    """
    scores = task.curve(layers, progress=False)
    _, chosen = task.choose(layers, reach=1, progress=False)
    xs, folds = pick(layers, chosen), np.arange(len(chosen))
    rivals: dict[str, Array] = {}
    if task.nuisance.shape[1]:
        rivals |= _with_nuisance(task, xs, {})
    if untrained is not None:
        twin = task.score(pick(untrained, chosen))
        rivals["untrained"] = twin
    if task.metric == "r":
        rivals["content-free"] = baselines.content_free(task)["r_fold"].sel(
            baseline="content-free"
        ).values  # fmt: skip
    summed = [float(task.summary(rival.mean(axis=0))) for rival in rivals.values()]
    return {
        "published_raw": float(task.summary(scores[chosen, folds].mean(axis=0))),
        "published_layer_score": ("layer", np.atleast_1d(task.summary(scores.mean(axis=1)))),
        "published_baseline_score": ("published_baseline", summed),
        "published_baseline": ("published_baseline", list(rivals)),
    }


def _with_groups(card: BenchmarkCard, assembly: Assembly) -> xr.DataArray:
    """Give presentations the groups that only the table of stimuli knows."""
    responses, group = assembly.responses, card.folds.group
    assert responses is not None
    if not group or group in responses.coords or group not in assembly.stimuli:
        return responses
    labels = assembly.stimuli[group].loc[responses["stimulus_id"].values].to_numpy(dtype=np.str_)
    return responses.assign_coords({group: ("presentation", labels)})


def _with_nuisance(
    task: RegressionTask, xs: list[NDArray], extra: dict[str, Any]
) -> dict[str, Array]:
    """Score nuisance features alone and with the model, and what the model adds in R2."""
    rivals = {"nuisance": baselines.nuisance_alone(task)}
    if task.metric == "delta-R2":
        return rivals
    predicted = task.predict_with_nuisance(xs)
    rivals["nuisance + model"] = task.judge(predicted, task.y, task.metric)
    both, alone = task.judge(predicted, task.y, "R2"), task.score(task.nuisance, metric="R2")
    gained = both.mean(axis=0) - alone.mean(axis=0)
    extra["unique_R2"] = float(baselines.summed(task, gained, "R2"))
    return rivals


def _twin(
    task: RegressionTask, layers: Layers, chosen: NDArray[np.intp], extra: dict[str, Any]
) -> Array:
    """Score the untrained twin at the layers that the model chose, and all its layers."""
    scores = task.curve(layers, progress=False)
    by_layer = np.atleast_1d(task.summary(scores.mean(axis=1)))
    extra["untrained_layer_score"] = ("layer", by_layer)
    return np.asarray(scores[chosen, np.arange(len(chosen))])


def _other_metrics(task: RegressionTask, xs: list[NDArray]) -> dict[str, Any]:
    others = task.card.metrics[1:]
    if not others:
        return {}
    predicted = task.predict(xs, task.y)
    found = [
        float(baselines.summed(task, task.judge(predicted, task.y, m).mean(axis=0), m))
        for m in others
    ]
    return {"other_score": ("other_metric", found), "other_metric": ("other_metric", others)}


def _ceiling(card: BenchmarkCard, assembly: Assembly) -> Array:
    assert assembly.responses is not None
    n = assembly.responses.sizes["neuroid"]
    kind = card.ceiling.kind
    if kind in ("split_half", "repeats", "ncsnr"):
        if assembly.repeats is None:
            raise DataError(
                f"{card.name} estimates its ceiling from repeats ({kind}), and {assembly.name} "
                "brings none."
            )
        whole = assembly.repeats.values
        complete = np.isfinite(whole).all(axis=(0, 2))
        found = noise_ceiling(whole[:, complete], kind, card.seed)
        return np.asarray(found["r_ceiling"].values)
    if kind == "recurring":
        return single_ceiling(assembly.responses, card.folds.group)
    if kind == "assembly" and assembly.ceiling is not None:
        return np.asarray(assembly.ceiling.values, dtype=np.float64)
    if kind == "value" and card.ceiling.value is not None:
        return np.full(n, card.ceiling.value)
    return np.full(n, np.nan)


def _on_scale(task: RegressionTask, r_ceiling: Array) -> Array:
    """Turn r-ceilings into ceilings of the metric, where there is such a thing."""
    if task.metric == "r":
        return r_ceiling
    return r_ceiling**2 if task.metric == "R2" else np.full(len(task.units), np.nan)


def _unit_coords(task: RegressionTask) -> dict[str, tuple[str, NDArray]]:
    if task.metric == "2v2":
        return {"unit": ("unit", task.units), "region": ("unit", task.units)}
    coords = {
        str(name): ("unit", coord.values)
        for name, coord in task.responses.coords.items()
        if coord.dims == ("neuroid",)
    }
    coords["unit"] = coords.pop("neuroid_id")
    return coords


def _facts(task: RegressionTask, report: xr.Dataset) -> dict[str, Any]:
    verdict = str(report.attrs["verdict"])
    if task.card.folds.recurring:
        verdict += (
            " The same stimuli are on both sides of each fold by design: all features that tell "
            "them apart score alike, whatever they mean."
        )
    return {
        "split": task.split.text,
        "n_presentations": len(task.y),
        "n_units": int(task.headline.sum()),
        "leakage": verdict,
        "leakage_flagged": int(report.attrs["flagged"]),
        "content_free_r": float(report.attrs["content_free_r"]),
    }
