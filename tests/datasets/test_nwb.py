from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest

from neurokit.datasets.nwb import read_nwb, sniff
from neurokit.errors import DataError, ReadError
from neurokit.recording import Recording
from neurokit.recording.nwb_conversion import from_nwb

pynwb = pytest.importorskip("pynwb")
# pynwb warns of older spellings in its own files.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:pynwb"),
    pytest.mark.filterwarnings("ignore::UserWarning:hdmf"),
    pytest.mark.filterwarnings("ignore:The 'manufacturer' field:DeprecationWarning"),
]
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "spikes" / "A8604-211122.nwb"


def _nwbfile():
    start = datetime(2024, 5, 1, 12, tzinfo=UTC)
    nwb = pynwb.NWBFile("a test", "id-1", start, session_id="s1", experimenter=["A", "B"])
    nwb.subject = pynwb.file.Subject(subject_id="m1", species="Mus musculus", age="P90D")
    return nwb


def _add_electrodes(nwb, n=4):
    device = nwb.create_device(name="probe")
    group = nwb.create_electrode_group("shank0", "d", "CA1", device)
    nwb.add_electrode_column("label", "name of the contact")
    for i in range(n):
        place = {"x": np.nan} if i == 0 else {"x": 10.0 * i}
        location = "CA1" if i < 2 else "CA3"
        nwb.add_electrode(**place, y=5.0, z=-2.0, location=location, group=group, label=f"c{i}")
    return nwb


def _region(nwb, rows):
    return nwb.create_electrode_table_region(rows, "some")


def _rich(rng):
    """Units, two electrical series, behaviour on three clocks, calcium, intervals."""
    nwb = _add_electrodes(_nwbfile())
    nwb.add_unit_column("quality", "sorting quality")
    nwb.add_unit_column("depth", "in um")
    group = nwb.electrode_groups["shank0"]
    for i in range(3):
        times = np.sort(rng.uniform(0, 9, 20 + i)) if i != 1 else np.array([])
        nwb.add_unit(
            id=10 + i, spike_times=times, quality="good", depth=1.5 * i, electrode_group=group
        )
    counts = rng.integers(-2000, 2000, (1000, 3)).astype(np.int16)
    lfp = pynwb.ecephys.ElectricalSeries(
        name="lfp_series",
        data=counts,
        electrodes=_region(nwb, [3, 0, 2]),
        rate=100.0,
        starting_time=0.5,
        conversion=2e-7,
        offset=1e-5,
        channel_conversion=[1.0, 2.0, 0.5],
    )
    module = nwb.create_processing_module("ecephys", "x")
    module.add(pynwb.ecephys.LFP(electrical_series=lfp))
    wide = (1e-4 * rng.normal(size=(2000, 2))).astype(np.float32)
    nwb.add_acquisition(
        pynwb.ecephys.ElectricalSeries(
            name="raw", data=wide, electrodes=_region(nwb, [1, 2]), rate=200.0
        )
    )
    behaviour = nwb.create_processing_module("behavior", "x")
    stamps = np.sort(rng.uniform(0, 10, 40))
    position = pynwb.behavior.SpatialSeries(
        name="place",
        data=rng.normal(size=(40, 2)),
        timestamps=stamps,
        reference_frame="room",
        unit="m",
    )
    heading = pynwb.behavior.SpatialSeries(
        name="heading",
        data=rng.normal(size=40),
        timestamps=position,
        reference_frame="north",
        unit="m",
    )
    behaviour.add(pynwb.behavior.Position(spatial_series=position))
    behaviour.add(pynwb.behavior.CompassDirection(spatial_series=heading))
    pupil = pynwb.TimeSeries(name="pupil", data=rng.uniform(size=300), rate=30.0, unit="mm")
    behaviour.add(pynwb.behavior.PupilTracking(time_series=pupil))
    nwb.add_stimulus(pynwb.TimeSeries(name="contrast", data=np.ones(100), rate=10.0, unit="%"))
    _add_calcium(nwb, rng)
    _add_intervals(nwb)
    return nwb


