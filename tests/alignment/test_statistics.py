from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import scipy.stats
from sklearn.metrics import r2_score

from neurokit.alignment import resampling, splits, statistics
from neurokit.errors import DataError


def autoregressive(rng, shape, coefficient):
    return scipy.signal.lfilter([1], [1, -coefficient], rng.standard_normal(shape), axis=0)


def test_pearson_equals_scipy_and_constants_score_zero():
    rng = np.random.default_rng(0)
    y, prediction = rng.standard_normal((2, 50, 6)) + 100
    prediction[:, 4] = 3.3
    y[:, 5] = 0.1
    r = statistics.pearson(y, prediction)
    expected = [scipy.stats.pearsonr(y[:, k], prediction[:, k])[0] for k in range(4)]
    np.testing.assert_allclose(r[:4], expected, atol=1e-12)
    assert r[4:].tolist() == [0, 0]
    shifted = statistics.pearson(5 * y - 7, 0.1 * prediction + 1e3)
    np.testing.assert_allclose(shifted[:4], expected, atol=1e-9)
    # Rounding of a constant that has no exact binary form must not correlate with anything.
    assert (statistics.pearson(y[:, :4], np.full((50, 4), 1e6 / 3)) == 0).all()


def test_r2_is_measured_against_the_training_mean():
    rng = np.random.default_rng(1)
    y = rng.standard_normal((40, 3)) + 2
    prediction = y + 0.5 * rng.standard_normal((40, 3))
    np.testing.assert_allclose(
        statistics.r2(y, prediction, y.mean(axis=0)),
        r2_score(y, prediction, multioutput="raw_values"),
    )
    mean = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(statistics.r2(y, np.broadcast_to(mean, y.shape), mean), 0)
    assert statistics.r2(np.ones((5, 1)), np.ones((5, 1)), [1.0]).tolist() == [0]


def test_rotations_equal_moving_the_rows_one_by_one():
    rng = np.random.default_rng(2)
    y, prediction = rng.standard_normal((2, 30, 4))
    fold = np.repeat([0, 1], [17, 13])
    measured, predicted = (resampling.unit_norm_by(a, fold) for a in (y, prediction))
    null = resampling._rotated(measured, predicted, fold, 20, np.random.default_rng(5))
    again = np.random.default_rng(5)
    moves = [again.integers(17, size=20), again.integers(13, size=20)]
    for i in range(20):
        moved = np.concatenate(
            [np.roll(prediction[fold == k], moves[k][i], axis=0) for k in (0, 1)]
        )
        r = [statistics.pearson(y[fold == k], moved[fold == k]) for k in (0, 1)]
        np.testing.assert_allclose(null[i], np.mean(r, axis=0), atol=1e-12)


def test_blocks_change_places_inside_their_segment_only():
    segment = np.repeat([0, 1], [10, 7])
    marks = np.arange(17.0)[:, None]
    seen = []
    # With y an indicator of one row, the null is the mark of the row that moved there.
    for row in range(17):
        y = np.zeros((17, 1))
        y[row] = 1
        rng = np.random.default_rng(0)
        seen.append(resampling._exchanged(y, marks, segment, 3, 50, rng)[:, 0])
    order = np.array(seen).T.astype(int)
    np.testing.assert_array_equal(np.sort(order, axis=1), np.tile(np.arange(17), (50, 1)))
    assert (order[:, :10] < 10).all()
    neighbours = (np.diff(order[:, :10], axis=1) == 1).sum(axis=1)
    assert (neighbours >= 6).all()  # 10 rows in blocks of 3: 6 pairs are never parted
    assert len(np.unique(order, axis=0)) > 20


@pytest.mark.parametrize("block", [None, 25])
def test_p_is_uniform_for_autocorrelated_series_that_have_nothing_in_common(block):
    rng = np.random.default_rng(3)
    y, prediction = (autoregressive(rng, (1000, 600), 0.8) for _ in range(2))
    fold = np.repeat(np.arange(4), 250)
    p = statistics.permutation_p(y, prediction, fold, block=block, n_permutations=199)
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=0.03)
    assert np.mean(p) == pytest.approx(0.5, abs=0.05)
    naive = statistics.permutation_p(y, prediction, fold, block=1, n_permutations=199)
    assert (naive < 0.05).mean() > 0.15  # what single-sample shuffles would have said


