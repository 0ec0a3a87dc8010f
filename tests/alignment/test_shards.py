import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment import encode
from neurokit.alignment.features.cache import digest
from neurokit.alignment.shards import encode_in_shards, parse_shard
from neurokit.errors import DataError, UnknownNameError

SETTINGS = {"n_permutations": 99, "n_bootstraps": 49, "alphas": [30.0, 100.0]}


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((120, 6)).astype(np.float32)
    noise = 2 * rng.standard_normal((120, 21))
    y = (x @ rng.standard_normal((6, 21)) + noise).astype(np.float32)
    names = [f"v{k}" for k in range(21)]
    coords = {"voxel": names, "region": ("voxel", ["a"] * 10 + ["b"] * 11)}
    return x, xr.DataArray(y, dims=("time", "voxel"), coords=coords)


def same(a, b, tolerance=1e-6):
    assert set(a.variables) == set(b.variables)
    assert a.attrs == b.attrs
    for name in a.data_vars:
        np.testing.assert_allclose(a[name].values, b[name].values, rtol=tolerance, atol=tolerance)
    assert a["region"].values.tolist() == b["region"].values.tolist()


def test_blocks_give_what_encode_gives(data, tmp_path):
    x, y = data
    result = encode_in_shards(tmp_path / "job", x, y, width=8, ceiling=0.9, **SETTINGS)
    same(result, encode(x, y, ceiling=0.9, **SETTINGS))


def test_layers_groups_and_delays_go_along(data, tmp_path):
    x, y = data
    groups = np.repeat(np.arange(6), 20)
    options = {"groups": groups, "delays": [1, 2], "cv": 3, **SETTINGS}
    layers = {0: x, 6: x[:, :3]}
    result = encode_in_shards(tmp_path / "job", layers, y, width=8, **options)
    same(result, encode(layers, y, **options))


def test_shards_are_complete_only_together(data, tmp_path):
    x, y = data
    folder = tmp_path / "job"
    assert encode_in_shards(folder, x, y, shard="1/3", width=8, **SETTINGS) is None
    assert encode_in_shards(folder, x, y, shard="3/3", width=8, **SETTINGS) is None
    result = encode_in_shards(folder, x, y, shard="2/3", width=8, **SETTINGS)
    same(result, encode(x, y, **SETTINGS))


def test_finished_blocks_are_not_done_again(data, tmp_path, monkeypatch):
    x, y = data
    encode_in_shards(tmp_path / "job", x, y, width=8, **SETTINGS)
    before = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "job").glob("*.nc")}

    def never(*_args):
        raise AssertionError("done again")

    monkeypatch.setattr("neurokit.alignment.shards.encode_block", never)
    same(encode_in_shards(tmp_path / "job", x, y, width=8, **SETTINGS), encode(x, y, **SETTINGS))
    assert len(before) == 3
    assert before == {p.name: p.stat().st_mtime_ns for p in (tmp_path / "job").glob("*.nc")}


def test_responses_are_hashed_once(data, tmp_path, monkeypatch):
    x, y = data
    hashed = []

    def counting(parts):
        parts = list(parts)
        hashed.extend(part.shape for part in parts if isinstance(part, np.ndarray))
        return digest(parts)

    monkeypatch.setattr("neurokit.alignment.shards.digest", counting)
    for _ in range(2):
        hashed.clear()
        assert encode_in_shards(tmp_path / "job", x, y, width=8, **SETTINGS) is not None
        assert [shape for shape in hashed if shape != x.shape and len(shape) == 2] == [
            (120, 8), (120, 8), (120, 5),
        ]  # fmt: skip


@pytest.mark.parametrize("keep", [0, 1000])
def test_a_damaged_block_is_done_again(data, tmp_path, keep):
    x, y = data
    encode_in_shards(tmp_path / "job", x, y, width=8, **SETTINGS)
    block = sorted((tmp_path / "job").glob("*.nc"))[1]
    block.write_bytes(block.read_bytes()[:keep])
    same(encode_in_shards(tmp_path / "job", x, y, width=8, **SETTINGS), encode(x, y, **SETTINGS))


