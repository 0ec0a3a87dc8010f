"""Spikes, and what was recorded beside them, cut into windows with their past."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording import Recording
from neurokit.warning import warn
from neurokit.windows.aligned import Aligned, align, window_means
from neurokit.windows.flat_spikes import Places, flatten, place
from neurokit.windows.index import recording_list
from neurokit.windows.spike_tokens import RESERVED
from neurokit.windows.spiking import Layout, SpikeWindows
from neurokit.windows.stretches import Stretches, stretches_of
from neurokit.windows.vocabulary import Vocabulary, check_subjects

__all__ = ["spike_windows"]

# Labels of a part of a session are common; where most windows lie outside, a unit is wrong.
_MOST_UNCOVERED = 0.5


def spike_windows(
    recs: Recording | Iterable[Recording],
    *,
    length: float,
    history: float,
    dt: float = 0.01,
    stride: float | None = None,
    beside: Mapping[str, float] | None = None,
    targets: Mapping[str, Sequence[str]] | None = None,
    within: str | None = None,
    vocabulary: Vocabulary | None = None,
    max_spikes: int | None = None,
    seed: int = 0,
) -> SpikeWindows:
    """Cut spikes into windows, each with the past before it, as tokens of a unit and a step.

    Windows and all that they read stay within a recording, do not cross an event ``boundary``
    (where :meth:`Recording.concat` joined two), and stay within a trial if there are trials.
    What is left at the end is shorter than a window and is not used.

    Parameters
    ----------
    recs : Recording or sequence of Recording
        With stream ``spikes``. Those of one session (``meta["session"]``) share their units.
    length, history : float
        Seconds of a window, and of the past before it; whole steps.
    dt : float
        Seconds a step.
    stride : float, optional
        Seconds from one window to the next; by default they tile.
    beside : mapping of str to float, optional
        Streams that are seen beside the spikes, and how many seconds of each, up to the end of
        the window. Windows that a stream does not cover are left out, with a warning.
    targets : mapping of str to sequence of str, optional
        Streams, and their variables whose mean over the window is to be predicted. What a model
        is to read from spikes it must not see beside them. Windows without a value stay, with
        NaN; a stream that does not cover more than half of the windows warns.
    within : str, optional
        Type of the events, such as ``"trial"``, that windows and their past do not leave. Steps
        then count from the onset of each.
    vocabulary : Vocabulary, optional
        Of the training windows or of a model; by default that of these recordings.
    max_spikes : int, optional
        Most spikes a window. The last ones of fuller windows are cut off, with a warning.
    seed : int
        Of the order of spikes within a step.

    Returns
    -------
    SpikeWindows
        A torch data set: ``[i]`` and ``batch`` give a dict of tensors.

    Raises
    ------
    DataError
        Nothing fits; lengths that are no whole steps; a stream that does not cover the spikes,
        has missing values, or differs between recordings.
    UnknownNameError
        A stream, variable, type of event or unit that is not there.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> speed = Recording.from_array(rng.random((200, 1)), 20, ["speed"], "behaviour")["behaviour"]
    >>> rec = Recording.from_spikes(rng.uniform(0, 10, 900), rng.integers(0, 30, 900), 10.0,
    ...                             streams={"behaviour": speed})
    >>> win = spike_windows(rec, length=0.05, history=0.25, beside={"behaviour": 0.3})
    >>> win
    <SpikeWindows: 195 of 0.05 s with 0.25 s of past, 30 units in 1 recordings, beside ...>
    >>> {name: tuple(value.shape) for name, value in win.batch([0, 7]).items()}["behaviour"]
    (2, 6, 1)
    """
    recordings = recording_list(recs)
    layout = _layout(length, history, dt, beside, targets, max_spikes)
    step = layout.n_samples if stride is None else _steps("stride", stride, layout.dt)
    words = _vocabulary(recordings, vocabulary)
    within = None if within is None else arguments.text("within", within)
    several = len(recordings) > 1
    stretches = [
        stretches_of(recording, layout.dt, within, number if several else None)
        for number, recording in enumerate(recordings)
    ]
    places = place(stretches, layout.reach, layout.n_samples, step, layout.dt)
    _check_trials(places, stretches, layout, within)
    edges = places.recording, places.start + length, places.earliest
    seen = {
        name: align(recordings, name, seconds, *edges) for name, seconds in layout.beside.items()
    }
    places, seen = _covered(places, seen)
    spikes = flatten(recordings, stretches, words, layout.dt, arguments.whole("seed", seed, 0))
    known, since = _targets(recordings, targets or {}, places, length)
    layout = _reaching(layout, places, [*since, *(one.since for one in seen.values())])
    extent = [own.extent for own in stretches]
    win = SpikeWindows(recordings, extent, places, spikes, words, layout, seen, known)
    _warn_of_dropped(win)
    return win


def _layout(
    length: float,
    history: float,
    dt: float,
    beside: Mapping[str, float] | None,
    targets: Mapping[str, Sequence[str]] | None,
    max_spikes: int | None,
) -> Layout:
    """Turn seconds into steps."""
    dt = arguments.positive("dt (s)", dt)
    n_samples, n_history = _steps("length", length, dt), _steps("history", history, dt)
    streams = arguments.instance("beside", beside or {}, Mapping, "a dict: stream to seconds")
    streams = {k: arguments.positive(f"Seconds of {k!r}", v) for k, v in streams.items()}
    for name in streams:
        if name in RESERVED:
            raise DataError(f"A stream called {name!r} would hide a part of the batch. Rename it.")
    read = max(streams.values(), default=0.0) / dt - n_samples
    wanted = arguments.instance("targets", targets or {}, Mapping, "a dict: stream to variables")
    names = [v for k, some in wanted.items() for v in arguments.name_list(f"targets {k!r}", some)]
    if len(set(names)) < len(names):
        raise DataError(f"Each target needs a name of its own; got {names}.")
    most = None if max_spikes is None else arguments.whole("max_spikes", max_spikes, 1)
    reach = max(n_history, math.ceil(read - 1e-6))
    owners = tuple(k for k, some in wanted.items() for _ in some)
    return Layout(dt, n_samples, n_history, reach, most, streams, tuple(names), owners)


def _steps(what: str, seconds: float, dt: float) -> int:
    steps = arguments.positive(f"{what} (s)", seconds) / dt
    if round(steps) < 1 or abs(steps - round(steps)) > 1e-6 * steps:
        raise DataError(
            f"{what} = {seconds:g} s is {steps:g} steps of {dt:g} s. Choose a whole number of them."
        )
    return round(steps)


def _vocabulary(recordings: Sequence[Recording], given: Vocabulary | None) -> Vocabulary:
    lacking = ["spikes" not in recording for recording in recordings]
    if any(lacking) and len(lacking) > 1:
        number = lacking.index(True)
        raise UnknownNameError(
            f"stream of recording {number}", "spikes", recordings[number].streams
        )
    if given is None:
        return Vocabulary.of(recordings)
    check_subjects(recordings)
    return arguments.instance("vocabulary", given, Vocabulary, "a Vocabulary, as win.vocabulary")


def _check_trials(
    places: Places, stretches: Sequence[Stretches], layout: Layout, within: str | None
) -> None:
    """Refuse to return no window; tell of trials and recordings that have none."""
    needed = (layout.reach + layout.n_samples) * layout.dt
    longest = max((int(own.n_bins.max(initial=0)) for own in stretches), default=0) * layout.dt
    if not places.first.size:
        what = "stretch of the recordings" if within is None else f"{within!r}"
        raise DataError(
            f"Nothing fits: a window and its past take {needed:g} s, and the longest {what} has "
            f"{longest:g} s. Choose a smaller length, history or beside, in seconds."
        )
    if within is None:
        n, used, what = len(stretches), places.recording, "recordings"
    else:
        n, used, what = sum(own.n_trials for own in stretches), places.trial, f"events {within!r}"
    empty = n - np.unique(used).size
    if empty:
        warn(
            f"{empty} of {n} {what} are shorter than a window and its past ({needed:g} s), or not "
            "recorded as a whole, and have no window."
        )


def _covered(places: Places, seen: Mapping[str, Aligned]) -> tuple[Places, dict[str, Aligned]]:
    """Leave out windows that a stream does not cover, and say so."""
    keep = np.ones(places.first.size, dtype=bool)
    for name, one in seen.items():
        mine = one.first >= 0
        keep &= mine
        if not keep.any():
            raise DataError(
                f"No window is left: the stream {name!r} covers {int(mine.sum())} of {mine.size}, "
                "and the ones before it cover none of these."
            )
        if not mine.all():
            warn(
                f"{int((~mine).sum())} of {mine.size} windows are not covered by the stream "
                f"{name!r}, which ends or has a gap there, and were left out."
            )
    rows = np.flatnonzero(keep)
    return places.take(rows), {name: one.take(rows) for name, one in seen.items()}


def _targets(
    recordings: Sequence[Recording],
    wanted: Mapping[str, Sequence[str]],
    places: Places,
    length: float,
) -> tuple[NDArray[np.float32] | None, list[NDArray[np.float64]]]:
    """Return the mean of each variable, and the second of the oldest sample that counts."""
    parts, since = [], []
    edges = places.recording, places.start, places.start + length, places.earliest
    for name, some in wanted.items():
        means, oldest = window_means(recordings, name, list(some), *edges)
        _refuse_unknown(name, list(some), means, recordings[places.recording[0]], places.start)
        if np.isnan(oldest).mean() > _MOST_UNCOVERED:
            # The onset of a trial also leaves windows of a slow stream without a value: by design.
            _, oldest_at_all = window_means(recordings, name, list(some), *edges[:3])
            _warn_of_uncovered(name, np.isnan(oldest_at_all), recordings, places)
        parts.append(means)
        since.append(oldest)
    if not parts:
        return None, since
    return np.concatenate(parts, axis=1).astype(np.float32), since


def _reaching(layout: Layout, places: Places, since: Sequence[NDArray[np.float64]]) -> Layout:
    """Count in what lies before the seconds asked for: a sample that was not on time, or held."""
    backs = [float(np.fmax.reduce(places.start - oldest, initial=0.0)) for oldest in since]
    back = max(backs, default=0.0)
    return replace(layout, reach=max(layout.reach, math.ceil(back / layout.dt - 1e-6)))


def _refuse_unknown(
    name: str,
    variables: Sequence[str],
    means: NDArray[np.float64],
    recording: Recording,
    start: NDArray[np.float64],
) -> None:
    """Refuse targets of which no window has a value: a model would learn nothing, and be silent."""
    unknown = np.flatnonzero(np.isnan(means).all(axis=0))
    if unknown.size:
        time = recording[name]["time"].values
        raise DataError(
            f"None of {len(means)} windows has a value of {variables[unknown[0]]!r} in stream "
            f"{name!r}. In the first recording it runs from {time[0]:g} to {time[-1]:g} s; windows "
            f"begin from {start[0]:g} s on. Is it on the clock of the spikes?"
        )


def _warn_of_uncovered(
    name: str, uncovered: NDArray[np.bool_], recordings: Sequence[Recording], places: Places
) -> None:
    """Tell of targets that lie on another clock; few labels within a stream are no fault."""
    if uncovered.mean() <= _MOST_UNCOVERED:
        return
    at = int(np.argmax(uncovered))
    number = int(places.recording[at])
    time, start = recordings[number][name]["time"].values, places.start
    percent = 100 * uncovered.mean()
    warn(
        f"{int(uncovered.sum())} of {uncovered.size} windows ({percent:.3g} %) have no "
        f"target of stream {name!r}, which ends or has a gap there. In recording {number} it runs "
        f"from {time[0]:g} to {time[-1]:g} s; the first window without it begins at {start[at]:g} "
        "s. Are spikes and stream on one clock, in seconds?"
    )


def _warn_of_dropped(win: SpikeWindows) -> None:
    if win.dropped:
        warn(
            f"{win.dropped} spikes did not fit: windows hold {win.layout.max_spikes} at most, and "
            "the last ones of fuller windows were cut off. Raise max_spikes, or take shorter "
            "windows."
        )
