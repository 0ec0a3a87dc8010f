"""The data-set card: what a recording is, whose it is, and how to get and check it."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from neurokit.catalog.fields import (
    Expect,
    Layout,
    Modality,
    ReadCall,
    RemoteFile,
    Text,
    http_address,
)
from neurokit.catalog.folders import find
from neurokit.catalog.schema import Schema, read_toml
from neurokit.errors import DataError, ReadError

__all__ = ["Card", "card", "read_card"]


class Card(Schema):
    """One data set of the catalogue.

    Attributes
    ----------
    name : str
        Equal to the card's file name without ``.toml``.
    modality : list of str
        Streams it holds: ``eeg``, ``ieeg``, ``meg``, ``fmri``, ``spikes``, ``lfp``,
        ``calcium``, ``behaviour``, ``stimulus``.
    access : {"open", "form", "manual"}
        Free to download; after signing a form; by some other way told in `obtain`.
    path : str or None
        Local file or folder, relative to the card; ``~`` and ``$NAME`` are expanded.
    files : list of RemoteFile
        What to download; empty where it cannot or should not be done file by file.
    expect : Expect
        Facts the recording must reproduce.
    read : ReadCall
        How :func:`neurokit.datasets.load` reads it.

    Examples
    --------
    >>> sleep = card("sleep-edf")
    >>> sleep.licence, sleep.access
    ('ODC-By-1.0', 'open')
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    title: Text
    modality: Annotated[list[Modality], Field(min_length=1)]
    description: Text
    citation: Text
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,9}/\S+$")] | None = None
    url: str | None = None
    licence: Text
    access: Literal["open", "form", "manual"]
    obtain: str = ""
    layout: Layout
    ship: bool = False
    path: Text | None = None
    expect: Expect = Expect()
    files: list[RemoteFile] = Field(default_factory=list)
    read: ReadCall = ReadCall()

    @field_validator("description", "citation", "obtain")
    @classmethod
    def _unwrap(cls, text: str) -> str:
        """Undo the line breaks that keep the TOML readable."""
        return " ".join(text.split())

    @field_validator("url")
    @classmethod
    def _check_url(cls, url: str | None) -> str | None:
        return None if url is None else http_address(url)

    @model_validator(mode="after")
    def _check_whole(self) -> Card:
        if self.doi is None and self.url is None:
            raise ValueError("expected a doi or a url, so that the source can be found.")
        if not (self.files or self.path or self.obtain):
            raise ValueError("expected [[files]], path or obtain: how does one get the data?")
        if self.ship and not self.path:
            raise ValueError("ship = true needs path, the embedded file or folder.")
        stored = [file.filename.lower() for file in self.files]
        if twice := {name for name in stored if stored.count(name) > 1}:
            raise ValueError(f"two [[files]] are both called {min(twice)!r}; give one a name.")
        return self

    def root(self) -> Path | None:
        """Resolve `path`.

        Returns
        -------
        pathlib.Path or None
            Absolute path, which need not exist; ``None`` for a card without `path`.

        Raises
        ------
        DataError
            `path` uses an environment variable that is not set.

        Examples
        --------
        >>> card("a2929").root().name
        'a2929'
        """
        if self.path is None:
            return None
        path = Path(os.path.expandvars(self.path)).expanduser()
        if unset := re.search(r"\$\{?\w+\}?|^%\w+%", str(path)):
            raise DataError(
                f"{self.source or self.name}: path = {self.path!r} uses {unset.group()}, which is "
                "not set in the environment. Set it, or write the folder out."
            )
        return ((self.source.parent if self.source else Path.cwd()) / path).resolve()

    def entry(self, fetched: Path) -> Path:
        """Find what to read in what was fetched.

        Parameters
        ----------
        fetched : pathlib.Path
            What :func:`neurokit.datasets.fetch` returned.

        Returns
        -------
        pathlib.Path
            The file or folder for the reader.

        Raises
        ------
        DataError
            It is not there.

        Examples
        --------
        >>> shipped = card("a2929")
        >>> shipped.entry(shipped.root()).name
        'A2929-200711.nwb'
        """
        wanted = fetched / self.read.entry if self.read.entry and fetched.is_dir() else fetched
        if not wanted.exists():
            raise DataError(
                f"Expected data set {self.name!r} to hold {self.read.entry or fetched.name!r}; "
                f"there is no {wanted}. Correct [read] entry in {self.source}."
            )
        return wanted

    def check(self, found: Mapping[str, float | str | None]) -> None:
        """Compare what was read with the facts the card promises.

        Parameters
        ----------
        found : mapping
            Some of the facts of :class:`Expect`; facts that the card does not
            state, and facts found to be ``None``, are not compared.

        Raises
        ------
        DataError
            A count or a unit differs, or a rate or duration is off by more than 0.1 %.

        Examples
        --------
        >>> Card.model_construct(name="demo", expect=Expect(channels=32)).check({"channels": 31})
        Traceback (most recent call last):
        neurokit.errors.DataError: Data set 'demo': expected 32 channels, found 31. ...
        """
        promised = self.expect.model_dump(exclude_none=True)
        wrong = [
            f"expected {_fact(key, promised[key])}, found {value}"
            for key, value in found.items()
            if value is not None and key in promised and not _agree(promised[key], value)
        ]
        if wrong:
            raise DataError(
                f"Data set {self.name!r}: {'; '.join(wrong)}. The download may be partial, or "
                f"another version than the card describes ({self.source})."
            )

    def __str__(self) -> str:
        """Render the card as a short text for people."""
        facts = self.expect.model_dump(exclude_none=True)
        rows = {
            "modality": ", ".join(self.modality),
            "layout": self.layout,
            "facts": ", ".join(_fact(key, value) for key, value in facts.items()),
            "licence": self.licence,
            "access": self.access,
            "obtain": self.obtain,
            "cite": self.citation,
            "doi": self.doi and f"https://doi.org/{self.doi}",
            "url": self.url,
            "card": self.source,
        }
        lines = [f"{key:<9} {value}" for key, value in rows.items() if value]
        return "\n".join([f"{self.name}: {self.title}", self.description, *lines])


