"""What was recorded beside the spikes, cut to the same windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording
from neurokit.recording.checks import in_memory
from neurokit.recording.clock import segments, slack, within
from neurokit.windows.gathering import Samples, check_layout, gather, samples_of
from neurokit.windows.index import by_recording

__all__ = ["Aligned", "align", "clocked", "window_means"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Aligned:
    """The samples of one stream that each window sees.

    Attributes
    ----------
    arrays : list of ndarray or DataArray, shape (time, ...)
        Of each recording.
    n_samples : int
        Samples a window.
    recording, first : ndarray of int, shape (window,)
        Where the samples of each window lie; ``first`` is -1 where the stream has none.
    since : ndarray of float, shape (window,)
        Second of the oldest of them, NaN where there are none.
    """

    arrays: Sequence[Samples]
    n_samples: int
    recording: Ints
    first: Ints
    since: Floats

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what one window sees: (sample, variable) or (sample, row, column)."""
        return (self.n_samples, *self.arrays[0].shape[1:])

    def take(self, rows: NDArray[np.integer]) -> Aligned:
        """Return the samples of some windows, uncopied.

        Parameters
        ----------
        rows : ndarray of int
            Which windows.

        Returns
        -------
        Aligned
            Over the same arrays.
        """
        mine = {name: getattr(self, name)[rows] for name in ("recording", "first", "since")}
        return replace(self, **mine)

    def batch(self, rows: NDArray[np.integer]) -> torch.Tensor:
        """Return the samples of some windows.

        Parameters
        ----------
        rows : ndarray of int
            Which windows.

        Returns
        -------
        Tensor of float32, shape (window, sample, ...)
            In the unit of the stream.
        """
        found = gather(self.arrays, self.recording[rows], self.first[rows], self.n_samples)
        return torch.from_numpy(found.astype(np.float32, copy=False))


def clocked(recordings: Sequence[Recording], name: str) -> list[xr.DataArray]:
    """Return a stream of all recordings, which must be alike.

    Parameters
    ----------
    recordings : sequence of Recording
        That have the stream.
    name : str
        Of the stream.

    Returns
    -------
    list of xr.DataArray
        One a recording, dims (time, ...).

    Raises
    ------
    DataError
        A stream without a clock, or with another rate than it says, or recordings that differ
        in its rate, unit or features.
    UnknownNameError
        A recording lacks the stream.

    Examples
    --------
    >>> recs = [Recording.from_array(np.zeros((9, 1)), hz, stream="calcium") for hz in (10, 20)]
    >>> clocked(recs, "calcium")
    Traceback (most recent call last):
    neurokit.errors.DataError: Stream 'calcium': Recording 0 has 10 Hz, recording 1 20 Hz. Res...
    """
    with_it = [name in recording for recording in recordings]
    if any(with_it) and not all(with_it):
        lacking = with_it.index(False)
        raise UnknownNameError(f"stream of recording {lacking}", name, recordings[lacking].streams)
    streams = [recording[name] for recording in recordings]
    for number, stream in enumerate(streams):
        if isinstance(stream, xr.Dataset) or "time" not in stream.dims:
            raise DataError(
                f"Stream {name!r} has no samples on a clock, and can neither be seen beside spikes "
                "nor be a target. Choose another one, or lay it out in time first."
            )
        try:
            check_layout(streams[0], stream, number)
        except DataError as error:
            raise DataError(f"Stream {name!r}: {error}") from None
        _check_rate(name, stream, number)
    return streams


def _check_rate(name: str, stream: xr.DataArray, number: int) -> None:
    # Streams that may have gaps are not held to their rate when a recording is made.
    rate, time = float(stream.attrs["sampling_rate"]), stream["time"].values
    step = float(np.median(np.diff(time))) if time.size > 1 else 1 / rate
    if abs(step * rate - 1) > 0.1:
        raise DataError(
            f"Stream {name!r} of recording {number} says {rate:g} Hz, but its samples are {step:g} "
            "s apart. Correct its attrs['sampling_rate'], or resample it."
        )


