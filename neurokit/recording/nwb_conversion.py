"""Recordings to and from pynwb's objects.

Kept on the way to NWB and back: every stream over time and one feature dimension, to the
bit, with times, attributes and the coordinates of its features; spikes with all facts about
their units; events with all columns; metadata and history. Not kept: other coordinates along
time. Streams without a clock, and images, are refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import like
from neurokit.errors import DataError
from neurokit.recording.build import time_axis
from neurokit.recording.checks import text_array
from neurokit.recording.nwb_parts import (
    ELECTRICAL_TYPES,
    META_TAG,
    NwbSeries,
    assemble,
    interval_events,
    plain_columns,
    tagged,
    unit_stream,
)

if TYPE_CHECKING:
    import pynwb

    from neurokit.recording.core import Recording

__all__ = ["from_nwb", "to_nwb"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FACTS = {
    "session": "session_id",
    "identifier": "identifier",
    "description": "session_description",
    "institution": "institution",
    "lab": "lab",
    "experimenter": "experimenter",
    "citation": "related_publications",
}
_SUBJECT = {
    "subject": "subject_id",
    "species": "species",
    "sex": "sex",
    "age": "age",
    "genotype": "genotype",
}


def from_nwb(nwbfile: pynwb.NWBFile) -> Recording:
    """Convert an NWB object; the rules are those of ``neurokit.datasets.nwb.read_nwb``.

    Parameters
    ----------
    nwbfile : pynwb.NWBFile
        From :class:`pynwb.NWBHDF5IO` or made in memory.

    Returns
    -------
    Recording
        Samples are in memory.

    Raises
    ------
    DataError
        If there is nothing that a stream can be made of.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> rec = Recording.from_spikes([0.1, 0.2], [3, 4], duration=1.0)
    >>> from_nwb(to_nwb(rec))["spikes"].identical(rec["spikes"])
    True
    """
    like("nwbfile", nwbfile, "acquisition", "a pynwb.NWBFile (nk.datasets.read reads files)")
    found, skipped = [], []
    for where, item in _time_series(nwbfile):
        one = _series(nwbfile, where, item)
        skipped.append(f"{where} ({item.neurodata_type})") if one is None else found.append(one)
    tables = {**(nwbfile.intervals or {}), **(getattr(nwbfile, "events", None) or {})}
    for name in ("trials", "epochs", "invalid_times"):
        table = getattr(nwbfile, name, None)
        tables |= {} if table is None else {name: table}
    events = interval_events({n: _interval_table(tables[n]) for n in sorted(tables)})
    meta = _meta(nwbfile)
    if nwbfile.electrodes is not None and not any(s.type in ELECTRICAL_TYPES for s in found):
        meta["electrodes"] = plain_columns(_table(nwbfile.electrodes))
    if skipped:
        meta["not_read"] = skipped
    return assemble(found, _units(nwbfile, events), events, meta)


def to_nwb(recording: Recording) -> pynwb.NWBFile:
    """Convert to an NWB object, to be written by :class:`pynwb.NWBHDF5IO`.

    Parameters
    ----------
    recording : Recording
        Voltages become electrical series with electrodes, other streams plain time series,
        spikes the units table, events one interval table. The session's start is
        ``meta["session_start_time"]``, else 1970-01-01.

    Returns
    -------
    pynwb.NWBFile
        ``read_nwb`` of the written file gives an identical recording.

    Raises
    ------
    DataError
        If a stream has no clock or more than two dimensions.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> import numpy as np
    >>> x = 1e-5 * np.random.default_rng(0).normal(size=(100, 2))
    >>> to_nwb(Recording.from_array(x, 100)).acquisition["eeg"].rate
    100.0
    """
    _check_convertible(recording)
    nwbfile = _empty(recording.meta)
    voltages = {
        name: stream
        for name, stream in recording.streams.items()
        if isinstance(stream, xr.DataArray) and stream.attrs["units"] == "V"
    }
    rows = _add_electrodes(nwbfile, voltages) if voltages else {}
    for name, stream in recording.streams.items():
        if isinstance(stream, xr.Dataset):
            _add_units(nwbfile, stream)
        else:
            _add_series(nwbfile, name, stream, rows.get(name))
    if len(recording.events):
        _add_events(nwbfile, recording.events)
    return nwbfile


def _time_series(nwbfile: pynwb.NWBFile) -> Iterator[tuple[str, Any]]:
    from pynwb import TimeSeries

    roots = [(f"acquisition/{n}", o) for n, o in nwbfile.acquisition.items()]
    for module in nwbfile.processing.values():
        inner = module.data_interfaces.items()
        roots += [(f"processing/{module.name}/{n}", o) for n, o in inner]
    roots += [(f"stimulus/presentation/{n}", o) for n, o in nwbfile.stimulus.items()]
    while roots:
        where, item = roots.pop(0)
        if isinstance(item, TimeSeries):
            yield where, item
        else:
            roots += [(f"{where}/{c.name}", c) for c in item.children]


def _series(nwbfile: pynwb.NWBFile, where: str, item: Any) -> NwbSeries | None:
    data = np.asarray(item.data)
    clocked = item.timestamps is not None or item.starting_time is not None
    if data.dtype.kind not in "fiub" or data.ndim not in (1, 2) or not clocked:
        return None
    if "Image" in item.neurodata_type:
        return None
    stamps = item.timestamps
    factor = np.atleast_1d(np.float64(item.conversion))
    if getattr(item, "channel_conversion", None) is not None:
        factor = factor * np.asarray(item.channel_conversion)
    return NwbSeries(
        path=where,
        type=item.neurodata_type,
        shape=data.shape,
        dtype=data.dtype,
        fetch=lambda first, last: data[first:last],
        time=time_axis(data.shape[0], item.rate, item.starting_time)
        if stamps is None
        else np.asarray(stamps, dtype=np.float64),
        rate=float(item.rate) if stamps is None else None,
        factor=factor,
        offset=float(item.offset),
        unit=str(item.unit),
        features=_features(nwbfile, item),
        comments=str(item.comments),
    )


def _features(nwbfile: pynwb.NWBFile, item: Any) -> pd.DataFrame | None:
    module = nwbfile.processing.get(META_TAG)
    if tagged(str(item.comments)) and module is not None and item.name in module.data_interfaces:
        return _table(module[item.name])
    if getattr(item, "electrodes", None) is None:
        return None
    rows = np.asarray(item.electrodes.data)
    return _table(nwbfile.electrodes).iloc[rows].reset_index(drop=True)


def _table(table: Any) -> pd.DataFrame:
    """Return the flat columns of a dynamic table; ragged ones but ``tags`` are left out."""
    from hdmf.common import DynamicTableRegion, VectorIndex

    columns: dict[str, Any] = {"id": np.asarray(table.id.data)}
    for name in table.colnames:
        column = table[name]
        if isinstance(column, VectorIndex):
            if name == "tags":
                columns[name] = [",".join(map(str, words)) for words in column]
            continue
        if isinstance(column, DynamicTableRegion) or np.ndim(column.data) != 1:
            continue
        values = list(column.data)
        if values and hasattr(values[0], "container_source"):
            values = [v.name for v in values]
        array = np.asarray(values)
        if array.dtype.kind in "fiubUSO" and array.ndim == 1:
            columns[name] = array if array.dtype.kind in "fiub" else text_array(array)
    return pd.DataFrame(columns)


def _interval_table(table: Any) -> pd.DataFrame:
    return _table(table).rename(columns={"timestamp": "start_time"})


def _units(nwbfile: pynwb.NWBFile, events: pd.DataFrame) -> xr.Dataset | None:
    units = nwbfile.units
    if units is None or "spike_times" not in units.colnames:
        return None
    times = np.asarray(units.spike_times.data, dtype=np.float64)
    ends = np.asarray(units.spike_times_index.data)
    seen = np.asarray(units.obs_intervals.data) if "obs_intervals" in units.colnames else None
    return unit_stream(times, ends, _table(units), seen, events)


def _meta(nwbfile: pynwb.NWBFile) -> dict[str, Any]:
    noted = tagged(str(nwbfile.notes or ""))
    if noted:
        return noted
    meta: dict[str, Any] = {key: getattr(nwbfile, name, None) for key, name in _FACTS.items()}
    if nwbfile.subject is not None:
        meta |= {key: getattr(nwbfile.subject, name) for key, name in _SUBJECT.items()}
    for key in ("experimenter", "citation"):
        several = [str(v) for v in meta[key]] if meta[key] is not None else []
        meta[key] = several[0] if len(several) == 1 else several or None
    meta = {key: value for key, value in meta.items() if value not in (None, "", [])}
    meta["session_start_time"] = nwbfile.session_start_time.isoformat()
    if nwbfile.container_source:
        meta["source"] = Path(nwbfile.container_source).name
    return meta


def _check_convertible(recording: Recording) -> None:
    for name, stream in recording.streams.items():
        if isinstance(stream, xr.DataArray) and (stream.dims[0] != "time" or stream.ndim > 2):
            raise DataError(
                f"Stream {name!r} has dims {stream.dims}, which NWB's time series cannot hold. "
                "Leave it out: rec.replace(streams={…}).to_nwb()."
            )


def _empty(meta: dict[str, Any]) -> pynwb.NWBFile:
    from pynwb import NWBFile
    from pynwb.file import Subject

    given = meta.get("session_start_time")
    start = datetime.fromisoformat(given) if isinstance(given, str) else _EPOCH
    subject = {name: str(meta[key]) for key, name in _SUBJECT.items() if meta.get(key)}
    return NWBFile(
        session_description=str(meta.get("description") or meta.get("task") or "unknown"),
        identifier=str(meta.get("identifier") or uuid4()),
        session_start_time=start if start.tzinfo else start.replace(tzinfo=UTC),
        session_id=str(meta["session"]) if meta.get("session") else None,
        subject=Subject(**subject) if subject else None,
        # NWB has no field for the licence and the history; the whole is plain text here.
        notes=json.dumps({META_TAG: meta}),
    )


def _add_electrodes(
    nwbfile: pynwb.NWBFile, streams: dict[str, xr.DataArray]
) -> dict[str, list[int]]:
    """Add one electrode a channel; return the rows of each stream."""
    device = nwbfile.create_device(name="unknown")
    rows: dict[str, list[int]] = {}
    count = 0
    for name, stream in streams.items():
        group = nwbfile.create_electrode_group(name, f"channels of {name}", "unknown", device)
        wide = stream.shape[1]
        regions = stream["region"].values if "region" in stream.coords else [""] * wide
        for i in range(wide):
            place = {a: float(stream[a].values[i]) * 1e6 for a in "xyz" if a in stream.coords}
            nwbfile.add_electrode(group=group, location=str(regions[i]) or "unknown", **place)
        rows[name] = list(range(count, count + wide))
        count += wide
    return rows


def _add_series(
    nwbfile: pynwb.NWBFile, name: str, stream: xr.DataArray, rows: list[int] | None
) -> None:
    from pynwb import TimeSeries
    from pynwb.ecephys import ElectricalSeries

    note = {"stream": name, "dim": stream.dims[1], "attrs": stream.attrs}
    key = _safe(name)
    common = {"name": key, "comments": json.dumps({META_TAG: note}), **_clock(stream)}
    _add_features(nwbfile, key, stream)
    if rows is None:
        series = TimeSeries(data=stream.values, unit=stream.attrs["units"], **common)
    else:
        region = nwbfile.create_electrode_table_region(rows, f"channels of {name}")
        series = ElectricalSeries(data=stream.values, electrodes=region, **common)
    nwbfile.add_acquisition(series)


def _clock(stream: xr.DataArray) -> dict[str, Any]:
    time, rate = stream["time"].values, stream.attrs["sampling_rate"]
    if np.array_equal(time, time_axis(time.size, rate, float(time[0]))):
        return {"rate": rate, "starting_time": float(time[0])}
    return {"timestamps": time}


def _add_features(nwbfile: pynwb.NWBFile, key: str, stream: xr.DataArray) -> None:
    """Store every coordinate of the features as a table of the same name."""
    from hdmf.common import DynamicTable, VectorData

    module = nwbfile.processing.get(META_TAG) or nwbfile.create_processing_module(
        META_TAG, "What the features of each time series are"
    )
    dim = stream.dims[1]
    columns = [
        VectorData(name=str(c), description=str(c), data=_listed(stream[c].values))
        for c in stream.coords
        if stream[c].dims == (dim,) and str(c) != "id"
    ]
    module.add(DynamicTable(name=key, description=f"features of {key}", columns=columns))


def _add_units(nwbfile: pynwb.NWBFile, spikes: xr.Dataset) -> None:
    facts = [str(c) for c in spikes.coords if spikes[c].dims == ("unit",) and c != "id"]
    for fact in facts:
        nwbfile.add_unit_column("location" if fact == "region" else fact, fact)
    order = np.argsort(spikes["unit"].values, kind="stable")
    ends = np.bincount(spikes["unit"].values, minlength=spikes.sizes["unit"]).cumsum()
    times = np.split(spikes["time"].values[order], ends[:-1])
    bounds = [[spikes.attrs["start"], spikes.attrs["stop"]]]
    for i, ident in enumerate(spikes["id"].values.tolist()):
        row = {("location" if f == "region" else f): spikes[f].values[i].item() for f in facts}
        nwbfile.add_unit(id=ident, spike_times=times[i], obs_intervals=bounds, **row)


def _add_events(nwbfile: pynwb.NWBFile, events: pd.DataFrame) -> None:
    from hdmf.common import VectorData
    from pynwb.epoch import TimeIntervals

    stop = events["onset"] + events["duration"]
    values = {"start_time": events["onset"], "stop_time": stop}
    values |= {str(c): events[c] for c in events.columns if c != "onset"}
    columns = [
        VectorData(name=name, description=name, data=_listed(_filled(column)))
        for name, column in values.items()
    ]
    table = TimeIntervals(name="events", description="All events", columns=columns)
    nwbfile.add_time_intervals(table)


def _filled(column: pd.Series) -> np.ndarray:
    return (column if column.dtype.kind in "iufb" else column.fillna("n/a")).to_numpy()


def _listed(values: np.ndarray) -> Any:
    """HDMF writes text only from lists of Python's own strings."""
    return values if values.dtype.kind in "iufb" else [str(v) for v in values]


def _safe(name: str) -> str:
    return name.replace("/", "_").replace(":", "_")
