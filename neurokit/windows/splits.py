"""Splits of windows into train and test that share no sample, and none of their past."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np

from neurokit.arguments import number, text, whole
from neurokit.errors import DataError
from neurokit.recording.clock import sample_count
from neurokit.windows.index import WindowIndex

__all__ = ["assert_disjoint", "split_by", "split_contiguous"]

Some = TypeVar("Some", bound=WindowIndex)


def assert_disjoint(train: WindowIndex, test: WindowIndex, gap: float = 0.0) -> None:
    """Raise if two sets of windows share a sample, or come closer than a gap.

    What windows read before they begin, as those of spikes read their past, is a part of them.

    Parameters
    ----------
    train, test : Windows
        Of the same recordings, as :func:`sliding` or :func:`spike_windows` cuts them.
    gap : float
        Seconds that must lie between them.

    Raises
    ------
    DataError
        Naming the first pair that touches; or windows that count samples of other durations.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> rec = Recording.from_array(np.ones((100, 2)), 10, stream="bold")
    >>> win = sliding(rec, stream="bold", length=2, stride=1)
    >>> assert_disjoint(win.take([0, 1]), win.take([3, 4]))
    >>> assert_disjoint(win.take([0, 1]), win.take([2]))
    Traceback (most recent call last):
    neurokit.errors.DataError: Train and test share samples: in recording 0 the test ...
    """
    rates = train.sampling_rate, test.sampling_rate
    if abs(rates[0] - rates[1]) > 1e-6 * rates[0]:
        raise DataError(
            f"Train has {rates[0]:g} samples a second, test {rates[1]:g}: their windows cannot be "
            "compared. Cut both alike."
        )
    known = {id(r): i for i, r in enumerate(train.recordings)}
    # From the first sample that a window reads to the first of another that it may not touch.
    before = test.n_samples + train.reach + _samples(train, gap)
    behind = train.n_samples + test.reach + _samples(train, gap)
    trained = {place: train.first_sample[mine] for place, mine in train.by_recording()}
    for place, mine in test.by_recording():
        a = np.sort(trained.get(known.get(id(test.recordings[place]), -1), np.empty(0, np.int64)))
        b = test.first_sample[mine]
        if not a.size:
            continue
        # The nearest train window on either side decides.
        after = np.searchsorted(a, b)
        right, left = a[np.minimum(after, a.size - 1)], a[np.maximum(after - 1, 0)]
        clash = (right < b + before) & (right + behind > b)
        clash |= (left < b + before) & (left + behind > b)
        if clash.any():
            past = " or its past" if train.reach or test.reach else ""
            raise DataError(
                f"Train and test share samples: in recording {place} the test window at sample "
                f"{b[clash][0]}{past} overlaps a training window or lies closer than the gap of "
                f"{gap:g} s. Split by block, run or subject."
            )


def split_contiguous(win: Some, n_splits: int, gap: float = 0.0) -> Iterator[tuple[Some, Some]]:
    """Yield train and test windows from contiguous blocks of time.

    Each recording is cut into ``n_splits`` blocks. Fold ``k`` tests on the windows that lie
    wholly in block ``k`` and trains on those that keep ``gap`` seconds from what these read:
    from the block, and from the past that windows of spikes read before they begin.

    Parameters
    ----------
    win : Windows
        May overlap one another.
    n_splits : int
        Blocks a recording.
    gap : float
        Seconds between train and test; at least the longest delay or filter that links them.
        The past need not be counted in: no window reads what one of the other side reads.

    Yields
    ------
    train, test : Windows
        Which share no sample.

    Raises
    ------
    DataError
        If a fold has no window to train or to test on.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> rec = Recording.from_array(np.ones((100, 2)), 10, stream="bold")
    >>> win = sliding(rec, stream="bold", length=1)
    >>> [(len(train), len(test)) for train, test in split_contiguous(win, 5, gap=1.0)]
    [(7, 2), (6, 2), (6, 2), (6, 2), (7, 2)]
    """
    n_splits = whole("n_splits", n_splits, 2)
    sizes = win.extent[win.recording_index]
    margin = _samples(win, gap)
    first, last = win.first_sample, win.first_sample + win.n_samples
    for block in range(n_splits):
        begin, end = sizes * block // n_splits, sizes * (block + 1) // n_splits
        test = (first >= begin) & (last <= end)
        train = (last + margin <= begin - win.reach) | (first - win.reach >= end + margin)
        yield _pair(win, train, test, gap, f"block {block} of {n_splits}")


def split_by(win: Some, key: str, n_splits: int | None = None) -> Iterator[tuple[Some, Some]]:
    """Yield train and test windows that share no subject, session, run or trial.

    Parameters
    ----------
    win : Windows
        Of several recordings.
    key : str
        A key of ``meta``: ``"subject"``, ``"session"``, ``"run"``; or ``"recording"``; or
        ``"trial"`` of windows of spikes.
    n_splits : int, optional
        Groups are dealt to this many folds, in their sorted order; by default each group is
        a fold of its own.

    Yields
    ------
    train, test : Windows
        Whole groups on either side.

    Raises
    ------
    DataError
        If there are fewer groups than folds, or only one.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> from neurokit.windows import sliding
    >>> recs = [Recording.from_array(np.ones((4, 1)), 1, stream="bold", meta={"subject": s})
    ...         for s in "abc"]
    >>> win = sliding(recs, stream="bold", length=1)
    >>> [len(test) for train, test in split_by(win, "subject")]
    [4, 4, 4]
    """
    try:
        names, group = np.unique(win.groups(text("key", key)), return_inverse=True)
    except TypeError:
        raise DataError(
            f"The values of {key!r} are of different types and have no order."
        ) from None
    folds = names.size if n_splits is None else whole("n_splits", n_splits, 2)
    if names.size < 2 or not 2 <= folds <= names.size:
        raise DataError(
            f"Cannot make {folds} folds by {key!r}: there are {names.size} groups "
            f"({', '.join(map(str, names[:6]))}{' …' if names.size > 6 else ''})."
        )
    fold = np.arange(names.size) * folds // names.size
    for part in range(folds):
        test = fold[group] == part
        yield _pair(win, ~test, test, 0.0, f"fold {part} of {folds} by {key}")


def _samples(win: WindowIndex, gap: float) -> int:
    if number("gap (s)", gap) < 0:
        raise DataError(f"gap = {gap:g} s is negative, so that train and test would overlap.")
    return sample_count(gap, win.sampling_rate)


def _pair(
    win: Some, train: np.ndarray, test: np.ndarray, gap: float, what: str
) -> tuple[Some, Some]:
    for name, mask in (("train", train), ("test", test)):
        if not mask.any():
            raise DataError(
                f"No {name} window in {what} (gap {gap:g} s, {len(win)} windows of {win.length:g} "
                "s). Use fewer folds, a smaller gap or shorter windows."
            )
    pair = win.take(np.flatnonzero(train)), win.take(np.flatnonzero(test))
    assert_disjoint(*pair, gap=gap)
    return pair
