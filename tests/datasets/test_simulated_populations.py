"""What is said to drive a population does, and what is said not to does not."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

import neurokit as nk
from neurokit.datasets import simulate_latent_population, simulate_stimulus_population
from neurokit.errors import DataError


def binned(rec, seconds):
    return nk.preprocessing.bin_spikes(rec, seconds)["counts"].values


@pytest.fixture(scope="module")
def seen():
    return simulate_stimulus_population(seed=3)


@pytest.fixture(scope="module")
def alone():
    """Without connections, so that rates are the formula's."""
    return simulate_stimulus_population(strength=0, seed=3)


@pytest.fixture(scope="module")
def latent():
    return simulate_latent_population(seed=4)


def formula(rec):
    """Rates in Hz at every sample from the second on, as the docstring gives them."""
    units = rec["spikes"]
    centre = np.stack([units["centre_x"].values, units["centre_y"].values], axis=1)
    spot, speed = rec["stimulus"].values[:-5], rec["behaviour"].values[5:]
    distance = ((spot[:, None] - centre) ** 2).sum(axis=-1)
    return (0.5 + 20 * np.exp(-distance / (2 * 0.45**2))) * np.exp(speed - 0.5)


def test_rates_follow_the_formula_where_they_are_low_and_high(alone):
    counts, rates = binned(alone, 0.01)[5:], formula(alone)
    for low, high in [(0, 1), (1, 3), (3, 10), (10, 20), (20, 60)]:
        chosen = (rates >= low) & (rates < high)
        expected = rates[chosen].sum() * 0.01
        assert expected > 1000
        assert abs(counts[chosen].sum() - expected) < 4 * np.sqrt(expected)


def test_spikes_come_fifty_milliseconds_after_the_stimulus(alone):
    counts, x = binned(alone, 0.01), alone["stimulus"].values
    unit = np.argmin(np.hypot(alone["spikes"]["centre_x"], alone["spikes"]["centre_y"]).values)
    centre = np.array([alone["spikes"][f"centre_{v}"].values[unit] for v in "xy"])
    near = np.exp(-((x - centre) ** 2).sum(axis=1) / (2 * 0.45**2))
    lags = np.arange(0, 20)
    r = [np.corrcoef(near[: len(near) - k], counts[k:, unit])[0, 1] for k in lags]
    assert abs(lags[np.argmax(r)] - 5) <= 1


def test_each_informative_stream_and_no_other_adds_likelihood(alone):
    some = np.arange(5, 60_000, 4)
    counts, rates = binned(alone, 0.01)[some], formula(alone)[some - 5] * 0.01
    speed = np.exp(alone["behaviour"].values[some] - 0.5)
    drift = np.exp(alone["behaviour_unrelated"].values[some] - 0.5)
    full = nk.models.bits_per_spike(counts, rates)
    stimulus_only = nk.models.bits_per_spike(counts, rates / speed)
    speed_only = nk.models.bits_per_spike(counts, speed * counts.mean(axis=0) / speed.mean())
    assert full > stimulus_only + 0.2
    assert full > speed_only + 0.5
    # Of all powers of drift as a gain, the best is none.
    powers = [-0.2, -0.1, 0, 0.1, 0.2]
    best = [nk.models.bits_per_spike(counts, rates * drift**p) for p in powers]
    assert np.argmax(best) == 2


def test_the_past_tells_what_stimulus_and_behaviour_do_not(seen):
    time, unit = seen["spikes"]["time"].values, seen["spikes"]["unit"].values
    truth = nk.datasets.true_connectivity(seen)
    assert (truth.values.max(), int((truth > 0).sum())) == (0.3, len(seen.meta["connectivity"]))
    share = []
    for source, target, _, delay in seen.meta["connectivity"]:
        after, of = time[unit == source] + delay, time[unit == target]
        near = np.searchsorted(of, after + 0.002) - np.searchsorted(of, after - 0.002)
        beside = np.searchsorted(of, after + 0.012) - np.searchsorted(of, after + 0.004)
        share.append(near.mean() - beside.mean() / 2)
    assert abs(np.mean(share) - 0.3) < 0.03


def test_the_film_shows_the_place(seen):
    film = simulate_stimulus_population(film=(11, 11), duration=20, seed=3)
    place = simulate_stimulus_population(duration=20, seed=3)
    assert film["spikes"].equals(place["spikes"])
    frames, spot = film["stimulus"].values, place["stimulus"].values
    row, column = np.unravel_index(frames.reshape(len(frames), -1).argmax(axis=1), (11, 11))
    shown = np.abs(spot).max(axis=1) < 2.4
    assert shown.mean() > 0.9
    np.testing.assert_allclose((column * 0.5 - 2.5)[shown], spot[shown, 0], atol=0.2501)
    np.testing.assert_allclose((row * 0.5 - 2.5)[shown], spot[shown, 1], atol=0.2501)
    assert (frames.min() >= 0) & (frames.max() <= 1)


def test_streams_are_z_scores_and_named_by_what_they_tell(seen):
    for name in ("stimulus", "behaviour", "behaviour_unrelated"):
        assert seen[name].attrs["units"] == "z"
        np.testing.assert_allclose(seen[name].mean("time"), 0, atol=0.25)
        np.testing.assert_allclose(seen[name].std("time"), 1, atol=0.25)
    assert seen.meta["informative"] == ["stimulus", "behaviour"]
    assert seen.meta["uninformative"] == ["behaviour_unrelated"]
    assert {s.attrs["sampling_rate"] for n, s in seen.streams.items() if n != "spikes"} == {100.0}


