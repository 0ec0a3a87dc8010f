"""The header of EDF and BDF files, checked against the file before anything trusts it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neurokit.errors import ReadError
from neurokit.warning import warn

__all__ = ["EdfHeader", "read_edf_header"]

_ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
_FIXED, _PER_SIGNAL = 256, 256
_WIDTHS = {"label": 16, "transducer": 80, "dimension": 8, "physical_min": 8, "physical_max": 8}
_WIDTHS |= {"digital_min": 8, "digital_max": 8, "prefilter": 80, "samples": 8, "reserved": 32}


@dataclass(frozen=True)
class EdfHeader:
    """What an EDF or BDF file says of itself, after checking.

    Attributes
    ----------
    kind : str
        ``"EDF"`` or ``"BDF"``.
    labels, dimensions : list of str
        One a signal, as in the file.
    samples : ndarray of shape (signal,)
        Samples of each signal in one record.
    n_records : int
        Complete records in the file.
    record_duration : float
        In seconds.
    undefined_gain : list of str
        Signals whose physical range is empty, so that their unit is unknown.
    """

    kind: str
    labels: list[str]
    dimensions: list[str]
    samples: np.ndarray
    n_records: int
    record_duration: float
    undefined_gain: list[str]

    @property
    def is_signal(self) -> np.ndarray:
        """Which signals are samples rather than text annotations."""
        return ~np.isin(self.labels, _ANNOTATIONS)

    @property
    def rates(self) -> np.ndarray:
        """Sampling rate of each signal in Hz."""
        return self.samples / self.record_duration


def read_edf_header(path: Path) -> EdfHeader:
    """Read the header and compare all that it claims with the file's size.

    Parameters
    ----------
    path : Path
        An EDF, EDF+, BDF or BDF+ file.

    Returns
    -------
    EdfHeader
        With the true number of records where the header leaves it open (-1).

    Raises
    ------
    ReadError
        If a field is not a number, sizes contradict each other, the file is truncated, or
        it has gaps in time (EDF+D).
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        fixed = file.read(_FIXED)
        if len(fixed) < _FIXED:
            raise ReadError(f"{path.name}: {size} bytes are less than an EDF header (256 bytes).")
        n_signals = _integer(path, "number of signals", fixed[252:256])
        claimed = _integer(path, "header size", fixed[184:192])
        expected = _FIXED + n_signals * _PER_SIGNAL
        if n_signals < 1 or claimed != expected or expected > size:
            raise ReadError(
                f"{path.name}: the header claims {n_signals} signals and {claimed} header bytes in "
                f"a file of {size} bytes; {n_signals} signals need {max(expected, 0)}. The file is "
                "damaged: copy it again from its source."
            )
        fields = _signal_fields(file.read(expected - _FIXED), n_signals)
    header = _checked(path, fixed, fields, size - expected)
    if fixed[192:197] in (b"EDF+D", b"BDF+D"):
        _check_gaps(path, header, expected)
    return header


def _number(path: Path, what: str, field: bytes) -> float:
    text = field.decode("latin-1").strip(" \x00").replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise ReadError(
            f"{path.name}: the header's {what} is {text!r}, not a number. The file is damaged: "
            "copy it again from its source."
        )
    return value


def _integer(path: Path, what: str, field: bytes) -> int:
    value = _number(path, what, field)
    if value != int(value):
        raise ReadError(f"{path.name}: the header's {what} is {value:g}, not a whole number.")
    return int(value)


def _signal_fields(block: bytes, n_signals: int) -> dict[str, list[bytes]]:
    fields, at = {}, 0
    for name, width in _WIDTHS.items():
        fields[name] = [block[at + i * width : at + (i + 1) * width] for i in range(n_signals)]
        at += width * n_signals
    return fields


