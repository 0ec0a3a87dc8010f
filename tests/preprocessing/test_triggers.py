"""Trigger codes to events, as MNE finds them."""

import mne
import numpy as np
import pandas as pd
import pytest

from neurokit import Recording
from neurokit.errors import DataError, UnknownNameError
from neurokit.preprocessing.triggers import events_from_triggers

RATE = 100.0


def make(codes, names=("STI 014",), **kwargs):
    codes = np.asarray(codes, dtype=float).reshape(len(codes), -1)
    return Recording.from_array(codes, RATE, list(names), stream="triggers", **kwargs)


def test_equals_mne():
    rng = np.random.default_rng(0)
    codes = np.repeat(rng.integers(0, 5, 200), rng.integers(2, 9, 200))
    info = mne.create_info(["STI 014"], RATE, "stim")
    raw = mne.io.RawArray(codes[None].astype(float), info, verbose="ERROR")
    found = mne.find_events(raw, consecutive=True, verbose="ERROR")
    events = events_from_triggers(Recording.from_mne(raw)).events
    np.testing.assert_allclose(events["onset"], found[:, 0] / RATE)
    assert events["value"].tolist() == found[:, 2].tolist()
    assert events["trial_type"].tolist() == [str(v) for v in found[:, 2]]


def test_duration_and_mask():
    codes = np.full(100, 0x10000)
    codes[20:30] += 7
    events = events_from_triggers(make(codes), mask=0xFFFF).events
    assert events[["onset", "duration", "value"]].values.tolist() == [[0.2, 0.1, 7]]


def test_a_code_up_to_the_last_sample():
    codes = np.zeros(50)
    codes[45:] = 2
    assert events_from_triggers(make(codes)).events["duration"].tolist() == [0.05]


def test_old_events_are_kept_and_channels_chosen():
    codes = np.zeros((100, 2))
    codes[50:, 1] = 4
    old = pd.DataFrame({"onset": [0.9], "duration": [0.0], "trial_type": ["x"]})
    rec = make(codes, ("still", "moving"), events=old)
    out = events_from_triggers(rec)
    assert out.events["trial_type"].tolist() == ["4", "x"]
    assert out.meta["history"] == ["events_from_triggers(moving): 1 events"]
    with pytest.raises(DataError, match="'still' never change"):
        events_from_triggers(rec, "still")
    with pytest.raises(UnknownNameError, match="Did you mean 'moving'"):
        events_from_triggers(rec, "movin")


def test_what_holds_no_codes():
    with pytest.raises(DataError, match="no whole numbers"):
        events_from_triggers(make(np.linspace(0, 1, 50)))
    with pytest.raises(UnknownNameError, match="Unknown stream 'triggers'"):
        events_from_triggers(Recording.from_spikes([0.1], [0], duration=1.0))
