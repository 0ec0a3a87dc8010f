from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pytest
import scipy.signal
import statsmodels.stats.multitest
import xarray as xr
from sklearn.linear_model import RidgeCV as SklearnRidgeCV
from sklearn.model_selection import KFold, LeaveOneGroupOut
from sklearn.preprocessing import StandardScaler

from neurokit.alignment import encode, noise_ceiling, plans, ridge
from neurokit.errors import DataError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore:Penalty grid edge")

FAST = {"n_permutations": 0, "n_bootstraps": 0}


def simulate(n=200, p=12, v=6, snr=1.0, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) * rng.uniform(1, 50, p) + 9
    weights = rng.standard_normal((p, v)) * np.sqrt(snr / p)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    return x, z @ weights + rng.standard_normal((n, v)) + 4


def sklearn_scores(x, y, folds, alphas):
    """The same analysis, spelled out with scikit-learn."""
    r, r2, chosen = [], [], []
    for train, test in folds:
        scaler = StandardScaler().fit(x[train])
        model = SklearnRidgeCV(alphas, alpha_per_target=True)
        model.fit(scaler.transform(x[train]), y[train])
        predicted = model.predict(scaler.transform(x[test]))
        r.append([np.corrcoef(a, b)[0, 1] for a, b in zip(y[test].T, predicted.T, strict=True)])
        error = ((y[test] - predicted) ** 2).sum(axis=0)
        r2.append(1 - error / ((y[test] - y[train].mean(axis=0)) ** 2).sum(axis=0))
        chosen.append(model.alpha_)
    return np.array(r), np.array(r2), np.array(chosen)


@pytest.mark.parametrize("p", [12, 300])
@pytest.mark.parametrize("grouped", [False, True])
def test_equals_the_same_analysis_in_sklearn(p, grouped):
    x, y = simulate(p=p)
    groups = np.repeat(np.arange(4), [30, 70, 40, 60]) if grouped else None
    folds = list(LeaveOneGroupOut().split(x, groups=groups) if grouped else KFold(5).split(x))
    alphas = np.logspace(-1, 4, 11)
    r, r2, chosen = sklearn_scores(x, y, folds, alphas)
    ours = encode(x, y, groups, None if grouped else 5, alphas, selection="loo", **FAST)
    np.testing.assert_array_equal(ours.alpha, chosen)
    np.testing.assert_allclose(ours.r_fold, r, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours.R2_fold, r2, rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours.r, r.mean(axis=0), rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours.R2, r2.mean(axis=0), rtol=0, atol=1e-9)
    given = encode(x, y, cv=iter(folds), alphas=alphas, selection="loo", **FAST)
    np.testing.assert_array_equal(given.r_fold, ours.r_fold)


@pytest.mark.parametrize("selection", ["gcv", "loo", "kfold", "hybrid"])
def test_nothing_of_a_test_sample_reaches_the_training(selection):
    x, y = simulate()
    train, test = np.arange(50, 200), np.arange(50)
    settings = plans.Settings(selection=selection, cv=[(train, test)], n_permutations=0)

    def fit(x, y):
        model = plans.make_plan(x, None, settings).layers[""][0]
        solution = ridge.solve(model.problem, y[train])
        return solution.chosen, model.ahead @ solution.weights + solution.y_mean

    chosen, prediction = fit(x, y)
    wild = np.where(np.arange(200)[:, None] < 50, 1e6 * y, y)
    order = np.concatenate([np.random.default_rng(0).permutation(50), np.arange(50, 200)])
    moved_chosen, moved = fit(x[order], wild)
    np.testing.assert_array_equal(moved_chosen, chosen)
    np.testing.assert_array_equal(moved[np.argsort(order[:50])], prediction)
    far = x.copy()
    far[test[1:]] = 1e6
    np.testing.assert_allclose(fit(far, y)[1][0], prediction[0], rtol=1e-12)


