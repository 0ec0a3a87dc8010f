import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

from neurokit.alignment import benchmark, encode
from neurokit.cli.app import app

ALIGN = ["align", "haxby-words", "--model", "one-hot"]


def call(*args, code=0):
    result = CliRunner().invoke(app, [*ALIGN, *map(str, args)])
    assert result.exit_code == code, result.output
    return result.output


def test_shards_make_a_map_together(tmp_path):
    folder = tmp_path / "map"
    assert "Shard 2/2 is done. Other shards are not" in call("--map", folder, "--shard", "2/2")
    assert not (folder / "map.nc").exists()
    out = call("--map", folder, "--shard", "1/2", "--output", tmp_path / "map.html")
    assert "of 530 targets" in out
    assert "one-hot" in (tmp_path / "map.html").read_text()
    kept = xr.open_dataset(folder / "map.nc", engine="h5netcdf").load()
    bench = benchmark("haxby-words")
    y = bench.assembly.responses
    category = bench.assembly.stimuli["category"].loc[y["stimulus_id"].values].to_numpy()
    x = (category[:, None] == np.unique(category)).astype(np.float32)
    with pytest.warns(UserWarning, match="Penalty grid edge"):
        mine = encode(x, y, groups=y["run"].values, cv=None, n_permutations=0, n_bootstraps=0)
    np.testing.assert_allclose(kept["r"].values[0], mine["r"].values, atol=1e-5)


def test_a_shard_needs_the_folder_that_it_shares():
    assert "--shard needs --map" in call("--shard", "1/2", code=2)
