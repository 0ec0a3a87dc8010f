"""Dissimilarities and choices: truth found, chance at chance, layers chosen by the others."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import xarray as xr

from neurokit.alignment import rsa
from neurokit.alignment.benchmarks.geometry import choose_by_others, odd_one_out_accuracy
from neurokit.datasets.assemblies import Assembly
from neurokit.errors import DataError

N = 40


@pytest.fixture
def brain(make_world):
    """Four subjects whose geometry is that of the second layer."""
    world = make_world(metrics=["rsa-spearman"], ceiling={"kind": "rdms"})
    rng = np.random.default_rng(0)
    layers = {k: rng.standard_normal((N, 30)) for k in range(3)}
    rdms = [rsa.rdm(layers[1] + 0.7 * rng.standard_normal((N, 30))).values for _ in range(4)]
    ids = [f"s{i}" for i in range(N)]
    labels = {"subject": list("ABCD"), "stimulus": ids, "stimulus_": ids}
    matrices = xr.DataArray(np.stack(rdms), labels, ("subject", "stimulus", "stimulus_"))
    stimuli = pd.DataFrame({"text": ids}, index=ids)
    object.__setattr__(world.bench, "__dict__", {**world.bench.__dict__,
        "assembly": Assembly("toy", None, stimuli, rdms=matrices)})  # fmt: skip
    return world.bench, layers


def test_the_layer_with_the_geometry_is_chosen(brain):
    bench, layers = brain
    score = bench.score(layers)
    assert (score["chosen"] == 1).all()
    assert float(score.ceiling_low) - 0.05 < float(score.raw) <= float(score.ceiling)
    assert abs(float(score.layer_score.sel(layer=0))) < 0.1
    assert abs(float(score.baseline_score.sel(baseline="permuted"))) < 0.02
    assert float(score.pooled_layer_score.sel(layer=1)) > float(score.raw)
    assert score.attrs["interval"] == "Student's t over 4 subjects"


def test_agreement_equals_scipy(brain):
    bench, layers = brain
    score = bench.score(layers[1])
    upper = np.triu_indices(N, 1)
    model = (1 - np.corrcoef(layers[1]))[upper]
    data = bench.assembly.rdms.values
    expected = [scipy.stats.spearmanr(model, d[upper]).statistic for d in data]
    np.testing.assert_allclose(score.fold_score, expected, atol=1e-8)


def test_each_fold_is_chosen_by_the_others():
    scores = np.array([[0.9, 0.0, 0.0], [0.2, 0.3, 0.4]])
    inner, chosen = choose_by_others(scores)
    assert chosen.tolist() == [1, 0, 0]
    np.testing.assert_allclose(inner[0], [0.0, 0.45, 0.45])
    with pytest.raises(DataError, match="One subject cannot choose among 2 layers"):
        choose_by_others(scores[:, :1])


def test_draws_choose_the_layer_too(make_world):
    """All subjects share one geometry, so that the layer the others choose is above zero."""
    rng = np.random.default_rng(0)
    world = make_world(metrics=["rsa-spearman"])
    shared = rng.standard_normal((N, 5))
    rdms = [rsa.rdm(shared + 0.1 * rng.standard_normal((N, 5))).values for _ in range(3)]
    ids = [f"s{i}" for i in range(N)]
    labels = {"subject": list("ABC"), "stimulus": ids, "stimulus_": ids}
    truth = xr.DataArray(np.stack(rdms), labels, ("subject", "stimulus", "stimulus_"))
    stimuli = pd.DataFrame({"text": ids}, index=ids)
    object.__setattr__(world.bench, "__dict__", {**world.bench.__dict__,
        "assembly": Assembly("toy", None, stimuli, rdms=truth)})  # fmt: skip
    score = world.bench.score({k: rng.standard_normal((N, 5)) for k in range(12)})
    assert float(score.raw) > 0.02
    assert float(score.permuted_score.mean()) > 0.02
    assert float(score.p) > 0.05


def test_choices_of_the_truth(make_world):
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((N, 8))
    centred = truth - truth.mean(axis=0)
    alike = centred @ centred.T
    triplets = np.stack([rng.choice(N, 3, replace=False) for _ in range(600)])
    pairs = np.stack([alike[triplets[:, b], triplets[:, c]] for b, c in ((1, 2), (0, 2), (0, 1))])
    odd = pairs.argmax(axis=0)
    ordered = np.stack(
        [np.append(np.delete(t, k), t[k]) for t, k in zip(triplets, odd, strict=True)]
    )
    world = make_world(metrics=["odd-one-out"], stimuli="triplets", nuisance=["letters"])
    stimuli = pd.DataFrame({"text": [f"object {i}" for i in range(N)]})
    object.__setattr__(world.bench, "__dict__", {**world.bench.__dict__,
        "assembly": Assembly("toy", None, stimuli, triplets=ordered)})  # fmt: skip
    score = world.bench.score({"noise": rng.standard_normal((N, 8)), "truth": truth})
    assert float(score.raw) == 1.0
    assert set(score.chosen.values) == {"truth"}
    assert float(score.baseline_score.sel(baseline="permuted")) == pytest.approx(1 / 3, abs=0.02)
    assert float(score.layer_score.sel(layer="noise")) == pytest.approx(1 / 3, abs=0.07)
    assert score.attrs["chance"] == pytest.approx(1 / 3)


def test_ties_are_shared():
    np.testing.assert_allclose(odd_one_out_accuracy(np.ones((3, 3)), np.array([[0, 1, 2]])), 1 / 3)


def test_data_without_matrices_or_choices(make_world):
    bare = Assembly("bare", None, pd.DataFrame({"text": ["a", "b", "c"]}))
    for settings, message in (
        ({"metrics": ["rsa-spearman"]}, "bare has no dissimilarities"),
        ({"metrics": ["odd-one-out"], "stimuli": "triplets"}, "bare has no choices"),
    ):
        world = make_world(**settings)
        object.__setattr__(world.bench, "__dict__", {**world.bench.__dict__, "assembly": bare})
        with pytest.raises(DataError, match=message):
            world.bench.score("letters")
