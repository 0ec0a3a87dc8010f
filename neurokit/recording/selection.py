"""Cutting and joining streams: by time, by label, end to end."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence, Set
from typing import Any

import numpy as np
import xarray as xr

from neurokit.arguments import number
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording.clock import slack

__all__ = ["bounds", "by_label", "by_time", "join", "span"]

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


def bounds(time: np.ndarray, start: float, stop: float, closed: bool) -> slice:
    """Return which of some sorted times lie in an interval.

    Parameters
    ----------
    time : ndarray of shape (n,)
        In seconds.
    start, stop : float
        In seconds.
    closed : bool
        Whether a time at ``stop`` itself is in it.

    Returns
    -------
    slice
        Rounding errors do not move a time across a border.

    Examples
    --------
    >>> bounds(np.array([0.1, 0.2, 0.3]), 0.1, 0.1 + 0.2, closed=False)
    slice(0, 2, None)
    """
    # Times are quotients of integers; one ulp must not move a sample across a border.
    margin = slack(start, stop)
    last = stop + margin if closed else stop - margin
    return slice(int(np.searchsorted(time, start - margin)), int(np.searchsorted(time, last)))


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
            inside = bounds(stream["time"].values, start, stop, closed)
            if inside.start < inside.stop:
                kept[name] = stream.isel(time=inside)
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
    if not isinstance(labels, slice):
        there = [
            s["id" if isinstance(s, xr.Dataset) and key == "unit" else key].values
            for s in streams.values()
            if _has(s, key)
        ]
        _wanted(key, np.array([v for values in there for v in values.tolist()], object), labels)
    return {name: chosen.get(name, stream) for name, stream in streams.items()}


def join(parts: Sequence[Mapping[str, Stream]], shifts: Sequence[float]) -> dict[str, Stream]:
    """Join sets of streams in time.

    Parameters
    ----------
    parts : sequence of mapping
        Same names, features and rates.
    shifts : sequence of float
        Seconds added to the clock of each.

    Returns
    -------
    dict
        The joined streams. What is bad in one is bad in all.

    Raises
    ------
    DataError
        If they do not match.
    """
    for part in parts[1:]:
        if set(part) != set(parts[0]):
            raise DataError(
                f"Recordings hold different streams: {sorted(parts[0])} and {sorted(part)}. Keep "
                "those that both have."
            )
    return {name: _join(name, [part[name] for part in parts], shifts) for name in parts[0]}


def _cut_spikes(spikes: xr.Dataset, start: float, stop: float, closed: bool) -> xr.Dataset:
    cut = spikes.isel(spike=bounds(spikes["time"].values, start, stop, closed))
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
    (dim,) = stream[key].dims or (None,)
    if dim is None:
        raise DataError(f"{key} is one value for all of {name}, which cannot be selected by.")
    if isinstance(labels, slice):
        out = stream.isel({dim: _in_range(key, values, labels)})
    else:
        if key in stream.dims:
            wanted = _wanted(f"{key} of {name}", values, labels)
            place = {v: i for i, v in enumerate(values.tolist())}
            out = stream.isel({dim: [place[label] for label in wanted]})
        else:
            out = stream.isel({dim: np.flatnonzero(np.isin(values, _listed(labels)))})
    if out.size == 0:
        raise DataError(
            f"Empty selection: {key}={labels!r} matches nothing in {name}. "
            f"It has {sorted(set(map(str, values.tolist())))[:8]}."
        )
    return out


def _select_units(spikes: xr.Dataset, key: str, labels: Any) -> xr.Dataset:
    values = spikes[key].values
    if isinstance(labels, slice):
        chosen = _in_range(key, values, labels)
    elif key == "id":
        place = {v: i for i, v in enumerate(values.tolist())}
        wanted = _wanted("unit of spikes", values, labels)
        chosen = np.array([place[label] for label in wanted], dtype=np.int64)
    else:
        chosen = np.flatnonzero(np.isin(values, _listed(labels)))
    if np.unique(chosen).size < chosen.size:
        raise DataError(f"Units are asked for twice: {labels!r}. Name each once.")
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


def _in_range(key: str, values: np.ndarray, labels: slice) -> np.ndarray:
    """Return the places of a range of labels, both ends included."""
    if labels.step is not None:
        raise DataError(f"{key}={labels!r} has a step. Give first and last.")
    if key in ("channel", "roi", "variable") or values.dtype.kind == "U":
        ends = [labels.start, labels.stop]
        known = values.tolist()
        if len(set(known)) < len(known):
            raise DataError(f"{key}={labels!r}: the labels repeat and have no range. List them.")
        missing = [e for e in ends if e is not None and e not in known]
        if missing:
            raise UnknownNameError(key, str(missing[0]), map(str, known))
        first = 0 if labels.start is None else known.index(labels.start)
        last = len(known) if labels.stop is None else len(known) - known[::-1].index(labels.stop)
        return np.arange(first, last)
    inside = np.ones(values.size, dtype=bool)
    if labels.start is not None:
        inside &= values >= number(f"{key} (first)", labels.start)
    if labels.stop is not None:
        inside &= values <= number(f"{key} (last)", labels.stop)
    return np.flatnonzero(inside)


def _wanted(what: str, values: np.ndarray, labels: Any) -> list[Any]:
    """Return labels as a list, each of which is known."""
    listed, known = _listed(labels), values.tolist()
    for label in listed:
        if not isinstance(label, Hashable) or label not in known:
            raise UnknownNameError(what, str(label), map(str, dict.fromkeys(known)))
    return listed


def _listed(labels: Any) -> list[Any]:
    if isinstance(labels, str | Mapping) or (np.ndim(labels) == 0 and not isinstance(labels, Set)):
        return [labels.item() if isinstance(labels, np.generic | np.ndarray) else labels]
    return [v.item() if isinstance(v, np.generic) else v for v in labels]


def _join(name: str, parts: list[Stream], shifts: Sequence[float]) -> Stream:
    first, arrays = parts[0], [p for p in parts if isinstance(p, xr.DataArray)]
    if isinstance(first, xr.Dataset):
        return _join_spikes(parts, shifts)
    if "time" not in first.dims:
        return first
    for part in arrays[1:]:
        _check_alike(name, first, part)
    along = {str(k) for part in arrays for k, c in part.coords.items() if "time" in c.dims}
    later = [
        _with_flags(part, along).assign_coords(time=part["time"] + shift)
        for part, shift in zip(arrays, shifts, strict=True)
    ]
    joined = xr.concat(later, "time", coords="minimal", compat="override", join="override")
    bad = [part["bad"].values.astype(bool) for part in arrays if "bad" in part.coords]
    if bad:
        joined = joined.assign_coords(bad=(joined.dims[1], np.logical_or.reduce(bad)))
    return joined


def _with_flags(part: xr.DataArray, names: set[str]) -> xr.DataArray:
    """Add the flags along time that other parts have: without one, all samples are good."""
    flags = {n: ("time", np.ones(part.sizes["time"], bool)) for n in names - set(part.coords)}
    return part.assign_coords(flags)


def _check_alike(name: str, a: xr.DataArray, b: xr.DataArray) -> None:
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


def _join_spikes(parts: list[Stream], shifts: Sequence[float]) -> xr.Dataset:
    first, last = parts[0], parts[-1]
    if not all(np.array_equal(first["id"].values, part["id"].values) for part in parts):
        raise DataError("Spikes: the recordings hold different units. Select the same ones.")
    facts = {k: v for k, v in first.coords.items() if v.dims == ("unit",)}
    moved = [part["time"].values + shift for part, shift in zip(parts, shifts, strict=True)]
    unit = np.concatenate([part["unit"].values for part in parts])
    data = {"time": ("spike", np.concatenate(moved)), "unit": ("spike", unit)}
    ends = {"start": first.attrs["start"], "stop": float(last.attrs["stop"] + shifts[-1])}
    return xr.Dataset(data, coords=facts, attrs={**first.attrs, **ends})
