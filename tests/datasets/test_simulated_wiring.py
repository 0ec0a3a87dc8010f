"""What spikes cause and prevent, against an event-by-event simulation and by hand."""

import heapq

import numpy as np
import pytest

import neurokit as nk
from neurokit.datasets.simulated_driving import driven_spikes
from neurokit.datasets.simulated_wiring import Wiring, sparse_wiring, true_connectivity
from neurokit.errors import DataError


def wiring(n, edges, jitter=0.0, inhibition=0.02):
    source, target, weight, delay = (np.array(x) for x in zip(*edges, strict=True))
    return Wiring(n, source, target, weight.astype(float), delay, jitter, inhibition)


def event_by_event(time, unit, net):
    """Let spikes happen one after the other; weights are 1 or -1, so nothing is chance."""
    queue = sorted(zip(time, unit, strict=True))
    happened, quiet = [], []
    while queue:
        t, u = heapq.heappop(queue)
        if any(v == u and a <= t < b for v, a, b in quiet):
            continue
        happened.append((t, u))
        for s, v, w, d in zip(net.source, net.target, net.weight, net.delay, strict=True):
            if s == u and w > 0:
                heapq.heappush(queue, (t + d, v))
            elif s == u:
                quiet.append((v, t + d, t + d + net.inhibition))
    return sorted(happened)


@pytest.mark.parametrize("seed", range(5))
def test_generations_equal_events_one_by_one(seed):
    rng = np.random.default_rng(seed)
    n = 8
    pairs = [(s, v) for s in range(n) for v in range(n) if s != v and rng.random() < 0.4]
    # Drive goes up the numbers, so that it ends; inhibition goes wherever it likes.
    edges = [(s, v, 1 if s < v and rng.random() < 0.5 else -1, rng.uniform(0.01, 0.03))
             for s, v in pairs]  # fmt: skip
    net = wiring(n, edges)
    time, unit = rng.uniform(0, 2, 150), rng.integers(n, size=150)
    found = driven_spikes(time, unit, net, 10.0, rng)
    wanted = event_by_event(time, unit, net)
    order = np.argsort(found[0])
    assert len(wanted) > 100
    assert (
        len(wanted)
        < driven_spikes(time, unit, wiring(n, [e for e in edges if e[2] > 0]), 10.0, rng)[0].size
    )
    np.testing.assert_allclose(found[0][order], [t for t, _ in wanted])
    np.testing.assert_array_equal(found[1][order], [u for _, u in wanted])


def test_a_prevented_spike_causes_and_prevents_nothing():
    edges = [(0, 1, -1, 0.01), (1, 2, 1, 0.01), (1, 3, -1, 0.01)]
    time, unit = np.array([0.1, 0.115, 0.13, 0.5, 0.515]), np.array([0, 1, 3, 1, 3])
    found = driven_spikes(time, unit, wiring(4, edges), 1.0, np.random.default_rng(0))
    spikes = sorted(zip(found[0].round(4).tolist(), found[1].tolist(), strict=True))
    assert spikes == [(0.1, 0), (0.13, 3), (0.5, 1), (0.51, 2)]


def test_mean_rates_are_those_of_a_linear_network():
    rng = np.random.default_rng(3)
    net = sparse_wiring(np.full(12, 0.3), 0.2, (0.01, 0.03), 0.002, rng)
    base, duration = rng.uniform(1, 5, 12), 2000.0
    own = np.repeat(np.arange(12), rng.poisson(base * duration))
    time, unit = driven_spikes(rng.uniform(0, duration, own.size), own, net, duration, rng)
    wanted = np.linalg.solve(np.eye(12) - net.drive(), base)  # Hawkes 1971
    np.testing.assert_allclose(np.bincount(unit) / duration, wanted, rtol=0.06)
    assert time.max() < duration


@pytest.mark.parametrize(
    ("edges", "jitter", "message"),
    [
        ([(0, 1, 1.5, 0.01)], 0, "weight 1.5; weights are probabilities"),
        ([(0, 1, 0.5, 0.01)], 0.01, "let effects precede causes"),
        ([(0, 1, 1, 0.01), (1, 0, 1, 0.01)], 0, "cause 1.00 others"),
    ],
)
def test_impossible_wiring_is_refused(edges, jitter, message):
    with pytest.raises(DataError, match=message):
        wiring(2, edges, jitter)


def test_chance_connects_as_many_pairs_as_asked_and_no_unit_to_itself():
    net = sparse_wiring(np.full(200, 0.001), 0.1, (0.01, 0.03), 0.0, np.random.default_rng(0))
    assert abs(net.source.size - 0.1 * 200 * 199) < 4 * np.sqrt(0.09 * 200 * 199)
    assert (net.source != net.target).all()
    assert (net.delay.min() >= 0.01) & (net.delay.max() <= 0.03)


def test_truth_names_units_by_id_survives_files_and_follows_selections(tmp_path):
    rec = nk.datasets.simulate_sparse_network(20, 5.0, connected=0.2, strength=0.2, inhibitory=0.3)
    truth, delay = true_connectivity(rec), true_connectivity(rec, "delay")
    for source, target, weight, seconds in rec.meta["connectivity"]:
        assert truth.sel(target=target, source=source) == weight
        assert delay.sel(target=target, source=source) == seconds
    assert int((truth != 0).sum()) == int(delay.notnull().sum()) == len(rec.meta["connectivity"])
    rec.save(tmp_path / "net.zarr")
    assert true_connectivity(nk.Recording.open(tmp_path / "net.zarr")).equals(truth)
    part = true_connectivity(rec.sel(unit=[11, 3, 7]))
    assert part.equals(truth.sel(target=part.target, source=part.source))
    assert sorted(part.source.values) == [3, 7, 11]


def test_recordings_without_known_wiring_are_refused():
    rec = nk.Recording.from_spikes([0.1], [0], 1.0)
    with pytest.raises(DataError, match="no 'connectivity'"):
        true_connectivity(rec)
    with pytest.raises(DataError, match="what is 'lag'"):
        true_connectivity(rec, "lag")
