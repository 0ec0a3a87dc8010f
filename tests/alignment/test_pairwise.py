from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import xarray as xr
from scipy.spatial.distance import cosine

from neurokit.alignment import pairwise
from neurokit.alignment.pairwise import pairwise_accuracy
from neurokit.errors import DataError, UnknownNameError


def by_definition(y, prediction):
    right = 0.0
    for i, j in combinations(range(len(y)), 2):
        matched = cosine(y[i], prediction[i]) + cosine(y[j], prediction[j])
        crossed = cosine(y[i], prediction[j]) + cosine(y[j], prediction[i])
        right += 0.5 * (matched == crossed) + (matched < crossed)
    return right / (len(y) * (len(y) - 1) / 2)


def noisy(rng, n=40, p=6, noise=2.0):
    y = rng.standard_normal((n, p))
    return y, y + noise * rng.standard_normal((n, p))


def test_equals_its_definition(monkeypatch):
    y, prediction = noisy(np.random.default_rng(0))
    out = pairwise_accuracy(y, prediction)
    assert out.accuracy.item() == pytest.approx(by_definition(y, prediction))
    assert 0.6 < out.accuracy.item() < 0.95
    assert out.n_pairs.item() == 780
    monkeypatch.setattr(pairwise, "_BLOCK", 7)
    xr.testing.assert_identical(pairwise_accuracy(y, prediction), out)
    centred = pairwise_accuracy(y, prediction, metric="correlation")
    rows = [z - z.mean(axis=1, keepdims=True) for z in (y, prediction)]
    assert centred.accuracy.item() == pytest.approx(by_definition(*rows))


@pytest.mark.parametrize("metric", ["cosine", "correlation"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_predictions_score_chance_exactly(metric, dtype):
    rng = np.random.default_rng(1)
    y = rng.standard_normal((50, 7)).astype(dtype)
    same = np.tile(rng.standard_normal(7).astype(dtype), (50, 1))
    for prediction in (same, np.full_like(y, 1 / 3), np.zeros_like(y)):
        assert pairwise_accuracy(y, prediction, metric=metric).accuracy.item() == 0.5
        assert pairwise_accuracy(prediction, y, metric=metric).accuracy.item() == 0.5
    assert pairwise_accuracy(y, y, metric=metric).accuracy.item() == 1
    assert pairwise_accuracy(y, -y, metric=metric).accuracy.item() == 0


def test_unrelated_predictions_score_chance_on_average():
    rng = np.random.default_rng(2)
    scores = [
        pairwise_accuracy(*rng.standard_normal((2, 30, 10))).accuracy.item() for _ in range(200)
    ]
    assert abs(np.mean(scores) - 0.5) < 4 * np.std(scores) / np.sqrt(200)


def test_scale_and_shift_of_predictions():
    rng = np.random.default_rng(3)
    y, prediction = noisy(rng)
    scale = rng.uniform(0.1, 9, (40, 1))
    assert pairwise_accuracy(y, scale * prediction).equals(pairwise_accuracy(y, prediction))
    moved = scale * prediction + rng.standard_normal((40, 1))
    a, b = (pairwise_accuracy(y, p, metric="correlation").accuracy for p in (moved, prediction))
    assert a.item() == b.item()


def test_pairs_stay_within_folds_and_regions_are_scored_apart():
    rng = np.random.default_rng(4)
    y, prediction = noisy(rng)
    fold = np.repeat(["b", "a"], [25, 15])
    region = np.array(["V1", "IT", "V1", "IT", "V1", "IT"])
    out = pairwise_accuracy(y, prediction, fold=fold, region=region)
    assert out.fold.values.tolist() == ["b", "a"]
    for f in "ab":
        for r in ("V1", "IT"):
            cut = np.ix_(fold == f, region == r)
            expected = by_definition(y[cut], prediction[cut])
            assert out.accuracy_fold.sel(fold=f, region=r).item() == pytest.approx(expected)
    assert out.n_pairs.values.tolist() == [300, 105]
    np.testing.assert_allclose(out.accuracy, out.accuracy_fold.mean("fold"))
    # A model that knows only the fold gains nothing.
    level = np.where(fold[:, None] == "a", y[25:].mean(axis=0), y[:25].mean(axis=0))
    assert pairwise_accuracy(y, level, fold=fold).accuracy.item() == 0.5
    labelled = xr.DataArray(y, {"region": ("neuroid", region)}, ("presentation", "neuroid"))
    xr.testing.assert_equal(
        pairwise_accuracy(labelled, prediction, fold=fold, region="region"), out
    )
    with pytest.raises(UnknownNameError, match=r"Unknown coordinate of the targets 'regio'.*'reg"):
        pairwise_accuracy(labelled, prediction, region="regio")


def test_bad_input_is_named():
    y = np.random.default_rng(5).standard_normal((6, 3))
    with pytest.raises(DataError, match=r"got \(6, 3\) and \(6, 2\)"):
        pairwise_accuracy(y, y[:, :2])
    with pytest.raises(DataError, match="fold '2' has 1"):
        pairwise_accuracy(y, y, fold=[1, 1, 1, 1, 1, 2])
    with pytest.raises(DataError, match=r"region of shape \(3,\), one label each; got \(2,\)"):
        pairwise_accuracy(y, y, region=["a", "b"])
    with pytest.raises(UnknownNameError, match="Did you mean 'cosine'"):
        pairwise_accuracy(y, y, metric="cosin")
    with pytest.raises(DataError, match=r"y of shape \(sample, target\)"):
        pairwise_accuracy(y[0], y[0])
    y[0, 0] = np.inf
    with pytest.raises(DataError, match="1 of 18 values in prediction are missing or infinite"):
        pairwise_accuracy(np.ones((6, 3)), y)
