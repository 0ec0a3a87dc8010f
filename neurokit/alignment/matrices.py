"""The checks that every measure of geometry makes of what it is given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurokit.alignment.splits import group_codes
from neurokit.errors import DataError

__all__ = ["coded", "finite_array"]


def finite_array(what: str, value: Any, dims: str, least: int = 2) -> NDArray:
    """Return an argument as finite floats, in the precision it came in.

    Parameters
    ----------
    what : str
        How the message calls it.
    value : array-like or DataArray
        As the caller gave it.
    dims : str
        Its dimensions in words, separated by commas; an ellipsis first allows any others
        before them.
    least : int
        The fewest entries along the first of the named dimensions.

    Returns
    -------
    ndarray
        float32 if it was float32, else float64.

    Raises
    ------
    DataError
        No numbers, other dimensions, too few entries, or values that are missing or infinite.

    Examples
    --------
    >>> finite_array("x", [[1, 2], [3, 4]], "sample, feature").dtype
    dtype('float64')
    """
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise DataError(f"Expected numbers in {what}; got {array.dtype}.")
    open_ended = dims.startswith("…")
    n_dims = dims.count(",") + (0 if open_ended else 1)
    fits = array.ndim >= n_dims if open_ended else array.ndim == n_dims
    if not fits or not array.size or array.shape[array.ndim - n_dims] < least:
        raise DataError(
            f"Expected {what} of shape ({dims}) with at least {least} along the first of them; "
            f"got {array.shape}."
        )
    array = array if array.dtype in (np.float32, np.float64) else array.astype(np.float64)
    # A sum is finite only if all are, and needs no copy of the array's size.
    with np.errstate(over="ignore", invalid="ignore"):
        total = array.sum(dtype=np.float64)
    if not np.isfinite(total) and not (good := np.isfinite(array)).all():
        where = ", ".join(str(k) for k in np.argwhere(~good)[0])
        raise DataError(
            f"{int((~good).sum())} of {array.size} values in {what} are missing or infinite "
            f"(first at [{where}]). Drop those samples or features."
        )
    return array


def coded(what: str, labels: ArrayLike, n: int) -> tuple[NDArray[np.intp], NDArray]:
    """Return labels as numbers in order of first appearance, and the distinct ones.

    Parameters
    ----------
    what : str
        How messages call them.
    labels : array-like, shape (n,)
        Labels.
    n : int
        How many there must be.

    Returns
    -------
    codes : ndarray of int, shape (n,)
        The place of each label among the distinct ones.
    names : ndarray
        The distinct labels.

    Raises
    ------
    DataError
        Another number of labels, or missing ones.

    Examples
    --------
    >>> coded("fold", ["b", "a", "b"], 3)
    (array([0, 1, 0]), array(['b', 'a'], dtype='<U1'))
    """
    array = np.asarray(labels)
    if array.shape != (n,):
        raise DataError(f"Expected {what} of shape ({n},), one label each; got {array.shape}.")
    codes, count = group_codes(array)
    first = np.full(count, n)
    np.minimum.at(first, codes, np.arange(n))
    return codes, array[first]
