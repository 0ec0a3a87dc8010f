"""Simpler predictors of spikes: mean rates, and Poisson regressions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import special
from scipy.optimize import minimize
from torch import Tensor

from neurokit import arguments
from neurokit.errors import DataError
from neurokit.windows.spike_tokens import FIRST
from neurokit.windows.vocabulary import session_of

__all__ = ["glm_likelihood", "rate_likelihood", "step_counts"]

Array = NDArray[np.float64]

EDGES = (0, 1, 2, 5, 10, 20, 40)  # of the stretches of the past, in steps before now
LONGEST = 80
COUNTS_AT_ONCE = 2**23
LARGEST = 10.0  # log count: what is far from all of training must not overflow
OPTIONS = {"maxiter": 200, "maxcor": 20}
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
    size = max(1, COUNTS_AT_ONCE // (win.n_samples * len(win.vocabulary)))
    for _, mine in win.by_recording():
        parts = np.split(mine, range(size, len(mine), size))
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
    alpha: float = 1e-4,
) -> Array:
    """Fit a Poisson regression to each unit, and score held-out windows by it.

    The logarithm of the expected count in a step is linear in what is known there. With the
    cosine and the sine of a direction this is a tuning curve of von Mises' form and, with
    their products, of any smooth one (Truccolo et al. 2005, J. Neurophysiol. 93:1074). All steps
    of all windows are held in memory at once.

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
    alpha : float
        Weight of the ridge penalty beside the mean deviance, features in standard deviations.

    Returns
    -------
    ndarray, shape (test window,)
        Log-likelihood in nats, of the Poisson counts in all steps.

    Raises
    ------
    DataError
        Neither streams nor history, or a session that training lacks.

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
    sessions, trained = _sessions(test), _sessions(train)
    out = np.empty(len(test))
    for session in np.unique(sessions):
        rows, mine = np.flatnonzero(trained == session), np.flatnonzero(sessions == session)
        if not rows.size:
            raise DataError(f"Session {session!r} has windows to be scored, and none to train on.")
        known = _known(train, rows, streams, history, degree)
        asked = _known(test, mine, streams, history, degree)
        counts = _counts(test, mine)
        expected = _expected(known, asked, _counts(train, rows), alpha)
        out[mine] = _poisson(counts, expected.reshape(counts.shape))
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


def _expected(known: Array, asked: Array, counts: NDArray[np.float32], alpha: float) -> Array:
    """Fit each unit on (row, feature) and predict it on other rows."""
    mean, spread = known.mean(axis=0), known.std(axis=0)
    spread[spread < 1e-6] = np.inf
    known, asked = (known - mean) / spread, (asked - mean) / spread
    flat = counts.reshape(-1, counts.shape[-1])
    expected = np.full((len(asked), flat.shape[1]), LEAST_SPIKES / len(flat))
    fired = np.flatnonzero(flat.any(axis=0))
    if fired.size:
        weight, offset = _regression(known, flat[:, fired], alpha)
        expected[:, fired] = np.exp(np.minimum(asked @ weight + offset, LARGEST))
    return expected


def _regression(x: Array, y: NDArray[np.float32], alpha: float) -> tuple[Array, Array]:
    """Minimise mean(exp(xw + b) - y (xw + b)) + alpha/2 |w|² for all units (row, unit) at once."""
    x32, n, mean = x.astype(np.float32), len(x), y.mean(axis=0, dtype=np.float64)
    shape = (x.shape[1] + 1, y.shape[1])

    def objective(flat: Array) -> tuple[float, Array]:
        weight, offset = np.split(flat.reshape(shape), [-1])
        log_mu = np.minimum(x32 @ weight.astype(np.float32) + offset, LARGEST)
        mu = np.exp(log_mu)
        error = (mu - y).astype(np.float32)
        loss = (mu - y * log_mu).sum(axis=0) / n + alpha / 2 * (weight**2).sum(axis=0)
        slope = np.concatenate([x32.T @ error / n + alpha * weight, [error.sum(axis=0) / n]])
        # A unit that fires little would otherwise be the last to be fitted.
        return float((loss / mean).sum()), (slope / mean).ravel()

    start = np.concatenate([np.zeros((shape[0] - 1, shape[1])), [np.log(mean)]])
    found = minimize(objective, start.ravel(), jac=True, method="L-BFGS-B", options=OPTIONS)
    weight, offset = np.split(found.x.reshape(shape), [-1])
    return weight, offset


def _known(
    win: Any, rows: NDArray[np.intp], streams: Sequence[str], history: bool, degree: int
) -> Array:
    """Gather what is known at each step, (window * step, feature)."""
    batch = win.batch(rows)
    parts = [_products(_at_steps(win, batch, name), degree) for name in streams]
    if history:
        parts.append(_recent(win, batch))
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


def _recent(win: Any, batch: dict[str, Tensor]) -> Array:
    """Count the spikes of each unit in stretches before each step."""
    n_units, n_now, n_past = len(win.vocabulary), win.n_samples, win.n_history
    before = step_counts(batch, n_units, n_past, "past_")
    counts = torch.cat(
        [torch.zeros_like(before[:, :1]), before, step_counts(batch, n_units, n_now)], 1
    )
    total = counts.cumsum(dim=1).numpy()
    now, limit = n_past + np.arange(n_now), min(n_past, LONGEST)
    edges = [*(edge for edge in EDGES if edge < limit), limit]
    stretches = [
        total[:, now - near] - total[:, now - far] for near, far in itertools.pairwise(edges)
    ]
    return np.concatenate(stretches, axis=2).reshape(len(total) * n_now, -1).astype(np.float64)
