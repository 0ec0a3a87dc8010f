"""Transformer blocks: torch's own layer with the same weights, and stacks of them."""

import pytest
import torch
from torch import nn

from neurokit.errors import DataError
from neurokit.models.nn import TransformerBlock, TransformerEncoder, activation_layer, transformer

NAMES = {
    "attention.qkv.weight": "self_attn.in_proj_weight",
    "attention.qkv.bias": "self_attn.in_proj_bias",
    "attention.output": "self_attn.out_proj",
    "attention_norm": "norm1",
    "feed_norm": "norm2",
    "feed.0": "linear1",
    "feed.3": "linear2",
}


@pytest.fixture
def x():
    return torch.randn(2, 7, 32, generator=torch.Generator().manual_seed(0))


def renamed(state):
    for ours, theirs in NAMES.items():
        state = {key.replace(theirs, ours): value for key, value in state.items()}
    return state


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_the_block_is_torchs(x, norm, activation):
    first = norm == "pre"
    theirs = nn.TransformerEncoderLayer(
        32, 4, 48, 0.0, activation, batch_first=True, norm_first=first
    )
    with torch.no_grad():
        for p in theirs.parameters():
            p += 0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(2))
    ours = TransformerBlock(32, 4, 48, norm=norm, activation=activation)
    ours.load_state_dict(renamed(theirs.state_dict()))
    mask = torch.ones(2, 7, dtype=torch.bool)
    mask[0, 5:] = False
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-4)
    expected = theirs(x, src_key_padding_mask=~mask)
    torch.testing.assert_close(ours(x, mask)[mask], expected[mask], atol=1e-5, rtol=1e-4)


def test_the_stack_is_torchs(x):
    block = nn.TransformerEncoderLayer(32, 4, 48, 0.0, "gelu", batch_first=True, norm_first=True)
    theirs = nn.TransformerEncoder(block, 3, nn.LayerNorm(32), enable_nested_tensor=False)
    ours = TransformerEncoder(3, 32, 4, 48)
    state = {k.replace("layers.", "blocks."): v for k, v in renamed(theirs.state_dict()).items()}
    ours.load_state_dict(state)
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-4)


def test_a_few_windows_at_a_time_are_all_windows(x, monkeypatch):
    encoder = TransformerEncoder(2, 32, 4, 48)
    many = torch.cat([x, 2 * x, x + 1, x[:1]])
    mask = torch.arange(7) < torch.tensor([7, 5, 6, 7, 3, 7, 1])[:, None]
    whole = encoder(many, mask)
    (whole[mask] ** 2).mean().backward()
    expected = [p.grad.clone() for p in encoder.parameters()]
    monkeypatch.setattr(transformer, "CHUNK", 2 * 7 * 32)
    encoder.zero_grad()
    parts = encoder(many, mask)
    (parts[mask] ** 2).mean().backward()
    torch.testing.assert_close(parts, whole, atol=1e-6, rtol=1e-5)
    for got, wanted in zip(encoder.parameters(), expected, strict=True):
        torch.testing.assert_close(got.grad, wanted, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_a_stack_generates_what_it_sees_at_once(x, norm):
    encoder = TransformerEncoder(3, 32, 4, 48, norm=norm, causal=True, qk_norm=True).eval()
    cache = encoder.empty_cache()
    with torch.no_grad():
        steps = [encoder(token, cache=cache) for token in x.split([3, 1, 1, 2], dim=1)]
    torch.testing.assert_close(torch.cat(steps, 1), encoder(x), atol=1e-5, rtol=1e-5)


def test_du_ins_encoder_has_its_size():
    encoder = TransformerEncoder(8, 160, 8, 320, head_dim=64, norm="post", qk_norm=True)
    by_hand = 3 * 512 * 161 + 160 * 513 + 4 * 64 + 320 * 161 + 160 * 321 + 4 * 160
    assert sum(p.numel() for p in encoder.parameters()) == 8 * by_hand


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_dropout_leaves_evaluation_alone_and_keeps_the_mean(x, norm):
    block = TransformerBlock(32, 4, 48, dropout=0.2, norm=norm)
    assert not torch.equal(block(x), block(x))
    block.eval()
    assert torch.equal(block(x), block(x))


def test_it_compiles_to_one_graph(x):
    encoder = TransformerEncoder(2, 32, 4, 48)
    mask = torch.ones(2, 7, dtype=torch.bool)
    for given in (None, mask):
        told = torch._dynamo.explain(encoder)(x, given)
        assert told.graph_break_count == 0


def test_bad_input(x):
    with pytest.raises(DataError, match="norm is 'middle'"):
        TransformerBlock(32, 4, 48, norm="middle")
    with pytest.raises(DataError, match="activation is 'swish'"):
        activation_layer("swish")
    encoder = TransformerEncoder(2, 32, 4, 48, causal=True)
    with pytest.raises(DataError, match="Got 1 caches for 2 blocks"):
        encoder(x, cache=encoder.empty_cache()[:1])


@pytest.mark.parametrize("norm", ["pre", "post"])
def test_what_is_added_may_be_kept_whole(x, norm):
    encoder = TransformerEncoder(2, 32, 4, 48, dropout=0.5, norm=norm, residual_dropout=0.0)
    added = []
    for block in encoder.blocks:
        block.attention.register_forward_hook(lambda *given: added.append(given[-1]))
        block.feed.register_forward_hook(lambda *given: added.append(given[-1]))
    dropped = []
    for block in encoder.blocks:
        block.drop.register_forward_hook(lambda *given: dropped.append(given[-1]))
    encoder(x)
    assert len(added) == len(dropped) == 4
    for before, after in zip(added, dropped, strict=True):
        assert torch.equal(before, after)
    assert not torch.equal(encoder(x), encoder(x))  # attention and the layer between


def test_dropout_is_torchs_by_default():
    theirs = nn.TransformerEncoderLayer(32, 4, 48, 0.3)
    ours = TransformerBlock(32, 4, 48, dropout=0.3)
    assert ours.attention.dropout == theirs.self_attn.dropout
    assert (ours.feed[2].p, ours.drop.p) == (theirs.dropout.p, theirs.dropout2.p) == (0.3, 0.3)
