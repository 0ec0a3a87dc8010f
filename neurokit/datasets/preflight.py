"""What a file claims, compared with its size before a reader allocates or trusts it."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from neurokit.datasets.gzipped import is_gzip
from neurokit.datasets.hdf5 import check_dataset, open_hdf5, walk
from neurokit.errors import ReadError

if TYPE_CHECKING:
    import mne

__all__ = ["check_brainvision", "check_claim", "check_fif", "check_gdf", "check_hdf5"]

_MAX_HEADER = 16 * 2**20
_GDF_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 8: 8, 16: 4, 17: 8}
_FIF_DIRECTORY = 102
_BINARY_BYTES = {"INT_16": 2, "UINT_16": 2, "INT_32": 4, "IEEE_FLOAT_32": 4}
# Nothing that MNE reads packs samples tighter than this.
_SAMPLES_PER_BYTE = 64


def check_gdf(path: Path) -> None:
    """Compare what a GDF header claims with the file's size.

    Parameters
    ----------
    path : Path
        A GDF file of version 1 or 2.

    Raises
    ------
    ReadError
        If the header needs more bytes than there are.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(256)
        if len(head) < 256:
            raise ReadError(f"{path.name}: {size} bytes are less than a GDF header (256 bytes).")
        n_records = struct.unpack("<q", head[236:244])[0]
        version_1 = head[4:5] == b"1"
        n_channels = int.from_bytes(head[252 : 256 if version_1 else 254], "little")
        header_bytes = 256 * (n_channels + 1)
        if n_channels < 1 or header_bytes > size:
            raise ReadError(
                f"{path.name}: the header claims {n_channels} channels, which need "
                f"{header_bytes} bytes; the file has {size}. Copy it again from its source."
            )
        file.seek(256 + 216 * n_channels)
        samples = np.frombuffer(file.read(4 * n_channels), "<u4")
        kinds = np.frombuffer(file.read(4 * n_channels), "<u4")
    record = int(samples.sum(dtype=np.uint64))
    # One byte a sample is the least that any of GDF's number types takes.
    least = header_bytes + n_records * record
    if n_records < 1 or least > size:
        raise ReadError(
            f"{path.name} is truncated or damaged: its header promises {n_records} records of "
            f"{record} samples, at least {least} bytes; the file has {size}."
        )
    widths = np.array([_GDF_BYTES.get(int(k), 0) for k in kinds])
    table = header_bytes + n_records * int((widths * samples.astype(np.int64)).sum())
    _check_gdf_events(path, table, size, old=head[4:8] < b"1.94")


def _check_gdf_events(path: Path, table: int, size: int, old: bool) -> None:
    """Check that the event table, which follows the samples, lies in the file."""
    with path.open("rb") as file:
        file.seek(table)
        head = file.read(8)
    if len(head) < 8 or head[0] not in (1, 3):
        return
    # Before version 1.94 the count has 32 bits and could claim gigabytes; then it has 24.
    count = int.from_bytes(head[4:8] if old else head[1:4], "little")
    if table + 8 + count * (12 if head[0] == 3 else 6) > size:
        raise ReadError(
            f"{path.name} is truncated or damaged: its header promises {count} events after byte "
            f"{table}; the file has {size} bytes."
        )


