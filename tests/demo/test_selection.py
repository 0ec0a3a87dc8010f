import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from neurokit.demo.selection import CANDIDATES, discriminant, left_out, nested
from neurokit.errors import DataError


def patterns(signal=1.5, seed=0, runs=6, voxels=20):
    rng = np.random.default_rng(seed)
    y = np.tile(list("abcd"), runs)
    shapes = rng.normal(size=(4, voxels))
    x = rng.normal(size=(len(y), voxels)) + signal * shapes[np.tile(np.arange(4), runs)]
    return x, y, np.repeat(np.arange(runs), 4)


@pytest.mark.parametrize("voxels", [5, 60])
def test_discriminant_equals_scikit_learn(voxels):
    x, y, _ = patterns(0.3, voxels=voxels)
    x[:, 1] = 0
    new = np.random.default_rng(1).normal(size=(200, voxels))
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, y).predict(new)
    np.testing.assert_array_equal(discriminant(x, y, new), theirs)
    keep = np.arange(len(y)) < 21
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x[keep], y[keep])
    np.testing.assert_array_equal(discriminant(x[keep], y[keep], new), theirs.predict(new))


def test_discriminant_of_two_blocks_a_class_equals_scikit_learn():
    x, y, _ = patterns(3.0, runs=2)
    new = patterns(3.0, seed=0)[0]
    theirs = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, y).predict(new)
    np.testing.assert_array_equal(discriminant(x, y, new), theirs)


def test_three_runs_are_too_few():
    with pytest.raises(DataError, match="Expected 4 runs or more .* got 3"):
        nested(*patterns(runs=3))


def test_choice_equals_the_plain_double_loop():
    x, y, run = patterns(0.6)
    candidates = {name: CANDIDATES[name] for name in ("nearest centroid", "ridge, penalty 1")}
    guess, chosen = nested(x, y, run, candidates)
    for left in range(6):
        rest = run != left
        inner = {
            name: (left_out(how, x[rest], y[rest], run[rest]) == y[rest]).mean()
            for name, how in candidates.items()
        }
        assert inner[chosen[left]] == max(inner.values())
        expected = candidates[chosen[left]](x[rest], y[rest], x[~rest])
        np.testing.assert_array_equal(guess[~rest], expected)


def test_labels_of_a_run_reach_neither_its_guesses_nor_its_choice():
    x, y, run = patterns(0.6)
    plain, chosen = nested(x, y, run)
    other = y.copy()
    other[run == 2] = np.roll(y[run == 2], 1)
    changed, again = nested(x, other, run)
    np.testing.assert_array_equal(plain[run == 2], changed[run == 2])
    assert chosen[2] == again[2]


def test_equal_classifiers_tie_to_the_first():
    x, y, run = patterns()
    same = {"first": discriminant, "second": discriminant}
    assert set(nested(x, y, run, same)[1]) == {"first"}


def test_chooses_the_one_that_works():
    x, y, run = patterns(3.0)
    useless = {"useless": lambda x, y, new: np.repeat(y[:1], len(new))}
    guess, chosen = nested(x, y, run, {**useless, "good": discriminant})
    assert set(chosen) == {"good"}
    assert (guess == y).mean() > 0.9


def test_choosing_among_many_scores_chance_without_signal():
    scores = []
    for seed in range(5):
        x, y, run = patterns(0.0, seed=seed, runs=4)
        scores.append((nested(x, y, run)[0] == y).mean())
    assert np.mean(scores) == pytest.approx(0.25, abs=0.1)