def _checked(
    path: Path, fixed: bytes, fields: dict[str, list[bytes]], data_bytes: int
) -> EdfHeader:
    labels = [f.decode("latin-1").split("\x00")[0].strip() for f in fields["label"]]
    numbers = {
        key: np.array(
            [_number(path, f"{key} of {n!r}", f) for n, f in zip(labels, fields[key], strict=True)]
        )
        for key in ("samples", "physical_min", "physical_max", "digital_min", "digital_max")
    }
    samples, signal = numbers["samples"], ~np.isin(labels, _ANNOTATIONS)
    if (samples < 1).any() or (samples != np.floor(samples)).any():
        worst = int(np.flatnonzero((samples < 1) | (samples != np.floor(samples)))[0])
        raise ReadError(
            f"{path.name}: signal {labels[worst]!r} claims {samples[worst]:g} samples a record."
        )
    if not signal.any():
        raise ReadError(f"{path.name} holds annotations only, no signal.")
    reversed_range = signal & (numbers["digital_min"] >= numbers["digital_max"])
    if reversed_range.any():
        names = [labels[i] for i in np.flatnonzero(reversed_range)[:5]]
        raise ReadError(f"{path.name}: the digital range of {names} is empty; no scale follows.")
    duration = _number(path, "record duration", fixed[244:252])
    if duration <= 0:
        raise ReadError(
            f"{path.name}: a record lasts {duration:g} s, which gives no sampling rate."
        )
    kind = "BDF" if fixed[:1] == b"\xff" else "EDF"
    record_bytes = samples.sum() * (3 if kind == "BDF" else 2)
    n_records = _n_records(path, fixed, data_bytes, record_bytes)
    flat = signal & (numbers["physical_min"] == numbers["physical_max"])
    return EdfHeader(
        kind,
        labels,
        [f.decode("latin-1").split("\x00")[0].strip() for f in fields["dimension"]],
        samples.astype(np.int64),
        n_records,
        duration,
        [labels[i] for i in np.flatnonzero(flat)],
    )


def _n_records(path: Path, fixed: bytes, data_bytes: int, record_bytes: float) -> int:
    """Return how many records there are, which a recorder that crashed leaves at -1."""
    claimed = _integer(path, "number of records", fixed[236:244])
    present = int(data_bytes // record_bytes)
    if claimed < -1 or claimed == 0 or (claimed == -1 and present == 0):
        raise ReadError(
            f"{path.name}: the header claims {claimed} records; there is nothing to read."
        )
    if claimed > present:
        raise ReadError(
            f"{path.name} is truncated: it holds {present} of the {claimed} records that its "
            f"header promises ({data_bytes} of {claimed * record_bytes:.0f} bytes of data). Copy "
            "it again from its source; if this is all there is, write -1 as the header's number of "
            "records."
        )
    if present > claimed != -1:
        warn(
            f"{path.name}: the header promises {claimed} records, the file holds {present}; all "
            "that are there are read."
        )
    return present


def _check_gaps(path: Path, header: EdfHeader, offset: int) -> None:
    """Compare the start of each record, which EDF+D keeps as text, with the end of the last."""
    width = 3 if header.kind == "BDF" else 2
    text = np.flatnonzero(~header.is_signal)
    if not text.size:
        raise ReadError(
            f"{path.name} says it is discontinuous (EDF+D) but does not time its records."
        )
    ends = np.cumsum(header.samples) * width
    first = int(ends[text[0]] - header.samples[text[0]] * width)
    shape = (header.n_records, int(ends[-1]))
    records = np.memmap(path, np.uint8, "r", offset, shape)[:, first : int(ends[text[0]])]
    starts = [re.match(rb"([+-]\d+\.?\d*)", bytes(r[:32])) for r in records]
    if not all(starts):
        raise ReadError(f"{path.name}: a record of this discontinuous file (EDF+D) has no time.")
    onset = np.array([float(m[1]) for m in starts if m])
    gap = np.diff(onset) - header.record_duration
    holes = np.flatnonzero(np.abs(gap) > 1e-3 * header.record_duration + 1e-6)
    if holes.size:
        at = onset[holes[0]] - onset[0] + header.record_duration
        raise ReadError(
            f"{path.name} is discontinuous (EDF+D): {holes.size} gaps in {header.n_records} "
            f"records, the first of {gap[holes[0]]:g} s after {at:g} s. Samples on one clock must "
            "be evenly spaced: export each continuous part as EDF+C, read the parts, and join them "
            "with Recording.concat."
        )
