"""The corpora of Temple University Hospital, on generated files of their layouts."""

import numpy as np
import pytest

from neurokit.datasets.tuh import TCP, read_tuh, tcp_montage
from neurokit.datasets.tuh_annotations import read_annotations, read_joint_table
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.recording.checks import in_memory
from neurokit.windows import sliding

edfio = pytest.importorskip("edfio")

SITES = [
    *("FP1", "FP2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2", "F7", "F8"),
    *("T3", "T4", "T5", "T6", "A1", "A2", "FZ", "CZ", "PZ"),
]
CSV = """# version = csv_v1.0.0
# bname = aaaaaaac_s001_t000
# duration = 20.00 secs
# montage_file = $NEDC_NFC/lib/nedc_eas_default_montage.txt
#
channel,start_time,stop_time,label,confidence
FP1-F7,4.0000,9.5000,cpsz,1.0000
FP1-F7,0.0000,4.0000,bckg,1.0000
"""
CSV_BI = CSV.split("FP1-F7")[0] + "TERM,0.0,4.0,bckg,1.0\nTERM,4.0,9.5,seiz,1.0\n"
TSE = "version = tse_v1.0.0\n\n0.0000 5.0000 bckg 1.0000\n5.0000 25.0000 slow 0.9000\n"
LBL = """version = lbl_v1.0.0

montage = 0, FP1-F7: EEG FP1-REF -- EEG F7-REF
montage = 1, F7-T3: EEG F7-REF -- EEG T3-REF

number_of_levels = 1
level[0] = 1
symbols[0] = {0: '(null)', 1: 'spsw', 2: 'bckg', 3: 'seiz'}

label = {0, 0, 0.0000, 10.0000, 0, [0.0, 0.0, 1.0, 0.0]}
label = {0, 0, 2.0000, 6.5000, 1, [0.0, 0.0, 0.1, 0.9]}
label = {1, 0, 2.0000, 6.5000, 1, [0.0, 0.0, 0.1, 0.9]}
label = {0, 0, 7.0000, 8.0000, -1, [0.0, 1.0, 0.0, 0.0]}
"""


