"""Windows of recipes: nothing leaks, labels mean what they say, statistics are of training."""

import numpy as np
import pandas as pd
import pytest

from neurokit.catalog.recipes import recipe
from neurokit.catalog.training_recipes import LabelsTable, SplitTable
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording
from neurokit.runs.cutting import Parts, cut, split, standardize_by_train
from neurokit.windows import sliding


def recordings(n=6, seconds=20, rate=50.0, **events):
    rng = np.random.default_rng(0)
    return [
        Recording.from_array(
            1e-5 * (1 + i) * rng.standard_normal((int(seconds * rate), 3)) + 1e-5,
            rate,
            meta={"subject": i // 2, "run": i % 2, "split": "eval" if i > 3 else "train"},
            **events,
        )
        for i in range(n)
    ]


def cut_as(recs, windows, **labels):
    base = recipe("eegformer-demo-modality" if labels else "eegformer-demo").model_dump()
    base["windows"] = {"stream": "eeg", **windows}
    if labels:
        base["labels"] = labels
    kind = type(recipe("eegformer-demo-modality" if labels else "eegformer-demo"))
    return cut(recs, kind.model_validate(base))


def rows(win):
    return {(int(r), int(f)) for r, f in zip(win.recording_index, win.first_sample, strict=True)}


def test_split_by_subject_keeps_people_apart():
    win = sliding(recordings(), stream="eeg", length=1.0)
    parts = split(win, SplitTable(by="subject", validation=[1], test=[2]), seed=0)
    for part, wanted in ((parts.train, 0), (parts.validation, 1), (parts.test, 2)):
        assert {*part.groups("subject").tolist()} == {wanted}
    assert rows(parts.train) | rows(parts.validation) | rows(parts.test) == rows(win)


def test_drawn_shares_are_whole_people_and_depend_on_the_seed():
    win = sliding(recordings(12), stream="eeg", length=1.0)
    table = SplitTable(by="subject", test_share=0.34, validation_share=0.25)
    drawn = [split(win, table, seed=s) for s in (0, 0, 1, 2, 3)]
    people = [tuple(np.unique(p.test.groups("subject"))) for p in drawn]
    assert all(len(p) == 2 for p in people)
    assert people[0] == people[1]
    assert len({*people}) > 1
    for p in drawn:
        sides = [{*part.groups("subject")} for part in (p.train, p.validation, p.test)]
        assert not sides[0] & sides[1] | sides[0] & sides[2] | sides[1] & sides[2]


def test_split_by_time_is_in_order_with_its_gap():
    win = sliding(recordings(2), stream="eeg", length=1.0, stride=0.5)
    table = SplitTable(by="time", test_share=0.25, validation_share=0.25, gap=1.0)
    parts = split(win, table, seed=0)
    assert (parts.train.start + 1).max() + 1.0 <= parts.validation.start.min()
    assert (parts.validation.start + 1).max() + 1.0 <= parts.test.start.min()
    assert parts.test.start.min() == 15.0


def test_a_split_that_puts_people_on_both_sides_is_refused():
    win = sliding(recordings(), stream="eeg", length=1.0)
    with pytest.raises(DataError, match=r"puts subject '0' on both sides \(and 2 more\)"):
        split(win, SplitTable(by="run", test=[1]), seed=0)
    by_patient = split(win, SplitTable(by="split", test=["eval"]), seed=0)
    assert {*by_patient.test.groups("subject")} == {2}


def test_splits_that_cannot_be():
    win = sliding(recordings(), stream="eeg", length=1.0)
    with pytest.raises(UnknownNameError, match="Unknown subject of the split '9'"):
        split(win, SplitTable(by="subject", test=[9]), seed=0)
    with pytest.raises(UnknownNameError, match="Unknown meta key"):
        split(win, SplitTable(by="sesion", test=[1]), seed=0)
    with pytest.raises(DataError, match="leaves no window to train on"):
        split(win, SplitTable(by="subject", test=[0, 1, 2]), seed=0)
    with pytest.raises(DataError, match="leaves none on one side"):
        split(win, SplitTable(by="subject", test_share=0.01), seed=0)


def test_z_scores_come_from_training_windows_alone():
    win = sliding(recordings(), stream="eeg", length=1.0)
    parts = split(win, SplitTable(by="subject", test=[2]), seed=0)
    scaled = standardize_by_train(parts)
    x = scaled.train.batch(range(len(scaled.train)))["x"].numpy().astype(np.float64)
    np.testing.assert_allclose(x.mean(axis=(0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=(0, 1)), 1, atol=1e-5)
    # Test recordings are louder, and stay so: their own statistics are not used.
    test = scaled.test.batch(range(len(scaled.test)))["x"].numpy()
    assert test.std() > 1.5
    assert scaled.train.units == scaled.test.units == "z"
    raw = parts.test.batch([0])["x"].numpy()
    again = parts.train.batch(range(len(parts.train)))["x"].numpy().astype(np.float64)
    expected = (raw - again.mean(axis=(0, 1))) / again.std(axis=(0, 1))
    np.testing.assert_allclose(scaled.test.batch([0])["x"].numpy(), expected, rtol=1e-4, atol=1e-5)


def test_z_scores_of_a_constant_channel_are_refused():
    x = np.random.default_rng(0).standard_normal((100, 2))
    x[:50, 1] = 0.0
    win = sliding(Recording.from_array(x, 10, stream="ieeg", units="a.u."), stream="ieeg", length=1)
    with pytest.raises(DataError, match=r"Channels \['1'\] are constant|\[.*\] are constant"):
        standardize_by_train(Parts(win.take([0, 1, 2, 3]), win.take([8])))


EVENTS = pd.DataFrame(
    {"onset": [2.0, 6.0, 12.0], "duration": [2.0, 3.0, 2.0], "trial_type": ["fnsz", "gnsz", "bckg"]}
)


def test_events_label_windows_and_the_rest_is_background():
    win = cut_as(
        recordings(1, events=EVENTS),
        {"length": 1.0},
        column="trial_type",
        otherwise="bckg",
        merge={"seiz": ["fnsz", "gnsz"]},
    )
    assert win.classes == ("bckg", "seiz")
    assert len(win) == 20
    assert np.flatnonzero(win.labels).tolist() == [2, 3, 6, 7, 8]


def test_numbers_in_meta_become_named_classes():
    win = cut_as(recordings(2), {"length": 2.0}, column="run", merge={"rest": [0], "task": [1]})
    assert win.classes == ("rest", "task")
    assert win.labels.tolist() == [0] * 10 + [1] * 10


def test_a_misspelt_class_to_merge_is_told():
    recs, table = recordings(1, events=EVENTS), {"column": "trial_type"}
    for keep in ({}, {"keep": ["bckg", "seiz"]}):
        merge = {"seiz": ["fnsz", "gnzs"]}
        with pytest.raises(UnknownNameError, match="to merge 'gnzs'. Did you mean 'gnsz'") as told:
            cut_as(recs, {"length": 1.0}, **table, merge=merge, **keep)
        assert "'seiz'" not in str(told.value)
    with pytest.raises(UnknownNameError, match="Unknown class of 'run' to merge '2'"):
        cut_as(recordings(2), {"length": 2.0}, column="run", merge={"a": [0], "b": [1, 2]})


def test_a_class_to_merge_may_be_new_or_too_short_for_a_window():
    brief = pd.DataFrame({"onset": [15.1], "duration": [0.1], "trial_type": ["mysz"]})
    events = pd.concat([EVENTS, brief], ignore_index=True)
    win = cut_as(
        recordings(1, events=events),
        {"length": 1.0},
        column="trial_type",
        merge={"generalised": ["gnsz", "mysz"], "seiz": ["fnsz", "generalised"]},
    )
    assert win.classes == ("bckg", "seiz")
    early = {"seiz": ["fnsz", "generalised"], "generalised": ["gnsz"]}
    with pytest.raises(UnknownNameError, match="to merge 'generalised'"):
        cut_as(recordings(1, events=events), {"length": 1.0}, column="trial_type", merge=early)


def test_windows_around_events_and_classes_to_keep():
    win = cut_as(
        recordings(1, events=EVENTS),
        {"length": 1.0, "start": -0.5},
        column="trial_type",
        keep=["gnsz", "fnsz"],
    )
    assert win.start.tolist() == [1.5, 5.5]
    assert win.classes == ("gnsz", "fnsz")
    assert win.labels.tolist() == [1, 0]


def test_windows_stay_within_their_trials():
    trials = pd.DataFrame({"onset": [0.0, 5.0, 10.0], "duration": 5.0, "trial_type": "trial"})
    win = cut_as(recordings(1, events=trials), {"length": 2.0, "stride": 1.0, "within": "trial"})
    assert not any(s < edge < s + 2.0 for s in win.start for edge in (5.0, 10.0))
    with pytest.raises(UnknownNameError, match="Unknown event that windows lie within 'trail'"):
        cut_as(recordings(1, events=trials), {"length": 2.0, "within": "trail"})


def test_labels_that_cannot_be():
    recs = recordings(1, events=EVENTS)
    with pytest.raises(DataError, match=r"one class, \['bckg'\]"):
        cut_as(recs, {"length": 1.0}, column="trial_type", keep=["bckg"])
    with pytest.raises(UnknownNameError, match="Unknown class of 'trial_type' 'sez'"):
        cut_as(recs, {"length": 1.0}, column="trial_type", keep=["sez"])
    assert LabelsTable(column="run").merge == {}
