"""BIDS data sets: EEG, iEEG, MEG and fMRI with all that their sidecars say."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import path_of, text
from neurokit.datasets import bids_files
from neurokit.datasets.bids_files import BidsFile, Wanted, sidecars
from neurokit.datasets.bids_names import META
from neurokit.datasets.electrophysiology import Options, read_with
from neurokit.errors import NeurokitError, ReadError
from neurokit.progress import progress_bar
from neurokit.recording import Recording
from neurokit.warning import warn

__all__ = ["read_bids"]

_TYPES = {
    **{k: k.lower() for k in ("EEG", "SEEG", "ECOG", "DBS", "EOG", "ECG", "EMG", "MISC", "GSR")},
    **{k: k.lower() for k in ("RESP", "PUPIL", "BIO")},
    **dict.fromkeys(("VEOG", "HEOG"), "eog"),
    **dict.fromkeys(("TRIG", "STIM"), "stim"),
    **{"REF": "eeg", "TEMP": "temperature", "MEGMAG": "mag", "MEGGRADPLANAR": "grad"},
    **{"MEGGRADAXIAL": "mag", "MEGREFMAG": "ref_meg", "MEGREFGRADPLANAR": "ref_meg"},
}
_METRES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3}
_POSITIONED = ("eeg", "ieeg")
_DATASET = {"Name": "dataset", "License": "licence", "DatasetDOI": "doi"}


def read_bids(
    root: str | Path,
    datatype: str = "eeg",
    subject: Wanted = None,
    session: Wanted = None,
    task: Wanted = None,
    run: Wanted = None,
    *,
    units: str | None = None,
) -> list[Recording]:
    """Read the recordings of a BIDS data set; samples stay in their files until used.

    Parameters
    ----------
    root : path
        The folder that holds the ``sub-*`` folders; of derivatives, too.
    datatype : str
        ``"eeg"``, ``"ieeg"``, ``"meg"`` or ``"func"``.
    subject, session, task, run : str, int or sequence of them, optional
        Read only these; ``"01"``, ``"sub-01"`` and ``1`` mean the same.
    units : str, optional
        The true unit of voltages where the files claim another, ``"a.u."`` where it is
        unknown.

    Returns
    -------
    list of Recording
        In order of their paths. Channel types and bad channels are those of
        ``channels.tsv``, positions those of ``electrodes.tsv`` in metres, in the frame that
        ``coordsystem.json`` names; events are those of ``events.tsv``, else the file's own.
        ``meta`` has the entities, the participant's row and the data set's name and licence.

    Raises
    ------
    ReadError
        If there is no such data set or recording, or a sidecar cannot be read.
    UnknownNameError
        If a label does not exist; the message says which do.
    DataError
        If fMRI has no ``RepetitionTime``, or events lie past the end.

    Examples
    --------
    >>> import mne, numpy as np, tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "sub-01" / "eeg").mkdir(parents=True)
    >>> x = 2e-5 * np.random.default_rng(0).normal(size=(2, 256))
    >>> raw = mne.io.RawArray(x, mne.create_info(["Fz", "Cz"], 128, "eeg"), verbose=False)
    >>> mne.export.export_raw(folder / "sub-01/eeg/sub-01_task-rest_eeg.edf", raw, verbose="ERROR")
    >>> read_bids(folder, "eeg", subject=1)[0].meta["task"]
    'rest'
    """
    root = path_of("root", root).expanduser()
    text("datatype", datatype)
    files = bids_files.find(root, datatype, subject, session, task, run)
    people = _participants(root)
    about = bids_files.read_json([p for p in [root / "dataset_description.json"] if p.is_file()])
    facts = {new: str(about[key]) for key, new in _DATASET.items() if about.get(key)}
    recordings = []
    for file in progress_bar(files, desc=f"reading {datatype}", unit="file"):
        person = people.get(f"sub-{file.entities.get('sub')}", {})
        meta = {new: file.entities[key] for key, new in META.items() if key in file.entities}
        meta |= {**facts, "participant": person} if person else facts
        is_functional = datatype == "func"
        recording = _read_functional(file) if is_functional else _read_electrical(file, units)
        recordings.append(recording.replace(meta=meta))
    return recordings


def _read_functional(file: BidsFile) -> Recording:
    fmri = importlib.import_module("neurokit.datasets.fmri")
    if file.path.name.endswith(".tsv"):
        return fmri.read_timeseries_table(file.path)
    if file.path.name.endswith(".dtseries.nii"):
        return fmri.read_cifti(file.path)
    sidecar = bids_files.read_json(sidecars(file, "bold.json"))
    return fmri.read_nifti(file.path, repetition_time=sidecar.get("RepetitionTime"), lazy=True)


def _read_electrical(file: BidsFile, units: str | None) -> Recording:
    if file.path.suffix == ".nwb":
        return importlib.import_module("neurokit.datasets.nwb").read_nwb(file.path)
    suffix = file.path.name.split("_")[-1].split(".")[0]
    sidecar = bids_files.read_json(sidecars(file, f"{suffix}.json"))
    channels = _channels(file)
    line = sidecar.get("PowerLineFrequency")
    recording = read_with(
        file.path, lambda names: _options(channels, line, units, names), lazy=True
    )
    streams: dict[str, Any] = dict(recording.streams)
    for name in [n for n in _POSITIONED if n in streams]:
        streams[name] = _placed(file, _grouped(streams[name], channels))
        reference = sidecar.get("iEEGReference", sidecar.get("EEGReference"))
        if reference:
            streams[name].attrs["recording_reference"] = str(reference)
    events = _events(file)
    try:
        return recording.replace(streams, recording.events if events is None else events)
    except NeurokitError as error:
        raise type(error)(f"{file.path.name}: {error}") from None


def _options(channels: pd.DataFrame, line: Any, units: str | None, names: list[str]) -> Options:
    """Say what ``channels.tsv`` and the sidecar know better than the data file."""
    absent = [n for n in channels.index if n not in names]
    if absent:
        warn(
            f"channels.tsv lists {len(absent)} channels that the file does not have: "
            f"{absent[:5]}. They are ignored."
        )
    channels = channels.drop(index=absent)
    kinds = channels.get("type", pd.Series(dtype="str")).dropna().str.upper()
    status = channels.get("status", pd.Series(dtype="str")).dropna().str.lower()
    return Options(
        bads=tuple(str(n) for n in status.index[status == "bad"]),
        types={str(n): _TYPES.get(k, "misc") for n, k in kinds.items()},
        line_frequency=float(line) if isinstance(line, int | float) and line > 0 else None,
        units=units,
    )


def _channels(file: BidsFile) -> pd.DataFrame:
    """Return ``channels.tsv`` by name; without rows where there is none."""
    found = sidecars(file, "channels.tsv")
    if not found:
        return pd.DataFrame()
    table = bids_files.read_table(found[0])
    if "name" not in table or table["name"].duplicated().any():
        raise ReadError(f"{found[0].name}: expected a column 'name' without repetitions.")
    return table.set_index("name")


def _file_names(stream: xr.DataArray) -> list[str]:
    names = stream["name_in_file"] if "name_in_file" in stream.coords else stream["channel"]
    return [str(n) for n in names.values]


def _grouped(stream: xr.DataArray, channels: pd.DataFrame) -> xr.DataArray:
    """Add the electrode that each contact belongs to, where ``channels.tsv`` says it."""
    if "group" not in channels or channels["group"].isna().all():
        return stream
    group = channels["group"].reindex(_file_names(stream)).fillna("").to_numpy(dtype=object)
    return stream.assign_coords(group=("channel", group.astype(np.str_)))


def _placed(file: BidsFile, stream: xr.DataArray) -> xr.DataArray:
    """Add positions from ``electrodes.tsv``, in metres."""
    found = sidecars(file, "electrodes.tsv", free=("space", "acq"))
    if not found:
        return stream
    table = bids_files.read_table(found[0])
    if not {"name", "x", "y", "z"} <= set(table.columns):
        raise ReadError(f"{found[0].name}: expected columns name, x, y, z.")
    unit, frame = _coordinate_system(file, found[0])
    if unit not in _METRES:
        warn(
            f"{found[0].name}: positions in {unit!r} cannot be brought to metres and are left out."
        )
        return stream
    table = table.drop_duplicates("name").set_index("name")[["x", "y", "z"]]
    place = table.apply(pd.to_numeric, errors="coerce") * _METRES[unit]
    names = _file_names(stream)
    # A table may spell its names as the file does or as the data set's authors clean them.
    rows = place.reindex(
        [
            n if n in place.index else str(c)
            for n, c in zip(names, stream["channel"].values, strict=True)
        ]
    )
    if rows.isna().all(axis=None):
        return stream
    for key in ("landmarks", "positions"):
        stream.attrs.pop(key, None)
    stream.attrs["coordinate_frame"] = frame
    return stream.assign_coords({a: ("channel", rows[a].to_numpy(np.float64)) for a in "xyz"})


def _coordinate_system(file: BidsFile, electrodes: Path) -> tuple[str, str]:
    """Return unit and name of the frame of an electrode table."""
    own = electrodes.with_name(electrodes.name.replace("electrodes.tsv", "coordsystem.json"))
    inherited = sidecars(file, "coordsystem.json", free=("space", "acq"))
    facts = bids_files.read_json([own] if own.is_file() else inherited[:1])
    values = {
        key.removeprefix("iEEG").removeprefix("EEG").removeprefix("MEG"): v
        for key, v in facts.items()
        if "Fiducials" not in key
    }
    return str(values.get("CoordinateUnits", "n/a")), str(values.get("CoordinateSystem", "unknown"))


def _events(file: BidsFile) -> pd.DataFrame | None:
    found = sidecars(file, "events.tsv")
    if not found:
        return None
    table = bids_files.read_table(found[0])
    if not {"onset", "duration"} <= set(table.columns):
        raise ReadError(f"{found[0].name}: expected columns onset and duration in seconds.")
    return _with_numbers(table, but=("trial_type",))


def _with_numbers(table: pd.DataFrame, but: tuple[str, ...]) -> pd.DataFrame:
    """Turn columns whose every entry is a number into numbers."""
    for column in table.columns.difference(list(but)):
        numbers = pd.to_numeric(table[column], errors="coerce")
        if numbers.notna().equals(table[column].notna()):
            table[column] = numbers
    return table


def _participants(root: Path) -> dict[str, dict[str, Any]]:
    """Return what ``participants.tsv`` says of each subject, without what it leaves open."""
    path = root / "participants.tsv"
    if not path.is_file():
        return {}
    table = bids_files.read_table(path)
    if "participant_id" not in table:
        raise ReadError(f"{path.name}: expected a column participant_id.")
    table = _with_numbers(table, but=("participant_id",))
    rows = table.set_index("participant_id").to_dict(orient="index")
    return {str(k): {str(c): v for c, v in row.items() if pd.notna(v)} for k, row in rows.items()}
