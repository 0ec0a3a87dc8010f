"""Public data sets of the Neuroformer project: visual navigation, and V1 with AL."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import path_of, text
from neurokit.datasets.neuroformer_files import (
    FRAME_RATE,
    SPIKE_STEP,
    Trial,
    array_file,
    decode_counts,
    frames,
    tensor_file,
    trial_counts,
    trial_table,
)
from neurokit.datasets.neuroformer_matlab import session_file
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.recording import Recording
from neurokit.recording.build import continuous

__all__ = ["read_neuroformer"]

_FOLDERS = {"v1al": "Combo3_V1AL", "medial": "MedialVRDataset", "lateral": "LateralVRDataset"}
_VARIABLES = {
    "speed": "behavior_speed_dt_0.05.npy",
    "phi": "phi_dt_0.05.npy",
    "th": "th_dt_0.05.npy",
}
_COUNTS, _FRAMES = "spikerates_dt_0.01.npy", "stimulus.npy"
_MOVIES, _RESPONSES, _TRIALS = "Combo3_V1AL_stimulus", "Combo3_V1AL_response.csv", "Combo3_V1AL.npz"
_PICKLE = "Combo3_V1AL.pkl"
_SESSION = "experiment_data.mat"
# Repeats come movie by movie, numbered from 1 on.
_REPEATS = 20
# Streams of one recording end within a few windows of each other, or are not of one recording.
_SLACK = 1.0


def read_neuroformer(
    root: str | Path, part: str = "lateral", *, selection: str | None = None
) -> list[Recording]:
    """Read a public data set of Neuroformer (Antoniades et al. 2024, arXiv 2311.00136).

    Visual navigation lies in ``VisNav_VR_Expt/{Medial,Lateral}VRDataset``, with ``NF_1.5/`` in
    it: ``spikerates_dt_0.01.npy`` (unit, step), ``stimulus.npy`` (frame, row, column) and
    ``behavior_speed_dt_0.05.npy``, ``phi_dt_0.05.npy``, ``th_dt_0.05.npy``. Where there are no
    such arrays, ``experiment_data.mat`` is read, from which they were made: its spikes have their
    own times, and its film is larger.

    V1 and AL lie in ``Combo3_V1AL``: ``Combo3_V1AL_stimulus.pt``, three movies (movie, frame, 1,
    row, column) that were shown twenty times each, and the spikes, as the first release has them
    in ``Combo3_V1AL_response.csv`` (columns ``Time``, ``ID``, ``Trial``). Today's release has them
    in a pickle, which could run any code when it is opened and is not read: convert it once to
    ``Combo3_V1AL.npz`` beside it, an array (unit, step) a trial under the trial's number.

    Parameters
    ----------
    root : path
        The folder of the data set, or any above it.
    part : {"v1al", "medial", "lateral"}
        Which.
    selection : str, optional
        For visual navigation, a list of units beside ``NF_1.5``, such as ``"sel1"``: a CSV of
        their numbers, from 1 on.

    Returns
    -------
    list of Recording
        One for visual navigation: ``spikes``, ``stimulus`` and ``behaviour`` (speed, phi, th),
        both at 20 Hz. One a trial for V1 and AL, on its own clock: ``spikes`` and ``stimulus``,
        with ``meta["run"]``, the trial, and ``meta["movie"]``, 1 to 3; frames of a movie are
        shared, not copied. Counts of 10-ms steps become spikes at the middle of their step, and
        those of a session end with the first of its streams.

    Raises
    ------
    ReadError
        If there is no such folder or file, or spikes are in a pickle only.
    DataError
        If arrays do not fit one another.
    UnknownNameError
        If there is no such part, or no such list of units.

    Examples
    --------
    >>> place = Path("data/VisNav_VR_Expt/MedialVRDataset/NF_1.5")
    >>> place.mkdir(parents=True)
    >>> rng = np.random.default_rng(0)
    >>> np.save(place / "spikerates_dt_0.01.npy", rng.poisson(0.02, (4, 1000)).astype(float))
    >>> np.save(place / "stimulus.npy", rng.random((200, 6, 10), np.float32))
    >>> for name in ("behavior_speed", "phi", "th"):
    ...     np.save(place / f"{name}_dt_0.05.npy", rng.random(200))
    >>> rec = read_neuroformer("data", "medial")[0]
    >>> rec["stimulus"].shape, rec["behaviour"]["variable"].values.tolist()
    ((200, 6, 10), ['speed', 'phi', 'th'])
    """
    if text("part", part) not in _FOLDERS:
        raise UnknownNameError("part", part, _FOLDERS)
    folder = _folder(path_of("root", root).expanduser(), part)
    if part == "v1al":
        if selection is not None:
            raise DataError("selection names a list of units of visual navigation, not of v1al.")
        return _trials(folder)
    return [_navigation(folder, part, selection)]


def _folder(root: Path, part: str) -> Path:
    """Find the folder of a part, at, below or right above the given one."""
    name = _FOLDERS[part]
    if not root.is_dir():
        raise ReadError(f"There is no folder {root}.")
    for place in (root, *root.parents[:1]):
        if place.name == name:
            return place
    found = sorted(p for p in root.rglob(name) if p.is_dir())
    if not found:
        raise ReadError(f"{root}: expected the folder {name} of part {part!r}, or one above it.")
    return found[0]


def _navigation(folder: Path, part: str, selection: str | None) -> Recording:
    whole = sorted(folder.rglob(_SESSION))
    if whole and not any(folder.rglob(_COUNTS)):
        return _session(folder, whole[0], part, selection)
    counts = array_file(folder, _COUNTS)
    if counts.ndim != 2:
        raise DataError(f"{_COUNTS} has shape {counts.shape}, expected (unit, step).")
    chosen = _selected(folder, selection, counts.shape[0])
    columns = {name: array_file(folder, file).ravel() for name, file in _VARIABLES.items()}
    movie = array_file(folder, _FRAMES)
    seconds = {
        _COUNTS: counts.shape[1] * SPIKE_STEP,
        _FRAMES: len(movie) / FRAME_RATE,
        **{_VARIABLES[name]: values.size / FRAME_RATE for name, values in columns.items()},
    }
    stop = _common_end(seconds)
    times, units = decode_counts(counts, chosen, _COUNTS)
    inside, n = times < stop, round(stop * FRAME_RATE)
    behaviour = np.stack([values[:n] for values in columns.values()], axis=1)
    streams = {
        "stimulus": frames(movie[:n], _FRAMES),
        "behaviour": continuous(behaviour, FRAME_RATE, list(columns), "behaviour"),
    }
    return Recording.from_spikes(
        times[inside],
        units[inside],
        stop,
        streams=streams,
        unit_table=pd.DataFrame({"id": chosen}),
        meta=_facts(part),
    )


def _facts(part: str) -> dict[str, str]:
    return {"session": f"visnav-{part}", "task": "visually guided navigation"}


def _session(folder: Path, path: Path, part: str, selection: str | None) -> Recording:
    """Read what the arrays were made from."""
    found = session_file(path, list(_VARIABLES))
    chosen = _selected(folder, selection, found.n_units)
    start, stop = float(found.clock[0]), float(found.clock[-1]) + 1 / FRAME_RATE
    outside = max(start - found.times.min(initial=start), found.times.max(initial=stop) - stop)
    if outside > _SLACK:
        raise DataError(
            f"{path}: spikes lie up to {outside:g} s outside of the film, which runs from "
            f"{start:g} to {stop:g} s. Are the times of both in seconds?"
        )
    mine = (found.times >= start) & (found.times < stop) & np.isin(found.units, chosen)
    behaviour = continuous(found.behaviour, FRAME_RATE, list(_VARIABLES), "behaviour")
    streams = {"stimulus": frames(found.movie, _SESSION), "behaviour": behaviour}
    return Recording.from_spikes(
        found.times[mine],
        found.units[mine],
        stop - start,
        streams={k: stream.assign_coords(time=found.clock) for k, stream in streams.items()},
        start=start,
        unit_table=pd.DataFrame({"id": chosen}),
        meta=_facts(part),
    )


def _common_end(seconds: dict[str, float]) -> float:
    """Return when the first stream ends, on the grid of the frames."""
    stop = min(seconds.values())
    if max(seconds.values()) - stop > _SLACK:
        told = ", ".join(f"{name} {length:g} s" for name, length in seconds.items())
        raise DataError(f"The files are not of one recording, by their lengths: {told}.")
    return float(np.floor(stop * FRAME_RATE + 1e-6) / FRAME_RATE)


def _selected(folder: Path, selection: str | None, n_units: int) -> np.ndarray:
    """Return the rows of the units, from 0 on."""
    if selection is None:
        return np.arange(n_units)
    lists = {path.stem: path for path in folder.glob("*.csv")}
    if text("selection", selection) not in lists:
        raise UnknownNameError(f"list of units in {folder.name}", selection, lists)
    numbers = np.loadtxt(lists[selection], delimiter=",", dtype=np.float64, ndmin=1).ravel()
    rows = np.unique(numbers.astype(np.int64)) - 1
    if not rows.size or (numbers % 1).any() or rows[0] < 0 or rows[-1] >= n_units:
        raise DataError(f"{lists[selection]}: expected numbers of units from 1 to {n_units}.")
    return rows


def _trials(folder: Path) -> list[Recording]:
    movies = tensor_file(folder, _MOVIES)
    if movies.ndim == 5:
        movies = movies[:, :, 0]
    if movies.ndim != 4:
        raise DataError(
            f"{_MOVIES} has shape {movies.shape}, expected (movie, frame, row, column)."
        )
    streams = [frames(movie, _MOVIES) for movie in movies]
    trials, ids = _responses(folder, movies.shape[1] / FRAME_RATE)
    last = max(trials, default=0)
    if last > _REPEATS * len(streams):
        raise DataError(
            f"There are spikes of trial {last}, but {len(streams)} movies of {_REPEATS} repeats."
        )
    return [_trial(number, found, ids, streams) for number, found in trials.items()]


def _trial(number: int, found: Trial, ids: np.ndarray, movies: list[xr.DataArray]) -> Recording:
    movie = (number - 1) // _REPEATS
    events = pd.DataFrame(
        {"onset": [0.0], "duration": [found.stop], "trial_type": ["trial"], "trial": [number]}
    )
    return Recording.from_spikes(
        found.times,
        found.units,
        found.stop,
        events,
        {"stimulus": movies[movie]},
        unit_table=pd.DataFrame({"id": ids}),
        meta={"session": _FOLDERS["v1al"], "run": number, "movie": movie + 1},
    )


def _responses(folder: Path, seconds: float) -> tuple[dict[int, Trial], np.ndarray]:
    """Return the spikes of each trial and the ids of all units."""
    paths = {name: path for name in (_TRIALS, _RESPONSES, _PICKLE) for path in folder.rglob(name)}
    if _TRIALS in paths:
        return trial_counts(paths[_TRIALS], seconds)
    if _RESPONSES in paths:
        return trial_table(paths[_RESPONSES], seconds)
    if _PICKLE in paths:
        raise ReadError(
            f"{paths[_PICKLE]} is a Python pickle, which can run any code when it is opened; it is "
            "not read. Convert it once where you trust it: np.savez("
            f"{_TRIALS!r}, **{{str(trial): counts for trial, counts in data.items()}})"
        )
    raise ReadError(f"{folder}: expected the spikes in {_TRIALS} or {_RESPONSES}.")
