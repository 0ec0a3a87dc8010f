"""Matrices and maps: connectivity, confusion, the scalp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from neurokit.errors import DataError
from neurokit.plotting.theme import COLORS, axes_or_new, literal, value_label

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["confusion", "connectivity_matrix", "topomap"]

_MAX_TICKS = 24


def connectivity_matrix(
    matrix: xr.DataArray, ax: Axes | None = None, *, groups: str | None = "network"
) -> Axes:
    """Draw a square matrix of couplings, its rows sorted and ruled by group.

    Parameters
    ----------
    matrix : DataArray, dims (roi, roi_)
        Couplings. Colours are symmetric about zero and reach the 98th percentile of the
        off-diagonal's absolute values.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    groups : str or None
        Coordinate along the first dimension by which regions are sorted and ruled; ignored
        when it is not there.

    Returns
    -------
    matplotlib.axes.Axes
        With a colour bar.

    Raises
    ------
    DataError
        If the matrix is not square.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> fc = xr.DataArray(
    ...     np.eye(4), {"network": ("roi", ["Vis", "Default", "Vis", "Default"])}, ["roi", "roi_"]
    ... )
    >>> [t.get_text() for t in connectivity_matrix(fc).get_yticklabels()]
    ['Default', 'Vis']
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise DataError(
            f"Expected matrix with dims ('roi', 'roi_') and one length; got {matrix.dims} "
            f"{matrix.shape}."
        )
    ax = axes_or_new(ax, 4.8, 4.0)
    values = np.asarray(matrix.values, float)
    labels = _groups(matrix, groups)
    if labels is not None:
        order = np.argsort(labels, kind="stable")
        values, labels = values[np.ix_(order, order)], labels[order]
    off = np.abs(values[~np.eye(len(values), dtype=bool)])
    limit = float(np.nanpercentile(off, 98)) if np.isfinite(off).any() else 1.0
    image = ax.imshow(values, cmap="RdBu_r", vmin=-(limit or 1.0), vmax=limit or 1.0, aspect="auto")
    _rule(ax, labels)
    _bare(ax)
    _color_bar(ax, image, str(matrix.attrs.get("long_name", matrix.name or "")))
    return ax


def confusion(table: xr.DataArray, ax: Axes | None = None) -> Axes:
    """Draw how often each true class was given each label.

    Parameters
    ----------
    table : DataArray, dims (true, predicted)
        Counts or rates; each row is divided by its sum.
    ax : matplotlib.axes.Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        With the rate written into each cell, in percent.

    Raises
    ------
    DataError
        If there are not two dimensions, or a count is negative.

    Examples
    --------
    >>> import xarray as xr
    >>> table = xr.DataArray(
    ...     [[9, 1], [2, 8]], {"true": ["face", "house"], "predicted": ["face", "house"]}
    ... )
    >>> [t.get_text() for t in confusion(table).texts]
    ['90', '10', '20', '80']
    """
    counts = np.asarray(table.values, float)
    if counts.ndim != 2 or (counts < 0).any():
        raise DataError(
            f"Expected a table of counts with dims ('true', 'predicted'); got {table.dims} "
            f"{table.shape}, smallest value {np.nanmin(counts, initial=0):g}."
        )
    ax = axes_or_new(ax, 4.8, 4.4)
    total = counts.sum(1, keepdims=True)
    rates = counts / np.where(total > 0, total, 1.0)
    # Cells as wide as the axes allow keep the names below them apart.
    ax.imshow(rates, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), rate in np.ndenumerate(rates):
        shade = "white" if rate > 0.55 else COLORS["ink"] if rate >= 0.005 else COLORS["muted"]
        ax.text(column, row, f"{100 * rate:.0f}", color=shade, ha="center", va="center", size=8)
    rows, columns = (str(d) for d in table.dims)
    ax.set_yticks(range(rates.shape[0]), [literal(v) for v in table[rows].values])
    ax.set_xticks(
        range(rates.shape[1]), [literal(v) for v in table[columns].values],
        rotation=45, ha="right", rotation_mode="anchor",
    )  # fmt: skip
    ax.set_xlabel(f"{columns} (% of row)")
    ax.set_ylabel(rows)
    _bare(ax)
    return ax


