"""Spikes as tokens: pairs of a unit and a step of time (Antoniades et al., ICLR 2024)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.windows.vocabulary import Vocabulary

__all__ = ["EOS", "FIRST", "PAD", "RESERVED", "SOS", "decode", "lay_out"]

# In front of units and steps, so that a vocabulary can grow behind them.
PAD, SOS, EOS, FIRST = 0, 1, 2, 3

# What batches call their own parts, and no stream beside the spikes can be called.
RESERVED = ("id", "step", "past_id", "past_step", "target", "recording", "start", "trial")

Ints = NDArray[np.int64]


def lay_out(
    ids: NDArray[np.integer],
    bins: NDArray[np.integer],
    first: Ints,
    count: Ints,
    begin: Ints,
    *,
    framed: bool,
) -> tuple[Ints, Ints]:
    """Lay stretches of a flat list of spikes side by side, padded to the longest.

    Parameters
    ----------
    ids : ndarray of int, shape (spike,)
        Id token of each spike, in the order of time.
    bins : ndarray of int, shape (spike,)
        Bin that it lies in.
    first, count : ndarray of int, shape (window,)
        Where the stretch of each window begins, and how many spikes it has.
    begin : ndarray of int, shape (window,)
        The bin that is step 0.
    framed : bool
        With ``SOS`` before the first spike and ``EOS`` behind the last.

    Returns
    -------
    id, step : ndarray of int64, shape (window, token)
        Unit ``v`` is id ``v + FIRST``, step ``k`` is ``k + FIRST``, shorter stretches end in
        ``PAD``. One token wide where all are empty.

    Examples
    --------
    >>> ids, bins = np.array([3, 4, 3]), np.array([10, 12, 15])
    >>> id, step = lay_out(ids, bins, np.array([0]), np.array([2]), np.array([10]), framed=True)
    >>> id.tolist(), step.tolist()
    ([[1, 3, 4, 2]], [[1, 3, 5, 2]])
    """
    width = max(1, int(count.max(initial=0)) + 2 * framed)
    column = np.arange(width) - framed
    index = first[:, None] + column
    outside = column >= count[:, None]
    id, step = np.zeros(index.shape, np.int64), np.zeros(index.shape, np.int64)
    if ids.size:
        id[:] = ids.take(index, mode="clip")
        np.subtract(bins.take(index, mode="clip"), (begin - FIRST)[:, None], out=step)
        id[outside] = step[outside] = PAD
    if framed:
        rows = np.arange(len(count))
        id[:, 0] = step[:, 0] = SOS
        id[rows, count + 1] = step[rows, count + 1] = EOS
    return id, step


def decode(
    id: ArrayLike, step: ArrayLike, start: ArrayLike, vocabulary: Vocabulary, dt: float
) -> tuple[NDArray[np.float64], NDArray[np.str_], Ints]:
    """Turn tokens back into spikes.

    Parameters
    ----------
    id, step : array-like of int, shape (window, token)
        Tokens; what is not a spike (``PAD``, ``SOS``, ``EOS``) is passed over.
    start : array-like, shape (window,)
        Second of each window's step 0.
    vocabulary : Vocabulary
        What the ids mean.
    dt : float
        Seconds a step.

    Returns
    -------
    times : ndarray of float64, shape (spike,)
        Middle of each spike's bin, in seconds; window by window, in the order of the tokens.
    sessions : ndarray of str, shape (spike,)
        Session of each spike's unit.
    ids : ndarray of int64, shape (spike,)
        What that session calls the unit.

    Raises
    ------
    DataError
        Shapes that differ, or tokens that are none: beyond the vocabulary, or a unit without
        a step.

    Examples
    --------
    >>> words = Vocabulary((("", 7), ("", 9)))
    >>> times, sessions, units = decode([[1, 4, 2, 0]], [[1, 5, 2, 0]], [10.0], words, 0.1)
    >>> times.round(3), units
    (array([10.25]), array([9]))
    """
    id, step, start = np.asarray(id), np.asarray(step), np.asarray(start, dtype=np.float64)
    dt = arguments.positive("dt (s)", dt)
    if id.ndim != 2 or id.shape != step.shape or start.shape != id.shape[:1]:
        raise DataError(
            "Expected id and step of shape (window, token) and one start a window; got shapes "
            f"{id.shape}, {step.shape} and {start.shape}."
        )
    spike = id >= FIRST
    if (spike != (step >= FIRST)).any() or id.max(initial=0) >= len(vocabulary) + FIRST:
        raise DataError(
            f"These are no tokens of {len(vocabulary)} units: ids run to {id.max(initial=0)}, and "
            f"{int((spike != (step >= FIRST)).sum())} have a unit without a step, or the reverse."
        )
    window, column = np.nonzero(spike)
    times = start[window] + (step[window, column] - FIRST + 0.5) * dt
    units = [vocabulary[place] for place in (id[window, column] - FIRST).tolist()]
    sessions = np.array([session for session, _ in units], dtype=np.str_)
    return times, sessions, np.array([unit for _, unit in units], dtype=np.int64)
