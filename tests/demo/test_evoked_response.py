import mne
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from sklearn.metrics import roc_auc_score

from neurokit.demo import evoked_response
from neurokit.demo.trials import BASELINE, cut_trials, decision_values, prepare, window_means
from neurokit.errors import DataError
from neurokit.recording import Recording


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
    return Recording({"eeg": eeg}, events)


def area(rec):
    trials = cut_trials(prepare(rec), BASELINE)
    tone = trials["auditory"].values
    scores = decision_values(window_means(trials, evoked_response.EDGES), tone)
    return evoked_response._area(scores, tone)


def test_recovers_a_simulated_response():
    assert area(simulated(10e-6)) > 0.95


def test_scores_chance_without_a_response():
    areas = [area(simulated(0.0, seed=seed)) for seed in range(10)]
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
        raw, events, tmin=-0.2, tmax=0.395, baseline=None, reject={"eeg": 150e-6}, preload=True,
        picks="eeg", verbose="ERROR",
    )  # fmt: skip
    prepared = prepare(rec)
    for baseline in (None, BASELINE):
        ours = cut_trials(prepared, baseline)
        data = theirs.apply_baseline(baseline, verbose="ERROR").get_data(copy=True)
        np.testing.assert_allclose(ours.transpose("epoch", "channel", ...), data, atol=1e-10)
        np.testing.assert_allclose(ours["time"], theirs.times, atol=1e-9)
    assert ours.attrs["left_out"] == 1


def test_area_equals_scikit_learn():
    rng = np.random.default_rng(0)
    label = rng.random(50) > 0.4
    scores = np.round(rng.normal(size=50) + label, 1)
    assert evoked_response._area(scores, label) == pytest.approx(roc_auc_score(label, scores))
    assert np.isnan(evoked_response._area(scores, np.ones(50, dtype=bool)))


def test_reference_does_not_matter():
    rec = simulated(3e-6)
    eeg = rec["eeg"]
    other = (eeg + 1e-5 * np.sin(eeg["time"])).assign_attrs(eeg.attrs)
    np.testing.assert_allclose(
        cut_trials(prepare(rec)), cut_trials(prepare(rec.replace({"eeg": other}))), atol=1e-11
    )


def test_bad_channels_and_wild_trials_are_left_out():
    rec = simulated(3e-6)
    eeg = rec["eeg"].copy()
    eeg[:, 2] = 1e-3 * np.random.default_rng(0).normal(size=len(eeg))
    marked = eeg.assign_coords(bad=("channel", np.arange(12) == 2))
    marked[300:320, 0] += 2e-3
    trials = cut_trials(prepare(rec.replace({"eeg": marked})))
    assert trials.sizes["channel"] == 11
    assert 1 <= trials.attrs["left_out"] <= 3
    assert len(trials) + trials.attrs["left_out"] == 40
    with pytest.raises(DataError, match="after rejection at 150 µV"):
        cut_trials(prepare(rec.replace({"eeg": eeg})))


def test_channels_without_a_place_do_not_enter_the_reference():
    rec = simulated(3e-6)
    x = rec["eeg"]["x"].values.copy()
    x[4] = np.nan
    lost = prepare(rec.replace({"eeg": rec["eeg"].assign_coords(x=("channel", x))}))["eeg"]
    assert "E4" not in lost["channel"].values
    np.testing.assert_allclose(lost.mean("channel"), 0, atol=1e-12)


def test_largest_contrast_is_after_the_stimulus_and_above_the_noise(answer):
    got = answer("evoked_response").details
    assert 0.1 < got["largest contrast at (s)"] < 0.25
    assert got["its spread over the scalp (µV)"] > 4 * got["spread before the stimulus (µV)"]
    assert (got["auditory trials"], got["visual trials"]) == (14, 14)


@pytest.mark.filterwarnings("ignore:.* reach beyond the recording:UserWarning")
def test_swapped_events_are_caught_by_the_band(recording):
    rec = recording("evoked_response")
    late = rec.events.assign(onset=rec.events["onset"] + 0.35)
    assert not evoked_response.run(rec.replace(events=late)).in_band


def test_positions_are_needed():
    rec = simulated(1e-6)
    with pytest.raises(DataError, match=r"missing: \['z'\]"):
        prepare(rec.replace({"eeg": rec["eeg"].drop_vars("z")}))