def _add_calcium(nwb, rng):
    device = nwb.create_device(name="microscope")
    channel = pynwb.ophys.OpticalChannel(name="o", description="o", emission_lambda=500.0)
    plane = nwb.create_imaging_plane(
        name="p",
        optical_channel=channel,
        description="p",
        device=device,
        excitation_lambda=600.0,
        indicator="GCaMP6f",
        location="V1",
        imaging_rate=10.0,
    )
    module = nwb.create_processing_module("ophys", "x")
    segmentation = pynwb.ophys.ImageSegmentation()
    table = segmentation.create_plane_segmentation(name="ps", description="d", imaging_plane=plane)
    for _ in range(4):
        table.add_roi(pixel_mask=[(1, 1, 1.0)])
    module.add(segmentation)
    rois = table.create_roi_table_region(description="all", region=[0, 1, 2, 3])
    for container, name in ((pynwb.ophys.DfOverF, "dff"), (pynwb.ophys.Fluorescence, "raw_f")):
        traces = pynwb.ophys.RoiResponseSeries(
            name=name, data=rng.normal(size=(90, 4)), rois=rois, rate=10.0, unit="n.a."
        )
        module.add(container(roi_response_series=traces))
    frames = pynwb.ophys.TwoPhotonSeries(
        name="movie", data=np.zeros((90, 3, 3)), imaging_plane=plane, rate=10.0, unit="n.a."
    )
    nwb.add_acquisition(frames)


def _add_intervals(nwb):
    nwb.add_trial_column("choice", "side")
    nwb.add_trial(start_time=1.0, stop_time=2.0, choice="left")
    nwb.add_trial(start_time=3.0, stop_time=4.5, choice="right")
    nwb.add_epoch(0.0, 5.0, ["sleep", "home"])
    nwb.add_epoch(5.0, 10.0, ["wake"])
    ripples = pynwb.epoch.TimeIntervals(name="ripples", description="r")
    ripples.add_interval(start_time=2.5, stop_time=2.55)
    nwb.add_time_intervals(ripples)


def _write(nwb, path):
    with pynwb.NWBHDF5IO(path, "w") as io:
        io.write(nwb)
    return path


@pytest.fixture(scope="module")
def rich(tmp_path_factory):
    return _write(_rich(np.random.default_rng(0)), tmp_path_factory.mktemp("nwb") / "rich.nwb")


def test_bulk_reading_equals_the_conversion_of_pynwb_objects(rich):
    with pynwb.NWBHDF5IO(rich, "r") as io:
        assert read_nwb(rich).identical(from_nwb(io.read()))


def test_spikes_equal_pynwb_s(rich):
    spikes = read_nwb(rich)["spikes"]
    with pynwb.NWBHDF5IO(rich, "r") as io:
        units = io.read().units.to_dataframe()
    assert spikes["id"].values.tolist() == units.index.tolist() == [10, 11, 12]
    for i, times in enumerate(units["spike_times"]):
        np.testing.assert_array_equal(spikes["time"].values[spikes["unit"].values == i], times)
    assert spikes["quality"].values.tolist() == ["good"] * 3
    assert spikes["depth"].values.tolist() == [0.0, 1.5, 3.0]
    assert spikes["electrode_group"].values.tolist() == ["shank0"] * 3
    assert (spikes.attrs["start"], spikes.attrs["stop"]) == (0.0, 10.0)


def test_electrical_series_are_volts_with_places_in_metres(rich):
    rec = read_nwb(rich)
    with pynwb.NWBHDF5IO(rich, "r") as io:
        series = io.read().processing["ecephys"]["LFP"]["lfp_series"]
        expected = series.data[:] * 2e-7 * np.array([1.0, 2.0, 0.5]) + 1e-5
    lfp = rec["lfp"]
    np.testing.assert_allclose(lfp.values, expected, rtol=1e-6)
    assert lfp.attrs == {"sampling_rate": 100.0, "units": "V"}
    assert lfp["time"].values[[0, -1]].tolist() == [0.5, 10.49]
    assert lfp["channel"].values.tolist() == ["c3", "c0", "c2"]
    assert lfp["region"].values.tolist() == ["CA3", "CA1", "CA3"]
    np.testing.assert_allclose(lfp["x"].values, [30e-6, np.nan, 20e-6])
    assert rec["ieeg"].shape == (2000, 2)


