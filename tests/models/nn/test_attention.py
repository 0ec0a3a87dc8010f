"""Shared blocks: causal, indifferent to where a text begins, and the same as others' code."""

import pytest
import torch

from neurokit.errors import DataError
from neurokit.models.nn import Attention, LlamaBlock, attention_mask, rotate


@pytest.fixture
def x():
    return torch.randn(2, 7, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("block", [Attention(32, 4), LlamaBlock(32, 4, 48)])
def test_the_future_is_not_seen(x, block):
    changed = x.clone()
    changed[:, 5:] += 1
    torch.testing.assert_close(block(x)[:, :5], block(changed)[:, :5])
    assert not torch.allclose(block(x)[:, 5:], block(changed)[:, 5:])


def test_without_positions_order_before_the_last_token_is_unknown(x):
    swapped = x[:, [2, 0, 1, 3, 5, 4, 6]]
    plain, rotary = Attention(32, 4), Attention(32, 4, rotary=True)
    torch.testing.assert_close(plain(x)[:, -1], plain(swapped)[:, -1], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(rotary(x)[:, -1], rotary(swapped)[:, -1], atol=1e-4)


def test_rotation_keeps_length_and_depends_on_distance_alone():
    generator = torch.Generator().manual_seed(0)
    q, k = torch.randn(2, 1, 1, 1, 8, generator=generator).expand(2, 1, 1, 20, 8)
    torch.testing.assert_close(rotate(q).norm(dim=-1), q.norm(dim=-1))
    scores = (rotate(q) @ rotate(k).transpose(-1, -2))[0, 0]
    for distance in (-3, 0, 5):
        along = scores.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), atol=1e-4, rtol=1e-4)


def test_the_block_is_llamas(x):
    llama = pytest.importorskip("transformers.models.llama.modeling_llama")
    config = llama.LlamaConfig(
        hidden_size=32, num_attention_heads=4, num_key_value_heads=4, intermediate_size=48
    )
    config._attn_implementation = "sdpa"
    theirs = llama.LlamaDecoderLayer(config, 0).eval()
    names = {
        "attention_norm": "input_layernorm",
        "gated_norm": "post_attention_layernorm",
        **{f"attention.{a}": f"self_attn.{a[0]}_proj" for a in ("query", "key", "value", "output")},
        **{"gate": "mlp.gate_proj", "up": "mlp.up_proj", "down": "mlp.down_proj"},
    }
    state = theirs.state_dict()
    ours = LlamaBlock(32, 4, 48)
    ours.load_state_dict({f"{a}.weight": state[f"{b}.weight"] for a, b in names.items()})
    angles = llama.LlamaRotaryEmbedding(config)(x, torch.arange(7)[None])
    expected = theirs(x, position_embeddings=angles)
    expected = expected[0] if isinstance(expected, tuple) else expected
    torch.testing.assert_close(ours(x), expected, atol=1e-5, rtol=1e-4)


def test_masks_say_who_sees_whom():
    assert attention_mask(None) is None
    assert attention_mask(torch.ones(2, 3).bool()) is None
    allowed = attention_mask(torch.tensor([[True, True, False]]))
    assert allowed[0, 0].int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]


@pytest.mark.parametrize(("width", "heads"), [(30, 4), (32, 0)])
def test_heads_must_divide_the_width(width, heads):
    with pytest.raises(DataError, match=f"width {width} and {heads} heads"):
        Attention(width, heads)
