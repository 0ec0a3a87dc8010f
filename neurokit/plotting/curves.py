"""Curves: tuning, time courses, and predictions against the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurokit.errors import DataError
from neurokit.plotting.theme import COLORS, axes_or_new, color, literal

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["predicted_vs_true", "time_courses", "tuning_curves"]

# More lines than the palette has colours are told apart by direct labels no longer.
_LABELLED = 6


def tuning_curves(
    curves: xr.DataArray, ax: Axes | None = None, *, normalize: bool = True, x_label: str = ""
) -> Axes:
    """Draw how each unit's response depends on one variable.

    Parameters
    ----------
    curves : DataArray, dims (bin, unit)
        Responses; the coordinate of the first dimension is the variable, its attribute
        ``units`` goes to the axis.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    normalize : bool
        Divide each curve by its largest absolute value, so that quiet units show too.
    x_label : str
        Text of the horizontal axis, by default the dimension's name and unit.

    Returns
    -------
    matplotlib.axes.Axes
        With one line a unit.

    Raises
    ------
    DataError
        If there are not two dimensions.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> angle = np.arange(0, 360, 6.0)
    >>> rates = np.cos(np.deg2rad(angle[:, None] - [0, 90, 180])) + 1
    >>> curves = xr.DataArray(rates, {"angle": ("angle", angle, {"units": "°"})}, ["angle", "unit"])
    >>> len(tuning_curves(curves).lines)
    3
    """
    _check_dims(curves, "curves", "('bin', 'unit')")
    ax = axes_or_new(ax)
    values = np.asarray(curves.values, float)
    if normalize:
        peak = np.nanmax(np.abs(values), axis=0)
        values = values / np.where(peak > 0, peak, 1.0)
    bins, units = curves.dims
    labels = [literal(u) for u in _coordinate(curves, str(units))]
    for index, label in enumerate(labels):
        ax.plot(_coordinate(curves, str(bins)), values[:, index], color=color(index), label=label)
    ax.set_xlabel(x_label or _axis_label(curves, str(bins)))
    ax.set_ylabel("response / peak" if normalize else _name(curves, "response"))
    ax.margins(x=0)
    if len(labels) <= _LABELLED:
        ax.legend(title=str(units), ncols=2 if len(labels) > 3 else 1)
    return ax


def time_courses(
    curves: xr.DataArray,
    low: xr.DataArray | None = None,
    high: xr.DataArray | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw one line a condition over time, each with its band.

    Parameters
    ----------
    curves : DataArray, dims (condition, time)
        Lines; a curve of dims ``(time,)`` is one condition.
    low, high : DataArray, dims as `curves`, optional
        Lower and upper limit of the band around each line.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        With a legend when there are several conditions.

    Raises
    ------
    DataError
        If there is no dimension ``time``, or more than one other.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> curves = xr.DataArray(
    ...     np.zeros((2, 50)),
    ...     {"condition": ["auditory", "visual"], "time": np.arange(50) / 100},
    ...     ["condition", "time"],
    ... )
    >>> time_courses(curves, curves - 1, curves + 1).get_xlabel()
    'time (s)'
    """
    if "time" not in curves.dims or curves.ndim > 2:
        raise DataError(f"Expected curves with dims ('condition', 'time'); got {curves.dims}.")
    ax = axes_or_new(ax)
    lines, lower, upper = (_rows(part) for part in (curves, low, high))
    time = _coordinate(curves, "time")
    other = [str(d) for d in curves.dims if d != "time"]
    labels = [literal(v) for v in _coordinate(curves, other[0])] if other else [""]
    if lines is None:
        return ax
    for index, label in enumerate(labels):
        ax.plot(time, lines[index], color=color(index), label=label)
        if lower is not None and upper is not None:
            ax.fill_between(time, lower[index], upper[index], color=color(index), alpha=0.18, lw=0)
    ax.set_xlabel(f"time ({curves['time'].attrs.get('units', 's')})")
    ax.set_ylabel(_name(curves, ""))
    ax.margins(x=0)
    if len(labels) > 1:
        ax.legend()
    return ax


def predicted_vs_true(
    true: xr.DataArray,
    predicted: xr.DataArray,
    ax: Axes | None = None,
    *,
    period: float | None = None,
) -> Axes:
    """Draw a predicted series over the true one.

    Parameters
    ----------
    true, predicted : DataArray, dims (time,)
        The series, on one clock; where the time steps over a gap the lines are broken.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    period : float, optional
        Of a circular variable, in its unit: lines do not run through the wrap.

    Returns
    -------
    matplotlib.axes.Axes
        With both series and a legend.

    Raises
    ------
    DataError
        If the series are not one-dimensional over the same times.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> true = xr.DataArray(np.arange(5.0), {"time": np.arange(5) / 10}, ["time"], name="force")
    >>> predicted_vs_true(true, true + 1).get_ylabel()
    'force'
    """
    if true.dims != ("time",) or predicted.dims != ("time",) or true.shape != predicted.shape:
        raise DataError(
            "Expected true and predicted with dims ('time',) and one length; got "
            f"{true.dims} {true.shape} and {predicted.dims} {predicted.shape}."
        )
    ax = axes_or_new(ax, 4.8, 2.6)
    time = _coordinate(true, "time").astype(float)
    steps = np.diff(time)
    gaps = steps > 1.5 * np.median(steps) if len(steps) else np.zeros(0, bool)
    # Drawn first and broad, the truth stays visible where the prediction covers it.
    looks = [
        (true, "true", COLORS["ink"], 2.2, 0.35),
        (predicted, "predicted", COLORS["warm"], 1.2, 1),
    ]
    for series, label, shade, width, alpha in looks:
        values = np.asarray(series.values, float)
        breaks = gaps if period is None else gaps | (np.abs(np.diff(values)) > period / 2)
        ax.plot(*_broken(time, values, breaks), color=shade, lw=width, alpha=alpha, label=label)
    ax.set_xlabel(f"time ({true['time'].attrs.get('units', 's')})")
    ax.set_ylabel(_name(true, ""))
    ax.margins(x=0)
    ax.legend(ncols=2, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
    return ax


def _check_dims(array: xr.DataArray, name: str, expected: str) -> None:
    if array.ndim != 2:
        raise DataError(f"Expected {name} with dims {expected}; got {array.dims} {array.shape}.")


def _rows(array: xr.DataArray | None) -> NDArray[np.float64] | None:
    if array is None:
        return None
    return np.atleast_2d(array.transpose(..., "time").values.astype(float))


def _coordinate(array: xr.DataArray, dim: str) -> NDArray[np.generic]:
    return np.asarray(array[dim].values)


def _broken(
    time: NDArray[np.float64], values: NDArray[np.float64], breaks: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Put a NaN after every break, where matplotlib lifts the pen."""
    where = np.flatnonzero(breaks) + 1
    return np.insert(time, where, np.nan), np.insert(values, where, np.nan)


def _axis_label(array: xr.DataArray, dim: str) -> str:
    unit = array[dim].attrs.get("units", "")
    return f"{dim} ({unit})" if unit else dim


def _name(array: xr.DataArray, default: str) -> str:
    name = str(array.name) if array.name is not None else default
    unit = array.attrs.get("units", "")
    return f"{name} ({unit})".strip() if unit else name