def test_behaviour_is_split_by_clock(rich):
    rec = read_nwb(rich)
    assert rec["behaviour"]["variable"].values.tolist() == ["heading", "place_x", "place_y"]
    assert rec["pupil"].attrs == {"sampling_rate": 30.0, "units": "mm"}
    assert rec["stimulus"].shape == (100, 1)


def test_calcium_is_df_over_f_and_the_raw_traces_stay_beside_it(rich):
    rec = read_nwb(rich)
    with pynwb.NWBHDF5IO(rich, "r") as io:
        traces = io.read().processing["ophys"]["DfOverF"]["dff"].data[:]
    np.testing.assert_array_equal(rec["calcium"].values, traces.astype(np.float32))
    assert rec["raw_f"].dims == ("time", "unit")
    assert rec.meta["not_read"] == ["acquisition/movie (TwoPhotonSeries)"]


def test_intervals_become_events(rich):
    events = read_nwb(rich).events
    assert events["trial_type"].tolist() == ["sleep,home", "trials", "ripples", "trials", "wake"]
    assert events["onset"].tolist() == [0.0, 1.0, 2.5, 3.0, 5.0]
    assert events["duration"].tolist() == [5.0, 1.0, pytest.approx(0.05), 1.5, 5.0]
    assert events["choice"].fillna("").tolist() == ["", "left", "", "right", ""]


def test_facts_of_subject_and_session_are_kept(rich):
    meta = read_nwb(rich).meta
    assert meta["subject"] == "m1"
    assert meta["species"] == "Mus musculus"
    assert meta["session"] == "s1"
    assert meta["experimenter"] == ["A", "B"]
    assert meta["session_start_time"] == "2024-05-01T12:00:00+00:00"
    assert meta["source"] == "rich.nwb"


def test_it_saves_and_opens_unchanged(rich, tmp_path):
    rec = read_nwb(rich)
    assert Recording.open(rec.save(tmp_path / "r.zarr")).identical(rec)


def test_lazy_reading_gives_the_same(rich):
    lazy = read_nwb(rich, lazy=True)
    assert not isinstance(lazy["lfp"].variable._data, np.ndarray)
    part = lazy["lfp"][100:110].values
    np.testing.assert_array_equal(part, read_nwb(rich)["lfp"].values[100:110])
    assert lazy.load().identical(read_nwb(rich))


def test_only_what_is_wanted_is_read(rich):
    rec = read_nwb(rich, include=("pupil",))
    assert sorted(rec.streams) == ["behaviour", "spikes"]
    with pytest.raises(ReadError, match=r"no readable time series named \['pupils'\]"):
        read_nwb(rich, include=("pupils",))


def test_uneven_behaviour_on_different_clocks_keeps_every_sample(tmp_path):
    nwb = _nwbfile()
    a, b = np.array([0.0, 0.3, 0.4, 1.0]), np.array([0.3, 0.35, 0.9])
    for name, time in (("a", a), ("b", b)):
        nwb.add_acquisition(pynwb.TimeSeries(name=name, data=10 * time, timestamps=time, unit="cm"))
    stream = read_nwb(_write(nwb, tmp_path / "u.nwb"))["behaviour"]
    assert stream["time"].values.tolist() == [0.0, 0.3, 0.35, 0.4, 0.9, 1.0]
    for name, time in (("a", a), ("b", b)):
        kept = stream.sel(variable=name).dropna("time")
        np.testing.assert_array_equal(kept["time"].values, time)
        np.testing.assert_allclose(kept.values, 10 * time, rtol=1e-6)


def test_counts_without_conversion_warn(tmp_path):
    nwb = _add_electrodes(_nwbfile())
    data = np.arange(40, dtype=np.int16).reshape(20, 2)
    nwb.add_acquisition(
        pynwb.ecephys.ElectricalSeries(
            name="raw", data=data, electrodes=_region(nwb, [0, 1]), rate=10.0
        )
    )
    path = _write(nwb, tmp_path / "c.nwb")
    with pytest.warns(UserWarning, match="without a conversion to volts"):
        rec = read_nwb(path)
    assert rec["ieeg"].attrs["units"] == "a.u."


