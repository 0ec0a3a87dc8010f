"""Dropout: the right share, the same mean, no pattern, and nothing in evaluation."""

import pytest
import torch

from neurokit.models.nn import SelfAttention, TransformerBlock
from neurokit.models.nn.dropout import Dropout, drop


@pytest.mark.parametrize("p", [0.1, 0.2, 0.5, 0.9])
def test_the_share_and_the_mean_are_right(p):
    torch.manual_seed(0)
    x = drop(torch.ones(1_000_000), p)
    assert abs(float((x == 0).float().mean()) - p) < 0.002
    assert abs(float(x.mean()) - 1) < 0.01
    torch.testing.assert_close(x.max(), torch.tensor(1 / (1 - p)), atol=1e-3, rtol=1e-3)


def test_neighbours_are_independent():
    torch.manual_seed(0)
    zero = (drop(torch.ones(1_000_000), 0.5) == 0).float() - 0.5
    for lag in (1, 2, 3, 4, 5, 8, 64):
        assert abs(float((zero[lag:] * zero[:-lag]).mean())) < 0.001
    again = (drop(torch.ones(1_000_000), 0.5) == 0).float() - 0.5
    assert abs(float((zero * again).mean())) < 0.001


@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (3, 1, 7)])
def test_any_shape_will_do(shape):
    assert drop(torch.ones(shape), 0.5).shape == shape


def test_values_set_to_zero_have_no_gradient():
    x = torch.ones(1000, requires_grad=True)
    out = drop(x, 0.25)
    out.sum().backward()
    torch.testing.assert_close(x.grad, out.detach())


def test_torchs_seed_decides():
    def draw(seed):
        torch.manual_seed(seed)
        return drop(torch.ones(100), 0.5)

    assert torch.equal(draw(0), draw(0))
    assert not torch.equal(draw(0), draw(1))


def test_evaluation_and_no_probability_change_nothing():
    x = torch.randn(10)
    before = torch.get_rng_state()
    assert Dropout(0.5).eval()(x) is x
    assert Dropout(0.0)(x) is x
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(Dropout(0.5)(x), x)


def test_half_precision_stays_what_it_is():
    assert drop(torch.ones(10, dtype=torch.bfloat16), 0.5).dtype == torch.bfloat16


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_attention_with_dropout_is_attention_but_for_the_zeros(monkeypatch, causal, masked):
    torch.manual_seed(0)
    layer = SelfAttention(32, 4, dropout=0.3, qk_norm=True, causal=causal)
    x, mask = torch.randn(3, 6, 32), None
    if masked:
        mask = torch.arange(6) < torch.tensor([[6], [4], [1]])
    expected = layer.eval()(x, mask)
    layer.train()
    assert not torch.allclose(layer(x, mask), expected)
    monkeypatch.setattr(
        "neurokit.models.nn.attending.kept", lambda weights, p: torch.ones_like(weights)
    )
    torch.testing.assert_close(layer(x, mask), expected, atol=1e-5, rtol=1e-4)


def test_a_block_drops_in_training_alone():
    torch.manual_seed(0)
    block, x = TransformerBlock(32, 4, 64, dropout=0.3), torch.randn(2, 5, 32)
    assert not torch.equal(block(x), block(x))
    assert torch.equal(block.eval()(x), block(x))
