"""The public data sets of Neuroformer, on generated files of their layouts."""

import h5py
import numpy as np
import pandas as pd
import pytest
import scipy.io
import torch

import neurokit as nk
from neurokit.datasets.neuroformer_sets import read_neuroformer
from neurokit.errors import DataError, ReadError, UnknownNameError

FRAMES, N_UNITS = 640, 6
SECONDS = FRAMES / 20


@pytest.fixture
def navigation(tmp_path):
    """Ten seconds of a lateral session: 8 units, frames with a dimension of one."""
    place = tmp_path / "data/VisNav_VR_Expt/LateralVRDataset"
    (place / "NF_1.5").mkdir(parents=True)
    rng = np.random.default_rng(0)
    arrays = {
        "spikerates_dt_0.01": rng.poisson(0.05, (8, 1000)).astype(np.float64),
        "stimulus": rng.random((200, 1, 3, 5)).astype(np.float32),
        "behavior_speed_dt_0.05": rng.random((200, 1)),
        "phi_dt_0.05": rng.random(200),
        "th_dt_0.05": np.where(np.arange(200) == 7, np.nan, 1.0),
    }
    for name, values in arrays.items():
        np.save(place / "NF_1.5" / f"{name}.npy", values)
    return place, arrays


@pytest.fixture
def movies(tmp_path):
    """Three movies of 32 s and the spikes of four trials, two movies."""
    place = tmp_path / "data/Combo3_V1AL"
    place.mkdir(parents=True)
    rng = np.random.default_rng(1)
    stack = torch.from_numpy(rng.random((3, FRAMES, 1, 2, 4)).astype(np.float32))
    torch.save(stack, place / "Combo3_V1AL_stimulus.pt")
    counts = {n: rng.poisson(0.02, (N_UNITS, 3200)) for n in (1, 20, 21, 60)}
    return place, stack.numpy(), counts


def save_counts(place, counts):
    np.savez(place / "Combo3_V1AL.npz", **{str(n): array for n, array in counts.items()})


def binned(rec, n_steps):
    """Count the spikes of each unit in steps of 10 ms."""
    spikes, found = rec["spikes"], np.zeros((rec["spikes"].sizes["unit"], n_steps), np.int64)
    step = np.floor(spikes["time"].values / 0.01).astype(int)
    np.add.at(found, (spikes["unit"].values, step), 1)
    return found


def test_counts_of_navigation_come_back_from_the_spikes(navigation):
    place, arrays = navigation
    (rec,) = read_neuroformer(place.parents[1], "lateral")
    np.testing.assert_array_equal(binned(rec, 1000), arrays["spikerates_dt_0.01"])
    np.testing.assert_array_equal(rec["stimulus"].values, arrays["stimulus"][:, 0])
    assert rec["behaviour"].attrs["sampling_rate"] == rec["stimulus"].attrs["sampling_rate"] == 20
    table = rec["behaviour"].to_pandas()
    np.testing.assert_allclose(table["speed"], arrays["behavior_speed_dt_0.05"].ravel(), rtol=1e-6)
    assert table["th"].isna().sum() == 1
    assert rec.duration == 10.0
    assert rec.meta["session"] == "visnav-lateral"


def test_streams_of_unequal_length_end_together(navigation):
    place, arrays = navigation
    np.save(place / "NF_1.5/phi_dt_0.05.npy", arrays["phi_dt_0.05"][:195])
    (rec,) = read_neuroformer(place)
    assert rec.duration == 9.75
    assert {rec[name].sizes["time"] for name in ("stimulus", "behaviour")} == {195}
    np.testing.assert_array_equal(binned(rec, 975), arrays["spikerates_dt_0.01"][:, :975])
    np.save(place / "NF_1.5/phi_dt_0.05.npy", arrays["phi_dt_0.05"][:100])
    with pytest.raises(DataError, match=r"not of one recording.*phi_dt_0.05.npy 5 s"):
        read_neuroformer(place)


