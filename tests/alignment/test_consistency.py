"""Error consistency: 1 for the same errors, 0 for independent ones, whatever the accuracies."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from neurokit.alignment import error_consistency
from neurokit.errors import DataError


def answers(accuracy, n=400, seed=0):
    return np.random.default_rng(seed).random(n) < accuracy


def test_it_is_cohens_kappa_of_being_right():
    a, b = answers(0.7), np.stack([answers(0.8, seed=s) for s in (1, 2)])
    result = error_consistency(a, b, n_bootstraps=0)
    np.testing.assert_allclose(result.kappa, [cohen_kappa_score(a, row) for row in b], atol=1e-12)
    np.testing.assert_allclose(result.between_observers, cohen_kappa_score(*b), atol=1e-12)
    np.testing.assert_allclose(result.accuracy, b.mean(axis=1))
    assert "kappa_low" not in result


def test_independent_observers_are_at_chance_and_copies_at_one():
    a = answers(0.8, 20_000)
    result = error_consistency(a, [answers(0.9, 20_000, 1), a, ~a], n_bootstraps=100)
    assert abs(float(result.kappa[0])) < 0.03
    assert float(result.kappa_low[0]) < 0 < float(result.kappa_high[0])
    assert float(result.kappa[1]) == 1
    assert float(result.kappa[2]) < 0


def test_the_interval_covers_a_planted_kappa():
    rng = np.random.default_rng(3)
    inside = 0
    for seed in range(40):
        common, own = rng.random((2, 300)) < 0.5, rng.random((2, 300)) < 0.5
        shared = rng.random(300) < 0.4
        a, b = np.where(shared, common[0], own[0]), np.where(shared, common[0], own[1])
        result = error_consistency(a, b, n_bootstraps=200, seed=seed)
        inside += float(result.kappa_low[0]) <= 0.4 <= float(result.kappa_high[0])
    assert inside >= 34


def test_without_errors_there_is_nothing_to_agree_on():
    result = error_consistency(np.ones(10), np.ones((2, 10)), n_bootstraps=5)
    assert np.isnan(result.kappa).all()
    assert np.isnan(result.kappa_low).all()
    assert np.isnan(float(result.between_observers))


@pytest.mark.parametrize(
    ("model", "observers", "message"),
    [
        ([1, 0, 2], [1, 0, 1], "Expected model to be right"),
        ([1, 0, 1], ["a", "b", "c"], "Expected observers to be right"),
        ([1, 0, 1], [[1, 0]], r"got \(3,\) and \(1, 2\)"),
        ([1], [1], "at least 2 trials"),
    ],
)
def test_bad_answers_are_refused(model, observers, message):
    with pytest.raises(DataError, match=message):
        error_consistency(model, observers)


def test_a_confidence_is_a_part():
    with pytest.raises(DataError, match="confidence between 0 and 1; got 95"):
        error_consistency([1, 0], [1, 0], confidence=95)
