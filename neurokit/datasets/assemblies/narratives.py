"""Spoken stories heard in the scanner: the Narratives collection (Nastase 2021, ds002345)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import name_list, positive
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import response_array, story_text
from neurokit.datasets.assemblies.files import find, read_json, read_texts
from neurokit.datasets.bids_names import entities
from neurokit.datasets.fmri_surface import read_gifti
from neurokit.datasets.fmri_table import read_timeseries_table
from neurokit.datasets.fmri_volume import read_nifti
from neurokit.errors import ReadError, UnknownNameError

__all__ = ["read_narratives"]

_FORMS = (".func.gii", "_bold.nii.gz", "_timeseries.tsv", "_timeseries.csv")
_GENTLE = ("word", "alignedWord", "onset", "offset")


def read_narratives(
    path: str | Path,
    *,
    task: str,
    subjects: Sequence[str] | None = None,
    pipeline: str = "afni-nosmooth",
    space: str = "fsaverage6",
    desc: str = "clean",
    mask: str | Path | None = None,
    transcript: str | Path | None = None,
    repetition_time: float = 1.5,
) -> Assembly:
    """Read the responses of listeners to one story, cut to the story, and its words.

    Parameters
    ----------
    path : path
        Root of the data set: ``sub-*/func/*_events.tsv``,
        ``derivatives/<pipeline>/sub-*/func/…`` and ``stimuli/gentle/<story>/align.csv`` (no
        header: word, aligned word, onset, offset) or ``align.json``. So in the repository
        snastase/narratives.
    task : str
        The story, e.g. ``pieman``.
    subjects : sequence of str, optional
        Such as ``sub-001``; by default all with this task. Their voxels are set side by side.
    pipeline : str
        Folder below ``derivatives``: ``afni-nosmooth``, ``afni-smooth``, ``fmriprep``, or your
        own.
    space, desc : str
        Entities of the files: surfaces ``…_space-fsaverage6_hemi-L_desc-clean.func.gii`` (both
        hemispheres), volumes ``…_space-MNI152NLin2009cAsym_res-native_desc-clean_bold.nii.gz``,
        or tables of parcels ``…_desc-clean_timeseries.tsv``, whose ``space`` may be missing.
    mask : path, optional
        Which voxels of volumes.
    transcript : path, optional
        The aligned words, if they lie elsewhere.
    repetition_time : float
        In seconds.

    Returns
    -------
    Assembly
        A presentation a volume within the story, with ``story`` and ``time`` (s from the
        beginning of the sound file, at which the words' onsets are counted, too). Words that
        the aligner did not find begin where the last one ended.

    Raises
    ------
    ReadError
        If files are missing or do not fit together.
    UnknownNameError
        If a subject has no such run.

    Notes
    -----
    Onsets in the transcript count from the beginning of the sound file, and that begins with
    the first event whose ``stim_file`` it is (often music before the story): inferred from
    slumlordreach, whose second story begins at the same second by both; not stated by the
    authors. Runs that they exclude (``code/scan_exclude.json``) are not left out here.

    Examples
    --------
    >>> read_narratives(".", task="pieman")
    Traceback (most recent call last):
    neurokit.errors.ReadError: .: expected runs of 'pieman' in derivatives/afni-nosmooth; ...
    """
    tr = positive("repetition_time (s)", repetition_time)
    root = Path(path)
    runs = _runs(root, task, pipeline, space, desc)
    wanted = list(runs) if subjects is None else name_list("subjects", subjects)
    parts = []
    for subject in wanted:
        if subject not in runs:
            raise UnknownNameError(f"subject of {task}", subject, runs)
        sound, begin, end = _story(root, subject, task)
        bold = xr.concat([_bold(file, tr, mask) for file in runs[subject]], "neuroid")
        inside = (bold["time"].values >= begin) & (bold["time"].values < end)
        parts.append(bold.isel(presentation=np.flatnonzero(inside)).assign_coords(
            time=("presentation", bold["time"].values[inside] - sound),
            subject=("neuroid", [subject] * bold.sizes["neuroid"]),
        ))  # fmt: skip
    words = _words(root, task, transcript)
    responses = _joined(task, parts)
    stimuli = pd.DataFrame({"text": [story_text(words["word"].tolist())]}, index=[task])
    return Assembly("narratives", responses, stimuli, words=words, meta={"tr": tr, "task": task})


def _runs(root: Path, task: str, pipeline: str, space: str, desc: str) -> dict[str, list[Path]]:
    """Return the files of the first run of each subject, both hemispheres of a surface."""
    found: dict[str, list[Path]] = {}
    for file in sorted((root / "derivatives" / pipeline).glob(f"sub-*/func/sub-*_task-{task}_*")):
        names = _entities(file)
        fits = names.get("desc") == desc and names.get("space") in (space, None)
        if fits and file.name.endswith(_FORMS) and names.get("run", "1").lstrip("0") in ("", "1"):
            found.setdefault(f"sub-{names['sub']}", []).append(file)
    if not found:
        raise ReadError(
            f"{root}: expected runs of {task!r} in derivatives/{pipeline}; there is no "
            f"sub-*/func/sub-*_task-{task}_…space-{space}…desc-{desc}… ({', '.join(_FORMS)})."
        )
    for subject, files in found.items():
        hemispheres = [_entities(f).get("hemi") for f in files]
        if hemispheres not in (["L", "R"], [None]):
            raise ReadError(
                f"{subject}: expected one file, or one of each hemisphere; got "
                f"{[f.name for f in files]}. Choose with space= and desc=."
            )
    return found


def _entities(file: Path) -> dict[str, str]:
    """Return the parts of a name; those of the cleaned surfaces end without a suffix."""
    names, last = entities(file)
    key, dash, value = last.partition("-")
    return {**names, key: value} if dash else names


def _story(root: Path, subject: str, task: str) -> tuple[float, float, float]:
    """Return the beginnings of sound file and story and the story's end, in scanner seconds."""
    patterns = [f"{subject}/func/{subject}_task-{task}_{r}events.tsv" for r in ("", "run-1_", "*")]
    file = find(root, patterns, f"the events of {subject}")
    table = read_texts(file, "\t", ["onset", "duration", "trial_type"])
    told = table[table["trial_type"].str.lower() == "story"]
    if not len(told):
        raise ReadError(f"{file.name}: expected an event of type story; got {len(table)} others.")
    try:
        onset, duration = table["onset"].astype(float), told["duration"].astype(float)
    except ValueError as error:
        raise ReadError(f"{file.name}: onsets and durations must be numbers: {error}.") from error
    same = (
        table.get("stim_file", pd.Series("", index=table.index))
        == told.get("stim_file", pd.Series("", index=told.index)).iloc[0]
    )
    begin = float(onset[told.index[0]])
    return float(onset[same].min()), begin, float(onset[told.index[-1]] + duration.iloc[-1])


def _bold(file: Path, tr: float, mask: str | Path | None) -> xr.DataArray:
    if file.name.endswith(".func.gii"):
        bold = read_gifti(file, repetition_time=tr)["bold"]
    elif file.name.endswith("_bold.nii.gz"):
        bold = read_nifti(file, repetition_time=tr, mask=mask)["bold"]
    else:
        bold = read_timeseries_table(file, repetition_time=tr)["bold"]
    feature = str(bold.dims[1])
    hemisphere = _entities(file).get("hemi", "")
    names = bold[feature].values if feature in bold.coords else np.arange(bold.sizes[feature])
    regions = names if feature == "roi" else np.full(len(names), hemisphere)
    neuroid: dict[str, Any] = {"place": [f"{hemisphere}{n}" for n in names], "region": regions}
    neuroid |= {k: bold[k].values for k in "xyz" if k in bold.coords}
    return response_array(np.asarray(bold.values), {"time": bold["time"].values}, neuroid)


def _joined(task: str, parts: list[xr.DataArray]) -> xr.DataArray:
    lengths = sorted({part.sizes["presentation"] for part in parts})
    if lengths[-1] - lengths[0] > 2 or not lengths[0]:
        raise ReadError(
            f"{task}: runs cut to the story have {lengths} volumes; expected one length."
        )
    whole = [part.isel(presentation=slice(lengths[0])) for part in parts]
    time = whole[0]["time"].values
    both = xr.concat([part.drop_vars("time") for part in whole], "neuroid", join="override")
    ids = [f"{s}.{p}" for s, p in zip(both["subject"].values, both["place"].values, strict=True)]
    neuroid = {str(k): c.values for k, c in both.coords.items() if k != "place"}
    story = {"stimulus_id": task, "story": task, "time": time}
    return response_array(both.values, story, neuroid | {"neuroid_id": ids})


def _words(root: Path, task: str, transcript: str | Path | None) -> pd.DataFrame:
    folder = root / "stimuli" / "gentle" / task
    patterns = ("align.csv", "align.json")
    file = find(folder, patterns, "the words") if transcript is None else Path(transcript)
    table = _json_words(file) if file.suffix == ".json" else read_texts(file, ",", names=_GENTLE)
    for column in ("onset", "offset"):
        try:
            table[column] = pd.to_numeric(table[column].where(table[column] != ""))
        except ValueError as error:
            raise ReadError(f"{file.name}: {column} holds no seconds: {error}.") from error
    if table["onset"].isna().all():
        raise ReadError(f"{file.name}: no word has an onset.")
    table["offset"] = table["offset"].ffill().fillna(0.0)
    table["onset"] = table["onset"].fillna(table["offset"])
    table["offset"] = np.maximum(table["onset"], table["offset"])
    table["onset"] = table["onset"].cummax()
    table["offset"] = np.maximum(table["onset"], table["offset"])
    return table.assign(story=task)[["story", "word", "onset", "offset"]]


def _json_words(file: Path) -> pd.DataFrame:
    content = read_json(file)
    words = content.get("words") if isinstance(content, dict) else None
    if not isinstance(words, list) or not all(isinstance(w, dict) and "word" in w for w in words):
        raise ReadError(f"{file.name}: expected gentle's output, a list 'words' of 'word'.")
    rows = [(w["word"], w.get("alignedWord", ""), w.get("start"), w.get("end")) for w in words]
    return pd.DataFrame(rows, columns=list(_GENTLE))
