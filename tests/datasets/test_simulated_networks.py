"""Networks fire at the rates and follow the wiring that they say they have."""

import numpy as np
import pytest

from neurokit.datasets import simulate_hub_network, simulate_sparse_network, true_connectivity
from neurokit.errors import DataError

BIN = 0.002


@pytest.fixture(scope="module")
def hubs():
    return simulate_hub_network(duration=600, seed=5)


def rates(rec):
    spikes = rec["spikes"]
    return np.bincount(spikes["unit"], minlength=spikes.sizes["unit"]) / rec.duration


def followers(rec, source, target, low, high):
    """Count target spikes that come between low and high seconds after a source spike."""
    time, unit = rec["spikes"]["time"].values, rec["spikes"]["unit"].values
    after, of = time[unit == source], time[unit == target]
    return (np.searchsorted(of, after + high) - np.searchsorted(of, after + low)).sum()


def excess(rec, source, target, low, high):
    """Return followers above the number of independent units, in standard deviations."""
    r = rates(rec)
    expected = r[source] * r[target] * rec.duration * (high - low)
    return (followers(rec, source, target, low, high) - expected) / np.sqrt(expected)


def test_hubs_drive_all_members_of_their_group_and_nobody_else(hubs):
    group, hub = hubs["spikes"]["group"].values, hubs["spikes"]["hub"].values
    assert np.bincount(group).tolist() == [20, 20, 20]
    assert np.bincount(group[hub]).tolist() == [2, 2, 2]
    assert hubs.meta["hubs"] == np.flatnonzero(hub).tolist()
    wanted = (group[:, None] == group) & hub & ~hub[:, None]
    truth, delay = true_connectivity(hubs), true_connectivity(hubs, "delay")
    np.testing.assert_array_equal(truth.values > 0, wanted)
    weight, seconds = truth.values[wanted], delay.values[wanted]
    assert ((weight >= 0.2) & (weight <= 0.6)).all()
    assert weight.std() > 0.09
    assert ((seconds >= 0.01) & (seconds <= 0.03)).all()


def test_rates_are_those_of_base_hubs_and_drive(hubs):
    hub, truth = hubs["spikes"]["hub"].values, true_connectivity(hubs).values
    wanted = np.where(hub, 6.0, 2.0 + truth @ np.where(hub, 6.0, 0))
    # A child shares its parent's chance, but not its siblings' target: counts stay Poisson.
    assert (np.abs(rates(hubs) - wanted) < 4 * np.sqrt(wanted / 600)).all()


def test_cross_correlograms_peak_at_every_planted_delay(hubs):
    starts = np.arange(0, 0.04, BIN)
    for source, target, weight, delay in hubs.meta["connectivity"]:
        counts = [followers(hubs, source, target, low, low + BIN) for low in starts]
        peak = starts[np.argmax(counts)] + BIN / 2
        assert abs(peak - delay) < 0.003 + 1e-9
        added = followers(hubs, source, target, delay - 0.002, delay + 0.002)
        chance = rates(hubs)[[source, target]].prod() * 600 * 0.004
        fires = rates(hubs)[source] * 600
        assert abs(added - chance - weight * fires) < 5 * np.sqrt(weight * fires + chance)


def test_members_drive_nobody_though_they_fire_together(hubs):
    truth = true_connectivity(hubs).values
    pairs = [(s, t) for s in range(2, 12) for t in range(2, 12) if s != t]
    assert not truth[tuple(zip(*pairs, strict=True))].any()
    together = np.mean([excess(hubs, s, t, -0.02, 0.02) for s, t in pairs])
    apart = np.mean([excess(hubs, s, t + 20, -0.02, 0.02) for s, t in pairs])
    assert together > 5
    assert abs(apart) < 1


