"""Values, pictures and regions come out of the image sets' files as they went in."""

import h5py
import numpy as np
import pytest

from neurokit.datasets import read_assembly
from neurokit.datasets.assemblies import nsd
from neurokit.errors import DataError, ReadError, UnknownNameError


def test_brainio_averages_repetitions(write):
    folder, (values, _) = write("brainio")
    made = read_assembly("majajhong2015", folder)
    assert made.name == "majajhong2015"
    assert made.responses["stimulus_id"].values.tolist() == ["b", "a", "c"]
    np.testing.assert_allclose(made.responses.values, (values[:3] + values[3:]) / 2, rtol=1e-6)
    # Repetition 0 comes first, wherever it stands in the file.
    np.testing.assert_array_equal(made.repeats.values[0], values[3:])
    assert made.responses["subject"].values.tolist() == ["Chabo", "Chabo", "Tito", "Tito"]
    assert made.sel(region="IT").responses.shape == (3, 3)
    assert made.stimuli.loc["a", "image"] == str(folder / "a.png")
    assert made.stimuli["category"].tolist() == ["car", "face", "apple"]
    assert "x" not in made.responses.coords
    assert made.responses["array_x"].values.tolist() == [0.2, 0.6, 1.0, 1.4]


def test_brainio_selects_and_asks(write, tmp_path):
    folder, _ = write("brainio")
    one = read_assembly("brainio", folder, select={"animal": "Tito"}, name="tito")
    assert (one.name, one.responses.shape) == ("tito", (3, 2))
    with pytest.raises(DataError, match="no animal is 'Bob'"):
        read_assembly("brainio", folder, select={"animal": "Bob"})
    with pytest.raises(UnknownNameError, match="Did you mean 'animal'"):
        read_assembly("brainio", folder, select={"animals": "Tito"})
    with pytest.raises(DataError, match="time bins 0 to 0; got 3"):
        read_assembly("brainio", folder, time_bin=3)
    (folder / "stimulus_hvm.csv").write_text("image_id,filename\na,a.png\nb,b.png\n")
    with pytest.raises(ReadError, match="lacks 1 of 3 stimuli, such as 'c'"):
        read_assembly("brainio", folder)
    (folder / "stimulus_other.csv").write_text("image_id\na\n")
    with pytest.raises(ReadError, match="Choose with stimuli="):
        read_assembly("brainio", folder)


def test_brainio_with_several_time_bins(tmp_path):
    import xarray as xr

    values = np.arange(12.0).reshape(2, 2, 3)
    xr.DataArray(
        values,
        dims=("presentation", "neuroid", "time_bin"),
        coords={
            "stimulus_id": ("presentation", ["a", "b"]),
            "time_bin_start": ("time_bin", [0, 10, 20]),
            "time_bin_end": ("time_bin", [10, 20, 30]),
        },
        name="data",
    ).to_netcdf(tmp_path / "assy.nc", engine="scipy")
    with pytest.raises(DataError, match=r"3 time bins: \[\(0, 10\), .* ms. Choose with time_bin="):
        read_assembly("brainio", tmp_path)
    made = read_assembly("brainio", tmp_path, time_bin=1)
    np.testing.assert_array_equal(made.responses.values, values[:, :, 1])


def test_bold5000(write):
    folder, values = write("bold5000")
    made = read_assembly("bold5000", folder)
    assert made.responses.shape == (4, 6)
    assert made.responses["stimulus_id"].values[1] == "beach2.jpg"
    right = np.concatenate([values[r] for r in ("LHPPA", "LHRSC", "RHPPA")], axis=1)
    np.testing.assert_allclose(made.responses.values[1], (right[1] + right[3]) / 2, rtol=1e-5)
    np.testing.assert_allclose(made.repeats.values[1, 1], right[3], rtol=1e-6)
    assert np.isnan(made.repeats.values[1, 0]).all()
    assert made.stimuli["category"].tolist() == ["ImageNet", "Scene", "COCO", "Scene"]
    both = read_assembly("bold5000", folder, region="PPA")
    assert set(both.responses["region"].values) == {"LHPPA", "RHPPA"}
    with pytest.raises(UnknownNameError, match="region of CSI1 'V1'"):
        read_assembly("bold5000", folder, region="V1")
    with pytest.raises(ReadError, match=r"expected the responses of CSI1 \(.*TR2"):
        read_assembly("bold5000", folder, volume="TR2")
    (folder / "stim_lists" / "CSI01_stim_lists.txt").write_text("a.jpg\n")
    with pytest.raises(ReadError, match="5 trials, but 1 pictures"):
        read_assembly("bold5000", folder)


