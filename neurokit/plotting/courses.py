"""Courses over time: one line a condition, or one a channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurokit.errors import DataError
from neurokit.plotting.theme import (
    COLORS,
    axes_or_new,
    axis_label,
    color,
    legend_above,
    literal,
    value_label,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["butterfly", "time_courses"]


def time_courses(
    curves: xr.DataArray,
    low: xr.DataArray | None = None,
    high: xr.DataArray | None = None,
    ax: Axes | None = None,
    *,
    levels: Mapping[str, float] | None = None,
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
    levels : mapping of str to float, optional
        Name of each horizontal line, such as chance, to its height.

    Returns
    -------
    matplotlib.axes.Axes
        With a legend when there are several conditions, or levels.

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
    time = curves["time"].values
    other = [d for d in curves.dims if d != "time"]
    labels = [literal(v) for v in curves[other[0]].values] if other else [value_label(curves)]
    lines = _rows(curves)
    for index, label in enumerate(labels):
        ax.plot(time, lines[index], color=color(index), label=label)
        if low is not None and high is not None:
            ax.fill_between(
                time, _rows(low)[index], _rows(high)[index], color=color(index), alpha=0.18, lw=0
            )
    shades = (COLORS["muted"], COLORS["warm"], COLORS["gold"])
    for index, (name, height) in enumerate((levels or {}).items()):
        ax.axhline(height, color=shades[index % 3], ls=(":", "--")[index % 2], label=literal(name))
    ax.set_xlabel(axis_label(curves, "time", "s"))
    ax.set_ylabel(value_label(curves))
    ax.margins(x=0)
    if len(labels) > 1 or levels:
        legend_above(ax)
    return ax


def butterfly(
    evoked: xr.DataArray, ax: Axes | None = None, *, window: tuple[float, float] | None = None
) -> Axes:
    """Draw every channel over time, and how far the channels spread at each moment.

    The spread is the standard deviation over channels: the global field power of Lehmann and
    Skrandies 1980 (Electroencephalogr. Clin. Neurophysiol. 48:609) where the reference is the
    average.

    Parameters
    ----------
    evoked : DataArray, dims (channel, time) or (time, channel)
        A response, or the difference of two; ``time`` from the stimulus on.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    window : tuple of float, optional
        First and last time of a stretch to shade, in the unit of ``time``.

    Returns
    -------
    matplotlib.axes.Axes
        One grey line a channel, the spread in colour.

    Raises
    ------
    DataError
        If there is no dimension ``time``, or not exactly one other.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> evoked = xr.DataArray(
    ...     np.eye(3), {"time": [0.0, 0.1, 0.2]}, ["channel", "time"], attrs={"units": "µV"}
    ... )
    >>> len(butterfly(evoked, window=(0.1, 0.2)).lines)
    5
    """
    if "time" not in evoked.dims or evoked.ndim != 2:
        raise DataError(f"Expected evoked with dims ('channel', 'time'); got {evoked.dims}.")
    ax = axes_or_new(ax)
    time, lines = evoked["time"].values, _rows(evoked)
    if window is not None:
        ax.axvspan(*window, color=COLORS["sky"], alpha=0.25, lw=0, label="window")
    ax.plot(time, lines.T, color=COLORS["muted"], lw=0.5, alpha=0.6)
    ax.plot(
        time, np.nanstd(lines, axis=0), color=COLORS["warm"], lw=2, label="spread over channels"
    )
    ax.axvline(0, color=COLORS["ink"], ls=":", lw=1)
    ax.set_xlabel(axis_label(evoked, "time", "s"))
    ax.set_ylabel(value_label(evoked))
    ax.margins(x=0)
    legend_above(ax)
    return ax


def _rows(array: xr.DataArray) -> NDArray[np.float64]:
    return np.atleast_2d(array.transpose(..., "time").values.astype(float))
