"""Positions: the published formula, and vectors that are learned."""

import math

import pytest
import torch

from neurokit.errors import DataError
from neurokit.models.nn import LearnedPositions, sinusoidal


def test_it_is_the_published_formula():
    found = sinusoidal(3001, 16)
    for p in (0, 1, 17, 3000):
        for i in range(8):
            angle = p / 10_000 ** (2 * i / 16)
            assert float(found[p, 2 * i]) == pytest.approx(math.sin(angle), abs=1e-6)
            assert float(found[p, 2 * i + 1]) == pytest.approx(math.cos(angle), abs=1e-6)


def test_products_depend_on_distance_alone():
    code = sinusoidal(50, 32)
    products = code @ code.T
    for distance in (0, 1, 9):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), atol=1e-4, rtol=1e-4)
    assert float(products.diagonal(9)[0]) < float(products.diagonal(1)[0])


def test_learned_positions_are_added_in_order():
    positions = LearnedPositions(10, 4)
    x = torch.randn(2, 3, 7, 4)
    torch.testing.assert_close(positions(x) - x, positions.weight[:7].expand_as(x))
    assert 0.01 < float(positions.weight.detach().std()) < 0.04
    positions(x).sum().backward()
    assert positions.weight.grad[:7].unique().tolist() == [6]
    assert not positions.weight.grad[7:].any()


def test_bad_input():
    with pytest.raises(DataError, match="even width, got 5"):
        sinusoidal(3, 5)
    with pytest.raises(DataError, match="Got 11 tokens, but positions were learned for 10"):
        LearnedPositions(10, 4)(torch.zeros(1, 11, 4))
