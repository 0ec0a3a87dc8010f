"""Tables of parcellated series."""

from pathlib import Path

import numpy as np
import pytest

from neurokit.datasets.bids_names import entities
from neurokit.datasets.fmri import read_timeseries_table, sniff
from neurokit.datasets.reading import read
from neurokit.errors import DataError, ReadError
from neurokit.recording import Recording

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY.parent / "shared" / "data" / "fmri" / "brainfc_rest01"
VALUES = np.array([[0.5, 1.5], [0.75, 1.25], [0.25, -1e-3]])


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text", "rois"),
    [
        ("a.tsv", "V1\tV2\n0.5\t1.5\n0.75\t1.25\n0.25\t-1e-3\n", ["V1", "V2"]),
        ("a.csv", "\ufeffV1,V2\r\n0.5,1.5\r\n0.75,1.25\r\n0.25,-1e-3\r\n", ["V1", "V2"]),
        ("a.csv", "V1;V2\n0.5;1.5\n0.75;1.25\n0.25;-1e-3", ["V1", "V2"]),
        ("a.csv", '"V 1","a, b"\n0.5,1.5\n0.75,1.25\n0.25,-1e-3\n', ["V 1", "a, b"]),
        ("a.txt", "0.5 1.5\n0.75   1.25\n\n 0.25 -1e-3\n", ["1", "2"]),
        ("a.1D", "# 3dROIstats\n#2001\t#2102\n0.5\t1.5\n0.75\t1.25\n0.25\t-1e-3", ["2001", "2102"]),
        ("a.tsv", "1\t2\n0.5\t1.5\n0.75\t1.25\n0.25\t-1e-3\n", ["1", "2"]),
        ("a.csv", ",V1,V2\n0,0.5,1.5\n1,0.75,1.25\n2,0.25,-1e-3\n", ["V1", "V2"]),
    ],
)
def test_dialects(tmp_path, name, text, rois):
    path = write(tmp_path / name, text)
    bold = read_timeseries_table(path, sampling_rate=0.5)["bold"]
    np.testing.assert_array_equal(bold.values, VALUES.astype(np.float32))
    assert bold["roi"].values.tolist() == rois
    assert bold.attrs["sampling_rate"] == 0.5
    assert sniff(path) == "timeseries"


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("V1\tV2\n0.5\t1.5\n0.75\n", "line 3 has 1 cells, expected 2"),
        ("V1\tV2\n0.5\t1.5\t3\n", "line 2 has 3 cells, expected 2"),
        ("V1\tV2\n0.5\t1.5\n0.75\tlow\n", "line 3, column 'V2' holds 'low', expected a number"),
        ("V1\tV2\n0.5\t1.5\n0.75\tn/a\n", r"1 cells are missing.*row 2 \(line 3\), column 'V2'"),
        ("V1\tV2\n0.5\t1.5\n0.75\tinf\n", "not finite"),
        ("V1\tV2\n0.5\t1e60\n0.75\t1\n", "not finite"),
        ("V1\tV2\n", "has a header and no rows"),
        ("", "the table is empty"),
        ("V1\tV2\nn/a\tn/a\n", "every cell is missing"),
        ("V1\tV2\n0.5\t\0\n", "NUL bytes"),
        ('V1,"V2\n0.5,1\n', "cannot be read as a table"),
        ("V1\tV2\n0.5\t" + "1" * 5000, "cell of 5000 signs"),
    ],
)
def test_bad_tables_name_the_place(tmp_path, text, match):
    with pytest.raises(ReadError, match=match):
        read_timeseries_table(write(tmp_path / "a.tsv", text), repetition_time=2.0)


def test_not_text(tmp_path):
    (tmp_path / "a.tsv").write_bytes("V1\tV2\n1\t2".encode("utf-16"))
    with pytest.raises(ReadError, match="cannot be read as UTF-8"):
        read_timeseries_table(tmp_path / "a.tsv", repetition_time=2.0)


def test_rates(tmp_path):
    path = write(tmp_path / "a.csv", "V1,V2\n0.5,1.5\n")
    with pytest.raises(DataError, match=r"a.csv: .*TR\) is nowhere"):
        read_timeseries_table(path)
    with pytest.raises(DataError, match=r"read as a table of ROIs.*format='spike_table'.*from_arr"):
        read_timeseries_table(path)
    with pytest.raises(DataError, match="not both"):
        read_timeseries_table(path, repetition_time=2, sampling_rate=2)
    with pytest.raises(DataError, match="sampling rate is -1"):
        read_timeseries_table(path, sampling_rate=-1)
    write(tmp_path / "a.json", '{"RepetitionTime": 2.0}')
    assert read_timeseries_table(path)["bold"].attrs["sampling_rate"] == 0.5


@pytest.mark.parametrize("name", ["time", "Times", "T", "timestamp"])
def test_times_are_no_roi(tmp_path, name):
    path = write(tmp_path / "a.csv", f"{name},speed\n0.5,1.5\n0.52,1.25\n")
    with pytest.raises(DataError, match=rf"column '{name}' cannot be a ROI.*format='table' with"):
        read_timeseries_table(path, sampling_rate=60)
    advised = read(path, format="table", time=name)["behaviour"]
    assert advised["variable"].values.tolist() == ["speed"]
    assert advised["time"].values.tolist() == [0.5, 0.52]


