"""Series of greyordinates or parcels in CIFTI-2 files."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurokit.datasets.fmri_file import read_head
from neurokit.datasets.fmri_sidecar import describe, events_beside, sidecar_value
from neurokit.errors import DataError, ReadError
from neurokit.recording import Recording
from neurokit.recording.build import time_axis
from neurokit.recording.checks import no_events, text_array
from neurokit.recording.lazy import lazy_array
from neurokit.recording.nifti_conversion import check_finite_voxels, check_repetition_time

__all__ = ["read_cifti"]

_PREFIX = "CIFTI_STRUCTURE_"


def read_cifti(
    path: str | Path, *, repetition_time: float | None = None, lazy: bool = False
) -> Recording:
    """Read a CIFTI-2 time series (``.dtseries.nii`` or ``.ptseries.nii``).

    The step of the series axis is part of this format, so a sidecar is not required; when
    one is there and says something else, that is an error.

    Parameters
    ----------
    path : path
        The file.
    repetition_time : float, optional
        In seconds; wins over sidecar and file.
    lazy : bool
        Read samples when they are first used.

    Returns
    -------
    Recording
        Stream ``bold``: ``(time, voxel)`` for greyordinates, with coords ``structure``,
        ``vertex``, ``i``, ``j``, ``k`` (-1 where there is none) and ``x``, ``y``, ``z`` (m, NaN
        on the surface); ``(time, roi)`` for parcels.

    Raises
    ------
    ReadError
        If the file is no CIFTI series, is truncated or damaged.
    DataError
        If sidecar and file disagree about the TR, or values are not finite.
    """
    path = Path(path)
    series, features = _axes(path)
    matrix, scaling = _matrix(path, (len(series), len(features)))
    seconds = _seconds(path, series, repetition_time)
    dim, facts = _features(features)
    coords = {"time": time_axis(len(series), 1.0 / seconds, float(series.start)), **facts}
    attrs = {"sampling_rate": 1.0 / seconds, "units": "a.u."}

    def fetch(first: int, last: int) -> np.ndarray:
        rows = np.asarray(matrix[first:last])
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = rows if scaling == (1.0, 0.0) else rows * np.float64(scaling[0]) + scaling[1]
            out = np.ascontiguousarray(scaled, dtype=np.float32)
        check_finite_voxels(out, path.name)
        return out

    if lazy:
        data = lazy_array(("time", dim), matrix.shape, fetch, coords, attrs)
    else:
        data = xr.DataArray(fetch(0, len(series)), coords, ("time", dim), attrs=attrs)
    events = events_beside(path)
    return Recording({"bold": data}, no_events() if events is None else events, describe(path))


def _axes(path: Path) -> tuple[Any, Any]:
    """Parse the XML that names rows and columns; nibabel reads no samples for that."""
    import nibabel
    from nibabel.cifti2 import SeriesAxis

    _header(path)
    try:
        with warnings.catch_warnings():
            # nibabel only warns when the matrix is not the one that the XML describes.
            warnings.simplefilter("error", UserWarning)
            image = nibabel.Cifti2Image.from_filename(path)
        axes = [image.header.get_axis(i) for i in range(image.ndim)]
    except Exception as error:
        raise ReadError(f"{path.name}: cannot be read as CIFTI-2: {error}") from error
    if len(axes) != 2 or not isinstance(axes[0], SeriesAxis) or isinstance(axes[1], SeriesAxis):
        kinds = " x ".join(type(axis).__name__.removesuffix("Axis") for axis in axes)
        raise ReadError(
            f"{path.name}: a CIFTI matrix of {kinds}, expected Series x BrainModel or Parcels. "
            "Only time series (dtseries, ptseries) are recordings."
        )
    return axes[0], axes[1]


def _header(path: Path) -> Any:
    import nibabel

    head = read_head(path, 540, least=540)
    try:
        header = nibabel.Nifti2Header(head, check=False)
        shape, dtype = header.get_data_shape(), header.get_data_dtype()
        claimed = int(header.get_data_offset()) + math.prod(map(int, shape)) * dtype.itemsize
        real = dtype.kind in "fiu"
    except Exception as error:
        raise ReadError(f"{path.name}: the header is damaged: {error}") from error
    actual = path.stat().st_size
    if not real or min(shape, default=0) <= 0 or claimed > actual:
        raise ReadError(
            f"{path.name}: truncated or damaged: a header for shape {shape} of {dtype}, {claimed} "
            f"bytes; the file has {actual}. Copy it again."
        )
    return header


def _matrix(path: Path, shape: tuple[int, int]) -> tuple[np.ndarray, tuple[float, float]]:
    header = _header(path)
    if math.prod(map(int, header.get_data_shape())) != math.prod(shape):
        raise ReadError(
            f"{path.name}: the XML describes a matrix of {shape}, the header "
            f"{header.get_data_shape()}."
        )
    slope, intercept = header.get_slope_inter()
    scaling = (1.0 if slope is None else float(slope), float(intercept or 0.0))
    offset = int(header.get_data_offset())
    # The first index of the matrix runs fastest, so a volume is not contiguous in the file.
    matrix = np.memmap(path, header.get_data_dtype(), "r", offset, shape, order="F")
    return matrix, scaling


def _seconds(path: Path, series: Any, given: float | None) -> float:
    if given is not None:
        return check_repetition_time(given)
    if series.unit != "SECOND":
        raise DataError(
            f"{path.name}: the series axis is in {series.unit}, not seconds: no time series."
        )
    sidecar = sidecar_value(path, "RepetitionTime")
    own = check_repetition_time(float(series.step) if series.step > 0 else None)
    if sidecar is None:
        return own
    seconds = check_repetition_time(sidecar)
    if abs(seconds / own - 1) > 0.01:
        raise DataError(
            f"{path.name}: the sidecar says TR {seconds:g} s, the series axis {own:g} s. Find out "
            "which is right and give repetition_time=."
        )
    return seconds


def _features(axis: Any) -> tuple[str, dict[str, Any]]:
    from nibabel.cifti2 import ParcelsAxis

    if isinstance(axis, ParcelsAxis):
        names = text_array(axis.name)
        return "roi", {"roi": names, "region": ("roi", names)}
    voxels = np.asarray(axis.voxel, dtype=np.int32)
    inside = voxels[:, 0] >= 0
    world = np.full((3, len(voxels)), np.nan)
    if inside.any():
        affine = np.asarray(axis.affine, dtype=np.float64)
        world[:, inside] = (affine[:3, :3] @ voxels[inside].T + affine[:3, 3:]) * 1e-3
    structure = text_array([str(name).removeprefix(_PREFIX) for name in axis.name])
    columns = {
        "structure": structure,
        "vertex": np.asarray(axis.vertex, dtype=np.int32),
        **dict(zip("ijk", voxels.T, strict=True)),
        **dict(zip("xyz", world, strict=True)),
    }
    return "voxel", {name: ("voxel", values) for name, values in columns.items()}