def _agree(promised: Any, found: float | str) -> bool:
    if isinstance(promised, str) or isinstance(found, str):
        return promised == found
    tolerance = 0.0 if isinstance(promised, int) else 1e-3
    return math.isclose(promised, found, rel_tol=tolerance, abs_tol=0.0)


def _fact(key: str, value: Any) -> str:
    unit = {"sampling_rate": "Hz", "tr": "s", "duration": "s"}.get(key)
    if unit is None and not isinstance(value, str):
        single = {"classes": "class", "stimuli": "stimulus"}.get(key, key.removesuffix("s"))
        return f"{value:,} {single if value == 1 else key}"
    return f"{key.replace('_', ' ')} {value:g} {unit}" if unit else f"{key} {value}"


def read_card(path: str | Path) -> Card:
    """Read and check one card file.

    Parameters
    ----------
    path : str or pathlib.Path
        A TOML file whose stem is the card's name.

    Returns
    -------
    Card
        The checked card.

    Raises
    ------
    ReadError
        Not a valid card; the message names the file and the field.

    Examples
    --------
    >>> from neurokit.catalog import find
    >>> read_card(find("datasets", "sleep-edf")).modality
    ['eeg']
    """
    read = read_toml(path, Card)
    if read.name != Path(path).stem:
        raise ReadError(
            f"{path}: field 'name': expected {Path(path).stem!r}, as the file is called; "
            f"got {read.name!r}."
        )
    return read


def card(name: str) -> Card:
    """Read the card of a data set, a lab's own before the shipped one.

    Parameters
    ----------
    name : str
        As listed by :func:`neurokit.datasets.list`.

    Returns
    -------
    Card
        The checked card.

    Raises
    ------
    UnknownNameError
        No card of that name; the nearest is suggested.
    ReadError
        The card is not valid.

    Examples
    --------
    >>> card("sleep-edf").title
    'Sleep-EDF Database Expanded'
    """
    return read_card(find("datasets", name))
