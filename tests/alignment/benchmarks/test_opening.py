"""Benchmarks open by name, refuse other data, and say how a score was made."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import neurokit as nk
from neurokit.alignment import features
from neurokit.alignment.benchmarks import benchmark
from neurokit.errors import DataError, UnknownNameError

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "alignment"
shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recordings are not here")


def test_the_function_and_the_package_have_their_names():
    assert callable(nk.alignment.benchmark)
    assert nk.alignment.benchmarks.benchmark is nk.alignment.benchmark
    assert callable(nk.alignment.leaderboard)


def test_a_run_repeats_to_the_last_digit():
    bench = benchmark("haxby-words")
    one, again = bench.score("letters"), benchmark("haxby-words").score("letters")
    xr.testing.assert_identical(one.drop_attrs(), again.drop_attrs())
    assert one.attrs["data_hash"] == again.attrs["data_hash"]


def test_a_score_says_how_it_was_made():
    bench = benchmark("haxby-words")
    facts = bench.score("length", seed=5).attrs
    assert facts["seed"] == 5
    assert facts["configuration_hash"] == bench.card.digest()
    assert json.loads(facts["configuration"])["folds"]["group"] == "run"
    assert {"versions", "revision", "machine", "wall_time", "date", "suite_version"} <= set(facts)
    assert "numpy" in facts["versions"]
    assert facts["nuisance"] == "characters, position"


def test_recurring_stimuli_make_features_alike():
    """Whatever tells eight names apart scores alike, which the verdict says."""
    bench = benchmark("haxby-words")
    rng = np.random.default_rng(0)
    scores = [bench.score(rng.standard_normal((8, 40))) for _ in range(2)]
    one_hot = bench.score("one-hot")
    for score in scores:
        assert float(score.raw) == pytest.approx(float(one_hot.raw), abs=0.02)
    assert "by design" in one_hot.attrs["leakage"]
    assert 0.1 < float(one_hot.raw) < float(one_hot.ceiling)
    assert float(one_hot.p) < 0.05


@pytest.fixture
def model(monkeypatch):
    """A language model of two layers, the second of which counts characters; a blind twin."""
    calls = []

    def language(texts, model, layers="all", pooling="last", context=None, *, passages=None,
                 untrained=False, seed=0, device="auto"):  # fmt: skip
        calls.append({"layers": layers, "pooling": pooling, "untrained": untrained, "seed": seed})
        if model != "tiny":
            raise UnknownNameError("model", model, ["tiny"])
        noise = np.random.default_rng(seed).standard_normal((len(texts), 4))
        told = np.column_stack([[len(t) for t in texts], [t.count("e") for t in texts]])
        found = {0: noise, 1: noise[:, :2] if untrained else told}
        wanted = found if layers == "all" else layers
        return {k: xr.DataArray(found[k], dims=("presentation", "feature")) for k in wanted}

    monkeypatch.setattr(features, "language", language)
    return calls


def test_a_model_and_its_untrained_twin(make_world, model):
    world = make_world(features={"pooling": "mean"})
    texts = world.bench.stimuli["text"]
    world.bench.assembly.responses.values[:] += np.array([[len(t)] for t in texts], np.float32)
    score = world.bench.score("tiny")
    assert (score.chosen == 1).all()
    assert float(score.raw) > 0.9
    assert float(score.baseline_score.sel(baseline="untrained")) < 0.2
    assert score.untrained_layer_score.sizes == {"layer": 2}
    assert [call["untrained"] for call in model] == [False, True]
    assert {call["pooling"] for call in model} == {"mean"}


def test_the_twin_may_be_left_out(make_world, model):
    score = make_world().bench.score("tiny", layers="1", untrained=False)
    assert "untrained" not in score.baseline.values
    assert score.layer.values.tolist() == [1]
    assert model == [{"layers": [1], "pooling": "mean", "untrained": False, "seed": 0}]


def test_bad_models_and_features(make_world, model):
    bench = make_world().bench
    with pytest.raises(UnknownNameError, match="Did you mean 'tiny'"):
        bench.score("tinny")
    with pytest.raises(DataError, match="An untrained twin needs a model's name"):
        bench.score(np.zeros((240, 2)), untrained=True)
    with pytest.raises(DataError, match="each of 240 stimuli"):
        bench.score(np.zeros((239, 2)))
    with pytest.raises(DataError, match="All 2 features are constant"):
        bench.score(np.zeros((240, 2)))
    with pytest.raises(DataError, match="seed is -1"):
        bench.score("tiny", seed=-1)


def test_another_copy_of_the_data_is_refused(tmp_path):
    rows = ["item_id,sentence,lang_LH_netw"] + [f"B.{k},It rains.,0.5" for k in range(9)]
    (tmp_path / "bold_response_LH.csv").write_text("\n".join(rows))
    with pytest.raises(DataError, match="expected 1,000 presentations, found 9; expected 1,000 st"):
        _ = benchmark("tuckute2024", tmp_path).assembly


@shared
def test_reading_times_gain_from_surprisal():
    bench = benchmark("futrell2018", SHARED / "naturalstories")
    score = bench.score(bench.stimuli["surprisal"].to_numpy())
    assert float(score.raw) >= 0.02
    assert float(score.baseline_score.sel(baseline="nuisance")) > 0.2
    assert abs(score.attrs["content_free_r"]) < 0.1


@shared
def test_a_vision_model_approaches_human_it():
    bench = benchmark("kriegeskorte92", SHARED / "kriegeskorte92")
    score = bench.score(str(SHARED / "weights" / "alexnet_imagenet_conv_fp16.npz"))
    pooled = score.pooled_layer_score.values
    assert pooled[0] == pytest.approx(0.173, abs=0.005)
    assert pooled[-1] == pytest.approx(0.304, abs=0.005)
    assert score.untrained_layer_score.max() < 0.12
    assert float(score.ceiling) == pytest.approx(0.6657, abs=1e-3)
    assert float(score.ceiling_low) == pytest.approx(0.3723, abs=1e-3)
