import h5py
import numpy as np
import pytest

from neurokit.datasets.calcium import read_caiman, read_suite2p, sniff
from neurokit.errors import DataError, ReadError
from neurokit.recording import Recording


def _suite2p(folder, rng, n=5, frames=40):
    folder.mkdir(parents=True)
    arrays = {
        "F": rng.uniform(100, 200, (n, frames)).astype(np.float32),
        "Fneu": rng.uniform(50, 80, (n, frames)).astype(np.float32),
        "spks": rng.uniform(0, 5, (n, frames)).astype(np.float32),
        "iscell": np.column_stack([[1, 0, 1, 1, 0], rng.uniform(size=n)]),
    }
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    np.save(folder / "ops.npy", {"fs": 30}, allow_pickle=True)
    return arrays


def _caiman(path, rng, n=4, frames=30, **more):
    arrays = {k: rng.uniform(size=(n, frames)) for k in ("C", "S", "YrA")}
    with h5py.File(path, "w") as file:
        for name, values in {**arrays, **more}.items():
            file[f"estimates/{name}"] = values
        file["estimates/idx_components"] = np.array([0, 2])
        file["params/data/fr"] = 15.0
        if "F_dff" not in more:
            file["estimates/F_dff"] = "NoneType"
    return arrays


def test_suite2p(tmp_path):
    arrays = _suite2p(tmp_path / "plane0", np.random.default_rng(0))
    rec = read_suite2p(tmp_path / "plane0", sampling_rate=30.0)
    keep = [0, 2, 3]
    expected = (arrays["F"] - 0.7 * arrays["Fneu"])[keep].T
    np.testing.assert_allclose(rec["calcium"].values, expected, rtol=1e-6)
    np.testing.assert_array_equal(rec["deconvolved"].values, arrays["spks"][keep].T)
    assert rec["calcium"]["unit"].values.tolist() == ["0", "2", "3"]
    np.testing.assert_array_equal(rec["calcium"]["cell_probability"], arrays["iscell"][keep, 1])
    assert rec["calcium"].attrs == {"sampling_rate": 30.0, "units": "a.u."}


def test_suite2p_takes_the_folder_above_and_all_rois(tmp_path):
    arrays = _suite2p(tmp_path / "suite2p" / "plane0", np.random.default_rng(1))
    rec = read_suite2p(tmp_path, sampling_rate=10, neuropil=0.0, cells_only=False, start=5.0)
    np.testing.assert_array_equal(rec["calcium"].values, arrays["F"].T)
    assert rec.start == 5.0
    assert Recording.open(rec.save(tmp_path / "r.zarr")).identical(rec)


def test_suite2p_never_opens_pickles(tmp_path):
    folder = tmp_path / "plane0"
    _suite2p(folder, np.random.default_rng(2))
    np.save(folder / "F.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ReadError, match="only pickle can load"):
        read_suite2p(folder, sampling_rate=30.0)


def test_suite2p_s_frame_rate_has_to_be_given(tmp_path):
    _suite2p(tmp_path / "plane0", np.random.default_rng(9))
    with pytest.raises(ReadError, match=r"the frame rate lies in ops.npy, a pickle"):
        read_suite2p(tmp_path / "plane0")


def test_suite2p_refuses_what_does_not_fit(tmp_path):
    folder = tmp_path / "plane0"
    arrays = _suite2p(folder, np.random.default_rng(3))
    np.save(folder / "Fneu.npy", arrays["F"][:, :-1])
    with pytest.raises(DataError, match=r"Fneu.npy has shape \(5, 39\), but F.npy \(5, 40\)"):
        read_suite2p(folder, sampling_rate=30.0)
    np.save(folder / "Fneu.npy", arrays["F"])
    np.save(folder / "iscell.npy", np.zeros((5, 2)))
    with pytest.raises(DataError, match="none of 5 components is a cell"):
        read_suite2p(folder, sampling_rate=30.0)
    with pytest.raises(DataError, match="sampling rate is -1"):
        read_suite2p(folder, sampling_rate=-1, cells_only=False)
    with pytest.raises(ReadError, match=r"has no F.npy"):
        read_suite2p(tmp_path / "none", sampling_rate=30.0)


def test_a_truncated_array_is_refused(tmp_path):
    folder = tmp_path / "plane0"
    _suite2p(folder, np.random.default_rng(4))
    whole = (folder / "F.npy").read_bytes()
    (folder / "F.npy").write_bytes(whole[:-10])
    with pytest.raises(ReadError, match="Is it truncated"):
        read_suite2p(folder, sampling_rate=30.0)


def test_caiman(tmp_path):
    path = tmp_path / "a.hdf5"
    arrays = _caiman(path, np.random.default_rng(5))
    rec = read_caiman(path)
    keep = [0, 2]
    expected = (arrays["C"] + arrays["YrA"])[keep].T
    np.testing.assert_allclose(rec["calcium"].values, expected, rtol=1e-6)
    np.testing.assert_allclose(rec["deconvolved"].values, arrays["S"][keep].T, rtol=1e-6)
    assert rec["denoised"].attrs["sampling_rate"] == 15
    assert read_caiman(path, accepted_only=False)["calcium"].shape == (30, 4)
    assert read_caiman(path, sampling_rate=7.5)["calcium"].attrs["sampling_rate"] == 7.5


def test_caiman_prefers_df_over_f(tmp_path):
    dff = np.random.default_rng(6).uniform(size=(4, 30)).astype(np.float32)
    _caiman(tmp_path / "a.hdf5", np.random.default_rng(6), F_dff=dff)
    rec = read_caiman(tmp_path / "a.hdf5")
    np.testing.assert_array_equal(rec["calcium"].values, dff[[0, 2]].T)


def test_caiman_refuses_what_does_not_fit(tmp_path):
    path = tmp_path / "a.hdf5"
    _caiman(path, np.random.default_rng(7))
    with h5py.File(path, "r+") as file:
        del file["params"]
        file["estimates/idx_components"][1] = 9
    with pytest.raises(ReadError, match="does not say its frame rate"):
        read_caiman(path)
    with pytest.raises(DataError, match="idx_components name none of 4 components"):
        read_caiman(path, sampling_rate=15)
    with h5py.File(tmp_path / "b.hdf5", "w") as file:
        file["x"] = 1
    with pytest.raises(ReadError, match="was not saved by CaImAn"):
        read_caiman(tmp_path / "b.hdf5")


def test_sniffing(tmp_path):
    _caiman(tmp_path / "a.hdf5", np.random.default_rng(8))
    _suite2p(tmp_path / "plane0", np.random.default_rng(8))
    assert sniff(tmp_path / "a.hdf5") == "caiman"
    assert sniff(tmp_path) == sniff(tmp_path / "plane0") == "suite2p"
    (tmp_path / "t.txt").write_text("x")
    assert sniff(tmp_path / "t.txt") is None