def test_recovers_planted_signal_with_its_ceiling():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((1000, 20))
    signal = x @ rng.standard_normal((20, 8)) / np.sqrt(20)
    noise = np.linspace(0.5, 2.0, 8)
    repeats = signal + noise * rng.standard_normal((4, 1000, 8))
    ceiling = noise_ceiling(repeats)
    result = encode(x, repeats.mean(axis=0), ceiling=ceiling, n_permutations=199)
    np.testing.assert_allclose(result.r_normalised, 1, atol=0.08)
    np.testing.assert_allclose(result.r_normalised, result.r / ceiling.r_ceiling)
    np.testing.assert_allclose(result.R2, result.r**2, atol=0.06)
    np.testing.assert_allclose(result.p, 0.005)
    assert (result.r_low < result.r).all()
    assert (result.r < result.r_high).all()


@pytest.mark.parametrize("coefficient", [0.0, 0.9])
def test_chance_is_chance(coefficient):
    rng = np.random.default_rng(2)
    x, y = (
        scipy.signal.lfilter([1], [1, -coefficient], rng.standard_normal((400, v)), axis=0)
        for v in (20, 500)
    )
    gap = 20 if coefficient else 0
    result = encode(x, y, gap=gap, n_permutations=199, n_bootstraps=400)
    assert abs(float(result.r.mean())) < 0.02
    assert float(result.R2.mean()) < 0.01
    # Folds that train each other share their errors: without the correction this is 0.12.
    assert 0.01 < (result.p < 0.05).mean() < 0.075
    assert (result.q < 0.05).mean() < 0.01
    assert ((result.r_low < 0) & (result.r_high > 0)).mean() > 0.85
    assert result.attrs["chance"] == 0


def test_permutation_p_agrees_with_refitting_everything():
    x, y = simulate(n=80, p=5, v=12, snr=0.04, seed=3)
    result = encode(x, y, alphas=[100.0], cv=4, n_permutations=999)
    rng = np.random.default_rng(0)
    null = np.stack(
        [encode(x, y[rng.permutation(80)], alphas=[100.0], cv=4, **FAST).r for _ in range(300)]
    )
    refitted = (1 + (null >= result.r.values).sum(axis=0)) / 301
    assert np.corrcoef(refitted, result.p)[0, 1] > 0.95
    np.testing.assert_allclose(result.p, refitted, atol=0.12)


def test_q_is_benjamini_hochberg():
    x, y = simulate(v=40, snr=0.1, n=120)
    result = encode(x, y, n_permutations=199, n_bootstraps=0)
    expected = statsmodels.stats.multitest.multipletests(result.p, method="fdr_bh")[1]
    np.testing.assert_allclose(result.q, expected)
    assert "r_low" not in result


def test_delays_find_a_lagged_response_and_need_their_gap():
    rng = np.random.default_rng(4)
    x = rng.standard_normal((600, 3))
    y = np.zeros((600, 2))
    y[3:] = x[:-3, :2]
    y += 0.5 * rng.standard_normal(y.shape)
    delayed = encode(x, y, delays=[1, 2, 3, 4], **FAST)
    assert (delayed.r > 0.85).all()
    assert (abs(encode(x, y, **FAST).r) < 0.2).all()
    assert delayed.attrs["split"] == "5 contiguous folds with a gap of 4 samples"
    assert delayed.n_train.values.tolist() == [476, 472, 472, 472, 476]


def test_delays_and_folds_respect_stories():
    x, y = simulate(n=120)
    story = np.repeat(["a", "b", "c"], 40)
    plain = encode(x, y, story, cv=None, delays=[0, 2], **FAST)
    far = x.copy()
    far[40:80] = 1e3 * far[40:80] + 5
    changed = encode(far, y, story, cv=[(np.arange(40), np.arange(80, 120))], delays=[0, 2], **FAST)
    same = encode(x, y, story, cv=[(np.arange(40), np.arange(80, 120))], delays=[0, 2], **FAST)
    np.testing.assert_array_equal(changed.r, same.r)
    assert plain.sizes["fold"] == 3
    assert plain.attrs["split"] == "3 folds of whole groups"


