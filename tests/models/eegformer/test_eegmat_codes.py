"""EEGFormer's codes on real EEG: do they tell mental arithmetic from rest in new people?

No subject that is tested has been seen, neither by naive Bayes nor in pretraining: there are six
folds of six subjects, and the folds of one half are read by a model pretrained on the subjects of
the other half.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

import neurokit as nk
from neurokit.datasets.spikes import read_npz
from neurokit.models import EEGFormer, EEGFormerConfig
from neurokit.models.eegformer import NgramNaiveBayes
from neurokit.models.eegformer.reading import read_windows, real_patches
from neurokit.models.nn.kmeans import cluster_centres, nearest

FILE = Path(__file__).resolve().parents[4] / "shared" / "data" / "eeg" / "eegmat_128hz_int16.npz"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not FILE.exists(), reason="needs the shared recordings"),
]
EEG = {
    **{"array": "X", "axes": ["channel", "time"], "sampling_rate": "sfreq", "names": "ch_names"},
    **{"scale": "scale_uV", "units": "uV"},
}
SEGMENTS = {"offsets": "offsets", "facts": {"subject": "subject", "run": "run"}}


@pytest.fixture(scope="module")
def win():
    recs = read_npz(FILE, segments=SEGMENTS, streams={"eeg": EEG})
    scalp = [name for name in recs[0]["eeg"]["channel"].values if name != "A2-A1"]
    recs = [rec.sel(channel=scalp) for rec in recs]
    return nk.windows.sliding(recs, stream="eeg", length=5.0, labels="run")


def halves(win):
    """Yield the half that is tested, and the windows of the subjects of the other."""
    second = win.groups("subject") % 6 >= 3
    for half in (0, 1):
        yield half, win.take(np.flatnonzero(second != half))


def codes_of(model, win):
    return np.concatenate([codes for codes, _ in read_windows(model, win, 64)])


def pretrained(win, seed):
    model = EEGFormer(EEGFormerConfig.preset("tiny", seed=seed))
    nk.training.fit(
        model, win, epochs=3, batch_size=32, lr=1e-3, seed=seed, device="cpu", progress=False
    )
    return model


def untrained(win, seed):
    """Make an encoder of random weights, with the codebook that k-means finds for it."""
    model = EEGFormer(EEGFormerConfig.preset("tiny", seed=1000 + seed)).train()
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for _ in range(model.config.kmeans_batches + 1):
            model.loss(win.batch(rng.choice(len(win), 32, replace=False)))
    return model.eval()


def kmeans_words(model, train, win, seed):
    """Name each patch after the nearest of as many centres, without an encoder."""

    def patches(some):
        rows = np.array_split(np.arange(len(some)), len(some) // 64 + 1)
        cut = [model.patches(some.batch(r)["x"]).unflatten(0, (len(r), -1)) for r in rows]
        return torch.cat(cut)[:, :, : len(real_patches(model))]

    seen = patches(train).flatten(0, 2)
    some = torch.randperm(len(seen), generator=torch.Generator().manual_seed(seed))[:16384]
    every = patches(win)
    words = nearest(every.flatten(0, 2), cluster_centres(seen[some], 256, seed=seed))
    return words.view(every.shape[:3]).numpy()


def area(win, codes, labels, **options):
    """Return the mean area under the ROC curve over the folds; codes are those of each half."""
    fold, scores = win.groups("subject") % 6, []
    for k in range(6):
        train, test, words = fold != k, fold == k, codes[k // 3]
        bayes = NgramNaiveBayes(positional=True, **options).fit(words[train], labels[train])
        log_p = bayes.predict_log_proba(words[test])
        scores.append(roc_auc_score(labels[test] == 2, log_p[:, 1] - log_p[:, 0]))
    return float(np.mean(scores))


def swapped(win, seed):
    """Exchange the labels of half of the subjects' two recordings."""
    flip = np.random.default_rng(seed).permutation(36) < 18
    return np.where(flip[win.groups("subject")], 3 - win.labels, win.labels)


@pytest.mark.parametrize("seed", range(3))
def test_naive_bayes_on_codes_generalises_to_new_subjects(win, seed, capsys):
    words = {"codes": [], "random weights": [], "k-means": []}
    for _, train in halves(win):
        model = pretrained(train, seed)
        words["codes"].append(codes_of(model, win))
        words["random weights"].append(codes_of(untrained(train, seed), win))
        words["k-means"].append(kmeans_words(model, train, win, seed))
    table = {
        (name, per_channel): area(win, codes, win.labels, per_channel=per_channel)
        for name, codes in words.items()
        for per_channel in (False, True)
    }
    labels = [swapped(win, 100 * seed + i) for i in range(20)]
    null = np.mean([area(win, words["codes"], y) for y in labels])
    with capsys.disabled():
        for (name, per_channel), found in table.items():
            kind = "per channel" if per_channel else "channels pooled"
            print(f"\nseed {seed}, {name}, {kind}: AUROC {found:.3f}", end="", flush=True)
        print(f"\nseed {seed}, labels permuted: AUROC {null:.3f}", flush=True)
    assert table["codes", False] >= 0.65
    assert table["codes", True] >= 0.70
    assert 0.45 <= null <= 0.55


def test_band_power_is_the_baseline_to_beat(win, capsys):
    fold = win.groups("subject") % 6
    found = nk.models.linear_probe(
        nk.models.baselines.band_power(win),
        win.labels,
        win.groups("subject"),
        cv=[(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(6)],
        n_bootstrap=10,
    )
    power = float(found["mean"].sel(metric="auroc"))
    with capsys.disabled():
        print(f"\nband power + logistic regression: AUROC {power:.3f}")
    assert power >= 0.75
