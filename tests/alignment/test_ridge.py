from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.linear_model import RidgeCV as SklearnRidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from neurokit.alignment import RidgeCV, deletion, ridge
from neurokit.alignment.splits import contiguous
from neurokit.errors import DataError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore:Penalty grid edge")

SHAPES = [(60, 20), (60, 59), (60, 60), (61, 60), (60, 61), (60, 200)]


def simulate(n, p, v=8, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) * rng.uniform(0.5, 3, p) + 2
    noise = rng.standard_normal((n, v)) * np.logspace(-1, 2, v)
    return x, x @ rng.standard_normal((p, v)) + noise - 5


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("n", "p"), SHAPES)
def test_leave_one_out_equals_sklearn(n, p, intercept):
    x, y = simulate(n, p)
    alphas = np.logspace(-2, 5, 15)
    ours = RidgeCV(alphas, selection="loo", fit_intercept=intercept).fit(x, y)
    theirs = SklearnRidgeCV(alphas, alpha_per_target=True, fit_intercept=intercept).fit(x, y)
    np.testing.assert_array_equal(ours.best_alphas_, theirs.alpha_)
    assert len(set(ours.best_alphas_)) > 2
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x), rtol=0, atol=1e-8)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("n", "p"), [(30, 10), (20, 20), (20, 45)])
def test_leave_one_out_errors_equal_refitting_without_each_sample(n, p, intercept):
    x, y = simulate(n, p, v=3)
    alphas = np.array([1e-3, 1.0, 300.0])
    problem = ridge.prepare(x, alphas, "loo", fit_intercept=intercept)
    centred = y - y.mean(axis=0) if intercept else y
    rotated = problem.spectrum.scores.T @ centred
    errors = ridge._loo_errors(problem.spectrum, centred, rotated, alphas)
    for k, alpha in enumerate(alphas):
        held_out = np.empty_like(y)
        for i in range(n):
            keep = np.arange(n) != i
            model = Ridge(alpha, fit_intercept=intercept, solver="svd").fit(x[keep], y[keep])
            held_out[i] = y[i] - model.predict(x[[i]])[0]
        np.testing.assert_allclose(errors[k], (held_out**2).mean(axis=0), rtol=1e-7)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("n", "p"), [(40, 10), (30, 30), (30, 80)])
def test_gcv_equals_its_definition_on_the_hat_matrix(n, p, intercept):
    x, y = simulate(n, p, v=4)
    alphas = np.array([1e-2, 1.0, 100.0, 1e4])
    centre = np.eye(n) - np.full((n, n), 1 / n) if intercept else np.eye(n)
    problem = ridge.prepare(x, alphas, "gcv", fit_intercept=intercept)
    yc = centre @ y
    got = ridge._gcv_errors(problem.spectrum, yc, problem.spectrum.scores.T @ yc, alphas)
    xc = centre @ x
    for k, alpha in enumerate(alphas):
        hat = xc @ np.linalg.solve(xc.T @ xc + alpha * np.eye(p), xc.T)
        rss = ((yc - hat @ yc) ** 2).sum(axis=0)
        expected = rss / (n - intercept - np.trace(hat)) ** 2
        np.testing.assert_allclose(got[k], expected, rtol=1e-6)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("n", "p"), [(60, 20), (60, 48), (60, 150)])
def test_kfold_equals_an_explicit_loop_over_sklearns_ridge(n, p, intercept):
    x, y = simulate(n, p)
    alphas = np.logspace(-2, 5, 8)
    errors = np.zeros((len(alphas), y.shape[1]))
    for train, test in KFold(5).split(x):
        for k, alpha in enumerate(alphas):
            model = Ridge(alpha, fit_intercept=intercept, solver="svd").fit(x[train], y[train])
            errors[k] += ((y[test] - model.predict(x[test])) ** 2).mean(axis=0) / 5
    best = alphas[errors.argmin(axis=0)]
    ours = RidgeCV(alphas, "kfold", 5, fit_intercept=intercept).fit(x, y)
    np.testing.assert_array_equal(ours.best_alphas_, best)
    theirs = Ridge(best, fit_intercept=intercept, solver="svd").fit(x, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, rtol=0, atol=1e-9)
    given = RidgeCV(alphas, "kfold", list(KFold(5).split(x)), fit_intercept=intercept).fit(x, y)
    np.testing.assert_array_equal(given.coef_, ours.coef_)


