"""Recordings of several people whose channels differ, as one model's windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neurokit.errors import DataError
from neurokit.recording import Recording
from neurokit.runs.cutting import Parts
from neurokit.windows import join_montages

__all__ = ["by_subject", "join_parts"]


def by_subject(recordings: Sequence[Recording]) -> list[list[Recording]]:
    """Sort recordings by whose they are.

    Parameters
    ----------
    recordings : sequence of Recording
        With ``subject`` in their meta.

    Returns
    -------
    list of list of Recording
        One list a subject, in the order in which they come.

    Raises
    ------
    DataError
        A recording that does not say whose it is.

    Examples
    --------
    >>> recs = [Recording.from_array([[1.0]], 1, stream="ieeg", meta={"subject": s})
    ...         for s in "aba"]
    >>> [len(own) for own in by_subject(recs)]
    [2, 1]
    """
    found: dict[str, list[Recording]] = {}
    for number, rec in enumerate(recordings):
        if not (subject := str(rec.meta.get("subject") or "")):
            raise DataError(
                f"Recording {number} has no subject in its meta, and windows.by_subject needs one. "
                "Leave by_subject out, or name the subjects in the card's [read]."
            )
        found.setdefault(subject, []).append(rec)
    return list(found.values())


def join_parts(parts: Sequence[Parts]) -> Parts:
    """Join what trains, tests and selects of each subject.

    Parameters
    ----------
    parts : sequence of Parts
        One a subject, each standardised by itself.

    Returns
    -------
    Parts
        Of :class:`~neurokit.windows.JoinedWindows`, in which subjects have the same numbers.

    Raises
    ------
    DataError
        Subjects whose windows differ in more than their channels, or that lack a part that others
        have.

    Examples
    --------
    >>> from neurokit.windows import sliding
    >>> recs = [Recording.from_array([[1.0] * n] * 4, 1, stream="ieeg") for n in (3, 2)]
    >>> wins = [sliding(rec, stream="ieeg", length=2) for rec in recs]
    >>> join_parts([Parts(win.take([0]), win.take([1])) for win in wins]).test.subject.tolist()
    [0, 1]
    """
    selecting = [part.validation for part in parts]
    if None in selecting and any(win is not None for win in selecting):
        raise DataError(
            f"Subject {selecting.index(None)} has no window to validate on, others have. Enlarge "
            "the validation, or leave it out."
        )
    joined: Any = None if None in selecting else join_montages(selecting)
    train, test = (join_montages([getattr(p, name) for p in parts]) for name in ("train", "test"))
    return Parts(train, test, joined)
