"""The EEG corpora of Temple University Hospital: abnormal, artefacts, slowing, seizures."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import known, path_of
from neurokit.datasets.channel_names import (
    are_scalp_names,
    clean_channel_name,
    guess_type,
)
from neurokit.datasets.electrophysiology import Options, read_with
from neurokit.datasets.tuh_annotations import ENDINGS, read_annotations, read_joint_table
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.progress import progress_bar
from neurokit.recording import Recording
from neurokit.warning import warn

__all__ = ["TCP", "Corpus", "read_tuh", "tcp_montage"]

Corpus = Literal["tuab", "tuar", "tusl", "tusz"]

#: The 22 derivations of the temporal central parasagittal montage that the annotations name, in
#: the corpora's order and spelling. Recordings without ear electrodes lack the two with A1 or A2.
TCP = (
    "FP1-F7", "F7-T3", "T3-T5", "T5-O1", "FP2-F8", "F8-T4", "T4-T6", "T6-O2",
    "A1-T3", "T3-C3", "C3-CZ", "CZ-C4", "C4-T4", "T4-A2",
    "FP1-F3", "F3-C3", "C3-P3", "P3-O1", "FP2-F4", "F4-C4", "C4-P4", "P4-O2",
)  # fmt: skip

# Of several annotation files, the one that the corpus is scored by; recordings of TUAB have none.
_PREFERRED: dict[str, tuple[str, ...]] = {
    "tuab": (),
    "tuar": ("csv",),
    "tusl": ("tse_agg", "tse", "lbl_agg"),
    "tusz": ("csv", "lbl", "tse", "csv_bi", "tse_bi"),
}
_SPLITS = ("train", "dev", "eval")
_STEM = re.compile(r"^([0-9a-z]{8})_s(\d{3})_t(\d{3})$")
_SESSION = re.compile(r"^s\d{3}_(\d{4}(?:_\d\d){0,2})$")
_REFERENCE = re.compile(r"^0\d_tcp_(ar|le)(?:_a)?$")
_PATIENT = re.compile(r"^[0-9a-z]{8}$")


@dataclass(frozen=True)
class _File:
    """One recording, and what its place says of it."""

    path: Path
    meta: dict[str, str]


def read_tuh(
    root: str | Path,
    corpus: Corpus,
    *,
    split: str | Sequence[str] | None = None,
    subject: str | Sequence[str] | None = None,
    annotation: str | None = None,
) -> list[Recording]:
    """Read a corpus of Temple University Hospital; samples stay in their files until used.

    Versions differ in folders and label files, and all of these are read::

        tuab  edf/{train,eval}/{normal,abnormal}/01_tcp_ar[/NNN/patient/session]/*.edf
        tusz  edf/{train,dev,eval}/patient/session/0?_tcp_*/*.edf    with .csv, .csv_bi  (2)
              edf/{train,dev}/0?_tcp_*/NNN/patient/session/*.edf     with .tse, .lbl     (1)
        tuar  edf/0?_tcp_*/*.edf                                     with .csv           (3)
              edf/0?_tcp_*/NNN/patient/session/*.edf and csv/labels_0?_tcp_*.csv      (1, 2)
        tusl  edf/patient/session/0?_tcp_*/*.edf                     with .tse_agg, .lbl_agg

    Parameters
    ----------
    root : path
        The corpus' folder, or any folder above or below that holds its ``.edf`` files.
    corpus : {"tuab", "tuar", "tusl", "tusz"}
        Abnormal, artefacts, slowing or seizures.
    split : str or sequence of str, optional
        Only these of ``train``, ``dev``, ``eval``, where the corpus is split by patients.
    subject : str or sequence of str, optional
        Only these patients, such as ``"aaaaaaac"``.
    annotation : str, optional
        Which label file, by its ending: ``csv``, ``csv_bi``, ``tse``, ``tse_bi``, ``tse_agg``,
        ``lbl``, ``lbl_bi``, ``lbl_agg``. By default ``csv`` or ``lbl`` (a channel at a time) for
        seizures and artefacts, ``tse_agg`` for slowing.

    Returns
    -------
    list of Recording
        In order of their paths. ``eeg`` holds the 10-20 sites by today's names (``EEG T3-LE`` is
        ``T7``) and, by their coordinate ``type``, EOG and ECG; what is neither (``IBI``,
        ``PHOTIC``, ``26``) lies in ``triggers`` and ``behaviour``. Events have onset,
        duration (s), ``trial_type``, ``channel`` (``FP1-F7``, or ``TERM`` for all) and
        ``confidence``. ``meta`` has ``subject``, ``session``, ``run``, ``split``, ``reference``
        and, for ``tuab``, ``pathology``.

    Raises
    ------
    ReadError
        If there are no such files, a label file is missing or damaged.
    UnknownNameError
        If a split, patient or kind of label file does not exist.

    Examples
    --------
    >>> import mne
    >>> place = Path("tuab/edf/eval/abnormal/01_tcp_ar")
    >>> place.mkdir(parents=True)
    >>> x = 2e-5 * np.random.default_rng(0).normal(size=(2, 512))
    >>> raw = mne.io.RawArray(x, mne.create_info(["EEG FP1-REF", "EEG T3-REF"], 256, "eeg"),
    ...                       verbose=False)
    >>> mne.export.export_raw(place / "aaaaamye_s001_t000.edf", raw, verbose="ERROR")
    >>> rec = read_tuh("tuab", "tuab")[0]
    >>> rec["eeg"]["channel"].values.tolist(), rec.meta["pathology"], rec.meta["subject"]
    (['Fp1', 'T7'], 'abnormal', 'aaaaamye')
    """
    root = path_of("root", root).expanduser()
    known("corpus", corpus, _PREFERRED)
    if annotation is not None and annotation not in ENDINGS:
        raise UnknownNameError("kind of annotation", annotation, ENDINGS)
    files = _chosen(_found(root, corpus), "split", split)
    files = _chosen(files, "subject", subject)
    joint = _joint_tables(root) if corpus == "tuar" and annotation is None else {}
    recordings, cut = [], 0
    for file in progress_bar(files, desc=f"reading {corpus}", unit="file"):
        rec = read_with(file.path, _options, lazy=True)
        events = _events(file.path, corpus, annotation, joint)
        if events is not None:
            events, late = _within(events, rec.duration)
            cut += late
        recordings.append(rec.replace(events=events, meta={**file.meta, "corpus": corpus}))
    if cut:
        warn(f"{cut} annotations reach past the end of their recordings and were cut there.")
    return recordings


def tcp_montage(rec: Recording) -> Recording:
    """Derive the bipolar channels that the annotations name.

    Parameters
    ----------
    rec : Recording
        With a stream ``eeg`` of 10-20 sites against one reference.

    Returns
    -------
    Recording
        Its ``eeg`` has the derivations of :data:`TCP`, called as the annotations call them
        (``FP1-F7``, ``T3-C3``); those whose electrodes are missing are left out.

    Raises
    ------
    DataError
        If none of them can be made.

    Examples
    --------
    >>> x = np.array([[3e-5, 1e-5]] * 4)
    >>> rec = tcp_montage(Recording.from_array(x, 100, ["Fp1", "F7"]))
    >>> rec["eeg"]["channel"].values.tolist(), float(rec["eeg"][0, 0])
    (['FP1-F7'], 1.9999999494757503e-05)
    """
    data = rec["eeg"]
    place = {clean_channel_name(str(n)): i for i, n in enumerate(data["channel"].values)}
    pairs = {name: [clean_channel_name(n) for n in name.split("-")] for name in TCP}
    there = {name: pair for name, pair in pairs.items() if set(pair) <= set(place)}
    if not there:
        raise DataError(
            f"None of the derivations {', '.join(TCP[:3])} … can be made of the channels "
            f"{', '.join(list(place)[:8])}. Read the corpus with read_tuh."
        )
    plus, minus = (np.array([place[pair[i]] for pair in there.values()]) for i in (0, 1))
    values = data.values[:, plus] - data.values[:, minus]
    attrs = {k: v for k, v in data.attrs.items() if k not in ("positions", "landmarks")}
    coords = {"time": data["time"], "channel": np.array(list(there))}
    new = xr.DataArray(values, coords, ("time", "channel"), attrs=attrs)
    return rec.replace({**rec.streams, "eeg": new}, history="tcp_montage()")


def _found(root: Path, corpus: str) -> list[_File]:
    """List the recordings below a folder."""
    if not root.is_dir():
        raise ReadError(f"There is no folder {root}.")
    paths = sorted(p for p in root.rglob("*.edf") if not p.name.startswith("."))
    named = [(path, match) for path in paths if (match := _STEM.match(path.stem))]
    if not named:
        raise ReadError(
            f"{root}: expected recordings called aaaaaaac_s001_t000.edf; there are "
            f"{len(paths)} other .edf files."
        )
    if len(named) < len(paths):
        warn(
            f"{len(paths) - len(named)} .edf files below {root} are not named as in the corpus "
            "and were left out."
        )
    return [_File(path, _meta(path, match, corpus)) for path, match in named]


def _meta(path: Path, match: re.Match[str], corpus: str) -> dict[str, str]:
    """Say what a file's name and its folders tell."""
    parts = path.parts[:-1]
    if "edf" in parts:
        # What lies above the corpus is called as its owner likes, "train" for one.
        parts = parts[len(parts) - 1 - parts[::-1].index("edf") :]
    # Two files of TUSL bear an old number in the folder of the patient they belong to.
    patient = [a for a, b in itertools.pairwise(parts) if _SESSION.match(b)]
    own = [name for name in patient if _PATIENT.match(name)]
    meta = {"subject": own[-1] if own else match[1], "session": match[2], "run": match[3]}
    for part in parts:
        if part in _SPLITS:
            meta["split"] = part
        elif part in ("normal", "abnormal") and corpus == "tuab":
            meta["pathology"] = part
        elif date := _SESSION.match(part):
            meta["date"] = date[1]
        elif kind := _REFERENCE.match(part):
            meta["reference"] = {"ar": "average", "le": "linked ears"}[kind[1]]
    if corpus == "tuab" and "pathology" not in meta:
        raise ReadError(f"{path}: lies in no folder normal or abnormal, so it has no label.")
    return meta


