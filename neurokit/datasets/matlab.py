"""MATLAB 5 files, checked element by element before SciPy's parser sees them.

SciPy trusts the sizes in the file, and some that lie end the process.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurokit.errors import ReadError

__all__ = ["check_matlab"]

_HEADER = 128
_MATRIX, _COMPRESSED, _INT8, _INT32, _UINT32 = 14, 15, 1, 5, 6
_NAMES = (_INT8, 16)
_WIDTHS = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8, 16: 1, 17: 2, 18: 4}
_CELL, _STRUCT, _OBJECT, _CHAR, _SPARSE, _FUNCTION, _OPAQUE = 1, 2, 3, 4, 5, 16, 17
_NUMERIC = range(6, 16)
_COMPLEX = 0x0800
_MAX_DEPTH = 50
# DEFLATE packs at most 1,032 bytes into one.
_MAX_RATIO = 1032


class _Damage(Exception):
    """Something in the file contradicts something else."""


@dataclass(frozen=True)
class _Element:
    """Type and place of one element's bytes."""

    kind: int
    start: int
    size: int
    after: int


@dataclass(frozen=True)
class _Buffer:
    """Bytes of a file or of a compressed element, with their byte order."""

    data: memoryview
    order: str

    def element(self, at: int, end: int) -> _Element:
        if at + 8 > end:
            raise _Damage(f"an element begins {max(end - at, 0)} bytes before the end")
        kind, size = struct.unpack_from(f"{self.order}II", self.data, at)
        if kind >> 16:
            small = kind >> 16
            if small > 4:
                raise _Damage(f"a short element of {small} bytes")
            return _Element(kind & 0xFFFF, at + 4, small, at + 8)
        if at + 8 + size > end:
            raise _Damage(f"an element of {size} bytes where {end - at - 8} are left")
        padded = size if kind == _COMPRESSED else -(-size // 8) * 8
        return _Element(kind, at + 8, size, min(at + 8 + padded, end))

    def numbers(self, element: _Element, kind: int) -> np.ndarray:
        # Some writers store the one where the other is due; both have four bytes.
        if element.kind not in (_INT32, _UINT32) or element.size % 4:
            raise _Damage(f"an element of type {element.kind} where {kind} is due")
        part = self.data[element.start : element.start + element.size]
        return np.frombuffer(part, f"{self.order}i4")


def check_matlab(path: Path) -> None:
    """Check that the elements of a MATLAB 5 file fit into one another.

    Parameters
    ----------
    path : Path
        A ``.mat`` or ``.set`` file that begins with ``MATLAB 5.0``.

    Raises
    ------
    ReadError
        If a size, type or shape contradicts what surrounds it.

    Examples
    --------
    >>> import scipy.io, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.mat"
    >>> scipy.io.savemat(path, {"x": [1.0, 2.0]})
    >>> check_matlab(path)
    """
    data = path.read_bytes()
    orders = {b"IM": "<", b"MI": ">"}
    try:
        if len(data) < _HEADER or data[126:128] not in orders:
            raise _Damage("its header is incomplete")
        buffer = _Buffer(memoryview(data), orders[data[126:128]])
        at = _HEADER
        while at < len(data):
            element = buffer.element(at, len(data))
            _check_top(buffer, element)
            at = element.after
    except (_Damage, zlib.error) as error:
        raise ReadError(
            f"{path.name} is truncated or damaged: {error}. Copy it again from its source."
        ) from None


def _check_top(buffer: _Buffer, element: _Element) -> None:
    if element.kind == _COMPRESSED:
        packed = buffer.data[element.start : element.start + element.size]
        unpacker = zlib.decompressobj()
        content = unpacker.decompress(packed, _MAX_RATIO * max(element.size, 1))
        if not unpacker.eof:
            raise _Damage("a compressed element is cut short")
        inner = _Buffer(memoryview(content), buffer.order)
        matrix = inner.element(0, len(content))
        if matrix.kind == _COMPRESSED:
            raise _Damage("a compressed element within another")
        _check_top(inner, matrix)
    elif element.kind == _MATRIX:
        _check_matrix(buffer, element, 0)
    else:
        raise _Damage(f"an element of type {element.kind} where a matrix is due")


def _check_matrix(buffer: _Buffer, matrix: _Element, depth: int) -> None:
    if matrix.kind != _MATRIX or depth > _MAX_DEPTH:
        raise _Damage(f"type {matrix.kind} at depth {depth} where a matrix is due")
    if matrix.size == 0:
        return
    end = matrix.start + matrix.size
    head = buffer.element(matrix.start, end)
    flags = buffer.numbers(head, _UINT32)
    if flags.size != 2:
        raise _Damage("a matrix without flags")
    kind, is_complex = int(flags[0]) & 0xFF, bool(int(flags[0]) & _COMPLEX)
    if kind == _OPAQUE:
        _check_rest(buffer, head.after, end, depth)
        return
    shape = buffer.element(head.after, end)
    dims = buffer.numbers(shape, _INT32)
    name = buffer.element(shape.after, end)
    if name.kind not in _NAMES or dims.size < 2 or dims.size > 32 or (dims < 0).any():
        raise _Damage(f"a matrix of shape {dims.tolist()[:8]}")
    count = math.prod(dims.tolist())
    if kind in (_CELL, _STRUCT, _OBJECT):
        at, count = _fields(buffer, name.after, end, kind, count)
        _check_members(buffer, at, end, count, depth)
    elif kind == _SPARSE:
        _check_sparse(buffer, name.after, end, dims, parts=1 + is_complex)
    elif kind == _FUNCTION:
        _check_members(buffer, name.after, end, 1, depth)
    elif kind in _NUMERIC or kind == _CHAR:
        at = name.after
        for _ in range(1 + is_complex):
            at = _check_values(buffer, at, end, count, text=kind == _CHAR)
    else:
        raise _Damage(f"a matrix of unknown class {kind}")


def _fields(buffer: _Buffer, at: int, end: int, kind: int, count: int) -> tuple[int, int]:
    """Return where the members of a cell or structure begin, and how many there are."""
    if kind == _CELL:
        return at, count
    if kind == _OBJECT:
        at = buffer.element(at, end).after
    width = buffer.element(at, end)
    lengths = buffer.numbers(width, _INT32)
    names = buffer.element(width.after, end)
    if lengths.size != 1 or lengths[0] < 1 or names.kind not in _NAMES or names.size % lengths[0]:
        raise _Damage("a structure whose field names do not fit")
    return names.after, count * (names.size // int(lengths[0]))


def _check_members(buffer: _Buffer, at: int, end: int, count: int, depth: int) -> None:
    if count > (end - at) // 8:
        raise _Damage(f"{count} members in {end - at} bytes")
    for _ in range(count):
        member = buffer.element(at, end)
        _check_matrix(buffer, member, depth + 1)
        at = member.after


def _check_values(buffer: _Buffer, at: int, end: int, count: int, text: bool) -> int:
    values = buffer.element(at, end)
    width = _WIDTHS.get(values.kind)
    if width is None or values.size % width:
        raise _Damage(f"values of type {values.kind} in {values.size} bytes")
    # UTF-8 takes one to four bytes a character.
    fits = values.size <= 4 * count if text else values.size == count * width
    if not fits:
        raise _Damage(f"{values.size // width} values in a matrix of {count}")
    return values.after


def _check_sparse(buffer: _Buffer, at: int, end: int, dims: np.ndarray, parts: int) -> None:
    rows = buffer.element(at, end)
    columns = buffer.element(rows.after, end)
    row, column = buffer.numbers(rows, _INT32), buffer.numbers(columns, _INT32)
    steps = np.diff(column)
    whole = column.size == int(dims[1]) + 1 and column[0] == 0 and (steps >= 0).all()
    used = row[: column[-1]] if whole else row
    if not whole or column[-1] > row.size or ((used < 0) | (used >= dims[0])).any():
        raise _Damage("a sparse matrix whose indices do not fit")
    at = columns.after
    for _ in range(parts):
        values = buffer.element(at, end)
        at = values.after
        # Logical ones call themselves double and have one byte each.
        if values.kind not in _WIDTHS or values.size < int(column[-1]):
            raise _Damage("a sparse matrix with too few values")


def _check_rest(buffer: _Buffer, at: int, end: int, depth: int) -> None:
    while at + 8 <= end:
        element = buffer.element(at, end)
        if element.kind == _MATRIX:
            _check_matrix(buffer, element, depth + 1)
        at = element.after