def test_blocks_of_other_responses_are_not_believed(data, tmp_path):
    x, y = data
    encode_in_shards(tmp_path / "job", x, y, width=8, **SETTINGS)
    other = y.copy()
    other[:, 10] = other[:, 10] + x[:, 0]
    # The other shard's blocks are of the old responses: not complete.
    assert encode_in_shards(tmp_path / "job", x, other, shard="1/2", width=8, **SETTINGS) is None
    result = encode_in_shards(tmp_path / "job", x, other, width=8, **SETTINGS)
    same(result, encode(x, other, **SETTINGS))


def test_a_folder_of_another_job_is_refused(data, tmp_path):
    x, y = data
    encode_in_shards(tmp_path / "job", x, y, width=8, **SETTINGS)
    with pytest.raises(DataError, match=r"another job, which differs in seed"):
        encode_in_shards(tmp_path / "job", x, y, width=8, **SETTINGS, seed=3)
    with pytest.raises(DataError, match=r"differs in features"):
        encode_in_shards(tmp_path / "job", 2 * x, y, width=8, **SETTINGS)
    folds = [(np.arange(60), np.arange(60, 120))]
    with pytest.raises(DataError, match=r"differs in cv"):
        encode_in_shards(tmp_path / "job", x, y, width=8, cv=folds, **SETTINGS)
    (tmp_path / "job" / "job.json").write_text("{")
    with pytest.raises(DataError, match=r"job.json is damaged"):
        encode_in_shards(tmp_path / "job", x, y, width=8, **SETTINGS)


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "a/b", "1/2/3", "-1/2", ""])
def test_shards_that_do_not_exist(shard):
    with pytest.raises(DataError, match=r"i/n with i from 1 to n"):
        parse_shard(shard)


def test_bad_input_leaves_nothing_behind(data, tmp_path):
    x, y = data
    with pytest.raises(DataError, match="119"):
        encode_in_shards(tmp_path / "job", x[:-1], y)
    with pytest.raises(DataError, match="i/n"):
        encode_in_shards(tmp_path / "job", x, y, shard="5/2")
    assert not (tmp_path / "job").exists()
    with pytest.raises(UnknownNameError, match="selection_"):
        encode_in_shards(tmp_path / "job", x, y, selection_="gcv")


def test_responses_on_a_file_are_read_block_by_block(data, tmp_path):
    x, y = data
    y.to_dataset(name="y").to_zarr(tmp_path / "y.zarr", zarr_format=2)
    lazy = xr.open_zarr(tmp_path / "y.zarr", chunks=None)["y"]
    result = encode_in_shards(tmp_path / "job", x, lazy, width=8, **SETTINGS)
    same(result, encode(x, y, **SETTINGS))


SCRIPT = """
import sys, numpy as np
from neurokit.alignment.shards import encode_in_shards
with np.load(sys.argv[2]) as file:
    result = encode_in_shards(sys.argv[1], file["x"], file["y"], width=1, n_permutations=4000,
                              n_bootstraps=4000, alphas=[30.0, 100.0], cv=4)
print("complete" if result is not None else "incomplete")
"""


def test_a_killed_run_resumes(data, tmp_path):
    x, y = data
    np.savez(tmp_path / "data.npz", x=x, y=y.values)
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "job"), str(tmp_path / "data.npz")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "job").glob("block*.nc"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    assert "complete" not in process.communicate()[0]
    done = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "job").glob("block*.nc")}
    assert 3 <= len(done) < 21
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out.strip() == "complete"
    kept = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "job").glob("block*.nc")}
    assert len(kept) == 21
    assert all(kept[name] == when for name, when in done.items())


def test_two_dask_workers_give_the_numbers_of_one_machine(data, tmp_path):
    x, y = data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        distributed = pytest.importorskip("distributed")
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        )
        with cluster, distributed.Client(cluster) as client:
            result = encode_in_shards(tmp_path / "job", x, y, width=8, client=client, **SETTINGS)
    same(result, encode(x, y, **SETTINGS), tolerance=1e-5)
