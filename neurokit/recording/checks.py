"""What makes a stream valid: the checks that run when a recording is built, in order."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import instance
from neurokit.errors import DataError
from neurokit.recording.schema import FEATURE_DIMS, kind_of, likely_units, voltage_factor
from neurokit.warning import warn

__all__ = [
    "check_events",
    "check_finite",
    "check_meta",
    "check_spikes",
    "check_stream",
    "in_memory",
    "no_events",
    "plain_value",
    "text_array",
]

# Surface EEG stays under 1 mV and depth recordings under a few; ten times that, as a
# typical deviation, is another unit. The lower bound is the noise of no amplifier.
_PLAUSIBLE_VOLTS = (1e-9, 1e-2)
_AMPLITUDE_SAMPLES = 1024
_SPELLED_OUT = {"V": "volts", "mV": "millivolts", "uV": "microvolts", "nV": "nanovolts"}


def check_stream(name: str, stream: xr.DataArray) -> xr.DataArray:
    """Check a continuous or stimulus stream and bring it to the canonical form.

    Parameters
    ----------
    name : str
        The stream's name; its kind sets the rules (see :mod:`neurokit.recording.schema`).
    stream : xr.DataArray
        Dims ``(time, feature)`` with a ``time`` coordinate in seconds, or
        ``(presentation, ...)``; attrs ``sampling_rate`` in Hz and ``units``.

    Returns
    -------
    xr.DataArray
        The same data as float32 (images keep uint8), ``time`` as float64.

    Raises
    ------
    DataError
        If any rule is broken; the message names the rule, the stream and the remedy.
    """
    dims = tuple(str(d) for d in stream.dims)
    _check_dims(name, dims)
    _check_size(name, stream)
    stream = _canonical_values(name, stream)
    _check_attrs(name, stream, timed=dims[0] == "time")
    if dims[0] == "time":
        stream = _check_time(name, stream)
    _check_names(name, stream)
    if in_memory(stream):
        if kind_of(name).strict:
            _check_stream_finite(name, stream)
        _warn_amplitude(name, stream)
    return stream.rename(name)


def check_spikes(spikes: xr.Dataset) -> xr.Dataset:
    """Check a spike train and bring it to the canonical form.

    Parameters
    ----------
    spikes : xr.Dataset
        ``time`` (s) and ``unit`` (index into dimension ``unit``) over ``spike``; ``id``
        over ``unit``; attrs ``start`` and ``stop`` in seconds.

    Returns
    -------
    xr.Dataset
        ``time`` as float64, ``unit`` as int32.

    Raises
    ------
    DataError
        If times are unsorted, not finite or outside of the recorded interval, or if a
        spike points to no unit.
    """
    missing = {"time", "unit", "id"} - set(spikes.variables)
    if missing or "start" not in spikes.attrs or "stop" not in spikes.attrs:
        raise DataError(
            "Expected spikes with variables time(spike), unit(spike), id(unit) and attrs start "
            f"and stop; got {sorted(map(str, spikes.variables))} and attrs "
            f"{sorted(map(str, spikes.attrs))}. Try Recording.from_spikes(times, units)."
        )
    time = np.asarray(spikes["time"].values, dtype=np.float64)
    unit = np.asarray(spikes["unit"].values)
    _check_spike_times(time, float(spikes.attrs["start"]), float(spikes.attrs["stop"]))
    _check_spike_units(unit, np.asarray(spikes["id"].values))
    spikes = _fixed_width_strings(spikes)
    spikes["time"] = ("spike", time, spikes["time"].attrs or {"units": "s"})
    spikes["unit"] = ("spike", unit.astype(np.int32, copy=False))
    return spikes.set_coords(["id", "unit"])


def check_events(events: pd.DataFrame, stop: float | None) -> pd.DataFrame:
    """Check an event table and bring it to the canonical form.

    Parameters
    ----------
    events : pd.DataFrame
        BIDS columns: ``onset`` and ``duration`` in seconds, ``trial_type`` and any other.
    stop : float or None
        End of the recording in seconds; None when nothing in it has a clock.

    Returns
    -------
    pd.DataFrame
        Sorted by onset; ``n/a`` is missing; text columns have pandas' ``str`` dtype.

    Raises
    ------
    DataError
        If a column is missing, an onset is not a number, a duration is negative, or an
        event begins past the end.
    """
    instance("events", events, pd.DataFrame, "a table with columns onset and duration (s)")
    if events.empty and list(events.columns) == list(no_events().columns):
        return no_events()
    twice = [str(c) for c in events.columns[events.columns.duplicated()]]
    if twice:
        raise DataError(f"The events have columns twice: {twice}. Rename or drop the copies.")
    if "onset" not in events or "duration" not in events:
        raise DataError(
            f"Expected events with columns onset and duration (s); got {list(events.columns)}."
        )
    events = _canonical_events(events)
    bad = ~np.isfinite(events["onset"]) | (events["duration"] < 0)
    if bad.any():
        raise DataError(
            f"{int(bad.sum())} of {len(events)} events have an onset that is not finite or a "
            f"negative duration; the first is row {int(np.flatnonzero(bad)[0])}. Drop or mend them."
        )
    late = events["onset"] > stop if stop is not None else pd.Series(False, index=events.index)
    if late.any():
        raise DataError(
            f"{int(late.sum())} of {len(events)} events lie past the end: the last begins at "
            f"{events['onset'].max():g} s, the recording ends at {stop:g} s. Check that onsets are "
            "in seconds and belong to this file, or drop them with events[events.onset < end]."
        )
    return events


def no_events() -> pd.DataFrame:
    """Return an event table without rows.

    Returns
    -------
    pd.DataFrame
        With columns ``onset``, ``duration`` and ``trial_type``.

    Examples
    --------
    >>> list(no_events())
    ['onset', 'duration', 'trial_type']
    """
    return _empty_events().copy()


def check_meta(meta: Mapping[str, Any] | None) -> dict[str, Any]:
    """Check that metadata are plain data, which can be stored as text without pickle.

    Parameters
    ----------
    meta : mapping or None
        Subject, session, task, source, licence, citation and whatever else is known.

    Returns
    -------
    dict
        A copy with plain Python values and a ``history`` list.

    Raises
    ------
    DataError
        If a value is neither text, number, boolean, None, list nor dict of those.

    Examples
    --------
    >>> check_meta({"subject": "01"})
    {'subject': '01', 'history': []}
    """
    given = instance("meta", {} if meta is None else meta, Mapping, "a dict")
    plain = {str(k): plain_value(f"meta[{k!r}]", v) for k, v in given.items()}
    plain.setdefault("history", [])
    return plain


def plain_value(where: str, value: Any) -> Any:
    """Return ``value`` as plain Python data, or say where it is not.

    Parameters
    ----------
    where : str
        How the error message names the value.
    value : object
        NumPy scalars and arrays become numbers and lists.

    Returns
    -------
    object
        Text, number, boolean, None, or a list or dict of those.

    Raises
    ------
    DataError
        If it is anything else.

    Examples
    --------
    >>> import numpy as np
    >>> plain_value("attrs['tr']", np.float32(2))
    2.0
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    elif isinstance(value, Mapping):
        value = {str(k): plain_value(where, v) for k, v in value.items()}
    elif isinstance(value, list | tuple):
        value = [plain_value(where, v) for v in value]
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        raise DataError(
            f"{where} is a {type(value).__name__}, which is not plain data. Store it as text, "
            "number, list or dict."
        ) from None
    return value


