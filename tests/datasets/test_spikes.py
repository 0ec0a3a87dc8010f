import io
import os
import zipfile

import h5py
import numpy as np
import pytest
import scipy.io

from neurokit.datasets.spikes import read_mat, read_npz, read_phy, read_spike_table, sniff
from neurokit.datasets.tables import read_table
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.recording import Recording


def _phy(folder, rng, group=True):
    folder.mkdir()
    samples = np.sort(rng.integers(0, 300_000, 500)).astype(np.uint64)
    clusters = rng.choice([2, 5, 11], 500).astype(np.int32)
    np.save(folder / "spike_times.npy", samples[:, None])
    np.save(folder / "spike_clusters.npy", clusters)
    (folder / "params.py").write_text(
        "dat_path = r'raw.dat'\nn_channels_dat = 4\nsample_rate = 30000.\nhp_filtered = False\n"
    )
    (folder / "cluster_KSLabel.tsv").write_text("cluster_id\tKSLabel\n2\tmua\n5\tgood\n11\tmua\n")
    if group:
        (folder / "cluster_group.tsv").write_text(
            "cluster_id\tgroup\n2\tgood\n5\tgood\n99\tnoise\n"
        )
    return samples, clusters


def test_phy(tmp_path):
    samples, clusters = _phy(tmp_path / "phy", np.random.default_rng(0))
    rec = read_phy(tmp_path / "phy", duration=10.0)
    spikes = rec["spikes"]
    np.testing.assert_allclose(spikes["time"], samples / 30000)
    np.testing.assert_array_equal(np.sort(spikes["id"].values[spikes["unit"]]), np.sort(clusters))
    assert spikes["id"].values.tolist() == [2, 5, 11]
    assert spikes["quality"].values.tolist() == ["good", "good", ""]
    assert spikes["KSLabel"].values.tolist() == ["mua", "good", "mua"]
    assert rec.stop == 10.0
    assert Recording.open(rec.save(tmp_path / "r.zarr")).identical(rec)


def test_kilosort_s_label_is_the_quality_where_nobody_sorted(tmp_path):
    _phy(tmp_path / "phy", np.random.default_rng(1), group=False)
    (tmp_path / "phy" / "spike_clusters.npy").rename(tmp_path / "phy" / "spike_templates.npy")
    assert read_phy(tmp_path / "phy")["spikes"]["quality"].values.tolist() == ["mua", "good", "mua"]


def test_phy_s_parameters_are_parsed_never_run(tmp_path):
    folder = tmp_path / "phy"
    _phy(folder, np.random.default_rng(2))
    (folder / "params.py").write_text(
        f"import os\nos.mkdir({str(tmp_path / 'pwned')!r})\nsample_rate = 25000\n"
    )
    assert read_phy(folder).meta["raw_sampling_rate"] == 25000
    assert not (tmp_path / "pwned").exists()
    (folder / "params.py").write_text("sample_rate = float(open('x').read())\n")
    with pytest.raises(ReadError, match="gives no number as sample_rate"):
        read_phy(folder)
    (folder / "params.py").write_text("sample_rate = (\n")
    with pytest.raises(ReadError, match="is not Python"):
        read_phy(folder)
    assert read_phy(folder, sampling_rate=30000)["spikes"].sizes["spike"] == 500


def test_phy_s_missing_parts_are_named(tmp_path):
    folder = tmp_path / "phy"
    _phy(folder, np.random.default_rng(3))
    (folder / "params.py").unlink()
    with pytest.raises(ReadError, match="has no params.py"):
        read_phy(folder)
    np.save(folder / "spike_clusters.npy", np.zeros(3, np.int32))
    with pytest.raises(DataError, match="500 spike times but 3 entries"):
        read_phy(folder, sampling_rate=30000)
    (folder / "spike_clusters.npy").unlink()
    with pytest.raises(ReadError, match="lacks spike_times.npy or spike_clusters.npy"):
        read_phy(folder)
    with pytest.raises(ReadError, match="There is no folder"):
        read_phy(tmp_path / "none")


