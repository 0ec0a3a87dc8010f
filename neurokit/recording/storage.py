"""Recordings on disk: one zarr folder, written whole or not at all, opened lazily."""

from __future__ import annotations

import json
import re
import shutil
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.errors import DataError, ReadError
from neurokit.recording.checks import text_array

if TYPE_CHECKING:
    from neurokit.recording.core import Recording

__all__ = ["open_recording", "save"]

FORMAT_VERSION = 1
# Attributes by which xarray and CF would change values or coordinates when it opens a file.
_CLAIMED = {
    "_FillValue",
    "add_offset",
    "bounds",
    "calendar",
    "coordinates",
    "dtype",
    "grid_mapping",
    "missing_value",
    "scale_factor",
}
# No coordinate is called so; before, it was "samples", which one may be.
_SAMPLES = "samples_of_the_stream"
_PREFIX = "kept_apart_"
_PLAIN_NAME = re.compile(r"[^\W\d][\w-]*")
_TARGET_CHUNK_BYTES = 4 * 2**20
_REMOVE_SECONDS = 10.0
_QUIET_LOOKS = 10


def save(recording: Recording, path: Path, overwrite: bool) -> Path:
    """Write a recording to a zarr folder.

    The new folder is written beside the old one and takes its place by two renames. If
    the process dies before, the old one is untouched; if it dies between the two,
    :func:`open_recording` finds the old one under its backup name.

    Parameters
    ----------
    recording : Recording
        What to write.
    path : Path
        Where to.
    overwrite : bool
        Whether something there may be replaced.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError
        If something is there and ``overwrite`` is False.
    OSError
        If the disk is full or not writable; nothing is left behind.
    """
    path = Path(path)
    if path.exists() and not overwrite:
        raise DataError(f"{path} exists. Give overwrite=True to replace it.")
    if path.exists() and not _is_recording(path):
        raise DataError(f"{path} is not a saved recording and will not be replaced. Move it away.")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        _write(recording, partial)
        _swap(partial, path)
    except BaseException as error:
        _remove(partial)
        if not isinstance(error, OSError):
            raise
        raise OSError(
            error.errno,
            f"Could not save to {path}: {error.strerror or error}. What was there before is intact",
        ) from error
    return path


def open_recording(path: Path) -> Recording:
    """Open a saved recording without reading its samples.

    Parameters
    ----------
    path : Path
        The folder that :func:`save` wrote.

    Returns
    -------
    Recording
        Samples are read on first use.

    Raises
    ------
    ReadError
        If the folder is missing, damaged, or of a newer format.
    """
    from neurokit.recording.core import Recording

    path = Path(path)
    backup = _backup(path)
    if not path.exists() and backup.exists():
        backup.rename(path)
    if not path.exists():
        raise ReadError(f"There is no recording at {path}.")
    try:
        tree = xr.open_datatree(path, engine="zarr", chunks=None, consolidated=False)
        facts = json.loads(tree.attrs["neurokit"])
        version = int(facts["format"])
    except Exception as error:
        raise ReadError(
            f"{path} is not a saved recording, or is damaged: {type(error).__name__}: {error}"
        ) from error
    if version > FORMAT_VERSION:
        raise ReadError(
            f"{path} has format {version}; this version reads up to {FORMAT_VERSION}. "
            "Upgrade neurokit."
        )
    try:
        nodes = tree["streams"].children
        streams = {name: _decode(nodes[key], name, old) for key, name, old in facts["streams"]}
        events = _decode_events(tree["events"].to_dataset(), facts["events"])
    except (KeyError, ValueError) as error:
        raise ReadError(f"{path} is damaged: {type(error).__name__}: {error}") from error
    return Recording(streams, events, facts["meta"])


def _remove(folder: Path) -> None:
    """Remove what a failed write left, until it stays away.

    The other chunks that zarr has under way go on after one has failed, and make the folder
    anew.
    """
    deadline, quiet = time.monotonic() + _REMOVE_SECONDS, 0
    while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
        quiet = 0 if folder.exists() else quiet + 1
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.02)


def _is_recording(path: Path) -> bool:
    try:
        attrs = json.loads((path / "zarr.json").read_text())["attributes"]
    except (OSError, ValueError, KeyError):
        return False
    return "neurokit" in attrs


def _backup(path: Path) -> Path:
    return path.with_name(f".{path.name}.previous")


def _swap(partial: Path, path: Path) -> None:
    backup = _backup(path)
    if path.exists():
        shutil.rmtree(backup, ignore_errors=True)
        path.replace(backup)
    partial.replace(path)
    shutil.rmtree(backup, ignore_errors=True)


