from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment import ceilings, noise_ceiling, statistics
from neurokit.errors import DataError, UnknownNameError

METHODS = ["split_half", "repeats", "ncsnr"]


def simulate(snr, m=4, n=1000, v=40, seed=0):
    """Signal variance ``snr``, noise variance 1: the mean of m has reliability snr/(snr+1/m)."""
    rng = np.random.default_rng(seed)
    return np.sqrt(snr) * rng.standard_normal((n, v)) + rng.standard_normal((m, n, v))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("snr", [0.3, 0.7, 1.5])
@pytest.mark.parametrize("m", [2, 3, 4, 7])
def test_recovers_the_truth(method, snr, m):
    truth = snr / (snr + 1 / m)
    ceiling = noise_ceiling(simulate(snr, m), method)
    assert float(ceiling.reliability.mean()) == pytest.approx(truth, abs=0.02)
    assert float(ceiling.r_ceiling.mean()) == pytest.approx(np.sqrt(truth), abs=0.02)


@pytest.mark.parametrize("method", METHODS)
def test_the_r_ceiling_is_what_the_true_signal_scores(method):
    rng = np.random.default_rng(1)
    signal = rng.standard_normal((3000, 10))
    repeats = signal + 1.5 * rng.standard_normal((5, 3000, 10))
    r = statistics.pearson(repeats.mean(axis=0), signal)
    np.testing.assert_allclose(noise_ceiling(repeats, method).r_ceiling, r, atol=0.03)


def test_of_two_unequally_noisy_repeats_only_the_correlation_is_fooled():
    rng = np.random.default_rng(3)
    signal, noise = rng.standard_normal((300, 200)), np.array([0.3, 2.5])[:, None, None]
    repeats = signal + noise * rng.standard_normal((2, 300, 200))
    truth = 1 / (1 + (0.3**2 + 2.5**2) / 4)
    for method in ("repeats", "ncsnr"):
        found = float(noise_ceiling(repeats, method).reliability.mean())
        assert found == pytest.approx(truth, abs=0.03)
    assert float(noise_ceiling(repeats).reliability.mean()) > truth + 0.08


@pytest.mark.parametrize("method", METHODS)
def test_no_signal_gives_no_ceiling_and_no_noise_a_full_one(method):
    assert float(noise_ceiling(simulate(0.0, n=2000), method).reliability.mean()) < 0.06
    same = np.repeat(np.random.default_rng(2).standard_normal((1, 50, 3)), 4, axis=0)
    np.testing.assert_allclose(noise_ceiling(same, method).reliability, 1, atol=1e-12)
    np.testing.assert_array_equal(noise_ceiling(np.ones((3, 10, 2)), method).reliability, 0)


@pytest.mark.parametrize("method", METHODS)
def test_does_not_depend_on_units(method):
    repeats = simulate(0.5, n=100, v=5)
    plain = noise_ceiling(repeats, method).reliability
    np.testing.assert_allclose(noise_ceiling(1e-6 * repeats + 3, method).reliability, plain)


def test_a_shift_of_a_whole_repeat_matters_to_ncsnr_alone():
    repeats = simulate(1.0, n=200, v=6)
    shifted = repeats + np.array([0.0, 5.0, -3.0, 2.0])[:, None, None]
    for method in ("split_half", "repeats"):
        np.testing.assert_allclose(
            noise_ceiling(shifted, method).reliability, noise_ceiling(repeats, method).reliability
        )
    assert (noise_ceiling(shifted, "ncsnr").reliability < 0.5).all()


def test_ncsnr_in_published_units():
    assert np.sqrt(ceilings.reliability_from_ncsnr(0.2676550, 5)) == pytest.approx(0.5135, abs=5e-5)
    ceiling = noise_ceiling(simulate(0.7, n=4000), "ncsnr")
    assert float(ceiling.ncsnr.mean()) == pytest.approx(np.sqrt(0.7), abs=0.01)
    np.testing.assert_allclose(
        ceiling.reliability, ceilings.reliability_from_ncsnr(ceiling.ncsnr, 4), rtol=1e-12
    )
    assert ceilings.reliability_from_ncsnr([0.0, np.inf], 3).tolist() == [0, 1]