def check_finite(name: str, block: np.ndarray, names: np.ndarray, time: np.ndarray) -> None:
    """Raise if a block of samples holds NaN or infinity.

    Parameters
    ----------
    name : str
        The stream's name.
    block : ndarray of shape (time, feature)
        The samples.
    names : ndarray of shape (feature,)
        Names for the message.
    time : ndarray of shape (time,)
        Sample times in seconds.

    Raises
    ------
    DataError
        Naming the first features that are not finite and where it begins.
    """
    # One pass: a sum is finite unless a sample is not (or the sum overflows, which
    # the exact test below then clears).
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(block.sum(dtype=np.float64)):
            return
    finite = np.isfinite(block)
    if finite.all():
        return
    columns = np.flatnonzero(~finite.all(axis=0))
    first = int(np.flatnonzero(~finite[:, columns[0]])[0])
    listed = ", ".join(repr(str(n)) for n in names[columns[:5]])
    raise DataError(
        f"Stream {name!r}: {columns.size} of {names.size} channels hold NaN or infinity: {listed}"
        f"{' …' if columns.size > 5 else ''} (first: {int((~finite[:, columns[0]]).sum())} samples "
        f"from {time[first]:g} s). Interpolate them, leave them out, or mark them with bads=[…]."
    )


def in_memory(stream: xr.DataArray) -> bool:
    """Tell whether a stream's samples are in memory rather than in a file.

    Parameters
    ----------
    stream : xr.DataArray
        Any stream.

    Returns
    -------
    bool
        False for data that are read on first use.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> in_memory(xr.DataArray(np.zeros(3)))
    True
    """
    # xarray says this of a Variable only by a private name; every public accessor loads.
    return isinstance(stream.variable._data, np.ndarray)


