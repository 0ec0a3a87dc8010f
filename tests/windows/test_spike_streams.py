"""What is seen beside the spikes, what is to be predicted, and what a split may share."""

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from neurokit.errors import DataError, UnknownNameError
from neurokit.models import encode
from neurokit.recording import Recording
from neurokit.windows import assert_disjoint, spike_windows, split_by, split_contiguous
from neurokit.windows.spike_tokens import FIRST

CUT = {"length": 0.05, "history": 0.25}


def stream(x, rate, start=0.0, name="behaviour", variables=("speed", "pupil")):
    x = np.asarray(x, dtype=np.float32)
    if x.ndim == 2:
        names = list(variables)[: x.shape[1]]
        return Recording.from_array(x, rate, names, stream=name, start=start)[name]
    time = start + np.arange(len(x)) / rate
    dims = ("time", "row", "column")
    attrs = {"sampling_rate": rate, "units": "a.u."}
    return xr.DataArray(x, {"time": time}, dims, attrs=attrs)


def clock(n, rate, start=0.0, name="behaviour"):
    """Variables that are the second of each sample, and its negative."""
    time = start + np.arange(n) / rate
    return stream(np.stack([time, -time], axis=1), rate, start, name)


def session(duration=10.0, seed=0, trials=None, meta=None, **streams):
    rng = np.random.default_rng(seed)
    times = rng.uniform(0, duration, 500)
    units = rng.integers(0, 9, 500)
    return Recording.from_spikes(times, units, duration, trials, streams, meta=meta)


@pytest.mark.parametrize("rate", [20.0, 60.0, 100.0, 333.3])
@pytest.mark.parametrize("seconds", [0.05, 0.3])
def test_samples_lie_in_the_seconds_before_the_end(rate, seconds):
    rec = session(behaviour=clock(int(10 * rate), rate))
    win = spike_windows(rec, **CUT, stride=0.01, beside={"behaviour": seconds})
    batch = win.batch(np.arange(len(win)))
    time = batch["behaviour"][..., 0].numpy()
    end = batch["start"].numpy() + 0.05
    assert time.shape[1] == int(seconds * rate + 1e-6) == win.sizes["behaviour"][0]
    assert (time.max(1) < end).all()
    assert (end - time.max(1) <= 1 / rate + 1e-5).all()
    assert (time.min(1) >= end - seconds - 1e-5).all()
    np.testing.assert_array_equal(batch["behaviour"][..., 1], -time)


def test_any_number_of_streams_each_at_its_own_rate():
    frames = np.random.default_rng(0).random((200, 4, 6))
    rec = session(
        behaviour=clock(1000, 100), stimulus=stream(frames, 20), eye=clock(2500, 250, name="eye")
    )
    seconds = {"stimulus": 0.3, "behaviour": 0.05, "eye": 0.1}
    win = spike_windows(rec, **CUT, beside=seconds)
    batch = win.batch([0, 50])
    shapes = {"stimulus": (6, 4, 6), "behaviour": (5, 2), "eye": (25, 2)}
    assert win.sizes == shapes
    assert win.beside == seconds
    for name, shape in shapes.items():
        assert batch[name].shape == (2, *shape)
        assert batch[name].dtype == torch.float32
    first = round((win.start[50] + 0.05) * 20) - 6
    np.testing.assert_array_equal(
        batch["stimulus"][1], frames[first : first + 6].astype(np.float32)
    )


def test_a_stream_that_sees_farther_than_the_past_keeps_within_the_trial():
    rec = session(behaviour=clock(1000, 100), trials=[[1, 3], [4, 6]])
    win = spike_windows(rec, **CUT, stride=0.01, within="trial", beside={"behaviour": 0.8})
    assert win.reach == 75
    seen = win.batch(np.arange(len(win)))["behaviour"][..., 0].numpy()
    onset = np.where(win.trial == 0, 1.0, 4.0)
    assert (seen.min(1) >= onset - 1e-5).all()
    assert seen.min() == pytest.approx(1.0)


def test_windows_that_a_stream_does_not_cover_are_left_out_and_counted():
    rec = session(behaviour=clock(600, 100, start=2.0))
    whole = spike_windows(rec, **CUT)
    with pytest.warns(UserWarning, match=r"80 of 195 windows are not covered .* 'behaviour'"):
        win = spike_windows(rec, **CUT, beside={"behaviour": 0.3})
    inside = (whole.start - 0.25 >= 2 - 1e-9) & (whole.start + 0.05 <= 8 + 1e-9)
    np.testing.assert_allclose(win.start, whole.start[inside])


