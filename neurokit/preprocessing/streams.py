"""Which stream a step works on, and where its samples are contiguous."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import xarray as xr

from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording
from neurokit.recording.checks import check_finite

__all__ = ["chosen_stream", "finite_columns", "is_boundary", "segments"]

_BRAIN = ("eeg", "ieeg", "lfp", "meg", "meg_gradient", "fnirs", "bold", "calcium")


def chosen_stream(recording: Recording, stream: str | None) -> str:
    """Return the name of the continuous stream to work on.

    Parameters
    ----------
    recording : Recording
        Any.
    stream : str or None
        As the caller gave it. By default the only continuous one, or the only one that
        holds brain signals.

    Returns
    -------
    str
        Its name.

    Raises
    ------
    UnknownNameError
        If there is no such stream.
    DataError
        If it is not continuous, or several could be meant.

    Examples
    --------
    >>> import numpy as np
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(100, 2))
    >>> chosen_stream(Recording.from_array(x, 50.0), None)
    'eeg'
    """
    flat = [
        name
        for name, data in recording.streams.items()
        if isinstance(data, xr.DataArray) and data.ndim == 2 and data.dims[0] == "time"
    ]
    if stream is not None:
        if stream not in recording:
            raise UnknownNameError("stream", stream, flat or recording.streams)
        if stream not in flat:
            raise DataError(f"Stream {stream!r} is not continuous over (time, feature).")
        return stream
    likely = [n for n in flat if n in _BRAIN] or flat
    if len(likely) != 1:
        raise DataError(
            f"Say which stream is meant, with stream=…: the recording holds {likely or 'none that'}"
            f"{'' if likely else ' is continuous'}."
        )
    return likely[0]


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
    >>> is_boundary("boundary"), is_boundary("EDGE boundary"), is_boundary("T1")
    (True, True, False)
    """
    return isinstance(trial_type, str) and trial_type.lower().endswith("boundary")


def segments(recording: Recording, stream: str) -> list[slice]:
    """Cut a stream at the events that mark a boundary.

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
    >>> import numpy as np
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(100, 2))
    >>> rec = Recording.from_array(x, 50.0)
    >>> segments(Recording.concat([rec, rec]), "eeg")
    [slice(0, 100, None), slice(100, 200, None)]
    """
    time = recording[stream]["time"].values
    marks = recording.events["trial_type"].map(is_boundary).to_numpy(dtype=bool)
    onsets = recording.events["onset"].to_numpy()[marks]
    # One ulp in a time must not move a border by a sample.
    slack = 1e-6 / recording[stream].attrs["sampling_rate"]
    cuts = np.unique(np.searchsorted(time, onsets - slack))
    edges = [0, *cuts[(cuts > 0) & (cuts < time.size)].tolist(), time.size]
    return [slice(a, b) for a, b in pairwise(edges)]


def finite_columns(stream: xr.DataArray) -> np.ndarray:
    """Return which features can be filtered; bad channels may hold NaN.

    Parameters
    ----------
    stream : xr.DataArray
        Over ``(time, feature)``.

    Returns
    -------
    ndarray of bool, shape (feature,)
        False for bad features that hold NaN.

    Raises
    ------
    DataError
        If a feature that is not bad holds NaN.
    """
    finite = np.isfinite(stream.values).all(axis=0)
    bad = stream["bad"].values if "bad" in stream.coords else np.zeros(finite.size, dtype=bool)
    if (~finite & ~bad).any():
        names = stream[stream.dims[1]].values
        check_finite(str(stream.name), stream.values[:, ~bad], names[~bad], stream["time"].values)
    return finite
