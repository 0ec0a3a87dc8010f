"""EEG and iEEG files: real ones with known facts, written ones, and broken ones."""

import struct
from pathlib import Path

import h5py
import mne
import numpy as np
import pytest

from neurokit import Recording
from neurokit.datasets.electrophysiology import read_mne_file, sniff
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.recording.checks import in_memory

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
RATE = 128


def shared(*parts):
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip("the shared recordings are not here")
    return path


def samples(n_channels, n_times=RATE * 4, seed=0):
    return 2e-5 * np.random.default_rng(seed).normal(size=(n_channels, n_times))


def make_raw(names, seconds=4, types="eeg"):
    return mne.io.RawArray(
        samples(len(names), RATE * seconds),
        mne.create_info(list(names), RATE, types),
        verbose="ERROR",
    )


def edf_bytes(signals, n_records=None, reserved=b"", bdf=False, onsets=None, duration=1.0):
    """Write EDF by hand; `signals` are (label, dimension, digital samples of each record)."""
    signals = list(signals)
    if onsets is not None:
        text = [f"+{t:g}\x14\x14\x00".encode().ljust(60, b"\0") for t in onsets]
        notes = np.array([np.frombuffer(t, "<i2") for t in text])
        signals.append(("EDF Annotations", "", notes))
    n = len(signals)
    width = 3 if bdf else 2
    top = 2 ** (8 * width - 1)
    count = len(signals[0][2]) if n_records is None else n_records
    version = b"\xffBIOSEMI" if bdf else b"0       "
    fixed = version + b"X X X X".ljust(80) + b"Startdate X X X X".ljust(80)
    fixed += b"01.01.2001.00.00"
    fixed += f"{256 * (n + 1):<8}".encode() + reserved.ljust(44)
    fixed += f"{count:<8}{duration:<8g}{n:<4}".encode()
    columns = [
        [(s[0], 16) for s in signals],
        [("", 80)] * n,
        [(s[1], 8) for s in signals],
        [(-3200, 8)] * n,
        [(3200, 8)] * n,
        [(-top, 8)] * n,
        [(top - 1, 8)] * n,
        [("", 80)] * n,
        [(s[2].shape[1], 8) for s in signals],
        [("", 32)] * n,
    ]
    header = b"".join(str(v).ljust(w).encode("latin-1")[:w] for c in columns for v, w in c)
    body = bytearray()
    for record in range(len(signals[0][2])):
        for _, _, data in signals:
            row = data[record].astype("<i4" if bdf else "<i2")
            body += row.view(np.uint8).reshape(-1, 4)[:, :3].tobytes() if bdf else row.tobytes()
    return fixed + header + bytes(body)


def digital(n_records=4, per_record=RATE, seed=0):
    return np.random.default_rng(seed).integers(-300, 300, (n_records, per_record))


def write(path, content):
    path.write_bytes(content)
    return path


# Real recordings


@pytest.mark.parametrize(("run", "t1", "t2"), [("06", 7, 8), ("10", 7, 8), ("14", 7, 8)])
def test_eegmmidb(run, t1, t2, tmp_path):
    rec = read_mne_file(shared("eeg", "eegmmidb_s001", f"S001R{run}.edf"))
    eeg = rec["eeg"]
    assert eeg.sizes == {"time": 20_000, "channel": 64}
    assert eeg.attrs["sampling_rate"] == 160
    assert set(eeg["type"].values) == {"eeg"}
    counts = rec.events["trial_type"].value_counts()
    assert counts["T0"] == 15
    assert counts["T1"] + counts["T2"] == 15
    assert {"FC5", "Cz", "Fp1", "AF7", "POz", "Iz"} <= set(eeg["channel"].values)
    assert eeg.sel(channel="FC5")["name_in_file"] == "Fc5."
    place = {n: eeg.sel(channel=n) for n in ("C3", "C4", "Fz", "Oz", "Cz")}
    assert place["C3"]["x"] < -0.04
    assert place["C4"]["x"] > 0.04
    assert place["Fz"]["y"] > place["Cz"]["y"] > place["Oz"]["y"]
    assert Recording.open(rec.save(tmp_path / "x.zarr")).identical(rec)


