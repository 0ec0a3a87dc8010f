"""The recording: construction, selection, joining, equality."""

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording


def eeg(n=200, channels=("C3", "C4", "Cz"), rate=100.0, seed=0, **kwargs):
    x = 2e-5 * np.random.default_rng(seed).normal(size=(n, len(channels)))
    return Recording.from_array(x, rate, channels, **kwargs)


def events(*onsets, kind="x"):
    return pd.DataFrame({"onset": onsets, "duration": 0.0, "trial_type": kind})


def test_from_array_keeps_values_and_clock():
    x = 1e-5 * np.random.default_rng(0).normal(size=(50, 2))
    rec = Recording.from_array(x, 25, ["a", "b"], start=3.0)
    np.testing.assert_array_equal(rec["eeg"].values, x.astype(np.float32))
    assert (rec.start, rec.stop, rec.duration) == (3.0, 5.0, 2.0)
    assert rec["eeg"].attrs == {"sampling_rate": 25.0, "units": "V"}


@pytest.mark.parametrize(("units", "factor"), [("V", 1), ("mV", 1e-3), ("uV", 1e-6), ("µV", 1e-6)])
def test_voltages_become_volts(units, factor):
    x = 2e-5 / factor * np.random.default_rng(0).normal(size=(300, 2))
    rec = Recording.from_array(x, 100, units=units)
    np.testing.assert_allclose(rec["eeg"].values, x * factor, rtol=1e-6)
    assert rec["eeg"].attrs["units"] == "V"


def test_volts_that_are_microvolts_warn():
    x = 20 * np.random.default_rng(0).normal(size=(300, 2))
    with pytest.warns(UserWarning, match=r"typical amplitude of .* V is implausible.*microvolts"):
        Recording.from_array(x, 100, units="V")


@pytest.mark.parametrize(
    ("scale", "advice"),
    [
        (0.02, "look like millivolts given as volts.*unit, units='mV'"),
        (20, "look like microvolts given as volts.*unit, units='uV'"),
        (0.7, "look like microvolts or millivolts.*unit, units='uV' or units='mV'"),
        (3e4, "look like nanovolts given as volts.*unit, units='nV'"),
        (1e9, "look like no voltage.*volts per count, or give units='a.u.'"),
        (2e-11, "volts that were scaled to volts once more.*units='V'"),
    ],
)
def test_the_unit_advised_is_the_one_that_fits_the_amplitude(scale, advice):
    x = scale * np.random.default_rng(0).normal(size=(300, 2))
    with pytest.warns(UserWarning, match=advice):
        Recording.from_array(x, 100, units="V")
    Recording.from_array(x, 100, units="a.u.")


def test_a_constant_offset_is_no_amplitude():
    x = 0.05 + 2e-5 * np.random.default_rng(0).normal(size=(300, 2))
    Recording.from_array(x, 100)


@pytest.mark.parametrize(
    ("stream", "dim", "units"),
    [("ieeg", "channel", "V"), ("bold", "roi", "a.u."), ("calcium", "unit", "a.u."),
     ("behaviour", "variable", "a.u."), ("counts", "unit", "count"), ("odd", "channel", "a.u.")],
)  # fmt: skip
def test_each_kind_has_its_dimension_and_unit(stream, dim, units):
    x = 1e-4 * np.random.default_rng(0).normal(size=(20, 2))
    data = Recording.from_array(x, 10, stream=stream)[stream]
    assert data.dims == ("time", dim)
    assert data.attrs["units"] == units


def test_from_spikes_sorts_and_indexes():
    rec = Recording.from_spikes([0.3, 0.1, 0.2], [7, 5, 7], duration=1.0, trials=[[0, 0.5]])
    spikes = rec["spikes"]
    np.testing.assert_array_equal(spikes["time"], [0.1, 0.2, 0.3])
    np.testing.assert_array_equal(spikes["id"].values[spikes["unit"].values], [5, 7, 7])
    assert rec.events.loc[0, ["onset", "duration", "trial_type"]].tolist() == [0, 0.5, "trial"]


