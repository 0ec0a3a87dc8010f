"""The pieces that readers share: means of repeats, files found, texts as they stand."""

import numpy as np
import pytest
import scipy.io

from neurokit.datasets.assemblies.build import averaged, finite_neuroids, response_array
from neurokit.datasets.assemblies.files import (
    find,
    find_all,
    numbers,
    one_of,
    read_json,
    read_lines,
    read_struct,
    read_texts,
)
from neurokit.errors import ReadError, UnknownNameError


def test_means_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    values, ids = rng.normal(size=(50, 3)), [f"s{i}" for i in rng.integers(0, 9, 50)]
    names, mean, repeats = averaged(values, ids)
    assert names == list(dict.fromkeys(ids))
    for row, name in enumerate(names):
        trials = values[[i == name for i in ids]]
        np.testing.assert_allclose(mean[row], trials.mean(axis=0), rtol=1e-6)
        np.testing.assert_allclose(repeats[: len(trials), row], trials, rtol=1e-6)
        assert np.isnan(repeats[len(trials) :, row]).all()


def test_a_missing_trial_is_not_averaged_away():
    values = np.array([[1.0, 1.0], [np.nan, 3.0]])
    _, mean, _ = averaged(values, ["a", "a"])
    assert np.isnan(mean[0, 0])
    assert mean[0, 1] == 2.0


def test_neuroids_with_everything_missing_are_an_error(tmp_path):
    with pytest.raises(ReadError, match="a.nc: each of 2 neuroids lacks some of 1.* Select one"):
        finite_neuroids(tmp_path / "a.nc", np.full((1, 2), np.nan), "Select one.")


def test_coordinates_are_text_of_fixed_width_or_numbers():
    made = response_array(
        np.zeros((2, 2)),
        {"stimulus_id": np.array(["a", "bb"], dtype=object), "run": [1, 2]},
        {"subject": "S1", "weight": 0.5},
    )
    assert made["stimulus_id"].dtype == "<U2"
    assert made["run"].dtype.kind == "i"
    assert made["subject"].values.tolist() == ["S1", "S1"]
    assert made["weight"].values.tolist() == [0.5, 0.5]


def test_finding(tmp_path):
    for name in ("b.csv", "a.csv", "._a.csv", "c.tsv"):
        (tmp_path / name).touch()
    assert find(tmp_path, "*.csv", "a table").name == "a.csv"
    assert [p.name for p in find_all(tmp_path, ("*.mat", "*.csv"), "tables")] == ["a.csv", "b.csv"]
    assert find(tmp_path / "c.tsv", "*.csv", "a table").name == "c.tsv"
    with pytest.raises(ReadError, match=r"expected a table \(x or y\); there is none"):
        find(tmp_path, ("x", "y"), "a table")


def test_choosing():
    assert one_of("subject", "b", ["a", "b"]) == "b"
    with pytest.raises(ReadError, match="There are 2 subjects: a, b. Choose one with subject="):
        one_of("subject", None, ["a", "b"])
    with pytest.raises(UnknownNameError, match="Unknown subject 'c'"):
        one_of("subject", "c", ["a", "b"])


def test_words_that_look_like_gaps_stay_words(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text('word\tzone\nNA\t1\n"null\t2\nNaN\t3\n\t4\n')
    table = read_texts(path, "\t", ["word"], quoted=False)
    assert table["word"].tolist() == ["NA", '"null', "NaN", ""]
    with pytest.raises(ReadError, match=r"expected columns \['text'\]; got 4 rows of \['word'"):
        read_texts(path, "\t", ["text"], quoted=False)
    with pytest.raises(ReadError, match="words.tsv: cannot be read as a table"):
        read_texts(path, "\t", ["word"])
    with pytest.raises(ReadError, match="There is no file"):
        read_texts(tmp_path / "none.tsv", "\t")


def test_lines_and_json(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("\ufeffone\n\n  two \n", encoding="utf-8")
    assert read_lines(path) == ["one", "two"]
    path.write_text("\n")
    with pytest.raises(ReadError, match="a.txt is empty"):
        read_lines(path)
    path.write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ReadError, match="a.txt: cannot be read as text"):
        read_lines(path)
    path.write_text('{"a": ')
    with pytest.raises(ReadError, match="a.txt: not valid JSON"):
        read_json(path)


def test_structures_of_matlab(tmp_path):
    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"meta": {"names": np.array(["x", "yy"], object)}, "big": np.eye(3)})
    found = read_struct(path, ["meta", "absent"])
    assert list(found) == ["meta"]
    assert list(found["meta"]["names"]) == ["x", "yy"]
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ReadError, match="a.mat is truncated or damaged"):
        read_struct(path, ["big"])
    with pytest.raises(ReadError, match="There is no file"):
        read_struct(tmp_path / "none.mat", ["big"])


def test_numbers_are_checked(tmp_path):
    with pytest.raises(ReadError, match="expected data as numbers with 2 dimensions; got <U1"):
        numbers(tmp_path / "a.mat", "data", [["x"]], 2)
    assert numbers(tmp_path / "a.mat", "data", [[1, 2]], 2).shape == (1, 2)