def text_array(values: Any) -> np.ndarray:
    """Return text of any dtype as NumPy's fixed-width text.

    Parameters
    ----------
    values : array-like of str
        Python objects, pandas' ``str`` or NumPy's ``StringDType``, which do not compare
        equal to one another.

    Returns
    -------
    ndarray of dtype ``U``
        The same text.

    Examples
    --------
    >>> text_array(["a", "bc"])
    array(['a', 'bc'], dtype='<U2')
    """
    # NumPy casts StringDType to fixed width only by way of objects.
    return np.asarray(values, dtype=object).astype(np.str_)


def _check_dims(name: str, dims: tuple[str, ...]) -> None:
    if dims and dims[0] == "presentation":
        return
    if (
        dims
        and dims[0] == "time"
        and (len(dims) > 2 or (len(dims) == 2 and dims[1] in FEATURE_DIMS))
    ):
        return
    if "time" in dims and dims[0] != "time":
        order = ("time", *(d for d in dims if d != "time"))
        raise DataError(
            f"Expected {name} with dims {order}; got {dims}. Try {name}.transpose{order}."
        )
    raise DataError(
        f"Expected {name} with dims ('time', {kind_of(name).dim!r}); got {dims}. The second "
        f"dimension is one of {FEATURE_DIMS}."
    )


def _check_size(name: str, stream: xr.DataArray) -> None:
    if stream.size == 0:
        raise DataError(f"Stream {name!r} is empty: {dict(stream.sizes)}. Select at least one.")


def _canonical_values(name: str, stream: xr.DataArray) -> xr.DataArray:
    if stream.dtype.kind not in "fiub":
        raise DataError(
            f"Stream {name!r} holds {stream.dtype}, not real numbers. Convert it to float32."
        )
    factor = voltage_factor(str(stream.attrs.get("units")))
    if factor is not None and kind_of(name).units == "V":
        if factor != 1:
            stream = stream.astype(np.float64) * factor
        stream = stream.assign_attrs(units="V")
    if stream.dtype != np.float32 and not (stream.dtype == np.uint8 and stream.ndim > 2):
        stream = stream.astype(np.float32)
    return _fixed_width_strings(stream)


def _fixed_width_strings(data: Any) -> Any:
    text = {
        key: (coord.dims, text_array(coord.values), coord.attrs)
        for key, coord in data.coords.items()
        if coord.dtype.kind in "OT"
    }
    odd = {key: str(key) for key in data.coords if not isinstance(key, str)}
    data = data.rename(odd) if odd else data
    return data.assign_coords(text) if text else data.copy(deep=False)


