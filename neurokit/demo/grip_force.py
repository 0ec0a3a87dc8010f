"""Grip force read from the motor cortex, from the past alone.

Band power after causal filters, the last half second of it, and ridge regression, after Merk et
al. 2022 (eLife 11:e75126), who decode grip force from ECoG with features that a stimulator could
compute while the movement runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit import plotting
from neurokit.demo.answer import Answer, code
from neurokit.demo.lagged_ridge import (
    BANDS,
    GAP,
    N_BLOCKS,
    N_LAGS,
    STEP,
    band_power,
    predict_left_out,
)
from neurokit.demo.papers import CITATIONS
from neurokit.demo.resampling import p_value, upper
from neurokit.errors import DataError

if TYPE_CHECKING:
    from neurokit.recording import Recording

__all__ = ["run"]

FINER = (4, 5, 6)
MIN_SHIFT = 2.0
LABEL = "force (share of its range)"
BAND = (0.57, 0.68)


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
    cortex = band_power(_contacts(rec["ieeg"], "ECOG"), rate)
    force = _force(rec, rate, len(cortex))
    predicted, scores = predict_left_out(cortex, force)
    value = float(scores.mean())
    nucleus = predict_left_out(band_power(_contacts(rec["ieeg"], "LFP"), rate), force)[1]
    clock = np.vander(np.linspace(-1, 1, len(force)), 4)[:, :3]
    null = _shifted_scores(cortex, force)
    finer = [float(predict_left_out(cortex, force, n_blocks=n)[1].mean()) for n in FINER]
    return Answer(
        question="Can grip force be read from the motor cortex?",
        data="gripforce",
        measure="Pearson r of force and prediction, mean of three blocks",
        value=value,
        unit="r",
        interval=(float(scores.min()), float(scores.max())),
        interval_of="lowest and highest block: three blocks are too few for a bootstrap",
        chance=0.0,
        baseline=("97.5 % of shifted force: both signals are slow", upper(null)),
        ceiling=None,
        ceiling_note="none: the movement was recorded once, so its repeatability is unknown",
        band=BAND,
        n_samples=int(np.isfinite(predicted).sum()),
        split=f"{N_BLOCKS} contiguous blocks, {GAP:.0f} s left out on both sides of the test block",
        seed=seed,
        p_value=p_value(value, null),
        caveat=(
            f"{len(force) * STEP:.0f} s of one person hold three grips, one a block. "
            "This shows that the road from file to prediction works, not how well cortex predicts "
            f"force: cut into {FINER[0]} to {FINER[-1]} blocks, some of which hold no grip, r is "
            f"{min(finer):.2f} to {max(finer):.2f}; how strong a grip is, is not predicted (R2 "
            f"{_explained(force, predicted):.2f}); with signals this slow a shifted force alone "
            f"reaches {upper(null):.2f}, and shifts that overlap are no independent draws."
        ),
        method=_method(),
        citations=CITATIONS["grip_force"],
        code=code("grip_force", "gripforce", seed),
        details={
            **{f"block {i + 1} (r)": float(s) for i, s in enumerate(scores)},
            **{f"mean of {n} blocks instead (r)": r for n, r in zip(FINER, finer, strict=True)},
            "variance explained, R2": _explained(force, predicted),
            "subthalamic contacts, same model (r)": float(nucleus.mean()),
            "cubic in time, no brain (r)": float(
                predict_left_out(clock, force, n_lags=1)[1].mean()
            ),
            "mean of shifted force (r)": float(null.mean()),
        },
        figures=_figures(force, predicted, value, null),
    )


def _explained(force: np.ndarray, predicted: np.ndarray) -> float:
    """Compare the squared error with that of the mean of what was predicted."""
    scored = np.isfinite(predicted)
    true = force[scored]
    return float(1 - np.mean((true - predicted[scored]) ** 2) / true.var())


def _shifted_scores(features: np.ndarray, force: np.ndarray) -> np.ndarray:
    """Score every circular shift of the force: both sides keep their slowness."""
    least = round(MIN_SHIFT / STEP)
    shifts = range(least, len(force) - least, 2)
    return np.array([predict_left_out(features, np.roll(force, s))[1].mean() for s in shifts])


def _contacts(ieeg: Any, prefix: str) -> np.ndarray:
    names = np.asarray(ieeg["channel"], dtype=str)
    chosen = np.char.startswith(np.char.upper(names), prefix)
    if not chosen.any():
        raise DataError(f"Expected channels that start with {prefix!r}; got {names.tolist()}.")
    return np.asarray(ieeg, dtype=np.float64)[:, chosen]


def _force(rec: Recording, rate: float, n_steps: int) -> np.ndarray:
    """Read the force at the end of each step: no feature looks past what it predicts."""
    for stream in (name for name in ("behaviour", "ieeg") if name in rec):
        names = [str(name) for name in rec[stream][rec[stream].dims[1]].values]
        if "MOV_RIGHT" in names:
            column = np.asarray(rec[stream], dtype=np.float64)[:, names.index("MOV_RIGHT")]
            per_step = round(STEP * rate)
            return column[per_step - 1 :: per_step][:n_steps]
    raise DataError("Expected the force channel 'MOV_RIGHT' in behaviour or ieeg; it is nowhere.")


def _figures(
    force: np.ndarray, predicted: np.ndarray, value: float, null: np.ndarray
) -> dict[str, Callable[..., Any]]:
    import xarray as xr

    time = (np.arange(len(force)) + 1) * STEP
    scored = np.flatnonzero(np.isfinite(predicted))
    borders = [float(time[block[0]]) for block in np.array_split(scored, N_BLOCKS)[1:]]
    true, read = (
        xr.DataArray((x - force.min()) / np.ptp(force), {"time": time}, ("time",), LABEL)
        for x in (force, predicted)
    )
    return {
        "Force and its prediction from the other blocks": partial(
            plotting.predicted_vs_true, true, read, borders=borders
        ),
        "Score against shifted force": partial(
            plotting.null_distribution,
            value,
            {"shifted force": null},
            chance=0.0,
            label="Pearson r, mean of three blocks",
        ),
    }


def _method() -> str:
    bands = ", ".join(f"{low}-{high}" for low, high in BANDS)
    return (
        f"Six ECoG contacts were filtered causally ({bands} Hz, Butterworth of order 4) and their "
        f"log power averaged over {STEP} s. Ridge regression on the last {N_LAGS} steps predicted "
        f"the force at the end of the step, in {N_BLOCKS} contiguous blocks with {GAP:.0f} s left "
        "out beside the test block; the penalty was chosen inside the training data. Null: "
        f"circular shifts of the force by at least {MIN_SHIFT:.0f} s, all fitted afresh."
    )
