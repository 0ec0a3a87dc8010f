"""Scores recover a simulated truth, and their rivals are where they belong."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV as SklearnRidgeCV
from sklearn.preprocessing import StandardScaler

from neurokit.alignment.benchmarks.evaluation import chosen_neuroids
from neurokit.alignment.benchmarks.regression_task import RegressionTask
from neurokit.alignment.benchmarks.regressions import fit
from neurokit.alignment.benchmarks.uncertainty import student
from neurokit.catalog.benchmarks import Regression
from neurokit.errors import DataError


def rival(score, name):
    return float(score["baseline_score"].sel(baseline=name))


def test_the_layer_that_explains_is_chosen(make_world):
    world = make_world()
    score = world.bench.score(world.layers)
    assert (score["chosen"] == 1).all()
    assert 0.55 < float(score.raw) < 0.8  # signal and noise alike: at most √½
    assert float(score.layer_score.sel(layer=1)) == pytest.approx(float(score.raw))
    assert abs(float(score.layer_score.sel(layer=0))) < 0.15
    assert float(score.low) < float(score.raw) < float(score.high)
    assert float(score.p) < 0.02


def test_null_features_are_at_chance(make_world):
    world = make_world(nuisance=["words"])
    score = world.bench.score({k: world.layers[k] for k in (0, 2)})
    assert abs(float(score.raw)) < 0.15
    assert abs(rival(score, "permuted")) < 0.03
    assert float(score.p) > 0.02
    assert float(score.unique_R2) < 0.02


def test_all_zero_choice_is_honest(make_world):
    """The best of many null layers on test data beats the headline, which may not look there."""
    world = make_world(v=1, n=120)
    rng = np.random.default_rng(1)
    null = {k: rng.standard_normal((120, 5)) for k in range(25)}
    score = world.bench.score(null)
    assert float(score.layer_score.max()) > 0.15
    assert float(score.raw) < float(score.layer_score.max())


def test_fold_scores_equal_scikit_learn(make_world):
    alphas = np.logspace(-2, 4, 13).tolist()
    world = make_world(regression={"alphas": alphas, "selection": "loo"})
    score = world.bench.score(world.layers[1])
    y = world.bench.assembly.responses.values.astype(float)
    expected = []
    for k in range(5):
        test = np.arange(48 * k, 48 * (k + 1))
        train = np.setdiff1d(np.arange(240), test)
        scaler = StandardScaler().fit(world.layers[1][train])
        x = scaler.transform(world.layers[1])
        model = SklearnRidgeCV(alphas=alphas, alpha_per_target=True).fit(x[train], y[train])
        guess = model.predict(x[test])
        expected.append(np.mean([np.corrcoef(guess[:, j], y[test, j])[0, 1] for j in range(6)]))
    np.testing.assert_allclose(score.fold_score, expected, atol=1e-8)


def test_ceiling_from_repeats_normalises_to_one(make_world):
    world = make_world(n=400, repeats=4, ceiling={"kind": "repeats"})
    score = world.bench.score(world.layers)
    assert float(score.ceiling) == pytest.approx(np.sqrt(0.8), abs=0.05)
    assert float(score.normalised) == pytest.approx(1, abs=0.08)


def test_r2_ceiling_is_the_square(make_world):
    world = make_world(repeats=4, ceiling={"kind": "repeats"}, metrics=["R2"])
    score = world.bench.score(world.layers[1])
    assert float(score.ceiling) == pytest.approx(0.8, abs=0.08)
    assert 0.5 < float(score.raw) < 0.85
    assert "content-free" not in score.baseline.values


def test_nuisance_that_explains_leaves_nothing_to_add(make_world):
    world = make_world(nuisance=["loudness"])
    loud = world.bench.stimuli["loudness"].to_numpy()
    responses = world.bench.assembly.responses
    responses.values += 3 * loud[:, None].astype(np.float32)
    score = world.bench.score(np.column_stack([loud, loud**2]))
    assert rival(score, "nuisance") > 0.8
    assert rival(score, "nuisance + model") == pytest.approx(rival(score, "nuisance"), abs=0.03)
    assert abs(float(score.unique_R2)) < 0.02
    both = world.bench.score(world.layers[1])
    assert rival(both, "nuisance + model") > rival(both, "nuisance") + 0.01
    assert float(both.unique_R2) > 0.03


def test_delta_r2_counts_from_nuisance(make_world):
    folds = {"kind": "group", "group": "story", "n": 4}
    world = make_world(
        nuisance=["loudness"], metrics=["delta-R2"], folds=folds, regression={"delays": [0, 1]}
    )
    score = world.bench.score(world.layers)
    assert 0.2 < float(score.raw) < 0.6
    assert abs(rival(score, "nuisance")) < 0.05
    assert abs(rival(score, "permuted")) < 0.1
    assert (score["chosen"] == 1).all()


def test_banded_protocol_adds_to_nuisance(make_world):
    world = make_world(nuisance=["loudness"], metrics=["delta-R2"], regression={"kind": "banded"})
    assert 0.2 < float(world.bench.score(world.layers[1]).raw) < 0.6


def test_leaky_folds_are_flagged(make_world):
    world = make_world(n=240, v=2, folds={"kind": "shuffled", "n": 5})
    responses = world.bench.assembly.responses
    rng = np.random.default_rng(0)
    slow = np.cumsum(rng.standard_normal((240, 2)), axis=0)
    responses.values[:] = (slow - slow.mean(axis=0)) / slow.std(axis=0)
    score = world.bench.score(world.layers[0])
    assert score.attrs["leakage_flagged"] == 1
    assert rival(score, "content-free") > 0.7


def test_published_folds_stand_beside_the_headline(make_world):
    world = make_world(published_folds={"kind": "shuffled", "n": 5}, nuisance=["words"])
    score = world.bench.score(world.layers)
    assert score.attrs["published_split"] == "5 shuffled folds"
    assert float(score.published_raw) == pytest.approx(float(score.raw), abs=0.1)
    assert score.published_layer_score.sizes == {"layer": 3}
    assert "content-free" in score.published_baseline.values


def test_headline_regions_and_subjects(make_world):
    world = make_world(v=12, subjects=4, targets={"keep": ["A", "B"], "headline": ["A"]})
    score = world.bench.score(world.layers[1])
    mean = float(score.unit_score.sel(unit=score.region == "A").mean())
    assert float(score.raw) == pytest.approx(mean)
    assert score.attrs["n_units"] == 6
    assert "4 subjects" in score.attrs["interval"]
    assert score.sizes["unit"] == 12


def test_one_target_gets_a_bootstrap_over_units(make_world):
    world = make_world(v=1)
    score = world.bench.score(world.layers[1])
    assert "bootstrap over 20 blocks" in score.attrs["interval"]
    assert float(score.low) < float(score.raw) < float(score.high)


def test_one_held_out_story_gets_a_bootstrap_over_its_blocks(make_world):
    folds = {"kind": "given", "group": "story", "test": ["3"]}
    score = make_world(v=1, folds=folds).bench.score(np.random.default_rng(0).random((240, 3)))
    assert "bootstrap over 15 blocks" in score.attrs["interval"]
    assert float(score.low) < float(score.raw) < float(score.high)


def test_a_pattern_that_all_responses_share_changes_no_comparison(make_world):
    world = make_world(metrics=["2v2"])
    before = world.bench.score(world.layers[1])
    world.bench.assembly.responses.values[:] += 50 * np.arange(6, dtype=np.float32)
    after = world.bench.score(world.layers[1])
    assert float(after.raw) == pytest.approx(float(before.raw), abs=0.01)


def test_two_versus_two(make_world):
    world = make_world(metrics=["2v2", "r"], aggregate="median")
    score = world.bench.score(world.layers)
    assert float(score.raw) > 0.85
    assert rival(score, "permuted") == pytest.approx(0.5, abs=0.06)
    assert score.unit.values.tolist() == ["A", "B"]
    assert score.other_metric.values.tolist() == ["r"]
    assert 0.5 < float(score.other_score[0]) < 0.8
    assert score.attrs["chance"] == 0.5


@pytest.mark.parametrize("kind", ["ridge", "ridge-shared", "pls"])
def test_every_regression_predicts(kind):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 5))
    y = x @ rng.standard_normal((5, 3))
    guess = fit(x[:150], y[:150], Regression(kind=kind))(x[150:])
    assert guess.shape == (50, 3)
    assert np.corrcoef(guess[:, 0], y[150:, 0])[0, 1] > 0.99


def test_precision_changes_no_penalty():
    """Features of low rank plus rounding: what counts as a zero eigenvalue depends on precision."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 10)) @ rng.standard_normal((10, 80))
    x += 1e-4 * rng.standard_normal(x.shape)
    y = x[:, :3] + 5 * rng.standard_normal((200, 3))
    guess = [fit(x[:150].astype(d), y[:150], Regression())(x[150:].astype(d))
             for d in (np.float64, np.float32)]  # fmt: skip
    np.testing.assert_allclose(*guess, atol=2e-3)


def test_constant_features_are_refused():
    with pytest.raises(DataError, match="All 2 features are constant over the 9"):
        fit(np.ones((9, 2)), np.zeros((9, 1)), Regression())


def test_missing_parts_are_named(make_world):
    world = make_world(ceiling={"kind": "ncsnr"})
    with pytest.raises(DataError, match=r"ceiling from repeats \(ncsnr\), and toy brings none"):
        world.bench.score(world.layers[1])


def test_groups_may_stand_in_the_table_of_stimuli(make_world):
    world = make_world(folds={"kind": "group", "group": "kind"})
    assembly = world.bench.assembly
    assembly.stimuli["kind"] = np.repeat(["x", "y", "z"], 80)
    responses, ceiling = chosen_neuroids(world.bench.card, assembly)
    task = RegressionTask(world.bench.card, responses, np.zeros((240, 0)))
    assert len(task.split.folds) == 3
    assert np.isnan(ceiling).all()


def test_interval_of_one_value_is_unknown():
    low, high, unit = student(np.array([0.3]), "folds")
    assert np.isnan([low, high]).all()
    assert unit == "none: there is one of the folds"
