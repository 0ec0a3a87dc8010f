"""Dissimilarity matrices of patterns: how far apart each two stimuli are represented."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.matrices import coded, finite_array
from neurokit.alignment.rsa.whitening import Whitener, ledoit_wolf
from neurokit.errors import DataError, UnknownNameError

__all__ = ["rdm"]

METRICS = ("correlation", "euclidean", "mahalanobis", "crossnobis")

Array = NDArray[np.float64]


def rdm(
    x: ArrayLike | xr.DataArray | Mapping[Any, ArrayLike | xr.DataArray],
    metric: str = "correlation",
    *,
    stimulus: ArrayLike | None = None,
    fold: str | ArrayLike | None = None,
    residuals: ArrayLike | None = None,
) -> xr.DataArray:
    """Measure how dissimilar the patterns of each two stimuli are.

    With patterns a and b of p features:

    - ``"correlation"``: 1 - r(a, b). A constant pattern correlates with nothing: 1.
    - ``"euclidean"``: ‖a - b‖² / p.
    - ``"mahalanobis"``: (a - b)ᵀ Σ⁻¹ (a - b) / p, Σ the Ledoit–Wolf covariance of the noise.
    - ``"crossnobis"``: the mean over pairs of folds of (a₁ - b₁)ᵀ Σ⁻¹ (a₂ - b₂) / p
      (Walther et al. 2016, NeuroImage 137:188, eq. 8). Noise of different folds is
      independent, so it is zero on average where there is no difference, and may be negative.

    The noise comes from ``residuals``; without them from presentations of a stimulus (for
    crossnobis: in one fold) around their mean. Where each fold holds a stimulus once, the noise
    for two folds comes from all others, since residuals of the same folds would bias
    the distance upwards. The three last metrics follow the squared scale of ``rsatoolbox``.

    Parameters
    ----------
    x : array-like, DataArray or mapping, shape (..., presentation, feature)
        Patterns. Dimensions before these two are computed together, one matrix each; a mapping,
        such as features by layer, gives one matrix for each entry, along ``layer``.
    metric : str
        One of the above.
    stimulus : array-like, shape (presentation,), optional
        Stimulus of each presentation. By default the coordinate ``stimulus_id``, or the index of
        the dimension; without either each presentation is a stimulus. Presentations of one
        stimulus are averaged.
    fold : str or array-like, shape (presentation,), optional
        Independent measurements (runs, sessions) for crossnobis, or the name of a coordinate.
        By default the coordinate ``run``.
    residuals : array-like, shape (samples, feature), optional
        Noise for mahalanobis and crossnobis, such as the residuals of a linear model of the
        scans.

    Returns
    -------
    DataArray, dims (..., stimulus, stimulus_)
        Symmetric, zero on the diagonal, in the precision of ``x``, in order of first
        appearance.

    Raises
    ------
    UnknownNameError, DataError
        An unknown metric; patterns, labels or residuals that do not fit; a stimulus missing from
        a fold; noise that cannot be estimated.

    Examples
    --------
    >>> patterns = np.array([[1.0, 2, 3], [2, 4, 6], [3, 2, 1]])
    >>> rdm(patterns, stimulus=["a", "b", "c"]).sel(stimulus="a").values.round(3)
    array([0., 0., 2.])
    """
    if metric not in METRICS:
        raise UnknownNameError("metric", metric, METRICS)
    if isinstance(x, Mapping):
        return _by_layer(x, metric, stimulus=stimulus, fold=fold, residuals=residuals)
    values = finite_array("x", x, "…, presentation, feature", least=2)
    codes, names = _stimuli(x, stimulus, values.shape[-2])
    if len(names) < 2:
        raise DataError(f"Expected at least 2 stimuli; got {len(names)}: {str(names[0])!r}.")
    noise = None if residuals is None else _from_residuals(residuals, values.shape[-1])
    if metric == "crossnobis":
        folds = _folds(x, fold, values.shape[-2])
        out = _each(values, lambda one: _crossnobis(one, codes, folds, names, noise))
    elif metric == "mahalanobis":
        out = _each(values, lambda one: _mahalanobis(one, codes, noise))
    else:
        means = _means(values, codes)
        out = _correlation(means) if metric == "correlation" else _euclidean(means)
    return _labelled(out, x, names, metric)


def _by_layer(x: Mapping[Any, Any], metric: str, **options: Any) -> xr.DataArray:
    """Stack the matrices of several sets of features of the same presentations."""
    if not x:
        raise DataError("Expected at least one set of features; got an empty mapping.")
    matrices = [rdm(values, metric, **options) for values in x.values()]
    sizes = {str(name): len(m.stimulus) for name, m in zip(x, matrices, strict=True)}
    if len(set(sizes.values())) > 1:
        raise DataError(f"Expected the same stimuli in all layers; got {sizes}.")
    layers = xr.DataArray(list(x), dims="layer", name="layer")
    return xr.concat(matrices, dim=layers, join="exact", combine_attrs="override")


def _correlation(x: NDArray) -> NDArray:
    """Return 1 - r between rows; sums in double precision, the product in that of the input."""
    centred = x - x.mean(axis=-1, keepdims=True, dtype=np.float64).astype(x.dtype)
    norm = np.sqrt(np.einsum("...p,...p->...", centred, centred, dtype=np.float64))[..., None]
    level = np.abs(x).max(axis=-1, keepdims=True) * np.sqrt(x.shape[-1])
    varies = norm > 10 * np.finfo(x.dtype).eps * level
    unit = np.divide(centred, norm.astype(x.dtype), out=np.zeros_like(centred), where=varies)
    return _clean(1 - unit @ unit.swapaxes(-1, -2))


def _euclidean(x: NDArray) -> NDArray:
    """Return squared distances between rows, per feature."""
    # Without the common mean, sizes and products are small and lose fewer digits.
    centred = x - x.mean(axis=-2, keepdims=True)
    return _clean(_distances(centred @ centred.swapaxes(-1, -2)) / x.shape[-1])


def _mahalanobis(x: NDArray, codes: NDArray[np.intp], noise: Whitener | None) -> Array:
    """Return squared distances of whitened patterns."""
    means = _means(x, codes)
    if noise is None:
        noise = ledoit_wolf(x - means[codes], len(x) - len(means))
    return _euclidean(noise(means))


def _crossnobis(
    x: NDArray,
    codes: NDArray[np.intp],
    folds: NDArray[np.intp],
    names: NDArray,
    noise: Whitener | None,
) -> Array:
    """Return distances whose two factors come from different folds."""
    cells = _cells(x, codes, folds, names)
    n_folds, n_stimuli, p = cells.shape
    if noise is None and len(x) > n_folds * n_stimuli:
        noise = ledoit_wolf(x - cells[folds, codes], len(x) - n_folds * n_stimuli)
    if noise is None:
        kernel = _noise_of_other_folds(cells)
    else:
        white = noise(cells)
        flat = white.transpose(1, 0, 2).reshape(n_stimuli, -1)
        total = white.sum(axis=0)
        kernel = (total @ total.T - flat @ flat.T) / (n_folds * (n_folds - 1))
    distances = _distances(kernel) / p
    np.fill_diagonal(distances, 0)
    return distances


def _noise_of_other_folds(cells: Array) -> Array:
    """Average products of two folds, each whitened by what varies among the remaining ones."""
    n_folds, n_stimuli, p = cells.shape
    if n_folds < 4:
        raise DataError(
            f"With one presentation of each stimulus in {n_folds} folds, no noise is left that is "
            "independent of the distances. Pass residuals, repeats within folds, or 4 folds."
        )
    kernel = np.zeros((n_stimuli, n_stimuli))
    for pair in combinations(range(n_folds), 2):
        rest = np.delete(cells, pair, axis=0)
        left = rest - rest.mean(axis=0) - rest.mean(axis=1, keepdims=True) + rest.mean(axis=(0, 1))
        dof = (len(rest) - 1) * (n_stimuli - 1)
        first, second = ledoit_wolf(left.reshape(-1, p), dof)(cells[list(pair)])
        kernel += first @ second.T
    return (kernel + kernel.T) / (n_folds * (n_folds - 1))


def _distances(kernel: NDArray) -> NDArray:
    """Turn inner products into squared distances."""
    own = np.einsum("...ii->...i", kernel)
    return own[..., :, None] + own[..., None, :] - 2 * kernel


def _clean(distances: NDArray) -> NDArray:
    """Take away what rounding leaves: values below zero, and the diagonal."""
    np.einsum("...ii->...i", distances)[...] = 0
    return np.maximum(distances, 0, out=distances)


def _each(values: NDArray, function: Callable[[NDArray], Array]) -> NDArray:
    """Apply a function to each set of patterns."""
    flat = values.reshape(-1, *values.shape[-2:])
    out = np.stack([function(one) for one in flat])
    return out.reshape(*values.shape[:-2], *out.shape[1:]).astype(values.dtype)


def _means(x: NDArray, codes: NDArray[np.intp]) -> NDArray:
    """Average the presentations of each stimulus."""
    n = int(codes.max()) + 1
    if n == len(codes):
        return x
    share = np.zeros((n, len(codes)), dtype=x.dtype)
    share[codes, np.arange(len(codes))] = (1 / np.bincount(codes))[codes]
    return share @ x


def _cells(x: NDArray, codes: NDArray[np.intp], folds: NDArray[np.intp], names: NDArray) -> NDArray:
    """Average within stimulus and fold."""
    n_folds, n_stimuli = int(folds.max()) + 1, len(names)
    if n_folds < 2:
        raise DataError("Crossnobis needs at least 2 folds; got 1. Pass fold, e.g. runs.")
    cell = folds * n_stimuli + codes
    count = np.bincount(cell, minlength=n_folds * n_stimuli)
    if not count.all():
        fold, stimulus = divmod(int(np.flatnonzero(count == 0)[0]), n_stimuli)
        raise DataError(
            f"{int((count == 0).sum())} of {count.size} pairs of fold and stimulus have no "
            f"presentation (first: fold {fold}, stimulus {str(names[stimulus])!r}). Keep stimuli "
            "that every fold has, or merge folds."
        )
    return _means(x, cell).reshape(n_folds, n_stimuli, -1)


def _from_residuals(residuals: ArrayLike, p: int) -> Whitener:
    values = finite_array("residuals", residuals, "sample, feature", least=2)
    if values.shape[1] != p:
        raise DataError(f"Expected residuals of shape (samples, {p}); got {values.shape}.")
    return ledoit_wolf(values - values.mean(axis=0), len(values) - 1)


def _stimuli(x: Any, stimulus: ArrayLike | None, n: int) -> tuple[NDArray[np.intp], NDArray]:
    """Give each stimulus a number, in order of first appearance, and a name."""
    labels: Any = stimulus
    if labels is None and isinstance(x, xr.DataArray):
        dim = str(x.dims[-2])
        for name in ("stimulus_id", dim):
            if name in x.coords and x.coords[name].dims == (dim,):
                labels = x.coords[name].values
                break
    if labels is None:
        return np.arange(n), np.arange(n)
    return coded("stimulus", labels, n)


def _folds(x: Any, fold: str | ArrayLike | None, n: int) -> NDArray[np.intp]:
    """Give each fold a number."""
    coords = dict(x.coords) if isinstance(x, xr.DataArray) else {}
    labels: ArrayLike | str = "run" if fold is None else fold
    if isinstance(labels, str):
        if labels not in coords:
            raise DataError(
                f"Crossnobis needs the fold of each presentation; x has no coordinate {labels!r}. "
                "Pass fold, an array of one label per presentation."
            )
        labels = coords[labels].values
    return coded("fold", labels, n)[0]


def _labelled(values: NDArray, x: Any, names: NDArray, metric: str) -> xr.DataArray:
    """Name the dimensions, and keep the coordinates of those that came before the patterns."""
    n_leading = values.ndim - 2
    coords: dict[str, Any] = {"stimulus": names, "stimulus_": names}
    if isinstance(x, xr.DataArray):
        leading = [str(d) for d in x.dims[:n_leading]]
        coords |= {str(k): c for k, c in x.coords.items() if set(c.dims) <= set(leading)}
    else:
        leading = ["rdm", *(f"rdm_{k}" for k in range(1, n_leading))][:n_leading]
    dims = (*leading, "stimulus", "stimulus_")
    return xr.DataArray(values, coords, dims, name="dissimilarity", attrs={"metric": metric})
