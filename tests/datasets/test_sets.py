"""Data sets of many recordings, loaded by their card."""

import numpy as np
import pytest

import neurokit as nk
from neurokit.errors import DataError, ReadError

CARD = """
name = "toy"
title = "A toy"
modality = ["eeg"]
description = "For tests."
citation = "Nobody (2020)."
url = "https://example.org"
licence = "CC0-1.0"
access = "open"
layout = "npz"
path = "toy-files"

[expect]
recordings = 4
subjects = 2

[read]
files = "**/S*.npz"
names = 'S(?P<subject>\\d+)_(?P<task>[a-z]+)\\.npz'

[read.arguments.streams.eeg]
array = "x"
axes = ["time", "channel"]
sampling_rate = 100
units = "uV"
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    (tmp_path / "datasets/toy-files/deep").mkdir(parents=True)
    (tmp_path / "datasets/toy.toml").write_text(CARD)
    rng = np.random.default_rng(0)
    for subject in (1, 2):
        for task in ("rest", "count"):
            path = tmp_path / f"datasets/toy-files/deep/S{subject:02d}_{task}.npz"
            np.savez(path, x=rng.standard_normal((300, 2)))
    (tmp_path / "datasets/toy-files/notes.txt").write_text("not a recording")
    monkeypatch.setenv("NEUROKIT_CATALOG", str(tmp_path))
    return tmp_path


def test_names_of_files_say_whose_recordings_they_are(lab):
    recs = nk.datasets.load_all("toy")
    facts = [(r.meta["subject"], r.meta["task"]) for r in recs]
    assert facts == [(1, "count"), (1, "rest"), (2, "count"), (2, "rest")]
    assert recs[0].meta["licence"] == "CC0-1.0"
    assert recs[0]["eeg"].attrs["units"] == "V"


def test_a_copy_elsewhere_is_read_as_the_card_says(lab, tmp_path):
    whole = nk.datasets.load_all("toy")
    one = nk.datasets.load_all("toy", tmp_path / "datasets/toy-files/deep")
    assert all(a["eeg"].equals(b["eeg"]) for a, b in zip(whole, one, strict=True))
    file = tmp_path / "datasets/toy-files/deep/S01_rest.npz"
    spec = {"array": "x", "axes": ["time", "channel"], "sampling_rate": 50, "units": "uV"}
    assert nk.datasets.load_all("toy", file, streams={"eeg": spec})[0].duration == 6.0


def test_a_partial_copy_is_told(lab, tmp_path):
    (tmp_path / "datasets/toy-files/deep/S02_rest.npz").unlink()
    with pytest.raises(DataError, match="expected 4 recordings, found 3"):
        nk.datasets.load_all("toy")


def test_files_that_the_card_does_not_describe(lab, tmp_path):
    card = tmp_path / "datasets/toy.toml"
    card.write_text(CARD.replace("**/S*.npz", "**/X*.npz"))
    with pytest.raises(ReadError, match="expected the recordings of 'toy'"):
        nk.datasets.load_all("toy")
    card.write_text(CARD.replace("_(?P<task>[a-z]+)", "-(?P<task>[a-z]+)"))
    with pytest.raises(DataError, match="not called as the card of 'toy' says"):
        nk.datasets.load_all("toy")
    card.write_text(CARD.replace("(?P<subject>", "(").replace("(?P<task>", "("))
    with pytest.raises(ReadError, match="expected named groups"):
        nk.datasets.load_all("toy")
    card.write_text(CARD.replace("(?P<subject>", "(?P<subject"))
    with pytest.raises(ReadError, match="expected a regular expression"):
        nk.datasets.load_all("toy")


def test_one_recording_of_a_set_must_be_chosen(lab, tmp_path):
    task = tmp_path / "datasets/words/001/word-recitation"
    for run in ("run1", "run2"):
        place = task / run / "dataset.bipolar.default.aligned"
        place.mkdir(parents=True)
        np.savez(place / "data.npz", x=np.ones((1, 1, 9)), words=["sun"], channels=["A1-A2"])
    text = CARD[: CARD.index("[expect]")].replace("toy-files", "words")
    text = text.replace('"toy"', '"words"').replace('"npz"', '"word-reading"')
    (tmp_path / "datasets/words.toml").write_text(text)
    assert len(nk.datasets.load_all("words")) == 2
    with pytest.raises(DataError, match=r"words holds 2 recordings \(subjects 001\)"):
        nk.datasets.load("words")
