"""EEG as a stand-in for several subjects' sEEG: each is given other channels, as implants would.

No open sEEG of several people is at hand. Scalp EEG (EEGMAT) shares signals between channels far
more than contacts do, so what is shown here is that the machinery works, and not how well.
"""

from pathlib import Path

import numpy as np
import pytest

import neurokit as nk
from neurokit.datasets.spikes import read_npz
from neurokit.models import DuIN, DuINConfig, DuINMasked, baselines, encode, linear_probe
from neurokit.models.duin import (
    channel_importance,
    channel_weights,
    score_code_prediction,
    score_reconstruction,
)
from neurokit.models.evaluation.scores import class_scores
from neurokit.windows import assert_disjoint, join_montages, sliding

FILE = Path(__file__).resolve().parents[4] / "shared/data/eeg/eegmat_128hz_int16.npz"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILE.exists(), reason="needs the shared recordings"),
]
RATE, N_SUBJECTS, N_SCALP = 128, 4, 19  # the last channel is the heart's
FIT = {"epochs": 10, "batch_size": 32, "lr": 2e-3, "device": "cpu", "progress": False}


def _recordings():
    eeg = {"array": "X", "axes": ["channel", "time"], "sampling_rate": "sfreq",
           "names": "ch_names", "scale": "scale_uV", "units": "uV"}  # fmt: skip
    segments = {"offsets": "offsets", "facts": {"subject": "subject", "run": "run"}}
    return read_npz(FILE, segments=segments, segment=None, streams={"eeg": eeg})


def _split(recs):
    """Return each run's first three quarters and its last, scaled by the first alone."""
    ends = [r["eeg"].sizes["time"] / RATE for r in recs]
    early = nk.Recording.concat([r.crop(0, 0.75 * end) for r, end in zip(recs, ends, strict=True)])
    recs = [nk.preprocessing.standardize(r, "eeg", fit_on=early) for r in recs]
    pairs = list(zip(recs, ends, strict=True))
    return [r.crop(0, 0.75 * e) for r, e in pairs], [r.crop(0.75 * e, e) for r, e in pairs]


@pytest.fixture(scope="module")
def parts():
    """Overlapping windows to pretrain on, tiles of the same time, and held-out tiles."""
    recs, rng = _recordings(), np.random.default_rng(0)
    wins = []
    for subject in range(N_SUBJECTS):
        names = recs[0]["eeg"]["channel"].values[:N_SCALP]
        some = names[rng.choice(N_SCALP, size=rng.integers(6, 11), replace=False)].tolist()
        own = [r.sel(channel=some) for r in recs if r.meta["subject"] == subject]
        train, test = _split(own)
        options = {"stream": "eeg", "length": 5.0, "labels": "run"}
        wins.append(
            [
                sliding(train, stride=1.25, **options),
                *(sliding(r, **options) for r in (train, test)),
            ]
        )
    return [join_montages(part) for part in zip(*wins, strict=True)]


@pytest.fixture(scope="module")
def tokenizer(parts):
    config = DuINConfig.of(
        parts[0], sampling_rate=RATE, patch=16, n_codes=128, spatial_width=16,
        filters=(64, 64, 20), kernels=(9, 3, 3), strides=(4, 1, 1),
        decoder_filters=(64, 64, 64, 64, 16), decoder_kernels=(3, 3, 4, 3, 7),
        decoder_strides=(1, 1, 4, 1, 4),
    )  # fmt: skip
    model = DuIN(config)
    nk.training.fit(model, parts[0], **FIT)
    return model


@pytest.fixture(scope="module")
def masked(parts, tokenizer):
    model = DuINMasked(tokenizer.config, tokenizer=tokenizer)
    nk.training.fit(model, parts[0], weight_decay=0.05, **FIT)
    return model


def test_codes_tell_the_waveforms_of_all_montages(parts, tokenizer):
    for early in parts[:2]:
        assert_disjoint(early, parts[2])
    scores = score_reconstruction(tokenizer, parts[2], device="cpu")
    assert scores["r"].mean("channel").min() >= 0.55
    assert scores["r2"].mean() >= 0.4
    assert scores["perplexity"] >= 64
    widths = [len(names) for names in parts[2].montages]
    assert len(set(widths)) > 1
    assert scores["r"].notnull().sum("channel").values.tolist() == widths


def test_codes_are_read_from_their_own_patch_and_context_adds_little(parts, masked):
    # Unlike those of the real contact, tokens of an eighth of a second of many channels are
    # hardly to be guessed from their neighbours: no better than from their frequencies.
    scores = score_code_prediction(masked, parts[2], device="cpu")
    hidden, unmasked, shuffled = scores["cross_entropy"].values
    assert -0.5 < scores["gain"] < 0.2
    assert unmasked <= scores["unigram_entropy"] - 1
    assert shuffled >= hidden


def test_every_channel_counts_as_all_are_rebuilt(parts, tokenizer):
    found = channel_importance(tokenizer, parts[2], device="cpu")
    assert (found["importance"] > 0).sum() >= 0.9 * found["importance"].notnull().sum()
    assert np.isfinite(channel_weights(tokenizer)).equals(np.isfinite(found["importance"]))


def _band_power(win):
    """Average log band power over the channels that a subject has."""
    z = baselines.band_power(win).values.reshape(len(win), len(win.names), -1)
    n_channels = np.array([len(names) for names in win.montages])[win.subject]
    there = np.arange(z.shape[1]) < n_channels[:, None]
    return np.where(there[..., None], z, 0).sum(axis=1) / n_channels[:, None]


def test_rest_against_arithmetic_beside_band_power_and_random_weights(parts, masked):
    _, train, test = parts
    random = baselines.random_weights(masked)
    rows = np.arange(len(train)), len(train) + np.arange(len(test))
    label = np.concatenate([train.labels, test.labels])
    run = np.concatenate([train.recording_index, 100 + test.recording_index])
    makers = {
        "band power": _band_power,
        "Du-IN": lambda win: encode(masked, win, device="cpu"),
        "random weights": lambda win: encode(random, win, device="cpu"),
    }
    auroc = {}
    for name, make in makers.items():
        z = np.concatenate([np.asarray(make(win)) for win in (train, test)])
        found = linear_probe(z, label, run, [rows], n_bootstrap=200).sel(metric="auroc")
        assert found["low"] <= found["mean"] <= found["high"]
        assert found["chance"] == 0.5
        auroc[name] = float(found["mean"])
    settings = {**FIT, "lr": 5e-4, "epochs": 15}
    for name, start in (("fine-tuned", masked), ("from scratch", random)):
        tuned = nk.training.finetune(start, train, **settings).model
        p = nk.training.predict(tuned, test, device="cpu").sel({"class": ["1", "2"]}).values
        low, auroc[name], high = _interval(p, test)
        assert low <= auroc[name] <= high
    # With a dozen positive windows intervals are wide: what is tested is that there is something
    # to find, and no order among those who find it.
    assert max(auroc["fine-tuned"], auroc["from scratch"]) > 0.65
    assert min(auroc.values()) > 0.35


def _interval(probability, win, n_draws=500):
    """Return the AUROC between the bounds of its bootstrap over recordings."""
    n = len(win.recordings)
    draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), n_draws)
    weight = np.vstack([np.ones(n), draws])[:, win.recording_index]
    scores = class_scores(probability, (win.labels == 2).astype(int), weight)[0]
    low, high = np.nanpercentile(scores[1:], [2.5, 97.5])
    return low, scores[0], high