def test_event_tables_of_the_newest_schema(tmp_path):
    if not hasattr(pynwb.NWBFile, "add_events_table"):
        pytest.skip("this pynwb has no event tables")
    from pynwb.event import EventsTable

    nwb = _nwbfile()
    table = EventsTable(name="licks", description="licks")
    for time in (0.2, 0.7):
        table.add_row(timestamp=time)
    nwb.add_events_table(table)
    nwb.add_acquisition(pynwb.TimeSeries(name="v", data=np.ones(10), rate=10.0, unit="m"))
    path = _write(nwb, tmp_path / "e.nwb")
    events = read_nwb(path).events
    assert events["onset"].tolist() == [0.2, 0.7]
    assert events["trial_type"].tolist() == ["licks", "licks"]
    with pynwb.NWBHDF5IO(path, "r") as io:
        assert from_nwb(io.read()).identical(read_nwb(path))


@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared recordings")
def test_the_neuropixels_file():
    rec = read_nwb(SHARED)
    with pynwb.NWBHDF5IO(SHARED, "r") as io:
        nwb = io.read()
        assert rec.identical(from_nwb(nwb))
        for i, times in enumerate(nwb.units["spike_times"][:]):
            got = rec["spikes"]["time"].values[rec["spikes"]["unit"].values == i]
            np.testing.assert_array_equal(got, np.sort(times))
    assert rec["spikes"].sizes == {"spike": 21354, "unit": 3}
    assert len(rec.meta["electrodes"]["id"]) == 383
    assert rec.events["trial_type"].tolist() == ["wake"]
    assert rec.stop == pytest.approx(1087.5289)


# What is refused


def _hostile(tmp_path, rich, change):
    path = tmp_path / "hostile.nwb"
    path.write_bytes(rich.read_bytes())
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def _replace_data(file, dataset):
    group = file["processing/behavior/PupilTracking/pupil"]
    del group["data"]
    dataset(group)


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret.h5", "beside.h5"])
def test_links_to_other_files_are_refused(tmp_path, rich, target):
    def change(file):
        file["acquisition/stolen"] = h5py.ExternalLink(target, "/data")

    with pytest.raises(ReadError, match="is a link to another file"):
        read_nwb(_hostile(tmp_path, rich, change))


def test_data_in_other_files_are_refused(tmp_path, rich):
    def external(group):
        group.create_dataset("data", (300,), "f8", external=[(str(tmp_path / "rich.bin"), 0, 2400)])

    (tmp_path / "rich.bin").write_bytes(bytes(2400))
    with pytest.raises(ReadError, match="keeps its values in another file"):
        read_nwb(_hostile(tmp_path, rich, lambda f: _replace_data(f, external)))


def test_virtual_data_are_refused(tmp_path, rich):
    def virtual(group):
        layout = h5py.VirtualLayout((300,), "f8")
        layout[:] = h5py.VirtualSource("elsewhere.h5", "x", shape=(300,))
        group.create_virtual_dataset("data", layout)

    with pytest.raises(ReadError, match="keeps its values in another file"):
        read_nwb(_hostile(tmp_path, rich, lambda f: _replace_data(f, virtual)))


@pytest.mark.parametrize("chunks", [None, (1000,)])
def test_a_claim_without_storage_is_refused_before_allocation(tmp_path, rich, chunks):
    def huge(group):
        maximum = (None,) if chunks else None
        group.create_dataset(
            "data", (10**12 if chunks else 10**6,), "f8", chunks=chunks, maxshape=maximum
        )

    with pytest.raises(ReadError, match="nothing was ever stored"):
        read_nwb(_hostile(tmp_path, rich, lambda f: _replace_data(f, huge)))


def test_a_claim_beyond_the_storage_is_refused(tmp_path, rich):
    def sparse(group):
        data = group.create_dataset("data", (10**12,), "f8", chunks=(1000,), maxshape=(None,))
        data[:10] = 1.0

    with pytest.raises(ReadError, match="damaged or hostile"):
        read_nwb(_hostile(tmp_path, rich, lambda f: _replace_data(f, sparse)))


