"""Streams from plain arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from neurokit.arguments import name_list, number, positive, text
from neurokit.errors import DataError, UnknownNameError
from neurokit.recording.schema import kind_of, voltage_factor

__all__ = ["continuous", "spike_train", "time_axis", "trial_events"]


def time_axis(n_samples: int, sampling_rate: float, start: float = 0.0) -> np.ndarray:
    """Return the second of each sample.

    Parameters
    ----------
    n_samples : int
        How many.
    sampling_rate : float
        In Hz.
    start : float
        Second of the first sample.

    Returns
    -------
    ndarray of shape (n_samples,)
        float64; computed by division, so that no rounding error accumulates.

    Examples
    --------
    >>> time_axis(3, 2.0, 1.0)
    array([1. , 1.5, 2. ])
    """
    return start + np.arange(n_samples) / sampling_rate


def continuous(
    x: np.ndarray,
    sampling_rate: float,
    names: Sequence[str] | None,
    stream: str,
    units: str | None = None,
    *,
    start: float = 0.0,
    bads: Sequence[str] = (),
) -> xr.DataArray:
    """Build a continuous stream from an array.

    Parameters
    ----------
    x : ndarray of shape (time, feature)
        The samples.
    sampling_rate : float
        In Hz.
    names : sequence of str or None
        One a feature; numbered from 0 when None.
    stream : str
        The kind of stream, which sets dimension and unit.
    units : str, optional
        Unit of ``x``; voltages are converted to volts.
    start : float
        Second of the first sample.
    bads : sequence of str
        Features that may hold NaN.

    Returns
    -------
    xr.DataArray
        Dims ``(time, feature)``.

    Raises
    ------
    DataError
        If ``x`` is not two-dimensional, the rate is not positive, or lengths differ.
    UnknownNameError
        If a bad channel is none of the names.

    Examples
    --------
    >>> continuous([[1.0], [2.0]], 1.0, ["Cz"], "eeg", "uV").values.ravel().tolist()
    [1e-06, 2e-06]
    """
    x = _samples(x, stream)
    kind = kind_of(text("stream", stream))
    sampling_rate, start = positive("sampling_rate (Hz)", sampling_rate), number("start (s)", start)
    if x.ndim != 2:
        raise DataError(f"Expected {stream} of shape (time, {kind.dim}); got shape {x.shape}.")
    numbered = [str(i) for i in range(x.shape[1])]
    labels = numbered if names is None else name_list(f"names of {stream}", names)
    bads = name_list("bads", bads)
    if len(labels) != x.shape[1]:
        hint = " Is x transposed?" if len(labels) == x.shape[0] else ""
        raise DataError(
            f"Got {len(labels)} names for x of shape {x.shape} (time, {kind.dim}).{hint}"
        )
    units = None if units is None else text("units", units)
    factor = voltage_factor(units) if units and kind.units == "V" else None
    if factor is not None:
        x, units = (x if factor == 1 else x * np.float64(factor)), "V"
    coords: dict[str, object] = {
        "time": time_axis(x.shape[0], float(sampling_rate), start),
        kind.dim: np.asarray(labels, dtype=np.str_),
    }
    if len(bads):
        for bad in bads:
            if bad not in labels:
                raise UnknownNameError("channel", bad, labels)
        coords["bad"] = (kind.dim, np.isin(labels, list(bads)))
    attrs = {"sampling_rate": float(sampling_rate), "units": units or kind.units}
    return xr.DataArray(x, dims=("time", kind.dim), coords=coords, attrs=attrs, name=stream)


def spike_train(
    times: np.ndarray,
    units: np.ndarray,
    start: float = 0.0,
    duration: float | None = None,
    unit_table: pd.DataFrame | None = None,
) -> xr.Dataset:
    """Build the spike stream from times and unit ids.

    Parameters
    ----------
    times : ndarray of shape (spike,)
        Seconds, in any order.
    units : ndarray of shape (spike,)
        Integer unit ids.
    start : float
        Beginning of the recording in seconds.
    duration : float, optional
        By default the recording ends at the last spike.
    unit_table : pd.DataFrame, optional
        One row a unit: ``id`` and other facts.

    Returns
    -------
    xr.Dataset
        ``time`` and ``unit`` (index) over ``spike``, ``id`` and facts over ``unit``.

    Raises
    ------
    DataError
        If lengths differ, or ids are not integers or not in the table.

    Examples
    --------
    >>> spike_train([0.2, 0.1], [4, 9])["unit"].values
    array([1, 0])
    """
    times, units = _seconds("times", times), np.asarray(units)
    start = number("start (s)", start)
    if times.shape != units.shape or times.ndim != 1:
        raise DataError(
            f"Expected times and units of one length; got shapes {times.shape} and {units.shape}."
        )
    if units.dtype.kind not in "iu" and units.size:
        raise DataError(f"Unit ids are {units.dtype}, expected integers. Number the units.")
    units = units.astype(np.int64)
    table = pd.DataFrame({"id": np.unique(units)}) if unit_table is None else unit_table
    if not isinstance(table, pd.DataFrame) or "id" not in table:
        raise DataError("Expected unit_table as a table with a column id, one row a unit.")
    ids = np.asarray(table["id"])
    order = np.argsort(ids, kind="stable")
    place = np.searchsorted(ids, units, sorter=order) if ids.size else units
    index = order[np.minimum(place, ids.size - 1)] if ids.size else units
    if units.size and (not ids.size or (ids[index] != units).any()):
        unknown = np.setdiff1d(units, ids)
        raise DataError(f"Spikes of {unknown.size} units that the unit table lacks: {unknown[:5]}.")
    by_time = np.argsort(times, kind="stable")
    last = float(times.max(initial=start))
    stop = last if duration is None else start + number("duration (s)", duration)
    coords = {str(c): ("unit", np.asarray(table[c])) for c in table.columns}
    return xr.Dataset(
        {"time": ("spike", times[by_time]), "unit": ("spike", index[by_time])},
        coords=coords,
        attrs={"start": float(start), "stop": float(stop)},
    )


def trial_events(trials: pd.DataFrame | np.ndarray) -> pd.DataFrame:
    """Turn trial intervals into an event table.

    Parameters
    ----------
    trials : pd.DataFrame or ndarray of shape (trial, 2)
        A table with ``onset`` and ``duration`` passes through; of an array the columns are
        start and stop in seconds.

    Returns
    -------
    pd.DataFrame
        Events of type ``trial``.

    Raises
    ------
    DataError
        If the array has another shape.

    Examples
    --------
    >>> trial_events([[0.0, 2.0]]).to_dict("list")
    {'onset': [0.0], 'duration': [2.0], 'trial_type': ['trial']}
    """
    if isinstance(trials, pd.DataFrame):
        return trials
    bounds = _seconds("trials", trials)
    if bounds.ndim != 2 or bounds.shape[1] != 2:
        raise DataError(f"Expected trials of shape (trial, 2), start and stop; got {bounds.shape}.")
    return pd.DataFrame(
        {"onset": bounds[:, 0], "duration": bounds[:, 1] - bounds[:, 0], "trial_type": "trial"}
    )


def _samples(x: Any, stream: object) -> np.ndarray:
    try:
        x = np.asarray(x)
    except ValueError:
        raise DataError(f"The samples of {stream} have rows of different lengths.") from None
    if x.dtype.kind not in "fiub":
        raise DataError(f"Stream {stream!r} holds {x.dtype}, not real numbers. Convert it.")
    return x


def _seconds(what: str, values: Any) -> np.ndarray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what}: expected seconds; got a {type(values).__name__}.") from None
