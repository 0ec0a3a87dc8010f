"""Spikes come at the rates asked for, noise is as slow as asked for."""

import numpy as np
import pytest

from neurokit.datasets.simulated_processes import poisson_spikes, smooth_noise
from neurokit.errors import DataError


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_counts_are_poisson_in_every_bin_of_every_unit(rng):
    rates = np.array([[2.0, 0.0, 30.0], [0.0, 0.0, 5.0], [8.0, 0.0, 0.0]])
    draws = []
    for _ in range(2000):
        time, unit = poisson_spikes(rates, 0.5, rng)
        draws.append(np.histogram2d(time, unit, bins=[3, 3], range=[[0, 1.5], [-0.5, 2.5]])[0])
    counts = np.stack(draws)
    error = np.sqrt(rates * 0.5 / 2000)
    assert (np.abs(counts.mean(axis=0) - rates * 0.5) <= 4 * error).all()
    np.testing.assert_allclose(counts.var(axis=0), rates * 0.5, rtol=0.15)
    together = np.corrcoef(counts.reshape(2000, -1)[:, rates.ravel() > 0], rowvar=False)
    assert np.abs(together - np.eye(4)).max() < 0.1


def test_spikes_spread_evenly_within_a_bin(rng):
    time, _ = poisson_spikes(np.full((1, 1), 1.0), 10_000.0, rng)
    assert abs(time.mean() - 5000) < 4 * 10_000 / np.sqrt(12 * 10_000)
    gaps = np.diff(time)
    assert abs(gaps.std() / gaps.mean() - 1) < 0.05


def test_no_rate_no_spike(rng):
    time, unit = poisson_spikes(np.zeros((4, 2)), 1.0, rng)
    assert time.size == unit.size == 0


@pytest.mark.parametrize("rate", [-1.0, np.nan, np.inf])
def test_impossible_rates_are_refused(rng, rate):
    with pytest.raises(DataError, match="negative or not finite"):
        poisson_spikes(np.array([[1.0, rate]]), 1.0, rng)


def test_noise_has_unit_variance_and_the_timescale_asked_for(rng):
    x = smooth_noise(2000, 400, rng, sampling_rate=20, timescale=0.5)
    assert abs(x.mean()) < 0.02
    assert abs(x.var() - 1) < 0.03
    for lag in (0.25, 0.5, 1.0):
        k = round(lag * 20)
        found = (x[k:] * x[:-k]).mean()
        assert abs(found - np.exp(-((lag / 0.5) ** 2) / 2)) < 0.03


def test_the_end_of_the_noise_knows_nothing_of_its_beginning(rng):
    x = smooth_noise(200, 5000, rng, sampling_rate=10, timescale=2.0)
    assert abs(np.corrcoef(x[0], x[-1])[0, 1]) < 4 / np.sqrt(5000)
    np.testing.assert_allclose(x.var(axis=1), 1, atol=0.1)


def test_noise_faster_than_the_samples_keeps_its_variance(rng):
    x = smooth_noise(20_000, 1, rng, sampling_rate=10, timescale=0.01)
    assert abs(x.var() - 1) < 0.05