def test_spikes_that_were_read_as_rois_can_be_read_as_advised(tmp_path):
    path = write(tmp_path / "a.csv", "spike_time_ms,cluster\n500.5,3\n750.5,4\n")
    with pytest.raises(DataError, match=r"time='…', unit='…', time_scale=1e-3 for ms"):
        read(path)
    named = {"time": "spike_time_ms", "unit": "cluster", "time_scale": 1e-3}
    spikes = read(path, format="spike_table", **named)["spikes"]
    np.testing.assert_allclose(spikes["time"], [0.5005, 0.7505])


def test_duplicate_names_are_refused(tmp_path):
    path = write(tmp_path / "a.csv", "V1,V1\n0.5,1.5\n")
    with pytest.raises(DataError, match="roi names are not unique: 'V1' x2"):
        read_timeseries_table(path, repetition_time=2.0)


def test_a_parcel_without_data_is_marked_bad(tmp_path):
    path = write(tmp_path / "a.csv", "V1,V2\n0.5,n/a\n0.25,\n")
    bold = read_timeseries_table(path, repetition_time=2.0)["bold"]
    assert bold["bad"].values.tolist() == [False, True]
    assert np.isnan(bold.sel(roi="V2")).all()


def test_parcels_are_matched_by_name_then_by_order(tmp_path):
    path = write(tmp_path / "a.csv", "MT,V1\n0.5,1.5\n")
    write(tmp_path / "rois.tsv", "name\tnetwork\tx\ty\tz\nV1\tVis\t10\t20\t30\nMT\tDors\t1\t2\t3\n")
    bold = read_timeseries_table(path, repetition_time=2.0)["bold"]
    assert bold["network"].values.tolist() == ["Dors", "Vis"]
    np.testing.assert_allclose(bold.sel(roi="V1")["x"], 0.010)
    unnamed = write(tmp_path / "b.txt", "0.5 1.5\n")
    named = read_timeseries_table(unnamed, repetition_time=2.0)["bold"]
    assert named["roi"].values.tolist() == ["V1", "MT"]
    three = write(tmp_path / "c.txt", "0.5 1.5 2.5\n0.25 1.5 2.5\n")
    with pytest.raises(DataError, match=r"describes 2 parcels.*\(2, 3\).*transposed"):
        read_timeseries_table(three, repetition_time=2.0)
    assert (
        "region" not in read_timeseries_table(three, repetition_time=2.0, rois=False)["bold"].coords
    )


def test_confounds_beside(tmp_path):
    path = write(tmp_path / "a.csv", "V1,V2\n0.5,1.5\n0.25,1\n")
    write(tmp_path / "confounds.tsv", "fd\tcsf\nn/a\t1\n0.5\t2\n")
    rec = read_timeseries_table(path, repetition_time=2.0)
    assert rec["confounds"].dims == ("time", "variable")
    assert rec["confounds"]["bad"].values.tolist() == [True, False]
    assert "confounds" not in read_timeseries_table(path, repetition_time=2.0, confounds=False)
    write(tmp_path / "confounds.tsv", "fd\tcsf\n0.5\t2\n")
    with pytest.raises(DataError, match="confounds.tsv has 1 rows, the series 2 volumes"):
        read_timeseries_table(path, repetition_time=2.0)


def test_bids_derivative_with_everything_beside(tmp_path):
    stem = "sub-1_task-rest"
    path = write(tmp_path / f"{stem}_seg-A_stat-mean_timeseries.tsv", "V1\tMT\n0.5\t1.5\n0.25\t1\n")
    write(tmp_path / "seg-A_dseg.tsv", "index\tname\n1\tV1\n2\tMT\n")
    write(tmp_path / "seg-B_dseg.tsv", "index\tname\n1\tother\n")
    write(tmp_path / f"{stem}_desc-confounds_timeseries.tsv", "csf\n1\n2\n")
    write(tmp_path / f"{stem}_bold.json", '{"RepetitionTime": 2.0}')
    write(tmp_path / f"{stem}_events.tsv", "onset\tduration\n1\t0\n")
    rec = read_timeseries_table(path)
    assert rec["bold"]["region"].values.tolist() == ["V1", "MT"]
    assert rec["confounds"].shape == (2, 1)
    assert len(rec.events) == 1
    assert entities(path)[0]["seg"] == "A"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared recordings are not here")
def test_schaefer_rest_facts(tmp_path):
    rec = read_timeseries_table(SHARED / "timeseries.tsv")
    assert rec["bold"].shape == (150, 100)
    assert rec["bold"].attrs["sampling_rate"] == 0.5
    assert rec["confounds"].shape == (150, 15)
    assert len(set(rec["bold"]["network"].values)) == 7
    assert np.abs(rec["bold"]["x"]).max() < 0.1
    assert rec.sel(network="Vis")["bold"].sizes["roi"] == 17
    assert Recording.open(rec.save(tmp_path / "rest.zarr")).load().identical(rec)


def test_the_embedded_run_reads_by_itself():
    folder = REPOSITORY / "datasets" / "schaefer-rest"
    if not folder.is_dir():
        pytest.skip("the embedded recordings are not in this tree")
    (path,) = folder.glob("*_stat-mean_timeseries.tsv")
    rec = read_timeseries_table(path)
    assert rec["bold"].shape == (150, 100)
    assert rec["confounds"].sizes["variable"] == 15
    assert "network" in rec["bold"].coords
