"""Channel names as files write them, and as the 10-05 system writes them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

__all__ = [
    "are_scalp_names",
    "clean_channel_name",
    "clean_channel_names",
    "guess_type",
    "standard_montage",
]

# The 1991 nomenclature renamed four temporal sites.
_OLD = {"t3": "T7", "t4": "T8", "t5": "P7", "t6": "P8"}
_PREFIX = re.compile(r"^(?:EEG[ _]|SEEG |ECOG |POL ) *(?=\S*[^\W\d_])", re.IGNORECASE)
_SUFFIX = re.compile(r"[-_ ](?:REF|LE|AR|AVG|CAR)\.?$", re.IGNORECASE)
_TYPES = (
    ("stim", r"^(status|trig(ger)?s?\d*|sti ?\d*|stim|dc trig|photic|marker|event ?marker)\b"),
    ("eog", r"(^|\b|_)[vhlr]?eog[lrud]?s?\d*\b|^[vh]eo[glrud]?$|^(e[12][-: ]?[ma]\d|loc|roc)$"),
    ("ecg", r"(^|\b|_)(ecg|ekg)\d*\b"),
    ("emg", r"(^|\b|_)(emg|chin|masseter|submental|tibialis)\d*\b"),
    (
        "resp",
        r"^(resp(iration)?|(air|nasal ?)?flow|nasal|oro-?nasal|thor(ax|acic)?|abdo(men)?|abd)\b",
    ),
    ("temperature", r"^temp(erature)?\b"),
    ("gsr", r"^(gsr|eda|scr)\b"),
    (
        "misc",
        r"^(sao2|spo2|pulse|pleth|hr|bpm|acc|gyro|position|light|snore|cpap|etco2|dc\d+)(\b|_)",
    ),
)
_PATTERNS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _TYPES)


@lru_cache(maxsize=1)
def standard_montage() -> str:
    """Return what the installed MNE calls the 10-05 positions on the Colin27 head.

    Returns
    -------
    str
        For :func:`mne.channels.make_standard_montage`.

    Examples
    --------
    >>> standard_montage().endswith("1005")
    True
    """
    import mne

    names = mne.channels.get_builtin_montages()
    return "colin27_1005" if "colin27_1005" in names else "standard_1005"


@lru_cache(maxsize=1)
def _standard_names() -> dict[str, str]:
    """Return the 10-05 names by their lower case."""
    import mne

    montage = mne.channels.make_standard_montage(standard_montage())
    known = {name.lower(): name for name in montage.ch_names}
    return {**known, **_OLD}


def are_scalp_names(names: Sequence[str]) -> bool:
    """Tell whether at least half of the names that are no EOG, ECG … are 10-05 sites.

    Parameters
    ----------
    names : sequence of str
        Clean or as in the file.

    Returns
    -------
    bool
        True for scalp recordings.

    Examples
    --------
    >>> are_scalp_names(["Fz", "Cz", "EOG1"]), are_scalp_names(["LAH1", "LAH2", "O1"])
    (True, False)
    """
    rest = [_bare(n).lower() for n in names if guess_type(n) is None]
    return bool(rest) and 2 * sum(n in _standard_names() for n in rest) >= len(rest)


def clean_channel_name(name: str) -> str:
    """Return the 10-05 name that a file's channel name means.

    Parameters
    ----------
    name : str
        As in the file, e.g. ``"Fc5."``, ``"EEG FP1-REF"``, ``"T3"``.

    Returns
    -------
    str
        Without trailing dots, type prefix and common-reference suffix. What then is a
        10-05 site gets its official spelling, and T3, T4, T5, T6 become T7, T8, P7, P8.
        Everything else (depth contacts, bipolar derivations) keeps its case.

    Examples
    --------
    >>> [clean_channel_name(n) for n in ("Fc5.", "EEG FP1-REF", "T3", "EEG Fpz-Cz", "LAH10")]
    ['FC5', 'Fp1', 'T7', 'Fpz-Cz', 'LAH10']
    """
    bare = _bare(name)
    return _standard_names().get(bare.lower(), bare)


def _bare(name: str) -> str:
    plain = " ".join(str(name).split()).rstrip(". ")
    plain = _SUFFIX.sub("", _PREFIX.sub("", plain)).strip(". ")
    return plain or str(name)


def clean_channel_names(names: Sequence[str]) -> list[str]:
    """Return clean names that are unique where the given ones are.

    Parameters
    ----------
    names : sequence of str
        As in the file.

    Returns
    -------
    list of str
        Names that would coincide after cleaning (a file that holds both T3 and T7) stay
        as they are in the file. Where fewer than half of the names are 10-05 sites, T3 is
        the third contact of shaft T, and no name is taken for a site.

    Examples
    --------
    >>> clean_channel_names(["Fz..", "T3", "T7"])
    ['Fz', 'T3', 'T7']
    >>> clean_channel_names(["T1", "T2", "T3", "HL1", "HL2", "HL3"])
    ['T1', 'T2', 'T3', 'HL1', 'HL2', 'HL3']
    """
    cleaned = [_bare(n) for n in names]
    if are_scalp_names(cleaned):
        cleaned = [clean_channel_name(n) for n in names]
    # Going back to an original can itself meet another cleaned name, hence the loop.
    for _ in names:
        count = Counter(cleaned)
        clash = [i for i, c in enumerate(cleaned) if count[c] > 1 and c != names[i]]
        if not clash:
            break
        for i in clash:
            cleaned[i] = str(names[i])
    return cleaned


def guess_type(name: str) -> str | None:
    """Return MNE's channel type where a name gives it away.

    Parameters
    ----------
    name : str
        As in the file; prefixes such as ``"EOG "`` count.

    Returns
    -------
    str or None
        ``"eog"``, ``"ecg"``, ``"emg"``, ``"resp"``, ``"stim"`` …; None for a name that
        says nothing, which files without types mean as EEG.

    Examples
    --------
    >>> [guess_type(n) for n in ("VEOG", "EEG EKG1-REF", "EMG submental", "Status", "Cz")]
    ['eog', 'ecg', 'emg', 'stim', None]
    """
    bare = re.sub(r"^(EEG[ _]|POL ) *", "", " ".join(str(name).split()), flags=re.IGNORECASE)
    if bare.lower() in _standard_names():
        return None
    return next((kind for kind, pattern in _PATTERNS if pattern.search(bare)), None)