def test_folds_that_leak_through_delays_are_refused():
    x, y = simulate(n=60)
    shuffled = list(KFold(3, shuffle=True, random_state=0).split(x))
    with pytest.raises(DataError, match="Fold 0 trains on samples 1 from a test sample"):
        encode(x, y, cv=shuffled, delays=[0, 2], **FAST)
    with pytest.raises(DataError, match="samples 3 from a test sample, within the longest delay"):
        encode(x, y, cv=3, gap=2, delays=[1, 4], **FAST)
    allowed = encode(x, y, cv=shuffled, delays=[0, 2], allow_leakage=True, **FAST)
    assert allowed.attrs["split"] == "3 folds as given"
    assert encode(x, y, cv=shuffled, **FAST).sizes["fold"] == 3


def test_labels_of_targets_are_carried_to_the_result(tmp_path):
    x, y = simulate(v=3)
    labelled = xr.DataArray(
        y,
        dims=("time", "roi"),
        coords={
            "time": np.arange(200) * 2.0,
            "roi": ["V1", "IT", "A1"],
            "lobe": ("roi", ["occipital", "temporal", "temporal"]),
        },
    )
    features = xr.DataArray(x, dims=("time", "feature"), coords={"time": np.arange(200) * 2.0})
    result = encode(features, labelled, n_permutations=9, n_bootstraps=9, ceiling=0.8)
    assert float(result.r.sel(target="IT")) == pytest.approx(float(encode(x, y, **FAST).r[1]))
    assert result.lobe.values.tolist() == ["occipital", "temporal", "temporal"]
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as again:
        xr.testing.assert_equal(again.load(), result)
        assert again.attrs["seed"] == 0
    assert encode(x, y[:, 0], **FAST).sizes["target"] == 1
    assert encode(features, labelled[:, 0], **FAST).sizes["target"] == 1


def test_result_says_how_it_was_made():
    x, y = simulate()
    groups = np.repeat(np.arange(10), 20)
    result = encode(x, y, groups, seed=7, n_permutations=9, n_bootstraps=9)
    assert result.attrs["interval_unit"] == "group"
    assert result.attrs["interval_units"] == 10
    assert result.attrs["permutation"] == "rotation within groups"
    assert result.attrs["n_samples"] == 200
    assert "numpy" in result.attrs["versions"]
    plain = encode(x, y, block=25, n_permutations=9, n_bootstraps=9)
    assert plain.attrs["interval_unit"] == "block of 25 samples"
    assert plain.attrs["interval_units"] == 8
    assert (plain.attrs["block"], "block" in result.attrs) == (25, False)
    assert plain.attrs["permutation"] == "exchange of blocks of 25 samples within test folds"


@pytest.mark.parametrize("kind", ["short", "constant"])
def test_groups_that_cannot_move_within_themselves_move_across(kind):
    rng = np.random.default_rng(5)
    size = 3 if kind == "short" else 10
    groups = np.repeat(np.arange(60), size)
    x = rng.standard_normal((60, 4))[groups]
    y = x[:, :2] + 0.3 * (rng.standard_normal((60, 2))[groups])
    result = encode(x, y, groups, n_permutations=99)
    assert result.attrs["permutation"] == "rotation within test folds"
    np.testing.assert_allclose(result.p, 0.01)


def test_features_of_whole_groups_leave_chance_at_chance():
    rng = np.random.default_rng(6)
    groups = np.repeat(np.arange(20), 15)
    x = rng.standard_normal((20, 10))[groups]
    y = rng.standard_normal((300, 400)) + 0.5 * rng.standard_normal((20, 400))[groups]
    result = encode(x, y, groups, n_permutations=199)
    assert result.attrs["permutation"] == "rotation within test folds"
    assert (result.p < 0.05).mean() < 0.1  # moved within groups, half of all targets passed
    assert not ((result.p < 0.05) & (result.r < 0)).any()


@pytest.mark.parametrize(("n_groups", "least"), [(3, 0.88), (5, 0.9), (10, 0.88)])
def test_intervals_over_few_groups_cover_no_effect(n_groups, least):
    rng = np.random.default_rng(7)
    groups = np.repeat(np.arange(n_groups), 40)
    x, y = rng.standard_normal((40 * n_groups, 10)), rng.standard_normal((40 * n_groups, 800))
    result = encode(x, y, groups, cv=None, n_permutations=0)
    assert ((result.r_low < 0) & (result.r_high > 0)).mean() > least