def test_samples_equal_another_library():
    edfio = pytest.importorskip("edfio")
    path = shared("eeg", "eegmmidb_s001", "S001R06.edf")
    signals = edfio.read_edf(path).signals
    truth = np.stack([s.data for s in signals], axis=1) * 1e-6
    np.testing.assert_allclose(read_mne_file(path)["eeg"].values, truth, atol=1e-11)


def test_eegmmidb_has_45_trials():
    files = [shared("eeg", "eegmmidb_s001", f"S001R{run}.edf") for run in ("06", "10", "14")]
    kinds = [k for f in files for k in read_mne_file(f, lazy=True).events["trial_type"]]
    assert (kinds.count("T1"), kinds.count("T2")) == (21, 24)


def test_eeglab_sample(tmp_path):
    rec = read_mne_file(shared("eeg", "eeglab_sample", "eeglab_data.set"))
    eeg = rec["eeg"]
    assert eeg.sizes["channel"] == 32
    types = eeg["type"].values.tolist()
    assert (types.count("eeg"), types.count("eog")) == (30, 2)
    assert eeg.attrs["sampling_rate"] == 128
    assert rec.duration == pytest.approx(238.3, abs=0.05)
    assert rec.events["trial_type"].value_counts().to_dict() == {"square": 80, "rt": 74}
    assert 5e-6 < eeg.values.std() < 1e-4
    assert eeg.sel(channel="C3")["x"] < 0 < eeg.sel(channel="Fz")["y"]
    assert Recording.open(rec.save(tmp_path / "x.zarr")).identical(rec)
    assert read_mne_file(shared("eeg", "eeglab_sample", "eeglab_data.fdt")).identical(rec)


def test_ecog_and_seeg_with_positions(tmp_path):
    rec = read_mne_file(shared("ieeg", "sample_ecog_ieeg.fif"))
    ieeg = rec["ieeg"]
    assert ieeg.sizes == {"time": 113, "channel": 394}
    assert ieeg.attrs["sampling_rate"] == 160
    types = ieeg["type"].values.tolist()
    assert (types.count("ecog"), types.count("seeg")) == (320, 74)
    assert np.isfinite(ieeg["x"].values).all()
    assert np.abs(ieeg["x"].values).max() < 0.15
    assert ieeg["channel"].values[0] == "G1"
    assert Recording.open(rec.save(tmp_path / "x.zarr")).identical(rec)
    raw = mne.io.read_raw_fif(shared("ieeg", "sample_ecog_ieeg.fif"), verbose="ERROR")
    np.testing.assert_array_equal(ieeg.values, raw.get_data().T.astype("f4"))


@pytest.mark.parametrize(
    "parts",
    [
        ("eeg", "eegmmidb_s001", "S001R06.edf"),
        ("eeg", "eeglab_sample", "eeglab_data.set"),
        ("ieeg", "sample_ecog_ieeg.fif"),
    ],
)
def test_lazy_equals_loaded(parts):
    lazy = read_mne_file(shared(*parts), lazy=True)
    stream = next(iter(lazy.streams.values()))
    assert not in_memory(stream)
    loaded = read_mne_file(shared(*parts))
    (name,) = loaded.streams
    np.testing.assert_array_equal(stream[50:90].values, loaded[name][50:90].values)
    assert lazy.load().identical(loaded)


# Written files, one a format


