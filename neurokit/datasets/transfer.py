"""Bytes over HTTP: resumed where possible, retried where sensible, checked always.

pooch's own downloader starts a cut transfer anew and trusts every answer of
status 200, so the transfer itself is here, on the same ``requests``.
"""

from __future__ import annotations

import errno
import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurokit.datasets.cache import Cache, write_json
from neurokit.errors import DownloadError
from neurokit.progress import progress_bar

if TYPE_CHECKING:
    from requests import Response

    from neurokit.catalog.fields import RemoteFile

__all__ = ["TransferFailed", "download"]

BACKOFF = 1.0
"""Seconds before the first retry; doubled before each further one."""
ATTEMPTS = 5
"""Failures in a row, without a byte gained, before an address is given up."""
TIMEOUT = (15.0, 60.0)
"""Seconds to connect, and to wait for the next byte."""
_BLOCK = 1 << 18
_RETRIED = {408, 425, 429, 500, 502, 503, 504}
_HTML = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(!doctype\s+html|html)[\s>]",
    re.I | re.S,
)


class TransferFailed(Exception):
    """One address failed; another may not.

    Parameters
    ----------
    reason : str
        What happened.
    retry : bool
        Whether the same address may work a little later.
    """

    def __init__(self, reason: str, *, retry: bool) -> None:
        super().__init__(reason)
        self.retry = retry


@dataclass
class _Partial:
    """A half-finished file and where its first half came from."""

    path: Path

    @property
    def note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def origin(self) -> dict[str, Any]:
        try:
            content = json.loads(self.note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def download(file: RemoteFile, url: str, cache: Cache, progress: bool | None = None) -> Path:
    """Download one file from one address into the staging folder.

    Parameters
    ----------
    file : RemoteFile
        What is promised about it.
    url : str
        The address, the file's own or a mirror's.
    cache : Cache
        Places of the data set.
    progress : bool, optional
        Show a bar; by default where a terminal is looking.

    Returns
    -------
    pathlib.Path
        The complete file, its checksum not yet compared.

    Raises
    ------
    TransferFailed
        The address does not deliver, after all retries.
    DownloadError
        The disk is full; nothing is left behind.
    """
    partial = _Partial(cache.staging / f"{file.filename}.part")
    partial.path.parent.mkdir(parents=True, exist_ok=True)
    with _no_leftovers_on_full_disk(partial, cache):
        _transfer_stubbornly(file, url, partial, cache, progress)
        _refuse_html(file, url, partial)
    partial.note.unlink(missing_ok=True)
    return partial.path


def _transfer_stubbornly(
    file: RemoteFile, url: str, partial: _Partial, cache: Cache, progress: bool | None
) -> None:
    failures, best = 0, partial.size
    while True:
        try:
            return _transfer(file, url, partial, cache, progress)
        except TransferFailed as failure:
            # A line that drops every minute still brings a large file, piece by piece.
            failures = 1 if partial.size > best else failures + 1
            best = max(best, partial.size)
            if not failure.retry or failures >= ATTEMPTS:
                raise
            time.sleep(BACKOFF * 2 ** (failures - 1))


@contextmanager
def _no_leftovers_on_full_disk(partial: _Partial, cache: Cache) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise
        partial.discard()
        raise DownloadError(
            f"The disk filled up while downloading {partial.path.stem!r} to {cache.root}; the "
            "partial file was removed. Make room, or set NEUROKIT_DATA to a larger disk."
        ) from error


@contextmanager
def _network_errors(url: str) -> Iterator[None]:
    """Turn what ``requests`` raises into one kind, retried or not."""
    import requests
    import urllib3

    try:
        yield
    except (
        requests.exceptions.InvalidURL,
        requests.exceptions.InvalidSchema,
        requests.exceptions.TooManyRedirects,
    ) as error:
        raise TransferFailed(f"{url}: {error}", retry=False) from error
    except requests.exceptions.ConnectionError as error:
        cause = _root_cause(error)
        # Where no name resolves there is no network, and waiting would only delay saying so.
        raise TransferFailed(
            f"{url}: no connection ({cause})", retry=not isinstance(cause, socket.gaierror)
        ) from error
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError) as error:
        raise TransferFailed(f"{url}: {_root_cause(error)!r}", retry=True) from error


