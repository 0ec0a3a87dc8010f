"""What all windows are: an index into recordings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch.utils.data import Dataset

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording

__all__ = ["WindowIndex", "by_recording", "positions", "recording_list"]


class WindowIndex(Dataset[dict[str, torch.Tensor]], ABC):
    """Where windows lie: in which recording, and from which sample on.

    :class:`~neurokit.windows.Windows` read the samples of a stream there,
    :class:`~neurokit.windows.SpikeWindows` spikes and what goes with them.

    Parameters
    ----------
    recordings : sequence of Recording
        What the windows are of.
    sampling_rate : float
        Samples a second, in Hz.
    n_samples : int
        Samples a window.
    recording_index : ndarray of shape (window,)
        Which recording each window lies in.
    first_sample : ndarray of shape (window,)
        Its first sample there.
    reach : int
        Samples before its first one that a window reads as well.

    Attributes
    ----------
    start : ndarray of shape (window,)
        Second at which each window begins, on its recording's clock.
    extent : ndarray of int, shape (recording,)
        Samples of each recording.
    """

    start: np.ndarray
    extent: np.ndarray

    def __init__(
        self,
        recordings: Sequence[Recording],
        sampling_rate: float,
        n_samples: int,
        recording_index: np.ndarray,
        first_sample: np.ndarray,
        reach: int = 0,
    ) -> None:
        self.recordings = tuple(recordings)
        self.sampling_rate = sampling_rate
        self.n_samples = n_samples
        self.recording_index = np.asarray(recording_index, dtype=np.int64)
        self.first_sample = np.asarray(first_sample, dtype=np.int64)
        self.reach = reach

    def __len__(self) -> int:
        return self.recording_index.size

    @property
    def length(self) -> float:
        """Seconds a window."""
        return self.n_samples / self.sampling_rate

    @abstractmethod
    def batch(self, indices: Sequence[int] | np.ndarray) -> dict[str, torch.Tensor]:
        """Return several windows, stacked."""

    @abstractmethod
    def _taken(self, rows: np.ndarray) -> Self:
        """Return the windows at some positions, of which there is one at least."""

    def take(self, indices: Sequence[int] | np.ndarray) -> Self:
        """Return the windows at some indices; a boolean mask works, too.

        Parameters
        ----------
        indices : sequence of int or bool
            Which windows.

        Returns
        -------
        Windows
            Over the same recordings.

        Raises
        ------
        DataError
            No window, or one that does not exist.

        Examples
        --------
        >>> from neurokit.windows import sliding
        >>> rec = Recording.from_array(np.ones((100, 2)), 10, stream="bold")
        >>> len(sliding(rec, stream="bold", length=2).take([0, 4]))
        2
        """
        rows = positions(indices, len(self))
        if not rows.size:
            raise DataError(f"Empty selection: none of the {len(self)} windows is taken.")
        return self._taken(rows)

    def groups(self, key: str) -> np.ndarray:
        """Return what each window's recording says of itself.

        Parameters
        ----------
        key : str
            A key of ``meta``, such as ``"subject"``, ``"session"`` or ``"run"``;
            ``"recording"`` is the recording's number.

        Returns
        -------
        ndarray of shape (window,)
            For splits by group and for scores by group.

        Raises
        ------
        UnknownNameError
            If a recording lacks the key.

        Examples
        --------
        >>> from neurokit.windows import sliding
        >>> rec = Recording.from_array(np.ones((4, 1)), 1, stream="bold", meta={"subject": "01"})
        >>> sliding(rec, stream="bold", length=2).groups("subject")
        array(['01', '01'], dtype='<U2')
        """
        if arguments.text("key", key) == "recording":
            return self.recording_index
        for number, recording in enumerate(self.recordings):
            if key not in recording.meta:
                raise UnknownNameError(f"meta key (recording {number})", key, recording.meta)
        return np.array([r.meta[key] for r in self.recordings])[self.recording_index]

    def sel(self, **wanted: Any) -> Self:
        """Return the windows of recordings whose meta has the given values.

        Parameters
        ----------
        **wanted
            A key of ``meta`` and one value or several.

        Returns
        -------
        Windows
            Over the same recordings.

        Raises
        ------
        DataError
            If no window is left.

        Examples
        --------
        >>> from neurokit.windows import sliding
        >>> recs = [Recording.from_array(np.ones((4, 1)), 1, stream="bold", meta={"subject": s})
        ...         for s in (1, 2, 3)]
        >>> len(sliding(recs, stream="bold", length=2).sel(subject=[1, 3]))
        4
        """
        keep = np.ones(len(self), dtype=bool)
        for key, values in wanted.items():
            values = [values] if isinstance(values, str) or np.ndim(values) == 0 else list(values)
            keep &= np.isin(self.groups(key), values)
        if not keep.any():
            raise DataError(f"Empty selection: no window has {wanted}.")
        return self.take(np.flatnonzero(keep))

    def by_recording(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield each recording's number and the positions of its windows.

        Yields
        ------
        place : int
            Of the recording.
        mine : ndarray of int
            Which windows lie in it.

        Examples
        --------
        >>> from neurokit.windows import sliding
        >>> rec = Recording.from_array(np.ones((4, 1)), 1, stream="bold")
        >>> list(sliding([rec, rec], stream="bold", length=2).by_recording())
        [(0, array([0, 1])), (1, array([2, 3]))]
        """
        return by_recording(self.recording_index)


