"""Stretches of signal around events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import name_list, number
from neurokit.errors import DataError, UnknownNameError
from neurokit.preprocessing.streams import chosen_stream
from neurokit.recording import Recording
from neurokit.recording.checks import in_memory, text_array
from neurokit.recording.clock import is_boundary, nearest_sample, sample_count, segments, within
from neurokit.warning import warn

__all__ = ["epoch"]


def epoch(
    rec: Recording,
    trial_type: str | Sequence[str] | None = None,
    start: float = -0.2,
    stop: float = 0.8,
    baseline: tuple[float | None, float | None] | None = None,
    stream: str | None = None,
) -> xr.DataArray:
    """Cut a stream around events.

    Epochs share no clock with the recording, so the result is a plain array and no
    :class:`Recording`.

    Parameters
    ----------
    rec : Recording
        With a continuous stream and events.
    trial_type : str or sequence of str, optional
        Which events; by default all but boundaries.
    start, stop : float
        Interval around the onset in seconds, half open: ``stop`` itself is not in it.
    baseline : tuple of two float or None, optional
        Interval ``[from, to]`` whose mean is subtracted from each epoch and channel; None
        is the epoch's own end.
    stream : str, optional
        By default the brain stream.

    Returns
    -------
    xr.DataArray
        Dims ``(epoch, time, channel)`` (or the stream's own second dimension), float32;
        ``time`` in seconds from the onset. Coordinates over ``epoch``: ``trial_type``,
        ``onset`` (s) and ``event``, the row in ``rec.events``. Onsets are rounded to the
        nearest sample. Epochs that reach beyond the recording or across a boundary or a gap are
        left out: a warning counts them, and so does ``attrs["left_out"]``.

    Raises
    ------
    DataError
        If no epoch is left, or an interval is empty.
    UnknownNameError
        If there is no such stream or trial type.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(500, 2))
    >>> events = pd.DataFrame({"onset": [1.0, 2.0], "duration": 0.0, "trial_type": ["a", "b"]})
    >>> rec = Recording.from_array(x, 100.0, ["C3", "C4"], events=events)
    >>> epochs = epoch(rec, "a", -0.1, 0.4)
    >>> epochs.sizes["time"], epochs["onset"].values
    (50, array([1.]))
    """
    name = chosen_stream(rec, stream)
    data = rec[name]
    rate = data.attrs["sampling_rate"]
    events = _chosen_events(rec.events, trial_type)
    start, stop = number("start (s)", start), number("stop (s)", stop)
    offset, length = sample_count(start, rate), sample_count(stop - start, rate)
    if length < 1:
        raise DataError(
            f"The interval from {start:g} to {stop:g} s holds no sample at {rate:g} Hz."
        )
    onset = events["onset"].to_numpy()
    first = nearest_sample(data["time"].values, rate, onset + offset / rate)
    inside = within(first, length, segments(rec, name))
    if not inside.all():
        _report(int((~inside).sum()), len(events), start, stop, none_left=not inside.any())
    events, first = events[inside], first[inside]
    coords = {key: c for key, c in data.coords.items() if "time" not in c.dims}
    kinds = events["trial_type"].fillna("n/a").astype(object)
    coords |= {
        "time": ("time", (offset + np.arange(length)) / rate, {"units": "s"}),
        "trial_type": ("epoch", text_array(kinds)),
        "onset": ("epoch", events["onset"].to_numpy(), {"units": "s"}),
        "event": ("epoch", events.index.to_numpy()),
    }
    attrs = {**data.attrs, "left_out": int((~inside).sum())}
    dims = ("epoch", "time", data.dims[1])
    epochs = xr.DataArray(_cut(data, first, length), coords, dims, name=name, attrs=attrs)
    return epochs if baseline is None else _corrected(epochs, baseline)


def _chosen_events(events: pd.DataFrame, trial_type: str | Sequence[str] | None) -> pd.DataFrame:
    kinds = events["trial_type"]
    if trial_type is None:
        chosen = events[~kinds.map(is_boundary).to_numpy(dtype=bool)]
    else:
        wanted = (
            [trial_type] if isinstance(trial_type, str) else name_list("trial_type", trial_type)
        )
        known = kinds.dropna().unique().tolist()
        for kind in wanted:
            if kind not in known:
                raise UnknownNameError("trial type", kind, known)
        chosen = events[kinds.isin(wanted)]
    if not len(chosen):
        raise DataError("The recording has no events to cut epochs around.")
    return chosen


def _report(n_out: int, n_events: int, start: float, stop: float, none_left: bool) -> None:
    text = (
        f"{n_out} of {n_events} epochs ({start:g} to {stop:g} s) reach beyond the recording or "
        "across a boundary"
    )
    if none_left:
        raise DataError(f"{text}: none is left. Choose a shorter interval.")
    warn(f"{text} and are left out.")


def _cut(data: xr.DataArray, first: np.ndarray, length: int) -> np.ndarray:
    if in_memory(data):
        return data.values[first[:, None] + np.arange(length)]
    # From a file, only what the epochs need is read.
    return np.stack([data[i : i + length].values for i in first])


def _corrected(epochs: xr.DataArray, baseline: tuple[float | None, float | None]) -> xr.DataArray:
    time = epochs["time"].values
    if not isinstance(baseline, tuple | list) or len(baseline) != 2:
        raise DataError(f"baseline is {baseline!r}, expected two seconds, such as (None, 0).")
    low = time[0] if baseline[0] is None else number("baseline (s)", baseline[0])
    high = time[-1] if baseline[1] is None else number("baseline (s)", baseline[1])
    slack = 1e-9 + 1e-6 / epochs.attrs["sampling_rate"]
    within = (time >= low - slack) & (time <= high + slack)
    if not within.any():
        raise DataError(
            f"The baseline from {low:g} to {high:g} s lies outside of the epochs, which run from "
            f"{time[0]:g} to {time[-1]:g} s."
        )
    mean = epochs.values[:, within].mean(axis=1, keepdims=True, dtype=np.float64)
    out = epochs.copy(data=(epochs.values - mean).astype(np.float32))
    out.attrs["baseline"] = [float(low), float(high)]
    return out
