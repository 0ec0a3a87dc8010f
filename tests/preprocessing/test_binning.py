import numpy as np
import pandas as pd
import pytest

from neurokit.errors import DataError
from neurokit.preprocessing.binning import bin_spikes
from neurokit.recording import Recording


def _recording(rng, n=5000, n_units=7, start=0.0, duration=60.0):
    times = start + rng.uniform(0, duration, n)
    table = pd.DataFrame({"id": np.arange(n_units) * 3, "region": list("aabbccd")[:n_units]})
    return Recording.from_spikes(
        times, 3 * rng.integers(0, n_units, n), duration, start=start, unit_table=table
    )


def _histogram(rec, edges):
    spikes = rec["spikes"]
    units = range(spikes.sizes["unit"])
    return np.stack(
        [np.histogram(spikes["time"][spikes["unit"] == u], edges)[0] for u in units], axis=1
    )


@pytest.mark.parametrize("bin_size", [0.001, 0.02, 0.1, 0.3, 1 / 3, 7.0])
@pytest.mark.parametrize("start", [0.0, 4397.0023])
def test_counts_equal_numpy_s_histogram(bin_size, start):
    rec = _recording(np.random.default_rng(0), start=start)
    counts = bin_spikes(rec, bin_size)["counts"]
    edges = start + np.arange(len(counts) + 1) * bin_size
    np.testing.assert_array_equal(counts.values, _histogram(rec, edges))
    np.testing.assert_array_equal(counts["time"].values, edges[:-1])
    assert counts.attrs == {"sampling_rate": 1 / bin_size, "units": "count"}


def test_spikes_on_edges_count_as_in_numpy_s_histogram():
    edges = np.arange(1001) * 0.1
    rec = Recording.from_spikes(edges, np.zeros(1001, int), duration=100.0)
    counts = bin_spikes(rec, 0.1)["counts"]
    assert len(counts) == 1000
    np.testing.assert_array_equal(counts.values, _histogram(rec, edges))


def test_counts_equal_pynapple_s():
    nap = pytest.importorskip("pynapple")
    rec = _recording(np.random.default_rng(1))
    group = rec.to_pynapple()["spikes"]
    theirs = group.count(0.05, ep=nap.IntervalSet(0, 60))
    np.testing.assert_array_equal(bin_spikes(rec, 0.05)["counts"].values, theirs.values)


def test_no_spike_is_lost_or_made():
    rec = _recording(np.random.default_rng(2))
    assert bin_spikes(rec, 0.25)["counts"].sum() == 5000


def test_an_incomplete_last_bin_is_left_out():
    rec = Recording.from_spikes([0.1, 0.95, 1.05], [0, 0, 0], duration=1.1)
    counts = bin_spikes(rec, 0.5)["counts"]
    assert counts.values.ravel().tolist() == [1.0, 1.0]


def test_start_and_stop_cut_the_interval():
    rec = _recording(np.random.default_rng(3))
    part = bin_spikes(rec, 0.5, start=10.0, stop=20.0, stream="rates_")["rates_"]
    whole = bin_spikes(rec, 0.5)["counts"]
    np.testing.assert_array_equal(part.values, whole.values[20:40])
    assert part["time"].values[[0, -1]].tolist() == [10.0, 19.5]


def test_start_before_the_recording_gives_empty_bins():
    rec = Recording.from_spikes([0.1], [0], duration=1.0)
    assert bin_spikes(rec, 0.5, start=-1.0)["counts"].values.ravel().tolist() == [0, 0, 1, 0]


def test_units_keep_their_ids_and_facts_and_history_tells():
    rec = bin_spikes(_recording(np.random.default_rng(4)), 1.0)
    assert rec["counts"]["unit"].values.tolist() == [0, 3, 6, 9, 12, 15, 18]
    assert rec["counts"]["region"].values.tolist() == list("aabbccd")
    assert rec.meta["history"] == ["bin_spikes(bin_size=1, start=0, stop=60, stream='counts')"]


@pytest.mark.parametrize(
    ("bin_size", "keywords", "message"),
    [
        (0.0, {}, "bin_size .* is 0.0 .*expected a number above 0"),
        (np.nan, {}, "bin_size .* is nan"),
        (100.0, {}, r"No bin of 100 s fits into \[0, 60\] s"),
        (1.0, {"start": 5.0, "stop": 2.0}, "No bin of 1 s fits"),
        (1.0, {"start": np.nan}, "start .s. is nan"),
        (1e-9, {}, "too many for memory"),
    ],
)
def test_bad_bins_are_explained(bin_size, keywords, message):
    with pytest.raises(DataError, match=message):
        bin_spikes(_recording(np.random.default_rng(5)), bin_size, **keywords)


def test_without_spikes_there_is_nothing_to_bin():
    rec = Recording.from_array(np.ones((10, 1)), 10, ["a"], stream="behaviour")
    with pytest.raises(DataError, match=r"no spikes to bin; the streams are \['behaviour'\]"):
        bin_spikes(rec, 0.1)
