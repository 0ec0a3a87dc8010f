"""Curves: tuning, and predictions against the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurokit.errors import DataError
from neurokit.plotting.theme import COLORS, axes_or_new, axis_label, color, literal, value_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from numpy.typing import NDArray

__all__ = ["predicted_vs_true", "tuning_curves"]

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
    labels = [literal(u) for u in curves[units].values]
    for index, label in enumerate(labels):
        ax.plot(curves[bins].values, values[:, index], color=color(index), label=label)
    ax.set_xlabel(x_label or axis_label(curves, bins))
    ax.set_ylabel("response / peak" if normalize else value_label(curves, "response"))
    ax.margins(x=0)
    if np.nanmin(values) >= 0:
        ax.set_ylim(bottom=0)
    if curves[bins].attrs.get("units") == "°" and np.ptp(curves[bins].values) > 180:
        _quarters(ax.xaxis, 360.0, float(curves[bins].values.min()))
    if len(labels) <= _LABELLED:
        ax.legend(title=str(units), ncols=2 if len(labels) > 3 else 1)
    return ax


def predicted_vs_true(
    true: xr.DataArray,
    predicted: xr.DataArray,
    ax: Axes | None = None,
    *,
    period: float | None = None,
    borders: Sequence[float] = (),
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
    borders : sequence of float
        Times to rule, such as those between test blocks.

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
    time = np.asarray(true["time"].values, float)
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
    for border in borders:
        ax.axvline(border, color=COLORS["muted"], ls=":", lw=1)
    ax.set_xlabel(axis_label(true, "time", "s"))
    ax.set_ylabel(value_label(true))
    if period is not None:
        _quarters(ax.yaxis, period, float(np.nanmin([true.values, predicted.values])))
    ax.margins(x=0)
    ax.legend(ncols=2, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
    return ax


def _check_dims(array: xr.DataArray, name: str, expected: str) -> None:
    if array.ndim != 2:
        raise DataError(f"Expected {name} with dims {expected}; got {array.dims} {array.shape}.")


def _quarters(axis: Axis, period: float, lowest: float) -> None:
    """Show the whole circle, from zero or from half a turn before it."""
    low = 0.0 if lowest >= 0 else -period / 2
    axis.set_view_interval(low, low + period, ignore=True)
    axis.set_ticks(np.linspace(low, low + period, 5))


def _broken(
    time: NDArray[np.float64], values: NDArray[np.float64], breaks: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Put a NaN after every break, where matplotlib lifts the pen."""
    where = np.flatnonzero(breaks) + 1
    return np.insert(time, where, np.nan), np.insert(values, where, np.nan)