def test_silent_units_and_facts_come_from_the_table():
    table = pd.DataFrame({"id": [9, 5, 7], "region": ["CA1", "V1", "V1"]})
    rec = Recording.from_spikes([0.1, 0.2], [7, 5], duration=1.0, unit_table=table)
    assert rec["spikes"].sizes["unit"] == 3
    v1 = rec.sel(region="V1")["spikes"]
    assert v1["id"].values.tolist() == [5, 7]
    assert v1["id"].values[v1["unit"].values].tolist() == [7, 5]


def test_a_million_spikes_are_indexed_correctly():
    rng = np.random.default_rng(0)
    ids = rng.choice([3, 11, 200, 4000], size=10**6)
    times = rng.uniform(0, 100, size=10**6)
    spikes = Recording.from_spikes(times, ids, 100.0)["spikes"]
    order = np.argsort(times, kind="stable")
    np.testing.assert_array_equal(spikes["id"].values[spikes["unit"].values], ids[order])


def test_sel_time_is_closed_and_crop_half_open():
    rec = eeg(events=events(0.5, 1.0))
    assert rec.sel(time=slice(0.5, 1.0))["eeg"].sizes["time"] == 51
    assert rec.crop(0.5, 1.0)["eeg"].sizes["time"] == 50
    assert rec.sel(time=slice(0.5, 1.0)).events["onset"].tolist() == [0.5, 1.0]
    assert rec.crop(0.5, 1.0).events["onset"].tolist() == [0.5]


def test_crops_tile_without_loss_at_any_rate():
    for rate in (128.0, 1 / 0.72, 600.614990234375):
        rec = eeg(n=500, rate=rate)
        cut = rec.start + rec.duration * np.array([0, 0.21, 0.5, 0.77, 1.0])
        parts = [rec.crop(a, b)["eeg"].sizes["time"] for a, b in itertools.pairwise(cut)]
        assert sum(parts) == 500


def test_selection_keeps_the_order_asked_for():
    rec = eeg().sel(channel=["Cz", "C3"])
    assert rec["eeg"]["channel"].values.tolist() == ["Cz", "C3"]
    np.testing.assert_array_equal(rec["eeg"].values, eeg()["eeg"].values[:, [2, 0]])


def test_streams_without_data_in_the_interval_are_left_out_and_named():
    late = eeg(start=100.0)["eeg"].rename("behaviour").rename(channel="variable")
    rec = Recording.from_spikes([1.0, 101.0], [0, 0], 110.0, streams={"behaviour": late})
    cut = rec.crop(0, 50)
    assert set(cut.streams) == {"spikes"}
    assert "left out behaviour" in cut.meta["history"][-1]


def test_concat_shifts_and_marks_the_joint():
    a, b = eeg(events=events(0.5)), eeg(seed=1, events=events(1.5, kind="y"), start=40.0 - 0.0)
    b = b.replace(events=events(41.5, kind="y"))
    joined = Recording.concat([a, b])
    assert joined["eeg"].sizes["time"] == 400
    np.testing.assert_allclose(np.diff(joined["eeg"]["time"]), 0.01)
    assert joined.events["trial_type"].tolist() == ["x", "boundary", "y"]
    assert joined.events["onset"].tolist() == [0.5, 2.0, 3.5]


def test_concat_undoes_crop():
    rec = eeg()
    joined = Recording.concat([rec.crop(0, 0.7), rec.crop(0.7, 2)])
    np.testing.assert_array_equal(joined["eeg"].values, rec["eeg"].values)
    np.testing.assert_allclose(joined["eeg"]["time"], rec["eeg"]["time"])


def test_the_original_is_never_changed():
    rec = eeg(events=events(0.5))
    before = rec.replace()
    rec.crop(0, 1)
    rec.sel(channel="C3")
    rec.replace(history="x", meta={"subject": "2"})
    assert rec.identical(before)
    with pytest.raises(AttributeError, match="cannot assign to field 'meta'"):
        rec.meta = {}
    with pytest.raises(TypeError, match="does not support item assignment"):
        rec.streams["eeg"] = None


def test_worker_processes_get_the_same_recording():
    rec = Recording.from_spikes([0.5], [3], 2.0, streams={"eeg": eeg()["eeg"]}, meta={"n": 1})
    assert pickle.loads(pickle.dumps(rec)).identical(rec)


