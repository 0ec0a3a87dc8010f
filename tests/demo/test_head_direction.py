import numpy as np
import pytest
import xarray as xr

from neurokit.demo import head_direction, tuning
from neurokit.errors import DataError


def simulated(n=3000, seed=0, tuned=True):
    """Poisson units with von Mises tuning along a random walk of directions."""
    rng = np.random.default_rng(seed)
    angle = np.cumsum(rng.normal(scale=0.5, size=n)) % (2 * np.pi)
    peaks = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    rates = 1 + 40 * np.exp(4 * (np.cos(angle[:, None] - peaks) - 1))
    if not tuned:
        rates = np.full_like(rates, rates.mean())
    return rng.poisson(rates * tuning.BIN).astype(float), angle, peaks


def error(decoded, angle):
    return np.degrees(np.abs(np.angle(np.exp(1j * (decoded - angle)))))


def test_recovers_the_tuning_of_simulated_units():
    counts, angle, peaks = simulated()
    curves = tuning.tuning_curves(counts, angle)
    found = (curves.argmax(axis=0) + 0.5) * 2 * np.pi / 60
    assert error(found, peaks).max() < 12
    np.testing.assert_allclose(curves.mean(), counts.mean() / tuning.BIN, rtol=0.1)


def test_decodes_simulated_units_and_not_untuned_ones():
    counts, angle, _ = simulated()
    assert np.median(error(tuning.decode(counts, angle), angle)) < 15
    counts, angle, _ = simulated(tuned=False)
    assert 70 < np.median(error(tuning.decode(counts, angle), angle)) < 110


def test_a_gap_beside_each_fold_hardly_matters(answer):
    got = answer("head_direction")
    apart = got.details["median error, 10 s left out beside each fold (°)"]
    assert apart == pytest.approx(got.value, abs=0.3)
    assert f"{apart:.1f}°" in got.split


def test_turning_the_compass_does_not_matter():
    counts, angle, _ = simulated()
    step = 2 * np.pi / 60
    plain = tuning.decode(counts, angle)
    turned = tuning.decode(counts, (angle + 7 * step) % (2 * np.pi))
    share = np.mean(error(turned, plain + 7 * step) < 1e-6)
    assert share > 0.99


def test_agrees_with_pynapple_on_the_tuning_curves(recording):
    nap = pytest.importorskip("pynapple")
    binned = head_direction._bin(recording("head_direction"))
    group = nap.TsdFrame(t=binned.time, d=binned.counts)
    direction = nap.Tsd(t=binned.time, d=binned.angle)
    theirs = nap.compute_tuning_curves(
        group, direction, bins=60, range=(0, 2 * np.pi), return_counts=False
    ).values
    ours = tuning.tuning_curves(binned.counts, binned.angle)
    smooth = np.stack([np.convolve(np.tile(t, 3), np.ones(5) / 5, "same")[60:120] for t in theirs])
    for unit in range(7):
        assert np.corrcoef(smooth[unit], ours[:, unit])[0, 1] > 0.97


def test_ca1_and_shifted_directions_do_not_decode(answer):
    got = answer("head_direction")
    assert got.baseline[1] > 60
    assert got.details["best error of any shift (°)"] > 60
    thalamus = got.details["information, thalamic units (bits/spike)"]
    assert thalamus > 4 * got.details["information, CA1 units (bits/spike)"]


def test_reversed_clock_is_caught_by_the_band(recording):
    rec = recording("head_direction")
    behaviour = rec["behaviour"].copy(data=rec["behaviour"].values[::-1])
    broken = rec.replace({**rec.streams, "behaviour": behaviour})
    assert not head_direction.run(broken).in_band


def test_bad_input(recording):
    rec = recording("head_direction")
    no_angle = rec["behaviour"].isel(variable=slice(0, 3))
    broken = rec.replace({**rec.streams, "behaviour": no_angle})
    with pytest.raises(DataError, match="Expected a variable 'head_direction'"):
        head_direction.run(broken)
    spikes = rec["spikes"].assign_coords(region=("unit", np.full(15, "pfc")))
    broken = rec.replace({**rec.streams, "spikes": spikes})
    with pytest.raises(DataError, match=r"region 'adn' and of another one; got \['pfc'\]"):
        head_direction.run(broken)


def test_counts_equal_a_histogram(recording):
    rec = recording("head_direction")
    binned = head_direction._bin(rec)
    spikes = rec["spikes"]
    edges = rec["behaviour"]["time"].values[0] + np.arange(len(binned.time) + 1) * tuning.BIN
    for unit in (0, 14):
        times = spikes["time"].values[spikes["unit"].values == unit]
        np.testing.assert_array_equal(binned.counts[:, unit], np.histogram(times, edges)[0])
    assert isinstance(spikes, xr.Dataset)
