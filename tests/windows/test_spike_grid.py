"""Windows of random recordings against a plain search over every bin, one at a time."""

import itertools
import warnings

import numpy as np
import pandas as pd
import pytest

from neurokit.errors import NeurokitError
from neurokit.recording import Recording
from neurokit.windows import spike_windows
from neurokit.windows.flat_spikes import place
from neurokit.windows.gathering import gather, samples_of
from neurokit.windows.spike_tokens import FIRST, PAD, lay_out
from neurokit.windows.stretches import stretches_of


def table(*rows):
    return pd.DataFrame(rows, columns=["onset", "duration", "trial_type"])


def random_recording(rng, dt):
    """Spikes on and off the grid, trials that touch or not, joints inside and between them."""
    start, duration = rng.choice([0.0, -3.2, 500.25]), rng.uniform(1, 4)
    n = rng.integers(0, 400)
    times = start + rng.uniform(0, duration, n)
    snapped = start + np.round((times - start) / dt) * dt
    times = np.where(rng.random(n) < 0.3, np.clip(snapped, start, start + duration), times)
    edges = np.sort(start + rng.uniform(-0.2, duration + 0.2, 8))
    trials = [(a, b - a, "trial") for a, b in zip(edges[::2], edges[1::2], strict=True)]
    inside = [(a, d, k) for a, d, k in trials if start <= a <= start + duration]
    joints = [(j, 0.0, "boundary") for j in start + rng.uniform(0, duration, rng.integers(0, 3))]
    rows = sorted([*inside, *joints])
    events = table(*rows) if rows else None
    return Recording.from_spikes(
        times, rng.integers(0, 6, n), duration, events, start=start,
        unit_table=pd.DataFrame({"id": np.arange(6)}),
    )  # fmt: skip


def plain_stretches(rec, within):
    """Begin and end of each interval that windows may not leave, by hand."""
    low, high = rec["spikes"].attrs["start"], rec["spikes"].attrs["stop"]
    events = rec.events
    mine = events[events["trial_type"] == "trial"]
    spans = list(zip(mine["onset"], mine["onset"] + mine["duration"], strict=True))
    joints = sorted(events["onset"][events["trial_type"] == "boundary"])
    for a, b in spans if within else [(low, high)]:
        a, b = max(a, low), min(b, high)
        cuts = [a, *(j for j in joints if a < j < b), b]
        yield from itertools.pairwise(cuts)


def plain_windows(rec, within, dt, n_history, n_samples, step):
    """(start, spikes of the window, spikes of the past) of each, in order."""
    times, units = rec["spikes"]["time"].values, rec["spikes"]["unit"].values
    stop = rec["spikes"].attrs["stop"]
    for a, b in plain_stretches(rec, within):
        n_bins = int((b - a + 1e-9) / dt)
        # A recording whose end is the end of its last bin keeps a spike at that very end.
        at_end = (times == stop) & (abs(a + n_bins * dt - stop) < 1e-9)
        bins = np.where(at_end, n_bins - 1, np.floor((times - a + 1e-9) / dt)).astype(int)
        for first in range(n_history, n_bins - n_samples + 1, step):
            current = (bins >= first) & (bins < first + n_samples)
            past = (bins >= first - n_history) & (bins < first)
            yield (
                a + first * dt,
                sorted(zip(bins[current] - first, units[current], strict=True)),
                sorted(zip(bins[past] - first + n_history, units[past], strict=True)),
            )


def spikes_of(id, step):
    keep = id >= FIRST
    return sorted(zip((step[keep] - FIRST).tolist(), (id[keep] - FIRST).tolist(), strict=True))


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("within", [None, "trial"])
def test_every_window_is_what_a_plain_search_finds(seed, within):
    rng = np.random.default_rng(seed)
    dt = rng.choice([0.005, 0.01, 0.1 / 3])
    rec = random_recording(rng, dt)
    n_samples, n_history, step = rng.integers(1, 8), rng.integers(1, 20), rng.integers(1, 9)
    wanted = list(plain_windows(rec, within, dt, n_history, n_samples, step))
    cut = {"length": n_samples * dt, "history": n_history * dt, "stride": step * dt, "dt": dt}
    if not wanted:
        with pytest.raises(NeurokitError, match="Nothing fits|Unknown event type"):
            spike_windows(rec, **cut, within=within)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        win = spike_windows(rec, **cut, within=within)
    assert len(win) == len(wanted)
    np.testing.assert_allclose(win.start, [start for start, *_ in wanted], atol=1e-8)
    batch = {name: value.numpy() for name, value in win.batch(np.arange(len(win))).items()}
    for i, (_, current, past) in enumerate(wanted):
        assert spikes_of(batch["id"][i], batch["step"][i]) == current
        assert spikes_of(batch["past_id"][i], batch["past_step"][i]) == past


@pytest.mark.parametrize("seed", range(10))
def test_bins_of_stretches_are_apart_and_follow_the_clock(seed):
    rng = np.random.default_rng(seed)
    rec = random_recording(rng, 0.01)
    try:
        own = stretches_of(rec, 0.01, "trial")
    except NeurokitError:
        own = stretches_of(rec, 0.01)
    assert (own.first[1:] >= (own.first + own.n_bins)[:-1]).all()
    assert (own.first >= 0).all()
    assert (own.first + own.n_bins <= own.extent).all()
    low = rec["spikes"].attrs["start"]
    np.testing.assert_allclose(own.first * 0.01, own.start - low, atol=0.0101)
    places = place([own, own], 3, 2, 2, 0.01)
    assert (np.diff(places.start[places.recording == 0]) > 0).all()
    half = places.recording.size // 2
    np.testing.assert_array_equal(places.start[:half], places.start[half:])


def test_nothing_to_lay_out_is_one_column_of_padding():
    none, zero = np.empty(0, np.int64), np.zeros(2, np.int64)
    for id_or_step in lay_out(none, none, zero, zero, zero, framed=False):
        assert id_or_step.tolist() == [[PAD], [PAD]]
    id, _ = lay_out(none, none, none, none, none, framed=True)
    assert id.shape[0] == 0


def test_samples_of_many_recordings_and_of_files(tmp_path):
    rng = np.random.default_rng(0)
    recs = [Recording.from_array(rng.normal(size=(n, 3)), 10, stream="bold") for n in (50, 80)]
    opened = [Recording.open(r.save(tmp_path / f"{i}.zarr")) for i, r in enumerate(recs)]
    recording, first = rng.integers(0, 2, 20), rng.integers(0, 40, 20)
    wanted = [recs[r]["bold"].values[f : f + 7] for r, f in zip(recording, first, strict=True)]
    for some in (recs, opened, [recs[0], opened[1]]):
        arrays = [samples_of(r["bold"]) for r in some]
        np.testing.assert_array_equal(gather(arrays, recording, first, 7), wanted)


def test_a_spike_at_the_onset_of_a_trial_is_in_its_first_bin_however_times_are_rounded():
    onset = 0.1 + 0.2  # a little more than 0.3
    rec = Recording.from_spikes([0.3], [0], 2.0, trials=[[0.0, onset], [onset, 1.0]])
    win = spike_windows(rec, length=0.1, history=0.1, dt=0.1, within="trial")
    past = win.batch(np.flatnonzero(win.trial == 1)[:1])
    assert past["past_id"].tolist() == [[FIRST]]
    assert past["past_step"].tolist() == [[FIRST]]
