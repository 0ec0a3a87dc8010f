"""Files of a BIDS folder: which there are, and what lies beside each."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from neurokit.datasets.bids_names import entities
from neurokit.errors import DataError, ReadError, UnknownNameError

__all__ = ["DATATYPES", "BidsFile", "find", "read_json", "read_table", "sidecars"]

DATATYPES: dict[str, tuple[str, ...]] = {
    "eeg": ("_eeg.edf", "_eeg.bdf", "_eeg.vhdr", "_eeg.set", "_eeg.fif"),
    "ieeg": ("_ieeg.edf", "_ieeg.bdf", "_ieeg.vhdr", "_ieeg.set", "_ieeg.nwb", "_ieeg.fif"),
    "meg": ("_meg.fif", "_meg.ds", "_meg.con", "_meg.sqd"),
    "func": ("_bold.nii", "_bold.nii.gz", "_bold.dtseries.nii", "_timeseries.tsv"),
}
_FILTERS = {"subject": "sub", "session": "ses", "task": "task", "run": "run"}
_LARGEST_SIDECAR = 50 * 2**20

Wanted = str | int | Sequence[str | int] | None


@dataclass(frozen=True)
class BidsFile:
    """A recording in a BIDS folder.

    Attributes
    ----------
    path : Path
        The data file.
    entities : dict
        ``sub``, ``ses``, ``task``, ``run`` … as in its name.
    root : Path
        The data set's folder.
    """

    path: Path
    entities: dict[str, str]
    root: Path


def find(
    root: Path, datatype: str, subject: Wanted, session: Wanted, task: Wanted, run: Wanted
) -> list[BidsFile]:
    """Find the recordings of one kind.

    mne-bids finds EEG, iEEG and MEG only, and refuses names with entities that it does not
    know; here any entity passes, ``dataset_description.json`` may be missing, and fMRI is
    found too.

    Parameters
    ----------
    root : Path
        The folder that holds the ``sub-*`` folders.
    datatype : str
        ``"eeg"``, ``"ieeg"``, ``"meg"`` or ``"func"``.
    subject, session, task, run : str, int or sequence, optional
        Labels with or without ``sub-`` and the like; numbers match ``01``.

    Returns
    -------
    list of BidsFile
        In order of their paths.

    Raises
    ------
    ReadError
        If there is no BIDS folder, or nothing of this kind in it.
    UnknownNameError
        If the datatype, or a label asked for, does not exist.
    """
    if datatype not in DATATYPES:
        raise UnknownNameError("datatype", datatype, DATATYPES)
    _check_root(root)
    files = _all_files(root, datatype)
    if not files:
        there = sorted(
            {p.name for p in root.glob("sub-*/**/*") if p.is_dir() and p.name[:4] != "ses-"}
        )
        raise ReadError(
            f"{root} holds no {datatype} recording; its folders are called {there[:8]}. Known "
            f"endings are {', '.join(DATATYPES[datatype])}."
        )
    wanted = {"subject": subject, "session": session, "task": task, "run": run}
    for kind, labels in wanted.items():
        if labels is not None:
            chosen = [labels] if isinstance(labels, str | int) else labels
            if not isinstance(chosen, Iterable) or isinstance(chosen, dict):
                raise DataError(f"{kind} is {labels!r}, expected a label such as '01', or several.")
            files = _filtered(files, kind, list(chosen))
    return files


def sidecars(file: BidsFile, suffix: str, free: tuple[str, ...] = ()) -> list[Path]:
    """Return the files that BIDS lets a recording inherit from, the nearest first.

    Parameters
    ----------
    file : BidsFile
        The recording.
    suffix : str
        E.g. ``"channels.tsv"``.
    free : tuple of str
        Entities that the sidecar may have beyond the recording's own, e.g. ``("space",)``.

    Returns
    -------
    list of Path
        Those whose entities are among the recording's, in its folder and above.
    """
    found = []
    folder, depth = file.path.parent, 0
    while True:
        for candidate in sorted([*folder.glob(f"*_{suffix}"), *folder.glob(suffix)]):
            theirs = {k: v for k, v in entities(candidate)[0].items() if k not in free}
            if theirs.items() <= file.entities.items():
                found.append((depth, -len(theirs), candidate.name, candidate))
        if folder in (file.root, folder.parent):
            return [candidate for *_, candidate in sorted(found)]
        folder, depth = folder.parent, depth + 1


def read_json(paths: list[Path]) -> dict[str, Any]:
    """Merge JSON sidecars; the first that has a key decides.

    Parameters
    ----------
    paths : list of Path
        The nearest first, as :func:`sidecars` returns them.

    Returns
    -------
    dict
        Without the keys that are null or ``n/a``.

    Raises
    ------
    ReadError
        If one is no JSON object.
    """
    merged: dict[str, Any] = {}
    for path in reversed(paths):
        try:
            content = json.loads(_text(path))
        except (ValueError, RecursionError) as error:
            raise ReadError(f"{path.name}: not valid JSON: {error}.") from None
        if not isinstance(content, dict):
            raise ReadError(f"{path.name}: holds a {type(content).__name__}, expected an object.")
        merged |= {k: v for k, v in content.items() if v is not None and v != "n/a"}
    return merged


def read_table(path: Path) -> pd.DataFrame:
    """Read a tab-separated table as text.

    Parameters
    ----------
    path : Path
        With or without a byte-order mark.

    Returns
    -------
    pd.DataFrame
        Text; ``n/a`` and empty cells are missing.

    Raises
    ------
    ReadError
        If it is no table.
    """
    rows = [r for r in re.split("\r\n|\r|\n", _text(path)) if r.strip()]
    width = len(rows[0].split("\t")) if rows else 0
    ragged = [i for i, row in enumerate(rows) if len(row.split("\t")) > width]
    if not width or ragged:
        at = f"row {ragged[0]} has more cells than the head" if ragged else "it is empty"
        raise ReadError(f"{path.name}: not a tab-separated table: {at}.")
    table = pd.read_csv(
        io.StringIO("\n".join(rows)), sep="\t", dtype="str", na_values=["n/a"], quoting=3
    )
    return table.rename(columns=lambda c: str(c).strip())


def _text(path: Path) -> str:
    if path.stat().st_size > _LARGEST_SIDECAR:
        raise ReadError(f"{path.name}: {path.stat().st_size} bytes are too many for a sidecar.")
    return path.read_bytes().decode("utf-8-sig", errors="replace")


def _check_root(root: Path) -> None:
    if not root.is_dir():
        raise ReadError(f"There is no folder {root}.")
    if any(p.is_dir() for p in root.glob("sub-*")):
        return
    below = sorted({str(p.parent.relative_to(root)) for p in root.glob("*/sub-*") if p.is_dir()})
    hint = f" There are in {below[:5]}: give one of those." if below else ""
    if root.name.startswith("sub-"):
        hint = f" Give the folder above, {root.parent}, and subject={root.name[4:]!r}."
    raise ReadError(f"{root} is no BIDS data set: it has no sub-* folder.{hint}")


def _all_files(root: Path, datatype: str) -> list[BidsFile]:
    found = []
    for path in sorted(root.glob(f"sub-*/**/{datatype}/*")):
        confounds = "desc-confounds" in path.name
        if path.name.endswith(DATATYPES[datatype]) and not confounds:
            found.append(BidsFile(path, entities(path)[0], root))
    return found


def _filtered(files: list[BidsFile], kind: str, labels: Sequence[str | int]) -> list[BidsFile]:
    key = _FILTERS[kind]
    plain = {_plain(str(label).removeprefix(f"{key}-")) for label in labels}
    kept = [f for f in files if _plain(f.entities.get(key, "")) in plain]
    there = sorted({f.entities[key] for f in files if key in f.entities})
    for label in sorted(plain - {_plain(t) for t in there}):
        if not there:
            raise ReadError(f"No recording has a {kind}; leave {kind}={label!r} out.")
        raise UnknownNameError(kind, label, there)
    return kept


def _plain(label: str) -> str:
    return str(int(label)) if label.isdecimal() else label
