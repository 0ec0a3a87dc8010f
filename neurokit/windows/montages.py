"""Windows of several subjects whose channels differ, as one data set."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
import xarray as xr

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.windows.dataset import Windows

__all__ = ["JoinedWindows", "join_montages"]


class JoinedWindows(Windows):
    """Windows of several subjects, each with channels of its own, made by :func:`join_montages`.

    What windows can do, these can: they are taken, selected, grouped and split alike. A window
    has as many channels as the largest montage; behind those of a smaller one stand zeros. A
    subject keeps its number, even where no window of another one is left.

    Parameters
    ----------
    win : Windows
        Over the recordings of all subjects, in which channels differ.
    owner : ndarray of int, shape (recording,)
        Which subject each recording is of, from 0.

    Attributes
    ----------
    subject : ndarray of int, shape (window,)
        Which subject each window is of; batches have it, too.
    """

    def __init__(self, win: Windows, owner: np.ndarray) -> None:
        super().__init__(
            win.recordings,
            win.stream,
            win.n_samples,
            win.recording_index,
            win.first_sample,
            win.labels,
            win.classes,
        )
        self._owner = owner
        self.subject = owner[self.recording_index]
        self._facts["subject"] = torch.from_numpy(self.subject)
        firsts = np.unique(owner, return_index=True)[1]
        self._montages = tuple(_channels(self.recordings[first][self.stream]) for first in firsts)
        self._width = max(map(len, self.montages))
        self._row = np.empty(len(self), dtype=np.int64)
        self._parts = {number: self._part(win, number) for number in np.unique(self.subject)}

    def _part(self, win: Windows, number: int) -> Windows:
        """Return the windows of one subject, whose channels are the same."""
        mine, recordings = self.subject == number, np.flatnonzero(self._owner == number)
        self._row[mine] = np.arange(mine.sum())
        return Windows(
            [win.recordings[recording] for recording in recordings],
            win.stream,
            win.n_samples,
            np.searchsorted(recordings, win.recording_index[mine]),
            win.first_sample[mine],
        )

    def __repr__(self) -> str:
        channels = ", ".join(str(len(names)) for names in self.montages)
        return f"{super().__repr__()[:-1]}, {len(self.montages)} subjects of {channels} channels>"

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Return window ``index``: ``x`` (time, channel) and the facts that a batch has."""
        sample = super().__getitem__(index)
        return {**sample, "x": F.pad(sample["x"], (0, self._width - sample["x"].shape[1]))}

    @property
    def montages(self) -> tuple[tuple[str, ...], ...]:
        """Names of each subject's channels."""
        return self._montages

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channels if all subjects have the same, and of their places if not.

        What stands in a place differs between subjects: ``montages`` tells.
        """
        if len(set(self.montages)) == 1:
            return self.montages[0]
        return tuple(f"place {k}" for k in range(1, self._width + 1))

    def _taken(self, rows: np.ndarray) -> JoinedWindows:
        return JoinedWindows(super()._taken(rows), self._owner)

    def _gather(self, indices: np.ndarray) -> np.ndarray:
        dtype = np.result_type(*(array.dtype for array in self._arrays))
        out = np.zeros((indices.size, self.n_samples, self._width), dtype=dtype)
        subjects = self.subject[indices]
        for number in np.unique(subjects):
            mine = np.flatnonzero(subjects == number)
            x = self._parts[number].batch(self._row[indices[mine]])["x"].numpy()
            out[mine, :, : x.shape[2]] = x
        return out


def join_montages(wins: Sequence[Windows]) -> JoinedWindows:
    """Join the windows of several subjects, whose channels may differ, in one data set.

    Nothing is copied until a window is asked for. Windows of smaller montages are then padded
    with zeros, channels at the front.

    Parameters
    ----------
    wins : sequence of Windows
        One a subject, of one stream, rate, unit and length, and with the same classes if they
        are labelled. Channels of a subject are the same in all its recordings.

    Returns
    -------
    JoinedWindows
        All windows, subject by subject. Batches have ``subject``, the place in ``wins``;
        ``montages`` has the names of each subject's channels.

    Raises
    ------
    DataError
        If there is nothing to join, or subjects differ in more than their channels.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> recs = [Recording.from_array(np.ones((4, n)), 1, stream="ieeg") for n in (3, 2)]
    >>> win = join_montages([sliding(rec, stream="ieeg", length=2) for rec in recs])
    >>> win
    <Windows: 4 of 2 samples (2 s) of 'ieeg' in 2 recordings, 2 subjects of 3, 2 channels>
    >>> win.batch([0, 2])["x"][:, 0]
    tensor([[1., 1., 1.],
            [1., 1., 0.]])
    """
    parts = _parts(wins)
    first = parts[0]
    counts = [len(part.recordings) for part in parts]
    before = np.cumsum([0, *counts])
    index = [part.recording_index + n for part, n in zip(parts, before, strict=False)]
    labels = [part.labels for part in parts if part.labels is not None]
    joined = Windows(
        [recording for part in parts for recording in part.recordings],
        first.stream,
        first.n_samples,
        np.concatenate(index),
        np.concatenate([part.first_sample for part in parts]),
        np.concatenate(labels) if labels else None,
        first.classes,
    )
    return JoinedWindows(joined, np.repeat(np.arange(len(parts)), counts))


def _parts(wins: Sequence[Windows]) -> list[Windows]:
    if isinstance(wins, Windows) or not hasattr(wins, "__iter__"):
        raise DataError(
            f"Expected a list with the windows of each subject; got {type(wins).__name__}."
        )
    parts = [
        arguments.instance(f"Subject {number}", part, Windows, "Windows")
        for number, part in enumerate(wins)
    ]
    if not parts:
        raise DataError("Nothing to join: the list of windows is empty.")
    for number, part in enumerate(parts):
        if isinstance(part, JoinedWindows):
            raise DataError(f"Subject {number} is joined already. Join all subjects at once.")
        for recording in part.recordings:
            if recording[part.stream].ndim != 2:
                dims = recording[part.stream].dims
                raise DataError(f"Subject {number} has dims {dims}, expected (time, channel).")
        _same(parts[0], part, number)
    return parts


def _same(first: Windows, other: Windows, number: int) -> None:
    facts = {
        "cut from the stream {!r}": ("stream", "Rename one of them."),
        "at {:g} Hz": ("sampling_rate", "Resample one of them."),
        "in the unit {!r}": ("units", "Convert or standardise both alike."),
        "of {} samples": ("n_samples", "Cut them with one length."),
        "with the classes {}": ("classes", "Cut them with the same labels."),
    }
    for told, (name, what_to_do) in facts.items():
        ours, theirs = getattr(first, name), getattr(other, name)
        if ours != theirs:
            raise DataError(
                f"The windows of subject 0 are {told.format(ours)}, those of subject {number} "
                f"{told.format(theirs)}. {what_to_do}"
            )
    if (first.labels is None) != (other.labels is None):
        lacks = 0 if first.labels is None else number
        raise DataError(f"Subject {lacks} has no labels, others have. Label all or none.")


def _channels(stream: xr.DataArray) -> tuple[str, ...]:
    return tuple(str(name) for name in stream[stream.dims[1]].values)
