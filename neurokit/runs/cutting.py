"""Windows of a recipe: cut, labelled, split so that nothing leaks, and standardised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from neurokit.catalog.recipes import FinetuneRecipe, PretrainRecipe
from neurokit.catalog.training_recipes import LabelsTable, SplitTable
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording
from neurokit.runs.scaling import scaled_by
from neurokit.runs.spike_cutting import cut_spikes
from neurokit.windows import Windows, assert_disjoint, epochs, sliding

__all__ = ["Parts", "cut", "split", "standardize_by_train"]

_AT_ONCE = 512


@dataclass(frozen=True)
class Parts:
    """Windows by what they are for.

    Attributes
    ----------
    train, test : Windows or SpikeWindows
        Which share no sample and no group.
    validation : Windows or SpikeWindows or None
        For early stopping; shares nothing with either.
    """

    train: Any
    test: Any
    validation: Any = None


def cut(recordings: Sequence[Recording], recipe: PretrainRecipe | FinetuneRecipe) -> Any:
    """Cut prepared recordings into windows, labelled where the recipe has labels.

    Parameters
    ----------
    recordings : sequence of Recording
        As :func:`neurokit.runs.preparation.prepare` returns them.
    recipe : PretrainRecipe or FinetuneRecipe
        With its windows and labels.

    Returns
    -------
    Windows or SpikeWindows
        Labels are classes, in the order that the recipe keeps them in, else the alphabet's.

    Raises
    ------
    DataError
        If no window fits, or there is one class only.
    UnknownNameError
        If there are no such events, labels or classes, to keep or to merge.

    Examples
    --------
    >>> from neurokit.catalog.recipes import recipe
    >>> from neurokit.runs.preparation import prepare, read_recordings
    >>> demo = recipe("eegformer-demo")
    >>> cut(prepare(read_recordings(demo), demo), demo).length
    0.5
    """
    table = recipe.windows
    if table.of_spikes:
        return cut_spikes(recordings, table, recipe.seed)
    labels = recipe.labels if isinstance(recipe, FinetuneRecipe) else None
    recordings = [_bounded(rec, table.within) for rec in recordings] if table.within else recordings
    if labels is not None and labels.otherwise:
        recordings = [_with_background(rec, labels) for rec in recordings]
    column = None if labels is None else labels.column
    if table.start is not None:
        stop = table.start + table.length
        win = epochs(recordings, stream=table.stream, start=table.start, stop=stop, labels=column)
    else:
        length, stride = table.length, table.stride
        win = sliding(recordings, stream=table.stream, length=length, stride=stride, labels=column)
    return win if labels is None else _as_classes(win, labels)


def split(win: Any, table: SplitTable, seed: int) -> Parts:
    """Divide windows into those that train, select and test.

    Parameters
    ----------
    win : Windows or SpikeWindows
        All of them.
    table : SplitTable
        How.
    seed : int
        Of the draw of groups for the validation set.

    Returns
    -------
    Parts
        Checked to share neither samples nor groups.

    Raises
    ------
    DataError
        If a part is empty, or a group would lie on both sides.
    UnknownNameError
        If there is no such key or value of it.

    Examples
    --------
    >>> recs = [Recording.from_array(np.ones((4, 1)), 1, stream="bold", meta={"subject": s})
    ...         for s in "abc"]
    >>> table = SplitTable(by="subject", test=["c"])
    >>> parts = split(sliding(recs, stream="bold", length=2), table, seed=0)
    >>> len(parts.train), len(parts.test)
    (4, 2)
    """
    chosen = _by_time(win, table) if table.by == "time" else _by_values(win, table, seed)
    train, validation, test = (np.flatnonzero(rows) for rows in chosen)
    for name, rows in (("train", train), ("test", test)):
        if not rows.size:
            raise DataError(
                f"The split by {table.by!r} leaves no window to {name} on, of {len(win)}."
            )
    parts = Parts(
        win.take(train), win.take(test), win.take(validation) if validation.size else None
    )
    others = [parts.test] if parts.validation is None else [parts.test, parts.validation]
    for part in others:
        assert_disjoint(parts.train, part, gap=table.gap)
    if parts.validation is not None:
        assert_disjoint(parts.validation, parts.test, gap=table.gap)
    return parts


def standardize_by_train(parts: Parts) -> Parts:
    """Subtract each channel's mean over the training windows, and divide by its deviation.

    Parameters
    ----------
    parts : Parts
        Over the same recordings.

    Returns
    -------
    Parts
        The same windows of scaled recordings, in units ``z``.

    Raises
    ------
    DataError
        If a channel is constant in the training windows.

    Examples
    --------
    >>> x = np.array([[1.0], [3.0], [1.0], [3.0], [9.0], [9.0]])
    >>> win = sliding(Recording.from_array(x, 1, stream="bold"), stream="bold", length=2)
    >>> scaled = standardize_by_train(Parts(win.take([0, 1]), win.take([2])))
    >>> scaled.test[0]["x"].ravel().tolist()
    [7.0, 7.0]
    """
    mean, deviation = _moments(parts.train)
    if (deviation <= 1e-7 * np.abs(mean)).any():
        flat = [n for n, d in zip(parts.train.names, deviation, strict=True) if d <= 0]
        raise DataError(
            f"Channels {flat or parts.train.names} are constant in the training windows, and "
            "have no z-score. Leave them out with a step 'pick'."
        )
    stream = parts.train.stream
    line = f"standardize({stream}, statistics of {len(parts.train)} training windows)"
    scaled = []
    for rec in parts.train.recordings:
        data = rec[stream]
        values = ((data.values - mean) / deviation).astype(np.float32)
        new = data.copy(data=values).assign_attrs(scaled_by(mean, deviation, data))
        scaled.append(rec.replace({**rec.streams, stream: new}, history=line))
    return Parts(
        _over(scaled, parts.train),
        _over(scaled, parts.test),
        None if parts.validation is None else _over(scaled, parts.validation),
    )


def _over(recordings: Sequence[Recording], win: Windows) -> Windows:
    """Return the same windows of other versions of the recordings."""
    return Windows(
        recordings,
        win.stream,
        win.n_samples,
        win.recording_index,
        win.first_sample,
        win.labels,
        win.classes,
    )


def _moments(win: Windows) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of each channel over all samples of windows, in two passes."""
    blocks = [np.arange(i, min(i + _AT_ONCE, len(win))) for i in range(0, len(win), _AT_ONCE)]
    n = len(win) * win.n_samples
    samples = (win.batch(block)["x"].double().numpy() for block in blocks)
    mean = np.sum([x.sum(axis=(0, 1)) for x in samples], axis=0) / n
    samples = (win.batch(block)["x"].double().numpy() for block in blocks)
    square = np.sum([((x - mean) ** 2).sum(axis=(0, 1)) for x in samples], axis=0) / n
    return mean, np.sqrt(square)


