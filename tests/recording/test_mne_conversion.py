"""Recordings to and from MNE: nothing lost, nothing shifted."""

import datetime

import mne
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurokit import Recording
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording.checks import in_memory
from neurokit.recording.mne_conversion import from_mne, to_mne

RATE = 100.0


def make_raw(types, n_times=300, first_samp=0, names=None, seed=0):
    rng = np.random.default_rng(seed)
    names = names or [f"{t.upper()}{i}" for i, t in enumerate(types)]
    x = 2e-5 * rng.normal(size=(len(types), n_times))
    info = mne.create_info(names, RATE, types)
    return mne.io.RawArray(x, info, first_samp=first_samp, verbose="ERROR")


def all_types():
    known = mne.io.get_channel_type_constants()
    return [t for t in known if t not in ("ref_meg", "chpi")]


def test_every_channel_is_in_exactly_one_stream():
    raw = make_raw(all_types())
    rec = from_mne(raw)
    names = [n for s in rec.streams.values() for n in s[s.dims[1]].values]
    assert sorted(names) == sorted(raw.ch_names)
    types = dict(zip(raw.ch_names, raw.get_channel_types(), strict=True))
    for stream in rec.streams.values():
        dim = stream.dims[1]
        assert [types[n] for n in stream[dim].values] == stream["type"].values.tolist()


@pytest.mark.parametrize(
    ("types", "streams"),
    [
        (["eeg", "eog", "ecg", "emg"], {"eeg": 4}),
        (["seeg", "ecog", "dbs", "emg"], {"ieeg": 4}),
        (["eeg", "seeg", "eog"], {"eeg": 2, "ieeg": 1}),
        (
            ["mag", "grad", "stim", "misc"],
            {"meg": 1, "meg_gradient": 1, "triggers": 1, "behaviour": 1},
        ),
        (["hbo", "hbr"], {"fnirs": 2}),
        (["eog"], {"eeg": 1}),
    ],
)
def test_streams_by_channel_type(types, streams):
    rec = from_mne(make_raw(types))
    assert {k: s.shape[1] for k, s in rec.streams.items()} == streams


def test_samples_and_units_are_mnes():
    raw = make_raw(["eeg", "grad", "mag", "misc"])
    rec = from_mne(raw)
    np.testing.assert_array_equal(rec["eeg"].values[:, 0], raw.get_data("eeg")[0].astype("f4"))
    assert {k: s.attrs["units"] for k, s in rec.streams.items()} == {
        "eeg": "V",
        "meg_gradient": "T/m",
        "meg": "T",
        "behaviour": "a.u.",
    }


def rich_raw():
    raw = make_raw(["eeg", "eeg", "eog", "misc", "stim"], names=["Cz", "Fz", "EOG", "grip", "STI"])
    place = {"Cz": [0.0, 0.01, 0.1], "Fz": [0.0, 0.08, 0.06]}
    marks = {"nasion": [0, 0.1, 0], "lpa": [-0.08, 0, 0], "rpa": [0.08, 0, 0]}
    montage = mne.channels.make_dig_montage(
        place, **{k: np.array(v, dtype=float) for k, v in marks.items()}, coord_frame="head"
    )
    raw.set_montage(montage, on_missing="ignore")
    raw.info["bads"] = ["Fz"]
    raw.info["line_freq"] = 60.0
    raw.set_meas_date(datetime.datetime(2020, 5, 17, 12, tzinfo=datetime.UTC))
    notes = mne.Annotations(
        [0.5, 1.25],
        [0.1, 0.0],
        ["go", "stop"],
        ch_names=[[], ["Cz", "Fz"]],
        extras=[{"value": 3, "side": "left"}, {"value": 4, "side": "right"}],
    )
    return raw.set_annotations(notes).filter(1, 30, picks="eeg", verbose="ERROR")