def test_bold5000_second_release_and_pictures(tmp_path):
    values = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    for region in ("LHPPA", "RHPPA"):
        np.save(tmp_path / f"CSI4_GLMbetas-TYPED-FITHRF-GLMDENOISE-RR_allses_{region}.npy", values)
    (tmp_path / "CSI4_imgnames.txt").write_text("a.jpg\nb.jpg\nc.jpg\n")
    pictures = tmp_path / "Presented_Stimuli" / "COCO"
    pictures.mkdir(parents=True)
    for name in "ab":
        (pictures / f"{name}.jpg").touch()
    assert read_assembly("bold5000", tmp_path).responses.shape == (3, 4)
    with pytest.raises(ReadError, match=r"1 of 3 pictures are not here, such as 'c.jpg'"):
        read_assembly("bold5000", tmp_path, images=tmp_path / "Presented_Stimuli")
    (pictures / "c.jpg").touch()
    made = read_assembly("bold5000", tmp_path, images=tmp_path / "Presented_Stimuli")
    assert made.stimuli["image"].iloc[2] == str(pictures / "c.jpg")


@pytest.mark.parametrize("form", ["hdf5", "nifti"])
def test_nsd(write, form):
    folder, (values, shown) = write("nsd", form=form)
    made = read_assembly("nsd", folder, region="prf-visualrois")
    seen = shown[:1500]
    trials = values.transpose(0, 4, 1, 2, 3).reshape(1500, 3, 4, 2) / 300.0
    wanted = [(0, 1, 1), (2, 1, 0), (2, 3, 0)]
    for column, (i, j, k) in enumerate(wanted):
        for picture in made.responses["stimulus_id"].values[:20]:
            mean = trials[seen == int(picture), i, j, k].mean()
            row = np.flatnonzero(made.responses["stimulus_id"].values == picture)[0]
            assert made.responses.values[row, column] == pytest.approx(mean, abs=1e-5)
    assert made.responses["stimulus_id"].values[0] == str(seen[0])
    assert made.responses["region"].values.tolist() == ["V1v", "V1v", "V1d"]
    assert len(made.stimuli) == len(set(seen.tolist()))
    assert made.stimuli["shared"].sum() == np.isin(np.unique(seen), shown_shared(folder)).sum()
    counts = np.bincount(np.unique(seen, return_inverse=True)[1])
    noise = np.mean(1 / np.minimum(counts, 3))
    snr = 0.2676550**2
    np.testing.assert_allclose(made.ceiling.values, np.sqrt(snr / (snr + noise)), rtol=1e-6)


def shown_shared(folder):
    import scipy.io

    design = folder / "nsddata/experiments/nsd/nsd_expdesign.mat"
    return scipy.io.loadmat(design)["sharedix"].ravel() - 1


def test_nsd_reads_the_chunks_of_its_voxels_alone(write, monkeypatch):
    folder, _ = write("nsd")
    read = []

    class Watched:
        def __init__(self, data):
            self.data, self.ndim, self.shape = data, data.ndim, data.shape

        def __getitem__(self, key):
            read.append(key)
            return self.data[key]

    real = nsd.check_dataset
    monkeypatch.setattr(nsd, "check_dataset", lambda data: Watched(real(data)))
    made = read_assembly("nsd", folder, voxels=[[2, 3, 1], [1, 3, 1]])
    assert made.responses.sizes["neuroid"] == 2
    assert read == [(slice(None), 1, 3, slice(1, 3))] * 2


