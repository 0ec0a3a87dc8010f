"""Pictures of stimuli, wherever a data set keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurokit.datasets.array_files import load_mat, load_npz
from neurokit.datasets.hdf5 import check_dataset, open_hdf5
from neurokit.errors import DataError, ReadError
from neurokit.extras import require

__all__ = ["load_pictures"]

_HDF5 = (".h5", ".hdf5", ".hdf")


def load_pictures(where: Sequence[str], size: tuple[int, int] | None = None) -> np.ndarray:
    """Load pictures from image files and from arrays of pictures.

    Parameters
    ----------
    where : sequence of str
        For each picture an image file, or a row of an array: ``"all.npy#7"``,
        ``"all.npz#images/7"`` or ``"nsd_stimuli.hdf5#imgBrick/7"``. Of a MATLAB file, grey
        pictures of any numbers, scaled from the darkest to the brightest of all:
        ``"Stimuli.mat#stimTrn/7"``.
    size : tuple of int, optional
        Height and width to resize to (bicubic), for which pillow is needed.

    Returns
    -------
    ndarray of uint8, shape (n, height, width, 3)
        Grey pictures are repeated over the three colours; transparent ones lie on grey 128.

    Raises
    ------
    ReadError
        If a file is missing or damaged, or has no such row.
    DataError
        If sizes differ and no ``size`` is given.

    Examples
    --------
    >>> np.save("all.npy", np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3))
    >>> int(load_pictures(["all.npy#1"])[0, 0, 0, 0])
    48
    """
    loaded: list[Any] = [None] * len(where)
    rows: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for i, place in enumerate(where):
        path, mark, inner = str(place).partition("#")
        if not mark:
            loaded[i] = _resized(_from_file(Path(path)), size)
            continue
        array, _, row = inner.rpartition("/")
        if not row.isdigit():
            raise ReadError(f"{place}: expected file#array/row, the row a number.")
        rows.setdefault((path, array), []).append((i, int(row)))
    for (path, array), wanted in rows.items():
        order, numbers = zip(*wanted, strict=True)
        for i, picture in zip(order, _from_array(Path(path), array, numbers), strict=True):
            loaded[i] = _resized(picture, size)
    shapes = sorted({p.shape for p in loaded})
    if len(shapes) > 1:
        raise DataError(
            f"The pictures have {len(shapes)} sizes, {shapes[0][:2]} and {shapes[-1][:2]} pixels "
            "among them. Give size=(height, width)."
        )
    return np.stack(loaded)


def _from_file(path: Path) -> np.ndarray:
    if not path.is_file():
        raise ReadError(f"There is no picture {path}. Give the reader the folder it lies in.")
    image = require("PIL.Image", "alignment")
    try:
        with image.open(path) as opened:
            if "A" in opened.getbands() or "transparency" in opened.info:
                ground = image.new("RGBA", opened.size, (128, 128, 128, 255))
                return np.asarray(image.alpha_composite(ground, opened.convert("RGBA")))[..., :3]
            return np.asarray(opened.convert("RGB"))
    # Damaged pictures raise SyntaxError, struct.error and more; refused bombs an error of pillow's.
    except Exception as error:
        raise ReadError(f"{path.name}: cannot be read as a picture: {error}.") from error


def _from_array(path: Path, array: str, rows: Sequence[int]) -> list[np.ndarray]:
    where = f"{path.name}#{array}"
    if path.suffix == ".npy":
        try:
            bricks: Any = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ReadError(f"{path}: cannot be read as an array: {error}.") from error
        return _rows(bricks, rows, where)
    if path.suffix == ".npz":
        return _rows(load_npz(path)[array], rows, where)
    if path.suffix == ".mat":
        return _rows(_grey(load_mat(path)[array], where), rows, where)
    if path.suffix in _HDF5:
        with open_hdf5(path, "an array of pictures") as file:
            if array not in file:
                raise ReadError(f"{path.name} has no {array!r}, only {list(file)[:12]}.")
            return _rows(check_dataset(file[array]), rows, where)
    raise ReadError(f"{path.name}: expected .npy, .npz, .mat or .hdf5 before '#'.")


def _grey(values: np.ndarray, where: str) -> np.ndarray:
    """Scale (n, height, width) of any numbers to bytes and repeat them over the colours."""
    if values.ndim != 3 or values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise ReadError(f"{where}: expected grey pictures (n, height, width); got {values.shape}.")
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) * (255.0 / (high - low if high > low else 1.0))
    return np.repeat(np.round(scaled).astype(np.uint8)[..., None], 3, axis=3)


def _rows(bricks: Any, rows: Sequence[int], where: str) -> list[np.ndarray]:
    if len(bricks.shape) != 4 or bricks.shape[3] != 3 or bricks.dtype != np.uint8:
        raise ReadError(
            f"{where}: expected pictures (n, height, width, 3) of uint8; got {bricks.dtype} of "
            f"shape {tuple(bricks.shape)}."
        )
    if max(rows) >= bricks.shape[0]:
        raise ReadError(f"{where} holds {bricks.shape[0]} pictures; there is no row {max(rows)}.")
    return [np.asarray(bricks[row]) for row in rows]


def _resized(picture: np.ndarray, size: tuple[int, int] | None) -> np.ndarray:
    if size is None or picture.shape[:2] == tuple(size):
        return picture
    image = require("PIL.Image", "alignment")
    height, width = size
    return np.asarray(image.fromarray(picture).resize((width, height), image.Resampling.BICUBIC))