def test_identical_sees_every_part():
    rec = eeg(events=events(0.5), meta={"subject": "1"})
    changed = rec["eeg"].copy()
    changed[0, 0] += np.float32(1e-9)
    assert rec.identical(rec.replace())
    assert not rec.identical(rec.replace(streams={"eeg": changed}))
    assert not rec.identical(rec.replace(events=events(0.6)))
    assert not rec.identical(rec.replace(meta={"subject": "2"}))


def test_channels_marked_bad_may_hold_nan():
    x = 1e-5 * np.random.default_rng(0).normal(size=(50, 2))
    x[3, 1] = np.nan
    assert Recording.from_array(x, 10, ["a", "b"], bads=["b"])["eeg"]["bad"].values.tolist() == [
        False,
        True,
    ]


def test_stimuli_may_have_no_clock():
    images = xr.DataArray(np.zeros((3, 4, 5)), dims=("presentation", "row", "column"))
    rec = Recording({"stimulus": images})
    assert rec["stimulus"].shape == (3, 4, 5)
    assert len(rec.events) == 0


def test_events_are_sorted_and_typed():
    table = pd.DataFrame(
        {"onset": ["1.5", 0.5], "duration": ["n/a", 1], "trial_type": ["b", "a"],
         "n": [1, 2], "note": ["n/a", "t"]}
    )  # fmt: skip
    got = eeg(events=table).events
    assert got["onset"].tolist() == [0.5, 1.5]
    assert got["duration"].tolist() == [1.0, 0.0]
    assert got["note"].isna().tolist() == [False, True]
    assert got["n"].dtype == np.int64


