"""Data sets of many recordings, read as their layout has them."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

from neurokit.catalog.cards import Card
from neurokit.datasets.reading import read, sniff
from neurokit.errors import DataError, ReadError
from neurokit.progress import progress_bar
from neurokit.recording import Recording

__all__ = ["SETS", "read_set"]

#: Layouts whose reader takes the root of the set: its module and function.
SETS: dict[str, tuple[str, str]] = {
    "bids": ("bids", "read_bids"),
    "neuroformer": ("neuroformer_sets", "read_neuroformer"),
    "tuh": ("tuh", "read_tuh"),
    "word-reading": ("word_reading", "read_word_reading"),
}


def read_set(card: Card, place: Path, arguments: dict[str, Any]) -> list[Recording]:
    """Read all recordings of a data set.

    Parameters
    ----------
    card : Card
        Its layout; ``[read]`` of it may give a pattern of files and of facts in their names.
    place : Path
        The root of the set, or the one file that holds it.
    arguments : dict
        Of the reader.

    Returns
    -------
    list of Recording
        In the order of their paths.

    Raises
    ------
    ReadError
        If there is no recording.
    DataError
        If a file is not called as the card says.

    Examples
    --------
    >>> from neurokit.catalog import card
    >>> shipped = card("mne-sample-eeg")
    >>> len(read_set(shipped, shipped.entry(shipped.root()), {}))
    1
    """
    if place.is_dir() and card.layout in SETS:
        module, function = SETS[card.layout]
        reader = getattr(importlib.import_module(f"neurokit.datasets.{module}"), function)
        own = {"corpus": card.name} if card.layout == "tuh" else {}
        return reader(place, **{**own, **arguments})
    if place.is_file() or not place.is_dir() or (not card.read.files and sniff(place)):
        found = read(place, **arguments)
        return found if isinstance(found, list) else [found]
    return _files(card, place, arguments)


def _files(card: Card, place: Path, arguments: dict[str, Any]) -> list[Recording]:
    """Read a folder of one file a recording."""
    pattern = card.read.files or "**/*"
    paths = sorted(p for p in place.glob(pattern) if p.is_file() and not p.name.startswith("."))
    if not paths:
        raise ReadError(f"{place}: expected the recordings of {card.name!r} ({pattern}).")
    return [
        read(path, **arguments).replace(meta=_facts(card, path))
        for path in progress_bar(paths, desc=f"reading {card.name}", unit="file")
    ]


def _facts(card: Card, path: Path) -> dict[str, str | int]:
    """Return what the name of a file says of its recording; numbers as numbers."""
    if not card.read.names:
        return {}
    match = re.search(card.read.names, path.name)
    if match is None:
        raise DataError(
            f"{path}: not called as the card of {card.name!r} says ({card.read.names}). Correct "
            f"[read] files or names in {card.source}."
        )
    said = {key: value for key, value in match.groupdict().items() if value is not None}
    return {key: int(value) if value.isdecimal() else value for key, value in said.items()}
