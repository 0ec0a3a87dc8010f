"""Where the cards lie: the shipped shelf, and the folders a lab adds to it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, get_args

from neurokit.errors import DataError, UnknownNameError

__all__ = ["Kind", "find", "names", "shelf", "shelves"]

Kind = Literal["datasets", "models", "alignment"]

_ENTRY = {"datasets": "data set", "models": "recipe", "alignment": "benchmark"}
_PACKAGE = Path(__file__).resolve().parents[1]


def shelf(kind: Kind) -> Path:
    """Find the folder of the shipped cards, recipes or benchmarks.

    In an installed wheel it is inside the package, in a checkout it is the
    folder of that name at the root.

    Parameters
    ----------
    kind : {"datasets", "models", "alignment"}
        Which shelf.

    Returns
    -------
    pathlib.Path
        An existing folder.

    Raises
    ------
    DataError
        The installation has neither.

    Examples
    --------
    >>> shelf("datasets").name
    'datasets'
    """
    if kind not in get_args(Kind):
        raise UnknownNameError("shelf", kind, get_args(Kind))
    candidates = (_PACKAGE / "_shelf" / kind, _PACKAGE.parent / kind)
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise DataError(
        f"Expected the shipped {kind} in {candidates[0]} or {candidates[1]}; found neither. "
        "Reinstall neurokit."
    )


def shelves(kind: Kind) -> list[Path]:
    """List the folders that are searched for `kind`, the first one winning.

    ``NEUROKIT_CATALOG`` may name folders (separated like ``PATH``), each with
    sub-folders ``datasets``, ``models`` or ``alignment``; they come before the
    shipped shelf.

    Parameters
    ----------
    kind : {"datasets", "models", "alignment"}
        Which shelf.

    Returns
    -------
    list of pathlib.Path
        Existing folders.

    Raises
    ------
    DataError
        ``NEUROKIT_CATALOG`` names a folder that does not exist.

    Examples
    --------
    >>> shelves("datasets")[-1] == shelf("datasets")
    True
    """
    found = []
    for entry in filter(None, os.environ.get("NEUROKIT_CATALOG", "").split(os.pathsep)):
        folder = Path(entry).expanduser()
        if not folder.is_dir():
            raise DataError(
                f"Expected NEUROKIT_CATALOG to name existing folders; got {entry!r}, which is "
                "none. Create it, or take it out of the variable."
            )
        found.append(folder.resolve() / kind)
    return [folder for folder in found if folder.is_dir()] + [shelf(kind)]


def names(kind: Kind) -> dict[str, Path]:
    """Map every name on a shelf to its TOML file, without opening any.

    A card is ``<name>.toml``, or ``<name>/<name>.toml`` where files lie beside it.

    Parameters
    ----------
    kind : {"datasets", "models", "alignment"}
        Which shelf.

    Returns
    -------
    dict of str to pathlib.Path
        Sorted by name.

    Examples
    --------
    >>> "sleep-edf" in names("datasets")
    True
    """
    found: dict[str, Path] = {}
    for folder in reversed(shelves(kind)):
        beside = (p for p in folder.glob("*/*.toml") if p.stem == p.parent.name)
        found |= {path.stem: path for path in (*folder.glob("*.toml"), *beside)}
    return dict(sorted(found.items()))


def find(kind: Kind, name: str) -> Path:
    """Find the TOML file of one name.

    Parameters
    ----------
    kind : {"datasets", "models", "alignment"}
        Which shelf.
    name : str
        The name, e.g. ``"sleep-edf"``.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    UnknownNameError
        No such name; the nearest one is suggested.

    Examples
    --------
    >>> find("datasets", "sleep-edf").name
    'sleep-edf.toml'
    """
    known = names(kind)
    if name not in known:
        raise UnknownNameError(_ENTRY[kind], name, known)
    return known[name]