def test_latent_rates_are_as_said_and_behaviour_is_even(latent):
    spikes = latent["spikes"]
    rates = np.bincount(spikes["unit"], minlength=80) / 900
    assert 3.5 < rates.mean() < 6.5
    assert np.corrcoef(np.log(rates), np.log(spikes["rate"].values))[0, 1] > 0.7
    speed, pupil = latent["behaviour"].values.T
    for value, top in ((speed, 30), (pupil, 3)):
        part = np.histogram(value, 5, range=(0, top))[0] / value.size
        np.testing.assert_allclose(part, 0.2, atol=0.05)
    assert abs(np.corrcoef(speed, pupil)[0, 1]) < 0.2


def test_few_labels_leave_ridge_far_below_what_the_spikes_tell(latent):
    counts = binned(latent, 0.05)
    total = np.concatenate([np.zeros((1, 80)), counts.cumsum(axis=0)])
    x = total[5:] - total[:-5]
    speed, pupil = latent["behaviour"].values.reshape(-1, 5, 2).mean(axis=1)[4:].T
    train, test = np.arange(14_000), np.arange(14_100, len(x))
    few = np.random.default_rng(0).choice(train, 140, replace=False)
    ridge = RidgeCV(np.logspace(-2, 5, 15)).fit(np.sqrt(x[few]), speed[few])
    linear = np.corrcoef(ridge.predict(np.sqrt(x[test])), speed[test])[0, 1]

    # Bayes' rule with tuning counted on a grid: what all labels and no straight line can do.
    n = 16
    cell = np.minimum((speed / 30 * n).astype(int), n - 1) * n
    cell += np.minimum((pupil / 3 * n).astype(int), n - 1)
    visits = np.bincount(cell[train], minlength=n * n)
    sums = np.zeros((n * n, 80))
    np.add.at(sums, cell[train], x[train])
    mean = (sums + x[train].mean(axis=0)) / (visits[:, None] + 1)
    log = x[test] @ np.log(mean).T - mean.sum(axis=1)
    posterior = np.exp(log - log.max(axis=1, keepdims=True))
    bayes = posterior @ (np.arange(n * n) // n) / posterior.sum(axis=1)
    assert linear < 0.9
    assert np.corrcoef(bayes, speed[test])[0, 1] > 0.96


def test_ridge_is_as_good_as_said_for_the_number_of_labels(latent):
    counts = binned(latent, 0.25)
    speed = latent["behaviour"].values[:, 0].reshape(-1, 25).mean(axis=1)
    train = np.arange(4 * len(counts) // 5)
    test = np.arange(train.size, len(counts))
    z = (counts - counts[train].mean(axis=0)) / counts[train].std(axis=0)

    def r(some):
        ridge = RidgeCV(np.logspace(-3, 5, 17)).fit(z[some], speed[some])
        return np.corrcoef(ridge.predict(z[test]), speed[test])[0, 1]

    draws = [np.random.default_rng(k).choice(train, 36, replace=False) for k in range(4)]
    assert 0.6 < np.median([r(some) for some in draws]) < 0.84
    assert 0.84 < r(train) < 0.91


def test_tuning_is_nonlinear_and_each_units_own(latent):
    counts, speed = binned(latent, 0.05), latent["behaviour"].values[::5, 0]
    level = np.minimum((speed / 30 * 10).astype(int), 9)
    curve = np.stack([counts[level == k].mean(axis=0) for k in range(10)])
    shape = (curve - curve.mean(axis=0)) / curve.std(axis=0)
    turns = (np.diff(np.sign(np.diff(shape, axis=0)), axis=0) != 0).sum(axis=0)
    assert np.median(turns) >= 2
    assert np.abs(np.corrcoef(shape, rowvar=False) - np.eye(80)).mean() < 0.5


@pytest.mark.parametrize("simulate", [simulate_latent_population, simulate_stimulus_population])
def test_a_seed_fixes_everything_and_duration_leaves_the_units(simulate):
    one, same, other = simulate(duration=5, seed=1), simulate(duration=5, seed=1), simulate(
        duration=5, seed=2
    )  # fmt: skip
    longer = simulate(duration=7, seed=1)
    assert one["spikes"].equals(same["spikes"])
    assert one["behaviour"].equals(same["behaviour"])
    assert not one["spikes"]["time"].equals(other["spikes"]["time"])
    facts = [c for c in one["spikes"].coords if c != "unit"]
    assert all(one["spikes"][c].equals(longer["spikes"][c]) for c in facts)


def test_streams_and_spikes_end_together_when_samples_do_not_divide_the_time():
    for simulate in (simulate_latent_population, simulate_stimulus_population):
        rec = simulate(duration=1.03, sampling_rate=20, seed=0)
        assert rec["behaviour"].sizes["time"] == 21
        assert rec["spikes"].attrs["stop"] == rec.stop == 1.05


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: simulate_stimulus_population(connected=0.5), "without bound"),
        (lambda: simulate_stimulus_population(film=(1, 8)), "film is 1"),
        (lambda: simulate_stimulus_population(film=8), "film is 8"),
        (lambda: simulate_stimulus_population(sampling_rate=0), "sampling_rate .* is 0"),
        (lambda: simulate_latent_population(0), "n_units is 0"),
        (lambda: simulate_latent_population(mean_rate=-5), "mean_rate .* is -5"),
        (lambda: simulate_latent_population(roughness=0), "roughness is 0"),
        (lambda: simulate_latent_population(timescale=0), "timescale .* is 0"),
    ],
)
def test_impossible_populations_are_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
