"""The families that recipes may train: from a fixed table, nothing in a recipe is executed."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from neurokit import models
from neurokit.catalog.training_recipes import ModelTable
from neurokit.errors import DataError, NeurokitError, ReadError, UnknownNameError
from neurokit.models.nn import Pretrained
from neurokit.models.nn.storage import find_folder, models_on_shelf, read_config
from neurokit.windows import SpikeWindows, Windows

__all__ = ["FAMILIES", "build", "checkpoint_folder", "load_checkpoint"]

#: The models' packages in :mod:`neurokit.models`, and the names of their settings.
FAMILIES = {
    "EEGFormer": ("eegformer", "EEGFormerConfig"),
    "DuIN": ("duin", "DuINConfig"),
    "DuINMasked": ("duin", "DuINConfig"),
    "Neuroformer": ("neuroformer", "NeuroformerConfig"),
}


def build(table: ModelTable, win: Windows | SpikeWindows, seed: int, runs: Path) -> Pretrained:
    """Make the model that a recipe names.

    Parameters
    ----------
    table : ModelTable
        A family with its preset and changes, or a checkpoint.
    win : Windows or SpikeWindows
        What it will be trained on: the settings that follow from the recipe's windows (their
        length, and for Du-IN the channels) are taken from here where the recipe does not give
        them. The sampling rate does not follow, since patches are counted in samples.
    seed : int
        Of the first weights.
    runs : Path
        Where the runs of other recipes lie, for checkpoints that are named after them.

    Returns
    -------
    Pretrained
        With new weights, or those of the checkpoint.

    Raises
    ------
    UnknownNameError
        If there is no such family, preset, setting or checkpoint.
    DataError
        If the settings contradict each other.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> from neurokit.runs.cutting import cut
    >>> from neurokit.runs.preparation import prepare, read_recordings
    >>> demo = recipe("eegformer-demo")
    >>> win = cut(prepare(read_recordings(demo), demo), demo)
    >>> build(demo.model, win, seed=1, runs=Path("runs")).config.seed
    1
    """
    if table.checkpoint:
        return load_checkpoint(table.checkpoint, runs)
    if table.family not in FAMILIES:
        raise UnknownNameError("model family", table.family, FAMILIES)
    family = _offered(table.family, 0)
    if table.family == "DuINMasked":
        tokenizer = _tokenizer(table.tokenizer, runs)
        _check_settings(table, type(tokenizer.config))
        own = {"n_samples": win.n_samples, "seed": seed, **table.changes}
        with _fitting(table):
            return family(dataclasses.replace(tokenizer.config, **own), tokenizer=tokenizer)
    _check_windows(table.family, win)
    settings = _offered(table.family, 1)
    _check_settings(table, settings)
    with _fitting(table):
        return family(settings.of(win, table.preset, **{"seed": seed, **table.changes}))


def load_checkpoint(name: str, runs: Path) -> Pretrained:
    """Load a trained model of one of the families.

    Parameters
    ----------
    name : str
        A folder that ``save_pretrained`` wrote, the folder of a run, the name of the recipe
        whose run lies in `runs`, or a checkpoint of the shelf.
    runs : Path
        Folder of runs.

    Returns
    -------
    Pretrained
        In evaluation mode.

    Raises
    ------
    UnknownNameError
        If there is none of that name; recipes that were not run yet are told so.
    ReadError
        If it is damaged, or of another kind.

    Examples
    --------
    >>> load_checkpoint("no-such-model", Path("runs"))
    Traceback (most recent call last):
    neurokit.errors.UnknownNameError: Unknown folder, run in runs or checkpoint 'no-such-model'...
    """
    folder = checkpoint_folder(name, runs)
    kind = str(read_config(folder)["model"])
    if kind not in (*FAMILIES, "Classifier"):
        raise ReadError(f"{folder} holds a {kind}; recipes take one of {', '.join(FAMILIES)}.")
    family = models.Classifier if kind == "Classifier" else _offered(kind, 0)
    return family.from_pretrained(folder)


def checkpoint_folder(name: str, runs: Path) -> Path:
    """Find the folder of a trained model.

    Parameters
    ----------
    name, runs
        As for :func:`load_checkpoint`.

    Returns
    -------
    Path
        With a ``config.json``.

    Raises
    ------
    UnknownNameError
        If there is none of that name.

    Examples
    --------
    >>> checkpoint_folder("eegformer-tiny-eegmat", Path("runs")).name
    'eegformer-tiny-eegmat'
    """
    places = [Path(name).expanduser(), Path(name).expanduser() / "model", runs / name / "model"]
    known = [place for place in places if (place / "config.json").is_file()]
    if known:
        return known[0]
    try:
        return find_folder(Path(name))
    except UnknownNameError:
        there = [path.parent.parent.name for path in sorted(runs.glob("*/model/config.json"))]
        names = [*there, *sorted(models_on_shelf())]
        raise UnknownNameError(f"folder, run in {runs} or checkpoint", name, names) from None


def _offered(family: str, which: int) -> Any:
    """Return the class of a model (0) or of its settings (1)."""
    package, settings = FAMILIES[family]
    module = importlib.import_module(f"neurokit.models.{package}")
    return getattr(module, settings if which else family)


def _tokenizer(name: str, runs: Path) -> Any:
    """Load the trained stage 1 that stage 2 predicts the codes of."""
    found = load_checkpoint(name, runs) if name else None
    if not isinstance(found, _offered("DuIN", 0)):
        raise ReadError(
            f"DuINMasked predicts the codes of a trained DuIN; tokenizer = {name!r} is none. Name "
            "the recipe, folder or checkpoint of stage 1."
        )
    return found


def _check_windows(family: str, win: Windows | SpikeWindows) -> None:
    if family == "Neuroformer" and not isinstance(win, SpikeWindows):
        raise DataError("A Neuroformer reads spikes. Give the recipe's windows a history.")
    if family != "Neuroformer" and isinstance(win, SpikeWindows):
        raise DataError(f"A {family} reads samples, not spikes. Leave out windows.history.")


def _check_settings(table: ModelTable, settings: type) -> None:
    known = [field.name for field in dataclasses.fields(settings)]
    for key in table.changes:
        if key not in known:
            raise UnknownNameError(f"setting of {table.family}", key, known)


@contextmanager
def _fitting(table: ModelTable) -> Iterator[None]:
    """Say whose settings are of a wrong kind."""
    try:
        yield
    except NeurokitError:
        raise
    except (TypeError, ValueError) as error:
        raise ReadError(f"The changes of {table.family} do not fit: {error}.") from None
