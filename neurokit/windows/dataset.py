"""Windows as a torch data set: an index into recordings, never a copy of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording
from neurokit.recording.clock import is_boundary, nearest_sample, sample_count, segments, within
from neurokit.warning import warn
from neurokit.windows.gathering import check_layout, gather, rows_of, samples_of
from neurokit.windows.index import WindowIndex, positions, recording_list

__all__ = ["Windows", "epochs", "sliding"]


class Windows(WindowIndex):
    """Equal windows of one stream of one or many recordings.

    Made by :func:`sliding` and :func:`epochs`. It holds references to the recordings and
    two integers a window; samples are sliced when asked for, and those of a recording in
    memory are not copied.

    Parameters
    ----------
    recordings : sequence of Recording
        Where the samples are.
    stream : str
        The stream that is cut; all recordings have the same features and rate in it.
    n_samples : int
        Samples a window.
    recording_index : ndarray of shape (window,)
        Which recording each window lies in.
    first_sample : ndarray of shape (window,)
        Its first sample there.
    labels : ndarray of shape (window,), optional
        One number a window.
    classes : sequence of str
        What the labels mean when they are classes.

    Attributes
    ----------
    start : ndarray of shape (window,)
        Second at which each window begins, on its recording's clock.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        stream: str,
        n_samples: int,
        recording_index: np.ndarray,
        first_sample: np.ndarray,
        labels: np.ndarray | None = None,
        classes: Sequence[str] = (),
    ) -> None:
        rate = float(recordings[0][stream].attrs["sampling_rate"])
        super().__init__(recordings, rate, n_samples, recording_index, first_sample)
        self.stream = stream
        self.labels = labels
        self.classes = tuple(classes)
        self.extent = np.array([r[stream].sizes["time"] for r in self.recordings])
        self._arrays = [samples_of(r[stream]) for r in self.recordings]
        self.start = np.empty(len(self), dtype=np.float64)
        for number, mine in self.by_recording():
            time = self.recordings[number][stream]["time"].values
            self.start[mine] = time[self.first_sample[mine]]
        # Slicing a tensor is far cheaper than making one for each window.
        self._facts = {
            "recording": torch.from_numpy(self.recording_index),
            "start": torch.from_numpy(self.start),
        }
        if labels is not None:
            self._facts["label"] = torch.from_numpy(np.ascontiguousarray(labels))

    def __repr__(self) -> str:
        labels = f", classes {', '.join(self.classes)}" if self.classes else ""
        return (
            f"<Windows: {len(self)} of {self.n_samples} samples ({self.length:g} s) of "
            f"{self.stream!r} in {len(self.recordings)} recordings{labels}>"
        )

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Return window ``index``: ``x`` (time, feature), ``recording``, ``start``, ``label``."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"Window {index} of {len(self)}.")
        recording = int(self.recording_index[index])
        first = int(self.first_sample[index])
        x = _tensor(rows_of(self._arrays[recording], first, self.n_samples))
        return {"x": x, **{key: fact[index] for key, fact in self._facts.items()}}

    def batch(self, indices: Sequence[int] | np.ndarray) -> dict[str, torch.Tensor]:
        """Return several windows stacked, with one copy in all.

        Parameters
        ----------
        indices : sequence of int
            Which windows.

        Returns
        -------
        dict of torch.Tensor
            ``x`` (window, time, feature), ``recording``, ``start`` (s), ``label``.

        Examples
        --------
        >>> rec = Recording.from_array(np.ones((100, 2)), 10, stream="bold")
        >>> sliding(rec, stream="bold", length=2, stride=1).batch([0, 3])["x"].shape
        torch.Size([2, 20, 2])
        """
        indices = positions(indices, len(self))
        x = torch.from_numpy(self._gather(indices))
        return {"x": x, **{key: fact[indices] for key, fact in self._facts.items()}}

    @property
    def units(self) -> str:
        """Unit of the samples, as the stream of the first recording says; empty if it does not."""
        return str(self.recordings[0][self.stream].attrs.get("units", ""))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels, or of what else the stream's second dimension is."""
        stream = self.recordings[0][self.stream]
        return tuple(str(name) for name in stream[stream.dims[1]].values)

    @property
    def montages(self) -> tuple[tuple[str, ...], ...]:
        """Names of the channels of each subject that has its own: here all have the same."""
        return (self.names,)

    def _taken(self, rows: np.ndarray) -> Windows:
        return Windows(
            self.recordings,
            self.stream,
            self.n_samples,
            self.recording_index[rows],
            self.first_sample[rows],
            None if self.labels is None else self.labels[rows],
            self.classes,
        )

    def _gather(self, indices: np.ndarray) -> np.ndarray:
        place, first = self.recording_index[indices], self.first_sample[indices]
        return gather(self._arrays, place, first, self.n_samples)


