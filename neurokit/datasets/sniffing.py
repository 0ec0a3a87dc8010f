"""Which electrophysiology format a file has, by its content."""

from __future__ import annotations

import gzip
import re
import struct
from pathlib import Path

__all__ = ["FORMATS", "is_hdf5", "main_file", "sniff"]

FORMATS = {
    "edf": "EDF",
    "bdf": "BDF",
    "gdf": "GDF",
    "brainvision": "BrainVision",
    "eeglab": "EEGLAB",
    "fif": "FIF",
    "cnt": "Neuroscan CNT",
    "ant": "ANT CNT",
    "egi": "EGI",
    "snirf": "SNIRF",
    "persyst": "Persyst",
    "curry": "Curry",
    "ctf": "CTF",
    "kit": "KIT",
    "nihon": "Nihon Kohden",
}
_HDF5 = b"\x89HDF\r\n\x1a\n"
_FIF_FIRST_TAG = struct.pack(">iii", 100, 31, 20)
_BRAINVISION = re.compile(rb"(\xef\xbb\xbf)?\s*Brain ?Vision Data Exchange Header File", re.I)
_BY_SUFFIX = {".lay": "persyst", ".cdt": "curry", ".ds": "ctf", ".con": "kit", ".sqd": "kit"}


def main_file(path: Path) -> Path:
    """Return the file to open when a companion of it was given.

    Parameters
    ----------
    path : Path
        For example the ``.eeg`` or ``.vmrk`` of a BrainVision triplet, or EEGLAB's ``.fdt``.

    Returns
    -------
    Path
        The header beside it where there is one, else ``path``.
    """
    header = {".vmrk": ".vhdr", ".eeg": ".vhdr", ".dat": ".vhdr", ".fdt": ".set"}
    beside = path.with_suffix(header.get(path.suffix.lower(), path.suffix))
    return beside if beside.exists() else path


def is_hdf5(path: Path) -> bool:
    """Tell whether a file is HDF5, with or without MATLAB's 512 bytes before it.

    Parameters
    ----------
    path : Path
        Any file.

    Returns
    -------
    bool
        True if the signature is there.
    """
    with path.open("rb") as file:
        return _has_hdf5(file.read(1024))


def _has_hdf5(head: bytes) -> bool:
    return head[:8] == _HDF5 or head[512:520] == _HDF5


def sniff(path: str | Path) -> str | None:
    """Tell which electrophysiology format a file has.

    Parameters
    ----------
    path : path
        A file, or a folder for EGI's ``.mff`` and CTF's ``.ds``.

    Returns
    -------
    str or None
        A key of :data:`FORMATS`; None for what is none of them. The content decides; the
        extension only for the few formats without a signature.

    Examples
    --------
    >>> sniff("no_such_file.edf") is None
    True
    """
    path = main_file(Path(path))
    if path.is_dir():
        is_mff = (path / "info.xml").exists() and any(path.glob("signal*.bin"))
        return "egi" if is_mff else _BY_SUFFIX.get(path.suffix.lower())
    if not path.is_file():
        return None
    with path.open("rb") as file:
        head = file.read(1024)
    return _by_signature(head) or _by_container(path, head) or _by_layout(path, head)


def _by_signature(head: bytes) -> str | None:
    if head[:8] == b"0       ":
        return "edf"
    if head[:8] == b"\xffBIOSEMI":
        return "bdf"
    if head[:4] == b"GDF ":
        return "gdf"
    if _BRAINVISION.match(head):
        return "brainvision"
    if head[:12] == _FIF_FIRST_TAG:
        return "fif"
    if head[:11] == b"Version 3.0":
        return "cnt"
    if head[:4] in (b"RIFF", b"RF64") and b"CNT " in head[8:16]:
        return "ant"
    return "nihon" if b"EEG-1100" in head[:16] or b"EEG-2100" in head[:16] else None


def _by_container(path: Path, head: bytes) -> str | None:
    """Look for a format's variables inside gzip, MATLAB or HDF5."""
    if head[:2] == b"\x1f\x8b":
        return "fif" if _starts_like_fif(path) else None
    if _has_hdf5(head):
        return _in_hdf5(path)
    if head[:10] == b"MATLAB 5.0":
        return "eeglab" if _holds_eeglab(_matlab_names(path)) else None
    return None


def _by_layout(path: Path, head: bytes) -> str | None:
    if path.suffix.lower() == ".raw" and len(head) > 36:
        version = struct.unpack(">i", head[:4])[0]
        rate, channels = struct.unpack(">hh", head[20:24])
        if 2 <= version <= 7 and rate > 0 and channels > 0:
            return "egi"
    return _BY_SUFFIX.get(path.suffix.lower())


def _starts_like_fif(path: Path) -> bool:
    try:
        with gzip.open(path, "rb") as file:
            return file.read(12) == _FIF_FIRST_TAG
    except (OSError, EOFError):
        return False


def _matlab_names(path: Path) -> set[str]:
    from scipy.io import whosmat

    try:
        return {name for name, _, _ in whosmat(str(path))}
    # A damaged file raises almost anything in the parser; it then is no EEGLAB file.
    except Exception:
        return set()


def _holds_eeglab(names: set[str]) -> bool:
    return "EEG" in names or {"nbchan", "srate", "pnts"} <= names


def _in_hdf5(path: Path) -> str | None:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            if "formatVersion" in file and any(str(k).startswith("nirs") for k in file):
                return "snirf"
            return "eeglab" if _holds_eeglab(set(map(str, file))) else None
    # HDF5's library reports damage as any of these.
    except (OSError, RuntimeError, KeyError, ValueError):
        return None
