"""Recordings from files of plain arrays, by a mapping that says which array is what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.datasets.array_files import Arrays
from neurokit.errors import DataError, ReadError
from neurokit.recording import build, checks
from neurokit.recording.core import Recording
from neurokit.recording.schema import FEATURE_DIMS, kind_of, voltage_factor
from neurokit.warning import warn

__all__ = ["recording_from_arrays"]

_TIMES = ("spike_times", "times", "spiketimes", "spike_time", "spikes", "ts", "t")
_UNITS = ("spike_clusters", "units", "unit", "unit_ids", "spike_unit", "spike_units", "clusters")
_SPEC = ("array", "axes", "time", "sampling_rate", "start", "names", "coords", "scale", "units")

_ROUNDING = 1e-4

Number = float | str
Spec = Mapping[str, Any]


def recording_from_arrays(
    arrays: Arrays,
    *,
    times: str | None = None,
    units: str | None = None,
    start: Number | None = None,
    stop: Number | None = None,
    duration: Number | None = None,
    time_scale: float = 1.0,
    n_units: int | str | None = None,
    unit_facts: Mapping[str, str] | None = None,
    select: Mapping[str, Any] | None = None,
    streams: Mapping[str, Spec] | None = None,
    intervals: Mapping[str, Any] | None = None,
    segments: Mapping[str, Any] | None = None,
    segment: int | None = None,
    facts: Mapping[str, str] | None = None,
    meta: Mapping[str, Any] | None = None,
) -> Recording | list[Recording]:
    """Make a recording of named arrays.

    All arguments are plain data, so that a card can hold them. Where a number is expected,
    text is the name of an array that holds it.

    Parameters
    ----------
    arrays : Arrays
        From a file.
    times, units : str, optional
        Spike times (s) and the unit of each. Without ``streams`` the usual names are found by
        themselves, with a warning of the arrays that are left out.
    start, stop, duration : float or str, optional
        The interval that spikes were recorded in, in seconds.
    time_scale : float
        Seconds per unit of ``times``, such as 1e-3 for milliseconds.
    n_units : int or str, optional
        How many units there are; their ids are 0, 1, …. By default those that fired.
    unit_facts : mapping, optional
        Arrays with one entry a unit, e.g. ``{"region": "location"}``.
    select : mapping, optional
        Keep the spikes for which an array has a value, e.g. ``{"session": 2}``.
    streams : mapping, optional
        By the stream's name: ``array`` (a name, or several to set side by side), ``axes``
        (``"time"``, ``"channel"``, ``"presentation"`` …, in the array's order; by default
        time and the kind's own; ``"trial"`` beside ``"time"`` lays trials end to end and
        marks them as events), ``time`` (name of the time stamps), ``sampling_rate`` (Hz),
        ``start`` (s), ``names`` (of the features: an array or a list), ``coords``
        (``{axis: {coordinate: array}}``), ``scale`` (factor) and ``units``.
    intervals : mapping, optional
        By ``trial_type``: an array of times, or of starts and stops ``(n, 2)``; a list of
        those; or ``{"array": …, "names": …}`` with the type of each row.
    segments : mapping, optional
        How a long array is cut along time: ``offsets`` (an array of n + 1 samples) and
        ``facts`` (arrays with one entry a segment, which go to the metadata).
    segment : int, optional
        The one wanted; by default all, as a list.
    facts : mapping, optional
        Small arrays for the metadata.
    meta : mapping, optional
        Metadata as they are: subject, licence and so on.

    Returns
    -------
    Recording or list of Recording
        A list if ``segments`` are given and no ``segment``.

    Raises
    ------
    ReadError
        If nothing says what the arrays are.
    DataError
        If shapes contradict the mapping.
    UnknownNameError
        If an array is asked for that is not there.

    Examples
    --------
    >>> arrays = Arrays("a.npz", {"X": np.ones((2, 6)), "fs": np.array(3.0)})
    >>> eeg = {"array": "X", "axes": ["channel", "time"], "sampling_rate": "fs", "units": "uV"}
    >>> recording_from_arrays(arrays, streams={"eeg": eeg})
    <Recording 0–2 s: eeg (6 time × 2 channel, 3 Hz, V); 0 events>
    """
    known = {
        **{k: arrays[v].squeeze().tolist() for k, v in (facts or {}).items()},
        **(meta or {}),
        "source": arrays.source,
    }
    if segments is not None:
        if times is not None or intervals:
            raise DataError(
                "Segments cut continuous streams; spikes and intervals do not go along."
            )
        return _segmented(arrays, segments, segment, streams or {}, known)
    built, events = _streams(arrays, streams or {}, slice(None))
    guessed = times is None and units is None
    times, units = _spike_names(arrays, times, units, bool(streams))
    if times is not None and units is not None:
        bounds = (_number(arrays, start), _number(arrays, stop), _number(arrays, duration))
        facts_of_units = _unit_table(arrays, n_units, unit_facts or {})
        built["spikes"] = _spikes(
            arrays, times, units, time_scale, bounds, facts_of_units, select or {}
        )
    tables = [*events, *(_interval(arrays, k, v) for k, v in (intervals or {}).items())]
    if guessed and times is not None and units is not None:
        _warn_of_left_out(arrays, times, units)
    return Recording(built, _joined(tables), known)


def _segmented(
    arrays: Arrays,
    segments: Spec,
    segment: int | None,
    streams: Mapping[str, Spec],
    known: dict[str, Any],
) -> Recording | list[Recording]:
    offsets = _vector(arrays, segments["offsets"]).astype(np.int64)
    n = offsets.size - 1
    if n < 1 or (np.diff(offsets) <= 0).any():
        raise DataError(f"{arrays.source}: segment offsets must rise; got {offsets[:5]} ….")
    if segment is not None and not 0 <= segment < n:
        raise DataError(f"{arrays.source} has segments 0 to {n - 1}; got {segment}.")
    columns = {k: _vector(arrays, v) for k, v in segments.get("facts", {}).items()}
    short = {k: v.size for k, v in columns.items() if v.size != n}
    if short:
        raise DataError(f"{arrays.source}: {n} segments, but facts of other lengths: {short}.")

    def one(i: int) -> Recording:
        part, events = _streams(arrays, streams, slice(int(offsets[i]), int(offsets[i + 1])))
        own = {k: v[i].item() for k, v in columns.items()}
        return Recording(part, _joined(events), {**known, **own, "segment": i})

    return [one(i) for i in range(n)] if segment is None else one(segment)


def _spike_names(
    arrays: Arrays, times: str | None, units: str | None, others: bool
) -> tuple[str | None, str | None]:
    if times is None and units is None and others:
        return None, None
    times = times or next((n for n in _TIMES if n in arrays), None)
    units = units or next((n for n in _UNITS if n in arrays), None)
    if times is None or units is None:
        raise ReadError(
            f"{arrays.source}: say which array is what. It holds {arrays.describe()}. For spikes "
            "give times='…', units='…'; for signals streams={'eeg': {'array': '…', 'axes': "
            "['channel', 'time'], 'sampling_rate': 250}}."
        )
    return times, units


def _warn_of_left_out(arrays: Arrays, times: str, units: str) -> None:
    """Tell what lies beside spikes that were found by themselves: nobody chose to do without it."""
    # Single numbers and text, such as a rate or names, are no data that would be missed.
    untouched = [(name, arrays[name]) for name in arrays.untouched]
    rest = [name for name, x in untouched if x.size > 1 and x.dtype.kind in "fiub"]
    if rest:
        listed = ", ".join(map(repr, rest[:12])) + f" and {len(rest) - 12} more" * (len(rest) > 12)
        warn(
            f"{arrays.source}: the spikes were found ({times!r} and {units!r}), and these other "
            f"arrays were left out: {listed}. To read them, say which is what: times={times!r}, "
            f"units={units!r}, streams={{'behaviour': {{'array': ['…', '…'], 'time': '…'}}}} with "
            "time stamps in s or with 'sampling_rate' in Hz; intervals= for events. To do without "
            "them, give times= and units= alone."
        )


def _spikes(
    arrays: Arrays,
    times: str,
    units: str,
    scale: float,
    bounds: tuple[float | None, float | None, float | None],
    table: pd.DataFrame | None,
    select: Mapping[str, Any],
) -> xr.Dataset:
    seconds, unit = _vector(arrays, times).astype(np.float64) * scale, _vector(arrays, units)
    if seconds.size != unit.size:
        raise DataError(
            f"{arrays.source}: {times!r} has {seconds.size} entries, {units!r} {unit.size}."
        )
    keep = np.ones(seconds.size, dtype=bool)
    for name, value in select.items():
        labels = _vector(arrays, name)
        if labels.size != seconds.size:
            raise DataError(
                f"{arrays.source}: {name!r} has {labels.size} entries, not one a spike."
            )
        if not (labels == value).any():
            raise DataError(f"{arrays.source}: no {name} is {value!r}: {np.unique(labels)[:20]}.")
        keep &= labels == value
    unit = unit.astype(np.int64) if unit.dtype.kind == "f" and (unit % 1 == 0).all() else unit
    start, stop, duration = bounds
    begin = 0.0 if start is None else start
    train = build.spike_train(seconds[keep], unit[keep], begin, duration, table)
    end = train.attrs["stop"] if stop is None else stop
    last = float(train["time"].values.max(initial=begin))
    # A rounded end may fall short of a spike at the very end; anything more is an error.
    return train.assign_attrs(stop=last if 0 < last - end < _ROUNDING else end)


def _unit_table(
    arrays: Arrays, n_units: int | str | None, unit_facts: Mapping[str, str]
) -> pd.DataFrame | None:
    columns = {key: _vector(arrays, name) for key, name in unit_facts.items()}
    if n_units is not None:
        columns = {"id": np.arange(int(_number(arrays, n_units) or 0)), **columns}
    elif columns:
        columns = {"id": np.arange(next(iter(columns.values())).size), **columns}
    lengths = {k: v.size for k, v in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{arrays.source}: facts about units differ in length: {lengths}.")
    return pd.DataFrame(columns) if columns else None


def _streams(
    arrays: Arrays, streams: Mapping[str, Spec], rows: slice
) -> tuple[dict[str, Any], list[pd.DataFrame]]:
    out: dict[str, Any] = {}
    events: list[pd.DataFrame] = []
    for name, spec in streams.items():
        unknown = set(spec) - set(_SPEC)
        if unknown or "array" not in spec:
            raise DataError(
                f"Stream {name!r}: expected 'array' and any of {_SPEC[1:]}; got {sorted(spec)}."
            )
        out[name], trials = _stream(arrays, name, spec, rows)
        # Streams that were recorded in the same trials mark them once.
        events += [t for t in trials if not any(t.equals(other) for other in events)]
    return out, events


def _stream(
    arrays: Arrays, name: str, spec: Spec, rows: slice
) -> tuple[xr.DataArray, list[pd.DataFrame]]:
    values, keys = _values(arrays, spec["array"])
    dim = kind_of(name).dim
    axes = [str(a) for a in spec.get("axes", ("time", dim))]
    values = _fit(values, axes, f"{arrays.source}: {', '.join(keys)}")
    data = xr.DataArray(values, dims=axes)
    if "time" in axes:
        data = data.isel(time=rows)
    data = data.assign_coords(_coords(arrays, spec, data, keys))
    if "time" not in axes:
        first = "presentation"
        if first not in axes:
            raise DataError(f"Stream {name!r}: axes {axes} name neither 'time' nor 'presentation'.")
        data = data.transpose(first, ...)
        return _numbered(_scaled(arrays, data, spec, name)), []
    time, rate = _clock(arrays, spec, name, data.sizes["time"], rows)
    events: list[pd.DataFrame] = []
    if "trial" in axes:
        data, events = _end_to_end(data, rate, time)
        time = build.time_axis(data.sizes["time"], rate)
    data = data.transpose("time", ...).assign_coords(time=time)
    if data.ndim == 1:
        data = data.expand_dims({dim: [keys[0]]}, axis=1)
        if "names" in spec:
            data = data.assign_coords({dim: _names(arrays, spec["names"])})
    data.attrs["sampling_rate"] = rate
    return _numbered(_scaled(arrays, data, spec, name)), events


def _values(arrays: Arrays, given: str | Sequence[str]) -> tuple[np.ndarray, list[str]]:
    if isinstance(given, str):
        return arrays[given], [given]
    parts = [_vector(arrays, key) for key in given]
    if len({p.size for p in parts}) != 1:
        raise DataError(f"{arrays.source}: {list(given)} differ in length and cannot be columns.")
    return np.stack(parts, axis=1), list(given)


def _fit(values: np.ndarray, axes: list[str], where: str) -> np.ndarray:
    """Drop the single entries that MATLAB adds, until the array has the axes."""
    while values.ndim > len(axes) and 1 in values.shape:
        values = values.squeeze(values.shape.index(1))
    if values.ndim != len(axes) or len(set(axes)) != len(axes):
        raise DataError(f"{where} has shape {values.shape}, which does not fit the axes {axes}.")
    if values.dtype.kind not in "fiub":
        raise DataError(f"{where} holds {values.dtype}, not numbers.")
    return values


def _coords(
    arrays: Arrays, spec: Spec, data: xr.DataArray, keys: list[str]
) -> dict[str, tuple[str, np.ndarray]]:
    out: dict[str, tuple[str, np.ndarray]] = {}
    for axis, named in spec.get("coords", {}).items():
        for coordinate, key in named.items():
            out[str(coordinate)] = (str(axis), _names(arrays, key))
    feature = next((str(d) for d in data.dims if d in FEATURE_DIMS), None)
    if feature is not None:
        if "names" in spec:
            out[feature] = (feature, _names(arrays, spec["names"]))
        elif len(keys) > 1:
            out[feature] = (feature, np.array(keys))
    for coordinate, (axis, labels) in out.items():
        if axis not in data.dims or labels.size != data.sizes[axis]:
            raise DataError(
                f"{arrays.source}: {labels.size} entries of {coordinate!r} for axis {axis!r} of "
                f"{dict(data.sizes)}."
            )
    return out


def _clock(arrays: Arrays, spec: Spec, name: str, n: int, rows: slice) -> tuple[np.ndarray, float]:
    rate = _number(arrays, spec.get("sampling_rate"))
    if "time" in spec:
        time = _vector(arrays, spec["time"]).astype(np.float64)[rows]
        if time.size != n:
            raise DataError(f"Stream {name!r}: {n} samples but {time.size} time stamps.")
        step = float(np.median(np.diff(time))) if n > 1 else 0.0
        rate = rate if rate is not None else (1 / step if step > 0 else None)
    if rate is None or not 0 < rate < np.inf:
        raise DataError(
            f"Stream {name!r}: nothing says how often it was sampled (got {rate!r}). Give "
            "sampling_rate in Hz, or time stamps by time."
        )
    if "time" not in spec:
        time = build.time_axis(n, rate, _number(arrays, spec.get("start")) or 0.0)
    return time, rate


def _end_to_end(
    data: xr.DataArray, rate: float, time: np.ndarray
) -> tuple[xr.DataArray, list[pd.DataFrame]]:
    """Lay trials end to end; mark each, and the zero of its own clock where it has one."""
    n_trials, n = data.sizes["trial"], data.sizes["time"]
    rest = [d for d in data.dims if d not in ("trial", "time")]
    kept = {k: v for k, v in data.coords.items() if set(v.dims) <= set(rest)}
    ordered = data.transpose("trial", "time", *rest)
    flat = ordered.values.reshape(n_trials * n, *ordered.shape[2:])
    onset = np.arange(n_trials) * (n / rate)
    number = np.arange(n_trials)
    tables = [
        pd.DataFrame({"onset": onset, "duration": n / rate, "trial_type": "trial", "trial": number})
    ]
    if time[0] < 0 <= time[-1]:
        zero = pd.DataFrame({"onset": onset - time[0], "duration": 0.0, "trial_type": "zero"})
        tables.append(zero.assign(trial=number))
    return xr.DataArray(flat, dims=("time", *rest), coords=kept), tables


def _scaled(arrays: Arrays, data: xr.DataArray, spec: Spec, name: str) -> xr.DataArray:
    scale = _number(arrays, spec.get("scale"))
    units = str(spec.get("units", kind_of(name).units))
    factor = voltage_factor(units) if kind_of(name).units == "V" else None
    total = (1.0 if scale is None else scale) * (1.0 if factor is None else factor)
    attrs = {**data.attrs, "units": units if factor is None else "V"}
    if total != 1:
        data = (data * np.float64(total)).astype(np.float32)
    return data.assign_attrs(attrs)


def _numbered(data: xr.DataArray) -> xr.DataArray:
    """Give numbers as names to features that have none."""
    bare = [d for d in data.dims if d in FEATURE_DIMS and d not in data.coords]
    return data.assign_coords({d: np.arange(data.sizes[d]).astype(np.str_) for d in bare})


def _interval(arrays: Arrays, name: str, given: Any) -> pd.DataFrame:
    spec = given if isinstance(given, Mapping) else {"array": given}
    found = arrays[spec["array"]] if isinstance(spec["array"], str) else np.asarray(spec["array"])
    bounds = found.astype(np.float64)
    if bounds.ndim != 2 or bounds.shape[1] != 2:
        if bounds.squeeze().ndim > 1:
            raise DataError(
                f"Intervals {name!r}: expected times or (n, 2) starts and stops; got "
                f"{bounds.shape}."
            )
        bounds = np.repeat(bounds.reshape(-1, 1), 2, axis=1)
    kinds: Any = _names(arrays, spec["names"]) if "names" in spec else name
    length = bounds[:, 1] - bounds[:, 0]
    return pd.DataFrame({"onset": bounds[:, 0], "duration": length}).assign(trial_type=kinds)


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    tables = [t for t in tables if len(t)]
    return pd.concat(tables, ignore_index=True) if tables else checks.no_events()


def _number(arrays: Arrays, given: float | str | None) -> float | None:
    if not isinstance(given, str):
        return given
    value = arrays[given]
    if value.size != 1 or value.dtype.kind not in "fiub":
        raise DataError(f"{arrays.source}: {given!r} has shape {value.shape}, expected one number.")
    return float(value.reshape(()).item())


def _names(arrays: Arrays, given: str | Sequence[Any]) -> np.ndarray:
    found = arrays[given].ravel() if isinstance(given, str) else np.asarray(given)
    return found if found.dtype.kind in "fiub" else checks.text_array(found)


def _vector(arrays: Arrays, name: str) -> np.ndarray:
    values = arrays[name]
    if values.size != max(values.shape, default=1):
        raise DataError(f"{arrays.source}: {name!r} has shape {values.shape}, expected a vector.")
    return values.reshape(-1)
