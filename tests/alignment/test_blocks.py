from __future__ import annotations

import pickle

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment import combine_blocks, encode, encode_block, prepare_encoding, ridge
from neurokit.errors import DataError, UnknownNameError

pytestmark = pytest.mark.filterwarnings("ignore:Penalty grid edge")

COUNTS = {"n_permutations": 60, "n_bootstraps": 60}


def simulate(n=120, p=10, v=7, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p))
    return x, x @ rng.standard_normal((p, v)) / 3 + rng.standard_normal((n, v))


def labelled(y):
    coords = {"roi": [f"r{k}" for k in range(y.shape[1])], "depth": ("roi", np.arange(y.shape[1]))}
    return xr.DataArray(y, dims=("time", "roi"), coords=coords)


@pytest.mark.parametrize("selection", ["gcv", "kfold"])
def test_blocks_in_any_place_give_the_whole(selection):
    x, y = simulate()
    y[:, 3] = 2.0
    named = labelled(y)
    plan = prepare_encoding(x, selection=selection, **COUNTS)
    plan = pickle.loads(pickle.dumps(plan))
    parts = [encode_block(plan, named[:, at]) for at in (slice(0, 3), slice(3, 4), slice(4, 7))]
    with pytest.warns(UserWarning, match=r"Constant targets .*: r3\."):
        apart = combine_blocks(plan, parts, ceiling=0.5)
    with pytest.warns(UserWarning, match=r"Constant targets .*: r3\."):
        whole = encode(x, named, selection=selection, ceiling=0.5, **COUNTS)
    xr.testing.assert_allclose(apart, whole, rtol=1e-10)
    assert apart.attrs == whole.attrs
    assert apart.depth.values.tolist() == list(range(7))
    assert not {"edge", "across", "flat"} & set(apart.data_vars)


def test_a_mapping_of_layers_gives_each_layer_its_own_analysis():
    x, y = simulate()
    wide = np.random.default_rng(1).standard_normal((120, 200))
    groups = np.repeat(np.arange(6), 20)
    together = encode({0: x, 7: wide}, labelled(y), groups, 3, ceiling=0.9, **COUNTS)
    assert together.r.dims == ("layer", "target")
    assert together.r_fold.dims == ("layer", "fold", "target")
    assert together.layer.values.tolist() == [0, 7]
    assert together.attrs["n_features"] == [10, 200]
    for name, features in ((0, x), (7, wide)):
        alone = encode(features, labelled(y), groups, 3, ceiling=0.9, **COUNTS)
        one = together.sel(layer=name, drop=True)
        one.attrs = alone.attrs
        xr.testing.assert_allclose(one, alone, rtol=1e-12)
    by_name = encode({"relu": x, "pool": wide}, y, **COUNTS)
    assert by_name.layer.values.tolist() == ["relu", "pool"]
    with pytest.raises(DataError, match="layers of as many samples each; got"):
        prepare_encoding({"a": x, "b": wide[:100]})
    with pytest.raises(DataError, match="as many samples in x as in y; got 100 and 120"):
        encode({"a": x, "b": wide[:100]}, y)


