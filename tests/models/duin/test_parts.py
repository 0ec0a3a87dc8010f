"""Tokens know their own patch, decoders keep the length, padding and shifts invent nothing."""

import pytest
import torch
from torch import nn

from neurokit.errors import DataError
from neurokit.models import DuIN, DuINConfig, DuINEncoder
from neurokit.models.duin import shift_windows
from neurokit.models.duin.spatial import SubjectLinear, by_subject
from neurokit.models.duin.tokenizer import PatchTokenizer, WaveformDecoder

TINY = DuINConfig.preset("tiny", channels=(3,))


def _noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _used(encoder):
    """Give batch norms statistics, as training does."""
    encoder.train()
    for seed in range(3):
        encoder({"x": _noise(8, 1000, 3, seed=seed)})
    return encoder.eval()


@torch.no_grad()
def test_windows_later_by_a_patch_have_tokens_later_by_one():
    encoder = _used(DuINEncoder(TINY))
    x = _noise(2, 1100, 3, seed=9)
    early, late = (encoder.tokens({"x": part}) for part in (x[:, :1000], x[:, 100:]))
    torch.testing.assert_close(early[:, 1:], late[:, :-1], rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_a_token_knows_no_sample_of_another_patch():
    encoder = _used(DuINEncoder(TINY))
    x = _noise(1, 500, 3)
    changed = x.clone()
    changed[:, 200:300] = 7.0
    before, after = encoder.tokens({"x": x})[0], encoder.tokens({"x": changed})[0]
    same = (before == after).all(dim=1)
    assert same.tolist() == [True, True, False, True, True]
    # In context every token knows.
    assert not encoder({"x": x})[0, 4].allclose(encoder({"x": changed})[0, 4], atol=1e-3)


@torch.no_grad()
def test_the_order_of_tokens_matters_in_context():
    encoder = _used(DuINEncoder(TINY))
    tokens = encoder.tokens({"x": _noise(1, 500, 3)})
    turned = encoder.contextualize(tokens.flip(1)).flip(1)
    assert not turned.allclose(encoder.contextualize(tokens), atol=1e-2)


@torch.no_grad()
def test_longer_windows_than_those_of_the_config_have_the_same_time_codes():
    short = DuINEncoder(DuINConfig.preset("tiny", n_samples=300))
    long = DuINEncoder(DuINConfig.preset("tiny"))
    batch = {"x": _noise(2, 1000, 1)}
    torch.testing.assert_close(short.eval()(batch), long.eval()(batch))


@pytest.mark.parametrize("n_tokens", [1, 7, 40])
def test_a_token_becomes_a_patch_of_samples(n_tokens):
    decoder = WaveformDecoder(DuINConfig())
    assert decoder(torch.zeros(2, n_tokens, 160)).shape == (2, 16, 100 * n_tokens)
    settings = [
        (layer.padding[0], layer.output_padding[0])
        for layer in decoder.layers
        if isinstance(layer, nn.ConvTranspose1d)
    ]
    assert settings == [(0, 0), (5, 1)]


def test_strides_and_kernels_of_another_patch():
    config = DuINConfig(
        patch=64,
        n_samples=640,
        strides=(8, 1, 1),
        decoder_strides=(1, 1, 16, 1, 4),
        decoder_kernels=(3, 3, 10, 9, 19),
    )
    tokens = PatchTokenizer(config)(torch.zeros(2, 16, 640))
    assert tokens.shape == (2, 10, config.width) == (2, 10, 128)
    assert WaveformDecoder(config)(tokens).shape == (2, 16, 640)


@torch.no_grad()
def test_each_subject_has_its_own_map():
    layer = SubjectLinear(3, 4, 5)
    x, subject = _noise(6, 4, 10), torch.tensor([2, 0, 1, 1, 0, 2])
    expected = torch.stack(
        [layer.weight[s] @ row + layer.bias[s][:, None] for row, s in zip(x, subject, strict=True)]
    )
    torch.testing.assert_close(layer(x, subject), expected)


def test_layers_by_subject_keep_the_order_and_skip_the_absent():
    layers = nn.ModuleList(nn.Linear(4, 2) for _ in range(3))
    x, subject = _noise(5, 4), torch.tensor([2, 0, 2, 2, 0])
    found = by_subject(layers, x, subject)
    expected = torch.stack([layers[s](row) for row, s in zip(x, subject.tolist(), strict=True)])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("own", [False, True])
def test_what_stands_in_the_padding_has_no_influence(own):
    config = DuINConfig.preset("tiny", channels=(3, 1), own_tokenizers=own)
    x, subject = _noise(4, 300, 3), torch.tensor([0, 1, 0, 1])
    other = x.clone()
    other[1::2, :, 1:] = torch.nan
    results = []
    for batch in ({"x": x, "subject": subject}, {"x": other, "subject": subject}):
        model = DuIN(config).train()
        scalars = model.loss(batch)
        scalars["loss"].backward()
        model.eval()
        results.append((scalars["loss"], model.codes(batch), model.encoder.spatial.weight.grad))
    torch.testing.assert_close(*(r[0] for r in results))
    assert results[0][1].equal(results[1][1])
    torch.testing.assert_close(results[0][2], results[1][2])
    assert results[0][2][1, :, 1:].eq(0).all()


def test_batches_that_do_not_fit():
    model = DuINEncoder(DuINConfig.preset("tiny", channels=(3, 1)))
    with pytest.raises(DataError, match="knows 2 subjects.*join_montages"):
        model({"x": torch.zeros(2, 300, 3)})
    for shape in ((2, 300, 2), (2, 350, 3), (2, 50, 3), (300, 3)):
        with pytest.raises(DataError, match=r"whole patches of 100 samples; got"):
            model({"x": torch.zeros(*shape), "subject": torch.zeros(2, dtype=torch.long)})


def test_shifts_move_and_fill_with_zeros_and_lose_nothing_at_zero():
    x = 1 + torch.arange(50.0).view(1, 50, 1).repeat(400, 1, 2)
    shifted = shift_windows(x, 5, torch.Generator().manual_seed(0))
    first = shifted[:, 25, 0] - 26.0  # minus the shift
    assert sorted(set(first.tolist())) == list(range(-5, 6))
    for row, shift in zip(shifted, (-first).int().tolist(), strict=True):
        expected = torch.zeros(50, 2)
        if shift >= 0:
            expected[shift:] = x[0, : 50 - shift]
        else:
            expected[:shift] = x[0, -shift:]
        torch.testing.assert_close(row, expected)
    # Uniform: eleven shifts, each about 36 times.
    counts = torch.bincount((first + 5).long(), minlength=11)
    assert ((counts - 400 / 11) ** 2 / (400 / 11)).sum() < 25  # chi², 10 degrees, p > .005
    assert shift_windows(x, 0).equal(x)


def test_only_a_classifier_in_training_shifts():
    encoder = DuINEncoder(TINY)
    x = {"x": _noise(4, 1000, 3)}
    tokens = _used(encoder).tokens(x)
    assert encoder.tokens(x).equal(tokens)
    backbone = encoder.classifier(2, n_samples=1000).backbone
    assert backbone.eval().tokens(x).equal(tokens)
    for layer in backbone.tokenizers.modules():
        layer.training = False
    backbone.training = True
    assert not backbone.tokens(x).allclose(tokens)


def test_only_attention_and_the_layer_between_drop_as_in_the_paper():
    model = DuIN(DuINConfig(depth=1, decoder_depth=1, n_codes=16))
    for timed in (model.encoder.transformer, model.decoder):
        (block,) = timed.blocks.blocks
        assert (block.attention.dropout, block.feed[2].p, block.drop.p) == (0.2, 0.2, 0.0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_windows_are_taken_by_a_model_of_another_precision(dtype, tmp_path):
    model = _trained_once(DuIN(TINY)).eval()
    batch = {"x": _noise(4, 1000, 3, seed=5)}
    expected = model.represent(batch)
    model.to(dtype).save_pretrained(tmp_path / "kept")
    kept = DuIN.from_pretrained(tmp_path / "kept")
    found = kept.represent(batch)
    assert found.dtype == dtype
    torch.testing.assert_close(found.float(), expected, rtol=0, atol=0.2)
    assert kept.codes(batch).shape == (4, 10)
    loss = kept.train().loss(batch)["loss"]
    loss.backward()
    assert torch.isfinite(loss)
    classifier = kept.classifier(2, n_samples=1000)
    assert classifier(batch).shape == (4, 2)


def test_held_out_codes_are_counted_not_those_of_training():
    model = _trained_once(DuIN(TINY))
    model.quantizer.store.counts[:] = 1.0  # as if training had used all codes
    batch = {"x": _noise(4, 1000, 3, seed=5)}
    assert model.eval().loss(batch)["used_codes"] == len(model.codes(batch).unique())


def _trained_once(model):
    """Let the codebook start and batch norms see data."""
    for seed in range(10):
        model.train().loss({"x": _noise(8, 1000, 3, seed=seed)})
    return model
