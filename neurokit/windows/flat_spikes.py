"""Spikes of many recordings in one sorted list, and where windows lie in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from neurokit.recording import Recording
from neurokit.windows.spike_tokens import FIRST
from neurokit.windows.stretches import Stretches
from neurokit.windows.vocabulary import Vocabulary, session_of

__all__ = ["FlatSpikes", "Places", "flatten", "place"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class FlatSpikes:
    """Spikes of all recordings, one recording after the other, sorted by bin.

    Attributes
    ----------
    id : ndarray of int32, shape (spike,)
        Id tokens; the order within a bin is random.
    bin : ndarray of int64, shape (spike,)
        Bins, numbered over all recordings.
    base : ndarray of int64, shape (recording,)
        Number of each recording's first bin.
    """

    id: NDArray[np.int32]
    bin: Ints
    base: Ints

    def find(self, bins: Ints, steps: Sequence[int]) -> Ints:
        """Return where in the list the spikes from some bins on begin.

        Parameters
        ----------
        bins : ndarray of int, shape (window,)
            Bins, numbered over all recordings.
        steps : sequence of int
            Bins behind these, or before them if negative.

        Returns
        -------
        ndarray of int64, shape (steps, window)
            Position of the first spike in that bin or a later one.
        """
        return np.searchsorted(self.bin, bins + np.asarray(steps)[:, None])


@dataclass(frozen=True)
class Places:
    """Where windows lie: one entry each.

    Attributes
    ----------
    recording, first : ndarray of int
        Recording, and first bin on its grid.
    start, earliest : ndarray of float
        Second at which the window begins, and before which it must not read: where its
        recording, trial or stretch between boundaries does.
    trial : ndarray of int
        Trial, numbered over all recordings; negative where there are none.
    """

    recording: Ints
    first: Ints
    start: Floats
    earliest: Floats
    trial: Ints

    def take(self, rows: NDArray[np.integer]) -> Places:
        """Return the places of some windows.

        Parameters
        ----------
        rows : ndarray of int or bool
            Which windows.

        Returns
        -------
        Places
            Of these.
        """
        return Places(*(getattr(self, field.name)[rows] for field in fields(self)))


def flatten(
    recordings: Sequence[Recording],
    stretches: Sequence[Stretches],
    vocabulary: Vocabulary,
    dt: float,
    seed: int,
) -> FlatSpikes:
    """Put the spikes of all recordings in one list.

    Spikes of one bin come in random order. Sorted by unit they would print the order of the
    units into what a model learns of who drives whom.

    Parameters
    ----------
    recordings : sequence of Recording
        With stream ``spikes``.
    stretches : sequence of Stretches
        Of each; spikes outside are left out.
    vocabulary : Vocabulary
        What units there are.
    dt : float
        Seconds a bin.
    seed : int
        Of the order within bins, which is drawn for each recording anew.

    Returns
    -------
    FlatSpikes
        12 bytes a spike.

    Raises
    ------
    UnknownNameError
        A unit that the vocabulary lacks.

    Examples
    --------
    >>> from neurokit.windows.stretches import stretches_of
    >>> rec = Recording.from_spikes([0.05, 0.31], [9, 4], duration=1.0)
    >>> flat = flatten([rec, rec], [stretches_of(rec, 0.1)] * 2, Vocabulary.of(rec), 0.1, seed=0)
    >>> flat.id, flat.bin
    (array([4, 3, 4, 3], dtype=int32), array([ 0,  3, 10, 13]))
    >>> flat.find(np.array([10]), [0, 5])
    array([[2],
           [4]])
    """
    base = np.cumsum([0, *(s.extent for s in stretches)])
    ids, bins = [], []
    for number, (recording, own) in enumerate(zip(recordings, stretches, strict=True)):
        spikes = recording["spikes"]
        token = vocabulary.places(session_of(recording), spikes["id"].values) + FIRST
        bin = own.bins(spikes["time"].values, float(spikes.attrs["stop"]), dt)
        kept = np.flatnonzero(bin >= 0)
        shuffle = np.random.default_rng((seed, number)).random(kept.size)
        kept = kept[np.argsort(bin[kept] + shuffle)]
        ids.append(token.astype(np.int32)[spikes["unit"].values[kept]])
        bins.append(bin[kept] + base[number])
    return FlatSpikes(np.concatenate(ids), np.concatenate(bins), base[:-1])


def place(
    stretches: Sequence[Stretches], before: int, n_bins: int, stride: int, dt: float
) -> Places:
    """Place windows in all recordings.

    Parameters
    ----------
    stretches : sequence of Stretches
        Of each recording.
    before, n_bins, stride : int
        Bins read before a window, of it, and from one to the next.
    dt : float
        Seconds a bin.

    Returns
    -------
    Places
        Recording by recording; there may be none.

    Examples
    --------
    >>> from neurokit.windows.stretches import stretches_of
    >>> rec = Recording.from_spikes([0.05], [9], duration=1.0)
    >>> place([stretches_of(rec, 0.1)], before=3, n_bins=2, stride=2, dt=0.1).start.round(3)
    array([0.3, 0.5, 0.7])
    """
    n_trials = np.cumsum([0, *(s.n_trials for s in stretches)])
    parts = []
    for number, own in enumerate(stretches):
        first, stretch = own.windows(before, n_bins, stride)
        recording = np.full(first.size, number)
        trial = own.trial[stretch] + n_trials[number]
        start = own.seconds(first, stretch, dt)
        parts.append((recording, first, start, own.start[stretch], trial))
    return Places(*(np.concatenate(column) for column in zip(*parts, strict=True)))
