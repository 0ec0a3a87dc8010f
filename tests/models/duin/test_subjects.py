"""Several subjects in one model: padding is nothing, order is nothing, and words are common."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_mutual_info_score

import neurokit as nk
from neurokit.models import DuIN, DuINConfig, DuINMasked
from neurokit.models.duin import score_code_prediction, score_reconstruction
from neurokit.windows import join_montages, sliding

N_WORDS = 6
CONFIG = DuINConfig(
    channels=(3, 2), n_samples=1000, spatial_width=4, filters=(24, 24, 4), depth=1, n_heads=2,
    head_dim=16, hidden=64, dropout=0.0, n_codes=8, code_width=8, decoder_depth=1,
    decoder_filters=(16, 16, 16, 16, 4), visible_fraction=0.1,
)  # fmt: skip
MIXING = (np.array([[1, 0.3], [0.2, -1], [0.8, 0.6]]), np.array([[-0.5, 1], [1, 0.5]]))
FIT = {"batch_size": 16, "lr": 4e-3, "device": "cpu", "progress": False}


def _heard(n, seed):
    """Return two latent sources that speak ten words a window, each followed by the next."""
    rng = np.random.default_rng(seed)
    time = np.arange(100) / 100
    cycles = np.arange(1, N_WORDS + 1)[:, None]
    phase = 2 * np.pi * np.random.default_rng(0).random((2, N_WORDS, 1))
    words = np.sqrt(2) * np.sin(2 * np.pi * cycles * time + phase)
    step = np.cumsum(rng.random((n, 10)) < 0.8, axis=1)
    spoken = (rng.integers(N_WORDS, size=(n, 1)) + step) % N_WORDS
    return words[:, spoken.ravel()].reshape(2, -1), spoken


def _subject(number, n, seed):
    """Return how a subject's contacts mix the sources, with noise of their own."""
    sources, _ = _heard(n, seed)
    mixing = MIXING[number] / np.linalg.norm(MIXING[number], axis=1, keepdims=True)
    noise = np.random.default_rng(100 * number + seed).normal(size=(sources.shape[1], len(mixing)))
    x = (mixing @ sources).T + 0.2 * noise
    names = [f"{'AB'[number]}{k}" for k in range(len(mixing))]
    rec = nk.Recording.from_array(x.astype(np.float32), 1000, names, "ieeg", "z")
    return sliding(rec, stream="ieeg", length=1.0)


def _joined(n, *seeds, order=(0, 1)):
    return join_montages([_subject(k, n, seed) for k, seed in zip(order, seeds, strict=True)])


@pytest.fixture(scope="module")
def tokenizer():
    model = DuIN(CONFIG)
    nk.training.fit(model, _joined(120, 1, 2), epochs=20, **FIT)
    return model.eval()


def test_the_same_words_are_told_apart_in_both_subjects(tokenizer):
    # Both hear the same sentences, on contacts that mix them differently.
    win, (_, spoken) = _joined(60, 9, 9), _heard(60, 9)
    codes = nk.models.code_words(tokenizer, win, device="cpu").values
    one, other = codes[:60].ravel(), codes[60:].ravel()
    shuffled = np.random.default_rng(0).permutation(other)
    assert adjusted_mutual_info_score(one, other) > 0.6
    assert abs(adjusted_mutual_info_score(one, shuffled)) < 0.1
    for codes_of_one in (one, other):
        assert adjusted_mutual_info_score(spoken.ravel(), codes_of_one) > 0.6
    # One vocabulary, not two halves of it.
    in_common = np.minimum(*(np.bincount(c, minlength=8) / c.size for c in (one, other))).sum()
    assert in_common > 0.5
    scores = score_reconstruction(tokenizer, win, device="cpu")
    assert scores["r2"].isnull().values.tolist() == [[False] * 3, [False, False, True]]
    assert scores["r2"].mean() > 0.3


def test_padding_has_no_influence_on_tokens_codes_loss_or_gradients(tokenizer):
    batch = _joined(4, 1, 2).batch(np.arange(8))
    filled = {**batch, "x": batch["x"].clone()}
    filled["x"][batch["subject"] == 1, :, 2:] = 1e6
    found = []
    for one in (batch, filled):
        tokenizer.zero_grad()
        loss = tokenizer.loss(one)["loss"]
        loss.backward()
        gradients = {
            n: p.grad.clone() for n, p in tokenizer.named_parameters() if p.grad is not None
        }
        found.append((loss, tokenizer.codes(one), tokenizer.encoder.tokens(one), gradients))
    tokenizer.zero_grad()
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    gradients = found[0][3]
    assert gradients["encoder.spatial.weight"][1, :, 2].eq(0).all()
    assert gradients["readout.weight"][1, 2].eq(0).all()
    assert gradients["readout.bias"][1, 2].eq(0)


