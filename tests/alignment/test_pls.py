from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import cross_decomposition
from sklearn.utils.estimator_checks import parametrize_with_checks

from neurokit.alignment import PLSRegression, pls, statistics
from neurokit.errors import DataError


def simulate(n, p, v, seed=0, noise=1.0):
    """Features and targets that share hidden sources of clearly different size."""
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((n, 6)) * 2.0 ** -np.arange(6) * 4
    x = hidden @ rng.standard_normal((6, p)) + noise * rng.standard_normal((n, p))
    y = hidden @ rng.standard_normal((6, v)) + noise * rng.standard_normal((n, v))
    return x + 1, y - 3


@parametrize_with_checks([PLSRegression(), PLSRegression(2, scale=True)])
def test_keeps_scikit_learns_conventions(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(estimator)


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize(
    ("n", "p", "v"), [(120, 20, 3), (120, 20, 300), (60, 200, 5), (60, 200, 200), (150, 90, 1)]
)
def test_predicts_as_scikit_learn(n, p, v, scale):
    x, y = simulate(n + 30, p, v)
    theirs = cross_decomposition.PLSRegression(8, scale=scale, tol=1e-24, max_iter=20_000)
    expected = theirs.fit(x[:n], y[:n]).predict(x[n:]).reshape(30, v)
    model = PLSRegression(8, scale=scale).fit(x[:n], y[:n])
    np.testing.assert_allclose(model.predict(x[n:]), expected, atol=1e-6)
    scores = theirs.transform(x[n:])
    sign = np.sign((scores * model.scores(x[n:])).sum(axis=0))
    np.testing.assert_allclose(model.scores(x[n:]) * sign, scores, atol=1e-6)


def test_with_all_components_it_is_least_squares():
    x, y = simulate(80, 5, 7)
    model = PLSRegression(5).fit(x, y)
    design = np.column_stack([np.ones(80), x])
    expected = design @ np.linalg.lstsq(design, y)[0]
    np.testing.assert_allclose(model.predict(x), expected, atol=1e-8)


def test_scores_of_training_samples_are_orthogonal():
    x, y = simulate(100, 150, 40)
    scores = PLSRegression(20).fit(x, y).scores(x)
    products = scores.T @ scores
    off = products - np.diag(np.diag(products))
    assert np.abs(off).max() < 1e-8 * products.max()


def test_components_end_where_covariance_does():
    rng = np.random.default_rng(4)
    hidden = rng.standard_normal((60, 3))
    x, y = hidden @ rng.standard_normal((3, 90)), hidden @ rng.standard_normal((3, 8))
    model = PLSRegression(25).fit(x, y)
    assert model.n_components_ == 3
    np.testing.assert_allclose(model.predict(x), y, atol=1e-8)
    assert PLSRegression(25).fit(x[:4], y[:4]).n_components_ == 3
    flat = PLSRegression().fit(x, np.ones((60, 2)))
    assert flat.n_components_ == 0
    np.testing.assert_array_equal(flat.predict(x), 1)


def test_single_precision_finds_the_same():
    x, y = simulate(200, 60, 30)
    double = PLSRegression(6).fit(x, y)
    single = PLSRegression(6).fit(x.astype(np.float32), y.astype(np.float32))
    predicted = single.predict(x.astype(np.float32))
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted, double.predict(x), atol=2e-3)


def test_a_target_alone_is_flat_and_noise_predicts_nothing():
    x, y = simulate(100, 30, 1)
    model = PLSRegression(3).fit(x, y[:, 0])
    assert model.predict(x).shape == (100,)
    np.testing.assert_allclose(model.predict(x), PLSRegression(3).fit(x, y).predict(x)[:, 0])
    rng = np.random.default_rng(5)
    x, y = rng.standard_normal((300, 40)), rng.standard_normal((300, 200))
    predicted = PLSRegression(5).fit(x[:200], y[:200]).predict(x[200:])
    assert abs(statistics.pearson(y[200:], predicted).mean()) < 0.03


def test_falls_back_where_the_iteration_does_not_converge(monkeypatch):
    x, y = simulate(120, 100, 20)
    expected = PLSRegression(4).fit(x, y).predict(x)

    def fails(*_, **__):
        raise pls.ArpackNoConvergence("no convergence", np.zeros(0), np.zeros((0, 0)))

    monkeypatch.setattr(pls, "eigsh", fails)
    np.testing.assert_allclose(PLSRegression(4).fit(x, y).predict(x), expected, atol=1e-8)


def test_wants_a_component():
    with pytest.raises(DataError, match="n_components is 0 .int., expected a whole number, 1"):
        PLSRegression(0).fit(np.eye(3), np.eye(3))