def sliding(
    recs: Recording | Sequence[Recording],
    *,
    stream: str,
    length: float,
    stride: float | None = None,
    labels: str | Sequence[Any] | None = None,
) -> Windows:
    """Cut a stream into windows of equal length at a regular stride.

    Windows never reach across the end of a recording, a gap in time, or an event
    ``boundary`` (where :meth:`Recording.concat` joined two). What is left at the end is
    shorter than a window and is not used.

    Parameters
    ----------
    recs : Recording or sequence of Recording
        With the same features and rate in ``stream``.
    stream : str
        Which stream; spikes are binned first, by ``nk.preprocessing.bin_spikes``.
    length : float
        Seconds a window.
    stride : float, optional
        Seconds from one window to the next; by default they tile.
    labels : str or sequence, optional
        A key of ``meta`` (a label a recording); or ``"trial_type"`` or another column of the
        events (the event that covers the window's middle; windows without one are left
        out); or one value a recording. Text becomes class numbers, see
        ``Windows.classes``.

    Returns
    -------
    Windows
        A torch data set: ``[i]`` gives a dict of tensors.

    Raises
    ------
    DataError
        If a window is longer than every recording, recordings disagree, or nothing is left.
    UnknownNameError
        If there is no such stream, key or column.

    Examples
    --------
    >>> rec = Recording.from_array(np.ones((1000, 4)), 100, stream="bold")
    >>> win = sliding(rec, stream="bold", length=2, stride=1)
    >>> len(win), win[3]["x"].shape, float(win[3]["start"])
    (9, torch.Size([200, 4]), 3.0)
    """
    recordings = _recordings(recs, stream)
    rate = float(recordings[0][stream].attrs["sampling_rate"])
    n_samples = _n_samples("length", length, rate)
    step = n_samples if stride is None else _n_samples("stride", stride, rate)
    firsts = [_firsts(r, stream, n_samples, step) for r in recordings]
    index = np.repeat(np.arange(len(recordings)), [f.size for f in firsts])
    if not index.size:
        longest = max(r[stream].sizes["time"] for r in recordings) / rate
        raise DataError(
            f"No window of {length:g} s fits: the longest recording has {longest:g} s of "
            f"{stream!r}. Shorten the window."
        )
    win = Windows(recordings, stream, n_samples, index, np.concatenate(firsts))
    return win if labels is None else _labelled(win, labels)


def epochs(
    recs: Recording | Sequence[Recording],
    *,
    stream: str,
    trial_type: str | Sequence[str] | None = None,
    start: float = -0.2,
    stop: float = 0.8,
    labels: str | None = "trial_type",
) -> Windows:
    """Cut a stream into windows around events.

    Parameters
    ----------
    recs : Recording or sequence of Recording
        With the same features and rate in ``stream``.
    stream : str
        Which stream.
    trial_type : str or sequence of str, optional
        Which events; by default all that have a type.
    start, stop : float
        Seconds relative to the onset; ``stop`` is not included.
    labels : str or None
        The event column that labels each window.

    Returns
    -------
    Windows
        One a matching event; events whose window does not fit are counted in a warning.

    Raises
    ------
    DataError
        If the interval is empty or no event fits.
    UnknownNameError
        If no recording has an event of one of the types, or if one lacks the column.

    Examples
    --------
    >>> events = pd.DataFrame({"onset": [1.0, 3.0], "duration": 0.0, "trial_type": ["a", "b"]})
    >>> rec = Recording.from_array(np.ones((500, 2)), 100, stream="bold", events=events)
    >>> epochs(rec, stream="bold", start=0, stop=1)
    <Windows: 2 of 100 samples (1 s) of 'bold' in 1 recordings, classes a, b>
    """
    recordings = _recordings(recs, stream)
    rate = float(recordings[0][stream].attrs["sampling_rate"])
    start = arguments.number("start (s)", start)
    stop = arguments.number("stop (s)", stop)
    if not start < stop:
        raise DataError(f"Expected start < stop in seconds; got {start:g} and {stop:g}.")
    n_samples = _n_samples("stop - start", stop - start, rate)
    wanted = _wanted_types(recordings, trial_type)
    index, firsts, values, lost = [], [], [], 0
    for number, recording in enumerate(recordings):
        events = _events_of(recording, wanted)
        time = recording[stream]["time"].values
        first = nearest_sample(time, rate, events["onset"].to_numpy() + start)
        fits = within(first, n_samples, segments(recording, stream))
        lost += int((~fits).sum())
        index += [number] * int(fits.sum())
        firsts.append(first[fits])
        if labels is not None:
            values += _column(events, labels)[fits].tolist()
    if not index and not lost:
        raise DataError(
            f"No window of {start:g} to {stop:g} s can be cut: no event but a boundary has a type. "
            "Give the recordings events with a trial_type."
        )
    if not index:
        raise DataError(
            f"No window of {start:g} to {stop:g} s around an event fits inside the recordings: all "
            f"{lost} events lie too near an end or a gap. Shorten the window."
        )
    if lost:
        warn(
            f"{lost} of {lost + len(index)} events lie too near an end or a gap for a window of "
            f"{start:g} to {stop:g} s and were left out."
        )
    win = Windows(recordings, stream, n_samples, np.array(index), np.concatenate(firsts))
    return win if labels is None else _with_labels(win, np.array(values))