def _write(recording: Recording, folder: Path) -> None:
    # Streams may be called anything; the folder of each is numbered, its name kept apart.
    nodes, names, encodings = {}, [], {}
    for number, (name, stream) in enumerate(recording.streams.items()):
        key = str(number)
        data = stream if isinstance(stream, xr.Dataset) else stream.to_dataset(name=_SAMPLES)
        safe = _safe_names(data)
        nodes[f"/streams/{key}"] = _set_apart(_encode_text(data.rename(safe)))
        encodings[f"/streams/{key}"] = _chunks(nodes[f"/streams/{key}"])
        names.append([key, name, {new: old for old, new in safe.items()}])
    events, columns = _encode_events(recording.events)
    nodes["/events"] = events
    facts = {
        "format": FORMAT_VERSION,
        "streams": names,
        "events": columns,
        "meta": recording.meta,
    }
    nodes["/"] = xr.Dataset(attrs={"neurokit": json.dumps(facts)})
    tree = xr.DataTree.from_dict(nodes)
    tree.to_zarr(folder, mode="w", zarr_format=3, consolidated=False, encoding=encodings)


def _safe_names(data: xr.Dataset) -> dict[str, str]:
    """Rename what CF would tear apart at blanks, and what is no name of a folder."""
    names = dict.fromkeys(str(n) for n in (*data.variables, *data.dims))
    odd = [name for name in names if not _PLAIN_NAME.fullmatch(name)]
    return {name: f"renamed_{number}" for number, name in enumerate(odd)}


def _set_apart(data: xr.Dataset) -> xr.Dataset:
    """Store attributes that xarray would act upon under names that mean nothing to it."""
    for variable in data.variables.values():
        variable.attrs = {
            f"{_PREFIX}{k}" if k in _CLAIMED or (k == "units" and "since" in v) else k: v
            for k, v in variable.attrs.items()
        }
    return data


def _put_back(data: xr.Dataset) -> xr.Dataset:
    for variable in data.variables.values():
        variable.attrs = {k.removeprefix(_PREFIX): v for k, v in variable.attrs.items()}
    return data


def _chunks(data: xr.Dataset) -> dict[str, dict[str, Any]]:
    """Cut long arrays along their first dimension, so that a window reads little."""
    encoding = {}
    for name, variable in data.variables.items():
        variable.encoding = {}
        row = max(1, variable.dtype.itemsize * int(np.prod(variable.shape[1:], dtype=np.int64)))
        if variable.size and variable.dtype.kind != "U":
            rows = (
                int(min(variable.shape[0], max(1, _TARGET_CHUNK_BYTES // row)))
                if variable.ndim
                else 0
            )
            chunks = (rows, *variable.shape[1:]) if variable.ndim else None
            encoding[str(name)] = {"chunks": chunks} if chunks else {}
    return encoding


def _encode_text(data: xr.Dataset) -> xr.Dataset:
    """Store text as variable-length strings, the only text that zarr 3 specifies."""
    text = [k for k, v in data.variables.items() if v.dtype.kind == "U"]
    out = data.copy(deep=False)
    for key in text:
        out[key] = (data[key].dims, data[key].values.astype(object), data[key].attrs)
    return out.set_coords([k for k in text if k in data.coords])


def _decode(node: xr.DataTree, name: str, renamed: dict[str, str]) -> xr.DataArray | xr.Dataset:
    data = _put_back(node.to_dataset(inherit=False)).rename(renamed)
    for key in data.variables:
        data[key].encoding = {}
    coords = [k for k in data.variables if k in data.coords]
    for key in [k for k, v in data.variables.items() if v.dtype.kind in "OT"]:
        data[key] = (data[key].dims, text_array(data[key].values), data[key].attrs)
    data = data.set_coords(coords)
    if name == "spikes":
        return data.load()
    for key in coords:
        data[key].load()
    return data[_SAMPLES].rename(name)


def _encode_events(events: pd.DataFrame) -> tuple[xr.Dataset, list[list[str]]]:
    data, columns = {}, []
    for number, column in enumerate(events.columns):
        values = events[column]
        is_text = values.dtype.kind not in "iufb"
        stored = values.fillna("n/a").astype(object) if is_text else values
        data[str(number)] = ("event", stored.to_numpy())
        columns.append([str(column), "str" if is_text else str(values.dtype)])
    return xr.Dataset(data), columns


def _decode_events(data: xr.Dataset, columns: list[list[str]]) -> pd.DataFrame:
    events = {
        name: pd.Series(data[str(number)].values, dtype=dtype)
        for number, (name, dtype) in enumerate(columns)
    }
    return pd.DataFrame(events)