def test_nor_do_they_cross_a_gap_of_its_clock():
    a, b = clock(300, 100), clock(600, 100, start=4.0)
    rec = session(behaviour=xr.concat([a, b], "time"))
    with pytest.warns(UserWarning, match="ends or has a gap there"):
        win = spike_windows(rec, **CUT, stride=0.01, beside={"behaviour": 0.3})
    seen = win.batch(np.arange(len(win)))["behaviour"][..., 0].numpy()
    assert np.ptp(seen, axis=1).max() < 0.3
    assert not ((seen > 3.0) & (seen < 4.0)).any()


def test_a_clock_that_jitters_does_not_show_the_future():
    rng = np.random.default_rng(0)
    time = np.arange(600) / 60 + 0.01 + rng.uniform(-2e-3, 2e-3, 600)
    rec = session(behaviour=stream(time[:, None], 60).assign_coords(time=time))
    win = spike_windows(rec, **CUT, stride=0.01, beside={"behaviour": 0.3})
    seen = win.batch(np.arange(len(win)))["behaviour"][..., 0].numpy()
    end = win.start[:, None] + 0.05
    assert len(win) == 971
    assert (seen < end + 1e-6).all()
    assert (seen >= end - 0.3 - 5e-3).all()
    assert (end - seen.max(1, keepdims=True) < 1.5 / 60).all()


def test_targets_are_means_over_the_window():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1000, 2))
    rec = session(
        behaviour=stream(x, 100), behaviour_arm=stream(x[::5, :1] + 5, 20, variables=["reach"])
    )
    wanted = {"behaviour_arm": ["reach"], "behaviour": ["pupil"]}
    win = spike_windows(rec, length=0.1, history=0.2, targets=wanted)
    assert win.target_names == ("reach", "pupil")
    assert win.take([3]).target_streams == ("behaviour_arm", "behaviour")
    target = win.batch(np.arange(len(win)))["target"]
    assert target.dtype == torch.float32
    first = np.rint(win.start * 100).astype(int)
    means = np.stack([[x[f : f + 10 : 5, 0].mean() + 5, x[f : f + 10, 1].mean()] for f in first])
    np.testing.assert_allclose(target, means, atol=1e-6)
    np.testing.assert_array_equal(win.take([7, 3]).batch([1])["target"], target[[3]])


def test_targets_that_are_missing_or_slower_than_the_windows():
    x = np.arange(100.0)[:, None]
    x[20:30] = np.nan
    rec = session(behaviour=stream(x, 10, start=1.0))
    win = spike_windows(rec, length=0.05, history=0.05, targets={"behaviour": ["speed"]})
    target = win.batch(np.arange(len(win)))["target"][:, 0].numpy()
    held = np.floor((win.start - 1.0) * 10 + 1e-6)
    unknown = (held < 0) | ((held >= 20) & (held < 30))
    np.testing.assert_array_equal(np.isnan(target), unknown)
    np.testing.assert_array_equal(target[~unknown], held[~unknown])


@pytest.mark.parametrize("kind", ["another clock", "missing throughout"])
def test_targets_that_no_window_has_are_refused(kind):
    x, start = np.random.default_rng(0).normal(size=(200, 2)), 0.0
    if kind == "another clock":
        start = 1000.0
    else:
        x[:, 1] = np.nan
    rec = session(behaviour=stream(x, 20, start=start))
    with pytest.raises(DataError, match=r"None of \d+ windows has a value.*on the clock of the sp"):
        spike_windows(rec, **CUT, targets={"behaviour": ["speed", "pupil"]})


def test_targets_of_which_most_windows_lie_outside_warn():
    x = np.random.default_rng(0).normal(size=(200, 2))
    rec = session(duration=10_000.0, behaviour=stream(x, 20))
    with pytest.warns(UserWarning, match=r"99\.9 %\) have no target of stream 'behaviour'.*clock"):
        win = spike_windows(rec, length=1.0, history=1.0, targets={"behaviour": ["speed"]})
    target = win.batch(np.arange(len(win)))["target"][:, 0].numpy()
    assert len(win) == 9999
    np.testing.assert_array_equal(np.isnan(target), win.start > 10)