def test_nsd_refuses_gaps_and_other_grids(write):
    folder, _ = write("nsd")
    with pytest.raises(UnknownNameError, match="Did you mean 'prf-visualrois'"):
        read_assembly("nsd", folder, region="prf-visual")
    with pytest.raises(DataError, match=r"Expected voxels within \(3, 4, 2\)"):
        read_assembly("nsd", folder, voxels=[[0, 0, 2]])
    with pytest.raises(DataError, match="triples"):
        read_assembly("nsd", folder, voxels=[3])
    betas = next(folder.rglob("betas_session01.hdf5"))
    with h5py.File(betas, "w") as file:
        file.create_dataset("betas", data=np.zeros((750, 2, 4, 5), np.int16))
    with pytest.raises(ReadError, match=r"has the grid \(5, 4, 2\), the region \(3, 4, 2\)"):
        read_assembly("nsd", folder, region="prf-visualrois")
    betas.unlink()
    with pytest.raises(ReadError, match=r"sessions 1, 2, … without gaps.*got \[2\]"):
        read_assembly("nsd", folder, region="prf-visualrois")


def test_algonauts(write):
    folder, values = write("algonauts")
    made = read_assembly("algonauts2023", folder, regions="prf-visualrois")
    np.testing.assert_array_equal(
        made.responses.values, np.concatenate([values["lh"], values["rh"]], axis=1)
    )
    assert made.responses["region"].values.tolist() == [
        "", "V1v", "V1v", "V2v", "V1d", "", "hV4", "V1v",
    ]  # fmt: skip
    assert made.stimuli.index.tolist() == ["13", "7", "21"]
    one = read_assembly("algonauts2023", folder, regions="prf-visualrois", region="V1v")
    assert one.responses["hemisphere"].values.tolist() == ["L", "L", "R"]
    with pytest.raises(UnknownNameError, match="Unknown division into regions 'prf'"):
        read_assembly("algonauts2023", folder, regions="prf")
    second = next(folder.rglob("train-0002*.png"))
    second.rename(second.with_name("train-0004_nsd-00007.png"))
    with pytest.raises(ReadError, match=r"without gaps; got \[1, 3, 4\]"):
        read_assembly("algonauts2023", folder)
    second.with_name("train-0004_nsd-00007.png").unlink()
    with pytest.raises(ReadError, match="responses to 2 pictures"):
        read_assembly("algonauts2023", folder)


def test_kay(write):
    folder, values = write("kay")
    made = read_assembly("kay2008", folder, pictures="both")
    np.testing.assert_array_equal(made.responses.values, values[:, :3])
    assert made.meta["dropped_neuroids"] == 1
    assert made.responses["region"].values.tolist() == ["V1", "V4", "other"]
    assert made.responses["voxel"].values.tolist() == [301, 302, 40]
    assert made.stimuli.index.tolist() == [
        "training.0", "training.1", "training.2", "validation.0", "validation.1",
    ]  # fmt: skip
    shown = made.images()
    assert shown.shape == (5, 4, 4, 3)
    assert (shown.min(), shown.max()) == (0, 255)
    assert read_assembly("kay2008", folder, region="V4").responses.shape == (3, 1)
    with pytest.raises(UnknownNameError, match="region of S1 'V3'"):
        read_assembly("kay2008", folder, region="V3")
    with pytest.raises(ReadError, match="expected 'dataTrnS2'"):
        read_assembly("kay2008", folder, subject="S2")


