"""Which units a model knows: those of several sessions, each with ids of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording
from neurokit.warning import warn

__all__ = ["Vocabulary", "check_subjects", "session_of"]


@dataclass(frozen=True)
class Vocabulary:
    """Units of one session or several, in a fixed order.

    The place of a unit is what a model learns; ids are what a session calls its units, so that
    id 7 of one session is another unit than id 7 of the next.

    Parameters
    ----------
    units : tuple of (str, int)
        Session and id of each unit. Sessions without a name are ``""``.

    Raises
    ------
    DataError
        No unit, what is no pair of a session and an id, or a unit that occurs twice.

    Examples
    --------
    >>> words = Vocabulary((("monday", 4), ("monday", 9)))
    >>> len(words), words.places("monday", [9, 4])
    (2, array([1, 0]))
    """

    units: tuple[tuple[str, int], ...]
    _place: dict[tuple[str, int], int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", tuple(_pair(unit) for unit in self.units))
        if not self.units:
            raise DataError(
                "A vocabulary needs at least one unit; got none. Recordings without a spike have "
                "units only if they were given a unit_table."
            )
        place = {unit: i for i, unit in enumerate(self.units)}
        if len(place) < len(self.units):
            twice = next(u for i, u in enumerate(self.units) if place[u] != i)
            raise DataError(f"Unit {twice[1]} of session {twice[0]!r} occurs twice.")
        object.__setattr__(self, "_place", place)

    @classmethod
    def of(cls, recs: Recording | Iterable[Recording]) -> Vocabulary:
        """Gather the units of recordings, silent ones too.

        Parameters
        ----------
        recs : Recording or sequence of Recording
            With stream ``spikes``. Recordings with the same ``meta["session"]`` have the same
            units under the same ids.

        Returns
        -------
        Vocabulary
            Units in the order of the recordings and of their unit tables.

        Raises
        ------
        DataError
            Two subjects with a session of the same name, whose units are not the same.

        Warns
        -----
        UserWarning
            Recordings without a name of a session, whose tables list other units under some
            ids in common: units of the same id then count as one.

        Examples
        --------
        >>> rec = Recording.from_spikes([0.1, 0.2], [7, 5], duration=1.0)
        >>> Vocabulary.of(rec).units
        (('', 5), ('', 7))
        """
        recordings = (recs,) if isinstance(recs, Recording) else tuple(recs)
        check_subjects(recordings)
        ids = [(session_of(r), r["spikes"]["id"].values.tolist()) for r in recordings]
        _warn_of_unnamed([units for name, units in ids if not name])
        return cls(tuple(dict.fromkeys((name, unit) for name, units in ids for unit in units)))

    def extend(self, recs: Recording | Iterable[Recording]) -> Vocabulary:
        """Add the units of more recordings behind those that are there, which keep their places.

        Parameters
        ----------
        recs : Recording or sequence of Recording
            With stream ``spikes``.

        Returns
        -------
        Vocabulary
            This one's units, then those that are new.

        Examples
        --------
        >>> rec = Recording.from_spikes([0.1], [7], duration=1.0, meta={"session": "tuesday"})
        >>> Vocabulary((("monday", 7),)).extend(rec).units
        (('monday', 7), ('tuesday', 7))
        """
        return Vocabulary(tuple(dict.fromkeys((*self.units, *Vocabulary.of(recs).units))))

    def places(self, session: str, ids: Iterable[int]) -> np.ndarray:
        """Look up units of a session.

        Parameters
        ----------
        session : str
            Its name, ``""`` for one without.
        ids : sequence of int
            Of its units.

        Returns
        -------
        ndarray of int64, shape (unit,)
            Their places, from 0.

        Raises
        ------
        UnknownNameError
            A unit that the vocabulary lacks.

        Examples
        --------
        >>> Vocabulary((("", 4), ("", 9))).places("", [5])
        Traceback (most recent call last):
        neurokit.errors.UnknownNameError: Unknown unit of session '' (see Vocabulary.extend...
        """
        wanted = np.asarray(ids).tolist()
        found = [self._place.get((session, unit), -1) for unit in wanted]
        if -1 in found:
            known = [str(unit) for name, unit in self.units if name == session]
            kind = f"unit of session {session!r} (see Vocabulary.extend)"
            raise UnknownNameError(kind, wanted[found.index(-1)], known)
        return np.array(found, dtype=np.int64)

    def of_session(self, session: str) -> np.ndarray:
        """Look up all units of a session.

        Parameters
        ----------
        session : str
            Its name, ``""`` for one without.

        Returns
        -------
        ndarray of int64, shape (unit,)
            Their places, from 0; none of a session that is not there.

        Examples
        --------
        >>> Vocabulary((("mon", 4), ("tue", 4), ("mon", 9))).of_session("mon")
        array([0, 2])
        """
        return np.array([i for i, (name, _) in enumerate(self.units) if name == session], np.int64)

    def __len__(self) -> int:
        return len(self.units)

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self.units)

    def __getitem__(self, place: int) -> tuple[str, int]:
        """Return session and id of the unit at a place."""
        return self.units[place]


def session_of(recording: Recording) -> str:
    """Return the name of a recording's session.

    Parameters
    ----------
    recording : Recording
        With or without ``session`` in its meta.

    Returns
    -------
    str
        The name; ``""`` if it has none.

    Examples
    --------
    >>> session_of(Recording.from_spikes([0.1], [0], meta={"session": 3}))
    '3'
    """
    return str(recording.meta.get("session", ""))


def _pair(unit: object) -> tuple[str, int]:
    if not isinstance(unit, tuple | list) or len(unit) != 2 or not isinstance(unit[0], str):
        raise DataError(f"Expected units as pairs of a session and an id; got {unit!r}.")
    return unit[0], arguments.whole("The id of a unit", unit[1], least=-(2**31))


def check_subjects(recordings: Sequence[Recording]) -> None:
    """Refuse sessions of one name that are of different animals.

    Parameters
    ----------
    recordings : sequence of Recording
        Of several sessions or one.

    Raises
    ------
    DataError
        If one is of another subject than an earlier one of that session.

    Examples
    --------
    >>> check_subjects([Recording.from_spikes([0.1], [0], meta={"subject": "a"})])
    """
    subjects: dict[str, object] = {}
    for number, recording in enumerate(recordings):
        arguments.instance("A recording", recording, Recording, "a neurokit Recording")
        session, subject = session_of(recording), recording.meta.get("subject")
        if subjects.setdefault(session, subject) != subject:
            raise DataError(
                f"Recording {number} is of subject {subject!r}, another one of session "
                f"{session!r} of subject {subjects[session]!r}: their units are not the same. Give "
                "each session a name of its own: rec.replace(meta={'session': ...})."
            )


def _warn_of_unnamed(ids: list[list[int]]) -> None:
    """Tell where recordings may be of several sessions that nobody named."""
    tables = list(dict.fromkeys(frozenset(units) for units in ids))
    pairs = (pair for pair in itertools.combinations(tables, 2) if pair[0] & pair[1])
    first, other = next(pairs, (None, None))
    if first is None or other is None:
        return
    warn(
        f"{len(ids)} recordings have no meta['session'], and do not list the same units: one has "
        f"{len(first)}, another one {len(other)}, {len(first & other)} of the "
        "same id, which count as the same. If they are of several sessions, name these: "
        "rec.replace(meta={'session': ...}); if of one, give all the same name."
    )
