import numpy as np
import pytest
from scipy.signal import butter, sosfilt
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from neurokit.demo import grip_force, lagged_ridge
from neurokit.errors import DataError


def smooth_noise(n, rng, width=8):
    return np.convolve(rng.normal(size=n + width), np.ones(width) / width, "valid")[:n]


def test_ridge_equals_scikit_learn():
    rng = np.random.default_rng(0)
    x, y, new = rng.normal(size=(50, 80)), rng.normal(size=50), rng.normal(size=(9, 80))
    scaler = StandardScaler().fit(x)
    theirs = Ridge(alpha=30.0).fit(scaler.transform(x), y).predict(scaler.transform(new))
    np.testing.assert_allclose(lagged_ridge._ridge(x, y, new, 30.0), theirs, rtol=1e-8)


def test_band_power_finds_the_band_of_a_tone():
    t = np.arange(5000) / 1000
    for band, (low, high) in enumerate(lagged_ridge.BANDS):
        tone = np.sin(2 * np.pi * (low + high) / 2 * t)[:, None]
        power = lagged_ridge.band_power(tone, 1000.0)
        assert power[-1].argmax() == band


def test_band_power_is_causal():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 2))
    changed = x.copy()
    changed[2000:] += 100
    before, after = (lagged_ridge.band_power(v, 1000.0) for v in (x, changed))
    np.testing.assert_array_equal(before[:20], after[:20])
    assert np.abs(before[20:] - after[20:]).max() > 1


def test_unit_of_the_signal_does_not_matter(recording):
    rec = recording("grip_force")
    scaled = {**rec.streams, "ieeg": rec["ieeg"] * 1e6}
    scaled["ieeg"].attrs = rec["ieeg"].attrs
    a, b = (
        lagged_ridge.band_power(grip_force._contacts(s["ieeg"], "ECOG"), 1000.0)
        for s in (rec.streams, scaled)
    )
    force = grip_force._force(rec, 1000.0, len(a))
    scores = [lagged_ridge.predict_left_out(x, force)[1] for x in (a, b)]
    np.testing.assert_allclose(*scores, atol=1e-6)


def test_recovers_a_lagged_signal():
    rng = np.random.default_rng(0)
    x = np.stack([smooth_noise(600, rng) for _ in range(3)], axis=1)
    force = np.roll(x[:, 1], 3) + 0.05 * rng.normal(size=600)
    predicted, scores = lagged_ridge.predict_left_out(x, force)
    assert scores.min() > 0.9
    assert np.isnan(predicted[:4]).all()
    assert np.isfinite(predicted[4:]).all()
    assert lagged_ridge.predict_left_out(x, force, n_lags=2)[1].mean() < scores.mean()


def test_independent_slow_signals_score_around_zero():
    scores = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = np.stack([smooth_noise(200, rng) for _ in range(6)], axis=1)
        scores.append(lagged_ridge.predict_left_out(x, smooth_noise(200, rng))[1].mean())
    assert abs(np.mean(scores)) < 0.12


def test_test_block_never_reaches_the_training_data(monkeypatch):
    seen = []
    ridge = lagged_ridge._ridge

    def spy(x, y, new, penalty):
        seen.append((set(x[:, 0]), set(new[:, 0])))
        return ridge(x, y, new, penalty)

    monkeypatch.setattr(lagged_ridge, "_ridge", spy)
    clock = np.arange(200.0)
    lagged_ridge.predict_left_out(np.column_stack([clock, np.sin(clock)]), np.cos(clock))
    for train, test in seen:
        least = min(abs(a - b) for a in train for b in test)
        assert least >= lagged_ridge.N_LAGS


def test_gap_outlasts_every_trace_of_the_test_block():
    impulse = np.zeros((5000, 1))
    impulse[0] = 1
    lags = (lagged_ridge.N_LAGS - 1) * lagged_ridge.STEP
    for band in lagged_ridge.BANDS:
        energy = sosfilt(butter(4, band, "bandpass", fs=1000, output="sos"), impulse, axis=0) ** 2
        left = 1 - np.cumsum(energy) / energy.sum()
        assert np.argmax(left < 1e-4) / 1000 + lags < lagged_ridge.GAP


def test_signals_of_the_test_block_leave_the_training_features_alone(recording):
    rec = recording("grip_force")
    contacts = grip_force._contacts(rec["ieeg"], "ECOG")
    loud = contacts.copy()
    test = slice(6_600, 12_800)
    loud[test] *= 3
    plain, changed = (lagged_ridge.band_power(x, 1000.0) for x in (contacts, loud))
    gap = round(lagged_ridge.GAP / lagged_ridge.STEP) - lagged_ridge.N_LAGS + 1
    after = slice(128 + gap, None)
    np.testing.assert_allclose(plain[after], changed[after], atol=0.05)
    np.testing.assert_array_equal(plain[:66], changed[:66])


def test_penalty_is_large_when_there_is_nothing_to_find():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(120, 60))
    easy = lagged_ridge._choose_penalty(x, 10 * x[:, 0] + x[:, 1], 10)
    assert easy < lagged_ridge.PENALTIES[-1]


def test_says_how_weak_it_is(answer):
    got = answer("grip_force")
    assert "19 s" in got.caveat
    assert got.details["mean of 5 blocks instead (r)"] < got.value
    assert got.details["variance explained, R2"] < 0.1
    assert got.details["subthalamic contacts, same model (r)"] > 0.3
    assert got.baseline[1] < got.value


@pytest.mark.filterwarnings("ignore:.*typical amplitude of:UserWarning")
def test_bad_input(recording):
    rec = recording("grip_force")
    with pytest.raises(DataError, match="force channel 'MOV_RIGHT'"):
        grip_force.run(type(rec)(streams={"ieeg": rec["ieeg"]}))
    only_deep = rec["ieeg"].isel(channel=slice(0, 3))
    with pytest.raises(DataError, match="start with 'ECOG'"):
        grip_force.run(type(rec)(streams={**rec.streams, "ieeg": only_deep}))


@pytest.mark.filterwarnings("ignore:.*typical amplitude of:UserWarning")
def test_force_may_sit_among_the_contacts(recording):
    import xarray as xr

    rec = recording("grip_force")
    force = rec["behaviour"].rename(variable="channel")
    joined = xr.concat([rec["ieeg"], force], dim="channel")
    joined.attrs = rec["ieeg"].attrs
    found = grip_force._force(type(rec)(streams={"ieeg": joined}), 1000.0, 190)
    np.testing.assert_array_equal(found, grip_force._force(rec, 1000.0, 190))
