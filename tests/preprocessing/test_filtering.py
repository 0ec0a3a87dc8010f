"""Band-pass and notch: the right frequencies, MNE's numbers, no leak over boundaries."""

import mne
import numpy as np
import pytest

from neurokit import Recording
from neurokit.errors import DataError, UnknownNameError
from neurokit.preprocessing.filtering import filter, notch

RATE = 250.0


def make(n=5000, channels=3, seed=0, **kwargs):
    x = 2e-5 * np.random.default_rng(seed).normal(size=(n, channels))
    return Recording.from_array(x, RATE, **kwargs)


def tone(frequency, n=10_000):
    return np.sin(2 * np.pi * frequency * np.arange(n) / RATE)


def power_at(x, frequency):
    spectrum = np.abs(np.fft.rfft(x)) ** 2
    return spectrum[round(frequency * len(x) / RATE)]


@pytest.mark.parametrize(("low", "high"), [(1.0, 40.0), (None, 30.0), (0.5, None)])
@pytest.mark.parametrize("method", ["fir", "iir"])
def test_equals_mne(low, high, method):
    rec = make()
    ours = filter(rec, low, high, method=method)["eeg"].values
    x = rec["eeg"].values.T.astype(np.float64)
    theirs = mne.filter.filter_data(x, RATE, low, high, method=method, verbose="ERROR").T
    np.testing.assert_allclose(ours, theirs, atol=1e-10)


def test_keeps_the_band_and_the_phase():
    x = np.stack([tone(10), tone(60), tone(10) + tone(60)], axis=1) * 1e-5
    out = filter(Recording.from_array(x, RATE), 4, 30)["eeg"].values / 1e-5
    middle = slice(1000, 9000)
    np.testing.assert_allclose(out[middle, 0], tone(10)[middle], atol=2e-3)
    np.testing.assert_allclose(out[middle, 1], 0, atol=1e-3)
    np.testing.assert_allclose(out[middle, 2], tone(10)[middle], atol=2e-3)


def test_pieces_are_filtered_apart():
    a, b = make(seed=1), make(seed=2)
    offset = b.replace({"eeg": b["eeg"] + 1e-3})
    both = filter(Recording.concat([a, offset]), 1, 40)["eeg"].values
    apart = [filter(r, 1, 40)["eeg"].values for r in (a, offset)]
    np.testing.assert_array_equal(both, np.concatenate(apart))


def test_input_is_untouched_and_history_kept():
    rec = make()
    before = rec["eeg"].values.copy()
    out = filter(filter(rec, 1.0), high=40.0)
    np.testing.assert_array_equal(rec["eeg"].values, before)
    assert (out["eeg"].attrs["highpass"], out["eeg"].attrs["lowpass"]) == (1.0, 40.0)
    assert out.meta["history"][1] == "filter(low=None, high=40, stream=eeg, method=fir)"
    assert "highpass" not in rec["eeg"].attrs


def test_bad_channel_with_nan_stays_nan_and_alone():
    rec = make(bads=["1"])
    x = rec["eeg"].copy(deep=True)
    x[40, 1] = np.nan
    out = filter(rec.replace({"eeg": x}), 1, 40)["eeg"].values
    assert np.isnan(out[:, 1]).all()
    np.testing.assert_array_equal(out[:, [0, 2]], filter(rec, 1, 40)["eeg"].values[:, [0, 2]])


def test_short_piece_warns():
    with pytest.warns(UserWarning, match=r"1 of 1 pieces of 'eeg' are shorter than the filter"):
        filter(make(n=500), low=0.1)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({}, "Nothing to filter"),
        ({"high": 125.0}, "high=125 Hz is not between 0 and the Nyquist frequency, 125 Hz"),
        ({"low": -1.0}, "low=-1 Hz is not between"),
        ({"low": 30.0, "high": 10.0}, "low=30 Hz is not below high=10 Hz"),
        ({"low": 1.0, "method": "magic"}, r"expected one of \['fir', 'iir'\]"),
    ],
)
def test_wrong_borders(kwargs, message):
    with pytest.raises(DataError, match=message):
        filter(make(), **kwargs)


def test_unknown_or_ambiguous_stream():
    rec = make()
    with pytest.raises(UnknownNameError, match="Did you mean 'eeg'"):
        filter(rec, 1, 40, stream="egg")
    two = rec.replace({**rec.streams, "ieeg": rec["eeg"]})
    with pytest.raises(DataError, match=r"holds \['eeg', 'ieeg'\]"):
        filter(two, 1, 40)
    spikes = Recording.from_spikes([0.1], [0], duration=1.0, streams={"eeg": rec["eeg"]})
    with pytest.raises(DataError, match="'spikes' is not continuous"):
        filter(spikes, 1, 40, stream="spikes")
    assert filter(spikes, 1, 40)["spikes"].identical(spikes["spikes"])


def test_notch_takes_out_line_and_harmonics_only():
    x = 1e-5 * (tone(50) + tone(100) + tone(20))[:, None]
    out = notch(Recording.from_array(x, RATE), 50.0)
    y, x = out["eeg"].values[:, 0], x[:, 0]
    for line in (50, 100):
        assert power_at(y, line) < 1e-2 * power_at(x, line)
    assert power_at(y, 20) == pytest.approx(power_at(x, 20), rel=1e-2)
    only = notch(Recording.from_array(x[:, None], RATE), 50.0, harmonics=1)["eeg"].values[:, 0]
    assert power_at(only, 100) == pytest.approx(power_at(x, 100), rel=1e-2)


def test_notch_equals_mne_and_takes_the_line_from_the_stream():
    rec = make()
    rec["eeg"].attrs["line_frequency"] = 60.0
    x = rec["eeg"].values.T.astype(np.float64)
    theirs = mne.filter.notch_filter(x, RATE, [60, 120], verbose="ERROR").T
    out = notch(rec)
    np.testing.assert_allclose(out["eeg"].values, theirs, atol=1e-10)
    assert out.meta["history"] == ["notch(frequencies=[60, 120], stream=eeg)"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ((), "line frequency of 'eeg' is not known. Give frequency=50"),
        ((130.0,), "needs a sampling rate above 262 Hz"),
        ((50.0, 0), "expected a whole number, 1 or more"),
    ],
)
def test_notch_needs_a_frequency(args, message):
    with pytest.raises(DataError, match=message):
        notch(make(), *args)
