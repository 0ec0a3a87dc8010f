"""Whether two observers err on the same trials, beyond what their accuracies make likely."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit import arguments
from neurokit.errors import DataError

__all__ = ["error_consistency"]

Array = NDArray[np.float64]


def error_consistency(
    model: ArrayLike,
    observers: ArrayLike,
    *,
    n_bootstraps: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
) -> xr.Dataset:
    """Compare a model's errors with those of people, trial by trial.

    Cohen's kappa of being right: (c_obs - c_exp) / (1 - c_exp), where c_obs is how often both
    are right or both wrong, and c_exp = p q + (1 - p)(1 - q) what accuracies p and q give when
    errors are independent (Geirhos, Meding & Wichmann 2020, arXiv 2006.16736, equations 1–3).

    Parameters
    ----------
    model : array-like of bool, shape (trials,)
        Whether the model was right.
    observers : array-like of bool, shape (trials,) or (observers, trials)
        Whether each person was right, on the same trials.
    n_bootstraps : int
        Resamples of trials; 0 leaves intervals out.
    confidence : float
        Coverage of the intervals.
    seed : int
        Of the resamples.

    Returns
    -------
    Dataset
        Over ``observer``: ``kappa`` (0 is chance, 1 the same errors), ``observed`` and
        ``expected`` agreement, ``accuracy``, and ``kappa_low`` and ``kappa_high``. With two
        people or more, ``between_observers``, the mean kappa of pairs of them, is the ceiling.
        NaN where one of two is always right, or always wrong, like the other.

    Raises
    ------
    DataError
        Values that are not right or wrong, or other trials.

    Examples
    --------
    >>> right = [True, True, True, False, False, False]
    >>> result = error_consistency(right, [right, [True, True, False, False, False, True]])
    >>> result.kappa.values.round(2)
    array([1.  , 0.33])
    """
    a = _answers("model", model)
    b = np.atleast_2d(_answers("observers", observers))
    if a.ndim != 1 or b.ndim != 2 or b.shape[1] != a.size or a.size < 2:
        raise DataError(
            "Expected a model's answers of shape (trials,) and observers' of (observers, trials), "
            f"at least 2 trials; got {a.shape} and {b.shape}."
        )
    n = arguments.whole("n_bootstraps", n_bootstraps, least=0)
    if not 0 < arguments.number("confidence", confidence) < 1:
        raise DataError(f"Expected a confidence between 0 and 1; got {confidence}.")
    kappa, observed, expected = _kappa(a, b)
    found = {"kappa": kappa, "observed": observed, "expected": expected, "accuracy": b.mean(axis=1)}
    if n:
        rng = np.random.default_rng(seed)
        rows = (rng.integers(a.size, size=a.size) for _ in range(n))
        draws = np.stack([_kappa(a[row], b[:, row])[0] for row in rows])
        tail = (1 - confidence) / 2
        found["kappa_low"], found["kappa_high"] = _quantiles(draws, (tail, 1 - tail))
    result = xr.Dataset(
        {name: ("observer", values) for name, values in found.items()},
        attrs={
            **{"n_trials": a.size, "model_accuracy": float(a.mean()), "chance": 0.0},
            **{"n_bootstraps": n, "confidence": confidence, "seed": seed},
        },
    )
    if len(b) > 1:
        result["between_observers"] = _between(b)
    return result


def _kappa(a: Array, b: Array) -> tuple[Array, Array, Array]:
    """Compute kappa, observed and expected agreement of one with many."""
    p, q = a.mean(), b.mean(axis=1)
    observed = (a == b).mean(axis=1)
    expected = p * q + (1 - p) * (1 - q)
    room = 1 - expected
    # Without errors of either kind there is nothing to agree on.
    kappa = np.divide(observed - expected, room, out=np.full_like(room, np.nan), where=room > 1e-12)
    return kappa, observed, expected


def _between(observers: Array) -> float:
    """Average kappa over pairs of observers."""
    pairs = [_kappa(one, observers[k + 1 :])[0] for k, one in enumerate(observers[:-1])]
    values = np.concatenate(pairs)
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _quantiles(draws: Array, at: tuple[float, float]) -> Array:
    """Return quantiles over the resamples in which kappa exists."""
    empty = np.isnan(draws).all(axis=0)
    filled = np.where(empty, 0.0, draws)
    return np.where(empty, np.nan, np.nanquantile(filled, at, axis=0))


def _answers(name: str, values: ArrayLike) -> Array:
    """Return right and wrong as ones and zeros."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf" or not np.isin(array, (0, 1)).all():
        raise DataError(
            f"Expected {name} to be right (True, 1) or wrong (False, 0) on each trial; got "
            f"{array.dtype} with other values. Try answers == truth."
        )
    return array.astype(np.float64)
