"""References: the algebra, the names, and what is left out."""

from pathlib import Path

import numpy as np
import pytest

from neurokit import Recording
from neurokit.errors import DataError, UnknownNameError
from neurokit.preprocessing.rereferencing import parse_contact, rereference

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def make(names, stream="ieeg", bads=(), seed=0, n=50):
    x = 2e-5 * np.random.default_rng(seed).normal(size=(n, len(names)))
    return Recording.from_array(x, 100.0, names, stream=stream, bads=bads)


def with_coords(rec, stream="ieeg", **coords):
    data = rec[stream].assign_coords({k: ("channel", v) for k, v in coords.items()})
    return rec.replace({stream: data})


@pytest.mark.parametrize(
    ("name", "parsed"),
    [
        ("A1", ("A", 1)),
        ("A'1", ("A'", 1)),
        ("A1'", ("A'", 1)),
        ("TI'2", ("TI'", 2)),
        ("LAH10", ("LAH", 10)),
        ("LAH 10", ("LAH", 10)),
        ("LAH-10", ("LAH", 10)),
        ("ECOG_RIGHT_0", ("ECOG_RIGHT", 0)),
        ("7", ("", 7)),
        ("REF", None),
        ("", None),
    ],
)
def test_parse_contact(name, parsed):
    assert parse_contact(name) == parsed


def test_average_over_good_channels_by_type():
    rec = with_coords(
        make(["a1", "a2", "a3", "g1", "g2", "EMG"], bads=["a3"]),
        type=["seeg", "seeg", "seeg", "ecog", "ecog", "emg"],
    )
    x, y = rec["ieeg"].values, rereference(rec)["ieeg"].values
    np.testing.assert_allclose(y[:, :2].mean(1), 0, atol=1e-12)
    np.testing.assert_allclose(y[:, 2], x[:, 2] - x[:, :2].mean(1), atol=1e-11)
    np.testing.assert_allclose(y[:, 3:5].mean(1), 0, atol=1e-12)
    np.testing.assert_array_equal(y[:, 5], x[:, 5])


@pytest.mark.parametrize("kind", ["average", "bipolar", "laplacian", "shaft"])
def test_what_all_contacts_share_is_gone(kind):
    rec = make(["A1", "A2", "A3", "B1", "B2"])
    common = 1e-5 * np.random.default_rng(9).normal(size=(50, 1))
    shifted = rec.replace({"ieeg": rec["ieeg"] + common})
    a, b = (rereference(r, kind)["ieeg"].values for r in (rec, shifted))
    np.testing.assert_allclose(a, b, atol=1e-10)


def test_bipolar_respects_missing_bad_and_shafts():
    names = ["A1", "A2", "A4", "A5", "A10", "A3'", "B1", "B2", "B3"]
    rec = make(names, bads=["B2"])
    with pytest.warns(
        UserWarning, match=r"4 channels have no bipolar .* \['A10', \"A3'\", 'B1', 'B3'\]"
    ):
        out = rereference(rec, "bipolar")
    assert out["ieeg"]["channel"].values.tolist() == ["A1-A2", "A4-A5"]
    x = rec["ieeg"].values
    np.testing.assert_array_equal(out["ieeg"].values, x[:, [0, 2]] - x[:, [1, 3]])
    assert out["ieeg"].attrs["reference"] == "bipolar"
    assert out.meta["history"][-1].startswith("rereference(bipolar, stream=ieeg): 9 to 2, without")


def test_order_in_the_file_does_not_matter():
    names = ["A10", "A2", "B1", "A1", "A9", "B2"]
    out = rereference(make(names), "bipolar")["ieeg"]
    assert out["channel"].values.tolist() == ["A1-A2", "A9-A10", "B1-B2"]


def test_bipolar_carries_midpoints_and_regions():
    rec = with_coords(
        make(["A1", "A2", "A3"]),
        x=[0.0, 0.004, 0.008],
        y=[0.1, 0.1, np.nan],
        z=[0.0, 0.0, 0.0],
        region=["hippocampus", "hippocampus", "temporal"],
        name_in_file=["a1", "a2", "a3"],
    )
    out = rereference(rec, "bipolar")["ieeg"]
    np.testing.assert_allclose(out["x"], [0.002, 0.006])
    np.testing.assert_allclose(out["y"], [0.1, np.nan])
    assert out["region"].values.tolist() == ["hippocampus", "hippocampus/temporal"]
    assert "name_in_file" not in out.coords


