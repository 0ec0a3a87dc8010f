"""Features of words or frames, brought to the sampling times of a slow recording."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.inputs import some, target_coords
from neurokit.arguments import positive
from neurokit.errors import DataError

__all__ = ["lanczos"]

Array = NDArray[np.float64]


def lanczos(
    values: ArrayLike | xr.DataArray,
    times: ArrayLike,
    new_times: ArrayLike,
    window: float = 3,
    *,
    groups: ArrayLike | None = None,
    new_groups: ArrayLike | None = None,
) -> NDArray | xr.DataArray:
    """Low-pass and sample irregular values, such as word features, at the times of scans.

    Each new sample is the sum of the values around it, weighted by sinc(d) sinc(d / window)
    with the distance d in new sampling intervals, for |d| < window. What varies faster than
    the new samples can carry is filtered out. The sum is not normalised: like a rate, it is
    larger where there are more words.

    Parameters
    ----------
    values : array-like or DataArray, shape (events,) or (events, features)
        What happens at each event.
    times : array-like, shape (events,)
        When, in s, from the start of its story; any order.
    new_times : array-like, shape (samples,)
        When to sample, in s, ascending and evenly spaced within each story.
    window : float
        Half width of the window in lobes of the sinc; 3 is the convention of the Huth lab
        (LeBel et al. 2023, Sci. Data 10:555).
    groups, new_groups : array-like, shapes (events,) and (samples,), optional
        The story or run of each event and sample. A sample sees events of its own alone.

    Returns
    -------
    ndarray or DataArray, shape (samples,) or (samples, features)
        Values at the new times, float32 if ``values`` are. A DataArray keeps the coordinates
        of its features, and gains ``new_times`` as coordinate of its first dimension.

    Raises
    ------
    DataError
        Values, times and groups of different length, missing values, a story without events or
        with fewer than two new samples, or new times that are not ascending and evenly spaced
        (to 1 %).

    Notes
    -----
    Duchon 1979, J. Appl. Meteorol. 18:1016, gives the window. Times of one story
    cost one (samples, events) matrix of weights.

    Examples
    --------
    >>> words = np.array([1.0, 1.0, 1.0, 1.0])
    >>> lanczos(words, times=[0.5, 1.0, 2.0, 5.0], new_times=[0.0, 2.0, 4.0, 6.0]).round(2)
    array([1.52, 1.74, 0.41, 0.64])
    """
    window = positive("window (lobes)", window)
    array = np.asarray(values)
    old, new = _times("times", times), _times("new_times", new_times)
    if array.ndim not in (1, 2) or len(array) != len(old) or array.dtype.kind not in "biuf":
        raise DataError(
            f"Expected numbers of shape ({len(old)},) or ({len(old)}, features), one row for "
            f"each time; got {array.dtype} of shape {array.shape}."
        )
    if not np.isfinite(array).all():
        raise DataError(f"{int((~np.isfinite(array)).sum())} values are missing or infinite.")
    if (groups is None) != (new_groups is None):
        raise DataError("Expected both groups and new_groups, or neither; got one.")
    story, new_story = _labels(groups, len(old)), _labels(new_groups, len(new))
    dtype = array.dtype if array.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    out = np.zeros((len(new), *array.shape[1:]), dtype=dtype)
    for name in dict.fromkeys(new_story.tolist()):
        at, events = np.flatnonzero(new_story == name), np.flatnonzero(story == name)
        if not events.size:
            raise DataError(
                f"Story {name!r} of new_groups has {at.size} samples and no event: groups are "
                f"{some([repr(label) for label in dict.fromkeys(story.tolist())])}. Give it an "
                "event of value 0 if nothing happened in it."
            )
        weights = _weights(new[at], old[events], window)
        out[at] = weights.astype(dtype) @ array[events].astype(dtype)
    if not isinstance(values, xr.DataArray):
        return out
    first, *rest = values.dims
    coords = {} if not rest else {
        (str(rest[0]) if key == "target" else key): (rest[0], coord[1])
        for key, coord in target_coords(values).items()
    }  # fmt: skip
    coords[str(first)] = (first, new)
    return xr.DataArray(out, dims=values.dims, coords=coords, name=values.name, attrs=values.attrs)


def _weights(new: Array, old: Array, window: float) -> Array:
    """Return the weight of each event in each sample of one story."""
    steps = np.diff(new)
    if not steps.size or steps.min() <= 0 or np.ptp(steps) > 0.01 * steps.mean():
        raise DataError(
            "Expected new_times ascending and evenly spaced within each story, two or more; got "
            f"{len(new)} with steps from {steps.min(initial=np.inf):.4g} to "
            f"{steps.max(initial=-np.inf):.4g} s. With several stories give groups and new_groups."
        )
    distance = np.subtract.outer(new, old) / steps.mean()
    inside = np.abs(distance) < window
    return np.where(inside, np.sinc(distance) * np.sinc(distance / window), 0.0)


def _times(name: str, times: ArrayLike) -> Array:
    """Return times in s as an array."""
    array = np.asarray(times, dtype=np.float64)
    if array.ndim != 1 or not np.isfinite(array).all():
        raise DataError(f"Expected finite {name} of one dimension (s); got shape {array.shape}.")
    return array


def _labels(groups: ArrayLike | None, n: int) -> NDArray:
    """Return the story of each event or sample."""
    labels = np.zeros(n, dtype=np.intp) if groups is None else np.asarray(groups)
    if labels.shape != (n,):
        raise DataError(f"Expected groups of shape ({n},), one label each; got {labels.shape}.")
    return labels