def test_layers_are_written_to_files(tmp_path):
    x, y = simulate()
    result = encode({"a": x, "b": x[:, :4]}, y, **COUNTS)
    result.to_netcdf(tmp_path / "result.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "result.nc", engine="h5netcdf") as again:
        xr.testing.assert_equal(again.load(), result)


def test_targets_on_dask_and_in_files_are_read_block_by_block(tmp_path):
    pytest.importorskip("dask.array")
    x, y = simulate(v=11)
    named = labelled(y)
    whole = encode(x, named, **COUNTS)
    # Zarr has no standard for text of fixed length.
    stored = named.assign_coords(roi=np.arange(11))
    whole = whole.assign_coords(target=np.arange(11))
    stored.chunk(time=50, roi=4).to_dataset(name="bold").to_zarr(
        tmp_path / "y.zarr", consolidated=False
    )
    lazy = xr.open_zarr(tmp_path / "y.zarr", consolidated=False)["bold"]
    xr.testing.assert_allclose(encode(x, lazy, **COUNTS), whole, rtol=1e-10)
    filed = xr.open_zarr(tmp_path / "y.zarr", chunks=None, consolidated=False)["bold"]
    xr.testing.assert_allclose(encode(x, filed, **COUNTS), whole, rtol=1e-10)
    assert not filed.variable._in_memory
    holed = named.copy()
    holed[5, 9] = np.nan
    with pytest.raises(DataError, match="in 1 of 3 targets: r9"):
        encode(x, holed.chunk(roi=4), **COUNTS)


def test_single_precision_agrees_with_double_for_all_results():
    x, y = simulate(n=400, p=30, v=300)
    # Responses with a level, as BOLD has.
    y = (y + 1000).astype("f4")
    x = x.astype("f4")
    for selection in ("gcv", "loo", "kfold", "hybrid"):
        single = encode(x, y, selection=selection, **COUNTS)
        double = encode(x.astype("f8"), y.astype("f8"), selection=selection, **COUNTS)
        assert np.isclose(single.alpha, double.alpha, rtol=1e-4).mean() >= 0.99
        for name in ("r", "R2", "r_low", "r_high"):
            np.testing.assert_allclose(single[name], double[name], atol=2e-3)
            assert single[name].dtype == np.float64
        assert np.abs(single.p - double.p).max() < 0.05


def test_constant_targets_in_single_precision_score_zero():
    x, y = simulate()
    y[:, 0] = 1234.567
    with pytest.warns(UserWarning, match="Constant targets"):
        result = encode(x.astype("f4"), y.astype("f4"), **COUNTS)
    assert float(result.r[0]) == 0
    assert float(result.R2[0]) == 0
    assert float(result.p[0]) == 1


def test_only_targets_that_cannot_move_within_groups_move_across():
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(10), 12)
    x = rng.standard_normal((120, 3))
    y = rng.standard_normal((120, 5))
    y[:, 2] = rng.standard_normal(10)[groups]
    result = encode(x, y, groups, **COUNTS)
    assert result.attrs["permutation"] == ("rotation within groups, of 1 targets within test folds")
    rest = [0, 1, 3, 4]
    alone = encode(x, y[:, rest], groups, **COUNTS)
    assert alone.attrs["permutation"] == "rotation within groups"
    np.testing.assert_array_equal(result.p[rest], alone.p)


def test_bands_are_fitted_once_for_all_targets(monkeypatch):
    x, y = simulate(v=9)
    bands = {"a": slice(0, 5), "b": slice(5, None)}
    whole = encode(x, y, bands=bands, n_weightings=4, **COUNTS)
    monkeypatch.setattr(ridge, "TARGET_BLOCK", 4)
    xr.testing.assert_allclose(encode(x, y, bands=bands, n_weightings=4, **COUNTS), whole)
    layers = encode({"l": x, "m": x}, y, bands=bands, n_weightings=4, **COUNTS)
    np.testing.assert_array_equal(layers.gamma[0], whole.gamma)


def test_says_what_does_not_fit():
    x, y = simulate()
    plan = prepare_encoding(x, **COUNTS)
    with pytest.raises(DataError, match="y of 120 samples, as the plan has; got 100"):
        encode_block(plan, y[:100])
    with pytest.raises(DataError, match="named as parts of the result: alpha"):
        encode_block(plan, labelled(y).assign_coords(alpha=("roi", np.arange(7))))
    with pytest.raises(DataError, match="missing or infinite"):
        encode_block(plan, np.where(np.arange(7) == 2, np.nan, y))
    with pytest.raises(DataError, match="one block of targets or more"):
        combine_blocks(plan, [])
    with pytest.raises(UnknownNameError, match="Did you mean 'selection'"):
        prepare_encoding(x, selektion="gcv")
    with pytest.raises(UnknownNameError, match="'tpu'.*'auto', 'cpu', 'cuda', 'mps'"):
        encode(x, y, device="tpu")
