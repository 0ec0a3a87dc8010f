"""Running a recipe of pretraining: data in, a model with its card out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import pandas as pd

from neurokit import arguments
from neurokit.catalog.recipes import FinetuneRecipe, PretrainRecipe
from neurokit.errors import DataError
from neurokit.files import replacing
from neurokit.models.nn import Pretrained
from neurokit.recording import Recording
from neurokit.runs.cutting import Parts, cut, split, standardize_by_train
from neurokit.runs.families import build
from neurokit.runs.figures import figures_of
from neurokit.runs.model_cards import data_facts, model_card, recipe_hash, told_of
from neurokit.runs.montages import by_subject, join_parts
from neurokit.runs.preparation import prepare, read_recordings
from neurokit.runs.scaling import scalings
from neurokit.runs.spike_cutting import standardize_beside
from neurokit.runs.unseen import FIGURES, RECIPE, check_unseen, learned_from
from neurokit.training import fit
from neurokit.training.distributed import form_team

__all__ = ["Result", "changed", "claim", "keep", "pretrain", "training_options", "windows_of"]


R = TypeVar("R", bound=PretrainRecipe | FinetuneRecipe)


@dataclass(frozen=True)
class Result:
    """What running a recipe gave.

    Attributes
    ----------
    recipe : PretrainRecipe or FinetuneRecipe
        As it was run.
    model : Pretrained
        Trained.
    figures : DataFrame
        Held-out figures beside what they must beat.
    history : DataFrame
        One row an epoch.
    resumed_at : int
        Epochs that an earlier, interrupted run had done.
    folder : Path
        Of the run: ``model`` (with its card), ``figures.json``, ``recipe.json``, ``training``.
        Beside the figures stand ``learned_from``, the groups that trained, and ``scaled``, mean
        and deviation of each channel, by which new recordings are to be scaled.
    """

    recipe: PretrainRecipe | FinetuneRecipe
    model: Pretrained
    figures: pd.DataFrame
    history: pd.DataFrame
    resumed_at: int
    folder: Path


def pretrain(
    recipe: PretrainRecipe,
    folder: str | Path,
    *,
    data: str | None = None,
    keywords: dict[str, Any] | None = None,
    device: str = "auto",
    progress: bool | None = None,
) -> Result:
    """Run a recipe of pretraining; a run that was interrupted goes on where it was.

    Of processes that ``torchrun`` started, the first measures and writes; all return the same.

    Parameters
    ----------
    recipe : PretrainRecipe
        What to do.
    folder : str or Path
        Of the run. Other runs lie beside it, and are found by the names of their recipes.
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
        The model, and held-out figures beside those of the same model with random weights.

    Raises
    ------
    DataError
        If data and model do not fit, or the folder holds the run of another recipe.
    UnknownNameError
        If the recipe names what does not exist.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> demo = changed(recipe("eegformer-demo"), epochs=1)
    >>> result = pretrain(demo, "runs/demo", device="cpu")
    >>> sorted(path.name for path in Path("runs/demo").iterdir())
    ['figures.json', 'model', 'recipe.json', 'training']
    """
    folder = Path(folder)
    team = form_team(device)
    with team.first_ahead():
        parts = windows_of(recipe, data, keywords, folder)
    start = check_unseen(recipe, parts, folder.parent)
    model = build(recipe.model, parts.train, recipe.seed, folder.parent)
    team.by_first(claim, folder, recipe)
    run = fit(
        model,
        parts.train,
        parts.validation,
        **training_options(recipe),
        device=device,
        checkpoint_dir=folder / "training",
        progress=progress,
    )
    figures = team.by_first(figures_of, model, parts, device=device, seed=recipe.seed)
    result = Result(recipe, model, figures, run.history, run.resumed_at, folder)
    told = {**told_of(data), "Started from": start, "Epochs done": len(run.history)}
    team.by_first(keep, result, parts, told)
    return result


def windows_of(
    recipe: PretrainRecipe | FinetuneRecipe,
    data: str | None = None,
    keywords: dict[str, Any] | None = None,
    folder: Path | None = None,
) -> Parts:
    """Read, prepare, cut, split and standardise the data of a recipe.

    Parameters
    ----------
    recipe : PretrainRecipe or FinetuneRecipe
        What to do.
    data, keywords
        As for :func:`pretrain`.
    folder : Path, optional
        Where prepared recordings are kept, if the recipe keeps them on disk.

    Returns
    -------
    Parts
        Windows that train, select and test.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> parts = windows_of(recipe("eegformer-demo"))
    >>> len(parts.train) > len(parts.test) > len(parts.validation)
    True
    """
    recordings = prepare(read_recordings(recipe, data, keywords), recipe, folder)
    if recipe.windows.by_subject:
        return join_parts([_parts_of(own, recipe) for own in by_subject(recordings)])
    return _parts_of(recordings, recipe)


def _parts_of(recordings: Sequence[Recording], recipe: PretrainRecipe | FinetuneRecipe) -> Parts:
    """Cut, split and standardise recordings of the same channels."""
    parts = split(cut(recordings, recipe), recipe.split, recipe.seed)
    last = recipe.preprocessing[-1] if recipe.preprocessing else None
    if last is None or last.step != "standardize" or last.over != "train":
        return parts
    if not recipe.windows.of_spikes:
        return standardize_by_train(parts)
    scaled = standardize_beside(parts.train, recipe.windows)
    return split(cut(scaled, recipe), recipe.split, recipe.seed)


def training_options(recipe: PretrainRecipe | FinetuneRecipe) -> dict[str, Any]:
    """Return the options of :func:`neurokit.training.fit` that a recipe states.

    Parameters
    ----------
    recipe : PretrainRecipe or FinetuneRecipe
        With its table ``training`` and its seed.

    Returns
    -------
    dict
        By the names that ``fit`` gives them.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> training_options(recipe("eegformer-demo"))["batch_size"]
    4
    """
    return {**recipe.training.model_dump(), "seed": recipe.seed}


def changed(recipe: R, *, seed: int | None = None, epochs: int | None = None) -> R:
    """Return a recipe with another seed or number of epochs.

    Parameters
    ----------
    recipe : PretrainRecipe or FinetuneRecipe
        As found.
    seed, epochs : int, optional
        In place of its own.

    Returns
    -------
    PretrainRecipe or FinetuneRecipe
        Checked again.

    Raises
    ------
    DataError
        If a number is none that a recipe may have.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> changed(recipe("eegformer-demo"), seed=3).seed
    3
    """
    content = recipe.model_dump()
    if seed is not None:
        content["seed"] = arguments.whole("seed", seed, least=0)
    if epochs is not None:
        content["training"]["epochs"] = arguments.whole("epochs", epochs, least=1)
    return cast(R, type(recipe).model_validate(content))


def claim(folder: Path, recipe: PretrainRecipe | FinetuneRecipe) -> None:
    """Write down whose run a folder is, before anything is trained.

    Parameters
    ----------
    folder : Path
        Of the run.
    recipe : PretrainRecipe or FinetuneRecipe
        About to be run, or gone on with.

    Raises
    ------
    DataError
        If the folder holds what came of another recipe, or of the same with other settings.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> demo = recipe("eegformer-demo")
    >>> claim(Path("runs/demo"), demo)
    >>> Path("runs/demo/training").mkdir()
    >>> claim(Path("runs/demo"), changed(demo, seed=3))
    Traceback (most recent call last):
    neurokit.errors.DataError: runs/demo holds a run of 'eegformer-demo' with another seed. Give...
    """
    path = folder / RECIPE
    begun = (folder / "training").exists() or (folder / "model").exists()
    if begun and path.is_file():
        theirs = json.loads(path.read_text(encoding="utf-8"))
        # Tuples come back as lists.
        ours = json.loads(json.dumps(recipe.model_dump(exclude={"title", "note"})))
        if other := [name for name in ours if ours[name] != theirs.get(name)]:
            raise DataError(
                f"{folder} holds a run of {theirs.get('name')!r} with another "
                f"{', '.join(other)}. Give another folder (--output), or remove that one."
            )
    folder.mkdir(parents=True, exist_ok=True)
    _write(path, recipe.model_dump())


def keep(result: Result, parts: Parts, training: dict[str, Any]) -> None:
    """Write the model with its card, and the figures.

    Parameters
    ----------
    result : Result
        Of a run.
    parts : Parts
        Its windows.
    training : dict
        What the card tells of the training besides.
    """
    facts = data_facts(result.recipe, parts)
    card = model_card(result.recipe, result.model, facts, result.figures, training)
    result.model.save_pretrained(result.folder / "model", card=card)
    content = {
        "recipe": result.recipe.name,
        "hash": recipe_hash(result.recipe),
        "learned_from": learned_from(result.recipe, parts),
        "scaled": scalings(parts.train.recordings),
        "figures": json.loads(result.figures.to_json(orient="index")),
    }
    _write(result.folder / FIGURES, content)


def _write(path: Path, content: Any) -> None:
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