def test_clocks_that_differ_by_rounding_agree_and_by_samples_do_not():
    x, y = simulate(n=100)
    clock = 1e4 + np.arange(100) / 1000
    target = xr.DataArray(y, dims=("time", "roi"), coords={"time": clock})
    near = xr.DataArray(x, dims=("time", "f"), coords={"time": clock + 1e-9})
    assert encode(near, target, **FAST).sizes["fold"] == 5
    with pytest.raises(DataError, match="'time' of x and y differs"):
        encode(near.assign_coords(time=clock + 0.01), target, **FAST)


def test_runs_twice_to_the_same_numbers_and_float32_agrees():
    x, y = simulate()
    first, second = (encode(x, y, n_permutations=50, n_bootstraps=50, seed=3) for _ in range(2))
    xr.testing.assert_identical(first, second)
    single = encode(x.astype("f4"), y.astype("f4"), n_permutations=50, n_bootstraps=50, seed=3)
    np.testing.assert_allclose(single.r, first.r, atol=1e-4)


def test_units_of_features_and_targets_do_not_matter():
    x, y = simulate()
    plain = encode(x, y, **FAST)
    scaled = encode(x * np.logspace(-6, 6, 12), 1e-6 * y + 3, **FAST)
    np.testing.assert_allclose(scaled.r, plain.r, atol=1e-6)
    raw = encode(x, y, standardize=False, **FAST)
    assert raw.attrs["standardize"] == 0
    assert (abs(raw.r - plain.r) > 1e-6).any()


def test_blocks_of_targets_change_nothing(monkeypatch):
    x, y = simulate(v=9)
    whole = encode(x, y, n_permutations=30, n_bootstraps=30)
    monkeypatch.setattr(ridge, "TARGET_BLOCK", 4)
    xr.testing.assert_allclose(encode(x, y, n_permutations=30, n_bootstraps=30), whole)


def test_inner_folds_keep_groups_whole():
    groups = np.repeat(np.arange(5), 20)
    train = np.arange(20, 100)
    five, four = plans.Settings(inner_cv=5), plans.Settings(inner_cv=4)
    for inner_train, inner_test in plans._inner_folds(groups, train, five, 0):
        assert not set(groups[train][inner_train]) & set(groups[train][inner_test])
    one = plans._inner_folds(groups, np.arange(20), four, 2)
    assert [len(test) for _, test in one] == [5, 5, 5, 5]


def test_constant_features_and_targets_are_named():
    x, y = simulate(n=100)
    x[:80, 3] = 7.3
    y[:, 2] = 1.1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = encode(x, y, delays=[0, 1], **FAST)
    said = [str(w.message) for w in caught]
    assert any("weight zero: 3 (delay 0)." in text for text in said)
    assert any("Constant targets cannot be predicted (r = 0): 2." in text for text in said)
    assert all(w.filename == __file__ for w in caught)
    assert float(result.r[2]) == 0
    assert float(result.R2[2]) == 0
    assert np.isfinite(result.r).all()


@pytest.mark.filterwarnings("default:Penalty grid edge")
def test_warns_when_the_grid_is_too_narrow():
    x, y = simulate()
    with pytest.warns(UserWarning, match="of 30 chosen penalties, 30 are the smallest"):
        encode(x, y, alphas=[1e8, 1e9, 1e10], **FAST)


X, Y = simulate(n=40)
NAMED = xr.DataArray(Y, dims=("time", "roi"), coords={"roi": list("abcdef")})


def holed(array, row, column, value=np.nan):
    out = array.copy()
    out[row, column] = value
    return out