def test_as_many_folds_as_samples_is_leave_one_out():
    x, y = simulate(25, 8)
    folds = RidgeCV(np.logspace(-2, 4, 9), "kfold", 25).fit(x, y)
    loo = RidgeCV(np.logspace(-2, 4, 9), "loo").fit(x, y)
    np.testing.assert_array_equal(folds.best_alphas_, loo.best_alphas_)


@pytest.mark.parametrize("shape", [(50, 10), (20, 40)])
def test_tiny_penalties_stay_accurate(shape):
    # Features of very different scales: their Gram matrix alone would lose the small ones.
    rng = np.random.default_rng(1)
    x = rng.standard_normal(shape) * np.logspace(0, -6, shape[1])
    y = rng.standard_normal((shape[0], 3))
    model = RidgeCV([1e-11]).fit(x, y)
    theirs = Ridge(1e-11, solver="svd").fit(x, y)
    np.testing.assert_allclose(model.predict(x), theirs.predict(x), rtol=0, atol=1e-6)


def test_every_target_is_fitted_as_if_alone():
    x, y = simulate(50, 30)
    together = RidgeCV(selection="loo").fit(x, y)
    for k in range(y.shape[1]):
        alone = RidgeCV(selection="loo").fit(x, y[:, k])
        assert alone.coef_.shape == (30,)
        assert isinstance(alone.intercept_, float)
        assert alone.best_alphas_[0] == together.best_alphas_[k]
        np.testing.assert_allclose(alone.coef_, together.coef_[k], rtol=0, atol=1e-10)
        assert alone.predict(x).shape == (50,)


def test_blocks_of_targets_change_nothing(monkeypatch):
    x, y = simulate(40, 15, v=11)
    whole = RidgeCV(selection="kfold").fit(x, y)
    monkeypatch.setattr(ridge, "TARGET_BLOCK", 4)
    parts = RidgeCV(selection="kfold").fit(x, y)
    np.testing.assert_array_equal(parts.best_alphas_, whole.best_alphas_)
    np.testing.assert_allclose(parts.coef_, whole.coef_, rtol=0, atol=1e-12)


@pytest.mark.parametrize("selection", ["gcv", "loo", "kfold", "hybrid"])
@pytest.mark.parametrize("p", [10, 90])
def test_rotations_and_the_order_of_features_do_not_matter(selection, p):
    x, y = simulate(60, p)
    rotation, _ = np.linalg.qr(np.random.default_rng(2).standard_normal((p, p)))
    plain = RidgeCV(selection=selection).fit(x, y)
    turned = RidgeCV(selection=selection).fit(x @ rotation, y)
    np.testing.assert_allclose(turned.predict(x @ rotation), plain.predict(x), rtol=0, atol=1e-7)


def test_automatic_grid_follows_the_features():
    x, y = simulate(50, 20)
    one, many = RidgeCV().fit(x, y), RidgeCV().fit(1000 * x, y)
    np.testing.assert_allclose(many.alphas_, one.alphas_ * 1e6)
    np.testing.assert_allclose(many.predict(1000 * x), one.predict(x), atol=1e-9)
    centred = x - x.mean(axis=0)
    assert one.alphas_[8] == pytest.approx(np.linalg.eigvalsh(centred.T @ centred).mean())
    assert len(one.alphas_) == 17
    wide = np.hstack([x] * 5)  # rank 20, of 49 that there could be: zeros count
    for kind, rtol in ((np.float64, 1e-9), (np.float32, 1e-4)):
        grid = RidgeCV().fit(wide.astype(kind), y.astype(kind)).alphas_
        np.testing.assert_allclose(grid[8], 5 * one.alphas_[8] * 20 / 49, rtol=rtol)


