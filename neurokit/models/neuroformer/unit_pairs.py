"""Whose units are, and how values of ordered pairs of them are named and centred."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from neurokit.errors import DataError
from neurokit.windows.spike_tokens import EOS, FIRST
from neurokit.windows.vocabulary import session_of

__all__ = ["double_centred", "impossible_ids", "labelled_pairs", "session_places"]

Array = NDArray[np.float64]

# Rows and columns are centred in turn; with a diagonal missing each turn shrinks what is left
# by about the number of units.
_TURNS = 20


def impossible_ids(win: Any) -> Tensor:
    """Tell which id tokens cannot follow: units of other sessions, padding and starts.

    Parameters
    ----------
    win : SpikeWindows
        Of one session or several.

    Returns
    -------
    Tensor of bool, shape (recording, token)
        False at the units of the recording's session and at the end. Rows are chosen by
        ``batch["recording"]``.

    Examples
    --------
    >>> import neurokit as nk
    >>> recs = [
    ...     nk.Recording.from_spikes([0.1], [7], duration=1.0, meta={"session": day})
    ...     for day in ("monday", "tuesday")
    ... ]
    >>> impossible_ids(nk.windows.spike_windows(recs, length=0.1, history=0.1))
    tensor([[ True,  True, False, False,  True],
            [ True,  True, False,  True, False]])
    """
    impossible = np.ones((len(win.recordings), FIRST + len(win.vocabulary)), dtype=bool)
    impossible[:, EOS] = False
    for row, recording in zip(impossible, win.recordings, strict=True):
        row[FIRST + win.vocabulary.of_session(session_of(recording))] = False
    return torch.from_numpy(impossible)


def session_places(win: Any) -> NDArray[np.int64]:
    """Look up the units that the recordings of windows have in common.

    Parameters
    ----------
    win : SpikeWindows
        Of one session.

    Returns
    -------
    ndarray of int64, shape (unit,)
        Places in the vocabulary.

    Raises
    ------
    DataError
        Windows of several sessions, whose units were never recorded together.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_spikes([0.1, 0.4, 0.7], [3, 5, 3], duration=1.0)
    >>> session_places(nk.windows.spike_windows(rec, length=0.1, history=0.1))
    array([0, 1])
    """
    used = np.unique(win.recording_index).tolist()
    sessions = sorted({session_of(win.recordings[i]) for i in used})
    if len(sessions) > 1:
        mine = [i for i in used if session_of(win.recordings[i]) == sessions[0]]
        raise DataError(
            f"The windows are of {len(sessions)} sessions, {sessions[:5]}, whose units were never "
            f"recorded together. Take those of one, such as {sessions[0]!r}: "
            f"win.take(numpy.isin(win.groups('recording'), {mine}))."
        )
    own: NDArray[np.int64] = win.vocabulary.of_session(sessions[0])
    return own


def labelled_pairs(
    values: Array, win: Any, places: NDArray[np.int64], **facts: Any
) -> xr.DataArray:
    """Name values of pairs by the ids of their units.

    Parameters
    ----------
    values : ndarray, shape (target, source)
        One value a pair.
    win : SpikeWindows
        With the vocabulary.
    places : ndarray of int64, shape (unit,)
        Of the units in it.
    **facts
        How the values were obtained.

    Returns
    -------
    xr.DataArray
        Dims ``(target, source)``, NaN where target and source are the same unit.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_spikes([0.1, 0.4, 0.7], [3, 5, 3], duration=1.0)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.1)
    >>> found = labelled_pairs(np.ones((2, 2)), win, session_places(win), method="none")
    >>> float(found.sel(target=3, source=5)), float(found.sel(target=3, source=3))
    (1.0, nan)
    """
    ids = np.array([win.vocabulary[place][1] for place in places])
    values = np.where(np.eye(len(ids), dtype=bool), np.nan, values)
    return xr.DataArray(values, {"target": ids, "source": ids}, ("target", "source"), attrs=facts)


def double_centred(values: Array) -> Array:
    """Subtract the means of rows and columns, the diagonal left out.

    What remains is specific to a pair: neither a target that follows everybody nor a source
    that everybody follows stands out by itself.

    Parameters
    ----------
    values : ndarray, shape (target, source)
        NaN where there is no value.

    Returns
    -------
    ndarray, shape (target, source)
        Rows and columns have mean 0. Pairs without a value have 0, the diagonal NaN.

    Examples
    --------
    >>> double_centred(np.add.outer([1.0, 2.0, 5.0], [0.0, 3.0, 4.0])).round(6) + 0.0
    array([[nan,  0.,  0.],
           [ 0., nan,  0.],
           [ 0.,  0., nan]])
    """
    there = np.isfinite(values) & ~np.eye(len(values), dtype=bool)
    rest = np.where(there, values, 0.0)
    for _ in range(_TURNS):
        for axis in (0, 1):
            n = there.sum(axis=axis, keepdims=True)
            rest = np.where(there, rest - rest.sum(axis=axis, keepdims=True) / np.maximum(n, 1), 0)
    np.fill_diagonal(rest, np.nan)
    return rest