def test_p_of_a_real_prediction_is_the_smallest_possible():
    rng = np.random.default_rng(4)
    y = autoregressive(rng, (400, 3), 0.5)
    prediction = y + rng.standard_normal((400, 3))
    fold = np.repeat(np.arange(4), 100)
    for block in (None, 10):
        p = statistics.permutation_p(y, prediction, fold, block=block, n_permutations=99)
        np.testing.assert_allclose(p, 0.01)
    assert (statistics.permutation_p(y, -prediction, fold, n_permutations=99) > 0.95).all()


def test_p_counts_ties_and_depends_on_the_seed_alone():
    y = np.random.default_rng(5).standard_normal((40, 2))
    fold = np.repeat([0, 1], 20)
    stuck = statistics.permutation_p(y, y, fold, segment=np.arange(40), n_permutations=50)
    np.testing.assert_array_equal(stuck, 1)  # every move leaves every row in its place
    constant = statistics.permutation_p(y, np.zeros((40, 2)), fold, n_permutations=50)
    np.testing.assert_array_equal(constant, 1)
    noise = np.random.default_rng(6).standard_normal((40, 2))
    first, same, other = (
        statistics.permutation_p(y, noise, fold, n_permutations=50, seed=seed) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


def test_interval_without_resampling_is_the_mean_of_the_folds():
    rng = np.random.default_rng(7)
    y = rng.standard_normal((60, 5))
    prediction = y + rng.standard_normal((60, 5))
    fold = np.repeat([0, 1, 2], [10, 20, 30])
    r = np.array([statistics.pearson(y[fold == k], prediction[fold == k]) for k in range(3)])
    # Folds as units: a resample is a mean of fold scores, so the widest interval spans them.
    low, high = statistics.bootstrap_interval(
        y, prediction, fold, fold, confidence=0.9999, n_bootstraps=2000
    )
    few = np.sqrt(3 / 2) * scipy.stats.t.ppf(0.99995, 2) / scipy.stats.norm.ppf(0.99995)
    for end, widest in ((low, r.min(axis=0)), (high, r.max(axis=0))):
        score = np.arctanh(r.mean(axis=0))
        np.testing.assert_allclose(end, np.tanh(score + few * (np.arctanh(widest) - score)))
    assert (low <= r.mean(axis=0)).all()
    assert (r.mean(axis=0) <= high).all()


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(8)
    y = autoregressive(rng, (1500, 400), 0.8)
    prediction = y + autoregressive(rng, (1500, 400), 0.8)
    truth, fold = np.sqrt(0.5), np.zeros(1500)
    low, high = statistics.bootstrap_interval(y, prediction, fold, np.arange(1500) // 50)
    assert ((low < truth) & (truth < high)).mean() > 0.88
    low, high = statistics.bootstrap_interval(y, prediction, fold, np.arange(1500))
    assert ((low < truth) & (truth < high)).mean() < 0.75  # time points are not independent


@pytest.mark.parametrize("n_units", [3, 5, 10])
def test_interval_of_few_units_covers_the_truth(n_units):
    rng = np.random.default_rng(11)
    y = rng.standard_normal((40 * n_units, 800))
    effect = np.repeat(rng.standard_normal((n_units, 800)), 40, axis=0)  # units differ
    prediction = (0.7 + 0.2 * effect) * y + rng.standard_normal(y.shape)
    truth = 0.7 / np.sqrt(1 + 0.7**2 + 0.2**2)
    unit = np.repeat(np.arange(n_units), 40)
    low, high = statistics.bootstrap_interval(y, prediction, np.zeros(len(y)), unit)
    assert 0.91 < ((low < truth) & (truth < high)).mean() < 0.99


@pytest.mark.parametrize("block", [None, 5])
def test_what_separates_stretches_is_no_evidence_and_not_inflated(block):
    rng = np.random.default_rng(12)
    stretch = np.repeat(np.arange(10), 20)
    offset = 3 * rng.standard_normal((2, 10, 400))[:, stretch]
    y, prediction = rng.standard_normal((2, 200, 400)) + offset
    fold = stretch // 5
    p = statistics.permutation_p(
        y, prediction, fold, stretch, block=block, n_permutations=99, inflation=2**0.5
    )
    assert (p <= 0.05).mean() < 0.06  # with the offsets inflated, 0.4: half of them negative
    exact = statistics.permutation_p(y, prediction, fold, stretch, block=block, n_permutations=99)
    assert 0.02 < (exact <= 0.05).mean() < 0.08


def test_interval_is_widened_on_fishers_scale():
    rng = np.random.default_rng(9)
    y = rng.standard_normal((100, 2))
    prediction = y + 0.3 * rng.standard_normal((100, 2))
    args = (y, prediction, np.zeros(100), np.arange(100) // 5)
    plain = np.arctanh(statistics.bootstrap_interval(*args))
    wide = np.arctanh(statistics.bootstrap_interval(*args, inflation=2.0))
    r = np.arctanh(statistics.pearson(y, prediction))
    np.testing.assert_allclose(wide - r, 2 * (plain - r))
    perfect = statistics.bootstrap_interval(y, y, *args[2:], inflation=2.0)
    np.testing.assert_allclose(perfect, 1)


def test_folds_that_train_each_other_are_told_from_those_that_do_not():
    assert statistics.fold_inflation(splits.contiguous(20, 4), 20) == pytest.approx(2**0.5)
    forward = [(np.arange(5 * k), np.arange(5 * k, 5 * k + 5)) for k in (1, 2, 3)]
    assert statistics.fold_inflation(forward, 20) == 1
    again = [(np.arange(5), np.arange(5, 9)), (np.arange(4), np.arange(5, 9))]
    assert statistics.fold_inflation(again, 9) == pytest.approx(2**0.5)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda y: statistics.pearson(y, y[:5]), r"got \(10, 2\) and \(5, 2\)"),
        (lambda y: statistics.pearson(y[:1], y[:1]), "at least 2 samples"),
        (lambda y: statistics.permutation_p(y, y, np.zeros(9)), r"labels of shape \(10,\)"),
        (lambda y: statistics.permutation_p(y, y, np.zeros(10), block=0), "at least 1"),
        (lambda y: statistics.permutation_p(y, y, np.zeros(10), n_permutations=0), "at least 1"),
        (lambda y: statistics.bootstrap_interval(y, y, np.zeros(10), np.zeros(10)), "got 1, 1000"),
        (
            lambda y: statistics.bootstrap_interval(
                y, y, np.zeros(10), np.arange(10), confidence=95
            ),
            "confidence between 0 and 1",
        ),
    ],
)
def test_says_what_does_not_fit(call, match):
    with pytest.raises(DataError, match=match):
        call(np.random.default_rng(0).standard_normal((10, 2)))


@pytest.mark.parametrize(("dependent", "method"), [(False, "fdr_bh"), (True, "fdr_by")])
def test_false_discovery_is_statsmodels_and_skips_what_was_not_tested(dependent, method):
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p = np.random.default_rng(0).uniform(0, 0.3, (6, 5))
    expected = multitest.multipletests(p.ravel(), method=method)[1].reshape(6, 5)
    np.testing.assert_allclose(statistics.false_discovery(p, dependent=dependent), expected)
    holes = np.column_stack([p, np.full(6, np.nan)])
    found = statistics.false_discovery(holes, dependent=dependent)
    np.testing.assert_allclose(found[:, :5], expected)
    assert np.isnan(found[:, 5]).all()
    with pytest.raises(DataError, match="p-values from 0 to 1; got -0.1 to 0.5"):
        statistics.false_discovery([-0.1, 0.5])