def test_recovers_planted_weights():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((2000, 10))
    weights = rng.standard_normal((4, 10))
    y = x @ weights.T + 3 + 0.1 * rng.standard_normal((2000, 4))
    for selection in ("gcv", "loo", "kfold", "hybrid"):
        model = RidgeCV(selection=selection).fit(x, y)
        np.testing.assert_allclose(model.coef_, weights, atol=0.02)
        np.testing.assert_allclose(model.intercept_, 3, atol=0.02)


@pytest.mark.parametrize("selection", ["gcv", "loo", "kfold", "hybrid"])
def test_is_a_scikit_learn_estimator(selection):
    with warnings.catch_warnings():
        # Checks that need optional packages announce that they are skipped.
        warnings.simplefilter("ignore")
        check_estimator(RidgeCV(selection=selection, cv=2))


def test_works_in_a_pipeline_and_with_float32():
    x, y = simulate(80, 12)
    single, double = (
        make_pipeline(StandardScaler(), RidgeCV()).fit(x.astype(kind), y.astype(kind)).score(x, y)
        for kind in (np.float32, np.float64)
    )
    assert single == pytest.approx(double, abs=1e-4)


def test_features_without_variance_get_no_weight():
    x, y = simulate(30, 5)
    x[:, 2] = 4.0
    model = RidgeCV().fit(x, y)
    np.testing.assert_allclose(model.coef_[:, 2], 0, atol=1e-12)
    nothing = RidgeCV().fit(np.ones((30, 3)), y)
    np.testing.assert_allclose(nothing.predict(np.ones((2, 3))), [y.mean(axis=0)] * 2)


@pytest.mark.filterwarnings("default:Penalty grid edge")
def test_warns_when_the_grid_is_too_narrow():
    x, y = simulate(60, 5)
    with pytest.warns(UserWarning, match=r"Penalty grid edge: of 8 .* [1-8] are the smallest"):
        RidgeCV(np.logspace(5, 7, 5)).fit(x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RidgeCV(5.0).fit(x, y)  # one penalty is a decision, not a grid
    interior = [np.full(96, 3), np.array([0, 4, 2, 1])]
    assert ridge.edge_message(interior, 5) is None
    assert "3 are the smallest and 2 the largest" in str(
        ridge.edge_message([np.full(95, 3), np.array([0, 0, 0, 4, 4])], 5)
    )


@pytest.mark.parametrize("alphas", [[0.0, 1.0], [-1.0], [np.nan], [np.inf], [], [[1.0], [2.0]]])
def test_penalties_must_be_positive(alphas):
    x, y = simulate(20, 3)
    with pytest.raises(DataError, match="positive, finite alphas"):
        RidgeCV(alphas).fit(x, y)


def test_penalties_may_come_in_any_order():
    x, y = simulate(40, 10)
    up, down = (RidgeCV(np.logspace(-2, 4, 9)[:: (1, -1)[k]]).fit(x, y) for k in (0, 1))
    np.testing.assert_array_equal(up.coef_, down.coef_)


def test_unknown_names_list_the_known_ones():
    x, y = simulate(20, 3)
    with pytest.raises(UnknownNameError, match="'aic'.* 'gcv', 'loo', 'kfold', 'hybrid'"):
        RidgeCV(selection="aic").fit(x, y)
    with pytest.raises(UnknownNameError, match="Did you mean 'auto'"):
        RidgeCV(alphas="autos").fit(x, y)
    with pytest.raises(DataError, match="needs inner folds"):
        ridge.prepare(x, "auto", "kfold")
    with pytest.raises(DataError, match="Cannot cut 20 samples into 30 folds"):
        RidgeCV(selection="kfold", cv=30).fit(x, y)


def test_hybrid_is_the_best_of_three_neighbours_by_kfold():
    rng = np.random.default_rng(8)
    x = rng.standard_normal((80, 30))
    y = x @ rng.standard_normal((30, 60)) * np.linspace(0, 0.5, 60) + rng.standard_normal((80, 60))
    alphas = np.logspace(-1, 5, 25)
    gcv, hybrid = (RidgeCV(alphas, name).fit(x, y).best_alphas_ for name in ("gcv", "hybrid"))
    for k, (proposed, taken) in enumerate(zip(gcv, hybrid, strict=True)):
        near = alphas[np.abs(np.arange(25) - np.searchsorted(alphas, proposed)) <= 1]
        assert taken == RidgeCV(near, "kfold").fit(x, y[:, k]).best_alphas_[0]
    assert (gcv != hybrid).any()
    with pytest.raises(DataError, match="selection='hybrid' needs inner folds"):
        ridge.prepare(x, "auto", "hybrid")


@pytest.mark.parametrize(("n", "p"), [(150, 20), (150, 110), (100, 250)])
def test_kfold_penalties_equal_himalayas(n, p):
    himalaya = pytest.importorskip("himalaya.ridge")
    scoring = pytest.importorskip("himalaya.scoring")
    x, y = simulate(n, p, v=300)
    alphas = np.logspace(-1, 5, 10)
    # Our criterion is the squared error; that of himalaya by default is R2.
    params = {"warn": False, "score_func": scoring.l2_neg_loss}
    theirs = himalaya.RidgeCV(
        alphas=alphas, cv=KFold(5), fit_intercept=True, solver_params=params
    ).fit(x, y)
    ours = RidgeCV(alphas, "kfold").fit(x, y)
    assert np.isclose(ours.best_alphas_, theirs.best_alphas_).mean() >= 0.99
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x), atol=1e-6)


