"""Windows: where they lie, what they hold, that nothing is copied or shared."""

import numpy as np
import pandas as pd
import pytest
import torch

from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording
from neurokit.recording.checks import in_memory
from neurokit.windows import assert_disjoint, epochs, sliding, split_by, split_contiguous


def ramp(n=1000, rate=100.0, subject="a", start=0.0, **kwargs):
    """A recording whose sample i holds i and -i."""
    x = np.arange(n)[:, None] * np.array([1.0, -1.0])
    return Recording.from_array(x, rate, stream="bold", start=start, meta={"subject": subject},
                                **kwargs)  # fmt: skip


def table(*rows):
    return pd.DataFrame(rows, columns=["onset", "duration", "trial_type"])


@pytest.mark.parametrize(("length", "stride"), [(1.0, None), (2.0, 0.5), (0.07, 0.03), (10.0, 1.0)])
def test_windows_are_the_slices_of_the_recording(length, stride):
    rec = ramp()
    win = sliding(rec, stream="bold", length=length, stride=stride)
    n, step = round(length * 100), round((stride or length) * 100)
    assert len(win) == (1000 - n) // step + 1
    for i in (0, len(win) // 2, len(win) - 1):
        item = win[i]
        np.testing.assert_array_equal(item["x"], rec["bold"].values[i * step : i * step + n])
        assert item["start"] == pytest.approx(i * step / 100)


def test_nothing_is_copied():
    rec = ramp()
    win = sliding(rec, stream="bold", length=1.0, stride=0.1)
    assert all(
        win[i]["x"].data_ptr() == rec["bold"].values[i * 10 :].ctypes.data for i in range(50)
    )


def test_batch_equals_the_items():
    win = sliding([ramp(), ramp(500)], stream="bold", length=1.0, stride=0.3, labels=[0, 1])
    pick = [0, len(win) - 1, 5, 3]
    batch = win.batch(pick)
    for key in ("x", "start", "recording", "label"):
        assert torch.equal(batch[key], torch.stack([win[i][key] for i in pick]))


def test_files_are_read_window_by_window(tmp_path):
    rec = ramp()
    opened = Recording.open(rec.save(tmp_path / "r.zarr"))
    lazy = sliding(opened, stream="bold", length=1.0, stride=0.5)
    eager = sliding(rec, stream="bold", length=1.0, stride=0.5)
    assert torch.equal(lazy[3]["x"], eager[3]["x"])
    assert torch.equal(lazy.batch([7, 2])["x"], eager.batch([7, 2])["x"])
    assert not in_memory(opened["bold"])


def test_works_with_torchs_loader():
    win = sliding(ramp(), stream="bold", length=1.0)
    loader = torch.utils.data.DataLoader(win, batch_size=4)
    assert [b["x"].shape[0] for b in loader] == [4, 4, 2]


def test_works_in_worker_processes_that_start_afresh():
    win = sliding(ramp(), stream="bold", length=1.0)
    loader = torch.utils.data.DataLoader(
        win, batch_size=5, num_workers=1, multiprocessing_context="spawn"
    )
    assert torch.equal(torch.cat([b["x"] for b in loader]), win.batch(np.arange(10))["x"])


def test_windows_never_cross_a_joint_or_a_gap():
    joined = Recording.concat([ramp(150), ramp(150)])
    win = sliding(joined, stream="bold", length=1.0, stride=0.1)
    assert win.start.tolist() == pytest.approx(
        [0, 0.1, 0.2, 0.3, 0.4, 0.5, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0]
    )
    gappy = (
        ramp(300)["bold"]
        .rename("behaviour")
        .rename(roi="variable")
        .isel(time=np.r_[0:120, 170:300])
    )
    win = sliding(Recording({"behaviour": gappy}), stream="behaviour", length=1.0, stride=0.1)
    assert win.start.tolist() == pytest.approx([0, 0.1, 0.2, 1.7, 1.8, 1.9, 2.0])


def test_labels_by_recording_meta_and_event():
    recs = [ramp(200, subject="b"), ramp(200, subject="a")]
    by_meta = sliding(recs, stream="bold", length=1.0, labels="subject")
    assert by_meta.classes == ("a", "b")
    assert by_meta.labels.tolist() == [1, 1, 0, 0]
    assert sliding(recs, stream="bold", length=1.0, labels=[0.5, 2.5]).labels.tolist() == [
        0.5,
        0.5,
        2.5,
        2.5,
    ]
    rec = ramp(600, events=table((0, 2, "rest"), (2, 2, "move"), (4.7, 1.3, "rest")))
    by_event = sliding(rec, stream="bold", length=1.0, labels="trial_type")
    assert by_event.start.tolist() == [0, 1, 2, 3, 5]
    assert [by_event.classes[k] for k in by_event.labels] == [
        "rest",
        "rest",
        "move",
        "move",
        "rest",
    ]


def test_epochs_are_cut_at_the_onset():
    rec = ramp(events=table((1.0, 0, "a"), (2.004, 0, "b"), (5, 0, "a")), start=0.0)
    win = epochs(rec, stream="bold", start=-0.1, stop=0.2)
    assert [float(win[i]["x"][10, 0]) for i in range(3)] == [100, 200, 500]
    assert len(epochs(rec, stream="bold", trial_type="a", start=0, stop=0.1)) == 2


def test_epochs_on_a_clock_that_does_not_start_at_zero():
    rec = ramp(start=50.0, events=table((51.0, 0, "a")))
    assert float(epochs(rec, stream="bold", start=0, stop=0.1)[0]["x"][0, 0]) == 100


def test_epochs_that_do_not_fit_are_counted():
    rec = ramp(events=table((0.05, 0, "a"), (5, 0, "a"), (9.95, 0, "a")))
    with pytest.warns(UserWarning, match="2 of 3 events lie too near an end"):
        assert len(epochs(rec, stream="bold")) == 1


def test_select_by_meta():
    recs = [ramp(300, subject=s) for s in "abc"]
    win = sliding(recs, stream="bold", length=1.0)
    assert set(win.sel(subject=["a", "c"]).groups("subject")) == {"a", "c"}
    with pytest.raises(DataError, match="no window has"):
        win.sel(subject="z")


@pytest.mark.parametrize("gap", [0.0, 0.35, 1.0])
@pytest.mark.parametrize("stride", [0.1, 0.5, 1.0])
def test_contiguous_splits_share_no_sample_and_keep_the_gap(gap, stride):
    recs = [ramp(), ramp(777)]
    win = sliding(recs, stream="bold", length=0.5, stride=stride)
    tested = []
    for train, test in split_contiguous(win, 4, gap=gap):
        for number, rec in enumerate(recs):
            used = np.zeros((2, rec["bold"].sizes["time"] + 200), dtype=bool)
            for row, part in enumerate((train, test)):
                for first in part.first_sample[part.recording_index == number]:
                    used[row, first : first + 50] = True
            margin = round(gap * 100)
            near = np.convolve(used[1], np.ones(2 * margin + 1), "same") > 0
            assert not (used[0] & near).any()
        tested += list(zip(test.recording_index, test.first_sample, strict=True))
    assert len(tested) == len(set(tested))


def test_splits_by_group_keep_groups_whole():
    recs = [ramp(200, subject=s) for s in "aabbccd"]
    win = sliding(recs, stream="bold", length=1.0)
    folds = list(split_by(win, "subject"))
    assert len(folds) == 4
    for train, test in folds:
        assert not set(train.groups("subject")) & set(test.groups("subject"))
    assert sum(len(test) for _, test in split_by(win, "subject", 2)) == len(win)


def test_disjointness_sees_overlap_across_separate_windows():
    rec = ramp()
    a = sliding(rec, stream="bold", length=1.0)
    b = sliding([ramp(50), rec], stream="bold", length=0.4, stride=0.2)
    with pytest.raises(DataError, match="share samples: in recording 1"):
        assert_disjoint(a.take([3]), b)
    assert_disjoint(a.take([3]), b.take(b.start >= 4.0))


class TestBadInput:
    def test_unknown_stream(self):
        with pytest.raises(UnknownNameError, match="Unknown stream 'bald'. Did you mean 'bold'"):
            sliding(ramp(), stream="bald", length=1.0)

    def test_spikes_must_be_binned(self):
        with pytest.raises(DataError, match="Bin spikes first: nk.preprocessing.bin_spikes"):
            sliding(Recording.from_spikes([0.1], [0], 1.0), stream="spikes", length=1.0)

    def test_too_long_too_short_none(self):
        with pytest.raises(
            DataError, match="No window of 20 s fits: the longest recording has 10 s"
        ):
            sliding(ramp(), stream="bold", length=20.0)
        with pytest.raises(DataError, match="less than one sample at 100 Hz"):
            sliding(ramp(), stream="bold", length=0.001)
        with pytest.raises(DataError, match="list of recordings is empty"):
            sliding([], stream="bold", length=1.0)

    def test_unlike_recordings(self):
        with pytest.raises(DataError, match="Recording 0 has 100 Hz, recording 1 50 Hz"):
            sliding([ramp(), ramp(rate=50.0)], stream="bold", length=1.0)
        three = Recording.from_array(np.ones((200, 3)), 100.0, stream="bold")
        with pytest.raises(DataError, match="Recordings 0 and 1 differ in roi"):
            sliding([ramp(), three], stream="bold", length=1.0)

    def test_labels(self):
        with pytest.raises(DataError, match=r"labels of shape \(3,\) for 1 recordings"):
            sliding(ramp(), stream="bold", length=1.0, labels=[1, 2, 3])
        with pytest.raises(UnknownNameError, match="Unknown event column 'sub'"):
            sliding(ramp(), stream="bold", length=1.0, labels="sub")
        with pytest.raises(DataError, match="Do the events have durations"):
            sliding(ramp(), stream="bold", length=1.0, labels="trial_type")

    def test_no_event_fits(self):
        with pytest.raises(DataError, match=r"fits inside the recordings: all 1 events lie too n"):
            epochs(ramp(events=table((1.0, 0, "a"))), stream="bold", stop=20.0)
        with pytest.raises(DataError, match="0.8 s can be cut: no event but a boundary has a type"):
            epochs(ramp(), stream="bold")

    @pytest.mark.parametrize("wanted", ["tsk", ["rest", "tsk"]])
    def test_types_that_no_recording_has(self, wanted):
        recs = [ramp(events=table((1.0, 0, name))) for name in ("rest", "task")]
        with pytest.raises(UnknownNameError, match=r"type of events 'tsk'\. Did you mean 'task'"):
            epochs(recs, stream="bold", trial_type=wanted)
        assert len(epochs(recs, stream="bold", trial_type=["task"])) == 1
        with pytest.raises(DataError, match="trial_type is an empty list"):
            epochs(recs, stream="bold", trial_type=[])

    def test_units(self):
        volts = Recording.from_array(np.ones((100, 2)), 10, stream="eeg", units="V")
        assert sliding(volts, stream="eeg", length=1.0).units == "V"
        assert sliding(volts, stream="eeg", length=1.0).names == ("0", "1")
        named = Recording.from_array(np.ones((99, 2)), 10, ["Fz", "Cz"], stream="eeg", units="V")
        assert sliding(named, stream="eeg", length=1.0).names == ("Fz", "Cz")
        odd = volts["eeg"].assign_attrs(units="z")
        with pytest.raises(DataError, match="Recording 0 is in 'V', recording 1 in 'z'"):
            sliding([volts, volts.replace({"eeg": odd})], stream="eeg", length=1.0)

    def test_splits(self):
        win = sliding(ramp(), stream="bold", length=1.0)
        with pytest.raises(DataError, match="expected a whole number, 2 or more"):
            next(split_contiguous(win, 1))
        with pytest.raises(DataError, match="No test window in block 0 of 20"):
            next(split_contiguous(win, 20))
        with pytest.raises(DataError, match="No train window in block"):
            next(split_contiguous(win, 2, gap=30.0))
        with pytest.raises(DataError, match="Cannot make 1 folds by 'subject': there are 1 groups"):
            next(split_by(win, "subject"))
        with pytest.raises(UnknownNameError, match="meta key .recording 0. 'sex'"):
            next(split_by(win, "sex"))

    @pytest.mark.parametrize("rows", [[], np.zeros(10, dtype=bool)])
    def test_nothing_taken(self, rows):
        win = sliding(ramp(), stream="bold", length=1.0)
        with pytest.raises(DataError, match="none of the 10 windows is taken"):
            win.take(rows)
        assert win.batch(rows)["x"].shape == (0, *win.batch([0])["x"].shape[1:])

    def test_index_out_of_range(self):
        win = sliding(ramp(), stream="bold", length=1.0)
        with pytest.raises(IndexError, match="Window 10 of 10"):
            win[10]
