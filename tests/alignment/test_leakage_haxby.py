"""The embedded slice: what shuffled volumes give away, and whole runs do not."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier

import neurokit as nk
from neurokit.alignment import leakage_report, splits

RUNS, VOLUMES = 12, 121


@pytest.fixture(scope="module")
def volumes():
    rec = nk.datasets.load("haxby-slice")
    y = rec["bold"].values.astype(np.float32)
    y = y[:, y.std(axis=0) > 0].reshape(RUNS, VOLUMES, -1)
    y = ((y - y.mean(axis=1, keepdims=True)) / y.std(axis=1, keepdims=True)).reshape(
        len(rec["bold"]), -1
    )
    time = rec["bold"]["time"].values
    label = np.full(len(y), "rest", dtype="U16")
    for event in rec.events.itertuples():
        inside = (time >= event.onset) & (time < event.onset + event.duration)
        label[inside] = event.trial_type
    return y, label, np.repeat(np.arange(RUNS), VOLUMES)


def test_shuffled_volumes_are_flagged_and_whole_runs_are_not(volumes):
    y, _, run = volumes
    honest = leakage_report(y, cv=None, groups=run).attrs
    folds = splits.shuffled(len(y), RUNS, allow_leakage=True)
    leaky = leakage_report(y, cv=folds, groups=run).attrs
    assert (honest["flagged"], leaky["flagged"]) == (0, 1)
    assert abs(honest["content_free_r"]) < 0.05
    assert leaky["content_free_r"] > 0.5


def test_shuffling_lifts_the_decoding_of_categories(volumes):
    y, label, run = volumes
    shown = np.flatnonzero(label != "rest")
    y, label, run = y[shown], label[shown], run[shown]

    def accuracy(folds):
        model = RidgeClassifier(1000.0)
        return np.mean([model.fit(y[a], label[a]).score(y[b], label[b]) for a, b in folds])

    by_run = accuracy(splits.by_group(run))
    shuffled = accuracy(splits.shuffled(len(y), RUNS, allow_leakage=True))
    assert 0.6 < by_run < 0.7
    assert shuffled > by_run + 0.15
