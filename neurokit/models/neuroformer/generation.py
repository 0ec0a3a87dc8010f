"""Spikes that a model generates, as recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from neurokit import arguments
from neurokit.devices import lent
from neurokit.errors import DataError, UnknownNameError
from neurokit.models.neuroformer.blinding import Blinded
from neurokit.models.neuroformer.free_running import FreeRun, Settings, Tokens, stretches
from neurokit.models.neuroformer.sampling import SamplingRule
from neurokit.progress import progress_bar
from neurokit.recording import Recording
from neurokit.recording.build import spike_train
from neurokit.warning import warn
from neurokit.windows.spike_tokens import FIRST, PAD
from neurokit.windows.vocabulary import session_of

__all__ = ["generate", "generate_samples"]


def generate(
    model: Any,
    win: Any,
    *,
    free_running: bool = True,
    warm_up: bool = True,
    duration: float | None = None,
    given: Sequence[str] | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = 0.95,
    max_spikes: int = 512,
    batch_size: int = 32,
    seed: int = 0,
    device: str | torch.device = "auto",
    progress: bool | None = None,
) -> Recording:
    """Generate spikes in the windows of one recording, see :func:`generate_samples` for several.

    Parameters
    ----------
    model : Neuroformer
        Trained on other windows.
    win : SpikeWindows
        Of one recording.
    free_running, warm_up, duration, given, temperature, top_k, top_p, max_spikes
        What is drawn, as in :func:`generate_samples`.
    batch_size, seed, device, progress
        How it is computed, as in :func:`generate_samples`.

    Returns
    -------
    Recording
        With generated spikes in place of its own, as of :func:`generate_samples`.

    Raises
    ------
    DataError
        Windows of several recordings, and what :func:`generate_samples` refuses.

    Examples
    --------
    >>> import neurokit as nk
    >>> rng = np.random.default_rng(0)
    >>> rec = nk.Recording.from_spikes(rng.uniform(0, 2, 60), rng.integers(0, 4, 60), 2.0)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.1)
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win))
    >>> made = generate(model, win, max_spikes=20, seed=1)
    >>> made.duration, set(made["spikes"]["id"].values) == set(rec["spikes"]["id"].values)
    (2.0, True)
    """
    arguments.like("win", win, "vocabulary", "windows of spikes, see nk.windows.spike_windows")
    places = np.unique(win.recording_index)
    if places.size != 1:
        raise DataError(
            f"Windows lie in {places.size} recordings, one was expected. See generate_samples."
        )
    (made,) = generate_samples(
        model,
        win,
        free_running=free_running,
        warm_up=warm_up,
        duration=duration,
        given=given,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        max_spikes=max_spikes,
        batch_size=batch_size,
        seed=seed,
        device=device,
        progress=progress,
    )
    return made


@torch.inference_mode()
def generate_samples(
    model: Any,
    win: Any,
    *,
    n_samples: int = 1,
    free_running: bool = True,
    warm_up: bool = True,
    duration: float | None = None,
    given: Sequence[str] | None = None,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = 0.95,
    max_spikes: int = 512,
    batch_size: int = 32,
    seed: int = 0,
    device: str | torch.device = "auto",
    progress: bool | None = None,
) -> list[Recording]:
    """Generate spikes in windows, several times over, spike after spike and window after window.

    In each window pairs of a unit and a step are drawn until the model says that it ends
    (Antoniades et al. 2024, arXiv 2311.00136); the window then is past for the next one. True
    spikes are not read, except those before the first window of each stretch of windows without a
    gap. Steps never decrease inside a window. Stimulus and behaviour are the true ones, or are
    withheld.

    Parameters
    ----------
    model : Neuroformer
        Trained on other windows.
    win : SpikeWindows
        Where to generate, cut without overlap. In a recording with several sessions' units only
        those of its own session are drawn.
    n_samples : int
        How many times. All samples of all stretches are generated side by side.
    free_running : bool
        If False, each window follows its true past, not what was generated before.
    warm_up : bool
        Whether the past of a stretch's first window is the true one; else there are no spikes in
        it.
    duration : float, optional
        Seconds after which a stretch begins anew from its true past; by default never. More and
        shorter stretches make fuller batches.
    given : sequence of str, optional
        Streams beside the spikes that are shown as recorded; by default all that the model
        reads. The others are 0 throughout, the mean of z-scores, as in :func:`run_ablation`;
        the windows have them all the same.
    temperature, top_k, top_p
        As in :class:`SamplingRule`. A nucleus leaves out rare units, and the end of a window
        where that is rarer than they are: for rates as the model has them take ``top_p=None``.
    max_spikes : int
        Most spikes of a window.
    batch_size : int
        Stretches at a time. What is generated does not depend on it, up to rounding.
    seed : int
        Each stretch and sample has random numbers of its own.
    device : str or torch.device
        Where to compute.
    progress : bool, optional
        See :func:`neurokit.progress.progress_bar`.

    Returns
    -------
    list of Recording
        One a recording and sample, samples of a recording one after the other: the recording
        with generated spikes in place of its own, the same clock, units of the vocabulary,
        other streams and events. A spike's time is uniform inside its step. Facts of units that
        the recording's own table lacks, since they were silent, are missing: NaN, or empty text.
        There are spikes only in the windows, whose ``intervals`` in seconds are in
        ``meta["generated"]``, with the settings and ``n_stretches``: how often the past was the
        true one.

    Raises
    ------
    DataError
        Windows that overlap or do not fit the model, or a setting outside its range.
    UnknownNameError
        A stream in `given` that the model does not read.

    Warns
    -----
    UserWarning
        Windows that were cut off at `max_spikes`, or that all have gaps between them, so that
        none follows what was generated.

    Examples
    --------
    >>> import neurokit as nk
    >>> rng = np.random.default_rng(0)
    >>> rec = nk.Recording.from_spikes(rng.uniform(0, 2, 60), rng.integers(0, 4, 60), 2.0)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.1)
    >>> model = nk.models.Neuroformer(nk.models.NeuroformerConfig.of(win))
    >>> len(generate_samples(model, win, n_samples=3, duration=0.5, max_spikes=20))
    3
    """
    rule = SamplingRule(temperature, top_k, top_p)
    limit = arguments.whole("max_spikes", max_spikes, least=1)
    settings = Settings(rule, limit, warm_up, arguments.whole("seed", seed, least=0))
    size = arguments.whole("batch_size", batch_size, least=1)
    n_samples = arguments.whole("n_samples", n_samples, least=1)
    model.check(win)
    shown = _shown(model, given)
    for name in _read(model):
        win = win if name in shown else Blinded(win, name)
    longest = _longest(win, duration) if free_running else 1
    runs = stretches(win, longest)
    _warn_of_gaps(runs, longest)
    # Stretches of one length end together.
    rows = sorted(((run, n) for run in runs for n in range(n_samples)), key=lambda r: -len(r[0]))
    total = n_samples * len(win)
    spikes: list[_Spikes] = []
    with (
        lent(model, device) as place,
        progress_bar(total=total, enabled=progress, desc="generate", unit="window") as bar,
    ):
        for first in range(0, len(rows), size):
            batch = rows[first : first + size]
            samples = np.array([n for _, n in batch])
            for here, tokens in FreeRun(model, win, batch, settings, place):
                spikes.append(_timed(win, here, samples[: len(here)], tokens))
                bar.update(len(here))
    _warn_of_full(sum(part.n_full for part in spikes), total, limit)
    told = {"model": type(model).__name__, **asdict(settings)}
    told |= {"free_running": free_running, "duration": duration, "given": shown}
    starts = win.recording_index[[run[0] for run in runs]]
    return _recordings(win, spikes, n_samples, told, np.bincount(starts))


class _Spikes(NamedTuple):
    """Spikes of some windows, one after the other."""

    recording: np.ndarray
    sample: np.ndarray
    unit: np.ndarray
    time: np.ndarray
    n_full: int


def _read(model: Any) -> list[str]:
    return [modality.name for modality in model.config.modalities]


def _shown(model: Any, given: Sequence[str] | None) -> list[str]:
    """Return the names of the streams that are shown as recorded."""
    if given is None:
        return _read(model)
    names = arguments.name_list("given", given)
    for name in names:
        if name not in _read(model):
            raise UnknownNameError("stream that the model reads", name, _read(model))
    return list(dict.fromkeys(names))


def _longest(win: Any, duration: float | None) -> int | None:
    """Return how many windows a stretch may have."""
    if duration is None:
        return None
    n = round(arguments.positive("duration (s)", duration) / win.length)
    if n < 1:
        raise DataError(f"duration is {duration:g} s, less than a window of {win.length:g} s.")
    return n


def _timed(win: Any, here: np.ndarray, samples: np.ndarray, tokens: Tokens) -> _Spikes:
    ids, steps = tokens.id.cpu().numpy(), tokens.step.cpu().numpy()
    row, column = np.nonzero(ids != PAD)
    window = here[row]
    inside = (steps[row, column] - FIRST + tokens.place[row, column]) / win.sampling_rate
    return _Spikes(
        win.recording_index[window],
        samples[row],
        ids[row, column] - FIRST,
        win.start[window] + inside,
        tokens.n_full,
    )


def _warn_of_gaps(runs: Sequence[np.ndarray], longest: int | None) -> None:
    if longest != 1 and len(runs) > 1 and max(len(run) for run in runs) == 1:
        warn(
            f"There are gaps between all {len(runs)} windows: each follows its true past, as with "
            "free_running=False. Take windows that lie side by side, such as win.take(range(40))."
        )


def _warn_of_full(n_full: int, total: int, limit: int) -> None:
    if n_full:
        warn(
            f"{n_full} of {total} windows were cut off at max_spikes = {limit}. Raise it, or "
            "lower the temperature."
        )


def _recordings(
    win: Any,
    parts: Sequence[_Spikes],
    n_samples: int,
    told: dict[str, Any],
    n_stretches: np.ndarray,
) -> list[Recording]:
    recording, sample, unit, time = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("recording", "sample", "unit", "time")
    )
    ids = np.array([unit_id for _, unit_id in win.vocabulary])
    out = []
    for number, mine in win.by_recording():
        own, intervals = win.recordings[number], _joined(win.start[mine], win.length)
        facts = {**told, "n_stretches": int(n_stretches[number]), "intervals": intervals}
        low, high = (own["spikes"].attrs[key] for key in ("start", "stop"))
        units = _units(own, win.vocabulary)
        for n in range(n_samples):
            chosen = (recording == number) & (sample == n)
            spikes = spike_train(time[chosen], ids[unit[chosen]], low, high - low, units)
            made = own.replace(
                streams={**own.streams, "spikes": spikes},
                meta={"generated": {**facts, "sample": n}},
                history=f"generate({told['model']}, seed={told['seed']}, sample={n})",
            )
            out.append(made)
    return out


def _units(own: Recording, vocabulary: Any) -> pd.DataFrame:
    """Return the table of the units that the model can draw, those that were silent behind."""
    spikes = own["spikes"]
    known = [vocabulary[place][1] for place in vocabulary.of_session(session_of(own))]
    kept = np.isin(spikes["id"].values, known)
    silent = np.array([i for i in known if i not in set(spikes["id"].values.tolist())], np.int64)
    facts = {
        str(name): _lengthened(fact.values[kept], len(silent))
        for name, fact in spikes.coords.items()
        if fact.dims == ("unit",) and name != "id"
    }
    return pd.DataFrame({"id": np.append(spikes["id"].values[kept], silent), **facts})


def _lengthened(values: np.ndarray, n: int) -> np.ndarray:
    """Append missing values; whole numbers and truth values have none, and become floats."""
    if not n:
        return values
    if values.dtype.kind in "biu":
        values = values.astype(np.float64)
    missing = {"U": "", "S": b"", "M": "NaT", "m": "NaT"}.get(values.dtype.kind, np.nan)
    return np.append(values, np.full(n, missing, dtype=values.dtype))


def _joined(start: np.ndarray, length: float) -> list[list[float]]:
    """Return the intervals that windows cover, those without a gap as one."""
    start = np.sort(start)
    breaks = np.flatnonzero(np.diff(start) > 1.001 * length)
    first = start[np.append(0, breaks + 1)]
    last = start[np.append(breaks, start.size - 1)] + length
    return np.stack([first, last], axis=1).tolist()
