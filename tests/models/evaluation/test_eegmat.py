"""Rest against mental arithmetic (EEGMAT): the windows, the split and what band power attains."""

from pathlib import Path

import numpy as np
import pytest

import neurokit as nk
from neurokit.datasets.spikes import read_npz
from neurokit.models import StateSubspace, StateSubspaceConfig, baselines, encode, linear_probe

FILE = Path(__file__).resolve().parents[4] / "shared" / "data" / "eeg" / "eegmat_128hz_int16.npz"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILE.exists(), reason="needs the shared recordings"),
]


@pytest.fixture(scope="module")
def win():
    eeg = {"array": "X", "axes": ["channel", "time"], "sampling_rate": "sfreq",
           "names": "ch_names", "scale": "scale_uV", "units": "uV"}  # fmt: skip
    segments = {"offsets": "offsets", "facts": {"subject": "subject", "run": "run"}}
    recs = read_npz(FILE, segments=segments, segment=None, streams={"eeg": eeg})
    return nk.windows.sliding(recs, stream="eeg", length=5.0, labels="run")


def test_windows_and_the_published_split(win):
    assert (len(win), int((win.labels == 2).sum())) == (1707, 432)
    parts = [win.sel(subject=list(range(a, b))) for a, b in ((0, 28), (28, 32), (32, 36))]
    assert [len(part) for part in parts] == [1343, 172, 192]


def test_band_power_over_six_folds_and_on_the_published_split(win):
    subject, z = win.groups("subject"), baselines.band_power(win)
    found = linear_probe(z, win.labels, subject, cv=6, n_permutations=20).sel(metric="auroc")
    assert float(found["mean"]) == pytest.approx(0.802, abs=0.01)
    assert 0.45 < float(found["null"].mean()) < 0.55
    assert float(found["p"]) == pytest.approx(1 / 21)
    published = [(subject < 28, subject >= 32)]
    fixed = linear_probe(z, win.labels, subject, published, strengths=[0.01])
    assert float(fixed["mean"].sel(metric="auroc")) == pytest.approx(0.840, abs=0.01)


def test_words_without_a_network_and_raw_samples(win):
    subject = win.groups("subject")
    words = linear_probe(baselines.patch_words(win), win.labels, subject, cv=6)
    assert float(words["mean"].sel(metric="auroc")) == pytest.approx(0.71, abs=0.03)
    raw = linear_probe(baselines.raw_features(win), win.labels, subject, cv=6, strengths=[1e-4])
    assert float(raw["mean"].sel(metric="auroc")) == pytest.approx(0.5, abs=0.05)
    assert np.allclose(raw["chance"], [0.5, 432 / 1707, 0.5])


def test_a_subspace_learnt_from_training_subjects_alone_exceeds_band_power(win):
    subject = win.groups("subject")
    config = StateSubspaceConfig(win.names, sampling_rate=128.0, window=5.0)
    learnt_from = []

    def learnt(train):
        learnt_from.append(set(subject[train]))
        model = StateSubspace(config).fit(win.take(train), subject[train])
        return encode(model, win, device="cpu")

    found = linear_probe(learnt, win.labels, subject, cv=6, n_permutations=20).sel(metric="auroc")
    assert [len(people) for people in learnt_from] == [30] * 6
    assert float(found["mean"]) == pytest.approx(0.865, abs=0.015)
    assert float(found["low"]) >= 0.8
    assert 0.45 < float(found["null"].mean()) < 0.55
    assert float(found["p"]) == pytest.approx(1 / 21)