def _bounded(rec: Recording, kind: str) -> Recording:
    """Let no window reach across the onset of an event."""
    events = rec.events
    onset = events.loc[events["trial_type"] == kind, "onset"]
    if onset.empty:
        raise UnknownNameError(
            "event that windows lie within", kind, sorted({*events["trial_type"].astype(str)})
        )
    marks = pd.DataFrame({"onset": onset, "duration": 0.0, "trial_type": "boundary"})
    joined = pd.concat([events, marks], ignore_index=True)
    return rec.replace(events=joined.sort_values("onset", kind="stable", ignore_index=True))


def _with_background(rec: Recording, labels: LabelsTable) -> Recording:
    """Put the class of everything else under the events, which count over it."""
    whole = pd.DataFrame({"onset": [rec.start], "duration": [rec.duration], "trial_type": [""]})
    whole[labels.column] = labels.otherwise
    joined = pd.concat([whole, rec.events], ignore_index=True)
    return rec.replace(events=joined.sort_values("onset", kind="stable", ignore_index=True))


def _as_classes(win: Windows, labels: LabelsTable) -> Windows:
    """Name the classes as the recipe does, and leave out those that it does not keep."""
    assert win.labels is not None  # sliding was asked for them
    found = np.asarray(win.labels)
    if found.dtype.kind == "f":
        raise DataError(f"The labels in {labels.column!r} are numbers, expected classes.")
    names = np.array(win.classes)[found] if win.classes else found.astype(str)
    there = {*names.tolist()}
    _check_merged(win, labels, there)
    for new, old in labels.merge.items():
        names = np.where(np.isin(names, [str(name) for name in old]), new, names)
    known = {*names.tolist()}
    if lost := [name for name in labels.keep if name not in known]:
        raise UnknownNameError(f"class of {labels.column!r}", lost[0], sorted(known | there))
    rows = np.isin(names, labels.keep) if labels.keep else np.ones(len(win), dtype=bool)
    kept = win.take(np.flatnonzero(rows))
    classes = labels.keep or sorted(known)
    numbers = np.array([classes.index(name) for name in names[rows]], dtype=np.int64)
    if len(classes) < 2:
        raise DataError(
            f"All {len(kept)} windows are of one class, {classes}: there is nothing to "
            "tell apart. Is labels.column what was meant?"
        )
    return Windows(
        kept.recordings,
        kept.stream,
        kept.n_samples,
        kept.recording_index,
        kept.first_sample,
        numbers,
        classes,
    )