def _root_cause(error: BaseException) -> BaseException:
    while error.__context__ is not None:
        error = error.__context__
    return error


def _transfer(
    file: RemoteFile, url: str, partial: _Partial, cache: Cache, progress: bool | None
) -> None:
    import requests

    start = _resume_from(file, url, partial)
    if start and start == file.size:
        return
    headers = {"Accept-Encoding": "identity", "User-Agent": "neurokit"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if partial.origin().get("validator") and partial.origin().get("url") == url:
            headers["If-Range"] = partial.origin()["validator"]
    with (
        _network_errors(url),
        requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response,
    ):
        if response.headers.get("Content-Range") == f"bytes */{start}":
            return  # All of it had come before the process that fetched it ended.
        start = _check_answer(response, url, start, partial)
        total = _check_size(response, file, start)
        cache.need((total or 0) - start)
        if not start:
            write_json(partial.note, {"url": url, "validator": _validator(response)})
        _write(response, partial, start, total, file, progress)


def _resume_from(file: RemoteFile, url: str, partial: _Partial) -> int:
    """Bytes to keep: all, where a wrong splice would be noticed, else none."""
    origin = partial.origin()
    same = origin.get("url") == url and bool(origin.get("validator"))
    too_long = file.size is not None and partial.size > file.size
    if not (file.known_sha256 or same) or too_long:
        partial.discard()
    return partial.size


def _validator(response: Response) -> str | None:
    tag = response.headers.get("ETag", "")
    # A weak tag promises the same meaning, not the same bytes.
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


def _check_answer(response: Response, url: str, start: int, partial: _Partial) -> int:
    """Refuse error pages; return the byte from which this answer goes on."""
    status = response.status_code
    if start and status == 416:
        partial.discard()
        raise TransferFailed(f"{url}: the server cannot resume at byte {start}", retry=True)
    if status not in {200, 206}:
        raise TransferFailed(f"{url}: HTTP {status} {response.reason}", retry=status in _RETRIED)
    if status == 200:
        partial.discard()
        return 0
    first = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    if first is None or int(first[1]) != start:
        partial.discard()
        raise TransferFailed(f"{url}: the server resumed at another byte than {start}", retry=True)
    return start


def _check_size(response: Response, file: RemoteFile, start: int) -> int | None:
    """Compare the announced size with the card's; return the whole file's size."""
    length = response.headers.get("Content-Length", "")
    total = int(length) + start if length.isdigit() else None
    if file.size is not None and total is not None and total != file.size:
        kind = response.headers.get("Content-Type", "no type")
        raise TransferFailed(
            f"{response.url}: expected {file.size} bytes; the server offers {total} ({kind})",
            retry=False,
        )
    return file.size or total


def _write(
    response: Response,
    partial: _Partial,
    start: int,
    total: int | None,
    file: RemoteFile,
    progress: bool | None,
) -> None:
    written = start
    with (
        partial.path.open("ab" if start else "wb") as stream,
        progress_bar(
            enabled=progress, total=total, initial=start, desc=file.filename, unit="B",
            unit_scale=True,
        ) as bar,
    ):  # fmt: skip
        # As stored on the server: an archive that it calls "encoded" must not be decoded, and
        # what came before a cut must be kept, which the size check below reports.
        response.raw.enforce_content_length = False
        for block in response.raw.stream(_BLOCK, decode_content=False):
            written += len(block)
            if total is not None and written > total:
                raise TransferFailed(f"{response.url}: more than {total} bytes came", retry=False)
            stream.write(block)
            bar.update(len(block))
    if not written:
        raise TransferFailed(f"{response.url}: an empty answer", retry=True)
    if total is not None and written < total:
        raise TransferFailed(f"{response.url}: cut at {written} of {total} bytes", retry=True)


def _refuse_html(file: RemoteFile, url: str, partial: _Partial) -> None:
    """Hosts that moved or want a login answer 200 with a page for people."""
    if file.known_sha256 or file.filename.lower().endswith((".html", ".htm", ".svg", ".xml")):
        return
    with partial.path.open("rb") as stream:
        is_page = _HTML.match(stream.read(4096)) is not None
    if is_page:
        partial.discard()
        raise TransferFailed(
            f"{url}: the server answered with an HTML page instead of the file, which may have "
            "moved or want a login",
            retry=False,
        )