def test_few_labels_within_a_stream_are_no_fault():
    x = np.random.default_rng(0).normal(size=(200, 2))
    x[10:] = np.nan
    win = spike_windows(
        session(behaviour=stream(x, 20)), **CUT, targets={"behaviour": ["speed", "pupil"]}
    )
    assert torch.isnan(win.batch(np.arange(len(win)))["target"]).float().mean() > 0.9


def test_nor_are_samples_before_the_onset_of_a_trial():
    trials = pd.DataFrame({"onset": 0.1 + np.arange(9), "duration": 0.95, "trial_type": "trial"})
    rec = session(trials=trials, behaviour=clock(11, 1.0))
    win = spike_windows(rec, **CUT, within="trial", targets={"behaviour": ["speed"]})
    assert torch.isnan(win.batch(np.arange(len(win)))["target"]).float().mean() > 0.9


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"beside": {"behaviour": 0.001}}, DataError, r"less than one .* Give at least 0\.01 s"),
        ({"beside": {"behaviour": -1}}, DataError, "Seconds of 'behaviour' is -1"),
        ({"targets": {"behaviour": ["sped"]}}, UnknownNameError, "Did you mean 'speed'"),
        ({"targets": {"behaviour": "speed"}}, DataError, "expected a list of names"),
        ({"targets": {"behaviour": ["speed", "speed"]}}, DataError, "a name of its own"),
        ({"targets": {"stimulus": ["speed"]}}, DataError, "targets are variables of a stream"),
        ({"targets": {"mood": ["joy"]}}, UnknownNameError, "Unknown stream 'mood'"),
    ],
)  # fmt: skip
def test_bad_streams_are_told_clearly(changes, error, match):
    rec = session(behaviour=clock(1000, 100), stimulus=stream(np.zeros((200, 4, 6)), 20))
    with pytest.raises(error, match=match):
        spike_windows(rec, **CUT, **changes)


def test_other_clocks_are_told_clearly():
    beside = {"behaviour": 0.3}
    late = session(behaviour=clock(1000, 100, start=1e6))
    with pytest.raises(DataError, match="covers none of 195 windows.* runs from 1e"):
        spike_windows(late, **CUT, beside=beside)
    slow = session(behaviour=clock(1000, 100).assign_attrs(sampling_rate=50.0))
    with pytest.raises(DataError, match="says 50 Hz, but its samples are 0.01 s apart"):
        spike_windows(slow, **CUT, beside=beside)
    mixed = [session(behaviour=clock(int(10 * rate), rate)) for rate in (100.0, 50.0)]
    with pytest.raises(DataError, match="'behaviour': Recording 0 has 100 Hz, recording 1 50 Hz"):
        spike_windows(mixed, **CUT, beside=beside)
    renamed = [session(behaviour=stream(np.zeros((1000, 1)), 100, variables=[v])) for v in "ab"]
    with pytest.raises(DataError, match="Recordings 0 and 1 differ in variable"):
        spike_windows(renamed, **CUT, targets={"behaviour": ["a"]})
    halves = session(behaviour=clock(500, 100), eye=clock(1200, 250, 5.2, "eye"))
    with (
        pytest.warns(UserWarning, match="not covered"),
        pytest.raises(DataError, match="No window is left: the stream 'eye' covers"),
    ):
        spike_windows(halves, **CUT, beside={"behaviour": 0.3, "eye": 0.3})
    with pytest.raises(DataError, match="'id' would hide a part of the batch"):
        spike_windows(late, **CUT, beside={"id": 0.3})


def test_the_recording_that_lacks_a_stream_is_named():
    whole, bare = session(behaviour=clock(1000, 100)), session(mood=clock(1000, 100, name="mood"))
    for changes in ({"beside": {"behaviour": 0.3}}, {"targets": {"behaviour": ["speed"]}}):
        told = "Unknown stream of recording 2 'behaviour'.* Known: 'spikes', 'mood'"
        with pytest.raises(UnknownNameError, match=told):
            spike_windows([whole, whole, bare], **CUT, **changes)
        with pytest.raises(UnknownNameError, match="Unknown stream 'behaviour'"):
            spike_windows([bare, bare], **CUT, **changes)
    holes = clock(1000, 100)
    holes[700] = np.nan
    slow = clock(1000, 100).assign_attrs(sampling_rate=100.0)
    slow = slow.assign_coords(time=slow["time"] * 3)
    for bad, told in (
        (holes, "windows of recording 1, the f"),
        (slow, "of recording 1 says 100 H"),
    ):
        with pytest.raises(DataError, match=told):
            spike_windows([whole, session(behaviour=bad)], **CUT, beside={"behaviour": 0.3})