def test_tables_of_spikes(tmp_path):
    path = tmp_path / "s.tsv"
    path.write_text("\ufeffSpike_Time\tCluster\tdepth\n200\t7\t1\n100\t3\t2\n")
    rec = read_spike_table(path, time_scale=1e-3, duration=1.0)
    assert rec["spikes"]["time"].values.tolist() == [0.1, 0.2]
    assert rec["spikes"]["id"].values.tolist() == [3, 7]
    path.write_text("time,unit\n0.1,b\n0.2,a\n0.3,b\n")
    named = read_spike_table(path)["spikes"]
    assert named["name"].values.tolist() == ["a", "b"]
    assert named["unit"].values.tolist() == [1, 0, 1]
    path.write_text("time,depth\n0.1,3\n")
    with pytest.raises(ReadError, match=r"no column 'unit'; got \['time', 'depth'\]"):
        read_spike_table(path)
    path.write_text("time,unit\nlate,3\n")
    with pytest.raises(ReadError, match="does not hold numbers of seconds"):
        read_spike_table(path)


def test_npz_finds_the_usual_names(tmp_path):
    np.savez(tmp_path / "a.npz", spike_times=[0.2, 0.1], spike_clusters=[4, 2])
    assert read_npz(tmp_path / "a.npz")["spikes"]["id"].values.tolist() == [2, 4]
    np.savez(tmp_path / "b.npz", foo=np.zeros((2, 3)))
    with pytest.raises(ReadError, match=r"say which array is what. It holds foo \(2, 3\)"):
        read_npz(tmp_path / "b.npz")
    with pytest.raises(UnknownNameError, match="Did you mean 'foo'"):
        read_npz(tmp_path / "b.npz", streams={"eeg": {"array": "fooo", "sampling_rate": 1}})


def test_arrays_beside_guessed_spikes_are_not_dropped_silently(tmp_path):
    path = tmp_path / "a.npz"
    beside = {"time": np.arange(6) / 60, "speed": np.arange(6.0), "stimulus": np.ones(6)}
    np.savez(path, spike_times=[0.02, 0.01], spike_units=[4, 2], **beside, rate=60, who="m1")
    with pytest.warns(UserWarning, match=r"left out: 'time', 'speed', 'stimulus'.*streams=\{"):
        assert list(read_npz(path).streams) == ["spikes"]
    named = {"times": "spike_times", "units": "spike_units"}
    assert list(read_npz(path, **named).streams) == ["spikes"]
    spec = {"array": ["speed", "stimulus"], "time": "time"}
    both = read_npz(path, **named, streams={"behaviour": spec})
    assert both["behaviour"]["variable"].values.tolist() == ["speed", "stimulus"]
    assert both["behaviour"].attrs["sampling_rate"] == pytest.approx(60)
    with pytest.warns(UserWarning, match=r"left out: 'time', 'stimulus'\. To"):
        read_npz(path, duration=9.0, intervals={"fast": "speed"})


BAD_MAPPINGS = [
    ({"array": "x"}, "nothing says how often it was sampled"),
    ({"array": "x", "sampling_rate": 1, "axes": ["time"]}, r"does not fit the axes \['time'\]"),
    ({"array": "x", "sampling_rat": 1}, "expected 'array' and any of"),
    ({"array": "x", "sampling_rate": "x"}, "expected one number"),
    ({"array": "x", "time": "t"}, "4 samples but 3 time stamps"),
    ({"array": "x", "sampling_rate": 1, "names": ["a"]}, "1 entries of 'channel'"),
    ({"array": "x", "axes": ["row", "column"]}, "name neither 'time' nor 'presentation'"),
    ({"array": "words", "axes": ["presentation"]}, "not numbers"),
    ({"array": ["t", "words", "x"]}, "expected a vector"),
]


@pytest.mark.parametrize(("spec", "message"), BAD_MAPPINGS)
def test_mappings_that_do_not_fit_are_explained(tmp_path, spec, message):
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2)), t=np.arange(3.0), words=["a", "b", "c"])
    with pytest.raises(DataError, match=message):
        read_npz(tmp_path / "a.npz", streams={"eeg": spec})


