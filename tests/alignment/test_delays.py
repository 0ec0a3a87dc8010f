from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment import delayed, delays
from neurokit.errors import DataError


def naive(x, steps, segment):
    """Look every value up, one at a time."""
    n, p = x.shape
    out = np.zeros((n, len(steps) * p))
    for t in range(n):
        for k, step in enumerate(steps):
            if 0 <= t - step < n and segment[t - step] == segment[t]:
                out[t, k * p : (k + 1) * p] = x[t - step]
    return out


@pytest.mark.parametrize("steps", [[0], [1, 2, 3, 4], [-2, 0, 2], [5], [9, -9]])
def test_equals_looking_every_value_up(steps):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((40, 3))
    segment = np.repeat([0, 1, 2], [15, 5, 20])
    np.testing.assert_array_equal(delayed(x, steps, segment), naive(x, steps, segment))


def test_nothing_of_one_story_reaches_another():
    story = np.repeat(["a", "b", "a"], 10)
    x = np.where(story == "b", 7.0, 0.0)[:, None]
    out = delayed(x, [-3, -1, 0, 2, 4], story)
    assert (out[story == "a"] == 0).all()
    # A story that comes back is another run: what lies between must not be jumped.
    assert (delayed(np.arange(30.0)[:, None] + 1, [1], story)[[0, 10, 20]] == 0).all()


def test_without_groups_only_the_ends_are_filled():
    out = delayed(np.arange(1.0, 5.0)[:, None], [2, -1])
    np.testing.assert_array_equal(out, [[0, 2], [0, 3], [1, 4], [2, 0]])


def test_keeps_type_and_labels():
    x = xr.DataArray(
        np.ones((6, 2), dtype=np.float32),
        dims=("time", "feature"),
        coords={"time": np.arange(6) * 2.0, "feature": ["word", "pitch"]},
        attrs={"units": "a.u."},
    )
    out = delayed(x, [1, 2])
    assert out.dtype == np.float32
    assert out.feature.values.tolist() == ["word", "pitch", "word", "pitch"]
    assert out.delay.values.tolist() == [1, 1, 2, 2]
    assert out.attrs == x.attrs
    np.testing.assert_array_equal(out.time, x.time)
    assert delayed(x.values, [1]).dtype == np.float32


@pytest.mark.parametrize(
    ("steps", "groups", "match"),
    [
        ([], None, "sequence of whole numbers"),
        ([0.5], None, "Divide seconds by the sampling interval"),
        ([1, 1], None, "each delay once"),
        ([10], None, "does not fit a series of 10"),
        ([-12, 3], None, "A delay of -12 samples"),
        ([1], ["a"] * 9, r"Expected groups of shape \(10,\)"),
    ],
)
def test_says_what_does_not_fit(steps, groups, match):
    with pytest.raises(DataError, match=match):
        delayed(np.zeros((10, 2)), steps, groups)


def test_needs_two_dimensions():
    with pytest.raises(DataError, match=r"shape \(samples, features\); got \(10,\)"):
        delayed(np.zeros(10), [1])


def test_stretches_are_numbered():
    assert delays.segments(None, 3).tolist() == [0, 0, 0]
    assert delays.segments([1, 1, 0, 1], 4).tolist() == [0, 0, 1, 2]