def test_groups_without_end_are_refused(tmp_path, rich):
    def deep(file):
        group = file["acquisition"]
        for _ in range(60):
            group = group.create_group("g")

    with pytest.raises(ReadError, match="nested more than 24 deep"):
        read_nwb(_hostile(tmp_path, rich, deep))


def test_a_loop_of_links_is_read_once(tmp_path, rich):
    def loop(file):
        file["acquisition/again"] = file["/"]
        file["acquisition/soft"] = h5py.SoftLink("/acquisition/soft")

    assert read_nwb(_hostile(tmp_path, rich, loop))["lfp"].shape == (1000, 3)


def test_an_index_that_does_not_fit_is_refused(tmp_path, rich):
    def shift(file):
        file["units/spike_times_index"][1] = 5

    with pytest.raises(DataError, match="does not fit"):
        read_nwb(_hostile(tmp_path, rich, shift))


def test_electrodes_that_do_not_exist_are_refused(tmp_path, rich):
    def shift(file):
        file["acquisition/raw/electrodes"][0] = 99

    with pytest.raises(ReadError, match="are not rows of the electrode table"):
        read_nwb(_hostile(tmp_path, rich, shift))


def test_a_truncated_file_is_refused(tmp_path, rich):
    path = tmp_path / "cut.nwb"
    path.write_bytes(rich.read_bytes()[:-5000])
    with pytest.raises(ReadError, match=r"cut\.nwb: cannot be read as NWB: .* truncated"):
        read_nwb(path)


def test_a_heap_that_leads_nowhere_is_refused(tmp_path):
    path = tmp_path / "heap.nwb"
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
    raw = bytearray(path.read_bytes())
    at = raw.index(b"GCOL\x01") + 16
    while int.from_bytes(raw[at : at + 2], "little"):
        at += 16 + (int.from_bytes(raw[at + 8 : at + 16], "little") + 7) // 8 * 8
    # libhdf5 walks over the free space at the end of a heap for ever if its size is 0.
    raw[at + 8 : at + 16] = bytes(8)
    path.write_bytes(raw)
    with pytest.raises(ReadError, match="the heap at byte"):
        read_nwb(path)
    assert sniff(path) is None


def test_free_blocks_in_a_circle_are_refused(tmp_path, rich):
    raw = bytearray(rich.read_bytes())
    at = raw.index(b"HEAP\0\0\0\0")
    free, content = (int.from_bytes(raw[at + i : at + i + 8], "little") for i in (16, 24))
    raw[content + free : content + free + 8] = free.to_bytes(8, "little")
    path = tmp_path / "circle.nwb"
    path.write_bytes(raw)
    with pytest.raises(ReadError, match="the heap at byte"):
        read_nwb(path)


def test_text_longer_than_the_file_is_refused(tmp_path):
    path = tmp_path / "text.nwb"
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        file.create_dataset("identifier", data=["x"], dtype=h5py.string_dtype())
        offset = file["identifier"].id.get_offset()
    raw = bytearray(path.read_bytes())
    raw[offset : offset + 4] = (2**31).to_bytes(4, "little")
    path.write_bytes(raw)
    with pytest.raises(ReadError, match="holds a text of 2,147,483,648 bytes"):
        read_nwb(path)


def test_other_files_are_named(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = [1]
    with pytest.raises(ReadError, match="carries no nwb_version"):
        read_nwb(tmp_path / "a.h5")
    nwb = _nwbfile()
    with pytest.raises(DataError, match=r"empty\.nwb holds no units and no time series"):
        read_nwb(_write(nwb, tmp_path / "empty.nwb"))


def test_sniffing_looks_inside(tmp_path, rich):
    assert sniff(rich) == "nwb"
    with h5py.File(tmp_path / "a.nwb", "w") as file:
        file["x"] = [1]
    assert sniff(tmp_path / "a.nwb") is None
    (tmp_path / "b.nwb").write_text("text")
    assert sniff(tmp_path / "b.nwb") is None
