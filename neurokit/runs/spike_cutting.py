"""Windows of spikes of a recipe, and z-scores of what is seen beside them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from neurokit.catalog.window_table import WindowsTable
from neurokit.errors import DataError
from neurokit.recording import Recording
from neurokit.runs.scaling import scaled_by
from neurokit.windows import SpikeWindows, spike_windows

__all__ = ["cut_spikes", "standardize_beside"]


def cut_spikes(recordings: Sequence[Recording], table: WindowsTable, seed: int) -> SpikeWindows:
    """Cut prepared recordings into windows of spikes.

    Parameters
    ----------
    recordings : sequence of Recording
        With the table's streams.
    table : WindowsTable
        With ``history``.
    seed : int
        Of the order of spikes in one step.

    Returns
    -------
    SpikeWindows
        Of the spikes alone, or with what the table names beside them.

    Raises
    ------
    DataError
        If no window fits.

    Examples
    --------
    >>> rec = Recording.from_spikes([0.1, 0.4], [0, 1], duration=1.0)
    >>> table = WindowsTable(stream="spikes", length=0.1, history=0.2)
    >>> len(cut_spikes([rec], table, seed=0))
    8
    """
    assert table.history is not None  # the table's own check
    return spike_windows(
        recordings,
        length=table.length,
        history=table.history,
        dt=table.dt,
        stride=table.stride,
        beside=table.beside or None,
        targets=table.targets or None,
        within=table.within or None,
        max_spikes=table.max_spikes,
        seed=seed,
    )


def standardize_beside(train: SpikeWindows, table: WindowsTable) -> list[Recording]:
    """Give the variables beside spikes z-scores of what the training windows see.

    Parameters
    ----------
    train : SpikeWindows
        Whose past, length and streams count; each sample once, however many windows see it.
    table : WindowsTable
        As it was cut.

    Returns
    -------
    list of Recording
        All recordings of the windows. Frames, which have no names, are scaled as one.

    Raises
    ------
    DataError
        If a variable is constant, or missing, in the training windows.

    Examples
    --------
    >>> rec = Recording.from_spikes([0.1], [0], duration=4.0, streams={
    ...     "behaviour": Recording.from_array([[1.0], [3.0], [9.0], [9.0]], 1, ["speed"],
    ...                                       stream="behaviour")["behaviour"]})
    >>> table = WindowsTable(stream="spikes", length=1.0, history=1.0, beside={"behaviour": 1.0})
    >>> scaled = standardize_beside(cut_spikes([rec], table, seed=0).take([0]), table)
    >>> scaled[0]["behaviour"].values.ravel().tolist()
    [-1.0, 1.0, 7.0, 7.0]
    """
    recordings = list(train.recordings)
    for name in dict.fromkeys((*table.beside, *table.targets)):
        mean, deviation = _moments(train, name)
        flat = ~(deviation > 1e-7 * np.abs(mean))
        if flat.any():
            where = f" {_names(recordings[0][name], flat)}" if flat.ndim else ""
            raise DataError(
                f"Stream {name!r} is constant or missing in the training windows{where}, and has "
                "no z-score. Leave it out with a step 'pick'."
            )
        line = f"standardize({name}, statistics of {len(train)} training windows)"
        done: dict[tuple[int, tuple[int, ...]], np.ndarray] = {}
        for i, rec in enumerate(recordings):
            x = rec[name].values
            # Trials share the frames of a movie, and go on sharing them.
            key = (x.__array_interface__["data"][0], x.shape)
            if key not in done:
                done[key] = ((x - mean) / deviation).astype(np.float32)
            new = rec[name].copy(data=done[key])
            new = new.assign_attrs(scaled_by(mean, deviation, rec[name]))
            recordings[i] = rec.replace({**rec.streams, name: new}, history=line)
    return recordings


def _moments(train: SpikeWindows, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of a stream's variables over the samples that train."""
    parts = [
        train.recordings[place][name].values[_seen(train, name, place, mine)].astype(np.float64)
        for place, mine in train.by_recording()
    ]
    axes = (0,) if parts[0].ndim == 2 else None
    count = np.sum([np.isfinite(x).sum(axis=axes) for x in parts], axis=0)
    mean = np.sum([np.nansum(x, axis=axes) for x in parts], axis=0) / np.maximum(count, 1)
    square = np.sum([np.nansum((x - mean) ** 2, axis=axes) for x in parts], axis=0)
    return np.asarray(mean), np.asarray(np.sqrt(square / np.maximum(count, 1)))


def _seen(train: SpikeWindows, name: str, place: int, mine: np.ndarray) -> np.ndarray:
    """Tell which samples of a stream lie in training windows or in the past that they read."""
    time = train.recordings[place][name]["time"].values
    start, half = train.start[mine], 0.5 * train.dt
    first = np.searchsorted(time, start - train.reach * train.dt - half)
    last = np.searchsorted(time, start + train.length - half)
    change = np.bincount(first, minlength=time.size + 1)
    change = change - np.bincount(last, minlength=time.size + 1)
    return change.cumsum()[:-1] > 0


def _names(stream: xr.DataArray, which: np.ndarray) -> list[str]:
    return [str(name) for name in stream[stream.dims[1]].values[which]]
