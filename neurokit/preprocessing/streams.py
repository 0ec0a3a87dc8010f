"""Which stream a step works on, and which of its features can be filtered."""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurokit.arguments import instance, text
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording
from neurokit.recording.checks import check_finite

__all__ = ["chosen_stream", "finite_columns"]

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
    instance("The recording", recording, Recording, "a neurokit Recording")
    flat = [
        name
        for name, data in recording.streams.items()
        if isinstance(data, xr.DataArray) and data.ndim == 2 and data.dims[0] == "time"
    ]
    if stream is not None:
        text("stream", stream)
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
