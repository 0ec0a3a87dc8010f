from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut

from neurokit.alignment import splits
from neurokit.errors import DataError


@pytest.mark.parametrize(("n", "k"), [(10, 2), (11, 3), (7, 7), (100, 9)])
def test_contiguous_without_gap_is_sklearns_unshuffled_kfold(n, k):
    theirs = list(KFold(k).split(np.zeros(n)))
    for (train, test), (their_train, their_test) in zip(
        splits.contiguous(n, k), theirs, strict=True
    ):
        np.testing.assert_array_equal(train, their_train)
        np.testing.assert_array_equal(test, their_test)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(12, 80), k=st.integers(2, 6), gap=st.integers(0, 3))
def test_contiguous_keeps_the_gap_and_tests_every_sample_once(n, k, gap):
    folds = splits.contiguous(n, k, gap)
    for train, test in folds:
        distance = np.abs(train[:, None] - test[None]).min()
        assert distance > gap
        lost = n - len(train) - len(test)
        edges = int(test[0] > 0) + int(test[-1] < n - 1)
        assert gap <= lost <= edges * gap
    np.testing.assert_array_equal(np.concatenate([test for _, test in folds]), np.arange(n))


@pytest.mark.parametrize(
    ("args", "match"),
    [
        ((5, 6), "Cannot cut 5 samples into 6 folds"),
        ((5, 1), "at least 2 folds; got 1"),
        ((10, 2, 5), "A gap of 5 samples leaves nothing to train on"),
        ((10, 2, -1), "a gap of 0 or more samples; got -1"),
    ],
)
def test_contiguous_says_what_does_not_fit(args, match):
    with pytest.raises(DataError, match=match):
        splits.contiguous(*args)


def test_one_group_at_a_time_in_order_of_appearance():
    groups = np.array(["b", "a", "b", "c", "a"])
    folds = splits.by_group(groups)
    assert [groups[test][0] for _, test in folds] == ["b", "a", "c"]
    theirs = {tuple(test) for _, test in LeaveOneGroupOut().split(groups, groups=groups)}
    assert {tuple(test) for _, test in folds} == theirs


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=20, max_size=80), st.integers(2, 4))
def test_groups_stay_whole_and_every_sample_is_tested_once(labels, k):
    groups = np.array([0, 1, 2, 3, *labels])
    folds = splits.by_group(groups, k)
    for train, test in folds:
        assert not set(groups[train]) & set(groups[test])
        assert len(train) + len(test) == len(groups)
    everything = np.sort(np.concatenate([test for _, test in folds]))
    np.testing.assert_array_equal(everything, np.arange(len(groups)))


def test_fold_sizes_are_as_balanced_as_sklearns():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(23), rng.integers(1, 40, size=23))
    ours = [len(test) for _, test in splits.by_group(groups, 4)]
    theirs = [len(test) for _, test in GroupKFold(4).split(groups, groups=groups)]
    assert np.ptp(ours) <= np.ptp(theirs)


def test_grouping_is_deterministic_and_ignores_the_kind_of_label():
    numbers = np.repeat([3, 1, 2, 7], [5, 5, 8, 2])
    words = [f"run-{k}" for k in numbers]
    for (a, b), (c, d) in zip(splits.by_group(numbers, 2), splits.by_group(words, 2), strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)


@pytest.mark.parametrize(
    ("groups", "k", "match"),
    [
        (["a"] * 5, None, "at least 2 groups; got 1"),
        (["a", "b", "c"], 4, "Cannot make 4 folds of 3 groups"),
        (["a", "b", "c"], 1, "Cannot make 1 folds of 3 groups"),
        (["a", None, "b"], None, "1 of 3 samples have no group label"),
        ([1.0, np.nan, 2.0], None, r"no group label \(first: sample 1\)"),
        ([], None, r"shape \(samples,\); got \(0,\)"),
        ([[1, 2]], None, r"shape \(samples,\); got \(1, 2\)"),
    ],
)
def test_by_group_says_what_does_not_fit(groups, k, match):
    with pytest.raises(DataError, match=match):
        splits.by_group(groups, k)


def test_folds_from_elsewhere_are_accepted():
    folds = splits.check_folds(KFold(3, shuffle=True, random_state=0).split(np.zeros(9)), 9)
    assert len(folds) == 3
    masks = [(np.array([True, False]), np.array([False, True]))]
    assert [side.tolist() for side in splits.check_folds(masks, 2)[0]] == [[0], [1]]


