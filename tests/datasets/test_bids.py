"""BIDS data sets, tidy and untidy."""

import json
from pathlib import Path

import mne
import nibabel
import numpy as np
import pytest

from neurokit import Recording
from neurokit.datasets.bids import read_bids
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.recording.checks import in_memory

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
RATE = 128
CHANNELS = ["Fz", "T3", "EOG1", "Resp"]


def shared(name):
    path = SHARED / "ieeg" / name
    if not path.exists():
        pytest.skip("the shared recordings are not here")
    return path


def put(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def table(*rows):
    return "\n".join("\t".join(map(str, row)) for row in rows) + "\n"


def put_eeg(root, stem, datatype="eeg", names=CHANNELS):
    path = root / f"{stem}_{datatype}.edf"
    path.parent.mkdir(parents=True, exist_ok=True)
    x = 2e-5 * np.random.default_rng(0).normal(size=(len(names), 4 * RATE))
    raw = mne.io.RawArray(x, mne.create_info(list(names), RATE, "eeg"), verbose="ERROR")
    mne.export.export_raw(path, raw, verbose="ERROR")
    return path


@pytest.fixture
def root(tmp_path):
    """Two subjects, one with two sessions; sidecars at several levels."""
    for sub, ses, run in [("01", "a", "1"), ("01", "b", "1"), ("01", "b", "02"), ("02", "a", "1")]:
        name = f"sub-{sub}_ses-{ses}_task-rest_run-{run}"
        put_eeg(tmp_path, f"sub-{sub}/ses-{ses}/eeg/{name}")
    put(tmp_path / "task-rest_eeg.json", {"PowerLineFrequency": 50, "EEGReference": "Cz"})
    put(
        tmp_path / "participants.tsv",
        "\ufeff" + table(["participant_id", "age", "sex"], ["sub-01", 31, "n/a"]),
    )
    put(
        tmp_path / "task-rest_channels.tsv",
        "\ufeff"
        + table(
            ["name", "type", "units", "status"],
            ["Fz", "EEG", "uV", "good"],
            ["T3", "EEG", "uV", "bad"],
            ["EOG1", "VEOG", "uV", "n/a"],
            ["Resp", "RESP", "uV", "good"],
        ),
    )
    put(tmp_path / "dataset_description.json", {"Name": "made up", "License": "CC0"})
    return tmp_path


def test_everything_that_sidecars_say(root):
    recs = read_bids(root)
    assert [(r.meta["subject"], r.meta["session"], r.meta["run"]) for r in recs] == [
        ("01", "a", "1"),
        ("01", "b", "02"),
        ("01", "b", "1"),
        ("02", "a", "1"),
    ]
    rec = recs[0]
    eeg = rec["eeg"]
    assert not in_memory(eeg)
    assert eeg["channel"].values.tolist() == ["Fz", "T7", "EOG1"]
    assert eeg["type"].values.tolist() == ["eeg", "eeg", "eog"]
    assert eeg["bad"].values.tolist() == [False, True, False]
    assert rec["behaviour"]["type"].values.tolist() == ["resp"]
    assert eeg.attrs["line_frequency"] == 50
    assert eeg.attrs["recording_reference"] == "Cz"
    assert rec.meta["participant"] == {"age": 31}
    assert (rec.meta["dataset"], rec.meta["licence"]) == ("made up", "CC0")
    assert rec.meta["source"] == "sub-01_ses-a_task-rest_run-1_eeg.edf"
    assert "participant" not in recs[-1].meta


def test_nearer_sidecar_wins(root):
    near = root / "sub-01/ses-a/eeg/sub-01_ses-a_task-rest_run-1_eeg.json"
    put(near, {"PowerLineFrequency": 60, "EEGReference": None, "TaskName": None})
    rec, other = read_bids(root, subject="01", run=1)
    assert rec["eeg"].attrs["line_frequency"] == 60
    assert rec["eeg"].attrs["recording_reference"] == "Cz"
    assert other["eeg"].attrs["line_frequency"] == 50


@pytest.mark.parametrize(
    ("kwargs", "count"),
    [
        ({"subject": "01"}, 3),
        ({"subject": "sub-01", "session": "b"}, 2),
        ({"subject": ["01", "02"], "session": "a"}, 2),
        ({"subject": 1, "run": 2}, 1),
        ({"task": "rest"}, 4),
    ],
)
def test_filters(root, kwargs, count):
    assert len(read_bids(root, "eeg", **kwargs)) == count


def test_events_and_positions(root):
    folder = root / "sub-02/ses-a/eeg"
    stem = "sub-02_ses-a_task-rest_run-1"
    put(
        folder / f"{stem}_events.tsv",
        table(
            ["onset", "duration", "trial_type", "value", "response"],
            [2.5, 0.1, "b", 2, "n/a"],
            [0.5, "n/a", "n/a", 1, "left"],
        ),
    )
    put(
        folder / "sub-02_ses-a_space-CapTrak_electrodes.tsv",
        table(
            ["name", "x", "y", "z"], ["Fz", 0, 80, 60], ["T3", -80, 0, 10], ["EOG1", *["n/a"] * 3]
        ),
    )
    put(
        folder / "sub-02_ses-a_space-CapTrak_coordsystem.json",
        {
            "EEGCoordinateSystem": "CapTrak",
            "EEGCoordinateUnits": "mm",
            "FiducialsCoordinateUnits": "m",
        },
    )
    (rec,) = read_bids(root, subject="02")
    assert rec.events["onset"].tolist() == [0.5, 2.5]
    assert rec.events["duration"].tolist() == [0.0, 0.1]
    assert rec.events["trial_type"].isna().tolist() == [True, False]
    assert rec.events["value"].tolist() == [1, 2]
    eeg = rec["eeg"]
    np.testing.assert_allclose(eeg["x"], [0, -0.08, np.nan])
    np.testing.assert_allclose(eeg["y"], [0.08, 0, np.nan])
    assert eeg.attrs["coordinate_frame"] == "CapTrak"


def test_units_of_positions_must_be_known(root):
    folder = root / "sub-02/ses-a/eeg"
    put(folder / "sub-02_electrodes.tsv", table(["name", "x", "y", "z"], ["Fz", 1, 2, 3]))
    with pytest.warns(UserWarning, match="positions in 'n/a' cannot be brought to metres"):
        read_bids(root, subject="02")


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"subject": "10"}, UnknownNameError, "Unknown subject '10'.*'01', '02'"),
        ({"task": "rast"}, UnknownNameError, "Did you mean 'rest'"),
        ({"session": "c"}, UnknownNameError, "Unknown session 'c'.*'a', 'b'"),
        ({"datatype": "egg"}, UnknownNameError, "Unknown datatype 'egg'"),
        (
            {"datatype": "ieeg"},
            ReadError,
            r"holds no ieeg recording; its folders are called \['eeg'\]",
        ),
    ],
)
def test_nothing_found_says_what_is_there(root, kwargs, error, message):
    with pytest.raises(error, match=message):
        read_bids(root, **kwargs)


