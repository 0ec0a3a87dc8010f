import mne
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.metrics import roc_auc_score

from neurokit.demo import evoked_response
from neurokit.demo.trials import cut_trials, decision_values, window_means
from neurokit.errors import DataError


def simulated(signal, n_trials=40, seed=0, rate=200.0):
    rng = np.random.default_rng(seed)
    n = int((n_trials * 0.7 + 2) * rate)
    volts = 5e-6 * rng.normal(size=(n, 12))
    pattern = rng.normal(size=12)
    onset = 1 + 0.7 * np.arange(n_trials)
    kind = np.tile(["auditory/left", "visual/right"], n_trials // 2)
    for start, name in zip(onset, kind, strict=True):
        first = int(start * rate)
        bump = signal * np.hanning(40)[:, None] * pattern
        volts[first + 10 : first + 50] += bump if name.startswith("aud") else -bump
    places = rng.normal(size=(12, 3))
    places *= 0.09 / np.linalg.norm(places, axis=1, keepdims=True)
    eeg = xr.DataArray(
        volts,
        dims=("time", "channel"),
        coords={
            "time": np.arange(n) / rate,
            "channel": [f"E{i}" for i in range(12)],
            **{axis: ("channel", places[:, i]) for i, axis in enumerate("xyz")},
        },
        attrs={"sampling_rate": rate, "units": "V"},
    )
    events = pd.DataFrame({"onset": onset, "duration": 0.0, "trial_type": kind})
    return eeg, events


def area(eeg, events):
    trials = cut_trials(eeg, events)
    means = window_means(trials.corrected(), trials.time, evoked_response.EDGES)
    scores = decision_values(means, trials.auditory)
    return evoked_response._area(scores, trials.auditory)


def test_recovers_a_simulated_response():
    assert area(*simulated(10e-6)) > 0.95


def test_scores_chance_without_a_response():
    areas = [area(*simulated(0.0, seed=seed)) for seed in range(10)]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.12)


def test_trials_equal_those_of_mne(recording):
    rec = recording("evoked_response")
    eeg = rec["eeg"]
    info = mne.create_info(eeg["channel"].values.tolist(), eeg.attrs["sampling_rate"], "eeg")
    raw = mne.io.RawArray(eeg.values.T, info, verbose="ERROR")
    raw.drop_channels(eeg["channel"].values[eeg["bad"].values].tolist())
    raw.filter(None, 30.0, verbose="ERROR").set_eeg_reference("average", verbose="ERROR")
    chosen = rec.events[rec.events["trial_type"].str.contains("/")]
    samples = np.round(chosen["onset"].to_numpy() * info["sfreq"]).astype(int)
    events = np.column_stack([samples, np.zeros_like(samples), np.ones_like(samples)])
    theirs = mne.Epochs(
        raw, events, tmin=-0.2, tmax=0.4, baseline=None, reject={"eeg": 150e-6}, preload=True,
        picks="eeg", verbose="ERROR",
    )  # fmt: skip
    ours = cut_trials(eeg, rec.events)
    assert ours.volts.shape == (28, 59, 121)
    data = theirs.get_data(copy=False)
    np.testing.assert_allclose(ours.volts, data[:, :, : ours.volts.shape[2]], atol=1e-9)
    np.testing.assert_allclose(ours.time, theirs.times[: len(ours.time)], atol=1e-9)
    assert ours.rejected == 1


def test_area_equals_scikit_learn():
    rng = np.random.default_rng(0)
    label = rng.random(50) > 0.4
    scores = np.round(rng.normal(size=50) + label, 1)
    assert evoked_response._area(scores, label) == pytest.approx(roc_auc_score(label, scores))
    assert np.isnan(evoked_response._area(scores, np.ones(50, dtype=bool)))


def test_reference_does_not_matter():
    eeg, events = simulated(3e-6)
    other = eeg + 1e-5 * np.sin(eeg["time"])
    other.attrs = eeg.attrs
    np.testing.assert_allclose(
        cut_trials(eeg, events).volts,
        cut_trials(other, events).volts,
        atol=1e-12,
    )


def test_bad_channels_and_wild_trials_are_left_out():
    eeg, events = simulated(3e-6)
    eeg[:, 2] = np.random.default_rng(0).normal(size=len(eeg))
    marked = eeg.assign_coords(bad=("channel", np.arange(12) == 2))
    marked[300:320, 0] += 2e-3
    trials = cut_trials(marked, events)
    assert trials.volts.shape[1] == 11
    assert 1 <= trials.rejected <= 3
    with pytest.raises(DataError, match="after rejection at 150 µV"):
        cut_trials(eeg, events)


def test_largest_contrast_is_after_the_stimulus_and_above_the_noise(answer):
    got = answer("evoked_response").details
    assert 0.1 < got["largest contrast at (s)"] < 0.25
    assert got["its spread over the scalp (µV)"] > 4 * got["spread before the stimulus (µV)"]
    assert (got["auditory trials"], got["visual trials"]) == (14, 14)


def test_swapped_events_are_caught_by_the_band(recording):
    rec = recording("evoked_response")
    late = rec.events.assign(onset=rec.events["onset"] + 0.35)
    assert not evoked_response.run(type(rec)(streams=rec.streams, events=late)).in_band


def test_positions_are_needed():
    eeg, events = simulated(1e-6)
    with pytest.raises(DataError, match=r"missing: \['z'\]"):
        cut_trials(eeg.drop_vars("z"), events)
