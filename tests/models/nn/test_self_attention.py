"""Self-attention: equal to torch's, blind to padding, and the same token by token."""

import pytest
import torch
from torch import nn

from neurokit.errors import DataError
from neurokit.models.nn import KeyValueCache, SelfAttention


@pytest.fixture
def x():
    return torch.randn(3, 9, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def mask():
    """Padding after, before and between the tokens."""
    mask = torch.ones(3, 9, dtype=torch.bool)
    mask[0, 6:] = mask[1, :2] = mask[2, 3:5] = False
    return mask


def layer(**options):
    torch.manual_seed(1)
    return SelfAttention(32, 4, **options).eval()


def reference(ours):
    theirs = nn.MultiheadAttention(32, 4, batch_first=True)
    theirs.in_proj_weight.data = ours.qkv.weight.data
    theirs.in_proj_bias.data = ours.qkv.bias.data
    theirs.out_proj.load_state_dict(ours.output.state_dict())
    return theirs.eval()


@pytest.mark.parametrize("causal", [False, True])
def test_it_is_torchs(x, mask, causal):
    ours = layer(causal=causal)
    theirs = reference(ours)
    future = torch.ones(9, 9).triu(1).bool() if causal else None
    plain = theirs(x, x, x, attn_mask=future, need_weights=False)[0]
    torch.testing.assert_close(ours(x), plain, atol=1e-5, rtol=1e-4)
    padded = theirs(x, x, x, attn_mask=future, key_padding_mask=~mask, need_weights=False)[0]
    seen = mask & (mask.cumsum(1) > 0)
    torch.testing.assert_close(ours(x, mask)[seen], padded[seen], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("options", [{}, {"causal": True}, {"qk_norm": True, "head_dim": 12}])
def test_padding_changes_nothing_elsewhere(x, mask, options):
    attention = layer(**options)
    other = torch.where(mask[..., None], x, 100 * torch.randn(x.shape))
    torch.testing.assert_close(attention(x, mask)[mask], attention(other, mask)[mask])
    short = attention(x[:1, :6])
    torch.testing.assert_close(attention(x, mask)[:1, :6], short, atol=1e-5, rtol=1e-4)
    all_there = torch.ones_like(mask)
    torch.testing.assert_close(attention(x, all_there), attention(x), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("causal", [False, True])
def test_rows_without_any_token_stay_finite_and_give_no_wrong_gradient(x, mask, causal):
    attention = layer(causal=causal).train()
    mask[1] = False
    out = attention(x, mask)
    assert bool(out.isfinite().all())
    out[mask].sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in attention.parameters())


def test_normed_queries_and_keys_do_not_depend_on_their_scale(x):
    attention = layer(qk_norm=True, bias=False)
    before = attention(x)
    with torch.no_grad():
        attention.qkv.weight[:64] *= 1000
    torch.testing.assert_close(attention(x), before, atol=1e-3, rtol=1e-3)
    assert not torch.allclose(layer(bias=False)(x), before, atol=1e-2)


def test_queries_and_keys_are_normed_head_by_head(x):
    attention = layer(qk_norm=True, head_dim=6)
    q, k, v = attention.qkv(x).view(3, 9, 3, 4, 6).permute(2, 0, 3, 1, 4)
    q, k = nn.functional.layer_norm(q, (6,)), nn.functional.layer_norm(k, (6,))
    mixed = (q @ k.transpose(-1, -2) / 6**0.5).softmax(-1) @ v
    expected = attention.output(mixed.transpose(1, 2).flatten(2))
    torch.testing.assert_close(attention(x), expected, atol=1e-5, rtol=1e-4)


def test_heads_may_be_wider_than_the_width_allows():
    attention = SelfAttention(160, 8, head_dim=64, qk_norm=True)
    assert attention.qkv.weight.shape == (3 * 512, 160)
    assert attention.output.weight.shape == (160, 512)


@pytest.mark.parametrize("steps", [[1] * 9, [4, 1, 3, 1], [9], [2, 7]])
@pytest.mark.parametrize("padded", [False, True])
def test_token_by_token_equals_the_full_pass(x, mask, steps, padded):
    attention = layer(causal=True, qk_norm=True)
    cache, parts, first = KeyValueCache(), [], 0
    for size in steps:
        until = first + size
        part = attention(x[:, first:until], mask[:, :until] if padded else None, cache)
        parts.append(part)
        first = until
    full = attention(x, mask if padded else None)
    assert len(cache) == 9
    there = mask if padded else torch.ones_like(mask)
    torch.testing.assert_close(torch.cat(parts, 1)[there], full[there], atol=1e-5, rtol=1e-5)


def test_a_cache_is_not_copied_at_each_token():
    cache = KeyValueCache()
    places = {
        cache.append(torch.ones(1, 2, 1, 4), torch.ones(1, 2, 1, 4))[0].data_ptr()
        for _ in range(64)
    }
    assert len(cache) == 64
    assert len(places) <= 8


def test_dropout_acts_in_training_alone(x):
    attention = layer(dropout=0.5)
    assert torch.equal(attention(x), attention(x))
    attention.train()
    assert not torch.equal(attention(x), attention(x))


def test_bad_input(x, mask):
    with pytest.raises(DataError, match="width 30 and 4 heads"):
        SelfAttention(30, 4)
    with pytest.raises(DataError, match=r"mask of bool and shape \(3, 9\); got .*float32"):
        layer()(x, mask.float())
    with pytest.raises(DataError, match=r"shape \(3, 9\); got torch.bool of shape \(3, 8\)"):
        layer()(x, mask[:, 1:])
    with pytest.raises(DataError, match="Only causal attention"):
        layer()(x, cache=KeyValueCache())
    cache, attention = KeyValueCache(), layer(causal=True)
    attention(x, cache=cache)
    with pytest.raises(DataError, match=r"shape \(3, 18\); got .* \(3, 9\)"):
        attention(x, mask, cache)
    assert len(cache) == 9
    with pytest.raises(DataError, match=r"holds .* \(3, 4, 8\); got \(2, 4, 8\)"):
        attention(x[:2], cache=cache)