def write_brainvision(folder, x, names, data_file="a.eeg", points=None, unit="µV"):
    (folder / "a.eeg").write_bytes((x.T * 1e7).astype("<i2").tobytes())
    lines = ["Brain Vision Data Exchange Header File Version 1.0", "[Common Infos]"]
    lines += ["Codepage=UTF-8", f"DataFile={data_file}", "MarkerFile=a.vmrk", "DataFormat=BINARY"]
    lines += ["DataOrientation=MULTIPLEXED", f"NumberOfChannels={len(x)}"]
    lines += [f"DataPoints={points}"] * (points is not None)
    lines += [f"SamplingInterval={1e6 / RATE}", "[Binary Infos]", "BinaryFormat=INT_16"]
    lines += ["[Channel Infos]", *(f"Ch{i + 1}={n},,0.1,{unit}" for i, n in enumerate(names))]
    (folder / "a.vhdr").write_text("\n".join(lines), encoding="utf-8")
    marks = ["Brain Vision Data Exchange Marker File, Version 1.0", "[Common Infos]"]
    marks += ["Codepage=UTF-8", "DataFile=a.eeg", "[Marker Infos]", "Mk1=Stimulus,S  1,129,1,0"]
    (folder / "a.vmrk").write_text("\n".join(marks), encoding="utf-8")
    return folder / "a.vhdr"


def write_gdf(folder, x, names, n_records=4):
    n = len(x)
    head = b"GDF 1.25" + b"X".ljust(80) + b"X".ljust(80) + b"2001010100000000"
    head += struct.pack("<q", 256 * (n + 1)) + bytes(24 + 20)
    head += struct.pack("<qIII", n_records, 1, 1, n)
    head += b"".join(m.encode().ljust(16, b"\0") for m in names) + bytes(80 * n)
    head += b"uV".ljust(8, b"\0") * n
    head += struct.pack(f"<{n}d", *[-3276.8] * n) + struct.pack(f"<{n}d", *[3276.7] * n)
    head += struct.pack(f"<{n}q", *[-32768] * n) + struct.pack(f"<{n}q", *[32767] * n)
    head += bytes(80 * n) + struct.pack(f"<{n}i", *[RATE] * n) + struct.pack(f"<{n}i", *[3] * n)
    head += bytes(32 * n)
    data = (x * 1e7).round().astype("<i2").reshape(n, -1, RATE).transpose(1, 0, 2)
    tail = b"\x01" + bytes(3) + struct.pack("<I", 0)
    return write(folder / "a.gdf", head + data.tobytes() + tail)


def write_egi(folder, x):
    head = struct.pack(">i6hi5h", 4, 2001, 1, 1, 0, 0, 0, 0, RATE, len(x), 1, 0, 0)
    head += struct.pack(">ih", x.shape[1], 0)
    return write(folder / "a.raw", head + (x.T * 1e6).astype(">f4").tobytes())


def write_snirf(folder, x):
    with h5py.File(folder / "a.snirf", "w") as file:
        file["formatVersion"] = "1.0"
        file["nirs/data1/dataTimeSeries"] = np.abs(x.T) + 1
        file["nirs/data1/time"] = np.arange(x.shape[1]) / RATE
        for i in range(len(x)):
            group = file.create_group(f"nirs/data1/measurementList{i + 1}")
            group["sourceIndex"], group["detectorIndex"] = 1, 1
            group["wavelengthIndex"], group["dataType"], group["dataTypeIndex"] = i + 1, 1, 1
        file["nirs/probe/wavelengths"] = np.array([760.0, 850.0])
        file["nirs/probe/sourcePos3D"] = np.array([[10.0, 20.0, 30.0]])
        file["nirs/probe/detectorPos3D"] = np.array([[12.0, 20.0, 30.0]])
        file["nirs/metaDataTags/LengthUnit"] = "mm"
        file["nirs/metaDataTags/TimeUnit"] = "s"
        file["nirs/metaDataTags/SubjectID"] = "s1"
        file["nirs/metaDataTags/MeasurementDate"] = "2001-01-01"
        file["nirs/metaDataTags/MeasurementTime"] = "00:00:00"
    return folder / "a.snirf"


