"""Looking at the catalogue of data sets: the table, and one card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, get_args

from neurokit.arguments import text
from neurokit.catalog.cards import Card, card, read_card
from neurokit.catalog.fields import Modality
from neurokit.catalog.folders import names
from neurokit.datasets.fetch import is_cached
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.warning import warn

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["info", "list"]

_builtin_list = list


def list(modality: str | None = None) -> pd.DataFrame:
    """List the data sets of the catalogue, a lab's own included.

    A card that is not valid is left out, with a warning that names it.

    Parameters
    ----------
    modality : str, optional
        Only those with this stream: ``"eeg"``, ``"ieeg"``, ``"meg"``, ``"fmri"``,
        ``"spikes"``, ``"lfp"``, ``"calcium"``, ``"behaviour"``, ``"stimulus"``.

    Returns
    -------
    pandas.DataFrame
        One row a data set: ``name``, ``title``, ``modality`` (comma-separated),
        ``access``, ``licence``, ``size`` (bytes, missing where unknown) and ``cached``.

    Raises
    ------
    UnknownNameError
        No such modality.

    Examples
    --------
    >>> table = list("fmri")
    >>> "haxby2001" in set(table["name"])
    True
    """
    import pandas as pd

    if modality is not None and text("modality", modality) not in get_args(Modality):
        raise UnknownNameError("modality", modality, get_args(Modality))
    cards = [c for c in _valid_cards() if modality is None or modality in c.modality]
    columns = ["name", "title", "modality", "access", "licence", "size", "cached"]
    table = pd.DataFrame([_row(c) for c in cards], columns=columns)
    return table.astype({"size": "Int64", "cached": bool})


def info(name: str) -> Card:
    """Read one card of the catalogue; printing it shows all of it.

    Parameters
    ----------
    name : str
        As listed by :func:`list`.

    Returns
    -------
    Card
        Citation, licence, access, expected facts, files.

    Raises
    ------
    UnknownNameError
        No card of that name; the nearest is suggested.

    Examples
    --------
    >>> info("eegmat").expect.subjects
    36
    """
    return card(name)


def _valid_cards() -> _builtin_list[Card]:
    cards = []
    for path in names("datasets").values():
        try:
            cards.append(read_card(path))
        except ReadError as error:
            warn(f"Left out of the list: {error}")
    return cards


def _row(shown: Card) -> tuple[str, str, str, str, str, int | None, bool]:
    modality = ", ".join(shown.modality)
    size, cached = _size(shown), is_cached(shown)
    return shown.name, shown.title, modality, shown.access, shown.licence, size, cached


def _size(shown: Card) -> int | None:
    if shown.files:
        known = [file.size for file in shown.files if file.size is not None]
        return sum(known) if len(known) == len(shown.files) else None
    return _size_on_disk(shown) if shown.ship else None


def _size_on_disk(shown: Card) -> int | None:
    try:
        root = shown.root()
    except DataError:
        return None
    if root is None or not root.exists():
        return None
    files: _builtin_list[Path] = [root] if root.is_file() else [*root.rglob("*")]
    return sum(path.stat().st_size for path in files if path.is_file())
