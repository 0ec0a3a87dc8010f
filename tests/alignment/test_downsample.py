from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment import lanczos
from neurokit.errors import DataError


def direct(values, times, new_times, window):
    """Sum event by event, as the formula says."""
    step = new_times[1] - new_times[0]
    out = np.zeros(len(new_times))
    for value, time in zip(values, times, strict=True):
        for k, at in enumerate(new_times):
            d = (at - time) / step
            if d == 0:
                out[k] += value
            elif abs(d) < window:
                out[k] += value * window * np.sin(np.pi * d) * np.sin(np.pi * d / window) / (
                    np.pi * d
                ) ** 2  # fmt: skip
    return out


@pytest.mark.parametrize("window", [1, 3, 4.5])
def test_is_the_formula(window):
    rng = np.random.default_rng(0)
    times, new = rng.uniform(0, 60, 200), 1.0 + 2.0 * np.arange(30)
    values = rng.standard_normal((200, 3))
    expected = np.stack([direct(v, times, new, window) for v in values.T], axis=1)
    np.testing.assert_allclose(lanczos(values, times, new, window), expected, atol=1e-12)
    np.testing.assert_allclose(lanczos(values[:, 0], times, new, window), expected[:, 0])
    order = rng.permutation(200)
    np.testing.assert_allclose(lanczos(values[order], times[order], new, window), expected)


def test_recovers_what_is_slow_and_drops_what_is_fast():
    times, new = np.arange(0, 400, 0.1), np.arange(0, 400, 2.0)
    inside = slice(10, -10)
    # A sum over events: 20 of them fall into each new interval.
    slow = np.sin(2 * np.pi * 0.03 * times)
    found = lanczos(slow, times, new, window=8) / 20
    np.testing.assert_allclose(found[inside], np.sin(2 * np.pi * 0.03 * new)[inside], atol=0.01)
    fast = lanczos(np.sin(2 * np.pi * 1.3 * times), times, new) / 20
    assert np.abs(fast[inside]).max() < 0.01


def test_stories_do_not_mix():
    rng = np.random.default_rng(1)
    words = rng.standard_normal((50, 2))
    times = np.concatenate([np.linspace(0, 20, 25)] * 2)
    new = np.concatenate([np.arange(0, 20, 2.0)] * 2)
    story, scans = np.repeat(["a", "b"], 25), np.repeat(["a", "b"], 10)
    both = lanczos(words, times, new, groups=story, new_groups=scans)
    np.testing.assert_allclose(both[:10], lanczos(words[:25], times[:25], new[:10]))
    changed = words.copy()
    changed[25:] += 100
    again = lanczos(changed, times, new, groups=story, new_groups=scans)
    np.testing.assert_array_equal(again[:10], both[:10])


def test_labels_and_precision_are_kept():
    words = xr.DataArray(
        np.ones((4, 2), dtype=np.float32),
        dims=("word", "feature"),
        coords={"feature": ["length", "surprisal"], "kind": ("feature", ["a", "b"])},
        attrs={"model": "none"},
    )
    found = lanczos(words, [0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 4.0])
    assert found.dtype == np.float32
    assert found.sel(feature="length").kind == "a"
    assert found["word"].values.tolist() == [0, 2, 4]
    assert found.attrs == words.attrs


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"values": np.ones(3)}, r"shape \(4,\) or \(4, features\).*got float64 of shape \(3,\)"),
        ({"values": ["a"] * 4}, "Expected numbers"),
        ({"values": [1.0, np.nan, 1.0, 1.0]}, "1 values are missing"),
        ({"times": [0.0, np.nan, 1.0, 2.0]}, "finite times of one dimension"),
        ({"new_times": [0.0, 2.0, 2.5]}, "evenly spaced.* steps from 0.5 to 2 s"),
        ({"new_times": [0.0]}, "two or more; got 1"),
        ({"window": 0}, "window .lobes. is 0"),
        ({"groups": ["a"] * 4}, "both groups and new_groups"),
        (
            {"groups": ["A"] * 4, "new_groups": ["a"] * 3},
            "Story 'a' of new_groups has 3 samples and no event: groups are 'A'",
        ),
        ({"groups": ["a"] * 3, "new_groups": ["a"] * 3}, r"groups of shape \(4,\)"),
    ],
)
def test_says_what_is_wrong(change, match):
    settings = {"values": np.ones(4), "times": [0, 1, 2, 3], "new_times": [0, 2, 4], **change}
    with pytest.raises(DataError, match=match):
        lanczos(**settings)
