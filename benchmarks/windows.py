"""Window throughput: MNE's and pynapple's loops and ours, side by side in one process.

Run: python benchmarks/windows.py
"""

import time
import warnings

import mne
import numpy as np
import pynapple as nap

import neurokit as nk

RATE, CHANNELS, SECONDS = 160.0, 64, 1200
LENGTH, STRIDE = 2.0, 0.5


def cpu(function, repeats=3):
    """Return the result and the best CPU seconds of several runs."""
    best, result = np.inf, None
    for _ in range(repeats):
        start = time.process_time()
        result = function()
        best = min(best, time.process_time() - start)
    return result, best


def with_mne(raw, starts):
    events = np.c_[np.rint(starts * RATE), np.zeros_like(starts), np.ones_like(starts)].astype(int)
    epochs = mne.Epochs(
        raw, events, tmin=0, tmax=LENGTH - 1 / RATE, baseline=None, preload=False, verbose="error"
    )
    return [epoch.T for epoch in epochs]


def with_pynapple(frame, starts):
    half = 0.5 / RATE
    return [frame.get(s - half, s + LENGTH - half).values for s in starts]


def main():
    rng = np.random.default_rng(0)
    x = 2e-5 * rng.normal(size=(int(RATE * SECONDS), CHANNELS))
    names = [f"E{i}" for i in range(CHANNELS)]
    rec = nk.Recording.from_array(x, RATE, names)
    raw = mne.io.RawArray(x.T, mne.create_info(names, RATE, "eeg"), verbose="error")
    frame = nap.TsdFrame(t=rec["eeg"]["time"].values, d=x, columns=names)

    def ours():
        win = nk.windows.sliding(rec, stream="eeg", length=LENGTH, stride=STRIDE)
        return [win[i]["x"].numpy() for i in range(len(win))]

    def batched():
        win = nk.windows.sliding(rec, stream="eeg", length=LENGTH, stride=STRIDE)
        return win.batch(np.arange(len(win)))["x"].numpy()

    starts = nk.windows.sliding(rec, stream="eeg", length=LENGTH, stride=STRIDE).start
    mine, t_mine = cpu(ours)
    batch, t_batch = cpu(batched)
    assert np.array_equal(batch, np.stack(mine))
    print(f"{len(starts)} windows of {LENGTH:g} s, {CHANNELS} channels at {RATE:g} Hz; CPU time.")
    print("Peers copy each window as float64; ours is a view as float32, or one copied batch.")
    print(f"{'':<28}{'ms':>8}{'windows/s':>12}{'to views':>11}{'to batch':>11}")

    def row(name, t):
        print(
            f"{name:<28}{t * 1e3:>8.1f}{len(starts) / t:>12.0f}"
            f"{t / t_mine:>10.1f}x{t / t_batch:>10.1f}x"
        )

    for name, function in (
        ("mne.Epochs, one by one", lambda: with_mne(raw, starts)),
        ("pynapple .get, one by one", lambda: with_pynapple(frame, starts)),
    ):
        theirs, t = cpu(function)
        assert len(theirs) == len(mine)
        difference = max(np.abs(a - b).max() for a, b in zip(theirs, mine, strict=True))
        assert difference < 1e-10, difference
        row(name, t)
    row("neurokit, one by one", t_mine)
    row("neurokit, one batch", t_batch)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