def test_a_window_is_not_changed_by_the_other_subjects_in_its_batch(tokenizer):
    win = _joined(4, 1, 2)
    together = tokenizer.represent(win.batch([0, 4, 1, 5]))
    alone = tokenizer.represent(win.batch([4, 5]))
    torch.testing.assert_close(together[1::2], alone)


@pytest.mark.parametrize("own", [False, True])
def test_another_order_of_the_subjects_is_another_order_of_their_parameters(own):
    config = dataclasses.replace(CONFIG, own_tokenizers=own)
    model = DuIN(config)
    turned = DuIN(dataclasses.replace(config, channels=config.channels[::-1]))
    state = model.state_dict()
    for key, value in state.items():
        if key.startswith(("encoder.spatial", "readout")):
            state[key] = value.flip(0)
    for stack in ("encoder.tokenizers", "waveforms") if own else ():
        for key in [k for k in state if k.startswith(f"{stack}.0.")]:
            there = key.replace(f"{stack}.0.", f"{stack}.1.")
            state[key], state[there] = state[there], state[key]
    turned.load_state_dict(state)
    batch = _joined(4, 1, 2).batch([0, 5, 2, 7])
    swapped = _joined(4, 2, 1, order=(1, 0)).batch([4, 1, 6, 3])
    assert swapped["subject"].tolist() == [1, 0, 1, 0]
    torch.testing.assert_close(swapped["x"], batch["x"])
    losses = []
    for one, data in ((model, batch), (turned, swapped)):
        one.train()
        scalars = one.loss(data)
        scalars["loss"].backward()
        losses.append(scalars["loss"])
    torch.testing.assert_close(*losses)
    ours, theirs = model.encoder.spatial.weight.grad, turned.encoder.spatial.weight.grad
    torch.testing.assert_close(ours, theirs.flip(0))


def test_poms_trains_tokenizers_and_heads_of_its_subjects(tokenizer):
    changes = {
        f.name: getattr(CONFIG, f.name)
        for f in dataclasses.fields(CONFIG)
        if f.name not in ("own_tokenizers", "n_codes")
    }
    config = DuINConfig.preset("poms", **changes)
    assert (config.n_codes, config.own_tokenizers) == (1024, True)
    config = dataclasses.replace(config, n_codes=16)
    stage_1, win, held_out = DuIN(config), _joined(60, 1, 2), _joined(40, 9, 9)
    before = [p.detach().clone() for p in stage_1.encoder.tokenizers.parameters()]
    nk.training.fit(stage_1, win, epochs=12, **FIT)
    after = stage_1.encoder.tokenizers.parameters()
    assert not any(a.equal(b) for a, b in zip(before, after, strict=True))
    assert score_reconstruction(stage_1, held_out, device="cpu")["r2"].mean() > 0.3
    stage_2 = DuINMasked(config, tokenizer=stage_1)
    assert stage_2.head.weight.shape == (2, 16, config.width)
    nk.training.fit(stage_2, win, epochs=12, **FIT)
    assert score_code_prediction(stage_2, held_out, device="cpu")["gain"] > 0.1
    labels = np.arange(len(win)) % 2
    stage_3 = nk.training.finetune(stage_2, win, labels, epochs=1, head={"n_samples": 1000}, **FIT)
    assert nk.training.predict(stage_3.model, held_out, device="cpu").shape == (80, 2)


def test_subjects_are_told_apart_by_their_channels():
    model = DuIN(dataclasses.replace(CONFIG, names=(("A0", "A1", "A2"), ("B0", "B1"))))
    model.check(_joined(2, 1, 2))
    with pytest.raises(nk.errors.DataError, match=r"have \(2, 3\) channels .*the model \(3, 2\)"):
        model.check(_joined(2, 2, 1, order=(1, 0)))
    renamed = dataclasses.replace(CONFIG, names=(("A0", "A1", "A2"), ("B0", "B7")))
    with pytest.raises(nk.errors.UnknownNameError, match="Unknown channel 'B1'"):
        DuIN(renamed).check(_joined(2, 1, 2))