def test_round_trip_from_mne_keeps_what_mne_knows():
    raw = rich_raw()
    back = to_mne(from_mne(raw))
    assert sorted(back.ch_names) == sorted(raw.ch_names)
    back = back.reorder_channels(raw.ch_names)
    assert back.get_channel_types() == raw.get_channel_types()
    np.testing.assert_allclose(back.get_data(), raw.get_data(), rtol=1e-6, atol=1e-12)
    assert back.info["bads"] == ["Fz"]
    assert back.info["line_freq"] == 60.0
    assert (back.info["highpass"], back.info["lowpass"]) == (1.0, 30.0)
    assert back.info["meas_date"] == raw.info["meas_date"]
    np.testing.assert_array_equal(back.info["chs"][0]["loc"][:3], raw.info["chs"][0]["loc"][:3])
    for key in ("nasion", "lpa", "rpa"):
        np.testing.assert_allclose(
            back.get_montage().get_positions()[key], raw.get_montage().get_positions()[key]
        )
    np.testing.assert_allclose(back.annotations.onset, raw.annotations.onset)
    assert back.annotations.description.tolist() == ["go", "stop"]
    assert back.annotations.ch_names.tolist() == [(), ("Cz", "Fz")]
    assert [e["value"] for e in back.annotations.extras] == [3, 4]


def test_round_trip_from_a_recording_is_identical():
    rec = from_mne(rich_raw())
    again = from_mne(to_mne(rec))
    assert again.events.equals(rec.events)
    for name in rec.streams:
        xr.testing.assert_identical(again[name], rec[name])


def test_meg_geometry_survives():
    raw = make_raw(["mag", "grad"])
    rng = np.random.default_rng(1)
    with raw.info._unlock():
        for ch in raw.info["chs"]:
            ch["loc"][:] = rng.normal(size=12)
            ch["coord_frame"] = 1
        raw.info["dev_head_t"] = mne.Transform("meg", "head", np.diag([1.0, 1, 1, 1]))
    raw.info["chs"][0]["coil_type"] = 3024
    back = to_mne(from_mne(raw))
    for a, b in zip(raw.info["chs"], back.info["chs"], strict=True):
        np.testing.assert_array_equal(a["loc"], b["loc"])
        assert (a["coil_type"], a["coord_frame"]) == (b["coil_type"], b["coord_frame"])
    np.testing.assert_array_equal(back.info["dev_head_t"]["trans"], np.eye(4))


