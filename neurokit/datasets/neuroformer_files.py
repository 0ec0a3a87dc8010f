"""Arrays of the Neuroformer releases: frames, counts, tensors, opened without running anything."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from neurokit.datasets.array_files import load_npz
from neurokit.datasets.tables import load_table
from neurokit.errors import DataError, ReadError
from neurokit.recording.build import time_axis

__all__ = [
    "FRAME_RATE",
    "SPIKE_STEP",
    "Trial",
    "array_file",
    "decode_counts",
    "frames",
    "tensor_file",
    "trial_counts",
    "trial_table",
]

#: Of frames and behaviour, in Hz.
FRAME_RATE = 20.0
#: Of spike counts, in seconds.
SPIKE_STEP = 0.01
# Units of counts looked at together, so that a large memory-mapped array is never whole in memory.
_UNITS = 64
_COLUMNS = ("Time", "ID", "Trial")


class Trial(NamedTuple):
    """Spikes of one trial.

    Attributes
    ----------
    times : ndarray of float64, shape (spike,)
        Seconds from the trial's beginning.
    units : ndarray of int, shape (spike,)
        The id of each spike's unit.
    stop : float
        Length of the trial in seconds.
    """

    times: np.ndarray
    units: np.ndarray
    stop: float


def array_file(folder: Path, name: str) -> np.ndarray:
    """Open an array below a folder, without reading all of it.

    Parameters
    ----------
    folder : Path
        Where to look, sub-folders included.
    name : str
        Of the file.

    Returns
    -------
    ndarray
        Memory-mapped.

    Raises
    ------
    ReadError
        If it is missing, damaged, or holds Python objects.

    Examples
    --------
    >>> np.save("a.npy", np.arange(3))
    >>> array_file(Path("."), "a.npy").shape
    (3,)
    """
    found = sorted(folder.rglob(name))
    if not found:
        raise ReadError(f"{folder}: there is no {name} in it, nor in a folder below.")
    try:
        return np.load(found[0], mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ReadError(f"{found[0]}: {error}. Only arrays of numbers are read.") from None


def tensor_file(folder: Path, stem: str) -> np.ndarray:
    """Read one tensor that PyTorch or NumPy saved, below a folder.

    Parameters
    ----------
    folder : Path
        Where to look, sub-folders included.
    stem : str
        Name without its ending, ``.npy`` or ``.pt``.

    Returns
    -------
    ndarray
        Its values.

    Raises
    ------
    ReadError
        If it is missing, damaged, or anything but a tensor.

    Examples
    --------
    >>> import torch
    >>> torch.save(torch.zeros(2, 3), "movie.pt")
    >>> tensor_file(Path("."), "movie").shape
    (2, 3)
    """
    if any(folder.rglob(f"{stem}.npy")):
        return array_file(folder, f"{stem}.npy")
    found = sorted(folder.rglob(f"{stem}.pt"))
    if not found:
        raise ReadError(f"{folder}: there is neither {stem}.pt nor {stem}.npy in it.")
    import torch

    try:
        tensor = torch.load(found[0], map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for damaged and for hostile files
        told = str(error).strip().splitlines() or [type(error).__name__]
        raise ReadError(f"{found[0]}: cannot be read as a tensor: {told[0]}") from None
    if not isinstance(tensor, torch.Tensor):
        raise ReadError(f"{found[0]} holds a {type(tensor).__name__}, expected one tensor.")
    return tensor.numpy()


def frames(movie: np.ndarray, name: str) -> xr.DataArray:
    """Make a stimulus stream of frames.

    Parameters
    ----------
    movie : ndarray of shape (frame, row, column) or (frame, 1, row, column)
        At 20 Hz.
    name : str
        Of the file, for messages.

    Returns
    -------
    xr.DataArray
        Dims ``(time, row, column)``; a view of the frames where they are float32 or bytes.

    Raises
    ------
    DataError
        If it has another shape.

    Examples
    --------
    >>> frames(np.zeros((40, 1, 3, 5), np.float32), "movie.npy").sizes["time"]
    40
    """
    movie = movie[:, 0] if movie.ndim == 4 and movie.shape[1] == 1 else movie
    if movie.ndim != 3:
        raise DataError(f"{name} has frames of shape {movie.shape[1:]}, expected (row, column).")
    values = np.asarray(movie, dtype=np.uint8 if movie.dtype == np.uint8 else np.float32)
    return xr.DataArray(
        values,
        dims=("time", "row", "column"),
        coords={"time": time_axis(len(values), FRAME_RATE)},
        attrs={"sampling_rate": FRAME_RATE, "units": "a.u."},
    )


def decode_counts(counts: np.ndarray, rows: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Turn spike counts of 10-ms steps into spike times.

    Parameters
    ----------
    counts : ndarray of shape (unit, step)
        Rounded to whole spikes; may be memory-mapped.
    rows : ndarray of int
        Units to keep.
    name : str
        Of the file, for messages.

    Returns
    -------
    times : ndarray of float64
        The middle of each spike's step, in seconds.
    units : ndarray of int
        The row of each spike.

    Raises
    ------
    DataError
        If a count is negative or no number.

    Examples
    --------
    >>> decode_counts(np.array([[0, 2], [1, 0]]), np.arange(2), "counts.npy")
    (array([0.015, 0.015, 0.005]), array([0, 0, 1]))
    """
    times, units = [], []
    for first in range(0, rows.size, _UNITS):
        some = rows[first : first + _UNITS]
        block = np.asarray(counts[some])
        if not (block >= 0).all():
            raise DataError(f"{name}: counts of units {some[0]} to {some[-1]} are negative or NaN.")
        whole = np.rint(block).astype(np.int64)
        unit, step = np.nonzero(whole)
        n = whole[unit, step]
        times.append(np.repeat((step + 0.5) * SPIKE_STEP, n))
        units.append(np.repeat(some[unit], n))
    return np.concatenate(times), np.concatenate(units)


