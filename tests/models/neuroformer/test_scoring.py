"""Scores of behaviour are those of the textbook, and chance is what slow series reach."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurokit.errors import DataError
from neurokit.models.neuroformer.scoring import score_behaviour


def test_scores_are_those_of_numpy() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=300)
    predicted = 0.5 * true + rng.normal(size=300)
    found = score_behaviour(true, predicted, np.arange(300) // 20)["score"]
    assert found.sel(metric="r") == pytest.approx(np.corrcoef(true, predicted)[0, 1])
    r2 = 1 - ((true - predicted) ** 2).sum() / ((true - true.mean()) ** 2).sum()
    assert found.sel(metric="r2") == pytest.approx(r2)


def test_slow_series_that_are_unrelated_are_within_chance() -> None:
    rng = np.random.default_rng(1)
    slow = np.stack([np.convolve(rng.normal(size=1200), np.ones(60), "valid") for _ in range(2)])
    found = score_behaviour(*slow, np.arange(slow.shape[1]) // 100).sel(metric="r")
    assert abs(found["chance"]) < 0.1
    assert found["best_shift"] > 0.2  # what a test that takes windows for independent overlooks
    assert found["score"] < found["best_shift"] + 0.1
    same = score_behaviour(slow[0], slow[0], np.arange(slow.shape[1]) // 100).sel(metric="r")
    assert same["score"] == pytest.approx(1)
    assert same["best_shift"] < 0.7


def test_directions_are_compared_around_the_circle() -> None:
    true = np.array([0.05, 6.2, 3.0, 1.0])
    predicted = np.array([6.25, 0.1, 3.0, 1.0 + np.pi])
    found = score_behaviour(true, predicted, [0, 0, 1, 1], direction=True)
    error = np.degrees([0.05 + 2 * np.pi - 6.25, 0.1 + 2 * np.pi - 6.2, 0, np.pi])
    assert found["score"].sel(metric="mean_error") == pytest.approx(error.mean())
    assert found["score"].sel(metric="median_error") == pytest.approx(np.sort(error)[1])


def test_directions_at_random_are_wrong_by_a_quarter_turn() -> None:
    true, predicted = np.random.default_rng(2).uniform(0, 2 * np.pi, (2, 4000))
    found = score_behaviour(true, predicted, np.arange(4000) // 100, direction=True)
    assert found["score"].values == pytest.approx([90, 90], abs=4)
    assert found["chance"].values == pytest.approx([90, 90], abs=2)
    assert (found["low"] < 90).all()
    assert (found["high"] > 90).all()


def test_windows_without_a_label_are_left_out() -> None:
    true = np.array([1.0, np.nan, 2.0, 4.0, np.nan, 3.0])
    predicted = np.array([1.0, 9.0, 2.0, 4.0, -9.0, 3.0])
    found = score_behaviour(true, predicted, [0, 0, 0, 1, 2, 1])
    assert found["score"].values == pytest.approx([1, 1])
    assert (found.attrs["n_windows"], found.attrs["n_blocks"]) == (4, 2)


@pytest.mark.parametrize(
    ("true", "predicted", "block", "match"),
    [
        ([1.0, 2.0], [1.0], [0, 1], "one true and one predicted"),
        ([1.0, 2.0], [1.0, np.nan], [0, 1], "1 predictions are not finite"),
        ([1.0, 2.0], [1.0, 2.0], [0, 0], "needs two blocks"),
        ([np.nan, np.nan], [1.0, 2.0], [0, 1], "needs two blocks"),
    ],
)
def test_what_has_no_score_is_refused(
    true: list[float], predicted: list[float], block: list[int], match: str
) -> None:
    with pytest.raises(DataError, match=match):
        score_behaviour(true, predicted, block)


def test_classes_are_scored_as_scikit_learn_does() -> None:
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    rng = np.random.default_rng(4)
    number = rng.integers(0, 3, 400)
    share = rng.dirichlet(np.ones(4), 400) + 0.3 * np.eye(4)[number]
    share[:, 3] = 0.0  # nobody's class
    share /= share.sum(axis=1, keepdims=True)
    middles = xr.DataArray(share, {"class": [10.0, 20.0, 30.0, 40.0]}, ("window", "class"))
    # Values anywhere in the bin of their class, and beyond the first one.
    true = 10.0 + 10 * number + rng.uniform(-5, 5, 400)
    true[number == 0] -= 7
    true[::50] = np.nan
    known = ~np.isnan(true)
    found = score_behaviour(true, middles, np.arange(400) // 20)
    score = found["score"].to_series()
    assert score["auroc"] == pytest.approx(
        roc_auc_score(number[known], share[known, :3], multi_class="ovr")
    )
    assert score["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(number[known], share[known].argmax(axis=1))
    )
    chance = found["chance"].to_series()
    assert chance["auroc"] == pytest.approx(0.5, abs=0.02)
    assert chance["balanced_accuracy"] == pytest.approx(1 / 3, abs=0.02)
    assert (found["best_shift"] < found["low"]).all()
    with pytest.raises(DataError, match="two or more classes, numbered from 0 to 3; got"):
        score_behaviour(np.ones(400), share, np.arange(400) // 20)
    with pytest.raises(DataError, match="A direction has no classes"):
        score_behaviour(number, share, np.arange(400) // 20, direction=True)
