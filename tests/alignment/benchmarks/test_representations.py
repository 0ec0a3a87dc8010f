"""Features find their presentations, whatever order they come in."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit.alignment.benchmarks.nuisance import nuisance_features
from neurokit.alignment.benchmarks.plain import letters, one_hot, sizes
from neurokit.alignment.benchmarks.recurrence import single_ceiling
from neurokit.alignment.benchmarks.representations import align, represent, select, texts_of
from neurokit.datasets.assemblies import Assembly
from neurokit.errors import DataError, UnknownNameError

IDS = ["a", "b", "c"]
SHOWN = ["c", "a", "c", "b"]


def test_rows_follow_the_presentations():
    x = np.array([[1.0], [2.0], [3.0]])
    assert align(x, IDS, SHOWN)["features"].ravel().tolist() == [3, 1, 3, 2]


def test_labels_win_over_order():
    x = xr.DataArray([[2.0], [3.0], [1.0]], {"stimulus_id": ("p", ["b", "c", "a"])}, ("p", "f"))
    assert align({6: x}, IDS, SHOWN)[6].ravel().tolist() == [3, 1, 3, 2]


def test_rows_may_be_presentations():
    assert align(np.arange(4.0), IDS, SHOWN)["features"].ravel().tolist() == [0, 1, 2, 3]


def test_precision_is_kept():
    assert align(np.zeros((3, 2), np.float32), IDS, SHOWN)["features"].dtype == np.float32
    assert align(np.zeros((3, 2), int), IDS, SHOWN)["features"].dtype == np.float64


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.zeros((5, 2)), "each of 3 stimuli .* or 4 presentations; got 5 rows"),
        (np.zeros((3, 0)), r"of shape \(stimuli, features\); got \(3, 0\)"),
        (np.array([[1.0], [np.nan], [0.0]]), "1 of 3 features of layer .*first: row 1"),
        (np.array(["x", "y", "z"]), "Expected numbers as features"),
        ({}, "one layer or more; got none"),
        (
            xr.DataArray([[1.0]], {"stimulus_id": ("p", ["a"])}, ("p", "f")),
            "lack 2 stimuli .* b, c",
        ),
    ],
)
def test_features_that_do_not_fit_say_why(features, message):
    with pytest.raises(DataError, match=message):
        align(features, IDS, SHOWN)


def test_layers_are_found_by_number_or_text():
    layers = {0: np.zeros(1), 6: np.ones(1)}
    assert list(select(layers, [6, "0"])) == [6, 0]
    with pytest.raises(UnknownNameError, match="Unknown layer '7'"):
        select(layers, "7")


def test_plain_features_mean_nothing():
    texts = ["A dog", "a dog", "A god"]
    assert one_hot(texts).sum() == 3
    np.testing.assert_array_equal(letters(texts)[0], letters(texts)[1])
    assert (letters(texts)[0] != letters(texts)[2]).any()
    assert sizes(texts).tolist() == [[2, 5]] * 3


@pytest.fixture
def assembly():
    responses = xr.DataArray(
        np.zeros((4, 1)),
        dims=("presentation", "neuroid"),
        coords={"stimulus_id": ("presentation", SHOWN), "run": ("presentation", [1, 1, 2, 2])},
    )
    stimuli = pd.DataFrame({"text": ["x", "yy zz", "w"], "level": [0.5, 1.5, 2.5]}, index=IDS)
    return Assembly("toy", responses, stimuli)


def test_nuisance_features(assembly, make_world):
    names = ["words", "characters", "position", "level"]
    card = make_world(nuisance=names, folds={"kind": "group", "group": "run"}).bench.card
    expected = [[1, 1, 0, 2.5], [1, 1, 1, 0.5], [1, 1, 0, 2.5], [2, 5, 1, 1.5]]
    found, used = nuisance_features(card, assembly)
    np.testing.assert_allclose(found, expected)
    assert used == names


def test_a_missing_model_leaves_its_features_out(assembly, make_world):
    card = make_world(nuisance=["words", "surprisal"], nuisance_model="./none").bench.card
    with pytest.warns(UserWarning, match="'surprisal' is left out: There is no folder or file"):
        found, used = nuisance_features(card, assembly)
    assert found.shape == (4, 1)
    assert used == ["words"]


def test_luminance_is_mean_and_contrast(make_world, tmp_path):
    images = np.zeros((2, 4, 4, 3), np.uint8)
    images[1, :2] = 200
    np.save(tmp_path / "p.npy", images)
    ids = ["a", "b"]
    responses = xr.DataArray(np.zeros((2, 1)), {"stimulus_id": ("presentation", ids)},
                             ("presentation", "neuroid"))  # fmt: skip
    where = [f"{tmp_path / 'p.npy'}#{k}" for k in range(2)]
    pictures = Assembly("toy", responses, pd.DataFrame({"image": where}, index=ids))
    card = make_world(nuisance=["luminance"]).bench.card
    np.testing.assert_allclose(nuisance_features(card, pictures)[0], [[0, 0], [100, 100]])


def test_unknown_nuisance(assembly, make_world):
    card = make_world(nuisance=["levle"]).bench.card
    with pytest.raises(UnknownNameError, match="Did you mean 'level'"):
        nuisance_features(card, assembly)


def test_models_need_stimuli_they_can_take(assembly, make_world):
    bare = Assembly("toy", assembly.responses, pd.DataFrame({"image": ["p"] * 3}, index=IDS))
    with pytest.raises(DataError, match="have no text, only image"):
        texts_of(bare)
    with pytest.raises(DataError, match="numbers, 0 for the embedding; got 'conv1'"):
        represent("smollm2-135m", make_world().bench.card, assembly, "conv1")


def test_single_ceiling_recovers_the_truth():
    rng = np.random.default_rng(0)
    signal = np.tile(rng.standard_normal((300, 1)), (12, 3))
    noise = np.repeat([0.5, 1.0, 2.0], 1) * rng.standard_normal((3600, 3))
    coords = {"stimulus_id": ("presentation", np.tile(np.arange(300), 12)),
              "run": ("presentation", np.repeat(np.arange(12), 300))}  # fmt: skip
    noisy = xr.DataArray(signal + noise, coords, ("presentation", "neuroid"))
    truth = 1 / np.sqrt(1 + np.array([0.5, 1.0, 2.0]) ** 2)
    np.testing.assert_allclose(single_ceiling(noisy, "run"), truth, atol=0.03)
    with pytest.raises(DataError, match="once in each of 12 runs; got 3599 presentations"):
        single_ceiling(noisy[1:], "run")
