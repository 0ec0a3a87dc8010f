from __future__ import annotations

import warnings

import numpy as np
import pytest
import xarray as xr
from sklearn.utils.estimator_checks import parametrize_with_checks

from neurokit.alignment import BandedRidgeCV, banded, bands, encode, ridge, splits, statistics
from neurokit.errors import DataError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore:Penalty grid edge")

THREE = {"few": np.arange(5), "many": np.arange(5, 45), "noise": np.arange(45, 60)}
SELECTIONS = ["gcv", "loo", "kfold", "hybrid"]


def simulate(n=300, v=100, seed=0, noise_width=15):
    """Targets that the first two bands explain, and the third does not."""
    rng = np.random.default_rng(seed)
    sizes = np.array([5, 40, noise_width])
    x = rng.standard_normal((n, sizes.sum()))
    weights = rng.standard_normal((len(x.T), v)) / np.sqrt(np.repeat(sizes, sizes))[:, None]
    weights[45:] = 0
    return x, x @ weights + rng.standard_normal((n, v))


@parametrize_with_checks([BandedRidgeCV(), BandedRidgeCV(selection="kfold", cv=3)])
def test_keeps_scikit_learns_conventions(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("p", [10, 200])
@pytest.mark.parametrize("intercept", [True, False])
def test_one_band_is_ridge(selection, p, intercept):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((90, p)) + 1
    y = x[:, :4] + rng.standard_normal((90, 4)) + 2
    folds = splits.contiguous(90, 3)
    plain = ridge.prepare(x, "auto", selection, folds, intercept)
    expected = ridge.solve(plain, y)
    problem = banded.prepare(x, {"all": np.arange(p)}, [[1.0]], "auto", selection, folds, intercept)
    found = banded.solve(problem, y)
    np.testing.assert_array_equal(found.chosen, expected.chosen)
    np.testing.assert_allclose(found.alpha, plain.alphas[expected.chosen], rtol=1e-12)
    coef = plain.spectrum.coefficients(expected.weights)
    np.testing.assert_allclose(found.coefficients(), coef, rtol=1e-9, atol=1e-11)
    new = rng.standard_normal((7, p))
    predicted = plain.spectrum.project(new) @ expected.weights + expected.y_mean
    np.testing.assert_allclose(found.predict(new), predicted, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("n", [300, 80, 40])
def test_small_decompositions_are_kept_for_more_targets(monkeypatch, selection, n):
    x, y = simulate(n, 8)
    made = []
    decompose = ridge.problem_of
    monkeypatch.setattr(ridge, "problem_of", lambda *a: made.append(1) or decompose(*a))
    settings = (THREE, bands.candidates(3, 6, 0), "auto", selection, splits.contiguous(n, 5))
    whole = banded.solve(banded.prepare(x, *settings), y)
    once = len(settings[1])
    for kept, calls in ((banded.KEPT_BYTES, once), (0, 2 * once)):
        monkeypatch.setattr(banded, "KEPT_BYTES", kept)
        made.clear()
        problem = banded.prepare(x, *settings)
        parts = [banded.solve(problem, y[:, at]) for at in (slice(0, 5), slice(5, 8))]
        assert len(made) == calls
        for name in ("alpha", "weighting", "error", "weights"):
            joined = np.concatenate([getattr(part, name) for part in parts], axis=-1)
            np.testing.assert_allclose(joined, getattr(whole, name), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("selection", SELECTIONS)
@pytest.mark.parametrize("n", [80, 40])
def test_each_target_has_the_ridge_fit_of_its_best_weighting(selection, n):
    x, y = simulate(n, 8)
    folds = splits.contiguous(n, 4)
    gammas = bands.candidates(3, 9, seed=2)
    found = banded.solve(banded.prepare(x, THREE, gammas, "auto", selection, folds), y)
    factor = np.repeat(np.sqrt(gammas), [5, 40, 15], axis=1)
    problems = [ridge.prepare(x * row, "auto", selection, folds) for row in factor]
    fits = [ridge.solve(problem, y) for problem in problems]
    best = np.argmin([fit.error for fit in fits], axis=0)
    np.testing.assert_array_equal(found.weighting, best)
    np.testing.assert_allclose(found.gamma, gammas[best].T)
    for k, w in enumerate(best):
        assert found.alpha[k] == pytest.approx(problems[w].alphas[fits[w].chosen[k]])
        scaled = problems[w].spectrum.coefficients(fits[w].weights)[:, k]
        np.testing.assert_allclose(found.coefficients()[:, k], scaled * factor[w], atol=1e-9)


def test_weights_are_those_of_one_penalty_per_band():
    x, y = simulate(120, 5)
    model = BandedRidgeCV(THREE, n_weightings=12).fit(x, y)
    centred = x - x.mean(axis=0)
    for k in range(5):
        penalty = np.repeat(model.best_alphas_[k] / model.gammas_[k], [5, 40, 15])
        target = centred.T @ (y[:, k] - y[:, k].mean())
        weights = np.linalg.solve(centred.T @ centred + np.diag(penalty), target)
        np.testing.assert_allclose(model.coef_[k], weights, atol=1e-9)


@pytest.mark.parametrize("noise_width", [15, 400])
def test_a_planted_band_of_noise_is_found_and_explains_nothing(noise_width):
    x, y = simulate(700, 200, noise_width=noise_width)
    columns = {"few": range(5), "many": slice(5, 45), "noise": slice(45, None)}
    train, test = slice(0, 500), slice(500, None)
    model = BandedRidgeCV(columns).fit(x[train], y[train])
    assert (model.gammas_.argmin(axis=1) == 2).mean() >= 0.95
    parts = model.r2_by_band(x[test], y[test])
    assert (np.abs(parts[2]) < 0.05).mean() >= 0.95
    # Signal of variance 1 in each of two bands, noise of variance 1.
    np.testing.assert_allclose(parts[:2].mean(axis=1), 1 / 3, atol=0.04)
    plain = BandedRidgeCV().fit(x[train], y[train])
    assert model.score(x[test], y[test]) > plain.score(x[test], y[test]) + 0.002


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("n", [40, 200])
def test_parts_sum_to_the_r2(n, intercept):
    x, y = simulate(n + 50, 30)
    x, y = x + 0.5, y + 3 * intercept
    model = BandedRidgeCV(THREE, fit_intercept=intercept).fit(x[:n], y[:n])
    predicted = model.predict(x[n:])
    split = model.predict_by_band(x[n:])
    assert split.shape == (3, 50, 30)
    np.testing.assert_allclose(split.sum(axis=0) + model.y_mean_, predicted, atol=1e-9)
    parts = model.r2_by_band(x[n:], y[n:])
    reference = y[:n].mean(axis=0) if intercept else np.zeros(30)
    total = statistics.r2(y[n:], predicted, reference)
    np.testing.assert_allclose(parts.sum(axis=0), total, atol=1e-9)
    one = BandedRidgeCV(THREE, fit_intercept=intercept).fit(x[:n], y[:n, 0])
    np.testing.assert_allclose(one.r2_by_band(x[n:], y[n:, 0]), parts[:, 0], atol=1e-9)


def test_the_product_measure_is_himalayas():
    scoring = pytest.importorskip("himalaya.scoring")
    rng = np.random.default_rng(3)
    y = rng.standard_normal((80, 6))
    contributions = rng.standard_normal((3, 80, 6)) + 0.3 * y
    y, contributions = y - y.mean(axis=0), contributions - contributions.mean(axis=1)[:, None]
    expected = scoring.r2_score_split(y, contributions)
    np.testing.assert_allclose(banded.product_measure(y, contributions), expected, atol=1e-12)
    np.testing.assert_array_equal(banded.product_measure(0 * y, contributions), 0)


def test_chooses_the_weightings_that_himalaya_chooses_by_the_same_folds():
    backend = pytest.importorskip("himalaya.backend")
    himalaya = pytest.importorskip("himalaya.ridge")
    backend.set_backend("numpy")
    x, y = simulate(200, 60)
    gammas, alphas = bands.candidates(3, 15, seed=1), np.logspace(0, 4, 7)
    theirs = himalaya.solve_group_ridge_random_search(
        [x[:, at] for at in THREE.values()], y, n_iter=gammas, alphas=alphas, cv=4,
        fit_intercept=True, progress_bar=False, return_weights=True,
    )  # fmt: skip
    folds = splits.contiguous(200, 4)
    ours = banded.solve(banded.prepare(x, THREE, gammas, alphas, "kfold", folds), y)
    np.testing.assert_allclose(np.log(ours.gamma / ours.alpha), theirs[0], atol=1e-9)
    np.testing.assert_allclose(ours.coefficients(), theirs[1], atol=1e-9)
    np.testing.assert_allclose(-ours.error, theirs[2].max(axis=0), rtol=1e-9)


@pytest.mark.parametrize("n", [40, 200])
def test_single_precision_finds_the_same(n):
    x, y = simulate(n, 50)
    double = BandedRidgeCV(THREE).fit(x, y)
    single = BandedRidgeCV(THREE).fit(x.astype(np.float32), y.astype(np.float32))
    assert single.coef_.dtype == single.predict(x.astype(np.float32)).dtype == np.float32
    same = (single.gammas_ == double.gammas_).all(axis=1)
    assert same.mean() >= 0.95
    np.testing.assert_allclose(single.coef_[same], double.coef_[same], atol=2e-3)


def test_blocks_of_targets_change_nothing(monkeypatch):
    x, y = simulate(100, 9)
    whole = BandedRidgeCV(THREE).fit(x, y)
    monkeypatch.setattr(ridge, "TARGET_BLOCK", 4)
    parts = BandedRidgeCV(THREE).fit(x, y)
    np.testing.assert_array_equal(parts.gammas_, whole.gammas_)
    np.testing.assert_allclose(parts.coef_, whole.coef_, atol=1e-12)


def test_predicts_as_the_encoding_model_with_bands_does():
    x, y = simulate(200, 20)
    train, test = np.arange(150), np.arange(150, 200)
    result = encode(x, y, cv=[(train, test)], bands=THREE, standardize=False,
                    n_permutations=0, n_bootstraps=0)  # fmt: skip
    model = BandedRidgeCV(THREE).fit(x[train], y[train])
    np.testing.assert_allclose(result.gamma[0].T, model.gammas_)
    r = statistics.pearson(y[test], model.predict(x[test]))
    np.testing.assert_allclose(result.r, r, atol=1e-9)


def test_bands_from_a_coordinate():
    x, y = simulate(60, 2)
    kind = np.repeat(["few", "many", "noise"], [5, 40, 15])
    labelled = xr.DataArray(x, dims=("time", "f"), coords={"kind": ("f", kind)})
    named = BandedRidgeCV("kind").fit(labelled, y)
    assert list(named.band_columns_) == ["few", "many", "noise"]
    np.testing.assert_array_equal(named.coef_, BandedRidgeCV(THREE).fit(x, y).coef_)


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"gammas": [[0.5, 0.5]]}, DataError, r"weightings, 3\), one for each band; got \(1, 2\)"),
        ({"gammas": [[0.5, 0.5, 0.0]]}, DataError, "with a smallest of 0"),
        ({"alphas": [-1.0]}, DataError, "positive, finite alphas"),
        ({"selection": "kfold"}, DataError, "'kfold' needs inner folds; got none"),
        ({"selection": "gvc"}, UnknownNameError, "Did you mean 'gcv'"),
    ],
)
def test_says_what_is_wrong(change, error, match):
    settings = {"x": np.eye(60)[:30], "columns": THREE, "gammas": [[0.2, 0.3, 0.5]], **change}
    with pytest.raises(error, match=match):
        banded.prepare(**settings)


def test_the_product_measure_wants_matching_shapes():
    with pytest.raises(DataError, match=r"got \(2, 5\) and \(5, 1\)"):
        banded.product_measure(np.zeros((5, 1)), np.zeros((2, 5)))
