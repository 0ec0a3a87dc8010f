"""Opening a file with MNE's reader: checked before, its complaints in our words."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit.datasets import edf, preflight
from neurokit.datasets.matlab import check_matlab
from neurokit.datasets.sniffing import FORMATS, is_hdf5, sniff
from neurokit.errors import NeurokitError, ReadError
from neurokit.warning import warn

if TYPE_CHECKING:
    import mne

__all__ = ["Opened", "in_our_words", "known_format", "open_file"]

_READERS = {
    "edf": "read_raw_edf",
    "bdf": "read_raw_bdf",
    "gdf": "read_raw_gdf",
    "brainvision": "read_raw_brainvision",
    "eeglab": "read_raw_eeglab",
    "fif": "read_raw_fif",
    "cnt": "read_raw_cnt",
    "ant": "read_raw_ant",
    "egi": "read_raw_egi",
    "snirf": "read_raw_snirf",
    "persyst": "read_raw_persyst",
    "curry": "read_raw_curry",
    "ctf": "read_raw_ctf",
    "kit": "read_raw_kit",
    "nihon": "read_raw_nihon",
}
_PREFLIGHT = {
    "gdf": preflight.check_gdf,
    "brainvision": preflight.check_brainvision,
    "fif": preflight.check_fif,
}
_HARMLESS = re.compile(
    "physical range|scaling factor will not|measurement date|highpass|lowpass|high-?pass|low-?pass"
    "|number of records|not unique, found duplicates|fiducial|unknown types found|^limited"
    "|no coordinate information|naming conventions|software filter|boundary. events|is deprecated"
    # Dates in another order, and electrodes that a Neuroscan file puts all in one place.
    "|parse meas date|invalid value encountered in divide",
    re.IGNORECASE,
)
# MNE knows these spellings of a unit in EDF; any other it takes for volts.
_MNE_EDF_UNITS = ("uV", "\u00b5V", "\u03bcV", "\x83\xcaV", "mV", "V", "")
_EDF_VOLTAGE = {"nv": "nV", "uv": "uV", "\u00b5v": "uV", "mv": "mV", "v": "V"}


@dataclass
class Opened:
    """One MNE object with what the file says beyond it.

    Attributes
    ----------
    raw : mne.io.BaseRaw
        Without samples.
    types : dict of str to str
        Channels that are no voltages.
    units : dict of str to str
        Units that MNE takes for volts.
    bads : list of str
        Channels without a scale.
    """

    raw: mne.io.BaseRaw
    types: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    bads: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The channels' names as in the file."""
        return list(self.raw.ch_names)


def known_format(path: Path) -> str:
    """Return the format of a file that is there.

    Parameters
    ----------
    path : Path
        The file or folder.

    Returns
    -------
    str
        A key of ``FORMATS``.

    Raises
    ------
    ReadError
        If there is none, or its format is not known.
    """
    if not path.exists():
        raise ReadError(f"There is no file {path}.")
    kind = sniff(path)
    if kind is None:
        raise ReadError(
            f"{path.name} is none of the formats read here ({', '.join(FORMATS.values())}), "
            "whatever its extension. If it was downloaded, look whether it is an error page."
        )
    return kind


@contextmanager
def in_our_words(path: Path, kind: str) -> Iterator[None]:
    """Turn MNE's exceptions into a ReadError, and pass on the warnings that matter.

    Parameters
    ----------
    path : Path
        What is being read.
    kind : str
        Its format.

    Raises
    ------
    ReadError
        In place of any exception that is not ours.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except NeurokitError:
            raise
        except Exception as error:
            raise ReadError(
                f"{path.name}: cannot be read as {FORMATS[kind]}: {type(error).__name__}: {error}"
            ) from error
    texts = {str(w.message): None for w in caught if not _HARMLESS.search(str(w.message))}
    for text in texts:
        name = "" if path.name in text or text.startswith("Stream") else f"{path.name}: "
        warn(name + text)


def open_file(path: Path, kind: str) -> list[Opened]:
    """Check a file and open it without reading samples.

    Parameters
    ----------
    path : Path
        The file or folder.
    kind : str
        Its format.

    Returns
    -------
    list of Opened
        One; for EDF and BDF one a sampling rate, the fastest first.

    Raises
    ------
    ReadError
        If the file contradicts itself.
    """
    import mne

    reader = getattr(mne.io, _READERS[kind])
    if kind in ("edf", "bdf"):
        return _open_edf(path, kind, reader)
    check = _PREFLIGHT.get(kind)
    if check is not None:
        check(path)
    elif kind in ("snirf", "eeglab"):
        preflight.check_hdf5(path, FORMATS[kind]) if is_hdf5(path) else check_matlab(path)
    raw = _call(reader, path, kind)
    preflight.check_claim(path, raw)
    return [Opened(raw)]


def _call(reader: Callable[..., Any], path: Path, kind: str, **kwargs: Any) -> Any:
    """Open without samples, or with them where MNE would refuse the file's extension."""
    if kind in ("edf", "bdf", "gdf") and path.suffix.lower() != f".{kind}":
        with path.open("rb") as file:
            return reader(file, preload=True, verbose="WARNING", **kwargs)
    return reader(path, preload=False, verbose="WARNING", **kwargs)


def _open_edf(path: Path, kind: str, reader: Callable[..., Any]) -> list[Opened]:
    """Open the signals of each rate by themselves: MNE would resample them to one."""
    header = edf.read_edf_header(path)
    signals = np.flatnonzero(header.is_signal)
    labels = [header.labels[i] for i in signals]
    rates = header.rates[signals]
    twice = sorted({n for n in labels if labels.count(n) > 1})
    if twice:
        if np.unique(rates).size > 1:
            raise ReadError(
                f"{path.name}: signals share the names {twice[:5]} and differ in their rates, so "
                "that they cannot be told apart. Rename them in the file."
            )
        warn(f"channel names {twice[:5]} occur twice; they get numbers.")
    if header.undefined_gain:
        warn(
            f"the header gives channels {header.undefined_gain[:5]} no range, so that their unit "
            "is unknown; they are marked bad."
        )
    opened = []
    for rate in np.unique(rates)[::-1]:
        chosen = [n for n, r in zip(labels, rates, strict=True) if r == rate]
        include = {} if np.unique(rates).size == 1 else {"include": chosen}
        raw = _call(reader, path, kind, **include)
        opened.append(_edf_facts(raw, header))
    return opened


def _edf_facts(raw: mne.io.BaseRaw, header: edf.EdfHeader) -> Opened:
    """Take from the header what MNE leaves out: units, and signals that are no voltages."""
    out = Opened(raw)
    for label, dimension in zip(header.labels, header.dimensions, strict=True):
        if label not in raw.ch_names:
            continue
        voltage = _EDF_VOLTAGE.get(dimension.lower())
        if label in header.undefined_gain:
            out.bads.append(label)
        if voltage is None and dimension not in _MNE_EDF_UNITS:
            out.types[label] = "misc"
        elif voltage is not None and dimension not in _MNE_EDF_UNITS:
            out.units[label] = voltage
    return out
