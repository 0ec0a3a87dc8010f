"""Fetching a data set: from the card to verified files on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from neurokit.arguments import text
from neurokit.catalog.cards import Card, card
from neurokit.catalog.fields import RemoteFile
from neurokit.datasets.archive import unpack
from neurokit.datasets.cache import Cache, cache_folder, sha256_of
from neurokit.datasets.transfer import TransferFailed, download
from neurokit.errors import DataError, DownloadError, ReadError

__all__ = ["fetch", "is_cached"]


def fetch(name: str, progress: bool | None = None) -> Path:
    """Bring a data set of the catalogue onto this machine, once.

    A card's own `path` is used as it is. Files are downloaded into the cache
    (``NEUROKIT_DATA``), resumed after a cut, taken from mirrors where the first
    address fails, and moved into place only after their checksum agrees. A file
    whose card says ``unverified`` is pinned on first fetch; from then on another
    content is an error. Several processes may call this at once.

    Parameters
    ----------
    name : str
        As listed by :func:`neurokit.datasets.list`.
    progress : bool, optional
        Show progress bars; by default where a terminal is looking.

    Returns
    -------
    pathlib.Path
        The data set's folder, or its one file where there is just one.

    Raises
    ------
    UnknownNameError
        No card of that name.
    DownloadError
        The files cannot be had, or are not what the card promises. The message
        says where to put them by hand.
    ReadError
        An archive is damaged or hostile.

    Examples
    --------
    >>> fetch("schaefer-rest").is_dir()
    True
    """
    wanted = card(text("name", name))
    local = wanted.root()
    if local is not None and local.exists():
        return local
    cache = Cache(cache_folder(), wanted.name)
    if not wanted.files:
        return _placed_by_hand(wanted, cache, local)
    if not _all_there(wanted, cache):
        _fetch_all(wanted, cache, progress)
    return _result(wanted, cache)


def is_cached(wanted: Card) -> bool:
    """Tell whether a data set can be read without a download.

    Parameters
    ----------
    wanted : Card
        The card.

    Returns
    -------
    bool
        All its files are there.
    """
    try:
        local = wanted.root()
    except DataError:
        local = None
    if local is not None and local.exists():
        return True
    cache = Cache(cache_folder(), wanted.name)
    try:
        return _all_there(wanted, cache) if wanted.files else _has_files(cache.folder)
    except DownloadError:
        return False


def _result(wanted: Card, cache: Cache) -> Path:
    if len(wanted.files) == 1 and not wanted.files[0].unpack:
        return cache.target(wanted.files[0].filename)
    return cache.folder


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _placed_by_hand(wanted: Card, cache: Cache, local: Path | None) -> Path:
    if _has_files(cache.folder):
        return cache.folder
    missing = f"its path {local} does not exist" if local else "it is not downloaded file by file"
    how = {
        "open": "is open, but",
        "form": "is given out after a form is signed, and",
        "manual": "must be obtained by hand, and",
    }
    raise DownloadError(
        f"Data set {wanted.name!r} {how[wanted.access]} {missing}. {wanted.obtain or ''} "
        f"Source: {wanted.url or f'https://doi.org/{wanted.doi}'} (licence: {wanted.licence}). "
        f"Put it into {cache.folder}, or name its folder as path = in a card of your own "
        "(NEUROKIT_CATALOG)."
    )


def _all_there(wanted: Card, cache: Cache) -> bool:
    """Compare size and time with the record, which is quick; a change of either is hashed later."""
    pins = cache.pins()
    return all(_is_recorded(file, cache, pins.get(file.filename, {})) for file in wanted.files)


def _is_recorded(file: RemoteFile, cache: Cache, pin: dict[str, object]) -> bool:
    if file.known_sha256 not in {None, pin.get("sha256")}:
        return False
    if file.unpack:
        members = pin.get("members")
        return isinstance(members, list) and all((cache.folder / m).exists() for m in members)
    target = cache.target(file.filename)
    return target.is_file() and _stamp(target) == pin.get("stamp")


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _fetch_all(wanted: Card, cache: Cache, progress: bool | None) -> None:
    from filelock import FileLock

    cache.make()
    with FileLock(cache.lock_file):
        try:
            for file in wanted.files:
                # Another process may have fetched it while this one waited.
                if not _is_recorded(file, cache, cache.pins().get(file.filename, {})):
                    _fetch_one(wanted, file, cache, progress)
        finally:
            cache.tidy()


def _fetch_one(wanted: Card, file: RemoteFile, cache: Cache, progress: bool | None) -> None:
    """Take the file that lies there, or download it; verify; move or unpack it into place."""
    target, waiting = cache.target(file.filename), cache.staging / file.filename
    lying = next((path for path in (target, waiting) if path.is_file()), None)
    if lying is not None:
        arrived, digest = lying, _verify_lying(file, lying, cache)
    else:
        arrived, digest = _download_verified(wanted, file, cache, progress)
        arrived = arrived.replace(waiting)
    if file.unpack:
        cache.pin(file.filename, sha256=digest, members=_unpack_into(arrived, file, cache))
        arrived.unlink()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    arrived.replace(target)
    cache.pin(file.filename, sha256=digest, stamp=_stamp(target))


class _Mismatch(Exception):
    """A file is not what the card, or the record of the first fetch, promises."""


def _verify(file: RemoteFile, path: Path, cache: Cache) -> str:
    """Compare size and checksum with the promise; return the checksum."""
    pinned = cache.pins().get(file.filename, {}).get("sha256")
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        raise _Mismatch(f"expected {file.size} bytes; got {size}.")
    digest = sha256_of(path)
    if file.known_sha256 is not None and digest != file.known_sha256:
        raise _Mismatch(f"expected sha256 {file.known_sha256}; got {digest}.")
    if file.known_sha256 is None and pinned not in {None, digest}:
        raise _Mismatch(
            f"expected sha256 {pinned}, as on the first fetch; got {digest}. If the source changed "
            f"on purpose, delete {cache.pins_file}."
        )
    return digest


def _verify_lying(file: RemoteFile, path: Path, cache: Cache) -> str:
    try:
        return _verify(file, path, cache)
    except _Mismatch as problem:
        aside = cache.reject(path, file.filename)
        raise DownloadError(
            f"{path}: {problem} It was moved to {aside}; fetch again to download it."
        ) from None


def _download_verified(
    wanted: Card, file: RemoteFile, cache: Cache, progress: bool | None
) -> tuple[Path, str]:
    failures = []
    for url in (file.url, *file.mirrors):
        # A resumed file that disagrees may be a wrong splice: once more from the start.
        for _ in range(2):
            resumed = (cache.staging / f"{file.filename}.part").exists()
            try:
                arrived = download(file, url, cache, progress)
                return arrived, _verify(file, arrived, cache)
            except TransferFailed as failure:
                failures.append(str(failure))
                break
            except _Mismatch as problem:
                aside = cache.reject(arrived, file.filename)
                failures.append(f"{url}: {problem} It was kept as {aside}")
            if not resumed:
                break
    raise DownloadError(_advice(wanted, file, cache, failures))


def _advice(wanted: Card, file: RemoteFile, cache: Cache, failures: list[str]) -> str:
    promise = file.known_sha256 or cache.pins().get(file.filename, {}).get("sha256")
    return (
        f"Data set {wanted.name!r}: {file.filename!r} could not be downloaded. "
        f"{'; '.join(failures)}. To go on by hand, put the file from {file.url} at "
        f"{cache.target(file.filename)} (sha256 {promise or 'unverified'}) and call again."
    )


def _unpack_into(archive: Path, file: RemoteFile, cache: Cache) -> list[str]:
    """Unpack beside, then merge into the data set's folder: a failure leaves no half archive."""
    beside = cache.staging / "unpacking"
    shutil.rmtree(beside, ignore_errors=True)
    try:
        members = unpack(archive, beside)
        _merge(beside, cache.folder, keep=archive)
    except ReadError:
        cache.reject(archive, file.filename)
        raise
    except OSError as error:
        raise DownloadError(
            f"{archive}: could not be unpacked into {cache.folder}: {error.strerror or error}. "
            "Make room, or set NEUROKIT_DATA to a larger disk; the archive is kept."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return members


def _merge(source: Path, folder: Path, keep: Path) -> None:
    for path in source.iterdir():
        target = folder / path.name
        if target == keep:
            raise ReadError(f"{keep.name}: holds a member of its own name; not unpacked.")
        if path.is_dir() and not path.is_symlink() and target.is_dir():
            _merge(path, target, keep)
        else:
            path.replace(target)