@pytest.mark.parametrize("dated", [False, True])
def test_time_zero_is_the_first_sample(dated):
    raw = make_raw(["eeg"], first_samp=1000)
    if dated:
        raw.set_meas_date(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    raw.set_annotations(mne.Annotations([0.5], [0.0], ["x"]))
    rec = from_mne(raw)
    assert rec.start == 0.0
    np.testing.assert_allclose(rec.events["onset"], [0.5])


def test_cropped_raw_and_cropped_recording_agree():
    raw = rich_raw()
    cropped = from_mne(raw.copy().crop(0.4, 1.0))
    direct = from_mne(raw).crop(0.4, 1.01)
    np.testing.assert_array_equal(cropped["eeg"].values, direct["eeg"].values)
    np.testing.assert_allclose(cropped.events["onset"], direct.events["onset"] - 0.4)
    back = to_mne(direct)
    np.testing.assert_allclose(back.annotations.onset, cropped.events["onset"])


def test_file_is_read_lazily_and_only_where_asked(tmp_path, monkeypatch):
    raw = make_raw(["eeg"] * 3, n_times=5000)
    raw.save(tmp_path / "x_raw.fif", verbose="ERROR")
    opened = mne.io.read_raw_fif(tmp_path / "x_raw.fif", verbose="ERROR")
    rec = from_mne(opened)
    assert not in_memory(rec["eeg"])
    asked = []
    original = type(opened).__getitem__
    monkeypatch.setattr(
        type(opened), "__getitem__", lambda s, i: (asked.append(i[1]), original(s, i))[1]
    )
    part = rec["eeg"].sel(time=slice(10.0, 10.5)).values
    assert [(s.start, s.stop) for s in asked] == [(1000, 1051)]
    np.testing.assert_array_equal(part, raw.get_data()[:, 1000:1051].T.astype("f4"))


def test_lazy_samples_are_checked_when_read(tmp_path):
    raw = make_raw(["eeg"] * 2, names=["Cz", "Pz"])
    raw._data[1, 150] = np.nan
    raw.save(tmp_path / "x_raw.fif", verbose="ERROR")
    rec = from_mne(mne.io.read_raw_fif(tmp_path / "x_raw.fif", verbose="ERROR"))
    rec["eeg"][:100].values  # noqa: B018
    with pytest.raises(DataError, match=r"'Pz' \(first: 1 samples from 1.5 s\)"):
        rec["eeg"][100:200].values  # noqa: B018
    opened = mne.io.read_raw_fif(tmp_path / "x_raw.fif", verbose="ERROR")
    opened.info["bads"] = ["Pz"]
    assert np.isnan(from_mne(opened)["eeg"].values).sum() == 1


def test_nan_in_memory_is_refused():
    raw = make_raw(["eeg"])
    raw._data[0, 7] = np.nan
    with pytest.raises(DataError, match="hold NaN or infinity: 'EEG0'"):
        from_mne(raw)


def test_units_override_scales_voltages_only():
    raw = make_raw(["eeg", "eeg", "mag"])
    raw._data[:2] *= 1e6
    right = from_mne(raw, units="uV")
    np.testing.assert_allclose(right["eeg"].values, raw.get_data("eeg").T * 1e-6, rtol=1e-6)
    np.testing.assert_allclose(right["meg"].values, raw.get_data("mag").T, rtol=1e-6)
    with pytest.warns(UserWarning, match="implausible; the values look like microvolts"):
        from_mne(raw)
    with pytest.raises(DataError, match="'furlong' is not a voltage"):
        from_mne(raw, units="furlong")
    with pytest.raises(UnknownNameError, match="Did you mean 'EEG0'"):
        from_mne(raw, units={"EEG00": "uV"})


def test_events_outside_of_the_stream_are_counted():
    rec = from_mne(make_raw(["eeg"], n_times=100))
    longer = xr.concat([rec["eeg"]] * 3, "time").assign_coords(time=np.arange(300) / RATE)
    events = pd.DataFrame({"onset": [0.5, 2.5], "duration": 0.0, "trial_type": "a"})
    both = Recording({"eeg": rec["eeg"], "behaviour": longer.rename(channel="variable")}, events)
    with pytest.warns(UserWarning, match="1 of 2 events lie outside"):
        raw = to_mne(both)
    assert len(raw.annotations) == 1


def test_streams_to_convert_must_be_clear():
    eeg = from_mne(make_raw(["eeg"]))["eeg"]
    slow = eeg[::2].copy().rename("ieeg")
    slow.attrs["sampling_rate"] = 50.0
    rec = Recording({"eeg": eeg, "ieeg": slow})
    with pytest.raises(DataError, match="different sample times"):
        to_mne(rec)
    assert to_mne(rec, "ieeg").info["sfreq"] == 50.0
    with pytest.raises(UnknownNameError, match="Did you mean 'ieeg'"):
        to_mne(rec, "iegg")
    with pytest.raises(UnknownNameError, match="stream"):
        to_mne(Recording.from_spikes([0.1], [0], duration=1.0))
    with pytest.raises(DataError, match="not continuous"):
        to_mne(Recording.from_spikes([0.1], [0], duration=1.0), "spikes")
    same = Recording({"eeg": eeg, "ieeg": eeg})
    with pytest.raises(DataError, match="share channel names"):
        to_mne(same)


def test_methods_of_recording_lead_here():
    raw = make_raw(["eeg"])
    assert Recording.from_mne(raw).to_mne().ch_names == raw.ch_names
