"""NWB files, read in bulk by h5py: no object a column, no pynwb."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import xarray as xr

from neurokit.datasets.hdf5 import (
    attribute,
    check_dataset,
    check_heaps,
    column,
    open_hdf5,
    read_rows,
    scalar,
    walk,
)
from neurokit.errors import ReadError
from neurokit.recording.build import time_axis
from neurokit.recording.core import Recording
from neurokit.recording.nwb_parts import (
    ELECTRICAL_TYPES,
    LAZY_BYTES,
    META_TAG,
    NwbSeries,
    assemble,
    interval_events,
    plain_columns,
    tagged,
    unit_stream,
)

__all__ = ["read_nwb", "sniff"]

# Where time series lie.
_PLACES = ("acquisition", "processing", "stimulus/presentation")
_FACTS = {
    "session": "general/session_id",
    "identifier": "identifier",
    "description": "session_description",
    "session_start_time": "session_start_time",
    "institution": "general/institution",
    "lab": "general/lab",
    "experimenter": "general/experimenter",
    "citation": "general/related_publications",
    "subject": "general/subject/subject_id",
    "species": "general/subject/species",
    "sex": "general/subject/sex",
    "age": "general/subject/age",
    "genotype": "general/subject/genotype",
}


def sniff(path: str | Path) -> str | None:
    """Tell whether a file is NWB, by its content.

    Parameters
    ----------
    path : path
        Any file.

    Returns
    -------
    str or None
        ``"nwb"`` or None.

    Examples
    --------
    >>> sniff("no-such-file") is None
    True
    """
    if not Path(path).is_file() or not h5py.is_hdf5(path):
        return None
    try:
        check_heaps(Path(path))
        with h5py.File(path, "r") as file:
            named = attribute(file, "neurodata_type") == "NWBFile" or "nwb_version" in file.attrs
    except (OSError, RuntimeError, ReadError, UnicodeDecodeError):
        return None
    return "nwb" if named else None


def read_nwb(
    path: str | Path, *, lazy: bool = False, include: tuple[str, ...] | None = None
) -> Recording:
    """Read an NWB file.

    Units become ``spikes``; electrical series ``ieeg``, ``lfp`` or ``eeg`` in volts with
    positions in metres; responses of regions of interest ``calcium``; other time series
    ``behaviour`` (or ``stimulus``), one stream when they share a clock. Trials, epochs and
    the other interval and event tables become events, with the tags or the table's name as
    ``trial_type``.

    Parameters
    ----------
    path : path
        The file.
    lazy : bool
        Read electrical samples on first use; those of more than 512 MiB always are.
    include : tuple of str, optional
        Names of the time series wanted, such as ``("ElectricalSeries",)``; by default all.

    Returns
    -------
    Recording
        On the file's clock. ``meta["not_read"]`` lists series of other kinds, such as
        images; ``meta["electrodes"]`` the electrode table when no series carries it.

    Raises
    ------
    ReadError
        If the file is damaged, no NWB, or keeps data in other files.
    DataError
        If its contents contradict themselves.

    Warns
    -----
    UserWarning
        If electrical samples are counts that nothing converts to volts.

    Examples
    --------
    >>> read_nwb("missing.nwb")
    Traceback (most recent call last):
    neurokit.errors.ReadError: There is no file missing.nwb.
    """
    path = Path(path)
    with open_hdf5(path, "NWB") as file:
        if attribute(file, "neurodata_type") != "NWBFile" and "nwb_version" not in file.attrs:
            raise ReadError(f"{path.name} is HDF5, but not NWB: its root carries no nwb_version.")
        electrodes = _table(file.get("general/extracellular_ephys/electrodes"))
        series, skipped = _all_series(file, path, electrodes, include, lazy)
        events = interval_events(dict(_intervals(file)))
        spikes = _units(file, events)
        meta = _meta(file, path, skipped)
        if electrodes is not None and not any(s.type in ELECTRICAL_TYPES for s in series):
            meta["electrodes"] = plain_columns(electrodes)
        return assemble(series, spikes, events, meta, lazy=lazy)


def _all_series(
    file: h5py.File,
    path: Path,
    electrodes: pd.DataFrame | None,
    include: tuple[str, ...] | None,
    lazy: bool,
) -> tuple[list[NwbSeries], list[str]]:
    found, skipped = [], []
    for where, group in _candidates(file):
        if include is not None and where.rsplit("/", 1)[-1] not in include:
            continue
        data = group["data"]
        kind = str(attribute(group, "neurodata_type", "TimeSeries"))
        readable = (
            isinstance(data, h5py.Dataset)
            and data.dtype.kind in "fiub"
            and data.ndim in (1, 2)
            and "Image" not in kind
            and ("timestamps" in group or "starting_time" in group)
        )
        if readable:
            found.append(_series(group, where, kind, path, electrodes, lazy))
        else:
            skipped.append(f"{where} ({kind})")
    if include is not None:
        _check_found(include, found, path.name)
    return found, skipped


def _check_found(include: tuple[str, ...], found: list[NwbSeries], file: str) -> None:
    absent = set(include) - {s.name for s in found}
    if absent:
        raise ReadError(
            f"{file} has no readable time series named {sorted(absent)}. Leave include out to read "
            "all of them."
        )


def _candidates(file: h5py.File) -> Iterator[tuple[str, h5py.Group]]:
    for place in _PLACES:
        root = file.get(place)
        if not isinstance(root, h5py.Group):
            continue
        for where, item in walk(root, place):
            if isinstance(item, h5py.Group) and "data" in item and "colnames" not in item.attrs:
                yield where, item


def _series(
    group: h5py.Group,
    where: str,
    kind: str,
    path: Path,
    electrodes: pd.DataFrame | None,
    lazy: bool,
) -> NwbSeries:
    data = check_dataset(group["data"])
    time, rate = _clock(group, data.shape[0], data.file.id.get_filesize())
    factor = np.atleast_1d(np.float64(attribute(data, "conversion", 1.0)))
    if "channel_conversion" in group:
        factor = factor * column(group["channel_conversion"])
    size = 4 * int(np.prod(data.shape, dtype=object))
    defer = kind == "ElectricalSeries" and (lazy or size > LAZY_BYTES)
    # What is read at once is read while the file is open and known to be sound.
    fetch = partial(read_rows, path, data.name) if defer else partial(_slice, data[()])
    return NwbSeries(
        path=where,
        type=kind,
        shape=data.shape,
        dtype=data.dtype,
        fetch=fetch,
        time=time,
        rate=rate,
        factor=factor,
        offset=float(attribute(data, "offset", 0.0)),
        unit=str(attribute(data, "unit", "")),
        features=_features(group, electrodes),
        comments=str(attribute(group, "comments", "")),
    )


def _slice(values: np.ndarray, first: int, last: int) -> np.ndarray:
    return values[first:last]


def _clock(group: h5py.Group, n: int, file_size: int) -> tuple[np.ndarray, float | None]:
    if "timestamps" in group:
        time = column(group["timestamps"]).astype(np.float64)
        if time.shape != (n,):
            raise ReadError(f"{group.name}: {n} samples, but time stamps of shape {time.shape}.")
        return time, None
    # A DEFLATEd file holds at most 1,032 samples a byte; the time axis is made, not read.
    if n > 1100 * file_size:
        raise ReadError(f"{group.name} claims {n:,} samples in a file of {file_size:,} bytes.")
    rate = float(attribute(group["starting_time"], "rate", np.nan))
    if not 0 < rate < np.inf:
        raise ReadError(f"{group.name}: the sampling rate is {rate!r}, expected positive Hz.")
    return time_axis(n, rate, float(scalar(group, "starting_time"))), rate


def _features(group: h5py.Group, electrodes: pd.DataFrame | None) -> pd.DataFrame | None:
    own = group.file.get(f"processing/{META_TAG}/{group.name.rsplit('/', 1)[-1]}")
    if tagged(str(attribute(group, "comments", ""))) and isinstance(own, h5py.Group):
        return _table(own)
    if "electrodes" not in group or electrodes is None:
        return None
    rows = column(group["electrodes"]).astype(np.int64)
    if rows.ndim != 1 or (rows.size and not 0 <= rows.min() <= rows.max() < len(electrodes)):
        raise ReadError(
            f"{group.name}: its electrodes {rows.ravel()[:5]} are not rows of the electrode table, "
            f"which has {len(electrodes)}."
        )
    return electrodes.iloc[rows].reset_index(drop=True)


def _table(group: Any) -> pd.DataFrame | None:
    """Read the flat columns of a dynamic table; ragged ones but ``tags`` are left out."""
    if not isinstance(group, h5py.Group) or "id" not in group:
        return None
    ids = column(group["id"])
    if ids.ndim != 1:
        raise ReadError(f"{group.name}: the ids have shape {ids.shape}, expected one dimension.")
    columns: dict[str, np.ndarray] = {"id": ids}
    names = [str(n) for n in np.atleast_1d(attribute(group, "colnames", np.array([], object)))]
    for name in dict.fromkeys(names):
        data = group.get(name)
        if name == "id" or not isinstance(data, h5py.Dataset):
            continue
        if f"{name}_index" in group:
            if name == "tags":
                columns[name] = _joined(column(data), column(group["tags_index"]))
        elif data.ndim == 1 and _flat(data):
            columns[name] = column(data)
    lengths = {name: values.size for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ReadError(f"{group.name}: columns of unequal length: {lengths}.")
    return pd.DataFrame(columns)


def _flat(data: h5py.Dataset) -> bool:
    text = h5py.check_string_dtype(data.dtype) is not None
    region = "table" in data.attrs
    reference = h5py.check_ref_dtype(data.dtype) is h5py.Reference
    return (text or reference or data.dtype.kind in "fiub") and not region


def _joined(words: np.ndarray, ends: np.ndarray) -> np.ndarray:
    parts = np.split(words, ends[:-1].astype(np.int64)) if ends.size else []
    return np.array([",".join(map(str, p)) for p in parts], dtype=np.str_)


def _units(file: h5py.File, events: pd.DataFrame) -> xr.Dataset | None:
    group = file.get("units")
    if not isinstance(group, h5py.Group) or "spike_times_index" not in group:
        return None
    table = _table(group)
    if table is None:
        raise ReadError(f"{Path(file.filename).name}: the units have no ids.")
    observed = column(group["obs_intervals"]) if "obs_intervals" in group else None
    times = column(group["spike_times"]).astype(np.float64)
    return unit_stream(times, column(group["spike_times_index"]), table, observed, events)


def _intervals(file: h5py.File) -> Iterator[tuple[str, pd.DataFrame]]:
    for place in ("intervals", "events"):
        root = file.get(place)
        for name in sorted(root) if isinstance(root, h5py.Group) else ():
            table = _table(root[name])
            if table is None:
                continue
            table = table.rename(columns={"timestamp": "start_time"})
            if "start_time" in table:
                yield name, table


def _meta(file: h5py.File, path: Path, skipped: list[str]) -> dict[str, Any]:
    noted = tagged(str(scalar(file, "general/notes") or ""))
    if noted:
        return noted
    meta = {key: scalar(file, name) for key, name in _FACTS.items()}
    meta = {key: value for key, value in meta.items() if value not in (None, "", [])}
    if isinstance(meta.get("session_start_time"), str):
        meta["session_start_time"] = _iso(meta["session_start_time"])
    meta["source"] = path.name
    return meta | ({"not_read": skipped} if skipped else {})


def _iso(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat()
    except ValueError:
        return text
