"""Recordings to and from pynapple's objects."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.errors import DataError
from neurokit.recording import build, checks
from neurokit.recording.core import Recording
from neurokit.recording.schema import FEATURE_DIMS, kind_of
from neurokit.warning import warn

if TYPE_CHECKING:
    import pynapple

__all__ = ["from_pynapple", "to_pynapple"]

# pynapple keeps these for itself: columns of its tables, or computed.
_RESERVED = ("rate", "start", "end")
_PREFIX = "events_"


def from_pynapple(**objects: Any) -> Recording:
    """Convert pynapple objects, each named as its stream shall be.

    Parameters
    ----------
    **objects
        A TsGroup becomes ``spikes`` whatever its name, with its metadata as facts about
        the units. Tsd, TsdFrame and TsdTensor become streams. An IntervalSet or Ts becomes
        events, its name without ``events_`` the ``trial_type`` unless a column says so.

    Returns
    -------
    Recording
        On pynapple's clock, in seconds.

    Raises
    ------
    DataError
        If an object is not pynapple's, or there are two groups of spikes.

    Examples
    --------
    >>> import pynapple as nap, numpy as np
    >>> group = nap.TsGroup({3: nap.Ts(np.array([0.1, 0.4])), 5: nap.Ts(np.array([0.2, 0.3]))})
    >>> from_pynapple(spikes=group)["spikes"]["id"].values
    array([3, 5])
    """
    import pynapple as nap

    streams: dict[str, xr.DataArray | xr.Dataset] = {}
    tables = []
    for name, item in objects.items():
        if isinstance(item, nap.TsGroup):
            if "spikes" in streams:
                raise DataError(f"{name!r} is a second TsGroup; a recording has one. Merge them.")
            streams["spikes"] = _spikes(item)
        elif isinstance(item, nap.Tsd | nap.TsdFrame | nap.TsdTensor):
            streams[name] = _stream(name, item)
        elif isinstance(item, nap.IntervalSet):
            tables.append(_intervals(name.removeprefix(_PREFIX), item))
        elif isinstance(item, nap.Ts):
            kind = name.removeprefix(_PREFIX)
            tables.append(
                pd.DataFrame({"onset": item.index.values, "duration": 0.0, "trial_type": kind})
            )
        else:
            raise DataError(
                f"{name!r} is a {type(item).__name__}, expected a TsGroup, Tsd, TsdFrame, "
                "TsdTensor, Ts or IntervalSet of pynapple."
            )
    events = pd.concat(tables, ignore_index=True) if tables else checks.no_events()
    return Recording(streams, events)


def to_pynapple(recording: Recording) -> dict[str, Any]:
    """Convert each stream and the events to pynapple.

    Parameters
    ----------
    recording : Recording
        Streams without a clock are left out: pynapple knows only time.

    Returns
    -------
    dict
        ``spikes`` a TsGroup with the units' facts as metadata, each other stream a
        TsdFrame (TsdTensor for images). ``events`` is an IntervalSet of the events that
        last; pynapple takes a microsecond from one that ends where the next begins. If
        they overlap, which an IntervalSet cannot hold, each type has its own,
        ``events_<type>``. Events without duration are a Ts for each type.

    Warns
    -----
    UserWarning
        If events of one type overlap.

    Examples
    --------
    >>> rec = Recording.from_spikes([0.1, 0.2], [3, 3], duration=1.0)
    >>> to_pynapple(rec)["spikes"][3].index.values
    array([0.1, 0.2])
    """
    import pynapple as nap

    out: dict[str, Any] = {}
    for name, stream in recording.streams.items():
        if isinstance(stream, xr.Dataset):
            out[name] = _ts_group(stream)
        elif stream.dims[0] == "time" and stream.ndim == 2:
            columns = [str(c) for c in stream[str(stream.dims[1])].values]
            facts = _facts(stream, str(stream.dims[1]))
            facts = {k: v for k, v in facts.items() if k not in columns}
            out[name] = nap.TsdFrame(
                t=stream["time"].values, d=stream.values, columns=columns, metadata=facts
            )
        elif stream.dims[0] == "time":
            out[name] = nap.TsdTensor(t=stream["time"].values, d=stream.values)
    support = nap.IntervalSet(recording.start, max(recording.stop, recording.start + 1e-6))
    return out | _event_objects(recording.events, support)


def _spikes(group: pynapple.TsGroup) -> xr.Dataset:
    ids = np.asarray(group.index)
    trains = [np.asarray(group[i].index) for i in ids]
    units = np.repeat(ids, [len(t) for t in trains])
    table = pd.DataFrame({"id": ids})
    for key in [c for c in group.metadata_columns if c != "rate"]:
        table[str(key)] = np.asarray(group.get_info(key))
    support = np.asarray(group.time_support.values)
    times = np.concatenate(trains) if trains else np.empty(0)
    start, stop = (float(support.min()), float(support.max())) if support.size else (0.0, 0.0)
    return build.spike_train(times, units, start, None, table).assign_attrs(start=start, stop=stop)


def _stream(name: str, item: Any) -> xr.DataArray:
    values, time = np.asarray(item.values), np.asarray(item.index, dtype=np.float64)
    dim = kind_of(name).dim
    coords: dict[str, Any] = {"time": time}
    if values.ndim == 1:
        values, coords[dim] = values[:, None], np.array([name])
    elif values.ndim == 2:
        coords[dim] = np.array([str(c) for c in item.columns])
        for key in item.metadata_columns:
            coords[str(key)] = (dim, np.asarray(item.get_info(key)))
    dims = ("time", dim) if values.ndim == 2 else ("time", "row", "column", "rgb")[: values.ndim]
    step = float(np.median(np.diff(time))) if time.size > 1 else 1.0
    attrs = {"sampling_rate": 1 / step if step > 0 else np.nan, "units": kind_of(name).units}
    return xr.DataArray(values, dims=dims, coords=coords, attrs=attrs)


def _intervals(name: str, item: pynapple.IntervalSet) -> pd.DataFrame:
    start, stop = np.asarray(item.start), np.asarray(item.end)
    out = pd.DataFrame({"onset": start, "duration": stop - start, "trial_type": name})
    for key in item.metadata_columns:
        out[str(key)] = np.asarray(item.get_info(key))
    return out


def _ts_group(spikes: xr.Dataset) -> pynapple.TsGroup:
    import pynapple as nap

    order = np.argsort(spikes["unit"].values, kind="stable")
    ends = np.bincount(spikes["unit"].values, minlength=spikes.sizes["unit"]).cumsum()
    trains = np.split(spikes["time"].values[order], ends[:-1])
    ids = spikes["id"].values.tolist()
    support = nap.IntervalSet(spikes.attrs["start"], spikes.attrs["stop"])
    facts = {k: v for k, v in _facts(spikes, "unit").items() if k != "id"}
    # A group sorts its members by id; sorted beforehand, the facts stay with their units.
    by_id = np.argsort(ids, kind="stable")
    members = {ids[i]: nap.Ts(trains[i], time_support=support) for i in by_id}
    return nap.TsGroup(
        members, time_support=support, metadata={k: v[by_id] for k, v in facts.items()}
    )


def _facts(stream: xr.DataArray | xr.Dataset, dim: str) -> dict[str, np.ndarray]:
    skip = {dim, *_RESERVED, *FEATURE_DIMS}
    return {
        str(c): np.asarray(stream[c].values)
        for c in stream.coords
        if stream[c].dims == (dim,) and str(c) not in skip
    }


def _event_objects(events: pd.DataFrame, support: pynapple.IntervalSet) -> dict[str, Any]:
    import pynapple as nap

    table = events.assign(trial_type=events["trial_type"].astype("str").fillna("event"))
    lasting = table["duration"] > 0
    out: dict[str, Any] = {}
    if lasting.any() and not _overlap(table[lasting]):
        out["events"] = _interval_set(table[lasting])
    elif lasting.any():
        for name, group in table[lasting].groupby("trial_type"):
            out[f"{_PREFIX}{name}"] = _interval_set(group)
    for name, group in table[~lasting].groupby("trial_type"):
        key = f"{_PREFIX}{name}"
        out[f"{key}_onsets" if key in out else key] = nap.Ts(
            group["onset"].to_numpy(), time_support=support
        )
    return out


def _overlap(events: pd.DataFrame) -> bool:
    stop = (events["onset"] + events["duration"]).to_numpy()
    return bool((events["onset"].to_numpy()[1:] < stop[:-1] - 1e-9).any())


def _interval_set(events: pd.DataFrame) -> pynapple.IntervalSet:
    import pynapple as nap

    facts = {
        str(c): _filled(events[c])
        for c in events.columns
        if c not in ("onset", "duration", *_RESERVED)
    }
    if _overlap(events):
        facts = {}
        name = events["trial_type"].iloc[0]
        warn(
            f"Events of type {name!r} overlap; pynapple joins them and forgets their other "
            "columns. Give them separate types to keep them apart."
        )
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "Some (starts|ends|epochs)|epochs have changed", UserWarning
        )
        return nap.IntervalSet(
            events["onset"].to_numpy(),
            (events["onset"] + events["duration"]).to_numpy(),
            metadata=facts,
        )


def _filled(column: pd.Series) -> np.ndarray:
    return (
        column.to_numpy() if column.dtype.kind in "iufb" else column.fillna("n/a").to_numpy(object)
    )
