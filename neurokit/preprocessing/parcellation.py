"""From voxels to parcels by one sparse product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import xarray as xr
from scipy import sparse

from neurokit.arguments import instance, known, name_list, number, text
from neurokit.errors import DataError
from neurokit.recording import Recording
from neurokit.recording.checks import text_array
from neurokit.recording.grid import Grid, chosen_voxels
from neurokit.warning import warn

if TYPE_CHECKING:
    import nibabel

    ImageLike: TypeAlias = str | Path | nibabel.Nifti1Image | np.ndarray

__all__ = ["parcellate"]

_BLOCK_BYTES = 32 * 2**20


def parcellate(
    rec: Recording,
    labels: ImageLike | None = None,
    *,
    names: Sequence[str] | Mapping[int, str] | None = None,
    strategy: Literal["mean", "sum"] = "mean",
    stream: str = "bold",
    spheres: Sequence[Sequence[float]] | np.ndarray | None = None,
    radius: float | None = None,
    mask: ImageLike | None = None,
) -> Recording:
    """Average the voxels of every parcel of a label image, or around every seed.

    The parcels' series are ``X W`` with X the samples (time, voxel) and W (voxel, parcel) the
    sparse matrix of weights, accumulated in float64. Nothing is resampled.

    Parameters
    ----------
    rec : Recording
        With a stream over ``(time, voxel)``.
    labels : path, nibabel image or ndarray, optional
        Integers, 0 the background: an image on the volumes' grid, or one label a voxel of the
        stream (the way for surfaces).
    names : sequence of str or mapping of int to str, optional
        Of the parcels: in the order of rising labels, or by label; of the spheres in their
        order. By default the labels themselves.
    strategy : {"mean", "sum"}
        What becomes of a parcel's voxels.
    stream : str
        The voxel stream, which the parcels replace.
    spheres : array-like of shape (seed, 3), optional
        Centres in metres, instead of ``labels``.
    radius : float, optional
        Of the spheres, in metres.
    mask : path, nibabel image or ndarray, optional
        Only voxels where it is not zero count; bad ones never do. Alone, without labels or
        spheres, the voxels themselves are kept.

    Returns
    -------
    Recording
        The stream over ``(time, roi)`` with coords ``label``, ``n_voxels`` and the centroid
        ``x``, ``y``, ``z`` (m). Parcels and spheres without any voxel are left out, with a
        warning that names them, so that no NaN arises.

    Raises
    ------
    DataError
        If the label image lies on another grid, labels are no integers, names do not match,
        or nothing is left.

    Examples
    --------
    >>> import nibabel
    >>> volumes = nibabel.Nifti1Image(np.arange(8.0).reshape(4, 1, 1, 2), np.eye(4))
    >>> rec = Recording.from_nifti(volumes, 2.0)
    >>> out = parcellate(rec, np.array([0, 1, 2, 2]).reshape(4, 1, 1), names=["V1", "V2"])
    >>> out["bold"].sel(roi="V2").values
    array([5., 6.], dtype=float32)
    """
    _check_request(labels, spheres, radius, mask, strategy)
    data = instance("The recording", rec, Recording, "a neurokit Recording")[text("stream", stream)]
    if data.dims != ("time", "voxel"):
        raise DataError(
            f"Expected {stream} with dims ('time', 'voxel'); got {data.dims}. Only voxels and "
            "vertices can be put into parcels."
        )
    inside = _inside(stream, data, mask)
    if "bad" in data.coords:
        inside &= ~data["bad"].values.astype(bool)
    if labels is None and spheres is None:
        kept = data.isel(voxel=np.flatnonzero(inside))
        line = f"kept {kept.sizes['voxel']} of {inside.size} voxels in the mask"
        return rec.replace({**rec.streams, stream: kept}, history=line)
    if spheres is None:
        numbers, weights = _label_weights(stream, data, labels, inside)
        what = f"{Path(labels).name}" if isinstance(labels, str | Path) else "a label image"
    else:
        numbers, weights = _sphere_weights(data, spheres, radius, inside)
        what = f"spheres of {radius:g} m"
    parcels, counts = _present(numbers, weights, names)
    series = _product(data, weights[counts > 0], strategy)
    out = _stream(data, series, weights[counts > 0], parcels)
    line = f"parcellate({strategy} of {what}: {len(parcels)} parcels)"
    return rec.replace({**rec.streams, stream: out}, history=line)


def _check_request(
    labels: object, spheres: object, radius: float | None, mask: object, strategy: str
) -> None:
    known("strategy", strategy, ("mean", "sum"))
    if labels is not None and spheres is not None:
        raise DataError("Give labels or spheres, not both.")
    if labels is None and spheres is None and mask is None:
        raise DataError("Nothing to parcellate by: give labels, spheres or mask.")
    if spheres is not None and (radius is None or not 0 < number("radius (m)", radius) < 1):
        raise DataError(f"The radius is {radius!r}, expected metres, e.g. radius=0.005 for 5 mm.")


def _inside(name: str, data: xr.DataArray, mask: ImageLike | None) -> np.ndarray:
    if mask is None:
        return np.ones(data.sizes["voxel"], dtype=bool)
    if isinstance(mask, np.ndarray) and mask.shape == (data.sizes["voxel"],):
        inside = mask != 0
    else:
        grid = Grid.of_stream(name, data)
        volume = np.zeros(grid.shape, dtype=bool)
        volume[tuple(chosen_voxels(grid, mask))] = True
        inside = volume[tuple(data[axis].values for axis in "ijk")]
    if not inside.any():
        raise DataError(f"The mask is empty: it holds none of the {inside.size} voxels of {name}.")
    return inside


def _label_weights(
    name: str, data: xr.DataArray, labels: ImageLike | None, inside: np.ndarray
) -> tuple[np.ndarray, sparse.csr_array]:
    """Return the labels, and for each the voxels that carry it."""
    assert labels is not None
    if isinstance(labels, np.ndarray) and labels.ndim == 1:
        if labels.size != inside.size:
            raise DataError(f"Got {labels.size} labels for {inside.size} voxels of {name}.")
        everywhere = here = _integers(labels)
    else:
        grid = Grid.of_stream(name, data)
        everywhere = _integers(grid.values_of(labels, "label image"))
        here = everywhere[tuple(data[axis].values for axis in "ijk")]
    known = np.unique(everywhere)
    known = known[known != 0]
    if known.size == 0:
        raise DataError("The label image is empty: every voxel is 0, the background.")
    voxel = np.flatnonzero(inside & (here != 0))
    row = np.searchsorted(known, here[voxel])
    ones = np.ones(voxel.size)
    return known, sparse.csr_array((ones, (row, voxel)), shape=(known.size, inside.size))


def _integers(labels: np.ndarray) -> np.ndarray:
    if labels.dtype.kind in "iub":
        return labels.astype(np.int64)
    if labels.dtype.kind != "f" or not np.array_equal(labels, np.round(labels)):
        raise DataError(
            f"The labels ({labels.dtype}) are not whole numbers. A label image has one integer a "
            "parcel; a probabilistic atlas must be thresholded first."
        )
    return labels.astype(np.int64)


def _sphere_weights(
    data: xr.DataArray, spheres: object, radius: float | None, inside: np.ndarray
) -> tuple[np.ndarray, sparse.csr_array]:
    from scipy.spatial import cKDTree

    try:
        centres = np.asarray(spheres, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError("The spheres are no numbers; expected shape (seed, 3) in metres.") from None
    if centres.ndim != 2 or centres.shape[1] != 3 or len(centres) == 0:
        raise DataError(f"Expected spheres of shape (seed, 3) in metres; got {centres.shape}.")
    if not {"x", "y", "z"} <= set(data.coords):
        raise DataError("The voxels have no coordinates x, y, z; spheres need to know where.")
    # A brain fits into half a metre; farther out the numbers are millimetres.
    if not np.abs(centres).max() < 0.5:
        raise DataError(
            f"The spheres lie up to {np.abs(centres).max():g} m from the origin, which looks like "
            "millimetres. Expected metres: divide by 1000."
        )
    places = np.stack([data[axis].values for axis in "xyz"], axis=1)
    usable = np.flatnonzero(inside & np.isfinite(places).all(axis=1))
    # The slack keeps voxels whose distance is the radius but for rounding.
    found = cKDTree(places[usable]).query_ball_point(centres, float(radius or 0) * (1 + 1e-9))
    row = np.repeat(np.arange(len(centres)), [len(f) for f in found])
    voxel = usable[np.concatenate([np.asarray(f, dtype=np.int64) for f in found])]
    shape = (len(centres), inside.size)
    return np.arange(1, len(centres) + 1), sparse.csr_array(
        (np.ones(voxel.size), (row, voxel)), shape=shape
    )


def _present(
    numbers: np.ndarray,
    weights: sparse.csr_array,
    names: Sequence[str] | Mapping[int, str] | None,
) -> tuple[dict[str, int], np.ndarray]:
    """Name the parcels that have voxels, and warn of those that have none."""
    named = _names(numbers, names)
    counts = np.diff(weights.indptr)
    empty = [name for name, count in zip(named, counts, strict=True) if count == 0]
    if len(empty) == len(named):
        raise DataError(
            f"None of the {len(named)} parcels has a voxel of the stream. Check that labels and "
            "volumes are in one space."
        )
    if empty:
        warn(
            f"{len(empty)} of {len(named)} parcels have no voxel and are left out: "
            f"{', '.join(empty[:8])}{' …' if len(empty) > 8 else ''}."
        )
    kept = zip(named, numbers.tolist(), counts, strict=True)
    return {name: number for name, number, count in kept if count}, counts


def _names(numbers: np.ndarray, names: Sequence[str] | Mapping[int, str] | None) -> list[str]:
    if names is None:
        return [str(n) for n in numbers]
    if isinstance(names, Mapping):
        missing = [int(n) for n in numbers if int(n) not in names]
        if missing:
            raise DataError(f"{len(missing)} labels have no name: {missing[:8]}. Name them all.")
        chosen = [str(names[int(n)]) for n in numbers]
    else:
        chosen = name_list("names", names)
    if len(chosen) != numbers.size:
        raise DataError(
            f"Got {len(chosen)} names for {numbers.size} parcels (labels {numbers[0]} to "
            f"{numbers[-1]}). Leave out the background, or give a mapping from label to name."
        )
    if len(set(chosen)) != len(chosen):
        raise DataError("The names of the parcels are not unique. Rename the copies.")
    return chosen


def _product(data: xr.DataArray, weights: sparse.csr_array, strategy: str) -> np.ndarray:
    """Multiply, reading lazy data block by block so that they are never in memory as a whole."""
    if strategy == "mean":
        weights = sparse.csr_array(weights / np.diff(weights.indptr)[:, None])
    n_times, n_voxels = data.shape
    step = max(1, _BLOCK_BYTES // (4 * n_voxels))
    out = np.empty((n_times, weights.shape[0]), dtype=np.float32)
    for first in range(0, n_times, step):
        block = data[first : first + step].values
        # A volume at a time stays in the cache. For all at once scipy would first make a
        # transposed float64 copy, which takes three times as long as all the products.
        out[first : first + step] = [weights @ volume for volume in block]
    return out


def _stream(
    data: xr.DataArray, series: np.ndarray, weights: sparse.csr_array, parcels: dict[str, int]
) -> xr.DataArray:
    counts = np.diff(weights.indptr)
    coords = {
        **{key: c for key, c in data.coords.items() if c.dims == ("time",)},
        "roi": text_array(list(parcels)),
        "label": ("roi", np.array(list(parcels.values()), dtype=np.int64)),
        "n_voxels": ("roi", counts.astype(np.int64)),
    }
    if {"x", "y", "z"} <= set(data.coords):
        for axis in "xyz":
            place = data[axis].values
            if np.isfinite(place).all():
                coords[axis] = ("roi", weights @ place / counts)
    attrs = {k: v for k, v in data.attrs.items() if k not in ("affine", "shape")}
    return xr.DataArray(series, coords, ("time", "roi"), attrs=attrs)
