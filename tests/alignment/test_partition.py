from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment import encode, splits, variance_partition
from neurokit.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore:Penalty grid edge")
SOLO = {"n_permutations": 0, "n_bootstraps": 0}


def simulate(n=2000, v=6, seed=0):
    """Three spaces around shared sources: y has .2 from a, .1 from b, .2 from a and b, .1 all."""
    rng = np.random.default_rng(seed)
    own_a, own_b, ab, abc, noise = rng.standard_normal((5, n, v))
    junk = rng.standard_normal((n, v))
    y = np.sqrt([0.2, 0.1, 0.2, 0.1, 0.4]) @ np.stack([own_a, own_b, ab, abc, noise]).reshape(5, -1)
    spaces = {
        "a": np.hstack([own_a, ab, abc]),
        "b": np.hstack([own_b, ab, abc]),
        "c": np.hstack([abc, junk]),
    }
    return spaces, y.reshape(n, v)


def test_recovers_planted_shares_of_three_spaces():
    spaces, y = simulate()
    result = variance_partition(spaces, y)
    truth = {"a": 0.2, "b": 0.1, "c": 0, "a & b": 0.2, "a & c": 0, "b & c": 0, "a & b & c": 0.1}
    assert result.part.values.tolist() == list(truth)
    np.testing.assert_allclose(result.partition.mean("target"), list(truth.values()), atol=0.025)


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_parts_sum_to_the_r2_of_all_spaces_in_every_fold(names):
    spaces, y = simulate(200, 4, seed=1)
    groups = np.repeat(np.arange(10), 20)
    result = variance_partition({n: spaces[n] for n in names}, y, groups, None)
    np.testing.assert_allclose(
        result.partition.sum("part"), result.R2.sel(model=" & ".join(names)), atol=1e-9
    )
    assert result.partition_fold.sizes == {"part": 2 ** len(names) - 1, "fold": 10, "target": 4}
    alone = encode(spaces["a"], y, groups, None, **SOLO)
    np.testing.assert_allclose(result.R2.sel(model="a"), alone.R2, atol=1e-9)


def test_unique_parts_are_losses_and_noise_is_not_clipped():
    spaces, y = simulate(120, 8, seed=2)
    spaces["c"] = np.random.default_rng(3).standard_normal((120, 60))
    folds = splits.contiguous(120, 4)
    result = variance_partition(spaces, y, cv=iter(folds))
    r2 = result.R2.sel
    lost = r2(model="a & b & c") - r2(model="a & b")
    np.testing.assert_allclose(result.partition.sel(part="c"), lost, atol=1e-12)
    assert float(result.partition.sel(part="c").min()) < 0


def test_keeps_labels_and_statistics():
    spaces, y = simulate(150, 2, seed=4)
    labelled = xr.DataArray(y, dims=("time", "roi"), coords={"roi": ["V1", "IT"]})
    result = variance_partition(
        {"a": spaces["a"], "b": spaces["b"]}, labelled, n_permutations=19, n_bootstraps=20
    )
    assert result.target.values.tolist() == ["V1", "IT"]
    assert {"p", "r_low", "r_high"} <= set(result.data_vars)
    assert result.p.dims == ("model", "target")


@pytest.mark.parametrize(
    ("x", "match"),
    [
        ({"a": np.ones((30, 2))}, "Expected 2 to 6 feature spaces; got 1"),
        ({"a": np.ones((30, 2)), "b": np.ones((29, 2))}, "with equal samples"),
        ({"a": np.ones((30, 2)), "b": np.ones(30)}, r"shape \(samples, features\)"),
        ({"a": np.ones((30, 2)), "b & c": np.ones((30, 2))}, "must not contain ' & '"),
        ([np.ones((30, 2))], "expected a mapping of names to feature spaces"),
    ],
)
def test_says_what_is_wrong(x, match):
    with pytest.raises(DataError, match=match):
        variance_partition(x, np.ones((30, 1)))
