from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment import bands, encode, ridge
from neurokit.errors import DataError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore:Penalty grid edge")

FAST = {"n_permutations": 0, "n_bootstraps": 0}
THREE = {"few": range(5), "many": slice(5, 45), "noise": np.arange(60) >= 45}


def simulate(n=300, v=100, seed=0):
    """Targets that the first two bands explain, and the third does not."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 60))
    weights = rng.standard_normal((60, v)) / np.sqrt(np.repeat([5, 40, 15], [5, 40, 15]))[:, None]
    weights[45:] = 0
    return x, x @ weights + rng.standard_normal((n, v))


@pytest.mark.parametrize("selection", ["gcv", "loo", "kfold", "hybrid"])
@pytest.mark.parametrize("p", [10, 300])
def test_one_band_is_plain_ridge(selection, p):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((120, p))
    y = x[:, :4] + rng.standard_normal((120, 4))
    plain = encode(x, y, selection=selection, n_permutations=19, n_bootstraps=19)
    banded = encode(x, y, bands=[range(p)], selection=selection, n_permutations=19, n_bootstraps=19)
    assert (banded.gamma == 1).all()
    # The same fit, whose products are taken in another order.
    xr.testing.assert_allclose(banded.drop_vars(["gamma", "band"]), plain, rtol=1e-9, atol=1e-11)


def test_a_band_of_noise_gets_the_smallest_weight_and_prediction_gains():
    x, y = simulate()
    plain, banded = encode(x, y, **FAST), encode(x, y, bands=THREE, **FAST)
    assert banded.gamma.dims == ("fold", "band", "target")
    np.testing.assert_allclose(banded.gamma.sum("band"), 1)
    smallest = banded.gamma.mean("fold").argmin("band")
    assert (banded.band[smallest] == "noise").mean() >= 0.95
    assert float((banded.r - plain.r).mean()) > 0.005


def test_weights_are_those_of_a_ridge_with_one_penalty_per_band():
    x, y = simulate(n=150, v=6)
    banded = encode(x, y, bands=THREE, cv=3, standardize=False, **FAST)
    train, test = np.arange(50, 150), np.arange(50)
    mean = x[train].mean(axis=0)
    columns = bands.band_columns(THREE, x, 60)
    for k in range(6):
        penalty = np.empty(60)
        for name, band in columns.items():
            penalty[band] = float(banded.alpha[0, k] / banded.gamma[0].sel(band=name)[k])
        centred = x[train] - mean
        target = y[train, k] - y[train, k].mean()
        weights = np.linalg.solve(centred.T @ centred + np.diag(penalty), centred.T @ target)
        r = np.corrcoef((x[test] - mean) @ weights, y[test, k])[0, 1]
        assert float(banded.r_fold[0, k]) == pytest.approx(r, abs=1e-9)


def test_each_target_takes_the_weighting_of_least_error():
    x, y = simulate(v=20)
    train = np.arange(60, 300)
    banded = encode(x, y, bands=THREE, n_weightings=10, seed=3, standardize=False, **FAST)
    centred = x[train] - x[train].mean(axis=0)
    gammas = bands.candidates(3, 10, seed=3)
    errors = []
    for gamma in gammas:
        scale = np.sqrt(np.repeat(gamma, [5, 40, 15]))
        errors.append(ridge.solve(ridge.prepare(centred * scale), y[train]).error)
    np.testing.assert_array_equal(banded.gamma[0].T, gammas[np.argmin(errors, axis=0)])


def test_the_test_samples_choose_nothing():
    x, y = simulate(v=20)
    folds = [(np.arange(100, 300), np.arange(100))]
    plain = encode(x, y, cv=folds, bands=THREE, **FAST)
    wild = encode(x, np.where(np.arange(300)[:, None] < 100, -9 * y, y), None, folds,
                  bands=THREE, **FAST)  # fmt: skip
    np.testing.assert_array_equal(plain.gamma, wild.gamma)
    np.testing.assert_array_equal(plain.alpha, wild.alpha)


def test_chance_is_chance_with_bands_and_delays_repeat_them():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((300, 6)), rng.standard_normal((300, 300))
    result = encode(x, y, bands=[[0, 1, 2], [3, 4, 5]], delays=[0, 1], n_permutations=199)
    assert abs(float(result.r.mean())) < 0.02
    assert (result.p < 0.05).mean() < 0.08
    assert result.band.values.tolist() == ["0", "1"]
    late = np.roll(x[:, :3], 1, axis=0) @ rng.standard_normal((3, 40))
    found = encode(x, late + rng.standard_normal((300, 40)), bands=[[0, 1, 2], [3, 4, 5]],
                   delays=[0, 1], **FAST)  # fmt: skip
    assert (found.gamma.mean("fold").sel(band="0") > 0.5).mean() > 0.95


def test_bands_from_a_coordinate_and_in_blocks_of_targets(monkeypatch):
    x, y = simulate(v=9)
    kind = np.repeat(["few", "many", "noise"], [5, 40, 15])
    labelled = xr.DataArray(x, dims=("time", "f"), coords={"kind": ("f", kind)})
    named = encode(labelled, y, bands="kind", **FAST)
    xr.testing.assert_equal(named, encode(x, y, bands=THREE, **FAST))
    monkeypatch.setattr(ridge, "TARGET_BLOCK", 4)
    xr.testing.assert_allclose(named, encode(x, y, bands=THREE, **FAST))
    with pytest.raises(UnknownNameError, match="coordinate of the features 'kinds'.*'kind'"):
        encode(labelled, y, bands="kinds")
    with pytest.raises(UnknownNameError, match="coordinate of the features"):
        encode(x, y, bands="kind")


@pytest.mark.parametrize("n_bands", [1, 2, 3, 6])
def test_candidates_lie_on_the_simplex_and_depend_on_the_seed_alone(n_bands):
    found = bands.candidates(n_bands, 20, seed=1)
    assert (found > 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[0], 1 / n_bands)
    assert len(found) == (1 if n_bands == 1 else 20)
    np.testing.assert_array_equal(found, bands.candidates(n_bands, 20, seed=1))


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ([[0, 1], [1, 2]], r"one band; 1 are not \(first: feature 1, in 2 bands\)"),
        ([[0], [2]], r"one band; 1 are not \(first: feature 1, in 0 bands\)"),
        ([[0, 1, 2], []], "got none in 1"),
        ({}, "got none in {}"),
        ([[0, 1, 3]], r"indices from 0 to 2, .* for band 0; got \[0, 1, 3\]"),
        ([[-1, 0, 1]], "for band 0"),
        ({"a": ["x", "y", "z"]}, "for band a"),
        ({"a": [True, False]}, "for band a"),
    ],
)
def test_says_what_is_wrong_with_bands(given, match):
    with pytest.raises(DataError, match=match):
        bands.band_columns(given, np.zeros((4, 3)), 3)


def test_at_least_one_weighting():
    x, y = simulate(v=2)
    with pytest.raises(DataError, match="one weighting of bands or more; got 0"):
        encode(x, y, bands=THREE, n_weightings=0)
