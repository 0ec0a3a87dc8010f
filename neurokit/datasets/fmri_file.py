"""Files of volumes: a header that is checked first, samples that are read block by block."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from neurokit.datasets.gzipped import is_gzip, open_stream
from neurokit.errors import DataError, ReadError
from neurokit.recording.grid import Grid, affine_in_mm
from neurokit.recording.nifti_conversion import (
    check_finite_voxels,
    check_series_shape,
    header_claim,
)

__all__ = ["Volumes", "read_head"]

_BLOCK_BYTES = 32 * 2**20
# Deflate cannot do better; a header that claims more is wrong.
_MOST_EXPANSION = 1032
# Real volumes shrink less than this; at a gigabyte it is a trap.
_BOMB_EXPANSION, _BOMB_BYTES = 200, 2**30
_MOST_TRAILING = 2**20


@dataclass(frozen=True)
class Volumes:
    """A series of volumes in a file, its header read and found to be possible.

    Attributes
    ----------
    path : Path
        The file.
    shape : tuple of int
        Voxels along x, y and z, and volumes.
    dtype : numpy.dtype
        Of a stored sample, byte order included.
    offset : int
        Byte at which the first sample begins.
    scaling : tuple of float
        Slope and intercept.
    grid : Grid
        Shape and affine (mm).
    claim : str
        What the header says about the TR.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int
    scaling: tuple[float, float]
    grid: Grid
    claim: str

    @classmethod
    def of_nifti(cls, path: Path) -> Volumes:
        """Read the header of a NIfTI file.

        Parameters
        ----------
        path : Path
            NIfTI-1 or NIfTI-2, gzipped or not.

        Returns
        -------
        Volumes
            Nothing but the header is read.

        Raises
        ------
        ReadError
            If the header is damaged, or promises what the file cannot hold.
        """
        import nibabel

        head = read_head(path, 540)
        kinds = {b"n+1\0": (nibabel.Nifti1Header, 348), b"n+2\0": (nibabel.Nifti2Header, 540)}
        magic = head[344:348] if head[344:348] in kinds else head[4:8]
        if magic not in kinds:
            raise ReadError(
                f"{path.name}: not a NIfTI file: no magic 'n+1' or 'n+2' in the header. Convert "
                "Analyze and .hdr/.img pairs with nibabel."
            )
        kind, size = kinds[magic]
        return cls._of_header(path, kind, head[:size])

    @classmethod
    def of_mgh(cls, path: Path) -> Volumes:
        """Read the header of an MGH or MGZ file.

        Parameters
        ----------
        path : Path
            FreeSurfer's volumes, gzipped or not.

        Returns
        -------
        Volumes
            Nothing but the header is read.

        Raises
        ------
        ReadError
            If the header is damaged, or promises what the file cannot hold.
        """
        from nibabel.freesurfer.mghformat import MGHHeader

        return cls._of_header(path, MGHHeader, read_head(path, 284))

    @classmethod
    def _of_header(cls, path: Path, kind: Any, head: bytes) -> Volumes:
        try:
            header = kind(head, check=False)
            volumes = cls._of_parsed(path, header, len(head))
        except (DataError, ReadError) as error:
            raise type(error)(f"{path.name}: {error}") from None
        except Exception as error:
            raise ReadError(f"{path.name}: the header is damaged: {error}") from error
        volumes._check_size()
        return volumes

    @classmethod
    def _of_parsed(cls, path: Path, header: Any, n_head: int) -> Volumes:
        shape = tuple(int(n) for n in header.get_data_shape())
        check_series_shape(shape, "The image")
        dtype = _sample_type(header)
        offset = float(header.get_data_offset()) or n_head
        if not n_head <= offset < 2**40:
            raise ReadError(f"the samples would begin at byte {offset:g}.")
        slope, intercept = header.get_slope_inter()
        scaling = (1.0 if slope is None else float(slope), float(intercept or 0.0))
        if not np.isfinite(scaling).all():
            raise ReadError(f"the scaling is {scaling}.")
        grid = Grid(shape[:3], affine_in_mm(_Header(header, header.get_best_affine())))
        return cls(path, shape, dtype, int(offset), scaling, grid, header_claim(header))

    @property
    def volume_bytes(self) -> int:
        """Bytes of one stored volume."""
        return math.prod(self.shape[:3]) * self.dtype.itemsize

    @property
    def _claimed(self) -> int:
        return self.offset + self.volume_bytes * self.shape[3]

    def _check_size(self) -> None:
        """Compare what the header claims with what the file can hold, before allocating."""
        actual, claimed = self.path.stat().st_size, self._claimed
        what = f"a header for shape {self.shape} of {self.dtype}, {claimed} bytes"
        if not is_gzip(self.path):
            if claimed > actual:
                raise ReadError(
                    f"{self.path.name}: truncated: {what}; the file has {actual}. Copy it again."
                )
            return
        if claimed > actual * _MOST_EXPANSION + _MOST_TRAILING:
            raise ReadError(
                f"{self.path.name}: truncated or damaged: {what}, more than {actual} compressed "
                "bytes can hold. Copy it again."
            )
        if claimed > _BOMB_BYTES and claimed > actual * _BOMB_EXPANSION:
            raise ReadError(
                f"{self.path.name}: refused: {actual} bytes that expand to {claimed} are no real "
                "volumes. If they are, decompress the file first."
            )

    def rows(self, first: int, last: int, flat: np.ndarray) -> np.ndarray:
        """Read some voxels of some volumes.

        Parameters
        ----------
        first, last : int
            The range of volumes ``[first, last)``.
        flat : ndarray of shape (voxel,)
            Voxel indices, the first axis running fastest.

        Returns
        -------
        ndarray of shape (time, voxel)
            float32, scaling applied.

        Raises
        ------
        ReadError
            If the file ends too early, or its compressed data are damaged.
        DataError
            If values are not finite.
        """
        out = np.empty((last - first, flat.size), dtype=np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            for at, raw in self._blocks(first, last):
                out[at : at + len(raw)] = self._scaled(np.take(raw, flat, axis=1))
        check_finite_voxels(out, self.path.name)
        return out

    def _scaled(self, raw: np.ndarray) -> np.ndarray:
        slope, intercept = self.scaling
        if (slope, intercept) == (1.0, 0.0):
            return raw
        # In float64, or a large intercept would cost the small differences.
        return raw * np.float64(slope) + intercept

    def _blocks(self, first: int, last: int) -> Iterator[tuple[int, np.ndarray]]:
        step = max(1, _BLOCK_BYTES // self.volume_bytes)
        try:
            with open_stream(self.path) as stream:
                _skip(stream, self.offset + first * self.volume_bytes)
                for start in range(first, last, step):
                    n_bytes = (min(start + step, last) - start) * self.volume_bytes
                    raw = np.frombuffer(self._read(stream, n_bytes), self.dtype)
                    yield start - first, raw.reshape(-1, math.prod(self.shape[:3]))
                if last == self.shape[3]:
                    self._check_end(stream)
        except (EOFError, OSError, zlib.error) as error:
            raise ReadError(
                f"{self.path.name}: truncated or damaged: {error}. Copy it again."
            ) from error

    def _read(self, stream: BinaryIO, n_bytes: int) -> bytearray:
        # Piece by piece: asked for all at once, gzip would allocate what the header claims.
        buffer = bytearray()
        while len(buffer) < n_bytes:
            piece = stream.read(min(2**20, n_bytes - len(buffer)))
            if not piece:
                raise EOFError(
                    f"the data end {n_bytes - len(buffer)} bytes before shape {self.shape} of "
                    f"{self.dtype} is complete"
                )
            buffer += piece
        return buffer

    def _check_end(self, stream: BinaryIO) -> None:
        """Read on to the checksum, which gzip compares at the end of its data."""
        if is_gzip(self.path) and len(stream.read(_MOST_TRAILING + 1)) > _MOST_TRAILING:
            raise ReadError(
                f"{self.path.name}: refused: more than {_MOST_TRAILING} bytes follow the "
                f"{self._claimed} that the header announces."
            )


def _sample_type(header: Any) -> np.dtype:
    try:
        dtype = np.dtype(header.get_data_dtype())
    except KeyError as error:
        raise ReadError(f"the header is damaged: no data type has the code {error}.") from None
    if dtype.kind not in "fiu":
        raise ReadError(f"samples are {dtype}, not real numbers. Take one component.")
    return dtype


@dataclass(frozen=True)
class _Header:
    """A header in the place of an image, for what needs no samples."""

    header: Any
    affine: np.ndarray


def _skip(stream: BinaryIO, n_bytes: int) -> None:
    if not isinstance(stream, gzip.GzipFile):
        stream.seek(n_bytes)
        return
    while n_bytes > 0:
        piece = len(stream.read(min(2**20, n_bytes)))
        if not piece:
            raise EOFError(f"the data end {n_bytes} bytes too early")
        n_bytes -= piece


def read_head(path: Path, n_bytes: int, least: int = 284) -> bytes:
    """Read the beginning of a file, decompressed.

    Parameters
    ----------
    path : Path
        Any file, gzipped or not.
    n_bytes : int
        How much.
    least : int
        With less than this the file is no image.

    Returns
    -------
    bytes
        At most ``n_bytes``.

    Raises
    ------
    ReadError
        If the file is missing, damaged or too short.
    """
    try:
        with open_stream(path) as stream:
            head = stream.read(n_bytes)
    except (EOFError, OSError, zlib.error) as error:
        raise ReadError(f"{path.name}: cannot be read: {error}.") from error
    if len(head) < least:
        raise ReadError(f"{path.name}: only {len(head)} bytes, too short for a header.")
    return head