def test_selections_and_segments_that_do_not_exist(tmp_path):
    np.savez(
        tmp_path / "a.npz",
        times=[0.1, 0.2],
        units=[0, 1],
        session=[1, 1],
        x=np.zeros((4, 1)),
        cuts=[0, 2, 4],
        bad=[0, 4, 2],
    )
    eeg = {"eeg": {"array": "x", "sampling_rate": 1}}
    with pytest.raises(DataError, match=r"no session is 2: \[1\]"):
        read_npz(tmp_path / "a.npz", select={"session": 2})
    with pytest.raises(DataError, match="has segments 0 to 1; got 2"):
        read_npz(tmp_path / "a.npz", streams=eeg, segments={"offsets": "cuts"}, segment=2)
    with pytest.raises(DataError, match="segment offsets must rise"):
        read_npz(tmp_path / "a.npz", streams=eeg, segments={"offsets": "bad"})
    assert len(read_npz(tmp_path / "a.npz", streams=eeg, segments={"offsets": "cuts"})) == 2


def test_npz_with_objects_is_refused_and_nothing_runs(tmp_path):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "pwned"),)

    np.savez(tmp_path / "a.npz", times=np.array([Evil()], dtype=object), units=[0])
    with pytest.raises(ReadError, match="only pickle can load"):
        read_npz(tmp_path / "a.npz")
    assert not (tmp_path / "pwned").exists()


def _npy(shape, n_bytes):
    file = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + bytes(n_bytes)


def test_npz_claims_are_compared_with_the_bytes(tmp_path):
    for shape in ((10**12,), (-1,), (10**9, 10**9, 10**9)):
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("times.npy", _npy(shape, 80))
        with pytest.raises(ReadError, match="claims shape"):
            read_npz(tmp_path / "a.npz")
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:60])
    with pytest.raises(ReadError, match=r"b\.npz: cannot be read as npz"):
        read_npz(tmp_path / "b.npz")


def _savemat(path, **arrays):
    scipy.io.savemat(path, arrays)
    return path


def test_mat_of_version_5(tmp_path):
    words = np.empty((1, 2), dtype=object)
    words[0, :] = ["C3", "C4"]
    structure = {"fs": 100.0, "label": words}
    x = np.arange(12.0).reshape(2, 6)
    path = _savemat(tmp_path / "a.mat", X=x, info=structure)
    spec = {
        "array": "X",
        "axes": ["channel", "time"],
        "sampling_rate": "info.fs",
        "names": "info.label",
        "units": "uV",
    }
    eeg = read_mat(path, streams={"eeg": spec})["eeg"]
    assert eeg["channel"].values.tolist() == ["C3", "C4"]
    np.testing.assert_allclose(eeg.values.T, x * 1e-6, rtol=1e-6)
    cut = tmp_path / "cut.mat"
    cut.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ReadError, match=r"cut\.mat is truncated or damaged: an element"):
        read_mat(cut)


@pytest.mark.parametrize("packed", [False, True])
def test_damaged_mat_files_are_refused_or_read(tmp_path, packed):
    path = tmp_path / "a.mat"
    words = np.array([["a", "b"]], dtype=object)
    variables = {"times": np.arange(10.0), "units": np.arange(10), "info": {"label": words}}
    scipy.io.savemat(path, variables, do_compression=packed)
    original = path.read_bytes()
    outcomes = set()
    for seed in range(200):
        rng = np.random.default_rng(seed)
        raw = bytearray(original)
        for at in rng.choice(len(raw), 3):
            raw[at] = rng.integers(256)
        path.write_bytes(raw if seed % 4 else raw[: rng.integers(1, len(raw))])
        try:
            outcomes.add("read" if read_mat(path).streams else "")
        except (ReadError, DataError):
            outcomes.add("refused")
    assert outcomes <= {"read", "refused"}
    assert "refused" in outcomes


