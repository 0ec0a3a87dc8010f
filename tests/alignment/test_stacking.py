"""Stacked regression: exact parts, no leak, and more than the best of its spaces."""

import numpy as np
import pytest
import xarray as xr
from sklearn.linear_model import Ridge

from neurokit.alignment import splits, stack, stacking
from neurokit.errors import DataError


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    a, b, c = (rng.standard_normal((240, p)) for p in (5, 300, 20))
    y = np.column_stack([a[:, 0] + 0.5 * b[:, :3].sum(axis=1), a[:, 1], rng.standard_normal(240)])
    return {"a": a, "b": b, "noise": c}, y + 0.5 * rng.standard_normal(y.shape)


def test_predictions_left_out_are_those_of_refits(data):
    x, y = data[0]["b"], data[1] - data[1].mean(axis=0)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    left_out, predicted = stacking._ridge(x, x[:7], y)
    grid = stacking.SPAN * (x**2).sum() / min(x.shape)
    for k in range(3):
        fits = [Ridge(alpha).fit(x, y[:, k]).predict(x[:7]) for alpha in grid]
        chosen = int(np.argmin([np.abs(f - predicted[:, k]).max() for f in fits]))
        np.testing.assert_allclose(predicted[:, k], fits[chosen], atol=1e-8)
        for sample in (0, 100):
            rest = np.arange(240) != sample
            refit = Ridge(grid[chosen]).fit(x[rest], y[rest, k]).predict(x[[sample]])
            np.testing.assert_allclose(left_out[sample, k], refit[0], atol=1e-6)


def test_spaces_that_complement_each_other_are_joined(data):
    found = stack(*data)
    assert found.r[0] > found.r_space[:, 0].max() + 0.05
    assert found.r[1] > 0.8
    assert (found.weight >= 0).all()
    assert found.weight.sel(space="noise").mean() < 0.2
    assert found.weight.sel(space="a")[:, 1].min() > 0.8
    assert abs(found.r[2]) < 0.25


def test_nothing_is_found_in_noise():
    rng = np.random.default_rng(1)
    features = {str(k): rng.standard_normal((200, 50)) for k in range(8)}
    found = stack(features, rng.standard_normal((200, 100)))
    assert abs(float(found.r.mean())) < 0.04


def test_test_responses_do_not_reach_the_fit(data):
    """What is predicted for a fold stays when its responses change."""
    spaces, y = data
    train, test = splits.contiguous(240, 4)[1]
    one = stack(spaces, y, cv=[(train, test)])
    other = y.copy()
    other[test] = np.random.default_rng(2).standard_normal((len(test), 3))
    two = stack(spaces, other, cv=[(train, test)])
    np.testing.assert_array_equal(one.weight, two.weight)
    assert abs(float(two.r[1])) < 0.5


def test_groups_labels_and_constant_features(data):
    spaces, y = data
    labelled = xr.DataArray(y, dims=("sample", "roi"), coords={"roi": ["V1", "V2", "V4"]})
    flat = {**spaces, "flat": np.ones((240, 2))}
    found = stack(flat, labelled, groups=np.repeat(np.arange(6), 40), cv=3)
    assert found.sel(target="V2").r > 0.8
    assert (found.weight.sel(space="flat") == 0).all()
    assert found.sizes["fold"] == 3
    assert stack(flat, labelled, groups=np.repeat(np.arange(6), 40), cv=None).sizes["fold"] == 6


def test_bad_input_is_named(data):
    spaces, y = data
    with pytest.raises(DataError, match="at least one name"):
        stack({}, y)
    with pytest.raises(DataError, match="got 239 and 240"):
        stack({"a": spaces["a"], "short": spaces["b"][1:]}, y)
    with pytest.raises(DataError, match="smallest side has 2"):
        stack(spaces, y, cv=120)
