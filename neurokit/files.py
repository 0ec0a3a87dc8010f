"""Files that a reader sees whole or not at all."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

__all__ = ["replacing"]


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Write a file beside its place, and move it there when it is whole.

    Parameters
    ----------
    path : pathlib.Path
        The file, in a folder that exists.

    Yields
    ------
    pathlib.Path
        Where to write. After an error it is removed, and what was at `path` is intact.

    Examples
    --------
    >>> place = Path("numbers.txt")
    >>> with replacing(place) as temporary:
    ...     _ = temporary.write_text("1 2 3")
    >>> place.read_text()
    '1 2 3'
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        # The error that led here says more than one about what it left.
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