@pytest.mark.parametrize(
    ("folds", "match"),
    [
        ([], "at least one"),
        ([([0, 1], [1, 2])], "1 sample in both the training and the test set"),
        ([([0, 1, 2], [1, 2])], "2 samples in both"),
        ([([0], [])], "empty side"),
        ([([0], [9])], "outside the 5 samples"),
        ([([0], [-1])], "outside the 5 samples"),
        ([([0, 0], [1])], "repeats a sample"),
        ([([0.5], [1])], "expected integers"),
        (KFold(3), "got a KFold.* pass list"),
        ([1, 2], "pairs of index arrays; got a list"),
        ("loo", "pairs of index arrays; got a str"),
        ([([0], [1], [2])], "pairs of index arrays; got a list"),
    ],
)
def test_bad_folds_are_refused(folds, match):
    with pytest.raises(DataError, match=match):
        splits.check_folds(folds, 5)


@settings(max_examples=60, deadline=None)
@given(st.integers(40, 90), st.integers(1, 9), st.integers(2, 4), st.integers(0, 2), st.integers(0))
def test_chunks_stay_whole_keep_the_gap_and_are_dealt_evenly(n, chunk, k, gap, seed):
    try:
        folds = splits.chunked(n, chunk, k, gap, seed)
    except DataError:
        assert gap >= chunk / 2
        return
    fold = np.full(n, -1)
    for index, (train, test) in enumerate(folds):
        fold[test] = index
        assert np.abs(train[:, None] - test[None]).min() > gap
        lost = np.setdiff1d(np.arange(n), np.concatenate([train, test]))
        assert (np.abs(lost[:, None] - test[None]).min(axis=1) <= gap).all()
    assert (fold >= 0).all()
    whole = fold[: n // chunk * chunk].reshape(-1, chunk)
    assert (whole == whole[:, :1]).all()
    assert np.ptp(np.bincount(fold[::chunk], minlength=k)) <= 1
    np.testing.assert_array_equal(folds[0][1], splits.chunked(n, chunk, k, gap, seed)[0][1])


def test_shuffled_folds_must_be_asked_for_twice():
    with pytest.raises(DataError, match="Shuffled folds of 100 samples put neighbours.*by_group"):
        splits.shuffled(100, 5)
    with pytest.raises(DataError, match="Shuffled folds"):
        splits.shuffled(100, 5, allow_leakage=1)
    folds = splits.shuffled(100, 5, seed=1, allow_leakage=True)
    assert [len(test) for _, test in folds] == [20] * 5
    np.testing.assert_array_equal(np.sort(np.concatenate([b for _, b in folds])), np.arange(100))
    assert all(np.diff(test).max() > 1 for _, test in folds)
    splits.check_folds(folds, 100)
    other = splits.shuffled(100, 5, seed=2, allow_leakage=True)
    assert any((a != b).any() for (_, a), (_, b) in zip(folds, other, strict=True))


def test_a_cv_argument_becomes_the_folds_it_stands_for():
    def same(ours, theirs):
        pairs = zip(ours, theirs, strict=True)
        return all((x[k] == y[k]).all() for x, y in pairs for k in (0, 1))

    groups = np.repeat(["a", "b", "c"], 5)
    assert same(splits.from_cv(15, 3, gap=1), splits.contiguous(15, 3, 1))
    assert same(splits.from_cv(15, None, groups), splits.by_group(groups))
    assert same(splits.from_cv(15, np.int64(2), groups), splits.by_group(groups, 2))
    own = splits.shuffled(15, 3, allow_leakage=True)
    assert same(splits.from_cv(15, iter(own), groups), own)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: splits.chunked(10, 0, 2), "chunk .samples. is 0"),
        (lambda: splits.chunked(10, 4, 4), "Cannot cut 3 chunks of 4 samples into 4 folds"),
        (lambda: splits.chunked(10, 2, 2, gap=9), "A gap of 9 samples leaves nothing"),
        (lambda: splits.shuffled(3, 4, allow_leakage=True), "Cannot cut 3 samples into 4 folds"),
        (lambda: splits.from_cv(10, None), "cv=None leaves one group out"),
        (lambda: splits.from_cv(10, 2, gap=1, groups=["a"] * 10), "A gap belongs to contiguous"),
        (lambda: splits.from_cv(10, [([0], [1])], gap=1), "A gap belongs to contiguous"),
        (lambda: splits.from_cv(10, 2, groups=["a", "b"]), r"groups of shape \(10,\)"),
    ],
)
def test_new_folds_say_what_does_not_fit(call, match):
    with pytest.raises(DataError, match=match):
        call()
