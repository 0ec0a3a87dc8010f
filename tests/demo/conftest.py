"""The embedded recordings as arrays, read with the field's own libraries, as an oracle."""

import warnings
from functools import cache
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import neurokit as nk

SHELF = Path(__file__).resolve().parents[2] / "datasets"


def series(values, rate, dim, names, units="a.u.", time=None, **coords):
    coords = {k: (dim, np.asarray(v)) for k, v in coords.items()}
    time = np.arange(len(values)) / rate if time is None else time
    return xr.DataArray(
        values,
        dims=("time", dim),
        coords={"time": time, dim: names, **coords},
        attrs={"sampling_rate": rate, "units": units},
    )


@cache
def a2929():
    with h5py.File(SHELF / "a2929" / "A2929-200711.nwb") as f:
        stops = f["units/spike_times_index"][:].astype(int)
        times = f["units/spike_times"][:]
        region = f["units/location"].asstr()[:].astype(str)
        pose = f["processing/behavior"]
        clock = pose["Position/position/timestamps"][:]
        direction = pose["CompassDirection/head_direction/data"][:]
        place = pose["Position/position/data"][:]
    unit = np.repeat(np.arange(len(stops)), np.diff(stops, prepend=0))
    order = np.argsort(times, kind="stable")
    spikes = xr.Dataset(
        {"time": ("spike", times[order])},
        coords={
            "unit": ("spike", unit[order]),
            "id": ("unit", np.arange(len(stops))),
            "region": ("unit", region),
        },
        attrs={"start": 0.0, "stop": 1200.0},
    )
    behaviour = series(
        np.column_stack([place, direction]),
        120.0,
        "variable",
        ["position_x", "position_y", "position_z", "head_direction"],
        time=clock,
    )
    return nk.Recording({"spikes": spikes, "behaviour": behaviour})


@cache
def schaefer_rest():
    folder = SHELF / "schaefer-rest"
    bold = pd.read_csv(
        folder / "sub-rest01_task-rest_seg-Schaefer100_stat-mean_timeseries.tsv", sep="\t"
    )
    confounds = pd.read_csv(folder / "sub-rest01_task-rest_desc-confounds_timeseries.tsv", sep="\t")
    rois = pd.read_csv(folder / "seg-Schaefer100_dseg.tsv", sep="\t")
    names = rois["name"].to_numpy(dtype=str)
    places = {axis: rois[axis] / 1e3 for axis in "xyz"}
    streams = {
        "bold": series(
            bold.to_numpy(), 0.5, "roi", names, network=rois["network"].to_numpy(str), **places
        ),
        "confounds": series(
            confounds.to_numpy(dtype=float), 0.5, "variable", list(confounds.columns)
        ),
    }
    return nk.Recording(streams)


@cache
def haxby_slice():
    import nibabel

    stem = SHELF / "haxby-slice" / "sub-1_task-objectviewing"
    x = nibabel.load(f"{stem}_bold.nii.gz").get_fdata()
    x = x.reshape(-1, x.shape[-1]).T
    events = pd.read_csv(f"{stem}_events.tsv", sep="\t")
    bold = series(x, 0.4, "voxel", np.arange(x.shape[1]))
    return nk.Recording({"bold": bold}, events)


@cache
def gripforce():
    import mne

    path = next((SHELF / "gripforce").rglob("*.vhdr"))
    raw = mne.io.read_raw_brainvision(path, preload=True, verbose="ERROR")
    x = raw.get_data().T
    ieeg = series(x[:, :9], raw.info["sfreq"], "channel", raw.ch_names[:9], "V")
    force = series(x[:, 9:], raw.info["sfreq"], "variable", raw.ch_names[9:])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*typical amplitude of", UserWarning)
        return nk.Recording({"ieeg": ieeg, "behaviour": force})


@cache
def mne_sample_eeg():
    import mne

    raw = mne.io.read_raw_fif(SHELF / "mne-sample-eeg" / "sample_eeg.fif", verbose="ERROR")
    places = np.array([c["loc"][:3] for c in raw.info["chs"]])
    eeg = series(
        raw.get_data().T,
        raw.info["sfreq"],
        "channel",
        raw.ch_names,
        "V",
        bad=np.isin(raw.ch_names, raw.info["bads"]),
        **dict(zip("xyz", places.T, strict=True)),
    )
    marks = raw.annotations
    events = pd.DataFrame(
        {
            "onset": marks.onset,
            "duration": marks.duration,
            "trial_type": [str(d) for d in marks.description],
        }
    )
    return nk.Recording({"eeg": eeg}, events)


RECORDINGS = {
    "head_direction": a2929,
    "resting_network": schaefer_rest,
    "object_category": haxby_slice,
    "grip_force": gripforce,
    "evoked_response": mne_sample_eeg,
}


@pytest.fixture(scope="session")
def recording():
    return lambda question: RECORDINGS[question]()


@pytest.fixture(scope="session")
def answer():
    @cache
    def ask(question, seed=0):
        return nk.demo.ask(question, seed=seed)

    return ask