def test_a_list_of_units_selects_by_number_from_one(navigation):
    place, arrays = navigation
    (place / "sel1.csv").write_text("2\n8\n")
    (rec,) = read_neuroformer(place, selection="sel1")
    assert rec["spikes"]["id"].values.tolist() == [1, 7]
    np.testing.assert_array_equal(binned(rec, 1000), arrays["spikerates_dt_0.01"][[1, 7]])
    with pytest.raises(UnknownNameError, match="Unknown list of units in LateralVRDataset 'sel2'"):
        read_neuroformer(place, selection="sel2")
    (place / "sel1.csv").write_text("0\n")
    with pytest.raises(DataError, match="numbers of units from 1 to 8"):
        read_neuroformer(place, selection="sel1")


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("spikerates_dt_0.01", -np.ones((2, 1000)), "units 0 to 1 are negative or NaN"),
        ("spikerates_dt_0.01", np.full((2, 1000), np.nan), "negative or NaN"),
        ("spikerates_dt_0.01", np.ones(1000), r"shape \(1000,\), expected \(unit, step\)"),
        ("stimulus", np.ones((200, 3, 4, 5)), r"frames of shape \(3, 4, 5\)"),
    ],
)
def test_arrays_of_navigation_that_cannot_be(navigation, name, values, message):
    place, _ = navigation
    np.save(place / f"NF_1.5/{name}.npy", values)
    with pytest.raises(DataError, match=message):
        read_neuroformer(place)


def test_files_that_are_missing_or_hold_objects(navigation, tmp_path):
    place, _ = navigation
    np.save(place / "NF_1.5/phi_dt_0.05.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ReadError, match="Only arrays of numbers are read"):
        read_neuroformer(place)
    (place / "NF_1.5/phi_dt_0.05.npy").unlink()
    with pytest.raises(ReadError, match=r"there is no phi_dt_0.05.npy"):
        read_neuroformer(place)
    with pytest.raises(ReadError, match="expected the folder MedialVRDataset of part 'medial'"):
        read_neuroformer(tmp_path, "medial")
    with pytest.raises(UnknownNameError, match="Unknown part 'lateal'. Did you mean 'lateral'"):
        read_neuroformer(tmp_path, "lateal")
    with pytest.raises(ReadError, match="There is no folder"):
        read_neuroformer(tmp_path / "nowhere")


TRAINS = ([0.013, 9.99, np.nan, 4.2], [], [3.3])


def write_session(path, order=(1, 3), **fields):
    """A file as MATLAB 7.3 writes it: dimensions reversed, cells and empty ones by reference."""
    rng = np.random.default_rng(2)
    arrays = {
        "t": 0.05 * np.arange(200)[:, None],
        "vid_sm": rng.random((200, 4, 6)),
        **{name: rng.normal(size=(200, 1)) for name in ("speed", "phi", "th", "eyerad")},
        **fields,
    }
    with h5py.File(path, "w", userblock_size=512) as file:
        root = file.create_group("neuroformer")
        cells = np.empty(order, dtype=h5py.ref_dtype)
        for number, train in enumerate(TRAINS):
            stored = np.array([train]) if len(train) else np.array([0, 0], np.uint64)
            item = file.create_dataset(f"#refs#/{number}", data=stored)
            if not len(train):
                item.attrs["MATLAB_empty"] = np.uint8(1)
            cells.flat[number] = item.ref
        root.create_dataset("spiketimes/spks", data=cells, dtype=h5py.ref_dtype)
        for name, values in arrays.items():
            if values is not None:
                root[name] = np.asarray(values).T
    return arrays


@pytest.mark.parametrize("order", [(1, 3), (3, 1)])
def test_a_session_in_one_matlab_file(tmp_path, order):
    place = tmp_path / "MedialVRDataset"
    place.mkdir()
    arrays = write_session(place / "experiment_data.mat", order)
    (rec,) = read_neuroformer(tmp_path, "medial")
    spikes = rec["spikes"]
    assert spikes["time"].values.tolist() == [0.013, 3.3, 4.2, 9.99]
    assert spikes["unit"].values.tolist() == [0, 2, 0, 0]
    assert spikes["id"].values.tolist() == [0, 1, 2]
    assert spikes.attrs["stop"] == pytest.approx(10)
    np.testing.assert_allclose(rec["stimulus"], arrays["vid_sm"], rtol=1e-6)
    assert rec["behaviour"]["variable"].values.tolist() == ["speed", "phi", "th"]
    np.testing.assert_allclose(rec["behaviour"][:, 1], arrays["phi"][:, 0], rtol=1e-6)
    (place / "sel1.csv").write_text("3\n")
    (rec,) = read_neuroformer(tmp_path, "medial", selection="sel1")
    assert rec["spikes"]["time"].values.tolist() == [3.3]
    assert rec["spikes"]["id"].values.tolist() == [2]
    win = nk.windows.spike_windows(rec, length=0.05, history=0.25, beside={"stimulus": 0.3})
    assert win.sizes["stimulus"] == (6, 4, 6)


def test_the_clock_of_a_session_is_kept(tmp_path):
    place = tmp_path / "LateralVRDataset"
    place.mkdir()
    write_session(place / "experiment_data.mat", t=0.5 + 0.05 * np.arange(200))
    (rec,) = read_neuroformer(place)
    assert rec["stimulus"]["time"].values[[0, -1]].tolist() == pytest.approx([0.5, 10.45])
    assert rec["spikes"].attrs["start"] == 0.5
    # Before the first frame there is nothing that a model could see.
    assert rec["spikes"]["time"].values.tolist() == [3.3, 4.2, 9.99]


def test_spikes_on_another_clock_than_the_film_are_refused(tmp_path):
    place = tmp_path / "LateralVRDataset"
    place.mkdir()
    write_session(place / "experiment_data.mat", t=20 + 0.05 * np.arange(200))
    told = r"up to 19.987 s outside of the film, which runs from 20 to 30 s"
    with pytest.raises(DataError, match=told):
        read_neuroformer(place)


def test_arrays_come_before_the_file_they_were_made_from(navigation):
    place, arrays = navigation
    write_session(place / "experiment_data.mat")
    (rec,) = read_neuroformer(place)
    np.testing.assert_array_equal(binned(rec, 1000), arrays["spikerates_dt_0.01"])


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"speed": None}, ReadError, "has no field 'speed'; it has eyerad, phi, spiketimes, t"),
        ({"phi": np.zeros(150)}, DataError, "the second of 200 frames, but there are 150 of phi"),
        ({"vid_sm": np.zeros((200, 6))}, DataError, r"\(frame, row, column\); got \(200, 6\)"),
        ({"t": np.arange(200.0)}, DataError, "at 20 Hz without gaps; its 200 values are 1 apart"),
        ({"t": np.delete(np.arange(201), 90) / 20}, DataError, "at 20 Hz without gaps"),
        ({"t": np.full(200, np.nan)}, DataError, "at 20 Hz without gaps"),
        ({"t": np.array([b"x"])}, ReadError, "expected numbers in /neuroformer/t"),
    ],
)
def test_sessions_that_cannot_be(tmp_path, fields, error, message):
    place = tmp_path / "LateralVRDataset"
    place.mkdir()
    write_session(place / "experiment_data.mat", **fields)
    with pytest.raises(error, match=message):
        read_neuroformer(place)