def write_any(kind, folder, x, names):
    raw = mne.io.RawArray(x, mne.create_info(names, RATE, "eeg"), verbose="ERROR")
    if kind == "edf":
        mne.export.export_raw(folder / "a.edf", raw, verbose="ERROR")
        return folder / "a.edf"
    if kind == "eeglab":
        mne.export.export_raw(folder / "a.set", raw, verbose="ERROR")
        return folder / "a.set"
    if kind == "fif":
        raw.save(folder / "a_raw.fif.gz", verbose="ERROR")
        return folder / "a_raw.fif.gz"
    if kind == "bdf":
        levels = (x / 3200e-6 * 2**23).round().astype(int).reshape(len(x), -1, RATE)
        signals = [(n, "uV", d) for n, d in zip(names, levels, strict=True)]
        return write(folder / "a.bdf", edf_bytes(signals, bdf=True))
    if kind == "brainvision":
        return write_brainvision(folder, x, names)
    return write_gdf(folder, x, names) if kind == "gdf" else write_egi(folder, x)


@pytest.mark.parametrize("kind", ["edf", "bdf", "gdf", "brainvision", "eeglab", "fif", "egi"])
def test_written_file_reads_back(kind, tmp_path):
    names = ["Fz", "Cz", "O1"]
    x = samples(3)
    path = write_any(kind, tmp_path, x, names)
    assert sniff(path) == kind
    # What a file is does not hang on its name.
    assert sniff(path.rename(path.with_name("b" + path.name))) == kind
    path.with_name("b" + path.name).rename(path)
    rec = read_mne_file(path)
    eeg = rec["eeg"]
    np.testing.assert_allclose(eeg.values, x.T, atol=1.1e-7)
    assert eeg.attrs["sampling_rate"] == RATE
    if kind != "egi":
        assert eeg["channel"].values.tolist() == names
        assert eeg.sel(channel="O1")["y"] < eeg.sel(channel="Fz")["y"]
    np.testing.assert_array_equal(read_mne_file(path, lazy=True)["eeg"].values, eeg.values)


def test_content_counts_not_the_extension(tmp_path):
    path = write(tmp_path / "night.rec", edf_bytes([("Fz", "uV", digital())]))
    assert sniff(path) == "edf"
    assert read_mne_file(path)["eeg"].sizes["time"] == 4 * RATE


def test_snirf_keeps_the_optodes(tmp_path):
    path = write_snirf(tmp_path, samples(2))
    assert sniff(path) == "snirf"
    fnirs = read_mne_file(path)["fnirs"]
    assert fnirs.sizes["channel"] == 2
    np.testing.assert_allclose(fnirs["loc_9"], [760, 850])
    np.testing.assert_allclose(fnirs["loc_3"] - fnirs["loc_6"], -0.002, atol=1e-6)


def test_companion_files_lead_to_the_header(tmp_path):
    write_brainvision(tmp_path, samples(2), ["Fz", "Cz"])
    whole = read_mne_file(tmp_path / "a.vhdr")
    assert whole.events["trial_type"].tolist() == ["Stimulus/S  1"]
    assert whole.events["onset"].tolist() == [1.0]
    for companion in ("a.eeg", "a.vmrk"):
        assert read_mne_file(tmp_path / companion).identical(whole)


# Names, types, units


def test_names_types_and_bads(tmp_path):
    names = ["EEG Fp1-REF", "EEG T3-REF", "EOG left", "EKG", "Resp"]
    signals = [(n, "uV" if n != "Resp" else "l/s", digital(seed=i)) for i, n in enumerate(names)]
    path = write(tmp_path / "a.edf", edf_bytes(signals))
    rec = read_mne_file(path, bads=["EEG T3-REF"], line_frequency=50, types={"EKG": "emg"})
    eeg = rec["eeg"]
    assert eeg["channel"].values.tolist() == ["Fp1", "T7", "EOG left", "EKG"]
    assert eeg["type"].values.tolist() == ["eeg", "eeg", "eog", "emg"]
    assert eeg["bad"].values.tolist() == [False, True, False, False]
    assert eeg["name_in_file"].values.tolist() == names[:4]
    assert eeg.attrs["line_frequency"] == 50
    assert rec["behaviour"]["variable"].values.tolist() == ["Resp"]
    assert eeg.sel(channel="Fp1")["y"] > 0.05
    plain = read_mne_file(path, rename=False)["eeg"]
    assert plain["channel"].values.tolist() == names[:4]