def _check_attrs(name: str, stream: xr.DataArray, timed: bool) -> None:
    for key, value in list(stream.attrs.items()):
        stream.attrs[key] = plain_value(f"{name}.attrs[{key!r}]", value)
    units = stream.attrs.setdefault("units", kind_of(name).units)
    if not isinstance(units, str) or not units:
        raise DataError(f"Stream {name!r}: attrs['units'] is {units!r}, expected text such as 'V'.")
    if not timed:
        return
    rate = stream.attrs.get("sampling_rate")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < np.inf:
        raise DataError(
            f"Stream {name!r}: the sampling rate is {rate!r}, expected a finite positive number "
            "of Hz in attrs['sampling_rate']."
        )
    stream.attrs["sampling_rate"] = float(rate)


def _check_time(name: str, stream: xr.DataArray) -> xr.DataArray:
    if "time" not in stream.coords:
        raise DataError(f"Stream {name!r} has no 'time' coordinate. Give each sample its second.")
    time = np.asarray(stream["time"].values)
    if time.dtype.kind not in "fiu" or not np.isfinite(time).all():
        raise DataError(f"Stream {name!r}: times are not finite seconds (dtype {time.dtype}).")
    time = time.astype(np.float64, copy=False)
    step = np.diff(time)
    if (step <= 0).any():
        at = int(np.flatnonzero(step <= 0)[0])
        raise DataError(
            f"Stream {name!r}: time is not sorted: sample {at + 1} at {time[at + 1]:g} s does not "
            f"follow {time[at]:g} s. Sort the samples and drop repeated ones."
        )
    if kind_of(name).strict:
        _check_rate(name, time, step, stream.attrs["sampling_rate"])
    return stream.assign_coords(time=("time", time, {"units": "s"}))


def _check_rate(name: str, time: np.ndarray, step: np.ndarray, rate: float) -> None:
    """Compare each step with the nominal one; clocks may drift by one percent."""
    if step.size == 0:
        return
    typical = float(np.median(step))
    if abs(typical * rate - 1) > 0.01:
        raise DataError(
            f"Stream {name!r}: sampling_rate says {rate:g} Hz but the times say {1 / typical:g} Hz."
        )
    off = np.abs(step - typical) > 0.5 * typical
    if off.any():
        at = int(np.flatnonzero(off)[0])
        raise DataError(
            f"Stream {name!r}: samples are not evenly spaced: {int(off.sum())} steps differ from "
            f"{typical:g} s by more than half, the first after {time[at]:g} s. Split the recording "
            "at its gaps, or resample it."
        )


def _check_names(name: str, stream: xr.DataArray) -> None:
    for dim in stream.dims[1:]:
        if dim not in FEATURE_DIMS or dim == "voxel":
            continue
        if dim not in stream.coords:
            raise DataError(
                f"Stream {name!r}: dimension {dim!r} has no coordinate. Name its "
                f"{stream.sizes[dim]} entries."
            )
        _check_unique(name, dim, stream[dim].values)


def _check_unique(name: str, dim: Hashable, names: np.ndarray) -> None:
    twice = [(n, k) for n, k in Counter(names.tolist()).items() if k > 1]
    if twice:
        listed = ", ".join(f"{n!r} x{k}" for n, k in twice[:5])
        raise DataError(
            f"Stream {name!r}: {dim} names are not unique: {listed}. Rename or drop the copies."
        )


def _check_stream_finite(name: str, stream: xr.DataArray) -> None:
    if stream.ndim != 2:
        return
    values, dim = stream.values, stream.dims[1]
    names = stream[dim].values
    if "bad" in stream.coords:
        good = ~stream["bad"].values.astype(bool)
        if not good.all():
            values, names = values[:, good], names[good]
    time = stream["time"].values if "time" in stream.coords else np.arange(len(values))
    check_finite(name, values, names, time)


