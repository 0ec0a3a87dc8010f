"""The voxel grid that volumes, masks and label images share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from neurokit.arguments import like
from neurokit.errors import DataError, ReadError

if TYPE_CHECKING:
    import nibabel

__all__ = ["Grid", "affine_in_mm", "check_affine", "chosen_voxels"]

_MILLIMETRES = {"meter": 1e3, "mm": 1.0, "micron": 1e-3}


@dataclass(frozen=True)
class Grid:
    """The voxel grid of an image.

    Attributes
    ----------
    shape : tuple of int
        Voxels along i, j and k.
    affine : ndarray of shape (4, 4)
        From grid indices to world coordinates in mm.

    Examples
    --------
    >>> grid = Grid((2, 2, 1), np.diag([3.0, 3.0, 3.0, 1.0]))
    >>> coords = grid.coords(grid.all_voxels())
    >>> coords["x"][1].tolist()
    [0.0, 0.0, 0.003, 0.003]
    """

    shape: tuple[int, ...]
    affine: np.ndarray

    @classmethod
    def of_image(cls, image: nibabel.Nifti1Image) -> Grid:
        """Take the grid from an image.

        Parameters
        ----------
        image : nibabel spatial image
            Of three or more dimensions.

        Returns
        -------
        Grid
            With the affine in mm whatever the file's unit.

        Raises
        ------
        DataError
            If the affine is not finite or maps the grid onto a plane.
        """
        return cls(tuple(int(n) for n in image.shape[:3]), affine_in_mm(image))

    @classmethod
    def of_stream(cls, name: str, stream: xr.DataArray) -> Grid:
        """Take the grid that a voxel stream remembers.

        Parameters
        ----------
        name : str
            The stream's name, for the message.
        stream : xr.DataArray
            Dims ``(time, voxel)``.

        Returns
        -------
        Grid
            Of the image that the stream came from.

        Raises
        ------
        DataError
            If the stream has no voxels or no grid.
        """
        has_grid = {"affine", "shape"} <= set(stream.attrs) and {"i", "j", "k"} <= set(
            stream.coords
        )
        if stream.dims != ("time", "voxel") or not has_grid:
            raise DataError(
                f"Expected {name} with dims ('time', 'voxel'), coords i, j, k and attrs affine and "
                f"shape; got dims {stream.dims} and attrs {sorted(map(str, stream.attrs))}. Only "
                "volumes read from an image have a grid; parcels and surfaces do not."
            )
        affine = np.asarray(stream.attrs["affine"], dtype=np.float64)
        return cls(tuple(int(n) for n in stream.attrs["shape"]), affine)

    def all_voxels(self) -> np.ndarray:
        """Return the indices of every voxel, the last axis running fastest.

        Returns
        -------
        ndarray of shape (3, voxel)
            int32, in the order of :func:`numpy.nonzero`.
        """
        return np.indices(self.shape, dtype=np.int32).reshape(3, -1)

    def coords(self, voxels: np.ndarray) -> dict[str, tuple[str, np.ndarray]]:
        """Return the coordinates of a voxel stream.

        Parameters
        ----------
        voxels : ndarray of shape (3, voxel)
            Grid indices.

        Returns
        -------
        dict
            ``i``, ``j``, ``k`` (int32) and ``x``, ``y``, ``z`` (m).
        """
        world = (self.affine[:3, :3] @ voxels + self.affine[:3, 3:]) * 1e-3
        names = ("i", "j", "k", "x", "y", "z")
        values = (*np.asarray(voxels, dtype=np.int32), *world)
        return {name: ("voxel", value) for name, value in zip(names, values, strict=True)}

    def attrs(self, repetition_time: float) -> dict[str, Any]:
        """Return the attrs of a voxel stream.

        Parameters
        ----------
        repetition_time : float
            In seconds.

        Returns
        -------
        dict
            ``sampling_rate`` (Hz), ``units``, ``affine`` (mm) and ``shape``.
        """
        return {
            "sampling_rate": 1.0 / repetition_time,
            "units": "a.u.",
            "affine": self.affine.tolist(),
            "shape": list(self.shape),
        }

    def values_of(
        self, image: str | Path | nibabel.Nifti1Image | np.ndarray, what: str
    ) -> np.ndarray:
        """Read a 3-D image that lies on this grid.

        Parameters
        ----------
        image : path, nibabel image or ndarray of shape (i, j, k)
            An array is taken to be on the grid when its shape is the grid's.
        what : str
            How messages name the image.

        Returns
        -------
        ndarray of shape (i, j, k)
            The values as stored, scaling applied.

        Raises
        ------
        DataError
            If the image lies on another grid; nothing is resampled behind one's back.
        ReadError
            If the file cannot be read.
        """
        if isinstance(image, np.ndarray):
            if image.shape != self.shape:
                raise DataError(
                    f"The {what} has shape {image.shape}, the volumes {self.shape}. Give one value "
                    "a voxel of the grid."
                )
            return image
        if not isinstance(image, str | Path):
            like(f"The {what}", image, "dataobj", "a path, a nibabel image or an array")
        name = str(image) if isinstance(image, str | Path) else what
        loaded = _load(Path(image), what) if isinstance(image, str | Path) else image
        shape = tuple(int(n) for n in loaded.shape)
        # Some programs write a volume as a series of one.
        shape = shape[:3] if shape[3:] == (1,) else shape
        if shape != self.shape or not self._agrees(affine_in_mm(loaded)):
            raise DataError(
                f"The {what} ({Path(name).name}) is on another grid: shape {shape}, affine "
                f"{_short(affine_in_mm(loaded))}; the volumes have shape {self.shape}, affine "
                f"{_short(self.affine)}. Resample it first: "
                "nilearn.image.resample_to_img(it, volumes, interpolation='nearest')."
            )
        return np.asanyarray(loaded.dataobj).reshape(self.shape)

    def _agrees(self, affine: np.ndarray) -> bool:
        # A thousandth of a voxel is rounding in the header.
        size = np.linalg.norm(self.affine[:3, :3], axis=0).min()
        return bool(np.allclose(affine, self.affine, rtol=1e-5, atol=1e-3 * size))


def chosen_voxels(
    grid: Grid, mask: str | Path | nibabel.Nifti1Image | np.ndarray | None
) -> np.ndarray:
    """Return the grid indices of the voxels in a mask.

    Parameters
    ----------
    grid : Grid
        The grid of the volumes.
    mask : path, nibabel image, ndarray or None
        None takes every voxel.

    Returns
    -------
    ndarray of shape (3, voxel)
        int32.

    Raises
    ------
    DataError
        If the mask is empty, holds NaN, or lies on another grid.
    """
    if mask is None:
        return grid.all_voxels()
    values = grid.values_of(mask, "mask")
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise DataError(f"The mask holds {int(np.isnan(values).sum())} NaN. Use 0 and 1.")
    voxels = np.asarray(np.nonzero(values), dtype=np.int32)
    if voxels.shape[1] == 0:
        raise DataError(
            f"The mask is empty: none of its {values.size} voxels differs from zero. Check that it "
            "is the mask of these volumes."
        )
    return voxels


def affine_in_mm(image: Any) -> np.ndarray:
    """Return an image's affine in mm.

    Parameters
    ----------
    image : nibabel spatial image
        Of any format.

    Returns
    -------
    ndarray of shape (4, 4)
        float64.

    Raises
    ------
    DataError
        If it is not finite or singular.
    """
    factor = 1.0
    if hasattr(image.header, "get_xyzt_units"):
        factor = _MILLIMETRES.get(image.header.get_xyzt_units()[0], 1.0)
    affine = np.array(image.affine, dtype=np.float64)
    affine[:3] *= factor
    return check_affine(affine)


def check_affine(affine: np.ndarray) -> np.ndarray:
    """Raise unless an affine maps voxels to distinct places.

    Parameters
    ----------
    affine : ndarray of shape (4, 4)
        From grid indices to world coordinates.

    Returns
    -------
    ndarray of shape (4, 4)
        The same.

    Raises
    ------
    DataError
        If it is not finite or singular.
    """
    with np.errstate(all="ignore"):
        usable = np.isfinite(affine).all() and np.linalg.matrix_rank(affine[:3, :3]) == 3
    if not usable:
        raise DataError(
            f"The affine {_short(affine)} does not place voxels in space. Mend the header."
        )
    return affine


def _load(path: Path, what: str) -> Any:
    import nibabel

    if not path.exists():
        raise ReadError(f"There is no {what} at {path}.")
    try:
        return nibabel.load(path)
    except Exception as error:
        raise ReadError(f"{path.name}: cannot be read as a {what} image: {error}") from error


def _short(affine: np.ndarray) -> str:
    return str(np.round(affine[:3], 2).tolist())
