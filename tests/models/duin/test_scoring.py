"""A language planted in the data: its words become codes, and its grammar is learned."""

import dataclasses

import numpy as np
import pytest
import torch
from scipy.stats import entropy
from sklearn.metrics import adjusted_mutual_info_score

import neurokit as nk
from neurokit.errors import DataError
from neurokit.models import DuIN, DuINConfig, DuINMasked
from neurokit.models.duin import score_code_prediction, score_reconstruction
from neurokit.models.duin.checks import LOOKED_AT
from neurokit.training import fit

N_WORDS = 6
CONFIG = DuINConfig(
    channels=(2,),
    n_samples=1000,
    spatial_width=4,
    filters=(24, 24, 4),
    depth=1,
    n_heads=2,
    head_dim=16,
    hidden=64,
    dropout=0.0,
    n_codes=12,
    code_width=8,
    decoder_depth=1,
    decoder_filters=(16, 16, 16, 16, 4),
    visible_fraction=0.1,
)


def _language(n_sentences, seed):
    """Return windows of ten words, sinusoids of two channels, each word followed by the next."""
    rng = np.random.default_rng(seed)
    time = np.arange(100) / 100
    cycles = np.arange(1, N_WORDS + 1)[:, None]
    phase = 2 * np.pi * np.random.default_rng(0).random((2, N_WORDS, 1))
    words = np.sqrt(2) * np.sin(2 * np.pi * cycles * time + phase)  # (channel, word, time)
    step = np.cumsum(rng.random((n_sentences, 10)) < 0.9, axis=1)
    spoken = (rng.integers(N_WORDS, size=(n_sentences, 1)) + step) % N_WORDS
    x = words[:, spoken.ravel()].reshape(2, -1).T
    x = x + 0.2 * rng.normal(size=x.shape)
    rec = nk.Recording.from_array(x.astype(np.float32), 1000, stream="ieeg", units="z")
    return nk.windows.sliding(rec, stream="ieeg", length=1.0), spoken


@pytest.fixture(scope="module")
def tokenizer():
    model = DuIN(CONFIG)
    fit(
        model, _language(160, 1)[0], epochs=20, batch_size=16, lr=4e-3, device="cpu", progress=False
    )
    return model


@pytest.fixture(scope="module")
def held_out():
    return _language(60, 2)


def test_words_become_codes_that_tell_the_waveform(tokenizer, held_out):
    win, spoken = held_out
    codes = tokenizer.codes(win.batch(np.arange(len(win))))
    assert adjusted_mutual_info_score(spoken.ravel(), codes.ravel()) > 0.8
    scores = score_reconstruction(tokenizer, win, device="cpu")
    assert scores["r2"].min() > 0.8  # noise alone is 4 %
    assert scores["perplexity"] >= 0.8 * N_WORDS


def test_scores_of_a_waveform_are_those_of_numpy(tokenizer, held_out):
    win, _ = held_out
    batch = win.batch(np.arange(len(win)))
    with torch.no_grad():
        y = tokenizer.eval()(batch)[0].double().numpy()
    x = batch["x"].double().numpy()
    scores = score_reconstruction(tokenizer, win, batch_size=7, device="cpu")
    for channel in range(2):
        a, b = x[..., channel].ravel(), y[..., channel].ravel()
        assert scores["r"][0, channel] == pytest.approx(np.corrcoef(a, b)[0, 1], abs=1e-6)
        explained = 1 - ((a - b) ** 2).mean() / a.var()
        assert scores["r2"][0, channel] == pytest.approx(explained, abs=1e-6)


def test_grammar_is_learned_and_gone_when_words_are_shuffled(tokenizer, held_out):
    model = DuINMasked(CONFIG, tokenizer=tokenizer)
    win, _ = held_out
    untrained = score_code_prediction(model, win, device="cpu")
    assert untrained["gain"] < 0.05
    fit(
        model, _language(160, 1)[0], epochs=15, batch_size=16, lr=4e-3, device="cpu", progress=False
    )
    scores = score_code_prediction(model, win, device="cpu")
    unigram = float(scores["unigram_entropy"])
    masked, unmasked, shuffled = scores["cross_entropy"].values
    assert masked < unigram - 0.6
    assert unmasked < masked - 0.2
    assert shuffled > unigram - 0.1
    assert scores["gain"] == pytest.approx(unigram - masked)
    assert scores["accuracy"][0] > 2 * scores["copy_accuracy"]


def test_same_seed_same_scores(tokenizer, held_out):
    model, (win, _) = DuINMasked(CONFIG, tokenizer=tokenizer), held_out
    one, same = (score_code_prediction(model, win, seed=4, device="cpu") for _ in range(2))
    assert one.identical(same)
    assert model.training


def test_windows_without_context(tokenizer, held_out):
    rec = held_out[0].recordings[0]
    win = nk.windows.sliding(rec, stream="ieeg", length=0.1)
    with pytest.raises(DataError, match="one token each, which has no context"):
        score_code_prediction(DuINMasked(CONFIG, tokenizer=tokenizer), win, device="cpu")
    with pytest.raises(DataError, match=r"(?s)model is.*DuINMasked\), expected a DuIN"):
        score_reconstruction(DuINMasked(CONFIG, tokenizer=tokenizer), win, device="cpu")


def test_a_guess_without_context_knows_the_subject():
    parts = [_language(n, seed)[0] for n, seed in ((8, 3), (4, 4))]
    win = nk.windows.join_montages(parts)
    tokenizer = DuIN(dataclasses.replace(CONFIG, channels=(2, 2)))
    for _ in range(10):  # past the k-means start
        tokenizer.loss(win.batch(range(len(win))))
    model = DuINMasked(tokenizer.config, tokenizer=tokenizer.eval())
    codes = nk.models.code_words(model, win, device="cpu", progress=False).values
    own = [codes[win.subject == number].ravel() for number in (0, 1)]
    expected = sum(
        part.size / codes.size * entropy(np.bincount(part, minlength=12)) for part in own
    )
    found = score_code_prediction(model, win, n_masks=1, device="cpu")
    assert float(found["unigram_entropy"]) == pytest.approx(expected, abs=1e-5)
    assert expected < entropy(np.bincount(codes.ravel(), minlength=12))


def test_a_window_with_missing_values_has_no_score(tokenizer):
    n = 2 * LOOKED_AT
    x = np.random.default_rng(0).normal(size=(n * 1000, 2)).astype(np.float32)
    x[1500, 1] = np.nan  # window 1 is none of those that are looked at beforehand
    # A channel that is marked as bad may have gaps.
    rec = nk.Recording.from_array(x, 1000, stream="ieeg", units="z", bads=["1"])
    win = nk.windows.sliding(rec, stream="ieeg", length=1.0)
    with pytest.raises(DataError, match="missing or infinite values in channel"):
        score_reconstruction(tokenizer, win, device="cpu")