def _chosen(files: list[_File], key: str, wanted: str | Sequence[str] | None) -> list[_File]:
    if wanted is None:
        return files
    values = [wanted] if isinstance(wanted, str) else [str(value) for value in wanted]
    there = sorted({file.meta[key] for file in files if key in file.meta})
    for value in values:
        if value not in there:
            raise UnknownNameError(key, value, there)
    return [file for file in files if file.meta.get(key) in values]


def _options(names: list[str]) -> Options:
    """Call what is neither a 10-20 site nor EOG, ECG … miscellaneous, such as ``IBI``, ``26``."""
    guessed = {n: guess_type(n) or guess_type(clean_channel_name(n)) for n in names}
    types = {n: kind or "misc" for n, kind in guessed.items() if kind or not are_scalp_names([n])}
    return Options(types=types)


def _joint_tables(root: Path) -> dict[str, pd.DataFrame]:
    """Read the tables of all events of older versions of the artefact corpus, if there are any."""
    found: dict[str, pd.DataFrame] = {}
    for path in sorted(root.rglob("labels_0?_tcp_*.csv")):
        found |= read_joint_table(path)
    return found


def _events(
    path: Path, corpus: str, annotation: str | None, joint: dict[str, pd.DataFrame]
) -> pd.DataFrame | None:
    """Read the events of a recording; None where the corpus has none."""
    endings = _PREFERRED[corpus] if annotation is None else (annotation,)
    for ending in endings:
        beside = path.with_suffix(f".{ending}")
        if beside.is_file():
            return read_annotations(beside)
    if path.stem in joint:
        return joint[path.stem]
    if not endings:
        return None
    if joint:
        # A recording without artefacts has no row in the joint table.
        return next(iter(joint.values())).iloc[:0]
    raise ReadError(
        f"{path}: no annotations beside it ({', '.join('.' + e for e in endings)}). Was the "
        "corpus copied without them?"
    )


def _within(events: pd.DataFrame, duration: float) -> tuple[pd.DataFrame, int]:
    """Cut events at the end of the recording, which some annotations of the corpora pass."""
    stop = events["onset"] + events["duration"]
    late = int((stop > duration + 0.5).sum())
    events = events.assign(duration=np.minimum(stop, duration) - events["onset"])
    return events[events["duration"] >= 0].reset_index(drop=True), late
