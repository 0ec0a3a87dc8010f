import numpy as np
import pytest
import xarray as xr

from neurokit import Recording
from neurokit.connectivity import (
    connection_auroc,
    cooccurrence_pmi,
    direction_accuracy,
    lagged_cross_correlation,
    spike_correlation,
)
from neurokit.errors import DataError

MEASURES = [spike_correlation, cooccurrence_pmi, lagged_cross_correlation]


def poisson(n_units, duration, rate, rng):
    """Return independent spike times and unit ids 10, 11, …"""
    n = rng.poisson(rate * duration, n_units)
    return rng.uniform(0, duration, n.sum()), np.repeat(10 + np.arange(n_units), n)


@pytest.fixture
def independent():
    return Recording.from_spikes(*poisson(12, 300.0, 5.0, np.random.default_rng(1)), duration=300.0)


@pytest.fixture
def driven():
    """Unit 10 makes 11 and 12 fire 10 and 20 ms later with probability .3."""
    rng = np.random.default_rng(2)
    time, unit = poisson(8, 200.0, 3.0, rng)
    times, units = [time], [unit]
    for target, delay in ((11, 0.01), (12, 0.02)):
        caused = time[(unit == 10) & (rng.random(time.size) < 0.3)] + delay
        times.append(caused)
        units.append(np.full(caused.size, target))
    return Recording.from_spikes(np.concatenate(times), np.concatenate(units), duration=201.0)


def truth_of(estimate):
    truth = xr.zeros_like(estimate)
    truth.loc[{"target": [11, 12], "source": 10}] = 1
    return truth


def dense(rec, bin_size):
    spikes = rec["spikes"]
    n_bins = round((spikes.attrs["stop"] - spikes.attrs["start"]) / bin_size)
    edges = np.arange(n_bins + 1) * bin_size
    units = range(spikes.sizes["unit"])
    train = [spikes["time"].values[spikes["unit"].values == u] for u in units]
    return np.stack([np.histogram(times, edges)[0] for times in train], axis=1)


def test_zero_lag_equals_numpy(driven):
    r = spike_correlation(driven, 0.05)
    expected = np.corrcoef(dense(driven, 0.05).T)
    np.fill_diagonal(expected, np.nan)
    np.testing.assert_allclose(r, expected, atol=1e-12)
    np.testing.assert_array_equal(r, r.T)
    assert list(r["source"].values) == list(range(10, 18))


def test_the_peak_equals_numpy_lag_by_lag(driven):
    r = lagged_cross_correlation(driven, 0.03, 0.005)
    counts = dense(driven, 0.005).T
    n = len(counts)
    every = np.stack(
        [np.corrcoef(counts[:, lag:], counts[:, :-lag])[:n, n:] for lag in range(1, 7)]
    )
    best = np.abs(every).argmax(axis=0)
    expected = np.take_along_axis(every, best[None], axis=0)[0]
    off = ~np.eye(n, dtype=bool)
    np.testing.assert_allclose(r.values[off], expected[off], atol=1e-12)
    np.testing.assert_allclose(r["lag"].values[off], (best[off] + 1) * 0.005)


def test_pmi_counts_ordered_pairs(driven):
    pmi = cooccurrence_pmi(driven, 0.03, 0.005)
    counts = dense(driven, 0.005).astype(float)
    past = sum(np.pad(counts, ((lag, 0), (0, 0)))[: len(counts)] for lag in range(1, 7))
    pairs = counts.T @ past
    chance = np.outer(pairs.sum(1), pairs.sum(0)) / pairs.sum()
    off = ~np.eye(len(pairs), dtype=bool)
    np.testing.assert_allclose(pmi.values[off], np.log((pairs + 1) / (chance + 1))[off])


@pytest.mark.parametrize("measure", [cooccurrence_pmi, lagged_cross_correlation])
def test_finds_who_drives_whom(driven, measure):
    found = measure(driven)
    assert connection_auroc(found, truth_of(found)) == 1
    assert direction_accuracy(found, truth_of(found)) == 1