def test_wrong_folder(root, tmp_path):
    with pytest.raises(ReadError, match="There is no folder"):
        read_bids(root / "nope")
    with pytest.raises(ReadError, match="subject='01'"):
        read_bids(root / "sub-01")
    (tmp_path / "study" / "raw" / "sub-01").mkdir(parents=True)
    with pytest.raises(ReadError, match=r"no sub-\* folder. There are in \['raw'\]: give one"):
        read_bids(tmp_path / "study")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("task-rest_eeg.json", "{not json", "task-rest_eeg.json: not valid JSON"),
        ("task-rest_eeg.json", "[1]", "holds a list, expected an object"),
        ("task-rest_channels.tsv", "", "channels.tsv: not a tab-separated table: it is empty"),
        ("task-rest_channels.tsv", "a\tb\n1\t2\t3\n", "row 1 has more cells than the head"),
        ("task-rest_channels.tsv", "label\ttype\nFz\tEEG\n", "expected a column 'name'"),
        ("task-rest_events.tsv", "time\n1\n", "expected columns onset and duration"),
        ("participants.tsv", "id\nsub-01\n", "expected a column participant_id"),
        ("electrodes.tsv", "name\tx\nFz\t1\n", "expected columns name, x, y, z"),
    ],
)
def test_damaged_sidecar(root, name, content, message):
    put(root / name, content)
    with pytest.raises(ReadError, match=message):
        read_bids(root)


def test_events_past_the_end_name_the_file(root):
    put(root / "task-rest_events.tsv", table(["onset", "duration"], [99, 0]))
    with pytest.raises(DataError, match="run-1_eeg.edf: 1 of 1 events lie past the end"):
        read_bids(root)


def test_channels_that_the_file_lacks_are_reported(root):
    put(root / "task-rest_channels.tsv", table(["name", "type"], ["Fz", "EEG"], ["Pz", "EEG"]))
    with pytest.warns(UserWarning, match=r"lists 1 channels that the file does not have: \['Pz'\]"):
        assert len(read_bids(root, subject="02")) == 1


