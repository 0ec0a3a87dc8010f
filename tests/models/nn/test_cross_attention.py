"""Attention to another sequence, packed tokens, and the weighted mean that all of it uses."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from neurokit.errors import DataError
from neurokit.models.nn import CrossAttention, Packing, SelfAttention
from neurokit.models.nn.attending import attend

THERE = torch.tensor([[True] * 7, [True] * 3 + [False] * 4, [True] + [False] * 6])


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return CrossAttention(16, 4).eval()


def reference(layer):
    """PyTorch's own layer, with the same weights."""
    other = nn.MultiheadAttention(16, 4, batch_first=True).eval()
    with torch.no_grad():
        other.in_proj_weight.copy_(torch.cat([layer.query.weight, layer.key_value.weight]))
        other.in_proj_bias.copy_(torch.cat([layer.query.bias, layer.key_value.bias]))
        other.out_proj.weight.copy_(layer.output.weight)
        other.out_proj.bias.copy_(layer.output.bias)
    return other


@torch.no_grad()
def test_it_is_cross_attention(layer):
    x, memory = torch.randn(3, 5, 16), torch.randn(3, 7, 16)
    for mask in (None, THERE):
        hidden = None if mask is None else ~mask
        expected, weights = reference(layer)(
            x, memory, memory, key_padding_mask=hidden, average_attn_weights=False
        )
        held = layer.remember(memory, mask)
        torch.testing.assert_close(layer(x, held), expected)
        torch.testing.assert_close(layer.weights(x, held), weights)


@torch.no_grad()
def test_what_is_hidden_changes_nothing(layer):
    x, memory = torch.randn(3, 5, 16), torch.randn(3, 7, 16)
    other = torch.where(THERE[..., None], memory, 99.0)
    held = (layer.remember(m, THERE) for m in (memory, other))
    first, second = (layer(x, m) for m in held)
    assert torch.equal(first, second)


def test_masks_are_checked(layer):
    with pytest.raises(DataError, match=r"mask of bool and shape \(3, 7\)"):
        layer.remember(torch.zeros(3, 7, 16), THERE.float())
    with pytest.raises(DataError, match="does not divide into 3 heads"):
        CrossAttention(16, 3)


def test_packed_tokens_are_the_padded_ones_without_padding(layer):
    torch.manual_seed(1)
    mine, other = SelfAttention(16, 4, causal=True).eval(), torch.randn(3, 9, 16)
    packing, held = Packing(THERE), layer.remember(other)
    held = held._replace(key=held.key.detach(), value=held.value.detach())
    for attention, extra in ((mine, {}), (layer, {"memory": held})):
        packed = torch.randn(11, 16, requires_grad=True)
        attention(packing.pad(packed), **extra)[THERE].square().sum().backward()
        expected, packed.grad = packed.grad, None
        out = attention(packed, packing=packing, **extra)
        torch.testing.assert_close(out, attention(packing.pad(packed), **extra)[THERE])
        out.square().sum().backward()
        torch.testing.assert_close(packed.grad, expected)


@pytest.mark.parametrize("mask", [THERE, torch.ones(3, 7, dtype=torch.bool)])
def test_packing_goes_both_ways(mask):
    torch.manual_seed(0)
    packing, x = Packing(mask), torch.randn(3, 7, 2, requires_grad=True)
    packed = packing.pack(x)
    assert torch.equal(packed, x[mask])
    assert torch.equal(packing.pad(packed), x * mask[..., None])
    means = torch.stack([row[there].mean(0) for row, there in zip(x, mask, strict=True)])
    torch.testing.assert_close(packing.mean(packed), means)
    (packing.pad(packed) * 3).sum().backward()
    assert torch.equal(x.grad, 3.0 * mask[..., None].expand_as(x))


def test_a_sequence_without_tokens_has_the_mean_zero():
    packing = Packing(torch.tensor([[True, False], [False, False]]))
    assert packing.mean(torch.ones(1, 3)).tolist() == [[1.0] * 3, [0.0] * 3]


@pytest.mark.parametrize("kind", ["all", "causal", "hidden", "hidden each"])
def test_by_hand_is_as_torch_does_it(kind):
    torch.manual_seed(0)
    query, key, value = (
        torch.randn(3, 2, n, 4, dtype=torch.float64, requires_grad=True) for n in (7, 7, 7)
    )
    allowed = {"hidden": THERE[:, None, None], "hidden each": torch.eye(7).bool()[None, None]}
    settings = {"allowed": allowed.get(kind), "causal": kind == "causal"}
    found = attend(query, key, value, **settings)
    expected = F.scaled_dot_product_attention(
        query, key, value, attn_mask=settings["allowed"], is_causal=kind == "causal"
    )
    torch.testing.assert_close(found, expected)
    weights = torch.randn_like(found)
    grads = [
        torch.autograd.grad((out * weights).sum(), (query, key, value)) for out in (found, expected)
    ]
    for mine, theirs in zip(*grads, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_long_sequences_are_left_to_torch():
    torch.manual_seed(0)
    long = torch.randn(1, 1, 300, 4)
    torch.testing.assert_close(
        attend(long, long, long, causal=True),
        F.scaled_dot_product_attention(long, long, long, is_causal=True),
    )


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_half_precision_is_single_but_for_rounding(dropout):
    layer = SelfAttention(16, 4, dropout=dropout, qk_norm=True, causal=True).train()
    x = torch.randn(2, 5, 16, generator=torch.Generator().manual_seed(0))
    outs, grads = [], []
    for half in (False, True):
        torch.manual_seed(1)
        layer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            out = layer(x)
        out.float().square().sum().backward()
        outs.append(out)
        grads.append(layer.qkv.weight.grad.clone())
    assert outs[1].dtype == torch.bfloat16
    torch.testing.assert_close(outs[1].float(), outs[0], atol=0.03, rtol=0.03)
    assert float((grads[1] - grads[0]).norm() / grads[0].norm()) < 0.05


def test_dropped_weights_have_the_gradient_of_what_was_kept():
    torch.manual_seed(0)
    query, key = (torch.randn(1, 1, 5, 4) for _ in range(2))
    value = torch.eye(5)[None, None].requires_grad_()
    weights = attend(query, key, value, dropout=0.5)
    whole = attend(query, key, value)
    there = weights > 0
    assert 5 < int(there.sum()) < 20
    torch.testing.assert_close(weights[there], 2 * whole[there])
    weights.sum().backward()
    torch.testing.assert_close(value.grad[..., 0], weights.detach().sum(-2))
