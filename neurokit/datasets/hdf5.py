"""HDF5 read with care: nothing outside of the file, nothing that the file cannot hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from neurokit.errors import ReadError

__all__ = [
    "attribute",
    "check_dataset",
    "check_heaps",
    "column",
    "open_hdf5",
    "read_rows",
    "scalar",
    "walk",
]

MAX_DEPTH = 24
MAX_OBJECTS = 200_000
# DEFLATE cannot pack more than 1,032 bytes into one; what unpacks to less than the
# allowance is harmless in any case.
_MAX_RATIO = 1100
_ALLOWANCE = 2**24
_MAX_ATTRIBUTE = 2**22
_SCANNED_BYTES = 2**28
# Signature, version and reserved zeros of a global heap, where text of any length lies.
_HEAP = b"GCOL\x01\0\0\0"
# The same of a local heap, where the names of links lie, and what ends its free list.
_LOCAL_HEAP = b"HEAP\0\0\0\0"
_NO_MORE = 1
_SIGNATURE = b"\x89HDF\r\n\x1a\n"


@contextmanager
def open_hdf5(path: Path, kind: str) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading, after a look at every link in it.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        What the file should be, for messages.

    Yields
    ------
    h5py.File
        Without links to other files.

    Raises
    ------
    ReadError
        If the file is missing, no HDF5, damaged, or points outside of itself.
    """
    path = Path(path)
    if not path.is_file():
        raise ReadError(f"There is no file {path}.")
    check_heaps(path)
    try:
        file = h5py.File(path, "r")
    except (OSError, RuntimeError, ValueError) as error:
        raise ReadError(
            f"{path.name}: cannot be read as {kind}: {error}. Is it truncated? Compare its size "
            "with the source."
        ) from error
    with file:
        _check_links(file, path.name)
        yield file


def check_heaps(path: Path) -> None:
    """Refuse damaged heaps, in which libhdf5 (2.0 and before) loops without end.

    Parameters
    ----------
    path : Path
        The file. Only the first 256 MiB are looked at.

    Raises
    ------
    ReadError
        If an object in a heap has a size that leads nowhere, or free blocks form a circle.
    """
    size = min(path.stat().st_size, _SCANNED_BYTES)
    if size < 16:
        return
    with path.open("rb") as file, mmap(file.fileno(), size, access=ACCESS_READ) as data:
        for signature, is_damaged in ((_HEAP, _leads_nowhere), (_LOCAL_HEAP, _runs_in_circles)):
            at = data.find(signature)
            while at >= 0:
                if is_damaged(data, at):
                    raise ReadError(
                        f"{path.name}: the heap at byte {at} is damaged. Is the file truncated?"
                    )
                at = data.find(signature, at + 8)


def _number(data: Any, at: int, width: int = 8) -> int:
    return int.from_bytes(data[at : at + width], "little")


def _leads_nowhere(data: Any, start: int) -> bool:
    """Walk over the objects of a global heap."""
    at, end = start + 16, start + _number(data, start + 8)
    # Text that only looks like a heap, or one that goes on after the part looked at.
    if end > len(data):
        return False
    while at + 16 <= end:
        index, size = _number(data, at, 2), _number(data, at + 8)
        # Object 0 is the free space, whose size includes its header.
        step = 16 + (size + 7) // 8 * 8 if index else size
        if step < 16 or at + step > end:
            return True
        at += step
    return False


def _runs_in_circles(data: Any, start: int) -> bool:
    """Follow the free blocks of a local heap; each begins with the place of the next."""
    size, free = _number(data, start + 8), _number(data, start + 16)
    # Addresses count from HDF5's own beginning, which MATLAB puts behind a header.
    content = _number(data, start + 24) + max(0, data.find(_SIGNATURE, 0, 2**14))
    seen: set[int] = set()
    while free not in seen:
        if free == _NO_MORE or free + 16 > size or content + free + 16 > len(data):
            return False
        seen.add(free)
        free = _number(data, content + free)
    return True