def test_finds_the_delay(driven):
    lag = lagged_cross_correlation(driven)["lag"]
    assert float(lag.sel(target=11, source=10)) == pytest.approx(0.010)
    assert float(lag.sel(target=12, source=10)) == pytest.approx(0.020)


def test_zero_lag_has_no_direction(driven):
    found = spike_correlation(driven)
    assert connection_auroc(found, truth_of(found)) > 0.9
    assert direction_accuracy(found, truth_of(found)) == 0.5


@pytest.mark.parametrize("measure", MEASURES)
def test_independent_units_are_at_chance(independent, measure):
    truth = np.random.default_rng(3).random((12, 12)) < 0.3
    assert 0.35 < connection_auroc(measure(independent), truth) < 0.65


def test_suppression_is_negative():
    rng = np.random.default_rng(4)
    time, unit = poisson(3, 300.0, 20.0, rng)
    order = np.argsort(time)
    time, unit = time[order], unit[order]
    last = np.maximum.accumulate(np.where(unit == 10, time, -1.0))
    kept = ~((unit == 11) & (time - last < 0.02) & (last >= 0))
    rec = Recording.from_spikes(time[kept], unit[kept], duration=300.0)
    pair = {"target": 11, "source": 10}
    assert float(lagged_cross_correlation(rec, 0.02).sel(pair)) < -0.05
    assert float(cooccurrence_pmi(rec, 0.02).sel(pair)) < -0.5


@pytest.mark.parametrize("measure", MEASURES)
def test_the_clock_does_not_matter(driven, measure):
    spikes = driven["spikes"]
    ids = spikes["id"].values[spikes["unit"].values]
    later = Recording.from_spikes(spikes["time"].values + 1000.0, ids, duration=1201.0)
    later = later.crop(1000.0, 1201.0)
    np.testing.assert_allclose(measure(driven), measure(later), atol=1e-9)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_silent_unit_is_zero_not_missing(measure):
    import pandas as pd

    from neurokit.recording.build import spike_train

    table = pd.DataFrame({"id": [1, 2, 7]})
    spikes = spike_train(np.array([0.1, 0.12, 0.5]), np.array([1, 2, 1]), 0.0, 1.0, table)
    rec = Recording.from_spikes([0.1], [1], duration=1.0).replace(streams={"spikes": spikes})
    found = measure(rec).sel(target=7, source=[1, 2])
    np.testing.assert_array_equal(found, 0)


def test_spikes_on_edges_fall_into_the_bin_that_begins_there():
    # In floating point, 0.3 / 0.1 is below 3.
    rec = Recording.from_spikes([0.3, 0.4, 0.6, 0.7], [0, 1, 0, 1], duration=1.0)
    r = lagged_cross_correlation(rec, window=0.1, bin_size=0.1)
    counts = np.zeros((10, 2))
    counts[[3, 6], 0] = counts[[4, 7], 1] = 1
    expected = np.corrcoef(counts[1:, 1], counts[:-1, 0])[0, 1]
    assert float(r.sel(target=1, source=0)) == pytest.approx(expected)


def test_says_what_is_wrong(driven):
    with pytest.raises(DataError, match="is 'rec' .*expected a neurokit Recording"):
        spike_correlation("rec")
    with pytest.raises(DataError, match=r"no spikes to pair; the streams are \['eeg'\]"):
        spike_correlation(Recording.from_array(1e-5 * np.ones((10, 1)), 10.0))
    with pytest.raises(DataError, match="at least one bin; got a window of 0.002 s and bins of"):
        lagged_cross_correlation(driven, window=0.002)
    with pytest.raises(DataError, match="bin_size .* is 0 .*above 0"):
        cooccurrence_pmi(driven, bin_size=0)
    with pytest.raises(DataError, match="Expected at least 2 bins of 150 s.*in seconds"):
        spike_correlation(driven, bin_size=150)
