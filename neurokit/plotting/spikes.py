"""Populations of spikes: who fires when, and who drives whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neurokit.errors import DataError
from neurokit.plotting.theme import COLORS, axes_or_new, value_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    import xarray as xr
    from matplotlib.axes import Axes

    from neurokit.recording import Recording

__all__ = ["spike_raster", "wiring_matrix"]


def spike_raster(
    rec: Recording,
    ax: Axes | None = None,
    *,
    start: float | None = None,
    stop: float | None = None,
    order: Sequence[int] | None = None,
    marked: Sequence[int] = (),
) -> Axes:
    """Draw a tick for each spike, a row a unit.

    Parameters
    ----------
    rec : Recording
        With stream ``spikes``, recorded or generated.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    start, stop : float, optional
        Seconds shown; by default the first ten.
    order : sequence of int, optional
        Ids of the units to show, from the top; by default all, as in the recording.
    marked : sequence of int
        Ids of units in another colour, such as hubs.

    Returns
    -------
    matplotlib.axes.Axes
        With a row a unit, also for silent ones.

    Raises
    ------
    DataError
        If there are no spikes in the recording, or no such unit or interval.

    Examples
    --------
    >>> from neurokit.recording import Recording
    >>> rec = Recording.from_spikes([0.1, 0.2, 0.7], [3, 8, 3], duration=1.0)
    >>> [len(ticks.get_segments()) for ticks in spike_raster(rec, marked=[8]).collections]
    [2, 1]
    """
    if "spikes" not in rec:
        raise DataError(f"There are no spikes to draw; the streams are {sorted(rec.streams)}.")
    spikes = rec["spikes"]
    start = float(spikes.attrs["start"]) if start is None else start
    stop = min(start + 10.0, float(spikes.attrs["stop"])) if stop is None else stop
    if not start < stop:
        raise DataError(f"Expected start < stop in seconds; got {start:g} and {stop:g}.")
    ids = spikes["id"].values
    shown = ids if order is None else np.asarray(order)
    _check_units(np.concatenate([shown, np.asarray(marked, dtype=ids.dtype)]), ids)
    row_of = {int(unit): row for row, unit in enumerate(shown)}
    rows = np.array([row_of.get(int(unit), -1) for unit in ids])
    time = spikes["time"].values
    inside = (time >= start) & (time < stop)
    time, unit = time[inside], spikes["unit"].values[inside]
    row, warm = rows[unit], np.isin(ids[unit], marked)
    ax = axes_or_new(ax, height=2.6)
    for mine, tone in ((~warm, COLORS["ink"]), (warm, COLORS["warm"])):
        some = mine & (row >= 0)
        ax.vlines(time[some], row[some] - 0.45, row[some] + 0.45, colors=tone, linewidth=0.7)
    ax.set(xlim=(start, stop), ylim=(len(shown) - 0.5, -0.5), xlabel="time (s)", ylabel="unit")
    return ax


def wiring_matrix(
    matrix: xr.DataArray,
    ax: Axes | None = None,
    *,
    order: Sequence[int] | None = None,
    colorbar: bool = True,
) -> Axes:
    """Draw who drives whom: a column a source, a row a target.

    Parameters
    ----------
    matrix : DataArray, dims (target, source)
        Such as ``model.connectivity`` or ``nk.datasets.true_connectivity`` give. The diagonal is
        left out.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    order : sequence of int, optional
        Ids of the units, from the top and from the left; by default as they are.
    colorbar : bool
        Whether to draw one.

    Returns
    -------
    matplotlib.axes.Axes
        Colours are symmetric about zero and reach the 98th percentile of the absolute values.

    Raises
    ------
    DataError
        If the dimensions are others, or there is no such unit.

    Examples
    --------
    >>> import xarray as xr
    >>> found = xr.DataArray([[0.0, 1.0], [-1.0, 0.0]], {"target": [3, 8], "source": [3, 8]},
    ...                      ["target", "source"])
    >>> wiring_matrix(found).get_xlabel()
    'source'
    """
    if matrix.dims != ("target", "source") or matrix.shape[0] != matrix.shape[1]:
        raise DataError(
            f"Expected a matrix with dims ('target', 'source') over the same units; got "
            f"{matrix.dims} of shape {matrix.shape}."
        )
    if order is not None:
        _check_units(np.asarray(order), matrix["source"].values)
        matrix = matrix.sel(target=list(order), source=list(order))
    values = np.array(matrix, dtype=np.float64)
    np.fill_diagonal(values, np.nan)
    known = np.abs(values[np.isfinite(values)])
    top = float(np.percentile(known, 98)) if known.size else 0.0
    # A sparse truth has fewer than 2 % of pairs.
    limit = top or float(known.max(initial=0.0)) or 1.0
    ax = axes_or_new(ax, width=3.6, height=3.2)
    ax.set_facecolor(COLORS["faint"])
    mesh = ax.pcolormesh(values, cmap="RdBu_r", vmin=-limit, vmax=limit, rasterized=True)
    n = len(values)
    ax.set(xlim=(0, n), ylim=(n, 0), aspect="equal", xlabel="source", ylabel="target")
    if colorbar:
        ax.figure.colorbar(mesh, ax=ax, label=value_label(matrix), shrink=0.8)
    return ax


def _check_units(asked: np.ndarray, known: np.ndarray) -> None:
    lost = np.setdiff1d(asked, known)
    if lost.size:
        raise DataError(
            f"There is no unit {', '.join(map(str, lost[:5].tolist()))}; ids run from "
            f"{known.min()} to {known.max()}."
        )