def test_things_fmri(write):
    folder, values = write("things_fmri")
    made = read_assembly("things-fmri", folder, region="V1")
    assert made.responses["stimulus_id"].values.tolist() == ["owl_13s.jpg", "cat_13s.jpg"]
    owl = values[[1, 3]][:, [1, 3]].mean(axis=1)
    np.testing.assert_allclose(made.responses.values[0], owl, rtol=1e-5)
    np.testing.assert_allclose(made.repeats.values[1, 1], values[[1, 3], 5], rtol=1e-6)
    np.testing.assert_allclose(made.ceiling.values, [0.7, 0.9])
    train = read_assembly("things-fmri", folder, voxels=[3, 0], trials="train")
    np.testing.assert_allclose(train.responses.values, values[[3, 0]][:, [0, 4]].T, rtol=1e-6)
    np.testing.assert_allclose(train.ceiling.values, [0.4, 0.2])
    assert train.repeats is None
    assert train.stimuli["category"].tolist() == ["mango", "dog"]
    with pytest.raises(DataError, match="Choose region= or voxels="):
        read_assembly("things-fmri", folder)
    with pytest.raises(UnknownNameError, match="Did you mean 'lFFA'"):
        read_assembly("things-fmri", folder, region="FFA")


def test_things_fmri_with_the_ids_among_the_values(write):
    folder, values = write("things_fmri")
    with h5py.File(folder / "sub-01_ResponseData.h5", "w") as file:
        file["ResponseData/block0_values"] = np.c_[np.arange(4.0), values]
    made = read_assembly("things-fmri", folder, voxels=[2], trials="train")
    np.testing.assert_allclose(made.responses.values[:, 0], values[2, [0, 4]], rtol=1e-6)


def test_things_behaviour(write):
    folder, triplets = write("things_behaviour")
    made = read_assembly("things-behaviour", folder)
    np.testing.assert_array_equal(made.triplets, triplets)
    assert made.stimuli["text"].tolist() == ["aardvark", "bat", "bat", "ice cream"]
    assert len(read_assembly("things-behaviour", folder, split="validationset").triplets) == 1
    np.savetxt(folder / "spose_embedding_66d_sorted.txt", np.ones((4, 66)))
    assert read_assembly("things-behaviour", folder).responses.shape == (4, 66)
    (folder / "triplet_dataset" / "trainset.txt").write_text("1 2 4\n")
    with pytest.raises(
        DataError, match="rows 1 to 4, but the stimuli are 0 to 3. Are they counted"
    ):
        read_assembly("things-behaviour", folder)
    (folder / "triplet_dataset" / "trainset.txt").write_text("1 2\n3 4\n")
    with pytest.raises(ReadError, match="three whole numbers a line; got 2 columns"):
        read_assembly("things-behaviour", folder)


def test_things_meg(write):
    folder, values = write("things_meg")
    # Samples at -0.1, -0.05, 0 … s: the window of 0.1 to 0.3 s holds samples 4 to 7.
    made = read_assembly("things-meg", folder)
    assert made.responses["stimulus_id"].values.tolist() == ["owl_13s.jpg", "bat_1.jpg"]
    owl = values[[0, 5], :, 4:8].mean(axis=(0, 2))
    np.testing.assert_allclose(made.responses.values[0], owl, rtol=1e-5)
    np.testing.assert_allclose(made.repeats.values[1, 1], values[4, :, 4:8].mean(axis=1), rtol=1e-5)
    assert made.responses["region"].values.tolist() == ["occipital", "temporal", "central"]
    assert made.stimuli["category"].tolist() == ["owl", "bat"]
    fine = read_assembly("things-meg", folder, trials="train", window=(0.0, 0.2), width=0.1)
    assert fine.stimuli["category"].tolist() == ["ice_cream"]
    np.testing.assert_allclose(
        fine.responses.values.reshape(2, 3),
        values[1, :, 2:6].reshape(3, 2, 2).mean(axis=2).T,
        rtol=1e-5,
    )
    np.testing.assert_allclose(fine.responses["time"].values, np.repeat([0.025, 0.125], 3))
    with pytest.raises(DataError, match="epochs last from -0.1 to 0.65 s; got the window 0.5 to 1"):
        read_assembly("things-meg", folder, window=(0.5, 1.0))
    with pytest.raises(DataError, match="stretches of 0.01 s hold no sample"):
        read_assembly("things-meg", folder, width=0.01)