def topomap(values: xr.DataArray, ax: Axes | None = None, *, limit: float | None = None) -> Axes:
    """Draw one value a sensor as a map of the scalp, seen from above, nose up.

    Parameters
    ----------
    values : DataArray, dims (channel,)
        With coordinates ``x``, ``y``, ``z`` along the channels, in metres in the head frame.
    ax : matplotlib.axes.Axes, optional
        Where to draw.
    limit : float, optional
        Colours run from ``-limit`` to ``limit``; by default the largest absolute value.

    Returns
    -------
    matplotlib.axes.Axes
        With a colour bar that carries the attribute ``units``.

    Raises
    ------
    DataError
        If positions are missing, or fewer than four sensors have one and a finite value.

    Examples
    --------
    >>> import xarray as xr
    >>> place = {"x": [-0.07, 0.07, 0, 0, 0], "y": [0, 0, -0.08, 0.09, 0], "z": [0, 0, 0, 0, 0.1]}
    >>> values = xr.DataArray(
    ...     [-1, 1, 0, 0, 0.5], {k: ("channel", v) for k, v in place.items()}, ["channel"]
    ... )
    >>> tuple(float(v) for v in topomap(values).images[0].get_clim())
    (-1.0, 1.0)
    """
    data, info = _sensors(values)
    import mne

    ax = axes_or_new(ax, 3.6, 3.0)
    top = float(np.abs(data).max()) if limit is None else limit
    image, _ = mne.viz.plot_topomap(
        data, info, axes=ax, cmap="RdBu_r", vlim=(-(top or 1.0), top or 1.0), contours=4, show=False
    )
    _color_bar(ax, image, value_label(values))
    return ax


def _sensors(values: xr.DataArray) -> tuple[NDArray[np.float64], Any]:
    """Keep the sensors with a finite value and position, as mne wants them."""
    missing = [axis for axis in "xyz" if axis not in values.coords]
    if values.ndim != 1 or missing:
        raise DataError(
            "Expected values with dims ('channel',) and coordinates x, y, z in metres; got dims "
            f"{values.dims}, without {', '.join(missing) or 'none'}. Give the recording a montage."
        )
    place = np.stack([np.asarray(values[axis].values, float) for axis in "xyz"], 1)
    data = np.asarray(values.values, float)
    keep = np.isfinite(place).all(1) & np.isfinite(data)
    if keep.sum() < 4:
        raise DataError(
            f"Expected at least 4 sensors with a position and a finite value; got {keep.sum()} "
            f"of {len(data)}."
        )
    import mne

    names = [str(n) for n in values[values.dims[0]].values[keep]]
    info = mne.create_info(names, 1.0, "eeg", verbose="error")
    positions = dict(zip(names, place[keep], strict=True))
    info.set_montage(mne.channels.make_dig_montage(positions, coord_frame="head"))
    return data[keep], info


def _groups(matrix: xr.DataArray, groups: str | None) -> NDArray[np.str_] | None:
    if groups is None or groups not in matrix.coords:
        return None
    if matrix[groups].dims != matrix.dims[:1]:
        return None
    return np.asarray(matrix[groups].values).astype(str)


def _rule(ax: Axes, labels: NDArray[np.str_] | None) -> None:
    """Name each run of equal labels at its middle, with a line between runs."""
    if labels is None:
        return
    names, starts, sizes = np.unique(labels, return_index=True, return_counts=True)
    middles = starts + (sizes - 1) / 2
    # Columns are in the order of the rows: to name them again would only crowd the figure.
    if len(names) <= _MAX_TICKS:
        ax.set_yticks(middles, [literal(name) for name in names])
        ax.set_xticks([])
    for edge in starts[starts > 0] - 0.5:
        ax.axhline(edge, color=COLORS["ink"], lw=0.5)
        ax.axvline(edge, color=COLORS["ink"], lw=0.5)


def _bare(ax: Axes) -> None:
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def _color_bar(ax: Axes, image: Any, label: str) -> None:
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.8, pad=0.03, label=label)
    bar.outline.set_visible(False)
