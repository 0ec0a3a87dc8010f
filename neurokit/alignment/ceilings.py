"""How well any model could predict noisy responses, with the units said each time.

A *reliability* is a ratio of variances: the share of the variance of the mean response
that a repetition of the experiment would share. The best possible correlation with that
mean response is its square root, the *r-ceiling*. Divide correlations by the second.
"""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.inputs import target_coords
from neurokit.alignment.resampling import unit_norm
from neurokit.errors import DataError, UnknownNameError

__all__ = ["extrapolated_ceiling", "noise_ceiling", "reliability_from_ncsnr"]

Array = NDArray[np.float64]

METHODS = ("split_half", "repeats", "ncsnr")
TAUS = 400  # time constants tried at once
REACH = 20  # times the largest pool, beyond which a curve does not tell where it ends


def noise_ceiling(
    repeats: ArrayLike | xr.DataArray,
    method: str = "split_half",
    seed: int = 0,
    *,
    n_splits: int = 100,
) -> xr.Dataset:
    """Estimate the reliability of the mean over repeats, and the ceiling it sets.

    Parameters
    ----------
    repeats : array-like or DataArray, shape (repeats, presentations, targets)
        Responses to the same presentations, repeated. A target's units do not matter.
    method : {"split_half", "repeats", "ncsnr"}
        ``"split_half"``: mean correlation between the means of random halves, extended to
        all repeats by the Spearman–Brown formula, which takes repeats to be equally noisy:
        of two or three that are not, it promises too much, and the other methods do not.
        ``"repeats"``: explainable variance corrected for the bias of few repeats,
        1 - MS(residual)/MS(presentations) of the two-way analysis of variance (Shrout &
        Fleiss 1979, ICC(3,k)); as the first, it ignores a shift of a whole repeat.
        ``"ncsnr"``: ratio of signal to noise standard deviation (Allen et al. 2022,
        Methods), to which shifts between repeats are noise.
    seed : int
        Of the random halves; the other methods have no use for it.
    n_splits : int
        Number of random halves.

    Returns
    -------
    Dataset
        Over ``target``: ``reliability``, clipped to [0, 1], and ``r_ceiling``, its square
        root; ``ncsnr`` too with that method. Coordinates of the targets are kept.

    Raises
    ------
    DataError
        Fewer than 2 repeats or 3 presentations, or missing values.
    UnknownNameError
        A method that does not exist.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> signal = rng.standard_normal((500, 1))
    >>> ceiling = noise_ceiling(signal + rng.standard_normal((4, 500, 1)), method="repeats")
    >>> round(float(ceiling.reliability[0]), 1)  # 1 / (1 + 1/4) = 0.8
    0.8
    """
    if method not in METHODS:
        raise UnknownNameError("method", method, METHODS)
    if n_splits < 1:
        raise DataError(f"Expected n_splits of at least 1; got {n_splits}.")
    values = _check_repeats(repeats)
    variables: dict[str, Array] = {}
    if method == "ncsnr":
        variables["ncsnr"] = _ncsnr(values)
        reliability = reliability_from_ncsnr(variables["ncsnr"], len(values))
    elif method == "repeats":
        reliability = _explainable(values)
    else:
        reliability = _split_half(values, n_splits, np.random.default_rng(seed))
    variables["reliability"] = np.clip(reliability, 0, 1)
    variables["r_ceiling"] = np.sqrt(variables["reliability"])
    attrs = {
        "method": method,
        "n_repeats": len(values),
        "n_presentations": values.shape[1],
        "seed": seed,
        "reliability": "variance ratio, of the mean over the given repeats",
        "r_ceiling": "highest expected correlation with the mean over the given repeats",
    }
    return xr.Dataset(
        {name: ("target", value) for name, value in variables.items()},
        coords=target_coords(repeats),
        attrs=attrs,
    )