def test_files_that_are_no_session(tmp_path):
    path = tmp_path / "LateralVRDataset/experiment_data.mat"
    path.parent.mkdir()
    scipy.io.savemat(path, {"neuroformer": {"t": np.arange(3.0)}})
    with pytest.raises(ReadError, match="cannot be read as a MATLAB 7.3 file"):
        read_neuroformer(path.parent)
    with h5py.File(path, "w") as file:
        file["other"] = np.arange(3)
    with pytest.raises(ReadError, match=r"expected a structure 'neuroformer'; .* \['other'\]"):
        read_neuroformer(path.parent)
    write_session(path)
    with h5py.File(path, "r+") as file:
        del file["neuroformer/spiketimes/spks"]
        file["neuroformer/spiketimes/spks"] = np.zeros((1, 3))
    with pytest.raises(ReadError, match=r"spiketimes.spks to be a cell with an entry a unit"):
        read_neuroformer(path.parent)


def test_each_trial_is_a_recording_with_its_movie(movies):
    place, stack, counts = movies
    save_counts(place, counts)
    recs = read_neuroformer(place.parent, "v1al")
    assert [(r.meta["run"], r.meta["movie"]) for r in recs] == [(1, 1), (20, 1), (21, 2), (60, 3)]
    for rec in recs:
        np.testing.assert_array_equal(binned(rec, 3200), counts[rec.meta["run"]])
        np.testing.assert_array_equal(rec["stimulus"].values, stack[rec.meta["movie"] - 1, :, 0])
        assert rec.duration == SECONDS
        assert rec["spikes"].sizes["unit"] == N_UNITS
    # Twenty repeats of a movie would be a gigabyte if each had a copy.
    assert np.shares_memory(recs[0]["stimulus"].values, recs[1]["stimulus"].values)


