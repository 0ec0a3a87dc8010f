"""Baselines: they equal other people's code, and find a rhythm that comes and goes."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import scipy.signal
import torch

from neurokit.errors import DataError
from neurokit.models import (
    DuIN,
    DuINConfig,
    DuINMasked,
    EEGFormer,
    EEGFormerConfig,
    baselines,
    code_words,
    compare,
    linear_probe,
)
from neurokit.models.nn import perplexity
from neurokit.recording import Recording
from neurokit.windows import sliding


def windows(x, rate=100.0, length=3.0):
    return sliding(Recording.from_array(x, rate, units="uV"), stream="eeg", length=length)


@pytest.mark.parametrize(("rate", "segment"), [(100.0, 2.0), (99.0, 1.0), (100.0, 10.0)])
def test_band_power_equals_scipy(rate, segment):
    x = np.random.default_rng(0).normal(size=(1200, 3)).cumsum(axis=0) % 7
    win = windows(x, rate)
    z = baselines.band_power(win, segment=segment)
    size = min(round(segment * rate), win.n_samples)
    frequency, density = scipy.signal.welch(
        win.batch(range(len(win)))["x"].numpy(), rate, nperseg=size, noverlap=size // 2, axis=1
    )
    for name, (low, high) in baselines.BANDS.items():
        inside = (frequency >= low) & (frequency < high)
        wanted = np.log(density[:, inside].mean(axis=1))
        np.testing.assert_allclose(z[:, z["band"] == name], wanted, atol=2e-3)
    assert z["channel"].values[:6].tolist() == [win.names[0]] * 5 + [win.names[1]]


def test_a_louder_signal_is_shifted_by_a_constant():
    x = np.random.default_rng(0).normal(size=(900, 2))
    small, large = (baselines.band_power(windows(scale * x)) for scale in (1.0, 100.0))
    np.testing.assert_allclose(large - small, np.log(1e4), rtol=1e-3)


def test_a_flat_channel_has_little_power_and_no_infinity():
    assert np.isfinite(baselines.band_power(windows(np.ones((600, 1))))).all()


def test_bands_without_a_frequency_are_left_out():
    x = np.random.default_rng(0).normal(size=(300, 1))
    assert baselines.band_power(windows(x, 20.0))["band"].values.tolist() == [
        "delta", "theta", "alpha"]  # fmt: skip
    with pytest.raises(DataError, match="No band has a frequency: 2 samples at 1 Hz"):
        baselines.band_power(windows(x, 1.0))


def test_raw_features_are_averages_in_time():
    x = np.random.default_rng(0).normal(size=(600, 2))
    z = baselines.raw_features(windows(x), n_points=30)
    wanted = 1e-6 * x.reshape(2, 30, 10, 2).mean(axis=2).transpose(0, 2, 1).reshape(2, 60)
    np.testing.assert_allclose(z, wanted, atol=1e-11)
    assert baselines.raw_features(windows(x), n_points=9999).shape == (2, 600)


def test_words_are_learnt_from_the_training_rows_alone(rhythm):
    shares = baselines.patch_words(rhythm, n_codes=16)
    z = shares(np.arange(60))
    np.testing.assert_allclose(z.sum("feature"), 1, rtol=1e-5)
    np.testing.assert_array_equal(z, shares(np.arange(60)))
    # Other windows may hold anything: the vocabulary and the words of these stay.
    loud = [
        r if k < 12 else Recording.from_array(9 * r["eeg"].values, 60, ["a", "b"], units="V")
        for k, r in enumerate(rhythm.recordings)
    ]
    other = baselines.patch_words(sliding(loud, stream="eeg", length=4), n_codes=16)
    np.testing.assert_array_equal(other(np.arange(60))[:60], z[:60])


def test_random_weights_differ_and_leave_the_model_and_the_random_state_alone(stand_in):
    before, state = stand_in.layer.weight.clone(), torch.get_rng_state()
    a, b, c = (baselines.random_weights(stand_in, seed) for seed in (0, 0, 1))
    assert torch.equal(a.layer.weight, b.layer.weight)
    assert not torch.equal(a.layer.weight, c.layer.weight)
    assert torch.equal(stand_in.layer.weight, before)
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(DataError, match="expected a model with a configuration"):
        baselines.random_weights(torch.nn.Linear(1, 1))


def eegformer(win, **settings):
    """Make an EEGFormer whose codes and standardisation have seen some windows."""
    config = EEGFormerConfig.preset(
        "tiny", sampling_rate=60.0, window=4.0, width=16, n_codes=16, kmeans_batches=2, **settings
    )
    model = EEGFormer(config).train()
    with torch.no_grad():
        for first in range(4):
            model.loss(win.batch(np.arange(first, len(win), 8)))
    return model.eval()


def test_random_weights_of_three_seeds_are_three_and_none_has_learnt_codes(rhythm):
    model = eegformer(rhythm)
    twins = [baselines.random_weights(model, seed) for seed in (1, 2, 3)]
    batch = rhythm.batch(np.arange(8))
    with torch.no_grad():
        vectors = [m.represent(batch) for m in (model, *twins)]
    for a, b in combinations(range(4), 2):
        assert not torch.allclose(vectors[a], vectors[b], atol=1e-2)
    books = [m.quantizer.codebook for m in (model, *twins)]
    assert all(not torch.equal(a, b) for a, b in combinations(books, 2))
    assert all(
        m.config == replace(model.config, seed=s) for m, s in zip(twins, (1, 2, 3), strict=True)
    )
    # What is known of the inputs stays, so that the control differs in its weights alone.
    assert all(torch.equal(m.patches.mean, model.patches.mean) for m in twins)
    assert model.patches.n_seen > 0


def test_codes_of_a_random_encoder_start_from_windows(rhythm):
    model = eegformer(rhythm)
    bare = baselines.random_weights(model, 5)
    shown, again = (baselines.random_weights(model, 5, rhythm.take(range(60))) for _ in range(2))
    assert torch.equal(shown.embedding.weight, bare.embedding.weight)
    assert torch.equal(shown.quantizer.codebook, again.quantizer.codebook)
    counts = [
        torch.from_numpy(code_words(m, rhythm, device="cpu").values.ravel()).bincount(minlength=16)
        for m in (bare, shown)
    ]
    before, after = (float(perplexity(count)) for count in counts)
    assert after > max(1.2 * before, 8), (before, after)
    assert not any(module.training for module in shown.modules())


def test_random_weights_reach_what_a_classifier_is_made_of(rhythm):
    model = eegformer(rhythm).classifier(["a", "b"])
    a, b = (baselines.random_weights(model, seed) for seed in (1, 2))
    assert a.config.seed == a.backbone.config.seed == 1
    assert not torch.equal(a.backbone.embedding.weight, b.backbone.embedding.weight)
    tokenizer = DuIN(DuINConfig.preset("tiny"))
    masked = DuINMasked(tokenizer.config, tokenizer=tokenizer)
    a, b = (baselines.random_weights(masked, seed).state_dict() for seed in (1, 2))
    assert not torch.equal(a["hidden_token"], b["hidden_token"])
    vocabulary = {f"tokenizer.{k}": v for k, v in tokenizer.state_dict().items()}
    assert all(torch.equal(a[k], v) for k, v in vocabulary.items())


def test_compare_prints_everything_beside_the_model(stand_in, rhythm):
    subject = rhythm.groups("subject")
    options = {"strengths": [0.01], "n_bootstrap": 200}
    table = compare(stand_in, rhythm, groups=subject, cv=3, device="cpu", **options)
    features = ["band power", "raw features", "k-means words"]
    assert table.index.tolist() == ["StandIn", "random weights", *features, "chance"]
    assert table.loc["band power", "auroc"] > 0.9
    assert abs(table.loc["raw features", "auroc"] - 0.5) < 0.15
    assert table.loc["chance", ["auroc", "auprc", "balanced_accuracy"]].tolist() == [0.5, 0.5, 0.5]
    assert (table["n_windows"] == 120).all()
    assert (table["n_groups"] == 12).all()
    models = table.drop("chance")
    assert ((models["low"] <= models["auroc"]) & (models["auroc"] <= models["high"])).all()
    alone = linear_probe(
        baselines.band_power(rhythm), rhythm.labels, subject, 3, **options
    )["mean"].sel(metric="auroc")  # fmt: skip
    assert table.loc["band power", "auroc"] == pytest.approx(float(alone))
    by_subject = compare(stand_in, rhythm, cv=3, device="cpu", **options)
    pd.testing.assert_frame_equal(by_subject, table)


def test_compare_needs_labels(stand_in, rhythm):
    bare = sliding(rhythm.recordings, stream="eeg", length=4)
    with pytest.raises(DataError, match="There are no labels"):
        compare(stand_in, bare)
