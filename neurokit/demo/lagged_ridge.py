"""Ridge regression on the recent past of band power, scored on contiguous blocks."""

from __future__ import annotations

import numpy as np

__all__ = ["BANDS", "GAP", "N_BLOCKS", "N_LAGS", "STEP", "band_power", "predict_left_out"]

#: Low and high end in Hz.
BANDS = ((4, 8), (8, 12), (13, 20), (20, 35), (60, 80), (90, 200))
#: Seconds over which power is averaged.
STEP = 0.1
#: Steps of history, the present one included.
N_LAGS = 5
N_BLOCKS = 3
#: Seconds left out beside a test block, for as long as a trace of it lasts in the features:
#: 0.5 s of history, and the 1.4 s in which the slowest filter's energy falls to 1e-4.
GAP = 2.0
PENALTIES = tuple(10.0**k for k in range(5))


def band_power(signals: np.ndarray, rate: float) -> np.ndarray:
    """Compute the log power of each band in steps of 0.1 s, with causal filters.

    Parameters
    ----------
    signals : numpy.ndarray of shape (time, channel)
        Voltages, in any unit.
    rate : float
        Samples a second, Hz.

    Returns
    -------
    numpy.ndarray of shape (step, band * channel)
        Natural logarithm of the mean square in each step.

    Examples
    --------
    >>> t = np.arange(3000) / 1000
    >>> power = band_power(np.sin(2 * np.pi * 10 * t)[:, None], 1000.0)
    >>> power.shape, int(power[-1].argmax())
    ((30, 6), 1)
    """
    from scipy.signal import butter, sosfilt

    per_step = round(STEP * rate)
    n_steps = len(signals) // per_step
    out = []
    for band in BANDS:
        filtered = sosfilt(butter(4, band, "bandpass", fs=rate, output="sos"), signals, axis=0)
        power = (filtered[: n_steps * per_step] ** 2).reshape(n_steps, per_step, -1).mean(axis=1)
        out.append(np.log(np.maximum(power, np.finfo(float).tiny)))
    return np.concatenate(out, axis=1)


def predict_left_out(
    features: np.ndarray, force: np.ndarray, n_lags: int = N_LAGS, n_blocks: int = N_BLOCKS
) -> tuple[np.ndarray, np.ndarray]:
    """Predict each block with a ridge regression trained on the others.

    The penalty is chosen in the training data alone, by predicting each of its halves from the
    other; features are scaled by training means and deviations.

    Parameters
    ----------
    features : numpy.ndarray of shape (step, feature)
        Band power.
    force : numpy.ndarray of shape (step,)
        What to predict.
    n_lags : int
        Steps of history, the present one included.
    n_blocks : int
        Contiguous test blocks.

    Returns
    -------
    tuple of numpy.ndarray
        The prediction of each step (NaN where the history is not full) and the r of each block.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(200, 2))
    >>> bool(predict_left_out(x, x[:, 0])[1].min() > 0.9)
    True
    """
    from neurokit.alignment.splits import contiguous

    history = np.concatenate([np.roll(features, lag, axis=0) for lag in range(n_lags)], axis=1)
    x, y = history[n_lags - 1 :], force[n_lags - 1 :]
    gap = round(GAP / STEP)
    predicted = np.full(len(force), np.nan)
    scores = []
    for train, test in contiguous(len(y), n_blocks, gap=gap):
        penalty = _choose_penalty(x[train], y[train], gap)
        guess = _ridge(x[train], y[train], x[test], penalty)
        predicted[test + n_lags - 1] = guess
        scores.append(_pearson(guess, y[test]))
    return predicted, np.array(scores)


def _choose_penalty(x: np.ndarray, y: np.ndarray, gap: int) -> float:
    half = len(y) // 2
    first, second = np.arange(half - gap // 2), np.arange(half + gap // 2, len(y))
    means = []
    for penalty in PENALTIES:
        pairs = ((first, second), (second, first))
        means.append(np.mean([_pearson(_ridge(x[a], y[a], x[b], penalty), y[b]) for a, b in pairs]))
    return PENALTIES[int(np.nanargmax(means))]


def _ridge(x: np.ndarray, y: np.ndarray, new: np.ndarray, penalty: float) -> np.ndarray:
    centre, scale = x.mean(axis=0), x.std(axis=0) + 1e-12
    z = (x - centre) / scale
    kernel = z @ z.T + penalty * np.eye(len(z))
    weights = z.T @ np.linalg.solve(kernel, y - y.mean())
    guess: np.ndarray = (new - centre) / scale @ weights + y.mean()
    return guess


def _pearson(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / max(np.sqrt((a @ a) * (b @ b)), np.finfo(float).tiny))