@pytest.mark.parametrize("simulate", [
    lambda: simulate_hub_network(12, 2, 1, 300, strength=(0, 0), base_rate=8, hub_rate=8),
    lambda: simulate_sparse_network(12, 300, strength=0, connected=1, base_rate=8),
    lambda: simulate_sparse_network(12, 300, connected=0, base_rate=8),
])  # fmt: skip
def test_without_drive_units_are_independent_poisson_processes(simulate):
    rec = simulate()
    assert not true_connectivity(rec).any()
    assert (np.abs(rates(rec) - 8) < 4 * np.sqrt(8 / 300)).all()
    z = [excess(rec, s, t, 0, 0.03) for s in range(12) for t in range(12) if s != t]
    assert abs(np.mean(z)) < 4 / np.sqrt(len(z))
    assert 0.8 < np.std(z) < 1.2
    gaps = np.diff(rec["spikes"]["time"].values)
    assert abs(gaps.std() / gaps.mean() - 1) < 0.03


def test_sparse_pairs_show_in_the_direction_of_the_drive_only():
    rec = simulate_sparse_network(30, 600, strength=0.15, seed=2)
    truth = true_connectivity(rec).values
    forward, backward = [], []
    for source, target, _, delay in rec.meta["connectivity"]:
        if not truth[source, target]:
            forward.append(excess(rec, source, target, delay - 0.002, delay + 0.002))
            backward.append(excess(rec, target, source, delay - 0.002, delay + 0.002))
    assert len(forward) > 10
    assert min(forward) > 10
    assert np.abs(backward).mean() < 2


def test_inhibition_removes_the_part_asked_for_and_only_after_the_delay():
    rec = simulate_sparse_network(
        20, 1000, connected=0.05, strength=0.8, inhibitory=1.0, base_rate=6, seed=1
    )
    assert rec["spikes"]["inhibitory"].values.all()
    truth = true_connectivity(rec).values
    assert (truth[truth != 0] == -0.8).all()
    for source, target, _, delay in rec.meta["connectivity"]:
        if truth[source, target]:
            continue
        r = rates(rec)
        chance = r[source] * r[target] * 1000 * 0.02
        within = followers(rec, source, target, delay, delay + 0.02) / chance
        assert within < 0.45
        assert 0.75 < followers(rec, source, target, -0.02, 0) / chance < 1.25
    free = ~truth.any(axis=1)
    assert (rates(rec)[~free] < 6).all()
    np.testing.assert_allclose(rates(rec)[free], 6, atol=4 * np.sqrt(6 / 1000))


def test_dale_units_inhibit_everybody_or_nobody():
    rec = simulate_sparse_network(40, 5, connected=0.2, strength=0.1, inhibitory=0.25)
    inhibits = rec["spikes"]["inhibitory"].values
    assert inhibits.sum() == 10
    sign = np.sign(true_connectivity(rec).values)
    assert (sign[:, inhibits] <= 0).all()
    assert (sign[:, ~inhibits] >= 0).all()


def test_a_seed_fixes_wiring_and_spikes_and_duration_leaves_wiring():
    for simulate in (simulate_hub_network, simulate_sparse_network):
        one, same = simulate(duration=5, seed=1), simulate(duration=5, seed=1)
        longer, other = simulate(duration=8, seed=1), simulate(duration=5, seed=2)
        assert one["spikes"].equals(same["spikes"])
        assert one.meta["connectivity"] == longer.meta["connectivity"]
        assert one.meta["connectivity"] != other.meta["connectivity"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: simulate_hub_network(6, 3, 2), "no room for 2 hubs and a member"),
        (lambda: simulate_hub_network(strength=(0.5, 1.2)), "weights are probabilities"),
        (lambda: simulate_hub_network(delays=(0.03, 0.01)), "a pair in order"),
        (lambda: simulate_hub_network(delays=(0.001, 0.001)), "effects precede causes"),
        (lambda: simulate_hub_network(delays=0.01), "delays .* is 0.01, expected a pair"),
        (lambda: simulate_hub_network(base_rate=-1), "base_rate is -1 Hz"),
        (lambda: simulate_sparse_network(duration=0), "duration .* is 0"),
        (lambda: simulate_sparse_network(connected=0.5), "activity would grow without bound"),
        (lambda: simulate_sparse_network(strength=-0.1), "strength is -0.1"),
        (lambda: simulate_sparse_network(connected=2), "connected is 2"),
    ],
)
def test_impossible_networks_are_refused(call, message):
    with pytest.raises(DataError, match=message):
        call()