def check_fif(path: Path) -> None:
    """Check that every tag of a FIF file, and of its directory, lies within it.

    Parameters
    ----------
    path : Path
        Not gzipped; a gzipped one is not checked.

    Raises
    ------
    ReadError
        If a tag claims more bytes than follow it, as in a truncated file.
    """
    size, at = path.stat().st_size, 0
    if is_gzip(path):
        return
    with path.open("rb") as file:
        while at + 16 <= size:
            file.seek(at)
            kind, _, length, following = struct.unpack(">4i", file.read(16))
            if length < 0 or at + 16 + length > size or (0 < following <= at):
                raise ReadError(
                    f"{path.name} is truncated or damaged: the tag at byte {at} claims {length} "
                    f"bytes; the file has {size}. Copy it again from its source."
                )
            if kind == _FIF_DIRECTORY:
                _check_fif_directory(path, file.read(length // 16 * 16), size)
            if following < 0:
                return
            at = following or at + 16 + length


def _check_fif_directory(path: Path, content: bytes, size: int) -> None:
    entries = np.frombuffer(content, ">i4").reshape(-1, 4).astype(np.int64)
    ends = entries[:, 3] + 16 + entries[:, 2]
    # The directory's own last entry is all -1.
    if ((ends > size) | (entries[:, 2] < -1)).any():
        raise ReadError(
            f"{path.name} is damaged: its directory points beyond its {size} bytes. Copy it again "
            "from its source."
        )


def check_brainvision(path: Path) -> None:
    """Check that a BrainVision header agrees with itself and with its data file.

    Parameters
    ----------
    path : Path
        The ``.vhdr`` file.

    Raises
    ------
    ReadError
        If a field is missing or no number, the data file is missing or elsewhere, or its
        size is no whole number of samples.
    """
    if path.stat().st_size > _MAX_HEADER:
        raise ReadError(f"{path.name}: {path.stat().st_size} bytes are no header.")
    text = path.read_bytes().decode("utf-8", errors="replace")
    n_channels = int(_positive(path, text, "NumberOfChannels"))
    interval = _positive(path, text, "SamplingInterval")
    listed = len(re.findall(r"(?m)^Ch\d+=", _section(text, "Channel Infos")))
    if n_channels != listed or interval <= 0:
        raise ReadError(
            f"{path.name}: the header claims {n_channels} channels but lists {listed}. It is "
            "damaged or was edited by hand: copy it again from its source."
        )
    data = _companion(path, text, "DataFile")
    width = _BINARY_BYTES.get((_value(text, "BinaryFormat") or "").upper())
    if (_value(text, "DataFormat") or "").upper() != "BINARY" or width is None:
        return
    size, row = data.stat().st_size, n_channels * width
    points = _value(text, "DataPoints")
    if size % row or (points and points.isdigit() and int(points) * row > size):
        raise ReadError(
            f"{data.name} is truncated: {size} bytes are {size / row:.2f} samples of {n_channels} "
            f"channels{f', the header promises {points}' if points else ''}. Copy it again from "
            "its source."
        )


def _section(text: str, name: str) -> str:
    found = re.search(rf"(?ms)^\[{name}\](.*?)(?=^\[|\Z)", text)
    return found[1] if found else ""


def _value(text: str, key: str) -> str | None:
    found = re.search(rf"(?m)^{key}[ \t]*=[ \t]*(.*?)[ \t\r]*$", text)
    return found[1] if found else None


def _positive(path: Path, text: str, key: str) -> float:
    value = _value(text, key)
    try:
        number = float(value or "")
    except ValueError:
        number = np.nan
    if not (np.isfinite(number) and number > 0):
        raise ReadError(
            f"{path.name}: {key} is {value!r}, expected a positive number. The header is damaged: "
            "copy it again from its source."
        )
    return number


def _companion(path: Path, text: str, key: str) -> Path:
    name = (_value(text, key) or "").replace("$b", path.stem)
    # Only the file's own folder: a header must not make us open anything else.
    beside = path.with_name(name) if name and Path(name).name == name else None
    if beside is None or not beside.is_file():
        raise ReadError(
            f"{path.name}: its {key} {name!r} is not beside it. The three files of a BrainVision "
            "recording name one another: after renaming them, edit DataFile and MarkerFile too."
        )
    return beside


def check_hdf5(path: Path, kind: str) -> None:
    """Check that an HDF5 file keeps to itself and can hold what it claims.

    Parameters
    ----------
    path : Path
        SNIRF, or EEGLAB in MATLAB 7.3.
    kind : str
        Which of them, for messages.

    Raises
    ------
    ReadError
        If something points to another file, or claims more than the file can hold.
    """
    with open_hdf5(path, kind) as file:
        for _, item in walk(file):
            if isinstance(item, h5py.Dataset) and item.shape is not None and item.size:
                check_dataset(item)


def check_claim(path: Path, raw: mne.io.BaseRaw) -> None:
    """Check that the samples a file claims can lie in it.

    Parameters
    ----------
    path : Path
        The file, or folder, that was opened.
    raw : mne.io.BaseRaw
        As opened, without samples.

    Raises
    ------
    ReadError
        If the file is too small by far, or EEGLAB's data file has another size.
    """
    files = [Path(f) for f in raw.filenames if f is not None] or [path]
    inside = [p for f in {*files, path} for p in ([f] if f.is_file() else f.rglob("*"))]
    size = sum(p.stat().st_size for p in inside if p.is_file())
    claimed = raw.n_times * len(raw.ch_names)
    if claimed > size * _SAMPLES_PER_BYTE:
        raise ReadError(
            f"{path.name}: the header claims {claimed} samples ({raw.n_times} of "
            f"{len(raw.ch_names)} channels); a file of {size} bytes cannot hold them."
        )
    data = files[0]
    if data.suffix == ".fdt" and data.stat().st_size != 4 * claimed:
        raise ReadError(
            f"{data.name} has {data.stat().st_size} bytes; {path.name} promises {raw.n_times} "
            f"samples of {len(raw.ch_names)} channels, {4 * claimed} bytes. Copy it again from its "
            "source."
        )