def reliability_from_ncsnr(ncsnr: ArrayLike, n_repeats: int) -> Array:
    """Turn a published noise-ceiling signal-to-noise ratio into a reliability.

    Parameters
    ----------
    ncsnr : array-like
        Signal over noise standard deviation of single trials, not negative.
    n_repeats : int
        Number of trials that are averaged.

    Returns
    -------
    ndarray
        ncsnr² / (ncsnr² + 1/n), a variance ratio (Allen et al. 2022, Methods, "noise
        ceiling", which gives it in percent). Its square root is the r-ceiling.

    Raises
    ------
    DataError
        A negative ratio, or fewer than one repeat.

    Examples
    --------
    >>> float(np.sqrt(reliability_from_ncsnr(0.2676550, 5)).round(4))
    0.5135
    """
    ratio = np.asarray(ncsnr, dtype=np.float64)
    if n_repeats < 1 or (ratio < 0).any():
        raise DataError(
            f"Expected ncsnr of at least 0 and n_repeats of at least 1; got a smallest ncsnr of "
            f"{ratio.min()} and n_repeats {n_repeats}."
        )
    noise = np.divide(1 / n_repeats, ratio**2, out=np.full_like(ratio, np.inf), where=ratio > 0)
    return 1 / (1 + noise)


def extrapolated_ceiling(n_subjects: ArrayLike, scores: ArrayLike | xr.DataArray) -> xr.Dataset:
    """Extrapolate how well other subjects predict a subject to endlessly many of them.

    Fits v(s) = v₀ (1 - exp(-s / τ)) by least squares to the scores that pools of s subjects
    reach on a subject outside the pool (Schrimpf et al. 2021, PNAS 118:e2105646118, Methods,
    "estimation of ceiling").

    Parameters
    ----------
    n_subjects : array-like, shape (draws,)
        Number of subjects in the pool of each draw; three sizes or more.
    scores : array-like or DataArray, shape (draws,) or (draws, targets)
        The score of each draw, such as a correlation. Missing ones are left out.

    Returns
    -------
    Dataset
        Over ``target``: ``ceiling``, the asymptote v₀ in units of the scores (an r-ceiling if
        they are correlations), and ``tau``, the pool at which 63 % of it is reached. Both are
        NaN where scores do not bend within 20 times the largest pool, or do not rise above 0.

    Raises
    ------
    DataError
        Shapes that do not agree, pools below 1, or fewer than three sizes of pool.

    Examples
    --------
    >>> pools = np.array([1, 2, 3, 5, 8])
    >>> fit = extrapolated_ceiling(pools, 0.6 * (1 - np.exp(-pools / 2.5)))
    >>> float(fit.ceiling[0].round(3)), float(fit.tau[0].round(3))
    (0.6, 2.5)
    """
    s = np.asarray(n_subjects, dtype=np.float64)
    values = np.asarray(scores, dtype=np.float64)
    columns = values[:, None] if values.ndim == 1 else values
    if s.ndim != 1 or columns.ndim != 2 or len(columns) != len(s):
        raise DataError(
            "Expected n_subjects of shape (draws,) and scores of shape (draws,) or (draws, "
            f"targets); got {s.shape} and {values.shape}."
        )
    if not (s >= 1).all() or np.unique(s).size < 3:
        raise DataError(
            f"Expected pools of one subject or more, of three sizes; got {np.unique(s).tolist()}."
        )
    fits = [_asymptote(s[np.isfinite(column)], column[np.isfinite(column)]) for column in columns.T]
    v0, tau = np.array(fits).T
    coords = target_coords(scores) if values.ndim == 2 else {}
    attrs = {"model": "v(s) = ceiling (1 - exp(-s / tau))", "n_draws": len(s)}
    return xr.Dataset({"ceiling": ("target", v0), "tau": ("target", tau)}, coords, attrs)