def test_two_repeats_have_one_split_and_seeds_decide_the_rest():
    two = simulate(0.5, m=2, n=60)
    np.testing.assert_array_equal(
        noise_ceiling(two, seed=1).reliability, noise_ceiling(two, seed=2).reliability
    )
    r = np.maximum(statistics.pearson(two[0], two[1]), 0)
    np.testing.assert_allclose(noise_ceiling(two).reliability, 2 * r / (1 + r))
    many = simulate(0.5, m=9, n=60)
    first, same, other = (noise_ceiling(many, seed=s, n_splits=5).reliability for s in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_targets_keep_their_labels():
    repeats = xr.DataArray(
        simulate(1.0, n=20, v=3),
        dims=("repeat", "presentation", "voxel"),
        coords={"voxel": ["a", "b", "c"], "region": ("voxel", ["V1", "V1", "IT"])},
    )
    ceiling = noise_ceiling(repeats)
    assert ceiling.sel(target="b").region == "V1"
    assert ceiling.attrs["n_repeats"] == 4
    assert ceiling.sizes == {"target": 3}


@pytest.mark.parametrize(
    ("shape", "match"),
    [
        ((5, 3), r"\(repeat, presentation, target\); got \(5, 3\)"),
        ((1, 9, 2), "at least 2 repeats, 3 presentations and 1 target; got 1, 9 and 2"),
        ((3, 2, 2), "got 3, 2 and 2"),
        ((3, 5, 0), "got 3, 5 and 0"),
    ],
)
def test_says_what_is_missing(shape, match):
    with pytest.raises(DataError, match=match):
        noise_ceiling(np.zeros(shape))


def test_missing_values_are_located():
    repeats = simulate(1.0, n=10, v=3)
    repeats[2, 7, 1] = np.nan
    with pytest.raises(
        DataError, match="1 of 120 values.*repeat 2, presentation 7, target 1.*every repeat has"
    ):
        noise_ceiling(repeats)


def test_bad_arguments():
    with pytest.raises(UnknownNameError, match="Did you mean 'split_half'"):
        noise_ceiling(simulate(1.0, n=10), "split-half")
    with pytest.raises(DataError, match="n_splits of at least 1; got 0"):
        noise_ceiling(simulate(1.0, n=10), n_splits=0)
    with pytest.raises(DataError, match="smallest ncsnr of -1"):
        ceilings.reliability_from_ncsnr([-1.0], 2)


@pytest.mark.parametrize(("v0", "tau"), [(0.3, 1.5), (0.55, 4.0), (0.9, 10.0)])
def test_extrapolates_to_the_asymptote(v0, tau):
    rng = np.random.default_rng(0)
    pools = np.tile(np.arange(1, 13), 20)
    curve = v0 * (1 - np.exp(-pools / tau))
    exact = ceilings.extrapolated_ceiling(pools, curve)
    assert float(exact.ceiling[0]) == pytest.approx(v0, rel=1e-4)
    assert float(exact.tau[0]) == pytest.approx(tau, rel=1e-3)
    noisy = curve[:, None] + 0.05 * rng.standard_normal((240, 30))
    noisy[3, 0] = np.nan
    found = ceilings.extrapolated_ceiling(pools, noisy)
    assert float(found.ceiling.median()) == pytest.approx(v0, abs=0.02)


def test_a_curve_that_does_not_bend_has_no_ceiling():
    pools = np.arange(1, 9)
    scores = xr.DataArray(
        np.stack([0.05 * pools, np.zeros(8), 1 - np.exp(-pools / 2)], axis=1),
        dims=("draw", "region"), coords={"region": ["line", "none", "curve"]},
    )  # fmt: skip
    found = ceilings.extrapolated_ceiling(pools, scores)
    assert np.isnan(found.ceiling.sel(target=["line", "none"])).all()
    assert float(found.ceiling.sel(target="curve")) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("pools", "scores", "match"),
    [
        ([1, 2, 3], np.zeros(4), r"got \(3,\) and \(4,\)"),
        ([1, 2, 2], np.zeros(3), r"of three sizes; got \[1.0, 2.0\]"),
        ([0, 1, 2], np.zeros(3), "one subject or more"),
    ],
)
def test_extrapolation_says_what_is_missing(pools, scores, match):
    with pytest.raises(DataError, match=match):
        ceilings.extrapolated_ceiling(pools, scores)
