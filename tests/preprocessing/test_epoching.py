"""Epochs: the right samples, none lost in silence."""

import mne
import numpy as np
import pandas as pd
import pytest

from neurokit import Recording
from neurokit.errors import DataError, UnknownNameError
from neurokit.preprocessing.epoching import epoch

RATE = 100.0


def table(onsets, kinds="a"):
    return pd.DataFrame({"onset": onsets, "duration": 0.0, "trial_type": kinds})


def make(onsets=(1.0, 2.0, 3.0), kinds=("a", "b", "a"), n=500, **kwargs):
    x = 2e-5 * np.random.default_rng(0).normal(size=(n, 2))
    return Recording.from_array(x, RATE, ["C3", "C4"], events=table(onsets, kinds), **kwargs)


def test_equals_mne_less_its_last_sample():
    rec = make()
    raw = rec.to_mne()
    events, ids = mne.events_from_annotations(raw, verbose="ERROR")
    theirs = mne.Epochs(
        raw, events, ids, tmin=-0.2, tmax=0.8, baseline=(None, 0), preload=True, verbose="ERROR"
    )
    ours = epoch(rec, start=-0.2, stop=0.8, baseline=(None, 0))
    assert ours.dims == ("epoch", "time", "channel")
    np.testing.assert_allclose(ours["time"], theirs.times[:-1])
    np.testing.assert_allclose(
        ours.values, theirs.get_data()[:, :, :-1].transpose(0, 2, 1), atol=1e-10
    )


def test_samples_and_coordinates():
    rec = make(start=10.0, onsets=(11.0, 12.0, 13.0))
    out = epoch(rec, "a", 0.0, 0.5)
    np.testing.assert_array_equal(out[0].values, rec["eeg"].values[100:150])
    np.testing.assert_array_equal(out[1].values, rec["eeg"].values[300:350])
    assert out["trial_type"].values.tolist() == ["a", "a"]
    assert out["onset"].values.tolist() == [11.0, 13.0]
    assert out["event"].values.tolist() == [0, 2]
    assert out["time"].values[[0, -1]].tolist() == [0.0, 0.49]
    assert out.attrs["units"] == "V"
    assert out.attrs["left_out"] == 0


def test_selects_by_label_as_everywhere_in_xarray():
    out = epoch(make(), ["a", "b"])
    assert out.sel(channel="C3", epoch=out["trial_type"] == "b").shape == (1, 100)


def test_epochs_over_the_edges_are_counted():
    rec = make(onsets=(0.1, 2.0, 4.5))
    with pytest.warns(UserWarning, match=r"2 of 3 epochs \(-0.2 to 0.8 s\) reach beyond"):
        out = epoch(rec)
    assert out["onset"].values.tolist() == [2.0]
    assert out.attrs["left_out"] == 2
    assert epoch(make(onsets=(0.2, 2.0, 4.2))).sizes["epoch"] == 3
    with pytest.raises(DataError, match="none is left"):
        epoch(make(), start=-5, stop=5)


def test_epochs_over_a_boundary_are_left_out():
    one = make(onsets=(1.0, 2.0, 4.9))
    both = Recording.concat([one, one])
    with pytest.warns(UserWarning, match="2 of 6 epochs"):
        out = epoch(both)
    assert out["onset"].values.tolist() == [1.0, 2.0, 6.0, 7.0]


def test_lazy_stream_gives_the_same(tmp_path):
    rec = make()
    rec.save(tmp_path / "x.zarr")
    lazy = Recording.open(tmp_path / "x.zarr")
    assert epoch(lazy).identical(epoch(rec))


def test_baseline():
    out = epoch(make(), baseline=(-0.1, 0.0))
    base = out.sel(time=slice(-0.1001, 0.0001))
    np.testing.assert_allclose(base.mean("time"), 0, atol=1e-11)
    with pytest.raises(DataError, match="baseline from 2 to 3 s lies outside"):
        epoch(make(), baseline=(2, 3))


def test_recovers_an_evoked_response():
    rng = np.random.default_rng(0)
    shape = 1e-5 * np.sin(np.arange(50) / 8)
    x = 1e-5 * rng.normal(size=(30_000, 1))
    onsets = np.arange(1, 290) * 1.03
    for onset in onsets:
        i = round(onset * RATE)
        x[i : i + 50, 0] += shape
    rec = Recording.from_array(x, RATE, ["Cz"], events=table(onsets))
    mean = epoch(rec, "a", 0, 0.5).mean("epoch").values[:, 0]
    assert np.corrcoef(mean, shape)[0, 1] > 0.95


def test_wrong_requests():
    with pytest.raises(UnknownNameError, match="Did you mean 'target'"):
        epoch(make(kinds=("target", "b", "b")), "taget")
    with pytest.raises(UnknownNameError, match="Unknown stream"):
        epoch(make(), stream="ieeg")
    with pytest.raises(DataError, match="holds no sample"):
        epoch(make(), start=0.5, stop=0.5)
    none = make().replace(events=table([], []))
    with pytest.raises(DataError, match="no events"):
        epoch(none)