@pytest.mark.parametrize("selection", ["gcv", "loo", "kfold", "hybrid"])
@pytest.mark.parametrize(("n", "p"), [(300, 40), (200, 150), (150, 400)])
def test_single_precision_keeps_the_penalties(n, p, selection):
    x, y = simulate(n, p, v=300)
    alphas = np.logspace(-1, 5, 13)
    double = RidgeCV(alphas, selection).fit(x, y)
    single = RidgeCV(alphas, selection).fit(x.astype("f4"), y.astype("f4"))
    assert (single.best_alphas_ == double.best_alphas_).mean() >= 0.99
    same = single.best_alphas_ == double.best_alphas_
    np.testing.assert_allclose(single.coef_[same], double.coef_[same], atol=2e-2)


def test_gcv_is_within_one_step_of_kfold():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((500, 60))
    y = x @ rng.standard_normal((60, 400)) * np.linspace(0.05, 0.5, 400)
    y += rng.standard_normal(y.shape)
    alphas = np.logspace(0, 4, 9)
    gcv, kfold = (RidgeCV(alphas, name).fit(x, y).best_alphas_ for name in ("gcv", "kfold"))
    steps = np.searchsorted(alphas, gcv) - np.searchsorted(alphas, kfold)
    assert (np.abs(steps) <= 1).mean() >= 0.99


def test_folds_with_a_gap_are_had_by_subtraction_too():
    x, y = simulate(120, 8)
    folds = contiguous(120, 4, gap=5)
    problem = ridge.prepare(x, np.logspace(0, 4, 5), "kfold", folds)
    assert problem.inner[0].rest is not None
    assert problem.lean() is problem
    errors = np.zeros((5, y.shape[1]))
    for train, test in folds:
        for k, alpha in enumerate(problem.alphas):
            predicted = Ridge(alpha).fit(x[train], y[train]).predict(x[test])
            errors[k] += ((y[test] - predicted) ** 2).mean(axis=0) / 4
    solution = ridge.solve(problem, y)
    np.testing.assert_allclose(solution.error, errors.min(axis=0), rtol=1e-9)
    np.testing.assert_array_equal(solution.chosen, errors.argmin(axis=0))


def test_hard_cases_in_single_precision_are_decomposed_in_double():
    rng = np.random.default_rng(6)
    for shape in ((80, 20), (30, 60)):
        x = (rng.standard_normal(shape) * np.logspace(0, -3, shape[1])).astype("f4")
        y = rng.standard_normal((shape[0], 3)).astype("f4")
        single = RidgeCV([1e-7]).fit(x, y).predict(x)
        double = Ridge(1e-7, solver="svd").fit(x.astype("f8"), y.astype("f8")).predict(x)
        np.testing.assert_allclose(single, double, atol=5e-2)


