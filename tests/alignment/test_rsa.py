from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.spatial.distance import pdist, squareform
from sklearn.covariance import ledoit_wolf as sklearn_ledoit_wolf

from neurokit.alignment import rsa
from neurokit.alignment.rsa import comparison, whitening
from neurokit.errors import DataError, UnknownNameError

IMAGES = (
    Path(__file__).resolve().parents[3] / "shared/data/alignment/kriegeskorte92/kriegeskorte92.npz"
)
THEIRS = {"pearson": "corr", "tau-b": "kendall"}


def upper(matrix):
    return matrix[..., *np.triu_indices(matrix.shape[-1], 1)]


def theirs(rdms):
    toolbox = pytest.importorskip("rsatoolbox")
    return toolbox.rdm.RDMs(np.asarray(rdms, dtype=np.float64))


@pytest.mark.parametrize(("dtype", "atol"), [(np.float64, 1e-12), (np.float32, 2e-5)])
def test_correlation_and_euclidean_equal_scipy(dtype, atol):
    x = (np.random.default_rng(0).standard_normal((12, 40)) + 50).astype(dtype)
    for metric, expected in (
        ("correlation", pdist(x.astype(float), "correlation")),
        ("euclidean", pdist(x.astype(float), "sqeuclidean") / 40),
    ):
        out = rsa.rdm(x, metric)
        assert out.dtype == dtype
        np.testing.assert_allclose(upper(out.values), expected, atol=atol)
        np.testing.assert_array_equal(out, out.T)
        assert not np.diag(out).any()


def test_constant_patterns_correlate_with_nothing():
    x = np.random.default_rng(0).standard_normal((4, 7)).astype(np.float32)
    x[2] = 1e3 / 3
    np.testing.assert_array_equal(rsa.rdm(x)[2], [1, 1, 0, 1])


def test_repeats_are_averaged_under_the_labels_of_their_stimuli():
    x = np.random.default_rng(1).standard_normal((6, 5))
    coords = {"stimulus_id": ("presentation", list("cabbca"))}
    array = xr.DataArray(x, coords, dims=("presentation", "neuroid"))
    out = rsa.rdm(array, "euclidean")
    assert out.stimulus.values.tolist() == ["c", "a", "b"]
    expected = ((x[[0, 4]].mean(axis=0) - x[[2, 3]].mean(axis=0)) ** 2).mean()
    assert float(out.sel(stimulus="c", stimulus_="b")) == pytest.approx(expected)
    indexed = xr.DataArray(x[:2], {"word": ["x", "y"]}, ("word", "unit"))
    assert rsa.rdm(indexed).stimulus_.values.tolist() == ["x", "y"]


def test_many_at_once_equal_one_by_one():
    x = np.random.default_rng(2).standard_normal((3, 2, 8, 6))
    label = np.repeat(np.arange(4), 2)
    array = xr.DataArray(x, {"time": [0.1, 0.2, 0.3]}, ("time", "subject", "presentation", "unit"))
    for metric in ("correlation", "euclidean", "mahalanobis"):
        together = rsa.rdm(array, metric, stimulus=label)
        assert together.dims == ("time", "subject", "stimulus", "stimulus_")
        one = rsa.rdm(x[1, 1], metric, stimulus=label)
        np.testing.assert_allclose(together.sel(time=0.2)[1], one, atol=1e-12)
    layers = rsa.rdm({0: x[0, 0], 6: x[0, 1, :, :3]})
    assert layers.dims == ("layer", "stimulus", "stimulus_")
    np.testing.assert_allclose(layers.sel(layer=6), rsa.rdm(x[0, 1, :, :3]))
    with pytest.raises(DataError, match=r"same stimuli in all layers; got \{'a': 8, 'b': 7\}"):
        rsa.rdm({"a": x[0, 0], "b": x[0, 1, :7]})


@pytest.mark.parametrize("shape", [(60, 5), (15, 40), (200, 30)])
def test_whitening_inverts_the_covariance_of_ledoit_and_wolf(shape):
    rng = np.random.default_rng(3)
    noise = rng.standard_normal(shape) @ rng.standard_normal((shape[1], shape[1]))
    noise -= noise.mean(axis=0)
    covariance, shrinkage = sklearn_ledoit_wolf(noise, assume_centered=True)
    whiten = whitening.ledoit_wolf(noise, len(noise))
    assert whiten.shrinkage == pytest.approx(shrinkage, abs=1e-9)
    x = rng.standard_normal((4, shape[1]))
    np.testing.assert_allclose(
        whiten(x) @ whiten(x).T, x @ np.linalg.inv(covariance) @ x.T, rtol=1e-7
    )


