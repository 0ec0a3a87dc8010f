"""The recordings that the project ships: their facts, their licences, their size."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurokit import catalog

ROOT = Path(__file__).resolve().parents[2]
SHELF = ROOT / "datasets"
SHARED = ROOT.parent / "shared" / "data"
NAMES = ["a2929", "schaefer-rest", "haxby-slice", "mne-sample-eeg", "gripforce"]


@pytest.mark.parametrize("name", NAMES)
def test_folder_says_where_it_comes_from(name):
    card = catalog.card(name)
    readme = (SHELF / name / "README.md").read_text(encoding="utf-8")
    script = (ROOT / "docs" / "embed_recordings.py").read_text(encoding="utf-8")
    sums = set(re.findall(r"[0-9a-f]{64}", readme))
    assert len(sums) >= 2
    assert all(s in script for s in sums)
    assert card.ship
    assert card.doi in readme
    assert (SHELF / name / "LICENSE").stat().st_size > 500


def test_share_alike_data_keep_their_own_licence():
    text = (SHELF / "haxby-slice" / "LICENSE").read_text(encoding="utf-8")
    assert "Attribution-ShareAlike 3.0" in text
    assert catalog.card("haxby-slice").licence == "CC-BY-SA-3.0"


def test_together_at_most_six_megabytes():
    files = [p for name in NAMES for p in (SHELF / name).rglob("*") if p.is_file()]
    assert sum(p.stat().st_size for p in files) <= 6e6
    assert (SHELF / "a2929" / "A2929-200711.nwb").stat().st_size <= 1.6e6
    assert (SHELF / "mne-sample-eeg" / "sample_eeg.fif").stat().st_size <= 1e6


def test_nwb_is_valid_and_complete():
    pynwb = pytest.importorskip("pynwb")
    path = SHELF / "a2929" / "A2929-200711.nwb"
    assert pynwb.validate(path=str(path)) == []
    with pynwb.NWBHDF5IO(path, "r") as io:
        nwb = io.read()
        units = nwb.units.to_dataframe()
        assert sum(map(len, units["spike_times"])) == 98_794
        assert units["location"].tolist() == ["adn"] * 7 + ["ca1"] * 8
        assert nwb.epochs.to_dataframe()["stop_time"].tolist() == [600, 1200]
        assert len(nwb.intervals["ripples"]) == 594
        pose = nwb.processing["behavior"]
        clock = pose["Position"]["position"].timestamps[:]
        direction = pose["CompassDirection"]["head_direction"].data[:]
    assert 1 / np.median(np.diff(clock)) == pytest.approx(120, abs=1)
    assert direction.min() >= 0
    assert direction.max() <= 2 * np.pi


def test_spikes_and_pose_equal_the_reference(recording):
    path = SHARED / "spikes" / "a2929_adn_ca1.npz"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    rec = recording("head_direction")
    with np.load(path, allow_pickle=False) as reference:
        order = np.argsort(reference["spike_times"], kind="stable")
        np.testing.assert_array_equal(rec["spikes"]["time"], reference["spike_times"][order])
        np.testing.assert_array_equal(rec["spikes"]["unit"], reference["spike_unit"][order])
        np.testing.assert_array_equal(rec["behaviour"]["time"], reference["pos_t"])
        np.testing.assert_array_equal(rec["behaviour"], reference["pos_xyz_hd"])


def test_events_of_the_slice_cover_every_volume(recording):
    events = recording("object_category").events
    assert len(events) == 204
    ends = events["onset"] + events["duration"]
    np.testing.assert_allclose(events["onset"][1:], ends[:-1])
    assert ends.iloc[-1] == 1452 * 2.5
    shown = events[events["trial_type"] != "rest"]
    assert (pd.crosstab(shown["run"], shown["trial_type"]) == 1).all(axis=None)
    assert shown["trial_type"].nunique() == 8
    assert shown["run"].nunique() == 12


def test_events_of_the_slice_equal_the_labels_of_the_archive(recording):
    path = SHARED / "fmri" / "haxby_1slice" / "attributes_literal.txt"
    if not path.exists():
        pytest.skip(f"{path} is not here")
    label, run = np.loadtxt(path, dtype=str).T
    events = recording("object_category").events
    length = (events["duration"] / 2.5).astype(int)
    np.testing.assert_array_equal(
        np.repeat(events["trial_type"].to_numpy(dtype=str), length), label
    )
    np.testing.assert_array_equal(np.repeat(events["run"], length) - 1, run.astype(int))


def test_eeg_crop(recording):
    rec = recording("evoked_response")
    eeg = rec["eeg"]
    assert eeg.shape == (4800, 60)
    assert eeg.attrs["sampling_rate"] == pytest.approx(200.205, abs=1e-3)
    assert eeg["channel"].values[eeg["bad"].values].tolist() == ["EEG 053"]
    counts = rec.events["trial_type"].value_counts().to_dict()
    assert counts == {
        "auditory/right": 8,
        "visual/left": 8,
        "auditory/left": 7,
        "visual/right": 6,
        "smiley": 1,
        "button": 1,
    }
    # Low-passed before every third sample was kept: next to nothing near the new Nyquist rate.
    power = np.abs(np.fft.rfft(eeg.values - eeg.values.mean(axis=0), axis=0)) ** 2
    frequency = np.fft.rfftfreq(4800, 1 / 200.205)
    assert power[frequency > 97].mean() < 1e-3 * power[(frequency > 20) & (frequency < 40)].mean()


def test_resting_run_and_grip(recording):
    rest, grip = recording("resting_network"), recording("grip_force")
    assert rest["bold"].shape == (150, 100)
    assert rest["confounds"].shape == (150, 15)
    assert np.abs(rest["bold"]["z"]).max() < 0.1
    assert grip["ieeg"].shape == (19_001, 9)
    assert grip["behaviour"].shape == (19_001, 1)
