"""Cutting and joining streams: by time, by label, end to end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from neurokit.errors import DataError, UnknownNameError

__all__ = ["by_label", "by_time", "join", "span"]

Stream = xr.DataArray | xr.Dataset


def span(stream: Stream) -> tuple[float, float] | None:
    """Return the interval that a stream covers.

    Parameters
    ----------
    stream : xr.DataArray or xr.Dataset
        A continuous stream or spikes.

    Returns
    -------
    tuple of float or None
        Start and stop in seconds; None for what has no clock.

    Examples
    --------
    >>> import xarray as xr
    >>> x = xr.DataArray([0, 0], {"time": [1.0, 1.5]}, ("time",), attrs={"sampling_rate": 2})
    >>> span(x)
    (1.0, 2.0)
    """
    if isinstance(stream, xr.Dataset):
        return float(stream.attrs["start"]), float(stream.attrs["stop"])
    if "time" not in stream.dims:
        return None
    time = stream["time"].values
    return float(time[0]), float(time[-1] + 1 / stream.attrs["sampling_rate"])


def by_time(
    streams: Mapping[str, Stream], start: float, stop: float, closed: bool
) -> dict[str, Stream]:
    """Cut all streams to an interval.

    Parameters
    ----------
    streams : mapping of str to stream
        Streams without a clock pass through.
    start, stop : float
        In seconds.
    closed : bool
        Whether a sample at ``stop`` itself is kept.

    Returns
    -------
    dict
        Without the streams that have nothing there.
    """
    kept: dict[str, Stream] = {}
    for name, stream in streams.items():
        if isinstance(stream, xr.Dataset):
            first, last = span(stream) or (0.0, 0.0)
            if first < stop and last > start:
                kept[name] = _cut_spikes(stream, start, stop, closed)
        elif "time" not in stream.dims:
            kept[name] = stream
        else:
            bounds = _bounds(stream["time"].values, start, stop, closed)
            if bounds.start < bounds.stop:
                kept[name] = stream.isel(time=bounds)
    return kept


def by_label(streams: Mapping[str, Stream], key: str, labels: Any) -> dict[str, Stream]:
    """Select by a coordinate's labels in every stream that has it.

    Parameters
    ----------
    streams : mapping of str to stream
        The streams.
    key : str
        A dimension or a coordinate along one; ``unit`` selects spikes by ``id``.
    labels : scalar, sequence or slice
        A sequence keeps the order asked for when ``key`` is a dimension.

    Returns
    -------
    dict
        All streams, those with the coordinate cut.

    Raises
    ------
    UnknownNameError
        If no stream has the coordinate, or a label is missing.
    DataError
        If nothing is selected.
    """
    chosen = {n: _select(n, s, key, labels) for n, s in streams.items() if _has(s, key)}
    if not chosen:
        raise UnknownNameError("coordinate", key, sorted(_selectable(streams)))
    return {name: chosen.get(name, stream) for name, stream in streams.items()}


def join(
    first: Mapping[str, Stream], second: Mapping[str, Stream], shift: float
) -> dict[str, Stream]:
    """Join two sets of streams in time.

    Parameters
    ----------
    first, second : mapping of str to stream
        Same names, features and rates.
    shift : float
        Seconds added to the second's clock.

    Returns
    -------
    dict
        The joined streams.

    Raises
    ------
    DataError
        If they do not match.
    """
    if set(first) != set(second):
        raise DataError(
            f"Recordings hold different streams: {sorted(first)} and {sorted(second)}. Keep those "
            "that both have."
        )
    return {name: _join(name, first[name], second[name], shift) for name in first}


def _bounds(time: np.ndarray, start: float, stop: float, closed: bool) -> slice:
    # Times are quotients of integers; one ulp must not move a sample across a border.
    slack = 1e-9 * max(1.0, abs(start), abs(stop))
    last = stop + slack if closed else stop - slack
    return slice(int(np.searchsorted(time, start - slack)), int(np.searchsorted(time, last)))


def _cut_spikes(spikes: xr.Dataset, start: float, stop: float, closed: bool) -> xr.Dataset:
    cut = spikes.isel(spike=_bounds(spikes["time"].values, start, stop, closed))
    first, last = span(spikes) or (start, stop)
    cut.attrs = {**spikes.attrs, "start": max(start, first), "stop": min(stop, last)}
    time = cut["time"].values
    if time.size:
        cut.attrs["start"] = min(cut.attrs["start"], float(time[0]))
        cut.attrs["stop"] = max(cut.attrs["stop"], float(time[-1]))
    return cut


def _has(stream: Stream, key: str) -> bool:
    if isinstance(stream, xr.Dataset):
        return key == "unit" or (key in stream.coords and stream[key].dims == ("unit",))
    return key in stream.coords and key != "time"


def _selectable(streams: Mapping[str, Stream]) -> set[str]:
    names = {str(c) for s in streams.values() for c in s.coords if _has(s, str(c))}
    return names - {"time"}


def _select(name: str, stream: Stream, key: str, labels: Any) -> Stream:
    if isinstance(stream, xr.Dataset):
        return _select_units(stream, "id" if key == "unit" else key, labels)
    values = stream[key].values
    if isinstance(labels, slice):
        out = stream.sel({key: labels})
    elif key in stream.dims:
        known = {v: i for i, v in enumerate(values.tolist())}
        wanted = _as_list(labels)
        for label in wanted:
            if label not in known:
                raise UnknownNameError(f"{key} of {name}", str(label), map(str, known))
        out = stream.isel({key: [known[label] for label in wanted]})
    else:
        (dim,) = stream[key].dims
        out = stream.isel({dim: np.flatnonzero(np.isin(values, _as_list(labels)))})
    if out.size == 0:
        raise DataError(
            f"Empty selection: {key}={labels!r} matches nothing in {name}. "
            f"It has {sorted(set(map(str, values.tolist())))[:8]}."
        )
    return out


def _select_units(spikes: xr.Dataset, key: str, labels: Any) -> xr.Dataset:
    values = spikes[key].values
    chosen = np.flatnonzero(np.isin(values, _as_list(labels)))
    if not chosen.size:
        raise DataError(
            f"Empty selection: {key}={labels!r} matches no unit. The units have "
            f"{sorted(set(map(str, values.tolist())))[:8]}."
        )
    renumber = np.full(values.size, -1, dtype=np.int32)
    renumber[chosen] = np.arange(chosen.size, dtype=np.int32)
    unit = renumber[spikes["unit"].values]
    out = spikes.drop_vars("unit").isel(unit=chosen, spike=np.flatnonzero(unit >= 0))
    return out.assign_coords(unit=("spike", unit[unit >= 0]))


def _as_list(labels: Any) -> list[Any]:
    if isinstance(labels, str) or np.ndim(labels) == 0:
        return [labels]
    return np.asarray(labels).tolist() if not isinstance(labels, list) else labels


def _join(name: str, a: Stream, b: Stream, shift: float) -> Stream:
    if isinstance(a, xr.Dataset) or isinstance(b, xr.Dataset):
        return _join_spikes(a, b, shift)
    if "time" not in a.dims:
        return a
    if a.attrs["sampling_rate"] != b.attrs["sampling_rate"] or a.attrs["units"] != b.attrs["units"]:
        raise DataError(
            f"Stream {name!r}: cannot join {a.attrs['sampling_rate']:g} Hz in {a.attrs['units']} "
            f"and {b.attrs['sampling_rate']:g} Hz in {b.attrs['units']}. Resample one."
        )
    for dim in a.dims[1:]:
        if a.sizes[dim] != b.sizes[dim] or not np.array_equal(a[dim].values, b[dim].values):
            raise DataError(
                f"Stream {name!r}: the recordings differ in {dim}. Select and order the same ones."
            )
    later = b.assign_coords(time=b["time"] + shift)
    return xr.concat([a, later], "time", coords="minimal", compat="override", join="override")


def _join_spikes(a: Stream, b: Stream, shift: float) -> xr.Dataset:
    if not np.array_equal(a["id"].values, b["id"].values):
        raise DataError("Spikes: the recordings hold different units. Select the same ones.")
    (start, _), (_, stop) = span(a) or (0.0, 0.0), span(b) or (0.0, 0.0)
    facts = {k: v for k, v in a.coords.items() if v.dims == ("unit",)}
    data = {
        "time": ("spike", np.concatenate([a["time"].values, b["time"].values + shift])),
        "unit": ("spike", np.concatenate([a["unit"].values, b["unit"].values])),
    }
    return xr.Dataset(data, coords=facts, attrs={**a.attrs, "start": start, "stop": stop + shift})
