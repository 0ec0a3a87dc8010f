"""Hours of spoken stories, preprocessed for encoding models (LeBel 2023, ds003020)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import name_list
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import response_array, story_text
from neurokit.datasets.assemblies.files import find, one_of, read_json
from neurokit.datasets.assemblies.textgrid import read_textgrid
from neurokit.datasets.hdf5 import check_dataset, open_hdf5, read_rows
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.recording.lazy import lazy_array

__all__ = ["read_lebel2023"]

_TR = 2.0
# The published pipeline lets the sound begin 10 s after the first trigger and cuts ten volumes.
_FIRST = 10.0
_SILENT = frozenset({"", "sentence_start", "sentence_end", "br", "lg", "ls", "ns", "sp"})
_DERIVATIVES = ("derivative/", "derivatives/", "")


@dataclass(frozen=True)
class _Story:
    """Where the volumes of a story lie."""

    name: str
    file: Path
    dataset: str
    volumes: int
    voxels: int


def read_lebel2023(
    path: str | Path,
    *,
    subject: str | None = None,
    stories: Sequence[str] | None = None,
    voxels: Sequence[int] | None = None,
) -> Assembly:
    r"""Read one listener's responses and the words of the stories.

    Parameters
    ----------
    path : path
        Root of ds003020, or its folder ``derivative``: with
        ``preprocessed_data/UTS01/<story>.hf5`` (dataset ``data``: volume, voxel),
        ``TextGrids/<story>.TextGrid`` and, where it is there, ``respdict.json`` (volumes
        recorded for each story). So in the authors' ``deep-fMRI-dataset``.
    subject : str, optional
        ``UTS01`` … ``UTS08``, where there are several.
    stories : sequence of str, optional
        By default all that have responses and a TextGrid.
    voxels : sequence of int, optional
        Columns wanted. With them values are read at once; without, when they are used, because
        all stories of a listener take gigabytes.

    Returns
    -------
    Assembly
        A presentation a volume, with ``story`` and ``time`` (s from the beginning of the sound);
        ``words`` in lower case on the same clock, without marks of silence and breath. One
        stimulus a story. ``meta["trimmed_volumes"]`` says by how much each was cut, where
        ``respdict.json`` tells.

    Raises
    ------
    ReadError
        If files are missing or laid out in another way.
    UnknownNameError
        If a story is not there.

    Notes
    -----
    The files begin ten volumes after the first trigger, and the sound 10 s after it: that is
    how the published encoding code aligns its features. TR is taken as 2 s as there (the
    scanner's was 2.0045 s). Whether files of the repeated story hold a mean over repeats is not
    stated, and not assumed.

    Examples
    --------
    >>> Path("preprocessed_data/UTS01").mkdir(parents=True)
    >>> Path("TextGrids").mkdir()
    >>> with h5py.File("preprocessed_data/UTS01/tale.hf5", "w") as file:
    ...     file["data"] = np.zeros((4, 3), np.float32)
    >>> grid = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "0", "9",
    ...         "<exists>", "1", '"IntervalTier"', '"word"', "0", "9", "1",
    ...         "1", "2", '"ONCE"']
    >>> _ = Path("TextGrids/tale.TextGrid").write_text("\n".join(grid))
    >>> read_lebel2023(".").responses["time"].values
    array([10., 12., 14., 16.])
    """
    root = Path(path)
    responses_root = _folder(root, "preprocessed_data")
    grids = _folder(root, "TextGrids")
    people = sorted(p.name for p in responses_root.iterdir() if p.is_dir())
    who = one_of("subject", subject, people)
    chosen = [_story(responses_root / who, name) for name in
              _names(responses_root / who, grids, stories)]  # fmt: skip
    widths = sorted({s.voxels for s in chosen})
    if len(widths) > 1:
        raise ReadError(f"{who}: stories differ in voxels: {widths}.")
    wanted = _wanted(voxels, widths[0])
    values = _rows(chosen, wanted)
    names = np.repeat([s.name for s in chosen], [s.volumes for s in chosen])
    time = np.concatenate([_FIRST + _TR * np.arange(s.volumes) for s in chosen])
    responses = response_array(
        values.load() if voxels is not None else values,
        {"stimulus_id": names, "story": names, "time": time},
        {"neuroid_id": [f"{who}.{v}" for v in wanted], "subject": who},
    )
    words = pd.concat([_words(grids, s.name) for s in chosen], ignore_index=True)
    told = words.groupby("story", sort=False)["word"].agg(story_text)
    stimuli = pd.DataFrame({"text": told.reindex([s.name for s in chosen]).fillna("")})
    meta = {"tr": _TR, "trimmed_volumes": _trimmed(root, chosen)}
    return Assembly("lebel2023", responses, stimuli, words=words, meta=meta)


def _folder(root: Path, name: str) -> Path:
    found = [root / f"{d}{name}" for d in _DERIVATIVES if (root / f"{d}{name}").is_dir()]
    if not found:
        raise ReadError(f"{root}: expected a folder derivative/{name}; there is none.")
    return found[0]


def _names(folder: Path, grids: Path, stories: Sequence[str] | None) -> list[str]:
    there = sorted(p.stem for p in folder.glob("*.hf5") if (grids / f"{p.stem}.TextGrid").is_file())
    if not there:
        raise ReadError(f"{folder}: expected <story>.hf5 with TextGrids in {grids}; there is none.")
    wanted = there if stories is None else name_list("stories", stories)
    for name in wanted:
        if name not in there:
            raise UnknownNameError(f"story of {folder.name}", name, there)
    return wanted


def _story(folder: Path, name: str) -> _Story:
    file = find(folder, f"{name}.hf5", "the responses")
    with open_hdf5(file, "responses") as opened:
        matrices = [k for k, v in opened.items() if isinstance(v, h5py.Dataset) and v.ndim == 2]
        key = "data" if "data" in matrices else next(iter(matrices), None)
        if key is None:
            raise ReadError(f"{file.name}: expected 'data' (volume, voxel); got {list(opened)}.")
        volumes, voxels = check_dataset(opened[key]).shape
    return _Story(name, file, key, int(volumes), int(voxels))


def _wanted(voxels: Sequence[int] | None, n: int) -> np.ndarray:
    if voxels is None:
        return np.arange(n)
    wanted = np.atleast_1d(np.asarray(voxels))
    if wanted.dtype == bool and wanted.shape == (n,):
        wanted = np.flatnonzero(wanted)
    if wanted.dtype.kind not in "iu" or not wanted.size or wanted.min() < 0 or wanted.max() >= n:
        raise DataError(f"Expected voxels from 0 to {n - 1}; got {voxels!r:.60}.")
    return wanted


def _rows(stories: list[_Story], wanted: np.ndarray) -> xr.DataArray:
    stops = np.cumsum([s.volumes for s in stories])
    everything = wanted.size == stories[0].voxels

    def fetch(first: int, last: int) -> np.ndarray:
        parts = []
        for story, stop in zip(stories, stops, strict=True):
            begin = int(stop) - story.volumes
            a, b = max(first - begin, 0), min(last - begin, story.volumes)
            if a < b:
                part = read_rows(story.file, story.dataset, a, b)
                parts.append((part if everything else part[:, wanted]).astype(np.float32))
        return np.concatenate(parts)

    shape = (int(stops[-1]), int(wanted.size))
    return lazy_array(("presentation", "neuroid"), shape, fetch, {}, {})


def _words(grids: Path, story: str) -> pd.DataFrame:
    words = read_textgrid(grids / f"{story}.TextGrid")
    words["word"] = words["word"].str.lower().str.strip("{} ")
    spoken = words[~words["word"].isin(_SILENT)]
    return spoken.assign(story=story).sort_values("onset", kind="stable")


def _trimmed(root: Path, stories: list[_Story]) -> dict[str, int]:
    files = [root / f"{d}respdict.json" for d in _DERIVATIVES]
    file = next((f for f in files if f.is_file()), None)
    if file is None:
        return {}
    recorded: Any = read_json(file)
    if not isinstance(recorded, dict):
        raise ReadError(f"{file.name}: expected volumes by story; got {type(recorded).__name__}.")
    cut = {s.name: int(recorded[s.name]) - s.volumes for s in stories if s.name in recorded}
    wrong = {name: n for name, n in cut.items() if n < 0}
    if wrong:
        raise ReadError(f"{file.name} says fewer volumes than there are in {wrong}.")
    return cut
