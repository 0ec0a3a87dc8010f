"""The grid finds a planted pattern, and nothing where there is nothing."""

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment.encoding import encode
from neurokit.alignment.grid import cross_view, encoding_grid
from neurokit.alignment.pairwise import pairwise_accuracy
from neurokit.errors import DataError, UnknownNameError

N, WIDTH, PER_REGION = 180, 12, 15
CONCEPTS = np.repeat(np.arange(60), 3)
LATE = {"late": ("image", "text")}


def responses(parts, noise, rng):
    """Mix features into the targets of regions."""
    columns, regions = [], []
    for name, drive in parts.items():
        signal = drive @ rng.standard_normal((drive.shape[1], PER_REGION))
        signal = signal / max(signal.std(), 1e-9)
        columns.append(signal + noise * rng.standard_normal(signal.shape))
        regions += [name] * PER_REGION
    coords = {"region": ("target", regions), "x": ("target", np.arange(len(regions)) * 1e-3)}
    return xr.DataArray(np.hstack(columns), dims=("presentation", "target"), coords=coords)


@pytest.fixture(scope="module")
def planted():
    rng = np.random.default_rng(0)
    image, text = (rng.standard_normal((N, WIDTH)) for _ in range(2))
    joint = image * text
    features = {"image": image, "text": text, "joint": np.hstack([image, joint])}
    parts = {
        "visual": image,
        "language": text,
        "hub": np.hstack([image, text]),
        "binding": joint,
        "noise": np.zeros((N, WIDTH)),
    }
    return features, responses(parts, 0.7, rng)


@pytest.fixture(scope="module")
def grid(planted):
    features, y = planted
    return encoding_grid(features, y, CONCEPTS, late=LATE)


def test_each_region_prefers_what_drives_it(grid):
    best = {"visual": {"image", "late", "joint"}, "language": {"text", "late"}}
    for region, wanted in best.items():
        row = grid.r.sel(region=region)
        poor = row.drop_sel(features=list(wanted))
        assert float(row.sel(features=list(wanted)).min()) > float(poor.max()) + 0.3
    hub = grid.r.sel(region="hub")
    assert float(hub.sel(features="late")) > float(hub.drop_sel(features="late").max()) + 0.1
    assert str(grid.r.sel(region="binding").idxmax("features").item()) == "joint"
    assert (grid.accuracy.sel(features="late", region=["visual", "language", "hub"]) > 0.9).all()


def test_noise_and_shuffled_rows_score_chance(grid):
    assert float(abs(grid.r.sel(region="noise")).max()) < 0.1
    assert float(abs(grid.accuracy.sel(region="noise") - 0.5).max()) < 0.15
    assert float(abs(grid.r_null).max()) < 0.15
    assert float(abs(grid.accuracy_null.mean() - 0.5)) < 0.08
    assert grid.attrs["chance_accuracy"] == 0.5


def test_dims_and_parts_agree(grid):
    assert grid.r.dims == ("features", "region")
    assert list(grid.region.values) == ["visual", "language", "hub", "binding", "noise"]
    np.testing.assert_allclose(grid.r_fold.mean("fold"), grid.r, atol=1e-12)
    by_target = grid.r_target.groupby("target_region").mean()
    np.testing.assert_allclose(by_target.sel(target_region=grid.region), grid.r, atol=1e-12)
    assert (grid.n_targets == PER_REGION).all()
    assert grid.r_target.coords["x"].shape == (75,)


@pytest.mark.filterwarnings("ignore:Penalty grid edge")
def test_r_is_that_of_encode(planted, grid):
    features, y = planted
    theirs = encode(features["image"], y, CONCEPTS, n_permutations=0, n_bootstraps=0)
    np.testing.assert_allclose(grid.r_target.sel(features="image"), theirs.r, atol=1e-8)
    both = np.hstack([features["image"], 1e3 * features["text"] + 5])
    theirs = encode(both, y, CONCEPTS, n_permutations=0, n_bootstraps=0)
    np.testing.assert_allclose(grid.r_target.sel(features="late"), theirs.r, atol=1e-8)


