"""From the parts of an NWB file to a recording, wherever the parts came from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.errors import DataError
from neurokit.recording import build, checks
from neurokit.recording.core import Recording
from neurokit.recording.lazy import lazy_array
from neurokit.recording.schema import FEATURE_DIMS, kind_of
from neurokit.warning import warn

__all__ = [
    "CALCIUM_TYPES",
    "ELECTRICAL_TYPES",
    "LAZY_BYTES",
    "META_TAG",
    "NwbSeries",
    "assemble",
    "interval_events",
    "plain_columns",
    "tagged",
    "unit_stream",
]

ELECTRICAL_TYPES = ("ElectricalSeries",)
CALCIUM_TYPES = ("RoiResponseSeries",)
META_TAG = "neurokit"
LAZY_BYTES = 2**29
_MICROMETRE = 1e-6
# Recording.calcium is the cleanest trace there is; the others keep their own names.
_CALCIUM_ORDER = ("dfoverf", "df_over_f", "dff", "fluorescence")


@dataclass(frozen=True)
class NwbSeries:
    """One time series as it lies in the file.

    Attributes
    ----------
    path : str
        Where it lies, e.g. ``"processing/ecephys/LFP/lfp"``.
    type : str
        The NWB type's name.
    shape : tuple of int
        Of the data: ``(time,)`` or ``(time, feature)``.
    dtype : np.dtype
        Of the data.
    fetch : callable
        ``fetch(first, last)`` returns rows as stored.
    time : ndarray of shape (time,)
        Seconds.
    rate : float or None
        In Hz, where the file gives one instead of time stamps.
    factor : ndarray
        What a stored value is multiplied by, one number or one a feature.
    offset : float
        What is added after that.
    unit : str
        Unit of the converted values.
    features : pd.DataFrame or None
        One row a feature: the electrode table's rows.
    comments : str
        Free text, or what :func:`neurokit.recording.nwb_conversion.to_nwb` noted.
    """

    path: str
    type: str
    shape: tuple[int, ...]
    dtype: np.dtype
    fetch: Callable[[int, int], np.ndarray]
    time: np.ndarray
    rate: float | None = None
    factor: np.ndarray = field(default_factory=lambda: np.ones(1))
    offset: float = 0.0
    unit: str = ""
    features: pd.DataFrame | None = None
    comments: str = ""

    @property
    def name(self) -> str:
        """Last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def note(self) -> dict[str, Any]:
        """What ``to_nwb`` wrote into the comments; empty for other files."""
        return tagged(self.comments)

    def rows(self, first: int, last: int) -> np.ndarray:
        """Read converted samples ``[first, last)`` as float32, features last."""
        raw = np.asarray(self.fetch(first, last))
        raw = raw[:, None] if raw.ndim == 1 else raw
        if self.factor.size == 1 and self.factor.item() == 1 and not self.offset:
            return raw.astype(np.float32, copy=False)
        # In float64: single precision cannot hold every product of 32-bit counts.
        return (raw * self.factor.astype(np.float64) + self.offset).astype(np.float32)


def tagged(text: str) -> dict[str, Any]:
    """Return what ``to_nwb`` noted in a text field; nothing if it is another's text.

    Parameters
    ----------
    text : str
        The field's content.

    Returns
    -------
    dict
        Plain data.

    Examples
    --------
    >>> tagged("measured by A. N. Other"), tagged('{"neurokit": {"stream": "eeg"}}')
    ({}, {'stream': 'eeg'})
    """
    if not text.startswith('{"' + META_TAG + '"'):
        return {}
    try:
        note = json.loads(text)[META_TAG]
    except (ValueError, KeyError):
        return {}
    return note if isinstance(note, dict) else {}


