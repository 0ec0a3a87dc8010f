"""Saving: exact, lazy, whole or not at all."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit.errors import DataError, ReadError
from neurokit.recording import Recording, storage
from neurokit.recording.checks import in_memory
from neurokit.recording.lazy import lazy_array

HANDLES = Path("/proc/self/fd")


def everything():
    rng = np.random.default_rng(0)
    x = 2e-5 * rng.normal(size=(400, 3))
    events = pd.DataFrame(
        {"onset": [0.1, 0.2], "duration": [0.0, 1 / 3], "trial_type": ["été", None],
         "count": [1, 2], "correct": [True, False], "note": ["n/a", "β"]}
    )  # fmt: skip
    eeg = Recording.from_array(x, 100.0, ["a", "bé", "c'1"], bads=["a"])["eeg"]
    eeg = eeg.assign_coords(
        {
            "type": ("channel", ["eeg", "eeg", "eog"]),
            "x": ("channel", [0.01, np.nan, 0.03]),
            "electrode group": ("channel", [1, 2, 2]),
        }
    ).assign_attrs(reference="", line_frequency=50.0, affine=[[1.0, 0.0], [0.0, 1.0]])
    movie = xr.DataArray(
        rng.integers(0, 255, (20, 4, 5, 3), dtype=np.uint8),
        dims=("time", "row", "column", "rgb"),
        coords={"time": np.arange(20) / 5},
        attrs={"sampling_rate": 5.0, "units": "grey level"},
    )
    pose = eeg.isel(time=np.r_[0:50, 80:400]).rename(channel="variable")
    pose = pose.drop_vars("bad").where(pose["time"] > 0.2)
    table = pd.DataFrame({"id": [4, 2, 9], "region": ["V1", "", "CA1"], "depth": [1.5, np.nan, 2]})
    return Recording.from_spikes(
        rng.uniform(0, 4, 100),
        rng.choice([2, 4], 100),
        4.0,
        trials=events,
        streams={"eeg": eeg, "stimulus": movie, "behaviour": pose},
        unit_table=table,
        meta={"subject": "01", "n": 3, "nested": {"a": [1.5, None, True]}, "history": ["made"]},
    )


def test_round_trip_is_exact(tmp_path):
    rec = everything()
    back = Recording.open(rec.save(tmp_path / "r.zarr"))
    assert back.identical(rec)
    assert rec.identical(back.load())
    for name, stream in rec.streams.items():
        for key, variable in stream.variables.items() if name == "spikes" else []:
            assert back[name][key].dtype == variable.dtype
    assert back["stimulus"].dtype == np.uint8
    assert back.events.dtypes.to_dict() == rec.events.dtypes.to_dict()


def test_saving_twice_gives_the_same_recording(tmp_path):
    first = Recording.open(everything().save(tmp_path / "a.zarr"))
    second = Recording.open(first.save(tmp_path / "b.zarr"))
    assert second.identical(everything())


def test_opening_reads_no_samples(tmp_path):
    rec = Recording.from_array(np.ones((10_000, 64)), 100.0, stream="bold")
    path = rec.save(tmp_path / "r.zarr")
    opened = Recording.open(path)
    assert not in_memory(opened["bold"])
    assert not in_memory(opened.crop(1, 2)["bold"])
    assert in_memory(opened.load()["bold"])


def test_a_lazy_stream_reads_only_the_rows_asked_for():
    asked = []

    def fetch(first, last):
        asked.append((first, last))
        return np.ones((last - first, 2), np.float32)

    coords = {"time": np.arange(1000) / 10, "roi": ["a", "b"]}
    data = lazy_array(("time", "roi"), (1000, 2), fetch, coords, {"sampling_rate": 10.0})
    rec = Recording({"bold": data})
    assert asked == []
    assert rec.crop(10, 11)["bold"].values.shape == (10, 2)
    assert asked == [(100, 110)]


def test_overwriting_must_be_asked_for(tmp_path):
    path = everything().save(tmp_path / "r.zarr")
    with pytest.raises(DataError, match=r"r.zarr exists. Give overwrite=True"):
        everything().save(path)
    other = Recording.from_spikes([0.5], [0], 1.0)
    assert Recording.open(other.save(path, overwrite=True)).identical(other)
    assert [p.name for p in tmp_path.iterdir()] == ["r.zarr"]


def test_foreign_folders_are_never_replaced(tmp_path):
    (tmp_path / "precious").mkdir()
    with pytest.raises(DataError, match="is not a saved recording and will not be replaced"):
        everything().save(tmp_path / "precious", overwrite=True)


def test_what_is_not_a_recording(tmp_path):
    with pytest.raises(ReadError, match="There is no recording at"):
        Recording.open(tmp_path / "nothing.zarr")
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(ReadError, match="is not a saved recording, or is damaged"):
        Recording.open(tmp_path / "empty.zarr")


def test_a_newer_format_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(storage, "FORMAT_VERSION", 99)
    path = everything().save(tmp_path / "r.zarr")
    monkeypatch.undo()
    with pytest.raises(ReadError, match="has format 99; this version reads up to 1. Upgrade"):
        Recording.open(path)


def test_a_missing_stream_says_damaged(tmp_path):
    import shutil

    path = everything().save(tmp_path / "r.zarr")
    shutil.rmtree(path / "streams" / "1")
    with pytest.raises(ReadError, match="is damaged"):
        Recording.open(path)


SAVE_BIG = textwrap.dedent(
    """
    import sys, numpy as np
    from neurokit.recording import Recording
    x = np.random.default_rng(1).normal(size=(400_000, 64)).astype("f4")
    rec = Recording.from_array(x, 1000.0, stream="bold")
    print("ready", flush=True)
    {limit}
    try:
        rec.save(sys.argv[1], overwrite=True)
    except OSError as error:
        print(error)
    """
)


def run(code, path, **kwargs):
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True, **kwargs
    )


def test_a_full_disk_leaves_the_old_data(tmp_path):
    old = Recording.from_spikes([0.5], [0], 1.0)
    path = old.save(tmp_path / "r.zarr")
    # A limit on the size of any file makes the kernel refuse the write, as a full disk does.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    out, _ = run(SAVE_BIG.format(limit=limit), path).communicate(timeout=120)
    assert "What was there before is intact" in out
    assert Recording.open(path).identical(old)
    assert [p.name for p in tmp_path.iterdir()] == ["r.zarr"]


@pytest.mark.parametrize("delay", [0.01, 0.15, 0.4])
def test_kill_9_leaves_the_old_data(tmp_path, delay):
    old = Recording.from_spikes([0.5], [0], 1.0)
    path = old.save(tmp_path / "r.zarr")
    process = run(SAVE_BIG.format(limit=""), path)
    assert process.stdout.readline() == "ready\n"
    # Wait until it writes, so that the kill falls into the middle of it.
    while not list(tmp_path.glob(".r.zarr.*.partial")) and process.poll() is None:
        pass
    import time

    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    opened = Recording.open(path)
    assert opened.identical(old) or opened["bold"].shape == (400_000, 64)


def test_death_between_the_two_renames_is_mended(tmp_path):
    old = Recording.from_spikes([0.5], [0], 1.0)
    path = old.save(tmp_path / "r.zarr")
    Path(path).rename(tmp_path / ".r.zarr.previous")
    assert Recording.open(path).identical(old)


@pytest.mark.skipif(not HANDLES.exists(), reason="the system does not list open files")
def test_no_file_is_left_open(tmp_path):
    path = everything().save(tmp_path / "r.zarr")
    before = len(list(HANDLES.iterdir()))
    for _ in range(5):
        Recording.open(path).load()
    assert len(list(HANDLES.iterdir())) <= before + 2


@pytest.mark.parametrize("key", ["scale_factor", "add_offset", "_FillValue", "missing_value"])
def test_attributes_that_mean_something_to_cf_change_no_value(tmp_path, key):
    data = Recording.from_array(np.ones((20, 2)), 10, ["a", "b"], stream="bold")["bold"]
    data = data.assign_coords(depth=("roi", [1.0, 2.0], {key: 2.0})).assign_attrs({key: 1.0})
    rec = Recording({"bold": data})
    assert Recording.open(rec.save(tmp_path / "r.zarr")).identical(rec)


@pytest.mark.parametrize("units", ["seconds", "days", "days since 2000-01-01"])
def test_units_of_time_stay_numbers(tmp_path, units):
    rec = Recording.from_array(np.ones((20, 1)), 10, stream="behaviour", units=units)
    assert Recording.open(rec.save(tmp_path / "r.zarr")).identical(rec)


@pytest.mark.parametrize("name", ["a/b", "..", "samples", "zarr.json", "two words", 5])
def test_any_name_of_a_coordinate_comes_back(tmp_path, name):
    data = Recording.from_array(np.ones((20, 2)), 10, ["a", "b"], stream="bold")["bold"]
    table = pd.DataFrame({"id": [1, 2], name: ["p", "q"]})
    spikes = Recording.from_spikes([0.1, 0.2], [1, 2], 1.0, unit_table=table)["spikes"]
    rec = Recording({"bold": data.assign_coords({name: ("roi", [1.0, 2.0])}), "spikes": spikes})
    assert Recording.open(rec.save(tmp_path / "r.zarr")).identical(rec)
    assert str(name) in rec["bold"].coords


def test_nullable_columns_and_nan_in_meta_come_back(tmp_path):
    table = pd.DataFrame(
        {
            "onset": [0.0, 1.0],
            "duration": 0.0,
            "hit": pd.array([True, None], dtype="boolean"),
            "count": pd.array([1, None], dtype="Int64"),
        }
    )
    rec = Recording.from_array(
        np.ones((20, 1)), 10, stream="bold", events=table, meta={"age": float("nan")}
    )
    assert Recording.open(rec.save(tmp_path / "r.zarr")).identical(rec)