def late(time, rate):
    """A stream whose samples are where they are, within half a sample of the clock."""
    x = stream(np.asarray(time)[:, None], rate)
    return x.assign_coords(time=time)


SLOW = {
    "jitters": late(np.arange(200) / 20 + np.random.default_rng(3).uniform(0, 0.02, 200), 20),
    "skips": late(np.delete(np.arange(200) / 20 + 0.02 * (np.arange(200) > 90), 150), 20),
    "ends": late(np.arange(170) / 20 + 0.013, 20),
}


@pytest.mark.filterwarnings("ignore:.*are not covered by the stream")
@pytest.mark.parametrize("slow", SLOW.values(), ids=SLOW)
@pytest.mark.parametrize(
    "reads", [{"beside": {"behaviour": 0.3}}, {"targets": {"behaviour": ["speed"]}}]
)
def test_nothing_is_read_before_the_reach_nor_from_the_end_on(slow, reads):
    trials = np.stack([np.arange(0.033, 9), np.arange(0.033, 9) + 0.9], axis=1)
    cut = {"length": 0.05, "history": 0.02, "stride": 0.01, **reads}
    win = spike_windows(session(behaviour=slow, trials=trials), **cut, within="trial")
    name = "behaviour" if "beside" in reads else "target"
    batch = win.batch(np.arange(len(win)))
    seen = batch[name].flatten(1).numpy()
    known = np.isfinite(seen[:, 0])
    onset = trials[win.trial][:, :1]
    assert known.mean() > 0.5
    assert (seen.min(1) >= win.start - win.reach * 0.01 - 1e-5)[known].all()
    assert (seen.min(1, keepdims=True) >= onset - 1e-5)[known].all()
    assert (seen.max(1) < win.start + 0.05 + 1e-5)[known].all()
    # And the other way about: a poison there is not found in the batch.
    time = slow["time"].values
    for row in np.flatnonzero(known)[:: max(1, known.sum() // 9)]:
        poisoned = slow.copy(deep=True)
        first, stop = win.start[row] - win.reach * 0.01, win.start[row] + 0.05
        poisoned[(time < max(first, float(onset[row, 0])) - 1e-9) | (time >= stop - 1e-9)] = -1e6
        again = spike_windows(session(behaviour=poisoned, trials=trials), **cut, within="trial")
        np.testing.assert_array_equal(again.batch([row])[name], batch[name][row : row + 1])


def test_labels_that_hold_across_a_split_are_counted():
    # A label of 2 Hz holds for ten windows: those on both sides of a cut may share it.
    rec = session(behaviour=clock(20, 2))
    win = spike_windows(rec, **CUT | {"history": 0.05}, targets={"behaviour": ["speed"]})
    assert win.reach == 45
    for train, test in split_contiguous(win, 4):
        labels = [set(side.batch(np.arange(len(side)))["target"].ravel().tolist())
                  for side in (train, test)]  # fmt: skip
        assert not labels[0] & labels[1]


def test_missing_values_are_refused_where_a_window_sees_them():
    x = np.zeros((1000, 2))
    x[500, 1] = np.nan
    rec = session(behaviour=stream(x, 100), trials=[[0, 4], [6, 9]])
    told = r"in 6 of 195 windows of recording 0, the first at 5 s \(variable pupil\)"
    with pytest.raises(DataError, match=told):
        spike_windows(rec, **CUT, beside={"behaviour": 0.3})
    assert len(spike_windows(rec, **CUT, beside={"behaviour": 0.3}, within="trial")) > 100


class Speed(torch.nn.Module):
    """Represents a window by what it sees, or by how many spikes it has."""

    def represent(self, batch):
        spikes = (batch["id"] >= FIRST).sum(1, keepdim=True).float()
        return batch["behaviour"].mean(1) if "behaviour" in batch else spikes


def test_models_encode_them_and_refuse_missing_values_of_files(tmp_path):
    rec = session(behaviour=clock(1000, 100), meta={"subject": "m1"})
    win = spike_windows(rec, **CUT, beside={"behaviour": 0.3}, targets={"behaviour": ["speed"]})
    z = encode(Speed(), win, batch_size=32, device="cpu", progress=False)
    np.testing.assert_allclose(z[:, 0], win.start + 0.05 - 0.155, atol=1e-4)
    assert z["subject"].values[0] == "m1"
    plain = spike_windows(rec, **CUT)
    z = encode(Speed(), plain, batch_size=32, device="cpu", progress=False)
    assert z.sum() == (plain.batch(np.arange(len(plain)))["id"] >= FIRST).sum()

    x = clock(1000, 100)
    x[500] = np.nan
    opened = Recording.open(session(behaviour=x).save(tmp_path / "r.zarr"))
    lazy = spike_windows(opened, **CUT, beside={"behaviour": 0.3})
    assert torch.equal(lazy.batch([3, 0])["behaviour"], win.batch([3, 0])["behaviour"])
    with pytest.raises(DataError, match="Window 95 has missing"):
        encode(Speed(), lazy, device="cpu", progress=False)


# Splits


def bins_read(win):
    """Every bin that a window reads, its past included, as (recording, bin)."""
    out = set()
    for place, first in zip(win.recording_index, win.first_sample, strict=True):
        out |= {(int(place), b) for b in range(first - win.reach, first + win.n_samples)}
    return out


@pytest.mark.parametrize("beside", [None, {"behaviour": 0.6}])
def test_contiguous_splits_share_no_bin_with_the_past_included(beside):
    recs = [
        session(10.0, i, behaviour=clock(1000, 100), meta={"session": str(i)}) for i in range(2)
    ]
    win = spike_windows(recs, **CUT, stride=0.02, beside=beside)
    tested = []
    for train, test in split_contiguous(win, 4):
        assert not bins_read(train) & bins_read(test)
        tested += test.start.tolist()
    assert len(tested) > 0.97 * len(win)
    assert len(set(tested)) * 2 == len(tested)
    for train, test in split_contiguous(win, 4, gap=0.5):
        near = np.abs(train.start[:, None] - test.start)[
            train.recording_index[:, None] == test.recording_index
        ].min()
        assert near >= 0.5 + 0.05 + win.reach * 0.01 - 1e-9


def test_the_audit_finds_what_was_published():
    win = spike_windows(session(), **CUT, stride=0.01)
    rng = np.random.default_rng(0)
    # Drawn with replacement, more than half of the test windows are training windows.
    train, test = win.take(rng.integers(0, len(win), 900)), win.take(rng.integers(0, len(win), 100))
    assert np.isin(test.first_sample, train.first_sample).mean() > 0.5
    with pytest.raises(DataError, match="Train and test share samples"):
        assert_disjoint(train, test)
    # Drawn without, each test window still has its neighbour among the training windows.
    order = rng.permutation(len(win))
    with pytest.raises(DataError, match="Train and test share samples"):
        assert_disjoint(win.take(order[100:]), win.take(order[:100]))


def test_windows_that_count_other_samples_cannot_be_compared():
    rec, cut = session(), {"length": 0.1, "history": 0.2}
    with pytest.raises(DataError, match="Train has 100 samples a second, test 50"):
        assert_disjoint(spike_windows(rec, **cut), spike_windows(rec, dt=0.02, **cut))


@pytest.mark.parametrize(("apart", "clash"), [(5, True), (29, True), (30, False)])
def test_windows_are_apart_when_their_pasts_are(apart, clash):
    win = spike_windows(session(), **CUT, stride=0.01)
    for train, test in (([100], [100 + apart]), ([100 + apart], [100])):
        if clash:
            with pytest.raises(DataError, match="or its past overlaps a training window"):
                assert_disjoint(win.take(train), win.take(test))
        else:
            assert_disjoint(win.take(train), win.take(test))


def test_whole_trials_go_to_one_side():
    trials = np.stack([np.arange(9.0), np.arange(9.0) + 0.7], axis=1)
    win = spike_windows(session(trials=trials), **CUT, stride=0.01, within="trial")
    for train, test in split_by(win, "trial", 3):
        assert not set(train.trial) & set(test.trial)
        assert not bins_read(train) & bins_read(test)
        assert len(set(test.trial)) == 3
    whole = spike_windows(session(trials=trials), **CUT)
    with pytest.raises(DataError, match="cut without trials"):
        next(split_by(whole, "trial"))


def test_memory_does_not_grow_with_the_overlap():
    rec = session(60.0)
    tiles, dense = (spike_windows(rec, **CUT, stride=s) for s in (0.05, 0.01))
    assert len(dense) > 4.9 * len(tiles)
    assert dense._spikes.id.nbytes + dense._spikes.bin.nbytes == 12 * 500
    assert dense.take([1, 2])._spikes is dense._spikes