def assemble(
    series: Sequence[NwbSeries],
    spikes: xr.Dataset | None,
    events: pd.DataFrame,
    meta: Mapping[str, Any],
    *,
    lazy: bool = False,
) -> Recording:
    """Put the parts of an NWB file together.

    Electrical series become ``ieeg`` (``lfp``, ``eeg`` where the name says so), responses
    of regions of interest ``calcium``, all else ``behaviour`` (from the stimulus group:
    ``stimulus``). When a stream of that kind exists already, a series keeps its own name.

    Parameters
    ----------
    series : sequence of NwbSeries
        Time series.
    spikes : xr.Dataset or None
        From :func:`unit_stream`.
    events : pd.DataFrame
        From :func:`interval_events`.
    meta : mapping
        Facts about subject and session.
    lazy : bool
        Whether electrical samples are read on first use; those of more than 512 MiB
        always are.

    Returns
    -------
    Recording
        On the file's clock.

    Raises
    ------
    DataError
        If the file holds nothing that a stream can be made of, or data that contradict
        themselves.
    """
    ordered = sorted((s for s in series if min(s.shape) > 0), key=_priority)
    streams: dict[str, xr.DataArray | xr.Dataset] = {} if spikes is None else {"spikes": spikes}
    loose: dict[str, list[tuple[str, xr.DataArray]]] = {"behaviour": [], "stimulus": []}
    for one in ordered:
        kind = _kind(one)
        if "stream" in one.note:
            streams[str(one.note["stream"])] = _stream(one, str(one.note["stream"]), lazy)
        elif kind in loose:
            loose[kind].append((one.name, _stream(one, kind, False)))
        else:
            name = kind if kind not in streams else _free(one.name, streams)
            streams[name] = _stream(one, name, lazy, kind)
    for kind, found in loose.items():
        for name, data in _on_common_clocks(kind, found).items():
            streams[name if name == kind and name not in streams else _free(name, streams)] = data
    if not streams:
        raise DataError(
            f"{meta.get('source', 'The NWB file')} holds no units and no time series that can be "
            f"read; skipped: {meta.get('not_read', [])}."
        )
    return Recording(streams, events, dict(meta))


def unit_stream(
    times: np.ndarray,
    ends: np.ndarray,
    table: pd.DataFrame,
    observed: np.ndarray | None,
    events: pd.DataFrame,
) -> xr.Dataset:
    """Turn a units table into the spike stream.

    Parameters
    ----------
    times : ndarray of shape (spike,)
        Seconds, unit after unit.
    ends : ndarray of shape (unit,)
        Where each unit's spikes end in ``times``.
    table : pd.DataFrame
        Column ``id`` and other facts; ``location`` becomes ``region``.
    observed : ndarray of shape (interval, 2) or None
        When units were observed, in seconds. By default the recording lasts from 0 to the
        last spike or the end of the last event.
    events : pd.DataFrame
        From :func:`interval_events`.

    Returns
    -------
    xr.Dataset
        All spikes sorted in time.

    Raises
    ------
    DataError
        If the index does not rise or does not fit the spikes.
    """
    counts: Any = np.diff(ends.astype(np.int64), prepend=0)
    if (counts < 0).any() or counts.sum() != times.size or counts.size != len(table):
        raise DataError(
            f"Units: the index of {counts.size} units does not fit {times.size} spikes and "
            f"{len(table)} rows. The file is damaged."
        )
    if "location" in table and "region" not in table:
        table = table.rename(columns={"location": "region"})
    ids = np.repeat(np.asarray(table["id"]), counts)
    if observed is not None and observed.size:
        low, high = float(observed.min()), float(observed.max())
    else:
        low, high = 0.0, float((events["onset"] + events["duration"]).max() if len(events) else 0.0)
    start = min(low, float(times.min(initial=low)))
    stop = max(high, float(times.max(initial=high)))
    spikes = build.spike_train(times, ids, start, None, table)
    return spikes.assign_attrs(start=start, stop=stop)


