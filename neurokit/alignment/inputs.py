"""Checks of what users hand to the encoding models, in the order a reader would make them."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from neurokit.errors import DataError

__all__ = [
    "Features",
    "Inputs",
    "Targets",
    "check_ceiling",
    "check_features",
    "check_groups",
    "check_inputs",
    "check_pair",
    "open_targets",
    "target_coords",
    "versions",
]

LARGEST = 1e100  # beyond which sums of squares overflow

Coords = dict[str, tuple[str, NDArray]]


@dataclass(frozen=True)
class Inputs:
    """Features and targets that fit together.

    Attributes
    ----------
    x : ndarray, shape (samples, features)
        Features, finite.
    y : ndarray, shape (samples, targets)
        Targets, finite.
    groups : ndarray, shape (samples,), or None
        Group of each sample.
    features : list of str
        Names of the features.
    coords : dict
        Coordinates of the targets, over ``target``.
    """

    x: NDArray
    y: NDArray
    groups: NDArray | None
    features: list[str]
    coords: Coords


@dataclass(frozen=True)
class Features:
    """Features that are finite.

    Attributes
    ----------
    values : ndarray, shape (samples, features)
        In the precision they came in.
    names : list of str
        Of the features.
    """

    values: NDArray[Any]
    names: list[str]


@dataclass(frozen=True)
class Targets:
    """Targets to be read block by block.

    Attributes
    ----------
    values : ndarray or DataArray, shape (samples, targets)
        In memory, or where they are.
    given : object
        What the user gave, with its coordinates.
    coords : dict
        Coordinates of the targets, over ``target``.
    names : list of str
        Of the targets.
    """

    values: Any
    given: Any
    coords: Coords
    names: list[str]

    @property
    def single(self) -> bool:
        """Whether the targets are in single precision."""
        return bool(self.values.dtype == np.float32)

    def parts(self, width: int | None = None) -> list[slice]:
        """Cut the targets as they are stored, or what is in memory into parts of some width."""
        chunks = getattr(self.values, "chunks", None)
        stored = getattr(self.values, "encoding", {}).get("chunks")
        n = self.values.shape[1]
        if chunks is not None:
            ends = np.cumsum(chunks[1]).tolist()
        else:
            step = int(stored[1]) if stored is not None else width or n
            ends = [*range(step, n, step), n]
        return [slice(start, end) for start, end in zip([0, *ends], ends, strict=False)]

    def read(self, part: slice) -> NDArray[Any]:
        """Load and check some of the targets."""
        values = _numeric(self.values[:, part], "y")
        _check_finite(values, "y", "targets", self.names[part])
        return values


def check_inputs(
    x: ArrayLike | xr.DataArray, y: ArrayLike | xr.DataArray, groups: ArrayLike | None = None
) -> Inputs:
    """Check that features, targets and groups belong together.

    Parameters
    ----------
    x : array-like or DataArray, shape (samples, features)
        Features.
    y : array-like or DataArray, shape (samples,) or (samples, targets)
        Targets.
    groups : array-like, shape (samples,), optional
        Group of each sample.

    Returns
    -------
    Inputs
        The arrays and their names.

    Raises
    ------
    DataError
        Wrong dimensions, empty arrays, different numbers of samples, different sample
        coordinates, or values that are missing or infinite (named).

    Examples
    --------
    >>> check_inputs(np.zeros((3, 2)), np.zeros(3)).y.shape
    (3, 1)
    """
    targets = open_targets(y)
    check_pair(x, targets)
    features = check_features(x)
    values = targets.read(slice(None))
    labels = check_groups(groups, len(features.values))
    return Inputs(features.values, values, labels, features.names, targets.coords)


def open_targets(y: ArrayLike | xr.DataArray) -> Targets:
    """Prepare targets to be read block by block.

    Parameters
    ----------
    y : array-like or DataArray, shape (samples,) or (samples, targets)
        Targets; a DataArray on dask or on a file stays there.

    Returns
    -------
    Targets
        The targets and their names.

    Raises
    ------
    DataError
        Wrong dimensions, no values, or no numbers.

    Examples
    --------
    >>> open_targets(np.zeros((3, 2))).read(slice(0, 1)).shape
    (3, 1)
    """
    if isinstance(y, xr.DataArray) and y.ndim == 1:
        y = y.expand_dims("target", axis=1)
    if isinstance(y, xr.DataArray) and not getattr(y.variable, "_in_memory", True):
        values: Any = y
        if y.dtype.kind not in "biuf":
            raise DataError(f"Expected numbers in y; got {y.dtype}.")
    else:
        values = _numeric(y, "y")
        values = values[:, None] if values.ndim == 1 else values
    if values.ndim != 2 or not values.size:
        raise DataError(f"Expected y of shape (samples, targets); got {values.shape}.")
    coords = target_coords(y)
    return Targets(values, y, coords, _names(coords, values.shape[1]))


def check_features(x: ArrayLike | xr.DataArray) -> Features:
    """Check features.

    Parameters
    ----------
    x : array-like or DataArray, shape (samples, features)
        Features.

    Returns
    -------
    Features
        The array and its names.

    Raises
    ------
    DataError
        Wrong dimensions, no values, no numbers, or values missing or infinite (named).

    Examples
    --------
    >>> check_features(np.zeros((3, 2))).names
    ['0', '1']
    """
    values = _numeric(x, "x")
    if values.ndim != 2 or not values.size:
        raise DataError(f"Expected x of shape (samples, features); got {values.shape}.")
    names = _names(target_coords(x), values.shape[1])
    _check_finite(values, "x", "features", names)
    return Features(values, names)


def check_pair(x: ArrayLike | xr.DataArray, targets: Targets) -> None:
    """Refuse features and targets of different samples.

    Parameters
    ----------
    x : array-like or DataArray, shape (samples, features)
        Features.
    targets : Targets
        Targets.

    Raises
    ------
    DataError
        Different numbers of samples, or different sample coordinates.

    Examples
    --------
    >>> check_pair(np.zeros((3, 2)), open_targets(np.zeros(3)))
    """
    if isinstance(x, xr.DataArray) and isinstance(targets.given, xr.DataArray):
        _check_samples(x, targets.given)
    shape = np.shape(x)
    if len(shape) == 2 and shape[0] and shape[0] != len(targets.values):
        raise DataError(
            f"Expected as many samples in x as in y; got {shape[0]} and {len(targets.values)}. "
            "Rows of both must be the same time points or presentations."
        )


def check_groups(groups: ArrayLike | None, n: int) -> NDArray[Any] | None:
    """Check that there is one group label per sample.

    Parameters
    ----------
    groups : array-like, shape (samples,), optional
        Group of each sample.
    n : int
        Number of samples.

    Returns
    -------
    ndarray, shape (samples,), or None
        The labels.

    Raises
    ------
    DataError
        Another number of labels.

    Examples
    --------
    >>> check_groups(["a", "b"], 2).size
    2
    """
    labels = None if groups is None else np.asarray(groups)
    if labels is not None and labels.shape != (n,):
        raise DataError(
            f"Expected groups of shape ({n},), one label per sample; got {labels.shape}."
        )
    return labels


def check_ceiling(
    ceiling: float | ArrayLike | xr.DataArray | xr.Dataset, coords: Coords, n_targets: int
) -> NDArray[np.float64]:
    """Return the r-ceiling of each target.

    Parameters
    ----------
    ceiling : float, array-like, DataArray or Dataset
        One value, one per target, or the result of ``noise_ceiling``.
    coords : dict
        Coordinates of the targets it must agree with.
    n_targets : int
        Number of targets.

    Returns
    -------
    ndarray, shape (targets,)
        Ceilings between 0 and 1; NaN where unknown.

    Raises
    ------
    DataError
        Another number of targets, other targets, or values outside [0, 1].

    Examples
    --------
    >>> check_ceiling(0.5, {}, 2)
    array([0.5, 0.5])
    """
    if isinstance(ceiling, xr.Dataset):
        if "r_ceiling" not in ceiling:
            raise DataError(
                f"Expected a ceiling Dataset with the variable 'r_ceiling'; got "
                f"{list(map(str, ceiling.data_vars))}."
            )
        ceiling = ceiling["r_ceiling"]
    values = np.asarray(ceiling, dtype=np.float64)
    if values.shape not in [(), (n_targets,)]:
        raise DataError(
            f"Expected one ceiling or one for each of {n_targets} targets; got {values.shape}."
        )
    theirs = target_coords(ceiling) if values.ndim else {}
    if "target" in theirs and "target" in coords:
        mine = coords["target"][1]
        if not np.array_equal(theirs["target"][1], mine):
            raise DataError(
                "Expected ceilings for the targets of y in the same order; got other labels. "
                "Try ceiling.sel(...) with the labels of y."
            )
    if (values < 0).any() or (values > 1).any():
        raise DataError(
            f"Expected r-ceilings from 0 to 1; got {np.nanmin(values):.3g} to "
            f"{np.nanmax(values):.3g}. Percentages must be divided by 100."
        )
    return np.broadcast_to(values, (n_targets,))


def target_coords(array: object) -> Coords:
    """Return the coordinates along the last dimension of an array, renamed to ``target``.

    Parameters
    ----------
    array : object
        A DataArray; anything else has no coordinates.

    Returns
    -------
    dict
        Coordinates over ``target``; the one named like the dimension becomes its index.

    Examples
    --------
    >>> target_coords(xr.DataArray(np.zeros((2, 1)), dims=("time", "roi"), coords={"roi": ["V1"]}))
    {'target': ('target', array(['V1'], dtype='<U2'))}
    """
    if not isinstance(array, xr.DataArray) or not array.ndim:
        return {}
    last = array.dims[-1]
    return {
        "target" if name == last else str(name): ("target", coord.values)
        for name, coord in array.coords.items()
        if coord.dims == (last,)
    }


def versions() -> str:
    """Return the versions that a result depends on, as one line.

    Returns
    -------
    str
        Names and versions.

    Examples
    --------
    >>> "numpy" in versions()
    True
    """
    found = []
    for name in ("neurokit-brain", "numpy", "scipy", "xarray"):
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} (not installed)")
    return ", ".join(found)


def some(names: Sequence[Any], limit: int = 5) -> str:
    """List the first few names.

    Parameters
    ----------
    names : sequence
        Names.
    limit : int
        How many to list.

    Returns
    -------
    str
        The names, and how many more there are.

    Examples
    --------
    >>> some(["a", "b", "c"], limit=2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(str(name) for name in names[:limit]) + more


def _check_samples(x: xr.DataArray, y: xr.DataArray) -> None:
    """Refuse labelled arrays whose samples are not the same ones."""
    if x.ndim == y.ndim == 2 and x.dims[0] != y.dims[0] and x.dims[0] == y.dims[1]:
        raise DataError(
            f"Expected y with dims ({x.dims[0]!r}, {y.dims[0]!r}); got {y.dims}. "
            f"Try y.transpose({x.dims[0]!r}, {y.dims[0]!r})."
        )
    dim = x.dims[0]
    if dim != y.dims[0] or dim not in x.indexes or dim not in y.indexes:
        return
    if len(x) == len(y) and not x.indexes[dim].equals(y.indexes[dim]):
        if _same_places(x[dim].values, y[dim].values):
            return
        raise DataError(
            f"The coordinate {dim!r} of x and y differs, so their rows are different samples. "
            f"Align them first, e.g. with xarray.align(x, y, join='inner')."
        )


def _same_places(a: NDArray, b: NDArray) -> bool:
    """Tell whether two axes differ by rounding alone: by far less than the step between samples."""
    if any(values.dtype.kind not in "iuf" for values in (a, b)):
        return False
    a, b = a.astype(np.float64), b.astype(np.float64)
    step = np.abs(np.diff(a)).min(initial=np.inf)
    return bool((np.abs(a - b) <= 0.01 * step).all())


def _numeric(array: ArrayLike | xr.DataArray, name: str) -> NDArray:
    """Return an array of floats, in the precision it came in."""
    if isinstance(array, np.ma.MaskedArray):
        array = np.ma.filled(array.astype(np.float64), np.nan)
    values = np.asarray(array)
    if values.dtype.kind not in "biuf":
        raise DataError(f"Expected numbers in {name}; got {values.dtype}.")
    return values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)


def _names(coords: Mapping[str, tuple[str, NDArray]], n: int) -> list[str]:
    """Return labels of columns, or their numbers."""
    return [str(name) for name in (coords["target"][1] if "target" in coords else range(n))]


def _check_finite(array: NDArray, name: str, columns: str, labels: Sequence[str]) -> None:
    """Refuse missing values, and name the columns that have them."""
    # Two extremes rather than the extreme of absolute values, which would be a copy.
    size = np.maximum(array.max(axis=0), -array.min(axis=0)).astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(size))
    huge = [labels[int(k)] for k in np.flatnonzero(size > LARGEST)]
    if huge and not bad.size:
        raise DataError(
            f"Values in {name} reach {size.max():.3g}, whose squares do not fit double precision. "
            f"Rescale the {columns}: {some(huge)}."
        )
    if bad.size:
        count = int((~np.isfinite(array)).sum())
        raise DataError(
            f"{count} of {array.size} values in {name} are missing or infinite, in {bad.size} of "
            f"{array.shape[1]} {columns}: {some([labels[int(k)] for k in bad])}. "
            f"Drop those {columns}, or the samples."
        )
