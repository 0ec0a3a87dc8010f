"""The ceiling of single presentations, where the same stimuli recur in every run."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from neurokit.alignment.ceilings import noise_ceiling
from neurokit.errors import DataError

__all__ = ["single_ceiling"]


def single_ceiling(responses: xr.DataArray, group: str) -> NDArray[np.float64]:
    """Estimate the r-ceiling of single presentations from their recurrence over groups.

    Parameters
    ----------
    responses : DataArray, dims (presentation, neuroid)
        With ``stimulus_id``; every stimulus once in every group.
    group : str
        Coordinate of the presentations, such as ``run``.

    Returns
    -------
    ndarray, shape (neuroids,)
        Square root of the reliability of one presentation, which follows from that of the
        mean over groups (see :func:`neurokit.alignment.noise_ceiling`, ``"repeats"``) by the
        Spearman–Brown formula: ρ₁ = ρ / (n - (n - 1) ρ).

    Raises
    ------
    DataError
        Some group lacks a stimulus or has one twice.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = np.tile(rng.standard_normal((200, 1)), (4, 1)) + rng.standard_normal((800, 1))
    >>> coords = {"stimulus_id": ("presentation", np.tile(np.arange(200), 4)),
    ...           "run": ("presentation", np.repeat(np.arange(4), 200))}
    >>> noisy = xr.DataArray(values, coords, ("presentation", "neuroid"))
    >>> float(single_ceiling(noisy, "run")[0].round(1))  # signal and noise alike: √½
    0.7
    """
    stimuli, groups = responses["stimulus_id"].values, responses[group].values
    n_stimuli, n_groups = len(np.unique(stimuli)), len(np.unique(groups))
    pairs = np.unique(np.stack([groups.astype(str), stimuli.astype(str)]), axis=1).shape[1]
    if not len(stimuli) == pairs == n_stimuli * n_groups:
        raise DataError(
            f"Expected each of {n_stimuli} stimuli once in each of {n_groups} {group}s; got "
            f"{len(stimuli)} presentations, {pairs} of them distinct."
        )
    order = np.lexsort((stimuli, groups))
    repeats = responses.values[order].reshape(n_groups, n_stimuli, -1)
    mean = noise_ceiling(repeats, method="repeats")["reliability"].values
    return np.asarray(np.sqrt(mean / (n_groups - (n_groups - 1) * mean)))