def test_mat_of_version_7_3(tmp_path):
    path = tmp_path / "a.mat"
    x = np.arange(12.0).reshape(2, 6)
    with h5py.File(path, "w", userblock_size=512) as file:
        # MATLAB stores its first dimension last, text as codes, cells as references.
        file["X"] = x.T
        file["X"].attrs["MATLAB_class"] = np.bytes_("double")
        for i, word in enumerate(("C3", "C4")):
            code = file.create_dataset(f"#refs#/{i}", data=np.array([[ord(c)] for c in word], "u2"))
            code.attrs["MATLAB_class"] = np.bytes_("char")
        cells = [[file["#refs#/0"].ref], [file["#refs#/1"].ref]]
        file.create_dataset("info/label", data=np.array(cells, dtype=h5py.ref_dtype))
        file["info/fs"] = [[100.0]]
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, made by a test")
    assert sniff(path) == "mat"
    spec = {
        "array": "X",
        "axes": ["channel", "time"],
        "sampling_rate": "info.fs",
        "names": "info.label",
    }
    data = read_mat(path, streams={"behaviour": {**spec, "axes": ["variable", "time"]}})
    np.testing.assert_array_equal(data["behaviour"].values.T, x)
    assert data["behaviour"]["variable"].values.tolist() == ["C3", "C4"]


def test_tables_of_samples_words_and_responses(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("t,word,x,rt\n0.5,a,1,310\n1.0,b,,290\n1.5,a,3,280\n")
    rec = read_table(path, columns=["x", "rt"], onset="t", trial_type="word", duration=0.2)
    assert rec["behaviour"].dims == ("presentation", "variable")
    assert np.isnan(rec["behaviour"].values[1, 0])
    assert rec.events["trial_type"].tolist() == ["a", "b", "a"]
    assert rec.events["rt"].tolist() == [310, 290, 280]
    timed = read_table(path, time="t", columns=["rt"])
    assert timed["behaviour"].attrs["sampling_rate"] == 2.0
    assert timed["behaviour"]["word"].values.tolist() == ["a", "b", "a"]
    assert read_table(path, sampling_rate=4.0)["behaviour"]["time"].values.tolist() == [
        0,
        0.25,
        0.5,
    ]
    assert read_table(path, select={"word": "a"})["behaviour"].sizes["presentation"] == 2


def test_tables_that_do_not_fit_are_explained(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\nx,y\n")
    text = read_table(path)["behaviour"]
    assert (text["variable"].values.tolist(), text["b"].values.tolist()) == (["row"], ["y"])
    with pytest.raises(DataError, match="column 'a' holds no numbers"):
        read_table(path, columns=["a"])
    with pytest.raises(UnknownNameError, match="Unknown column of t.csv 'c'"):
        read_table(path, columns=["c"])
    with pytest.raises(DataError, match="no row has a = 'z'"):
        read_table(path, select={"a": "z"})
    path.write_text("a,a \n1,2\n")
    with pytest.raises(ReadError, match="columns occur twice"):
        read_table(path)
    path.write_bytes(b"\xff\xfe\x00bad\x00,\n1,2")
    with pytest.raises(ReadError, match="cannot be read as a table"):
        read_table(path)


def test_sniffing(tmp_path):
    _phy(tmp_path / "phy", np.random.default_rng(5))
    np.savez(tmp_path / "a.dat", x=[1])
    (tmp_path / "a.dat.npz").rename(tmp_path / "a.dat")
    _savemat(tmp_path / "b.mat", x=[1.0])
    _savemat(tmp_path / "eeg.set", EEG={"nbchan": 2})
    (tmp_path / "s.csv").write_text("time,unit\n1,2\n")
    (tmp_path / "o.csv").write_text("a,b\n1,2\n")
    found = {n: sniff(tmp_path / n) for n in ("phy", "a.dat", "b.mat", "eeg.set", "s.csv", "o.csv")}
    assert found == {
        "phy": "phy",
        "a.dat": "npz",
        "b.mat": "mat",
        "eeg.set": None,
        "s.csv": "spike_table",
        "o.csv": None,
    }
