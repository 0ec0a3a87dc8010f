"""Files of named arrays (npz, MATLAB) opened with care: data only, nothing executed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurokit.datasets.hdf5 import attribute, check_dataset, open_hdf5, walk
from neurokit.datasets.matlab import check_matlab
from neurokit.errors import ReadError, UnknownNameError

__all__ = ["Arrays", "load_mat", "load_npy", "load_npz", "sniff"]

# DEFLATE packs at most 1,032 bytes into one.
_MAX_RATIO = 1100
_ZIP_MAGIC = b"PK\x03\x04"
_MAT_MAGIC = b"MATLAB 5.0 MAT-file"
_MAT73_MAGIC = b"MATLAB 7.3 MAT-file"
_MAT_NUMBERS = ("double", "single", "logical", "char", "cell", "struct")


class Arrays(Mapping[str, np.ndarray]):
    """Named arrays of one file; asking for one that is not there names the nearest.

    Parameters
    ----------
    source : str
        File name, for messages.
    arrays : mapping of str to ndarray
        The content.

    Examples
    --------
    >>> Arrays("a.npz", {"times": np.zeros(3)})["time"]
    Traceback (most recent call last):
    neurokit.errors.UnknownNameError: Unknown array of a.npz 'time'. Did you mean 'times'? ...
    """

    def __init__(self, source: str, arrays: Mapping[str, np.ndarray]) -> None:
        self.source, self._arrays = source, dict(arrays)
        self._asked_for: set[str] = set()

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._arrays:
            raise UnknownNameError(f"array of {self.source}", name, self._arrays)
        self._asked_for.add(name)
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    @property
    def untouched(self) -> list[str]:
        """Names of the arrays that nobody has asked for yet."""
        return [name for name in self._arrays if name not in self._asked_for]

    def describe(self) -> str:
        """Return names and shapes, for messages."""
        return ", ".join(f"{k} {v.shape}" for k, v in list(self._arrays.items())[:20])


def sniff(path: str | Path) -> str | None:
    """Tell whether a file holds named arrays, by its first bytes.

    Parameters
    ----------
    path : path
        Any file.

    Returns
    -------
    str or None
        ``"npz"``, ``"mat"`` or None.

    Examples
    --------
    >>> sniff("no-such-file") is None
    True
    """
    path = Path(path)
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(20)
    if head.startswith((_MAT_MAGIC, _MAT73_MAGIC)):
        return "mat"
    if head.startswith(_ZIP_MAGIC) and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        return "npz" if names and all(n.endswith(".npy") for n in names) else None
    return None


def load_npz(path: Path) -> Arrays:
    """Read every array of an npz file; pickled objects are refused.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Arrays
        By name.

    Raises
    ------
    ReadError
        If it is no npz, is damaged, holds objects, or claims more than it can hold.
    """
    path = _existing(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if m.filename.endswith(".npy")]
            arrays = {m.filename[:-4]: _member(archive, m, path) for m in members}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise ReadError(f"{path.name}: cannot be read as npz: {error}.") from error
    if not arrays:
        raise ReadError(f"{path.name} is a zip archive without NumPy arrays.")
    return Arrays(path.name, arrays)


def load_npy(path: Path) -> np.ndarray:
    """Read one npy file; pickled objects are refused.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    ndarray
        Its array.

    Raises
    ------
    ReadError
        If it is damaged, truncated, or holds objects.
    """
    path = _existing(path)
    with path.open("rb") as file:
        return _checked_array(file, file, path.stat().st_size, path.name)


def load_mat(path: Path) -> Arrays:
    """Read the variables of a MATLAB file, version 5 to 7.3.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Arrays
        By name; the fields of a structure by ``"name.field"``, stacked where structures of
        equal fields lie in an array. Objects and functions are left out.

    Raises
    ------
    ReadError
        If it is damaged or no MATLAB file.
    """
    path = _existing(path)
    with path.open("rb") as file:
        head = file.read(20)
    if head.startswith(_MAT73_MAGIC):
        return Arrays(path.name, _load_mat73(path))
    return Arrays(path.name, _load_mat5(path))


def _existing(path: Path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"There is no file {path}.")
    return path


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> np.ndarray:
    where = f"{path.name}: {member.filename}"
    packed, size = member.compress_size, member.file_size
    if packed > path.stat().st_size or size > _MAX_RATIO * packed + 1024:
        raise ReadError(f"{where} claims {size:,} bytes, more than the file can hold.")
    with archive.open(member) as first, archive.open(member) as second:
        return _checked_array(first, second, size, where)


def _checked_array(first: Any, second: Any, size: int, where: str) -> np.ndarray:
    """Read an array from ``second`` when the header in ``first`` fits the size in bytes."""
    shape, dtype = _header(first, where)
    if dtype.hasobject:
        raise ReadError(
            f"{where} holds Python objects, which only pickle can load and which may run code. "
            "Save it as numbers or text."
        )
    nbytes = dtype.itemsize
    for length in shape:
        nbytes *= int(length)
    size -= first.tell()
    if min(shape, default=1) < 0 or nbytes > size:
        raise ReadError(
            f"{where} claims shape {shape} ({nbytes:,} bytes), but has {size:,} bytes. Is it "
            "truncated?"
        )
    second.seek(0)
    try:
        return np.lib.format.read_array(second, allow_pickle=False)
    except ValueError as error:
        raise ReadError(f"{where}: {error}. Is the file truncated?") from error


def _header(file: Any, where: str) -> tuple[tuple[int, ...], np.dtype]:
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        else:
            shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    except Exception as error:
        raise ReadError(f"{where} is no NumPy array: {error}.") from error
    return shape, dtype


def _load_mat5(path: Path) -> dict[str, np.ndarray]:
    from scipy.io import loadmat, whosmat

    check_matlab(path)
    try:
        kinds = {name: kind for name, _, kind in whosmat(path)}
        wanted = [n for n, k in kinds.items() if k in _MAT_NUMBERS or "int" in k]
        raw = loadmat(path, variable_names=wanted, verify_compressed_data_integrity=True)
    except Exception as error:
        raise ReadError(
            f"{path.name}: cannot be read as a MATLAB file: {type(error).__name__}: {error}. Is it "
            "truncated? Compare its size with the source."
        ) from error
    out: dict[str, np.ndarray] = {}
    for name in wanted:
        out |= _unfold(name, raw[name]) if name in raw else {}
    if not out:
        raise ReadError(f"{path.name} holds no numbers or text, only {kinds}.")
    return out


def _unfold(name: str, value: np.ndarray) -> dict[str, np.ndarray]:
    """Flatten structures and cells into arrays of numbers or text."""
    if value.dtype.names:
        out: dict[str, np.ndarray] = {}
        for field in value.dtype.names:
            cells = np.frompyfunc(lambda v: v, 1, 1)(value[field])
            out |= _unfold(f"{name}.{field}", np.asarray(cells, dtype=object))
        return out
    if value.dtype != object:
        return {name: value} if value.dtype.kind in "fiubU" else {}
    items = [np.asarray(v) for v in value.ravel()]
    if len(items) == 1 and items[0].ndim and items[0].dtype.kind in "OV":
        return _unfold(name, items[0])
    if all(v.dtype.kind == "U" for v in items):
        words = [str(v.item()) if v.size == 1 else "" for v in items]
        return {name: np.array(words, dtype=np.str_).reshape(value.shape)}
    stackable = len({v.shape for v in items}) == 1 and all(v.dtype.kind in "fiub" for v in items)
    if items and stackable:
        return {name: np.stack(items).reshape(*value.shape, *items[0].shape)}
    return {}


def _load_mat73(path: Path) -> dict[str, np.ndarray]:
    out: dict[str, np.ndarray] = {}
    with open_hdf5(path, "a MATLAB 7.3 file") as file:
        for where, item in walk(file["/"]):
            if isinstance(item, h5py.Dataset) and not where.startswith("#"):
                values = _dataset73(item)
                out |= {} if values is None else {where.replace("/", "."): values}
    return out


def _dataset73(item: h5py.Dataset) -> np.ndarray | None:
    """Read one variable; MATLAB's first dimension is HDF5's last."""
    kind = attribute(item, "MATLAB_class", "")
    if attribute(item, "MATLAB_empty", 0) or item.shape is None:
        return None
    if h5py.check_ref_dtype(item.dtype) is h5py.Reference:
        words = [item.file[r] for r in check_dataset(item)[()].ravel() if r]
        if words and all(attribute(w, "MATLAB_class", "") == "char" for w in words):
            return np.array([_text73(w) for w in words], dtype=np.str_)
        return None
    if kind == "char":
        return np.array([_text73(item)], dtype=np.str_)
    if item.dtype.kind not in "fiub":
        return None
    return np.asarray(check_dataset(item)[()]).T


def _text73(item: h5py.Dataset) -> str:
    codes = check_dataset(item)[()]
    return "" if attribute(item, "MATLAB_empty", 0) else "".join(map(chr, codes.ravel()))
