"""Scores and folds, against scikit-learn and by what may not be."""

import numpy as np
import pytest
from sklearn import metrics

from neurokit.errors import DataError
from neurokit.models.evaluation import folds, scores


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def probabilities(rng, n, k, ties=False):
    p = rng.random((n, k))
    p = np.round(p, 1) + 0.01 if ties else p
    return p / p.sum(1, keepdims=True)


@pytest.mark.parametrize("ties", [False, True])
def test_two_classes_equal_scikit_learn(rng, ties):
    p, y = probabilities(rng, 60, 2, ties), rng.integers(2, size=60)
    weight = rng.integers(0, 4, size=(5, 60)).astype(float)
    found = scores.class_scores(p, y, weight)
    for draw, w in enumerate(weight):
        wanted = (
            metrics.roc_auc_score(y, p[:, 1], sample_weight=w),
            metrics.average_precision_score(y, p[:, 1], sample_weight=w),
            metrics.balanced_accuracy_score(y, p.argmax(1), sample_weight=w),
        )
        np.testing.assert_allclose(found[:, draw], wanted)


def test_several_classes_equal_scikit_learn(rng):
    p, y = probabilities(rng, 90, 4), rng.integers(4, size=90)
    found = scores.class_scores(p, y, np.ones((1, 90)))[:, 0]
    wanted = (
        metrics.roc_auc_score(y, p, multi_class="ovr"),
        metrics.average_precision_score(np.eye(4)[y], p),
        metrics.balanced_accuracy_score(y, p.argmax(1)),
    )
    np.testing.assert_allclose(found, wanted)


def test_a_draw_without_a_class_has_no_score(rng):
    y = np.array([0, 0, 1, 1])
    weight = np.array([[1.0, 1, 0, 0], [0, 0, 2, 1], [1, 0, 1, 0]])
    found = scores.class_scores(probabilities(rng, 4, 2), y, weight)
    assert np.isnan(found).tolist() == [[True, True, False]] * 3


def test_weights_are_repetitions(rng):
    p, y, times = probabilities(rng, 30, 3), rng.integers(3, size=30), rng.integers(1, 4, size=30)
    repeated = scores.class_scores(
        np.repeat(p, times, axis=0), np.repeat(y, times), np.ones((1, times.sum()))
    )
    np.testing.assert_allclose(scores.class_scores(p, y, times[None].astype(float)), repeated)


@pytest.mark.parametrize("n_folds", [2, 3, 6])
def test_groups_stay_whole_and_every_window_is_tested_once(rng, n_folds):
    group = folds.group_numbers(rng.choice(list("abcdefg"), size=80), 80)
    dealt = folds.by_group(group, rng.integers(2, size=80), n_folds)
    assert sorted(np.concatenate([test for _, test in dealt])) == list(range(80))
    for train, test in dealt:
        assert not set(group[train]) & set(group[test])
        assert train.size + test.size == 80


def test_windows_without_groups_become_contiguous_blocks():
    dealt = folds.by_group(folds.group_numbers(None, 9), np.tile([0, 1, 0], 3), 3)
    assert [test.tolist() for _, test in dealt] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_patients_and_controls_are_dealt_to_every_fold():
    group = np.repeat(np.arange(12), 2)
    label = (group >= 6).astype(int)
    for _, test in folds.by_group(group, label, 3):
        assert np.bincount(label[test]).tolist() == [4, 4]


def test_masks_are_rows(rng):
    group, label = np.arange(6) // 2, np.tile([0, 1], 3)
    (train, test), = folds.given_folds([(group < 2, group == 2)], group, label)  # fmt: skip
    assert (train.tolist(), test.tolist()) == ([0, 1, 2, 3], [4, 5])


GROUP, LABEL = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
WRONG_FOLDS = {
    "windows of one group in train and in test": [([0, 2], [1, 3])],
    "tested in several folds": [([0, 1], [2, 3]), ([0, 1], [2])],
    "Fold 0 of 1 has no window to test on": [([0, 1], [])],
    "Fold 0 of 1 has no window to train on": [([], [0, 1])],
    "lack class 1": [([0], [2, 3])],
    "names row 9, but there are 4 windows": [([0, 1], [9])],
    "empty list of folds": [],
    "neither a number of folds nor a list": "ab",
    "expected a list of integers": [([0.5], [2])],
}


@pytest.mark.parametrize("message", WRONG_FOLDS)
def test_unclean_folds_are_refused(message):
    with pytest.raises(DataError, match=message):
        folds.given_folds(WRONG_FOLDS[message], GROUP, LABEL)


def test_classes_may_be_text_or_numbers():
    for y, names in ((["b", "a", "b", "a"], ["a", "b"]), ([2, 1, 2, 1], [1, 2])):
        classes, label = folds.class_numbers(y, 4)
        assert (classes.tolist(), label.tolist()) == (names, [1, 0, 1, 0])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, 1, 1, 1], "All 4 windows have the label 1"),
        ([0.1, 0.2, 0.3, 0.4], "4 different labels"),
        ([0, 1, 0], r"labels of shape \(3,\) for 4 windows"),
        ([0.0, np.nan, 1.0, 0.0], "Some labels are missing"),
        ([None, "a", "b", "a"], "Some labels are missing"),
    ],
)
def test_labels_that_are_no_classes(y, message):
    with pytest.raises(DataError, match=message):
        folds.class_numbers(y, 4)
