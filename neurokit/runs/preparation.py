"""Recordings of a recipe: read, prepared step by step, kept in memory or on disk."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurokit import catalog, preprocessing
from neurokit.catalog.recipes import FinetuneRecipe, PretrainRecipe
from neurokit.datasets.channel_names import clean_channel_name
from neurokit.datasets.loading import load_all
from neurokit.datasets.tuh import tcp_montage
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.neuroformer.decoding import direction_variables
from neurokit.preprocessing.streams import chosen_stream
from neurokit.progress import progress_bar
from neurokit.recording import Recording

__all__ = ["prepare", "read_recordings"]

TrainingRecipe = PretrainRecipe | FinetuneRecipe
_Step = Callable[[Recording, Any, str], Recording]


def read_recordings(
    recipe: TrainingRecipe, data: str | None = None, keywords: dict[str, Any] | None = None
) -> list[Recording]:
    """Read the recordings that a recipe is about.

    Parameters
    ----------
    recipe : PretrainRecipe or FinetuneRecipe
        Names a card and arguments of its reader.
    data : str, optional
        In place of the recipe's card: the name of another one, or a path to your copy, a folder
        that is read as the card says, or one file.
    keywords : dict, optional
        Arguments of the reader, over those of the recipe.

    Returns
    -------
    list of Recording
        Their samples may still be in their files.

    Raises
    ------
    DownloadError
        If the data cannot be had, with what to do.
    UnknownNameError
        If there is neither such a card nor such a path.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> len(read_recordings(recipe("eegformer-demo")))
    1
    """
    arguments = {**recipe.read, **(keywords or {})}
    if data is None:
        return load_all(recipe.data, **arguments)
    place = Path(data).expanduser()
    if place.exists():
        return load_all(recipe.data, place, **arguments)
    if data not in catalog.names("datasets"):
        raise UnknownNameError("data set or path", data, catalog.names("datasets"))
    return load_all(data, **arguments)


def prepare(
    recordings: Sequence[Recording], recipe: TrainingRecipe, folder: Path | None = None
) -> list[Recording]:
    """Take every recording through the recipe's steps, but the statistics of training data.

    Parameters
    ----------
    recordings : sequence of Recording
        As read.
    recipe : PretrainRecipe or FinetuneRecipe
        Whose ``preprocessing`` is done, in its order, on the stream of its windows, or on the one
        that a step names.
    folder : Path, optional
        Where recipes with ``prepared = "disk"`` keep them; what is there is not done again.

    Returns
    -------
    list of Recording
        In the same order, with that stream alone, or with spikes and what goes beside them.

    Raises
    ------
    UnknownNameError
        If a recording lacks the stream or a channel.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> demo = recipe("eegformer-demo")
    >>> prepare(read_recordings(demo), demo)[0]["eeg"].attrs["sampling_rate"]
    100.0
    """
    stream = recipe.windows.stream
    keep = folder if recipe.prepared == "disk" else None
    place = None if keep is None else keep / "prepared" / _fingerprint(recipe, recordings)
    found = []
    for number, rec in enumerate(progress_bar(recordings, desc="preparing", unit="recording")):
        path = None if place is None else place / f"{number:06d}.zarr"
        if path is not None and path.exists():
            found.append(Recording.open(path))
            continue
        done = _prepared(rec, recipe, stream)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            done = Recording.open(done.save(path))
        found.append(done)
    return found


def _prepared(rec: Recording, recipe: TrainingRecipe, stream: str) -> Recording:
    wanted = (stream, *recipe.windows.beside, *recipe.windows.targets)
    for name in wanted:
        if name not in rec:
            raise UnknownNameError("stream of the recipe", name, rec.streams)
    rec = rec.replace({name: rec[name] for name in wanted})
    for step in recipe.preprocessing:
        rec = STEPS[step.step](rec, step, getattr(step, "stream", "") or stream)
    return rec


def _fingerprint(recipe: TrainingRecipe, recordings: Sequence[Recording]) -> str:
    """Name what prepared recordings depend on, so that those of others are not taken for them."""
    table = recipe.windows
    steps = [step.model_dump() for step in recipe.preprocessing]
    facts = ("dataset", "source", "subject", "session", "run")
    whose = [[str(rec.meta.get(key)) for key in facts] for rec in recordings]
    streams = [table.stream, *table.beside, *table.targets]
    sizes = [[[*rec[s].sizes.values()] for s in streams if s in rec] for rec in recordings]
    content = json.dumps([recipe.data, recipe.read, streams, steps, whose, sizes], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _picked(rec: Recording, step: Any, stream: str) -> Recording:
    data = rec[chosen_stream(rec, stream)]
    dim = data.dims[1]
    there = {clean_channel_name(str(name)): i for i, name in enumerate(data[dim].values)}
    for name in step.channels:
        if clean_channel_name(name) not in there:
            raise UnknownNameError("channel of the recipe", name, map(str, data[dim].values))
    rows = [there[clean_channel_name(name)] for name in step.channels]
    kept = data.isel({dim: rows}).assign_coords({dim: np.array(step.channels)})
    return rec.replace({**rec.streams, stream: kept}, history=f"pick({len(rows)} channels)")


def _cropped(rec: Recording, step: Any, _: str) -> Recording:
    start = rec.start if step.start is None else step.start
    return rec.crop(start, rec.stop if step.stop is None else step.stop)


def _turned(rec: Recording, step: Any, stream: str) -> Recording:
    return direction_variables(rec, stream, step.variable)


def _montage(rec: Recording, _: Any, stream: str) -> Recording:
    if stream != "eeg":
        raise DataError(f"The step 'tcp' derives channels of 'eeg'; the windows are of {stream!r}.")
    return tcp_montage(rec)


def _filtered(rec: Recording, step: Any, stream: str) -> Recording:
    return preprocessing.filter(rec, step.low, step.high, stream=stream)


def _notched(rec: Recording, step: Any, stream: str) -> Recording:
    return preprocessing.notch(rec, step.frequency, step.harmonics, stream=stream)


def _resampled(rec: Recording, step: Any, stream: str) -> Recording:
    return preprocessing.resample(rec, step.sampling_rate, stream=stream)


def _rereferenced(rec: Recording, step: Any, stream: str) -> Recording:
    return preprocessing.rereference(rec, step.reference, stream=stream)


def _standardized(rec: Recording, step: Any, stream: str) -> Recording:
    # Statistics of the training data need the split, and come after it.
    return rec if step.over == "train" else preprocessing.standardize(rec, stream)


#: By the name that recipes give them.
STEPS: dict[str, _Step] = {
    "pick": _picked,
    "crop": _cropped,
    "direction": _turned,
    "tcp": _montage,
    "filter": _filtered,
    "notch": _notched,
    "resample": _resampled,
    "rereference": _rereferenced,
    "standardize": _standardized,
}