@pytest.mark.parametrize(
    ("args", "kwargs", "match"),
    [
        ((X, Y[:30]), {}, "as many samples in x as in y; got 40 and 30"),
        ((X[:, 0], Y), {}, r"Expected x of shape \(samples, features\); got \(40,\)"),
        ((X, Y[:, :0]), {}, r"Expected y of shape \(samples, targets\); got \(40, 0\)"),
        ((X[:0], Y[:0]), {}, r"Expected y of shape .* got \(0, 6\)"),
        ((X, holed(NAMED, 3, 1)), {}, "1 of 240 values in y .* 1 of 6 targets: b"),
        ((X, holed(Y, slice(None), slice(None))), {}, "0, 1, 2, 3, 4 and 1 more"),
        ((holed(X, 0, 5, np.inf), Y), {}, "in x are missing or infinite, .* features: 5"),
        ((X, 1e200 * NAMED), {}, "Values in y reach .* Rescale the targets: a, b, c, d, e and 1"),
        ((X.astype(str), Y), {}, "Expected numbers in x"),
        ((np.ma.masked_greater(X, 100), Y), {}, "in x are missing or infinite"),
        ((X, NAMED.assign_coords(p=("roi", range(6)))), {}, r"Try y.rename\(p='my_p'\)"),
        ((X, Y), {"n_permutations": 9.0}, "whole numbers .* got 9.0, 1000 and None"),
        ((X, Y), {"alphas": ["a"]}, "positive, finite alphas"),
        ((X, Y), {"cv": [(np.arange(40) < 20, np.arange(30) > 25)]}, r"mask of shape \(30,\)"),
        ((np.ones((40, 2)), Y), {}, "All 2 features are constant"),
        ((X, Y, ["a"] * 40), {}, "at least 2 groups; got 1"),
        ((X, Y, ["a", "b"] * 20), {}, "Cannot make 5 folds of 2 groups"),
        ((X, Y, ["a", "b"]), {}, r"groups of shape \(40,\)"),
        ((X, Y), {"cv": None}, "needs groups"),
        ((X, Y), {"cv": 20}, "the smallest test set has 2. Use fewer folds"),
        ((X, Y), {"cv": 50}, "Cannot cut 40 samples into 50 folds"),
        ((X, Y), {"cv": [([0, 1], [1, 2])]}, "in both the training and the test set"),
        ((X, Y), {"cv": 2, "gap": 20}, "leaves nothing to train on"),
        ((X, Y, np.arange(40) // 8), {"gap": 2}, "A gap belongs to contiguous folds"),
        ((X, Y), {"delays": [50]}, "does not fit a series of 40"),
        ((X, Y), {"block": 0}, "a block of 1 to 20 of the 40 samples; got 0"),
        ((X, Y), {"block": 21}, "got 21"),
        ((X, Y), {"confidence": 95}, "between 0 and 1; got 95"),
        ((X, Y), {"n_permutations": -1}, "got -1 and 1000"),
        ((X, Y), {"ceiling": 51.0}, "Percentages must be divided by 100"),
        ((X, Y), {"ceiling": [0.5, 0.6]}, "one for each of 6 targets"),
        ((X, Y), {"ceiling": xr.Dataset({"reliability": 1.0})}, "'r_ceiling'; got"),
        (
            (X, NAMED),
            {"ceiling": xr.DataArray(np.ones(6), dims="roi", coords={"roi": list("fedcba")})},
            "same order; got other labels",
        ),
        (
            (xr.DataArray(X, dims=("time", "feature")), NAMED.T),
            {},
            r"Try y.transpose\('time', 'roi'\)",
        ),
        (
            (
                xr.DataArray(X, dims=("time", "f"), coords={"time": np.arange(40)}),
                NAMED.assign_coords(time=np.arange(40) + 1),
            ),
            {},
            "'time' of x and y differs",
        ),
    ],
)
def test_says_what_does_not_fit(args, kwargs, match):
    with pytest.raises(DataError, match=match):
        encode(*args, **kwargs)


def test_unknown_selection_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="'aic'.* 'gcv', 'loo', 'kfold', 'hybrid'"):
        encode(X, Y, selection="aic")


def test_unknown_ceilings_leave_the_score_undefined():
    result = encode(X, Y, ceiling=[0.5, 0.0, np.nan, 1.0, 0.9, 0.8], **FAST)
    assert np.isnan(result.r_normalised.values).tolist() == [False, True, True, *[False] * 3]


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, neurokit.alignment as a; "
        "print([m for m in ('scipy', 'sklearn', 'pandas', 'xarray', 'torch') if m in sys.modules]);"
        "a.encode; print('sklearn' in sys.modules); print(sorted(a.__all__)[:2])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:3] == ["[]", "False", "['AffineMap', 'BandedRidgeCV']"]
