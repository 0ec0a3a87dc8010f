from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import procrustes as scipy_procrustes
from sklearn.cross_decomposition import CCA
from sklearn.neighbors import NearestNeighbors

from neurokit.alignment import similarity
from neurokit.errors import DataError

MEASURES = ("cka", "cca", "svcca", "pwcca", "procrustes", "shape_distance", "mutual_knn")


def related(rng, n=120, p=8, q=6, noise=1.0):
    x = rng.standard_normal((n, p)) * np.linspace(0.5, 2, p)
    return x, x @ rng.standard_normal((p, q)) + noise * rng.standard_normal((n, q))


def rotation(rng, p):
    return np.linalg.qr(rng.standard_normal((p, p)))[0]


def hsic_by_definition(k, m):
    n = len(k)
    k, m = (a - np.diag(np.diag(a)) for a in (k, m))
    ones = np.ones(n)
    return (
        np.trace(k @ m)
        + (ones @ k @ ones) * (ones @ m @ ones) / ((n - 1) * (n - 2))
        - 2 / (n - 2) * (ones @ k @ m @ ones)
    ) / (n * (n - 3))


@pytest.mark.parametrize("shape", [(40, 9, 7), (12, 30, 5), (12, 30, 40)])
def test_cka_equals_its_definition(shape):
    n, p, q = shape
    x, y = related(np.random.default_rng(0), n, p, q)
    k, m = x @ x.T, y @ y.T
    expected = hsic_by_definition(k, m) / np.sqrt(
        hsic_by_definition(k, k) * hsic_by_definition(m, m)
    )
    assert similarity.cka(x + 3, y - 2) == pytest.approx(expected, abs=1e-10)
    a, b = x - x.mean(axis=0), y - y.mean(axis=0)
    plain = np.linalg.norm(a.T @ b) ** 2 / np.linalg.norm(a.T @ a) / np.linalg.norm(b.T @ b)
    assert similarity.cka(x, y, debiased=False) == pytest.approx(plain, abs=1e-10)


def test_debiased_cka_of_noise_is_zero_where_the_plain_one_is_near_one():
    rng = np.random.default_rng(1)
    draws = [rng.standard_normal((2, 92, 9216), dtype=np.float32) for _ in range(6)]
    debiased = [similarity.cka(x, y) for x, y in draws]
    assert abs(np.mean(debiased)) < 0.03
    assert np.abs(debiased).max() < 0.06
    assert similarity.cka(*draws[0], debiased=False) == pytest.approx(0.990, abs=0.003)
    small = [similarity.cka(*rng.standard_normal((2, 20, 30))) for _ in range(400)]
    assert abs(np.mean(small)) < 4 * np.std(small) / 20


def test_canonical_correlations_equal_scikit_learn_and_planted_ones():
    x, y = related(np.random.default_rng(2), noise=3)
    out = similarity.cca(x, y)
    assert out.shape == (6,)
    scores = CCA(n_components=6, scale=False, max_iter=5000, tol=1e-12).fit(x, y).transform(x, y)
    expected = [np.corrcoef(a, b)[0, 1] for a, b in zip(*(s.T for s in scores), strict=True)]
    np.testing.assert_allclose(out, expected, atol=1e-4)
    rng = np.random.default_rng(3)
    truth = np.array([0.9, 0.5, 0.0])
    z = rng.standard_normal((200_000, 3))
    w = z * truth + rng.standard_normal(z.shape) * np.sqrt(1 - truth**2)
    planted = similarity.cca(z @ rng.standard_normal((3, 3)), w @ rng.standard_normal((3, 3)))
    np.testing.assert_allclose(planted, truth, atol=0.01)


def test_cca_ignores_linear_maps_and_repeated_features():
    rng = np.random.default_rng(4)
    x, y = related(rng)
    expected = similarity.cca(x, y)
    mixed = x @ rng.standard_normal((8, 8)) * 1e4 + 7
    np.testing.assert_allclose(similarity.cca(mixed, y), expected, atol=1e-9)
    repeated = np.hstack([x, x[:, :3], np.full((120, 1), 0.1)])
    np.testing.assert_allclose(similarity.cca(repeated, y), expected, atol=1e-9)


@pytest.mark.parametrize("name", MEASURES)
def test_rotation_shift_and_scale_change_nothing(name):
    rng = np.random.default_rng(5)
    x, y = related(rng)
    measure = getattr(similarity, name)
    shift = 0 if name == "mutual_knn" else 5
    moved = 3 * y @ rotation(rng, 6) + shift
    # The weights of pwcca are sums over the features of x as they are.
    turned = x if name == "pwcca" else x @ rotation(rng, 8)
    np.testing.assert_allclose(measure(turned, moved), measure(x, y), atol=1e-9)
    order = rng.permutation(len(x))
    np.testing.assert_allclose(measure(x[order], y[order]), measure(x, y), atol=1e-9)
    if name != "pwcca":
        np.testing.assert_allclose(measure(y, x), measure(x, y), atol=1e-9)


