"""The word-reading set of Du-IN, on generated files of its layout."""

import numpy as np
import pytest

from neurokit.datasets.word_reading import read_word_reading
from neurokit.errors import DataError, ReadError, UnknownNameError
from neurokit.windows import sliding

WORDS = [f"word{i:02d}" for i in range(61)]


@pytest.fixture
def root(tmp_path):
    """Two subjects, two runs each, every word once a run."""
    rng = np.random.default_rng(0)
    for subject in ("001", "002"):
        for run in ("run1", "run2"):
            x = rng.normal(size=(61, 10, 300)).astype(np.float32)
            names = [f"A{i}-A{i + 1}" for i in range(10)]
            save(tmp_path, subject, run, x=x, words=rng.permutation(WORDS), channels=names)
    return tmp_path


def place(root, subject, run):
    task = root / "seeg.he2023xuanwu" / subject / "word-recitation" / run
    folder = task / "dataset.bipolar.default.aligned"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def save(root, subject, run, **arrays):
    np.savez(place(root, subject, run) / "data.npz", **arrays)


def test_each_run_is_a_recording_with_an_event_a_word(root):
    recs = read_word_reading(root)
    assert [(r.meta["subject"], r.meta["run"]) for r in recs] == [
        (s, r) for s in ("001", "002") for r in ("run1", "run2")
    ]
    rec = recs[0]
    assert rec["ieeg"].shape == (61 * 300, 10)
    assert rec["ieeg"].attrs["sampling_rate"] == 1000.0
    words = rec.events[rec.events["trial_type"] != "boundary"]
    assert sorted(words["trial_type"]) == WORDS
    np.testing.assert_allclose(words["word_onset"] - words["onset"], 0.5)


def test_trials_keep_their_samples_and_windows_their_trial(root):
    path = place(root, "001", "run1") / "data.npz"
    with np.load(path) as saved:
        x, words = saved["x"], saved["words"]
    rec = read_word_reading(root, subject="001")[0]
    win = sliding(rec, stream="ieeg", length=0.3, labels="trial_type")
    assert len(win) == 61
    np.testing.assert_array_equal(win.batch(range(61))["x"].numpy(), x.transpose(0, 2, 1))
    assert [win.classes[i] for i in win.labels] == words.tolist()
    # Windows that do not divide a trial never reach into the next one.
    within = sliding(rec, stream="ieeg", length=0.2)
    assert np.allclose(np.round(within.start / 0.3) * 0.3, within.start)


def test_choice_of_subject_and_channels(root):
    recs = read_word_reading(root, subject=["002"], channels=["A3-A4", "A0-A1"])
    assert len(recs) == 2
    assert recs[0]["ieeg"]["channel"].values.tolist() == ["A3-A4", "A0-A1"]
    whole = read_word_reading(root, subject="002")[0]
    np.testing.assert_array_equal(recs[0]["ieeg"].values[:, 0], whole["ieeg"].values[:, 3])
    with pytest.raises(UnknownNameError, match="Unknown subject '013'"):
        read_word_reading(root, subject="013")
    with pytest.raises(UnknownNameError, match="Unknown channel of subject 001 'Z1'"):
        read_word_reading(root, channels=["Z1"])


def test_a_pickle_is_never_opened(tmp_path):
    folder = place(tmp_path, "001", "run1")
    # Opening this would raise another error than the one that is expected.
    (folder / "data").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(ReadError, match=r"is a Python pickle, .* is not read.* np.savez\("):
        read_word_reading(tmp_path)


def test_objects_in_the_arrays_are_refused(tmp_path):
    save(tmp_path, "001", "run1", x=np.array([{}], dtype=object), words=["a"], channels=["b"])
    with pytest.raises(ReadError, match="object"):
        read_word_reading(tmp_path)


def test_arrays_that_do_not_fit(tmp_path):
    with pytest.raises(ReadError, match="expected runs in 001/word-recitation"):
        read_word_reading(tmp_path)
    save(tmp_path, "001", "run1", x=np.zeros((3, 2, 5)), words=["a"] * 4, channels=["b", "c"])
    with pytest.raises(DataError, match=r"shape \(3, 2, 5\) beside 4 words and 2 channels"):
        read_word_reading(tmp_path)
    save(tmp_path, "001", "run1", x=np.zeros((3, 2, 5)), words=["a"] * 3)
    with pytest.raises(UnknownNameError, match="Unknown array of data.npz 'channels'"):
        read_word_reading(tmp_path)
