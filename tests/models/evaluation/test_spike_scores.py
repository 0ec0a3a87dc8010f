"""Scores of rates, by hand, against scipy's Poisson distribution and scikit-learn."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from sklearn.metrics import r2_score

from neurokit.errors import DataError
from neurokit.models.evaluation import (
    bits_per_spike,
    co_bps,
    psth_r2,
    rate_correlation,
    unit_bits_per_spike,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def long_way(counts, rates):
    """Bits per spike from the full likelihood of each bin."""
    counts, rates = (np.asarray(x, dtype=float).reshape(-1, x.shape[-1]) for x in (counts, rates))
    gain = 0.0
    for c, r in zip(counts.T, rates.T, strict=True):
        c, r = c[~np.isnan(c)], np.where(r == 0, 1e-9, r)[~np.isnan(c)]
        mean = c.mean() or 1e-9
        gain += stats.poisson.logpmf(c, r).sum() - stats.poisson.logpmf(c, mean).sum()
    return gain / np.nansum(counts) / np.log(2)


def test_bits_worked_by_hand():
    # Unit 0: spikes 2, 0 under 1.5, .5. NLL_model = 2 - 2 ln 1.5 + ln 2, NLL_null = 2 + ln 2.
    # Unit 1: spikes 1, 1 under 2, 2. NLL_model = 4 - 2 ln 2, NLL_null = 2.
    counts, rates = np.array([[2, 1], [0, 1]]), np.array([[1.5, 2.0], [0.5, 2.0]])
    first, second = 2 * np.log(1.5), 2 * np.log(2) - 2
    found = unit_bits_per_spike(counts, rates).values * np.log(2)
    np.testing.assert_allclose(found, [first / 2, second / 2])
    assert bits_per_spike(counts, rates) == pytest.approx((first + second) / 4 / np.log(2))
    assert co_bps(counts, rates, [0]) == pytest.approx(np.log2(1.5))
    assert co_bps(counts, rates, [False, True]) == pytest.approx(second / 2 / np.log(2))


def test_bits_equal_the_full_likelihood(rng):
    rates = rng.exponential(0.3, (6, 20, 5))
    counts = rng.poisson(rates * rng.exponential(1, (6, 20, 5))).astype(float)
    rates[rng.random(rates.shape) < 0.05] = 0
    counts[3, 15:] = np.nan
    counts[4, :, 2] = np.nan
    counts[:, :, 4] *= 0
    assert bits_per_spike(counts, rates) == pytest.approx(long_way(counts, rates))
    assert co_bps(counts, rates, [1, 4]) == pytest.approx(
        long_way(counts[..., [1, 4]], rates[..., [1, 4]])
    )


def test_units_weighted_by_spikes_make_the_whole(rng):
    counts, rates = rng.poisson(0.5, (50, 4)), rng.exponential(0.5, (50, 4))
    each = unit_bits_per_spike(counts, rates).values
    assert np.average(each, weights=counts.sum(0)) == pytest.approx(bits_per_spike(counts, rates))


def test_the_mean_scores_zero_truth_above_and_a_shuffle_below(rng):
    rates = np.exp(rng.normal(-1, 1, (20_000, 3)))
    counts = rng.poisson(rates)
    mean = np.broadcast_to(counts.mean(axis=0), counts.shape)
    assert bits_per_spike(counts, mean) == pytest.approx(0, abs=1e-12)
    # In expectation: mean of r log2 r over mean r, minus log2 of mean r.
    wanted = (rates * np.log2(rates)).sum(0) - rates.sum(0) * np.log2(rates.mean(0))
    assert bits_per_spike(counts, rates) == pytest.approx(wanted.sum() / rates.sum(), rel=0.05)
    assert bits_per_spike(counts, rng.permutation(rates)) < -0.5


def test_time_may_be_cut_into_trials_and_padded(rng):
    counts, rates = rng.poisson(0.5, (60, 2)).astype(float), rng.exponential(0.5, (60, 2))
    padded = np.full((3, 25, 2), np.nan), np.full((3, 25, 2), np.nan)
    for new, old in zip(padded, (counts, rates), strict=True):
        new[:, :20] = old.reshape(3, 20, 2)
    assert bits_per_spike(*padded) == pytest.approx(bits_per_spike(counts, rates))


def test_an_impossible_spike_costs_much_but_not_infinitely():
    assert bits_per_spike([[1], [0]], [[0.0], [0.5]]) == pytest.approx(
        (np.log(1e-9 / 0.5) + 1 - 0.5) / np.log(2)
    )


def test_silence_has_no_score():
    assert np.isnan(bits_per_spike(np.zeros((3, 2)), np.ones((3, 2))))
    each = unit_bits_per_spike([[0, 1], [0, 0]], np.full((2, 2), 0.5))
    np.testing.assert_allclose(each, [np.nan, 0])


def test_units_keep_their_ids_and_must_agree():
    counts = xr.DataArray([[1.0, 0], [0, 1]], {"unit": [7, 3]}, ("time", "unit"))
    assert unit_bits_per_spike(counts, counts + 0.5).unit.values.tolist() == [7, 3]
    with pytest.raises(DataError, match=r"\[7 3\] and \[3 7\].*rates.sel"):
        bits_per_spike(counts, counts.isel(unit=[1, 0]))


COUNTS = np.array([[1.0, 0.0], [0.0, 2.0]])


@pytest.mark.parametrize(
    ("counts", "rates", "message"),
    [
        (COUNTS, COUNTS[:1], r"one shape .* got \(2, 2\) and \(1, 2\)"),
        (COUNTS[0], COUNTS[0], r"got \(2,\)"),
        (COUNTS + 0.5, COUNTS, "no whole numbers. Counts come first"),
        (-COUNTS, COUNTS, "no whole numbers"),
        (COUNTS, COUNTS - 1, "Some rates are negative"),
        (COUNTS, COUNTS * np.nan, "missing or infinite"),
    ],
)
def test_what_no_likelihood_can_be_computed_of_is_refused(counts, rates, message):
    with pytest.raises(DataError, match=message):
        bits_per_spike(counts, rates)


@pytest.mark.parametrize(
    ("held_out", "message"),
    [([], "0 of 2"), ([0, 1], "2 of 2"), ([2], "does not index 2 units"),
     ([0, 1, 0], r"begins \[0 1 0\]. .* held_out.astype"),
     ([True, False, True], "does not index 2 units"), ([0.5], "does not index")],
)  # fmt: skip
def test_co_smoothing_needs_both_kinds_of_units(held_out, message):
    with pytest.raises(DataError, match=message):
        co_bps(COUNTS, COUNTS, held_out)


def test_psth_worked_by_hand():
    # Condition a: averages 1, 3; condition b: 0, 0. Mean 1, squares 0 + 4 + 1 + 1 = 6.
    counts = np.array([[0, 2], [2, 4], [0, 0]])[..., None]
    rates = np.array([[1, 3], [1, 1], [0, 1]])[..., None]  # averages 1, 2 and 0, 1: error 1 + 1
    found = psth_r2(counts, rates, ["a", "a", "b"])
    np.testing.assert_allclose(found, [1 - 2 / 6])
    np.testing.assert_allclose(psth_r2(counts, counts, ["a", "a", "b"]), [1])


def test_psth_equals_scikit_learn_on_the_averages(rng):
    counts, rates = rng.poisson(1, (30, 12, 4)).astype(float), rng.exponential(1, (30, 12, 4))
    condition = rng.integers(3, size=30)
    counts[condition == 1, 10:] = np.nan
    psth, model = (
        np.concatenate([x[condition == c, : 10 if c == 1 else 12].mean(axis=0) for c in range(3)])
        for x in (counts, rates)
    )
    wanted = r2_score(psth, model, multioutput="raw_values")
    np.testing.assert_allclose(psth_r2(counts, rates, condition), wanted)


def test_true_rates_explain_a_psth_of_many_trials_and_no_constant_one(rng):
    rate = 1 + np.sin(np.linspace(0, 6, 50))[:, None] * [0.9, 0]
    counts = rng.poisson(rate, (500, 50, 2))
    found = psth_r2(counts, np.broadcast_to(rate, counts.shape)).values
    assert found[0] > 0.98
    assert abs(found[1]) < 0.1
    assert np.isnan(psth_r2(np.ones((4, 3, 1)), np.ones((4, 3, 1)))).all()


@pytest.mark.parametrize(
    ("shape", "condition", "message"),
    [((4, 2), None, r"\(trial, time, unit\); got \(4, 2\)"),
     ((4, 2, 1), [0, 1], r"conditions of shape \(2,\) for 4 trials")],
)  # fmt: skip
def test_psth_needs_trials_and_their_conditions(shape, condition, message):
    with pytest.raises(DataError, match=message):
        psth_r2(np.ones(shape), np.ones(shape), condition)


def test_correlations_worked_by_hand():
    counts = np.array([[0.0, 2, 1], [1, 0, 1], [2, 4, 1]])
    rates = np.array([[1.0, 1, 0], [2, 1, 5], [3, 4, 1]])
    found = rate_correlation(counts, rates)
    pairs = np.corrcoef(counts[:, :2].T, rates.T)[:2, 2:]
    np.testing.assert_allclose(found.r, [1, pairs[1, 1], np.nan])
    np.testing.assert_allclose(found.r_others, [pairs[1, 0], pairs[0, 1], pairs[:, 2].mean()])
    assert np.isnan(found.across_units)  # mean rates are 2 for all
    again = rate_correlation(counts, rates + np.array([0, 2, 0]))
    assert float(again.across_units) == pytest.approx(1)  # means 1, 2, 1 and 2, 4, 2


def test_common_ups_and_downs_do_not_pass_for_knowledge_of_units(rng):
    common = rng.exponential(1, (5000, 1))
    own = rng.exponential(1, (5000, 12))
    counts = rng.poisson(common * own)
    blind, sighted = (rate_correlation(counts, np.broadcast_to(x, own.shape).copy())
                      for x in (common, common * own))  # fmt: skip
    assert abs(float((blind.r - blind.r_others).mean())) < 0.02
    assert float((sighted.r - sighted.r_others).median()) > 0.3


def test_correlation_of_generated_rates_over_units(rng):
    rates = rng.exponential(2, 40)
    recorded, generated = (rng.poisson(rates, (400, 40)) for _ in range(2))
    assert float(rate_correlation(recorded, generated).across_units) > 0.98
    shuffled = generated[:, rng.permutation(40)]
    assert abs(float(rate_correlation(recorded, shuffled).across_units)) < 0.5
