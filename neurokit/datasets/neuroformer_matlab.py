"""A session of visual navigation as its laboratory keeps it: one MATLAB file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from neurokit.datasets.hdf5 import attribute, check_dataset, open_hdf5
from neurokit.datasets.neuroformer_files import FRAME_RATE
from neurokit.errors import DataError, ReadError

__all__ = ["Session", "session_file"]

_ROOT, _SPIKES, _MOVIE, _CLOCK = "neuroformer", "spiketimes/spks", "vid_sm", "t"


class Session(NamedTuple):
    """What is read of a session.

    Attributes
    ----------
    times : ndarray of float64, shape (spike,)
        Seconds, unit by unit.
    units : ndarray of int, shape (spike,)
        The number of each spike's unit, from 0.
    n_units : int
        Units in all, silent ones, too.
    clock : ndarray of float64, shape (frame,)
        Second of each frame, and of each sample of behaviour.
    movie : ndarray of float32 or uint8, shape (frame, row, column)
        What is seen.
    behaviour : ndarray of float64, shape (frame, variable)
        Variables in the order in which they were asked for.
    """

    times: np.ndarray
    units: np.ndarray
    n_units: int
    clock: np.ndarray
    movie: np.ndarray
    behaviour: np.ndarray


def session_file(path: Path, variables: Sequence[str]) -> Session:
    """Read a session, a MATLAB 7.3 file with a structure ``neuroformer``.

    Of its fields, as the released loaders use them: ``spiketimes.spks``, a cell of the spike
    times of each unit in seconds; ``vid_sm`` (frame, row, column); ``t``, the second of each
    frame; and a vector a variable. Depth, trials, rewards and blackouts are not read.

    Parameters
    ----------
    path : Path
        The file.
    variables : sequence of str
        Fields that are variables of behaviour.

    Returns
    -------
    Session
        Spike times that are NaN are left out, as the released loader does.

    Raises
    ------
    ReadError
        If it is missing, damaged, of another version, or lacks a field.
    DataError
        If fields do not fit one another.
    """
    with open_hdf5(path, "a MATLAB 7.3 file") as file:
        root = file.get(_ROOT)
        if not isinstance(root, h5py.Group):
            raise ReadError(
                f"{path}: expected a structure {_ROOT!r}; the file has {sorted(file)[:8]}."
            )
        times, units, n_units = _spikes(path, _field(path, root, _SPIKES))
        clock = _clock(path, _numbers(path, _field(path, root, _CLOCK)).ravel())
        columns = {name: _numbers(path, _field(path, root, name)).ravel() for name in variables}
        movie = _movie(path, _field(path, root, _MOVIE))
    lengths = {_MOVIE: len(movie), **{name: values.size for name, values in columns.items()}}
    wrong = {name: n for name, n in lengths.items() if n != clock.size}
    if wrong:
        raise DataError(
            f"{path}: {_CLOCK} tells the second of {clock.size} frames, but there are "
            f"{', '.join(f'{n} of {name}' for name, n in wrong.items())}."
        )
    behaviour = np.stack([values.astype(np.float64) for values in columns.values()], axis=1)
    return Session(times, units, n_units, clock, movie, behaviour)


def _field(path: Path, root: h5py.Group, name: str) -> h5py.Dataset:
    item = root.get(name)
    if not isinstance(item, h5py.Dataset):
        raise ReadError(
            f"{path}: the structure {_ROOT!r} has no field {name.replace('/', '.')!r}; it has "
            f"{', '.join(root)}."
        )
    return check_dataset(item)


def _numbers(path: Path, item: Any) -> np.ndarray:
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiub":
        raise ReadError(f"{path}: expected numbers in {getattr(item, 'name', item)}.")
    # An empty array is stored as its shape.
    empty = attribute(item, "MATLAB_empty", 0) or item.shape is None
    return np.empty(0) if empty else np.asarray(check_dataset(item)[()])


def _clock(path: Path, seconds: np.ndarray) -> np.ndarray:
    """Refuse a clock that is not that of the frames; windows would show the wrong ones."""
    steps = np.diff(seconds.astype(np.float64))
    if not steps.size or not (np.abs(steps * FRAME_RATE - 1) < 0.5).all():
        typical = float(np.median(steps)) if steps.size else np.nan
        raise DataError(
            f"{path}: {_CLOCK} should tell the seconds of frames at {FRAME_RATE:g} Hz without gaps;"
            f" its {seconds.size} values are {typical:g} apart."
        )
    return seconds.astype(np.float64)


def _spikes(path: Path, cell: h5py.Dataset) -> tuple[np.ndarray, np.ndarray, int]:
    """Return times and units of all spikes, and how many units there are."""
    if h5py.check_ref_dtype(cell.dtype) is not h5py.Reference or cell.size != max(cell.shape):
        raise ReadError(
            f"{path}: expected {_SPIKES.replace('/', '.')} to be a cell with an entry a unit; got "
            f"shape {cell.shape} of {cell.dtype}."
        )
    trains = [
        _numbers(path, cell.file[reference] if reference else None).ravel().astype(np.float64)
        for reference in cell[()].ravel()
    ]
    times = np.concatenate(trains)
    units = np.repeat(np.arange(len(trains)), [train.size for train in trains])
    known = ~np.isnan(times)
    return times[known], units[known], len(trains)


def _movie(path: Path, stored: h5py.Dataset) -> np.ndarray:
    """Return frames; MATLAB's first dimension is HDF5's last."""
    if stored.ndim != 3 or stored.dtype.kind not in "fiub":
        raise DataError(
            f"{path}: expected {_MOVIE} of shape (frame, row, column); got {stored.shape[::-1]}."
        )
    kind = np.uint8 if stored.dtype == np.uint8 else np.float32
    out = np.empty(stored.shape[::-1], dtype=kind)
    # A column at a time: whole, in double precision, a film may take several gigabytes.
    for column in range(len(stored)):
        out[:, :, column] = stored[column].T
    return out
