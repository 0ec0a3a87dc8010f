"""The user's cache: where fetched files lie, and what each was when it came.

Every data set has its own folder of clean, verified files. Half-finished and
rejected downloads lie outside it, in ``.downloads``, and the checksums seen on
first fetch in ``.pins``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurokit.errors import DownloadError
from neurokit.files import replacing

__all__ = ["Cache", "cache_folder", "sha256_of", "write_json"]


def cache_folder() -> Path:
    """Find the folder that downloads go to.

    Returns
    -------
    pathlib.Path
        ``NEUROKIT_DATA`` where it is set, else the user's cache folder. It need not exist.

    Examples
    --------
    >>> cache_folder().is_absolute()
    True
    """
    chosen = os.environ.get("NEUROKIT_DATA")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import pooch

    return Path(pooch.os_cache("neurokit"))


def sha256_of(path: str | Path) -> str:
    """Compute the SHA-256 of a file's content.

    Parameters
    ----------
    path : str or pathlib.Path
        The file, read in blocks.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> import os
    >>> sha256_of(os.devnull)[:8]
    'e3b0c442'
    """
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file so that a reader sees the old or the new one, never half.

    Parameters
    ----------
    path : pathlib.Path
        The file; its folder is made.
    content : dict
        What to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")


@dataclass(frozen=True)
class Cache:
    """The places in the cache that belong to one data set.

    Parameters
    ----------
    root : pathlib.Path
        The cache folder.
    name : str
        The data set.
    """

    root: Path
    name: str

    @property
    def folder(self) -> Path:
        """Verified files, and nothing else."""
        return self.root / self.name

    @property
    def staging(self) -> Path:
        """Half-finished and rejected downloads."""
        return self.root / ".downloads" / self.name

    @property
    def pins_file(self) -> Path:
        """Checksums as first seen."""
        return self.root / ".pins" / f"{self.name}.json"

    @property
    def lock_file(self) -> Path:
        """Held by the process that is fetching."""
        return self.root / ".locks" / f"{self.name}.lock"

    def target(self, filename: str) -> Path:
        """Return where a verified file belongs."""
        return self.folder / filename

    def pins(self) -> dict[str, dict[str, Any]]:
        """Read what is known about each file that was ever fetched.

        Raises
        ------
        DownloadError
            The record cannot be read as one.
        """
        try:
            content = json.loads(self.pins_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError) as error:
            raise DownloadError(
                f"The record of checksums {self.pins_file} cannot be read ({error}). Delete it to "
                "pin the files anew."
            ) from error
        if not isinstance(content, dict) or not all(isinstance(v, dict) for v in content.values()):
            raise DownloadError(f"{self.pins_file} is no record of checksums. Delete it.")
        return content

    def pin(self, filename: str, **facts: Any) -> None:
        """Remember `facts` about one file, keeping those of the others."""
        pins = self.pins()
        pins[filename] = pins.get(filename, {}) | facts
        write_json(self.pins_file, pins)

    def make(self) -> None:
        """Create the folders.

        Raises
        ------
        DownloadError
            The cache cannot be written to.
        """
        try:
            for folder in (self.folder, self.staging, self.lock_file.parent):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DownloadError(
                f"Cannot write to the cache {self.root}: {error.strerror}. Set NEUROKIT_DATA to a "
                "folder that you may write to."
            ) from error

    def reject(self, path: Path, filename: str) -> Path:
        """Set a file aside, so that it can be looked at and is never read.

        Parameters
        ----------
        path : pathlib.Path
            The file.
        filename : str
            Its name in the data set.

        Returns
        -------
        pathlib.Path
            Where it lies now.
        """
        aside = self.staging / f"{filename}.rejected"
        aside.parent.mkdir(parents=True, exist_ok=True)
        return path.replace(aside)

    def tidy(self) -> None:
        """Remove what is empty, so that a failed fetch leaves no trace in the cache."""
        nested = sorted((p for p in self.staging.rglob("*") if p.is_dir()), reverse=True)
        for empty in (*nested, self.staging, self.folder):
            if empty.is_dir() and not any(empty.iterdir()):
                empty.rmdir()

    def need(self, n_bytes: int) -> None:
        """Check that the disk has room.

        Parameters
        ----------
        n_bytes : int
            How much will be written.

        Raises
        ------
        DownloadError
            It has not.
        """
        place = next(p for p in (self.root, *self.root.parents) if p.exists())
        free = shutil.disk_usage(place).free
        if n_bytes > free:
            raise DownloadError(
                f"Data set {self.name!r} needs {n_bytes / 1e9:.2f} GB more, but {place} has "
                f"{free / 1e9:.2f} GB free. Make room, or set NEUROKIT_DATA to a larger disk."
            )
