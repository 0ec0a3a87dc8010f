"""Unpacking archives from strangers: nothing outside the folder, nothing endless."""

from __future__ import annotations

import gzip
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from neurokit.errors import ReadError

__all__ = ["unpack"]

MAX_MEMBERS = 1_000_000
MAX_RATIO = 200
"""Largest believable ratio of unpacked to packed size, once past `MAX_SMALL` bytes."""
MAX_SMALL = 1 << 30


def unpack(archive: str | Path, folder: str | Path) -> list[str]:
    """Unpack a zip or tar archive, refusing hostile ones before writing anything.

    Parameters
    ----------
    archive : str or pathlib.Path
        A zip, or a tar with or without gzip, bzip2 or xz; known by its content.
    folder : str or pathlib.Path
        An empty folder to unpack into.

    Returns
    -------
    list of str
        Names of the top-level members, sorted.

    Raises
    ------
    ReadError
        Neither zip nor tar, damaged, or a member would leave the folder (an
        absolute path, ``..``, a link), is a device, or declares an unbelievable size.

    Examples
    --------
    >>> import tempfile, zipfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with zipfile.ZipFile(f"{place}/a.zip", "w") as z:
    ...         z.writestr("sub-01/eeg.txt", "x")
    ...     unpack(f"{place}/a.zip", f"{place}/out")
    ['sub-01']
    """
    archive, folder = Path(archive), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if zipfile.is_zipfile(archive):
            _unzip(archive, folder)
        elif tarfile.is_tarfile(archive):
            _untar(archive, folder)
        else:
            raise ReadError(f"{archive.name}: expected a zip or tar archive; it is neither.")
    except (
        zipfile.BadZipFile, gzip.BadGzipFile, tarfile.TarError, zlib.error, LZMAError, EOFError,
        RuntimeError, NotImplementedError,
    ) as error:  # fmt: skip
        raise ReadError(f"{archive.name}: damaged or unsupported archive: {error}") from error
    return sorted(path.name for path in folder.iterdir())


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as packed:
        members = packed.infolist()
        _check_sizes(archive, (member.file_size for member in members))
        for member in members:
            _check_path(archive, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise ReadError(f"{archive.name}: member {member.filename!r} is a link.")
        packed.extractall(folder)


def _untar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as packed:
        _check_sizes(archive, (member.size for member in _checked(archive, packed)))
        _check_links(archive, packed.getmembers())
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")


def _checked(archive: Path, packed: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    for member in packed:
        _check_path(archive, member.name)
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            raise ReadError(f"{archive.name}: member {member.name!r} is a device.")
        yield member


def _check_path(archive: Path, name: str) -> None:
    pure = PurePosixPath(name.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise ReadError(f"{archive.name}: member {name!r} would leave the folder; not unpacked.")


def _check_links(archive: Path, members: list[tarfile.TarInfo]) -> None:
    """Keep links inside, and no path through one: so what a path says is where it leads."""
    links = {PurePosixPath(m.name) for m in members if m.issym() or m.islnk()}
    for member in members:
        path = PurePosixPath(member.name)
        passed = set(path.parents)
        if path in links:
            # A hard link's target counts from the archive's root, a soft one's from its own place.
            steps = _walk(path.parent if member.issym() else PurePosixPath(), member.linkname)
            if any(".." in step.parts or step.is_absolute() for step in steps):
                raise ReadError(
                    f"{archive.name}: member {member.name!r} links to {member.linkname!r}, "
                    "outside the folder; not unpacked."
                )
            passed.update(steps[:-1])
        if through := links & passed:
            raise ReadError(
                f"{archive.name}: member {member.name!r} goes through the link "
                f"{str(min(through))!r}; not unpacked."
            )


def _walk(base: PurePosixPath, target: str) -> list[PurePosixPath]:
    """Follow a link's target by name, step by step; a ``..`` that remains leads outside."""
    pure = PurePosixPath(target.replace("\\", "/"))
    if pure.is_absolute() or re.match(r"[A-Za-z]:", target):
        return [PurePosixPath("/")]
    steps = [base]
    for part in pure.parts:
        here = steps[-1]
        up = part == ".." and here.parts and here.parts[-1] != ".."
        steps.append(here.parent if up else here / part)
    return steps


def _check_sizes(archive: Path, sizes: Iterable[int]) -> None:
    """Stop at the first member that makes the whole unbelievable."""
    limit = max(MAX_SMALL, MAX_RATIO * archive.stat().st_size)
    total = 0
    for count, size in enumerate(sizes, start=1):
        total += size
        if total > limit or count > MAX_MEMBERS:
            raise ReadError(
                f"{archive.name}: {archive.stat().st_size} bytes declare more than "
                f"{total if total > limit else count} {'bytes' if total > limit else 'members'} "
                "of content; not unpacked."
            )
