"""Several people in one model: whose is whose, and no part that only some have."""

import numpy as np
import pytest

from neurokit.catalog.recipes import recipe
from neurokit.errors import DataError
from neurokit.recording import Recording
from neurokit.runs.cutting import Parts
from neurokit.runs.families import build
from neurokit.runs.montages import by_subject, join_parts
from neurokit.windows import sliding


def recording(subject, n_channels, first=0.0):
    x = first + np.arange(8.0)[:, None] + np.zeros(n_channels)
    return Recording.from_array(x, 1, stream="ieeg", units="z", meta={"subject": subject})


def parts(subject, n_channels, first=0.0, validation=True):
    win = sliding(recording(subject, n_channels, first), stream="ieeg", length=2)
    return Parts(win.take([0, 1]), win.take([3]), win.take([2]) if validation else None)


def test_recordings_stay_in_their_order():
    recs = [recording(subject, 2) for subject in ("b", "a", "b")]
    found = by_subject(recs)
    assert [[rec.meta["subject"] for rec in own] for own in found] == [["b", "b"], ["a"]]
    assert found[0][1] is recs[2]
    with pytest.raises(DataError, match="Recording 0 has no subject in its meta"):
        by_subject([Recording.from_array(np.ones((4, 1)), 1, stream="ieeg", units="z")])


def test_each_part_holds_all_subjects_under_one_number():
    joined = join_parts([parts("b", 3), parts("a", 2, first=100.0)])
    for win, values in ((joined.train, (0, 2, 100, 102)), (joined.validation, (4, 104))):
        batch = win.batch(range(len(win)))
        assert batch["x"][:, 0, 0].tolist() == list(values)
        assert batch["subject"].tolist() == [int(value >= 100) for value in values]
        # Nothing is in the place of a channel that a person does not have.
        assert not batch["x"][batch["subject"] == 1][..., 2].any()
    assert [len(names) for names in joined.test.montages] == [3, 2]


def test_a_part_that_only_some_have_is_refused():
    assert join_parts([parts("a", 2, validation=False)] * 2).validation is None
    with pytest.raises(DataError, match="Subject 1 has no window to validate on, others have"):
        join_parts([parts("a", 2), parts("b", 2, validation=False)])


def test_models_of_any_channels_are_not_shown_empty_ones(tmp_path):
    win = join_parts([parts("a", 3), parts("b", 2)]).train
    with pytest.raises(DataError, match="smaller montage leaves empty.*without windows.by_subj"):
        build(recipe("eegformer-demo").model, win, 0, tmp_path)