def folds_of(rng, n_folds, n_stimuli, p, truth=0.0, repeats=1, noise=None):
    mixing = np.eye(p) if noise is None else noise
    x = truth + rng.standard_normal((n_folds, repeats, n_stimuli, p)) @ mixing
    stimulus = np.broadcast_to(np.arange(n_stimuli), x.shape[:3]).ravel()
    fold = np.broadcast_to(np.arange(n_folds)[:, None, None], x.shape[:3]).ravel()
    return x.reshape(-1, p), stimulus, fold


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_mahalanobis_and_crossnobis_equal_rsatoolbox():
    toolbox = pytest.importorskip("rsatoolbox")
    rng = np.random.default_rng(4)
    residuals = rng.standard_normal((30, 12)) * np.linspace(1, 3, 12)
    x, stimulus, fold = folds_of(rng, 3, 5, 12, truth=rng.standard_normal((5, 12)), repeats=2)
    data = toolbox.data.Dataset(x, obs_descriptors={"stimulus": stimulus, "run": fold})
    precision = toolbox.data.noise.prec_from_residuals(residuals, method="shrinkage_eye")
    for metric, more in (("mahalanobis", {}), ("crossnobis", {"cv_descriptor": "run"})):
        expected = toolbox.rdm.calc_rdm(data, metric, "stimulus", noise=precision, **more)
        out = rsa.rdm(x, metric, stimulus=stimulus, fold=fold, residuals=residuals)
        np.testing.assert_allclose(out, expected.get_matrices()[0], atol=1e-10)


@pytest.mark.parametrize(
    ("n_folds", "repeats", "given"), [(2, 3, False), (5, 1, False), (3, 1, True)]
)
def test_crossnobis_is_centred_without_a_difference_and_unbiased_with_one(n_folds, repeats, given):
    rng = np.random.default_rng(5)
    mixing = 0.3 * rng.standard_normal((8, 8)) + 2 * np.eye(8)
    residuals = rng.standard_normal((200, 8)) @ mixing if given else None
    truth = np.zeros((4, 8))
    truth[3] = 2
    draws = np.array([
        upper(rsa.rdm(x, "crossnobis", stimulus=s, fold=f, residuals=residuals).values)
        for x, s, f in (folds_of(rng, n_folds, 4, 8, truth, repeats, mixing) for _ in range(400))
    ])  # fmt: skip
    same = draws[:, [0, 1, 3]].mean(axis=1)
    different = draws[:, [2, 4, 5]].mean()
    assert abs(same.mean()) < 4 * same.std() / 20
    assert different > 20 * same.std() / 20
    assert (draws[:, 0] < 0).mean() > 0.3
    if given:
        true = truth[3] @ np.linalg.inv(mixing.T @ mixing) @ truth[3] / 8
        assert different == pytest.approx(true, rel=0.25)


def test_mahalanobis_ignores_how_channels_are_mixed():
    rng = np.random.default_rng(6)
    x, noise = rng.standard_normal((5, 4)), rng.standard_normal((40000, 4))
    mixing = np.diag([1.0, 2, 3, 4]) @ np.linalg.qr(rng.standard_normal((4, 4)))[0]
    plain = rsa.rdm(x, "mahalanobis", residuals=noise)
    mixed = rsa.rdm(x @ mixing, "mahalanobis", residuals=noise @ mixing)
    np.testing.assert_allclose(mixed, plain, rtol=0.02)


@pytest.mark.filterwarnings("ignore:Noise ceiling for tau")
@pytest.mark.parametrize("method", comparison.METHODS)
def test_comparisons_and_ceilings_equal_rsatoolbox(method):
    toolbox = pytest.importorskip("rsatoolbox")
    rng = np.random.default_rng(7)
    truth = rng.random(28)
    a = comparison.squares(truth + 0.5 * rng.random((3, 28)), 8)
    b = comparison.squares(np.round(truth * 3 + rng.random((4, 28))), 8)
    name = THEIRS.get(method, method)
    out = rsa.compare(a, b, method)
    assert out.dims == ("rdm", "rdm_")
    np.testing.assert_allclose(
        out, toolbox.rdm.compare(theirs(a), theirs(b), method=name), atol=1e-9
    )
    expected = toolbox.inference.boot_noise_ceiling(theirs(b), method=name)
    bounds = rsa.noise_ceiling(b, method)
    # Theirs pools for whitened methods without whitening, which is a little worse.
    whitened = method.endswith("_cov")
    atol = 1e-3 if whitened else 1e-9
    np.testing.assert_allclose([bounds.lower, bounds.upper], expected, atol=atol)
    assert not whitened or float(bounds.upper) > expected[1]
    assert float(bounds.lower_subject.mean()) == pytest.approx(float(bounds.lower))


