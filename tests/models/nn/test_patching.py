"""Patches: cut as published, and put together to what they were."""

import pytest
import torch

from neurokit.errors import DataError
from neurokit.models.nn import PatchEmbedding, patch_count, patches, unpatch

CUTS = [(40, 8, 8), (40, 8, 4), (43, 8, 3), (8, 8, 8), (9, 8, 2), (40, 8, 1)]


@pytest.fixture
def x():
    return torch.randn(2, 3, 43, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("n", "length", "stride"), CUTS)
def test_padded_as_in_patchtst(n, length, stride):
    series = torch.randn(2, n)
    found = patches(series, length, stride)
    assert found.shape[-2] == (n - length) // stride + 2 == patch_count(n, length, stride)
    replicated = torch.nn.ReplicationPad1d((0, stride))(series)
    assert torch.equal(found, replicated.unfold(-1, length, stride))
    for place in range(found.shape[-2] - 1):
        assert torch.equal(found[:, place], series[:, place * stride : place * stride + length])


def test_without_padding_nothing_is_copied(x):
    found = patches(x, 8, 4, pad=False)
    assert found.shape == (2, 3, patch_count(43, 8, 4, pad=False), 8) == (2, 3, 9, 8)
    assert found.data_ptr() == x.data_ptr()


@pytest.mark.parametrize(("n", "length", "stride"), CUTS)
def test_putting_together_is_the_inverse_of_cutting(n, length, stride):
    series = torch.randn(2, 3, n)
    again = unpatch(patches(series, length, stride), stride, n_samples=n)
    torch.testing.assert_close(again, series)


def test_where_patches_overlap_it_is_their_mean():
    found = unpatch(torch.tensor([[0.0, 0.0, 0.0], [3.0, 3.0, 3.0]]), 2)
    assert found.tolist() == [0, 0, 1.5, 3, 3]
    double = torch.ones(2, 3, 4, dtype=torch.float64, requires_grad=True)
    unpatch(double, 2).sum().backward()
    assert double.grad.sum().item() == pytest.approx(2 * 8)


def test_an_embedding_is_a_linear_map_of_each_patch(x):
    embed = PatchEmbedding(8, 5, stride=4)
    expected = patches(x, 8, 4) @ embed.linear.weight.T + embed.linear.bias
    torch.testing.assert_close(embed(x), expected)
    assert sum(p.numel() for p in embed.parameters()) == 5 * 9


def test_bad_input(x):
    with pytest.raises(DataError, match=r"43 samples is shorter than a patch of 44"):
        patches(x, 44)
    with pytest.raises(DataError, match=r"stride \(samples\) is 0"):
        PatchEmbedding(8, 5, stride=0)
    with pytest.raises(DataError, match=r"stride of 9 do not cover 17"):
        unpatch(torch.zeros(2, 8), 9)
    with pytest.raises(DataError, match=r"2 patches of 8 samples .* do not cover 17"):
        unpatch(torch.zeros(2, 8), n_samples=17)
