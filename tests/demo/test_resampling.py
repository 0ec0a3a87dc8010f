import numpy as np
import pytest
from scipy import stats

from neurokit.demo.resampling import block_interval, p_value, upper


def test_interval_of_a_mean_agrees_with_scipy():
    x = np.random.default_rng(0).normal(size=60)
    ours = block_interval(lambda i: x[i].mean(), 60, seed=1, n_resamples=4000)
    theirs = stats.bootstrap(
        (x,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(2)
    ).confidence_interval
    np.testing.assert_allclose(ours, theirs, atol=0.03)


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        x = rng.normal(size=40)
        low, high = block_interval(lambda i, x=x: x[i].mean(), 40, trial, 200, level=0.9)
        hits += low < 0 < high
    assert 0.82 < hits / 200 < 0.96


@pytest.mark.parametrize("n_blocks", [5, 7, 12])
def test_interval_of_few_blocks_is_no_shorter_for_it(n_blocks):
    rng = np.random.default_rng(1)
    hits = 0
    for trial in range(400):
        x = rng.normal(size=n_blocks)
        low, high = block_interval(lambda i, x=x: x[i].mean(), n_blocks, trial, 400)
        hits += low < 0 < high
    assert hits / 400 > 0.92  # plain percentiles cover 0.81, 0.86 and 0.91


def test_seed_decides():
    x = np.arange(20.0)
    first = block_interval(lambda i: x[i].mean(), 20, seed=5)
    assert first == block_interval(lambda i: x[i].mean(), 20, seed=5)
    assert first != block_interval(lambda i: x[i].mean(), 20, seed=6)


def test_number_drawn_sets_the_size_of_a_sample():
    sizes = set()
    block_interval(lambda i: float(sizes.add(len(i)) or 0), 50, 0, 10, n_drawn=7)
    assert sizes == {7}


@pytest.mark.parametrize(
    ("value", "smaller", "p"), [(10, False, 0.2), (-1, True, 0.2), (1.5, False, 0.6)]
)
def test_p_value_counts_the_observed_score(value, smaller, p):
    assert p_value(value, np.array([0, 1, 2, 3]), smaller) == pytest.approx(p)


def test_p_values_are_uniform_under_the_null():
    rng = np.random.default_rng(0)
    p = [p_value(rng.normal(), rng.normal(size=199)) for _ in range(1000)]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_one_draw_in_forty_is_above_the_upper_end():
    null = np.random.default_rng(0).normal(size=4000)
    assert (null > upper(null)).mean() == pytest.approx(1 / 40)