@pytest.mark.parametrize("name", MEASURES)
def test_noise_and_shuffling_lower_similarity(name):
    rng = np.random.default_rng(6)
    measure = getattr(similarity, name)
    sign = -1 if name in ("procrustes", "shape_distance") else 1
    scores = []
    for noise in (0.1, 3, 30):
        x, y = related(rng, noise=noise)
        scores.append(sign * float(np.mean(measure(x, y))))
    assert scores[0] > scores[1] > scores[2]
    assert sign * float(np.mean(measure(x, rng.permutation(y)))) < scores[1]


def test_svcca_keeps_the_components_that_reach_the_share():
    rng = np.random.default_rng(7)
    signal = rng.standard_normal((300, 2)) * [10, 8]
    x, y = (np.hstack([signal, 0.1 * rng.standard_normal((300, 60))]) for _ in range(2))
    assert similarity.svcca(x, y, 0.98) == pytest.approx(1, abs=1e-3)
    assert similarity.svcca(x, y, 1.0) < 0.6
    assert similarity.svcca(x, y, 0.5) == pytest.approx(similarity.cca(x[:, :2], y[:, :2])[0],
                                                        abs=1e-2)  # fmt: skip


def test_pwcca_weights_by_what_x_is_made_of():
    rng = np.random.default_rng(8)
    common, own, other = rng.standard_normal((3, 5000, 1))
    y = np.hstack([common, other])
    assert similarity.pwcca(np.hstack([100 * common, own]), y) > 0.95
    assert similarity.pwcca(np.hstack([common, 100 * own]), y) < 0.1
    assert np.mean(similarity.cca(np.hstack([100 * common, own]), y)) < 0.6


def test_procrustes_equals_scipy_and_keeps_the_triangle_inequality():
    rng = np.random.default_rng(9)
    x, y = related(rng, q=8, noise=2)
    disparity = scipy_procrustes(x, y)[2]  # 1 - ‖xᵀy‖_*², since it also scales
    nuclear = 1 - similarity.procrustes(x, y) ** 2 / 2
    assert 1 - nuclear**2 == pytest.approx(disparity)
    assert similarity.shape_distance(x, y) == pytest.approx(np.arccos(nuclear))
    z = x + rng.standard_normal(x.shape)
    for distance in (similarity.procrustes, similarity.shape_distance):
        assert distance(x, y) <= distance(x, z) + distance(z, y)
        assert distance(x, x) < 1e-7
    flat = np.zeros((4, 2))
    flat[0], flat[1] = [1, 0], [-1, 0]
    assert similarity.shape_distance(flat, flat[::-1]) == pytest.approx(np.pi / 2)


def test_shapes_with_more_features_than_samples():
    rng = np.random.default_rng(10)
    x, y = rng.standard_normal((10, 3000)), rng.standard_normal((10, 50))
    a, b = (z - z.mean(axis=0) for z in (x, y))
    product = (a / np.linalg.norm(a)).T @ (b / np.linalg.norm(b))
    expected = np.sqrt(2 - 2 * np.linalg.svd(product, compute_uv=False).sum())
    assert similarity.procrustes(x, y) == pytest.approx(expected)


def test_mutual_neighbours_equal_scikit_learn_and_chance(monkeypatch):
    rng = np.random.default_rng(11)
    x, y = related(rng, noise=4)
    near = [
        NearestNeighbors(n_neighbors=8, metric="cosine").fit(z).kneighbors(return_distance=False)
        for z in (x, y)
    ]
    expected = np.mean([len(set(a) & set(b)) / 8 for a, b in zip(*near, strict=True)])
    assert similarity.mutual_knn(x, y, 8) == pytest.approx(expected)
    monkeypatch.setattr(similarity, "_BLOCK", 50)
    assert similarity.mutual_knn(x, y, 8) == pytest.approx(expected)
    unrelated = similarity.mutual_knn(*rng.standard_normal((2, 1000, 5)), k=10)
    assert unrelated == pytest.approx(10 / 999, abs=0.004)


def test_what_cannot_be_measured_is_refused():
    rng = np.random.default_rng(12)
    x, y = rng.standard_normal((2, 30, 20))
    with pytest.raises(DataError, match="rank 20 and 20 over 30 samples have 11 canonical"):
        similarity.cca(x, y)
    with pytest.raises(DataError, match="whatever the data"):
        similarity.pwcca(x, rng.standard_normal((30, 500)))
    with pytest.raises(DataError, match="variance above 0 and up to 1; got 99"):
        similarity.svcca(x, y, 99)
    with pytest.raises(DataError, match="one side is constant"):
        similarity.cca(x[:, :2], np.ones((30, 2)))
    with pytest.raises(DataError, match="feature of y is constant"):
        similarity.procrustes(x, np.full((30, 2), 0.1))
    assert similarity.cka(x, np.full((30, 2), 0.1)) == 0
    with pytest.raises(DataError, match="at least 4 samples; got 3"):
        similarity.cka(x[:3], y[:3])
    with pytest.raises(DataError, match="other 29 samples; got 29"):
        similarity.mutual_knn(x, y, 29)
    with pytest.raises(DataError, match="as many samples in x as in y"):
        similarity.cka(x, y[:20])