@pytest.mark.parametrize("method", comparison.METHODS)
def test_agreement_is_one_with_itself_and_zero_with_a_constant(method):
    a = np.random.default_rng(8).random(45)
    assert float(rsa.compare(a, a, method)) == pytest.approx(1)
    if method not in ("cosine", "cosine_cov"):
        assert float(rsa.compare(a, np.full(45, 0.1), method)) == 0
    rescaled = a * 7 if method.startswith("cosine") else a * 7 + 3
    other = np.random.default_rng(9).random(45)
    assert float(rsa.compare(rescaled, other, method)) == pytest.approx(
        float(rsa.compare(a, other, method))
    )


def test_whitened_cosine_is_centred_kernel_alignment():
    x, y = np.random.default_rng(10).standard_normal((2, 9, 6))
    k, m = (z @ z.T for z in (x - x.mean(axis=0), y - y.mean(axis=0)))
    alignment = (k * m).sum() / np.linalg.norm(k) / np.linalg.norm(m)
    out = rsa.compare(rsa.rdm(x, "euclidean"), rsa.rdm(y, "euclidean"), "cosine_cov")
    assert float(out) == pytest.approx(alignment)


def test_labels_decide_which_entries_are_compared():
    x = np.random.default_rng(11).standard_normal((6, 9))
    names = np.array(list("fedcba"))
    order = [3, 1, 5, 0, 2, 4]
    a, b = rsa.rdm(x, stimulus=names), rsa.rdm(x[order], stimulus=names[order])
    assert float(rsa.compare(a, b)) == pytest.approx(1)
    assert float(rsa.compare(a, b.values)) < 0.9
    with pytest.raises(DataError, match=r"1 of a are not in b \(first: 'f'\)"):
        rsa.compare(a, rsa.rdm(x, stimulus=list("gedcba")))
    with pytest.raises(DataError, match="as many stimuli in a as in b; got 6 and 5"):
        rsa.compare(a, a[:5, :5])


@pytest.mark.skipif(not IMAGES.exists(), reason="needs the shared recordings")
@pytest.mark.parametrize(
    ("method", "bounds"),
    [("spearman", (0.3723, 0.6657)), ("pearson", (0.3944, 0.6804)), ("tau-a", (0.2539, 0.4767))],
)
def test_ceilings_of_92_images_in_human_it(method, bounds):
    with np.load(IMAGES) as file:
        subjects = file["hIT_sub_sess"].mean(axis=1)
        monkey = file["mIT_674"]
    out = rsa.noise_ceiling(subjects, method)
    np.testing.assert_allclose([out.lower, out.upper], bounds, atol=1e-4)
    if method == "spearman":
        assert float(rsa.permutation_p(monkey, subjects, n_permutations=99)) == 0.01


def simulated(rng, n_subjects=6, n=16, shared=0.6):
    """Subjects with a common part that resembles the model in part, over stimuli from a world."""
    model = pdist(rng.standard_normal((n, 4)))
    common = model + shared * pdist(rng.standard_normal((n, 4)))
    subjects = common + rng.standard_normal((n_subjects, len(model)))
    return model, comparison.squares(subjects, n)


@pytest.mark.parametrize("over", ["subject", "stimulus", "both"])
def test_intervals_cover_the_truth(over):
    rng = np.random.default_rng(12)
    draws = [simulated(rng) for _ in range(80)]
    found = [
        rsa.bootstrap(m, s, "pearson", over, n_bootstraps=60, seed=k, confidence=0.9)
        for k, (m, s) in enumerate(draws)
    ]
    if over == "both":
        truth = np.mean([float(f.score) for f in found])
        covered = np.mean([bool(f.low <= truth <= f.high) for f in found])
        assert covered >= 0.82
        spread = np.std([float(f.score) for f in found])
        assert np.mean([float(f.standard_error) for f in found]) == pytest.approx(spread, rel=0.35)
    for f in found:
        assert float(f.low) < float(f.score) < float(f.high)
        assert f.draws.dims == ("draw",)


@pytest.mark.parametrize("method", ["pearson", "spearman", "rho-a", "cosine", "tau-a", "tau-b"])
def test_stimulus_draws_equal_comparing_what_was_drawn(method):
    rng = np.random.default_rng(13)
    model, subjects = simulated(rng, n=8)
    model = np.round(model, 1)
    out = rsa.bootstrap(model, subjects, method, "stimulus", n_bootstraps=5, seed=3)
    again = np.random.default_rng(3)
    full = squareform(model)
    rows, columns = np.triu_indices(8, 1)
    for k in range(5):
        chosen = again.integers(8, size=8)
        keep = chosen[rows] != chosen[columns]
        drawn = [m[np.ix_(chosen, chosen)][rows, columns][keep] for m in (full, *subjects)]
        r = comparison.agreement(drawn[0][None], np.stack(drawn[1:]), method, 8)
        assert float(out.draws[k]) == pytest.approx(r.mean())


