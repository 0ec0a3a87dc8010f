"""Scores of behaviour are those of the textbook, and chance is what slow series reach."""

from __future__ import annotations

import numpy as np
import pytest

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
        ([np.nan, np.nan], [1.0, 2.0], [0, 1], "No window has a true value"),
    ],
)
def test_what_has_no_score_is_refused(
    true: list[float], predicted: list[float], block: list[int], match: str
) -> None:
    with pytest.raises(DataError, match=match):
        score_behaviour(true, predicted, block)


def test_classes_are_scored_as_scikit_learn_does() -> None:
    from sklearn.metrics import average_precision_score, balanced_accuracy_score, roc_auc_score

    rng = np.random.default_rng(4)
    number = rng.integers(0, 3, 400).astype(float)
    share = rng.dirichlet([1, 1, 1, 2], 400) + 0.3 * np.eye(4)[number.astype(int)]
    share /= share.sum(axis=1, keepdims=True)  # the last class, nobody's, is often guessed
    number[::50] = np.nan
    known = ~np.isnan(number)
    block = np.arange(400) // 20
    found = score_behaviour(number, share, block)
    score = found["score"].to_series()
    true, p = number[known].astype(int), share[known]
    for name, area in (("auroc", roc_auc_score), ("auprc", average_precision_score)):
        each = [area(true == c, p[:, c]) for c in range(3)]
        assert score[name] == pytest.approx(np.mean(each))
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        accuracy = balanced_accuracy_score(true, p.argmax(axis=1))
    assert score["balanced_accuracy"] == pytest.approx(accuracy)
    assert accuracy < 0.7
    chance = found["chance"].to_series()
    assert chance["auroc"] == pytest.approx(0.5, abs=0.02)
    assert chance["balanced_accuracy"] < 1 / 3
    assert (found["best_shift"] < found["low"]).all()
    with pytest.raises(DataError, match="two or more classes, numbered from 0 to 3; got"):
        score_behaviour(np.ones(400), share, block)
    with pytest.raises(DataError, match="A direction has no classes"):
        score_behaviour(number, share, block, direction=True)
    with pytest.raises(DataError, match="Expected numbers, of classes too"):
        score_behaviour(np.full(400, "left"), share, block)


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e8])
def test_what_all_windows_have_in_common_takes_no_digits(offset: float) -> None:
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(0)
    true = rng.normal(size=200)
    predicted = true + rng.normal(size=200)
    found = score_behaviour(true + offset, predicted + offset, np.arange(200) // 20)["score"]
    expected = np.corrcoef(true, predicted)[0, 1], r2_score(true, predicted)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_constant_predictions_have_no_correlation() -> None:
    true = np.random.default_rng(0).normal(size=200)
    with pytest.warns(UserWarning, match="100% of the draws have no score, as .* constant"):
        found = score_behaviour(true, np.full(200, 0.1), np.arange(200) // 20)["score"]
    assert np.isnan(found.sel(metric="r"))
    assert found.sel(metric="r2") <= 0


@pytest.mark.parametrize("shape", [(200, 2), (200, 1)])
def test_values_of_several_targets_are_no_probabilities(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match=r"Choose one target: .sel\(target=...\)"):
        score_behaviour(rng.integers(0, 2, 200), rng.normal(size=shape), np.arange(200) // 20)


def test_infinite_values_are_counted() -> None:
    x, block = np.arange(40.0), np.arange(40) // 4
    with pytest.raises(DataError, match="1 true values are not finite"):
        score_behaviour(np.where(x == 3, np.inf, x), x, block)


def test_a_class_that_most_draws_lack_is_told_of() -> None:
    number = (np.arange(200) < 5).astype(float)
    p = np.stack([1 - number, number], axis=1) * 0.8 + 0.1
    with pytest.warns(UserWarning, match="of the draws have no window of some class"):
        score_behaviour(number, p, np.arange(200) // 20)
