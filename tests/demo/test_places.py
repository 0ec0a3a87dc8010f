import numpy as np
import pytest
import xarray as xr

from neurokit.demo.places import positions, rotated_labels
from neurokit.errors import DataError


def cortex(n=40, seed=0):
    places = np.random.default_rng(seed).normal(size=(n, 3))
    places[:, 0] = np.abs(places[:, 0]) * np.tile([-1, 1], n // 2)
    return places


def test_rotated_labels_keep_their_sizes_in_each_hemisphere():
    places, label = cortex(), np.repeat(list("abcd"), 10)
    left = places[:, 0] < 0
    for taken in rotated_labels(label, places, 5, seed=0):
        np.testing.assert_array_equal(np.sort(taken[left]), np.sort(label[left]))
        np.testing.assert_array_equal(np.sort(taken[~left]), np.sort(label[~left]))


def test_rotations_keep_neighbours_together():
    places = cortex(200)
    label = (places[:, 1] > 0).astype(int)

    def mixing(given):
        near = np.argsort(((places[:, None] - places) ** 2).sum(2), axis=1)[:, 1:4]
        return (given[near] != given[:, None]).mean()

    rotated = np.mean([mixing(taken) for taken in rotated_labels(label, places, 20, seed=0)])
    shuffled = mixing(np.random.default_rng(0).permutation(label))
    assert rotated < 0.7 * shuffled


def test_seed_decides():
    places, label = cortex(), np.arange(40)
    first, again, other = (next(rotated_labels(label, places, 1, seed)) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_places_are_needed():
    stream = xr.DataArray(np.zeros((2, 3)), {"x": ("roi", np.zeros(3))}, ("time", "roi"))
    with pytest.raises(DataError, match=r"in m along 'roi'; missing: \['y', 'z'\]"):
        positions(stream)
