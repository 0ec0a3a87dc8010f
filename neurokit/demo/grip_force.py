"""Grip force read from the motor cortex, from the past alone.

Band power after causal filters, the last half second of it, and ridge regression, after Merk et
al. 2022 (eLife 11:e75126), who decode grip force from ECoG with features that a stimulator could
compute while the movement runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit.demo import figures
from neurokit.demo.answer import Answer
from neurokit.demo.resampling import p_value
from neurokit.errors import DataError

if TYPE_CHECKING:
    from neurokit.recording import Recording

__all__ = ["band_power", "predict_left_out", "run"]

BANDS = ((4, 8), (8, 12), (13, 20), (20, 35), (60, 80), (90, 200))
STEP = 0.1
N_LAGS = 5
N_BLOCKS = 3
GAP = 1.0
PENALTIES = tuple(10.0**k for k in range(5))
MIN_SHIFT = 2.0
BAND = (0.57, 0.68)
CITATIONS = (
    "Merk T, et al. (2022). Electrocorticography is superior to subthalamic local field "
    "potentials for movement decoding in Parkinson's disease. eLife 11:e75126.",
    "Hoerl AE, Kennard RW (1970). Ridge regression. Technometrics 12:55-67.",
)
CODE = """\
import neurokit as nk
from neurokit.demo import grip_force

rec = nk.datasets.load("gripforce")
print(grip_force.run(rec, seed={seed}).value)  # correlation, mean of three blocks"""


def run(rec: Recording, seed: int = 0) -> Answer:
    """Predict the force from ECoG, and from the subthalamic contacts for comparison.

    Parameters
    ----------
    rec : Recording
        With ``ieeg`` (time, channel) whose names start with ``ECOG`` and ``LFP``, and the force
        channel ``MOV_RIGHT`` in ``behaviour`` or ``ieeg``.
    seed : int
        Kept with the answer; nothing here is random.

    Returns
    -------
    Answer
        Pearson r between force and prediction, mean of three blocks.

    Raises
    ------
    DataError
        If the contacts or the force are missing.

    Examples
    --------
    >>> import neurokit as nk
    >>> answer = run(nk.datasets.load("gripforce"))
    >>> answer.value > 0.4
    True
    """
    rate = float(rec["ieeg"].attrs["sampling_rate"])
    per_step = round(STEP * rate)
    cortex = band_power(_contacts(rec["ieeg"], "ECOG"), rate)
    # The force at the end of each step: no feature looks past the moment that it predicts.
    force = _force(rec)[per_step - 1 :: per_step][: len(cortex)]
    predicted, scores = predict_left_out(cortex, force)
    value = float(scores.mean())
    nucleus = predict_left_out(band_power(_contacts(rec["ieeg"], "LFP"), rate), force)[1]
    clock = np.vander(np.linspace(-1, 1, len(force)), 4)[:, :3]
    by_clock = predict_left_out(clock, force, n_lags=1)[1]
    null = _shifted_scores(cortex, force)
    time = (np.arange(len(force)) + 1) * STEP
    rows = np.arange(N_LAGS - 1, len(force))
    edges = [float(time[block[0]]) for block in np.array_split(rows, N_BLOCKS)[1:]]
    return Answer(
        question="Can grip force be read from the motor cortex?",
        data="gripforce",
        measure="Pearson r of force and prediction, mean of three blocks",
        value=value,
        unit="r",
        interval=(float(scores.min()), float(scores.max())),
        interval_of="lowest and highest block: three blocks are too few for a bootstrap",
        chance=0.0,
        baseline=("97.5 % of shifted force: both signals are slow", _high(null)),
        ceiling=None,
        ceiling_note="none: the movement was recorded once, so its repeatability is unknown",
        band=BAND,
        n_samples=len(rows),
        split=f"{N_BLOCKS} contiguous blocks, {GAP:.0f} s left out on both sides of the test block",
        seed=seed,
        p_value=p_value(value, null),
        caveat=(
            f"{len(force) * STEP:.0f} s of one person hold three grips, one a block. "
            "This shows that the road from file to prediction works, not how well cortex predicts "
            "force: with signals this slow a shifted force alone reaches "
            f"{_high(null):.2f}, and neighbouring choices of bands, lags and penalty gave 0.45 to "
            "0.67."
        ),
        method=_method(),
        citations=CITATIONS,
        code=CODE.format(seed=seed),
        details={
            **{f"block {i + 1} (r)": float(s) for i, s in enumerate(scores)},
            "subthalamic contacts, same model (r)": float(nucleus.mean()),
            "cubic in time, no brain (r)": float(by_clock.mean()),
            "mean of shifted force (r)": float(null.mean()),
        },
        figures={
            "Force and its prediction": lambda ax: figures.prediction(
                ax, time, force, predicted, edges
            ),
            "Score against shifted force": lambda ax: figures.null_distribution(
                ax, value, {"shifted force": null}, "Pearson r, mean of three blocks", 0.0
            ),
        },
    )


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
    features: np.ndarray, force: np.ndarray, n_lags: int = N_LAGS
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
    for train, test in contiguous(len(y), N_BLOCKS, gap=gap):
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


def _shifted_scores(features: np.ndarray, force: np.ndarray) -> np.ndarray:
    """Score every circular shift of the force: both sides keep their slowness."""
    least = round(MIN_SHIFT / STEP)
    shifts = range(least, len(force) - least, 2)
    return np.array([predict_left_out(features, np.roll(force, s))[1].mean() for s in shifts])


def _high(null: np.ndarray) -> float:
    return float(np.quantile(null, 0.975))


def _contacts(ieeg: Any, prefix: str) -> np.ndarray:
    names = np.asarray(ieeg["channel"], dtype=str)
    chosen = np.char.startswith(np.char.upper(names), prefix)
    if not chosen.any():
        raise DataError(f"Expected channels that start with {prefix!r}; got {names.tolist()}.")
    return np.asarray(ieeg, dtype=np.float64)[:, chosen]


def _force(rec: Recording) -> np.ndarray:
    for stream in ("behaviour", "ieeg"):
        if stream in rec:
            data = rec[stream]
            names = np.asarray(data[data.dims[1]], dtype=str)
            if "MOV_RIGHT" in names:
                return np.asarray(data, dtype=np.float64)[:, names.tolist().index("MOV_RIGHT")]
    raise DataError("Expected the force channel 'MOV_RIGHT' in behaviour or ieeg; it is nowhere.")


def _method() -> str:
    bands = ", ".join(f"{low}-{high}" for low, high in BANDS)
    return (
        f"Six ECoG contacts were filtered causally ({bands} Hz, Butterworth of order 4) and their "
        f"log power averaged over {STEP} s. Ridge regression on the last {N_LAGS} steps predicted "
        f"the force at the end of the step, in {N_BLOCKS} contiguous blocks with {GAP:.0f} s left "
        "out beside the test block; the penalty was chosen inside the training data. Null: "
        f"circular shifts of the force by at least {MIN_SHIFT:.0f} s, all fitted afresh."
    )
