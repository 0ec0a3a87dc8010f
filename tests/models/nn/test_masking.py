"""Masks: exactly as many as asked for, evenly, and the same from the same seed."""

import pytest
import torch

from neurokit.errors import DataError
from neurokit.models.nn import block_mask, random_mask


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def draw(kind, batch, n, fraction, source=None, **options):
    if kind == "random":
        return random_mask(batch, n, fraction, source, **options)
    return block_mask(batch, n, fraction, 4, source, **options)


def runs(row):
    """Return the lengths of the stretches of a row."""
    text = "".join(str(int(value)) for value in row)
    return [len(part) for part in text.split("0") if part]


@pytest.mark.parametrize("kind", ["random", "block"])
@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.77, 1.0])
def test_each_row_has_exactly_as_many(kind, fraction):
    mask = draw(kind, 50, 31, fraction, generator())
    assert mask.shape == (50, 31)
    assert mask.dtype == torch.bool
    assert (mask.sum(1) == round(31 * fraction)).all()


@pytest.mark.parametrize("kind", ["random", "block"])
def test_the_seed_decides_and_rows_differ(kind):
    first = draw(kind, 20, 40, 0.5, generator())
    assert torch.equal(first, draw(kind, 20, 40, 0.5, generator()))
    assert not torch.equal(first, draw(kind, 20, 40, 0.5, generator(1)))
    assert len({tuple(row.tolist()) for row in first}) == 20
    torch.manual_seed(3)
    unseeded = draw(kind, 20, 40, 0.5)
    torch.manual_seed(3)
    assert torch.equal(unseeded, draw(kind, 20, 40, 0.5, device="cpu"))
    assert draw(kind, 2, 8, 0.5, generator(), device="meta").device.type == "meta"


def test_random_tokens_are_all_as_likely():
    share = random_mask(20_000, 10, 0.3, generator()).float().mean(0)
    torch.testing.assert_close(share, torch.full((10,), 0.3), atol=0.02, rtol=0)


def test_stretches_have_their_length():
    mask = block_mask(2000, 60, 0.2, 4, generator())
    lengths = [runs(row) for row in mask.tolist()]
    assert all(size % 4 == 0 for row in lengths for size in row)
    assert sum(row == [4, 4, 4] for row in lengths) > 1000
    uneven = [sorted(runs(row)) for row in block_mask(500, 60, 10 / 60, 4, generator()).tolist()]
    assert uneven.count([2, 4, 4]) > 250


def test_one_stretch_begins_anywhere_with_the_same_chance():
    mask = block_mask(20_000, 8, 0.5, 4, generator())
    starts = mask.int().argmax(1).bincount(minlength=5) / 20_000
    torch.testing.assert_close(starts, torch.full((5,), 0.2), atol=0.02, rtol=0)


def test_the_short_stretch_is_anywhere():
    mask = block_mask(4000, 30, 0.2, 4, generator())
    first = torch.tensor([runs(row)[0] for row in mask.tolist()])
    assert float((first == 2).float().mean()) == pytest.approx(0.5, abs=0.08)


def test_bad_input():
    with pytest.raises(DataError, match=r"fraction is 1.5, expected 0 to 1"):
        random_mask(2, 10, 1.5)
    with pytest.raises(DataError, match="length is 0"):
        block_mask(2, 10, 0.5, 0)
