"""Intervals over stretches of time cover what they should."""

import numpy as np
import pytest

import neurokit as nk
from neurokit.errors import DataError
from neurokit.models.neuroformer.blocks import blocks_drawn, blocks_of, ratio_interval


def test_blocks_are_of_one_recording_each() -> None:
    recs = [nk.Recording.from_array(np.ones((10, 1)), 1, stream="bold") for _ in range(2)]
    win = nk.windows.sliding(recs, stream="bold", length=2)
    assert blocks_of(win, seconds=5).tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]


def test_an_interval_of_few_correlated_blocks_still_covers() -> None:
    # Samples of a block are the same, so that only the eight blocks count.
    rng = np.random.default_rng(1)
    block = np.repeat(np.arange(8), 50)
    covered = 0
    for seed in range(200):
        values = rng.normal(size=8)[block]
        low, high = ratio_interval(values, np.ones(400), block, 500, seed)
        covered += bool(low <= 0 <= high)
    assert 0.88 <= covered / 200 <= 0.995


def test_weights_are_those_of_the_denominator() -> None:
    spikes = np.array([1.0, 3.0, 1.0, 3.0])
    low, high = ratio_interval(np.stack([2 * spikes, -spikes]), spikes, np.arange(4))
    assert low.tolist() == pytest.approx([2, -1])
    assert high.tolist() == pytest.approx([2, -1])


def test_one_block_has_no_interval() -> None:
    with pytest.raises(DataError, match="needs two blocks; got 1"):
        blocks_drawn(1)
