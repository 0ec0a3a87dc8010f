"""Scores of an estimated wiring against a known one.

Everywhere a row is a target and a column a source, so ``estimate[i, j]`` says how strongly unit
j drives unit i; what a unit does to itself is left out.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from neurokit.errors import DataError, UnknownNameError

__all__ = ["connection_auroc", "direction_accuracy", "hub_recall", "out_strength"]


def connection_auroc(estimate: xr.DataArray, truth: xr.DataArray | np.ndarray) -> float:
    """Say how well an estimate tells connected ordered pairs from those that are not.

    Parameters
    ----------
    estimate : xarray.DataArray of shape (target, source)
        Larger where a connection is more likely. Where inhibition counts as a connection, take
        ``abs(estimate)``.
    truth : array of shape (target, source)
        Not zero where the source drives the target. If labelled, it is put in the order of the
        estimate's units.

    Returns
    -------
    float
        Area under the ROC curve over all ordered pairs of two units: .5 at chance, 1 where
        every connection is above every other pair.

    Raises
    ------
    DataError
        Where shapes differ, values are missing, or all pairs or none are connected.

    Examples
    --------
    >>> found = xr.DataArray([[0.0, 0.1], [0.8, 0.0]], dims=("target", "source"))
    >>> connection_auroc(found, np.array([[0, 0], [1, 0]]))
    1.0
    """
    from sklearn.metrics import roc_auc_score

    values, wired = _pair(estimate, truth)
    off = ~np.eye(len(values), dtype=bool)
    n_wired = int(wired[off].sum())
    if not 0 < n_wired < off.sum():
        raise DataError(
            f"Expected some pairs to be connected and some not; {n_wired} of {off.sum()} are."
        )
    return float(roc_auc_score(wired[off], values[off]))


def direction_accuracy(estimate: xr.DataArray, truth: xr.DataArray | np.ndarray) -> float:
    """Say how often the true direction of a connection has the larger estimate.

    Parameters
    ----------
    estimate : xarray.DataArray of shape (target, source)
        As for :func:`connection_auroc`.
    truth : array of shape (target, source)
        As there. Pairs that drive each other have no direction and are left out.

    Returns
    -------
    float
        Share of one-way connections from j to i with ``estimate[i, j] > estimate[j, i]``; equal
        values count one half, so a symmetric estimate has .5.

    Raises
    ------
    DataError
        Where shapes differ, values are missing, or no connection is one-way.

    Examples
    --------
    >>> found = xr.DataArray([[0.0, 0.1], [0.8, 0.0]], dims=("target", "source"))
    >>> direction_accuracy(found, np.array([[0, 0], [1, 0]]))
    1.0
    """
    values, wired = _pair(estimate, truth)
    one_way = wired & ~wired.T
    if not one_way.any():
        raise DataError(f"None of the {int(wired.sum())} connections is one-way.")
    forth, back = values[one_way], values.T[one_way]
    return float(np.mean((forth > back) + 0.5 * (forth == back)))


def out_strength(estimate: xr.DataArray) -> xr.DataArray:
    """Sum what each unit does to all others.

    Parameters
    ----------
    estimate : xarray.DataArray of shape (target, source)
        As for :func:`connection_auroc`.

    Returns
    -------
    xarray.DataArray of shape (source,)
        The mean over targets of the positive part: the plain mean is 0 by construction once an
        estimate is double-centred.

    Raises
    ------
    DataError
        If it is no square matrix, or values are missing.

    Examples
    --------
    >>> out_strength(xr.DataArray([[0.0, 0.1], [0.8, 0.0]], dims=("target", "source"))).values
    array([0.8, 0.1])
    """
    values = _square(estimate)
    n = len(values)
    positive = np.where(np.eye(n, dtype=bool), 0, np.maximum(values, 0))
    return estimate.isel(target=0, drop=True).copy(data=positive.sum(axis=0) / max(n - 1, 1))


def hub_recall(estimate: xr.DataArray, hubs: list[int]) -> float:
    """Say how many of the known hubs have the largest out-strengths.

    Parameters
    ----------
    estimate : xarray.DataArray of shape (target, source)
        As for :func:`connection_auroc`.
    hubs : list of int
        Ids of the k units that truly are hubs.

    Returns
    -------
    float
        Share of them among the k units with the largest :func:`out_strength`. Units that tie for
        the last places share them, so that an estimate that tells nothing has k in n units.

    Raises
    ------
    DataError
        If it is no square matrix, values are missing, or there are no hubs.
    UnknownNameError
        A hub that is no unit of the estimate.

    Examples
    --------
    >>> found = xr.DataArray([[0.0, 0.1], [0.8, 0.0]], dims=("target", "source"))
    >>> hub_recall(found, [0])
    1.0
    """
    if not len(hubs):
        raise DataError("There are no hubs to look for. Give the ids of at least one.")
    strength = out_strength(estimate)
    ids = strength["source"].values
    unknown = [hub for hub in hubs if hub not in ids]
    if unknown:
        raise UnknownNameError("hub", str(unknown[0]), map(str, ids))
    is_hub = np.isin(ids, hubs)
    return float(_share_of_first(strength.values, int(is_hub.sum()))[is_hub].mean())


def _share_of_first(values: np.ndarray, k: int) -> np.ndarray:
    """Return how probably each is among the k largest where ties are broken at random."""
    last = np.sort(values)[-k]
    above, ties = values > last, values == last
    return above + ties * (k - above.sum()) / ties.sum()


def _square(estimate: xr.DataArray) -> np.ndarray:
    dims, shape = getattr(estimate, "dims", None), np.shape(estimate)
    if dims != ("target", "source") or shape[0] != shape[1]:
        raise DataError(
            f"Expected an estimate with dims ('target', 'source') over the same units; got {dims} "
            f"of shape {shape}."
        )
    values = np.array(estimate, dtype=np.float64)
    # The diagonal takes no part, and is often missing for that reason.
    np.fill_diagonal(values, 0)
    if np.isnan(values).any():
        n = int(np.isnan(values).sum())
        raise DataError(f"{n} of {values.size} estimates are missing. Try estimate.fillna(0).")
    return values


def _pair(
    estimate: xr.DataArray, truth: xr.DataArray | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    values = _square(estimate)
    if isinstance(truth, xr.DataArray) and "source" in estimate.coords and "source" in truth.coords:
        shared = np.isin(estimate["source"].values, truth["source"].values)
        if not shared.all():
            raise DataError(f"The truth lacks {int((~shared).sum())} units of the estimate.")
        truth = truth.sel(target=estimate["target"], source=estimate["source"])
    wired = np.asarray(truth) != 0
    if wired.shape != values.shape:
        raise DataError(f"Expected a truth of shape {values.shape}; got {wired.shape}.")
    return values, wired & ~np.eye(len(values), dtype=bool)
