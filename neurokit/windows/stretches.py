"""Stretches of a recording on a grid of bins, which windows of spikes may not leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording
from neurokit.recording.clock import is_boundary, slack

__all__ = ["Stretches", "stretches_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Stretches:
    """Stretches of one recording, in order, that share no time.

    The bins of each begin at its own start, so that those of a trial are aligned to its onset.
    Numbered over the recording, they follow the clock to within one bin, and none has the
    number of another.

    Attributes
    ----------
    start : ndarray of float, shape (stretch,)
        Seconds.
    first, n_bins : ndarray of int, shape (stretch,)
        Number of its first bin on the recording's grid, and how many whole bins it has.
    trial : ndarray of int, shape (stretch,)
        Which trial it is of, from 0; -1 without trials.
    n_trials : int
        Trials of the recording.
    extent : int
        Bins of the whole recording.
    """

    start: Floats
    first: Ints
    n_bins: Ints
    trial: Ints
    n_trials: int
    extent: int

    def bins(self, time: Floats, stop: float, dt: float) -> Ints:
        """Return the bin that each spike lies in, on the recording's grid.

        Parameters
        ----------
        time : ndarray, shape (spike,)
            Seconds.
        stop : float
            End of the recording, which counts to its last bin.
        dt : float
            Seconds a bin.

        Returns
        -------
        ndarray of int64, shape (spike,)
            -1 for spikes outside of the stretches.
        """
        if not self.start.size:
            return np.full(time.size, -1)
        near = slack(stop, self.start[0])
        own = np.searchsorted(self.start, time + near, side="right") - 1
        step = np.floor((time - self.start[own] + near) / dt).astype(np.int64)
        edge = self.start[own] + self.n_bins[own] * dt
        step -= (time >= stop) & (np.abs(time - edge) <= near)
        inside = (own >= 0) & (step < self.n_bins[own])
        return np.where(inside, self.first[own] + step, -1)

    def windows(self, before: int, n_bins: int, stride: int) -> tuple[Ints, Ints]:
        """Place windows wherever they and what they read before them fit.

        Parameters
        ----------
        before, n_bins, stride : int
            Bins read before a window, of it, and from one to the next.

        Returns
        -------
        first : ndarray of int64, shape (window,)
            First bin of each window on the recording's grid.
        stretch : ndarray of int64, shape (window,)
            Where it lies.
        """
        count = np.maximum((self.n_bins - before - n_bins) // stride + 1, 0)
        stretch = np.repeat(np.arange(count.size), count)
        number = np.arange(stretch.size) - np.repeat(np.cumsum(count) - count, count)
        return self.first[stretch] + before + number * stride, stretch

    def seconds(self, first: Ints, stretch: Ints, dt: float) -> Floats:
        """Return the second at which bins begin.

        Parameters
        ----------
        first, stretch : ndarray of int, shape (window,)
            A bin, and where it lies.
        dt : float
            Seconds a bin.

        Returns
        -------
        ndarray of float64, shape (window,)
            On the recording's clock.
        """
        return self.start[stretch] + (first - self.first[stretch]) * dt


def stretches_of(
    recording: Recording, dt: float, within: str | None = None, number: int | None = None
) -> Stretches:
    """Cut a recording at its boundaries, and to its trials.

    Parameters
    ----------
    recording : Recording
        With stream ``spikes``.
    dt : float
        Seconds a bin.
    within : str, optional
        Type of the events that are trials; without it the whole recording is used.
    number : int, optional
        Which of several recordings it is, for messages.

    Returns
    -------
    Stretches
        Whole bins of the recorded interval.

    Raises
    ------
    UnknownNameError
        There are no events of that type.
    DataError
        Trials that overlap.

    Examples
    --------
    >>> rec = Recording.from_spikes([0.1], [0], duration=2.0, trials=[[0.25, 0.75], [1.0, 1.5]])
    >>> found = stretches_of(rec, 0.1, "trial")
    >>> found.start, found.first, found.n_bins
    (array([0.25, 1.  ]), array([ 3, 10]), array([5, 5]))
    """
    low, high = (float(recording["spikes"].attrs[key]) for key in ("start", "stop"))
    near = slack(low, high)
    begin, end = np.array([low]), np.array([high])
    if within is not None:
        begin, end = _trials(recording.events, within, near, number)
    n_trials, trial = begin.size, np.arange(begin.size)
    begin, end = np.clip(begin, low, high), np.clip(end, low, high)
    begin, end, trial = _cut(recording.events, begin, end, trial, near)
    first = np.ceil((begin - low - near) / dt).astype(np.int64)
    n_bins = np.floor((end - begin + near) / dt).astype(np.int64)
    extent = int(np.ceil((high - low - near) / dt))
    if within is None:
        n_trials, trial = 0, np.full_like(trial, -1)
    some = n_bins > 0
    return Stretches(begin[some], first[some], n_bins[some], trial[some], n_trials, extent)


def _trials(
    events: pd.DataFrame, within: str, near: float, number: int | None
) -> tuple[Floats, Floats]:
    """Return onset and end of the trials, in order."""
    where = "" if number is None else f" of recording {number}"
    mine = events[events["trial_type"] == within]
    if not len(mine):
        known = sorted({*events["trial_type"].dropna()})
        raise UnknownNameError(f"event type{where}", within, known)
    begin = mine["onset"].to_numpy(dtype=np.float64)
    end = begin + mine["duration"].to_numpy(dtype=np.float64)
    overlap = np.flatnonzero(begin[1:] < end[:-1] - near)
    if overlap.size:
        at = int(overlap[0])
        raise DataError(
            f"Events {within!r}{where} overlap: one begins at {begin[at + 1]:g} s, before the one "
            f"from {begin[at]:g} s ends at {end[at]:g} s. A window would belong to both."
        )
    return begin, end


def _cut(
    events: pd.DataFrame, begin: Floats, end: Floats, trial: Ints, near: float
) -> tuple[Floats, Floats, Ints]:
    """Cut stretches where two recordings were joined."""
    marks = events["trial_type"].map(is_boundary).to_numpy(dtype=bool)
    joints = np.unique(events["onset"].to_numpy(dtype=np.float64)[marks])
    own = np.searchsorted(begin, joints, side="right") - 1
    inside = (own >= 0) & (joints > begin[own] + near) & (joints < end[own] - near)
    joints, own = joints[inside], own[inside]
    order = np.argsort(np.concatenate([begin, joints]), kind="stable")
    starts = np.concatenate([begin, joints])[order]
    owner = np.concatenate([np.arange(begin.size), own])[order]
    following = np.append(starts[1:], np.inf)
    return starts, np.minimum(end[owner], following), trial[owner]
