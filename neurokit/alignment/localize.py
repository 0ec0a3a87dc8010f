"""Units that answer to one kind of stimulus more than to another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import scipy.stats
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.inputs import some, target_coords
from neurokit.arguments import known, number, whole
from neurokit.errors import DataError

__all__ = ["localize_units"]

Select = Callable[[NDArray, NDArray], NDArray[np.bool_]]
FEWEST = 2  # samples of each kind, for a variance


def localize_units(
    a: ArrayLike | xr.DataArray,
    b: ArrayLike | xr.DataArray,
    method: Literal["top", "fdr"] = "top",
    top: float = 0.01,
    *,
    q: float = 0.05,
    n_splits: int = 100,
    seed: int = 0,
) -> xr.Dataset:
    """Find the units that answer to stimuli of kind a more than to those of kind b.

    Parameters
    ----------
    a, b : array-like or DataArray, shape (samples, units)
        Responses to each kind, such as sentences and lists of non-words; the numbers of samples
        may differ. Units of several layers may stand side by side.
    method : {"top", "fdr"}
        The units with the largest t, or all whose difference is significant.
    top : float
        Fraction of the units that ``"top"`` takes; at least one.
    q : float
        False discovery rate over units that ``"fdr"`` keeps to (Benjamini–Hochberg, one-sided).
    n_splits : int
        Random halves of the samples by which stability is measured; 0 leaves it out.
    seed : int
        Of the halves and of the control.

    Returns
    -------
    Dataset
        Over ``unit``, with the coordinates of the units of ``a``: Welch's ``t``; ``p``, one-sided;
        ``q``, its FDR; ``selected``; ``control``, as many units drawn at random from the others,
        as far as there are so many. Over ``split``: ``jaccard``, the overlap of what two halves
        of the samples select, and ``jaccard_control``, that of two random selections of the same
        sizes. Attributes give the means of both and say how it was made.

    Raises
    ------
    DataError
        Arrays of other shapes, different units, missing values, fewer than two samples of a
        kind, or fewer than four with ``n_splits``.

    Notes
    -----
    The contrast is that of Fedorenko et al. 2010 (J Neurophysiol 104:1177), used on units of
    models by AlKhamissi et al. 2024 (arXiv 2406.15109, section 2). t is Welch's, without equal
    variances. Units that are constant in both kinds have t = 0 and p = 1 if their means agree,
    else an infinite t.

    Select on other stimuli than those that the units are then to predict.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> a, b = rng.standard_normal((2, 40, 100))
    >>> a[:, :5] += 3
    >>> found = localize_units(a, b, top=0.05)
    >>> np.flatnonzero(found.selected), found.attrs["jaccard"]
    (array([0, 1, 2, 3, 4]), 1.0)
    """
    known("method", method, ("top", "fdr"))
    top, q = number("top (fraction of units)", top), number("q", q)
    for name, value in (("top (fraction of units)", top), ("q", q)):
        if not 0 < value <= 1:
            raise DataError(f"{name} is {value}, expected a number above 0 and up to 1.")
    n_splits, seed = whole("n_splits", n_splits, least=0), whole("seed", seed, least=0)
    x, y = _check(a, b, FEWEST if n_splits == 0 else 2 * FEWEST)
    n_units = x.shape[1]
    count = max(round(top * n_units), 1)

    def select(t: NDArray, p: NDArray) -> NDArray[np.bool_]:
        if method == "fdr":
            return scipy.stats.false_discovery_control(p) <= q
        chosen = np.zeros(n_units, dtype=bool)
        chosen[np.argsort(-t, kind="stable")[:count]] = True
        return chosen

    t, p = _welch(x, y)
    selected = select(t, p)
    rng = np.random.default_rng(seed)
    others = np.flatnonzero(~selected)
    control = np.zeros(n_units, dtype=bool)
    control[rng.permutation(others)[: selected.sum()]] = True
    coords = {key: ("unit", values) for key, (_, values) in _unit_coords(a).items()}
    result = xr.Dataset(
        {
            "t": ("unit", t),
            "p": ("unit", p),
            "q": ("unit", scipy.stats.false_discovery_control(p)),
            "selected": ("unit", selected),
            "control": ("unit", control),
        },
        coords=coords,
        attrs={
            "method": method,
            **({"top": top} if method == "top" else {"q": q}),
            "n_selected": int(selected.sum()),
            "n_a": len(x),
            "n_b": len(y),
            "seed": seed,
        },
    )
    if n_splits:
        pairs = [_halves(x, y, select, rng) for _ in range(n_splits)]
        overlap, chance = (np.asarray(values) for values in zip(*pairs, strict=True))
        result["jaccard"] = ("split", overlap)
        result["jaccard_control"] = ("split", chance)
        result.attrs["jaccard"] = float(overlap.mean())
        result.attrs["jaccard_control"] = float(chance.mean())
    return result


def _unit_coords(a: object) -> dict[str, tuple[str, NDArray]]:
    """Return the coordinates of units; the one named like their dimension becomes ``unit``."""
    return {"unit" if name == "target" else name: value for name, value in target_coords(a).items()}


def _check(a: ArrayLike, b: ArrayLike, fewest: int) -> tuple[NDArray, NDArray]:
    """Check that both kinds are of the same units."""
    x, y = (np.asarray(values, dtype=np.float64) for values in (a, b))
    for name, values in (("a", x), ("b", y)):
        if values.ndim != 2 or not values.size:
            raise DataError(f"Expected {name} of shape (samples, units); got {values.shape}.")
        bad = np.flatnonzero(~np.isfinite(values).all(axis=0))
        if bad.size:
            raise DataError(
                f"{bad.size} of {values.shape[1]} units are missing or infinite in {name}: "
                f"{some(list(bad))}. Drop those units, or the samples."
            )
        if len(values) < fewest:
            raise DataError(
                f"Expected {fewest} samples of each kind or more; got {len(values)} in {name}."
            )
    if x.shape[1] != y.shape[1]:
        raise DataError(f"Expected the same units in a and b; got {x.shape[1]} and {y.shape[1]}.")
    ours, theirs = _unit_coords(a).get("unit"), _unit_coords(b).get("unit")
    if ours is not None and theirs is not None and not np.array_equal(ours[1], theirs[1]):
        raise DataError("The units of a and b have other labels. Try b.sel(unit=a.unit).")
    return x, y


def _welch(x: NDArray, y: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Welch's t and its one-sided p for each unit."""
    errors = [values.var(axis=0, ddof=1) / len(values) for values in (x, y)]
    total = errors[0] + errors[1]
    difference = x.mean(axis=0) - y.mean(axis=0)
    scale = np.maximum(np.abs(x).max(axis=0), np.abs(y).max(axis=0))
    # Rounding leaves a trace of variance in constants, and of difference in equal means.
    flat = total <= (1e-14 * scale) ** 2
    difference = np.where(flat & (np.abs(difference) <= 1e-12 * scale), 0.0, difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(flat, np.where(difference == 0, 0.0, np.sign(difference) * np.inf),
                     difference / np.sqrt(total))  # fmt: skip
        freedom = total**2 / (errors[0] ** 2 / (len(x) - 1) + errors[1] ** 2 / (len(y) - 1))
    freedom = np.where(flat, len(x) + len(y) - 2, freedom)
    p = np.where(flat & (difference == 0), 1.0, scipy.stats.t.sf(t, freedom))
    return t, p


def _halves(
    x: NDArray, y: NDArray, select: Select, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the overlap of what two random halves of the samples select, and that of chance."""
    parts: list[list[NDArray]] = [[], []]
    for values in (x, y):
        order = rng.permutation(len(values))
        cut = len(values) // 2
        parts[0].append(values[order[:cut]])
        parts[1].append(values[order[cut:]])
    first, second = (select(*_welch(*part)) for part in parts)
    return _jaccard(first, second), _jaccard(rng.permutation(first), rng.permutation(second))


def _jaccard(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Return the size of the intersection over that of the union; 0 where both are empty."""
    return float((a & b).sum() / max((a | b).sum(), 1))