def _warn_amplitude(name: str, stream: xr.DataArray) -> None:
    if stream.attrs["units"] != "V" or stream.ndim != 2:
        return
    sample = stream.values[:: max(1, stream.shape[0] // _AMPLITUDE_SAMPLES)]
    if "type" in stream.coords:
        brain = np.isin(stream["type"].values, ["eeg", "seeg", "ecog", "dbs", "lfp", ""])
        sample = sample[:, brain] if brain.any() else sample
    sample = sample[:, np.isfinite(sample).all(axis=0)]
    deviation = np.abs(sample - np.median(sample, axis=0)) if sample.size else np.zeros(1)
    typical = float(np.median(deviation)) * 1.4826
    if typical > _PLAUSIBLE_VOLTS[1] or 0 < typical < _PLAUSIBLE_VOLTS[0]:
        warn(
            f"Stream {name!r}: a typical amplitude of {typical:.3g} V is implausible; "
            f"{_unit_advice(typical)}"
        )


def _unit_advice(typical: float) -> str:
    if typical < _PLAUSIBLE_VOLTS[0]:
        return (
            "the values look like volts that were scaled to volts once more. If so, give the true "
            "unit, units='V'."
        )
    likely = likely_units(typical)
    if not likely:
        return (
            "the values look like no voltage. If they are counts of an amplifier, multiply them by "
            "its volts per count, or give units='a.u.'."
        )
    guess = " or ".join(_SPELLED_OUT[unit] for unit in likely)
    units = " or ".join(f"units={unit!r}" for unit in likely)
    return f"the values look like {guess} given as volts. If so, give the true unit, {units}."


def _check_spike_times(time: np.ndarray, start: float, stop: float) -> None:
    if not (np.isfinite(start) and np.isfinite(stop) and start <= stop):
        raise DataError(f"Spikes: the interval [{start}, {stop}] s is not an interval.")
    if time.size == 0:
        return
    if not np.isfinite(time).all():
        raise DataError(f"Spikes: {int((~np.isfinite(time)).sum())} times are not finite seconds.")
    if (np.diff(time) < 0).any():
        raise DataError(
            "Spikes: times are not sorted. Recording.from_spikes(times, units) sorts them."
        )
    if time[0] < start or time[-1] > stop:
        raise DataError(
            f"Spikes: times run from {time[0]:g} to {time[-1]:g} s, outside of the recorded "
            f"interval [{start:g}, {stop:g}] s. Are they in seconds?"
        )


def _check_spike_units(unit: np.ndarray, ids: np.ndarray) -> None:
    if unit.dtype.kind not in "iu":
        raise DataError(f"Spikes: unit indices are {unit.dtype}, expected integers.")
    if unit.size and (unit.min() < 0 or unit.max() >= ids.size):
        raise DataError(
            f"Spikes: unit indices run from {unit.min()} to {unit.max()}, but there are {ids.size} "
            "units."
        )
    _check_unique("spikes", "unit", ids)


@functools.cache
def _empty_events() -> pd.DataFrame:
    # Every recording without events needs this table, and pandas takes milliseconds over it.
    empty = pd.DataFrame({"onset": [], "duration": [], "trial_type": []}, dtype=np.float64)
    return empty.astype({"trial_type": "str"})


def _canonical_events(events: pd.DataFrame) -> pd.DataFrame:
    events = events.copy().reset_index(drop=True)
    events.columns = [str(c) for c in events.columns]
    for column in ("onset", "duration"):
        try:
            events[column] = pd.to_numeric(events[column].replace("n/a", np.nan)).astype(np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(
                f"Events: column {column!r} is not a number of seconds: {error}."
            ) from None
    events["duration"] = events["duration"].fillna(0.0)
    if "trial_type" not in events:
        events["trial_type"] = "n/a"
    for column in events.columns.difference(["onset", "duration"]):
        if isinstance(events[column].dtype, pd.api.extensions.ExtensionDtype):
            events[column] = _plain_numbers(events[column])
        if events[column].dtype.kind not in "iufb" or column == "trial_type":
            text = events[column].astype("str")
            events[column] = text.mask(text.isin(["n/a"]) | events[column].isna())
    return events.sort_values("onset", kind="stable").reset_index(drop=True)


def _plain_numbers(column: pd.Series) -> pd.Series:
    """Turn pandas' nullable numbers into NumPy's, where missing is NaN."""
    if column.dtype.kind not in "iufb":
        return column
    if column.isna().any():
        return pd.Series(column.to_numpy(np.float64, na_value=np.nan), index=column.index)
    return pd.Series(np.array(column.tolist()), index=column.index)