def by_recording(index: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each number in an array, and where it stands.

    Parameters
    ----------
    index : ndarray of int, shape (window,)
        Which recording each window lies in.

    Yields
    ------
    place : int
        Of the recording.
    mine : ndarray of int
        Which windows lie in it.

    Examples
    --------
    >>> list(by_recording(np.array([1, 0, 1])))
    [(0, array([1])), (1, array([0, 2]))]
    """
    if not index.size:
        return
    order = np.argsort(index, kind="stable")
    numbers, firsts = np.unique(index[order], return_index=True)
    yield from zip(numbers.tolist(), np.split(order, firsts[1:]), strict=True)


def positions(indices: Sequence[int] | np.ndarray, n_windows: int) -> np.ndarray:
    """Return indices or a boolean mask as positions.

    Parameters
    ----------
    indices : sequence of int or bool
        Which windows; negative ones count from the end.
    n_windows : int
        How many there are.

    Returns
    -------
    ndarray of int64, shape (n,)
        As they were given, or where the mask is true.

    Raises
    ------
    DataError
        A window that does not exist.

    Examples
    --------
    >>> positions([False, True, True], 3)
    array([1, 2])
    """
    asked = np.asarray(indices)
    if asked.dtype == bool and asked.shape == (n_windows,):
        return np.flatnonzero(asked)
    whole = asked.size == 0 or asked.dtype.kind in "iu"
    if asked.ndim != 1 or not whole or (abs(asked + 0.5) > n_windows).any():
        raise DataError(
            f"Expected positions from 0 to {n_windows - 1}, or a boolean for each of the "
            f"{n_windows} windows; got {asked.dtype} of shape {asked.shape}."
        )
    return asked.astype(np.int64)


def recording_list(recs: Recording | Iterable[Recording]) -> tuple[Recording, ...]:
    """Return one recording or several as a tuple.

    Parameters
    ----------
    recs : Recording or sequence of Recording
        As the caller gave them.

    Returns
    -------
    tuple of Recording
        One at least.

    Raises
    ------
    DataError
        Nothing, or something else.

    Examples
    --------
    >>> recording_list([])
    Traceback (most recent call last):
    neurokit.errors.DataError: Nothing to cut: the list of recordings is empty.
    """
    if not isinstance(recs, Recording | Iterable) or isinstance(recs, str):
        raise DataError(f"Expected recordings to cut; got a {type(recs).__name__}.")
    recordings = (recs,) if isinstance(recs, Recording) else tuple(recs)
    for recording in recordings:
        arguments.instance("A recording", recording, Recording, "a neurokit Recording")
    if not recordings:
        raise DataError("Nothing to cut: the list of recordings is empty.")
    return recordings
