"""The errors that neurokit raises on bad input.

Each also derives from the built-in exception that a caller would expect, so
``except ValueError`` keeps working for those who do not know this module.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "DataError",
    "DownloadError",
    "MissingExtraError",
    "NeurokitError",
    "ReadError",
    "UnknownNameError",
    "suggest",
]


class NeurokitError(Exception):
    """Base of every error that neurokit raises on purpose."""


class DataError(NeurokitError, ValueError):
    """Data that contradict themselves or the operation asked for."""


class ReadError(NeurokitError, ValueError):
    """A file that cannot be read as what it claims to be."""


class DownloadError(NeurokitError, OSError):
    """A download that failed, or whose content is not what the card promises."""


class MissingExtraError(NeurokitError, ImportError):
    """An optional package that is not installed."""


class UnknownNameError(NeurokitError, LookupError):
    """A name that is not in the collection it was looked up in.

    Parameters
    ----------
    kind : str
        What was looked up, e.g. ``"channel"``.
    name : str
        The name as given.
    known : iterable of str
        The valid names; the nearest one is suggested.

    Examples
    --------
    >>> str(UnknownNameError("stream", "egg", ["eeg", "spikes"]))
    "Unknown stream 'egg'. Did you mean 'eeg'? Known: 'eeg', 'spikes'."
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = [str(k) for k in known]
        super().__init__(f"Unknown {kind} {str(name)!r}.{suggest(name, known)}")


def suggest(name: str, known: Iterable[str], limit: int = 12) -> str:
    """Say which valid name was probably meant, then list the valid names.

    Parameters
    ----------
    name : str
        The name as given.
    known : iterable of str
        The valid names.
    limit : int
        At most this many valid names are listed.

    Returns
    -------
    str
        A text that starts with a space, to be appended to an error message.

    Examples
    --------
    >>> suggest("haxbi", ["haxby", "nsd"])
    " Did you mean 'haxby'? Known: 'haxby', 'nsd'."
    """
    known = list(known)
    lowered = {k.lower(): k for k in known}
    near = difflib.get_close_matches(str(name).lower(), list(lowered), n=1, cutoff=0.5)
    hint = f" Did you mean {lowered[near[0]]!r}?" if near else ""
    if not known:
        return f"{hint} There are none."
    listed = ", ".join(repr(k) for k in known[:limit])
    more = f" and {len(known) - limit} more" if len(known) > limit else ""
    return f"{hint} Known: {listed}{more}."