def _tensor(block: np.ndarray) -> torch.Tensor:
    # torch has no read-only tensors; a mapped file must not be written through one.
    return torch.from_numpy(block if block.flags.writeable else block.copy())


def _recordings(recs: Recording | Sequence[Recording], stream: str) -> tuple[Recording, ...]:
    recordings = recording_list(recs)
    arguments.text("stream", stream)
    first = recordings[0][stream]
    if isinstance(first, xr.Dataset) or "time" not in first.dims:
        raise DataError(
            f"Stream {stream!r} has no samples on a clock. Bin spikes first: "
            "nk.preprocessing.bin_spikes(rec, bin_size)."
        )
    for number, recording in enumerate(recordings):
        check_layout(first, recording[stream], number)
    return recordings


def _n_samples(what: str, seconds: float, rate: float) -> int:
    n = sample_count(arguments.positive(f"{what} (s)", seconds), rate)
    if n < 1:
        raise DataError(f"{what} = {seconds!r} s is less than one sample at {rate:g} Hz.")
    return n


def _firsts(recording: Recording, stream: str, n_samples: int, step: int) -> np.ndarray:
    pieces = segments(recording, stream)
    runs = [np.arange(p.start, p.stop - n_samples + 1, step) for p in pieces]
    return np.concatenate(runs).astype(np.int64)


def _wanted_types(
    recordings: Sequence[Recording], trial_type: str | Sequence[str] | None
) -> list[str] | None:
    """Return the types asked for, each of which a recording must have."""
    if trial_type is None:
        return None
    if isinstance(trial_type, str):
        wanted = [trial_type]
    else:
        wanted = arguments.name_list("trial_type", trial_type)
    if not wanted:
        raise DataError("trial_type is an empty list. Name a type, or leave it out for all events.")
    known = sorted({str(t) for r in recordings for t in r.events["trial_type"].dropna().unique()})
    for name in wanted:
        if name not in known:
            raise UnknownNameError("type of events", name, known)
    return wanted


def _events_of(recording: Recording, wanted: list[str] | None) -> pd.DataFrame:
    if wanted is None:
        events = _no_boundaries(recording)
        return events[events["trial_type"].notna()]
    events = recording.events
    return events[events["trial_type"].isin(wanted)]


def _no_boundaries(recording: Recording) -> pd.DataFrame:
    events = recording.events
    return events[~events["trial_type"].map(is_boundary).to_numpy(dtype=bool)]


def _column(events: pd.DataFrame, name: str) -> np.ndarray:
    if arguments.text("labels", name) not in events:
        raise UnknownNameError("event column", name, events.columns)
    return events[name].to_numpy()


def _labelled(win: Windows, labels: str | Sequence[Any]) -> Windows:
    if not isinstance(labels, str):
        values = np.asarray(labels)
        if values.shape[:1] != (len(win.recordings),):
            raise DataError(
                f"Got labels of shape {values.shape} for {len(win.recordings)} recordings. Give "
                "one a recording, a key of meta, or an event column."
            )
        return _with_labels(win, values[win.recording_index])
    if all(labels in r.meta for r in win.recordings):
        return _with_labels(win, win.groups(labels))
    return _labelled_by_event(win, labels)


def _labelled_by_event(win: Windows, column: str) -> Windows:
    """Label each window by the event that covers its middle, latest onset first."""
    middle = win.start + win.length / 2
    values = np.full(len(win), None, dtype=object)
    for place, mine in win.by_recording():
        events = _no_boundaries(win.recordings[place])
        labels, onset = _column(events, column), events["onset"].to_numpy()
        order = np.argsort(middle[mine], kind="stable")
        mine = mine[order]
        first = np.searchsorted(middle[mine], onset)
        last = np.searchsorted(middle[mine], onset + events["duration"].to_numpy())
        # Events come in the order of their onsets, so that a later one writes over a longer one
        # that began before it, and gives way to it again at its end.
        for event in np.flatnonzero(first < last):
            values[mine[first[event] : last[event]]] = labels[event]
    keep = pd.notna(values)
    if not keep.any():
        raise DataError(
            f"No window's middle lies in an event with a {column!r}. Do the events have durations?"
        )
    return _with_labels(win.take(np.flatnonzero(keep)), np.array(values[keep].tolist()))


def _with_labels(win: Windows, values: np.ndarray) -> Windows:
    classes: Sequence[str] = ()
    if values.dtype.kind not in "iufb":
        names, values = np.unique(values.astype(np.str_), return_inverse=True)
        classes = names.tolist()
    return Windows(
        win.recordings,
        win.stream,
        win.n_samples,
        win.recording_index,
        win.first_sample,
        values,
        classes,
    )
