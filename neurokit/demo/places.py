"""Where sensors and parcels are, what they belong to, and labels that move with places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from neurokit.errors import DataError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["networks", "positions", "rotated_labels"]


def networks(bold: xr.DataArray) -> np.ndarray:
    """Read the network of each ROI.

    Parameters
    ----------
    bold : xarray.DataArray of shape (time, roi)
        With a coordinate ``network`` along its ROIs, or ROIs named as in the Schaefer atlas.

    Returns
    -------
    numpy.ndarray of shape (roi,)
        Names of networks.

    Raises
    ------
    DataError
        If neither tells the networks.

    Examples
    --------
    >>> import xarray as xr
    >>> names = ["7Networks_LH_Vis_1", "7Networks_RH_Default_2"]
    >>> networks(xr.DataArray([[0.0, 1.0]], {"roi": names}, ("time", "roi"))).tolist()
    ['Vis', 'Default']
    """
    if "network" in bold.coords:
        return np.asarray(bold["network"], dtype=str)
    parts = [str(name).split("_") for name in bold["roi"].values]
    if not all(len(p) > 2 for p in parts):
        raise DataError(
            "Expected ROIs with a coordinate 'network' or names of the Schaefer atlas "
            f"(7Networks_LH_Vis_1); got {bold['roi'].values[:3].tolist()}."
        )
    return np.array([p[2] for p in parts])


def positions(stream: xr.DataArray) -> np.ndarray:
    """Read the places of a stream's channels or ROIs.

    Parameters
    ----------
    stream : xarray.DataArray of shape (time, channel)
        With coordinates ``x``, ``y`` and ``z`` in m along its second dimension.

    Returns
    -------
    numpy.ndarray of shape (channel, 3)
        In m; NaN where a place is not known.

    Raises
    ------
    DataError
        If a coordinate is missing.

    Examples
    --------
    >>> import xarray as xr
    >>> one = {axis: ("roi", [0.01 * i]) for i, axis in enumerate("xyz")}
    >>> positions(xr.DataArray([[1.0]], one, ("time", "roi"))).tolist()
    [[0.0, 0.01, 0.02]]
    """
    missing = [axis for axis in "xyz" if axis not in stream.coords]
    if missing:
        raise DataError(
            f"Expected positions x, y and z in m along {stream.dims[-1]!r}; missing: {missing}."
        )
    return np.stack([np.asarray(stream[axis], dtype=np.float64) for axis in "xyz"], axis=1)


def rotated_labels(
    label: np.ndarray, places: np.ndarray, n_draws: int, seed: int
) -> Iterator[np.ndarray]:
    """Rotate parcels on a sphere, mirrored in the other hemisphere, and give the labels taken on.

    Each rotated centre takes the place of one parcel, assigned by the Hungarian method (Markello
    and Misic 2021, NeuroImage 236:118052), so that every label keeps its count and most of its
    compactness: the null of Alexander-Bloch et al. 2018, NeuroImage 178:540.

    Parameters
    ----------
    label : numpy.ndarray of shape (parcel,)
        What moves.
    places : numpy.ndarray of shape (parcel, 3)
        Centres; negative x is the left hemisphere.
    n_draws : int
        Number of rotations.
    seed : int
        Seed of the rotations, which are uniform.

    Yields
    ------
    numpy.ndarray of shape (parcel,)
        The label at each parcel after a rotation.

    Examples
    --------
    >>> places = np.random.default_rng(0).normal(size=(8, 3))
    >>> taken = next(rotated_labels(np.arange(8), places, 1, seed=0))
    >>> sorted(taken.tolist())
    [0, 1, 2, 3, 4, 5, 6, 7]
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.transform import Rotation

    left = places[:, 0] < 0
    halves = [(np.flatnonzero(side), _on_sphere(places[side])) for side in (left, ~left)]
    mirror = np.diag([-1.0, 1.0, 1.0])
    # The direction of a normal draw in four dimensions is a uniform rotation.
    draws = np.random.default_rng(seed).normal(size=(n_draws, 4))
    for turn in Rotation.from_quat(draws).as_matrix():
        taken = label.copy()
        for (members, points), matrix in zip(halves, (turn, mirror @ turn @ mirror), strict=True):
            taker, giver = linear_sum_assignment(-points @ (points @ matrix.T).T)
            taken[members[taker]] = label[members[giver]]
        yield taken


def _on_sphere(points: np.ndarray) -> np.ndarray:
    centred = points - points.mean(axis=0)
    unit: np.ndarray = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return unit
