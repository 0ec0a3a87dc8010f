"""Series on a surface in GIFTI files, and FreeSurfer's MGH volumes and surfaces."""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import xarray as xr

from neurokit.datasets.fmri_file import Volumes
from neurokit.datasets.fmri_sidecar import describe, events_beside, repetition_time
from neurokit.datasets.fmri_volume import read_volumes
from neurokit.errors import ReadError
from neurokit.recording import Recording
from neurokit.recording.build import time_axis
from neurokit.recording.checks import no_events
from neurokit.recording.nifti_conversion import check_finite_voxels

__all__ = ["read_gifti", "read_mgh"]

_TYPES = {
    "NIFTI_TYPE_UINT8": "u1",
    "NIFTI_TYPE_INT16": "i2",
    "NIFTI_TYPE_INT32": "i4",
    "NIFTI_TYPE_FLOAT32": "f4",
    "NIFTI_TYPE_FLOAT64": "f8",
}
_ENDIAN = {"LittleEndian": "<", "BigEndian": ">"}


def read_gifti(path: str | Path, *, repetition_time: float | None = None) -> Recording:
    """Read a GIFTI time series (``.func.gii``).

    Parameters
    ----------
    path : path
        With one data array a volume, as fMRIPrep writes, or one array (vertex, time).
    repetition_time : float, optional
        In seconds; by default that of the JSON sidecar.

    Returns
    -------
    Recording
        Stream ``bold`` over ``(time, voxel)`` with coords ``vertex`` and, where the file's
        name tells, ``hemisphere`` (``L`` or ``R``).

    Raises
    ------
    ReadError
        If the file is no GIFTI series, or is truncated or damaged.
    DataError
        If the TR is nowhere, or values are not finite.
    """
    path = Path(path)
    try:
        arrays = list(_arrays(path))
    except (ElementTree.ParseError, OSError, ValueError, zlib.error, LookupError) as error:
        if isinstance(error, ReadError):
            raise
        raise ReadError(f"{path.name}: cannot be read as GIFTI: {error}.") from error
    return _surface(path, _series(path, arrays), repetition_time)


def read_mgh(
    path: str | Path, *, repetition_time: float | None = None, lazy: bool = False
) -> Recording:
    """Read a FreeSurfer series (``.mgh`` or ``.mgz``), a volume or a surface.

    Parameters
    ----------
    path : path
        Of shape (x, y, z, time) or (vertex, 1, 1, time).
    repetition_time : float, optional
        In seconds; by default that of the JSON sidecar.
    lazy : bool
        Read volumes when they are first used; surfaces are always read.

    Returns
    -------
    Recording
        Stream ``bold`` over ``(time, voxel)``.

    Raises
    ------
    ReadError
        If the file is no MGH series, or is truncated or damaged.
    DataError
        If the TR is nowhere, or values are not finite.
    """
    volumes = Volumes.of_mgh(Path(path))
    if volumes.shape[1:3] != (1, 1):
        return read_volumes(volumes, repetition_time, None, lazy)
    rows = volumes.rows(0, volumes.shape[3], np.arange(volumes.shape[0]))
    return _surface(volumes.path, rows, repetition_time)


def _surface(path: Path, rows: np.ndarray, given: float | None) -> Recording:
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    check_finite_voxels(rows, path.name)
    rate = 1.0 / repetition_time(path, given)
    n_vertices = rows.shape[1]
    coords = {
        "time": time_axis(len(rows), rate),
        "vertex": ("voxel", np.arange(n_vertices, dtype=np.int32)),
    }
    side = re.search(r"(?:^|[._-])(?:hemi-)?([LRlr])h?[._]", path.name)
    if side:
        coords["hemisphere"] = ("voxel", np.repeat(side[1].upper(), n_vertices))
    data = xr.DataArray(
        rows, coords, ("time", "voxel"), attrs={"sampling_rate": rate, "units": "a.u."}
    )
    events = events_beside(path)
    return Recording({"bold": data}, no_events() if events is None else events, describe(path))


def _arrays(path: Path) -> Iterator[np.ndarray]:
    root = None
    for event, element in ElementTree.iterparse(path, events=("start", "end")):
        root = element.tag if root is None else root
        if root != "GIFTI":
            raise ReadError(f"{path.name}: not a GIFTI file: it begins with <{root}>.")
        if event == "end" and element.tag == "DataArray":
            yield _array(path, element)
            element.clear()


def _array(path: Path, element: ElementTree.Element) -> np.ndarray:
    """Decode one data array, never to more bytes than it announces."""
    facts = element.attrib
    if facts["DataType"] not in _TYPES:
        raise ReadError(f"{path.name}: data of type {facts['DataType']} are not supported.")
    shape = [int(facts[f"Dim{i}"]) for i in range(int(facts["Dimensionality"]))]
    if not shape or min(shape) <= 0:
        raise ReadError(f"{path.name}: a data array of shape {shape}.")
    dtype = np.dtype(_ENDIAN.get(facts.get("Endian", ""), "=") + _TYPES[facts["DataType"]])
    text = element.findtext("Data") or ""
    values = _decode(path, text, facts["Encoding"], dtype, math.prod(shape) * dtype.itemsize)
    if values.size != math.prod(shape):
        raise ReadError(
            f"{path.name}: truncated: a data array announces shape {shape} and holds {values.size} "
            "values."
        )
    column_major = facts.get("ArrayIndexingOrder") == "ColumnMajorOrder"
    return values.reshape(shape, order="F" if column_major else "C")


def _decode(path: Path, text: str, encoding: str, dtype: np.dtype, n_bytes: int) -> np.ndarray:
    if encoding == "ASCII":
        return np.array(text.split(), dtype=np.float64)
    if encoding not in {"Base64Binary", "GZipBase64Binary"}:
        raise ReadError(
            f"{path.name}: data encoded as {encoding} lie in another file. Save the GIFTI again "
            "with nibabel, which puts them inside."
        )
    raw = base64.b64decode(text.strip())
    if encoding == "GZipBase64Binary":
        raw = zlib.decompressobj().decompress(raw, n_bytes + 1)
    if len(raw) != n_bytes:
        raise ReadError(
            f"{path.name}: truncated or damaged: a data array announces {n_bytes} bytes and holds "
            f"{'more' if len(raw) > n_bytes else len(raw)}."
        )
    return np.frombuffer(raw, dtype)


def _series(path: Path, arrays: list[np.ndarray]) -> np.ndarray:
    shapes = {array.shape for array in arrays}
    if len(arrays) > 1 and len(shapes) == 1 and arrays[0].ndim == 1:
        return np.stack(arrays)
    if len(arrays) == 1 and arrays[0].ndim == 2:
        return arrays[0].T
    raise ReadError(
        f"{path.name}: {len(arrays)} data arrays of shapes {sorted(shapes)[:3]} are no time "
        "series. Expected one array (vertex,) a volume, or one array (vertex, time)."
    )
