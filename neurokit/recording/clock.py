"""Seconds to samples: where a stream is contiguous, and which sample lies at a time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from neurokit.recording.core import Recording

__all__ = ["is_boundary", "nearest_sample", "sample_count", "segments", "slack", "within"]

# Not every name that ends so: an "event boundary" may be what a study is about.
_JOINTS = ("boundary", "edge boundary", "bad boundary")


def slack(*seconds: float) -> float:
    """Return by how much two computations of one time may differ.

    Parameters
    ----------
    *seconds : float
        Times. The farther from 0, the coarser is float64: seconds since 1970 are known to
        a quarter of a microsecond.

    Returns
    -------
    float
        Seconds: a nanosecond, or some units in the last place of the largest.

    Examples
    --------
    >>> slack(10.0), slack(1.7e9) < 1e-5
    (1e-09, True)
    """
    return max(1e-9, 16 * float(np.spacing(np.abs(seconds).max(initial=0.0))))


def sample_count(seconds: float, sampling_rate: float) -> int:
    """Return how many samples some seconds are, at most what an index can count.

    Parameters
    ----------
    seconds : float
        Any length, negative ones too.
    sampling_rate : float
        In Hz.

    Returns
    -------
    int
        Rounded; beyond any recording, a number that is longer than all.

    Examples
    --------
    >>> sample_count(0.5, 250.0), sample_count(1e300, 250.0) == 2**40
    (125, True)
    """
    return round(max(-(2.0**40), min(seconds * sampling_rate, 2.0**40)))


def is_boundary(trial_type: object) -> bool:
    """Tell whether an event marks a joint of two pieces of recording.

    Parameters
    ----------
    trial_type : object
        ``boundary`` as :meth:`Recording.concat` and EEGLAB write it, or MNE's ``EDGE
        boundary`` and ``BAD boundary``.

    Returns
    -------
    bool
        True for those.

    Examples
    --------
    >>> is_boundary("boundary"), is_boundary("EDGE boundary"), is_boundary("event boundary")
    (True, True, False)
    """
    return isinstance(trial_type, str) and trial_type.lower() in _JOINTS


def segments(recording: Recording, stream: str) -> list[slice]:
    """Cut a stream at its gaps and at the events that mark a boundary.

    Parameters
    ----------
    recording : Recording
        With events.
    stream : str
        A continuous stream.

    Returns
    -------
    list of slice
        Sample ranges that cover the stream, in order.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(100, 2))
    >>> rec = Recording.from_array(x, 50.0)
    >>> segments(Recording.concat([rec, rec]), "eeg")
    [slice(0, 100, None), slice(100, 200, None)]
    """
    time, rate = recording[stream]["time"].values, recording[stream].attrs["sampling_rate"]
    marks = recording.events["trial_type"].map(is_boundary).to_numpy(dtype=bool)
    onsets = recording.events["onset"].to_numpy()[marks]
    joints = np.searchsorted(time, onsets - slack(time[0], time[-1]))
    gaps = np.flatnonzero(np.diff(time) > 1.5 / rate) + 1
    cuts = np.union1d(joints, gaps)
    edges = [0, *cuts[(cuts > 0) & (cuts < time.size)].tolist(), time.size]
    return [slice(a, b) for a, b in pairwise(edges)]


def nearest_sample(time: np.ndarray, sampling_rate: float, seconds: np.ndarray) -> np.ndarray:
    """Return the sample nearest to each time.

    Parameters
    ----------
    time : ndarray of shape (sample,)
        The clock of a stream. It is looked up, not extrapolated from the rate, because clocks
        drift.
    sampling_rate : float
        In Hz.
    seconds : ndarray of shape (n,)
        When.

    Returns
    -------
    ndarray of int64, shape (n,)
        Before the start it counts down from 0, past the end up from the last; within a gap
        of the clock there is none and the result is far below 0.

    Examples
    --------
    >>> nearest_sample(np.array([0.0, 0.5, 1.0]), 2.0, np.array([-1.0, 0.6, 2.0]))
    array([-2,  1,  4])
    """
    far = np.iinfo(np.int32).min
    inside = np.clip(np.searchsorted(time, seconds - 0.5 / sampling_rate), 0, time.size - 1)
    beyond = (seconds - time[inside]) * sampling_rate
    offset = np.rint(np.clip(beyond, far, -far)).astype(np.int64)
    outside = ((inside == 0) & (offset < 0)) | ((inside == time.size - 1) & (offset > 0))
    return np.where((offset == 0) | outside, inside + offset, far)


def within(first: np.ndarray, n_samples: int, pieces: list[slice]) -> np.ndarray:
    """Tell which stretches of samples lie in one contiguous piece.

    Parameters
    ----------
    first : ndarray of int, shape (n,)
        First sample of each stretch.
    n_samples : int
        Samples a stretch.
    pieces : list of slice
        As from :func:`segments`.

    Returns
    -------
    ndarray of bool, shape (n,)
        True where it does.

    Examples
    --------
    >>> within(np.array([-1, 0, 7, 10]), 5, [slice(0, 10), slice(10, 20)])
    array([False,  True, False,  True])
    """
    starts, stops = np.array([p.start for p in pieces]), np.array([p.stop for p in pieces])
    piece = np.searchsorted(starts, first, side="right") - 1
    return (first >= 0) & (first + n_samples <= stops[np.maximum(piece, 0)])
