"""What surprisal adds to reading times: least squares by hand, planted effects, chance."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from neurokit.alignment import added_r2
from neurokit.errors import DataError

STORIES = Path(__file__).resolve().parents[3] / "shared" / "data" / "alignment" / "naturalstories"


def made(seed=0, n=200, stories=5, effect=2.0, lag=1):
    rng = np.random.default_rng(seed)
    groups = np.repeat([f"story {k}" for k in range(stories)], n)
    bits, length = rng.gamma(2, 3, (2, len(groups)))
    rt = 300 + 5 * length + effect * np.roll(bits, lag) + 10 * rng.standard_normal(len(groups))
    return bits, rt, np.column_stack([length, np.tile(np.arange(n), stories)]), groups


def by_hand(bits, rt, controls, groups, spillover):
    """Build lagged rows story by story, and fit with scikit-learn."""
    rows = {"base": [], "all": [], "rt": [], "story": []}
    for story in dict.fromkeys(groups):
        index = np.flatnonzero(groups == story)
        for place in range(spillover, len(index)):
            past = index[place - np.arange(spillover + 1)]
            if not np.isfinite(rt[index[place]]):
                continue
            rows["base"].append(controls[past].ravel())
            rows["all"].append(np.append(controls[past].ravel(), bits[past]))
            rows["rt"].append(rt[index[place]])
            rows["story"].append(story)
    y, story = np.array(rows["rt"]), np.array(rows["story"])
    scores = {"base": [], "all": []}
    for name, values in scores.items():
        x = np.array(rows[name])
        for left in dict.fromkeys(groups):
            train, test = story != left, story == left
            guess = LinearRegression().fit(x[train], y[train]).predict(x[test])
            total = ((y[test] - y[train].mean()) ** 2).sum()
            values.append(1 - ((y[test] - guess) ** 2).sum() / total)
    return np.array(scores["base"]), np.array(scores["all"])


@pytest.mark.parametrize("spillover", [0, 1, 3])
def test_equals_least_squares_story_by_story(spillover):
    bits, rt, controls, groups = made()
    rt[[0, 7, 250]] = np.nan
    found = added_r2(
        bits, rt, nuisance=controls, groups=groups, spillover=spillover, n_permutations=0
    )
    base, joint = by_hand(bits, rt, controls, groups, spillover)
    np.testing.assert_allclose(found.r2_nuisance_fold, base, atol=1e-9)
    np.testing.assert_allclose(found.r2_fold, joint, atol=1e-9)
    np.testing.assert_allclose(found.added_r2, (joint - base).mean(), atol=1e-9)
    assert found.group.values.tolist() == [f"story {k}" for k in range(5)]


def test_an_effect_that_spills_over_needs_spillover():
    bits, rt, controls, groups = made(lag=2)
    near = added_r2(bits, rt, controls, groups, 1)
    far = added_r2(bits, rt, controls, groups, 2)
    assert near.added_r2 < 0.02
    assert far.added_r2 > 0.1
    assert far.p < 0.01
    assert far.low < far.added_r2 < far.high


def test_spillover_never_crosses_stories():
    bits, rt, controls, groups = made()
    one = added_r2(bits, rt, controls, groups, 2, n_permutations=0)
    order = np.concatenate([np.flatnonzero(groups == f"story {k}") for k in (3, 0, 4, 2, 1)])
    two = added_r2(bits[order], rt[order], controls[order], groups[order], 2, n_permutations=0)
    np.testing.assert_allclose(
        one.sortby("group").added_r2_fold, two.sortby("group").added_r2_fold, atol=1e-10
    )


def test_noise_adds_nothing_and_is_not_significant():
    found = [
        added_r2(*made(seed, effect=0), n_permutations=40, n_bootstraps=0) for seed in range(12)
    ]
    assert abs(np.mean([f.added_r2 for f in found])) < 0.01
    assert np.mean([f.p <= 0.05 for f in found]) <= 0.25
    assert 0.2 < np.mean([f.p for f in found]) < 0.8


def test_the_interval_of_few_stories_is_as_wide_as_students():
    """The percentiles of resamples alone are half as wide with four stories."""
    width = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        n, length = 4, 60
        slope = np.repeat(1 + rng.standard_normal(n), length)
        bits, noise = rng.standard_normal((2, n * length))
        groups = np.repeat(np.arange(n), length)
        found = added_r2(bits, slope * bits + noise, np.zeros(n * length), groups, 0,
                         n_permutations=0, n_bootstraps=200, seed=seed)  # fmt: skip
        spread = found.added_r2_fold.values.std(ddof=1)
        width.append(float(found.high - found.low) / spread)
    # Student's interval of four values is 3.18 standard deviations wide.
    assert 2.6 < np.median(width) < 3.6


def test_units_change_nothing():
    bits, rt, controls, groups = made()
    one = added_r2(bits, rt, controls, groups)
    two = added_r2(bits * 1e-5 + 3, rt / 1000, controls * 1e4 - 7, groups)
    np.testing.assert_allclose(one.added_r2_fold, two.added_r2_fold, atol=1e-8)
    np.testing.assert_allclose([one.r, one.p], [two.r, two.p], atol=1e-8)


def test_bad_input_is_named():
    bits, rt, controls, groups = made()
    missing = bits.copy()
    missing[[4, 9]] = np.nan
    for arguments, message in (
        ((bits[:-1], rt, controls, groups), r"got shapes \(999, 1\), \(1000, 2\)"),
        ((missing, rt, controls, groups), "predictor of 2 words are missing: word 4, 9"),
        ((bits, rt, controls, np.zeros(1000)), "at least two; got one"),
        ((bits, rt, controls, np.tile([1, 2], 500)), "must stand together"),
        ((bits, np.full(1000, np.nan), controls, groups), "reading times in every story"),
        ((bits, rt, controls, groups, -1), "spillover"),
    ):
        with pytest.raises(DataError, match=message):
            added_r2(*arguments)
    with pytest.raises(DataError, match="confidence between 0 and 1"):
        added_r2(bits, rt, controls, groups, confidence=95)


@pytest.mark.skipif(not STORIES.is_dir(), reason="needs the shared recordings")
def test_surprisal_explains_reading_times_of_natural_stories():
    table = pd.read_csv(STORIES / "ns_words_rt_surprisal.csv").sort_values(["item", "zone"])
    length = table.word.str.len()
    controls = np.column_stack([length, table.log2freq, table.zone])
    # As released: the column meanItemRT_realigned gives each word the time of the word before.
    found = added_r2(table.surprisal, table.meanItemRT, controls, table.item, n_permutations=40)
    assert found.added_r2 > 0.02
    assert 0.29 < found.r < 0.33
    assert found.low > 0
    assert found.p < 0.03
