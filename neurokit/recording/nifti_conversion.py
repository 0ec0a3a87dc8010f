"""Volumes to recordings and back: one column a voxel, on the image's own grid."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurokit.arguments import like
from neurokit.errors import DataError
from neurokit.recording.build import time_axis
from neurokit.recording.core import Recording
from neurokit.recording.grid import Grid, chosen_voxels

if TYPE_CHECKING:
    import nibabel

__all__ = [
    "check_finite_voxels",
    "check_repetition_time",
    "check_series_shape",
    "from_nifti",
    "header_claim",
    "to_nifti",
]

_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}
# No scanner needs longer for a volume; larger numbers are milliseconds.
_LONGEST_TR = 100.0


def from_nifti(
    image: nibabel.Nifti1Image,
    repetition_time: float | None = None,
    *,
    mask: str | Path | nibabel.Nifti1Image | np.ndarray | None = None,
    start: float = 0.0,
) -> Recording:
    """Convert a 4-D image to a recording.

    Voxels that are constant or zero are kept. Voxels that are NaN, as many programs write
    outside of the brain, are an error that says how many there are: give ``mask`` to leave
    them out.

    Parameters
    ----------
    image : nibabel spatial image of shape (x, y, z, time)
        What nibabel or nilearn loaded.
    repetition_time : float
        Seconds between volumes. It is required: headers are often wrong about it.
    mask : path, nibabel image or boolean ndarray of shape (x, y, z), optional
        Only voxels where it is not zero are kept.
    start : float
        Second of the first volume.

    Returns
    -------
    Recording
        Stream ``bold`` over ``(time, voxel)`` with coords ``i``, ``j``, ``k`` (grid), ``x``,
        ``y``, ``z`` (m) and attrs ``affine`` (mm) and ``shape``. Voxels are in the order of
        :class:`nilearn.maskers.NiftiMasker`.

    Raises
    ------
    DataError
        If the image is not 4-D, the TR is missing, the mask is empty or on another grid, or
        values are not finite.

    Examples
    --------
    >>> import nibabel
    >>> volumes = np.arange(12, dtype=np.float32).reshape(2, 1, 1, 6)
    >>> rec = from_nifti(nibabel.Nifti1Image(volumes, np.eye(4)), repetition_time=2.0)
    >>> rec["bold"].sizes, rec.stop
    (Frozen({'time': 6, 'voxel': 2}), 12.0)
    """
    like("The image", image, "dataobj", "a nibabel image (of a file, read it: nk.datasets.read)")
    check_series_shape(tuple(image.shape), "The image")
    seconds = check_repetition_time(repetition_time, header_claim(image.header))
    grid = Grid.of_image(image)
    voxels = chosen_voxels(grid, mask)
    values = np.asanyarray(image.dataobj)
    if values.dtype.kind not in "fiub":
        raise DataError(f"The image holds {values.dtype}, not real numbers. Take one component.")
    with np.errstate(over="ignore", invalid="ignore"):
        rows = np.ascontiguousarray(values[tuple(voxels)].T, dtype=np.float32)
    check_finite_voxels(rows, "The image")
    data = xr.DataArray(
        rows,
        dims=("time", "voxel"),
        coords={"time": time_axis(len(rows), 1.0 / seconds, start), **grid.coords(voxels)},
        attrs=grid.attrs(seconds),
    )
    return Recording({"bold": data})


def to_nifti(recording: Recording, stream: str = "bold") -> nibabel.Nifti1Image:
    """Convert a voxel stream back to a 4-D image.

    Parameters
    ----------
    recording : Recording
        With a stream that came from an image.
    stream : str
        Its name.

    Returns
    -------
    nibabel.Nifti1Image
        float32 of shape (x, y, z, time) on the original grid; zero where there is no voxel.

    Raises
    ------
    DataError
        If the stream has no grid.

    Examples
    --------
    >>> import nibabel
    >>> image = nibabel.Nifti1Image(np.ones((2, 2, 1, 3), np.float32), np.eye(4))
    >>> back = to_nifti(from_nifti(image, 2.0))
    >>> back.shape, float(back.header["pixdim"][4])
    ((2, 2, 1, 3), 2.0)
    """
    import nibabel

    data = recording[stream]
    grid = Grid.of_stream(stream, data)
    # Volume after volume, as in the file; a transposed view costs nothing.
    volumes = np.zeros((data.sizes["time"], *grid.shape[::-1]), dtype=np.float32)
    i, j, k = (data[axis].values for axis in "ijk")
    volumes[:, k, j, i] = data.values
    image = nibabel.Nifti1Image(volumes.T, grid.affine)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((*image.header.get_zooms()[:3], 1.0 / data.attrs["sampling_rate"]))
    return image


def check_series_shape(shape: tuple[int, ...], what: str) -> None:
    """Raise unless a shape is that of a series of volumes.

    Parameters
    ----------
    shape : tuple of int
        As the header has it.
    what : str
        How the message names the image.

    Raises
    ------
    DataError
        Saying what an image of that many dimensions is good for.
    """
    if len(shape) == 4 and min(shape) > 0:
        return
    hint = "Take the dimensions that are space and time, e.g. image.slicer or numpy.squeeze."
    if len(shape) == 3:
        hint = "One volume is no time series: give it as mask= or to parcellate() as labels."
    raise DataError(f"{what} has shape {shape}, expected (x, y, z, time). {hint}")


def check_repetition_time(seconds: float | None, claim: str = "") -> float:
    """Return the repetition time, or say that it is missing or implausible.

    Parameters
    ----------
    seconds : float or None
        As given by the caller or the sidecar.
    claim : str
        What the header says, for the message.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    DataError
        If it is None, not a positive number, or looks like milliseconds.

    Examples
    --------
    >>> check_repetition_time(2)
    2.0
    """
    if seconds is None:
        raise DataError(
            "The repetition time (TR) is nowhere: neither given nor in a JSON sidecar. "
            f"{claim or 'The header says nothing about it.'} Give repetition_time= in seconds, or "
            'write {"RepetitionTime": …} to the sidecar.'
        )
    number = isinstance(seconds, int | float | np.number) and not isinstance(seconds, bool)
    if not number or not math.isfinite(seconds) or seconds <= 0:
        raise DataError(f"The repetition time is {seconds!r}, expected a positive number of s.")
    if seconds > _LONGEST_TR:
        raise DataError(
            f"The repetition time is {seconds:g} s, which looks like milliseconds. Expected "
            f"seconds: {seconds / 1000:g}?"
        )
    return float(seconds)


def header_claim(header: Any) -> str:
    """Say what a header claims about the repetition time.

    Parameters
    ----------
    header : nibabel header
        Of a NIfTI or MGH image.

    Returns
    -------
    str
        A sentence; empty when the header says nothing plausible.
    """
    try:
        value = float(header.get_zooms()[3])
        unit = header.get_xyzt_units()[1]
    except Exception:  # A claim that cannot be read is no claim.
        return ""
    seconds = value * _SECONDS.get(unit, 1.0)
    if not math.isfinite(seconds) or not 0 < seconds <= _LONGEST_TR:
        return ""
    return (
        f"The header claims {seconds:g} s, but converters often write that field wrongly, so it is "
        f"not trusted. If it is right: repetition_time={seconds:g}."
    )


def check_finite_voxels(rows: np.ndarray, what: str) -> None:
    """Raise if voxels hold NaN or infinity, and say how many.

    Parameters
    ----------
    rows : ndarray of shape (time, voxel)
        Some or all volumes.
    what : str
        How the message names the image.

    Raises
    ------
    DataError
        With the number of voxels that are never finite, which lie outside of the brain, and
        of those that are not finite sometimes, which are damage.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(rows.sum(dtype=np.float64)):
            return
    finite = np.isfinite(rows)
    if finite.all():
        return
    n_bad, n_never = int((~finite.all(axis=0)).sum()), int((~finite.any(axis=0)).sum())
    raise DataError(
        f"{what}: {n_bad} of {rows.shape[1]} voxels hold NaN or infinity, {n_never} of them in "
        "every volume (outside of the brain?). Give mask= (a 3-D image, or "
        "numpy.isfinite(volumes).all(axis=3)) to leave them out."
    )
