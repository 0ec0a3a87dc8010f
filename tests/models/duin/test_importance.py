"""Planted: two channels of each subject speak, in other places, and one of them tells the class."""

import numpy as np
import pytest
import torch

import neurokit as nk
from neurokit.errors import DataError, UnknownNameError
from neurokit.models import DuIN, DuINConfig, DuINEncoder, DuINMasked
from neurokit.models.duin import channel_importance, channel_weights
from neurokit.models.nn import Classifier
from neurokit.windows import join_montages, sliding

CONFIG = DuINConfig(
    channels=(4, 3), n_samples=500, spatial_width=4, filters=(24, 24, 4), depth=1, n_heads=2,
    head_dim=16, hidden=64, dropout=0.0,
    ema=0.9, n_codes=32, code_width=8, decoder_depth=1,
    decoder_filters=(16, 16, 16, 16, 4),
)  # fmt: skip
SPEAKS = ((3, 1), (2, 0))  # places of the channel that tells the class, and of the other
FIT = {"batch_size": 16, "lr": 4e-3, "device": "cpu", "progress": False}


def subject(number, n, seed):
    """Windows of five words of two channels among noise; in class b one says other words."""
    rng = np.random.default_rng(10 * number + seed)
    time, cycles = np.arange(100) / 100, np.arange(1, 5)[:, None]
    words = np.sqrt(2) * np.sin(2 * np.pi * cycles * time)
    label = rng.integers(2, size=n)
    said = rng.integers(2, size=(2, n, 5)) + np.array([2 * label, np.ones(n, int)])[..., None]
    x = rng.normal(size=(n * 500, CONFIG.channels[number]))
    for place, source in zip(SPEAKS[number], said, strict=True):
        x[:, place] = words[source].ravel() + 0.2 * x[:, place]
    names = [f"{'AB'[number]}{place}" for place in range(x.shape[1])]
    recs = [
        nk.Recording.from_array(part.astype(np.float32), 1000, names, "ieeg", "z")
        for part in np.split(x / x.std(axis=0), n)
    ]
    return sliding(recs, stream="ieeg", length=0.5, labels=np.array(["a", "b"])[label])


def joined(n, seed):
    return join_montages([subject(number, n, seed) for number in range(2)])


@pytest.fixture(scope="module")
def tokenizer():
    model = DuIN(CONFIG)
    nk.training.fit(model, joined(120, 1), epochs=20, **FIT)
    return model


@pytest.fixture(scope="module")
def held_out():
    return joined(40, 2)


def test_channels_that_speak_are_found_in_each_subject(tokenizer, held_out):
    found = channel_importance(tokenizer, held_out, device="cpu")
    weights = channel_weights(tokenizer)
    for number, speaks in enumerate(SPEAKS):
        importance = found["importance"].values[number]
        noise = [k for k in range(CONFIG.channels[number]) if k not in speaks]
        assert importance[list(speaks)].min() > 0.04
        assert np.abs(importance[noise]).max() < 0.01
        assert (importance > 5 * found["standard_error"].values[number])[list(speaks)].all()
        w = weights.values[number]
        assert w[list(speaks)].mean() > 1.2 * w[noise].mean()
    assert found["name"].values.tolist() == [["A0", "A1", "A2", "A3"], ["B0", "B1", "B2", ""]]


def test_padding_is_no_channel_and_weights_add_up(tokenizer, held_out):
    found = channel_importance(tokenizer, held_out.take([0, 1, 40, 41]), device="cpu")
    for array in (channel_weights(tokenizer), found["importance"], found["standard_error"]):
        assert array.isnull().values.tolist() == [[False] * 4, [False] * 3 + [True]]
    weights = channel_weights(tokenizer)
    np.testing.assert_allclose(weights.sum("channel"), 1)
    with torch.no_grad():
        tokenizer.encoder.spatial.weight[1, :, 3] = 1e6  # the padding's own weights
    assert channel_weights(tokenizer).equals(weights)
    by_hand = tokenizer.encoder.spatial.weight[1, :, :3].detach().abs().sum(0)
    np.testing.assert_allclose(weights[1, :3], by_hand / by_hand.sum(), rtol=1e-5)