def test_several_models_are_compared_on_the_same_draws():
    model, subjects = simulated(np.random.default_rng(13), n=8)
    full = squareform(model)
    models = xr.DataArray(
        np.stack([full, full[::-1, ::-1]]), {"layer": [1, 2]}, ("layer", "stimulus", "stimulus_")
    )
    several = rsa.bootstrap(models, subjects, "cosine_cov", "subject", n_bootstraps=20)
    assert several.draws.dims == ("draw", "layer")
    assert several.score.sel(layer=1) > several.score.sel(layer=2)


@pytest.mark.parametrize("method", ["pearson", "rho-a", "tau-a", "cosine_cov"])
def test_permutations_equal_exchanging_stimuli_and_comparing_again(method):
    model, subjects = simulated(np.random.default_rng(14), n=7, shared=3)
    p = rsa.permutation_p(model, subjects, method, n_permutations=39, seed=5)
    again = np.random.default_rng(5)
    score = float(rsa.compare(model, subjects, method).mean())
    full, above = squareform(model), 0
    for _ in range(39):
        order = again.permutation(7)
        moved = full[np.ix_(order, order)]
        above += float(rsa.compare(moved, subjects, method).mean()) >= score - 1e-12
    assert float(p) == pytest.approx((above + 1) / 40)


def test_permutation_p_is_uniform_without_an_effect():
    rng = np.random.default_rng(15)
    p = [
        float(rsa.permutation_p(pdist(a), pdist(b), n_permutations=39, seed=k))
        for k, (a, b) in enumerate(rng.standard_normal((300, 2, 10, 3)))
    ]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.09
    assert np.mean(p) == pytest.approx(0.51, abs=0.06)


def test_bad_input_is_named():
    x = np.random.default_rng(16).standard_normal((6, 4))
    with pytest.raises(UnknownNameError, match="Did you mean 'correlation'"):
        rsa.rdm(x, "corelation")
    with pytest.raises(UnknownNameError, match="Did you mean 'spearman'"):
        rsa.compare(x @ x.T, x @ x.T, "spearmann")
    with pytest.raises(UnknownNameError, match="Did you mean 'subject'"):
        rsa.bootstrap(x @ x.T, x @ x.T, over="subjects")
    missing = x.copy()
    missing[2, 1] = np.nan
    with pytest.raises(DataError, match=r"1 of 24 values in x are missing .* \[2, 1\]"):
        rsa.rdm(missing)
    with pytest.raises(DataError, match="at least 2 stimuli; got 1: 'a'"):
        rsa.rdm(x, stimulus=["a"] * 6)
    with pytest.raises(DataError, match=r"stimulus of shape \(6,\)"):
        rsa.rdm(x, stimulus=[1, 2])
    with pytest.raises(DataError, match="6 residuals with 0 degrees of freedom"):
        rsa.rdm(x, "mahalanobis")
    with pytest.raises(DataError, match=r"residuals of shape \(samples, 4\); got \(9, 3\)"):
        rsa.rdm(x, "mahalanobis", residuals=np.ones((9, 3)))
    with pytest.raises(DataError, match="no coordinate 'run'"):
        rsa.rdm(x, "crossnobis", stimulus=[0, 1] * 3)
    with pytest.raises(DataError, match="at least 2 folds"):
        rsa.rdm(x, "crossnobis", stimulus=[0, 1] * 3, fold=[0] * 6)
    with pytest.raises(DataError, match="first: fold 1, stimulus 'b'"):
        rsa.rdm(x, "crossnobis", stimulus=list("ababaa"), fold=[0, 0, 0, 0, 1, 1])
    with pytest.raises(DataError, match="in 3 folds, no noise is left"):
        rsa.rdm(x, "crossnobis", stimulus=[0, 1] * 3, fold=np.repeat([0, 1, 2], 2))
    with pytest.raises(DataError, match="symmetric"):
        rsa.compare(np.arange(9.0).reshape(3, 3), np.ones(3))
    with pytest.raises(DataError, match="4 entries, which is no upper triangle"):
        rsa.compare(np.ones(4), np.ones(3))
    with pytest.raises(DataError, match=r"got \(2, 2, 3, 3\)"):
        rsa.compare(np.ones((2, 2, 3, 3)), np.ones(3))
    with pytest.raises(DataError, match="at least 2 subjects; got 1"):
        rsa.noise_ceiling(x @ x.T)
    with pytest.raises(DataError, match="Use over='stimulus'"):
        rsa.bootstrap(x @ x.T, x @ x.T)
    with pytest.raises(DataError, match="Use over='subject'"):
        rsa.bootstrap(x @ x.T, np.stack([x @ x.T] * 2), "cosine_cov")