def trial_counts(path: Path, seconds: float) -> tuple[dict[int, Trial], np.ndarray]:
    """Read the counts of trials, an array (unit, step) a trial.

    Parameters
    ----------
    path : Path
        An npz file; arrays are called by the number of their trial, from 1 on.
    seconds : float
        What is shown in a trial; counts may end earlier, not later than a second after it.

    Returns
    -------
    trials : dict of int to Trial
        By their numbers, in order.
    units : ndarray of int
        All units, silent ones, too.

    Raises
    ------
    DataError
        If an array is not called by a number, is too long, or trials differ in their units.

    Examples
    --------
    >>> np.savez("t.npz", **{"1": np.eye(2), "2": np.zeros((2, 2))})
    >>> trials, units = trial_counts(Path("t.npz"), 0.02)
    >>> trials[1].times.tolist(), trials[2].times.tolist(), units.tolist()
    ([0.005, 0.015], [], [0, 1])
    """
    arrays, trials = load_npz(path), {}
    for name, counts in arrays.items():
        if not name.isdecimal() or name == "0" or counts.ndim != 2:
            raise DataError(
                f"{path}: expected arrays (unit, step) called 1, 2, …; got {name!r} of shape "
                f"{counts.shape}."
            )
        stop = counts.shape[1] * SPIKE_STEP
        if stop > seconds + 1.0:
            raise DataError(f"{path}: trial {name} lasts {stop:g} s, its movie {seconds:g} s.")
        times, units = decode_counts(counts, np.arange(len(counts)), f"{path.name}: {name}")
        inside = times < seconds
        trials[int(name)] = Trial(times[inside], units[inside], min(stop, seconds))
    n_units = {len(array) for array in arrays.values()}
    if len(n_units) > 1:
        raise DataError(f"{path}: trials have {sorted(n_units)} units, expected one number.")
    return dict(sorted(trials.items())), np.arange(n_units.pop())


def trial_table(path: Path, seconds: float) -> tuple[dict[int, Trial], np.ndarray]:
    """Read a table with a row a spike: ``Time`` (s, within its trial), ``ID`` and ``Trial``.

    Parameters
    ----------
    path : Path
        A CSV file; trials count from 1.
    seconds : float
        Length of each trial.

    Returns
    -------
    trials : dict of int to Trial
        By their numbers, in order; a trial without spikes is not in the table.
    units : ndarray of int
        All units.

    Raises
    ------
    ReadError
        If a column is missing or holds no numbers.
    DataError
        If a spike lies outside of its trial, or a trial is called 0.

    Examples
    --------
    >>> rows = np.array([[0.5, 7, 2], [0.2, 9, 1]])
    >>> np.savetxt("t.csv", rows, delimiter=",", header="Time,ID,Trial", comments="")
    >>> trials, units = trial_table(Path("t.csv"), 32.0)
    >>> list(trials), trials[2].units.tolist(), units.tolist()
    ([1, 2], [7], [7, 9])
    """
    table = load_table(path)
    for name in _COLUMNS:
        if name not in table or table[name].dtype.kind not in "iuf":
            raise ReadError(f"{path}: expected numbers in {', '.join(_COLUMNS)}; has {[*table]}.")
    time, unit, trial = (table[name].to_numpy() for name in _COLUMNS)
    outside = ~((time >= 0) & (time <= seconds))
    if outside.any():
        raise DataError(
            f"{path}: {int(outside.sum())} spikes lie outside of their trial of {seconds:g} s. Are "
            "the times in seconds?"
        )
    if trial.min(initial=1) < 1:
        raise DataError(f"{path}: trials count from 1; the first is {trial.min()}.")
    unit, trial = unit.astype(np.int64), trial.astype(np.int64)
    trials = {
        int(number): Trial(time[trial == number], unit[trial == number], seconds)
        for number in np.unique(trial)
    }
    return trials, np.unique(unit)