def interval_events(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Turn interval tables (trials, epochs, …) into one event table.

    Parameters
    ----------
    tables : mapping of str to pd.DataFrame
        By table name; columns ``start_time`` and ``stop_time`` (s) and others. Where there
        is no ``trial_type``, the tags are taken, else the table's name.

    Returns
    -------
    pd.DataFrame
        BIDS columns first, the others kept.
    """
    parts = [_table_events(name, table) for name, table in tables.items() if len(table)]
    if not parts:
        return checks.no_events()
    return pd.concat(parts, ignore_index=True)


def plain_columns(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Return a table as lists, for metadata.

    Parameters
    ----------
    table : pd.DataFrame
        Any table.

    Returns
    -------
    dict of str to list
        What is missing is None, which, unlike NaN, equals itself.

    Examples
    --------
    >>> plain_columns(pd.DataFrame({"x": [1.5, np.nan]}))
    {'x': [1.5, None]}
    """
    return {str(c): table[c].astype(object).where(table[c].notna(), None).tolist() for c in table}


def _table_events(name: str, table: pd.DataFrame) -> pd.DataFrame:
    start = table["start_time"].to_numpy(np.float64)
    stop = table["stop_time"].to_numpy(np.float64) if "stop_time" in table else start
    out = pd.DataFrame({"onset": start, "duration": np.fmax(stop - start, 0.0)})
    # The difference of two rounded numbers is not the duration that was written.
    if "duration" in table:
        out["duration"] = np.fmax(table["duration"].to_numpy(np.float64), 0.0)
    out["trial_type"] = name
    if "tags" in table:
        tags = table["tags"].astype("str")
        out["trial_type"] = tags.where(tags != "", name)
    skip = {"start_time", "stop_time", "tags", "duration", "onset", "id"}
    for key in [c for c in table.columns if c not in skip]:
        out[key] = table[key].to_numpy()
    return out


def _priority(one: NwbSeries) -> tuple[int, str]:
    text = one.path.lower()
    ranks = [i for i, word in enumerate(_CALCIUM_ORDER) if word in text]
    return (min(ranks, default=len(_CALCIUM_ORDER)), one.path)


def _kind(one: NwbSeries) -> str:
    text = one.path.lower()
    if one.type in ELECTRICAL_TYPES:
        if "lfp" in text:
            return "lfp"
        return "eeg" if "eeg" in text and "ieeg" not in text and "seeg" not in text else "ieeg"
    if one.type in CALCIUM_TYPES:
        return "calcium"
    return "stimulus" if one.path.startswith("stimulus/") else "behaviour"


def _free(name: str, taken: Mapping[str, Any]) -> str:
    number = 2
    out = name
    while out in taken:
        out, number = f"{name}_{number}", number + 1
    return out


def _stream(one: NwbSeries, name: str, lazy: bool, kind: str = "") -> xr.DataArray:
    kind = kind or name
    note = one.note
    wide = one.shape[1] if len(one.shape) == 2 else 1
    dim = str(note.get("dim"))
    dim = dim if dim in FEATURE_DIMS else kind_of(kind).dim
    coords = _coords(one, dim, wide, electrical=one.type in ELECTRICAL_TYPES, kind=kind)
    attrs: dict[str, Any] = {"sampling_rate": _rate(one), "units": _units(one)}
    attrs |= note.get("attrs", {})
    shape, dims = (one.shape[0], wide), ("time", dim)
    coords["time"] = one.time
    if one.type in ELECTRICAL_TYPES and (lazy or 4 * shape[0] * wide > LAZY_BYTES):
        return lazy_array(dims, shape, one.rows, coords, attrs)
    values = one.rows(0, one.shape[0])
    missing = ~np.isfinite(values).all(axis=0)
    if missing.any() and kind_of(kind).strict and "bad" not in coords:
        coords["bad"] = (dim, missing)
    return xr.DataArray(values, dims=dims, coords=coords, attrs=attrs)


def _rate(one: NwbSeries) -> float:
    if one.rate is not None:
        return one.rate
    step = float(np.median(np.diff(one.time))) if one.time.size > 1 else 1.0
    if not step > 0:
        raise DataError(f"{one.path}: time stamps do not rise. Sort or mend them.")
    return 1 / step


def _units(one: NwbSeries) -> str:
    if one.type not in ELECTRICAL_TYPES:
        return one.unit or "a.u."
    counts = one.dtype.kind in "iu" and one.factor.size == 1 and one.factor.item() == 1
    if counts:
        warn(
            f"{one.path}: integer samples without a conversion to volts; they are left as "
            "converter counts (a.u.). Ask whoever wrote the file for volts per count."
        )
    return "a.u." if counts else "V"


def _coords(one: NwbSeries, dim: str, wide: int, electrical: bool, kind: str) -> dict[str, Any]:
    table = one.features
    if table is None or len(table) != wide:
        names = [one.name] if wide == 1 and not electrical else _numbered(one, wide)
        return {dim: np.array(names, dtype=np.str_)}
    if "stream" in one.note:
        return {c: (dim, table[c].to_numpy()) for c in table.columns if c != "id"}
    label = next((c for c in ("label", "channel_name", "name") if c in table), "id")
    labels = table[label] if table[label].is_unique else table["id"]
    coords: dict[str, Any] = {dim: checks.text_array(labels)}
    if electrical:
        coords["type"] = (dim, np.full(wide, "eeg" if kind == "eeg" else "seeg"))
    for axis in [a for a in "xyz" if a in table]:
        coords[axis] = (dim, table[axis].to_numpy(np.float64) * _MICROMETRE)
    for source, key in (("location", "region"), ("group_name", "group")):
        if source in table:
            coords[key] = (dim, checks.text_array(table[source]))
    return coords


def _numbered(one: NwbSeries, wide: int) -> list[str]:
    if wide <= 3 and "spatial" in one.type.lower():
        return [f"{one.name}_{axis}" for axis in "xyz"[:wide]]
    if _kind(one) in ("behaviour", "stimulus"):
        return [f"{one.name}_{i}" for i in range(wide)]
    return [str(i) for i in range(wide)]


def _on_common_clocks(kind: str, found: list[tuple[str, xr.DataArray]]) -> dict[str, xr.DataArray]:
    """Join series that share a clock; one stream an even clock, the uneven ones in one."""
    groups: list[list[tuple[str, xr.DataArray]]] = []
    for name, data in found:
        clock = data["time"].values
        same = (g for g in groups if np.array_equal(g[0][1]["time"].values, clock))
        group = next(same, None)
        groups.append([(name, data)]) if group is None else group.append((name, data))
    joined = [(g[0][0], _side_by_side([d for _, d in g])) for g in groups]
    if len(joined) == 1:
        return {kind: joined[0][1]}
    out: dict[str, xr.DataArray] = {}
    for name, data in joined:
        if _is_even(data):
            out[_free(name, out)] = data
    uneven = [data for _, data in joined if not _is_even(data)]
    if uneven:
        out[kind] = _side_by_side(uneven)
    return out


def _is_even(data: xr.DataArray) -> bool:
    step = np.diff(data["time"].values)
    typical = np.median(step) if step.size else 1.0
    return bool((np.abs(step - typical) < 0.5 * typical).all() and np.isfinite(data.values).all())


def _side_by_side(parts: list[xr.DataArray]) -> xr.DataArray:
    """Set variables beside each other; on the union of their clocks where these differ."""
    if len(parts) == 1:
        return parts[0]
    names: list[str] = []
    for part in parts:
        for name in part["variable"].values:
            names.append(_free(str(name), dict.fromkeys(names)))
    clock = np.unique(np.concatenate([p["time"].values for p in parts]))
    values = np.full((clock.size, len(names)), np.nan, np.float32)
    column = 0
    for part in parts:
        rows = np.searchsorted(clock, part["time"].values)
        values[rows, column : column + part.shape[1]] = part.values
        column += part.shape[1]
    units = sorted({str(p.attrs["units"]) for p in parts})
    attrs = {**parts[0].attrs, "units": units[0] if len(units) == 1 else ", ".join(units)}
    return xr.DataArray(
        values,
        dims=("time", "variable"),
        coords={"time": clock, "variable": np.array(names, dtype=np.str_)},
        attrs=attrs,
    )