def test_a_set_without_any_sidecar(tmp_path):
    put_eeg(tmp_path, "sub-x/eeg/sub-x_task-rest")
    (rec,) = read_bids(tmp_path)
    assert rec["eeg"]["type"].values.tolist() == ["eeg", "eeg", "eog"]
    assert rec.meta["subject"] == "x"


def test_depth_recording_with_byte_order_mark_and_null_task(tmp_path):
    (rec,) = read_bids(shared("seeg_zurich_bids"), "ieeg")
    ieeg = rec["ieeg"]
    assert ieeg.sizes == {"time": 10_000, "channel": 50}
    assert ieeg.attrs["sampling_rate"] == 2000
    assert set(ieeg["type"].values) == {"ecog"}
    assert ieeg.attrs["line_frequency"] == 50
    assert len(rec.events) == 68
    assert rec.events["trial_type"].iloc[0] == "fr_PHR1-2"
    assert rec.meta["participant"]["epilepsy"] == "TLE"
    loaded = rec.load()
    assert Recording.open(rec.save(tmp_path / "x.zarr")).identical(loaded)


def test_grip_force_beside_cortex_and_nucleus(tmp_path):
    with pytest.warns(UserWarning, match="implausible"):
        (rec,) = read_bids(shared("pynm_gripforce"), "ieeg")
    ieeg, force = rec["ieeg"], rec["behaviour"]
    assert ieeg.sizes["channel"] == 9
    assert ieeg["type"].values.tolist() == ["dbs"] * 3 + ["ecog"] * 6
    assert ieeg["channel"].values[3] == "ECOG_RIGHT_0"
    assert ieeg.attrs["sampling_rate"] == 1000
    assert rec.duration == pytest.approx(19, abs=0.01)
    assert force["variable"].values.tolist() == ["MOV_RIGHT"]
    place = ieeg.sel(channel="ECOG_RIGHT_0")
    np.testing.assert_allclose(
        [place[a] for a in "xyz"], [0.037318174, -0.04861012664, 0.06179765474]
    )
    with pytest.warns(UserWarning, match="implausible"):
        loaded = rec.load()
    with pytest.warns(UserWarning, match="implausible"):
        assert Recording.open(rec.save(tmp_path / "x.zarr")).load().identical(loaded)


def put_bold(root, name, n=12):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    x = np.random.default_rng(0).normal(100, 5, size=(3, 3, 2, n)).astype("f4")
    nibabel.save(nibabel.Nifti1Image(x, np.diag([3.0, 3, 3, 1])), path)
    return x


def test_functional_runs(tmp_path):
    pytest.importorskip("neurokit.datasets.fmri")
    x = put_bold(tmp_path, "sub-01/func/sub-01_task-film_bold.nii.gz")
    put(tmp_path / "task-film_bold.json", {"RepetitionTime": 1.5})
    put(
        tmp_path / "sub-01/func/sub-01_task-film_events.tsv",
        table(["onset", "duration", "trial_type"], [3, 1, "scene"]),
    )
    (rec,) = read_bids(tmp_path, "func")
    assert rec["bold"].attrs["sampling_rate"] == pytest.approx(1 / 1.5)
    assert rec["bold"].sizes["time"] == 12
    assert not in_memory(rec["bold"])
    assert rec.events["trial_type"].tolist() == ["scene"]
    assert (rec.meta["subject"], rec.meta["task"]) == ("01", "film")
    assert np.sort(rec["bold"][0].values)[-1] == pytest.approx(x[..., 0].max())


def test_functional_run_without_repetition_time(tmp_path):
    pytest.importorskip("neurokit.datasets.fmri")
    put_bold(tmp_path, "sub-01/func/sub-01_task-film_bold.nii.gz")
    with pytest.raises((DataError, ReadError), match="sub-01_task-film_bold.nii.gz"):
        read_bids(tmp_path, "func")


def test_parcellated_derivatives(tmp_path):
    pytest.importorskip("neurokit.datasets.fmri")
    folder = tmp_path / "sub-01/func"
    rows = np.random.default_rng(0).normal(size=(20, 2)).round(3).tolist()
    put(folder / "sub-01_task-rest_atlas-x_timeseries.tsv", table(["V1", "V2"], *rows))
    put(folder / "sub-01_task-rest_atlas-x_timeseries.json", {"RepetitionTime": 2.0})
    put(folder / "sub-01_task-rest_desc-confounds_timeseries.tsv", table(["a", "b"], *rows))
    (rec,) = read_bids(tmp_path, "func")
    np.testing.assert_allclose(rec["bold"].values, rows, rtol=1e-6)
    assert rec["bold"].attrs["sampling_rate"] == 0.5