def test_montage_can_be_chosen(tmp_path):
    path = write(tmp_path / "a.edf", edf_bytes([("A1", "uV", digital()), ("A2", "uV", digital())]))
    eeg = read_mne_file(path, montage="biosemi64", rename=False)["eeg"]
    assert "x" not in eeg.coords
    eeg = read_mne_file(path, montage="biosemi128", rename=False)["eeg"]
    assert eeg.attrs["positions"] == "biosemi128"
    with pytest.raises(UnknownNameError, match="Did you mean 'biosemi128'"):
        read_mne_file(path, montage="biosemi127")


def test_depth_names_get_no_scalp_positions(tmp_path):
    names = ["T1", "T2", "T3", "HL1", "HL2", "HL3"]
    path = write(tmp_path / "a.edf", edf_bytes([(n, "uV", digital()) for n in names]))
    eeg = read_mne_file(path)["eeg"]
    assert eeg["channel"].values.tolist() == names
    assert "x" not in eeg.coords


def test_rates_are_not_mixed(tmp_path):
    """As in Sleep-EDF: EEG at 100 Hz beside envelopes and flow at 1 Hz."""
    fast, slow = digital(30, 100), digital(30, 1, seed=1)
    signals = [
        ("EEG Fpz-Cz", "uV", fast),
        ("EMG submental", "uV", slow),
        ("Temp rectal", "C", slow),
    ]
    rec = read_mne_file(write(tmp_path / "a.edf", edf_bytes(signals)))
    assert {k: s.attrs["sampling_rate"] for k, s in rec.streams.items()} == {
        "eeg": 100.0,
        "eeg_1Hz": 1.0,
        "behaviour": 1.0,
    }
    scale = 6400e-6 / 65535
    np.testing.assert_allclose(
        rec["eeg_1Hz"].values[:, 0], (slow[:, 0] + 32768) * scale - 3200e-6, rtol=1e-4, atol=1e-12
    )


