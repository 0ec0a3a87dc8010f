"""Arrays of responses from what readers find in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from neurokit.errors import ReadError
from neurokit.recording.checks import text_array

__all__ = ["averaged", "finite_neuroids", "response_array", "story_text"]


def response_array(
    values: np.ndarray | xr.DataArray,
    presentation: Mapping[str, Any],
    neuroid: Mapping[str, Any],
) -> xr.DataArray:
    """Label responses.

    Parameters
    ----------
    values : ndarray or DataArray, shape (presentation, neuroid)
        The numbers; a DataArray may read them on first use.
    presentation, neuroid : mapping
        Coordinates over the one and the other; a single value holds for all.

    Returns
    -------
    xr.DataArray
        With text of fixed width.

    Examples
    --------
    >>> response_array(np.zeros((2, 1)), {"stimulus_id": ["a", "b"]}, {"region": "V1"}).sizes
    Frozen({'presentation': 2, 'neuroid': 1})
    """
    dims = ("presentation", "neuroid")
    array = xr.DataArray(values, dims=dims) if isinstance(values, np.ndarray) else values
    coords = {}
    for dim, given in zip(dims, (presentation, neuroid), strict=True):
        for key, labels in given.items():
            whole = np.asarray(labels)
            whole = np.full(array.sizes[dim], whole) if whole.ndim == 0 else whole
            coords[key] = (dim, text_array(whole) if whole.dtype.kind in "OUST" else whole)
    return array.assign_coords(coords)


def averaged(values: np.ndarray, ids: Sequence[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Average presentations of the same stimulus.

    Parameters
    ----------
    values : ndarray, shape (trial, neuroid)
        Single trials.
    ids : sequence of str
        Stimulus of each.

    Returns
    -------
    ids : list of str
        Distinct ones, in order of first appearance.
    mean : ndarray of float32, shape (stimulus, neuroid)
        Over the trials of each.
    repeats : ndarray of float32, shape (repeat, stimulus, neuroid)
        The trials in order; NaN where a stimulus had fewer.

    Examples
    --------
    >>> ids, mean, repeats = averaged(np.array([[1.0], [5.0], [3.0]]), ["b", "a", "b"])
    >>> ids, mean.ravel().tolist(), repeats.shape
    (['b', 'a'], [2.0, 5.0], (2, 2, 1))
    """
    distinct = list(dict.fromkeys(ids))
    place = {name: i for i, name in enumerate(distinct)}
    stimulus = np.array([place[name] for name in ids])
    order = np.argsort(stimulus, kind="stable")
    counts = np.bincount(stimulus)
    turn = np.empty(len(stimulus), dtype=np.int64)
    turn[order] = np.arange(len(stimulus)) - np.repeat(np.cumsum(counts) - counts, counts)
    repeats = np.full((counts.max(), len(distinct), values.shape[1]), np.nan, dtype=np.float32)
    repeats[turn, stimulus] = values
    total = np.nansum(repeats, axis=0, dtype=np.float64)
    # A missing value among the trials must stay visible in the mean.
    mean = (total / counts[:, None]).astype(np.float32)
    trial, neuroid = np.nonzero(np.isnan(values))
    mean[stimulus[trial], neuroid] = np.nan
    return distinct, mean, repeats


def finite_neuroids(path: Path, values: np.ndarray, advice: str = "") -> np.ndarray:
    """Tell which neuroids have all their values.

    Parameters
    ----------
    path : Path
        Where they came from, for the message.
    values : ndarray, shape (presentation, neuroid)
        Responses.
    advice : str
        What to do if none has.

    Returns
    -------
    ndarray of bool, shape (neuroid,)
        True where no value is missing.

    Raises
    ------
    ReadError
        If that is none.

    Examples
    --------
    >>> finite_neuroids(Path("a.mat"), np.array([[1.0, np.nan]])).tolist()
    [True, False]
    """
    keep = np.isfinite(values).all(axis=0)
    if not keep.any():
        raise ReadError(
            f"{path.name}: each of {keep.size} neuroids lacks some of {len(values)} presentations. "
            f"{advice}".strip()
        )
    return keep


def story_text(words: Sequence[str]) -> str:
    """Join the words of a story.

    Parameters
    ----------
    words : sequence of str
        In order.

    Returns
    -------
    str
        With single blanks between.

    Examples
    --------
    >>> story_text(["Once", " upon "])
    'Once upon'
    """
    return " ".join(" ".join(words).split())
