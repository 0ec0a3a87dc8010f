"""Binning spikes: pynapple's count against ``bin_spikes``, in one process.

Run ``python benchmarks/binning.py``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from neurokit.preprocessing.binning import bin_spikes
from neurokit.recording import Recording


def best(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the shortest of several times, after one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    """Print times and their ratio for three sizes of recording."""
    import pynapple as nap

    rng = np.random.default_rng(0)
    print(
        f"{'units':>6} {'spikes':>10} {'bin ms':>7} {'pynapple ms':>12} {'ours ms':>9} {'ratio':>6}"
    )
    for n_units, n_spikes, bin_size in (
        (15, 100_000, 0.02),
        (300, 2_000_000, 0.02),
        (300, 2_000_000, 0.2),
    ):
        rec = Recording.from_spikes(
            rng.uniform(0, 1200, n_spikes), rng.integers(0, n_units, n_spikes), duration=1200.0
        )
        group, whole = rec.to_pynapple()["spikes"], nap.IntervalSet(0, 1200)
        ours = bin_spikes(rec, bin_size)["counts"].values
        theirs = group.count(bin_size, ep=whole).values
        same = np.array_equal(ours, theirs)
        slow = best(lambda g=group, b=bin_size, w=whole: g.count(b, ep=w))
        fast = best(lambda r=rec, b=bin_size: bin_spikes(r, b))
        print(
            f"{n_units:6d} {n_spikes:10,d} {1e3 * bin_size:7.0f} {1e3 * slow:12.1f} "
            f"{1e3 * fast:9.1f} {slow / fast:6.1f}{'' if same else '  COUNTS DIFFER'}"
        )


if __name__ == "__main__":
    main()
