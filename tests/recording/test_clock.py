"""Time: borders, gaps, joints and drifting clocks, in every step that turns seconds to samples."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit.preprocessing import epoch, filter, parcellate, resample
from neurokit.recording import Recording
from neurokit.recording.clock import nearest_sample, segments
from neurokit.windows import epochs, sliding

X = (1e-5 * np.random.default_rng(0).normal(size=(1000, 3))).astype(np.float32)


def at(*onsets, trial_type="a"):
    return pd.DataFrame({"onset": onsets, "duration": 0.0, "trial_type": trial_type})


def stream(time, rate, name="eeg", units="V", dim="channel"):
    """Return a stream whose values are its times, in millionths."""
    values = (1e-6 * time)[:, None]
    attrs = {"sampling_rate": rate, "units": units}
    return xr.DataArray(values, {"time": time, dim: ["one"]}, ("time", dim), name, attrs)


def gapped(*onsets):
    time = np.concatenate([np.arange(0, 10, 0.1), np.arange(20, 30, 0.1)])
    return Recording({"behaviour": stream(time, 10.0, "behaviour", "m", "variable")}, at(*onsets))


@pytest.mark.parametrize("start", [0.0, 7 * 86400.0, 1.7e9])
@pytest.mark.parametrize("rate", [1000, 30000])
def test_crops_are_exact_on_clocks_far_from_zero(start, rate):
    rec = Recording.from_array(X, rate, start=start)
    cut = rec.crop(start + 100 / rate, start + 200 / rate)
    np.testing.assert_array_equal(cut["eeg"].values, X[100:200])


def test_an_event_stays_with_its_sample_at_a_rounded_border():
    cut = Recording.from_array(X, 10, events=at(0.3)).crop(0.1 + 0.2, 5.0)
    assert cut["eeg"]["time"].values[0] == 0.3
    assert cut.events["onset"].tolist() == [0.3]


def test_events_in_a_gap_have_no_window():
    rec = gapped(5.0, 15.0, 25.0)
    with pytest.warns(UserWarning, match="1 of 3 epochs"):
        cut = epoch(rec, "a", 0, 0.5)
    np.testing.assert_allclose(cut.values[:, 0, 0], [5e-6, 25e-6])
    with pytest.warns(UserWarning, match="1 of 3 events"):
        win = epochs(rec, stream="behaviour", start=0, stop=0.5)
    np.testing.assert_allclose(win.start, cut["onset"].values)
    assert nearest_sample(rec["behaviour"]["time"].values, 10.0, np.array([15.0]))[0] < -1000


def test_cropping_into_a_gap_says_which_events_went():
    cut = gapped(5.0, 15.0).crop(0, 18)
    assert cut.events["onset"].tolist() == [5.0]
    assert "left out 1 events" in cut.meta["history"][-1]


def test_filters_do_not_cross_a_gap():
    rec = gapped()
    whole = filter(rec, None, 2.0, stream="behaviour", method="iir")["behaviour"].values[:100]
    alone = filter(rec.crop(0, 10), None, 2.0, stream="behaviour", method="iir")["behaviour"]
    np.testing.assert_array_equal(whole, alone.values)


def test_a_drifting_clock_is_looked_up():
    rec = Recording({"eeg": stream(np.arange(10000) * 0.01008, 100.0)}, at(90.0))
    assert epoch(rec, "a", 0, 0.1).values[0, 0, 0] == pytest.approx(90e-6, rel=1e-4)
    half = resample(rec, 50)["eeg"]
    np.testing.assert_allclose(half.values[500:4500, 0], 1e-6 * half["time"][500:4500], rtol=1e-4)


@pytest.mark.parametrize("name", ["boundary", "EDGE boundary", "BAD boundary"])
def test_no_window_crosses_a_joint_of_any_name(name):
    rec = Recording.from_array(X, 100, events=at(5.0, trial_type=name))
    assert segments(rec, "eeg") == [slice(0, 500), slice(500, 1000)]
    assert sliding(rec, stream="eeg", length=3).start.tolist() == [0.0, 5.0]
    with pytest.raises(Exception, match="No window of 0 to 1 s"):
        epochs(rec, stream="eeg", start=0, stop=1)


def test_flags_along_time_survive_every_step():
    rec = Recording.from_array(np.ones((40, 4)), 0.5, stream="bold")
    kept = np.arange(40) != 7
    bold = rec["bold"].rename(roi="voxel").assign_coords(kept=("time", kept)).drop_vars("voxel")
    flagged = Recording({"bold": bold})
    parcels = parcellate(flagged, np.array([1, 1, 2, 2]))
    np.testing.assert_array_equal(parcels["bold"]["kept"], kept)
    np.testing.assert_array_equal(resample(flagged, 1.0)["bold"]["kept"].values[::2], kept)
    plain = Recording({"bold": bold.drop_vars("kept")})
    both = Recording.concat([plain, flagged])["bold"]["kept"].values
    np.testing.assert_array_equal(both, [*np.ones(40, bool), *kept])


def test_many_joined_at_once_equal_two_and_two():
    recs = [
        Recording.from_array(X[i : i + 50], 100, events=at(0.1, 0.5)) for i in range(0, 200, 50)
    ]
    once = Recording.concat(recs)
    pairs = Recording.concat([Recording.concat(recs[:2]), Recording.concat(recs[2:])])
    xr.testing.assert_allclose(once["eeg"], pairs["eeg"])
    pd.testing.assert_frame_equal(once.events, pairs.events)
    assert (once.events["trial_type"] == "boundary").sum() == 3


def test_bad_in_one_part_is_bad_in_the_whole():
    parts = [Recording.from_array(X, 100, list("abc"), bads=b) for b in ([], ["b"], ["c"])]
    assert Recording.concat(parts)["eeg"]["bad"].values.tolist() == [False, True, True]


def test_bad_voxels_enter_no_parcel():
    x = np.ones((10, 4), np.float32)
    x[:, 1] = np.nan
    rec = Recording.from_array(x, 0.5, list("abcd"), stream="bold", bads=["b"])
    voxels = Recording({"bold": rec["bold"].rename(roi="voxel")})
    out = parcellate(voxels, np.array([1, 1, 2, 2]))["bold"]
    assert out["n_voxels"].values.tolist() == [1, 2]
    np.testing.assert_array_equal(out.values, 1)


def test_an_event_within_a_block_gives_way_to_it_again():
    events = at(0.0, 2.2, trial_type=["block", "press"]).assign(duration=[10.0, 0.5])
    rec = Recording.from_array(X, 100, events=events)
    win = sliding(rec, stream="eeg", length=1, labels="trial_type")
    assert [win.classes[i] for i in win.labels] == ["block"] * 2 + ["press"] + ["block"] * 7