class TestBadInput:
    def test_nan_channel(self):
        x = np.full((100, 2), 1e-5)
        x[30:60, 1] = np.nan
        with pytest.raises(
            DataError, match=r"1 of 2 channels hold NaN.*'C4'.*30 samples from 0.3 s.*bads="
        ):
            Recording.from_array(x, 100, ["C3", "C4"])

    def test_duplicated_names(self):
        with pytest.raises(DataError, match=r"channel names are not unique: 'C3' x2"):
            eeg(channels=("C3", "C4", "C3"))

    def test_transposed_names(self):
        with pytest.raises(DataError, match=r"Got 2 names for x of shape \(2, 50\).*transposed\?"):
            Recording.from_array(np.zeros((2, 50)), 10, ["a", "b"])

    def test_transposed_dims(self):
        bold = xr.DataArray(np.zeros((3, 9)), dims=("roi", "time"), attrs={"sampling_rate": 0.5})
        with pytest.raises(
            DataError,
            match=r"Expected bold with dims \('time', 'roi'\); got \('roi', 'time'\). Try "
            r"bold.transpose\('time', 'roi'\)",
        ):
            Recording({"bold": bold})

    @pytest.mark.parametrize("rate", [0, -1, np.nan, np.inf])
    def test_sampling_rate(self, rate):
        with pytest.raises(DataError, match="sampling_rate .* expected a (finite )?number"):
            Recording.from_array(np.zeros((5, 1)), rate)

    def test_rate_that_contradicts_the_times(self):
        data = eeg()["eeg"].assign_attrs(sampling_rate=256.0)
        with pytest.raises(DataError, match="sampling_rate says 256 Hz but the times say 100 Hz"):
            Recording({"eeg": data})

    def test_unsorted_time(self):
        data = eeg()["eeg"]
        with pytest.raises(DataError, match="time is not sorted: sample 1"):
            Recording({"eeg": data.isel(time=[1, 0, 2])})

    def test_gap(self):
        data = eeg()["eeg"]
        with pytest.raises(DataError, match="not evenly spaced: 1 steps.*first after 0.49 s"):
            Recording({"eeg": data.isel(time=np.r_[0:50, 60:200])})

    def test_gaps_are_allowed_in_behaviour(self):
        data = eeg()["eeg"].rename(channel="variable").isel(time=np.r_[0:50, 60:200])
        assert Recording({"behaviour": data})["behaviour"].sizes["time"] == 190

    def test_events_past_the_end(self):
        with pytest.raises(
            DataError, match=r"1 of 2 events lie past the end: the last begins at 7 s.*ends at 2 s"
        ):
            eeg(events=events(1.0, 7.0))

    def test_events_without_onset(self):
        with pytest.raises(DataError, match="Expected events with columns onset and duration"):
            eeg(events=pd.DataFrame({"time": [1.0]}))

    def test_events_that_are_no_numbers(self):
        with pytest.raises(DataError, match="column 'onset' is not a number of seconds"):
            eeg(events=pd.DataFrame({"onset": ["soon"], "duration": [0]}))

    def test_negative_duration(self):
        with pytest.raises(
            DataError, match="not finite or a negative duration; the first is row 0"
        ):
            eeg(events=pd.DataFrame({"onset": [1.0], "duration": [-1.0]}))

    def test_empty_selections(self):
        rec = eeg()
        with pytest.raises(DataError, match=r"nothing lies in 5 to 6 s; the recording runs from 0"):
            rec.crop(5, 6)
        with pytest.raises(DataError, match="Expected start < stop"):
            rec.crop(1, 1)
        with pytest.raises(DataError, match="is empty"):
            Recording.from_array(np.zeros((5, 0)), 10)
        typed = rec["eeg"].assign_coords(region=("channel", ["V1", "V1", "MT"]))
        with pytest.raises(DataError, match="Empty selection: region='V4' matches nothing in eeg"):
            Recording({"eeg": typed}).sel(region="V4")

    def test_unknown_names(self):
        rec = eeg()
        with pytest.raises(UnknownNameError, match="Unknown stream 'egg'. Did you mean 'eeg'"):
            rec["egg"]
        with pytest.raises(UnknownNameError, match="Unknown channel of eeg 'C5'.*Known: 'C3'"):
            rec.sel(channel="C5")
        with pytest.raises(UnknownNameError, match="Unknown coordinate 'regin'"):
            rec.sel(regin="V1")
        with pytest.raises(UnknownNameError, match="Unknown channel 'C9'"):
            eeg(bads=["C9"])

    def test_spikes_outside(self):
        with pytest.raises(DataError, match=r"times run from 0.5 to 1500 s, outside.*in seconds"):
            Recording.from_spikes([0.5, 1500.0], [0, 0], duration=10.0)

    def test_spike_lengths_and_ids(self):
        with pytest.raises(DataError, match="times and units of one length"):
            Recording.from_spikes([0.5], [0, 1])
        with pytest.raises(DataError, match="expected integers"):
            Recording.from_spikes([0.5], [0.5])
        with pytest.raises(DataError, match="unit table lacks"):
            Recording.from_spikes([0.5], [3], unit_table=pd.DataFrame({"id": [1, 2]}))

    def test_meta_must_be_plain(self):
        with pytest.raises(DataError, match=r"meta\['f'\] is a function.*plain data"):
            eeg(meta={"f": eeg})

    def test_nothing_and_nonsense(self):
        with pytest.raises(DataError, match="at least one stream"):
            Recording({})
        with pytest.raises(DataError, match=r"is a list, expected an xarray.DataArray. Try "):
            Recording({"eeg": [1, 2]})
        with pytest.raises(DataError, match="Nothing to join"):
            Recording.concat([])

    def test_concat_of_unlike(self):
        with pytest.raises(DataError, match="different streams"):
            Recording.concat([eeg(), Recording.from_spikes([0.1], [0])])
        with pytest.raises(DataError, match="cannot join 100 Hz in V and 50 Hz in V"):
            Recording.concat([eeg(), eeg(rate=50.0)])
        with pytest.raises(DataError, match="differ in channel"):
            Recording.concat([eeg(), eeg(channels=("C3", "C4", "Pz"))])


def test_display_escapes_what_came_from_files():
    rec = eeg(meta={"subject": "<script>alert(1)</script>"}, events=events(0.1, kind="<b>"))
    html = rec._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "eeg (200 time × 3 channel, 100 Hz, V); 1 event>" in repr(rec)


def test_plot_draws_one_panel_a_stream():
    import matplotlib as mpl

    mpl.use("Agg")
    rec = Recording.from_spikes([0.5, 1.5], [0, 1], 2.0, streams={"eeg": eeg()["eeg"]})
    figure = rec.plot()
    assert [a.get_ylabel().split("\n")[0] for a in figure.axes] == ["spikes", "eeg"]
    mpl.pyplot.close(figure)
