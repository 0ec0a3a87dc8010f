"""What lies beside an fMRI file: its TR, its events, who and what was recorded."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurokit.datasets.bids_names import META, entities, stem
from neurokit.errors import DataError, ReadError
from neurokit.recording.nifti_conversion import check_repetition_time

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "beside",
    "describe",
    "events_beside",
    "repetition_time",
    "sidecar_value",
]

_LARGEST_SIDECAR = 10 * 2**20


def describe(path: Path) -> dict[str, Any]:
    """Return the metadata that a file's name tells.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    dict
        ``source`` (the file's name) and, from a BIDS name, subject, session, task, run, space.

    Examples
    --------
    >>> describe(Path("sub-1_task-rest_bold.nii.gz"))
    {'source': 'sub-1_task-rest_bold.nii.gz', 'subject': '1', 'task': 'rest'}
    """
    found, _ = entities(path)
    return {"source": path.name, **{META[k]: v for k, v in found.items() if k in META}}


def beside(path: Path, ending: str, suffixes: tuple[str, ...], climb: bool = False) -> list[Path]:
    """Find the files that belong to a file by BIDS' inheritance.

    A file belongs when its entities are among those of ``path``; without BIDS names, when it
    has the same stem.

    Parameters
    ----------
    path : Path
        The file.
    ending : str
        E.g. ``".json"``.
    suffixes : tuple of str
        What the name may end in before that, e.g. ``("bold",)``.
    climb : bool
        Also look above ``func``, ``ses-*`` and ``sub-*`` folders.

    Returns
    -------
    list of Path
        The most specific first.
    """
    mine, _ = entities(path)
    folders = [path.parent]
    while climb and re.match(r"^(func|ses-.+|sub-.+)$", folders[-1].resolve().name):
        folders.append(folders[-1].resolve().parent)
    found = []
    for depth, folder in enumerate(folders):
        for candidate in folder.glob(f"*{ending}"):
            theirs, suffix = entities(candidate)
            known = all(
                mine.get(k) == v or (k == "desc" and suffix == "timeseries")
                for k, v in theirs.items()
            )
            bids = bool(mine) and suffix in suffixes and known
            if candidate != path and bids:
                found.append((depth, -len(theirs), candidate.name, candidate))
    return [candidate for *_, candidate in sorted(found)]


def repetition_time(path: Path, given: float | None, claim: str = "") -> float:
    """Find out the seconds between volumes.

    Parameters
    ----------
    path : Path
        The image or table.
    given : float or None
        What the caller says, which wins.
    claim : str
        What the file's own header says, for the message.

    Returns
    -------
    float
        In seconds: as given, else ``RepetitionTime`` of the JSON sidecar with the same name,
        else of the sidecars that BIDS lets the file inherit from.

    Raises
    ------
    DataError
        If it is nowhere, or not a plausible number of seconds.
    ReadError
        If a sidecar is not JSON.
    """
    if given is None:
        given = sidecar_value(path, "RepetitionTime")
    try:
        return check_repetition_time(given, claim)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from None


def sidecar_value(path: Path, key: str) -> Any:
    """Return one value of the nearest sidecar that has it.

    Parameters
    ----------
    path : Path
        The image or table.
    key : str
        E.g. ``"RepetitionTime"``.

    Returns
    -------
    object
        None when no sidecar has it.

    Raises
    ------
    ReadError
        If a sidecar is not a JSON object.
    """
    _, suffix = entities(path)
    own = path.with_name(f"{stem(path)}.json")
    suffixes = (suffix, "bold") if suffix == "timeseries" else (suffix,)
    for candidate in [own, *beside(path, ".json", suffixes, climb=True)]:
        if candidate.is_file():
            value = _read_json(candidate).get(key)
            if value is not None:
                return value
    return None


def events_beside(path: Path) -> pd.DataFrame | None:
    """Read the event table that belongs to a BIDS run.

    Parameters
    ----------
    path : Path
        ``sub-…_task-…_bold.nii.gz`` or a derivative of it.

    Returns
    -------
    pd.DataFrame or None
        ``onset`` and ``duration`` in s, ``trial_type`` and the table's other columns; None
        when there is no table.

    Raises
    ------
    ReadError
        If the table cannot be read.
    """
    import pandas as pd

    tables = beside(path, ".tsv", ("events",), climb=True)
    if not tables:
        return None
    try:
        with warnings.catch_warnings():
            # pandas only warns of rows that are too long when the first column is no index.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                tables[0], sep="\t", na_values=["n/a"], encoding="utf-8-sig", index_col=False
            )
    except (ValueError, pd.errors.ParserWarning) as error:
        raise ReadError(f"{tables[0].name}: cannot be read as a table of events: {error}") from None
    return table


def _read_json(path: Path) -> dict[str, Any]:
    if path.stat().st_size > _LARGEST_SIDECAR:
        raise ReadError(f"{path.name}: {path.stat().st_size} bytes is too large for a sidecar.")
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{path.name}: the sidecar is not valid JSON: {error}.") from None
    if not isinstance(content, dict):
        raise ReadError(f"{path.name}: the sidecar holds a {type(content).__name__}, not facts.")
    return content