def test_a_classifier_needs_the_channel_that_tells_the_class(tokenizer, held_out):
    head = {"n_samples": 500}
    run = nk.training.finetune(tokenizer, joined(120, 1), epochs=5, head=head, **FIT)
    found = channel_importance(run.model, held_out, n_repeats=3, device="cpu")
    for number, (tells, _) in enumerate(SPEAKS):
        importance = found["importance"].values[number, : CONFIG.channels[number]]
        assert importance.argmax() == tells
        assert importance[tells] > 0.3
        assert np.abs(np.delete(importance, tells)).max() < 0.2 * importance[tells]
    assert found.attrs["units"] == "nats"
    unsure = channel_importance(tokenizer.classifier(["a", "b"], **head), held_out, device="cpu")
    assert np.nanmax(np.abs(unsure["importance"])) < 0.05


def test_it_is_the_loss_that_a_loop_over_channels_finds(tokenizer, held_out):
    win = held_out.take([3, 4])  # of one subject, so that each is the other's replacement
    found = channel_importance(tokenizer, win, device="cpu")
    batch = win.batch([0, 1])
    with torch.no_grad():
        for channel in range(4):
            shown = batch["x"].clone()
            shown[..., channel] = batch["x"].flip(0)[..., channel]
            errors = [
                (tokenizer.eval()({**batch, "x": x})[0] - batch["x"]).square().mean()
                for x in (shown, batch["x"])
            ]
            expected = float(errors[0] - errors[1])
            assert found["importance"][0, channel] == pytest.approx(expected, abs=1e-5)
    assert found["importance"][1].isnull().all()


def test_same_seed_same_result_in_any_batches_and_the_model_is_left_alone(tokenizer, held_out):
    tokenizer.train()
    found = channel_importance(tokenizer, held_out, seed=3, device="cpu")
    again = channel_importance(tokenizer, held_out, seed=3, batch_size=7, device="cpu")
    np.testing.assert_allclose(found["importance"], again["importance"], atol=1e-6)
    other = channel_importance(tokenizer, held_out, seed=4, device="cpu")
    assert not np.allclose(found["importance"], other["importance"], atol=1e-6, equal_nan=True)
    assert tokenizer.training


def test_names_of_the_config_come_first():
    config = DuINConfig.preset("tiny", channels=(2, 1), names=(("x", "y"), ("z",)))
    for model in (DuINEncoder(config), DuINMasked(config), DuIN(config).classifier(2)):
        assert channel_weights(model)["name"].values.tolist() == [["x", "y"], ["z", ""]]
    unnamed = channel_weights(DuIN(DuINConfig.preset("tiny", channels=(2,))))
    assert unnamed["name"].values.tolist() == [["0", "1"]]


def test_what_has_no_importance(tokenizer, held_out):
    other = nk.models.EEGFormer(nk.models.EEGFormerConfig.preset("tiny"))
    with pytest.raises(DataError, match="Got a EEGFormer, expected a DuIN of any stage"):
        channel_weights(other)
    with pytest.raises(DataError, match="Got a Classifier of EEGFormer"):
        channel_importance(Classifier(other, 2), held_out)
    with pytest.raises(DataError, match="DuINMasked has no score of a window"):
        channel_importance(DuINMasked(CONFIG, tokenizer=tokenizer), held_out)
    with pytest.raises(DataError, match="Subject 1 has a single window"):
        channel_importance(tokenizer, held_out.take([0, 1, 40]))
    with pytest.raises(UnknownNameError, match="Unknown class 'b'"):
        channel_importance(tokenizer.classifier(["a", "c"], n_samples=500), held_out)
    plain = join_montages([sliding(p.recordings, stream="ieeg", length=0.5) for p in
                           (subject(k, 3, 1) for k in range(2))])  # fmt: skip
    with pytest.raises(DataError, match="no labels"):
        channel_importance(tokenizer.classifier(["a", "b"], n_samples=500), plain)
