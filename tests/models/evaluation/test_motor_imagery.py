"""Imagined fists against feet (EEGMMIDB, subject 1), by common spatial patterns."""

from pathlib import Path

import numpy as np
import pytest
from mne.decoding import CSP
from mne.utils import use_log_level
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import ShuffleSplit
from sklearn.pipeline import make_pipeline

import neurokit as nk

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "eeg" / "eegmmidb_s001"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="needs the shared recordings")


def test_our_reader_and_windows_give_what_mne_attains_there():
    runs = [nk.preprocessing.filter(nk.datasets.read(p), 7, 30) for p in sorted(FOLDER.glob("*"))]
    win = nk.windows.epochs(runs, stream="eeg", trial_type=["T1", "T2"], start=1.0, stop=2.0)
    assert (len(win), len(win.names), win.sampling_rate, win.units) == (45, 64, 160.0, "V")
    assert np.bincount(win.labels).tolist() == [21, 24]
    x = win.batch(np.arange(45))["x"].numpy().astype(np.float64).transpose(0, 2, 1)
    scores = []
    for train, test in ShuffleSplit(10, test_size=0.2, random_state=42).split(x):
        model = make_pipeline(CSP(n_components=4), LinearDiscriminantAnalysis())
        with use_log_level("ERROR"):
            model.fit(x[train], win.labels[train])
        scores.append(model.score(x[test], win.labels[test]))
    assert np.mean(scores) == pytest.approx(0.93, abs=0.03)
