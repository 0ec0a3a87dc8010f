"""Windows of spikes: what they hold, what they may not read, what they refuse."""

import contextlib
import pickle

import numpy as np
import pandas as pd
import pytest
import torch

from neurokit.errors import DataError, UnknownNameError
from neurokit.preprocessing import bin_spikes
from neurokit.recording import Recording
from neurokit.recording.clock import slack
from neurokit.windows import Vocabulary, spike_windows
from neurokit.windows.spike_tokens import EOS, FIRST, PAD, SOS, decode

DT = 0.01


def population(seed=0, n_units=20, duration=10.0, rate=5.0, start=0.0, **kwargs):
    """Poisson spikes of units 100, 101, …; none of them need fire."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(n_units * rate * duration)
    times = start + rng.uniform(0, duration, n)
    units = 100 + rng.integers(0, n_units, n)
    table = pd.DataFrame({"id": 100 + np.arange(n_units)})
    return Recording.from_spikes(times, units, duration, start=start, unit_table=table, **kwargs)


def counted(rec, start, n_steps, dt=DT):
    """Counts (step, unit) between a time and some steps later, straight from the times."""
    spikes = rec["spikes"]
    step = np.floor((spikes["time"].values - start + slack(start)) / dt).astype(int)
    inside = (step >= 0) & (step < n_steps)
    counts = np.zeros((n_steps, spikes.sizes["unit"]), dtype=int)
    np.add.at(counts, (step[inside], spikes["unit"].values[inside]), 1)
    return counts


def tallied(id, step, n_steps, n_units):
    """Counts (step, unit) that a row of tokens stands for."""
    counts = np.zeros((n_steps, n_units), dtype=int)
    spike = id >= FIRST
    np.add.at(counts, (step[spike] - FIRST, id[spike] - FIRST), 1)
    return counts


@pytest.mark.parametrize("start", [0.0, 37.5, 1.7e9])
@pytest.mark.parametrize("rate", [0.5, 50.0])
def test_tokens_are_the_spikes_of_each_bin(start, rate):
    rec = population(rate=rate, start=start)
    win = spike_windows(rec, length=0.05, history=0.25, dt=DT, stride=0.02)
    rows = np.arange(0, len(win), 7)
    batch = {name: value.numpy() for name, value in win.batch(rows).items()}
    for i, row in enumerate(rows):
        # Not win.start: where a window lies must not be taken from what is tested.
        now = start + 0.25 + row * 0.02
        assert batch["start"][i] == pytest.approx(now, abs=1e-6)
        spikes = counted(rec, now, 5), counted(rec, now - 0.25, 25)
        np.testing.assert_array_equal(tallied(batch["id"][i], batch["step"][i], 5, 20), spikes[0])
        found = tallied(batch["past_id"][i], batch["past_step"][i], 25, 20)
        np.testing.assert_array_equal(found, spikes[1])


def test_round_trip_is_exact_at_the_resolution_of_a_bin():
    rec = population(rate=80.0)  # many bins with several spikes of one unit
    win = spike_windows(rec, length=0.05, history=0.25, dt=DT)
    batch = win.batch(np.arange(len(win)))
    times, sessions, ids = decode(batch["id"], batch["step"], batch["start"], win.vocabulary, DT)
    assert set(sessions) == {""}
    end = float(win.start[-1] + win.length)
    rebuilt = Recording.from_spikes(
        times, ids, rec.stop, unit_table=rec["spikes"][["id"]].to_dataframe()
    )
    made, true = (bin_spikes(r, DT, start=0.25, stop=end)["counts"].values for r in (rebuilt, rec))
    assert true.max() >= 3
    np.testing.assert_array_equal(made, true)
    assert len(times) == true.sum()


def test_a_frame_around_each_window_and_none_around_the_past():
    win = spike_windows(population(), length=0.05, history=0.25)
    batch = win.batch(np.arange(len(win)))
    n = (batch["id"] >= FIRST).sum(1)
    rows = torch.arange(len(win))
    for name in ("id", "step"):
        assert (batch[name][:, 0] == SOS).all()
        assert (batch[name][rows, n + 1] == EOS).all()
        assert (batch[name] == EOS).sum() == (batch[name] == SOS).sum() == len(win)
        past = batch[f"past_{name}"]
        assert ((past == PAD) | (past >= FIRST)).all()
    assert torch.equal(batch["id"] == PAD, batch["step"] == PAD)
    assert torch.equal(batch["past_id"] == PAD, batch["past_step"] == PAD)


def test_padding_reaches_to_the_longest_of_the_batch():
    win = spike_windows(population(), length=0.05, history=0.25)
    n = np.array([(win[i]["id"] >= FIRST).sum() for i in range(len(win))])
    quiet, loud = int(n.argmin()), int(n.argmax())
    assert win.batch([quiet])["id"].shape == (1, n[quiet] + 2)
    both = win.batch([quiet, loud])
    assert both["id"].shape == (2, n[loud] + 2)
    for name in ("id", "step", "past_id", "past_step"):
        alone = win[quiet][name]
        assert torch.equal(both[name][0, : len(alone)], alone)
        assert (both[name][0, len(alone) :] == PAD).all()


def test_silence_is_a_window_too():
    rec = Recording.from_spikes([0.5], [7], 2.0)
    batch = spike_windows(rec, length=0.1, history=0.2).batch([0, 10])
    assert batch["id"].tolist() == [[SOS, EOS]] * 2
    assert batch["past_id"].tolist() == [[PAD]] * 2


def test_steps_do_not_decrease_and_ties_print_no_order():
    rng = np.random.default_rng(0)
    bins, units = np.nonzero(rng.random((400, 30)) < 0.5)
    rec = Recording.from_spikes(bins * DT + 0.002, units, 4.0)
    win = spike_windows(rec, length=0.05, history=0.05)
    batch = win.batch(np.arange(len(win)))
    pairs, ascending = 0, 0
    for prefix in ("", "past_"):
        id, step = batch[f"{prefix}id"].numpy(), batch[f"{prefix}step"].numpy()
        spike = (id[:, 1:] >= FIRST) & (id[:, :-1] >= FIRST)
        assert (np.diff(step)[spike] >= 0).all()
        tied = spike & (np.diff(step) == 0)
        pairs += tied.sum()
        ascending += (np.diff(id)[tied] > 0).sum()
    assert pairs > 5000
    assert 0.47 < ascending / pairs < 0.53


def test_the_order_of_ties_is_that_of_the_seed_wherever_a_window_is_read():
    rec = population(rate=200.0)
    cut = {"length": 0.05, "history": 0.25, "stride": 0.01}
    win, again, other = (spike_windows(rec, **cut, seed=seed) for seed in (1, 1, 2))
    rows = [3, 50, 400]
    assert torch.equal(win.batch(rows)["id"], again.batch(rows)["id"])
    assert torch.equal(win.batch(rows)["id"], win.take([400, 50, 3]).batch([2, 1, 0])["id"])
    assert not torch.equal(win.batch(rows)["id"], other.batch(rows)["id"])
    # A recording keeps its order when others come behind it.
    more = spike_windows([rec, population(1, meta={"session": "b"})], **cut, seed=1)
    assert torch.equal(win.batch(rows)["id"], more.batch(rows)["id"])


def test_a_spike_at_the_very_end_counts_to_the_last_bin():
    rec = Recording.from_spikes([0.0, 0.05, 0.1, 0.2], [0, 1, 2, 3])
    win = spike_windows(rec, length=0.1, history=0.1, dt=0.1)
    assert sorted(win[0]["id"].tolist()) == [SOS, EOS, 2 + FIRST, 3 + FIRST]
    # A bin that is not whole is no bin, and what lies in it is not moved.
    longer = Recording.from_spikes([0.0, 0.25], [0, 1])
    assert win.take([0])[0]["start"] == pytest.approx(0.1)
    assert spike_windows(longer, length=0.1, history=0.1, dt=0.1)[0]["id"].tolist() == [SOS, EOS]


TRIALS = np.array([[0.503, 1.5], [1.5, 1.75], [2.0, 3.217], [9.8, 10.0]])


def test_neither_windows_nor_their_past_leave_a_trial():
    rec = population(rate=100.0, trials=TRIALS)
    with pytest.warns(UserWarning, match=r"2 of 4 events 'trial' are shorter .* \(0\.3 s\)"):
        win = spike_windows(rec, length=0.05, history=0.25, stride=0.01, within="trial")
    assert set(win.trial) == {0, 2}
    for trial in (0, 2):
        mine = win.start[win.trial == trial]
        onset, end = TRIALS[trial]
        # Steps count from the onset, and every one that fits is used.
        np.testing.assert_allclose(mine, onset + 0.25 + 0.01 * np.arange(mine.size), atol=1e-9)
        assert mine[-1] + 0.05 <= end + 1e-9 < mine[-1] + 0.06 + 1e-6
    for i in (0, len(win) - 1):
        found = win[i]["past_id"].numpy(), win[i]["past_step"].numpy()
        now = float(win.start[i])
        np.testing.assert_array_equal(tallied(*found, 25, 20), counted(rec, now - 0.25, 25))
    assert torch.equal(win.batch([0, 150])["trial"], torch.tensor([0, 2]))


def test_trials_of_several_recordings_have_numbers_of_their_own():
    recs = [population(i, trials=[[0, 1], [1, 2]], meta={"session": str(i)}) for i in range(2)]
    win = spike_windows(recs, length=0.25, history=0.25, within="trial")
    np.testing.assert_array_equal(np.unique(win.groups("trial")), [0, 1, 2, 3])
    assert (win.recording_index[win.trial >= 2] == 1).all()
    assert set(win.sel(trial=[1, 3]).trial) == {1, 3}


def test_windows_do_not_cross_a_joint():
    parts = [population(seed, duration=1.003) for seed in range(3)]
    rec = Recording.concat(parts)
    win = spike_windows(rec, length=0.05, history=0.25, stride=0.01)
    begin, end = win.start - 0.25, win.start + 0.05
    for joint in (1.003, 2.006):
        assert not ((begin < joint - 1e-9) & (end > joint + 1e-9)).any()
    assert np.isclose(begin, 1.003).any()
    assert np.isclose(begin, 2.006).any()
    within = spike_windows(
        rec.replace(events=pd.concat([rec.events, table((0.5, 1.5, "trial"))])),
        length=0.05, history=0.25, stride=0.01, within="trial",
    )  # fmt: skip
    begin, end = within.start - 0.25, within.start + 0.05
    assert not ((begin < 1.003 - 1e-9) & (end > 1.003 + 1e-9)).any()
    assert set(within.trial) == {0}
    assert begin.min() == pytest.approx(0.5)
    assert begin.max() > 1.6


def table(*rows):
    return pd.DataFrame(rows, columns=["onset", "duration", "trial_type"])


def test_more_spikes_than_a_window_holds_are_counted():
    rec = population(rate=100.0)
    whole = spike_windows(rec, length=0.05, history=0.25)
    n = np.array([(whole[i]["id"] >= FIRST).sum() for i in range(len(whole))])
    most = int(np.median(n))
    lost = int(np.maximum(n - most, 0).sum())
    with pytest.warns(UserWarning, match=f"{lost} spikes did not fit: windows hold {most}"):
        win = spike_windows(rec, length=0.05, history=0.25, max_spikes=most)
    assert win.dropped == lost > 0
    assert whole.dropped == 0
    assert win.batch(np.arange(len(win)))["id"].shape[1] == most + 2
    full = int(n.argmax())
    assert torch.equal(win[full]["id"][1:-1], whole[full]["id"][1 : most + 1])
    assert torch.equal(win[full]["past_id"], whole[full]["past_id"])
    assert win.take([full]).dropped == n[full] - most


def test_sessions_keep_their_units_apart_and_share_them_within():
    recs = [
        Recording.from_spikes([0.25], [7], 0.5, meta={"session": session})
        for session in ("mon", "tue", "mon")
    ]
    win = spike_windows(recs, length=0.1, history=0.2)
    assert win.vocabulary.units == (("mon", 7), ("tue", 7))
    spiking = [int(i) for i in range(len(win)) if (win[i]["id"] >= FIRST).any()]
    assert [win[i]["id"].tolist()[1] - FIRST for i in spiking] == [0, 1, 0]
    batch = win.batch(np.arange(len(win)))
    _, sessions, ids = decode(batch["id"], batch["step"], batch["start"], win.vocabulary, 0.01)
    assert sessions.tolist() == ["mon", "tue", "mon"]
    assert ids.tolist() == [7, 7, 7]


@pytest.mark.parametrize(
    ("ids", "name", "warns"),
    [([0, 1, 2], None, False), ([0, 1], None, True), ([0, 1, 9], None, True), ([7, 8], None, False),
     ([0, 1], "a", False)],
)  # fmt: skip
def test_recordings_that_nobody_named_may_be_of_several_sessions(ids, name, warns):
    meta = {} if name is None else {"session": name}
    recs = [
        Recording.from_spikes(np.linspace(0.1, 0.9, len(units)), units, 1.0, meta=meta)
        for units in ([17, 18], [0, 1, 2], [2, 1, 0], ids)
    ]
    told = pytest.warns(UserWarning, match=rf"has 3, another one {len(ids)}, 2 of the same id")
    with told if warns else contextlib.nullcontext():
        words = Vocabulary.of(recs)
    assert len(words) == len({0, 1, 2, 17, 18, *ids})
    spike_windows(recs[-1], length=0.1, history=0.1, vocabulary=words)


def test_a_vocabulary_grows_behind_what_was_there():
    old = Recording.from_spikes([0.1], [4], 1.0, meta={"session": "a"})
    new = Recording.from_spikes([0.25, 0.25], [2, 4], 1.0, meta={"session": "b"})
    words = Vocabulary.of(old)
    with pytest.raises(UnknownNameError, match=r"session 'b' \(see Vocabulary.extend\) '2'"):
        spike_windows(new, length=0.1, history=0.2, vocabulary=words)
    grown = words.extend(new)
    assert grown.units == (("a", 4), ("b", 2), ("b", 4))
    assert grown.extend(old) == grown
    found = spike_windows(new, length=0.1, history=0.2, vocabulary=grown)[0]["id"]
    assert sorted(found[1:-1].tolist()) == [1 + FIRST, 2 + FIRST]
    assert Vocabulary(tuple(grown)) == grown  # as it comes back from a file


def test_windows_are_a_torch_data_set_that_survives_a_worker():
    win = spike_windows(population(), length=0.05, history=0.25)
    again = pickle.loads(pickle.dumps(win))
    assert torch.equal(again.batch([5, 1])["id"], win.batch([5, 1])["id"])
    item, batch = win[-1], win.batch([len(win) - 1])
    assert all(torch.equal(item[name], batch[name][0]) for name in batch)
    with pytest.raises(IndexError, match=f"Window {len(win)} of"):
        win[len(win)]
    with pytest.raises(DataError, match="Empty selection"):
        win.take([])


CUT = {"length": 0.05, "history": 0.25}


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"length": 0.055}, DataError, r"length = 0\.055 s is 5\.5 steps of 0\.01 s"),
        ({"stride": 0.001}, DataError, "stride = 0.001 s is 0.1 steps"),
        ({"history": 0.0}, DataError, r"history \(s\) is 0"),
        ({"dt": -1}, DataError, "dt"),
        ({"history": 30.0}, DataError, r"a window and its past take 30\.05 s, and the longest"),
        ({"within": "trial"}, UnknownNameError, "Unknown event type 'trial'"),
        ({"beside": {"behaviour": 0.3}}, UnknownNameError, "Unknown stream 'behaviour'"),
        ({"beside": ["behaviour"]}, DataError, "beside is"),
        ({"beside": {"spikes": 0.3}}, DataError, "'spikes' has no samples on a clock"),
        ({"targets": {"spikes": "speed"}}, DataError, "targets 'spikes'.* expected a list"),
        ({"max_spikes": 0}, DataError, "max_spikes is 0"),
        ({"vocabulary": (("", 1),)}, DataError, "expected a Vocabulary"),
        ({"vocabulary": Vocabulary((("", 1),))}, UnknownNameError, "unit of session"),
    ],
)
def test_bad_arguments_are_told_clearly(changes, error, match):
    with pytest.raises(error, match=match):
        spike_windows(population(), **{**CUT, **changes})


def test_bad_recordings_are_told_clearly():
    with pytest.raises(DataError, match="outside of the recorded interval"):
        Recording.from_spikes([0.1, 2.0], [0, 1], 1.0)
    with pytest.raises(DataError, match="list of recordings is empty"):
        spike_windows([], **CUT)
    with pytest.raises(UnknownNameError, match="Unknown stream 'spikes'"):
        spike_windows(Recording.from_array(np.ones((9, 1)), 9, stream="bold"), **CUT)
    with pytest.raises(DataError, match="longest 'trial' has 0.2 s"):
        spike_windows(population(trials=[[0, 0.2], [1, 1.1]]), **CUT, within="trial")
    with pytest.raises(DataError, match="one begins at 1.5 s, before the one from 1 s ends at 2 s"):
        spike_windows(population(trials=[[1, 2], [1.5, 3]]), **CUT, within="trial")
    twins = [population(meta={"session": "1", "subject": name}) for name in "ab"]
    with pytest.raises(
        DataError, match="of subject 'b', another one of session '1' of subject 'a'"
    ):
        spike_windows(twins, **CUT)
    with pytest.raises(DataError, match="Recordings without a spike have units only if"):
        spike_windows(Recording.from_spikes([], [], 1.0), **CUT)


def test_of_several_recordings_the_bad_one_is_named():
    trials = [population(trials=[[0, 1], [1, 2]], meta={"session": name}) for name in "ab"]
    bare = population(meta={"session": "c"})
    with pytest.raises(UnknownNameError, match="Unknown event type of recording 2 'trial'"):
        spike_windows([*trials, bare], **CUT, within="trial")
    twice = population(trials=[[0, 1], [0.5, 2]], meta={"session": "c"})
    with pytest.raises(DataError, match="Events 'trial' of recording 2 overlap"):
        spike_windows([*trials, twice], **CUT, within="trial")
    bold = Recording.from_array(np.ones((9, 1)), 9, stream="bold")
    with pytest.raises(UnknownNameError, match="stream of recording 1 'spikes'.* Known: 'bold'"):
        spike_windows([bare, bold], **CUT)


def test_recordings_too_short_for_a_window_are_told_of():
    recs = [population(duration=10.0), population(duration=0.2)]
    with pytest.warns(UserWarning, match=r"1 of 2 recordings are shorter than a .* \(0\.3 s\)"):
        win = spike_windows(recs, **CUT)
    assert set(win.recording_index) == {0}
    with pytest.raises(DataError, match=r"take 300 s, .* smaller length, history or beside, in s"):
        spike_windows(recs, length=50, history=250)


def test_silent_trials_and_recordings_have_windows_too():
    silent = Recording.from_spikes([], [], 2.0, unit_table=pd.DataFrame({"id": [4, 7]}))
    win = spike_windows(silent, **CUT)
    assert len(win) == 35
    assert win.batch([0, 3])["id"].tolist() == [[1, 2], [1, 2]]
    loud = Recording.from_spikes([0.1, 2.4], [4, 7], 3.0, trials=[[0, 1], [1, 2]])
    trials = spike_windows([loud, silent.replace(events=loud.events)], **CUT, within="trial")
    assert np.bincount(trials.trial).tolist() == [15, 15, 15, 15]


@pytest.mark.parametrize(
    ("units", "match"),
    [
        ((), "at least one unit"),
        ((("a", 1), ("a", 1)), "Unit 1 of session 'a' occurs twice"),
        ((1, 2), "pairs of a session and an id"),
        ((("a", 1.5),), "id of a unit is 1.5"),
    ],
)
def test_what_is_no_vocabulary(units, match):
    with pytest.raises(DataError, match=match):
        Vocabulary(units)


@pytest.mark.parametrize(
    ("id", "step", "start", "match"),
    [
        ([[3]], [[3, 0]], [0.0], "got shapes"),
        ([[3]], [[3]], [0.0, 1.0], "got shapes"),
        ([[5]], [[3]], [0.0], "no tokens of 2 units: ids run to 5"),
        ([[3]], [[EOS]], [0.0], "1 have a unit without a step"),
    ],
)
def test_what_are_no_tokens(id, step, start, match):
    with pytest.raises(DataError, match=match):
        decode(id, step, start, Vocabulary((("", 1), ("", 2))), DT)
