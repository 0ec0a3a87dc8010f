"""Another rate: the same signal, no aliases, the right clock."""

import numpy as np
import pytest
import xarray as xr

from neurokit import Recording
from neurokit.errors import DataError, UnknownNameError
from neurokit.preprocessing.resampling import resample


def smooth(t):
    return 1e-5 * (np.sin(2 * np.pi * 7 * t) + np.cos(2 * np.pi * 11.3 * t + 1))


def make(rate=250.0, seconds=20.0, start=0.0):
    t = start + np.arange(round(seconds * rate)) / rate
    return Recording.from_array(smooth(t)[:, None], rate, ["Cz"], start=start)


@pytest.mark.parametrize(
    ("old", "new"), [(250, 100), (250, 500), (160, 128), (1024, 1000), (600.614990234375, 200)]
)
@pytest.mark.parametrize("start", [0.0, 3.7])
def test_same_signal_at_the_new_times(old, new, start):
    out = resample(make(old, start=start), new)["eeg"]
    t = out["time"].values
    inner = (t > start + 2) & (t < start + 18)
    np.testing.assert_allclose(out.values[inner, 0], smooth(t[inner]), atol=3e-9)
    assert t[0] == start
    assert out.attrs["sampling_rate"] == new
    assert abs(out.sizes["time"] - 20 * new) <= 1
    np.testing.assert_allclose(np.diff(t), 1 / new, rtol=1e-5)


def test_frequencies_above_the_new_nyquist_are_gone():
    t = np.arange(10_000) / 500
    for frequency in (51, 60, 90, 140, 249):
        x = 1e-3 * np.sin(2 * np.pi * frequency * t)[:, None]
        out = resample(Recording.from_array(x, 500.0), 100.0)["eeg"].values[200:-200]
        assert np.abs(out).max() < 5e-4 * 1e-3, frequency


def test_offset_makes_no_edge():
    x = np.full((1000, 1), 0.005) + 1e-6 * np.random.default_rng(0).normal(size=(1000, 1))
    out = resample(Recording.from_array(x, 250.0), 100.0)["eeg"].values
    np.testing.assert_allclose(out, 0.005, atol=1e-5)


def test_pieces_do_not_leak():
    low, high = make(seconds=3.33), make(seconds=4.0)
    high = high.replace({"eeg": high["eeg"] + 1e-3})
    both = resample(Recording.concat([low, high]), 100.0)
    joint = both.events["onset"].iloc[0]
    before = both["eeg"].sel(time=slice(None, joint - 1e-6)).values
    after = both["eeg"].sel(time=slice(joint - 1e-6, None)).values
    assert before.max() < 1e-4
    assert after.min() > 9e-4
    np.testing.assert_allclose(np.diff(both["eeg"]["time"]), 0.01, rtol=1e-6)


def test_rest_of_the_recording_is_untouched():
    rec = make()
    other = rec["eeg"].rename("ieeg")
    rec = rec.replace({"eeg": rec["eeg"].assign_coords(type=("channel", ["eeg"])), "ieeg": other})
    out = resample(rec, 100.0, "eeg")
    assert out["ieeg"].identical(rec["ieeg"])
    assert out["eeg"]["type"].values.tolist() == ["eeg"]
    assert out["eeg"].attrs["lowpass"] == 45.0
    assert out.meta["history"] == ["resample(100, stream=eeg) from 250 Hz"]
    assert resample(rec, 250.0, "eeg")["eeg"].identical(rec["eeg"])


def test_bad_channel_with_nan():
    x = 1e-5 * np.random.default_rng(0).normal(size=(500, 2))
    x[3, 1] = np.nan
    out = resample(Recording.from_array(x, 250.0, ["a", "b"], bads=["b"]), 125.0)["eeg"].values
    assert np.isfinite(out[:, 0]).all()
    assert np.isnan(out[:, 1]).all()


def test_what_cannot_be_resampled():
    rec = make()
    for rate in (0, -5, np.nan, np.inf):
        with pytest.raises(DataError, match="expected a (finite )?number"):
            resample(rec, rate)
    with pytest.raises(DataError, match="too extreme"):
        resample(rec, 1e-4)
    with pytest.raises(UnknownNameError, match="Unknown stream 'ieg'"):
        resample(rec, 100, "ieg")
    codes = Recording({"triggers": rec["eeg"].rename("triggers")})
    with pytest.raises(DataError, match="codes cannot be resampled"):
        resample(codes, 100)
    time = np.concatenate([np.arange(10), np.arange(20, 30)]) / 10
    pose = xr.DataArray(
        np.zeros((20, 1)),
        {"time": time, "variable": ["x"]},
        ("time", "variable"),
        attrs={"sampling_rate": 10.0},
    )
    with pytest.raises(DataError, match="has gaps"):
        resample(Recording({"behaviour": pose}), 5)