def test_rows_of_a_grid_are_no_neighbours():
    names = [f"G{i}" for i in range(1, 9)]
    place = 0.01 * np.array([(i % 4, i // 4, 0) for i in range(8)])
    rec = with_coords(make(names), x=place[:, 0], y=place[:, 1], z=place[:, 2])
    out = rereference(rec, "bipolar")["ieeg"]["channel"].values
    assert out.tolist() == ["G1-G2", "G2-G3", "G3-G4", "G5-G6", "G6-G7", "G7-G8"]


def test_laplacian_uses_both_or_the_only_neighbour():
    rec = make(["A1", "A2", "A3", "A4", "C7"], bads=["A4"])
    x = rec["ieeg"].values.astype(np.float64)
    with pytest.warns(UserWarning, match=r"1 channels have no laplacian .* \['C7'\]"):
        out = rereference(rec, "laplacian")["ieeg"]
    assert out["channel"].values.tolist() == ["A1", "A2", "A3", "A4"]
    truth = [
        x[:, 0] - x[:, 1],
        x[:, 1] - x[:, [0, 2]].mean(1),
        x[:, 2] - x[:, 1],
        x[:, 3] - x[:, 2],
    ]
    np.testing.assert_allclose(out.values, np.stack(truth, 1), atol=1e-11)


def test_nan_of_a_bad_channel_stays_in_it():
    rec = make(["A1", "A2", "A3", "A4"], bads=["A2"])
    x = rec["ieeg"].copy(deep=True)
    x[:, 1] = np.nan
    rec = rec.replace({"ieeg": x})
    for kind in ("average", "laplacian", "shaft"):
        if kind == "laplacian":
            with pytest.warns(UserWarning, match="'A1'"):
                out = rereference(rec, kind)["ieeg"]
        else:
            out = rereference(rec, kind)["ieeg"]
        good = ~out["bad"].values
        assert np.isfinite(out.values[:, good]).all()
        assert np.isnan(out.values[:, ~good]).all()


def test_shaft_mean_of_good_contacts():
    rec = make(["A1", "A2", "A3", "B1", "B2", "C1"], bads=["A3"])
    x = rec["ieeg"].values
    with pytest.warns(UserWarning, match=r"no shaft reference .* \['C1'\]"):
        out = rereference(rec, "shaft")["ieeg"]
    np.testing.assert_allclose(out.values[:, 2], x[:, 2] - x[:, :2].mean(1), atol=1e-11)
    np.testing.assert_allclose(out.values[:, 3:].mean(1), 0, atol=1e-12)


def test_group_of_the_file_overrules_the_name():
    rec = with_coords(make(["1", "2", "3", "4"]), group=["L", "L", "R", "R"])
    out = rereference(rec, "bipolar")["ieeg"]
    assert out["channel"].values.tolist() == ["1-2", "3-4"]


def test_other_channels_ride_along():
    rec = with_coords(make(["A1", "A2", "ECG"]), type=["seeg", "seeg", "ecg"])
    out = rereference(rec, "bipolar")["ieeg"]
    assert out["channel"].values.tolist() == ["A1-A2", "ECG"]
    np.testing.assert_array_equal(out.values[:, 1], rec["ieeg"].values[:, 2])


def test_what_cannot_be_rereferenced():
    with pytest.raises(UnknownNameError, match="Did you mean 'bipolar'"):
        rereference(make(["A1", "A2"]), "bipolor")
    with pytest.raises(UnknownNameError, match="Unknown stream 'eeg'"):
        rereference(make(["A1", "A2"]), stream="eeg")
    with pytest.raises(DataError, match=r"no depth or grid contacts \(types: \['eeg'\]\)"):
        rereference(make(["F3", "F4"], "eeg"), "bipolar")
    with pytest.raises(DataError, match="No contact of 'ieeg' has a number"):
        rereference(make(["left", "right"]), "laplacian")
    with pytest.raises(DataError, match="No two good adjacent contacts"):
        rereference(make(["A1", "A3"]), "bipolar")
    with pytest.raises(DataError, match="No shaft of 'ieeg' has two good contacts"):
        rereference(make(["A1", "B3"]), "shaft")
    with pytest.raises(DataError, match="at least 2 good eeg channels; 'eeg' has 1"):
        rereference(make(["Fz", "Cz"], "eeg", bads=["Cz"]))


def test_depth_recording_of_fifty_contacts():
    root = SHARED / "ieeg" / "seeg_zurich_bids"
    if not root.exists():
        pytest.skip("the shared recordings are not here")
    from neurokit.datasets.bids import read_bids

    (rec,) = read_bids(root, "ieeg")
    names = rec["ieeg"]["channel"].values
    assert len({parse_contact(n)[0] for n in names}) == 7
    out = rereference(rec, "bipolar")["ieeg"]
    assert out.sizes["channel"] == 43
    x = rec["ieeg"].sel(channel="AHR1") - rec["ieeg"].sel(channel="AHR2")
    np.testing.assert_array_equal(out.sel(channel="AHR1-AHR2").values, x.values)
    assert rereference(rec, "laplacian")["ieeg"].sizes["channel"] == 50