def align(
    recordings: Sequence[Recording],
    name: str,
    seconds: float,
    recording: Ints,
    stop: Floats,
    earliest: Floats | None = None,
) -> Aligned:
    """Find the samples of a stream in the seconds before each window's end.

    No sample at or after the end is among them. Where a clock jitters, or a slow stream has just
    ended, the oldest may be older than these seconds, by half a sample at most: ``since`` says
    when it is of.

    Parameters
    ----------
    recordings : sequence of Recording
        With the stream.
    name : str
        Of the stream.
    seconds : float
        How much of it is seen.
    recording : ndarray of int, shape (window,)
        Which recording each window lies in.
    stop : ndarray of float, shape (window,)
        Second at which it ends.
    earliest : ndarray of float, shape (window,), optional
        Second before which it must not read, such as the onset of its trial.

    Returns
    -------
    Aligned
        ``first`` is -1 where the stream does not cover these seconds, or has a gap there.

    Raises
    ------
    DataError
        Fewer seconds than a sample lasts, missing values, recordings that differ, or a stream
        on another clock.

    Examples
    --------
    >>> rec = Recording.from_array(np.arange(9.0)[:, None], 10, stream="behaviour")
    >>> seen = align([rec], "behaviour", 0.2, np.array([0, 0]), np.array([0.3, 0.1]))
    >>> seen.first, seen.batch(np.array([0])).tolist()
    (array([ 1, -1]), [[[1.0], [2.0]]])
    """
    streams = clocked(recordings, name)
    rate = float(streams[0].attrs["sampling_rate"])
    seconds = arguments.positive(f"Seconds of {name!r}", seconds)
    n_samples = int(np.floor(seconds * rate * (1 + 1e-9) + 1e-9))
    if n_samples < 1:
        raise DataError(
            f"{seconds:g} s of {name!r} are less than one sample at {rate:g} Hz. Give at least "
            f"{1 / rate:g} s."
        )
    earliest = np.full(stop.size, -np.inf) if earliest is None else earliest
    first, since = np.full(recording.size, -1, dtype=np.int64), np.full(recording.size, np.nan)
    for number, mine in by_recording(recording):
        time = streams[number]["time"].values
        near = slack(time[0], time[-1])
        last = np.searchsorted(time, stop[mine] - near) - 1
        found = last - n_samples + 1
        oldest = time[np.maximum(found, 0)]
        covered = time[np.maximum(last, 0)] > stop[mine] - 1.5 / rate
        covered &= within(found, n_samples, segments(recordings[number], name))
        covered &= oldest >= earliest[mine] - near
        first[mine], since[mine] = np.where(covered, found, -1), np.where(covered, oldest, np.nan)
        _refuse_missing(name, streams[number], number, found[covered], n_samples)
    if (first < 0).all():
        time, where = streams[0]["time"].values, stop[recording == recording[0]]
        raise DataError(
            f"Stream {name!r} covers none of {first.size} windows. In the first recording it runs "
            f"from {time[0]:g} to {time[-1]:g} s; windows end at {where[0]:g} to {where[-1]:g} s. "
            "Is it on the clock of the spikes, and without gaps?"
        )
    return Aligned([samples_of(stream) for stream in streams], n_samples, recording, first, since)


def _refuse_missing(
    name: str, stream: xr.DataArray, number: int, first: Ints, n_samples: int
) -> None:
    # What lies in a file is read when it is asked for; models look again at each batch.
    if not in_memory(stream) or stream.dtype.kind != "f":
        return
    bad = ~np.isfinite(stream.values)
    before = np.append(0, np.cumsum(bad.reshape(len(bad), -1).any(axis=1)))
    hit = before[first + n_samples] > before[first]
    if hit.any():
        at = int(first[np.argmax(hit)])
        sample, *place = (axis[0] for axis in bad[at : at + n_samples].nonzero())
        where = [f"{dim} {stream[dim].values[i]!s}" for dim, i in _named(stream, place)]
        raise DataError(
            f"Stream {name!r} has missing or infinite values in {int(hit.sum())} of {hit.size} "
            f"windows of recording {number}, the first at {stream['time'].values[at + sample]:g} s"
            f"{' (' + ', '.join(where) + ')' if where else ''}. Fill the gaps, or cut the windows "
            "within events that leave them out."
        )