def _check_merged(win: Windows, labels: LabelsTable, there: set[str]) -> None:
    """Raise if a class to be merged occurs nowhere."""
    known = {*there}
    for rec in win.recordings:
        # An event too short for a window is not misspelt.
        if labels.column in rec.events:
            known |= {*rec.events[labels.column].dropna().astype(str)}
    merged: set[str] = set()
    for new, old in labels.merge.items():
        if lost := [str(name) for name in old if str(name) not in known | merged]:
            raise UnknownNameError(f"class of {labels.column!r} to merge", lost[0], sorted(known))
        merged.add(new)


def _by_time(win: Any, table: SplitTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Let the first part of each recording train, the next select, the last test."""
    assert table.test_share is not None  # the table's own check
    gap = round(table.gap * win.sampling_rate)
    sizes = win.extent[win.recording_index]
    tests = np.round(sizes * (1 - table.test_share)).astype(np.int64)
    selects = tests - np.round(sizes * (table.validation_share or 0)).astype(np.int64)
    # What a window reads of its past is on its side, too.
    first, last = win.first_sample - win.reach, win.first_sample + win.n_samples
    validation = (first >= selects) & (last + gap <= tests)
    return last + gap <= selects, validation, first >= tests


def _by_values(win: Any, table: SplitTable, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = win.groups(table.by).astype(str)
    for value in (*table.validation, *table.test):
        if str(value) not in values:
            raise UnknownNameError(f"{table.by} of the split", str(value), np.unique(values))
    test = np.isin(values, [str(v) for v in table.test])
    if table.test_share is not None:
        test = _drawn(values, np.ones(len(win), dtype=bool), table.test_share, seed)
    validation = np.isin(values, [str(v) for v in table.validation])
    if table.validation_share is not None:
        validation = _drawn(win.groups(table.group), ~test, table.validation_share, seed + 1)
    train = ~test & ~validation
    _check_groups(win, table, train, validation, test)
    return train, validation, test


def _drawn(groups: np.ndarray, left: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Draw a share of the groups among some windows."""
    names = np.unique(groups[left])
    n = round(share * names.size)
    if not 1 <= n < names.size:
        raise DataError(
            f"A share of {share:g} of {names.size} groups leaves none on one side. Change it, or "
            "name them."
        )
    return left & np.isin(groups, np.random.default_rng(seed).permutation(names)[:n])


def _check_groups(win: Any, table: SplitTable, *parts: np.ndarray) -> None:
    """Raise if somebody is on both sides, as in a split by run or session."""
    if table.by == table.group:
        return
    groups = win.groups(table.group).astype(str)
    members = [{*groups[rows].tolist()} for rows in parts]
    for a in range(len(parts)):
        for b in range(a + 1, len(parts)):
            if both := sorted(members[a] & members[b]):
                raise DataError(
                    f"The split by {table.by!r} puts {table.group} {both[0]!r} on both sides"
                    f"{f' (and {len(both) - 1} more)' if len(both) > 1 else ''}. Split by "
                    f"{table.group!r}."
                )