def test_the_table_of_the_first_release_gives_the_same_spikes(movies):
    place, _, counts = movies
    save_counts(place, counts)
    recs = read_neuroformer(place, "v1al")
    (place / "Combo3_V1AL.npz").unlink()
    rows = [
        pd.DataFrame(
            {"Time": r["spikes"]["time"], "ID": r["spikes"]["unit"], "Trial": r.meta["run"]}
        )
        for r in recs
    ]
    pd.concat(rows).to_csv(place / "Combo3_V1AL_response.csv")
    for a, b in zip(recs, read_neuroformer(place, "v1al"), strict=True):
        np.testing.assert_array_equal(binned(a, 3200), binned(b, 3200))


def test_a_trial_without_spikes_and_one_that_ends_early(movies):
    place, _, counts = movies
    save_counts(place, {1: counts[1][:, :3100], 2: np.zeros((N_UNITS, 3200))})
    first, second = read_neuroformer(place, "v1al")
    assert first["spikes"].attrs["stop"] == 31.0
    assert second["spikes"].sizes["spike"] == 0
    assert second["spikes"].sizes["unit"] == N_UNITS


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"0": np.ones((2, 3200))}, r"called 1, 2, …; got '0'"),
        ({"a": np.ones((2, 3200))}, r"called 1, 2, …; got 'a'"),
        ({"1": np.ones((2, 3200)), "2": np.ones((3, 3200))}, r"\[2, 3\] units, expected one"),
        ({"1": np.ones((2, 4000))}, "trial 1 lasts 40 s, its movie 32 s"),
        ({"61": np.ones((2, 3200))}, "spikes of trial 61, but 3 movies of 20 repeats"),
    ],
)
def test_counts_of_trials_that_cannot_be(movies, arrays, message):
    place, _, _ = movies
    np.savez(place / "Combo3_V1AL.npz", **arrays)
    with pytest.raises(DataError, match=message):
        read_neuroformer(place, "v1al")


@pytest.mark.parametrize(
    ("line", "error", "message"),
    [
        ("Time,ID\n0.5,1\n", ReadError, "expected numbers in Time, ID, Trial"),
        ("Time,ID,Trial\n40,1,1\n", DataError, "1 spikes lie outside of their trial of 32 s"),
        ("Time,ID,Trial\n0.5,1,0\n", DataError, "trials count from 1; the first is 0"),
    ],
)
def test_tables_of_trials_that_cannot_be(movies, line, error, message):
    place, _, _ = movies
    (place / "Combo3_V1AL_response.csv").write_text(line)
    with pytest.raises(error, match=message):
        read_neuroformer(place, "v1al")


def test_a_pickle_is_never_opened(movies):
    place, _, _ = movies
    (place / "NF_1.5").mkdir()
    # Opening this would raise another error than the one that is expected.
    (place / "NF_1.5/Combo3_V1AL.pkl").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(ReadError, match=r"is a Python pickle, .* is not read.* np.savez\("):
        read_neuroformer(place, "v1al")


def test_a_tensor_file_runs_nothing(movies):
    place, _, counts = movies
    save_counts(place, counts)
    path = place / "Combo3_V1AL_stimulus.pt"
    torch.save({"x": torch.zeros(2)}, path)
    with pytest.raises(ReadError, match="holds a dict, expected one tensor"):
        read_neuroformer(place, "v1al")
    torch.save(torch.nn.Linear(1, 1), path)
    with pytest.raises(ReadError, match="cannot be read as a tensor"):
        read_neuroformer(place, "v1al")
    torch.save(torch.zeros(2, 3), path)
    with pytest.raises(DataError, match=r"shape \(2, 3\), expected \(movie, frame, row"):
        read_neuroformer(place, "v1al")
    path.unlink()
    with pytest.raises(ReadError, match=r"neither Combo3_V1AL_stimulus.pt nor"):
        read_neuroformer(place, "v1al")
    np.save(path.with_suffix(".npy"), np.zeros((3, FRAMES, 2, 4), np.uint8))
    assert read_neuroformer(place, "v1al")[0]["stimulus"].dtype == np.uint8


def test_cards_read_a_copy(navigation, movies):
    place, _ = navigation
    (rec,) = nk.datasets.load_all("neuroformer-visnav-lateral", place.parents[1])
    assert rec.meta["dataset"] == "neuroformer-visnav-lateral"
    save_counts(movies[0], movies[2])
    assert len(nk.datasets.load_all("neuroformer-v1al", movies[0].parent)) == 4
    with pytest.raises(DataError, match="selection names a list of units of visual navigation"):
        nk.datasets.load_all("neuroformer-v1al", movies[0], selection="sel1")