def kfold_errors(x, y, alphas, folds, intercept):
    problem = ridge.prepare(x, alphas, "kfold", folds, intercept)
    y = y - y.mean(axis=0) if intercept else y
    tried = np.arange(len(alphas))[:, None]
    return problem, ridge._kfold_errors(problem, y, problem.spectrum.scores.T @ y, None, tried)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("p", [60, 61, 200])
@pytest.mark.parametrize("kind", ["contiguous", "gap", "shuffled", "uneven"])
def test_deleted_folds_equal_decomposed_ones(monkeypatch, kind, p, intercept):
    x, y = simulate(60, p)
    order = np.random.default_rng(4).permutation(60)
    folds = {
        "contiguous": contiguous(60, 5),
        "gap": contiguous(60, 10, gap=2),
        "shuffled": [(order[6:], order[:6]), (order[:-11], order[-9:])],
        "uneven": contiguous(60, 7),
    }[kind]
    alphas = np.logspace(-4, 5, 10)
    deleted, ours = kfold_errors(x, y, alphas, folds, intercept)
    monkeypatch.setattr(ridge, "deletions", lambda *_: [])
    decomposed, expected = kfold_errors(x, y, alphas, folds, intercept)
    assert len(deleted.deleted) == len(decomposed.inner) == len(folds)
    assert not deleted.inner
    assert not decomposed.deleted
    np.testing.assert_allclose(ours, expected, rtol=1e-7)


@pytest.mark.parametrize(("n", "p"), [(100, 100), (100, 250)])
def test_deletion_in_single_precision_is_no_worse_than_folds(monkeypatch, n, p):
    rng = np.random.default_rng(9)
    x = rng.standard_normal((n, p)) * np.arange(1, p + 1) ** -0.7
    y = x @ rng.standard_normal((p, 300)) + rng.standard_normal((n, 300)) * np.logspace(-3, 1, 300)
    alphas, folds = (x**2).sum() / n * np.logspace(-4, 3, 8), contiguous(n, 5)
    _, exact = kfold_errors(x, y, alphas, folds, True)
    single = x.astype("f4"), y.astype("f4")
    problem, deleted = kfold_errors(*single, alphas, folds, True)
    assert problem.deleted
    monkeypatch.setattr(ridge, "deletions", lambda *_: [])
    _, decomposed = kfold_errors(*single, alphas, folds, True)
    away = [np.abs(found / exact - 1).max() for found in (deleted, decomposed)]
    assert away[0] < max(3 * away[1], 3e-3)
    assert (deleted.argmin(axis=0) == exact.argmin(axis=0)).mean() >= 0.99


def test_folds_are_decomposed_where_a_sample_determines_its_own_fit():
    x, y = (values.astype("f4") for values in simulate(60, 90))
    alphas, folds = np.logspace(1, 5, 5), contiguous(60, 5)
    assert kfold_errors(x, y, alphas, folds, True)[0].deleted
    x[7] *= 300
    problem, errors = kfold_errors(x, y, alphas, folds, True)
    assert not problem.deleted
    exact = kfold_errors(x.astype("f8"), y.astype("f8"), alphas, folds, True)[1]
    np.testing.assert_allclose(errors, exact, rtol=0.02)


def test_folds_are_decomposed_where_deletion_is_dear_or_inexact():
    x = simulate(60, 90)[0]
    spectrum, folds = ridge.prepare(x, [1.0]).spectrum, contiguous(60, 5)
    top = spectrum.eigenvalues.max()
    assert deletion.deletions(spectrum, folds, top * np.array([1e-6, 1]))
    assert not deletion.deletions(spectrum, folds, top * np.array([1e-10, 1]))
    assert not deletion.deletions(spectrum, contiguous(60, 3), np.array([top]))
    primal = ridge.prepare(x[:, :30], [1.0]).spectrum
    assert not deletion.deletions(primal, folds, np.array([top]))
    single = ridge.prepare(x.astype("f4"), [1.0]).spectrum
    assert not deletion.deletions(single, folds, top * np.array([1e-8, 1]))
