"""Simpler predictors of spikes: mean rates, and Poisson regressions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import minimize
from torch import Tensor

from neurokit import arguments
from neurokit.errors import DataError, UnknownNameError
from neurokit.windows.spike_tokens import FIRST
from neurokit.windows.vocabulary import session_of

__all__ = ["glm_likelihood", "rate_likelihood", "step_counts"]

Array = NDArray[np.float64]

EDGES = (0, 1, 2, 5, 10, 20, 40)  # of the stretches of the past, in steps before now
LONGEST = 80
COUNTS_AT_ONCE = 2**23  # of steps and units
LARGEST = 10.0  # log count: what is far from all of training must not overflow
OPTIONS = {"maxiter": 200, "maxcor": 20}
ROUGHLY = {"maxiter": 40, "maxcor": 20}  # while the penalty is chosen
PENALTIES = (1.0, 1e-1, 1e-2, 1e-3, 1e-4)
ASIDE = 0.2  # of the training windows, by which it is
LEAST_SPIKES = 0.5  # of a unit that is silent in training: one that never fires would be impossible


def step_counts(batch: dict[str, Tensor], n_units: int, n_steps: int, prefix: str = "") -> Tensor:
    """Count the spikes of each unit in each step of some windows.

    Parameters
    ----------
    batch : dict of Tensor
        Of spike windows.
    n_units : int
        Of the vocabulary.
    n_steps : int
        Of a window, or of its past.
    prefix : {"", "past_"}
        Which of the two.

    Returns
    -------
    Tensor of float, shape (window, step, unit)
        Special tokens are not counted.

    Examples
    --------
    >>> batch = {"id": torch.tensor([[1, 4, 4, 2]]), "step": torch.tensor([[1, 3, 3, 2]])}
    >>> step_counts(batch, n_units=2, n_steps=1).tolist()
    [[[0.0, 2.0]]]
    """
    identity, step = batch[f"{prefix}id"], batch[f"{prefix}step"]
    spike = identity >= FIRST
    cell = (step - FIRST).clamp(0, n_steps - 1) * n_units + (identity - FIRST).clamp(min=0)
    counts = torch.zeros(len(identity), n_steps * n_units, device=identity.device)
    return counts.scatter_add_(1, cell, spike.float()).view(-1, n_steps, n_units)


def rate_likelihood(win: Any) -> Array:
    """Compute the log-likelihood of windows under each unit's mean rate in them.

    Parameters
    ----------
    win : SpikeWindows
        To be scored. Rates are those of each recording.

    Returns
    -------
    ndarray, shape (window,)
        Nats, of the Poisson counts in all steps.

    Examples
    --------
    >>> import neurokit as nk
    >>> rec = nk.Recording.from_spikes([0.15, 0.25], [0, 0], duration=0.3)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.1, dt=0.1)
    >>> rate_likelihood(win)
    array([-1., -1.])
    """
    out = np.empty(len(win))
    for _, mine in win.by_recording():
        parts = _parts(win, mine)
        total = sum(_counts(win, rows).sum(axis=(0, 1), dtype=np.float64) for rows in parts)
        for rows in parts:
            out[rows] = _poisson(_counts(win, rows), total / (len(mine) * win.n_samples))
    return out


def glm_likelihood(
    train: Any,
    test: Any,
    streams: Sequence[str] = (),
    *,
    history: bool = False,
    degree: int = 3,
    alpha: float | None = None,
) -> Array:
    """Fit a Poisson regression to each unit, and score held-out windows by it.

    The logarithm of the expected count in a step is linear in what is known there. With the
    cosine and the sine of a direction this is a tuning curve of von Mises' form and, with
    their products, of any smooth one (Truccolo et al. 2005, J. Neurophysiol. 93:1074). Where it
    is asked for more than it ever expected of a unit in training, it expects that: exponentials
    know no bounds, and a few steps unlike those of training would decide the score. What is
    known in all steps of training is held in memory, in single precision: with history that is
    up to seven numbers a unit. Counts are not.

    Parameters
    ----------
    train, test : SpikeWindows
        Of the same sessions.
    streams : sequence of str
        Modalities whose variables at each step are known, along with their products.
    history : bool
        Whether the spikes of all units in stretches before the step are known, up to 80 steps
        back or to the beginning of the past.
    degree : int
        Of the products.
    alpha : float, optional
        Weight of the ridge penalty beside the mean deviance, features in standard deviations.
        By default each session has that of 1, 0.1, 0.01, 0.001 and 0.0001, tried in this order
        until one is worse than the last, by which the last fifth of its training windows is the
        most likely, for all units at once, when fitted to those that share no spike with them;
        then all of training is fitted again. It is 1 where too few windows are left to try.

    Returns
    -------
    ndarray, shape (test window,)
        Log-likelihood in nats, of the Poisson counts in all steps.

    Raises
    ------
    DataError
        Neither streams nor history, a session that training lacks, or a penalty below 0.
    UnknownNameError
        A stream that the windows lack.

    Examples
    --------
    >>> import neurokit as nk
    >>> time = np.arange(200) * 0.05 + 0.001
    >>> rec = nk.Recording.from_spikes(time, np.zeros(200, int), duration=10)
    >>> win = nk.windows.spike_windows(rec, length=0.1, history=0.1)
    >>> train, test = next(nk.windows.split_contiguous(win, 2))
    >>> bool(glm_likelihood(train, test, history=True).sum() > 5 + rate_likelihood(test).sum())
    True
    """
    if not streams and not history:
        raise DataError("Nothing to regress spikes on: name streams, or set history=True.")
    degree = arguments.whole("degree", degree, least=1)
    for name in arguments.name_list("streams", streams):
        for win in (train, test):
            if name not in win.beside:
                raise UnknownNameError("stream beside the spikes", name, win.beside)
    if alpha is not None and arguments.number("alpha", alpha) < 0:
        raise DataError(f"alpha is {alpha}, expected 0 or more, or None to choose it.")
    sessions, trained = _sessions(test), _sessions(train)
    out = np.empty(len(test))
    for session in np.unique(sessions):
        rows, mine = np.flatnonzero(trained == session), np.flatnonzero(sessions == session)
        if not rows.size:
            raise DataError(f"Session {session!r} has windows to be scored, and none to train on.")
        # Units of other sessions cannot fire, and none of them is expected to.
        units = train.vocabulary.of_session(session)
        known = partial(_known, units=units, streams=streams, history=history, degree=degree)
        expect = _fit(train, rows, units, known, alpha)
        for some in _parts(test, mine):
            counts = _counts(test, some)[..., units]
            out[some] = _poisson(counts, expect(known(test, some)).reshape(counts.shape))
    return out


def _sessions(win: Any) -> NDArray[Any]:
    return np.array([session_of(r) for r in win.recordings])[np.asarray(win.recording_index)]


def _counts(win: Any, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = step_counts(
        win.batch(rows), len(win.vocabulary), win.n_samples
    ).numpy()
    return found


def _poisson(counts: NDArray[np.float32], expected: Array) -> Array:
    """Return log-likelihoods (window,) of counts (window, step, unit)."""
    each = special.xlogy(counts, expected) - expected - special.gammaln(counts + 1.0)
    total: Array = each.sum(axis=(1, 2), dtype=np.float64)
    return total


def _parts(win: Any, rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Split windows into those whose counts, with their past, are held at once."""
    size = max(1, COUNTS_AT_ONCE // ((win.n_samples + win.n_history) * len(win.vocabulary)))
    return np.split(rows, range(size, len(rows), size))


def _fit(
    win: Any,
    rows: NDArray[np.intp],
    units: NDArray[np.intp],
    known: Callable[..., Array],
    alpha: float | None,
) -> Callable[[Array], Array]:
    """Fit each unit, and return what expects its spikes in other steps, (step, feature)."""
    rows = rows[np.lexsort((win.first_sample[rows], win.recording_index[rows]))]
    width, steps = known(win, rows[:1]).shape[1], win.n_samples
    x = np.empty((len(rows), steps, width), np.float32)
    for at in _parts(win, np.arange(len(rows))):
        x[at] = known(win, rows[at]).reshape(-1, steps, width)
    mean, spread = _standardize(x.reshape(-1, width))
    chosen, start = (alpha, None) if alpha is not None else _choose(win, rows, units, x)
    both, spikes = _sums(win, rows, units, x)
    fired, flat = np.flatnonzero(spikes), x.reshape(-1, width)
    begin = None if start is None else start[:, fired]
    weight, offset = _regression(flat, both[:, fired], spikes[fired], chosen, begin)
    top = _highest(flat, weight, offset)

    def expect(asked: Array) -> Array:
        expected = np.full((len(asked), len(units)), LEAST_SPIKES / (len(x) * steps))
        expected[:, fired] = np.exp(np.minimum((asked - mean) / spread @ weight + offset, top))
        return expected

    return expect


def _sums(
    win: Any, rows: NDArray[np.intp], units: NDArray[np.intp], x: NDArray[np.float32]
) -> tuple[Array, Array]:
    """Sum the products of features and spikes (feature, unit), and the spikes (unit,)."""
    width, n_units = x.shape[-1], len(units)
    both, spikes = np.zeros((width, n_units)), np.zeros(n_units)
    for at in _parts(win, np.arange(len(rows))):
        y = _counts(win, rows[at])[..., units].reshape(-1, n_units)
        both += x[at].reshape(-1, width).T @ y
        spikes += y.sum(axis=0, dtype=np.float64)
    return both, spikes


def _choose(
    win: Any, rows: NDArray[np.intp], units: NDArray[np.intp], x: NDArray[np.float32]
) -> tuple[float, Array | None]:
    """Choose the penalty by the last windows of training, in the order of time.

    Returns it, and where to begin to fit all of training: weights, then offsets, of each unit.
    """
    first = round((1 - ASIDE) * len(rows))
    past = slice(0, _apart(win, rows, first))
    if not 0 < past.stop <= first < len(rows):
        return PENALTIES[0], None
    width = x.shape[-1]
    both, spikes = _sums(win, rows[past], units, x[past])
    fired, flat = np.flatnonzero(spikes), x[past].reshape(-1, width)
    best, start = -np.inf, None
    found: tuple[float, Array | None] = PENALTIES[0], None
    for alpha in PENALTIES:
        weight, offset = _regression(flat, both[:, fired], spikes[fired], alpha, start, ROUGHLY)
        start = np.concatenate([weight, offset])
        score = _log_likelihood(
            win, rows[first:], units[fired], x[first:], weight, offset,
            _highest(flat, weight, offset),
        )  # fmt: skip
        # The weaker the penalty the longer it takes: what gets worse does so from there on.
        if score <= best:
            break
        best, whole = score, np.zeros((width + 1, len(spikes)))
        whole[:, fired] = start
        found = alpha, whole
    return found


def _apart(win: Any, rows: NDArray[np.intp], first: int) -> int:
    """Count the windows, in the order of time, that share no spike with ``first`` and later."""
    if first >= len(rows):
        return first
    recording, begin = win.recording_index[rows], win.first_sample[rows]
    late = begin + win.n_samples > begin[first] - win.reach
    return int(((recording < recording[first]) | ~late)[:first].sum())


def _highest(x: NDArray[np.float32], weight: Array, offset: Array) -> Array:
    """Return the largest log count that is expected of each unit."""
    single = weight.astype(np.float32)
    size = max(1, COUNTS_AT_ONCE // max(1, weight.shape[1]))
    parts = [(x[at : at + size] @ single).max(axis=0) for at in range(0, len(x), size)]
    top: Array = np.minimum(np.max(parts, axis=0) + offset, LARGEST)
    return top


def _log_likelihood(
    win: Any,
    rows: NDArray[np.intp],
    units: NDArray[np.intp],
    x: NDArray[np.float32],
    weight: Array,
    offset: Array,
    top: Array,
) -> float:
    """Return that of the counts of units, but for a constant."""
    single, total = weight.astype(np.float32), 0.0
    for at in _parts(win, np.arange(len(rows))):
        y = _counts(win, rows[at])[..., units].reshape(-1, len(units))
        log_mu = np.minimum(x[at].reshape(len(y), -1) @ single + offset, top)
        total += float((y * log_mu - np.exp(log_mu)).sum(dtype=np.float64))
    return total


def _standardize(x: NDArray[np.float32]) -> tuple[Array, Array]:
    """Make z-scores of columns in place; return their means and standard deviations."""
    mean = x.mean(axis=0, dtype=np.float64)
    x -= mean
    spread = np.sqrt(np.einsum("ij,ij->j", x, x, dtype=np.float64) / len(x))
    spread[spread < 1e-6] = np.inf
    x /= spread
    return mean, spread


def _regression(
    x: NDArray[np.float32],
    both: Array,
    spikes: Array,
    alpha: float,
    start: Array | None = None,
    options: dict[str, int] = OPTIONS,
) -> tuple[Array, Array]:
    """Minimise mean(exp(xw + b) - y (xw + b)) + alpha/2 |w|² for all units at once.

    Of y (row, unit), the sums of its products with x (row, feature), and its own, are enough.
    """
    shape, n = (both.shape[0] + 1, both.shape[1]), len(x)
    size = max(1, COUNTS_AT_ONCE // max(1, shape[1]))
    mean, sums = spikes / n, np.concatenate([both, [spikes]]) / n

    def objective(flat: Array) -> tuple[float, Array]:
        weight, offset = np.split(flat.reshape(shape), [-1])
        single = weight.astype(np.float32)
        loss = alpha / 2 * (weight**2).sum(axis=0)
        loss -= (np.concatenate([single, offset]) * sums).sum(axis=0)
        slope = np.concatenate([alpha * weight, np.zeros_like(offset)]) - sums
        for some in (x[first : first + size] for first in range(0, n, size)):
            mu = np.exp(np.minimum(some @ single + offset, LARGEST))
            total = mu.sum(axis=0)
            loss += total / n
            slope += np.concatenate([some.T @ mu.astype(np.float32), [total]]) / n
        # A unit that fires little would otherwise be the last to be fitted.
        return float((loss / mean).sum()), (slope / mean).ravel()

    begin = np.concatenate([np.zeros((shape[0] - 1, shape[1])), [np.log(mean)]])
    if start is not None:
        begin[:-1] = start[:-1]
        begin[-1] = np.where(start[:-1].any(axis=0), start[-1], begin[-1])
    found = minimize(objective, begin.ravel(), jac=True, method="L-BFGS-B", options=options)
    weight, offset = np.split(found.x.reshape(shape), [-1])
    return weight, offset


def _known(
    win: Any,
    rows: NDArray[np.intp],
    units: NDArray[np.intp],
    streams: Sequence[str],
    history: bool,
    degree: int,
) -> Array:
    """Gather what is known at each step, (window * step, feature)."""
    batch = win.batch(rows)
    parts = [_products(_at_steps(win, batch, name), degree) for name in streams]
    if history:
        parts.append(_recent(win, batch, units))
    return np.concatenate(parts, axis=1)


def _at_steps(win: Any, batch: dict[str, Tensor], name: str) -> Array:
    """Take the sample of a stream at the middle of each step, (window * step, variable)."""
    values = batch[name].numpy()
    n, before_end = values.shape[1], (np.arange(win.n_samples)[::-1] + 0.5) * win.dt
    back = np.floor(before_end * n / win.beside[name]).astype(np.int64)
    taken = values[:, np.clip(n - 1 - back, 0, n - 1)]
    return taken.reshape(-1, values.shape[2]).astype(np.float64)


def _products(x: Array, degree: int) -> Array:
    """Append the products of up to ``degree`` columns."""
    columns = range(x.shape[1])
    chosen = (
        list(some)
        for n in range(1, degree + 1)
        for some in itertools.combinations_with_replacement(columns, n)
    )
    return np.stack([x[:, some].prod(axis=1) for some in chosen], axis=1)


def _recent(win: Any, batch: dict[str, Tensor], units: NDArray[np.intp]) -> Array:
    """Count the spikes of each unit in stretches before each step."""
    n_units, n_now, n_past = len(win.vocabulary), win.n_samples, win.n_history
    before = step_counts(batch, n_units, n_past, "past_")
    counts = torch.cat(
        [torch.zeros_like(before[:, :1]), before, step_counts(batch, n_units, n_now)], 1
    )
    total = counts[..., units].cumsum(dim=1).numpy()
    now, limit = n_past + np.arange(n_now), min(n_past, LONGEST)
    edges = [*(edge for edge in EDGES if edge < limit), limit]
    stretches = [
        total[:, now - near] - total[:, now - far] for near, far in itertools.pairwise(edges)
    ]
    return np.concatenate(stretches, axis=2).reshape(len(total) * n_now, -1).astype(np.float64)