def test_accuracy_is_2v2_within_folds():
    """With unregularised least squares the table can be computed by hand."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((40, 2))
    y = responses({"a": x}, 2.0, rng)
    folds = [(np.arange(20, 40), np.arange(20)), (np.arange(20), np.arange(20, 40))]
    grid = encoding_grid({"x": x}, y, cv=folds, alphas=[1e-9])
    values = y.values
    for number, (train, test) in enumerate(folds):
        design = np.column_stack([np.ones(20), x[train]])
        weights = np.linalg.lstsq(design, values[train], rcond=None)[0]
        prediction = np.column_stack([np.ones(20), x[test]]) @ weights
        mean = values[train].mean(axis=0)
        expected = pairwise_accuracy(values[test] - mean, prediction - mean).accuracy.item()
        assert grid.accuracy_fold.values[0, number, 0] == pytest.approx(expected)


def test_the_ceiling_divides(planted):
    features, y = planted
    ceiling = np.full(75, 0.8)
    ceiling[60:] = 0.0
    grid = encoding_grid({"text": features["text"]}, y, CONCEPTS, cv=3, ceiling=ceiling)
    np.testing.assert_allclose(grid.r_normalised[:, :4], grid.r[:, :4] / 0.8)
    assert np.isnan(grid.r_normalised.sel(region="noise")).all()
    assert float(grid.ceiling.sel(region="hub")) == pytest.approx(0.8)


def test_a_concept_in_training_and_test_is_refused(planted):
    features, y = planted
    leaky = [(np.arange(0, N, 2), np.arange(1, N, 2))]
    with pytest.raises(DataError, match=r"Fold 0 has '0' in training and in test \(60 groups"):
        encoding_grid(features, y, CONCEPTS, cv=leaky)


@pytest.mark.parametrize(
    ("changes", "kind", "message"),
    [
        ({"features": {}}, DataError, "There are no features"),
        ({"features": {"image": np.ones((3, 2))}}, DataError, "Features 'image': .*got 3 and 180"),
        ({"late": {"late": ("image", "txt")}}, UnknownNameError, "feature set 'txt'"),
        ({"late": {"image": ("image", "text")}}, DataError, "map a new name"),
        ({"late": {"late": ("image",)}}, DataError, "two or more feature sets"),
        ({"late": {"late": "image"}}, DataError, "two or more feature sets"),
        ({"region": "roi"}, UnknownNameError, "coordinate of the targets 'roi'"),
        ({"y": np.ones((N, 3))}, DataError, "as a DataArray with dims"),
        ({"groups": None, "cv": [(np.arange(20), [30])]}, DataError, "two|at least 2"),
        ({"metric": "euclidean"}, UnknownNameError, "metric 'euclidean'"),
    ],
)
def test_what_cannot_be_is_said(planted, changes, kind, message):
    features, y = planted
    given = {"features": features, "y": y, "groups": CONCEPTS, "late": LATE, "cv": 2}
    with pytest.raises(kind, match=message):
        encoding_grid(**{**given, **changes})


@pytest.fixture(scope="module")
def views():
    """Pictures and sentences share meaning; each has a code of its own in one region."""
    rng = np.random.default_rng(2)
    meaning = rng.standard_normal((90, 6))
    features, y, concepts = {}, {}, {}
    shared = rng.standard_normal((6, PER_REGION))
    for view in ("picture", "sentence"):
        order = rng.permutation(90)
        own = rng.standard_normal((6, PER_REGION))
        features[view] = meaning[order] + 0.1 * rng.standard_normal((90, 6)) + rng.normal(0, 5, 6)
        blocks = [meaning[order] @ shared, meaning[order] @ own, np.zeros((90, PER_REGION))]
        values = np.hstack(blocks) + rng.standard_normal((90, 3 * PER_REGION)) + 20 * len(view)
        labels = np.repeat(["semantic", "own", "noise"], PER_REGION)
        y[view] = xr.DataArray(
            values, dims=("presentation", "target"), coords={"region": ("target", labels)}
        )
        concepts[view] = np.array([f"c{k}" for k in order])
    return features, y, concepts


def test_meaning_transfers_and_codes_of_one_view_do_not(views):
    out = cross_view(*views)
    within = out.r.sel(train_view="picture", test_view="picture")
    across = out.r.sel(train_view="picture", test_view="sentence")
    assert float(within.sel(region="semantic")) > 0.7
    assert float(across.sel(region="semantic")) > 0.7
    assert float(within.sel(region="own")) > 0.7
    assert float(abs(across.sel(region="own"))) < 0.35
    assert float(abs(out.r.sel(region="noise")).max()) < 0.15
    assert float(out.accuracy.sel(region="semantic").min()) > 0.9
    assert out.r.dims == ("train_view", "test_view", "region")
    assert out.attrs["n_concepts"] == 90


def test_a_view_against_itself_learns_nothing_of_its_test_concepts():
    """Were a concept of another view left in training, its own noise would be predicted."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((60, 200))  # wide enough to remember every concept
    noise = rng.standard_normal((60, PER_REGION))
    y = xr.DataArray(noise, dims=("p", "t"), coords={"region": ("t", ["a"] * PER_REGION)})
    names = np.arange(60)
    out = cross_view({"a": x, "b": x}, {"a": y, "b": y}, {"a": names, "b": names}, alphas=[1e-3])
    assert float(abs(out.r).max()) < 0.15


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y, c: x.pop("sentence"), "same two or more views"),
        (lambda x, y, c: x.update(sentence=x["sentence"][:, :3]), "'picture': 6, 'sentence': 3"),
        (lambda x, y, c: x.update(sentence=x["sentence"][:5]), "View 'sentence': .*got 5 and 90"),
        (lambda x, y, c: y.update(sentence=y["sentence"][:, ::-1]), "'sentence' has other targets"),
        (lambda x, y, c: c.update(sentence=c["sentence"][:5]), r"view 'sentence' of shape \(90,\)"),
        (lambda x, y, c: c.update(sentence=["c0"] * 90), "'sentence' has 0 test samples"),
    ],
)
def test_views_that_do_not_fit(views, change, message):
    copies = tuple(dict(part) for part in views)
    change(*copies)
    with pytest.raises(DataError, match=message):
        cross_view(*copies)
