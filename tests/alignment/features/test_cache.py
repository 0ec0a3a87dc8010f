"""Representations kept on disk: the same ones back, or none."""

import numpy as np
import pytest

from neurokit.alignment.features.cache import cached, digest, recall, store
from neurokit.errors import DataError


def refuse():
    raise AssertionError("computed again")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "uint8", "bool"])
def test_arrays_come_back_as_they_were(tmp_path, dtype):
    rng = np.random.default_rng(0)
    arrays = {name: (rng.standard_normal((3, 4)) * 9).astype(dtype) for name in ("b", "a", "10")}
    first = cached({"model": "m"}, lambda: arrays, tmp_path)
    again = cached({"model": "m"}, refuse, tmp_path)
    assert list(first) == list(again) == ["b", "a", "10"]
    for name, array in arrays.items():
        np.testing.assert_array_equal(again[name], array)
        assert again[name].dtype == array.dtype


def test_views_and_empty_arrays_are_kept(tmp_path):
    x = np.arange(12.0).reshape(3, 4)
    arrays = {"turned": x.T, "every": x[:, ::2], "none": np.empty((0, 4))}
    store({"k": 1}, arrays, tmp_path)
    for name, array in recall({"k": 1}, tmp_path).items():
        np.testing.assert_array_equal(array, arrays[name])


def test_order_of_a_key_does_not_matter_and_its_content_does(tmp_path):
    store({"a": 1, "b": [1, 2]}, {"x": np.ones(1)}, tmp_path)
    assert recall({"b": [1, 2], "a": 1}, tmp_path) is not None
    for other in ({"a": 1}, {"a": 1, "b": [2, 1]}, {"a": 1.5, "b": [1, 2]}, {"a": None, "b": [1]}):
        assert recall(other, tmp_path) is None


def test_a_damaged_file_is_computed_anew(tmp_path):
    path = store({"k": 1}, {"x": np.ones(5)}, tmp_path)
    whole = path.read_bytes()
    for broken in (b"", whole[:-3], whole[: len(whole) // 2], b"\xff" * 40):
        path.write_bytes(broken)
        assert recall({"k": 1}, tmp_path) is None
    np.testing.assert_array_equal(cached({"k": 1}, lambda: {"x": np.ones(5)}, tmp_path)["x"], 1)
    assert recall({"k": 1}, tmp_path) is not None  # its header has no fixed order


def test_the_key_inside_is_compared(tmp_path):
    mine = store({"k": 1}, {"x": np.ones(1)}, tmp_path)
    theirs = store({"k": 2}, {"x": np.zeros(1)}, tmp_path)
    theirs.replace(mine)
    assert recall({"k": 1}, tmp_path) is None


def test_nothing_is_left_behind_by_a_failure(tmp_path):
    with pytest.raises(ZeroDivisionError, match="division"):
        cached({"k": 1}, lambda: {"x": 1 / 0}, tmp_path)
    with pytest.raises(Exception, match="object"):
        store({"k": 1}, {"x": np.array([None])}, tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_users_cache_is_the_default(tmp_path, monkeypatch):
    monkeypatch.setenv("NEUROKIT_DATA", str(tmp_path))
    assert store({"k": 1}, {"x": np.ones(1)}).is_relative_to(tmp_path / "features")


def test_keys_are_plain_values(tmp_path):
    for bad in ({"x": np.ones(2)}, {"x": float("nan")}, {"x": object()}):
        with pytest.raises(DataError, match="Expected a key of text"):
            cached(bad, refuse, tmp_path)


def test_digests_tell_contents_apart():
    parts = [["ab", "c"], ["a", "bc"], ["abc"], [b"abc"], [], [""], ["", ""]]
    arrays = [np.zeros(4), np.zeros((2, 2)), np.zeros(4, "float32"), np.ones(4)]
    seen = [digest(p) for p in parts] + [digest([a]) for a in arrays]
    assert len(set(seen)) == len(seen)
    assert digest([np.arange(6).reshape(2, 3).T]) == digest([np.arange(6).reshape(2, 3).T.copy()])


def test_a_cache_that_cannot_be_written_keeps_nothing_and_loses_nothing(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.warns(UserWarning, match="not kept on disk: cannot write .*NEUROKIT_DATA"):
        found = cached({"a": 1}, lambda: {"x": np.ones(2)}, blocked)
    np.testing.assert_array_equal(found["x"], 1)
    assert blocked.read_text() == "no folder"


def test_only_numbers_are_kept_and_scalars_stay_scalars(tmp_path):
    with pytest.raises(DataError, match="'x' is of <U1"):
        store({"a": 1}, {"x": np.array(["a"])}, tmp_path)
    store({"a": 2}, {"x": np.float64(3)}, tmp_path)
    assert recall({"a": 2}, tmp_path)["x"].shape == ()