def walk(group: h5py.Group, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Go through the objects below a group, each once, along hard links only.

    Parameters
    ----------
    group : h5py.Group
        Where to begin.
    prefix : str
        Path of the group, for the results.
    depth : int
        How deep the group lies.

    Yields
    ------
    tuple of str and (h5py.Group or h5py.Dataset)
        Path and object, a group before its members.

    Raises
    ------
    ReadError
        If groups are nested without end.
    """
    seen: set[int] = set()
    stack = [(prefix, group, depth)]
    while stack:
        path, here, level = stack.pop()
        if level > MAX_DEPTH or len(seen) > MAX_OBJECTS:
            raise ReadError(
                f"{_file(here)}: groups are nested more than {MAX_DEPTH} deep, or there are more "
                f"than {MAX_OBJECTS:,} objects; the file is damaged or hostile."
            )
        inner = []
        for name in here:
            link = here.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                continue
            item = here[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            where = f"{path}/{name}" if path else str(name)
            yield where, item
            if isinstance(item, h5py.Group):
                inner.append((where, item, level + 1))
        stack.extend(reversed(inner))


def check_dataset(dataset: Any) -> h5py.Dataset:
    """Refuse a dataset that lies elsewhere or claims more than the file can hold.

    Parameters
    ----------
    dataset : h5py.Dataset
        What was found at a path.

    Returns
    -------
    h5py.Dataset
        The same, safe to read.

    Raises
    ------
    ReadError
        If it is no dataset, is external or virtual, has no storage, or its shape exceeds
        what the stored bytes can unpack to.
    """
    if not isinstance(dataset, h5py.Dataset):
        raise ReadError(f"Expected a dataset; got {type(dataset).__name__}: {dataset!r}.")
    where = f"{_file(dataset)}: {dataset.name}"
    if dataset.external or dataset.is_virtual:
        raise ReadError(
            f"{where} keeps its values in another file, which is not followed. Copy them into this "
            "file first (h5repack, or h5py's Group.copy)."
        )
    if dataset.shape is None:
        return dataset
    # Python integers, because a hostile shape overflows 64 bits.
    size = dataset.dtype.itemsize
    for length in dataset.shape:
        size *= int(length)
    stored = dataset.id.get_storage_size()
    if size and not stored:
        raise ReadError(
            f"{where} claims shape {dataset.shape} ({size:,} bytes), but nothing was ever stored."
        )
    on_disk = dataset.file.id.get_filesize()
    chunk = dataset.dtype.itemsize
    for length in dataset.chunks or ():
        chunk *= int(length)
    limit = max(_ALLOWANCE, _MAX_RATIO * stored) if dataset.chunks else stored
    if stored > on_disk or max(size, chunk if dataset.chunks else 0) > limit:
        raise ReadError(
            f"{where} claims shape {dataset.shape} ({size:,} bytes), but {stored:,} bytes are "
            f"stored in a file of {on_disk:,}. The file is damaged or hostile."
        )
    return dataset


def attribute(item: Any, name: str, default: Any = None) -> Any:
    """Read an attribute as a plain value.

    Parameters
    ----------
    item : h5py.Group or h5py.Dataset
        What carries it.
    name : str
        The attribute's name.
    default : object
        Returned when there is none.

    Returns
    -------
    object
        Text, number or array.

    Raises
    ------
    ReadError
        If it claims to be absurdly large.
    """
    if name not in item.attrs:
        return default
    stored = item.attrs.get_id(name)
    if stored.get_storage_size() > _MAX_ATTRIBUTE:
        raise ReadError(f"{_file(item)}: attribute {name!r} of {item.name} is absurdly large.")
    # Lists of any length are none of NWB's; a damaged text looks like one and crashes libhdf5.
    if isinstance(stored.get_type(), h5py.h5t.TypeVlenID):
        raise ReadError(f"{_file(item)}: attribute {name!r} of {item.name} is damaged.")
    value = item.attrs[name]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def column(dataset: Any) -> np.ndarray:
    """Read a dataset whole: numbers as they are, text as text, references as names.

    Parameters
    ----------
    dataset : h5py.Dataset
        Of numbers, text or object references.

    Returns
    -------
    ndarray
        Fixed-width text for text and references.
    """
    dataset = check_dataset(dataset)
    if h5py.check_string_dtype(dataset.dtype) is not None:
        _check_text(dataset)
        return np.asarray(dataset.asstr(errors="replace")[()], dtype=object).astype(np.str_)
    if h5py.check_ref_dtype(dataset.dtype) is h5py.Reference:
        names = [_target(dataset, reference) for reference in dataset[()].ravel()]
        return np.array(names, dtype=np.str_).reshape(dataset.shape)
    if dataset.dtype.kind not in "fiub":
        raise ReadError(
            f"{_file(dataset)}: {dataset.name} holds {dataset.dtype}, which is neither numbers nor "
            "text."
        )
    return np.asarray(dataset[()])


def scalar(group: Any, name: str) -> Any:
    """Read a single value.

    Parameters
    ----------
    group : h5py.Group
        Where it lies.
    name : str
        Its path below the group.

    Returns
    -------
    object or None
        Text or number; a list if there are several; None if there is none.
    """
    item = group.get(name) if group is not None else None
    if not isinstance(item, h5py.Dataset) or item.shape is None:
        return None
    values = column(item).ravel().tolist()
    return values[0] if len(values) == 1 else values or None


def read_rows(path: Path, name: str, first: int, last: int) -> np.ndarray:
    """Read a range of a dataset's first dimension, opening the file for it alone.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Path of the dataset in it.
    first, last : int
        Rows ``[first, last)``.

    Returns
    -------
    ndarray
        The rows.
    """
    with h5py.File(path, "r") as file:
        return np.asarray(check_dataset(file[name])[first:last])


def _check_links(file: h5py.File, name: str) -> None:
    groups = [file["/"], *(g for _, g in walk(file["/"]) if isinstance(g, h5py.Group))]
    for group in groups:
        for key in group:
            link = group.get(key, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                raise ReadError(
                    f"{name}: {group.name.rstrip('/')}/{key} is a link to another file "
                    f"({link.filename!r}), which is not followed. Copy the data into this file."
                )


def _check_text(dataset: h5py.Dataset) -> None:
    """Compare the lengths of texts with the file before libhdf5 makes room for them."""
    offset, file = dataset.id.get_offset(), dataset.file
    endless = h5py.check_string_dtype(dataset.dtype).length is None
    if offset is None or not endless or not dataset.size or file.userblock_size:
        return
    place = np.dtype([("length", "<u4"), ("heap", "<u8"), ("index", "<u4")])
    lengths = np.fromfile(file.filename, place, dataset.size, offset=offset)["length"]
    size = file.id.get_filesize()
    if lengths.max(initial=0) > size or lengths.sum(dtype=np.int64) > _MAX_RATIO * size:
        raise ReadError(
            f"{_file(dataset)}: {dataset.name} holds a text of {lengths.max():,} bytes in a file "
            f"of {size:,}. The file is damaged."
        )


def _target(dataset: h5py.Dataset, reference: h5py.Reference) -> str:
    if not reference:
        return ""
    path = h5py.h5r.get_name(reference, dataset.file.id)
    return path.decode("utf-8", "replace").rsplit("/", 1)[-1] if path else ""


def _file(item: Any) -> str:
    return Path(item.file.filename).name