def _named(stream: xr.DataArray, place: Sequence[int]) -> list[tuple[str, int]]:
    """Keep the axes whose entries have names."""
    pairs = zip(map(str, stream.dims[1:]), place, strict=True)
    return [(dim, index) for dim, index in pairs if dim in stream.coords]


def window_means(
    recordings: Sequence[Recording],
    name: str,
    variables: Sequence[str],
    recording: Ints,
    start: Floats,
    stop: Floats,
    earliest: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Average variables of a stream over each window.

    Parameters
    ----------
    recordings : sequence of Recording
        With the stream.
    name : str
        Of the stream, with dims (time, variable) or the like.
    variables : sequence of str
        Which of its variables.
    recording : ndarray of int, shape (window,)
        Which recording each window lies in.
    start, stop : ndarray of float, shape (window,)
        Seconds between which is averaged.
    earliest : ndarray of float, shape (window,), optional
        Second before which a window must not read, such as the onset of its trial.

    Returns
    -------
    means : ndarray of float64, shape (window, variable)
        Missing values are left out, and NaN where nothing is known. Where no sample lies in a
        window, the one before it that still holds counts.
    since : ndarray of float64, shape (window,)
        Second of the oldest sample that counts, NaN where there is none.

    Raises
    ------
    UnknownNameError
        A variable that the stream lacks.
    DataError
        A stream without variables, or recordings that differ.

    Examples
    --------
    >>> rec = Recording.from_array([[1.0], [3.0], [np.nan]], 10, ["speed"], "behaviour")
    >>> start = np.array([0.0, 0.2])
    >>> means, since = window_means(
    ...     [rec], "behaviour", ["speed"], np.array([0, 0]), start, start + 0.2
    ... )
    >>> means[:, 0], since
    (array([ 2., nan]), array([0. , 0.2]))
    """
    streams = clocked(recordings, name)
    earliest = np.full(stop.size, -np.inf) if earliest is None else earliest
    out, since = np.empty((recording.size, len(variables))), np.empty(recording.size)
    for number, mine in by_recording(recording):
        x, time = _columns(name, streams[number], variables), streams[number]["time"].values
        near, rate = slack(time[0], time[-1]), float(streams[number].attrs["sampling_rate"])
        last = np.searchsorted(time, stop[mine] - near)
        first = np.minimum(np.searchsorted(time, start[mine] - near), last - 1)
        oldest = time[np.maximum(first, 0)]
        held = (last > 0) & (time[np.maximum(last, 1) - 1] > start[mine] - 1.5 / rate)
        held &= oldest >= earliest[mine] - near
        since[mine] = np.where(held, oldest, np.nan)
        known = np.isfinite(x)
        total = _between(np.where(known, x, 0.0), first, last)
        count = _between(known, first, last)
        usable = held[:, None] & (count > 0)
        out[mine] = np.divide(total, count, out=np.full_like(total, np.nan), where=usable)
    return out, since


def _between(x: NDArray[Any], first: Ints, last: Ints) -> Floats:
    """Add up stretches of samples, however many and however they overlap."""
    running = np.concatenate([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0, dtype=np.float64)])
    total: Floats = running[last] - running[np.maximum(first, 0)]
    return total


def _columns(name: str, stream: xr.DataArray, variables: Sequence[str]) -> Floats:
    if stream.ndim != 2:
        raise DataError(
            f"Stream {name!r} has dims {stream.dims}; targets are variables of a stream with dims "
            "(time, variable)."
        )
    known = [str(v) for v in stream[stream.dims[1]].values]
    for variable in variables:
        if variable not in known:
            raise UnknownNameError(f"variable of {name!r}", variable, known)
    places = [known.index(variable) for variable in variables]
    return stream[:, places].values.astype(np.float64)
