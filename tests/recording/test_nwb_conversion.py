import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit.datasets.nwb import read_nwb
from neurokit.errors import DataError
from neurokit.recording import Recording
from neurokit.recording.nwb_conversion import from_nwb, to_nwb
from neurokit.recording.nwb_parts import tagged

pynwb = pytest.importorskip("pynwb")


def _write(nwbfile, path):
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(nwbfile)
    return path


def _recording(rng):
    eeg = xr.DataArray(
        (20e-6 * rng.normal(size=(200, 3))).astype(np.float32),
        dims=("time", "channel"),
        coords={
            "time": 2.0 + np.arange(200) / 100,
            "channel": ["C3", "Cz", "C4"],
            "type": ("channel", ["eeg", "eeg", "eog"]),
            "region": ("channel", ["", "M1", ""]),
            "x": ("channel", [-0.0512345, 0.0, np.nan]),
            "y": ("channel", [0.1 / 3, 0.0, np.nan]),
            "z": ("channel", [0.07, 0.09, np.nan]),
            "bad": ("channel", [False, True, False]),
        },
        attrs={"sampling_rate": 100.0, "units": "V", "reference": "average"},
    )
    jittered = 2 + np.sort(rng.uniform(0, 2, 50))
    pose = xr.DataArray(
        rng.normal(size=(50, 2)).astype(np.float32),
        dims=("time", "variable"),
        coords={"time": jittered, "variable": ["x", "head direction"]},
        attrs={"sampling_rate": 25.0, "units": "m"},
    )
    pose[3, 1] = np.nan
    bold = xr.DataArray(
        rng.normal(size=(4, 5)).astype(np.float32),
        dims=("time", "roi"),
        coords={
            "time": 2 + 0.72 * np.arange(4),
            "roi": [f"r{i}" for i in range(5)],
            "network": ("roi", list("aabbb")),
        },
        attrs={"sampling_rate": 1 / 0.72, "units": "z"},
    )
    table = pd.DataFrame(
        {"id": [7, 3, 9], "region": ["V1", "", "AL"], "quality": ["good", "mua", "good"]}
    )
    events = pd.DataFrame(
        {
            "onset": [2.1, 2.3, 3.9],
            "duration": [0.1, 0.0, 1 / 3],
            "trial_type": ["go", None, "stop"],
            "response_time": [0.31, np.nan, 0.2],
            "side": ["left", "n/a", "right"],
            "correct": [1, 0, 1],
        }
    )
    return Recording.from_spikes(
        rng.uniform(2, 4, 300),
        rng.choice([7, 3], 300),
        duration=2.5,
        start=1.75,
        unit_table=table,
        trials=events,
        streams={"eeg": eeg, "behaviour": pose, "bold": bold},
        meta={"subject": "07", "session": "a", "licence": "CC0", "ages": [3, None]},
    ).replace(history="made up")


def test_the_round_trip_through_a_file_is_exact(tmp_path):
    rec = _recording(np.random.default_rng(0))
    path = _write(to_nwb(rec), tmp_path / "a.nwb")
    assert read_nwb(path).identical(rec)
    with pynwb.NWBHDF5IO(path, "r") as io:
        assert from_nwb(io.read()).identical(rec)


def test_the_round_trip_in_memory_is_exact():
    rec = _recording(np.random.default_rng(1))
    assert Recording.from_nwb(rec.to_nwb()).identical(rec)


def test_what_is_written_is_valid_nwb(tmp_path):
    path = _write(to_nwb(_recording(np.random.default_rng(2))), tmp_path / "a.nwb")
    assert pynwb.validate(path=str(path)) == []


def test_other_programs_find_the_facts_where_nwb_puts_them(tmp_path):
    rec = _recording(np.random.default_rng(3))
    path = _write(to_nwb(rec), tmp_path / "a.nwb")
    with pynwb.NWBHDF5IO(path, "r") as io:
        nwb = io.read()
        np.testing.assert_array_equal(nwb.acquisition["eeg"].data[:], rec["eeg"].values)
        assert nwb.acquisition["eeg"].rate == 100
        assert nwb.acquisition["eeg"].starting_time == 2
        electrodes = nwb.electrodes.to_dataframe()
        assert electrodes["x"].iloc[0] == pytest.approx(-51234.5)
        assert electrodes["location"].tolist() == ["unknown", "M1", "unknown"]
        assert nwb.subject.subject_id == "07"
        units = nwb.units.to_dataframe()
        assert units.index.tolist() == [7, 3, 9]
        assert units["location"].tolist() == ["V1", "", "AL"]
        spikes = rec["spikes"]
        for i, times in enumerate(units["spike_times"]):
            expected = spikes["time"].values[spikes["unit"].values == i]
            np.testing.assert_array_equal(times, expected)


def test_a_recording_without_facts_gets_defaults():
    nwb = to_nwb(Recording.from_spikes([0.5], [0], duration=1.0))
    assert nwb.session_start_time == datetime(1970, 1, 1, tzinfo=UTC)
    assert len(nwb.identifier) > 10
    assert nwb.subject is None


def test_streams_that_nwb_cannot_hold_are_named():
    static = xr.DataArray(np.zeros((3, 2), np.float32), dims=("presentation", "channel"))
    rec = Recording({"features": static.assign_coords(channel=["a", "b"])})
    with pytest.raises(DataError, match=r"'features' has dims \('presentation', 'channel'\)"):
        to_nwb(rec)


def test_notes_of_others_are_not_taken_for_ours():
    assert tagged("my notes") == {}
    assert tagged('{"neurokit" is nice') == {}
    assert tagged(json.dumps({"neurokit": [1]})) == {}