@pytest.mark.parametrize(
    ("dimension", "factor"), [("uV", 1.0), ("UV", 1.0), ("mV", 1e3), ("nV", 1e-3)]
)
def test_units_of_edf(tmp_path, dimension, factor):
    level = digital()
    path = write(tmp_path / "a.edf", edf_bytes([("Fz", dimension, level)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("neurokit.recording.checks._PLAUSIBLE_VOLTS", (0, np.inf))
        values = read_mne_file(path)["eeg"].values.ravel()
    truth = ((level.ravel() + 32768) * 6400 / 65535 - 3200) * 1e-6 * factor
    np.testing.assert_allclose(values, truth, rtol=1e-4, atol=1e-9 * factor)


@pytest.mark.parametrize("lazy", [False, True])
def test_microvolts_called_volts_warn_and_can_be_put_right(tmp_path, lazy):
    path = write(tmp_path / "a.edf", edf_bytes([("Fz", "", digital())]))
    with pytest.warns(UserWarning, match="implausible; the values look like microvolts"):
        read_mne_file(path, lazy=lazy)
    eeg = read_mne_file(path, lazy=lazy, units="uV")["eeg"]
    assert 1e-6 < eeg.values.std() < 1e-4


# Broken files


def test_truncated_edf_says_how_much_is_there(tmp_path):
    whole = edf_bytes([("Fz", "uV", digital(10)), ("Cz", "uV", digital(10))])
    path = write(tmp_path / "a.edf", whole[: 768 + 6 * 512 + 100])
    with pytest.raises(ReadError, match=r"a.edf is truncated: it holds 6 of the 10 records"):
        read_mne_file(path)
    with pytest.raises(ReadError, match="Copy it again"):
        read_mne_file(path, lazy=True)


def test_open_ended_edf_is_read_to_its_end(tmp_path):
    path = write(tmp_path / "a.edf", edf_bytes([("Fz", "uV", digital(7))], n_records=-1))
    assert read_mne_file(path)["eeg"].sizes["time"] == 7 * RATE


def test_more_records_than_promised_warn(tmp_path):
    path = write(tmp_path / "a.edf", edf_bytes([("Fz", "uV", digital(7))], n_records=5))
    with pytest.warns(UserWarning, match="promises 5 records, the file holds 7"):
        assert read_mne_file(path)["eeg"].sizes["time"] == 7 * RATE


def test_discontinuous_edf(tmp_path):
    signals = [("Fz", "uV", digital(5))]
    gapless = edf_bytes(signals, reserved=b"EDF+D", onsets=[0, 1, 2, 3, 4])
    assert read_mne_file(write(tmp_path / "a.edf", gapless))["eeg"].sizes["time"] == 5 * RATE
    gaps = edf_bytes(signals, reserved=b"EDF+D", onsets=[0, 1, 7.5, 8.5, 20])
    with pytest.raises(ReadError, match=r"2 gaps in 5 records, the first of 5.5 s after 2 s"):
        read_mne_file(write(tmp_path / "b.edf", gaps))
    untimed = edf_bytes(signals, reserved=b"EDF+D")
    with pytest.raises(ReadError, match="does not time its records"):
        read_mne_file(write(tmp_path / "c.edf", untimed))


@pytest.mark.parametrize(
    ("at", "text", "message"),
    [
        (236, b"9999999 ", "is truncated: it holds 4 of the 9999999"),
        (236, b"abc     ", "number of records is 'abc', not a number"),
        (236, b"0       ", "claims 0 records"),
        (252, b"9999", "claims 9999 signals"),
        (252, b"-1  ", "claims -1 signals"),
        (184, b"999     ", "512 header bytes|999 header bytes"),
        (244, b"0       ", "lasts 0 s"),
        (244, b"nan     ", "record duration is 'nan'"),
        (256 + 216, b"0       ", "claims 0 samples a record"),
        (256 + 216, b"99999999", "is truncated"),
        (256 + 120, b"-32768  ", r"scale|range"),
    ],
)
def test_damaged_edf_header(tmp_path, at, text, message):
    whole = bytearray(edf_bytes([("Fz", "uV", digital())]))
    whole[at : at + len(text)] = text
    if at == 256 + 120:
        whole[256 + 128 : 256 + 136] = b"-32768  "
    with pytest.raises(ReadError, match=message):
        read_mne_file(write(tmp_path / "a.edf", bytes(whole)))


def test_empty_physical_range_marks_the_channel_bad(tmp_path):
    whole = bytearray(edf_bytes([("Fz", "uV", digital())]))
    whole[256 + 104 : 256 + 112] = b"3200    "
    path = write(tmp_path / "a.edf", bytes(whole))
    with pytest.warns(UserWarning, match=r"gives channels \['Fz'\] no range"):
        assert read_mne_file(path)["eeg"]["bad"].values.tolist() == [True]


def test_repeated_names_are_numbered_with_a_warning(tmp_path):
    signals = [("Fz", "uV", digital()), ("Fz", "uV", digital(seed=1))]
    with pytest.warns(UserWarning, match=r"names \['Fz'\] occur twice"):
        eeg = read_mne_file(write(tmp_path / "a.edf", edf_bytes(signals)))["eeg"]
    assert eeg["channel"].values.tolist() == ["Fz-0", "Fz-1"]


def test_nan_channel_is_refused_unless_bad(tmp_path):
    raw = make_raw(["Fz", "Cz"])
    raw._data[1, 9] = np.nan
    raw.save(tmp_path / "a_raw.fif", verbose="ERROR")
    with pytest.raises(DataError, match="hold NaN or infinity: 'Cz'"):
        read_mne_file(tmp_path / "a_raw.fif")
    with pytest.raises(DataError, match="'Cz'"):
        read_mne_file(tmp_path / "a_raw.fif", lazy=True)
    eeg = read_mne_file(tmp_path / "a_raw.fif", bads=["Cz"])["eeg"]
    assert np.isnan(eeg.values).sum() == 1


def test_annotations_past_the_end_are_reported(tmp_path):
    onsets = [0, 1, 2, 3]
    whole = edf_bytes([("Fz", "uV", digital(4))], reserved=b"EDF+C", onsets=onsets)
    note = b"+99\x14late\x14\x00"
    plain = b"+3\x14\x14\x00"
    assert plain + bytes(len(note)) in whole
    path = write(tmp_path / "a.edf", whole.replace(plain + bytes(len(note)), plain + note))
    with pytest.warns(UserWarning, match=r"a.edf: .*annotation"):
        assert "late" not in read_mne_file(path).events["trial_type"].tolist()


def test_brainvision_that_does_not_fit(tmp_path):
    x = samples(2)
    path = write_brainvision(tmp_path, x, ["Fz", "Cz"])
    (tmp_path / "a.eeg").write_bytes((tmp_path / "a.eeg").read_bytes()[:-3])
    with pytest.raises(ReadError, match=r"a.eeg is truncated: 2045 bytes are 511.25 samples"):
        read_mne_file(path)
    write_brainvision(tmp_path, x, ["Fz", "Cz"], points=513)
    with pytest.raises(ReadError, match="the header promises 513"):
        read_mne_file(path)
    write_brainvision(tmp_path, x, ["Fz", "Cz", "Pz"])
    with pytest.raises(ReadError, match="claims 2 channels but lists 3"):
        read_mne_file(path)
    for elsewhere in ("../a.eeg", "gone.eeg", "/etc/hostname", ""):
        write_brainvision(tmp_path, x, ["Fz", "Cz"], data_file=elsewhere)
        with pytest.raises(ReadError, match="is not beside it"):
            read_mne_file(path)


def test_gdf_that_does_not_fit(tmp_path):
    path = write_gdf(tmp_path, samples(2), ["Fz", "Cz"], n_records=10**9)
    with pytest.raises(ReadError, match="promises 1000000000 records"):
        read_mne_file(path)
    whole = bytearray(path.read_bytes())
    whole[252:256] = b"\xff" * 4
    with pytest.raises(ReadError, match="claims 4294967295 channels"):
        read_mne_file(write(path, bytes(whole)))


def test_eeglab_without_its_samples(tmp_path):
    source = shared("eeg", "eeglab_sample", "eeglab_data.set")
    (tmp_path / "eeglab_data.set").write_bytes(source.read_bytes())
    with pytest.raises(ReadError, match="cannot be read as EEGLAB"):
        read_mne_file(tmp_path / "eeglab_data.set")
    half = source.with_suffix(".fdt").read_bytes()[:100_000]
    (tmp_path / "eeglab_data.fdt").write_bytes(half)
    with pytest.raises(ReadError, match="eeglab_data.fdt has 100000 bytes"):
        read_mne_file(tmp_path / "eeglab_data.set")


def test_truncated_fif(tmp_path):
    make_raw(["Fz", "Cz"], seconds=60).save(tmp_path / "a_raw.fif", verbose="ERROR")
    whole = (tmp_path / "a_raw.fif").read_bytes()
    with pytest.raises(ReadError, match="a_raw.fif"):
        read_mne_file(write(tmp_path / "a_raw.fif", whole[: len(whole) // 2]))


def test_hdf5_that_points_elsewhere(tmp_path):
    path = write_snirf(tmp_path, samples(2))
    with h5py.File(path, "a") as file:
        file["nirs/stim1"] = h5py.ExternalLink("/etc/other.h5", "/x")
    with pytest.raises(ReadError, match="other.h5|another file|outside"):
        read_mne_file(path)


def test_what_is_no_recording(tmp_path):
    page = write(tmp_path / "a.edf", b"<!DOCTYPE html><html>404</html>" * 20)
    assert sniff(page) is None
    with pytest.raises(ReadError, match=r"a.edf is none of the formats .* error page"):
        read_mne_file(page)
    with pytest.raises(ReadError, match="There is no file"):
        read_mne_file(tmp_path / "gone.edf")
    for content in (b"", b"0       ", b"GDF 1.25", b"\xffBIOSEMI", b"MATLAB 5.0 MAT-file"):
        path = write(tmp_path / "b.edf", content)
        with pytest.raises(ReadError, match="b.edf"):
            read_mne_file(path)


def test_wrong_requests(tmp_path):
    path = write(tmp_path / "a.edf", edf_bytes([("Fz", "uV", digital())]))
    with pytest.raises(UnknownNameError, match="Unknown channel 'Fs'. Did you mean 'Fz'"):
        read_mne_file(path, bads=["Fs"])
    with pytest.raises(UnknownNameError, match="Unknown channel type 'eegg'. Did you mean 'eeg'"):
        read_mne_file(path, types={"Fz": "eegg"})
    with pytest.raises(DataError, match="'tesla' is not a voltage"):
        read_mne_file(path, units="tesla")


def test_dispatcher_finds_the_reader(tmp_path):
    reading = pytest.importorskip("neurokit.datasets.reading")
    path = write(tmp_path / "a.edf", edf_bytes([("Fz", "uV", digital())]))
    assert reading.read(path).identical(read_mne_file(path))


def test_a_bids_name_says_that_contacts_lie_inside_the_head(tmp_path):
    x = 2e-5 * np.random.default_rng(0).normal(size=(3, 512))
    info = mne.create_info(["A1", "A2", "ECG"], 256, ["eeg", "eeg", "ecg"])
    raw = mne.io.RawArray(x, info, verbose=False)
    for suffix, stream in (("ieeg", "ieeg"), ("eeg", "eeg")):
        path = tmp_path / f"sub-01_{suffix}.edf"
        mne.export.export_raw(path, raw, verbose="ERROR")
        assert read_mne_file(path)[stream].sizes["channel"] == 3


def cnt_bytes(x, rate, names, events):
    """A Neuroscan file: 900 bytes, 75 a channel, int16 samples in turn, the event table."""
    head = bytearray(900 + 75 * len(names))
    head[:11] = b"Version 3.0"
    data = x.T.astype("<i2").tobytes()
    for at, kind, value in (
        (370, "<H", len(names)),
        (376, "<H", rate),
        (864, "<i", x.shape[1]),
        (886, "<i", len(head) + len(data)),
    ):
        struct.pack_into(kind, head, at, value)
    for number, name in enumerate(names):
        at = 900 + 75 * number
        head[at : at + len(name)] = name.encode()
        struct.pack_into("<f", head, at + 59, 204.8)
        struct.pack_into("<f", head, at + 71, 0.5)
    start = len(head)
    table = b"".join(
        struct.pack("<HBBi", code, 0, 0, start + 2 * len(names) * (sample + 1))
        for sample, code in events
    )
    return bytes(head) + data + struct.pack("<Bii", 1, len(table), 0) + table


def test_neuroscan_cnt(tmp_path):
    x = np.random.default_rng(0).integers(-100, 100, (3, 500))
    path = write(tmp_path / "a.cnt", cnt_bytes(x, 250, ["FZ", "CZ", "VEOG"], [(50, 7), (300, 9)]))
    rec = read_mne_file(path)
    assert sniff(path) == "cnt"
    assert rec["eeg"]["channel"].values.tolist() == ["Fz", "Cz", "VEOG"]
    assert rec["eeg"]["type"].values.tolist() == ["eeg", "eeg", "eog"]
    np.testing.assert_allclose(rec["eeg"].values.T, x * 0.5e-6, rtol=1e-6)
    assert rec["eeg"].attrs["sampling_rate"] == 250
    np.testing.assert_allclose(rec.events["onset"], [0.2, 1.2])
    assert rec.events["trial_type"].tolist() == ["7", "9"]


def test_a_neuroscan_file_that_was_cut_is_refused(tmp_path):
    x = np.random.default_rng(0).integers(-100, 100, (3, 500))
    whole = cnt_bytes(x, 250, ["FZ", "CZ", "VEOG"], [(50, 7)])
    path = write(tmp_path / "a.cnt", whole[:2000])
    with pytest.raises(ReadError, match="a.cnt"):
        read_mne_file(path)
