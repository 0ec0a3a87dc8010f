"""Images as users have them, read into one form: uint8 red, green and blue."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from neurokit.errors import DataError, ReadError
from neurokit.extras import require

__all__ = ["BACKGROUND", "Image", "read_images"]

#: Level of the grey that transparent pixels show, as in most image sets cut out on grey.
BACKGROUND = 128

Image = NDArray[np.uint8]


def read_images(images: Any) -> list[Image]:
    """Read images of any kind into arrays of red, green and blue.

    Parameters
    ----------
    images : array-like, DataArray, or iterable
        One uint8 array of shape (images, rows, columns) or (images, rows, columns, channels),
        or an iterable of images, each an array without the first dimension, a PIL image or a
        path. One channel is grey, three are colours, four are colours and opacity.

    Returns
    -------
    list of ndarray, each (rows, columns, 3)
        uint8. Grey is repeated three times. Transparent pixels are laid on the grey 128.
        Photographs that say how the camera was held are turned upright.

    Raises
    ------
    DataError
        No images, or an array of another type, range or shape, named by its place.
    ReadError
        A path without a file, or a file that is no image.

    Examples
    --------
    >>> read_images(np.zeros((2, 8, 6), np.uint8))[0].shape
    (8, 6, 3)
    """
    if isinstance(images, str | bytes | PathLike):
        raise DataError(
            f"images is {str(images)!r}, one path; expected a list of images, such as [path]."
        )
    if isinstance(images, xr.DataArray):
        if "presentation" in images.dims[1:]:
            raise DataError(
                f"Expected images with the dimension presentation first; got {images.dims}. Try "
                "images.transpose('presentation', ...)."
            )
        images = images.values
    if isinstance(images, np.ndarray) and images.dtype != object:
        _check_type(images, "images")
        # No picture is four pixels wide: a last axis so short is of colours.
        if images.ndim not in (3, 4) or (images.ndim == 3 and images.shape[-1] <= 4):
            raise DataError(
                "Expected images of shape (images, rows, columns[, channels]); got "
                f"{images.shape}. One image is images[None]."
            )
    elif not isinstance(images, Iterable):
        raise DataError(
            f"images is of type {type(images).__name__}, expected an array or a list of images."
        )
    read = [_read(image, f"image {place}") for place, image in enumerate(images)]
    if not read:
        raise DataError("There are no images: expected at least one.")
    return read


def _read(image: Any, name: str) -> Image:
    """Read one image."""
    if isinstance(image, str | PathLike):
        return _open(Path(image))
    if hasattr(image, "getbands"):
        return _from_pil(image, name)
    array = np.asarray(image)
    _check_type(array, name)
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in (1, 3, 4) or not array.size:
        hint = " Channels go last: try array.transpose(1, 2, 0)." if _first(array) else ""
        raise DataError(
            f"Expected {name} of shape (rows, columns) or (rows, columns, 1, 3 or 4 channels); "
            f"got {array.shape}.{hint}"
        )
    return _opaque(array)


def _first(array: NDArray) -> bool:
    """Tell whether the channels seem to come first."""
    return array.ndim == 3 and array.shape[0] in (1, 3, 4)


def _opaque(array: Image) -> Image:
    """Return three channels: grey repeated, opacity applied on the background."""
    if array.shape[-1] == 1:
        return np.repeat(array, 3, axis=-1)
    if array.shape[-1] == 3:
        return array
    opacity = array[..., 3:].astype(np.float32) / 255
    laid = array[..., :3] * opacity + BACKGROUND * (1 - opacity)
    return laid.round().astype(np.uint8)


def _check_type(array: NDArray, name: str) -> None:
    """Refuse all but uint8, and say how to convert."""
    if array.dtype == np.uint8:
        return
    message = f"Expected {name} of uint8 from 0 to 255; got {array.dtype}"
    if array.dtype.kind not in "biuf" or not array.size:
        raise DataError(f"{message}.")
    low, high = array.min(), array.max()
    if not np.isfinite([low, high]).all():
        raise DataError(f"{message} with values that are not finite.")
    how = "images.round().astype(np.uint8)"
    if array.dtype.kind in "bf" and low >= 0 and high <= 1:
        how = "(images * 255.0).round().astype(np.uint8)"
    elif not (low >= 0 and high <= 255):
        how = "np.interp(images, [darkest, brightest], [0, 255]).round().astype(np.uint8)"
    raise DataError(f"{message} from {low:.4g} to {high:.4g}. Try {how}.")


def _open(path: Path) -> Image:
    """Read an image file."""
    pil = require("PIL.Image", "alignment")
    if not path.is_file():
        raise ReadError(f"There is no image file {path}.")
    try:
        with pil.open(path) as image:
            image.load()
            return _from_pil(image, str(path))
    except (pil.UnidentifiedImageError, pil.DecompressionBombError, OSError) as error:
        raise ReadError(f"{path} cannot be read as an image: {error}") from None


def _from_pil(image: Any, name: str) -> Image:
    """Return the pixels of a PIL image, upright."""
    if image.mode.startswith(("I", "F")):
        raise DataError(
            f"{name} has more than 8 bits per channel (PIL mode {image.mode!r}). Scale its levels "
            "to 0 to 255 first, since where black and white lie is not known."
        )
    upright = require("PIL.ImageOps", "alignment").exif_transpose(image)
    clear = upright.mode in ("LA", "PA", "RGBa", "La") or "transparency" in upright.info
    mode = "RGBA" if clear or upright.mode == "RGBA" else "RGB"
    return _opaque(np.asarray(upright.convert(mode)))
