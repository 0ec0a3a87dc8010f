"""People reading a chapter of Harry Potter word by word (Wehbe 2014)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurokit.arguments import whole
from neurokit.datasets.assemblies.assembly import Assembly
from neurokit.datasets.assemblies.build import finite_neuroids, response_array, story_text
from neurokit.datasets.assemblies.files import find_all, numbers, one_of, read_struct
from neurokit.errors import ReadError

__all__ = ["read_wehbe2014"]


def read_wehbe2014(
    path: str | Path, *, subject: str | None = None, trim: tuple[int, int] = (10, 5)
) -> Assembly:
    """Read one reader's volumes and the words that were shown.

    Parameters
    ----------
    path : path
        ``subject_1.mat``, or the folder of the eight. A file holds ``data`` (volume, voxel),
        ``time`` (volume, 2: seconds from the beginning, number of the run), ``words`` (fields
        ``text``, ``start``, ``length``: one word every 0.5 s) and ``meta`` (``colToCoord``,
        ``colToROInum``, ``ROInumToName``), as the authors' ``description.txt`` says.
    subject : str, optional
        Its number, where the folder holds several.
    trim : tuple of int
        Volumes left out at the beginning and end of each run; by default the 20 s and 10 s of
        rest. Older analyses leave out 20 and 15.

    Returns
    -------
    Assembly
        A presentation a volume, with ``story`` (``run 1`` …), ``run`` and ``time`` (s from the
        run's first volume); ``words`` on the same clock, as they were displayed. Voxels are
        named by the AAL region that the file gives, and lie at ``i j k``.

    Raises
    ------
    ReadError
        If the variables are missing or contradict each other.

    Notes
    -----
    The last of ``ROInumToName`` names region 0, the unlabelled voxels: so read the public
    loaders; the description itself does not say it. Coordinates are left as voxel indices.

    Examples
    --------
    >>> import scipy.io
    >>> fields = [("text", "O"), ("start", "O"), ("length", "O")]
    >>> words = np.array([("Harry", 20.0, 0.5)], dtype=fields)
    >>> scipy.io.savemat("subject_1.mat", {
    ...     "data": np.random.default_rng(0).normal(size=(20, 3)), "words": words,
    ...     "time": np.c_[np.arange(20) * 2.0, np.ones(20)], "meta": {"subject": 1}})
    >>> read_wehbe2014("subject_1.mat")
    <Assembly wehbe2014: 5 presentations of 1 stimuli (text) × 3 neuroids; 1 words>
    """
    before, after = (whole("trim (volumes)", n, least=0) for n in trim)
    file, who = _file(Path(path), subject)
    content = read_struct(file, ["data", "time", "words", "meta"])
    if not {"data", "time", "words"} <= set(content):
        raise ReadError(f"{file.name}: expected data, time and words; got {sorted(content)}.")
    data, time = (
        numbers(file, "data", content["data"], 2),
        numbers(file, "time", content["time"], 2),
    )
    if time.shape != (len(data), 2):
        raise ReadError(
            f"{file.name}: expected time of shape ({len(data)}, 2), seconds and run; got "
            f"{time.shape}."
        )
    runs = time[:, 1].astype(np.int64)
    begins = {int(r): float(time[runs == r, 0].min()) for r in np.unique(runs)}
    kept = np.concatenate([_inner(np.flatnonzero(runs == r), before, after) for r in begins])
    if not kept.size:
        raise ReadError(f"{file.name}: no volume is left in runs of {len(data)} after trim={trim}.")
    keep = finite_neuroids(file, data)
    words = _words(file, content["words"], begins)
    stories = [f"run {r}" for r in runs[kept]]
    presentation = {
        "stimulus_id": stories,
        "story": stories,
        "run": runs[kept],
        "time": time[kept, 0] - np.array([begins[int(r)] for r in runs[kept]]),
    }
    neuroid = _neuroids(content.get("meta"), who, np.flatnonzero(keep), data.shape[1])
    responses = response_array(data[kept][:, keep].astype(np.float32), presentation, neuroid)
    told = words.groupby("story", sort=False)["word"].agg(story_text)
    stimuli = pd.DataFrame({"text": told.reindex(pd.unique(np.array(stories))).fillna("")})
    present = words["story"].isin(stimuli.index)
    return Assembly(
        "wehbe2014", responses, stimuli, words=words[present], meta={"trim": [before, after]}
    )


def _file(root: Path, subject: str | None) -> tuple[Path, str]:
    files = find_all(root, "subject_*.mat", "a reader's file")
    by_name = {f.stem.removeprefix("subject_"): f for f in files}
    who = one_of("subject", subject, list(by_name))
    return by_name[who], who


def _inner(rows: np.ndarray, before: int, after: int) -> np.ndarray:
    return rows[before : max(len(rows) - after, 0)]


def _words(file: Path, given: Any, begins: dict[int, float]) -> pd.DataFrame:
    rows = given if isinstance(given, list | np.ndarray) else [given]
    try:
        table = pd.DataFrame(
            {
                "word": [str(np.ravel(row["text"])[0]) for row in rows],
                "onset": [float(row["start"]) for row in rows],
                "length": [float(row["length"]) for row in rows],
            }
        )
    except (KeyError, TypeError, IndexError, ValueError) as error:
        raise ReadError(
            f"{file.name}: expected words with fields text, start and length: {error!r}."
        ) from error
    runs = np.array(list(begins))
    starts = np.array([begins[int(r)] for r in runs])
    at = np.searchsorted(starts, table["onset"], side="right") - 1
    if (at < 0).any():
        raise ReadError(f"{file.name}: {int((at < 0).sum())} words begin before the first volume.")
    table["onset"] -= starts[at]
    table["offset"] = table["onset"] + table.pop("length")
    table.insert(0, "story", [f"run {runs[i]}" for i in at])
    return table


def _neuroids(meta: Any, who: str, columns: np.ndarray, n: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"neuroid_id": [f"{who}.{c}" for c in columns], "subject": who}
    meta = meta if isinstance(meta, dict) else {}
    codes, names = np.ravel(meta.get("colToROInum", [])), np.ravel(meta.get("ROInumToName", []))
    if codes.size == n and names.size and codes.astype(np.int64).max() <= names.size:
        # Counted from 1; the last stands for 0.
        facts["region"] = [str(names[int(code) - 1]) for code in codes[columns]]
    places = np.asarray(meta.get("colToCoord", []))
    if places.shape == (n, 3):
        facts |= dict(zip("ijk", places[columns].T, strict=True))
    return facts
