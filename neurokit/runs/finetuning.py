"""Running a recipe of fine-tuning or probing: scored beside what it must beat."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import xarray as xr

from neurokit import models, training
from neurokit.catalog.recipes import FinetuneRecipe
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.evaluation.folds import group_numbers
from neurokit.models.evaluation.summaries import summary
from neurokit.models.nn import Classifier, Pretrained
from neurokit.runs.cutting import Parts
from neurokit.runs.families import build
from neurokit.runs.model_cards import told_of
from neurokit.runs.pretraining import Result, claim, keep, training_options, windows_of
from neurokit.runs.unseen import check_unseen
from neurokit.training import predict
from neurokit.windows import Windows

__all__ = ["finetune"]

_N_BOOTSTRAP = 1000


def finetune(
    recipe: FinetuneRecipe,
    folder: str | Path,
    *,
    data: str | None = None,
    keywords: dict[str, Any] | None = None,
    device: str = "auto",
    progress: bool | None = None,
) -> Result:
    """Run a recipe of fine-tuning, from a checkpoint or from scratch, or of probing.

    Whatever the method, the test windows are also classified by linear probes of the model that
    it began with, of the same with random weights, of band power, of raw features and of k-means
    words, all fitted to the same training windows. Of processes that ``torchrun`` started, the
    first measures and writes; all return the same.

    Parameters
    ----------
    recipe : FinetuneRecipe
        What to do.
    folder : str or Path
        Of the run; a run that was interrupted there goes on.
    data : str, optional
        Another card, or a path to your copy of the data.
    keywords : dict, optional
        Arguments of the data's reader.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"mps"``.
    progress : bool, optional
        Show progress bars; by default on terminals.

    Returns
    -------
    Result
        ``figures``: a row each, with ``auroc``, its 95 % interval over groups (``low``,
        ``high``), ``auprc`` and ``balanced_accuracy`` on the test windows, and chance last.

    Raises
    ------
    DataError
        If data and model do not fit, a class is missing, or the checkpoint learned from what
        would test.
    UnknownNameError
        If the recipe names what does not exist.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> from neurokit.runs.pretraining import changed, pretrain
    >>> first = changed(recipe("eegformer-demo"), epochs=1)
    >>> model = pretrain(first, "runs/eegformer-demo", device="cpu").model
    >>> second = changed(recipe("eegformer-demo-modality"), epochs=1)
    >>> figures = finetune(second, "runs/eegformer-demo-modality", device="cpu").figures
    >>> figures.index.tolist()[:2]
    ['fine-tuned', 'probe of eegformer-demo']
    """
    folder = Path(folder)
    team = training.distributed.form_team(device)
    with team.first_ahead():
        parts = windows_of(recipe, data, keywords, folder)
    _check_classes(parts)
    start = check_unseen(recipe, parts, folder.parent)
    model = build(recipe.model, parts.train, recipe.seed, folder.parent)
    if isinstance(model, Classifier):
        raise DataError(
            f"The checkpoint {recipe.model.checkpoint!r} is a classifier already. Name the model "
            "that it was made of."
        )
    head = _head(model, parts.train, recipe)
    team.by_first(claim, folder, recipe)
    table = team.by_first(_baselines, model, parts, recipe, device)
    if recipe.method == "probe":
        result = Result(recipe, model, table, pd.DataFrame(), 0, folder)
        how = f"linear probe; the weights are those it began with: {start}"
        team.by_first(keep, result, parts, {**told_of(data), "Method": how})
        return result
    run = training.finetune(
        model,
        parts.train,
        validation=parts.validation,
        head={"seed": recipe.seed, **head},
        **training_options(recipe),
        device=device,
        checkpoint_dir=folder / "training",
        progress=progress,
    )
    classifier = cast(Classifier, run.model)
    scored = team.by_first(_scored, classifier, parts.test, recipe, device)
    figures = pd.concat([scored.to_frame("fine-tuned").T, table])
    result = Result(recipe, classifier, figures, run.history, run.resumed_at, folder)
    told = {**told_of(data), "Started from": start, "Epochs done": len(run.history)}
    team.by_first(keep, result, parts, told)
    return result


def _check_classes(parts: Parts) -> None:
    """Raise if a part lacks a class, before anything is trained."""
    for name, win in (("train", parts.train), ("test", parts.test)):
        there = {win.classes[i] for i in np.unique(np.asarray(win.labels))}
        if lost := sorted({*win.classes} - there):
            raise DataError(
                f"The {name} windows have no {', '.join(map(repr, lost))} (they have "
                f"{', '.join(map(repr, sorted(there)))}). Split otherwise, or keep fewer classes."
            )


def _head(model: Any, win: Windows, recipe: FinetuneRecipe) -> dict[str, Any]:
    """Return the head's options, refused before anything is trained if they are not the model's."""
    # Du-IN's head reads the tokens side by side, and is made for windows of one length.
    sized = {"n_samples": win.n_samples} if "n_samples" in vars(model.config) else {}
    options = {**sized, **recipe.head}
    try:
        model.classifier(win.classes, **options)
    except (TypeError, UnknownNameError) as error:
        told = str(error).removesuffix(".")
        raise DataError(f"[head] of {recipe.name!r} does not fit: {told}.") from None
    except DataError as error:
        start = repr(recipe.model.checkpoint) if recipe.model.checkpoint else "The model"
        raise DataError(f"{start}, a {type(model).__name__}, does not fit: {error}") from None
    return options


def _scored(
    classifier: Classifier, test: Windows, recipe: FinetuneRecipe, device: str
) -> pd.Series:
    """Score a classifier on the test windows, with an interval over groups."""
    probability = predict(classifier, test, device=device).values.astype(np.float64)
    everything, label = np.arange(len(test)), np.asarray(test.labels)
    groups = group_numbers(_groups(test, recipe), len(test))
    fold = [(everything[:0], everything)]
    return _row(summary([probability], label, groups, fold, _N_BOOTSTRAP, recipe.seed))


def _groups(win: Windows, recipe: FinetuneRecipe) -> np.ndarray:
    """Return what intervals are computed over: people, or windows where there is but one."""
    if recipe.split.by == "time":
        return np.arange(len(win))
    return win.groups(recipe.split.group)


def _row(found: xr.Dataset) -> pd.Series:
    auroc = found.sel(metric="auroc")
    means = found["mean"].to_series()
    interval = {"low": float(auroc["low"]), "high": float(auroc["high"])}
    rest = {name: means[name] for name in ("auprc", "balanced_accuracy")}
    return pd.Series({"auroc": means["auroc"], **interval, **rest})


def _baselines(
    model: Pretrained, parts: Parts, recipe: FinetuneRecipe, device: str
) -> pd.DataFrame:
    """Probe the model and what it must beat: fitted to the training windows, scored on the test."""
    win, n = _joined(parts.train, parts.test), len(parts.train)
    fold = [(np.arange(n), np.arange(n, len(win)))]
    table = models.compare(
        model, win, groups=_groups(win, recipe), cv=fold, device=device, seed=recipe.seed
    )
    columns = ["auroc", "low", "high", "auprc", "balanced_accuracy"]
    probe = f"probe of {recipe.model.checkpoint or 'new weights'}"
    return table[columns].rename(index={type(model).__name__: probe})


def _joined(first: Windows, second: Windows) -> Windows:
    """Put windows of the same recordings into one set, one part after the other."""
    labels = [np.asarray(win.labels) for win in (first, second)]
    return Windows(
        first.recordings,
        first.stream,
        first.n_samples,
        np.concatenate([first.recording_index, second.recording_index]),
        np.concatenate([first.first_sample, second.first_sample]),
        np.concatenate(labels),
        first.classes,
    )
