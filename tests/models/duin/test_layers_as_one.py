"""Layers that are computed as one give what they give one after the other, gradients too."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from neurokit.models import DuINConfig, DuINEncoder
from neurokit.models.duin.tokenizer import WaveformDecoder


def _noise(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _agree(one, other, module):
    """Compare two results, and their gradients relative to the largest of them."""
    torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)
    weight = _noise(*one.shape, seed=1)
    parameters = list(module.parameters())
    gradients = [
        torch.cat([g.flatten() for g in torch.autograd.grad((x * weight).sum(), parameters)])
        for x in (one, other)
    ]
    difference = (gradients[0] - gradients[1]).abs().max() / gradients[1].abs().max()
    assert difference < 1e-5


def _by_layer(decoder, tokens):
    x = tokens.transpose(1, 2)
    for layer in decoder.layers:
        x = layer(x)
    return x


@pytest.mark.parametrize(
    "changes",
    [
        {},
        # The first layer that lengthens cuts samples off, and a kernel can be even.
        {"decoder_kernels": (3, 3, 13, 9, 10)},
        {"decoder_kernels": (3, 3, 10, 21, 19)},
        # Nothing follows the layers that lengthen.
        {"decoder_strides": (1, 1, 1, 10, 10), "decoder_kernels": (3, 3, 9, 10, 10)},
    ],
)
@pytest.mark.parametrize("n_tokens", [1, 5])
def test_the_decoder_is_its_layers(changes, n_tokens):
    config = DuINConfig.preset("tiny", **changes)
    decoder = WaveformDecoder(config)
    tokens = _noise(2, n_tokens, config.width)
    assert decoder(tokens).shape == (2, 8, 100 * n_tokens)
    _agree(decoder(tokens), _by_layer(decoder, tokens), decoder)


def test_the_decoder_of_the_paper_is_its_layers():
    decoder = WaveformDecoder(DuINConfig())
    tokens = _noise(1, 2, 160)
    _agree(decoder(tokens), _by_layer(decoder, tokens), decoder)


def _patch_by_patch(encoder, x):
    """Map channels, cut patches, and run each layer as it is written."""
    spatial, tokenizer = encoder.spatial, encoder.tokenizers[0]
    virtual = F.linear(x, spatial.weight[0], spatial.bias[0])
    cut = virtual.unflatten(1, (-1, tokenizer.patch)).flatten(0, 1).transpose(1, 2)
    for layer in tokenizer.layers:
        if isinstance(layer, nn.Conv1d):
            cut = F.conv1d(cut, layer.weight, layer.bias, layer.stride, layer.padding)
        else:
            cut = F.batch_norm(cut, None, None, layer.weight, layer.bias, True, eps=layer.eps)
    return cut.reshape(len(x), -1, cut[0].numel())


def test_tokens_are_those_of_the_layers():
    encoder = DuINEncoder(DuINConfig.preset("tiny", channels=(3,))).train()
    x = _noise(4, 500, 3)
    parts = nn.ModuleList([encoder.spatial, encoder.tokenizers])
    _agree(encoder.tokens({"x": x}), _patch_by_patch(encoder, x), parts)


def test_a_map_within_the_first_layer_is_the_map_before_it():
    one = DuINEncoder(DuINConfig.preset("tiny", channels=(3,))).eval()
    two = DuINEncoder(DuINConfig.preset("tiny", channels=(3, 3))).eval()
    two.tokenizers.load_state_dict(one.tokenizers.state_dict())
    with torch.no_grad():
        two.spatial.weight.copy_(one.spatial.weight)
        two.spatial.bias.copy_(one.spatial.bias)
    x, subject = _noise(4, 300, 3), torch.tensor([0, 1, 1, 0])
    torch.testing.assert_close(one.tokens({"x": x}), two.tokens({"x": x, "subject": subject}))