def _asymptote(s: Array, score: Array) -> tuple[float, float]:
    """Fit the asymptote for every time constant in closed form, and take the best."""
    if np.unique(s).size < 3:
        return np.nan, np.nan
    low, high = s.min() / 20, s.max() * REACH
    tau, v0 = low, 0.0
    for _ in range(3):
        taus = np.geomspace(low, high, TAUS)
        rise = -np.expm1(-s[:, None] / taus)
        asymptotes = (rise.T @ score) / np.einsum("st,st->t", rise, rise)
        k = int(((score[:, None] - rise * asymptotes) ** 2).sum(axis=0).argmin())
        tau, v0 = float(taus[k]), float(asymptotes[k])
        low, high = taus[max(k - 1, 0)], taus[min(k + 1, TAUS - 1)]
    known = v0 > 0 and tau < 0.99 * s.max() * REACH
    return (v0, tau) if known else (np.nan, np.nan)


def _split_half(values: Array, n_splits: int, rng: np.random.Generator) -> Array:
    """Correlate random halves and extend to all repeats (Spearman 1910; Brown 1910)."""
    m = len(values)
    half = m // 2
    halves = {_draw_halves(m, rng) for _ in range(n_splits)}
    r = np.zeros(values.shape[2])
    for first, second in sorted(halves):
        a, b = values[list(first)].mean(axis=0), values[list(second)].mean(axis=0)
        r += np.einsum("nv,nv->v", unit_norm(a), unit_norm(b))
    r = np.maximum(r / len(halves), 0)
    factor = m / half
    return factor * r / (1 + (factor - 1) * r)


def _draw_halves(m: int, rng: np.random.Generator) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Draw two disjoint sets of m // 2 repeats, in a form that equals its mirror image."""
    order = rng.permutation(m)
    half = m // 2
    first, second = sorted(tuple(sorted(order[k * half : (k + 1) * half].tolist())) for k in (0, 1))
    return first, second


def _explainable(values: Array) -> Array:
    """Estimate the explainable share of the variance of the mean, without bias."""
    m, n = values.shape[:2]
    mean = values.mean(axis=0)
    between = m * mean.var(axis=0, ddof=1)
    residual = values - mean - values.mean(axis=1, keepdims=True) + mean.mean(axis=0)
    within = np.einsum("mnv,mnv->v", residual, residual) / ((m - 1) * (n - 1))
    return 1 - np.divide(within, between, out=np.ones_like(within), where=between > 0)


def _ncsnr(values: Array) -> Array:
    """Estimate signal over noise standard deviation of single trials."""
    noise = values.var(axis=0, ddof=1).mean(axis=0)
    total = values.reshape(-1, values.shape[2]).var(axis=0, ddof=1)
    signal = np.maximum(total - noise, 0)
    # Repeats that agree exactly have no noise; a constant target has no signal either.
    quiet = np.where(signal > 0, np.inf, 0.0)
    return np.sqrt(np.divide(signal, noise, out=quiet, where=noise > 0))


def _check_repeats(repeats: ArrayLike | xr.DataArray) -> Array:
    """Return repeats as an array, or say what is wrong with them."""
    values = np.asarray(repeats, dtype=np.float64)
    if values.ndim != 3:
        raise DataError(
            f"Expected repeats of shape (repeat, presentation, target); got {values.shape}."
        )
    if len(values) < 2 or values.shape[1] < 3 or not values.shape[2]:
        raise DataError(
            "Expected at least 2 repeats, 3 presentations and 1 target; got "
            f"{values.shape[0]}, {values.shape[1]} and {values.shape[2]}."
        )
    bad = ~np.isfinite(values)
    if bad.any():
        where = np.argwhere(bad)[0]
        raise DataError(
            f"{int(bad.sum())} of {values.size} values are missing or infinite (first: repeat "
            f"{where[0]}, presentation {where[1]}, target {where[2]}). Keep only presentations "
            "that every repeat has, or drop the targets."
        )
    return values
