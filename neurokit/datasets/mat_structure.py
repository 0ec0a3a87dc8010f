"""The skeleton of a MATLAB 5 file, checked before scipy trusts it.

scipy looks types up by the codes in the file without asking whether there is such a code;
a damaged one crashes the process.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from neurokit.errors import ReadError

__all__ = ["check_mat5"]

_HEADER = 128
_NUMBERS = frozenset((1, 2, 3, 4, 5, 6, 7, 9, 12, 13))
_TEXT = frozenset((16, 17, 18))
_MATRIX, _COMPRESSED = 14, 15
_NESTING_CLASSES = frozenset((1, 2, 3, 16, 17))
_SPARSE = 5
_COMPLEX = 0x800
_MAX_CLASS = 17
_MAX_DEPTH = 32
_MAX_RATIO = 1100


def check_mat5(path: Path) -> None:
    """Check that every element of a MATLAB 5 file has a known type and lies in its parent.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    ReadError
        If the file is damaged or truncated.
    """
    raw = memoryview(path.read_bytes())
    order = {b"IM": "little", b"MI": "big"}.get(bytes(raw[126:128]))
    if order is None:
        raise ReadError(f"{path.name} is no MATLAB 5 file, or its header is damaged.")
    at = _HEADER
    while at < len(raw):
        at = _top(raw, at, order, path.name)


def _top(raw: memoryview, at: int, order: str, name: str) -> int:
    kind, begin, end, following = _tag(raw, at, order, name)
    if kind == _COMPRESSED:
        unpacker = zlib.decompressobj()
        try:
            inner = unpacker.decompress(raw[begin:end], _MAX_RATIO * (end - begin) + 1024)
        except zlib.error as error:
            raise ReadError(f"{name}: the variable at byte {at} is damaged: {error}.") from error
        content = memoryview(inner)
        kind, begin, stop, _ = _tag(content, 0, order, name)
        # What is compressed is followed by no padding.
        following = end
    else:
        content, stop = raw, end
    if kind != _MATRIX:
        raise ReadError(f"{name}: the element at byte {at} is of type {kind}, no variable.")
    _matrix(content, begin, stop, order, name, 0)
    return following


def _matrix(raw: memoryview, at: int, end: int, order: str, name: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ReadError(f"{name}: structures are nested more than {_MAX_DEPTH} deep.")
    if at == end:
        return
    kind, begin, _, at = _tag(raw[:end], at, order, name)
    flags = _integer(raw, begin, order)
    mat_class = flags & 0xFF
    if kind != 6 or not 1 <= mat_class <= _MAX_CLASS:
        raise ReadError(f"{name}: a variable has class {mat_class}, which MATLAB does not know.")
    nests = mat_class in _NESTING_CLASSES
    count = 0
    while at < end:
        count += 1
        kind, begin, stop, at = _tag(raw[:end], at, order, name)
        if nests and kind == _MATRIX:
            _matrix(raw, begin, stop, order, name, depth + 1)
        elif kind not in _NUMBERS and kind not in _TEXT:
            raise ReadError(f"{name}: an element of a variable is of type {kind}. Is it truncated?")
    # Size, name, values; sparse matrices have two indices, complex ones a second part.
    expected = 3 + 2 * (mat_class == _SPARSE) + bool(flags & _COMPLEX)
    if not nests and count != expected:
        raise ReadError(f"{name}: a variable has {count} parts, expected {expected}.")


def _tag(raw: memoryview, at: int, order: str, name: str) -> tuple[int, int, int, int]:
    """Return type, beginning, end, and where the next element begins."""
    if at + 8 > len(raw):
        raise ReadError(f"{name} ends in the middle of a variable. Is it truncated?")
    first = _integer(raw, at, order)
    if first >> 16:
        kind, size = first & 0xFFFF, first >> 16
        if size > 4:
            raise ReadError(f"{name}: an element at byte {at} is damaged.")
        return kind, at + 4, at + 4 + size, at + 8
    begin, size = at + 8, _integer(raw, at + 4, order)
    end = begin + size
    if end > len(raw):
        raise ReadError(
            f"{name}: an element of {size:,} bytes begins {len(raw) - begin:,} bytes before the "
            "end. Is it truncated?"
        )
    return first, begin, end, end + (-size) % 8


def _integer(raw: memoryview, at: int, order: str) -> int:
    return int.from_bytes(raw[at : at + 4], "big" if order == "big" else "little")
