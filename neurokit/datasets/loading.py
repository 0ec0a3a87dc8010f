"""A card's recording: fetched once, read, compared with what the card promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import xarray as xr

from neurokit import catalog
from neurokit.arguments import path_of, text
from neurokit.catalog.cards import Card
from neurokit.datasets.fetch import fetch
from neurokit.datasets.reading import read, sniff
from neurokit.datasets.sets import SETS, read_set
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording

__all__ = ["load", "load_all"]

# What each recording of a set must be; its length and its events are its own.
_SHARED_FACTS = ("channels", "sampling_rate", "units")
_MAIN_STREAMS = ("eeg", "ieeg", "meg", "bold", "lfp", "calcium", "counts", "spikes")


def load(name: str, file: str | None = None, **kwargs: Any) -> Recording:
    """Load a recording of the catalogue by name.

    Parameters
    ----------
    name : str
        A card's name; ``nk.datasets.list()`` shows them.
    file : str, optional
        Which file, relative to the data set's folder, where it holds many recordings.
    **kwargs
        Passed to the reader, over the arguments that the card gives. For a BIDS data set
        ``subject=``, ``session=``, ``task=`` and ``run=`` choose the one recording.

    Returns
    -------
    Recording
        With licence and citation in ``meta``.

    Raises
    ------
    UnknownNameError
        If no card has this name; the nearest is suggested.
    DownloadError
        If it is not here and cannot be downloaded, with what to do.
    DataError
        If what was read is not what the card promises, or the choice is not unique.

    Examples
    --------
    >>> import neurokit as nk
    >>> nk.datasets.load("gripforce")["ieeg"].sizes["channel"]
    9
    """
    card = catalog.card(text("name", name))
    root = fetch(name)
    entry = card.entry(root) if file is None else _chosen(name, root, file)
    arguments = {**(card.read.arguments if card.read else {}), **kwargs}
    if card.layout in SETS and file is None:
        rec = _one_of_set(name, read_set(card, entry, arguments))
    else:
        rec = read(_only_file(name, entry), **arguments)
    card.check(facts(rec))
    meta = {"dataset": card.name, "licence": card.licence, "citation": card.citation}
    return rec.replace(meta=meta, history=f"load({name!r})")


def load_all(name: str, path: str | Path | None = None, **kwargs: Any) -> list[Recording]:
    """Load all recordings of a data set of the catalogue.

    Parameters
    ----------
    name : str
        A card's name.
    path : path, optional
        Your copy, in place of the card's own: a folder, which is read as the card says, or a
        file, which is read with the given arguments alone.
    **kwargs
        Passed to the reader, over the arguments that the card gives, such as ``subject=`` where
        the reader of its layout takes it.

    Returns
    -------
    list of Recording
        In the order of their paths, with the card's name, licence and citation in ``meta``.

    Raises
    ------
    UnknownNameError
        If no card has this name; the nearest is suggested.
    DownloadError
        If it is not here and cannot be downloaded, with what to do.
    DataError
        If what was read is not what the card promises.

    Examples
    --------
    >>> [rec.meta["dataset"] for rec in load_all("gripforce")]
    ['gripforce']
    """
    card = catalog.card(text("name", name))
    place = card.entry(fetch(name)) if path is None else path_of("path", path).expanduser()
    arguments = {**card.read.arguments, **kwargs} if path is None or place.is_dir() else kwargs
    recordings = read_set(card, place, arguments)
    if path is None:
        _check_set(card, recordings, whole=not kwargs)
    meta = {"dataset": card.name, "licence": card.licence, "citation": card.citation}
    return [rec.replace(meta=meta, history=f"load_all({name!r})") for rec in recordings]


def _check_set(card: Card, recordings: list[Recording], whole: bool) -> None:
    """Compare with what the card promises; numbers of recordings only where all were read."""
    subjects = {str(rec.meta["subject"]) for rec in recordings if "subject" in rec.meta}
    if whole:
        card.check({"recordings": len(recordings), "subjects": len(subjects) or None})
    for rec in recordings:
        found = facts(rec)
        card.check({key: found[key] for key in _SHARED_FACTS if key in found})


def facts(rec: Recording) -> dict[str, float | str | None]:
    """Return what a recording is, in the words of a card's expectations.

    Parameters
    ----------
    rec : Recording
        Any recording.

    Returns
    -------
    dict
        ``channels``, ``neurons``, ``rois``, ``voxels``, ``sampling_rate`` (Hz), ``units`` …

    Examples
    --------
    >>> facts(Recording.from_spikes([0.1], [0], duration=1.0))
    {'duration': 1.0, 'events': 0, 'neurons': 1}
    """
    found: dict[str, float | str | None] = {"duration": rec.duration, "events": len(rec.events)}
    if "spikes" in rec:
        found["neurons"] = rec["spikes"].sizes["unit"]
    main = next((rec[s] for s in _MAIN_STREAMS if s in rec), None)
    if isinstance(main, xr.DataArray):
        count = {"channel": "channels", "roi": "rois", "voxel": "voxels", "unit": "neurons"}
        found |= {count[str(d)]: n for d, n in main.sizes.items() if d in count}
        found |= {"frames": main.shape[0], "units": main.attrs["units"]}
        rate = main.attrs.get("sampling_rate")
        found |= {"sampling_rate": rate, "tr": 1 / rate} if rate else {}
    return found


def _chosen(name: str, root: Path, file: str) -> Path:
    path = (root / file).resolve()
    if not path.is_relative_to(root.resolve()) or not path.exists():
        known = [p.relative_to(root).as_posix() for p in sorted(root.rglob("*")) if p.is_file()]
        raise UnknownNameError(f"file of {name}", file, known)
    return path


def _only_file(name: str, entry: Path) -> Path:
    """Return what to read; of a folder of many recordings, ask which one."""
    if entry.is_file() or sniff(entry) is not None:
        return entry
    files = [p.relative_to(entry).as_posix() for p in sorted(entry.rglob("*")) if p.is_file()]
    if len(files) == 1:
        return entry / files[0]
    raise DataError(
        f"{name} holds {len(files)} files. Choose one with load({name!r}, file=…), such as "
        f"{', '.join(map(repr, files[:3]))}; or read them all from {entry}."
    )


def _one_of_set(name: str, recordings: list[Recording]) -> Recording:
    if len(recordings) != 1:
        subjects = sorted({str(r.meta.get("subject")) for r in recordings})
        raise DataError(
            f"{name} holds {len(recordings)} recordings (subjects {', '.join(subjects[:8])}). "
            f"Choose one with subject=, session=, task=, run= as its reader takes them, or read "
            f"all with nk.datasets.load_all({name!r}, …)."
        )
    return recordings[0]
