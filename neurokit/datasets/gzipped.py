"""Files that may or may not be compressed, told by their first bytes."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import BinaryIO, cast

__all__ = ["is_gzip", "open_stream"]


def is_gzip(path: Path) -> bool:
    """Tell whether a file is compressed, by its first bytes.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    bool
        True for gzip.
    """
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def open_stream(path: Path) -> BinaryIO:
    """Open a file for reading, through gzip where it is compressed.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    file object
        Of bytes.
    """
    return cast(BinaryIO, gzip.open(path, "rb")) if is_gzip(path) else path.open("rb")
