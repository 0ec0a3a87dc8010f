"""Tables of results: whole or not at all, and marked when they no longer compare."""

import threading

import numpy as np
import pytest
import xarray as xr

from neurokit.alignment.benchmarks import benchmark, leaderboard, record, result_row
from neurokit.errors import DataError, ReadError, UnknownNameError


@pytest.fixture(scope="module")
def score():
    return benchmark("haxby-words").score("length")


def renamed(score, name):
    return score.assign_attrs(model=name)


def test_a_row_reads_back_as_it_was(score, tmp_path):
    record(score, tmp_path)
    row = leaderboard(results=tmp_path).iloc[0]
    assert row["score"] == float(score.raw)
    assert row["ceiling"] == float(score.ceiling)
    assert row["nuisance"] == float(score.baseline_score.sel(baseline="nuisance"))
    assert np.isnan(row["untrained"])
    assert row["configuration_hash"] == score.attrs["configuration_hash"]
    assert {"versions", "seed", "data_hash", "revision", "machine", "date"} <= set(row.index)
    assert not row["stale"]


def test_the_best_comes_first_and_reruns_replace(score, tmp_path):
    record(renamed(score, "worse"), tmp_path)
    record(renamed(score.assign(raw=score.raw + 1), "better"), tmp_path)
    record(renamed(score.assign(raw=score.raw - 1), "worse"), tmp_path)
    table = leaderboard("embedded", tmp_path)
    assert table["model"].tolist() == ["better", "worse"]
    assert table["score"].iloc[1] == float(score.raw) - 1
    with pytest.raises(UnknownNameError, match="Unknown suite 'embeded'"):
        leaderboard("embeded", tmp_path)


def test_other_settings_are_stale(score, tmp_path):
    record(score.assign_attrs(configuration_hash="0" * 64), tmp_path)
    record(score.assign_attrs(benchmark="gone"), tmp_path)
    table = leaderboard(results=tmp_path)
    assert table["stale"].tolist() == [True, True]


def test_writers_at_once_lose_nothing(score, tmp_path):
    names = [f"model {k}" for k in range(12)]
    threads = [threading.Thread(target=record, args=(renamed(score, name), tmp_path))
               for name in names]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(leaderboard(results=tmp_path)["model"]) == sorted(names)


def test_a_failed_write_leaves_the_table(score, tmp_path, monkeypatch):
    path = record(score, tmp_path)
    before = path.read_bytes()
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        record(renamed(score, "new"), tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "\x00"])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(ReadError, match=r"x\.csv"):
        leaderboard(results=tmp_path)


def test_a_damaged_number_is_named(score, tmp_path):
    path = record(score, tmp_path)
    path.write_text(path.read_text().replace(repr(float(score.raw)), "much"))
    with pytest.raises(ReadError, match="line 2: could not convert string to float: 'much'"):
        leaderboard(results=tmp_path)


def test_only_scores_are_recorded(tmp_path):
    with pytest.raises(DataError, match="Expected a score of a benchmark"):
        record(xr.Dataset({"r": 1.0}), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_row_names_the_usual_layer(score):
    several = score.isel(layer=[0, 0]).assign_coords(layer=["a", "b"])
    several["chosen"] = ("fold", np.array(["b"] * 10 + ["a"] * 2))
    assert result_row(several)["chosen"] == "b"