def edf(path, reference="REF", seconds=20, extra=("EKG1", "PHOTIC", "IBI", "ROC"), scale=30.0):
    """Write a recording as the corpora have it: prefix, reference, old names, others mixed in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(len(str(path)))
    names = [f"EEG {n}-{reference}" for n in SITES] + [
        f"{'' if n in ('PHOTIC', 'IBI') else 'EEG '}{n}-{reference}" for n in extra
    ]
    signals = [
        edfio.EdfSignal(
            scale * rng.standard_normal(100 * seconds),
            sampling_frequency=100,
            label=name,
            physical_dimension="uV",
            physical_range=(-3276.8, 3276.7),
        )
        for name in names
    ]
    edfio.Edf(signals).write(path)
    return path


@pytest.fixture
def tuab(tmp_path):
    for place in ("train/normal", "train/abnormal", "eval/normal", "eval/abnormal"):
        patient = f"aaaaa{place[0]}{place[-6]}{len(place):x}"
        edf(tmp_path / "edf" / place / "01_tcp_ar" / f"{patient}_s001_t000.edf")
    return tmp_path


def test_abnormal_recordings_are_labelled_by_their_folders(tuab):
    recs = read_tuh(tuab, "tuab")
    facts = [(r.meta["split"], r.meta["pathology"], r.meta["reference"]) for r in recs]
    assert facts == [
        (split, kind, "average") for split in ("eval", "train") for kind in ("abnormal", "normal")
    ]
    assert {r.meta["session"] for r in recs} == {"001"}
    assert len({r.meta["subject"] for r in recs}) == 4
    assert all(not len(r.events) for r in recs)


def test_sites_have_todays_names_and_other_channels_are_apart(tuab):
    rec = read_tuh(tuab, "tuab", split="eval")[0]
    eeg = rec["eeg"]
    sites = eeg["channel"].values[eeg["type"].values == "eeg"].tolist()
    assert len(sites) == 21
    assert {"Fp1", "T7", "T8", "P7", "P8", "Cz", "A1"} <= set(sites)
    assert "EEG T3-REF" in eeg["name_in_file"].values
    kinds = dict(zip(eeg["channel"].values.tolist(), eeg["type"].values.tolist(), strict=True))
    assert (kinds["EKG1"], kinds["ROC"]) == ("ecg", "eog")
    assert "IBI" in rec["behaviour"]["variable"].values
    assert "PHOTIC" in rec["triggers"]["channel"].values


def test_samples_are_volts_and_read_when_used(tuab):
    rec = read_tuh(tuab, "tuab")[0]
    assert not in_memory(rec["eeg"])
    assert rec["eeg"].attrs["units"] == "V"
    assert float(rec["eeg"].values.std()) == pytest.approx(30e-6, rel=0.05)


def test_choice_of_split_and_patient(tuab):
    assert len(read_tuh(tuab, "tuab", split="train")) == 2
    patient = read_tuh(tuab, "tuab")[0].meta["subject"]
    assert len(read_tuh(tuab, "tuab", subject=[patient])) == 1
    with pytest.raises(UnknownNameError, match="Unknown split 'dev'. Did you mean"):
        read_tuh(tuab, "tuab", split="dev")
    with pytest.raises(UnknownNameError, match="Unknown subject 'zz'"):
        read_tuh(tuab, "tuab", subject="zz")


def test_folders_above_the_corpus_say_nothing(tmp_path):
    edf(tmp_path / "train" / "normal" / "edf" / "01_tcp_ar" / "aaaaaaac_s001_t000.edf")
    (tmp_path / "train/normal/edf/01_tcp_ar/aaaaaaac_s001_t000.csv").write_text(CSV)
    assert "split" not in read_tuh(tmp_path, "tuar")[0].meta
    with pytest.raises(ReadError, match="no folder normal or abnormal"):
        read_tuh(tmp_path, "tuab")


def test_first_version_of_abnormal_keeps_patients_in_folders(tmp_path):
    place = "edf/train/abnormal/01_tcp_ar/004/00000415/s002_2003_01_05"
    edf(tmp_path / place / "00000415_s002_t000.edf")
    meta = read_tuh(tmp_path, "tuab")[0].meta
    assert (meta["subject"], meta["session"], meta["date"]) == ("00000415", "002", "2003_01_05")


@pytest.fixture
def tusz(tmp_path):
    for split, patient in (("train", "aaaaaaac"), ("dev", "aaaaaajd"), ("eval", "aaaaaaaq")):
        place = tmp_path / "edf" / split / patient / "s001_2002" / "02_tcp_le"
        path = edf(place / f"{patient}_s001_t000.edf", reference="LE")
        path.with_suffix(".csv").write_text(CSV)
        path.with_suffix(".csv_bi").write_text(CSV_BI)
    return tmp_path


def test_seizures_have_channels_and_types(tusz):
    rec = read_tuh(tusz, "tusz", split="train")[0]
    assert rec.meta["reference"] == "linked ears"
    assert rec.meta["subject"] == "aaaaaaac"
    found = rec.events[["onset", "duration", "trial_type", "channel"]].values.tolist()
    assert found == [[0.0, 4.0, "bckg", "FP1-F7"], [4.0, 5.5, "cpsz", "FP1-F7"]]


def test_two_class_annotations_label_windows(tusz):
    recs = read_tuh(tusz, "tusz", annotation="csv_bi")
    win = sliding(recs, stream="eeg", length=1.0, labels="trial_type")
    assert win.classes == ("bckg", "seiz")
    assert len(win) == 3 * 9
    assert win.labels.sum() == 3 * 5  # the middle of the tenth second is where the seizure ends


def test_first_version_of_seizures_with_lbl_and_tse(tmp_path):
    place = tmp_path / "edf/dev/01_tcp_ar/002/00000258/s001_2003_07_16"
    path = edf(place / "00000258_s001_t000.edf")
    path.with_suffix(".lbl").write_text(LBL)
    path.with_suffix(".tse").write_text(TSE)
    events = read_tuh(tmp_path, "tusz")[0].events
    assert events["channel"].tolist() == ["FP1-F7", "F7-T3", "TERM"]
    assert events["trial_type"].tolist() == ["bckg", "seiz", "spsw"]
    assert events["confidence"].tolist() == [1.0, 0.9, 1.0]
    with pytest.warns(UserWarning, match="1 annotations reach past the end"):
        events = read_tuh(tmp_path, "tusz", annotation="tse")[0].events
    assert (events["onset"] + events["duration"]).tolist() == [5.0, 20.0]


def test_slowing_files_with_an_old_number_belong_to_their_folder(tmp_path):
    place = tmp_path / "edf/aaaaanrc/s004_2012_10_11/01_tcp_ar"
    path = edf(place / "00009232_s004_t010.edf", seconds=25)
    path.with_suffix(".tse_agg").write_text(TSE)
    rec = read_tuh(tmp_path, "tusl")[0]
    assert rec.meta["subject"] == "aaaaanrc"
    assert rec.events["trial_type"].tolist() == ["bckg", "slow"]
    assert set(rec.events["channel"]) == {"TERM"}


def test_artefacts_of_the_second_version_lie_in_one_table(tmp_path):
    for patient in ("00000254", "00000297"):
        edf(tmp_path / f"edf/01_tcp_ar/002/{patient}/s005_2010_11_15/{patient}_s005_t000.edf")
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv/labels_01_tcp_ar.csv").write_text(
        "# file: labels\n# version\n"
        "# key, channel_label, start_time, stop_time, artifact_label, confidence\n#\n"
        "00000254_s005_t000, FP1-F7, 1.0, 2.5, eyem_musc, 1.0\n"
    )
    first, second = read_tuh(tmp_path, "tuar")
    assert first.events["trial_type"].tolist() == ["eyem_musc"]
    assert not len(second.events)


def test_missing_annotations_are_an_error(tusz):
    for path in tusz.rglob("*.csv*"):
        path.unlink()
    with pytest.raises(ReadError, match=r"no annotations beside it \(.csv, .lbl"):
        read_tuh(tusz, "tusz")


def test_what_is_no_corpus(tmp_path):
    with pytest.raises(ReadError, match="There is no folder"):
        read_tuh(tmp_path / "none", "tuab")
    with pytest.raises(ReadError, match=r"expected recordings called aaaaaaac_s001_t000.edf"):
        read_tuh(tmp_path, "tuab")
    with pytest.raises(DataError, match="corpus is 'tueg'"):
        read_tuh(tmp_path, "tueg")
    with pytest.raises(UnknownNameError, match="Unknown kind of annotation 'csv_by'"):
        read_tuh(tmp_path, "tusz", annotation="csv_by")


def test_files_of_other_names_are_left_out_with_a_warning(tuab):
    edf(tuab / "edf/train/normal/01_tcp_ar/notes.edf")
    with pytest.warns(UserWarning, match="1 .edf files below"):
        assert len(read_tuh(tuab, "tuab")) == 4


def test_montage_derives_the_channels_that_annotations_name(tuab):
    rec = read_tuh(tuab, "tuab")[0]
    derived = tcp_montage(rec)
    assert tuple(derived["eeg"]["channel"].values) == TCP
    raw = rec["eeg"]
    difference = raw.sel(channel="T7").values - raw.sel(channel="C3").values
    np.testing.assert_array_equal(derived["eeg"].sel(channel="T3-C3").values, difference)
    # Two derivations that share an electrode add up to a third.
    chain = derived["eeg"].sel(channel=["FP1-F7", "F7-T3"]).sum("channel")
    direct = raw.sel(channel="Fp1").values - raw.sel(channel="T7").values
    np.testing.assert_allclose(chain.values, direct, atol=1e-10)


def test_montage_without_ears_has_twenty_channels(tuab):
    rec = read_tuh(tuab, "tuab")[0]
    sites = [n for n in rec["eeg"]["channel"].values if n not in ("A1", "A2")]
    rec = rec.replace({"eeg": rec["eeg"].sel(channel=sites)})
    assert tcp_montage(rec)["eeg"].sizes["channel"] == 20
    with pytest.raises(DataError, match="None of the derivations FP1-F7"):
        tcp_montage(rec.replace({"eeg": rec["eeg"].sel(channel=["Fz", "Pz"])}))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "channel,begin\nTERM,0\n", "expected the columns channel, start_time"),
        ("a.csv", CSV + "TERM,x,2,seiz,1\n", "line 9: not an event"),
        ("a.csv", CSV + "TERM,5,2,seiz,1\n", "line 9: an event from 5 to 2 s"),
        ("a.tse", "version = tse_v1.0.0\n0.0 1.0\n", "line 2: not an event"),
        ("a.lbl", LBL + "label = {0, nonsense}\n", "not an event: '{0, nonsense}'"),
        ("a.lbl", LBL.replace("3: 'seiz'", ""), "do not fit the 3 symbols"),
        ("a.rec", "0,1,2,3", "expected an annotation file"),
    ],
)
def test_damaged_annotations_name_the_line(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ReadError, match=message):
        read_annotations(tmp_path / name)


def test_joint_table_without_header(tmp_path):
    (tmp_path / "t.csv").write_text("00000254_s005_t000, FP1-F7, 1.0, 2.5, eyem\n")
    with pytest.raises(ReadError, match="no line names the columns"):
        read_joint_table(tmp_path / "t.csv")
