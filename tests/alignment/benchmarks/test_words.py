"""Features of running words reach the responses they evoke, and no story's reach another's."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit.alignment.benchmarks import Benchmark
from neurokit.alignment.benchmarks.words import at_presentations, words_of
from neurokit.alignment.downsample import lanczos
from neurokit.catalog.benchmarks import BenchmarkCard
from neurokit.datasets.assemblies import Assembly
from neurokit.errors import DataError

TR = 2.0
STORIES = ("one", "two", "three", "four")


def listening(n_volumes=120, n_features=3, seed=0):
    """Four stories, words at random times, responses to their features two volumes later."""
    rng = np.random.default_rng(seed)
    words, responses, features = [], [], []
    for story in STORIES:
        onset = np.sort(rng.uniform(0, n_volumes * TR - 5, 400))
        x = rng.standard_normal((400, n_features)).astype(np.float32)
        time = TR * np.arange(n_volumes) + TR / 2
        heard = lanczos(x, onset + 0.1, time)
        late = np.vstack([np.zeros((2, n_features)), heard[:-2]])
        responses.append(late + 0.5 * rng.standard_normal(late.shape))
        words.append(pd.DataFrame({"story": story, "word": "word", "onset": onset,
                                   "offset": onset + 0.2}))  # fmt: skip
        features.append(x)
    story = np.repeat(STORIES, n_volumes)
    bold = xr.DataArray(
        np.concatenate(responses).astype(np.float32),
        dims=("presentation", "neuroid"),
        coords={
            "stimulus_id": ("presentation", story),
            "story": ("presentation", story),
            "time": ("presentation", np.tile(TR * np.arange(n_volumes) + TR / 2, 4)),
        },
    )
    stimuli = pd.DataFrame({"text": ["word " * 400] * 4}, index=STORIES)
    assembly = Assembly("toy", bold, stimuli, words=pd.concat(words, ignore_index=True))
    return assembly, np.concatenate(features)


def opened(assembly, **settings):
    base = {
        "name": "toy", "title": "Toy stories", "description": "For tests.", "suite": "test",
        "version": 1, "data": "lebel2023", "layout": "lebel2023", "stimuli": "words",
        "nuisance": ["characters", "word rate"],
        "folds": {"kind": "group", "group": "story"}, "regression": {"delays": [1, 2, 3]},
    }  # fmt: skip
    bench = Benchmark(BenchmarkCard.model_validate(base | settings))
    object.__setattr__(bench, "__dict__", {**bench.__dict__, "assembly": assembly})
    return bench


def test_delayed_words_predict_stories_left_out():
    assembly, x = listening()
    score = opened(assembly).score({"noise": x[::-1].copy(), "truth": x})
    assert set(score.chosen.values) == {"truth"}
    assert float(score.raw) > 0.6
    assert abs(float(score.layer_score.sel(layer="noise"))) < 0.15
    assert abs(float(score.baseline_score.sel(baseline="permuted"))) < 0.05
    assert score.attrs["leakage_flagged"] == 0
    assert score.attrs["split"] == "4 folds, each of whole groups by story"


def test_without_delays_there_is_nothing():
    assembly, x = listening()
    assert float(opened(assembly, regression={}).score(x).raw) < 0.2


def test_a_story_that_authors_hold_out():
    assembly, x = listening()
    folds = {"kind": "given", "group": "story", "test": ["two"]}
    score = opened(assembly, folds=folds).score({0: x, 1: x[::-1].copy()})
    assert score.sizes["fold"] == 1
    assert float(score.raw) > 0.6
    assert score.chosen.values.tolist() == [0]


def test_a_constant_stays_constant_and_fast_changes_go():
    onto = np.arange(0.0, 200, TR)
    time = np.arange(0.0, 200, 0.1)
    inside = slice(5, -5)
    flat = lanczos(np.ones((len(time), 1)), time, onto)[inside] * 0.1 / TR
    np.testing.assert_allclose(flat, 1, atol=0.02)
    slow = lanczos(np.sin(2 * np.pi * 0.02 * time)[:, None], time, onto)[inside, 0] * 0.1 / TR
    np.testing.assert_allclose(slow, np.sin(2 * np.pi * 0.02 * onto[inside]), atol=0.02)
    fast = lanczos(np.sin(2 * np.pi * 0.9 * time)[:, None], time, onto)[inside] * 0.1 / TR
    assert np.abs(fast).max() < 0.02


def test_words_of_one_story_stay_in_it():
    assembly, x = listening()
    marked = np.zeros_like(x[:, :1])
    marked[assembly.words["story"] == "two"] = 1
    rows = at_presentations(marked, assembly.words, assembly)[:, 0]
    story = assembly.responses["story"].values
    assert (rows[story != "two"] == 0).all()
    assert np.abs(rows[story == "two"]).mean() > 0.5


def test_words_may_be_the_presentations():
    n, rng = 200, np.random.default_rng(0)
    ids = [f"{k // 50}.{k % 50}" for k in range(n)]
    x = rng.standard_normal((n, 1))
    shown = np.arange(n) % 50 > 0
    times = xr.DataArray(
        (x + rng.standard_normal((n, 1)))[shown],
        dims=("presentation", "neuroid"),
        coords={
            "stimulus_id": ("presentation", np.array(ids)[shown]),
            "story": ("presentation", np.repeat(list("abcd"), 50)[shown]),
        },
    )
    stimuli = pd.DataFrame({"text": "w", "length": rng.integers(1, 9, n)}, index=ids)
    words = pd.DataFrame({"story": np.repeat(list("abcd"), 50), "word": "w"})
    assembly = Assembly("toy", times, stimuli, words=words)
    bench = opened(assembly, metrics=["delta-R2"], nuisance=["length"],
                   regression={"delays": [0, 1]})  # fmt: skip
    assert 0.3 < float(bench.score(x).raw) < 0.6


def test_missing_words_and_times_are_named():
    assembly, x = listening()
    bare = Assembly("bare", assembly.responses, assembly.stimuli)
    with pytest.raises(DataError, match="bare brings no words, which toy scores"):
        words_of(opened(bare).card, bare)
    untimed = assembly.words[["story", "word"]]
    with pytest.raises(DataError, match="The 1600 words of toy have no times and are not its 4"):
        at_presentations(x, untimed, assembly)
    with pytest.raises(DataError, match="two or more; got 1 with steps"):
        lanczos(x, np.arange(len(x)), np.zeros(1))
    with pytest.raises(DataError, match="each of 1600 stimuli .*; got 1599 rows"):
        opened(assembly).score(x[1:])
