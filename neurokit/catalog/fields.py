"""The parts of a data-set card: its vocabulary, expected facts, files, and reading."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator

from neurokit.catalog.schema import Schema

__all__ = ["Expect", "Layout", "Modality", "ReadCall", "RemoteFile", "http_address", "safe_name"]

Modality = Literal[
    "eeg", "ieeg", "meg", "fmri", "spikes", "lfp", "calcium", "behaviour", "stimulus"
]
Layout = Literal[
    "bids", "nwb", "npz", "edf", "gdf", "fif", "brainvision", "eeglab", "nifti", "cifti",
    "mat", "csv", "phy", "suite2p", "zarr", "crcns", "text", "mixed", "tuh", "word-reading",
    "neuroformer",
]  # fmt: skip
_Count = Annotated[int, Field(ge=1)]
_Positive = Annotated[float, Field(gt=0)]
Text = Annotated[str, Field(min_length=1)]


def http_address(url: str) -> str:
    """Return an address as it is, if a browser could open it.

    Parameters
    ----------
    url : str
        The address.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ValueError
        Neither http nor https, without a host, or with spaces.

    Examples
    --------
    >>> http_address("https://openneuro.org")
    'https://openneuro.org'
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", url):
        raise ValueError(f"expected an http or https address; got {url!r}.")
    return url


def safe_name(text: str) -> str:
    """Make a file name of the last part of an address: no folders, no odd characters.

    Parameters
    ----------
    text : str
        A URL, or any text.

    Returns
    -------
    str
        A name that is safe on every file system.

    Examples
    --------
    >>> safe_name("https://host/a/sub%2001.zip?download=1")
    'sub_01.zip'
    >>> safe_name("https://host/..%2F..%2Fetc/")
    'etc'
    """
    path = unquote(urlsplit(text).path).replace("\\", "/").rstrip("/")
    return re.sub(r"[^A-Za-z0-9._+@=-]", "_", path.rsplit("/", 1)[-1]).lstrip(".-") or "download"


class Expect(Schema):
    """Facts a reader must reproduce; counts concern the main stream.

    All are optional, because what is not certain is left out.
    """

    subjects: _Count | None = None
    sessions: _Count | None = None
    runs: _Count | None = None
    recordings: _Count | None = None
    channels: _Count | None = None
    neurons: _Count | None = None
    rois: _Count | None = None
    voxels: _Count | None = None
    frames: _Count | None = None
    trials: _Count | None = None
    events: _Count | None = None
    classes: _Count | None = None
    stimuli: _Count | None = None
    sampling_rate: _Positive | None = Field(default=None, description="Hz")
    tr: _Positive | None = Field(default=None, description="seconds from volume to volume")
    duration: _Positive | None = Field(default=None, description="seconds")
    units: Text | None = Field(default=None, description="physical unit of the main stream")


class RemoteFile(Schema):
    """One file to download, with what it must weigh and hash to."""

    url: Text
    mirrors: list[str] = Field(default_factory=list)
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64}|unverified)$")]
    size: _Count | None = Field(default=None, description="bytes, exact")
    name: str = Field(
        default="", description="name in the cache; by default the address's last part"
    )
    unpack: bool = False

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        return http_address(url)

    @field_validator("mirrors")
    @classmethod
    def _check_mirrors(cls, mirrors: list[str]) -> list[str]:
        return [http_address(url) for url in mirrors]

    @field_validator("name")
    @classmethod
    def _check_name(cls, name: str) -> str:
        if any(part != safe_name(f"/{part}") for part in name.split("/") if name):
            raise ValueError(
                f"expected letters, digits and ._+@=- in a relative path; got {name!r}."
            )
        return name

    @property
    def filename(self) -> str:
        """Name in the cache, relative to the data set's folder."""
        return self.name or safe_name(self.url)

    @property
    def known_sha256(self) -> str | None:
        """The checksum the card promises; ``None`` when it is unverified."""
        return None if self.sha256 == "unverified" else self.sha256


class ReadCall(Schema):
    """How the fetched files are read: arguments, never code."""

    entry: str = Field(
        default="", description="file or folder to read, relative to what was fetched"
    )
    arguments: dict[str, Any] = Field(default_factory=dict)
    files: str = Field(
        default="", description="pattern of the recordings, where they are files of one folder"
    )
    names: str = Field(
        default="", description="regular expression whose named groups are facts of a recording"
    )

    @field_validator("names")
    @classmethod
    def _check_names(cls, names: str) -> str:
        try:
            groups = re.compile(names).groupindex
        except re.error as error:
            raise ValueError(f"expected a regular expression; got {names!r}: {error}.") from None
        if names and not groups:
            raise ValueError(f"expected named groups such as (?P<subject>\\d+); got {names!r}.")
        return names

    @field_validator("entry", "files")
    @classmethod
    def _check_entry(cls, entry: str) -> str:
        pure = PurePosixPath(entry.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or ":" in entry.split("/")[0]:
            raise ValueError(f"expected a path inside the data set; got {entry!r}.")
        return entry

    @field_validator("arguments")
    @classmethod
    def _check_arguments(cls, arguments: dict[str, Any]) -> dict[str, Any]:
        if bad := [key for key in arguments if not key.isidentifier()]:
            raise ValueError(f"expected names of keyword arguments; got {bad[0]!r}.")
        return arguments
